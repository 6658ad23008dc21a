"""Texts that were not grouped go to the group they are likest, so far as they are like any.

Needs numpy, and is loaded by whoever groups more texts than `themes` looks at.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain, count

import numpy as np
import numpy.typing as npt
from scipy import sparse

# A text joins a group when it is likelier there than this share of its members.
_LEAST_RANK = 0.1
_LEAST_LIKE = 1e-6
_BLOCK = 10_000  # texts likened at a time; bounds the memory, not the result

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def likest(
    texts: Sequence[Sequence[str]], groups: Sequence[Sequence[int]], others: Sequence[int]
) -> dict[int, int]:
    """{place of a text: number of the group it is likest to}, of these others, so far as they are
    like any. `texts`: the distinct terms of each; `groups`: places of texts.

    Likeness is the cosine of a text's terms, weighted by rarity (ln of the number of texts for each
    that holds the term), with the middle of the group. About 5 µs a text.
    """
    if not groups:
        return {}
    weighted = _Weighted(texts)
    middles = np.stack([weighted.middle(np.array(held)) for held in groups], axis=1)
    bars = np.array(
        [_bar(weighted.like(np.array(held), middles)[:, n]) for n, held in enumerate(groups)]
    )
    found: dict[int, int] = {}
    for begin in range(0, len(others), _BLOCK):
        asked = np.array(others[begin : begin + _BLOCK])
        likeness = weighted.like(asked, middles)
        best = likeness.argmax(1)
        near = likeness[np.arange(len(asked)), best] >= bars[best]
        found.update(zip(asked[near].tolist(), best[near].tolist(), strict=True))
    return found


def _bar(likeness: Floats) -> float:
    """What the likeness of a text must reach, from that of the members."""
    return max(_LEAST_LIKE, float(np.sort(likeness)[int(_LEAST_RANK * len(likeness))]))


class _Weighted:
    """Texts as rows of the rarity of each term they hold."""

    def __init__(self, texts: Sequence[Sequence[str]]) -> None:
        numbers = defaultdict[str, int](count().__next__)
        every = map(numbers.__getitem__, chain.from_iterable(texts))
        self._terms = np.fromiter(every, np.int32)
        self._sizes = np.fromiter(map(len, texts), np.int64, count=len(texts))
        self._starts = np.cumsum(self._sizes) - self._sizes
        held = np.bincount(self._terms, minlength=len(numbers)).tolist()
        # math's logarithm: numpy's own may differ in the last bit from machine to machine.
        self._rarity: Floats = np.array([math.log(len(texts) / n) for n in held])

    def middle(self, places: Ints) -> Floats:
        """By term its weight in the middle of these texts, which has length 1."""
        rows = self._rows(places)
        shares = rows.data / np.repeat(_lengths(rows), np.diff(rows.indptr))
        total = np.bincount(rows.indices, shares, minlength=len(self._rarity))
        middle: Floats = total / (math.sqrt(math.fsum((total * total).tolist())) or 1.0)
        return middle

    def like(self, places: Ints, middles: Floats) -> Floats:
        """These texts × the cosine with each middle (terms × middles); 0 of a text without terms."""
        rows = self._rows(places)
        likeness: Floats = (rows @ middles) / _lengths(rows)[:, None]
        return likeness

    def _rows(self, places: Ints) -> sparse.csr_matrix:
        sizes = self._sizes[places]
        ends = np.cumsum(sizes)
        shift = np.repeat(self._starts[places] - (ends - sizes), sizes)
        terms = self._terms[shift + np.arange(len(shift))]
        shape = (len(places), len(self._rarity))
        return sparse.csr_matrix((self._rarity[terms], terms, np.append(0, ends)), shape=shape)


def _lengths(rows: sparse.csr_matrix) -> Floats:
    owners = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    lengths = np.sqrt(np.bincount(owners, rows.data * rows.data, minlength=rows.shape[0]))
    lengths[lengths == 0] = 1.0
    return lengths
