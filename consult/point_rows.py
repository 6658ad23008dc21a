"""The rows of points (意见点): what `points` and `point_acts` work with, and the first point of
every submission.

They stand below `submissions`, because whatever stores a submission makes its first point in the
same transaction: a submission without a point could be forgotten when answers are counted. The
acts on points need to read submissions, so those stand above, in `point_acts`.
"""

import datetime as dt
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult.stances import Stance
from core.db import Base, Prepared, choice


class PointState(Enum):
    """Whether a point stands, or others took its place when the submission was split anew."""

    LIVE = "live"
    SUPERSEDED = "superseded"


class ActKind(Enum):
    """What was done to points."""

    SPLIT = "split"
    MERGE = "merge"
    UNGROUP = "ungroup"
    MOVE = "move"
    APART = "apart"
    ASSIGN = "assign"

    @property
    def title(self) -> str:
        """The act in the words of the page."""
        titles: dict[ActKind, str] = {
            ActKind.SPLIT: _("拆分"),
            ActKind.MERGE: _("归并"),
            ActKind.UNGROUP: _("移出归并"),
            ActKind.MOVE: _("调整位置与类别"),
            ActKind.APART: _("认定不是同一意见"),
            ActKind.ASSIGN: _("指定经办人"),
        }
        return titles[self]


class PointGroup(Base):
    """Points that say the same, answered at once."""

    __tablename__ = "point_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    made_at: Mapped[dt.datetime]
    made_by_id: Mapped[int | None]


class Point(Base):
    """One thing that a submission says: the words from `start` to `end` of its body.

    Offsets, not words, are kept: masking blanks characters one for one, so that the words cut
    here are always those that may be read. `end` NULL is the end of the body, wherever it comes
    to stand: what an author adds later belongs to the last point.
    """

    __tablename__ = "point"
    __table_args__ = (
        sa.CheckConstraint('"end" IS NULL OR "end" > start', name="not_empty"),
        sa.CheckConstraint("start >= 0", name="begins"),
        sa.Index(None, "consultation_id", "state", "id"),
        sa.Index(None, "submission_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"))
    # Counts through all points that ever were of the submission; a number is never used again.
    ordinal: Mapped[int]
    start: Mapped[int] = mapped_column(default=0)
    end: Mapped[int | None]
    state: Mapped[PointState] = mapped_column(choice(PointState), default=PointState.LIVE)
    group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_group.id"), index=True)
    # A key of the programme's own taxonomy; "" until somebody has confirmed one.
    topic_key: Mapped[str] = mapped_column(sa.String(64), default="")
    # The same for its field of the discussion and its special plan.
    field_key: Mapped[str] = mapped_column(sa.String(64), server_default=sa.text("''"))
    plan_key: Mapped[str] = mapped_column(sa.String(64), server_default=sa.text("''"))
    # A paragraph's id, or 0 for the whole draft, as in a submission.
    place: Mapped[int] = mapped_column(default=0)
    version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("version.id"))
    stance: Mapped[Stance | None] = mapped_column(choice(Stance))
    lead_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), index=True)


class Cooperation(Base):
    """A unit that helps the lead unit answer a point."""

    __tablename__ = "point_cooperation"

    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True)
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), primary_key=True, index=True)


class PointAct(Base):
    """What was done to points, so that it can be followed and undone. Rows are never removed.

    `before` and `after` are plain: {"points": […ids…], …}; which keys, each act of `point_acts` says.
    """

    __tablename__ = "point_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    # The submission that was split; NULL for what touches several.
    submission_id: Mapped[int | None] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    kind: Mapped[ActKind] = mapped_column(choice(ActKind))
    before: Mapped[dict[str, Any]]
    after: Mapped[dict[str, Any]]
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))
    undone_at: Mapped[dt.datetime | None]
    undone_by_id: Mapped[int | None]


class SavedView(Base):
    """Filters of a workbench that somebody uses again, under a name of theirs."""

    __tablename__ = "saved_view"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(sa.String(40))
    query: Mapped[str] = mapped_column(sa.String(400))
    # Whether it is a view of what was given to one's own unit, not of a round's points.
    of_unit: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


_MADE = Prepared(sa.insert(Point))


def make_first(submission: dict[str, Any], connection: sa.Connection) -> None:
    """The one point that a submission is until somebody splits it: all of its words."""
    row = {
        "consultation_id": submission["consultation_id"],
        "submission_id": submission["submission_id"],
        "ordinal": 1,
        "start": 0,
        "end": None,
        "state": PointState.LIVE,
        "group_id": None,
        "topic_key": "",
        "place": submission["place"],
        "version_id": submission["version_id"],
        "stance": submission["stance"],
        "lead_unit_id": None,
    }
    _MADE.run(connection, row)
