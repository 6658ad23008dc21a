"""Reads opinions by the thousand as `Engine.said` reads one, at several times its speed.

The texts of a batch are laid one behind the other and cut in one go; what is asked of every
character and every word is asked of all of them at once, in arrays. Only cues, of which a text has
few, are looked at one by one. tests/test_analysis_bulk.py holds the two ways to each other.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import cues, normal, stance, stock
from consult.analysis.engine import Engine

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]

# Words whose facts are kept; the guesses of a million opinions need not stay for ever.
MOST_WORDS = 300_000
_BREAK = "\n"


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


class _Placed(NamedTuple):
    """Mentions of terms in order: the number of each, and from where to where it stands."""

    terms: Ints
    starts: Ints
    ends: Ints


class Bulk:
    """An engine for many texts at once. Keep it as long as the engine; not for several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._words = _Words(engine)

    def said(self, texts: Sequence[tuple[str, str]], *, longest: int) -> Said:
        """The terms of every text (title, body), those with more than `longest` characters left
        out, and the stance read in it."""
        if len(self._words) > MOST_WORDS:
            self._words = _Words(self._engine)
        whole = [normal.plain(f"{title}{_BREAK}{body}" if title else body) for title, body in texts]
        # Where each text begins in all of them, with a break behind each.
        begins = np.zeros(len(whole) + 1, dtype=np.int64)
        np.cumsum([len(text) + 1 for text in whole], out=begins[1:])
        every = "".join(text + _BREAK for text in whole)
        codes = np.frombuffer(every.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        placed = self._placed(every, codes)
        stances, opposed = _judged(whole, begins, codes, placed)
        words, ranks = self._words.ranked(placed.terms, longest)
        owners = np.searchsorted(begins, placed.starts, side="right") - 1
        against = np.fromiter(chain.from_iterable(opposed), np.int64)
        against_owners = np.repeat(np.arange(len(whole)), [len(each) for each in opposed])
        return Said(
            words,
            *_rows(owners, ranks[placed.terms], len(whole)),
            *_rows(against_owners, ranks[against], len(whole)),
            tuple(stances),
        )

    def _placed(self, every: str, codes: Codes) -> _Placed:
        """Every mention of a term, as `Engine.placed` finds it."""
        cutter = self._engine.segmenter.cutter
        kinds = _KINDS[np.minimum(codes, len(_KINDS) - 1)]
        # What stands outside the blocks makes no term; the blocks that need more than the plain
        # cut get it one by one.
        plainly = np.where(kinds > 0, codes, ord(" ")).astype("<u4")
        apart = _blocks_with(kinds, _SPECIAL)
        pieces = []
        for begin, end in apart:
            plainly[begin:end] = ord(" ")
            pieces.append(cutter.cut(every[begin:end]))
        masked = plainly.tobytes().decode("utf-32-le")
        parts = [self._words.placed(cutter.cutting(masked)(masked), np.zeros(1, np.int64), [0])]
        if pieces:
            firsts = np.cumsum([0, *(len(piece) for piece in pieces)])[:-1]
            shifts = np.array([begin for begin, _end in apart])
            shifts[1:] -= np.cumsum([end - begin for begin, end in apart])[:-1]
            words = list(chain.from_iterable(pieces))
            parts.append(self._words.placed(words, shifts, firsts))
        order = np.argsort(np.concatenate([each.starts for each in parts]), kind="stable")
        return _Placed(*(np.concatenate(each)[order] for each in zip(*parts, strict=True)))


def _judged(
    whole: Sequence[str], begins: Ints, codes: Codes, placed: _Placed
) -> tuple[list[str], list[list[Any]]]:
    """By text: its stance, and the numbers of the terms it speaks against."""
    found_at, openings = _openings(codes)
    places, places_of = _by_text(found_at, begins)
    may_be = list(zip(places, openings, strict=True))
    marks = _MARKS[np.minimum(codes, len(_MARKS) - 1)]
    at = np.flatnonzero(marks)
    ends, clauses_of = _by_text(at, begins, shift=1)
    ended = np.cumsum(marks[at] == _SENTENCE)
    sentences = [0, *ended.tolist()]
    starts, terms_of = _by_text(placed.starts, begins)
    stops, _same = _by_text(placed.ends, begins, by=placed.starts)
    terms = placed.terms.tolist()
    stances: list[str] = []
    opposed: list[list[Any]] = []
    for number, text in enumerate(whole):
        first, last = places_of[number : number + 2]
        found = cues.find(text, may_be[first:last])
        if not found:
            stances.append(_SILENT)
            opposed.append([])
            continue
        first, last = clauses_of[number : number + 2]
        # The break behind the text has closed its last clause, and is none of it.
        cut = stance.Clauses([*ends[first : last - 1], len(text)], sentences[first:last])
        first, last = terms_of[number : number + 2]
        held = stance.Places(terms[first:last], starts[first:last], stops[first:last])
        said, _because, against = stance.judged(text, found, cut, held)
        stances.append(said)
        opposed.append(against)
    return stances, opposed


def _openings(codes: Codes) -> tuple[Ints, list[int]]:
    """Where cues may begin, and which opening stands there: at few places of all."""
    first, second, begins = _cue_tables()
    known = np.minimum(codes, len(first) - 1)
    found = np.flatnonzero(first[known])
    after = np.append(known, 0)[found + 1]
    number = begins[first[known[found]], second[after]]
    kept = np.flatnonzero(number >= 0)
    return found[kept], number[kept].tolist()


@functools.cache
def _cue_tables() -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.uint16], npt.NDArray[np.int32]]:
    """Numbers for the characters with which cues begin and go on, by code point; and for each two
    of those numbers the opening, or -1."""
    table = cues.builtin()
    numbered = []
    for place in (0, 1):
        numbers = np.zeros(0x10000, dtype=np.uint16)
        found = sorted({head[place] for head in table.begins if len(head) > place})
        numbers[list(map(ord, found))] = np.arange(1, len(found) + 1)
        numbered.append(numbers)
    first, second = numbered
    begins = np.full((int(first.max()) + 1, int(second.max()) + 1), -1, dtype=np.int32)
    # What needs no second character comes before those that name one.
    for head in sorted(table.begins, key=len):
        column = second[ord(head[1])] if len(head) > 1 else slice(None)
        begins[first[ord(head[0])], column] = table.begins[head]
    return first, second, begins


def _by_text(
    places: Ints, begins: Ints, *, by: Ints | None = None, shift: int = 0
) -> tuple[list[int], list[int]]:
    """Places in all texts as places in their own, and where those of each text begin."""
    bounds = np.searchsorted(places if by is None else by, begins)
    own = places + shift - np.repeat(begins[:-1], np.diff(bounds))
    return own.tolist(), bounds.tolist()


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


class _Words:
    """Every word met so far, with what the engine thinks of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = _Numbers()
        self._terms: dict[str, int] = {}
        self._names: list[str] = []
        # By word: the number of its term or -1, its length, and two of `Engine.placed`'s questions.
        kinds: tuple[Any, ...] = (np.int32, np.int16, np.bool_, np.bool_)
        self._facts: list[npt.NDArray[Any]] = [np.zeros(0, dtype=kind) for kind in kinds]

    def __len__(self) -> int:
        return len(self._numbers)

    def placed(self, words: Sequence[str], shifts: Ints, firsts: Sequence[int] | Ints) -> _Placed:
        """The terms among these words. They stand one behind the other, but from each of `firsts`
        on, where the words before are no neighbours, by a shift."""
        numbers = np.fromiter(map(self._numbers.__getitem__, words), np.int64, count=len(words))
        self._learn()
        terms, lengths, code, guess = (fact[numbers] for fact in self._facts)
        ends = np.cumsum(lengths, dtype=np.int64)
        ends += np.repeat(shifts, np.diff([*firsts, len(words)]))
        before = np.zeros(len(words), dtype=np.bool_)
        before[1:] = code[:-1]
        before[[first for first in firsts if first < len(words)]] = False
        kept = np.flatnonzero((terms >= 0) & ~(before & guess))
        return _Placed(terms[kept].astype(np.int64), ends[kept] - lengths[kept], ends[kept])

    def ranked(self, used: Ints, longest: int) -> tuple[tuple[str, ...], Ints]:
        """The names of these terms, sorted, and by number of a term its place among them."""
        ranks = np.full(len(self._names), -1, dtype=np.int64)
        held = np.zeros(len(self._names), dtype=np.bool_)
        held[used] = True
        names = [(self._names[n], n) for n in np.flatnonzero(held).tolist()]
        kept = sorted(pair for pair in names if len(pair[0]) <= longest)
        ranks[[number for _name, number in kept]] = np.arange(len(kept))
        return tuple(name for name, _number in kept), ranks

    def _learn(self) -> None:
        """Ask the engine about the words that have come."""
        more = [self._fact(word) for word in self._numbers.fresh]
        self._numbers.fresh.clear()
        if more:
            self._facts = [
                np.concatenate((held, np.array(new, dtype=held.dtype)))
                for held, new in zip(self._facts, zip(*more, strict=True), strict=True)
            ]

    def _fact(self, word: str) -> tuple[int, int, bool, bool]:
        term = self._engine.term_of(word)
        code = word.isascii() and word.isalnum()
        if term is None:
            return -1, len(word), code, False
        number = self._terms.setdefault(term, len(self._names))
        if number == len(self._names):
            self._names.append(term)
        return number, len(word), code, self._engine.guessed(term)


class _Numbers(dict[str, int]):
    """The number of every word; one that is asked for the first time gets the next."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.fresh.append(word)
        return number


_SILENT = "none"
_BLOCK, _SPECIAL = 1, 2
_CLAUSE, _SENTENCE = 1, 2


def _table(size: int, *kinds: tuple[int, Sequence[str]]) -> npt.NDArray[np.uint8]:
    """By code point, of what kind a character is; of the last and all beyond it 0."""
    table = np.zeros(size, dtype=np.uint8)
    for kind, characters in kinds:
        table[list(map(ord, characters))] = kind
    return table


_EVERY = list(map(chr, range(0x10000)))
_KINDS = _table(
    0x10000,
    (_BLOCK, [each for each in _EVERY if stock.HAN_BLOCK.fullmatch(each)]),
    (_SPECIAL, [each for each in _EVERY[:128] if stock.SPECIAL.fullmatch(each)]),
)
_MARKS = _table(
    0x10000, (_CLAUSE, sorted(stance.CLAUSE_END)), (_SENTENCE, sorted(stance.SENTENCE_END))
)
