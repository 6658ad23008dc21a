"""The ledger of reviews (履职台账): per member and per round who was asked, opened, reviewed and how
much they said; the response rate by category. For the public there are totals only."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

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


def by_member(programme_id: int | None = None) -> list[Line]:
    """One line a member ever asked, in the order in which they were first asked."""
    query = (
        sa.select(
            Invitation.member_id,
            sa.func.max(Invitation.name),
            sa.func.max(Invitation.category),
            *_FIGURES,
        )
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .group_by(Invitation.member_id)
        .order_by(sa.func.min(Invitation.id))
    )
    if programme_id is not None:
        query = query.where(ReviewRound.programme_id == programme_id)
    remarks = _remarks(Invitation.member_id)
    return [
        Line(key, name, category, asked, opened, signed, remarks.get(key, 0))
        for key, name, category, asked, opened, signed in db.session.execute(query)
    ]


def by_round(*, released_only: bool = False) -> list[tuple[ReviewRound, Line]]:
    """One line an opened round, the newest first."""
    query = (
        sa.select(Invitation.round_id, *_FIGURES)
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
    """The response of each category in one round, in words order."""
    query = (
        sa.select(Invitation.category, *_FIGURES)
        .where(Invitation.round_id == review_round.id)
        .group_by(Invitation.category)
        .order_by(sa.func.min(Invitation.id))
    )
    counted = (
        sa.select(Invitation.category, sa.func.count())
        .join(Remark, Remark.invitation_id == Invitation.id)
        .where(Invitation.round_id == review_round.id)
        .group_by(Invitation.category)
    )
    remarks = {row[0]: row[1] for row in db.session.execute(counted)}
    return [
        Line(0, category, category, asked, opened, signed, remarks.get(category, 0))
        for category, asked, opened, signed in db.session.execute(query)
    ]


def of_member(member_id: int) -> Line | None:
    """One member's own line; None when they were never asked."""
    found: Sequence[Line] = [line for line in by_member() if line.key == member_id]
    return found[0] if found else None


def _remarks(column: sa.orm.InstrumentedAttribute[int]) -> dict[int, int]:
    query = (
        sa.select(column, sa.func.count())
        .select_from(Remark)
        .join(Invitation, Invitation.id == Remark.invitation_id)
        .group_by(column)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
