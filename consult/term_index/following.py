"""Following what is shown: entries are made, emptied and renewed in the act that shows, masks or
hides their opinions."""

import itertools
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from consult.submissions import Submission, SubmissionState
from consult.term_index.in_force import lexicon, reading_of
from consult.term_index.numbering import Numbering, numbers_of
from consult.term_index.rows import ENTRIES, UNREAD, TermEntry, next_change
from consult.terms import reading
from consult.terms.reading import Batch, Chunk, Numbers, blobs, uncollected, version_of
from core.db import Prepared, batches, db, run

# So many opinions at once are read in the act itself; of more, a job reads the words.
AT_ONCE = 100
# Following one opinion is part of the act that shows it, so its statements are built once and sent
# past the ORM, which takes several times as long as the database.
_SEEN = (
    sa.select(
        Submission.id,
        Submission.consultation_id,
        Submission.own_title,
        Submission.body,
        (Submission.state == SubmissionState.SHOWN).label("shown"),
        TermEntry.submission_id.is_not(None).label("entered"),
    )
    .outerjoin(TermEntry, TermEntry.submission_id == Submission.id)
    .where(Submission.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Submission.id)
)
_DROP = sa.delete(ENTRIES).where(ENTRIES.c.submission_id.in_(sa.bindparam("ids", expanding=True)))
_ENTER = Prepared(sa.insert(ENTRIES))


def follow(ids: Sequence[int]) -> None:
    """Bring the entries of these opinions in line with what is shown of them now."""
    db.session.flush()
    for some in batches(ids):
        _follow(list(some), read=len(ids) <= AT_ONCE)


def heed(ids: Sequence[int]) -> None:
    """Let it be seen that something about these opinions has changed, though not their words."""
    here = TermEntry.submission_id.in_(ids)
    if db.session.scalar(sa.select(TermEntry.submission_id).where(here).limit(1)) is None:
        return
    stirred = sa.update(TermEntry).where(here).values(change=next_change())
    db.session.execute(stirred, execution_options={"synchronize_session": False})


class Entering:
    """Entries for opinions that are stored now and were read before: with the lexicon in force when
    this was made. Of no use any more after a transaction that was rolled back."""

    def __init__(self) -> None:
        self.lexicon = lexicon()
        self._reading = reading_of(version_of(self.lexicon))
        self._numbering = Numbering()

    def enter(
        self, ids: Sequence[int], consultation_id: int, batch: Batch, places: Sequence[int]
    ) -> None:
        """Opinions that are shown and have no entries yet, and the place of each in the batch."""
        change = next_change()
        numbers = self._numbering.of(batch.words)
        with uncollected():
            terms = blobs(batch.starts, batch.terms, numbers)
            opposed = blobs(batch.opposed_starts, batch.opposed, numbers)
            _ENTER.many(
                db.session.connection(),
                {
                    "submission_id": ids,
                    "consultation_id": itertools.repeat(consultation_id),
                    "change": itertools.repeat(change),
                    "reading_id": itertools.repeat(self._reading),
                    "stance": [batch.stances[place] for place in places],
                    "terms": [terms[place] for place in places],
                    "opposed": [opposed[place] for place in places],
                },
            )


def _follow(ids: Sequence[int], *, read: bool) -> None:
    seen = run(_SEEN, {"ids": ids}).all()
    shown = [row for row in seen if row.shown]
    known = {row.id for row in seen if row.entered}
    gone = known - {row.id for row in shown}
    if not shown and not gone:
        return
    chunk = Chunk(lexicon(), [(row.id, row.own_title, row.body) for row in shown]) if read else None
    batch = reading.read(chunk) if chunk and shown else None
    change = next_change()
    if gone:
        emptied = sa.update(TermEntry).where(TermEntry.submission_id.in_(gone))
        values = {"change": change, "reading_id": None, "stance": 0, "terms": b"", "opposed": b""}
        db.session.execute(emptied.values(values), execution_options={"synchronize_session": False})
    if not shown:
        return
    if chunk and batch:
        way = reading_of(version_of(chunk.lexicon))
        rows = _rows(batch, numbers_of(batch.words), way, change)
    else:
        rows = [
            {"submission_id": row.id, "change": change, "reading_id": UNREAD, "stance": 0}
            | {"terms": b"", "opposed": b""}
            for row in shown
        ]
    of = {row.id: row.consultation_id for row in shown}
    _renew([row | {"consultation_id": of[row["submission_id"]]} for row in rows], known)


def _renew(rows: list[dict[str, Any]], known: set[int]) -> None:
    """Put these entries in the place of those that are known, under their numbers."""
    replaced = [row["submission_id"] for row in rows if row["submission_id"] in known]
    if replaced:
        run(_DROP, {"ids": replaced})
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    _ENTER.many(db.session.connection(), columns)


def _rows(batch: Batch, ids: Numbers, reading: int, change: int) -> list[dict[str, Any]]:
    """The entries of a batch, without their consultations."""
    terms = blobs(batch.starts, batch.terms, ids)
    opposed = blobs(batch.opposed_starts, batch.opposed, ids)
    return [
        {
            "submission_id": id,
            "change": change,
            "reading_id": reading,
            "stance": stance,
            "terms": said,
            "opposed": against,
        }
        for id, stance, said, against in zip(batch.ids, batch.stances, terms, opposed, strict=True)
    ]
