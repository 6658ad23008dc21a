"""Groups thousands of texts by what they share, in numpy; the method behind `duplicates`.

Near-duplicates are found by weighted one-permutation sketches of character trigrams (Li, Owen and
Zhang, "One permutation hashing", NIPS 2012; a trigram of weight w takes the rank -ln(u)/w, so that
places of two sketches agree with the weighted Jaccard similarity). Two rounds: the first weighs all
trigrams alike and groups only what is plainly one text; the second weighs each by how few of those
groups hold it, so that boilerplate, which many letters share, joins nothing. In both, a text is
compared with a group's profile, the commonest value at each place, never with just any member:
chains through intermediate texts do not form. Each value also keeps the eighth of the text it stood
in: copies agree all over, letters that only share a sentence in one part, and those are kept apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_PLAIN_ROUND = 0.5
_PLACES = 128  # of a sketch; standard error at similarity s is √(s(1-s)/128)
_TABLE = 1 << 22  # trigram counts are kept by hash
_ROUNDS_OF_MERGING = 3
_LEADERS = 2
_CHUNK = 4_000  # texts sketched at a time
_LOOKED_UP = 64  # places by which texts find each other
_PARTS = 8
_PART_BITS = np.uint64(3)
_MOSTLY = 0.5  # texts this similar may differ in one part only: something was added
_EVENLY = 0.75  # of the parts that matches spread at random would touch
_EMPTY = np.uint64(0xFFFF_FFFF_FFFF_FFFF)

Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]


def grouped(texts: Sequence[str], threshold: float) -> list[int]:
    """A group number per text (distinct, `normal.bare`, at least 3 letters), in no given order."""
    groups = _grouped(_sketched(texts, np.ones(_TABLE)), max(_PLAIN_ROUND, threshold))
    groups = _grouped(_sketched(texts, _weights(texts, groups)), threshold, groups)
    return [int(group) for group in groups]


@dataclass(frozen=True, slots=True)
class _Shingles:
    """Every trigram of every text: which text, where in it, and its hash."""

    text: Ints
    part: Words  # which eighth of its text, 0-7
    hash: Words
    n_texts: int


def _shingled(texts: Sequence[str]) -> _Shingles:
    joined = "\x00\x00".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = codes.astype(np.uint64)
    mixed = (codes[:-2] << np.uint64(42)) ^ (codes[1:-1] << np.uint64(21)) ^ codes[2:]
    spans = np.array([len(text) + 2 for text in texts])
    text = np.repeat(np.arange(len(texts)), spans)[: len(mixed)]
    begins = np.cumsum(spans) - spans
    whole = (codes[:-2] != 0) & (codes[1:-1] != 0) & (codes[2:] != 0)
    text, at = text[whole], np.flatnonzero(whole)
    part = ((at - begins[text]) * _PARTS // (spans[text] - 2)).astype(np.uint64)
    return _Shingles(text, part, _mixed(mixed[whole]), len(texts))


def _mixed(values: Words) -> Words:
    """Each value's bits well spread (the finaliser of SplitMix64, public domain, S. Vigna)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return values ^ (values >> np.uint64(31))


def _weights(texts: Sequence[str], groups: Ints) -> Floats:
    """By hash: near 1 for a trigram that one group holds, near 0 for one that many hold."""
    parts: list[Ints] = []
    for begin in range(0, len(texts), _CHUNK):
        shingles = _shingled(texts[begin : begin + _CHUNK])
        slot = (shingles.hash & np.uint64(_TABLE - 1)).astype(np.int64)
        parts.append(_distinct(groups[shingles.text + begin] * _TABLE + slot))
    held = np.bincount(_distinct(np.concatenate(parts)) % _TABLE, minlength=_TABLE)
    # Common to more than about 1 group in 300 (at least 3): boilerplate, fading out fast.
    usual = max(3.0, (int(groups.max()) + 1) / 300)
    weights: Floats = 1 / (1 + (held / usual) ** 2)
    return weights


def _distinct(values: Ints) -> Ints:
    # np.unique hashes, which is several times slower on millions of values than sorting.
    values.sort()
    return values[np.concatenate(([True], values[1:] != values[:-1]))]


def _sketched(texts: Sequence[str], weights: Floats) -> Words:
    """A row of `_PLACES` values per text; where no trigram fell, `_EMPTY`."""
    rows = [
        _sketches(_shingled(texts[begin : begin + _CHUNK]), weights)
        for begin in range(0, len(texts), _CHUNK)
    ]
    return np.concatenate(rows)


def _sketches(shingles: _Shingles, weights: Floats) -> Words:
    place = (shingles.hash >> np.uint64(57)).astype(np.int64)
    uniform = ((shingles.hash >> np.uint64(22)) & np.uint64(0xFFFF_FFFF)).astype(np.float64)
    uniform = (uniform + 1) / 2**32
    weight = weights[(shingles.hash & np.uint64(_TABLE - 1)).astype(np.int64)]
    rank = -np.log(uniform) / weight
    # 20 bits of rank (its float32 bits keep the order), 12 of hash against ties, 3 of place.
    order = rank.astype(np.float32).view(np.uint32).astype(np.uint64) >> np.uint64(11)
    value = (order << np.uint64(12)) | (shingles.hash & np.uint64(0xFFF))
    cell = (shingles.text * _PLACES + place).astype(np.uint64)
    packed = (cell << np.uint64(36)) | (value << _PART_BITS) | shingles.part
    packed.sort()
    at = packed >> np.uint64(36)
    first = np.concatenate(([True], at[1:] != at[:-1]))
    sketch = np.full(shingles.n_texts * _PLACES, _EMPTY)
    sketch[at[first].astype(np.int64)] = packed[first] & np.uint64((1 << 36) - 1)
    return sketch.reshape(shingles.n_texts, _PLACES)


def _grouped(sketch: Words, threshold: float, start: Ints | None = None) -> Ints:
    """Group numbers 0…: stars around the text with most near neighbours, then drawn together."""
    if start is None:
        left, right = _candidates(sketch)
        near = _near(sketch, left, sketch, right, threshold)
        groups = _stars(len(sketch), left[near], right[near])
    else:
        groups = start
    for _ in range(_ROUNDS_OF_MERGING):
        profiles = _profiles(sketch, groups)
        left, right = _candidates(profiles)
        near = _near(profiles, left, profiles, right, threshold)
        if not near.any():
            break
        stars = _stars(len(profiles), left[near], right[near])
        groups = stars[groups]
    return groups


def _candidates(sketch: Words) -> tuple[Ints, Ints]:
    """Pairs of rows worth comparing: those that meet at least twice, as an early row of a bucket
    with a later one or as neighbours in it. A bucket costs its size, not its square."""
    counts: list[Ints] = []
    rows = len(sketch)
    for place in range(_LOOKED_UP):
        column = _trigram(sketch[:, place])
        order = np.argsort(column, kind="stable")
        ordered = column[order]
        starts = np.concatenate(([True], ordered[1:] != ordered[:-1]))
        bucket = np.cumsum(starts) - 1
        first = np.flatnonzero(starts)
        filled = ordered != _trigram(_EMPTY)
        for leader in range(_LEADERS):
            at = np.minimum(first + leader, rows - 1)[bucket]
            usable = filled & (np.arange(rows) > at) & (bucket[at] == bucket)
            counts.append(_pairs(order[at[usable]], order[usable], rows))
        # In a bucket of many letters with one sentence, copies need not share the first row.
        for step in (1, 2):
            beside = np.flatnonzero(filled[step:] & (bucket[step:] == bucket[:-step]))
            counts.append(_pairs(order[beside], order[beside + step], rows))
    pairs = np.sort(np.concatenate(counts))
    starts = np.flatnonzero(np.concatenate(([True], pairs[1:] != pairs[:-1])))
    times = np.diff(np.concatenate((starts, [len(pairs)])))
    pairs = pairs[starts[times >= 2]]
    return pairs // rows, pairs % rows


def _pairs(left: Ints, right: Ints, rows: int) -> Ints:
    return np.minimum(left, right) * rows + np.maximum(left, right)


def _near(a: Words, left: Ints, b: Words, right: Ints, threshold: float) -> npt.NDArray[np.bool_]:
    """Which rows of a are near duplicates of rows of b: similar enough, and all over.

    Copies agree everywhere with gaps; letters that merely share a sentence agree in one part.
    """
    near = np.zeros(len(left), dtype=np.bool_)
    for begin in range(0, len(left), 20_000):
        rows_a, rows_b = a[left[begin : begin + 20_000]], b[right[begin : begin + 20_000]]
        either = (rows_a != _EMPTY) | (rows_b != _EMPTY)
        same = (_trigram(rows_a) == _trigram(rows_b)) & either
        matches = same.sum(1)
        likeness = matches / np.maximum(either.sum(1), 1)
        # Where they agree is asked of those alone that agree enough.
        alike = np.flatnonzero(likeness >= threshold)
        rows_a, rows_b, same = rows_a[alike], rows_b[alike], same[alike]
        evenly = _EVENLY * _PARTS * (1 - (1 - 1 / _PARTS) ** matches[alike])
        touched = np.minimum(_parts_touched(rows_a, same), _parts_touched(rows_b, same))
        near[begin + alike] = (touched >= evenly) | (likeness[alike] >= _MOSTLY)
    return near


def _trigram(value: Any) -> Any:
    """A sketch value without the part of the text it stood in."""
    return value >> _PART_BITS


def _parts_touched(rows: Words, same: npt.NDArray[np.bool_]) -> Ints:
    bits = np.where(same, np.left_shift(1, (rows & np.uint64(7)).astype(np.int64)), 0)
    touched = np.bitwise_or.reduce(bits, axis=1)
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
    for centre in np.argsort(-degree, kind="stable"):
        if groups[centre] >= 0:
            continue
        groups[centre] = number
        near = others[begin[centre] : begin[centre + 1]]
        groups[near[groups[near] < 0]] = number
        number += 1
    return groups


def _profiles(sketch: Words, groups: Ints) -> Words:
    """One row a group: at each place the commonest value of its texts, the smaller on a tie."""
    n_groups = int(groups.max()) + 1
    sizes = np.bincount(groups, minlength=n_groups)
    profiles = np.empty((n_groups, _PLACES), dtype=np.uint64)
    alone = sizes[groups] == 1
    profiles[groups[alone]] = sketch[alone]
    several = np.flatnonzero(~alone)
    if not len(several):
        return profiles
    for place in range(_PLACES):
        column = sketch[several, place]
        order = np.lexsort((column, groups[several]))
        group, value = groups[several][order], column[order]
        other = _trigram(value[1:]) != _trigram(value[:-1])
        starts = np.flatnonzero(np.concatenate(([True], (group[1:] != group[:-1]) | other)))
        times = np.diff(np.concatenate((starts, [len(group)])))
        best = np.lexsort((value[starts], -times, group[starts]))
        group, value = group[starts][best], value[starts][best]
        first = np.concatenate(([True], group[1:] != group[:-1]))
        profiles[group[first], place] = value[first]
    return profiles
