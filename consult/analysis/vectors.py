"""Opinions as rows of numbers: the TF-IDF vectors that themes and their spokesmen stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import numpy.typing as npt
from scipy import sparse

_MOST_TERMS = 8_000

Floats = npt.NDArray[np.float32]


def weighted(opinions: Sequence[Mapping[str, float]]) -> sparse.csr_matrix:
    """Opinions × terms, rows of length 1 (or 0): (1 + ln weight) · ln(n / opinions with the term).

    Terms in a single opinion liken it to no other and are left out, as are all but the most
    frequent 8,000.
    """
    lengths = np.fromiter(map(len, opinions), np.int64, count=len(opinions))
    rows = np.repeat(np.arange(len(opinions)), lengths)
    numbers: dict[str, int] = {}
    every = chain.from_iterable(opinions)
    terms = np.array([numbers.setdefault(term, len(numbers)) for term in every], dtype=np.int64)
    every_weight = chain.from_iterable(opinion.values() for opinion in opinions)
    weights = np.fromiter(every_weight, np.float64, count=len(terms))
    held = np.bincount(terms, minlength=len(numbers))
    names = list(numbers)
    shared = sorted(np.flatnonzero(held > 1).tolist(), key=lambda term: (-held[term], names[term]))
    column = np.full(len(names), -1, dtype=np.int64)
    column[shared[:_MOST_TERMS]] = np.arange(min(len(shared), _MOST_TERMS))
    kept = np.flatnonzero((weights > 0) & (column[terms] >= 0))
    rows, terms = rows[kept], terms[kept]
    values = (1 + np.log(np.maximum(weights[kept], 1.0))) * np.log(len(opinions) / held[terms])
    squares = np.sqrt(np.bincount(rows, values * values, minlength=len(opinions)))[rows]
    np.divide(values, squares, out=values, where=squares > 0)
    shape = (len(opinions), max(1, min(len(shared), _MOST_TERMS)))
    found = sparse.csr_matrix((values.astype(np.float32), (rows, column[terms])), shape=shape)
    # A term in every opinion weighs nothing.
    found.eliminate_zeros()
    return found
