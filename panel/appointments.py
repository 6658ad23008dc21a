"""Appointments (聘任): who sits in which category, from when to when, and by whose decision.

Every term is a row of its own, proposed by one officer and confirmed by another. Rows are never
overwritten: who leaves keeps the row with the reason, who stays on gets a new one. Whoever asks
whether somebody sits asks the appointments and the day.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import contains_eager, joinedload

from core import accounts, audit
from core.accounts import Account, RoleName
from core.audit import Actor
from core.db import db
from core.errors import Refused
from panel import quotas
from panel.appointment_rows import HELD as HELD
from panel.appointment_rows import Appointment as Appointment
from panel.appointment_rows import AppointmentState as AppointmentState
from panel.appointment_rows import Objection as Objection
from panel.appointment_rows import Term as Term
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

# --- acts ----------------------------------------------------------------------------------


def propose(
    member: Member, programme_id: int, term: Term, *, by: Actor, now: dt.datetime
) -> Appointment:
    """Propose a person for a seat. Nothing follows from it until somebody else confirms."""
    return propose_all([(member, term)], programme_id, by=by, now=now)[0]


def propose_all(
    wanted: Sequence[tuple[Member, Term]], programme_id: int, *, by: Actor, now: dt.datetime
) -> list[Appointment]:
    """The same for any number of persons, each of whom may be proposed once; all or none."""
    kinds = quotas.categories(programme_id)
    for _member, term in wanted:
        if term.category not in kinds:
            raise Refused(_("没有“%(category)s”这个类别。", category=term.category))
        if term.term_from > term.term_to:
            raise Refused(_("任期的起始日不能晚于届满日。"))
    made = [
        Appointment(
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
        for member, term in wanted
    ]
    try:
        with db.session.begin_nested():
            db.session.add_all(made)
    except sa.exc.IntegrityError:
        raise Refused(_("这位成员已有一项提名等待确认。")) from None
    for appointment, (member, _term) in zip(made, wanted, strict=True):
        _note("appointment.proposed", appointment, member, by, now, after=_said(appointment))
        db.session.expire(member, ["appointments"])
    return made


def confirm(appointment: Appointment, *, by: Actor, today: dt.date, now: dt.datetime) -> None:
    """Appoint, as the second person. Refuses one's own proposal, a full category, and a second
    seat; somebody who goes on in the same category ends the former term by this."""
    confirm_all([appointment], by=by, today=today, now=now)


def confirm_all(
    waiting: Sequence[Appointment], *, by: Actor, today: dt.date, now: dt.datetime
) -> None:
    """The same for any number of proposals of one programme, all or none; whoever is in the way is
    named where there are several."""
    if not waiting:
        return
    _lock(waiting)
    formers, places = _formers(waiting), _Places(waiting)
    for each in waiting:
        try:
            if by.id is not None and by.id == each.proposed_by_id:
                raise Refused(_("聘任须由提名人以外的另一人确认。"))
            if each.term_to < today:
                raise Refused(_("这项提名的任期已经届满，请重新提名。"))
            if former := formers.get(each.member_id):
                _must_make_way(former, each)
                places.shorten(former, _end_of(former, each))
            places.take(each)
        except Refused as refusal:
            if len(waiting) == 1:
                raise
            sentence = _("%(name)s：%(why)s", name=each.member.name, why=refusal.sentence)
            raise Refused(sentence) from refusal
    _end_formers(waiting, formers, by=by, now=now)
    for each in waiting:
        each.state = AppointmentState.APPOINTED
        each.decided_by_id, each.decided_at = by.id, now
    try:
        with db.session.begin_nested():
            db.session.flush()
    except sa.exc.IntegrityError:
        raise Refused(_("这位成员已在另一类别任职，同一时间只能在一个类别。")) from None
    for each in waiting:
        member = each.member
        _note("appointment.confirmed", each, member, by, now, after=_said(each))
        if member.account is not None:
            accounts.grant(member.account, RoleName.PANEL_MEMBER, by=by, now=now)


def refuse(
    appointment: Appointment, objection: Objection, words: str, *, by: Actor, now: dt.datetime
) -> None:
    """Decide against a proposal, for a reason of the list and in words."""
    if not words:
        raise Refused(_("请写明不予聘任的理由。"))
    _lock([appointment])
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
    """End a term; from `on_day` on the member no longer sits, and the rights go with it. An end
    that is still to come, also because the next term follows, may be said anew for an earlier day."""
    if not reason:
        raise Refused(_("请写明离任的原因。"))
    again = appointment.state is AppointmentState.ENDED and appointment.may_end(today)
    _lock([appointment], AppointmentState.ENDED if again else AppointmentState.APPOINTED)
    before = appointment.ended_on
    if before is not None and on_day >= before:
        raise Refused(_("原定自%(day)s起不再任职，只能提前。", day=before.isoformat()))
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
        before={"ended_on": before.isoformat()} if before else None,
        after={"category": appointment.category, "ended_on": on_day.isoformat()},
        reason=reason,
    )
    # Who was appointed for the next term as well keeps the role for it, which gives nothing before.
    goes_on = any(each.state is AppointmentState.APPOINTED for each in member.appointments)
    if member.account is not None and on_day <= today and not goes_on:
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


def _lock(
    every: Sequence[Appointment], state: AppointmentState = AppointmentState.PROPOSED
) -> None:
    """Refuse what somebody else has decided in the meantime. Their members come along."""
    db.session.flush()
    query = (
        sa.select(Appointment)
        .options(joinedload(Appointment.member).joinedload(Member.account))
        .where(Appointment.id.in_([each.id for each in every]))
        .order_by(Appointment.id)
        .with_for_update(of=Appointment)
    )
    db.session.scalars(query.execution_options(populate_existing=True)).unique().all()
    for each in every:
        if each.state is not state:
            raise Refused(
                _("这项聘任刚刚已变为“%(state)s”，请刷新后查看。", state=each.state.title)
            )


def _formers(waiting: Sequence[Appointment]) -> dict[int, Appointment]:
    """{member: the appointment by which they sit now}."""
    query = sa.select(Appointment).where(
        Appointment.member_id.in_({each.member_id for each in waiting}),
        Appointment.programme_id == waiting[0].programme_id,
        Appointment.state == AppointmentState.APPOINTED,
    )
    return {each.member_id: each for each in db.session.scalars(query)}


def _must_make_way(former: Appointment, next_: Appointment) -> None:
    if former.category != next_.category and former.term_to >= next_.term_from:
        raise Refused(
            _(
                "这位成员现任%(category)s，同一时间只能在一个类别。请先办理离任。",
                category=former.category,
            )
        )


def _end_of(former: Appointment, next_: Appointment) -> dt.date:
    """The first day on which somebody no longer sits by the former, because the next begins."""
    return min(max(next_.term_from, former.term_from), former.term_to + dt.timedelta(days=1))


def _end_formers(
    waiting: Sequence[Appointment],
    formers: Mapping[int, Appointment],
    *,
    by: Actor,
    now: dt.datetime,
) -> None:
    """End the terms that the next ones follow. Before these begin, for one seat a person is held
    by the database."""
    for each in waiting:
        former = formers.get(each.member_id)
        if former is None:
            continue
        former.state, former.ended_on = AppointmentState.ENDED, _end_of(former, each)
        former.end_reason = _("连任")
        after = {"category": former.category, "ended_on": former.ended_on.isoformat()}
        _note("appointment.ended", former, each.member, by, now, after=after, reason=_("连任"))
    db.session.flush()


Span = tuple[dt.date, dt.date]


class _Places:
    """How many seats of each category are taken while terms are given away. The seats' rows are
    locked, so that two officers cannot both give the last one away."""

    def __init__(self, waiting: Sequence[Appointment]) -> None:
        programme_id = waiting[0].programme_id
        self._planned = quotas.locked(programme_id, {each.category for each in waiting})
        # {category: {(first day, first day after): {member: how many of their terms}}}: terms are
        # many, spans of time few.
        self._held: dict[str, dict[Span, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        query = sa.select(Appointment).where(
            Appointment.programme_id == programme_id,
            Appointment.category.in_(self._planned),
            Appointment.state.in_(HELD),
        )
        for held in db.session.scalars(query):
            self._add(held, _span(held))

    def take(self, appointment: Appointment) -> None:
        """Count one in, or refuse it where the category is full in its time."""
        planned = self._planned.get(appointment.category)
        if planned is None:
            return
        begins, after = _span(appointment)
        taken = sum(
            terms.total() - terms[appointment.member_id]
            for (first, until), terms in self._held[appointment.category].items()
            if first < after and until > begins
        )
        if taken >= planned:
            raise Refused(
                _(
                    "%(category)s计划%(planned)d席，已聘满。请先调整计划名额，或办理离任。",
                    category=appointment.category,
                    planned=planned,
                )
            )
        self._add(appointment, (begins, after))

    def shorten(self, former: Appointment, ends: dt.date) -> None:
        """Let somebody's former term end on this day."""
        if former.category not in self._planned:
            return
        first, until = _span(former)
        self._held[former.category][first, until][former.member_id] -= 1
        self._add(former, (first, min(until, ends)))

    def _add(self, appointment: Appointment, span: Span) -> None:
        self._held[appointment.category][span][appointment.member_id] += 1


def _span(appointment: Appointment) -> Span:
    """The first day of a term and the first day after it."""
    until = appointment.term_to + dt.timedelta(days=1)
    return appointment.term_from, min(until, appointment.ended_on or until)


def _said(appointment: Appointment) -> dict[str, Any]:
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


def seat_of(account_id: int | None, on_day: dt.date) -> Appointment | None:
    """The appointment by which whoever has this account sits on that day; None when they do not."""
    if account_id is None:
        return None
    return _seat(Member.account_id == account_id, on_day)


def seat_of_member(member_id: int, on_day: dt.date, *, programme_id: int) -> Appointment | None:
    """The appointment by which a member, who may have no account, sits in this programme."""
    return _seat(sa.and_(Member.id == member_id, Appointment.programme_id == programme_id), on_day)


def _seat(whose: sa.ColumnElement[bool], on_day: dt.date) -> Appointment | None:
    query = (
        sa.select(Appointment)
        .join(Appointment.member)
        .options(contains_eager(Appointment.member))
        .where(whose, sitting_on(on_day))
        .order_by(Appointment.id.desc())
        .limit(1)
    )
    return db.session.scalar(query)
