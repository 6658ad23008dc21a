"""Finds answers, their words and what units said: by point, by submission, for their authors."""

from collections.abc import Sequence

import sqlalchemy as sa

from consult import points
from consult.points import LIVE, Point
from consult.response_rows import Remark, Response, ResponseState, ResponseVersion
from consult.submissions import GONE, Submission
from core.db import db


def concerns(point: Point, unit_id: int | None) -> bool:
    """Whether a unit answers a point or helps to (`is_with`, for a point that is at hand)."""
    if unit_id is None:
        return False
    if point.lead_unit_id == unit_id:
        return True
    return unit_id in points.cooperating([point.id]).get(point.id, ())


def of(point_id: int) -> Response | None:
    """The answer to a point; None while there is not even a unit for it."""
    return db.session.get(Response, point_id)


def of_many(point_ids: Sequence[int]) -> dict[int, Response]:
    """{point id: its answer}."""
    query = sa.select(Response).where(Response.point_id.in_(point_ids))
    return {each.point_id: each for each in db.session.scalars(query)}


def published_on(submission_ids: Sequence[int]) -> dict[int, Response]:
    """{point id: its published answer} of these submissions' live points."""
    query = (
        sa.select(Response)
        .join(Point, Point.id == Response.point_id)
        .where(
            Point.submission_id.in_(submission_ids),
            Point.state == LIVE,
            Response.state == ResponseState.PUBLISHED,
        )
    )
    return {each.point_id: each for each in db.session.scalars(query)}


def answered_among(submission_ids: Sequence[int]) -> frozenset[int]:
    """Which of these submissions their authors can read a published answer to."""
    theirs = sa.select(Submission.id).where(
        Submission.id.in_(submission_ids), Submission.state.not_in(GONE)
    )
    answered = sa.select(Point.submission_id).where(
        Point.id.in_(published_on(submission_ids)), Point.submission_id.in_(theirs)
    )
    return frozenset(db.session.scalars(answered))


def versions(point_id: int) -> Sequence[ResponseVersion]:
    """Every version of the words, the newest first."""
    query = sa.select(ResponseVersion).where(ResponseVersion.point_id == point_id)
    return db.session.scalars(query.order_by(ResponseVersion.id.desc())).all()


def remarks(point_id: int) -> Sequence[Remark]:
    """What units said about a point, the oldest first."""
    query = sa.select(Remark).where(Remark.point_id == point_id)
    return db.session.scalars(query.order_by(Remark.id)).all()
