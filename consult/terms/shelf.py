"""Many opinions and their terms in memory, counted by any selection at once. Pure: numbers in,
numbers out.

A `Shelf` takes rows as they come and go; `view` is what it holds at one moment, which does not
change any more. Opinions by terms are one sparse matrix, so that the counts of any selection are
one product: the cost is that of reading every term id once, whatever is selected.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.terms.lists import Bools, Growing, Ints, Lists
from consult.terms.repeats import Keeper, Repeats

# When so large a part of the rows is dead, or stands out of order, the shelf is put in order.
UNTIDY = 0.25


class Row(NamedTuple):
    """One opinion as the database keeps it; `terms` is None when it does not count any more."""

    id: int
    place: int
    channel: int
    stance: int
    declared: bool
    day: int
    person: int
    terms: bytes | None
    opposed: bytes


class Columns(NamedTuple):
    """Rows by what they hold: many are taken in several times as fast as one by one."""

    id: Sequence[int]
    place: Sequence[int]
    channel: Sequence[int]
    stance: Sequence[int]
    declared: Sequence[bool]
    day: Sequence[int]
    person: Sequence[int]
    terms: Sequence[bytes | None]
    opposed: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """A selection; what is None does not narrow it. `stances` and `channels` are numbers; `terms`
    must all be there; `opposing`: the words speak against these of them."""

    places: Collection[int] | None = None
    channels: Collection[int] | None = None
    stances: Collection[int] | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    terms: tuple[int, ...] = ()
    opposing: tuple[int, ...] = ()


_FACTS = (
    ("ids", np.int64),
    ("place", np.int32),
    ("channel", np.int8),
    ("stance", np.int8),
    ("declared", np.bool_),
    ("day", np.int32),
    ("person", np.int64),
)


@dataclass(frozen=True)
class View:
    """The rows of a shelf at one moment."""

    facts: dict[str, npt.NDArray[Any]]
    alive: Bools
    terms: Lists
    opposed: Lists
    # {term id: opinions that hold it}, as an array by id.
    totals: Ints
    repeats: Keeper

    @property
    def size(self) -> int:
        """How many opinions count."""
        return int(np.count_nonzero(self.alive))

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The opinions that count."""
        return self.facts["ids"].compress(self.alive)

    def select(self, f: Filters) -> Bools:
        """Which rows pass every filter."""
        mask = self.alive.copy()
        for name, wanted in (("place", f.places), ("channel", f.channels), ("stance", f.stances)):
            if wanted is not None:
                mask &= _among(self.facts[name], wanted)
        if f.first is not None:
            mask &= self.facts["day"] >= f.first.toordinal()
        if f.last is not None:
            mask &= self.facts["day"] <= f.last.toordinal()
        for lists, wanted_terms in ((self.terms, f.terms), (self.opposed, f.opposing)):
            for term in wanted_terms:
                mask &= lists.holding(term, len(mask))
        return mask

    def counts(self, mask: Bools | None = None) -> Ints:
        """By term id: how many of these opinions hold it; of all without a mask."""
        return self.totals if mask is None else self.terms.counted(mask)[0]

    def against(self, mask: Bools | None = None) -> Ints:
        """By term id: how many of these opinions speak against it."""
        return self.opposed.counted(self.alive if mask is None else mask)[0]

    def people(self, mask: Bools | None = None) -> int:
        """How many people these opinions come from."""
        return self._people.people(self.alive if mask is None else mask)

    def people_by_term(self, mask: Bools | None = None) -> Ints:
        """By term id: how many people hold it. That is the opinions that do, less what the same
        people say again."""
        again = self._people.left_out(self.alive if mask is None else mask, self.terms.width)
        return self.counts(mask) - again

    def people_of_two(self, first: Bools, second: Bools) -> tuple[Ints, Ints]:
        """`people_by_term` of two selections, for little more than the cost of one."""
        both = (first, second)
        a, b = (
            counts - self._people.left_out(mask, self.terms.width)
            for mask, counts in zip(both, self.terms.counted(*both), strict=True)
        )
        return a, b

    @cached_property
    def _people(self) -> Repeats:
        return self.repeats.of(self.facts["person"], self.terms)

    def days(self, mask: Bools | None = None) -> dict[dt.date, int]:
        """{day: opinions}, in order, days without any left out."""
        if mask is None:
            return self._all_days
        return _by_day(self.facts["day"].compress(mask))

    @cached_property
    def _all_days(self) -> dict[dt.date, int]:
        return _by_day(self.facts["day"].compress(self.alive))

    def division(self, fact: str, mask: Bools | None = None) -> dict[int, int]:
        """{value of "channel", "stance" or "place": opinions}."""
        values = self.facts[fact].compress(self.alive if mask is None else mask)
        found, sizes = np.unique(values, return_counts=True)
        return dict(zip(found.tolist(), sizes.tolist(), strict=True))

    def table(
        self, groups: Sequence[Collection[int]], terms: Sequence[int], mask: Bools | None = None
    ) -> Ints:
        """Opinions by group of places (down) and term (across). The groups must not overlap."""
        label = self._labels(groups)
        # What belongs to no group is counted in one more, and left out.
        label[~(self.alive if mask is None else mask) | (label < 0)] = len(groups)
        counts = self.terms.table(label.astype(np.intp), len(groups) + 1, terms)
        return counts[: len(groups)].astype(np.int32)

    def _labels(self, groups: Sequence[Collection[int]]) -> npt.NDArray[np.int16]:
        """By row: the group its place belongs to, or -1."""
        places = self.facts["place"]
        label = np.full(int(places.max(initial=0)) + 1, -1, dtype=np.int16)
        for number, group in enumerate(groups):
            label[[place for place in group if place < len(label)]] = number
        found: npt.NDArray[np.int16] = label.take(places)
        return found


def top(counts: Ints, most: int, *, least: int = 1) -> list[tuple[int, int]]:
    """[(term id, count)]: the most frequent, equal ones by id; fewer than `least` is left out."""
    found = np.flatnonzero(counts >= least)
    if len(found) > most:
        edge = np.partition(counts[found], len(found) - most)[len(found) - most]
        found = found[counts[found] >= edge]
    order = np.lexsort((found, -counts[found]))[:most]
    return [(int(found[n]), int(counts[found[n]])) for n in order]


def _among(values: npt.NDArray[Any], wanted: Collection[int]) -> Bools:
    known = np.zeros(int(values.max(initial=0)) + 1, dtype=np.bool_)
    known[[each for each in wanted if 0 <= each < len(known)]] = True
    found: Bools = known.take(values)
    return found


def _by_day(days: npt.NDArray[np.int32]) -> dict[dt.date, int]:
    if not len(days):
        return {}
    first = int(days.min())
    counts = np.bincount(days - first)
    return {dt.date.fromordinal(first + int(n)): int(counts[n]) for n in np.flatnonzero(counts)}


class _Column:
    """An array that grows at its end. What was handed out of it keeps its values."""

    def __init__(self, kind: Any) -> None:
        self._held = np.zeros(0, dtype=kind)
        self.size = 0

    @property
    def values(self) -> npt.NDArray[Any]:
        return self._held[: self.size]

    def extend(self, more: npt.NDArray[Any]) -> None:
        needed = self.size + len(more)
        if needed > len(self._held):
            grown = np.zeros(max(needed, len(self._held) * 5 // 4), dtype=self._held.dtype)
            grown[: self.size] = self.values
            self._held = grown
        self._held[self.size : needed] = more
        self.size = needed


class Shelf:
    """Rows as they come and go. Not for several threads at once; its views are."""

    def __init__(self) -> None:
        self._empty()
        self._view: View | None = None

    def _empty(self) -> None:
        self._facts = {name: _Column(kind) for name, kind in _FACTS}
        self._alive = _Column(np.bool_)
        self._terms, self._opposed = Growing(), Growing()
        self._repeats = Keeper()
        self._totals = np.zeros(0, dtype=np.int32)
        # Rows up to here stand by id; later ones are found by name.
        self._in_order = 0
        self._late: dict[int, int] = {}
        self._dead = 0

    def put(self, rows: Iterable[Row]) -> None:
        """Take in what is new and what has changed; each opinion at most once."""
        given = list(rows)
        if given:
            self.take(Columns(*zip(*given, strict=True)))

    def take(self, given: Columns) -> None:
        """`put`, from columns."""
        if not given.id:
            return
        self._view = None
        if self._alive.size:
            self._drop(given.id)
        self._append(given)
        untidy = self._dead + len(self._late)
        if untidy > 1000 and untidy > UNTIDY * self._alive.size:
            self._tidy()

    def _drop(self, ids: Sequence[int]) -> None:
        gone = [row for row in map(self._row_of, ids) if row is not None]
        if not gone:
            return
        alive = self._alive.values.copy()
        alive[gone] = False
        self._alive = _Column(np.bool_)
        self._alive.extend(alive)
        self._dead += len(gone)
        for row in gone:
            np.subtract.at(self._totals, self._terms.of(row), 1)

    def _row_of(self, id: int) -> int | None:
        row = self._late.pop(id, None)
        if row is None:
            ordered = self._facts["ids"].values[: self._in_order]
            row = int(np.searchsorted(ordered, id))
            if row >= self._in_order or ordered[row] != id:
                return None
        return row if self._alive.values[row] else None

    def _append(self, given: Columns) -> None:
        ids = np.array(given.id, dtype=np.int64)
        living = np.flatnonzero([terms is not None for terms in given.terms])
        if not len(living):
            return
        rows = living[np.argsort(ids[living], kind="stable")]
        first = self._alive.size
        held = self._facts["ids"].values
        if self._in_order == first and (not first or held[-1] < ids[rows[0]]):
            self._in_order += len(rows)
        else:
            self._late |= {id: first + n for n, id in enumerate(ids[rows].tolist())}
        for name, kind in _FACTS:
            column = ids if name == "ids" else np.array(getattr(given, name), dtype=kind)
            self._facts[name].extend(column[rows])
        self._alive.extend(np.ones(len(rows), dtype=np.bool_))
        order = rows.tolist()
        flat = self._terms.extend([given.terms[n] or b"" for n in order])
        self._opposed.extend([given.opposed[n] for n in order])
        more = np.bincount(flat)
        totals = np.zeros(max(len(more), len(self._totals)), dtype=np.int32)
        totals[: len(self._totals)] = self._totals
        totals[: len(more)] += more.astype(np.int32)
        self._totals = totals

    def _tidy(self) -> None:
        """Leave the dead behind and put the living in order."""
        living = np.flatnonzero(self._alive.values)
        rows = living[np.argsort(self._facts["ids"].values[living], kind="stable")]
        for column_name, kind in _FACTS:
            kept = self._facts[column_name].values[rows]
            self._facts[column_name] = _Column(kind)
            self._facts[column_name].extend(kept)
        self._terms, self._opposed = self._terms.arranged(rows), self._opposed.arranged(rows)
        self._repeats = Keeper()
        self._alive = _Column(np.bool_)
        self._alive.extend(np.ones(len(rows), dtype=np.bool_))
        self._in_order, self._late, self._dead = len(rows), {}, 0

    def view(self) -> View:
        """What the shelf holds now; a later change does not touch it."""
        if self._view is None:
            width = len(self._totals)
            self._view = View(
                facts={name: column.values for name, column in self._facts.items()},
                alive=self._alive.values,
                terms=self._terms.lists(width),
                opposed=self._opposed.lists(width),
                totals=self._totals.copy(),
                repeats=self._repeats,
            )
        return self._view
