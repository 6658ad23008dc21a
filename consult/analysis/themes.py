"""Opinions grouped by what they are about: themes with a name, their terms and a real opinion.

Needs numpy, and is loaded by whoever groups. The method: each opinion is a TF-IDF vector of its
terms, seen in the 150 directions in which such vectors differ most (latent semantic analysis,
Deerwester et al., JASIS 41(6), 1990; by the randomised range finder of Halko, Martinsson and Tropp,
SIAM Review 53(2), 2011); there it is joined to its nearest neighbours by cosine; communities of that
graph are found by modularity (Blondel et al., "Fast unfolding of communities in large networks",
J. Stat. Mech. 2008), the best of several starts. Whoever has no neighbour, lies far from the middle
of its community, or is in one too small to be a theme, stays unclassified.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from consult.analysis import keywords
from consult.analysis.vectors import Floats, weighted

_DIRECTIONS = 150
_NEIGHBOURS = 30
_LEAST_LIKE = 0.1  # cosine below which two opinions are not neighbours
_BELONGS = 0.12  # cosine with the middle of the theme below which an opinion is not in it
_STARTS = 5
_MOST_JOINED = 6_000  # beyond, that many are joined and the rest go to the theme they are nearest
_SMALLEST = 3
_SMALLEST_SHARE = 0.004
_NAMED_BY = 3
_SHOWN = 10
_BLOCK = 1_000

Places = npt.NDArray[np.int64]


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
    0.3 ms an opinion.
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
    communities = max(starts, key=lambda found: _modularity(graph, found, resolution))
    least = max(_SMALLEST, round(_SMALLEST_SHARE * len(joined)))
    members = [_near_the_middle(vectors, joined[held]) for held in communities]
    members = [held for held in members if len(held) >= least]
    members = _with_the_rest(vectors, members, np.setdiff1d(usable, joined))
    members.sort(key=lambda held: (-len(held), int(held[0])))
    themes = tuple(_described(opinions, vectors, held) for held in members)
    placed = {member for theme in themes for member in theme.members}
    return Grouping(_apart(themes), tuple(n for n in range(len(opinions)) if n not in placed))


def _seen_in_few_directions(vectors: Floats, seed: int) -> Floats:
    rows, columns = vectors.shape
    if min(rows, columns) <= _DIRECTIONS:
        return vectors
    guess = np.random.default_rng(seed).standard_normal((columns, _DIRECTIONS + 20))
    found = vectors @ guess.astype(np.float32)
    for _ in range(2):
        found = vectors @ np.linalg.qr(vectors.T @ np.linalg.qr(found)[0])[0]
    basis = np.linalg.qr(found)[0]
    left, spread, _ = np.linalg.svd(basis.T @ vectors, full_matrices=False)
    seen = (basis @ left)[:, :_DIRECTIONS] * spread[:_DIRECTIONS]
    lengths = np.linalg.norm(seen, axis=1, keepdims=True)
    usable = (lengths > 1e-6) & vectors.any(1, keepdims=True)
    shortened: Floats = np.where(usable, seen / np.maximum(lengths, 1e-6), 0).astype(np.float32)
    return shortened


def _near_the_middle(vectors: Floats, held: Places) -> Places:
    middle = vectors[held].mean(0)
    near = vectors[held] @ (middle / (np.linalg.norm(middle) + 1e-12)) >= _BELONGS
    kept: Places = held[near]
    return kept


def _spread(n: int, most: int) -> Places:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


Graph = list[dict[int, float]]


def _graph(vectors: Floats) -> Graph:
    n = len(vectors)
    graph: Graph = [{} for _ in range(n)]
    count = min(_NEIGHBOURS, n - 1)
    for begin in range(0, n, _BLOCK):
        likeness = vectors[begin : begin + _BLOCK] @ vectors.T
        likeness[np.arange(len(likeness)), np.arange(begin, begin + len(likeness))] = -1
        nearest = np.argpartition(-likeness, count - 1, axis=1)[:, :count]
        for row, others in enumerate(nearest):
            for other in others:
                like = float(likeness[row, other])
                if like >= _LEAST_LIKE:
                    graph[begin + row][int(other)] = like
                    graph[int(other)][begin + row] = like
    return graph


def _communities(graph: Graph, resolution: float, seed: int) -> list[list[int]]:
    """Members of each community; nodes without a neighbour are in none."""
    members = [[node] for node in range(len(graph)) if graph[node]]
    place = {held[0]: number for number, held in enumerate(members)}
    level: Graph = [
        {place[other]: weight for other, weight in graph[held[0]].items()} for held in members
    ]
    loops = [0.0] * len(level)
    chance = random.Random(seed)
    while level:
        label = _moved(level, loops, resolution, chance)
        numbers = {old: new for new, old in enumerate(dict.fromkeys(label))}
        if len(numbers) == len(level):
            break
        label = [numbers[old] for old in label]
        gathered: list[list[int]] = [[] for _ in numbers]
        for node, community in enumerate(label):
            gathered[community] += members[node]
        members = gathered
        level, loops = _merged(level, loops, label)
    return [sorted(held) for held in members]


def _moved(level: Graph, loops: list[float], resolution: float, chance: random.Random) -> list[int]:
    """Each node's community after moving nodes while modularity grows."""
    label = list(range(len(level)))
    degree = [sum(edges.values()) + 2 * loop for edges, loop in zip(level, loops, strict=True)]
    total = degree[:]
    twice = sum(degree) or 1.0
    order = list(range(len(level)))
    chance.shuffle(order)
    moving = True
    while moving:
        moving = False
        for node in order:
            ties: dict[int, float] = {}
            for other, weight in level[node].items():
                ties[label[other]] = ties.get(label[other], 0.0) + weight
            home = label[node]
            total[home] -= degree[node]
            pull = resolution * degree[node] / twice
            best, most = home, ties.get(home, 0.0) - pull * total[home]
            for community, tie in ties.items():
                gain = tie - pull * total[community]
                if gain > most + 1e-9:
                    best, most = community, gain
            total[best] += degree[node]
            if best != home:
                label[node] = best
                moving = True
    return label


def _modularity(graph: Graph, communities: list[list[int]], resolution: float) -> float:
    label = {node: number for number, held in enumerate(communities) for node in held}
    degree = [0.0] * len(communities)
    inside = 0.0
    for node, number in label.items():
        degree[number] += sum(graph[node].values())
        inside += sum(weight for other, weight in graph[node].items() if label[other] == number)
    twice = sum(degree) or 1.0
    return inside / twice - resolution * sum((part / twice) ** 2 for part in degree)


def _merged(level: Graph, loops: list[float], label: list[int]) -> tuple[Graph, list[float]]:
    n = max(label) + 1
    graph: Graph = [{} for _ in range(n)]
    inside = [0.0] * n
    for node, edges in enumerate(level):
        here = label[node]
        inside[here] += loops[node]
        for other, weight in edges.items():
            there = label[other]
            if there == here:
                inside[here] += weight / 2
            else:
                graph[here][there] = graph[here].get(there, 0.0) + weight
    return graph, inside


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


def _described(opinions: Sequence[Mapping[str, float]], vectors: Floats, held: Places) -> Theme:
    inside: Counter[str] = Counter()
    for member in held:
        inside.update(opinions[member].keys())
    everywhere: Counter[str] = Counter()
    for opinion in opinions:
        everywhere.update(term for term in opinion if term in inside)
    n, outside = len(held), len(opinions) - len(held)
    telling = sorted(
        inside,
        key=lambda term: (
            -_keyness(inside[term], everywhere[term] - inside[term], n, outside),
            term,
        ),
    )[:_SHOWN]
    centre = vectors[held].mean(0)
    central = held[int(np.argmax(vectors[held] @ centre))]
    # A theme is called by things, not by 写明 or 一遍; the words of the name lead its terms.
    named = [term for term in telling if keywords.names_a_thing(term)][:_NAMED_BY]
    terms = tuple(dict.fromkeys([*named, *telling]))
    name = "、".join(terms[:_NAMED_BY])
    return Theme(name, terms, tuple(map(int, held)), int(central))


def _keyness(a: int, b: int, n_a: int, n_b: int) -> float:
    if not n_b:
        return float(a)
    cells = sum(keywords.g_squared(a, b, n_a, n_b))
    return cells if a * n_b >= b * n_a else -cells


def _apart(themes: tuple[Theme, ...]) -> tuple[Theme, ...]:
    """Themes whose names would be equal are told apart by a number."""
    seen: Counter[str] = Counter()
    named: list[Theme] = []
    for theme in themes:
        seen[theme.name] += 1
        name = theme.name if seen[theme.name] == 1 else f"{theme.name}（{seen[theme.name]}）"
        named.append(Theme(name, theme.terms, theme.members, theme.representative))
    return tuple(named)
