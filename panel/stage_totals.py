"""What the public learns of the panel's work: totals of a stage, and of it only what is public
itself: released rounds on public words, meetings that took place and were public or are recorded
publicly. A total behind which fewer than five people stand is not told; neither is the one from
which it could be taken by subtraction, so a round of so few is in no total.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult.consultations import Consultation
from consult.programmes import Stage
from consult.responses import Outcome
from core.db import db
from panel import remark_answers, review_ledger
from panel.guests import Invitation
from panel.ledger import CAME, TOOK_PLACE
from panel.meetings import Meeting
from panel.review_ledger import Line
from panel.rounds import Invitation as ReviewInvitation
from panel.rounds import ReviewRound

# Fewer people than these are not told of in public.
FEW = 5


@dataclass(frozen=True, slots=True)
class Attended:
    """The meetings of a stage: how many, to how many places members were asked, how many they
    took; None where fewer than five people are behind it."""

    meetings: int
    asked: int | None
    came: int | None

    @property
    def rate(self) -> int | None:
        """Attendances in a hundred invitations, rounded down."""
        return self.came * 100 // self.asked if self.came is not None and self.asked else None


@dataclass(frozen=True, slots=True)
class Totals:
    """One stage in figures; `stage` is None for meetings that belong to none."""

    stage: Stage | None
    rounds: list[tuple[ReviewRound, Line]]
    # Rounds too few were asked in, or answered, to tell anything of: in no figure here.
    small: list[ReviewRound]
    asked: int
    signed: int | None
    remarks: int | None
    # {outcome: points of remarks that ended so}, by published answers; None as above.
    outcomes: dict[Outcome, int | None]
    attended: Attended

    @property
    def rate(self) -> int | None:
        """Reviews in a hundred requests, rounded down."""
        return self.signed * 100 // self.asked if self.signed is not None and self.asked else None


def told(number: int, people: int | None = None) -> int | None:
    """A figure as the public may have it: None when 1 to 4 people are behind it."""
    behind = number if people is None else people
    return None if 0 < behind < FEW else number


def shielded(cells: Sequence[int]) -> list[int | None]:
    """Cells whose sum is known: where one alone would be left out, the next smallest goes, too."""
    kept = [told(number) for number in cells]
    if kept.count(None) == 1:
        rest = [place for place, number in enumerate(kept) if number]
        if rest:
            kept[min(rest, key=lambda place: cells[place])] = None
    return kept


def of_stages() -> list[Totals]:
    """The stages in which the public may know of anything, the newest first; at the end what
    belongs to none."""
    by_stage: dict[Stage, list[tuple[ReviewRound, Line]]] = {}
    for found, line in review_ledger.by_round(released_only=True):
        by_stage.setdefault(found.consultation.stage, []).append((found, line))
    met = _met()
    known = db.session.scalars(sa.select(Stage).where(Stage.id.in_([id for id in met if id])))
    stages = {*by_stage, *known}
    ordered = sorted(stages, key=lambda stage: (stage.programme_id, stage.ordinal), reverse=True)
    totals = [_totals(stage, by_stage.get(stage, []), met.get(stage.id)) for stage in ordered]
    if None in met:
        totals.append(_totals(None, [], met[None]))
    return totals


def _totals(
    stage: Stage | None, found: list[tuple[ReviewRound, Line]], attended: Attended | None
) -> Totals:
    rounds = [pair for pair in found if None not in (told(pair[1].asked), told(pair[1].signed))]
    kept = {each.id for each, _line in rounds}
    ids = [found.id for found, _line in rounds]
    signers = _signers(ids)
    return Totals(
        stage=stage,
        rounds=rounds,
        small=[each for each, _line in found if each.id not in kept],
        asked=sum(line.asked for _found, line in rounds),
        signed=told(sum(line.signed for _found, line in rounds), signers),
        remarks=told(sum(line.remarks for _found, line in rounds), signers),
        outcomes=_outcomes(ids),
        attended=attended or Attended(0, 0, 0),
    )


def _signers(rounds: Sequence[int]) -> int:
    signed = sa.func.count(sa.distinct(ReviewInvitation.member_id))
    query = sa.select(signed).where(
        ReviewInvitation.round_id.in_(rounds),
        ReviewInvitation.signed_at.is_not(None),
    )
    return db.session.execute(query).scalar_one()


def _outcomes(rounds: Sequence[int]) -> dict[Outcome, int | None]:
    found = remark_answers.outcomes(ReviewRound.id.in_(rounds))
    totals: dict[Outcome, int | None] = {}
    for outcome in Outcome:
        numbers = [each[outcome] for each in found.values() if outcome in each]
        if numbers:
            totals[outcome] = told(sum(numbers), len(numbers))
    return totals


def _met() -> dict[int | None, Attended]:
    """{stage: the meetings that took place and of which everybody may know}."""
    came = Invitation.attendance.in_(CAME)
    query = (
        sa.select(
            Consultation.stage_id,
            sa.func.count(sa.distinct(Meeting.id)),
            sa.func.count(Invitation.id),
            sa.func.count(sa.distinct(Invitation.member_id)),
            sa.func.count(sa.case((came, 1))),
            sa.func.count(sa.distinct(sa.case((came, Invitation.member_id)))),
        )
        .select_from(Meeting)
        .outerjoin(Consultation, Consultation.id == Meeting.consultation_id)
        .outerjoin(
            Invitation,
            sa.and_(Invitation.meeting_id == Meeting.id, Invitation.sent_at.is_not(None)),
        )
        .where(
            Meeting.state.in_(TOOK_PLACE),
            sa.or_(
                sa.and_(Meeting.is_public, Meeting.announced_at.is_not(None)),
                Meeting.record_public,
            ),
        )
        .group_by(Consultation.stage_id)
    )
    return {
        row[0]: Attended(row[1], told(row[2], row[3]), told(row[4], row[5]))
        for row in db.session.execute(query)
    }
