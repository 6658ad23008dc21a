"""Research topics (课题) of a programme and the units that lead and cooperate in each."""

from collections.abc import Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from consult.programmes import Programme
from core.db import Base, choice, db
from core.units import Unit


class Part(StrEnum):
    """What a unit does in a topic."""

    LEAD = "lead"
    COOPERATING = "cooperating"


class Topic(Base):
    """One topic. `group_key` and `theme` name entries of the programme's facts; `number` counts
    within the group, `ordinal` through the whole programme."""

    __tablename__ = "topic"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "key"),
        sa.UniqueConstraint("programme_id", "group_key", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    ordinal: Mapped[int]
    key: Mapped[str] = mapped_column(sa.String(64))
    group_key: Mapped[str] = mapped_column(sa.String(64))
    number: Mapped[int]
    theme: Mapped[str] = mapped_column(sa.String(120), default="")
    title: Mapped[str] = mapped_column(sa.String(200))
    # The same topic's title where the source's guide words it differently; "" when it does not.
    title_in_guide: Mapped[str] = mapped_column(sa.String(200), default="")
    division: Mapped[str] = mapped_column(sa.Text)
    cooperating_others: Mapped[list[str]] = mapped_column(default=list)
    mark: Mapped[str] = mapped_column(sa.String(60), default="")
    points: Mapped[list[str]] = mapped_column(default=list)

    programme: Mapped[Programme] = relationship()
    units: Mapped[list["TopicUnit"]] = relationship(
        back_populates="topic", order_by="TopicUnit.ordinal"
    )

    @property
    def lead(self) -> Unit:
        """The unit that leads."""
        return next(entry.unit for entry in self.units if entry.part is Part.LEAD)

    @property
    def cooperating(self) -> list[Unit]:
        """The named units that cooperate, in the order of the source."""
        return [entry.unit for entry in self.units if entry.part is Part.COOPERATING]


class TopicUnit(Base):
    """The part one unit has in one topic; the lead stands at ordinal 0."""

    __tablename__ = "topic_unit"
    __table_args__ = (
        sa.UniqueConstraint("topic_id", "unit_id"),
        # Never two leads: the lead is the entry at 0, and there is one entry per place.
        sa.UniqueConstraint("topic_id", "ordinal"),
        sa.CheckConstraint("(part = 'lead') = (ordinal = 0)", name="lead_comes_first"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    topic_id: Mapped[int] = mapped_column(sa.ForeignKey("topic.id"))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    ordinal: Mapped[int]
    part: Mapped[Part] = mapped_column(choice(Part))

    topic: Mapped[Topic] = relationship(back_populates="units")
    unit: Mapped[Unit] = relationship()


def of(programme: Programme) -> Sequence[Topic]:
    """The topics of `programme` with their units, in the order of the source, in two queries."""
    return db.session.scalars(
        sa.select(Topic)
        .where(Topic.programme_id == programme.id)
        .order_by(Topic.ordinal)
        .options(selectinload(Topic.units).joinedload(TopicUnit.unit))
    ).all()
