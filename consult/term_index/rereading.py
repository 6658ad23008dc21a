"""Reading again what was not read with the lexicon in force, and how far that is; `term_jobs` does it."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from consult.analysis.lexicon import Lexicon
from consult.submissions import Submission, SubmissionState
from consult.term_index.in_force import READING, lexicon
from consult.term_index.numbering import Numbering
from consult.term_index.rows import ENTRIES, UNREAD, TermEntry, TermReading, next_change
from consult.terms.reading import Batch, Chunk, blobs, uncollected, version_of
from core.db import Prepared, db, run


def _otherwise(reading: Any) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return TermEntry.reading_id < reading, TermEntry.reading_id > reading


_OUTDATED = (
    sa.select(TermEntry.submission_id, TermEntry.change, Submission.own_title, Submission.body)
    .join(Submission, Submission.id == TermEntry.submission_id)
    .where(
        TermEntry.submission_id > sa.bindparam("after"),
        sa.or_(*_otherwise(sa.bindparam("reading"))),
    )
    .order_by(TermEntry.submission_id)
    .limit(sa.bindparam("size"))
)
_RENEW = Prepared(
    sa.update(ENTRIES).where(
        ENTRIES.c.submission_id == sa.bindparam("id"), ENTRIES.c.change == sa.bindparam("seen")
    )
)


@dataclass(frozen=True, slots=True)
class Piece:
    """Opinions whose words have to be read: the chunk, and by id the change it was taken at."""

    chunk: Chunk
    seen: dict[int, int]


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the index is: what a page says beside its figures."""

    version: str
    entries: int
    outdated: int

    @property
    def whole(self) -> bool:
        """Whether every opinion has been read with the lexicon in force."""
        return not self.outdated


def enter_missing() -> int:
    """Make entries for opinions that are shown and have none; how many."""
    shown = (
        sa.select(
            Submission.id,
            Submission.consultation_id,
            sa.literal(next_change(), sa.BigInteger),
            sa.literal(UNREAD),
            sa.literal(0),
            sa.literal(b"", sa.LargeBinary),
            sa.literal(b"", sa.LargeBinary),
        )
        .outerjoin(TermEntry, TermEntry.submission_id == Submission.id)
        .where(Submission.state == SubmissionState.SHOWN, TermEntry.submission_id.is_(None))
    )
    names = ("submission_id", "consultation_id", "change", "reading_id", "stance")
    made = sa.insert(ENTRIES).from_select([*names, "terms", "opposed"], shown)
    result = db.session.execute(made)
    return result.rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


def forget_readings() -> None:
    """Have every entry read again; what was read before counts until then."""
    every = sa.update(TermEntry).where(TermEntry.reading_id.is_not(None))
    values = {"reading_id": UNREAD, "change": next_change()}
    db.session.execute(every.values(values), execution_options={"synchronize_session": False})


def outdated(reading: int) -> int:
    """How many entries have not been read this way."""
    return sum(
        db.session.scalar(sa.select(sa.func.count()).where(each)) or 0
        for each in _otherwise(reading)
    )


def any_outdated(reading: int) -> bool:
    """Whether an entry has not been read this way; asked often, answered by the ends of an index."""
    return any(
        db.session.scalar(sa.select(TermEntry.submission_id).where(each).limit(1)) is not None
        for each in _otherwise(reading)
    )


def is_behind() -> bool:
    """Whether an entry has not been read with the lexicon in force."""
    version = version_of(lexicon())
    reading: int | None = run(READING, {"version": version}).scalar()
    return any_outdated(reading) if reading is not None else any_outdated(-1)


def standing() -> Standing:
    """How far the index is now."""
    version = version_of(lexicon())
    find = sa.select(TermReading.id).where(TermReading.version == version)
    reading = db.session.scalar(find) or 0
    counted = sa.select(sa.func.count()).where(TermEntry.reading_id.is_not(None))
    entries = db.session.scalar(counted) or 0
    behind = outdated(reading) if reading else entries
    return Standing(version, entries, behind)


def pieces(wanted: Lexicon, reading: int, *, after: int, size: int) -> Iterator[Piece]:
    """What has to be read, by id, `size` opinions at a time. The transaction may be ended between
    any two."""
    while True:
        found = run(_OUTDATED, {"after": after, "reading": reading, "size": size})
        rows = found.all()
        if not rows:
            return
        after = rows[-1].submission_id
        texts = [(row.submission_id, row.own_title, row.body) for row in rows]
        yield Piece(Chunk(wanted, texts), {row.submission_id: row.change for row in rows})


def store(batch: Batch, piece: Piece, reading: int, numbering: Numbering) -> None:
    """Keep what was read; what has changed since its words were taken is left for the next time."""
    change = next_change()
    with uncollected():
        numbers = numbering.of(batch.words)
        seen = piece.seen
        _RENEW.many(
            db.session.connection(),
            {
                "id": batch.ids,
                "seen": [seen[id] for id in batch.ids],
                "change": itertools.repeat(change),
                "reading_id": itertools.repeat(reading),
                "stance": batch.stances,
                "terms": blobs(batch.starts, batch.terms, numbers),
                "opposed": blobs(batch.opposed_starts, batch.opposed, numbers),
            },
        )
