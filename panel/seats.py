"""Seats for the public (公众席位): who asked to come to a public meeting, and who has a place.

A seat is given under the lock of the meeting's row, and a CHECK holds the count besides, so the
last one cannot be given twice. Who gives a seat back frees it for the next in line. Name and
contact are sealed, used for this one meeting and deleted soon after it. Where lots are drawn, an
application is a number in the draw (`lots`).
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations import SHANGHAI
from core import audit, outbox, receipts
from core.db import Base, choice, db
from core.errors import Refused
from panel import lot_rows, meetings
from panel.meetings import Admission, Meeting, MeetingState

audit.ACTIONS.update(
    {
        "seat_request.applied": _l("报名参加会议"),
        "seat_request.withdrawn": _l("退出会议报名"),
        "seat_request.seated": _l("候补取得席位"),
        "seat_request.attended": _l("登记公众到会"),
        "seat_request.names_read": _l("查看报名人姓名"),
    }
)
audit.KINDS["seat_request"] = _l("会议报名")

MARK = "HY"
# How long after the meeting name and contact are kept.
KEPT = dt.timedelta(days=30)


class SeatState(Enum):
    """Where an application stands."""

    APPLIED = "applied"
    SEATED = "seated"
    WAITING = "waiting"
    WITHDRAWN = "withdrawn"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[SeatState, str] = {
            SeatState.APPLIED: _("已报名，等待抽签"),
            SeatState.SEATED: _("已取得席位"),
            SeatState.WAITING: _("候补"),
            SeatState.WITHDRAWN: _("已退出"),
        }
        return titles[self]


class SeatRequest(Base):
    """One application for one meeting."""

    __tablename__ = "seat_request"
    __table_args__ = (
        sa.UniqueConstraint("meeting_id", "number"),
        # One person, one application; None once it is given back.
        sa.UniqueConstraint("meeting_id", "person_key"),
        sa.Index(None, "meeting_id", "state", "rank"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    number: Mapped[int]
    receipt: Mapped[str] = mapped_column(sa.String(24), unique=True)
    once_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    person_key: Mapped[str | None] = mapped_column(sa.String(32))
    state: Mapped[SeatState] = mapped_column(choice(SeatState))
    # The order in which those who wait come up.
    rank: Mapped[int]
    sealed_name: Mapped[bytes]
    sealed_contact: Mapped[bytes]
    consent: Mapped[str] = mapped_column(sa.String(20))
    applied_at: Mapped[dt.datetime]
    # None until somebody looked who came.
    came: Mapped[bool | None]


def once_key(form_key: str, meeting_id: int, name: str, contact: str) -> str:
    """The key under which an application is stored once."""
    parts = "\0".join((form_key, str(meeting_id), name, contact))
    return hashlib.sha256(parts.encode()).hexdigest()


def sent_before(key: str) -> SeatRequest | None:
    """The application stored under this key."""
    return db.session.scalar(sa.select(SeatRequest).where(SeatRequest.once_key == key))


def apply(
    meeting: Meeting,
    *,
    sealed_name: bytes,
    sealed_contact: bytes,
    person_key: str,
    key: str,
    consent: str,
    by: audit.Actor,
    now: dt.datetime,
) -> SeatRequest:
    """Ask for a seat: given at once while there are any, else a place in the line; or, where lots
    are drawn, a number in the draw. The same `key` again gives the first application."""
    meetings.lock(meeting)
    earlier = sent_before(key)
    if earlier is not None:
        return earlier
    if not meeting.takes_applications(now):
        raise Refused(_("现在不在报名时间内。"))
    if lot_rows.pool_of(meeting.id) is not None:
        raise Refused(_("抽签名单已经固定，不能再报名。"))
    again = sa.select(SeatRequest.id).where(
        SeatRequest.meeting_id == meeting.id, SeatRequest.person_key == person_key
    )
    if db.session.scalar(again) is not None:
        raise Refused(_("这个联系方式已经报过名，一人只能报一个席位。如需查看，请用报名编号查询。"))
    meeting.applications += 1
    state = SeatState.APPLIED
    if meeting.admission is Admission.FIRST_COME:
        state = SeatState.WAITING
        if meeting.taken < meeting.seats:
            state = SeatState.SEATED
            meeting.taken += 1
    seat = SeatRequest(
        meeting_id=meeting.id,
        number=meeting.applications,
        receipt=receipts.fresh(now, mark=MARK),
        once_key=key,
        person_key=person_key,
        state=state,
        rank=meeting.applications,
        sealed_name=sealed_name,
        sealed_contact=sealed_contact,
        consent=consent,
        applied_at=now,
    )
    db.session.add(seat)
    db.session.flush()
    audit.record(
        "seat_request.applied",
        seat,
        by=by,
        now=now,
        name=meeting.title,
        after={"state": state.value},
    )
    return seat


def withdraw(seat: SeatRequest, *, by: audit.Actor, now: dt.datetime) -> None:
    """Give the application back; a seat that becomes free goes to the next in line."""
    meeting = db.session.get_one(Meeting, seat.meeting_id)
    meetings.lock(meeting)
    db.session.refresh(seat)
    if seat.state is SeatState.WITHDRAWN:
        raise Refused(_("这个报名已经退出。"))
    if meeting.state is not MeetingState.ANNOUNCED or now >= meeting.starts_at:
        raise Refused(_("会议已经开始、结束或取消，不用再退出。"))
    before = seat.state
    if before is SeatState.SEATED:
        meeting.taken -= 1
    seat.state, seat.person_key = SeatState.WITHDRAWN, None
    seat.sealed_name = seat.sealed_contact = b""
    db.session.flush()
    audit.record(
        "seat_request.withdrawn",
        seat,
        by=by,
        now=now,
        name=meeting.title,
        before={"state": before.value},
    )
    fill(meeting, by=by, now=now)


def fill(meeting: Meeting, *, by: audit.Actor, now: dt.datetime) -> None:
    """Give free seats to those who wait, in their order, and tell them. Call under the lock."""
    free = meeting.seats - meeting.taken
    if free < 1 or meeting.state is not MeetingState.ANNOUNCED:
        return
    line = sa.select(SeatRequest).where(
        SeatRequest.meeting_id == meeting.id, SeatRequest.state == SeatState.WAITING
    )
    for seat in db.session.scalars(line.order_by(SeatRequest.rank).limit(free)).all():
        seat.state = SeatState.SEATED
        meeting.taken += 1
        audit.record("seat_request.seated", seat, by=by, now=now, name=meeting.title)
        tell(seat, "seated", _("您已取得会议席位：%(title)s", title=meeting.title), meeting, now)
    db.session.flush()


def tell_all(meeting: Meeting, subject: str, *, now: dt.datetime) -> None:
    """Tell everybody who still counts on coming that something has changed."""
    for seat in of(meeting.id):
        if seat.state is not SeatState.WITHDRAWN:
            tell(seat, f"changed-{meeting.sequence}", subject, meeting, now)


def note_came(seat: SeatRequest, came: bool, *, by: audit.Actor, now: dt.datetime) -> None:
    """Note whether somebody who had a seat came."""
    if seat.came is came:
        return
    seat.came = came
    db.session.flush()
    audit.record(
        "seat_request.attended",
        seat,
        by=by,
        now=now,
        after={"state": "present" if came else "absent"},
    )


def forget(now: dt.datetime) -> int:
    """Delete names and contacts of meetings that are long over; of how many applications."""
    over = sa.select(Meeting.id).where(Meeting.ends_at < now - KEPT)
    gone = sa.update(SeatRequest).where(
        SeatRequest.meeting_id.in_(over), SeatRequest.sealed_contact != b""
    )
    done = db.session.execute(
        gone.values(sealed_name=b"", sealed_contact=b"", person_key=None),
        execution_options={"synchronize_session": False},
    )
    return done.rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


def tell(seat: SeatRequest, what: str, subject: str, meeting: Meeting, now: dt.datetime) -> None:
    """Write to whoever applied, once for each `what`; not once their contact is deleted."""
    if not seat.sealed_contact:
        return
    starts = meeting.starts_at.astimezone(SHANGHAI)
    words = [subject, _("时间：%(time)s", time=f"{starts:%Y-%m-%d %H:%M}")]
    if meeting.place:
        words.append(_("地点：%(place)s", place=meeting.place))
    if meeting.link and seat.state is SeatState.SEATED:
        words.append(_("线上参加：%(link)s", link=meeting.link))
    if meeting.cancel_reason:
        words.append(_("原因：%(reason)s", reason=meeting.cancel_reason))
    words.append(_("报名编号：%(number)s。凭它可以在会议页面查询或退出。", number=seat.receipt))
    about = f"seat:{seat.id}:{what}"
    outbox.put([outbox.Draft(about, seat.sealed_contact, subject, "\n".join(words))], now=now)


# --- finding -------------------------------------------------------------------------------


def by_receipt(typed: str) -> SeatRequest | None:
    """The application with this number, as people type numbers."""
    receipt = receipts.as_written(typed, mark=MARK)
    return (
        db.session.scalar(sa.select(SeatRequest).where(SeatRequest.receipt == receipt))
        if receipt
        else None
    )


def by_id(seat_id: int) -> SeatRequest | None:
    """The application with this id."""
    return db.session.get(SeatRequest, seat_id)


def of(meeting_id: int) -> Sequence[SeatRequest]:
    """All applications for a meeting, in the order in which they came."""
    query = sa.select(SeatRequest).where(SeatRequest.meeting_id == meeting_id)
    return db.session.scalars(query.order_by(SeatRequest.number)).all()


def ahead(seat: SeatRequest) -> int:
    """How many wait before this one."""
    query = sa.select(sa.func.count()).where(
        SeatRequest.meeting_id == seat.meeting_id,
        SeatRequest.state == SeatState.WAITING,
        SeatRequest.rank < seat.rank,
    )
    return db.session.scalar(query) or 0
