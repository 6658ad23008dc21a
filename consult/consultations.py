"""Consultations (意见征集): the notice, the window and its statutory clock.

A consultation's phase is read off the clock, never set by a job: what is announced opens and
closes by itself at the moments everybody was told. Times are UTC inside; a window is said in
whole days of Shanghai and closes at 24:00 of its last day.
"""

import datetime as dt
from collections.abc import Sequence
from enum import Enum
from typing import Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import search_documents
from consult.programmes import Programme, Stage
from consult.search_documents import Document, Kind
from core.db import Base, choice, db
from core.errors import Refused
from core.units import Unit

SHANGHAI = ZoneInfo("Asia/Shanghai")
# State Council Order 713, art. 15: normally not less than 30 days.
STATUTORY_DAYS = 30
YEARS = range(2000, 2100)
# The parts of the notice that are words, in the order of the page.
NOTICE = ("title", "explanation", "ways", "contact")


class ConsultationState(Enum):
    """What people have decided about a consultation; the clock does the rest."""

    PREPARING = "preparing"
    ANNOUNCED = "announced"
    ANSWERED = "answered"


class Phase(Enum):
    """What a visitor is told: 草拟 → 预告 → 征集中 → 已截止 → 已反馈."""

    PREPARING = "preparing"
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    ANSWERED = "answered"

    @property
    def title(self) -> str:
        """The phase in the words of the page."""
        titles: dict[Phase, str] = {
            Phase.PREPARING: _("草拟"),
            Phase.UPCOMING: _("预告"),
            Phase.OPEN: _("征集中"),
            Phase.CLOSED: _("已截止"),
            Phase.ANSWERED: _("已反馈"),
        }
        return titles[self]


class Consultation(Base):
    """One call for opinions on one draft: the notice, its window and its running totals."""

    __tablename__ = "consultation"
    __table_args__ = (
        sa.CheckConstraint("closes_at IS NULL OR opens_at < closes_at", name="window"),
        sa.CheckConstraint("received >= shown AND shown >= 0", name="totals"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("stage.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[ConsultationState] = mapped_column(
        choice(ConsultationState), default=ConsultationState.PREPARING
    )
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    explanation: Mapped[str] = mapped_column(sa.Text, default="")
    ways: Mapped[str] = mapped_column(sa.Text, default="")
    contact: Mapped[str] = mapped_column(sa.Text, default="")
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]
    short_reason: Mapped[str] = mapped_column(sa.Text, default="")
    # What the office tells everybody when the round is over.
    feedback: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[dt.datetime]
    # Running totals, kept in the transaction that changes them. `stamp` rises with every change
    # a reader could notice, so that a cached page knows whether it is still true.
    received: Mapped[int] = mapped_column(default=0)
    shown: Mapped[int] = mapped_column(default=0)
    stamp: Mapped[int] = mapped_column(default=0)
    # `edition` rises only when something other than a count changed: words, window, phase, draft.
    edition: Mapped[int] = mapped_column(default=0)

    programme: Mapped[Programme] = relationship(lazy="joined", innerjoin=True)
    stage: Mapped[Stage] = relationship(lazy="joined", innerjoin=True)
    unit: Mapped[Unit | None] = relationship(lazy="joined")

    def phase(self, now: dt.datetime) -> Phase:
        """Where the consultation stands at `now`."""
        return phase_of(self.state, self.opens_at, self.closes_at, now)

    @property
    def is_public(self) -> bool:
        """Whether anyone may read the notice."""
        return self.state is not ConsultationState.PREPARING

    @property
    def first_day(self) -> dt.date | None:
        """The first day of the window in Shanghai; None while it is not set."""
        return self.opens_at.astimezone(SHANGHAI).date() if self.opens_at else None

    @property
    def last_day(self) -> dt.date | None:
        """The day at whose 24:00 the window closes; None while it is not set."""
        if self.closes_at is None:
            return None
        return (self.closes_at - dt.timedelta(microseconds=1)).astimezone(SHANGHAI).date()

    @property
    def days(self) -> int:
        """Length of the window in days; 0 while it is not set."""
        return length(self.first_day, self.last_day)


def phase_of(
    state: ConsultationState,
    opens_at: dt.datetime | None,
    closes_at: dt.datetime | None,
    now: dt.datetime,
) -> Phase:
    """Where a consultation with this state and window stands at `now`."""
    if state is not ConsultationState.ANNOUNCED:
        return Phase(state.value)
    assert opens_at is not None
    assert closes_at is not None
    if now < opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < closes_at else Phase.CLOSED


class HasPhase(Protocol):
    """A consultation, or what is known of it while a comment is being sent."""

    def phase(self, now: dt.datetime) -> Phase:
        """Where it stands at `now`."""


class ConsultationChange(Base):
    """A change of the window or the state that the public is shown."""

    __tablename__ = "consultation_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    at: Mapped[dt.datetime]
    what: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text, default="")


# --- reading -------------------------------------------------------------------------------


def by_slug(slug: str) -> Consultation | None:
    """The consultation with this slug, public or not."""
    return db.session.scalar(sa.select(Consultation).where(Consultation.slug == slug))


def by_id(consultation_id: int) -> Consultation:
    """The consultation with this id, which something already refers to."""
    return db.session.get_one(Consultation, consultation_id)


def every(*, public_only: bool) -> Sequence[Consultation]:
    """All consultations, the one that closes last first."""
    query = sa.select(Consultation).order_by(
        Consultation.closes_at.desc().nulls_first(), Consultation.id.desc()
    )
    if public_only:
        query = query.where(Consultation.state != ConsultationState.PREPARING)
    return db.session.scalars(query).all()


def newest(limit: int) -> Sequence[Consultation]:
    """The public consultations that close last, so many at most."""
    query = sa.select(Consultation).where(Consultation.state != ConsultationState.PREPARING)
    order = (Consultation.closes_at.desc(), Consultation.id.desc())
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def open_at(now: dt.datetime, *, limit: int | None = None) -> Sequence[Consultation]:
    """The consultations that take opinions at `now`, the one that closes first, first."""
    query = (
        sa.select(Consultation)
        .where(
            Consultation.state == ConsultationState.ANNOUNCED,
            Consultation.opens_at <= now,
            Consultation.closes_at > now,
        )
        .order_by(Consultation.closes_at, Consultation.id)
    )
    return db.session.scalars(query.limit(limit)).all()


def upcoming_at(now: dt.datetime, *, limit: int) -> Sequence[Consultation]:
    """The consultations that are announced and not yet open, the one that opens first, first."""
    query = sa.select(Consultation).where(
        Consultation.state == ConsultationState.ANNOUNCED, Consultation.opens_at > now
    )
    order = (Consultation.opens_at, Consultation.id)
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def past_at(now: dt.datetime, *, before: int | None = None, limit: int) -> Sequence[Consultation]:
    """The consultations that are over, the one that closed last first; those that come after the
    one with id `before`."""
    query = sa.select(Consultation).where(
        sa.or_(
            Consultation.state == ConsultationState.ANSWERED,
            sa.and_(
                Consultation.state == ConsultationState.ANNOUNCED, Consultation.closes_at <= now
            ),
        )
    )
    if before is not None:
        last = sa.select(Consultation.closes_at).where(Consultation.id == before).scalar_subquery()
        query = query.where(
            sa.or_(
                Consultation.closes_at < last,
                sa.and_(Consultation.closes_at == last, Consultation.id < before),
            )
        )
    order = (Consultation.closes_at.desc(), Consultation.id.desc())
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def changes(consultation: Consultation) -> Sequence[ConsultationChange]:
    """The public log of this consultation, oldest first."""
    query = sa.select(ConsultationChange).where(
        ConsultationChange.consultation_id == consultation.id
    )
    return db.session.scalars(query.order_by(ConsultationChange.id)).all()


def touch(consultation: Consultation) -> None:
    """Note that something other than a count changed: kept pages are made anew, and the notice
    is found by its words of now."""
    consultation.stamp = Consultation.stamp + 1
    consultation.edition = Consultation.edition + 1
    if consultation.is_public:
        search_documents.put(Kind.NOTICE, [findable(consultation)])


def findable(consultation: Consultation) -> Document:
    """By which words a public notice is found."""
    words = [getattr(consultation, key) for key in (*NOTICE, "feedback")]
    return Document(consultation.id, words, (f"c{consultation.id}",))


# --- the clock and the log ------------------------------------------------------------------------------


def length(first: dt.date | None, last: dt.date | None) -> int:
    """Days from `first` to `last`, both counted; 0 when either is missing."""
    return (last - first).days + 1 if first and last else 0


def window(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The moments between which opinions are taken: 00:00 of `first` to 24:00 of `last`."""
    if first.year not in YEARS or last.year not in YEARS:
        raise Refused(_("日期的年份有误，请检查后再填。"))
    start = dt.datetime.combine(first, dt.time(), tzinfo=SHANGHAI)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=SHANGHAI)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def log_change(
    consultation: Consultation, what: str, *, now: dt.datetime, reason: str = ""
) -> None:
    """Note in the public log what changed."""
    db.session.add(
        ConsultationChange(consultation_id=consultation.id, at=now, what=what, reason=reason)
    )


def must_be_open(consultation: HasPhase, *, now: dt.datetime, kept_text: str = "") -> None:
    """Refuse, with the reason and the typed text back, unless opinions are taken at `now`."""
    phase = consultation.phase(now)
    if phase is Phase.OPEN:
        return
    if phase in (Phase.PREPARING, Phase.UPCOMING):
        raise Refused(_("本次意见征集还没有开始，请到开始日期后再提交。"), kept_text=kept_text)
    raise Refused(
        _(
            "本次意见征集已经截止，刚才的内容没有收下。您可以把下面的文字复制保存，或按公告中的联系方式反映。"
        ),
        kept_text=kept_text,
    )
