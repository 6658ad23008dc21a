"""What opinions say, in terms: out of the index where it was read in the very same way, else read
from the words. Either gives the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from consult.analysis.lexicon import Lexicon
from consult.term_index import Term, TermEntry, TermReading
from consult.terms import reading
from core.db import batches, db, run

# Texts read together.
_READ = 2_000


@dataclass(frozen=True, slots=True)
class Said:
    """What one text says: its distinct terms, sorted, those it speaks against, and its stance."""

    terms: tuple[str, ...]
    opposed: frozenset[str]
    stance: str


def kept(consultation_ids: Sequence[int], lexicon: Lexicon) -> dict[int, Said]:
    """What the index holds of the opinions of these consultations, by opinion: those that were read
    with this lexicon, and are shown."""
    query = (
        sa.select(TermEntry.submission_id, TermEntry.stance, TermEntry.terms, TermEntry.opposed)
        .join(TermReading, TermReading.id == TermEntry.reading_id)
        .where(TermEntry.consultation_id.in_(consultation_ids))
        .where(TermReading.version == reading.version_of(lexicon))
    )
    found = db.session.execute(query).all()
    if not found:
        return {}
    ids, stances, *kinds = zip(*found, strict=True)
    rows = [_rows(blobs) for blobs in kinds]
    # By term: whether it is held, then its place among those that are, in order of the words.
    places = np.zeros(max(int(numbers.max(initial=0)) for _s, numbers in rows) + 1, dtype=np.int64)
    for _starts, numbers in rows:
        places[numbers] = 1
    wanted = np.flatnonzero(places)
    words = _words(wanted.tolist())
    order = sorted(range(len(words)), key=words.__getitem__)
    places[wanted[order]] = np.arange(len(words))
    names = [words[place] for place in order]
    terms, opposed = (
        _named(starts, _sorted(starts, places[numbers]), names) for starts, numbers in rows
    )
    told = map(reading.STANCES.__getitem__, stances)
    return dict(zip(ids, map(Said, terms, map(frozenset, opposed), told), strict=True))


def read(lexicon: Lexicon, texts: Sequence[tuple[str, str]]) -> list[Said]:
    """What each of these texts (title, body) says; equal ones are read once."""
    numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
    said = list(chain.from_iterable(_read(lexicon, list(numbers))))
    return [said[numbers[text]] for text in texts]


def _read(lexicon: Lexicon, texts: Sequence[tuple[str, str]]) -> Iterator[Iterator[Said]]:
    for some in batches(texts, _READ):
        chunk = reading.Chunk(lexicon, [(n, *text) for n, text in enumerate(some)])
        batch = reading.read(chunk)
        terms = _named(batch.starts, batch.terms, batch.words)
        opposed = _named(batch.opposed_starts, batch.opposed, batch.words)
        told = (reading.STANCES[stance] for stance in batch.stances)
        yield map(Said, terms, map(frozenset, opposed), told)


Numbers = npt.NDArray[np.integer]


def _rows(blobs: Sequence[bytes]) -> tuple[Numbers, Numbers]:
    """Where each row of numbers begins, and one more would; and all numbers."""
    starts = np.zeros(len(blobs) + 1, dtype=np.int64)
    np.cumsum([len(blob) // 4 for blob in blobs], out=starts[1:])
    return starts, np.frombuffer(b"".join(blobs), dtype="<u4").astype(np.int64)


def _sorted(starts: Numbers, ranks: Numbers) -> Numbers:
    rows = np.repeat(np.arange(len(starts) - 1, dtype=np.int64) << 32, np.diff(starts))
    ordered: Numbers = np.sort(rows | ranks) & 0xFFFFFFFF
    return ordered


def _named(starts: Numbers, places: Numbers, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    every = list(map(names.__getitem__, places.tolist()))
    return (tuple(every[first:last]) for first, last in pairwise(starts.tolist()))


_WORDS = sa.select(Term.id, Term.word).where(Term.id.in_(sa.bindparam("ids", expanding=True)))


def _words(ids: Sequence[int]) -> list[str]:
    found: Mapping[int, str] = {
        row.id: row.word for some in batches(ids) for row in run(_WORDS, {"ids": list(some)})
    }
    return [found[id] for id in ids]
