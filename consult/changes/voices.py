"""Because of whom a version changed: the points behind its paragraphs, those not to be read told
as a number."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult import points
from consult.changes.rows import PointChange, paragraphs_of, still_stands
from consult.comparisons import Pair
from consult.points import Point
from consult.responses import Response, ResponseState
from consult.revisions import Revision
from consult.submissions import Submission, SubmissionState
from core.db import db

PUBLISHED, SHOWN = ResponseState.PUBLISHED, SubmissionState.SHOWN


@dataclass(frozen=True, slots=True)
class Voice:
    """A point behind a change, first of `count` that are grouped and answered with it."""

    point: Point
    submission: Submission
    response: Response
    count: int

    @property
    def words(self) -> str:
        """What it says, as far as it may be read."""
        return points.words(self.point, self.submission)


@dataclass(frozen=True, slots=True)
class Silent:
    """Points behind a change that a public page does not tell: how many have an answer that is
    out but words that are not shown, and how many wait for their answer to be published."""

    kept_back: int
    waiting: int


def behind(revision: Revision, pairs: Sequence[Pair], *, public: bool) -> dict[int, list[Voice]]:
    """{mark: the points behind the change of this paragraph}, those of a group as one. `public`:
    only those whose opinion is shown and whose answer is published."""
    first, count = sa.func.min(Point.id), sa.func.count(sa.distinct(Point.id))
    query = (
        sa.select(PointChange.paragraph_id, first, count)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            PointChange.version_id == revision.version_id,
            PointChange.paragraph_id.in_(paragraphs_of(pairs)),
            still_stands(),
        )
        # Those of no group stand alone.
        .group_by(PointChange.paragraph_id, sa.func.coalesce(Point.group_id, -Point.id))
        .order_by(first)
    )
    if public:
        query = query.where(Submission.state == SHOWN, Response.state == PUBLISHED)
    rows = db.session.execute(query).all()
    said = _said({point_id for _paragraph, point_id, _count in rows})
    found: dict[int, list[Voice]] = {}
    for paragraph_id, point_id, number in rows:
        mark = revision.by_paragraph[paragraph_id].mark
        found.setdefault(mark, []).append(Voice(*said[point_id], number))
    return found


def _said(ids: Collection[int]) -> dict[int, tuple[Point, Submission, Response]]:
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(Point.id.in_(ids))
    )
    return {p.id: (p, s, r) for p, s, r in db.session.execute(query)}


def silent(revision: Revision, pairs: Sequence[Pair]) -> dict[int, Silent]:
    """{mark: how many points behind the change a public page does not tell}."""
    kept_back = sa.case((sa.and_(Response.state == PUBLISHED, Submission.state != SHOWN), Point.id))
    waiting = sa.case((Response.state != PUBLISHED, Point.id))
    query = (
        sa.select(
            PointChange.paragraph_id,
            sa.func.count(sa.distinct(kept_back)),
            sa.func.count(sa.distinct(waiting)),
        )
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            PointChange.version_id == revision.version_id,
            PointChange.paragraph_id.in_(paragraphs_of(pairs)),
            still_stands(),
        )
        .group_by(PointChange.paragraph_id)
    )
    return {
        revision.by_paragraph[paragraph_id].mark: Silent(back, wait)
        for paragraph_id, back, wait in db.session.execute(query)
        if back or wait
    }


def wanted(revision: Revision) -> set[int]:
    """The marks of the changed paragraphs that some point stands behind; all others were changed
    by those who write the draft."""
    query = (
        sa.select(PointChange.paragraph_id)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(PointChange.version_id == revision.version_id, still_stands())
        .distinct()
    )
    found = (revision.by_paragraph.get(each) for each in db.session.scalars(query))
    return {pair.mark for pair in found if pair is not None}


def numbers_behind(revision: Revision) -> dict[int, list[list[int]]]:
    """{mark: the points behind the change as [number of the opinion, ordinal]}, for the record."""
    query = (
        sa.select(PointChange.paragraph_id, Submission.number, Point.ordinal)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(PointChange.version_id == revision.version_id, still_stands())
        .order_by(Submission.number, Point.ordinal)
    )
    found: dict[int, list[list[int]]] = {}
    for paragraph_id, number, ordinal in db.session.execute(query):
        if (pair := revision.by_paragraph.get(paragraph_id)) is not None:
            found.setdefault(pair.mark, []).append([number, ordinal])
    return found
