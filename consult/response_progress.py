"""How far the answers of a consultation have come, and those of each unit; what is left and what is
overdue."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from consult import officers
from consult.point_rows import Point
from consult.response_rows import (
    Response,
    ResponseState,
    is_open,
    is_overdue,
    is_with,
    needs_answer,
)
from consult.submissions import Submission
from core.db import db
from core.units import Unit

TODO, DRAFTED = ResponseState.TODO, ResponseState.DRAFTED


@dataclass(frozen=True, slots=True)
class Left:
    """What is left to do before a round can be answered."""

    unrouted: int
    todo: int
    drafted: int
    in_review: int
    final: int
    published: int
    overdue: int

    @property
    def open(self) -> int:
        """Points whose answer is not final."""
        return self.unrouted + self.todo + self.drafted + self.in_review

    @property
    def total(self) -> int:
        """All points that need an answer."""
        return self.open + self.final + self.published


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one unit has come with the points it leads."""

    unit: Unit
    states: dict[ResponseState, int]
    overdue: int


@dataclass(frozen=True, slots=True)
class OfPerson:
    """How far one person has come with the points they were named for; without a name, those of
    the unit for which nobody was."""

    id: int | None
    name: str
    states: dict[ResponseState, int]
    overdue: int


def open_count(consultation_id: int) -> int:
    """How many points have no final answer."""
    query = (
        sa.select(sa.func.count(Point.id))
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(Point.consultation_id == consultation_id, needs_answer(), is_open())
    )
    return db.session.execute(query).scalar_one()


def progress(consultation_id: int, *, today: dt.date) -> tuple[Left, list[Progress]]:
    """How far the points of a consultation have come, and those of each unit that leads, by its
    name."""
    # Counted once for both: of ten thousand points that is half of the page's time.
    sums = _sums(consultation_id, today)
    leads = {lead for lead, *_rest in sums if lead is not None}
    query = sa.select(Unit).where(Unit.id.in_(leads)).order_by(Unit.name, Unit.id)
    found = {
        unit.id: Progress(
            unit, dict.fromkeys(ResponseState, 0), sum(s.late for s in sums if s.lead == unit.id)
        )
        for unit in db.session.scalars(query)
    }
    for lead, state, number, _late in sums:
        if lead is not None:
            found[lead].states[state or TODO] += number
    return _left(sums), list(found.values())


def by_person(
    unit_id: int, *, consultation_id: int | None = None, today: dt.date
) -> list[OfPerson]:
    """How far the people of a unit have come with the points it leads, those in one consultation
    if it is named; everybody who may be named is there, those without a person come last."""
    naming = officers.naming()
    query = (
        sa.select(
            naming.c.person_id,
            Response.state,
            sa.func.count(Point.id),
            sa.func.count(sa.case((is_overdue(today), Point.id))),
        )
        .select_from(Point)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .outerjoin(naming, naming.c.point_id == Point.id)
        .where(Point.lead_unit_id == unit_id, needs_answer())
        .group_by(naming.c.person_id, Response.state)
    )
    if consultation_id is not None:
        query = query.where(Point.consultation_id == consultation_id)
    rows = db.session.execute(query).all()
    staff: list[tuple[int | None, str]] = [(o.id, o.name) for o in officers.of_units([unit_id])]
    found = []
    for person, name in [*staff, (None, "")]:
        states, late = dict.fromkeys(ResponseState, 0), 0
        for each, state, number, overdue_there in rows:
            if each == person:
                states[state or TODO] += number
                late += overdue_there
        found.append(OfPerson(person, name, states, late))
    return found


class _Sum(NamedTuple):
    lead: int | None
    state: ResponseState | None
    number: int
    late: int


def _sums(consultation_id: int, today: dt.date) -> list[_Sum]:
    """The points of a consultation by the unit that leads and the state of their answers."""
    query = (
        sa.select(
            Point.lead_unit_id,
            Response.state,
            sa.func.count(Point.id),
            sa.func.count(sa.case((is_overdue(today), Point.id))),
        )
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(Point.consultation_id == consultation_id, needs_answer())
        .group_by(Point.lead_unit_id, Response.state)
    )
    return [_Sum(*row) for row in db.session.execute(query)]


def _left(sums: Iterable[_Sum]) -> Left:
    by_state = dict.fromkeys(ResponseState, 0)
    unrouted = late = 0
    for each in sums:
        late += each.late
        if each.lead is None and each.state in (None, TODO):
            unrouted += each.number
        else:
            by_state[each.state or TODO] += each.number
    return Left(
        unrouted,
        by_state[TODO],
        by_state[DRAFTED],
        by_state[ResponseState.IN_REVIEW],
        by_state[ResponseState.FINAL],
        by_state[ResponseState.PUBLISHED],
        late,
    )


def overdue(today: dt.date, *, unit_id: int | None = None) -> int:
    """How many points of all consultations are overdue; those of one unit if it is named."""
    query = (
        sa.select(sa.func.count(Point.id))
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(needs_answer(), is_overdue(today))
    )
    if unit_id is not None:
        query = query.where(is_with(unit_id))
    return db.session.execute(query).scalar_one()


def waiting_for(unit_id: int, *, person_id: int | None = None) -> int:
    """How many points a unit still has to draft an answer to, as the one that leads; those of one
    person if they are named."""
    query = (
        sa.select(sa.func.count(Point.id))
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(needs_answer(), Point.lead_unit_id == unit_id, Response.state.in_((TODO, DRAFTED)))
    )
    if person_id is not None:
        query = query.where(officers.is_with(person_id))
    return db.session.execute(query).scalar_one()
