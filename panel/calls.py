"""Calls (征集): when residents may apply for the panel, for which categories, and from where.

A call is prepared, opened and closed by an officer; it takes applications between its two moments
and not a minute longer. What was opened is not rewritten: who applied did so under these words. Its
end may be moved later while it is open, never earlier, and the page tells both ends and the reason.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from core import audit
from core.audit import Actor
from core.db import Base, choice, db
from core.errors import Refused
from panel import quotas

audit.ACTIONS.update(
    {
        "call.prepared": _l("拟定成员征集"),
        "call.changed": _l("修改成员征集"),
        "call.opened": _l("发布成员征集"),
        "call.prolonged": _l("延长成员征集"),
        "call.closed": _l("提前截止成员征集"),
    }
)
audit.KINDS.update({"panel_call": _l("成员征集")})
audit.FIELDS.update({"opens_at": _l("开始时间"), "closes_at": _l("截止时间")})

# Nobody is called for longer; a year typed wrongly is caught here.
LONGEST = dt.timedelta(days=366)


class CallState(Enum):
    """How far a call has come."""

    PREPARED = "prepared"
    OPENED = "opened"
    CLOSED = "closed"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[CallState, str] = {
            CallState.PREPARED: _("未发布"),
            CallState.OPENED: _("已发布"),
            CallState.CLOSED: _("提前截止"),
        }
        return titles[self]


class Phase(Enum):
    """Where a call stands at a moment."""

    PREPARED = "prepared"
    UPCOMING = "upcoming"
    OPEN = "open"
    OVER = "over"


class Call(Base):
    """One invitation to everybody."""

    __tablename__ = "panel_call"
    __table_args__ = (
        sa.CheckConstraint("opens_at < closes_at", name="window_in_order"),
        sa.CheckConstraint("state <> 'closed' OR close_reason <> ''", name="why_closed"),
        sa.Index(None, "programme_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    title: Mapped[str] = mapped_column(sa.String(120))
    about: Mapped[str] = mapped_column(sa.Text)
    # Names among the programme's categories.
    categories: Mapped[list[str]]
    # The sub-districts it is meant for; none means the whole district.
    places: Mapped[list[str]]
    opens_at: Mapped[dt.datetime]
    closes_at: Mapped[dt.datetime]
    state: Mapped[CallState] = mapped_column(choice(CallState), default=CallState.PREPARED)
    close_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    created_at: Mapped[dt.datetime]

    prolongations: Mapped[list["Prolongation"]] = relationship(order_by="Prolongation.id")

    def phase(self, now: dt.datetime) -> Phase:
        """Where it stands, read off the clock."""
        if self.state is CallState.PREPARED:
            return Phase.PREPARED
        if self.state is CallState.CLOSED or now >= self.closes_at:
            return Phase.OVER
        return Phase.OPEN if now >= self.opens_at else Phase.UPCOMING

    def takes(self, now: dt.datetime) -> bool:
        """Whether one may apply at that moment."""
        return self.phase(now) is Phase.OPEN

    @property
    def is_public(self) -> bool:
        """Whether everybody may know of it."""
        return self.state is not CallState.PREPARED


class Prolongation(Base):
    """One time the end of a call was moved later, and why; shown to everybody."""

    __tablename__ = "panel_call_prolongation"
    __table_args__ = (sa.CheckConstraint("former_end < new_end", name="never_shorter"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    call_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_call.id"), index=True)
    former_end: Mapped[dt.datetime]
    new_end: Mapped[dt.datetime]
    reason: Mapped[str] = mapped_column(sa.String(200))
    decided_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a call says, cleaned by the form."""

    title: str
    about: str
    categories: Sequence[str]
    places: Sequence[str] = ()
    opens_at: dt.datetime
    closes_at: dt.datetime


def prepare(programme_id: int, notice: Notice, *, by: Actor, now: dt.datetime) -> Call:
    """Draw a call up; nobody outside sees it before it is opened."""
    call = Call(programme_id=programme_id, close_reason="", created_at=now)
    call.state = CallState.PREPARED
    _take(call, notice)
    db.session.add(call)
    db.session.flush()
    _note("call.prepared", call, by, now)
    return call


def change(call: Call, notice: Notice, *, by: Actor, now: dt.datetime) -> None:
    """Word it anew, as long as nobody has read it."""
    _lock(call)
    if call.state is not CallState.PREPARED:
        raise Refused(_("征集已经发布，内容不能再改。需要改动的，请提前截止后另行发布。"))
    _take(call, notice)
    db.session.flush()
    _note("call.changed", call, by, now)


def open_(call: Call, *, by: Actor, now: dt.datetime) -> None:
    """Let everybody see it; applications are taken from its first moment on."""
    _lock(call)
    if call.state is not CallState.PREPARED:
        raise Refused(_("这次征集已经发布过了。"))
    if call.closes_at <= now:
        raise Refused(_("截止时间已经过去，请先修改征集时间。"))
    call.state = CallState.OPENED
    db.session.flush()
    _note("call.opened", call, by, now)


def prolong(
    call: Call, closes_at: dt.datetime, reason: str, *, by: Actor, now: dt.datetime
) -> None:
    """Move its end later, while it is announced or open; the reason and both ends are public."""
    if not reason:
        raise Refused(_("请写明延长的理由。"))
    _lock(call)
    if call.phase(now) not in (Phase.OPEN, Phase.UPCOMING):
        raise Refused(_("这次征集没有发布或已经截止。"))
    if closes_at <= call.closes_at:
        raise Refused(_("征集只能延长，不能缩短或保持不变。"))
    _must_be_short(call.opens_at, closes_at)
    former_end, call.closes_at = call.closes_at, closes_at
    call.prolongations.append(
        Prolongation(former_end=former_end, new_end=closes_at, reason=reason, decided_at=now)
    )
    db.session.flush()
    audit.record(
        "call.prolonged",
        call,
        by=by,
        now=now,
        name=call.title,
        before={"closes_at": former_end.isoformat()},
        after={"closes_at": closes_at.isoformat()},
        reason=reason,
    )


def close(call: Call, reason: str, *, by: Actor, now: dt.datetime) -> None:
    """End it before its time; the reason is public. What came in by then is kept."""
    if not reason:
        raise Refused(_("请写明提前截止的理由。"))
    _lock(call)
    if call.phase(now) not in (Phase.OPEN, Phase.UPCOMING):
        raise Refused(_("这次征集没有发布或已经截止。"))
    call.state, call.close_reason = CallState.CLOSED, reason
    db.session.flush()
    _note("call.closed", call, by, now, reason)


def _take(call: Call, notice: Notice) -> None:
    unknown = set(notice.categories) - set(quotas.categories(call.programme_id))
    if unknown or not notice.categories:
        raise Refused(_("请在规划的成员类别中选择。"))
    if notice.opens_at >= notice.closes_at:
        raise Refused(_("截止时间要晚于开始时间。"))
    _must_be_short(notice.opens_at, notice.closes_at)
    call.title, call.about = notice.title, notice.about
    call.categories, call.places = list(notice.categories), list(notice.places)
    call.opens_at, call.closes_at = notice.opens_at, notice.closes_at


def _must_be_short(opens_at: dt.datetime, closes_at: dt.datetime) -> None:
    if closes_at - opens_at > LONGEST:
        raise Refused(_("征集期限不能超过一年。"))


def _lock(call: Call) -> None:
    db.session.flush()
    db.session.refresh(call, with_for_update=True)


def _note(action: str, call: Call, by: Actor, now: dt.datetime, reason: str = "") -> None:
    audit.record(
        action,
        call,
        by=by,
        now=now,
        name=call.title,
        after={"opens_at": call.opens_at.isoformat(), "closes_at": call.closes_at.isoformat()},
        reason=reason,
    )


# --- finding -------------------------------------------------------------------------------


def by_id(call_id: int) -> Call | None:
    """The call with this number."""
    return db.session.get(Call, call_id)


def page(programme_id: int, *, before: int | None = None, limit: int = 30) -> Sequence[Call]:
    """All calls, the newest first, below id `before`."""
    query = sa.select(Call).where(Call.programme_id == programme_id)
    if before is not None:
        query = query.where(Call.id < before)
    return db.session.scalars(query.order_by(Call.id.desc()).limit(limit)).all()


def public(programme_id: int, *, limit: int = 20) -> Sequence[Call]:
    """Calls everybody may know of, the one that closes last first."""
    query = (
        sa.select(Call)
        .options(selectinload(Call.prolongations))
        .where(Call.programme_id == programme_id, Call.state != CallState.PREPARED)
    )
    return db.session.scalars(
        query.order_by(Call.closes_at.desc(), Call.id.desc()).limit(limit)
    ).all()


def open_now(programme_id: int, now: dt.datetime) -> Sequence[Call]:
    """Calls that take applications at this moment, the one that closes first first."""
    query = sa.select(Call).where(
        Call.programme_id == programme_id,
        Call.state == CallState.OPENED,
        Call.opens_at <= now,
        Call.closes_at > now,
    )
    return db.session.scalars(query.order_by(Call.closes_at, Call.id)).all()
