"""Groups thousands of texts by what they share, in numpy; the method behind `duplicates`.

Near-duplicates are found by weighted one-permutation sketches of character trigrams (Li, Owen and
Zhang, "One permutation hashing", NIPS 2012; a trigram of weight w takes the rank -ln(u)/w, so that
places of two sketches agree with the weighted Jaccard similarity). Two rounds: the first weighs all
trigrams alike and groups only what is plainly one text; the second weighs each by how few of those
groups hold it, so that boilerplate, which many letters share, joins nothing. In both, a text is
compared with a group's profile, the commonest value at each place, never with just any member:
chains through intermediate texts do not form. Each value also keeps the eighth of the text it stood
in: copies agree all over, letters that only share a sentence in one part, and those are kept apart.

A value is 32 bits (20 of rank, 9 of hash against ties, 3 of part), so a text takes half a kilobyte;
pairs are first compared by one byte of each value, which can only flatter them, and the few that
pass are compared in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_PLAIN_ROUND = 0.5
_PLACES = 128  # of a sketch; standard error at similarity s is √(s(1-s)/128)
_TABLE = 1 << 22  # trigram counts are kept by hash
_ROUNDS_OF_MERGING = 3
_LEADERS = 2
_CHUNK = 1_000  # texts sketched at a time: what is worked on stays in the processor's cache
_COMPARED = 2_000  # pairs compared at a time, for the same reason
_PAIRED = 100_000  # rows whose pairs are gathered at a time; bounds the memory, not the result
_LOOKED_UP = 64  # places by which texts find each other
_PARTS = 8
_PART_BITS = 3
_MOSTLY = 0.5  # texts this similar may differ in one part only: something was added
_EVENLY = 0.75  # of the parts that matches spread at random would touch
_EMPTY = np.uint32(0xFFFF_FFFF)

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Sketch = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


def grouped(texts: Sequence[str], threshold: float) -> list[int]:
    """A group number per text (distinct, `normal.bare`, at least 3 letters), in no given order."""
    groups = _grouped(_sketched(texts, None), max(_PLAIN_ROUND, threshold))
    groups = _grouped(_sketched(texts, _weights(texts, groups)), threshold, groups)
    found: list[int] = groups.tolist()
    return found


@dataclass(frozen=True, slots=True)
class _Shingles:
    """Every trigram of every text: which text, where in it, and its hash."""

    text: Ints
    at: Ints  # counted from the beginning of the texts joined
    begins: Ints  # where each text begins there
    lengths: Ints
    hash: Words

    def parts(self) -> Sketch:
        """Which eighth of its text each stands in, 0-7."""
        parts: Sketch = (
            (self.at - self.begins[self.text]) * _PARTS // self.lengths[self.text]
        ).astype(np.uint32)
        return parts


def _shingled(texts: Sequence[str]) -> _Shingles:
    joined = "\x00\x00".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = codes.astype(np.uint64)
    mixed = (codes[:-2] << np.uint64(42)) ^ (codes[1:-1] << np.uint64(21)) ^ codes[2:]
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    begins = np.cumsum(lengths + 2) - lengths - 2
    text = np.repeat(np.arange(len(texts)), lengths + 2)[: len(mixed)]
    whole = (codes[:-2] != 0) & (codes[1:-1] != 0) & (codes[2:] != 0)
    at = np.flatnonzero(whole)
    return _Shingles(text[at], at, begins, lengths, _mixed(mixed[at]))


def _mixed(values: Words) -> Words:
    """Each value's bits well spread (the finaliser of SplitMix64, public domain, S. Vigna)."""
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58_476D_1CE4_E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D0_49BB_1331_11EB)
    values ^= values >> np.uint64(31)
    return values


def _slots(shingles: _Shingles) -> Ints:
    return (shingles.hash & np.uint64(_TABLE - 1)).astype(np.int64)


def _weights(texts: Sequence[str], groups: Ints) -> Floats:
    """By hash: near 1 for a trigram that one group holds, near 0 for one that many hold."""
    held = np.zeros(_TABLE, dtype=np.int64)
    for trigrams in _held(texts, groups):
        held += np.bincount(trigrams, minlength=_TABLE)
    # Common to more than about 1 group in 300 (at least 3): boilerplate, fading out fast.
    usual = max(3.0, (int(groups.max()) + 1) / 300)
    weights: Floats = (1 / (1 + (np.arange(int(held.max()) + 1) / usual) ** 2))[held]
    return weights


def _held(texts: Sequence[str], groups: Ints) -> Iterator[Ints]:
    """The slots of every group's trigrams, each once a group, some million at a time."""
    order = np.argsort(groups, kind="stable")
    begun = np.empty(0, dtype=np.int64)  # what the last group seen holds; it may go on
    ready: list[Ints] = []
    for begin in range(0, len(texts), _CHUNK):
        rows = order[begin : begin + _CHUNK]
        shingles = _shingled([texts[row] for row in rows.tolist()])
        keys = np.concatenate((begun, groups[rows][shingles.text] * _TABLE + _slots(shingles)))
        # np.unique hashes, which is several times slower on millions of values than sorting.
        keys.sort()
        keys = keys[_changes(keys)]
        going_on = int(np.searchsorted(keys, groups[rows[-1]] * _TABLE))
        begun = keys[going_on:].copy()
        ready.append(keys[:going_on] & (_TABLE - 1))
        if sum(map(len, ready)) > _TABLE:
            yield np.concatenate(ready)
            ready.clear()
    yield np.concatenate((*ready, begun & (_TABLE - 1)))


def _changes(values: Any) -> Bools:
    """Where in a sorted array another value begins."""
    return np.concatenate(([True], values[1:] != values[:-1]))[: len(values)]


def _sketched(texts: Sequence[str], weights: Floats | None) -> Sketch:
    """A row of `_PLACES` values per text; where no trigram fell, `_EMPTY`. All weigh 1 if None."""
    sketch = np.full((len(texts), _PLACES), _EMPTY)
    for begin in range(0, len(texts), _CHUNK):
        shingles = _shingled(texts[begin : begin + _CHUNK])
        cells = sketch[begin : begin + _CHUNK].reshape(-1)
        place = (shingles.hash >> np.uint64(57)).astype(np.int64)
        np.minimum.at(cells, shingles.text * _PLACES + place, _values(shingles, weights))
    return sketch


def _values(shingles: _Shingles, weights: Floats | None) -> Sketch:
    uniform = ((shingles.hash >> np.uint64(22)) & np.uint64(0xFFFF_FFFF)).astype(np.float64)
    uniform += 1
    uniform /= 2**32
    rank = -np.log(uniform)
    if weights is not None:
        rank /= weights[_slots(shingles)]
    # The bits of a float32 that is not negative (-0.0 is made 0.0) keep the order.
    order = (rank + 0.0).astype(np.float32).view(np.uint32) >> np.uint32(11) << np.uint32(12)
    order |= (shingles.hash & np.uint64(0xFF8)).astype(np.uint32)
    order |= shingles.parts()
    return order


def _grouped(sketch: Sketch, threshold: float, start: Ints | None = None) -> Ints:
    """Group numbers 0…: stars around the text with most near neighbours, then drawn together."""
    if start is None:
        left, right = _near_pairs(sketch, threshold)
        groups = _stars(len(sketch), left, right)
    else:
        groups = start
    profiles = _profiles(sketch, groups)
    for rest in reversed(range(_ROUNDS_OF_MERGING)):
        left, right = _near_pairs(profiles, threshold)
        if not len(left):
            break
        stars = _stars(len(profiles), left, right)
        groups = stars[groups]
        if rest:
            profiles = _drawn_together(profiles, stars, sketch, groups)
    return groups


def _near_pairs(sketch: Sketch, threshold: float) -> tuple[Ints, Ints]:
    """Pairs of rows that are near duplicates, the smaller row first, in order."""
    close = _Closeness(sketch, threshold)
    found = [close.among(*pairs) for pairs in _candidates(sketch)]
    return np.concatenate([left for left, _ in found]), np.concatenate([r for _, r in found])


def _candidates(sketch: Sketch) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of rows worth comparing: those that meet at least twice, as an early row of a bucket
    with a later one or as neighbours in it. A bucket costs its size, not its square."""
    rows = len(sketch)
    for begin in range(0, rows, _PAIRED):
        met = [np.empty(0, dtype=np.int64)]
        for place in range(_LOOKED_UP):
            for left, right, twice in _meetings(sketch[:, place]):
                if rows > _PAIRED:
                    here = (left >= begin) & (left < begin + _PAIRED)
                    left, right = left[here], right[here]
                left = left * (2 * rows)
                left += right * 2 + twice
                met.append(left)
        keys = np.concatenate(met)
        del met
        keys.sort()
        pairs = keys >> 1
        again = (keys & 1).astype(np.bool_)
        again[1:] |= pairs[1:] == pairs[:-1]
        pairs = pairs[again]
        pairs = pairs[_changes(pairs)]
        left = pairs // rows
        yield left, pairs - left * rows


def _meetings(column: Sketch) -> Iterator[tuple[Ints, Ints, int]]:
    """Rows with one value: the first two of them with each later one, and neighbours up to two
    apart; with 1 where both is so, which counts as meeting twice. The smaller row first."""
    rows = np.arange(len(column), dtype=np.uint64)
    packed = (_trigram(column).astype(np.uint64) << np.uint64(32)) | rows
    packed.sort()
    value = packed >> np.uint64(32)
    filled = int(np.searchsorted(value, np.uint64(_trigram(_EMPTY))))
    value, row = value[:filled], (packed[:filled] & np.uint64(0xFFFF_FFFF)).astype(np.int64)
    if filled < 2:
        return
    first = np.flatnonzero(_changes(value))
    size = np.diff(np.concatenate((first, [filled])))
    shared = np.repeat(size > 1, size)
    place = np.arange(filled) - np.repeat(first, size)  # of each row in its bucket
    place, row = place[shared], row[shared]
    at = np.arange(len(place))
    for leader in range(_LEADERS):
        for step in (1, 2):
            both = np.flatnonzero(place == leader + step)
            yield row[both - step], row[both], 1
        others = np.flatnonzero(place > leader + 2)
        yield row[(at - place)[others] + leader], row[others], 0
    for step in (1, 2):
        beside = np.flatnonzero(place >= _LEADERS + step)
        yield row[beside - step], row[beside], 0


class _Closeness:
    """Which rows are near duplicates: similar enough, and all over.

    Copies agree everywhere with gaps; letters that merely share a sentence agree in one part.
    """

    def __init__(self, sketch: Sketch, threshold: float) -> None:
        self._sketch, self._threshold = sketch, threshold
        filled = np.packbits(sketch != _EMPTY, axis=1).view(np.uint64)
        self._filled: Words = filled
        self._bytes: Words = _trigram(sketch).astype(np.uint8).view(np.uint64)

    def among(self, left: Ints, right: Ints) -> tuple[Ints, Ints]:
        """Of these pairs, the near ones."""
        near: list[Bools] = [np.empty(0, dtype=np.bool_)]
        for begin in range(0, len(left), _COMPARED):
            near.append(
                self._near(left[begin : begin + _COMPARED], right[begin : begin + _COMPARED])
            )
        chosen = np.concatenate(near)
        return left[chosen], right[chosen]

    def _near(self, left: Ints, right: Ints) -> Bools:
        a, b = self._filled.take(left, 0), self._filled.take(right, 0)
        either = np.bitwise_count(a | b).sum(1, dtype=np.int64)
        # Places that both have empty agree byte for byte, and do not count.
        flattered = self._agreeing_bytes(left, right) - (_PLACES - either)
        near: Bools = flattered / np.maximum(either, 1) >= self._threshold
        hopeful = np.flatnonzero(near)
        left, right, either = left[hopeful], right[hopeful], either[hopeful]
        rows_a, rows_b = self._sketch.take(left, 0), self._sketch.take(right, 0)
        same = (_trigram(rows_a) == _trigram(rows_b)) & (rows_a != _EMPTY)
        matches = np.bitwise_count(np.packbits(same, axis=1).view(np.uint64)).sum(1, dtype=np.int64)
        likeness = matches / np.maximum(either, 1)
        alike = likeness >= self._threshold
        # Where they agree is asked of those alone that agree enough, but not nearly everywhere.
        asked = np.flatnonzero(alike & (likeness < _MOSTLY))
        evenly = _EVENLY * _PARTS * (1 - (1 - 1 / _PARTS) ** matches[asked])
        same = same[asked]
        touched = np.minimum(
            _parts_touched(rows_a[asked], same), _parts_touched(rows_b[asked], same)
        )
        alike[asked] = touched >= evenly
        near[hopeful] = alike
        return near

    def _agreeing_bytes(self, left: Ints, right: Ints) -> Ints:
        a = self._bytes.take(left, 0).view(np.uint8)
        b = self._bytes.take(right, 0).view(np.uint8)
        # Eight places at a time: sixteen words of bytes that are 0 or 1, then their bytes summed.
        sums = (a == b).view(np.uint64).sum(1)
        agreeing: Ints = (sums * np.uint64(0x0101_0101_0101_0101) >> np.uint64(56)).astype(np.int64)
        return agreeing


def _trigram(value: Any) -> Any:
    """A sketch value without the part of the text it stood in."""
    return value >> np.uint32(_PART_BITS)


def _parts_touched(rows: Sketch, same: Bools) -> Ints:
    bits = np.left_shift(np.uint8(1), (rows & np.uint32(7)).astype(np.uint8))
    touched = np.bitwise_or.reduce(np.where(same, bits, np.uint8(0)), axis=1)
    counted: Ints = np.bitwise_count(touched).astype(np.int64)
    return counted


def _stars(n: int, left: Ints, right: Ints) -> Ints:
    """Greedy: the row with most neighbours takes those still free, and so on; ties by number."""
    ends = np.concatenate((left, right))
    others = np.concatenate((right, left))
    order = np.argsort(ends, kind="stable")
    others = others[order]
    degree = np.bincount(ends, minlength=n)
    begin = np.concatenate(([0], np.cumsum(degree)))
    groups = np.full(n, -1)
    number = 0
    centres = np.argsort(-degree, kind="stable")
    social = int(np.count_nonzero(degree))
    for centre in centres[:social].tolist():
        if groups[centre] >= 0:
            continue
        groups[centre] = number
        near = others[begin[centre] : begin[centre + 1]]
        groups[near[groups[near] < 0]] = number
        number += 1
    groups[centres[social:]] = np.arange(number, number + n - social)
    return groups


def _profiles(sketch: Sketch, groups: Ints) -> Sketch:
    """One row a group: at each place the commonest value of its texts, the smaller on a tie."""
    n_groups = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=n_groups)
    profiles = np.empty((n_groups, _PLACES), dtype=np.uint32)
    alone = sizes[groups] == 1
    profiles[groups[alone]] = sketch[alone]
    _fill(profiles, sketch, groups, np.flatnonzero(~alone))
    return profiles


def _drawn_together(profiles: Sketch, stars: Ints, sketch: Sketch, groups: Ints) -> Sketch:
    """`_profiles` of these groups, into which stars have drawn groups with those profiles: the few
    that were drawn together have another one."""
    grown = np.bincount(stars) > 1
    found = np.empty((len(grown), _PLACES), dtype=np.uint32)
    as_before = ~grown[stars]
    found[stars[as_before]] = profiles[as_before]
    _fill(found, sketch, groups, np.flatnonzero(grown[groups]))
    return found


def _fill(profiles: Sketch, sketch: Sketch, groups: Ints, several: Ints) -> None:
    """Write the profiles of the groups of these rows, which must be whole groups."""
    if not len(several):
        return
    several = several[np.argsort(groups[several], kind="stable")]
    group = groups[several].astype(np.uint64) << np.uint64(32)
    for place in range(_PLACES):
        packed = group | sketch[several, place]
        packed.sort()
        trigram = _trigram(packed)
        starts = np.flatnonzero(_changes(trigram))
        times = np.diff(np.concatenate((starts, [len(packed)])))
        # The most often, and of those the first.
        owner = (packed[starts] >> np.uint64(32)).astype(np.int64)
        first = np.flatnonzero(_changes(owner))
        order = times * len(starts) + (len(starts) - 1 - np.arange(len(starts)))
        best = len(starts) - 1 - np.maximum.reduceat(order, first) % len(starts)
        profiles[owner[first], place] = packed[starts[best]].astype(np.uint32)
