"""Reading many opinions at once: texts in, the terms of each out. Pure, and fit to be handed to
another process or machine."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from threading import Lock

import numpy as np
import numpy.typing as npt

from consult.analysis import cues
from consult.analysis.bulk import Bulk
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


@lru_cache(maxsize=1)
def _bulk_for(lexicon: Lexicon) -> tuple[Bulk, Lock]:
    return Bulk(engine_for(lexicon)), Lock()


def read(chunk: Chunk) -> Batch:
    """The terms of every opinion of a chunk, each once, and what its words say of them."""
    bulk, lock = _bulk_for(chunk.lexicon)
    with lock, uncollected():
        said = bulk.said([(title, body) for _id, title, body in chunk.texts], longest=LONGEST)
    return Batch(
        ids=tuple(id for id, _title, _body in chunk.texts),
        words=said.words,
        starts=said.starts.astype(np.uint32),
        terms=said.terms.astype(np.uint32),
        opposed_starts=said.opposed_starts.astype(np.uint32),
        opposed=said.opposed.astype(np.uint32),
        stances=tuple(map(STANCES.index, said.stances)),
    )


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for cycles, of which reading makes none but a great many small things: each
    look goes through all the process holds, and makes this a quarter slower."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def blobs(starts: Numbers, numbers: Numbers, ids: Numbers) -> list[bytes]:
    """Each row as it is kept: its distinct term ids, sorted, as little-endian 32-bit numbers.
    `ids`: the id of each word of the batch."""
    bounds = starts.astype(np.int64)
    rows = np.repeat(np.arange(len(bounds) - 1, dtype=np.int64) << 32, np.diff(bounds))
    kept = (np.sort(rows | ids[numbers]) & 0xFFFFFFFF).astype("<u4").tobytes()
    return [kept[first:last] for first, last in pairwise((4 * bounds).tolist())]
