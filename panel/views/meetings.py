"""Meetings for everybody: what comes, what was, its record, and asking for a seat."""

from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField, Field, HiddenField
from wtforms.validators import InputRequired, ValidationError

from consult import submissions
from consult.consultations import Consultation
from consult.drafts import VersionState
from core import audit, consents, languages, proof, sealing, throttle, uploads
from core.addresses import can_be_reached, fold
from core.config import of_site
from core.db import db
from core.errors import refusals_on
from core.forms import Form, LineField, OnceForm, Words
from core.views.look_ups import LookUp
from core.web import as_file, keep_private, now, number_in
from panel import lot_rows, meetings, minutes, paper_files, papers, seats
from panel.meetings import Meeting, MeetingState
from panel.papers import AgendaItem, MeetingPaper
from panel.round_papers import ReviewPaper
from panel.seats import SeatRequest, SeatState
from panel.views import meeting_calendar

blueprint = Blueprint("meetings", __name__, url_prefix="/meetings")
PAGE = 20
# From one address, without and with proof of work: an estate may sit behind one.
APPLICATIONS_PER_HOUR, PROVEN_PER_HOUR = 10, 60


class SeatForm(OnceForm):
    """Who wants to come, and how to reach them."""

    name = LineField(
        _l("姓名"),
        [Words(least=1, most=40, missing=_l("请填写姓名，签到时核对。"))],
        description=_l("只用于会议签到，加密保存，不公开。"),
        render_kw={"autocomplete": "name"},
    )
    contact = LineField(
        _l("手机号或电子邮箱"),
        [Words(least=1, most=100, missing=_l("请填写手机号或电子邮箱。"))],
        description=_l("只用来通知会议变动和席位结果，加密保存，会后30天删除。"),
        render_kw={"autocomplete": "email"},
    )
    consent = BooleanField(
        _l("我同意为参加这次会议使用以上信息；会后30天删除"),
        [InputRequired(_l("请阅读并勾选同意，然后再报名。"))],
    )
    # Left empty by whoever has no script.
    proof = HiddenField()

    def validate_contact(self, field: Field) -> None:
        """Refuse what no message can be sent to."""
        if field.data and not can_be_reached(field.data):
            raise ValidationError(_("请填写完整的手机号或电子邮箱。"))


class WithdrawalForm(Form):
    """The word that it is meant."""

    confirm = BooleanField(
        _l("我不参加了，知道席位会让给候补的人"),
        [InputRequired(_l("请先勾选，确认退出。"))],
    )


@blueprint.get("/")
def index() -> str:
    """Public meetings: what comes, and what was, with its record."""
    _private_when_signed_in()
    at, before_id = now(), number_in("before")
    before = meetings.by_id(before_id) if before_id else None
    if before_id and (before is None or not before.is_visible):
        abort(404)
    past = meetings.past(at, before=before, limit=PAGE + 1)
    more, past = len(past) > PAGE, past[:PAGE]
    return render_template(
        "panel/meetings/index.html",
        upcoming=[] if before else meetings.upcoming(at),
        past=past,
        now=at,
        next_url=url_for(".index", before=past[-1].id) if more else None,
        first_url=url_for(".index") if before else None,
    )


@blueprint.get("/<int:meeting_id>/")
def show(meeting_id: int) -> str:
    """One meeting: when, where, what about, how to come, and what was said."""
    _private_when_signed_in()
    meeting = _meeting(meeting_id)
    recorded = meeting.state is MeetingState.RECORDED and meeting.record_public
    points = minutes.of(meeting.id) if recorded else []
    pool = lot_rows.pool_of(meeting.id) if meeting.is_public else None
    return render_template(
        "panel/meetings/show.html",
        meeting=meeting,
        items=[(item, agenda_link(item)) for item in papers.items_of(meeting.id)],
        bound=papers.points_of(meeting.id, public=True)
        if meeting.consultation and meeting.consultation.is_public
        else {},
        papers=[paper for paper in papers.papers_of(meeting.id) if paper.is_public],
        points=[(point, minutes.said_by(point)) for point in points],
        draw=lot_rows.draw_of(meeting.id) if meeting.is_public else None,
        pool=pool,
        takes=meeting.takes_applications(now()) and pool is None,
        now=now(),
    )


@blueprint.get("/<int:meeting_id>/meeting.ics")
def calendar(meeting_id: int) -> Response:
    """The meeting for a calendar."""
    languages.only_chinese()
    return meeting_calendar.answer(
        [_meeting(meeting_id)], endpoint="meetings.show", with_links=False
    )


@blueprint.get("/papers/<int:paper_id>")
def paper(paper_id: int) -> Answer:
    """A paper that everybody may have."""
    found = db.session.get(MeetingPaper, paper_id)
    if found is None or not found.is_public:
        abort(404)
    _meeting(found.meeting_id)
    return paper_file(found, for_everybody=True)


@blueprint.get("/<int:meeting_id>/apply")
def apply(meeting_id: int) -> str | Answer:
    """The form that asks for a seat."""
    keep_private()
    meeting = _meeting(meeting_id)
    if not meeting.takes_applications(now()):
        return redirect(url_for(".show", meeting_id=meeting.id))
    return _form_page(meeting, SeatForm(formdata=None))


@blueprint.post("/<int:meeting_id>/apply")
def send(meeting_id: int) -> Answer | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the application; its number, and whether there is a seat."""
    keep_private()
    languages.only_chinese()
    form, at = SeatForm(), now()
    meeting = _meeting(meeting_id)
    if not form.validate():
        return _form_page(meeting, form), 422
    contact, settings = fold(form.contact.data), of_site()
    key = seats.once_key(form.form_key.data, meeting.id, form.name.data, contact)
    seat = seats.sent_before(key)
    if seat is None:
        proven = proof.accept(settings.secret_key, form.proof.data or "", now=at)
        limit = PROVEN_PER_HOUR if proven else APPLICATIONS_PER_HOUR
        if not _within_limits("seat:proven" if proven else "seat", limit):
            db.session.commit()
            sentence = _("同一网络在短时间内报名的次数较多，请过一会儿再试；您填写的内容还在。")
            return _form_page(meeting, form, sentence), 429, {"Retry-After": "3600"}
        with refusals_on(lambda sentence: _form_page(meeting, form, sentence)):
            seat = seats.apply(
                meeting,
                sealed_name=sealing.seal(settings.contact_key, form.name.data),
                sealed_contact=sealing.seal(settings.contact_key, contact),
                person_key=submissions.person_key(settings.secret_key, "meeting", contact),
                key=key,
                consent=consents.MEETING.version,
                by=current_user if current_user.is_authenticated else audit.RESIDENT,
                now=at,
            )
        db.session.commit()
    return redirect(url_for(".seat", seat_receipt=seat.receipt, sent=1))


def _address(typed: str) -> str | None:
    found = seats.by_receipt(typed)
    return url_for("meetings.seat", seat_receipt=found.receipt) if found else None


LOOK_UP = LookUp(
    title=_l("查询会议报名"),
    label=_l("报名编号"),
    hint=_l("报名时得到的编号，以HY开头，大小写和横线都不要紧。"),
    missing=_l("请输入报名编号。"),
    unknown=_l("没有找到这个编号。请核对一遍：以HY开头，后面还有16位。"),
    counter="seat-number",
    endpoint="meetings.find",
    address=_address,
)


@blueprint.get("/seats")
def look_up() -> str:
    """The page where a number is typed in."""
    return LOOK_UP.page()


@blueprint.post("/seats")
def find() -> Answer | tuple[str, int]:
    """Go to the application with this number, or say that there is none."""
    return LOOK_UP.find()


@blueprint.get("/seats/<seat_receipt>")
def seat(seat_receipt: str) -> Answer | str:
    """The application, and what became of it."""
    keep_private()
    found = _seat(seat_receipt)
    if found.receipt != seat_receipt:
        return redirect(url_for(".seat", seat_receipt=found.receipt))
    return _seat_page(found, WithdrawalForm(formdata=None))


@blueprint.post("/seats/<seat_receipt>/withdraw")
def withdraw(seat_receipt: str) -> Answer | tuple[str, int]:
    """Give the seat back, to the next in line."""
    keep_private()
    languages.only_chinese()
    found, form = _seat(seat_receipt), WithdrawalForm()
    if not form.validate():
        return _seat_page(found, form), 422
    by = current_user if current_user.is_authenticated else audit.RESIDENT
    seats.withdraw(found, by=by, now=now())
    db.session.commit()
    flash(_("已经退出，姓名和联系方式已删除。"), "success")
    return redirect(url_for(".seat", seat_receipt=found.receipt))


def paper_file(found: MeetingPaper | ReviewPaper, *, for_everybody: bool = False) -> Answer:
    """The paper as a file, which on this site may do nothing; for everybody without what it notes of
    its making."""
    data = uploads.read(found.sha256)
    if data is None:
        abort(404)
    if for_everybody:
        data = paper_files.for_everybody(found.kind, data)
    answer = Response(data, mimetype=found.kind.media_type)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    title = found.name.rpartition(".")[0] or found.name
    return as_file(answer, title, f".{found.kind.value}", plain=f"paper-{found.id}")


def agenda_link(item: AgendaItem) -> str:
    """Where what an item speaks of can be read; "" when it is not public."""
    version = item.version
    if version is None or version.state is not VersionState.PUBLISHED:
        return ""
    consultation: Consultation = version.draft.consultation
    if not consultation.is_public:
        return ""
    anchor = f"p{item.mark}" if item.mark else None
    return url_for("drafts.read", slug=consultation.slug, v=version.number, _anchor=anchor)


def _meeting(meeting_id: int) -> Meeting:
    found = meetings.by_id(meeting_id)
    if found is None or not found.is_visible:
        abort(404)
    return found


def _seat(typed: str) -> SeatRequest:
    return seats.by_receipt(typed) or abort(404)


def _private_when_signed_in() -> None:
    if current_user.is_authenticated:
        keep_private()


def _within_limits(what: str, limit: int) -> bool:
    key = f"{what}:{throttle.network(request.remote_addr)}"
    return throttle.hit(key, limit=limit, window=throttle.HOUR, now=now())


def _form_page(meeting: Meeting, form: SeatForm, refusal: str = "") -> str:
    settings = of_site()
    return render_template(
        "panel/meetings/apply.html",
        meeting=meeting,
        form=form,
        challenge=proof.challenge(settings.secret_key, cost=settings.proof_of_work_cost, now=now()),
        refusal=refusal,
    )


def _seat_page(found: SeatRequest, form: WithdrawalForm) -> str:
    meeting = meetings.by_id(found.meeting_id)
    assert meeting is not None
    waits = found.state is SeatState.WAITING
    facts: dict[str, Any] = {"ahead": seats.ahead(found) if waits else 0}
    open_still = meeting.state is MeetingState.ANNOUNCED and now() < meeting.starts_at
    return render_template(
        "panel/meetings/seat.html",
        seat=found,
        meeting=meeting,
        form=form,
        just_sent=request.args.get("sent") == "1",
        may_withdraw=open_still and found.state is not SeatState.WITHDRAWN,
        **facts,
    )
