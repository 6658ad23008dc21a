"""What one group of opinions says and another does not: counted in people, tested, corrected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Counts = npt.NDArray[np.integer[Any]]
Shares = npt.NDArray[np.float64]

# Terms of fewer people in both groups together are not compared: 不足5件，不作比较.
MINIMUM = 5
LEVEL = 0.05
# Where less is to be expected in a cell, G² is too rough and Fisher's test is asked.
LEAST_EXPECTED = 5
_Z = 1.959964  # of a 95 % interval


class Item(Protocol):
    """One opinion: its distinct terms and who gave it (None: unknown, one each)."""

    @property
    def terms(self) -> Iterable[str]: ...
    @property
    def person(self) -> Hashable: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """A term two groups differ in.

    `group` is the one that says it more, "a" or "b"; counts are people; rates are per 100 people
    of the group; `interval` is the 95 % interval of rate_a - rate_b, per 100; `score` is G² (see
    `compare`); `p` its p-value, `q` the same after correction for all terms compared.
    """

    term: str
    group: str
    count_a: int
    count_b: int
    rate_a: float
    rate_b: float
    score: float
    interval: tuple[float, float]
    p: float
    q: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """People in each group, how many terms were compared, and the findings, firmest first."""

    n_a: int
    n_b: int
    compared: int
    findings: tuple[Difference, ...]


def compare(
    a: Sequence[Item],
    b: Sequence[Item],
    *,
    minimum: int = MINIMUM,
    level: float = LEVEL,
    every: bool = False,
) -> Comparison:
    """The terms in which two groups differ, of those at least `minimum` people used.

    For each term the people of both groups with and without it make a 2×2 table. Where all four
    expected counts reach 5 it is tested by G² = 2 Σ O ln(O/E) (Dunning, Computational Linguistics
    19(1), 1993; χ² with one degree of freedom), else by Fisher's exact test, two-sided. Findings
    are those whose p-value, after Benjamini and Hochberg (J. R. Stat. Soc. B 57(1), 1995), is at
    most `level`: of findings, no more than that share is expected to be chance. With `every` all
    compared terms are given, with their q. Intervals are Newcombe's (Statistics in Medicine 17,
    1998, method 10). People, not tokens or letters, are counted: see design/analysis.md. With
    either group empty there is nothing to compare.
    """
    counted = (*people_by_term(a), *people_by_term(b))
    return compare_counts(*counted, minimum=minimum, level=level, every=every)


def compare_counts(
    people_a: Counter[str],
    n_a: int,
    people_b: Counter[str],
    n_b: int,
    *,
    minimum: int = MINIMUM,
    level: float = LEVEL,
    every: bool = False,
) -> Comparison:
    """`compare` from counts: how many of the `n` of each group used each term."""
    if not n_a or not n_b:
        return Comparison(n_a, n_b, 0, ())
    # Asked by `get`: a Counter works out at length what it does not hold.
    in_a, in_b = people_a.get, people_b.get
    names = list(people_a.keys() | people_b.keys())
    a, b = (np.fromiter((of(name, 0) for name in names), np.int64) for of in (in_a, in_b))
    kept = np.flatnonzero(a + b >= minimum)
    return _compared(
        lambda some: [names[n] for n in kept[some].tolist()],
        a[kept],
        n_a,
        b[kept],
        n_b,
        level,
        every,
    )


def compare_arrays(
    names: Callable[[Sequence[int]], Sequence[str]],
    people_a: Counts,
    n_a: int,
    people_b: Counts,
    n_b: int,
    *,
    minimum: int = MINIMUM,
    level: float = LEVEL,
    every: bool = False,
) -> Comparison:
    """`compare` from counts by number of a term. `names`: the words of some numbers, asked for
    those alone that are found."""
    if not n_a or not n_b:
        return Comparison(n_a, n_b, 0, ())
    kept = np.flatnonzero(people_a + people_b >= minimum)
    a, b = people_a[kept].astype(np.int64), people_b[kept].astype(np.int64)
    return _compared(lambda some: names(kept[some].tolist()), a, n_a, b, n_b, level, every)


def _compared(
    names: Callable[[npt.NDArray[np.intp]], Sequence[str]],
    a: Counts,
    n_a: int,
    b: Counts,
    n_b: int,
    level: float,
    every: bool,
) -> Comparison:
    # Most terms are rare, so many share their counts, and equal counts are tested once.
    width = n_b + 1
    counts = a * width + b
    pairs, times = np.unique(counts, return_counts=True)
    scores, p = tested(pairs // width, pairs % width, n_a, n_b)
    q = _corrected(p, times)
    told = np.arange(len(pairs)) if every else np.flatnonzero(q <= level)
    found = np.flatnonzero(_among(counts, pairs[told]))
    where = np.searchsorted(pairs, counts[found]).tolist()
    findings = [
        _difference(
            name, int(a[n]), int(b[n]), n_a, n_b, float(scores[at]), float(p[at]), float(q[at])
        )
        for name, n, at in zip(names(found), found.tolist(), where, strict=True)
    ]
    findings.sort(key=lambda difference: (difference.p, -difference.score, difference.term))
    return Comparison(n_a, n_b, len(a), tuple(findings))


def _among(values: Counts, wanted: Counts) -> npt.NDArray[np.bool_]:
    """Which of the values are wanted; those are in order."""
    if not len(wanted):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    found: npt.NDArray[np.bool_] = wanted[places] == values
    return found


def people_by_term(items: Sequence[Item]) -> tuple[Counter[str], int]:
    """How many people used each term, and how many there are."""
    said_by: dict[Hashable, set[str]] = {}
    for number, item in enumerate(items):
        who = ("nobody", number) if item.person is None else ("person", item.person)
        said_by.setdefault(who, set()).update(item.terms)
    people: Counter[str] = Counter()
    for terms in said_by.values():
        people.update(terms)
    return people, len(said_by)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """q-values in the order given: q ≤ level are the findings at that false discovery rate."""
    once = np.ones(len(p_values), dtype=np.int64)
    corrected: list[float] = _corrected(np.array(p_values, dtype=np.float64), once).tolist()
    return corrected


def _corrected(p_values: Shares, times: Counts) -> Shares:
    """q-values, where each p-value stands for so many equal ones."""
    order = np.argsort(p_values)[::-1]
    corrected = np.empty(len(p_values))
    # The rank of the last of the equal ones.
    ranks = np.cumsum(times[order[::-1]])[::-1]
    steps = p_values[order] * times.sum() / ranks
    corrected[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return corrected


def wilson(count: int, n: int) -> tuple[float, float]:
    """95 % interval of a share, 0-1 (Wilson, JASA 22, 1927). Raises ZeroDivisionError for n = 0."""
    share = count / n
    middle = share + _Z * _Z / (2 * n)
    spread = _Z * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    scale = 1 + _Z * _Z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def fisher(a: int, b: int, n_a: int, n_b: int) -> float:
    """Two-sided p of Fisher's exact test: tables no likelier than this one, margins fixed."""
    return float(_fisher(np.array([a]), np.array([b]), n_a, n_b)[0])


def tested(a: Counts, b: Counts, n_a: int, n_b: int) -> tuple[Shares, Shares]:
    """G² and p of every pair of counts, by the test that `compare` tells."""
    # 0.2 s to load, and needed by nothing else.
    from scipy import special  # noqa: PLC0415

    scores = _g_squared(a, b, n_a, n_b)
    p_values: Shares = special.erfc(np.sqrt(scores / 2))
    total, n = a + b, n_a + n_b
    few = np.flatnonzero(min(n_a, n_b) * np.minimum(total, n - total) / n < LEAST_EXPECTED)
    p_values[few] = _fisher(a[few], b[few], n_a, n_b)
    return scores, p_values


def _g_squared(a: Counts, b: Counts, n_a: int, n_b: int) -> Shares:
    """The sum of `keywords.g_squared`, for many at once."""
    rate = (a + b) / (n_a + n_b)
    cells = (
        (a, n_a * rate),
        (n_a - a, n_a * (1 - rate)),
        (b, n_b * rate),
        (n_b - b, n_b * (1 - rate)),
    )
    score = np.zeros(len(a))
    for observed, expected in cells:
        some = observed > 0
        ratio = np.divide(observed, expected, out=np.ones(len(a)), where=some)
        score += 2 * observed * np.log(ratio)
    return np.maximum(score, 0.0)


def _fisher(a: Counts, b: Counts, n_a: int, n_b: int) -> Shares:
    """All tables of one total have the same chances, so those are worked out once for each: from
    one table to the next by their ratio, which keeps all digits where factorials would not."""
    p_values = np.empty(len(a))
    totals = a + b
    order = np.argsort(totals, kind="stable")
    for some in np.split(order, np.flatnonzero(np.diff(totals[order])) + 1):
        if not len(some):
            continue
        total = int(totals[some[0]])
        least, most = max(0, total - n_b), min(total, n_a)
        k = np.arange(least, most, dtype=np.float64)
        ratios = np.log((n_a - k) * (total - k)) - np.log((k + 1) * (n_b - total + k + 1))
        log_p = np.concatenate(([0.0], np.cumsum(ratios)))
        log_p -= log_p.max()
        # Equal chances may differ in their last digits.
        by_chance = np.argsort(log_p)
        upto = np.searchsorted(log_p[by_chance], log_p[a[some] - least] + 1e-9, side="right")
        summed = np.cumsum(np.exp(log_p[by_chance]))
        p_values[some] = summed[upto - 1] / summed[-1]
    return p_values


def _difference(
    term: str, a: int, b: int, n_a: int, n_b: int, score: float, p: float, q: float
) -> Difference:
    rate_a, rate_b = a / n_a, b / n_b
    low_a, high_a = wilson(a, n_a)
    low_b, high_b = wilson(b, n_b)
    low = rate_a - rate_b - math.hypot(rate_a - low_a, high_b - rate_b)
    high = rate_a - rate_b + math.hypot(high_a - rate_a, rate_b - low_b)
    return Difference(
        term=term,
        group="a" if rate_a >= rate_b else "b",
        count_a=a,
        count_b=b,
        rate_a=100 * rate_a,
        rate_b=100 * rate_b,
        score=score,
        interval=(100 * low, 100 * high),
        p=p,
        q=q,
    )


def by_group(items: Iterable[tuple[str, Item]]) -> Mapping[str, list[Item]]:
    """Items by the name of their group, in order of appearance."""
    groups: dict[str, list[Item]] = {}
    for name, item in items:
        groups.setdefault(name, []).append(item)
    return groups
