"""Counting a selection of opinions: plain values in, plain numbers out.

Three numbers are never confused: submissions (件), distinct opinions (条: near-duplicates once)
and people (人).
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from consult.summaries.items import Context, Counted, Item

# Below this many opinions nothing is compared: no ranking, no shares, no cloud.
FEW = 10
HEATS = 4
# Longest span of days a picture shows day by day, then month by month.
MOST_DAYS, MOST_MONTHS = 62, 60


@dataclass(frozen=True, slots=True)
class Numbers:
    """件数, 去重观点数, 人数 of one selection."""

    submissions: int
    distinct: int
    people: int


def numbers(items: Sequence[Item]) -> Numbers:
    """The three numbers."""
    groups = {item.group for item in items}
    return Numbers(len(items), len(groups), len({item.person for item in items}))


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, a month or a year of opinions; both ends are inside."""

    first: dt.date
    last: dt.date
    count: int


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a division: its key, its size, and how much of it the authors declared and
    people corrected."""

    key: str
    count: int
    declared: int = 0
    corrected: int = 0


@dataclass(frozen=True, slots=True)
class Split:
    """How the opinions that hold a term divide over what they say about it."""

    favour: int
    against: int
    other: int
    opposed: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Every figure of a selection but its keywords."""

    numbers: Numbers
    days: tuple[Bucket, ...]
    channels: tuple[Part, ...]
    stances: tuple[Part, ...]
    consultations: tuple[tuple[int, int], ...]
    # Opinions on each section and all under it, by its place in the list of sections.
    sections: Mapping[int, int] = field(default_factory=dict)


def figures(counted: Counted, items: Sequence[Item]) -> Figures:
    """Count a selection every way."""
    return Figures(
        numbers(items),
        tuple(buckets(item.day for item in items)),
        tuple(parts((item.channel, False, False) for item in items)),
        tuple(parts((item.stance, item.declared, item.corrected) for item in items)),
        tuple(sorted(Counter(item.consultation for item in items).items())),
        by_section(counted, items),
    )


def by_section(counted: Counted, items: Iterable[Item]) -> dict[int, int]:
    """{section: opinions on it or under it}, sections without any left out."""
    counts: Counter[int] = Counter()
    for section, count in Counter(item.section for item in items).items():
        for place in (section, *counted.sections[section].above):
            counts[place] += count
    return dict(counts)


def outermost(counted: Counted) -> list[int]:
    """The sections that divide all opinions: chapters, the whole draft, what has no heading."""
    return [place for place, section in enumerate(counted.sections) if not section.above]


def parts(said: Iterable[tuple[str, bool, bool]]) -> list[Part]:
    """A division by key, largest first."""
    counts: Counter[str] = Counter()
    declared: Counter[str] = Counter()
    corrected: Counter[str] = Counter()
    for key, by_author, by_person in said:
        counts[key] += 1
        declared[key] += by_author
        corrected[key] += by_person
    order = sorted(counts, key=lambda key: (-counts[key], key))
    return [Part(key, counts[key], declared[key], corrected[key]) for key in order]


def by_day(items: Iterable[Item]) -> dict[dt.date, int]:
    """{day: opinions}, in order, days without any left out."""
    return dict(sorted(Counter(item.day for item in items).items()))


def buckets(days: Iterable[dt.date]) -> list[Bucket]:
    """The days with their neighbours that had none; by month or year when the span is long."""
    counts = Counter(days)
    if not counts:
        return []
    first, last = min(counts), max(counts)
    if (last - first).days < MOST_DAYS:
        span = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
        return [Bucket(day, day, counts[day]) for day in span]
    months = (last.year - first.year) * 12 + last.month - first.month + 1
    step = 1 if months <= MOST_MONTHS else 12
    start = first.year * 12 + (first.month - 1 if step == 1 else 0)
    totals: Counter[int] = Counter()
    for day, count in counts.items():
        totals[(day.year * 12 + day.month - 1 - start) // step] += count
    starts = [_month(start + n * step) for n in range(max(totals) + 2)]
    return [
        Bucket(first, after - dt.timedelta(days=1), totals[n])
        for n, (first, after) in enumerate(pairwise(starts))
    ]


def _month(count: int) -> dt.date:
    return dt.date(count // 12, count % 12 + 1, 1)


def split(items: Iterable[Item], term: str) -> Split:
    """What the opinions that hold the term say about it. favour + against + other = all."""
    return _split([item for item in items if term in item.terms], term)


def _split(holding: Sequence[Item], term: str) -> Split:
    said = Counter(item.context(term) for item in holding)
    opposed = sum(term in item.opposed for item in holding)
    return Split(said[Context.FAVOUR], said[Context.AGAINST], said[Context.OTHER], opposed)


@dataclass(frozen=True, slots=True)
class Term:
    """Where and how one term was spoken of."""

    split: Split
    # {section that divides all opinions: how many of those with the term are under it}
    sections: Mapping[int, int]


def by_term(counted: Counted, items: Sequence[Item], terms: Iterable[str]) -> dict[str, Term]:
    """The split and the sections of each of these terms, in one pass."""
    holding: dict[str, list[Item]] = {term: [] for term in terms}
    wanted = frozenset(holding)
    for item in items:
        for term in wanted.intersection(item.terms):
            holding[term].append(item)
    outer = [(*section.above, place)[0] for place, section in enumerate(counted.sections)]
    found = {}
    for term, held in holding.items():
        sections = Counter(outer[item.section] for item in held)
        found[term] = Term(_split(held, term), dict(sections.most_common()))
    return found


def by_theme(items: Iterable[Item]) -> dict[int, list[Item]]:
    """{number of a theme: its opinions}, in order of number."""
    held: dict[int, list[Item]] = {}
    for item in items:
        held.setdefault(item.theme, []).append(item)
    return dict(sorted(held.items()))


def heat(count: int, most: int) -> int:
    """0 for none, else 1–4 by quarters of the most any section of the same level has."""
    return min(HEATS, -(-HEATS * count // most)) if count and most else 0
