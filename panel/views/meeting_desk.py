"""The meetings desk: the list by date, the arrangements, the agenda, the papers, and how far it has
come."""

import datetime as dt
import re
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import BooleanField, DateTimeLocalField, Field, FileField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional, ValidationError

from consult import consultations, drafts, programmes
from consult.consultations import SHANGHAI, Consultation
from consult.drafts import Version
from consult.points import Point
from consult.programmes import Programme
from consult.views.desk import Door
from consult.views.publishing import DayField
from core import uploads
from core.db import db
from core.errors import Refused, refusals_on
from core.forms import Form, LineField, NumberField, TextField, Words
from core.permissions import require
from core.web import keep_private, now, number_in
from panel import guests, lot_rows, meetings, minutes, papers, rules, seats
from panel.meetings import Admission, Meeting, MeetingKind, MeetingState, Plan
from panel.papers import AgendaItem, MeetingPaper
from panel.views.meetings import paper_file

blueprint = Blueprint("meeting_desk", __name__, url_prefix="/desk/meetings")
DOORS = (Door(_l("会议"), "meeting_desk.index", rules.keep_register),)
PAGE = 30


class MomentField(DateTimeLocalField):  # type: ignore[misc]  # WTForms is untyped
    """A day and a time on the clocks of Shanghai, as browsers send them: 2020-10-08T09:30."""

    data: Any  # a moment, once the form is valid

    def _value(self) -> str:
        if self.raw_data:
            return " ".join(self.raw_data)
        return f"{self.data.astimezone(SHANGHAI):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Refuse in Chinese what is not a moment."""
        typed = valuelist[0].strip() if valuelist else ""
        self.data = None
        if not typed:
            return
        try:
            if len(typed) not in (16, 19) or not typed.isascii():
                raise ValueError
            found = dt.datetime.fromisoformat(typed)
            if found.tzinfo is not None:
                raise ValueError
        except ValueError:
            raise ValueError(_("请填写真实的日期和时间，例如2020-10-08 09:30。")) from None
        if found.year not in consultations.YEARS:
            raise ValueError(_("日期的年份有误，请检查后再填。"))
        self.data = found.replace(tzinfo=SHANGHAI)


class PlanForm(Form):
    """The arrangements of one meeting."""

    kind = SelectField(_l("会议类型"), validators=[InputRequired(_l("请选择会议类型。"))])
    title = LineField(_l("会议名称"), [Words(most=200, missing=_l("请填写会议名称。"))])
    field = SelectField(
        _l("讨论领域"), default="", description=_l("发展大讨论按领域举行；其他会议可以不选。")
    )
    topic = LineField(
        _l("议题"), [Words(least=0, most=200, missing="")], description=_l("可以不填。")
    )
    consultation = SelectField(
        _l("对应的意见征集"),
        default="",
        description=_l("会议发言可以转为这项征集的意见件；可以不选。"),
    )
    about = TextField(
        _l("会议说明"),
        [Words(least=0, most=2000, missing="")],
        description=_l("公开的会议，说明会登在会议页上。"),
        render_kw={"rows": 4},
    )
    starts_at = MomentField(_l("开始时间"), [InputRequired(_l("请填写开始时间。"))])
    ends_at = MomentField(_l("结束时间"), [InputRequired(_l("请填写结束时间。"))])
    place = LineField(_l("地点"), [Words(least=0, most=200, missing="")])
    link = LineField(
        _l("线上会议地址"),
        [Words(least=0, most=300, missing="")],
        description=_l("以https://开头；只有受邀成员和取得席位的人看得到。"),
    )
    chair = LineField(_l("主持人"), [Words(least=0, most=60, missing="")])
    is_public = BooleanField(_l("对公众开放，接受报名旁听"))
    admission = SelectField(_l("席位怎样分配"), default=Admission.FIRST_COME.value)
    seats = NumberField(
        _l("公众席位"),
        [
            Optional(),
            NumberRange(0, meetings.MOST_SEATS, _l("公众席位请填0到500之间的整数。")),
        ],
        default=0,
    )
    apply_from = MomentField(_l("报名开始"), [Optional()])
    apply_until = MomentField(_l("报名截止"), [Optional()])

    def offer(self, programme: Programme) -> "PlanForm":
        """Fill the lists with what this programme has."""
        self.kind.choices = [SelectChoice(each.value, each.title) for each in MeetingKind]
        self.admission.choices = [SelectChoice(each.value, each.title) for each in Admission]
        fields = [SelectChoice(str(each.id), each.name) for each in programme.discussion_fields]
        self.field.choices = [SelectChoice("", _("不选")), *fields]
        every = [
            SelectChoice(str(each.id), each.title)
            for each in consultations.every(public_only=False)
            if each.programme_id == programme.id
        ]
        self.consultation.choices = [SelectChoice("", _("不选")), *every]
        return self

    def validate_link(self, field: Field) -> None:
        """Only an address that is safe to follow."""
        if field.data and not (field.data.startswith("https://") and " " not in field.data):
            raise ValidationError(_("请填写以https://开头的网址。"))

    @property
    def plan(self) -> Plan:
        """What was filled in."""
        return Plan(
            kind=MeetingKind(self.kind.data),
            title=self.title.data,
            starts_at=self.starts_at.data,
            ends_at=self.ends_at.data,
            field_id=int(self.field.data) if self.field.data else None,
            topic=self.topic.data,
            consultation_id=int(self.consultation.data) if self.consultation.data else None,
            about=self.about.data,
            place=self.place.data,
            link=self.link.data,
            chair=self.chair.data,
            is_public=self.is_public.data,
            admission=Admission(self.admission.data),
            seats=self.seats.data or 0 if self.is_public.data else 0,
            apply_from=self.apply_from.data if self.is_public.data else None,
            apply_until=self.apply_until.data if self.is_public.data else None,
        )


class AgendaForm(Form):
    """One item of the agenda."""

    title = LineField(_l("议程"), [Words(most=200, missing=_l("请写明议程。"))])
    about = SelectField(_l("针对哪份文稿"), default="", description=_l("可以不选。"))
    points = LineField(
        _l("针对哪些意见"),
        [Words(least=0, most=200, missing="")],
        description=_l(
            "会议对应的意见征集里的件号，一件有几点的写成“12-2”，几个之间用逗号隔开；可以不填。"
        ),
        render_kw={"autocomplete": "off"},
    )

    def bound(self, meeting: Meeting) -> bool:
        """Whether it is filled in rightly, with all the points that were typed; they are `found`."""
        self.found: list[Point] = []
        valid: bool = self.validate()
        try:
            self.found = points_typed(self.points.data or "", meeting.consultation)
        except ValueError as problem:
            self.points.errors = [str(problem)]
            return False
        return valid


def points_typed(typed: str, consultation: Consultation | None) -> list[Point]:
    """The points that somebody typed as 12 or 12-2; ValueError with a sentence for what is none."""
    parts = [part for part in re.split(r"[\s,，、;；]+", typed.strip()) if part]
    if parts and consultation is None:
        raise ValueError(_("这次会议还没有对应的意见征集，请先在会议安排里选择。"))
    if len(parts) > papers.MOST_POINTS:
        raise ValueError(_("一项议程最多针对%(n)d个意见点。", n=papers.MOST_POINTS))
    found: list[Point] = []
    for part in parts:
        match = re.fullmatch(r"([0-9]{1,9})(?:-([0-9]{1,4}))?", part, re.ASCII)
        numbered = (
            papers.points_numbered(consultation, int(match[1]), int(match[2] or 0))
            if consultation and match
            else []
        )
        if not numbered:
            raise ValueError(_("没有找到“%(typed)s”，请填写件号，例如12或12-2。", typed=part))
        found += [point for point in numbered if point not in found]
    return found


class PaperForm(Form):
    """One paper."""

    file = FileField(_l("文件"), description=_l("PDF、Word 或 Excel 文件，不超过20MB。"))
    delivered_on = DayField(
        _l("送达参加人的日期"), [Optional()], description=_l("还没有送达的，留空。")
    )
    is_public = BooleanField(
        _l("同时在会议页上公开"),
        description=_l(
            "给公众的PDF去掉作者、软件、日期等文件信息，原件留存；带电子签名的原样公开，以免签名失效。"
        ),
    )


class CancelForm(Form):
    """Why it will not take place."""

    reason = LineField(
        _l("取消的原因"), [Words(most=300, missing=_l("请写明取消的原因，参加人会看到。"))]
    )


@blueprint.get("")
def index() -> str:
    """All meetings by date."""
    keep_private()
    require(rules.keep_register)
    before_id = number_in("before")
    before = (meetings.by_id(before_id) or abort(404)) if before_id else None
    found = meetings.page(before=before, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    return render_template(
        "panel/meeting_desk/index.html",
        found=found,
        now=now(),
        may_create=programmes.newest() is not None,
        next_url=url_for(".index", before=found[-1].id) if more else None,
        first_url=url_for(".index") if before else None,
    )


@blueprint.get("/new")
def create() -> str:
    """An empty plan."""
    programme = _programme()
    return _plan_page(PlanForm(formdata=None).offer(programme), None)


@blueprint.post("/new")
def save_new() -> Response | tuple[str, int]:
    """Keep a new meeting."""
    programme = _programme()
    form = PlanForm().offer(programme)
    if not form.validate():
        return _plan_page(form, None), 422
    with refusals_on(lambda sentence: _plan_page(form, None, sentence)):
        meeting = meetings.create(programme, form.plan, by=current_user, now=now())
    db.session.commit()
    flash(_("会议已经建好，还没有通知任何人。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.get("/<int:meeting_id>/edit")
def edit(meeting_id: int) -> str:
    """The plan as it is."""
    meeting = meeting_at_the_desk(meeting_id)
    form = PlanForm(
        formdata=None,
        obj=meeting,
        kind=meeting.kind.value,
        admission=meeting.admission.value,
        field=str(meeting.field_id or ""),
        consultation=str(meeting.consultation_id or ""),
    )
    # `obj` would win over what is said here for columns of the same name.
    form.kind.data, form.admission.data = meeting.kind.value, meeting.admission.value
    form.field.data = str(meeting.field_id or "")
    form.consultation.data = str(meeting.consultation_id or "")
    return _plan_page(form.offer(meeting.programme), meeting)


def _plan_page(form: PlanForm, meeting: Meeting | None, refusal: str = "") -> str:
    return render_template(
        "panel/meeting_desk/plan.html", form=form, meeting=meeting, refusal=refusal
    )


@blueprint.post("/<int:meeting_id>/edit")
def save(meeting_id: int) -> Response | tuple[str, int]:
    """Keep the changes; those who know of the meeting are told what concerns them."""
    meeting = meeting_at_the_desk(meeting_id)
    form, at = PlanForm().offer(meeting.programme), now()
    if not form.validate():
        return _plan_page(form, meeting), 422
    delivered = papers.delivered(meeting.id)
    with refusals_on(lambda sentence: _plan_page(form, meeting, sentence)):
        tell = meetings.edit(meeting, form.plan, delivered=delivered, by=current_user, now=at)
    if meeting.state is MeetingState.ANNOUNCED:
        if meeting.admission is Admission.FIRST_COME or lot_rows.draw_of(meeting.id):
            seats.fill(meeting, by=current_user, now=at)
        if tell:
            _tell(meeting, _("会议安排有变动：%(title)s", title=meeting.title), at)
    db.session.commit()
    flash(_("已保存。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.get("/<int:meeting_id>")
def show(meeting_id: int) -> str:
    """Everything about one meeting."""
    return _page(meeting_at_the_desk(meeting_id))


@blueprint.post("/<int:meeting_id>/announce")
def announce(meeting_id: int) -> Response:
    """Let it be known, and send the invitations."""
    meeting, at = meeting_at_the_desk(meeting_id), now()
    delivered = papers.delivered(meeting.id)
    meetings.announce(meeting, delivered=delivered, by=current_user, now=at)
    guests.send(meeting, now=at)
    db.session.commit()
    flash(_("会议已经通知，邀请已经发出。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/hold")
def hold(meeting_id: int) -> Response:
    """Say that it took place."""
    meeting = meeting_at_the_desk(meeting_id)
    delivered = papers.delivered(meeting.id)
    meetings.hold(meeting, delivered=delivered, by=current_user, now=now())
    db.session.commit()
    flash(_("已确认召开，现在可以登记到会、记录发言。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/cancel")
def cancel(meeting_id: int) -> Response | tuple[str, int]:
    """Call it off, and tell everybody why."""
    meeting, form, at = meeting_at_the_desk(meeting_id), CancelForm(), now()
    if not form.validate():
        return _page(meeting, cancel=form), 422
    announced = meeting.state is MeetingState.ANNOUNCED
    with refusals_on(lambda sentence: _page(meeting, cancel=form, refusal=sentence)):
        meetings.cancel(meeting, form.reason.data, by=current_user, now=at)
    if announced:
        _tell(meeting, _("会议取消：%(title)s", title=meeting.title), at)
    db.session.commit()
    flash(_("会议已经取消。"), "success")
    return redirect(url_for(".show", meeting_id=meeting.id))


@blueprint.post("/<int:meeting_id>/agenda")
def add_item(meeting_id: int) -> Response | tuple[str, int]:
    """Put an item on the agenda."""
    meeting, form = meeting_at_the_desk(meeting_id), AgendaForm()
    form.about.choices = _texts(meeting)
    if not form.bound(meeting):
        return _page(meeting, agenda=form), 422
    version_id, _colon, mark = form.about.data.partition(":")
    version = db.session.get(Version, int(version_id)) if version_id else None
    with refusals_on(lambda sentence: _page(meeting, agenda=form, refusal=sentence)):
        papers.add_item(
            meeting,
            form.title.data,
            version=version,
            mark=int(mark or 0),
            points=form.found,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting.id, _anchor="agenda"))


@blueprint.post("/agenda/<int:item_id>/remove")
def remove_item(item_id: int) -> Response:
    """Take an item off the agenda."""
    at_the_desk()
    item = db.session.get(AgendaItem, item_id) or abort(404)
    meeting = meeting_at_the_desk(item.meeting_id)
    papers.remove_item(meeting, item, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting.id, _anchor="agenda"))


@blueprint.post("/<int:meeting_id>/papers")
def add_paper(meeting_id: int) -> Response | tuple[str, int]:
    """Put a paper beside the meeting."""
    meeting, form = meeting_at_the_desk(meeting_id), PaperForm()
    valid = form.validate()
    sent = request.files.get("file")
    data = sent.read() if sent is not None else b""
    if valid and not data:
        form.file.errors = [_("请选择要上传的文件。")]
        valid = False
    if not valid:
        return _page(meeting, paper=form), 422
    assert sent is not None
    try:
        papers.add_paper(
            meeting,
            sent.filename or "",
            data,
            delivered_on=form.delivered_on.data,
            is_public=form.is_public.data,
            by=current_user,
            now=now(),
        )
    except Refused as refusal:
        db.session.rollback()
        form.file.errors = [refusal.sentence]
        return _page(meeting_at_the_desk(meeting_id), paper=form), 422
    # On disk before it is acknowledged.
    uploads.keep_by_content(data)
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting_id, _anchor="papers"))


@blueprint.post("/papers/<int:paper_id>/remove")
def remove_paper(paper_id: int) -> Response:
    """Take a paper away."""
    found = _paper(paper_id)
    meeting = meeting_at_the_desk(found.meeting_id)
    papers.remove_paper(meeting, found, by=current_user, now=now())
    db.session.commit()
    return redirect(url_for(".show", meeting_id=meeting.id, _anchor="papers"))


@blueprint.get("/papers/<int:paper_id>")
def paper(paper_id: int) -> Response:
    """A paper as a file."""
    return paper_file(_paper(paper_id))


def meeting_at_the_desk(meeting_id: int) -> Meeting:
    """The meeting with this number, for whoever runs meetings."""
    at_the_desk()
    return meetings.by_id(meeting_id) or abort(404)


def at_the_desk() -> None:
    """Refuse whoever does not run meetings."""
    keep_private()
    require(rules.keep_register)


def _paper(paper_id: int) -> MeetingPaper:
    at_the_desk()
    return db.session.get(MeetingPaper, paper_id) or abort(404)


def _programme() -> Programme:
    at_the_desk()
    return programmes.newest() or abort(404)


def _tell(meeting: Meeting, subject: str, at: dt.datetime) -> None:
    guests.tell_all(meeting, subject, now=at)
    seats.tell_all(meeting, subject, now=at)


def _texts(meeting: Meeting) -> list[SelectChoice]:
    """The drafts of the programme and their chapters, to bind an item to."""
    found = [SelectChoice("", _("不选"))]
    for consultation in consultations.every(public_only=False):
        if consultation.programme_id != meeting.programme_id:
            continue
        for version in drafts.versions(consultation)[:1]:
            named = _("%(title)s（第%(n)d稿）", title=version.draft.title, n=version.number)
            found.append(SelectChoice(f"{version.id}:0", named))
            found += [
                SelectChoice(f"{version.id}:{each.mark}", f"\u3000{each.text}")
                for each in drafts.outline(version).headings
                if each.level == 1
            ]
    return found


def _page(
    meeting: Meeting,
    *,
    agenda: AgendaForm | None = None,
    paper: PaperForm | None = None,
    cancel: CancelForm | None = None,
    refusal: str = "",
) -> str:
    agenda = agenda or AgendaForm(formdata=None)
    agenda.about.choices = _texts(meeting)
    delivered = papers.delivered(meeting.id)
    is_prepared = meeting.state is MeetingState.PREPARED
    return render_template(
        "panel/meeting_desk/show.html",
        meeting=meeting,
        missing=meetings.missing(meeting, delivered=delivered, now=now()) if is_prepared else [],
        items=papers.items_of(meeting.id),
        bound=papers.points_of(meeting.id),
        papers=papers.papers_of(meeting.id),
        guests=guests.of(meeting.id),
        seats=seats.of(meeting.id),
        points=minutes.of(meeting.id),
        agenda=agenda,
        paper=paper or PaperForm(formdata=None),
        cancel=cancel or CancelForm(formdata=None),
        may_edit=meeting.state in papers.OPEN or bool(refusal),
        has_begun=now() >= meeting.starts_at,
        hearing_days=meetings.HEARING_DAYS,
        same_time=[] if meeting.is_off else meetings.same_time(meeting),
        refusal=refusal,
    )
