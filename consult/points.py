"""Points (意见点): the single things a submission says, each of which gets an answer.

What a point is, how many there are, and how those who act on points hold them. The live points of a
submission always hold all of its words, each word once. What is done to points is `point_acts`; who
answers, and what, is said in `responses`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.analysis import splitting
from consult.consultations import Consultation
from consult.point_rows import Cooperation as Cooperation
from consult.point_rows import Point as Point
from consult.point_rows import PointGroup as PointGroup
from consult.point_rows import PointState as PointState
from consult.submissions import Submission
from core import audit
from core.db import db
from core.errors import Refused

audit.KINDS["point"] = _l("意见点")
audit.FIELDS["points"] = _l("意见点数")

LIVE, SUPERSEDED = PointState.LIVE, PointState.SUPERSEDED
Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Counts:
    """件、点、人 of a consultation, and into how many groups and single points they fall."""

    submissions: int
    points: int
    people: int
    groups: int
    single: int

    @property
    def rows(self) -> int:
        """How many different things were said: a group counts once."""
        return self.groups + self.single


# --- making and reading ------------------------------------------------------------------------


def make_first_of(condition: sa.ColumnElement[bool]) -> None:
    """The first points of the submissions just stored in bulk, in one statement."""
    first = sa.select(
        Submission.consultation_id,
        Submission.id,
        sa.literal(1),
        sa.literal(0),
        sa.literal(LIVE, Point.__table__.c.state.type),
        sa.literal(""),
        Submission.place,
        Submission.version_id,
        Submission.stance,
    ).where(condition)
    columns = [
        "consultation_id",
        "submission_id",
        "ordinal",
        "start",
        "state",
        "topic_key",
        "place",
        "version_id",
        "stance",
    ]
    db.session.execute(sa.insert(Point).from_select(columns, first, include_defaults=False))


def propose(text: str) -> list[Place]:
    """Where these words might be split: spans, one for each matter they seem to speak of."""
    return splitting.proposed(text)


def sentences(text: str) -> list[Place]:
    """The sentences from which a person makes points."""
    return splitting.sentences(text)


def words(point: Point, submission: Submission) -> str:
    """What the point says: always those words that may be read."""
    return submission.body[point.start : point.end].strip()


def of(submission_id: int) -> Sequence[Point]:
    """The live points of a submission in the order of its words."""
    return of_many([submission_id]).get(submission_id, [])


def of_many(submission_ids: Sequence[int]) -> dict[int, list[Point]]:
    """{submission id: its live points in the order of its words}."""
    query = (
        sa.select(Point)
        .where(Point.submission_id.in_(submission_ids), Point.state == LIVE)
        .order_by(Point.submission_id, Point.start)
    )
    found: dict[int, list[Point]] = {}
    for point in db.session.scalars(query):
        found.setdefault(point.submission_id, []).append(point)
    return found


def cooperating(ids: Sequence[int]) -> dict[int, list[int]]:
    """{point id: the units that help}."""
    query = sa.select(Cooperation).where(Cooperation.point_id.in_(ids))
    found: dict[int, list[int]] = {}
    for each in db.session.scalars(query.order_by(Cooperation.point_id, Cooperation.unit_id)):
        found.setdefault(each.point_id, []).append(each.unit_id)
    return found


def members(group_id: int) -> Sequence[Point]:
    """The live points of a group."""
    query = sa.select(Point).where(Point.group_id == group_id, Point.state == LIVE)
    return db.session.scalars(query.order_by(Point.id)).all()


def counts(consultation_id: int) -> Counts:
    """件、点、人, counted from the live points alone."""
    group = sa.case((Point.group_id.is_not(None), Point.group_id))
    query = (
        sa.select(
            sa.func.count(sa.distinct(Point.submission_id)),
            sa.func.count(Point.id),
            sa.func.count(sa.distinct(Submission.person_key)),
            sa.func.count(sa.distinct(sa.case((Submission.person_key.is_(None), Submission.id)))),
            sa.func.count(sa.distinct(group)),
            sa.func.count(sa.case((Point.group_id.is_(None), Point.id))),
        )
        .join(Submission, Submission.id == Point.submission_id)
        .where(Point.consultation_id == consultation_id, Point.state == LIVE)
    )
    pieces, points, known, alone, groups, single = db.session.execute(query).one()
    return Counts(pieces, points, known + alone, groups, single)


# --- what acts stand on ------------------------------------------------------------------------


def name(point: Point) -> str:
    """How a point is called in the record: 第12件第2点."""
    number = db.session.scalar(
        sa.select(Submission.number).where(Submission.id == point.submission_id)
    )
    return str(_("第%(n)d件第%(m)d点", n=number, m=point.ordinal))


def lock(points: Iterable[Point]) -> Sequence[Point]:
    """These points as they are now, held, in the order that everybody takes; refuses when one was
    taken apart."""
    ids = {p.id for p in points}
    found = locked(Point.id.in_(ids))
    if len(found) != len(ids):
        raise taken_apart()
    return found


def lock_consultation(consultation_id: int) -> None:
    """Let acts on the points of a consultation queue, so that no two see half of each other."""
    db.session.flush()
    db.session.execute(
        sa.select(Consultation.id).where(Consultation.id == consultation_id).with_for_update()
    )


def taken_apart() -> Refused:
    """What is said to somebody who comes after a point was split anew."""
    return Refused(_("这一点刚刚已被重新拆分，请刷新后再看。"))


def locked(*conditions: sa.ColumnElement[bool]) -> Sequence[Point]:
    """The live points of which this is true, held."""
    query = sa.select(Point).where(Point.state == LIVE, *conditions).order_by(Point.id)
    query = query.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(query).all()
