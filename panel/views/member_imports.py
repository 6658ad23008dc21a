"""Importing a list of members: choose the file, name the columns, try, bring in; and the second
person's confirmation of all it proposed."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from consult import programmes, topics
from consult.programmes import Programme
from consult.readers import tables
from consult.readers.tables import Table, UnreadableTable
from core import units, uploads
from core.db import db
from core.errors import Refused
from core.forms import Form
from core.permissions import require
from core.web import keep_private, local, now
from panel import member_imports, member_rows, quotas, rules
from panel.member_imports import ImportState, MemberImport, Report
from panel.member_rows import Known
from panel.views import loading
from panel.views.application_forms import ProposalForm
from panel.views.members import usual_term

blueprint = Blueprint("member_imports", __name__, url_prefix="/desk/panel/imports")
PREVIEW = 5
MOST_SHOWN = 200
Answer = Response | str | tuple[str, int]


class UploadForm(Form):
    """Which file."""

    file = FileField(
        _l("表格文件"),
        [FileRequired(_l("请选择一个 .csv 或 .xlsx 文件。"))],
        description=_l("第一行是列名，每行一位成员。支持 .xlsx 和 .csv（UTF-8 或 GBK）。"),
    )


class ColumnsForm(ProposalForm):
    """Which column holds what, and the term of those rows that give none."""

    name = SelectField(_l("姓名"))
    category = SelectField(_l("类别"))
    gender = SelectField(_l("性别"))
    birth_year = SelectField(_l("出生年份"))
    unit_text = SelectField(_l("工作单位和职务"))
    contact = SelectField(_l("联系方式"), description=_l("用来辨认同一个人；加密保存。"))
    sub_district = SelectField(_l("街镇"))
    fields = SelectField(_l("专长领域"), description=_l("写课题名称，几项之间用顿号隔开。"))
    recommended_by = SelectField(_l("推荐单位"))
    from_column = SelectField(_l("任期自"))
    to_column = SelectField(_l("任期至"))
    is_name_public = SelectField(
        _l("同意公开姓名"), description=_l("写“是”或“否”；不导入就都不公开。")
    )

    def offer(self, columns: tuple[str, ...]) -> "ColumnsForm":
        """Let every field choose among the table's columns."""
        for name in member_rows.FIELDS:
            none = [] if name in member_rows.NEEDED else [SelectChoice("", _("不导入"))]
            every = [SelectChoice(column, column) for column in columns]
            self.of(name).choices = none + every
        return self

    def of(self, name: str) -> Any:
        """The field that says which column holds `name`."""
        return self[COLUMN_OF.get(name, name)]

    @property
    def mapping(self) -> dict[str, str]:
        """{field: column} for the fields that were chosen."""
        return {name: self.of(name).data for name in member_rows.FIELDS if self.of(name).data}


COLUMN_OF = {"term_from": "from_column", "term_to": "to_column"}


@blueprint.before_request
def _those_who_keep_it() -> None:
    keep_private()
    require(rules.keep_register)


@blueprint.get("")
def index() -> str:
    """The upload form and what was brought in lately."""
    return _index(UploadForm(formdata=None))


@blueprint.post("")
def upload() -> Answer:
    """Look at the file, keep it for the next step, go on to its columns."""
    form, programme = UploadForm(), loading.programme()
    if not form.validate():
        return _index(form), 422
    data = form.file.data.read()
    filename = form.file.data.filename or ""
    try:
        tables.read(data, filename=filename)
    except UnreadableTable as refusal:
        form.file.errors = [str(refusal)]
        return _index(form), 422
    at = now()
    started = member_imports.begin(
        programme.id,
        filename=filename,
        data=data,
        stored_as=uploads.keep(data),
        by=current_user,
        now=at,
    )
    forgotten = member_imports.expire(at)
    db.session.commit()
    for name in forgotten:
        uploads.remove(name)
    return redirect(url_for(".show", import_id=started.id), 303)


@blueprint.get("/<int:import_id>")
def show(import_id: int) -> str:
    """Name the columns; or, once that is done, what came of it."""
    found = _import(import_id)
    if found.state is ImportState.DONE or not found.stored_as:
        return _done(found)
    table = _table(found)
    guessed = member_rows.guessed(table.columns)
    data = {COLUMN_OF.get(name, name): column for name, column in guessed.items()}
    form = ColumnsForm(formdata=None, data=usual_term() | data)
    return _columns(found, table, form.offer(table.columns))


@blueprint.post("/<int:import_id>")
def bring_in(import_id: int) -> Answer:
    """Try (nothing is stored) or bring the rows in as proposals."""
    found = _import(import_id)
    if found.state is not ImportState.UPLOADED:
        raise Refused(_("这份名单已经导入过了。"))
    table = _table(found)
    form = ColumnsForm().offer(table.columns)
    if not form.validate():
        return _columns(found, table, form), 422
    known = _known(found, form)
    if request.form.get("act") != "import":
        report = member_imports.tried(found.programme_id, table, form.mapping, known)
        return _columns(found, table, form, report)
    stored_as = found.stored_as
    report = member_imports.bring_in(found, table, form.mapping, known, by=current_user, now=now())
    db.session.commit()
    uploads.remove(stored_as)
    flash(_("已登记并提名%(n)d位，请另一位工作人员确认。", n=len(report.imported)), "success")
    return redirect(url_for(".show", import_id=found.id), 303)


@blueprint.post("/<int:import_id>/confirm")
def confirm(import_id: int) -> Answer:
    """Appoint all that it proposed, as the second person."""
    found, form = _import(import_id), Form()
    if not form.validate():
        return _done(found), 422
    at = now()
    done = member_imports.confirm(found, by=current_user, today=local(at).date(), now=at)
    db.session.commit()
    flash(_("已聘任%(n)d位，立即生效。", n=done), "success")
    return redirect(url_for(".show", import_id=found.id), 303)


def _import(import_id: int) -> MemberImport:
    return member_imports.by_id(import_id) or abort(404)


def _table(found: MemberImport) -> Table:
    data = uploads.read(found.stored_as)
    if data is None:
        raise Refused(_("上传的文件已经不在了，请重新上传。"))
    try:
        return tables.read(data, filename=found.filename)
    except UnreadableTable as refusal:
        # It could be read when it came in: the file was changed, or a limit has become stricter.
        raise Refused(str(refusal)) from refusal


def _known(found: MemberImport, form: ColumnsForm) -> Known:
    programme = db.session.get_one(Programme, found.programme_id)
    return Known(
        categories=quotas.categories(programme.id),
        topics={topic.title: topic.key for topic in topics.of(programme)},
        units={unit.name: unit.id for unit in units.every()},
        term_from=form.term_from.data,
        term_to=form.term_to.data,
        today=local(now()).date(),
    )


def _index(form: UploadForm) -> str:
    programme = programmes.newest()
    if programme is None:
        return render_template("panel/members/none.html")
    return render_template(
        "panel/member_imports/index.html",
        form=form,
        imports=member_imports.latest(programme.id),
        names={name: usual[0] for name, usual in member_rows.USUAL.items()},
        needed=member_rows.NEEDED,
    )


def _columns(
    found: MemberImport, table: Table, form: ColumnsForm, report: Report | None = None
) -> str:
    return render_template(
        "panel/member_imports/columns.html",
        found=found,
        table=table,
        form=form,
        columns=[form.of(name) for name in member_rows.FIELDS],
        report=report,
        most=MOST_SHOWN,
        preview=table.rows[:PREVIEW],
    )


def _done(found: MemberImport) -> str:
    return render_template(
        "panel/member_imports/done.html",
        found=found,
        waiting=member_imports.still_proposed(found),
        plain=Form(formdata=None),
        me=current_user.id,
    )
