"""Opinions as rows of numbers: the TF-IDF vectors that themes and their spokesmen stand on."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

_MOST_TERMS = 8_000

Floats = npt.NDArray[np.float32]


def weighted(opinions: Sequence[Mapping[str, float]]) -> Floats:
    """Opinions × terms, rows of length 1 (or 0): (1 + ln weight) · ln(n / opinions with the term).

    Terms in a single opinion liken it to no other and are left out, as are all but the most
    frequent 8,000.
    """
    held: Counter[str] = Counter()
    for opinion in opinions:
        held.update(opinion.keys())
    shared = sorted((term for term, n in held.items() if n > 1), key=lambda term: -held[term])
    column = {term: place for place, term in enumerate(shared[:_MOST_TERMS])}
    vectors = np.zeros((len(opinions), max(1, len(column))), dtype=np.float32)
    for row, opinion in enumerate(opinions):
        for term, weight in opinion.items():
            if (place := column.get(term)) is not None and weight > 0:
                rarity = math.log(len(opinions) / held[term])
                vectors[row, place] = (1 + math.log(max(1.0, weight))) * rarity
    return with_length_one(vectors)


def with_length_one(vectors: Floats) -> Floats:
    """The rows scaled to length 1, those of no length left alone; in place."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    np.divide(vectors, lengths, out=vectors, where=lengths > 0)
    return vectors
