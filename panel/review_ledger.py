"""The figures of reviews: per member, round and category who was asked, opened, reviewed and how
much they said. What else a member did is added in `ledger`; for the public there are totals only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from consult.consultations import Consultation
from consult.programmes import Stage
from core.db import db
from panel import rounds
from panel.remarks import Remark
from panel.rounds import Invitation, ReviewRound, RoundState


@dataclass(frozen=True, slots=True)
class Line:
    """How often asked, opened and reviewed, and how many remarks joined the public stream."""

    key: int
    name: str
    category: str
    asked: int
    opened: int
    signed: int
    remarks: int

    @property
    def rate(self) -> int:
        """Reviews in a hundred requests, rounded down: 99.6 is not all."""
        return self.signed * 100 // self.asked if self.asked else 0


_FIGURES = (
    sa.func.count(Invitation.id),
    sa.func.count(Invitation.opened_at),
    sa.func.count(Invitation.signed_at),
)


def within(stage: Stage | None) -> sa.ColumnElement[bool]:
    """The rounds of a stage, of all stages if none is named; for queries that join ReviewRound."""
    if stage is None:
        return sa.true()
    here = sa.select(Consultation.id).where(Consultation.stage_id == stage.id)
    return ReviewRound.consultation_id.in_(here)


def by_member(stage: Stage | None = None) -> list[Line]:
    """One line a member ever asked, in the order in which they were first asked."""
    counted = (
        sa.select(
            Invitation.member_id,
            sa.func.min(Invitation.id).label("first"),
            sa.func.max(Invitation.id).label("last"),
            *_FIGURES,
        )
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .where(within(stage))
        .group_by(Invitation.member_id)
        .subquery()
    )
    # As they were called and whom they stood for when they were last asked.
    query = (
        sa.select(Invitation.name, Invitation.category, counted)
        .join(counted, counted.c.last == Invitation.id)
        .order_by(counted.c.first)
    )
    remarks = _remarks(Invitation.member_id, within(stage))
    return [
        Line(key, name, category, asked, opened, signed, remarks.get(key, 0))
        for name, category, key, _first, _last, asked, opened, signed in db.session.execute(query)
    ]


def by_round(
    stage: Stage | None = None, *, released_only: bool = False
) -> list[tuple[ReviewRound, Line]]:
    """One line an opened round, the newest first."""
    query = (
        sa.select(Invitation.round_id, *_FIGURES)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .where(within(stage))
        .group_by(Invitation.round_id)
        .order_by(Invitation.round_id.desc())
    )
    remarks = _remarks(Invitation.round_id)
    lines = []
    for round_id, asked, opened, signed in db.session.execute(query):
        found = db.session.get_one(ReviewRound, round_id)
        if not released_only or is_told(found):
            number = remarks.get(round_id, 0)
            lines.append((found, Line(round_id, found.title, "", asked, opened, signed, number)))
    return lines


def is_told(review_round: ReviewRound) -> bool:
    """Whether the public may know of it: released, and the words it was about are public."""
    return review_round.state is RoundState.RELEASED and rounds.is_public(review_round)


def by_category(review_round: ReviewRound) -> list[Line]:
    """The response of each category in one round, in the order of asking."""
    return _by_category(ReviewRound.id == review_round.id)


def by_category_in(stage: Stage | None) -> list[Line]:
    """The same in all rounds of a stage, of all stages if none is named."""
    return _by_category(within(stage))


def _by_category(condition: sa.ColumnElement[bool]) -> list[Line]:
    query = (
        sa.select(Invitation.category, *_FIGURES)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .where(condition)
        .group_by(Invitation.category)
        .order_by(sa.func.min(Invitation.id))
    )
    remarks = _remarks(Invitation.category, condition)
    return [
        Line(0, category, category, asked, opened, signed, remarks.get(category, 0))
        for category, asked, opened, signed in db.session.execute(query)
    ]


def of_member(member_id: int) -> Line | None:
    """One member's own line; None when they were never asked."""
    found: Sequence[Line] = [line for line in by_member() if line.key == member_id]
    return found[0] if found else None


def _remarks(
    column: sa.orm.InstrumentedAttribute[Any], condition: sa.ColumnElement[bool] | None = None
) -> dict[Any, int]:
    query = (
        sa.select(column, sa.func.count())
        .select_from(Remark)
        .join(Invitation, Invitation.id == Remark.invitation_id)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .group_by(column)
    )
    if condition is not None:
        query = query.where(condition)
    return {row[0]: row[1] for row in db.session.execute(query)}
