"""Bringing in opinions from a table: choose the file, name the columns, try, bring in."""

from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult import (
    consultations,
    drafts,
    import_jobs,
    import_slips,
    import_undoing,
    imports,
    intake,
    rules,
    screening_queue,
)
from consult.consultations import Consultation
from consult.imports import Report
from consult.intake import Intake, IntakeState
from consult.readers import tables
from consult.readers.tables import Table, UnreadableTable
from consult.submissions import Channel
from core import jobs, sheets, uploads
from core import rules as core_rules
from core.db import db
from core.errors import Refused
from core.forms import Form, LineField, Telling
from core.permissions import may, require
from core.web import SHANGHAI, as_file, keep_private, now, number_in

blueprint = Blueprint("intake", __name__, url_prefix="/desk/intake")
PREVIEW = 5
# Seconds after which the page of a table that is being brought in asks again by itself.
REFRESH = 5
# Of the opinions that would stay.
MOST_NAMED = 100
# A resident's web comment comes through the form, never through a table.
CHANNELS = [channel for channel in Channel if channel not in (Channel.WEB, Channel.PANEL)]


class UploadForm(Form):
    """Which file, for which consultation, and how its opinions reached the office."""

    consultation = SelectField(_l("意见征集"), validators=[InputRequired(_l("请选择意见征集。"))])
    channel = SelectField(_l("渠道"), validators=[InputRequired(_l("请选择渠道。"))])
    file = FileField(
        _l("表格文件"),
        [FileRequired(_l("请选择一个 .csv 或 .xlsx 文件。"))],
        description=_l("第一行是列名，每行一件意见。支持 .xlsx 和 .csv（UTF-8 或 GBK）。"),
    )
    to_queue = BooleanField(_l("先放入审核队列，不直接计为已审核"))


class ColumnsForm(Form):
    """Which column holds what."""

    body = SelectField(_l("意见内容"))
    title = SelectField(_l("标题"))
    external_id = SelectField(
        _l("原编号"), description=_l("有编号时，重复导入同一件不会重复计数。")
    )
    received_on = SelectField(_l("收到日期"))
    author = SelectField(_l("来信人"), description=_l("只用来分辨是否同一个人，姓名本身不保存。"))
    stance = SelectField(_l("态度"))
    section = SelectField(_l("对应章节"))
    hold_personal = BooleanField(
        _l("可能含有个人信息的，先放入审核队列，隐去以后再展示"), default=True
    )

    def offer(self, columns: tuple[str, ...]) -> None:
        """Let every field choose among the table's columns."""
        for name in intake.FIELDS:
            none = [] if name == "body" else [SelectChoice("", _("不导入"))]
            self[name].choices = none + [SelectChoice(column, column) for column in columns]

    @property
    def mapping(self) -> dict[str, str]:
        """{field: column} for the fields that were chosen."""
        return {name: self[name].data for name in intake.FIELDS if self[name].data}


class UndoForm(Form):
    """Why an import is taken out again, and that it is meant."""

    reason = LineField(
        _l("撤销的理由"),
        [
            Telling(
                least=2,
                most=import_undoing.LONGEST_REASON,
                missing=_l("请写明撤销的理由。"),
            )
        ],
    )
    confirm = BooleanField(
        _l("我已核对上面的件数，确认撤销"), [InputRequired(_l("请先勾选，确认要撤销。"))]
    )
    # What the officer has before them.
    seen = HiddenField()


@blueprint.get("")
def index() -> str:
    """The upload form and what was brought in lately."""
    keep_private()
    require(rules.take_in_files)
    return _index(_upload_form())


@blueprint.post("")
def upload() -> Response | tuple[str, int]:
    """Look at the file, keep it for the next step, go on to its columns."""
    keep_private()
    require(rules.take_in_files)
    form = _upload_form()
    if not form.validate():
        return _index(form), 422
    data = form.file.data.read()
    filename = form.file.data.filename or ""
    try:
        tables.read(data, filename=filename)
    except UnreadableTable as refusal:
        form.file.errors = [str(refusal)]
        return _index(form), 422
    started = intake.begin(
        consultations.by_id(int(form.consultation.data)),
        channel=Channel(form.channel.data),
        filename=filename,
        data=data,
        stored_as=uploads.keep(data),
        to_queue=form.to_queue.data,
        by=current_user,
        now=now(),
    )
    forgotten = intake.expire(now=now())
    db.session.commit()
    for name in forgotten:
        uploads.remove(name)
    return redirect(url_for(".columns", intake_id=started.id))


@blueprint.get("/<int:intake_id>")
def columns(intake_id: int) -> Response | str:
    """Name the columns; or, once that is done, how far it is and what came of it."""
    keep_private()
    require(rules.take_in_files)
    found = _intake(intake_id)
    if found.state is not IntakeState.UPLOADED:
        return _done(found)
    table = _table(found)
    form = ColumnsForm(formdata=None, data=intake.proposed(table.columns))
    form.offer(table.columns)
    return _columns(found, table, form)


@blueprint.post("/<int:intake_id>")
def bring_in(intake_id: int) -> Response | str | tuple[str, int]:
    """Try (nothing is stored) or bring the rows in."""
    keep_private()
    require(rules.take_in_files)
    found = _intake(intake_id)
    if found.state is not IntakeState.UPLOADED:
        raise Refused(_("这份表格已经导入过了。"))
    table = _table(found)
    form = ColumnsForm()
    form.offer(table.columns)
    if not form.validate():
        return _columns(found, table, form), 422
    trying = request.form.get("act") != "import"
    consultation = consultations.by_id(found.consultation_id)
    if not trying and len(table.rows) > import_jobs.AT_ONCE:
        return _start(found, table, form, consultation)
    stored_as = found.stored_as
    report = _run(found, table, form, consultation, trying)
    if trying:
        return _columns(found, table, form, report)
    db.session.commit()
    uploads.remove(stored_as)
    flash(_("已导入%(n)d件。", n=report.imported), "success")
    return redirect(url_for(".columns", intake_id=found.id))


@blueprint.post("/<int:intake_id>/receipts")
def receipts(intake_id: int) -> Response:
    """The receipts of what the officer brought in, to be handed to the authors."""
    keep_private()
    require(rules.take_in_files)
    found = _intake(intake_id)
    slips = import_slips.take(found, by=current_user, now=now())
    db.session.commit()
    site = current_app.config["SETTINGS"].site_url.rstrip("/")
    answer = make_response(import_slips.workbook(slips, site))
    answer.mimetype = sheets.XLSX
    name = _("受理编号 %(file)s", file=found.filename.rpartition(".")[0])
    return as_file(answer, name, ".xlsx", plain=f"receipts-{intake_id}")


@blueprint.get("/<int:intake_id>/undo")
def ask_to_undo(intake_id: int) -> str:
    """What undoing would take out and what would stay."""
    keep_private()
    require(rules.take_in_files)
    found = _intake(intake_id)
    return _undoing(found, UndoForm(formdata=None))


@blueprint.post("/<int:intake_id>/undo")
def undo(intake_id: int) -> Response | tuple[str, int]:
    """Take the whole import out again."""
    keep_private()
    require(rules.take_in_files)
    found, form = _intake(intake_id), UndoForm()
    if not form.validate():
        return _undoing(found, form), 422
    stored_as = found.stored_as
    try:
        gone, stayed = import_undoing.undo(
            found, reason=form.reason.data, seen=form.seen.data or "", by=current_user, now=now()
        )
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(url_for(".columns", intake_id=intake_id), 303)
    db.session.commit()
    if stored_as:
        uploads.remove(stored_as)
    flash(_("已撤销%(n)d件，保留%(kept)d件。", n=gone, kept=stayed), "success")
    return redirect(url_for(".columns", intake_id=intake_id), 303)


def _undoing(found: Intake, form: UndoForm) -> str:
    """The page that is looked at before an import is undone, or why it cannot be."""
    why_not = ""
    try:
        import_undoing.must_be_possible(found, now=now())
    except Refused as refusal:
        why_not = refusal.sentence
    outlook = import_undoing.outlook(found)
    form.seen.data = outlook.mark
    return render_template(
        "consult/intake/undo.html",
        intake=found,
        consultation=consultations.by_id(found.consultation_id),
        form=form,
        going=len(outlook.going),
        staying=outlook.staying,
        named=outlook.staying[:MOST_NAMED],
        why_not=why_not,
    )


def _done(found: Intake) -> Response | str:
    """What came of a table, or how far it is. While it is on its way the page asks again by
    itself, unless told not to."""
    job = jobs.by_id(found.job_id) if found.job_id is not None else None
    on_its_way = import_undoing.is_on_its_way(found)
    still = bool(number_in("still", most=1))
    page = make_response(
        render_template(
            "consult/intake/done.html",
            intake=found,
            consultation=consultations.by_id(found.consultation_id),
            job=job,
            may_see_job=job is not None and may(core_rules.see_job, job),
            on_its_way=on_its_way,
            waiting=screening_queue.pending_of(found.id),
            has_slips=import_slips.are_there(found, by=current_user),
            still=still,
            neglected=on_its_way and jobs.neglected(now()),
        )
    )
    if on_its_way and not still:
        page.headers["Refresh"] = str(REFRESH)
    return page


def _start(found: Intake, table: Table, form: ColumnsForm, consultation: Consultation) -> Response:
    """Hand a long table over to a worker."""
    version = drafts.published(consultation)
    at = now()
    import_jobs.start(
        table,
        found,
        consultation,
        mapping=form.mapping,
        hold_personal=form.hold_personal.data,
        version_id=version.id if version else None,
        on_day=at.astimezone(SHANGHAI).date(),
        by=current_user,
        now=at,
    )
    db.session.commit()
    flash(_("表格有%(n)d行，已交后台分批导入。可以离开本页。", n=len(table.rows)), "success")
    return redirect(url_for(".columns", intake_id=found.id), 303)


def _run(
    found: Intake, table: Table, form: ColumnsForm, consultation: Consultation, trying: bool
) -> Report:
    version = drafts.published(consultation)
    at = now()
    return imports.bring_in(
        table,
        consultation,
        channel=found.channel,
        mapping=form.mapping,
        hold_personal=form.hold_personal.data,
        outline=drafts.outline(version) if version else None,
        to_queue=found.to_queue,
        dry_run=trying,
        secret=current_app.config["SECRET_KEY"],
        intake=found,
        by=current_user,
        now=at,
        on_day=at.astimezone(SHANGHAI).date(),
    )


def _intake(intake_id: int) -> Intake:
    found = db.session.get(Intake, intake_id)
    if found is None:
        abort(404)
    return found


def _table(found: Intake) -> Table:
    data = uploads.read(found.stored_as)
    if data is None:
        raise Refused(_("上传的文件已经不在了，请重新上传。"))
    try:
        return tables.read(data, filename=found.filename)
    except UnreadableTable as refusal:
        # It could be read when it came in: the file was changed, or a limit has become stricter.
        raise Refused(str(refusal)) from refusal


def _upload_form() -> UploadForm:
    form = UploadForm()
    public = consultations.every(public_only=True)
    form.consultation.choices = [SelectChoice(str(each.id), each.title) for each in public]
    form.channel.choices = [SelectChoice(each.value, each.title) for each in CHANNELS]
    return form


def _index(form: UploadForm) -> str:
    public = consultations.every(public_only=True)
    return render_template(
        "consult/intake/index.html",
        form=form,
        intakes=intake.latest(),
        titles={each.id: each.title for each in public},
    )


def _columns(found: Intake, table: Table, form: ColumnsForm, report: Report | None = None) -> str:
    shown: dict[str, Any] = {"report": report, "preview": table.rows[:PREVIEW]}
    return render_template(
        "consult/intake/columns.html",
        intake=found,
        table=table,
        form=form,
        fields=intake.FIELDS,
        consultation=consultations.by_id(found.consultation_id),
        **shown,
    )
