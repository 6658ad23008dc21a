"""The ledger (履职台账): per member, of one stage or of all, what was asked of them, what they did,
and what became of what they said. It is the office's; a member sees their own line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult.consultations import Consultation
from consult.programmes import Stage
from consult.responses import Outcome
from consult.submissions import Submission
from core.db import db
from panel import remark_answers, review_ledger
from panel.guests import Attendance, Invitation
from panel.meetings import Meeting, MeetingState
from panel.members import Member
from panel.minutes import MinutePoint
from panel.review_ledger import Line
from panel.rounds import ReviewRound

# Who came or sent somebody.
CAME = (Attendance.PRESENT, Attendance.SUBSTITUTE)
TOOK_PLACE = (MeetingState.HELD, MeetingState.RECORDED)
# What was taken up: in whole, in part, or because the draft said so already.
TAKEN = (Outcome.ADOPTED, Outcome.PARTLY, Outcome.ALREADY)


@dataclass(frozen=True, slots=True)
class Entry:
    """A member's line: their reviews, to how many meetings that took place they were asked, how
    many they attended, how much of what they said there has become opinions, and how their points
    that are answered were answered, of reviews and meetings together."""

    reviews: Line
    invited: int
    attended: int
    spoken: int
    outcomes: Mapping[Outcome, int]

    @property
    def remarks(self) -> int:
        """How many remarks joined the public stream, written or spoken."""
        return self.reviews.remarks + self.spoken

    @property
    def answered(self) -> int:
        """How many points have a published answer."""
        return sum(self.outcomes.values())

    @property
    def taken(self) -> int:
        """How many of them were taken up."""
        return sum(self.outcomes.get(each, 0) for each in TAKEN)


def stages() -> Sequence[Stage]:
    """The stages in which the panel was asked for anything, in their order."""
    reviewed = sa.select(ReviewRound.consultation_id).where(ReviewRound.opened_at.is_not(None))
    met = sa.select(Meeting.consultation_id).where(Meeting.state.in_(TOOK_PLACE))
    kept = sa.select(Consultation.stage_id).where(
        sa.or_(Consultation.id.in_(reviewed), Consultation.id.in_(met))
    )
    query = sa.select(Stage).where(Stage.id.in_(kept))
    return db.session.scalars(query.order_by(Stage.programme_id, Stage.ordinal)).all()


def by_member(stage: Stage | None = None) -> list[Entry]:
    """One line a member who was ever asked to review or to meet, those first who reviewed first.
    A meeting that belongs to no consultation belongs to no stage."""
    here = Consultation.stage_id == stage.id if stage else sa.true()
    ended = _together(
        remark_answers.outcomes(review_ledger.within(stage)),
        remark_answers.outcomes_of_meetings(here),
    )
    met, spoken = _met(stage), _spoken(here)
    lines = review_ledger.by_member(stage)
    known = {line.key for line in lines}
    lines += [
        Line(member.id, member.name, "", 0, 0, 0, 0)
        for member in _members([key for key in met if key not in known])
    ]
    return [
        Entry(line, *met.get(line.key, (0, 0)), spoken.get(line.key, 0), ended.get(line.key, {}))
        for line in lines
    ]


def of_member(member_id: int) -> Entry | None:
    """One member's own line; None when they were never asked for anything."""
    found = [entry for entry in by_member() if entry.reviews.key == member_id]
    return found[0] if found else None


def _met(stage: Stage | None) -> dict[int, tuple[int, int]]:
    """{member: to how many meetings that took place they were asked, how many they attended}."""
    query = (
        sa.select(
            Invitation.member_id,
            sa.func.count(),
            sa.func.count(sa.case((Invitation.attendance.in_(CAME), 1))),
        )
        .join(Meeting, Meeting.id == Invitation.meeting_id)
        .where(Invitation.sent_at.is_not(None), Meeting.state.in_(TOOK_PLACE))
        .group_by(Invitation.member_id)
        .order_by(Invitation.member_id)
    )
    if stage is not None:
        here = sa.select(Consultation.id).where(Consultation.stage_id == stage.id)
        query = query.where(Meeting.consultation_id.in_(here))
    return {row[0]: (row[1], row[2]) for row in db.session.execute(query)}


def _spoken(condition: sa.ColumnElement[bool]) -> dict[int, int]:
    """{member: how much of what they said at meetings has become opinions}."""
    query = (
        sa.select(MinutePoint.member_id, sa.func.count())
        .join(Submission, Submission.id == MinutePoint.submission_id)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(condition)
        .group_by(MinutePoint.member_id)
    )
    found = db.session.execute(query)
    return {member_id: number for member_id, number in found if member_id is not None}


def _together(*counted: dict[int, dict[Outcome, int]]) -> dict[int, Counter[Outcome]]:
    found: dict[int, Counter[Outcome]] = {}
    for each in counted:
        for member_id, numbers in each.items():
            found.setdefault(member_id, Counter()).update(numbers)
    return found


def _members(ids: Sequence[int]) -> Sequence[Member]:
    return db.session.scalars(sa.select(Member).where(Member.id.in_(ids)).order_by(Member.id)).all()
