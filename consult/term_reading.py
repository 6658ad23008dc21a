"""Reading many opinions at once: texts in, the terms of each out. Pure, and fit to be handed to
another process or machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from consult.analysis import cues
from consult.analysis.engine import METHOD, Engine
from consult.analysis.lexicon import Lexicon

STANCES = ("none", "support", "oppose", "suggest", "question", "appeal")
# What is longer is a row of letters, not a word.
LONGEST = 60
Numbers = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Opinions to be read with one lexicon: (id, title, body)."""

    lexicon: Lexicon
    texts: Sequence[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What a chunk says. `words` are its distinct terms, sorted; those of the opinion at `n` are
    `terms[starts[n]:starts[n + 1]]`, as places in `words`, and so for `opposed`."""

    ids: tuple[int, ...]
    words: tuple[str, ...]
    starts: Numbers
    terms: Numbers
    opposed_starts: Numbers
    opposed: Numbers
    stances: tuple[int, ...]


def version_of(lexicon: Lexicon) -> str:
    """The name of what `read` makes with a lexicon: equal names read equal texts alike."""
    return f"{METHOD}.{cues.builtin().version}-{lexicon.version}"


@lru_cache(maxsize=1)
def engine_for(lexicon: Lexicon) -> Engine:
    """The engine for a lexicon; it holds a whole dictionary, so a process keeps only the last."""
    return Engine(lexicon)


def read(chunk: Chunk) -> Batch:
    """The terms of every opinion of a chunk, each once, and what its words say of them."""
    engine = engine_for(chunk.lexicon)
    said = [engine.said(body, title=title) for _id, title, body in chunk.texts]
    terms = [[term for term in held if len(term) <= LONGEST] for held, _reading in said]
    against = [
        sorted(term for term in reading.opposed if len(term) <= LONGEST) for _held, reading in said
    ]
    words = tuple(sorted({term for each in (*terms, *against) for term in each}))
    place = {word: number for number, word in enumerate(words)}
    starts, numbers = _rows(terms, place)
    opposed_starts, opposed = _rows(against, place)
    return Batch(
        ids=tuple(id for id, _title, _body in chunk.texts),
        words=words,
        starts=starts,
        terms=numbers,
        opposed_starts=opposed_starts,
        opposed=opposed,
        stances=tuple(STANCES.index(reading.stance) for _held, reading in said),
    )


def _rows(rows: Sequence[Sequence[str]], place: dict[str, int]) -> tuple[Numbers, Numbers]:
    starts = np.zeros(len(rows) + 1, dtype=np.uint32)
    np.cumsum([len(row) for row in rows], out=starts[1:])
    flat = np.fromiter((place[term] for row in rows for term in row), dtype=np.uint32)
    return starts, flat


def blobs(starts: Numbers, numbers: Numbers, ids: Numbers) -> list[bytes]:
    """Each row as it is kept: its distinct term ids, sorted, as little-endian 32-bit numbers.
    `ids`: the id of each word of the batch."""
    known = ids[numbers].astype("<u4")
    return [np.sort(known[first:last]).tobytes() for first, last in pairwise(starts.tolist())]
