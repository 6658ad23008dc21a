"""Appointments (聘任): who sits in which category, from when to when, and by whose decision.

Every term is a row of its own, proposed by one officer and confirmed by another. Rows are never
overwritten: who leaves keeps the row with the reason, who stays on gets a new one. Whoever asks
whether somebody sits asks the appointments and the day.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, contains_eager, joinedload, mapped_column, relationship

from core import accounts, audit
from core.accounts import Account, RoleName
from core.audit import Actor
from core.db import Base, choice, db
from core.errors import Refused
from core.units import Unit
from panel import quotas
from panel.members import Member

audit.ACTIONS.update(
    {
        "appointment.proposed": _l("提名成员"),
        "appointment.confirmed": _l("聘任成员"),
        "appointment.refused": _l("不予聘任"),
        "appointment.ended": _l("成员离任"),
    }
)
audit.KINDS.update({"panel_appointment": _l("成员聘任")})
audit.FIELDS.update(
    {
        "category": _l("类别"),
        "term_from": _l("任期自"),
        "term_to": _l("任期至"),
        "ended_on": _l("离任日期"),
    }
)


class AppointmentState(Enum):
    """Where an appointment stands."""

    PROPOSED = "proposed"
    APPOINTED = "appointed"
    ENDED = "ended"
    REFUSED = "refused"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[AppointmentState, str] = {
            AppointmentState.PROPOSED: _("待确认"),
            AppointmentState.APPOINTED: _("已聘任"),
            AppointmentState.ENDED: _("已离任"),
            AppointmentState.REFUSED: _("未聘任"),
        }
        return titles[self]


audit.VALUES.setdefault("state", {}).update(
    {
        "proposed": _l("待确认"),
        "appointed": _l("已聘任"),
        "ended": _l("已离任"),
        "refused": _l("未聘任"),
    }
)


class Objection(Enum):
    """The closed list of why the second person does not confirm a proposal."""

    NOT_ELIGIBLE = "not_eligible"
    NO_PLACE = "no_place"
    COMPOSITION = "composition"
    UNFOUNDED = "unfounded"
    WITHDRAWN = "withdrawn"
    OTHER = "other"

    @property
    def title(self) -> str:
        """In the words of the page."""
        titles: dict[Objection, str] = {
            Objection.NOT_ELIGIBLE: _("不符合聘任条件"),
            Objection.NO_PLACE: _("该类别名额已满或需要调整"),
            Objection.COMPOSITION: _("从构成考虑，其他人选更合适"),
            Objection.UNFOUNDED: _("提名的理由或材料不够充分"),
            Objection.WITHDRAWN: _("本人或推荐单位撤回"),
            Objection.OTHER: _("其他原因"),
        }
        return titles[self]


class Appointment(Base):
    """One term of one member in one category."""

    __tablename__ = "panel_appointment"
    __table_args__ = (
        sa.CheckConstraint("term_from <= term_to", name="term_in_order"),
        sa.CheckConstraint("(state = 'ended') = (ended_on IS NOT NULL)", name="ended_has_day"),
        sa.CheckConstraint(
            "state <> 'appointed' OR decided_by_id IS NULL OR decided_by_id <> proposed_by_id",
            name="two_persons",
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (objection IS NOT NULL)", name="refused_for_a_reason"
        ),
        # One seat at a time, and one proposal for another.
        sa.Index(
            "uq_panel_appointment_seated",
            "programme_id",
            "member_id",
            unique=True,
            sqlite_where=sa.text("state = 'appointed'"),
            postgresql_where=sa.text("state = 'appointed'"),
        ),
        sa.Index(
            "uq_panel_appointment_proposed",
            "programme_id",
            "member_id",
            unique=True,
            sqlite_where=sa.text("state = 'proposed'"),
            postgresql_where=sa.text("state = 'proposed'"),
        ),
        sa.Index(None, "programme_id", "state", "category"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    # A name among the programme's categories, as it was called then.
    category: Mapped[str] = mapped_column(sa.String(60))
    recommended_by_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    # Keys of the programme's topics in which the member is at home.
    fields: Mapped[list[str]] = mapped_column(default=list)
    sub_district: Mapped[str] = mapped_column(sa.String(60), default="")
    term_from: Mapped[dt.date]
    term_to: Mapped[dt.date]
    # The first day on which they no longer sit.
    ended_on: Mapped[dt.date | None]
    # Why it was refused, of the list; in words it stands in `end_reason`.
    objection: Mapped[Objection | None] = mapped_column(choice(Objection))
    # Why it ended, or why it was refused, in words.
    end_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    successor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_member.id"))
    state: Mapped[AppointmentState] = mapped_column(
        choice(AppointmentState), default=AppointmentState.PROPOSED
    )
    # Empty where a command or the built-in example did it.
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    member: Mapped[Member] = relationship(back_populates="appointments", foreign_keys=[member_id])
    successor: Mapped[Member | None] = relationship(foreign_keys=[successor_id])
    recommended_by: Mapped[Unit | None] = relationship()
    proposed_by: Mapped[Account | None] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[Account | None] = relationship(foreign_keys=[decided_by_id])

    def sits(self, on_day: dt.date) -> bool:
        """Whether the member sits by this appointment on that day."""
        return (
            self.state in HELD
            and self.term_from <= on_day <= self.term_to
            and (self.ended_on is None or on_day < self.ended_on)
        )


# States of appointments by which somebody sits or sat.
HELD = (AppointmentState.APPOINTED, AppointmentState.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """For what somebody is proposed."""

    category: str
    term_from: dt.date
    term_to: dt.date
    fields: Sequence[str] = ()
    sub_district: str = ""
    recommended_by_unit_id: int | None = None


# --- acts ----------------------------------------------------------------------------------


def propose(
    member: Member, programme_id: int, term: Term, *, by: Actor, now: dt.datetime
) -> Appointment:
    """Propose a person for a seat. Nothing follows from it until somebody else confirms."""
    if term.category not in quotas.categories(programme_id):
        raise Refused(_("没有“%(category)s”这个类别。", category=term.category))
    if term.term_from > term.term_to:
        raise Refused(_("任期的起始日不能晚于届满日。"))
    appointment = Appointment(
        member_id=member.id,
        programme_id=programme_id,
        category=term.category,
        recommended_by_unit_id=term.recommended_by_unit_id,
        fields=list(term.fields),
        sub_district=term.sub_district,
        term_from=term.term_from,
        term_to=term.term_to,
        proposed_by_id=by.id,
        proposed_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(appointment)
    except sa.exc.IntegrityError:
        raise Refused(_("这位成员已有一项提名等待确认。")) from None
    _note("appointment.proposed", appointment, member, by, now, after=_term(appointment))
    db.session.expire(member, ["appointments"])
    return appointment


def confirm(appointment: Appointment, *, by: Actor, today: dt.date, now: dt.datetime) -> None:
    """Appoint, as the second person. Refuses one's own proposal, a full category, and a second
    seat; somebody who goes on in the same category ends the former term by this."""
    _lock(appointment)
    if by.id is not None and by.id == appointment.proposed_by_id:
        raise Refused(_("聘任须由提名人以外的另一人确认。"))
    if appointment.term_to < today:
        raise Refused(_("这项提名的任期已经届满，请重新提名。"))
    _former_ends(appointment, by=by, now=now)
    _has_seat(appointment)
    appointment.state = AppointmentState.APPOINTED
    appointment.decided_by_id, appointment.decided_at = by.id, now
    try:
        with db.session.begin_nested():
            db.session.flush()
    except sa.exc.IntegrityError:
        raise Refused(_("这位成员已在另一类别任职，同一时间只能在一个类别。")) from None
    member = appointment.member
    _note("appointment.confirmed", appointment, member, by, now, after=_term(appointment))
    if member.account is not None:
        accounts.grant(member.account, RoleName.PANEL_MEMBER, by=by, now=now)


def refuse(
    appointment: Appointment, objection: Objection, words: str, *, by: Actor, now: dt.datetime
) -> None:
    """Decide against a proposal, for a reason of the list and in words."""
    if not words:
        raise Refused(_("请写明不予聘任的理由。"))
    _lock(appointment)
    appointment.state = AppointmentState.REFUSED
    appointment.objection, appointment.end_reason = objection, words
    appointment.decided_by_id, appointment.decided_at = by.id, now
    reason = f"{objection.title}：{words}"
    _note("appointment.refused", appointment, appointment.member, by, now, reason=reason)


def end(
    appointment: Appointment,
    *,
    on_day: dt.date,
    reason: str,
    successor: Member | None = None,
    by: Actor,
    today: dt.date,
    now: dt.datetime,
) -> None:
    """End a term; from `on_day` on the member no longer sits, and the rights go with it."""
    if not reason:
        raise Refused(_("请写明离任的原因。"))
    _lock(appointment, AppointmentState.APPOINTED)
    if not appointment.term_from <= on_day <= appointment.term_to + dt.timedelta(days=1):
        raise Refused(_("离任日期须在任期之内。"))
    if successor is not None and successor.id == appointment.member_id:
        raise Refused(_("接任人不能是本人。"))
    appointment.state, appointment.ended_on = AppointmentState.ENDED, on_day
    appointment.end_reason = reason
    appointment.successor_id = successor.id if successor else None
    member = appointment.member
    _note(
        "appointment.ended",
        appointment,
        member,
        by,
        now,
        after={"category": appointment.category, "ended_on": on_day.isoformat()},
        reason=reason,
    )
    if member.account is not None and on_day <= today:
        accounts.revoke(member.account, RoleName.PANEL_MEMBER, by=by, now=now)


def link(member: Member, account: Account, *, by: Actor, now: dt.datetime) -> None:
    """Say with which account the member signs in. Refuses an account that is another member's."""
    if member.account_id == account.id:
        return
    try:
        with db.session.begin_nested():
            member.account = account
    except sa.exc.IntegrityError:
        raise Refused(_("这个账号已经关联了另一位成员。")) from None
    audit.record("member.linked", member, by=by, now=now, name=member.name)
    if any(each.state is AppointmentState.APPOINTED for each in member.appointments):
        accounts.grant(account, RoleName.PANEL_MEMBER, by=by, now=now)


def _lock(appointment: Appointment, state: AppointmentState = AppointmentState.PROPOSED) -> None:
    """Refuse what somebody else has decided in the meantime."""
    db.session.flush()
    db.session.refresh(appointment, ["state"], with_for_update=True)
    if appointment.state is not state:
        raise Refused(
            _("这项聘任刚刚已变为“%(state)s”，请刷新后查看。", state=appointment.state.title)
        )


def _former_ends(appointment: Appointment, *, by: Actor, now: dt.datetime) -> None:
    former = db.session.scalar(
        sa.select(Appointment).where(
            Appointment.member_id == appointment.member_id,
            Appointment.programme_id == appointment.programme_id,
            Appointment.state == AppointmentState.APPOINTED,
        )
    )
    if former is None:
        return
    if former.category != appointment.category and former.term_to >= appointment.term_from:
        raise Refused(
            _(
                "这位成员现任%(category)s，同一时间只能在一个类别。请先办理离任。",
                category=former.category,
            )
        )
    former.state = AppointmentState.ENDED
    former.ended_on = min(
        max(appointment.term_from, former.term_from), former.term_to + dt.timedelta(days=1)
    )
    former.end_reason = _("连任")
    db.session.flush()
    after = {"category": former.category, "ended_on": former.ended_on.isoformat()}
    _note("appointment.ended", former, appointment.member, by, now, after=after, reason=_("连任"))


def _has_seat(appointment: Appointment) -> None:
    # The seat's row is locked, so that two officers cannot both give the last one away.
    seat = quotas.of(appointment.programme_id, appointment.category, lock=True)
    if seat is None:
        return
    taken = db.session.scalar(
        sa.select(sa.func.count()).where(
            Appointment.programme_id == appointment.programme_id,
            Appointment.category == appointment.category,
            Appointment.state.in_(HELD),
            Appointment.member_id != appointment.member_id,
            Appointment.term_from <= appointment.term_to,
            Appointment.term_to >= appointment.term_from,
            sa.or_(Appointment.ended_on.is_(None), Appointment.ended_on > appointment.term_from),
        )
    )
    if (taken or 0) >= seat.planned:
        raise Refused(
            _(
                "%(category)s计划%(planned)d席，已聘满。请先调整计划名额，或办理离任。",
                category=appointment.category,
                planned=seat.planned,
            )
        )


def _term(appointment: Appointment) -> dict[str, Any]:
    return {
        "category": appointment.category,
        "term_from": appointment.term_from.isoformat(),
        "term_to": appointment.term_to.isoformat(),
    }


def _note(
    action: str, appointment: Appointment, member: Member, by: Actor, now: dt.datetime, **more: Any
) -> None:
    audit.record(action, appointment, by=by, now=now, name=member.name, **more)


# --- finding -------------------------------------------------------------------------------


def by_id(appointment_id: int) -> Appointment | None:
    """The appointment with this number."""
    return db.session.get(Appointment, appointment_id)


def sitting_on(day: dt.date) -> sa.ColumnElement[bool]:
    """The condition under which an appointment gives a seat on that day."""
    return sa.and_(
        Appointment.state.in_(HELD),
        Appointment.term_from <= day,
        Appointment.term_to >= day,
        sa.or_(Appointment.ended_on.is_(None), Appointment.ended_on > day),
    )


def sitting(
    programme_id: int,
    on_day: dt.date,
    *,
    categories: Collection[str] | None = None,
    fields: Collection[str] | None = None,
) -> Sequence[Appointment]:
    """Who sits on that day, with their members, by strokes of the name, in one query; optionally
    of some categories, or at home in any of some fields."""
    query = (
        sa.select(Appointment)
        .join(Appointment.member)
        .options(contains_eager(Appointment.member), joinedload(Appointment.recommended_by))
        .where(Appointment.programme_id == programme_id, sitting_on(on_day))
        .order_by(Member.by_stroke, Member.id)
    )
    if categories is not None:
        query = query.where(Appointment.category.in_(list(categories)))
    found = db.session.scalars(query).all()
    if fields is None:
        return found
    return [each for each in found if not set(fields).isdisjoint(each.fields)]


def seat_of(
    account_id: int | None, on_day: dt.date, *, programme_id: int | None = None
) -> Appointment | None:
    """The appointment by which whoever has this account sits on that day; None when they do not."""
    if account_id is None:
        return None
    query = (
        sa.select(Appointment)
        .join(Appointment.member)
        .options(contains_eager(Appointment.member))
        .where(Member.account_id == account_id, sitting_on(on_day))
        .order_by(Appointment.id.desc())
        .limit(1)
    )
    if programme_id is not None:
        query = query.where(Appointment.programme_id == programme_id)
    return db.session.scalar(query)
