"""The cues of many texts at once: `cues.find` over arrays.

The table of cues is laid out as a tree of numbers, so that all places where a phrase may begin are
followed together, a character a step; only patterns are asked text by text.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import cues
from consult.analysis.bulk.laying import Codes, Ints, Laid, by_text
from consult.analysis.lattice import runs

EACH_KIND = tuple(cues.Kind)
NEUTRAL = EACH_KIND.index(cues.Kind.NEUTRAL)


class Cues(NamedTuple):
    """The cues of all texts in order: where they stand, what they do as places in `EACH_KIND`, and
    how firmly."""

    starts: Ints
    ends: Ints
    kinds: npt.NDArray[np.int8]
    weights: npt.NDArray[np.float64]


def find(laid: Laid) -> Cues:
    """`cues.find` for all texts."""
    at, openings = _openings(laid.codes)
    said_at, said_ends, said_meanings = _said(laid.codes, at)
    told_at, told_ends, told_meanings = _told(laid, at, openings)
    # Where both are found the longer counts, and of equal ones the phrase.
    starts = np.concatenate((said_at, told_at))
    ends = np.concatenate((said_ends, told_ends))
    meanings = np.concatenate((said_meanings, told_meanings))
    kind = np.repeat([0, 1], [len(said_at), len(told_at)])
    order = np.lexsort((kind, -ends, starts))
    starts, ends, meanings = starts[order], ends[order], meanings[order]
    kept = np.append(True, starts[1:] != starts[:-1])[: len(starts)]
    starts, ends, meanings = starts[kept], ends[kept], meanings[kept]
    free = _free(starts, ends)
    kinds, weights = (each[meanings] for each in _meant())
    free &= kinds != NEUTRAL
    return Cues(starts[free], ends[free], kinds[free], weights[free])


def _said(codes: Codes, at: Ints) -> tuple[Ints, Ints, Ints]:
    """The longest phrase at each of these places, taken from the left without overlapping: where,
    to where, and its meaning."""
    ends = np.zeros(len(at), dtype=np.int64)
    meanings = np.zeros(len(at), dtype=np.int64)
    letters, steps, whole = _phrases()
    going, length = np.arange(len(at)), 0
    node: npt.NDArray[np.integer[Any]] = np.zeros(len(at), dtype=np.int64)
    # The break behind the last text is in no phrase, so none goes on behind the end.
    while len(going):
        node = steps[node, letters[np.minimum(codes[at[going] + length], len(letters) - 1)]]
        on = node > 0
        going, node, length = going[on], node[on], length + 1
        hit = whole[node] >= 0
        ends[going[hit]] = at[going[hit]] + length
        meanings[going[hit]] = whole[node[hit]]
    hits = np.flatnonzero(ends)
    hits = hits[_free(at[hits], ends[hits])]
    return at[hits], ends[hits], meanings[hits]


def _told(laid: Laid, at: Ints, openings: Ints) -> tuple[Ints, Ints, Ints]:
    """What patterns find at these places, text by text, because they look around themselves."""
    matches, meanings, phrases = _patterns()
    some = np.flatnonzero(np.array([match is not None for match in matches])[openings])
    places, bounds = by_text(at[some], laid.begins)
    numbers = openings[some].tolist()
    begins = laid.begins.tolist()
    found: list[tuple[int, int, int]] = []
    for number, begin in enumerate(begins[:-1]):
        first, last = bounds[number : number + 2]
        if first == last:
            continue
        text = laid.text[begin : begins[number + 1] - 1]
        told = 0
        for start, opening in zip(places[first:last], numbers[first:last], strict=True):
            if start >= told and (match := matches[opening](text, start)):
                told = match.end()
                meaning = meanings[opening][match.lastindex - 1]
                meaning = phrases.get(text[start:told], meaning)
                found.append((begin + start, begin + told, meaning))
    columns = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return columns[0], columns[1], columns[2]


def _free(starts: Ints, ends: Ints) -> npt.NDArray[np.bool_]:
    """Which of these are taken when one takes them from the left, none overlapping."""
    kept = np.ones(len(starts), dtype=np.bool_)
    if len(starts) < 2:
        return kept
    reach = np.maximum.accumulate(ends)
    doubtful = np.append(False, starts[1:] < reach[:-1])
    # Each run of those that may be in the way of one another, with the one before it, by hand.
    for first, last in zip(*(each.tolist() for each in runs(doubtful)), strict=True):
        end = ends[first - 1]
        for place in range(first, last):
            if starts[place] < end:
                kept[place] = False
            else:
                end = ends[place]
    return kept


def _openings(codes: Codes) -> tuple[Ints, Ints]:
    """Where cues may begin, and which opening stands there: at few places of all."""
    first, second, begins = _cue_tables()
    known = np.minimum(codes, len(first) - 1)
    found = np.flatnonzero(first[known])
    after = np.append(known, 0)[found + 1]
    number = begins[first[known[found]], second[after]]
    kept = np.flatnonzero(number >= 0)
    return found[kept], number[kept].astype(np.int64)


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


class _Phrases(NamedTuple):
    """The phrases of cues as a tree. `letters`: by code point the number of a character in them;
    `steps`: by node and such a number the next node, 0 for none; `whole`: by node the meaning of
    the phrase that ends there, or -1."""

    letters: npt.NDArray[np.uint16]
    steps: npt.NDArray[np.int32]
    whole: Ints


@functools.cache
def _phrases() -> _Phrases:
    table, ids = cues.builtin(), _meanings()
    letters = np.zeros(0x10000, dtype=np.uint16)
    found = sorted({letter for phrase in table.phrases for letter in phrase})
    letters[list(map(ord, found))] = np.arange(1, len(found) + 1)
    nodes = {"": 0}
    for phrase in table.phrases:
        for size in range(1, len(phrase) + 1):
            nodes.setdefault(phrase[:size], len(nodes))
    steps = np.zeros((len(nodes), len(found) + 1), dtype=np.int32)
    whole = np.full(len(nodes), -1, dtype=np.int64)
    for said, node in nodes.items():
        if said:
            steps[nodes[said[:-1]], letters[ord(said[-1])]] = node
        if said in table.phrases:
            whole[node] = ids[table.phrases[said]]
    return _Phrases(letters, steps, whole)


class _Patterns(NamedTuple):
    """By opening: what matches the patterns that may begin there, None for none, and the meaning of
    each of them; and of phrases, which a pattern may find, too, theirs."""

    match: Sequence[Any]
    meanings: Sequence[Sequence[int]]
    phrases: Mapping[str, int]


@functools.cache
def _patterns() -> _Patterns:
    table, ids = cues.builtin(), _meanings()
    return _Patterns(
        [each.patterns and each.patterns.match for each in table.openings],
        [[ids[meaning] for meaning in each.meanings] for each in table.openings],
        {phrase: ids[meaning] for phrase, meaning in table.phrases.items()},
    )


@functools.cache
def _meanings() -> dict[cues.Meaning, int]:
    """What cues mean, numbered."""
    table = cues.builtin()
    found = [*table.phrases.values(), *(m for each in table.openings for m in each.meanings)]
    return {meaning: number for number, meaning in enumerate(dict.fromkeys(found))}


@functools.cache
def _meant() -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float64]]:
    """By number of a meaning its kind, as a place in `EACH_KIND`, and its weight."""
    kinds = np.array([EACH_KIND.index(kind) for kind, _weight in _meanings()], dtype=np.int8)
    return kinds, np.array([weight for _kind, weight in _meanings()])
