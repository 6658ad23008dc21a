"""Which topic or unit an opinion belongs to, learned from those that people have confirmed.

Needs numpy, and is loaded by whoever suggests. One linear separator a label over the opinion's
TF-IDF vector: L2-regularised support vector machines with squared hinge loss, each label against
the rest, trained by dual coordinate descent (Hsieh, Chang, Lin, Keerthi and Sundararajan, "A dual
coordinate descent method for large-scale linear SVM", ICML 2008, algorithm 1), all labels at once.
A suggestion's reason is exact: the score is a sum over the opinion's own terms, and the largest of
its summands are shown. A person confirms; nothing here decides.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Of a label fewer confirmed opinions teach nothing (10 a label: macro-F1 .65, 30: .77).
FEWEST = 5
_COST = 1.0  # C of the reference: what an error costs against a short separator
_PASSES = 12
_REASONS = 5
_LEAST_HELD = 2  # a term in a single opinion separates nothing

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A label for one opinion.

    `margin` is how far its score lies above the next label's: below 0.5 or so a person had better
    read closely. `because` are the opinion's own terms that speak most for the label against that
    next one, strongest first, with what each adds to the margin.
    """

    label: str
    margin: float
    runner_up: str
    because: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """An opinion as the columns it has and their values; of length 1."""

    columns: Places
    values: Floats


class Router:
    """What was learned. Make one with `learn`; it is a plain value and may be kept."""

    def __init__(self, labels: Sequence[str], rarity: Mapping[str, float], weights: Floats) -> None:
        self.labels = tuple(labels)
        self._rarity = rarity
        self._column = {term: column for column, term in enumerate(rarity)}
        self._terms = tuple(rarity)
        self._weights = weights

    def suggest(self, opinion: Mapping[str, float]) -> Suggestion | None:
        """The likeliest label of an opinion given as {term: mentions}; None when none of its
        terms was ever seen."""
        row = _row(opinion, self._rarity, self._column)
        if row is None:
            return None
        scores = row.values @ self._weights[row.columns] + self._weights[-1]
        best, second = (int(place) for place in np.argsort(-scores, kind="stable")[:2])
        pulls = row.values * (self._weights[row.columns, best] - self._weights[row.columns, second])
        strongest = [place for place in np.argsort(-pulls, kind="stable") if pulls[place] > 0]
        return Suggestion(
            label=self.labels[best],
            margin=float(scores[best] - scores[second]),
            runner_up=self.labels[second],
            because=tuple(
                (self._terms[row.columns[place]], float(pulls[place]))
                for place in strongest[:_REASONS]
            ),
        )


def learn(opinions: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Router | None:
    """What opinions ({term: mentions}) and the labels people confirmed for them teach.

    Labels with fewer than FEWEST opinions are left out; None with fewer than two labels left.
    The order of the opinions does not matter. About 1 ms an opinion with fifteen labels.
    """
    if len(opinions) != len(labels):
        raise ValueError(f"{len(opinions)} opinions with {len(labels)} labels")
    held = Counter(labels)
    names = sorted(label for label, count in held.items() if count >= FEWEST)
    if len(names) < 2:
        return None
    # Sorted, so that the passes below see the opinions in one order however they came.
    taught = sorted(
        (sorted(opinion.items()), label)
        for opinion, label in zip(opinions, labels, strict=True)
        if held[label] >= FEWEST
    )
    rarity = _rarity([dict(terms) for terms, _label in taught])
    column = {term: place for place, term in enumerate(rarity)}
    rows, signs = [], []
    for terms, label in taught:
        row = _row(dict(terms), rarity, column)
        if row is not None:
            rows.append(row)
            signs.append([1.0 if label == name else -1.0 for name in names])
    if not rows:
        return None
    return Router(names, rarity, _separators(rows, np.array(signs), len(rarity)))


def _rarity(opinions: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """{term: ln(opinions / opinions with it) + 1}, in the terms' own order."""
    held: Counter[str] = Counter()
    for opinion in opinions:
        held.update(opinion.keys())
    return {
        term: math.log(len(opinions) / held[term]) + 1
        for term in sorted(held)
        if held[term] >= _LEAST_HELD
    }


def _row(
    opinion: Mapping[str, float], rarity: Mapping[str, float], column: Mapping[str, int]
) -> _Row | None:
    known = [(column[term], term, weight) for term, weight in opinion.items() if term in column]
    if not known:
        return None
    known.sort()
    values = np.array(
        [(1 + math.log(max(1.0, weight))) * rarity[term] for _place, term, weight in known]
    )
    return _Row(
        np.array([place for place, _term, _weight in known], dtype=np.int64),
        values / np.linalg.norm(values),
    )


def _separators(rows: Sequence[_Row], signs: Floats, width: int) -> Floats:
    """Weights (width + 1 × labels); the last row belongs to a column that is 1 in every opinion."""
    weights = np.zeros((width + 1, signs.shape[1]))
    pushes = np.zeros_like(signs)
    give = 1 / (2 * _COST)
    order = np.random.default_rng(1)
    for _pass in range(_PASSES):
        for number in order.permutation(len(rows)):
            row, sign = rows[number], signs[number]
            score = row.values @ weights[row.columns] + weights[-1]
            slope = sign * score - 1 + give * pushes[number]
            # The row has length 1, its constant column another 1.
            pushed = np.maximum(pushes[number] - slope / (2 + give), 0)
            change = (pushed - pushes[number]) * sign
            pushes[number] = pushed
            weights[row.columns] += np.outer(row.values, change)
            weights[-1] += change
    return weights
