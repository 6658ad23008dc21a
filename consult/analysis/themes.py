"""Opinions grouped by what they are about: themes with a name, their terms and a real opinion.

Needs numpy, and is loaded by whoever groups. The method: each opinion is a TF-IDF vector of its
terms, seen in the 150 directions in which such vectors differ most (latent semantic analysis,
Deerwester et al., JASIS 41(6), 1990; by the randomised range finder of Halko, Martinsson and Tropp,
SIAM Review 53(2), 2011); there it is joined to its nearest neighbours by cosine; communities of that
graph are found by modularity (Blondel et al., "Fast unfolding of communities in large networks",
J. Stat. Mech. 2008), a node being looked at again only when a neighbour has moved (Traag, Waltman and
van Eck, Scientific Reports 9:5233, 2019); the better of two starts, once more refined. Whoever has no neighbour, lies far from the middle
of its community, or is in one too small to be a theme, stays unclassified.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from consult.analysis import keywords
from consult.analysis.vectors import Floats, weighted

_DIRECTIONS = 150
_NEIGHBOURS = 30
_LEAST_LIKE = 0.1  # cosine below which two opinions are not neighbours
_BELONGS = 0.12  # cosine with the middle of the theme below which an opinion is not in it
_STARTS = 2
_STEPS = 4_096  # of likeness, from none to equal
_MOST_JOINED = 6_000  # beyond, that many are joined and the rest go to the theme they are nearest
_SMALLEST = 3
_SMALLEST_SHARE = 0.004
_NAMED_BY = 3
_SHOWN = 10
_BLOCK = 1_000

Places = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: name, its most telling terms, its members' places in the input, and of those the
    most central one, whose words stand for all."""

    name: str
    terms: tuple[str, ...]
    members: tuple[int, ...]
    representative: int


@dataclass(frozen=True, slots=True)
class Grouping:
    """Themes, largest first, and the places of those in none; together every opinion once."""

    themes: tuple[Theme, ...]
    unclassified: tuple[int, ...]


def group(
    opinions: Sequence[Mapping[str, float]], *, resolution: float = 1.0, seed: int = 1
) -> Grouping:
    """Themes of opinions, each given as its terms with their weights (mentions, say).

    A higher `resolution` gives more and smaller themes: group a theme's members again with it to
    look inside. Equal opinions and seed give equal themes, in whatever order they come. About
    0.2 ms an opinion.
    """
    order = sorted(range(len(opinions)), key=lambda place: sorted(opinions[place].items()))
    found = _grouped([opinions[place] for place in order], resolution, seed)
    placed = [replace(theme, **_back(theme, order)) for theme in found.themes]
    return Grouping(tuple(placed), tuple(sorted(order[place] for place in found.unclassified)))


def _back(theme: Theme, order: Sequence[int]) -> dict[str, Any]:
    """The places of a theme's opinions in the order they came."""
    return {
        "members": tuple(sorted(order[place] for place in theme.members)),
        "representative": order[theme.representative],
    }


def _grouped(opinions: Sequence[Mapping[str, float]], resolution: float, seed: int) -> Grouping:
    vectors = _seen_in_few_directions(weighted(opinions), seed)
    usable = np.flatnonzero(vectors.any(1))
    if len(usable) < _SMALLEST:
        return Grouping((), tuple(range(len(opinions))))
    joined = usable[_spread(len(usable), _MOST_JOINED)]
    graph = _graph(vectors[joined])
    starts = [_communities(graph, resolution, seed + start) for start in range(_STARTS)]
    best = max(starts, key=lambda found: _modularity(graph, found, resolution))
    label = _communities(graph, resolution, seed, best)
    least = max(_SMALLEST, round(_SMALLEST_SHARE * len(joined)))
    communities = [np.flatnonzero(label == number) for number in range(int(label.max()) + 1)]
    members = [_near_the_middle(vectors, joined[held]) for held in communities]
    members = [held for held in members if len(held) >= least]
    members = _with_the_rest(vectors, members, np.setdiff1d(usable, joined))
    members.sort(key=lambda held: (-len(held), int(held[0])))
    themes = tuple(_described(opinions, vectors, members))
    placed = {member for theme in themes for member in theme.members}
    return Grouping(_apart(themes), tuple(n for n in range(len(opinions)) if n not in placed))


def _seen_in_few_directions(weights: sparse.csr_matrix, seed: int) -> Floats:
    rows, columns = weights.shape
    if min(rows, columns) <= _DIRECTIONS:
        return weights.toarray()  # type: ignore[no-any-return]  # scipy tells no types
    exact = weights.astype(np.float64)
    across = exact.T.tocsr()
    found = exact @ np.random.default_rng(seed).standard_normal((columns, _DIRECTIONS + 20))
    # The differences between the directions are small enough for doubles to go without another QR.
    for _ in range(2):
        found = exact @ (across @ found)
    basis = np.linalg.qr(found)[0]
    # The left half of a singular value decomposition, out of a square of the directions alone.
    inside = across @ basis
    spread, left = np.linalg.eigh(inside.T @ inside)
    most = np.argsort(-spread, kind="stable")[:_DIRECTIONS]
    seen = (basis @ left[:, most]) * np.sqrt(np.maximum(spread[most], 0.0))
    lengths = np.linalg.norm(seen, axis=1, keepdims=True)
    usable = (lengths > 1e-6) & (np.diff(weights.indptr) > 0)[:, None]
    shortened: Floats = np.where(usable, seen / np.maximum(lengths, 1e-6), 0).astype(np.float32)
    return shortened


def _near_the_middle(vectors: Floats, held: Places) -> Places:
    middle = vectors[held].mean(0)
    near = vectors[held] @ (middle / (np.linalg.norm(middle) + 1e-12)) >= _BELONGS
    kept: Places = held[near]
    return kept


def _spread(n: int, most: int) -> Places:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _graph(vectors: Floats) -> sparse.csr_matrix:
    """Who is joined to whom, and how firmly: in steps of 1/4096, whose sums are exact, so that the
    order of adding decides nothing."""
    n = len(vectors)
    count = min(_NEIGHBOURS, n - 1)
    parts: list[tuple[Places, Places, Floats]] = []
    for begin in range(0, n, _BLOCK):
        likeness = vectors[begin : begin + _BLOCK] @ vectors.T
        rows = np.arange(len(likeness))[:, None]
        likeness[rows[:, 0], rows[:, 0] + begin] = -1
        nearest = np.argpartition(likeness, n - count, axis=1)[:, n - count :]
        like = likeness[rows, nearest]
        down, across = np.nonzero(like >= _LEAST_LIKE)
        parts.append((down + begin, nearest[down, across], like[down, across]))
    one, other, like = (np.concatenate(column) for column in zip(*parts, strict=True))
    firmly = np.rint(like.astype(np.float64) * _STEPS) / _STEPS
    graph = sparse.csr_matrix((firmly, (one, other)), shape=(n, n))
    return graph.maximum(graph.T).tocsr()


def _communities(
    graph: sparse.csr_matrix, resolution: float, seed: int, start: Places | None = None
) -> Places:
    """By node the number of its community, -1 of one without a neighbour. `start`: communities to
    begin from, where each node may still go elsewhere; else each node is one."""
    found = np.full(graph.shape[0], -1, dtype=np.int64)
    nodes = np.flatnonzero(np.diff(graph.indptr))
    level = graph[nodes][:, nodes].tocsr()
    label = np.arange(len(nodes))
    begin = label if start is None else start[nodes]
    chance = random.Random(seed)
    while level.shape[0]:
        moved = _moved(level, begin.tolist(), resolution, chance)
        numbers = np.unique(moved, return_inverse=True)[1]
        size = int(numbers.max()) + 1
        label = numbers[label]
        if size == level.shape[0]:
            break
        # Within a community its ties are a tie with itself, twice as each is in the graph.
        ones = np.ones(len(numbers))
        into = sparse.csr_matrix((ones, (np.arange(len(numbers)), numbers)))
        level = (into.T @ level @ into).tocsr()
        begin = np.arange(size)
    found[nodes] = label
    return found


def _moved(
    level: sparse.csr_matrix, label: list[int], resolution: float, chance: random.Random
) -> list[int]:
    """Each node's community after moving nodes while modularity grows. Whoever has moved has its
    neighbours looked at again, and nobody else: who saw no change has little new to decide."""
    degrees = np.asarray(level.sum(axis=1)).ravel()
    degree: list[float] = degrees.tolist()
    total: list[float] = np.bincount(label, degrees, minlength=len(degree)).tolist()
    twice = sum(degree) or 1.0
    ties_of = _ties(level)
    order = list(range(len(degree)))
    chance.shuffle(order)
    waiting = deque(order)
    waits = [True] * len(degree)
    while waiting:
        node = waiting.popleft()
        waits[node] = False
        ties: dict[int, float] = {}
        others, weights = ties_of[node]
        for other, weight in zip(others, weights, strict=True):
            there = label[other]
            if there in ties:
                ties[there] += weight
            else:
                ties[there] = weight
        home = label[node]
        total[home] -= degree[node]
        pull = resolution * degree[node] / twice
        best, most = home, ties.get(home, 0.0) - pull * total[home]
        for community, tie in ties.items():
            gain = tie - pull * total[community]
            if gain > most + 1e-9:
                best, most = community, gain
        total[best] += degree[node]
        if best == home:
            continue
        label[node] = best
        for other in others:
            if not waits[other] and label[other] != best:
                waits[other] = True
                waiting.append(other)
    return label


def _ties(level: sparse.csr_matrix) -> list[tuple[list[int], list[float]]]:
    """By node: those it is tied to, itself left out, and how firmly."""
    apart = level.copy()
    apart.setdiag(0)
    apart.eliminate_zeros()
    apart.sort_indices()
    others, weights = apart.indices.tolist(), apart.data.tolist()
    bounds = pairwise(apart.indptr.tolist())
    return [(others[first:last], weights[first:last]) for first, last in bounds]


def _modularity(graph: sparse.csr_matrix, label: Places, resolution: float) -> float:
    rows = np.repeat(label, np.diff(graph.indptr))
    inside = graph.data[(rows == label[graph.indices]) & (rows >= 0)].sum()
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    placed = label >= 0
    degree = np.bincount(label[placed], degrees[placed])
    twice = degree.sum() or 1.0
    return float(inside / twice - resolution * ((degree / twice) ** 2).sum())


def _with_the_rest(vectors: Floats, members: list[Places], rest: Places) -> list[Places]:
    if not len(rest) or not members:
        return members
    centres = np.stack([vectors[held].mean(0) for held in members])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    likeness = vectors[rest] @ centres.T
    nearest = likeness.argmax(1)
    near = likeness.max(1) >= _LEAST_LIKE
    return [
        np.sort(np.concatenate((held, rest[near & (nearest == number)])))
        for number, held in enumerate(members)
    ]


def _described(
    opinions: Sequence[Mapping[str, float]], vectors: Floats, members: Sequence[Places]
) -> Iterator[Theme]:
    everywhere = Counter(chain.from_iterable(opinions))
    for held in members:
        inside = Counter(chain.from_iterable(opinions[member] for member in held))
        telling = _telling(inside, everywhere, len(held), len(opinions) - len(held))
        centre = vectors[held].mean(0)
        central = held[int(np.argmax(vectors[held] @ centre))]
        # A theme is called by things, not by 写明 or 一遍; the words of the name lead its terms.
        named = [term for term in telling if keywords.names_a_thing(term)][:_NAMED_BY]
        terms = tuple(dict.fromkeys([*named, *telling]))
        yield Theme("、".join(terms[:_NAMED_BY]), terms, tuple(map(int, held)), int(central))


def _telling(
    inside: Mapping[str, int], everywhere: Mapping[str, int], n: int, outside: int
) -> list[str]:
    """The terms that tell a theme from the rest, the most telling first."""
    held = np.fromiter(inside.values(), np.float64, count=len(inside))
    all_held = np.fromiter((everywhere[term] for term in inside), np.float64, count=len(inside))
    # Rounded, so that the last digit of a logarithm decides nothing.
    worth = np.round(_keyness(held, all_held - held, n, outside), 9).tolist()
    best = heapq.nsmallest(_SHOWN, zip((-each for each in worth), inside, strict=True))
    return [term for _worth, term in best]


def _keyness(a: Counts, b: Counts, n_a: int, n_b: int) -> Counts:
    """By term G² (`keywords.g_squared`) of its part inside and outside, below 0 where it is rarer
    inside."""
    if not n_b:
        return a
    rate = (a + b) / (n_a + n_b)
    cells = [(a, n_a * rate), (n_a - a, n_a * (1 - rate)), (b, n_b * rate)]
    cells.append((n_b - b, n_b * (1 - rate)))
    total = np.zeros(len(a))
    for observed, expected in cells:
        some = observed > 0
        total[some] += 2 * observed[some] * np.log(observed[some] / expected[some])
    found: Counts = np.where(a * n_b >= b * n_a, total, -total)
    return found


def _apart(themes: tuple[Theme, ...]) -> tuple[Theme, ...]:
    """Themes whose names would be equal are told apart by a number."""
    seen: Counter[str] = Counter()
    named: list[Theme] = []
    for theme in themes:
        seen[theme.name] += 1
        name = theme.name if seen[theme.name] == 1 else f"{theme.name}（{seen[theme.name]}）"
        named.append(Theme(name, theme.terms, theme.members, theme.representative))
    return tuple(named)
