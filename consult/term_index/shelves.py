"""Counting: the opinions of a consultation in memory, where each process follows by reading what has
changed since."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock, RLock
from typing import Any

import numpy as np
import sqlalchemy as sa

from consult.submissions import Channel, Stance, Submission
from consult.term_index.numbering import numbers_known
from consult.term_index.rows import TermEntry
from consult.terms.reading import STANCES, uncollected
from consult.terms.shelf import Columns, Shelf, View
from core.db import batches, db, run

CHANNELS = tuple(Channel)
# Shelves a process keeps, the last used; and rows of one read together.
SHELVES = 12
SHELVED = 20_000
# Past the ORM, and choices as they are stored: a first reading is of all there is.
_CHANGED = (
    sa.select(
        TermEntry.submission_id,
        TermEntry.change,
        TermEntry.reading_id,
        TermEntry.stance,
        TermEntry.terms,
        TermEntry.opposed,
        Submission.place,
        sa.type_coerce(Submission.channel, sa.String),
        sa.type_coerce(Submission.stance, sa.String),
        Submission.received_on,
        Submission.person_key,
    )
    .join(Submission, Submission.id == TermEntry.submission_id)
    .where(
        TermEntry.consultation_id == sa.bindparam("consultation_id"),
        TermEntry.change > sa.bindparam("change"),
    )
)
_CHANNEL_NUMBERS = {channel.value: number for number, channel in enumerate(CHANNELS)}
# By what an author declared the place in STANCES; "none" and nothing declare nothing.
_DECLARED = {each.value: STANCES.index(each.value) for each in Stance if each is not Stance.NONE}


@dataclass(slots=True)
class _Kept:
    shelf: Shelf
    change: int
    lock: Any


_shelves: "OrderedDict[tuple[str, int], _Kept]" = OrderedDict()
_lock = Lock()


def shelf(consultation_id: int) -> View:
    """The opinions of a consultation, as the database has them now."""
    key = (str(db.engine.url), consultation_id)
    with _lock:
        kept = _shelves.setdefault(key, _Kept(Shelf(), 0, RLock()))
        _shelves.move_to_end(key)
        while len(_shelves) > SHELVES:
            _shelves.popitem(last=False)
    with kept.lock:
        kept.change = _follow_shelf(kept.shelf, consultation_id, kept.change)
        return kept.shelf.view()


def _follow_shelf(shelf: Shelf, consultation_id: int, since: int) -> int:
    """Bring a shelf to what the database has now, `SHELVED` rows at a time; the last change."""
    with uncollected():
        values = {"consultation_id": consultation_id, "change": since}
        found = run(_CHANGED, values)
        for rows in iter(lambda: found.fetchmany(SHELVED), []):
            since = max(since, _shelve(shelf, rows))
    return since


def _shelve(shelf: Shelf, rows: Sequence[Any]) -> int:
    ids, changes, readings, said, terms, opposed, *rest = zip(*rows, strict=True)
    places, channels, stances, days, persons = rest
    ordinals = {day: day.toordinal() for day in set(days)}
    shelf.take(
        Columns(
            id=ids,
            place=places,
            channel=[_CHANNEL_NUMBERS[channel] for channel in channels],
            stance=[_DECLARED.get(s, read) for s, read in zip(stances, said, strict=True)],
            declared=[stance in _DECLARED for stance in stances],
            day=[ordinals[day] for day in days],
            # Nobody can be shown to be one person with another unless both carry the same key.
            person=[
                _number_of(person) if person else -id
                for person, id in zip(persons, ids, strict=True)
            ],
            terms=[
                said_terms if reading is not None else None
                for said_terms, reading in zip(terms, readings, strict=True)
            ],
            opposed=opposed,
        )
    )
    last: int = max(changes)
    return last


def _number_of(person_key: str) -> int:
    return int.from_bytes(hashlib.blake2b(person_key.encode(), digest_size=7).digest())


def holding(ids: Sequence[int], word: str) -> set[int]:
    """Which of these opinions hold a term, as they were read last."""
    number = numbers_known([word]).get(word)
    if number is None:
        return set()
    found: set[int] = set()
    query = sa.select(TermEntry.submission_id, TermEntry.terms)
    for some in batches(ids):
        rows = db.session.execute(query.where(TermEntry.submission_id.in_(some)))
        found.update(id for id, terms in rows if number in np.frombuffer(terms, dtype="<u4"))
    return found
