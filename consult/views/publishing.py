"""The publishing desk: consultations from the first note to the announcement, and their drafts."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import FileField, FileRequired
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response
from wtforms import DateField, Field, HiddenField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from consult import consultation_acts, consultations, drafts, programmes, readers, rules
from consult.consultations import STATUTORY_DAYS, Consultation
from consult.programmes import Stage
from consult.readers import ReadDraft, UnreadableDraft
from consult.views import loading
from core import units
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form, LineField, TextField, Words
from core.permissions import require
from core.text import tidy_line, unreadable
from core.units import Unit
from core.web import keep_private, now

blueprint = Blueprint("publishing", __name__, url_prefix="/desk/consultations")
Page = Response | str | tuple[str, int]
TITLE_WORDS = Words(most=200, missing=_l("请填写标题。"))


class DayField(DateField):  # type: ignore[misc]  # WTForms is untyped
    """A date, written 2020-10-08 as browsers send it."""

    data: Any  # a date, once the form is valid

    def process_formdata(self, valuelist: list[str]) -> None:
        """Refuse in Chinese what is not a date."""
        typed = valuelist[0].strip() if valuelist else ""
        if not typed:
            self.data = None
            return
        try:
            if len(typed) != 10 or not typed.isascii():
                raise ValueError
            self.data = dt.date.fromisoformat(typed)
        except ValueError:
            self.data = None
            raise ValueError(_("请填写真实的日期，例如2020-10-08。")) from None
        if self.data.year not in consultations.YEARS:
            raise ValueError(_("日期的年份有误，请检查后再填。"))


def _required_day() -> list[Any]:
    return [InputRequired(_l("请选择日期。"))]


# --- the list and the overview -------------------------------------------------------------------


@blueprint.before_request
def only_those_who_prepare() -> None:
    """Everything here is for those who prepare consultations."""
    keep_private()
    require(rules.prepare_consultations)


@blueprint.get("/")
def index() -> str:
    """All consultations with their phase."""
    at = now()
    every = consultations.every(public_only=False)
    return render_template(
        "consult/publishing/index.html",
        consultations=every,
        phases={each.id: each.phase(at) for each in every},
        now=at,
    )


@blueprint.get("/<slug>/")
def show(slug: str) -> str:
    """One consultation: what is done, what is missing, what may be done now."""
    consultation = loading.consultation(slug)
    at = now()
    versions = drafts.versions(consultation)
    return render_template(
        "consult/publishing/show.html",
        consultation=consultation,
        phase=consultation.phase(at),
        versions=[(version, drafts.count(version)) for version in versions],
        published=drafts.published(consultation),
        missing=_missing(consultation),
        changes=consultations.changes(consultation),
        now=at,
    )


def _missing(consultation: Consultation) -> list[str]:
    has_draft = drafts.published(consultation) is not None
    return consultation_acts.missing(consultation, has_draft=has_draft, now=now())


# --- create --------------------------------------------------------------------------------------


class ConsultationForm(Form):
    """What a consultation needs to exist."""

    title = LineField(
        _l("标题"),
        [TITLE_WORDS],
        description=_l("例如：静安区“十四五”规划纲要（征求意见稿）公开征求意见"),
    )
    slug = LineField(
        _l("网址短名"),
        [Words(most=64, missing=_l("请填写网址短名。"))],
        description=_l("小写字母、数字和连字符，公布后不能改，例如 gangyao-2020。"),
        render_kw={"autocapitalize": "off", "spellcheck": "false"},
    )
    stage = SelectField(_l("所处阶段"), validate_choice=False)
    unit = SelectField(_l("征集部门"), validate_choice=False)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.stages = _stages()
        self.units = {unit.slug: unit for unit in units.every()}
        self.stage.choices = [
            SelectChoice(key, f"{stage.programme.title} · {stage.title}")
            for key, stage in self.stages.items()
        ]
        self.unit.choices = _unit_choices(self.units)

    def validate_stage(self, field: Field) -> None:
        """One of the stages there are."""
        if field.data not in self.stages:
            raise ValidationError(_("请选择所处阶段。"))

    def validate_unit(self, field: Field) -> None:
        """One of the units there are, or none."""
        _must_be_unit(field, self.units)


def _stages() -> dict[str, Stage]:
    return {str(stage.id): stage for programme in programmes.every() for stage in programme.stages}


def _unit_choices(known: dict[str, Unit]) -> list[SelectChoice]:
    every = [SelectChoice(slug, unit.name) for slug, unit in known.items()]
    return [SelectChoice("", _("暂不指定")), *every]


def _must_be_unit(field: Field, known: dict[str, Unit]) -> None:
    if field.data and field.data not in known:
        raise ValidationError(_("请从名单里选择部门。"))


@blueprint.route("/new", methods=["GET", "POST"])
def create() -> Page:
    """Begin a consultation."""
    form = ConsultationForm()
    if not form.validate_on_submit():
        return _create_page(form), 422 if form.is_submitted() else 200
    with refusals_on(lambda sentence: _create_page(form, sentence)):
        consultation = consultation_acts.create(
            slug=form.slug.data,
            title=form.title.data,
            stage=form.stages[form.stage.data],
            unit=form.units.get(form.unit.data or ""),
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("已新建。接下来请填写公告、定下时间、导入文稿。"), "success")
    return redirect(url_for(".show", slug=consultation.slug))


def _create_page(form: ConsultationForm, refusal: str = "") -> str:
    taken = consultations.by_slug(form.slug.data) if refusal else None
    return render_template(
        "consult/publishing/create.html", form=form, refusal=refusal, taken=taken
    )


# --- the notice ----------------------------------------------------------------------------------


class NoticeForm(Form):
    """The words of the notice."""

    title = LineField(_l("标题"), [TITLE_WORDS])
    unit = SelectField(_l("征集部门"), validate_choice=False)
    explanation = TextField(
        _l("起草说明"),
        [Words(least=0, most=20_000, missing="")],
        description=_l("为什么起草、依据什么、主要内容是什么。每行一段。"),
        render_kw={"rows": 10},
    )
    ways = TextField(
        _l("参与方式"),
        [Words(least=0, most=4000, missing="")],
        description=_l("除了在本网站提交，还可以怎样提意见：来信地址、电子邮箱、电话。"),
        render_kw={"rows": 5},
    )
    contact = TextField(
        _l("联系方式"),
        [Words(least=0, most=1000, missing="")],
        description=_l("居民有疑问时可以找谁：部门、电话、办公时间。"),
        render_kw={"rows": 3},
    )
    seen = HiddenField()

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.units = {unit.slug: unit for unit in units.every()}
        self.unit.choices = _unit_choices(self.units)

    def validate_unit(self, field: Field) -> None:
        """One of the units there are, or none."""
        _must_be_unit(field, self.units)


@blueprint.route("/<slug>/notice", methods=["GET", "POST"])
def notice(slug: str) -> Page:
    """Write or correct the notice."""
    consultation = loading.consultation(slug)
    form = NoticeForm(data=_notice_facts(consultation))
    if not form.validate_on_submit():
        return _notice_page(form, consultation), 422 if form.is_submitted() else 200
    at = now()
    with refusals_on(lambda sentence: _notice_page(form, consultation, sentence)):
        consultation_acts.write_notice(
            consultation,
            title=form.title.data,
            explanation=form.explanation.data,
            ways=form.ways.data,
            contact=form.contact.data,
            seen=form.seen.data or "-",
            by=current_user,
            now=at,
        )
        unit = form.units.get(form.unit.data or "")
        consultation_acts.entrust(consultation, unit, by=current_user, now=at)
    db.session.commit()
    flash(_("公告文字已保存。"), "success")
    return redirect(url_for(".show", slug=slug))


def _notice_facts(consultation: Consultation) -> dict[str, str]:
    facts = {key: getattr(consultation, key) for key in consultations.NOTICE}
    facts["unit"] = consultation.unit.slug if consultation.unit else ""
    facts["seen"] = consultation_acts.notice_seal(consultation)
    return facts


def _notice_page(form: NoticeForm, consultation: Consultation, refusal: str = "") -> str:
    current = consultation_acts.notice_seal(consultation)
    overtaken = bool(refusal) and form.seen.data != current
    # Whoever sends the form again has been shown what stands there now.
    form.seen.data = current
    return render_template(
        "consult/publishing/notice.html",
        form=form,
        consultation=consultation,
        refusal=refusal,
        overtaken=overtaken,
    )


# --- the window ----------------------------------------------------------------------------------


class WindowForm(Form):
    """The first and the last day, and why there are fewer than thirty."""

    first = DayField(_l("开始日期"), _required_day(), description=_l("当天0:00开始征集。"))
    last = DayField(
        _l("截止日期"), _required_day(), description=_l("当天24:00截止，首尾两天都算。")
    )
    short_reason = TextField(
        _l("期限不足30天的理由"),
        [Words(least=0, most=1000, missing="")],
        description=_l("期限一般不少于30天；不足时必须填写，理由会在公告中展示。"),
        render_kw={"rows": 3},
    )

    def validate_last(self, field: Field) -> None:
        """Not before the first day."""
        if self.first.data and field.data and field.data < self.first.data:
            raise ValidationError(_("截止日期不能早于开始日期。"))

    def validate_short_reason(self, field: Field) -> None:
        """Needed when the window is short."""
        days = consultations.length(self.first.data, self.last.data)
        if 0 < days < STATUTORY_DAYS and not field.data:
            raise ValidationError(_("从开始到截止共%(n)d天，不足30天，请写明理由。", n=days))


@blueprint.route("/<slug>/window", methods=["GET", "POST"])
def window(slug: str) -> Page:
    """Set the window while it may still be set."""
    consultation = loading.consultation(slug)
    form = WindowForm(
        data={
            "first": consultation.first_day,
            "last": consultation.last_day,
            "short_reason": consultation.short_reason,
        }
    )
    if not form.validate_on_submit():
        return _window_page(form, consultation), 422 if form.is_submitted() else 200
    with refusals_on(lambda sentence: _window_page(form, consultation, sentence)):
        consultation_acts.set_window(
            consultation,
            first=form.first.data,
            last=form.last.data,
            short_reason=form.short_reason.data,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("征集时间已保存，共%(n)d天。", n=consultation.days), "success")
    return redirect(url_for(".show", slug=slug))


def _window_page(form: WindowForm, consultation: Consultation, refusal: str = "") -> str:
    return render_template(
        "consult/publishing/window.html", form=form, consultation=consultation, refusal=refusal
    )


# --- announcing and extending --------------------------------------------------------------------


@blueprint.route("/<slug>/announce", methods=["GET", "POST"])
def announce(slug: str) -> Page:
    """Look everything over once more, then make the notice public."""
    consultation = loading.consultation(slug)
    form = Form()
    if not form.validate_on_submit():
        return _announce_page(form, consultation), 422 if form.is_submitted() else 200
    with refusals_on(lambda sentence: _announce_page(form, consultation, sentence)):
        consultation_acts.announce(
            consultation,
            has_draft=drafts.published(consultation) is not None,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("公告已经公布。"), "success")
    return redirect(url_for(".show", slug=slug))


def _announce_page(form: Form, consultation: Consultation, refusal: str = "") -> str:
    at = now()
    version = drafts.published(consultation)
    return render_template(
        "consult/publishing/announce.html",
        form=form,
        consultation=consultation,
        phase=consultation.phase(at),
        missing=_missing(consultation),
        version=version,
        counts=drafts.count(version) if version else (0, 0),
        days=consultation_acts.days_from(consultation, at),
        refusal=refusal,
        now=at,
    )


class ExtensionForm(Form):
    """A later last day, and why."""

    last = DayField(
        _l("新的截止日期"), _required_day(), description=_l("当天24:00截止。只能延长。")
    )
    reason = TextField(
        _l("延长的理由"),
        [Words(most=1000, missing=_l("请写明延长的理由，理由会向公众展示。"))],
        description=_l("理由会在公告的变更记录中展示。"),
        render_kw={"rows": 3},
    )


@blueprint.route("/<slug>/extend", methods=["GET", "POST"])
def extend(slug: str) -> Page:
    """Move the closing day later."""
    consultation = loading.consultation(slug)
    form = ExtensionForm()
    if not form.validate_on_submit():
        return _extend_page(form, consultation), 422 if form.is_submitted() else 200
    with refusals_on(lambda sentence: _extend_page(form, consultation, sentence)):
        consultation_acts.extend(
            consultation,
            last=form.last.data,
            reason=form.reason.data,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("截止日期已经延长，公告中同时记下了理由。"), "success")
    return redirect(url_for(".show", slug=slug))


def _extend_page(form: ExtensionForm, consultation: Consultation, refusal: str = "") -> str:
    return render_template(
        "consult/publishing/extend.html",
        form=form,
        consultation=consultation,
        phase=consultation.phase(now()),
        refusal=refusal,
    )


# --- importing a draft ---------------------------------------------------------------------------


class ImportForm(Form):
    """A document, and what the draft is called."""

    file = FileField(
        _l("文稿文件"),
        [FileRequired(_l("请选择一个文件。"))],
        description=_l("Word（.docx）、Markdown（.md）或纯文本（.txt），不超过20兆字节。"),
        render_kw={"accept": ".docx,.md,.txt"},
    )
    title = LineField(
        _l("文稿名称"),
        [Words(least=0, most=200, missing="")],
        description=_l("留空则用文件里的标题。"),
    )


@blueprint.route("/<slug>/draft", methods=["GET", "POST"])
def import_draft(slug: str) -> Page:
    """Read a document into a new version, which is then checked before it is published.

    The file is not kept, only its text and its SHA-256: docs/decisions/draft-files-are-not-kept.md.
    """
    consultation = loading.consultation(slug)
    form = ImportForm()
    if not form.validate_on_submit():
        return _import_page(form, consultation), 422 if form.is_submitted() else 200
    try:
        drafts.must_have_none_prepared(consultation)
        # Reading takes seconds; nobody who wants to write has to wait for that.
        db.session.rollback()
        name, data, read = _read(form.file.data)
        version = drafts.take_in(
            consultation,
            read,
            title=form.title.data or read.title[:200] or consultation.title,
            source_name=name,
            source=data,
            by=current_user,
            now=now(),
        )
    except UnreadableDraft as unreadable_draft:
        db.session.rollback()
        form.file.errors = [str(unreadable_draft)]
        return _import_page(form, consultation), 422
    except Refused as refusal:
        db.session.rollback()
        return _import_page(form, consultation, refusal.sentence), 409
    db.session.commit()
    flash(_("文稿已导入。请检查章节和段落，确认后再发布。"), "success")
    return redirect(url_for("structure.show", version_id=version.id))


def _read(upload: FileStorage) -> tuple[str, bytes, ReadDraft]:
    """(file name, its bytes, what was read); refuses what cannot be read."""
    name = tidy_line((upload.filename or "").replace("\\", "/").rpartition("/")[2])[-200:]
    if unreadable(name):
        raise UnreadableDraft(_("文件名里有无法识别的字符，请改名后再上传。"))
    data = upload.stream.read(readers.MAX_BYTES + 1)
    if len(data) > readers.MAX_BYTES:
        raise UnreadableDraft(_("文件超过20兆字节，请压缩其中的图片或拆分后再上传。"))
    return name, data, readers.read(data, filename=name)


def _import_page(form: ImportForm, consultation: Consultation, refusal: str = "") -> str:
    return render_template(
        "consult/publishing/import.html",
        form=form,
        consultation=consultation,
        prepared=drafts.prepared(consultation),
        refusal=refusal,
    )
