"""jieba's algorithm for a great many blocks at once, in arrays: the words of its dictionary that may
stand at each place, the likeliest way through them from the end of each block, and what single
characters it joins into words it does not know. It adds up the same numbers in the same order, so
that it cuts as jieba does to the last tie; tests/test_analysis_lattice.py holds it to that.

What comes out are numbers of words and where they stand. To make a string of every word, as a
segmenter does, and to look each up again costs more than to cut.
"""

from __future__ import annotations

import functools
import importlib.util
import math
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

# Blocks up to here are cut together, one character of each at a time.
LONGEST = 64
# Words of up to so many characters have a column of their own; few are longer.
_SHORT = 4
# Of code points: none in a block lies behind.
_CODES = 0x10000
_HAN = (0x4E00, 0x9FD5)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_NEVER = -3.14e100
_STATES = "BMES"
_SINGLE, _END = _STATES.index("S"), _STATES.index("E")
# Which two may stand before each, the one last that is taken when both are as likely.
_BEFORE = ((2, 3), (0, 1), (0, 1), (2, 3))


class Words(NamedTuple):
    """Words of two characters and more, in order: from where to where each stands, and its number in
    the dictionary, 0 when it was guessed or is a row of letters and figures."""

    starts: Ints
    ends: Ints
    nodes: Ints


class Lattice:
    """A dictionary, jieba's with further words (their frequency replaces jieba's), that cuts."""

    def __init__(self, words: Mapping[str, int]) -> None:
        stock = _stock()
        self._tree, frequencies = _tree(stock, words)
        total = math.log(stock.total + sum(words.values()))
        # math's logarithm, as jieba's: numpy's own may differ in the last bit.
        found, place = np.unique(frequencies, return_inverse=True)
        logs = np.array([math.log(n) - total if n else -math.inf for n in found.tolist()])
        self._weights: Floats = logs[place]
        self._singles = self._weights[self._tree.roots]
        self._singles[np.isneginf(self._singles)] = math.log(1) - total

    @property
    def size(self) -> int:
        """Numbers of words are below it."""
        return len(self._weights)

    def cut(self, codes: Codes, starts: Ints, ends: Ints) -> Words:
        """The words of blocks, in order, from where to where each stands among these code points. They
        are of characters that jieba sends through its dictionary, without marks, no longer than
        `LONGEST`, and none begins where another ends."""
        if not len(starts):
            none = np.zeros(0, dtype=np.int64)
            return Words(none, none, none)
        held = _laid(codes, starts, ends)
        found = self._tree.walked(held)
        steps = self._ways(held, found)
        return self._told(held, found, steps)

    def _ways(self, held: _Laid, found: _Found) -> Bytes:
        """How far the likeliest way goes from each place of a block; 0 behind its end."""
        columns = [np.full(len(held.codes), -math.inf) for _length in range(2, _SHORT + 1)]
        for column, (at, nodes) in zip(columns, found.short, strict=False):
            column[at] = self._weights.take(nodes)
        best = self._singles.take(held.codes)
        best[: held.rows[1]] = 0.0
        steps = np.ones(len(held.codes), dtype=np.int8)
        steps[: held.rows[1]] = 0
        further = self._further(held, found)
        # From the end of all blocks at once: those that are so long stand before the shorter.
        for size in range(1, len(held.rows) - 1):
            here = slice(held.rows[size], held.rows[size + 1])
            count = here.stop - here.start
            likeliest, step = best[here], steps[here]
            first = held.rows[size - 1]
            likeliest += best[first : first + count]
            for length, column in enumerate(columns[: size - 1], 2):
                first = held.rows[size - length]
                other = column[here]
                other += best[first : first + count]
                # Of two ways as likely the longer word is taken.
                np.maximum(step, (other >= likeliest).view(np.int8) * np.int8(length), out=step)
                np.maximum(likeliest, other, out=likeliest)
            for length, at, weights in further.get(size, ()):
                other = weights + best[held.rows[size - length] - here.start + at]
                better = np.flatnonzero(other >= best[at])
                steps[at[better]] = length
                best[at[better]] = other[better]
        return steps

    def _further(self, held: _Laid, found: _Found) -> dict[int, list[tuple[int, Ints, Floats]]]:
        """Longer words, by how far from the end of their block they begin: the length, where, and
        their weights; the short ones first."""
        weights = self._weights[found.long_nodes]
        known = np.flatnonzero(weights > -math.inf)
        at, length, weights = found.long_at[known], found.long_lengths[known], weights[known]
        key = (np.searchsorted(held.rows, at, side="right") - 1) * (2 * LONGEST) + length
        order = np.argsort(key, kind="stable")
        key, at, weights = key[order], at[order], weights[order]
        firsts = np.flatnonzero(np.append(True, key[1:] != key[:-1])[: len(key)]).tolist()
        grouped: dict[int, list[tuple[int, Ints, Floats]]] = {}
        for first, last in pairwise([*firsts, len(key)]):
            size, long = divmod(int(key[first]), 2 * LONGEST)
            grouped.setdefault(size, []).append((long, at[first:last], weights[first:last]))
        return grouped

    def _told(self, held: _Laid, found: _Found, steps: Bytes) -> Words:
        """The words of the ways, single characters joined where jieba joins them."""
        rows = np.array(held.rows)
        begins: list[Ints] = []
        alone: list[Ints] = []
        sizes = held.sizes
        at = rows[sizes] + np.arange(len(sizes))
        while len(at):
            step = steps.take(at)
            alone.append(at.take(np.flatnonzero(step == 1)))
            begins.append(at.take(np.flatnonzero(step > 1)))
            left = sizes - step
            at += rows.take(left) - rows.take(sizes)
            on = np.flatnonzero(left)
            at, sizes = at.take(on), left.take(on)
        # By place in the text: how long the word is that begins there, and its number.
        lengths = np.zeros(held.size, dtype=np.int8)
        nodes = np.zeros(held.size, dtype=np.int64)
        known = np.concatenate(begins)
        starts, chosen = held.places.take(known), steps.take(known)
        lengths[starts] = chosen
        nodes[starts] = found.nodes(known, chosen)
        apart = np.zeros(held.size, dtype=np.bool_)
        apart[held.places.take(np.concatenate(alone))] = True
        lone, lone_ends = runs(apart)
        several = np.flatnonzero(lone_ends - lone > 1)
        lone, lone_ends = lone.take(several), lone_ends.take(several)
        # What the dictionary holds as a whole and what was cut all the same stays cut.
        where = np.zeros(held.size, dtype=np.int64)
        where[held.places] = np.arange(len(held.places))
        whole = found.nodes(where.take(lone), lone_ends - lone)
        free = np.flatnonzero(self._weights.take(whole) == -math.inf)
        starts, ends = _joined(held, where, lone.take(free), lone_ends.take(free))
        joined = found.nodes(where.take(starts), ends - starts)
        joined[self._weights.take(joined) == -math.inf] = 0
        lengths[starts] = ends - starts
        nodes[starts] = joined
        every = np.flatnonzero(lengths)
        return Words(every, every + lengths.take(every), nodes.take(every))


class _Laid(NamedTuple):
    """The characters of blocks, by how far from the end of its block each stands, those of longer
    blocks first: in row 0 what stands behind each block, in row 1 their last characters and so on.
    Where each row begins, and one more would; the character at each place, 0 behind a block; its
    place in the text; the place of what follows it; how long the blocks are; and how long the text
    is."""

    rows: list[int]
    codes: Ints
    places: Ints
    after: Ints
    sizes: Ints
    size: int


def _laid(codes: Codes, starts: Ints, ends: Ints) -> _Laid:
    sizes = ends - starts
    order = np.argsort(-sizes, kind="stable")
    sizes, last = sizes[order], ends[order]
    counts = _longer(sizes)
    rows = np.cumsum([0, *counts]).tolist()
    places = np.concatenate([last[:count] - size for size, count in enumerate(counts)])
    # What stands behind the last block may be the end of the text.
    held = np.zeros(len(places), dtype=np.int64)
    held[len(last) :] = codes[places[len(last) :]]
    after = np.arange(len(places)) - np.repeat([0, *counts[:-1]], counts)
    return _Laid(rows, held, places, after, sizes, len(codes) + 1)


def _longer(lengths: Ints) -> list[int]:
    """By number how many of these are at least as long."""
    counts = np.bincount(lengths)
    found: list[int] = np.cumsum(counts[::-1])[::-1].tolist()
    return found


def runs(flags: Flags) -> tuple[Ints, Ints]:
    """From where to where flags are set without a gap."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).view(np.int8)))
    return edges[::2], edges[1::2]


def _joined(held: _Laid, where: Ints, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The words of two characters and more into which these runs of single ones fall; `where` tells
    by place in the text the place among those of blocks."""
    sizes = ends - starts
    begins = np.cumsum(sizes) - sizes
    text = np.repeat(starts - begins, sizes) + np.arange(int(sizes.sum()))
    codes = held.codes[where[text]]
    # With a gap between the runs.
    spread = np.arange(len(codes)) + np.repeat(np.arange(len(sizes)), sizes)
    spaced = np.zeros(len(codes) + len(sizes), dtype=np.int64)
    spaced[spread] = codes
    back = np.zeros(len(spaced) + 1, dtype=np.int64)
    back[spread + 1] = text + 1
    han = (spaced >= _HAN[0]) & (spaced <= _HAN[1])
    letters, letter_ends = runs((spaced > 0) & ~han)
    guessed, guessed_ends = _guessed(spaced, *runs(han))
    first, last = np.concatenate((letters, guessed)), np.concatenate((letter_ends, guessed_ends))
    long = np.flatnonzero(last - first > 1)
    return back[first[long] + 1] - 1, back[last[long]]


def _guessed(codes: Ints, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The words jieba guesses in runs of Chinese characters (Viterbi over begin, middle, end and
    single), single ones too."""
    if not len(starts):
        return starts, ends
    model = _model()
    sizes = ends - starts
    order = np.argsort(-sizes, kind="stable")
    firsts = starts[order]
    active = _longer(sizes)
    likely = model.first[:, None] + model.emitted[:, codes[firsts]]
    back: list[Bytes] = []
    for size in range(2, len(active)):
        at = firsts[: active[size]] + (size - 1)
        before = likely[:, : len(at)]
        emitted = model.emitted[:, codes[at]]
        now = np.empty_like(before)
        chosen = np.empty(before.shape, dtype=np.int8)
        for state, (lesser, greater) in enumerate(_BEFORE):
            one = before[lesser] + model.steps[lesser, state]
            one += emitted[state]
            two = before[greater] + model.steps[greater, state]
            two += emitted[state]
            # Of two as likely the later state is taken.
            np.multiply((two >= one).view(np.int8), np.int8(greater - lesser), out=chosen[state])
            chosen[state] += np.int8(lesser)
            np.maximum(one, two, out=now[state])
        likely[:, : len(at)] = now
        back.append(chosen)
    state = _END + (likely[_SINGLE] >= likely[_END])
    # A word ends behind its end or behind what stands alone.
    closes = np.zeros(len(codes) + 1, dtype=np.bool_)
    for size in range(len(active) - 1, 0, -1):
        count = active[size]
        closes[firsts[:count] + size] = state[:count] >= _END
        if size > 1:
            state[:count] = back[size - 2][state[:count], np.arange(count)]
    closed = np.flatnonzero(closes)
    # The first word of a run begins where the run does.
    begins = np.append(0, closed[:-1])
    return np.maximum(begins, starts[np.searchsorted(starts, closed) - 1]), closed


class _Model(NamedTuple):
    """jieba's model of guessed words, by number of a state: how likely each is at first, how likely a
    step from one to another is, and each character in it."""

    first: Floats
    steps: Floats
    emitted: Floats


@functools.cache
def _model() -> _Model:
    first, steps, emitted = (_probabilities(name) for name in ("start", "trans", "emit"))
    by_code = np.full((len(_STATES), _CODES), _NEVER)
    for state, name in enumerate(_STATES):
        by_code[state, list(map(ord, emitted[name]))] = list(emitted[name].values())
    return _Model(
        np.array([first[name] for name in _STATES]),
        np.array([[steps[one].get(two, _NEVER) for two in _STATES] for one in _STATES]),
        by_code,
    )


def _probabilities(name: str) -> Any:
    loader = SourceFileLoader(f"prob_{name}", str(_jieba() / "finalseg" / f"prob_{name}.py"))
    module = ModuleType(loader.name)
    # By its loader, so that Python's own compiled copy is read where there is one: to compile 35,000
    # lines takes twenty times as long.
    loader.exec_module(module)
    return module.P


# --- the dictionary ------------------------------------------------------------------------------


class _Found(NamedTuple):
    """What of the dictionary begins where: of two, three and four characters the places and the
    numbers, and by place the number or 0; of more the places, lengths and numbers."""

    short: Sequence[tuple[Ints, Ints]]
    columns: Sequence[Ints]
    long_at: Ints
    long_lengths: Ints
    long_nodes: Ints

    def nodes(self, starts: Ints, lengths: Ints | Bytes) -> Ints:
        """The numbers of what stands at these places in these lengths; 0 where nothing begins so."""
        nodes = np.zeros(len(starts), dtype=np.int64)
        for length, column in enumerate(self.columns, 2):
            wanted = np.flatnonzero(lengths == length)
            nodes[wanted] = column.take(starts.take(wanted))
        wanted = np.flatnonzero(lengths > _SHORT)
        if len(wanted) and len(self.long_at):
            keys = self.long_at * (2 * LONGEST) + self.long_lengths
            order = np.argsort(keys, kind="stable")
            asked = starts[wanted] * (2 * LONGEST) + lengths[wanted]
            place = order[np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)]
            hit = np.flatnonzero(keys[place] == asked)
            nodes[wanted[hit]] = self.long_nodes[place[hit]]
        return nodes


class _Tree:
    """All beginnings of words, numbered from 1: by code point of one character; and by number of a
    beginning and the next character, in a table with free places between."""

    def __init__(self, roots: Ints, keys: Ints, first: int) -> None:
        """`keys`: of every beginning of two characters and more, from number `first` on, the number of
        the one without its last character and that character."""
        self.roots = roots
        count = first + len(keys)
        self._bits = count.bit_length()
        self._shift = np.uint64(64 - self._bits - 2)
        # Key and number lie together, so that one look tells both.
        self._slots = np.zeros(4 << self._bits, dtype=np.int64)
        entries = (keys << self._bits) | np.arange(first, count)
        slots = self._slot(keys)
        while len(entries):
            free = np.flatnonzero(self._slots[slots] == 0)
            self._slots[slots[free]] = entries[free]
            left = np.flatnonzero(self._slots[slots] != entries)
            entries = entries[left]
            slots = (slots[left] + 1) & (len(self._slots) - 1)

    def _slot(self, keys: Ints) -> Ints:
        mixed = keys.view(np.uint64) * _FACTOR
        mixed >>= self._shift
        return mixed.view(np.int64)

    def _next(self, nodes: Ints, codes: Ints) -> tuple[Ints, Ints]:
        """Which of these beginnings go on with these characters, and the numbers of what they are."""
        keys = (nodes << 16) | codes
        slots = self._slot(keys)
        found = self._slots.take(slots)
        same = (found >> self._bits) == keys
        hits = np.flatnonzero(same)
        numbers = found.take(hits)
        # What lies there may have taken the place of what is looked for.
        places = np.flatnonzero((found > 0) & ~same)
        later: list[tuple[Ints, Ints]] = []
        keys, slots = keys.take(places), slots.take(places)
        while len(places):
            slots = (slots + 1) & (len(self._slots) - 1)
            found = self._slots.take(slots)
            same = (found >> self._bits) == keys
            hit = np.flatnonzero(same)
            later.append((places.take(hit), found.take(hit)))
            on = np.flatnonzero((found > 0) & ~same)
            places, keys, slots = places.take(on), keys.take(on), slots.take(on)
        if later:
            hits = np.concatenate((hits, *(at for at, _numbers in later)))
            numbers = np.concatenate((numbers, *(those for _at, those in later)))
        return hits, numbers & ((1 << self._bits) - 1)

    def walked(self, held: _Laid) -> _Found:
        """What begins at each place."""
        nodes = self.roots.take(held.codes)
        at = np.flatnonzero(nodes)
        nodes = nodes.take(at)
        reached = at
        found: list[tuple[Ints, Ints]] = []
        while len(at):
            reached = held.after.take(reached)
            which, nodes = self._next(nodes, held.codes.take(reached))
            at, reached = at.take(which), reached.take(which)
            found.append((at, nodes))
        none = np.zeros(0, dtype=np.int64)
        columns = [np.zeros(len(held.codes), dtype=np.int64) for _length in range(2, _SHORT + 1)]
        for column, (at, those) in zip(columns, found, strict=False):
            column[at] = those
        far = found[_SHORT - 1 :]
        sizes = [len(at) for at, _nodes in far]
        return _Found(
            found[: _SHORT - 1],
            columns,
            np.concatenate([none, *(at for at, _nodes in far)]),
            np.repeat(np.arange(_SHORT + 1, _SHORT + 1 + len(far)), sizes),
            np.concatenate([none, *(those for _at, those in far)]),
        )


class _Stock(NamedTuple):
    """jieba's dictionary: its words and their frequencies, and the sum it counts with."""

    words: list[str]
    frequencies: list[int]
    total: int


def _stock() -> _Stock:
    fields = (_jieba() / "dict.txt").read_text(encoding="utf-8").split()
    words, frequencies = fields[::3], list(map(int, fields[1::3]))
    return _Stock(words, frequencies, sum(frequencies))


def _jieba() -> Path:
    """Where jieba lies. It is not imported: that takes longer than to read what is wanted of it."""
    found = importlib.util.find_spec("jieba")
    if found is None or not found.submodule_search_locations:
        raise ImportError("jieba is not installed")
    return Path(found.submodule_search_locations[0])


def _tree(stock: _Stock, words: Mapping[str, int]) -> tuple[_Tree, Ints]:
    """The tree of a dictionary with these words, too, and the frequency of each beginning, 0 of those
    that are no word."""
    every = [*stock.words, *words]
    frequencies = np.array([*stock.frequencies, *words.values()], dtype=np.int64)
    lengths = np.fromiter(map(len, every), np.int64, count=len(every))
    codes = np.frombuffer("".join(every).encode("utf-32-le"), dtype="<u4").astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    possible = np.maximum.reduceat(codes, starts) < _CODES
    starts, lengths, frequencies = starts[possible], lengths[possible], frequencies[possible]
    firsts, node = np.unique(codes[starts], return_inverse=True)
    node = node + 1
    roots = np.zeros(_CODES, dtype=np.int64)
    roots[firsts] = np.arange(1, len(firsts) + 1)
    count = len(firsts) + 1
    keys: list[Ints] = []
    held: list[tuple[Ints, Ints]] = []
    for length in range(1, int(lengths.max()) + 1):
        whole = lengths == length
        held.append((node[whole], frequencies[whole]))
        starts, lengths, frequencies = starts[~whole], lengths[~whole], frequencies[~whole]
        pairs, place = np.unique((node[~whole] << 16) | codes[starts + length], return_inverse=True)
        keys.append(pairs)
        node = place + count
        count += len(pairs)
    known = np.zeros(count, dtype=np.int64)
    for nodes, each in held:
        # Of a word that comes twice the later one counts, as in jieba.
        known[nodes] = each
    return _Tree(roots, np.concatenate(keys), len(firsts) + 1), known
