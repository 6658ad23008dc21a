"""What is kept: a link from a point to a changed paragraph; and the conditions under which it counts."""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, mapped_column

from consult import responses
from consult.comparisons import Pair
from consult.drafts import Draft, Version
from consult.points import Point
from consult.responses import Outcome, Response
from core.db import Base

# The outcomes that change the text.
MADE = (Outcome.ADOPTED, Outcome.PARTLY)


class PointChange(Base):
    """A paragraph that was changed because of a point.

    `version_id` is the later version; the paragraph is of it or, when it was struck out, of the
    version before. Both go when a version that was never published is deleted.
    """

    __tablename__ = "point_change"
    __table_args__ = (sa.UniqueConstraint("point_id", "version_id", "paragraph_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"))
    version_id: Mapped[int] = mapped_column(
        sa.ForeignKey("version.id", ondelete="CASCADE"), index=True
    )
    paragraph_id: Mapped[int] = mapped_column(
        sa.ForeignKey("paragraph.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[dt.datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))


def is_adopted() -> sa.ColumnElement[bool]:
    """Whether a point's answer is final and asks for other words in the draft; for queries that
    join Response."""
    return sa.and_(Response.outcome.in_(MADE), Response.state.in_(responses.DONE))


def is_unmet() -> sa.ColumnElement[bool]:
    """Whether a point is adopted, a later version is there, and nothing in it is linked; for
    queries that join Submission and Response."""
    linked = sa.select(PointChange.id).where(PointChange.point_id == Point.id).exists()
    made_on = aliased(Version)
    # What was made on no version was made on the first.
    number = (
        sa.select(made_on.number)
        .where(made_on.id == Point.version_id)
        .correlate(Point)
        .scalar_subquery()
    )
    later = (
        sa.select(Version.id)
        .join(Draft, Draft.id == Version.draft_id)
        .where(
            Draft.consultation_id == Point.consultation_id,
            Version.number > sa.func.coalesce(number, 1),
        )
        .correlate(Point)
        .exists()
    )
    return sa.and_(responses.needs_answer(), is_adopted(), sa.not_(linked), later)


def still_stands() -> sa.ColumnElement[bool]:
    """Whether a link still counts: the point lives and its answer still says so; for queries that
    join Point, Submission and Response."""
    return sa.and_(
        responses.needs_answer(), Response.outcome.in_(MADE), Response.state != responses.TODO
    )


def paragraphs_of(pairs: Iterable[Pair]) -> list[int]:
    """The ids of their paragraphs, of the earlier version and of the later one."""
    return [entry.id for pair in pairs for entry in (pair.before, pair.after) if entry is not None]
