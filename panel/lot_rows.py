"""Lots for the public's seats, what is kept: the fixed list, the seed it waits for, the draw."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.db import Base, db


class SeatPool(Base):
    """Among whom lots will be drawn, fixed before anybody can know the seed. `numbers` are numbers
    as text, `sha256` is that of the numbers joined by commas."""

    __tablename__ = "seat_pool"
    __table_args__ = (sa.CheckConstraint("frozen_at < known_at", name="before_the_seed"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"), unique=True)
    numbers: Mapped[list[str]]
    sha256: Mapped[str] = mapped_column(sa.String(64))
    # Which public number will be the seed, and from when on it can be known.
    source: Mapped[str] = mapped_column(sa.String(200))
    known_at: Mapped[dt.datetime]
    frozen_at: Mapped[dt.datetime]
    by_name: Mapped[str] = mapped_column(sa.String(120))

    changes: Mapped[list["SeedChange"]] = relationship(order_by="SeedChange.id")


class SeedChange(Base):
    """One time another public number was named because the first never came; shown to everybody."""

    __tablename__ = "seed_change"
    __table_args__ = (
        sa.CheckConstraint("changed_at < new_known_at", name="before_the_seed"),
        sa.CheckConstraint("reason <> ''", name="why_changed"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(sa.ForeignKey("seat_pool.id"), index=True)
    former_source: Mapped[str] = mapped_column(sa.String(200))
    former_known_at: Mapped[dt.datetime]
    new_source: Mapped[str] = mapped_column(sa.String(200))
    new_known_at: Mapped[dt.datetime]
    reason: Mapped[str] = mapped_column(sa.String(300))
    changed_at: Mapped[dt.datetime]
    by_name: Mapped[str] = mapped_column(sa.String(120))


class SeatDraw(Base):
    """A draw with all that is needed to repeat it. `pool` and `drawn` are numbers as text."""

    __tablename__ = "seat_draw"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"), unique=True)
    seed: Mapped[str] = mapped_column(sa.String(100))
    algorithm: Mapped[str] = mapped_column(sa.String(20))
    pool: Mapped[list[str]]
    drawn: Mapped[list[str]]
    seats: Mapped[int]
    drawn_at: Mapped[dt.datetime]
    by_name: Mapped[str] = mapped_column(sa.String(120))


def pool_of(meeting_id: int) -> SeatPool | None:
    """The fixed list of a meeting's draw, once there is one."""
    return db.session.scalar(sa.select(SeatPool).where(SeatPool.meeting_id == meeting_id))


def draw_of(meeting_id: int) -> SeatDraw | None:
    """The draw of a meeting, if there was one."""
    return db.session.scalar(sa.select(SeatDraw).where(SeatDraw.meeting_id == meeting_id))
