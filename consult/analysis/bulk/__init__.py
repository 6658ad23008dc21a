"""Reads opinions by the thousand as `Engine.said` reads one, at several times its speed.

The texts of a batch are laid one behind the other (`laying`) and cut in one go; what is asked of
every character and every word (`words`) is asked of all of them at once, in arrays. Only cues
(`cue_finding`), of which a text has few, are looked at one by one before its stance is weighed
(`judging`). tests/test_analysis_bulk.py holds the two ways to each other.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from consult.analysis import lattice, stock
from consult.analysis.bulk.judging import judge
from consult.analysis.bulk.laying import Codes, Ints, Laid, kinds_of, lay
from consult.analysis.bulk.words import Found, Placed, Words
from consult.analysis.engine import Engine
from consult.analysis.lattice import runs

# Words whose facts are kept; the guesses of a million opinions need not stay for ever.
MOST_WORDS = 300_000
# Of so many texts the words are cut by the segmenter.
FEW = 400
# Blocks cut at once.
PIECE = 20_000
_BLOCK, _SPECIAL = 1, 2
_EVERY = "".join(map(chr, range(0x10000)))
_KINDS = kinds_of(
    0x10000,
    (_BLOCK, "".join(stock.HAN_BLOCK.findall(_EVERY))),
    (_SPECIAL, stock.SPECIAL.findall(_EVERY[:128])),
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a batch says. `words` are its distinct terms, sorted; those of text `n` are
    `terms[starts[n]:starts[n + 1]]`, as places in `words`, sorted, and so for `opposed`."""

    words: tuple[str, ...]
    starts: Ints
    terms: Ints
    opposed_starts: Ints
    opposed: Ints
    stances: tuple[str, ...]


class Bulk:
    """An engine for many texts at once. Keep it as long as the engine; not for several threads."""

    def __init__(self, engine: Engine, *, few: int = FEW) -> None:
        """Up to `few` texts are not worth reading a dictionary of its own for."""
        self._engine = engine
        self._few = few
        self._words = Words(engine)

    def said(self, texts: Sequence[tuple[str, str]], *, longest: int) -> Said:
        """The terms of every text (title, body), those with more than `longest` characters left
        out, and the stance read in it."""
        if len(self._words) > MOST_WORDS:
            self._words = Words(self._engine)
        laid = lay(texts)
        placed = self._placed(laid)
        stances, against, against_owners = judge(laid, placed)
        words, ranks = self._words.ranked(placed.terms, longest)
        bounds = np.searchsorted(placed.starts, laid.begins)
        owners = np.repeat(np.arange(len(texts)), np.diff(bounds))
        return Said(
            words,
            *_rows(owners, ranks[placed.terms], len(texts)),
            *_rows(against_owners, ranks[against], len(texts)),
            stances,
        )

    def _placed(self, laid: Laid) -> Placed:
        """Every mention of a term, as `Engine.placed` finds it."""
        kinds = _KINDS[np.minimum(laid.codes, len(_KINDS) - 1)]
        starts, ends = runs(kinds > 0)
        marked = np.append(0, np.cumsum(kinds == _SPECIAL, dtype=np.int64))
        plain = (marked[ends] == marked[starts]) & (ends - starts <= lattice.LONGEST)
        if len(laid.begins) - 1 <= self._few:
            plain[:] = False
        apart = self._cut(laid.codes, starts[~plain], ends[~plain])
        if not plain.any():
            return self._words.placed(apart, laid.codes)
        return self._words.placed(
            self._together(laid, starts[plain], ends[plain], apart), laid.codes
        )

    def _cut(self, codes: Codes, starts: Ints, ends: Ints) -> Found:
        """The words of these blocks, by the engine's segmenter."""
        cutter = self._engine.segmenter.cutter
        # Only the blocks, with a space behind each.
        sizes = ends - starts + 1
        begins = np.cumsum(sizes) - sizes
        shift = np.repeat(starts - begins, sizes)
        at = np.arange(len(shift)) + shift
        alone = codes[np.minimum(at, len(codes) - 1)]
        alone[begins + sizes - 1] = ord(" ")
        words = cutter.cut_blocks(alone.astype("<u4").tobytes().decode("utf-32-le"))
        lengths = np.fromiter(map(len, words), np.int64, count=len(words))
        special = _blocks_with(_KINDS[alone], _SPECIAL)
        if special:
            words, lengths = _mended(words, lengths, special, cutter)
        places = np.cumsum(lengths) - lengths
        # Single characters are no terms, and most of all words.
        long = lengths > 1
        numbers = self._words.numbers([word for word in words if len(word) > 1])
        found = places[long] + shift[places[long]]
        return Found(found, found + lengths[long], numbers)

    def _together(self, laid: Laid, starts: Ints, ends: Ints, apart: Found) -> Found:
        """The words of these blocks, all at once, and those that were found apart, in order."""
        dictionary = self._lattice
        found = [apart]
        # A piece at a time, so that what is worked on stays near.
        bounds = [*range(0, len(starts), PIECE), len(starts)]
        for first, last in pairwise(bounds):
            begin = int(starts[first])
            blocks = starts[first:last] - begin, ends[first:last] - begin
            cut = dictionary.cut(laid.codes[begin : int(ends[last - 1])], *blocks)
            found.append(self._words.known(cut, laid.text, begin))
        parts = [np.concatenate(part) for part in zip(*found, strict=True)]
        order = np.argsort(parts[0], kind="stable")
        return Found(*(part[order] for part in parts))

    @functools.cached_property
    def _lattice(self) -> lattice.Lattice:
        return lattice.Lattice(self._engine.segmenter.words)


def _mended(
    words: list[str], lengths: Ints, blocks: Sequence[tuple[int, int]], cutter: stock.Cutter
) -> tuple[list[str], Ints]:
    """The words and their lengths with those of these blocks mended, as they need it."""
    starts = np.cumsum(lengths) - lengths
    whole: list[str] = []
    parts: list[Ints] = []
    done = 0
    for first, last in np.searchsorted(starts, np.array(blocks)).tolist():
        cut = words[first:last]
        mended = cutter.mended(cut)
        if mended != cut:
            whole += words[done:first]
            whole += mended
            parts += (lengths[done:first], np.array([len(word) for word in mended]))
            done = last
    if not done:
        return words, lengths
    return whole + words[done:], np.concatenate((*parts, lengths[done:]))


def _rows(owners: Ints, ranks: Ints, count: int) -> tuple[Ints, Ints]:
    """The distinct ranks of each owner, sorted: where each begins, and all. Below 0 is none."""
    kept = ranks >= 0
    width = int(ranks.max(initial=0)) + 1
    pairs = np.sort(owners[kept] * width + ranks[kept])
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    return np.searchsorted(pairs, np.arange(count + 1) * width), pairs % width


def _blocks_with(kinds: npt.NDArray[np.uint8], kind: int) -> list[tuple[int, int]]:
    """From where to where every block goes that holds a character of this kind."""
    hits = np.flatnonzero(kinds == kind)
    if not len(hits):
        return []
    outside = np.concatenate(([-1], np.flatnonzero(kinds == 0), [len(kinds)]))
    number = np.unique(np.searchsorted(outside, hits))
    begins, ends = (outside[number - 1] + 1).tolist(), outside[number].tolist()
    return list(zip(begins, ends, strict=True))
