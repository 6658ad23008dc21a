"""Quick entry (登记一件): what is said at the counter or over the telephone, or stands in a letter,
typed in on one screen; the receipt is read out or printed, and the next one begins."""

import datetime as dt
from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_wtf.file import MultipleFileField
from werkzeug.wrappers import Response
from wtforms import BooleanField, Field, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, ValidationError

from consult import attachments, consultations, drafts, intake, provenance, rules, submissions
from consult.attachments import Scan
from consult.consultations import Consultation, Phase
from consult.drafts import Outline
from consult.readers import mail
from consult.submissions import Channel, Opinion, Received, Stance, Submission
from consult.views.comments import CONTACT_DAYS
from consult.views.publishing import DayField
from core import consents, sealing, uploads
from core.config import Settings
from core.db import db
from core.errors import Refused
from core.forms import ContactField, Form, LineField, OnceForm, TextField, Words
from core.permissions import require
from core.web import as_file, keep_private, local, now, number_in

blueprint = Blueprint("desk_entry", __name__, url_prefix="/desk/entry")
# What a resident sends comes through the public form, what the panel says through its own.
CHANNELS = [channel for channel in Channel if channel not in (Channel.WEB, Channel.PANEL)]
# Letters that came in time are typed in after the closing, too; what was answered is closed.
TAKING = (Phase.OPEN, Phase.CLOSED)


class EntryForm(OnceForm):
    """One opinion, in the order in which it is told."""

    channel = SelectField(_l("渠道"), validators=[InputRequired(_l("请选择渠道。"))])
    received_on = DayField(_l("收到日期"), [InputRequired(_l("请选择日期。"))])
    external_id = LineField(
        _l("原编号"),
        [Words(least=0, most=100, missing="")],
        description=_l("工单号或信件编号，可以不填。"),
        render_kw={"autocomplete": "off"},
    )
    section = SelectField(_l("针对哪一部分"))
    title = LineField(
        _l("标题"),
        [Words(least=0, most=200, missing="")],
        description=_l("可以不填。"),
        render_kw={"autocomplete": "off"},
    )
    body = TextField(
        _l("意见内容"),
        [Words(most=intake.LONGEST_BODY, missing=_l("请写下意见内容。"))],
        description=_l("按本人的原话登记，不作概括。"),
        render_kw={"rows": 5, "data-keep": ""},
    )
    stance = RadioField(
        _l("态度"),
        choices=[
            SelectChoice("", _l("未说明")),
            *(
                SelectChoice(each.value, label)
                for each, label in (
                    (Stance.SUGGEST, _l("建议")),
                    (Stance.SUPPORT, _l("赞成")),
                    (Stance.OPPOSE, _l("反对")),
                    (Stance.QUESTION, _l("疑问")),
                )
            ),
        ],
        default="",
    )
    name = LineField(
        _l("称呼"),
        [Words(least=0, most=40, missing="")],
        description=_l("姓名本身不保存，公开时只显示“王**”；未经本人同意显示为“匿名”。"),
        render_kw={"autocomplete": "off"},
    )
    show_name = BooleanField(_l("本人同意公开姓氏"))
    contact = ContactField(
        _l("联系方式"),
        [Words(least=0, most=100, missing="")],
        description=_l("手机号或电子邮箱，只用来告知答复，加密保存一年。"),
        render_kw={"autocomplete": "off"},
    )
    told = BooleanField(_l("已告知本人：意见审核后公开展示，联系方式只用来告知答复、保存一年"))
    scans = MultipleFileField(
        _l("来信扫描件"),
        description=_l(
            "可以不附。PDF、JPG 或 PNG，最多5个，每个不超过8MB；只供工作人员查看，每次查看都有记录。"
        ),
    )
    # Which text the sections were chosen from.
    version = HiddenField()

    def offer(self, outline: Outline | None) -> None:
        """Let the channel and the section be chosen."""
        self.channel.choices = [SelectChoice(each.value, each.title) for each in CHANNELS]
        headings = outline.headings if outline else []
        self.section.choices = [
            SelectChoice("", _("全文")),
            *(SelectChoice(str(each.mark), _indented(each.level, each.text)) for each in headings),
        ]

    def validate_told(self, field: Field) -> None:
        """Nobody's name or number is kept before they were told what for."""
        if (self.contact.data or self.show_name.data) and not field.data:
            raise ValidationError(_("登记联系方式或公开姓氏之前，请先告知本人并在此勾选。"))


class MailForm(Form):
    """An e-mail as it was pasted."""

    source = TextField(
        _l("邮件原文"),
        [Words(most=200_000, missing=_l("请粘贴邮件原文。"))],
        description=_l(
            "粘贴原始邮件，或连同发件人、发送时间、主题一起复制的正文，会自动填好登记表。"
        ),
        render_kw={"rows": 4},
    )


def _indented(level: int, text: str) -> str:
    return "\u3000" * (level - 1) + text


def day_refusal(consultation: Consultation, day: dt.date, today: dt.date) -> str:
    """Why an opinion received on `day` cannot be entered; "" when it can. The same window holds
    for everybody: who telephones too late is told so, like who writes on the site."""
    if day > today:
        return str(_("收到日期在今天之后，请核对。"))
    if consultation.opens_at is not None and day < local(consultation.opens_at).date():
        return str(_("收到日期在征集开始之前，请核对。"))
    last = consultation.last_day
    if last is not None and day > last:
        return str(_("这件是截止以后收到的，不能登记。请告知本人，并按公告中的联系方式另行处理。"))
    return ""


@blueprint.get("")
def write() -> str:
    """The empty form, as far as the last entry tells how it will be filled; `?consultation=3`
    chooses, `?saved=7` shows the receipt of what was just entered above it."""
    keep_private()
    require(rules.take_in_files)
    last = provenance.last_entered(by=current_user)
    consultation = _chosen(last)
    if consultation is None:
        return render_template("consult/entry/none.html")
    form = EntryForm(formdata=None, data=_remembered(last))
    saved_id = number_in("saved")
    saved = provenance.entered(saved_id, by=current_user) if saved_id else None
    return _page(form, consultation, saved)


@blueprint.post("")
def save() -> Response | tuple[str, int]:
    """Take the opinion in, to be screened like any other; go on to the next or to the slip."""
    keep_private()
    require(rules.take_in_files)
    consultation = _chosen(None)
    if consultation is None:
        abort(404)
    form = EntryForm()
    version = drafts.published(consultation)
    outline = drafts.outline(version) if version else None
    form.offer(outline)
    valid = form.validate()
    if valid and form.section.data and form.version.data != str(version.id if version else ""):
        form.section.errors = [_("文稿刚刚公布了新的一稿，请重新选择。")]
        valid = False
    if valid and (refusal := day_refusal(consultation, form.received_on.data, _today())):
        form.received_on.errors = [refusal]
        valid = False
    scans: list[Scan] = []
    try:
        scans = attachments.check([(f.filename or "", f.read()) for f in form.scans.data or []])
    except Refused as refusal:
        form.scans.errors = [refusal.sentence]
        valid = False
    if not valid:
        return _page(form, consultation), 422
    received = _take_in(form, consultation, outline)
    if not received.again:
        for scan in scans:
            # On disk before it is acknowledged.
            uploads.keep_by_content(scan.data)
        attachments.attach(received.id, scans)
    db.session.commit()
    if request.form.get("act") == "slip":
        return redirect(url_for(".slip", submission_id=received.id))
    if received.again:
        flash(_("这一件刚才已经登记过，没有重复登记。"), "info")
    return redirect(url_for(".write", consultation=consultation.id, saved=received.id))


def _take_in(form: EntryForm, consultation: Consultation, outline: Outline | None) -> Received:
    """Store what the form holds, who typed it, and how to reach the author."""
    settings: Settings = current_app.config["SETTINGS"]
    at = now()
    entry = outline.by_mark.get(int(form.section.data)) if outline and form.section.data else None
    contact = form.contact.data
    opinion = Opinion(
        body=form.body.data,
        title=form.title.data,
        version_id=outline.version_id if outline else None,
        place=entry.id if entry else submissions.WHOLE,
        stance=Stance(form.stance.data) if form.stance.data else None,
        channel=Channel(form.channel.data),
        public_name=submissions.masked(form.name.data) if form.show_name.data else "",
        # The same key as on the site: who telephones and then writes is one person.
        person_key=submissions.person_key(settings.secret_key, "contact", contact)
        if contact
        else None,
        consent=consents.COMMENT.version if form.told.data else "",
        external_id=form.external_id.data,
        received_on=form.received_on.data,
    )
    received = submissions.receive(
        consultation,
        opinion,
        once_key=submissions.once_key(form.form_key.data, opinion),
        by=current_user,
        now=at,
        on_day=_today(),
    )
    if not received.again:
        provenance.note(received.id, by=current_user)
    if contact:
        sealed = sealing.seal(settings.contact_key, contact)
        submissions.keep_contact(
            received.id, sealed, days=CONTACT_DAYS, now=at, consent=opinion.consent
        )
    return received


@blueprint.post("/email")
def read_mail() -> str | tuple[str, int]:
    """Fill the form from a pasted e-mail, to be looked over and saved; nothing is stored yet."""
    keep_private()
    require(rules.take_in_files)
    consultation = _chosen(None)
    if consultation is None:
        abort(404)
    pasted = MailForm()
    if not pasted.validate():
        empty = EntryForm(formdata=None, data=_remembered(None))
        return _page(empty, consultation, pasted=pasted), 422
    found = mail.read(pasted.source.data)
    told = {
        "channel": Channel.EMAIL.value,
        "received_on": _sent_on(found.sent) or _today(),
        "title": found.subject[:200],
        "body": found.body,
        "name": found.name[:40],
        "contact": found.address[:100],
    }
    return _page(EntryForm(formdata=None, data=told), consultation, filled=True)


def _sent_on(sent: dt.datetime | dt.date | None) -> dt.date | None:
    """The day in Shanghai on which a mail was sent; a mail without a zone says its own day."""
    if isinstance(sent, dt.datetime):
        return local(sent).date() if sent.tzinfo is not None else sent.date()
    return sent


@blueprint.post("/attachments/<int:attachment_id>")
def look(attachment_id: int) -> Response:
    """Hand a scan out as a file; that it was looked at is on record first."""
    keep_private()
    require(rules.read_attachments)
    found = attachments.by_id(attachment_id)
    data = uploads.read(found.sha256) if found is not None else None
    if found is None or data is None:
        abort(404)
    attachments.look(found, by=current_user, now=now())
    db.session.commit()
    answer = Response(data, mimetype=found.kind.media_type)
    # Whatever it says inside: on this site it may do nothing.
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    title = found.name.rpartition(".")[0]
    return as_file(answer, title, found.kind.ending, plain=f"scan-{found.id}")


@blueprint.get("/<int:submission_id>")
def slip(submission_id: int) -> str:
    """The receipt of what this person entered, to be printed for its author."""
    keep_private()
    require(rules.take_in_files)
    found = provenance.entered(submission_id, by=current_user)
    if found is None:
        abort(404)
    return render_template(
        "consult/entry/slip.html",
        submission=found,
        consultation=consultations.by_id(found.consultation_id),
    )


def _taking() -> list[Consultation]:
    at = now()
    every = consultations.every(public_only=True)
    return [each for each in every if each.phase(at) in TAKING]


def _chosen(last: Submission | None) -> Consultation | None:
    """The consultation that was asked for, else that of the last entry, else the newest; None when
    none takes opinions. 404 when the one asked for does not."""
    taking = {each.id: each for each in _taking()}
    asked = number_in("consultation")
    if asked is not None:
        return taking.get(asked) or abort(404)
    if last is not None and last.consultation_id in taking:
        return taking[last.consultation_id]
    return next(iter(taking.values()), None)


def _remembered(last: Submission | None) -> dict[str, Any]:
    """The last entry's channel; its day only until midnight, lest a heap of old letters dates what
    comes in tomorrow."""
    if last is None:
        return {"channel": Channel.HOTLINE.value, "received_on": _today()}
    same_day = local(last.received_at).date() == _today()
    return {
        "channel": last.channel.value,
        "received_on": last.received_on if same_day else _today(),
    }


def _today() -> dt.date:
    return local(now()).date()


def _page(
    form: EntryForm,
    consultation: Consultation,
    saved: Submission | None = None,
    *,
    pasted: MailForm | None = None,
    filled: bool = False,
) -> str:
    version = drafts.published(consultation)
    form.offer(drafts.outline(version) if version else None)
    form.version.data = str(version.id) if version else ""
    return render_template(
        "consult/entry/write.html",
        form=form,
        consultation=consultation,
        consultations=_taking(),
        saved=saved,
        pasted=pasted or MailForm(formdata=None),
        filled=filled,
    )
