"""What is kept of the words of opinions: the terms with their numbers, an entry an opinion, and the
clock by which they change."""

from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult.terms.reading import LONGEST
from core.db import Base, db, insert_into, run

UNREAD = 0


class Term(Base):
    """A word and its number, given once."""

    __tablename__ = "term"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(sa.String(LONGEST), unique=True)


class TermReading(Base):
    """A way of reading: a method and a lexicon, by the name of both."""

    __tablename__ = "term_reading"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(sa.String(80), unique=True)


class TermEntry(Base):
    """What one opinion says, in terms. One that is no longer shown stays as an empty entry, so that
    those who follow hear of it."""

    __tablename__ = "term_entry"
    __table_args__ = (
        sa.Index(None, "consultation_id", "change"),
        sa.Index(None, "reading_id", "submission_id"),
    )

    submission_id: Mapped[int] = mapped_column(
        sa.ForeignKey("submission.id"), primary_key=True, autoincrement=False
    )
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    change: Mapped[int] = mapped_column(sa.BigInteger)
    # UNREAD until its words have been read; None when it is not shown and does not count.
    reading_id: Mapped[int | None]
    # What the words say, a place in STANCES; what the author declared stands in the submission.
    stance: Mapped[int] = mapped_column(sa.SmallInteger)
    # Distinct term ids, sorted, as little-endian 32-bit numbers.
    terms: Mapped[bytes]
    opposed: Mapped[bytes]


class TermClock(Base):
    """One row: the number of the last change."""

    __tablename__ = "term_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    change: Mapped[int] = mapped_column(sa.BigInteger)


ENTRIES = cast(sa.Table, TermEntry.__table__)
TERMS = cast(sa.Table, Term.__table__)
CLOCK = cast(sa.Table, TermClock.__table__)
_RAISE = sa.update(CLOCK).values(change=CLOCK.c.change + 1).returning(CLOCK.c.change)


def next_change() -> int:
    """The next number of the clock. Its row is held until the transaction ends, and with it the
    right to give out numbers for words: writers of the index come one after the other."""
    change: int | None = run(_RAISE).scalar()
    if change is None:
        begun = insert_into(TermClock).values(id=1, change=0).on_conflict_do_nothing()
        db.session.execute(begun)
        change = run(_RAISE).scalar_one()
    return change
