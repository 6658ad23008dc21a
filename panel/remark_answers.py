"""What became of remarks (意见去向): the published answers to what members said, and the words of the
draft that were changed because of it. What is not published yet is told as being dealt with."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from consult import changes, points, responses
from consult.changes import Change
from consult.consultations import Consultation
from consult.points import Point
from consult.responses import Outcome, Response, ResponseState
from consult.submissions import Submission
from core.db import db
from panel import minutes, remarks
from panel.minutes import MinutePoint
from panel.remarks import Remark
from panel.rounds import Invitation, ReviewRound


@dataclass(frozen=True, slots=True)
class Answered:
    """One point of a remark and its published answer, None while there is none; the words of
    published versions that were changed because of it."""

    words: str
    outcome: Outcome | None
    reason: str
    changed: list[Change]


@dataclass(frozen=True, slots=True)
class Fate:
    """A member's remark as an opinion, the round or the meeting it was made in, and what became of
    its points."""

    submission: Submission
    where: str
    consultation: Consultation
    points: list[Answered]

    @property
    def is_whole(self) -> bool:
        """Whether it was answered as it stands, in one piece."""
        return len(self.points) == 1


def of_member(member_id: int, *, before: int | None = None, limit: int) -> list[Fate]:
    """What became of a member's remarks that have joined the public stream, those of reviews and
    those of meetings, the newest first."""
    said = [
        (submission, found.title, consultation)
        for of_kind in (remarks.of_member, minutes.of_member)
        for submission, found, consultation in of_kind(member_id, before=before, limit=limit)
    ]
    said.sort(key=lambda each: -each[0].id)
    said = said[:limit]
    ids = [submission.id for submission, _where, _consultation in said]
    live = points.of_many(ids)
    published = responses.published_on(ids)
    changed = changes.of_points(list(published))
    return [
        Fate(
            submission,
            where,
            consultation,
            [
                _answered(point, submission, published.get(point.id), changed.get(point.id, []))
                for point in live.get(submission.id, [])
            ],
        )
        for submission, where, consultation in said
    ]


def _answered(
    point: Point, submission: Submission, response: Response | None, changed: list[Change]
) -> Answered:
    words = points.words(point, submission)
    if response is None:
        return Answered(words, None, "", [])
    return Answered(words, response.outcome, response.reason, changed)


def outcomes(condition: sa.ColumnElement[bool]) -> dict[int, dict[Outcome, int]]:
    """{member: how many points of their remarks ended how}, by published answers alone, in the
    rounds that meet the condition."""
    return _outcomes(
        sa.select(Invitation.member_id, Remark.submission_id)
        .join(Remark, Remark.invitation_id == Invitation.id)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .where(condition)
    )


def outcomes_of_meetings(condition: sa.ColumnElement[bool]) -> dict[int, dict[Outcome, int]]:
    """The same of what members said at meetings, in the consultations that meet the condition."""
    return _outcomes(
        sa.select(MinutePoint.member_id, MinutePoint.submission_id)
        .join(Submission, Submission.id == MinutePoint.submission_id)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(MinutePoint.member_id.is_not(None), condition)
    )


def _outcomes(said: sa.Select[Any, Any]) -> dict[int, dict[Outcome, int]]:
    pairs = said.subquery()
    query = (
        sa.select(pairs.c.member_id, Response.outcome, sa.func.count(Point.id))
        .select_from(pairs)
        .join(Point, Point.submission_id == pairs.c.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(Point.state == points.LIVE, Response.state == ResponseState.PUBLISHED)
        .group_by(pairs.c.member_id, Response.outcome)
    )
    found: dict[int, dict[Outcome, int]] = {}
    for member_id, outcome, number in db.session.execute(query):
        if outcome is not None:
            found.setdefault(member_id, {})[outcome] = number
    return found
