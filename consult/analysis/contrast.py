"""What one group of opinions says and another does not: counted in people, tested, corrected."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consult.analysis.keywords import g_squared

# Terms of fewer people in both groups together are not compared: 不足5件，不作比较.
MINIMUM = 5
LEVEL = 0.05
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
    # Asked by `get`: a Counter works out at length what it does not hold.
    in_a, in_b = people_a.get, people_b.get
    terms = sorted(
        term
        for term in people_a.keys() | people_b.keys()
        if in_a(term, 0) + in_b(term, 0) >= minimum
    )
    if not n_a or not n_b:
        return Comparison(n_a, n_b, 0, ())
    # Most terms are rare, so many share their counts, and equal counts are tested once.
    pairs = [(in_a(term, 0), in_b(term, 0)) for term in terms]
    known = {pair: _tested(*pair, n_a, n_b) for pair in set(pairs)}
    tests = [known[pair] for pair in pairs]
    corrected = benjamini_hochberg([p for _, p in tests])
    found = [
        _difference(term, people_a[term], people_b[term], n_a, n_b, score, p, q)
        for term, (score, p), q in zip(terms, tests, corrected, strict=True)
        if every or q <= level
    ]
    found.sort(key=lambda difference: (difference.p, -difference.score, difference.term))
    return Comparison(n_a, n_b, len(terms), tuple(found))


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
    n = len(p_values)
    order = sorted(range(n), key=lambda place: p_values[place], reverse=True)
    corrected = [1.0] * n
    least = 1.0
    for rank, place in zip(range(n, 0, -1), order, strict=True):
        least = min(least, p_values[place] * n / rank)
        corrected[place] = least
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
    total = a + b
    least, most = max(0, total - n_b), min(total, n_a)
    whole = _log_choose(n_a + n_b, total)
    log_p = [
        _log_choose(n_a, k) + _log_choose(n_b, total - k) - whole for k in range(least, most + 1)
    ]
    here = log_p[a - least] + 1e-9
    return min(1.0, math.fsum(math.exp(p) for p in log_p if p <= here))


def _tested(a: int, b: int, n_a: int, n_b: int) -> tuple[float, float]:
    score = max(0.0, sum(g_squared(a, b, n_a, n_b)))
    total, n = a + b, n_a + n_b
    least_expected = min(n_a, n_b) * min(total, n - total) / n
    if least_expected < 5:
        return score, fisher(a, b, n_a, n_b)
    return score, math.erfc(math.sqrt(score / 2))


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


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def by_group(items: Iterable[tuple[str, Item]]) -> Mapping[str, list[Item]]:
    """Items by the name of their group, in order of appearance."""
    groups: dict[str, list[Item]] = {}
    for name, item in items:
        groups.setdefault(name, []).append(item)
    return groups
