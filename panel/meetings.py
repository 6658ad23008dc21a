"""Meetings (会议): what is discussed, when and where, who leads it, and how far it has come.

A meeting is prepared, announced, held and recorded, or cancelled with a reason. Before it is
announced nobody outside the desk can know of it. The papers of a hearing reach people seven days
before it; without that it is neither announced nor held.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.consultations import SHANGHAI, Consultation
from consult.programmes import DiscussionField, Programme
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "meeting.created": _l("新建会议"),
        "meeting.edited": _l("修改会议安排"),
        "meeting.announced": _l("发布会议通知"),
        "meeting.held": _l("确认会议已召开"),
        "meeting.cancelled": _l("取消会议"),
        "meeting.recorded": _l("公布会议记录"),
    }
)
audit.KINDS.update({"meeting": _l("会议")})
audit.FIELDS.update({"starts_at": _l("开始时间"), "seats": _l("席位"), "place": _l("地点")})

# How long before a hearing its papers must have reached those who come.
HEARING_DAYS = 7
MOST_SEATS = 500


class MeetingKind(Enum):
    """What sort of meeting it is."""

    DISCUSSION = "discussion"
    EXPERTS = "experts"
    ROUND_TABLE = "round_table"
    HEARING = "hearing"
    LEADING_GROUP = "leading_group"

    @property
    def title(self) -> str:
        """The kind in the words of the page."""
        titles: dict[MeetingKind, str] = {
            MeetingKind.DISCUSSION: _("发展大讨论"),
            MeetingKind.EXPERTS: _("专家咨询会"),
            MeetingKind.ROUND_TABLE: _("座谈会"),
            MeetingKind.HEARING: _("听证会"),
            MeetingKind.LEADING_GROUP: _("领导小组会议"),
        }
        return titles[self]


class Admission(Enum):
    """How the seats for the public are given."""

    FIRST_COME = "first_come"
    DRAW = "draw"

    @property
    def title(self) -> str:
        """The way in the words of the page."""
        titles: dict[Admission, str] = {
            Admission.FIRST_COME: _("按报名先后"),
            Admission.DRAW: _("报名截止后抽签"),
        }
        return titles[self]


class MeetingState(Enum):
    """How far a meeting has come."""

    PREPARED = "prepared"
    ANNOUNCED = "announced"
    HELD = "held"
    RECORDED = "recorded"
    CANCELLED = "cancelled"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[MeetingState, str] = {
            MeetingState.PREPARED: _("筹备中"),
            MeetingState.ANNOUNCED: _("已通知"),
            MeetingState.HELD: _("已召开"),
            MeetingState.RECORDED: _("记录已公布"),
            MeetingState.CANCELLED: _("已取消"),
        }
        return titles[self]


NEXT = {
    MeetingState.PREPARED: {MeetingState.ANNOUNCED, MeetingState.CANCELLED},
    MeetingState.ANNOUNCED: {MeetingState.HELD, MeetingState.CANCELLED},
    MeetingState.HELD: {MeetingState.RECORDED},
    MeetingState.RECORDED: set(),
    MeetingState.CANCELLED: set(),
}
audit.VALUES.setdefault("state", {}).update(
    {
        "prepared": _l("筹备中"),
        "announced": _l("已通知"),
        "held": _l("已召开"),
        "recorded": _l("记录已公布"),
        "cancelled": _l("已取消"),
    }
)


class Meeting(Base):
    """One meeting. `taken` and `applications` are kept by `seats`, under the row's lock."""

    __tablename__ = "meeting"
    __table_args__ = (
        sa.CheckConstraint("starts_at < ends_at", name="times_in_order"),
        sa.CheckConstraint("taken >= 0 AND taken <= seats", name="seats_not_oversold"),
        sa.CheckConstraint("state <> 'cancelled' OR cancel_reason <> ''", name="why_cancelled"),
        sa.CheckConstraint(
            "state IN ('prepared', 'cancelled') OR announced_at IS NOT NULL",
            name="announced_has_day",
        ),
        sa.Index(None, "programme_id", "starts_at"),
        sa.Index(None, "is_public", "state", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    kind: Mapped[MeetingKind] = mapped_column(choice(MeetingKind))
    field_id: Mapped[int | None] = mapped_column(sa.ForeignKey("discussion_field.id"))
    topic: Mapped[str] = mapped_column(sa.String(200), default="")
    # Where what is said there may become opinions.
    consultation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consultation.id"))
    title: Mapped[str] = mapped_column(sa.String(200))
    about: Mapped[str] = mapped_column(sa.Text, default="")
    starts_at: Mapped[dt.datetime]
    ends_at: Mapped[dt.datetime]
    place: Mapped[str] = mapped_column(sa.String(200), default="")
    # For those who come by video; never on a public page.
    link: Mapped[str] = mapped_column(sa.String(300), default="")
    chair: Mapped[str] = mapped_column(sa.String(60), default="")
    is_public: Mapped[bool] = mapped_column(default=False)
    admission: Mapped[Admission] = mapped_column(choice(Admission), default=Admission.FIRST_COME)
    seats: Mapped[int] = mapped_column(default=0)
    taken: Mapped[int] = mapped_column(default=0)
    applications: Mapped[int] = mapped_column(default=0)
    apply_from: Mapped[dt.datetime | None]
    apply_until: Mapped[dt.datetime | None]
    state: Mapped[MeetingState] = mapped_column(choice(MeetingState), default=MeetingState.PREPARED)
    announced_at: Mapped[dt.datetime | None]
    held_at: Mapped[dt.datetime | None]
    recorded_at: Mapped[dt.datetime | None]
    record_public: Mapped[bool] = mapped_column(default=False)
    cancel_reason: Mapped[str] = mapped_column(sa.String(300), default="")
    # Rises with every change after the announcement, as calendars want it.
    sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]

    programme: Mapped[Programme] = relationship(lazy="joined", innerjoin=True)
    field: Mapped[DiscussionField | None] = relationship(lazy="joined")
    consultation: Mapped[Consultation | None] = relationship(lazy="joined")

    @property
    def is_visible(self) -> bool:
        """Whether everybody may know of it: announced and public, or its record is."""
        return (self.is_public and self.announced_at is not None) or self.record_public

    @property
    def is_one_day(self) -> bool:
        """Whether it ends on the day on which it begins."""
        return (
            self.starts_at.astimezone(SHANGHAI).date() == self.ends_at.astimezone(SHANGHAI).date()
        )

    @property
    def is_off(self) -> bool:
        """Whether it will not take place."""
        return self.state is MeetingState.CANCELLED

    def takes_applications(self, now: dt.datetime) -> bool:
        """Whether somebody may ask for a seat at `now`."""
        return (
            self.is_public
            and self.state is MeetingState.ANNOUNCED
            and self.apply_from is not None
            and self.apply_until is not None
            and self.apply_from <= now < self.apply_until
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the form says of a meeting."""

    kind: MeetingKind
    title: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    field_id: int | None = None
    topic: str = ""
    consultation_id: int | None = None
    about: str = ""
    place: str = ""
    link: str = ""
    chair: str = ""
    is_public: bool = False
    admission: Admission = Admission.FIRST_COME
    seats: int = 0
    apply_from: dt.datetime | None = None
    apply_until: dt.datetime | None = None


def create(programme: Programme, plan: Plan, *, by: audit.Actor, now: dt.datetime) -> Meeting:
    """A meeting that nobody outside the desk knows of yet."""
    _must_make_sense(plan)
    meeting = Meeting(programme_id=programme.id, created_at=now, **asdict(plan))
    meeting.state, meeting.taken, meeting.applications = MeetingState.PREPARED, 0, 0
    db.session.add(meeting)
    db.session.flush()
    audit.record("meeting.created", meeting, by=by, now=now, name=meeting.title)
    return meeting


def edit(
    meeting: Meeting,
    plan: Plan,
    *,
    delivered: Sequence[dt.date | None],
    by: audit.Actor,
    now: dt.datetime,
) -> bool:
    """Change the arrangements; whether those who know of the meeting have to be told."""
    lock(meeting)
    if meeting.state not in (MeetingState.PREPARED, MeetingState.ANNOUNCED):
        raise Refused(_("会议已经召开或取消，安排不能再改。"))
    _must_make_sense(plan)
    announced = meeting.state is MeetingState.ANNOUNCED
    if announced and (plan.is_public, plan.admission, plan.kind) != (
        meeting.is_public,
        meeting.admission,
        meeting.kind,
    ):
        raise Refused(
            _("已经通知的会议，会议类型、是否公开和席位办法不能再改；确需改动，请取消后另行通知。")
        )
    if plan.seats < meeting.taken:
        raise Refused(_("已有%(n)d人取得席位，席位数不能少于这个数。", n=meeting.taken))
    if announced and plan.starts_at <= now:
        raise Refused(_("会议开始时间应当在现在之后。"))
    before = _facts(meeting)
    told = (meeting.starts_at, meeting.ends_at, meeting.place, meeting.link)
    for name, value in asdict(plan).items():
        setattr(meeting, name, value)
    if announced:
        problems = missing(meeting, delivered=delivered, now=now)
        if problems:
            raise Refused(problems[0])
        meeting.sequence += 1
    db.session.flush()
    audit.record(
        "meeting.edited",
        meeting,
        by=by,
        now=now,
        name=meeting.title,
        before=before,
        after=_facts(meeting),
    )
    return announced and told != (meeting.starts_at, meeting.ends_at, meeting.place, meeting.link)


def missing(
    meeting: Meeting, *, delivered: Sequence[dt.date | None], now: dt.datetime
) -> list[str]:
    """What still stands against announcing it; `delivered` are the days its papers arrived."""
    found = []
    if not meeting.place and not meeting.link:
        found.append(_("还没有写明地点或线上会议地址。"))
    if not meeting.chair:
        found.append(_("还没有写明主持人。"))
    if meeting.starts_at <= now:
        found.append(_("会议开始时间应当在现在之后。"))
    if meeting.is_public:
        if meeting.seats < 1:
            found.append(_("公开的会议要留出公众席位。"))
        if meeting.apply_from is None or meeting.apply_until is None:
            found.append(_("公开的会议要写明报名的起止时间。"))
        elif meeting.apply_until <= now:
            found.append(_("报名截止时间应当在现在之后。"))
    found += hearing_refusals(meeting, delivered)
    return found


def hearing_refusals(meeting: Meeting, delivered: Sequence[dt.date | None]) -> list[str]:
    """Why a hearing cannot go on with papers that arrived on these days; nothing for others."""
    if meeting.kind is not MeetingKind.HEARING:
        return []
    if not delivered:
        return [_("听证会必须有材料，并在会前至少%(n)d天送达参加人；还没有材料。", n=HEARING_DAYS)]
    last = meeting.starts_at.astimezone(SHANGHAI).date() - dt.timedelta(days=HEARING_DAYS)
    if any(day is None or day > last for day in delivered):
        return [
            _(
                "听证会的材料应当在会前至少%(n)d天送达参加人，最迟%(day)s；有材料没有送达或送达过晚，请改期。",
                n=HEARING_DAYS,
                day=f"{last:%Y-%m-%d}",
            )
        ]
    return []


def announce(
    meeting: Meeting, *, delivered: Sequence[dt.date | None], by: audit.Actor, now: dt.datetime
) -> None:
    """Let those invited, and for a public meeting everybody, know of it."""
    _go_on(meeting, MeetingState.ANNOUNCED)
    problems = missing(meeting, delivered=delivered, now=now)
    if problems:
        raise Refused(problems[0])
    meeting.announced_at = now
    _note(meeting, MeetingState.ANNOUNCED, by=by, now=now)


def hold(
    meeting: Meeting, *, delivered: Sequence[dt.date | None], by: audit.Actor, now: dt.datetime
) -> None:
    """Say that it took place."""
    _go_on(meeting, MeetingState.HELD)
    if now < meeting.starts_at:
        raise Refused(_("会议还没有开始，不能确认已召开。"))
    if problems := hearing_refusals(meeting, delivered):
        raise Refused(problems[0])
    meeting.held_at = now
    _note(meeting, MeetingState.HELD, by=by, now=now)


def cancel(meeting: Meeting, reason: str, *, by: audit.Actor, now: dt.datetime) -> None:
    """Say that it will not take place, and why."""
    if not reason:
        raise Refused(_("请写明取消的原因，参加人会看到。"))
    _go_on(meeting, MeetingState.CANCELLED)
    meeting.cancel_reason = reason
    meeting.sequence += 1
    _note(meeting, MeetingState.CANCELLED, by=by, now=now, reason=reason)


def record(meeting: Meeting, *, public: bool, by: audit.Actor, now: dt.datetime) -> None:
    """Close the record; with `public` everybody may read it."""
    _go_on(meeting, MeetingState.RECORDED)
    meeting.recorded_at, meeting.record_public = now, public
    _note(meeting, MeetingState.RECORDED, by=by, now=now)


def lock(meeting: Meeting) -> None:
    """Read the row afresh and hold it until the end of the transaction."""
    db.session.flush()
    db.session.refresh(meeting, with_for_update={"of": Meeting})


def _go_on(meeting: Meeting, state: MeetingState) -> None:
    lock(meeting)
    if state not in NEXT[meeting.state]:
        raise Refused(_("会议现在是“%(state)s”，不能这样做。", state=meeting.state.title))


def _note(
    meeting: Meeting, state: MeetingState, *, by: audit.Actor, now: dt.datetime, reason: str = ""
) -> None:
    before, meeting.state = meeting.state, state
    db.session.flush()
    audit.record(
        f"meeting.{state.value}",
        meeting,
        by=by,
        now=now,
        name=meeting.title,
        before={"state": before.value},
        after={"state": state.value},
        reason=reason,
    )


def _facts(meeting: Meeting) -> dict[str, object]:
    return {
        "starts_at": meeting.starts_at.astimezone(SHANGHAI).isoformat(timespec="minutes"),
        "place": meeting.place,
        "seats": meeting.seats,
    }


def _must_make_sense(plan: Plan) -> None:
    if plan.starts_at >= plan.ends_at:
        raise Refused(_("会议的结束时间应当晚于开始时间。"))
    if plan.apply_from and plan.apply_until and plan.apply_from >= plan.apply_until:
        raise Refused(_("报名的截止时间应当晚于开始时间。"))
    if plan.apply_until and plan.apply_until > plan.starts_at:
        raise Refused(_("报名应当在会议开始之前截止。"))


# --- finding -------------------------------------------------------------------------------


def by_id(meeting_id: int) -> Meeting | None:
    """The meeting with this number."""
    return db.session.get(Meeting, meeting_id)


def page(*, before: Meeting | None = None, limit: int = 30) -> Sequence[Meeting]:
    """Meetings for the desk, the latest date first; those after `before` in that order."""
    query = sa.select(Meeting).order_by(Meeting.starts_at.desc(), Meeting.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_earlier_than(before))
    return db.session.scalars(query).all()


def upcoming(now: dt.datetime, *, limit: int = 50) -> Sequence[Meeting]:
    """Public meetings that are not over, the next one first; cancelled ones among them."""
    query = sa.select(Meeting).where(
        Meeting.is_public, Meeting.announced_at.is_not(None), Meeting.ends_at > now
    )
    return db.session.scalars(query.order_by(Meeting.starts_at, Meeting.id).limit(limit)).all()


def past(now: dt.datetime, *, before: Meeting | None = None, limit: int = 20) -> Sequence[Meeting]:
    """Meetings that are over and may be known to everybody, the latest first."""
    known = sa.or_(
        sa.and_(Meeting.is_public, Meeting.announced_at.is_not(None)), Meeting.record_public
    )
    query = sa.select(Meeting).where(known, Meeting.ends_at <= now)
    if before is not None:
        query = query.where(_earlier_than(before))
    order = (Meeting.starts_at.desc(), Meeting.id.desc())
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def same_time(meeting: Meeting) -> Sequence[Meeting]:
    """Other meetings, announced or being prepared, that overlap with this one."""
    query = sa.select(Meeting).where(
        Meeting.id != meeting.id,
        Meeting.state != MeetingState.CANCELLED,
        Meeting.starts_at < meeting.ends_at,
        Meeting.ends_at > meeting.starts_at,
    )
    return db.session.scalars(query.order_by(Meeting.starts_at, Meeting.id).limit(20)).all()


def _earlier_than(meeting: Meeting) -> sa.ColumnElement[bool]:
    return sa.or_(
        Meeting.starts_at < meeting.starts_at,
        sa.and_(Meeting.starts_at == meeting.starts_at, Meeting.id < meeting.id),
    )
