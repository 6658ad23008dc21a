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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]
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
    terms: "sparse.csr_matrix"
    opposed: "sparse.csr_matrix"
    # {term id: opinions that hold it}, as an array by id.
    totals: Ints

    @property
    def size(self) -> int:
        """How many opinions count."""
        return int(np.count_nonzero(self.alive))

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The opinions that count."""
        return self.facts["ids"][self.alive]

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
        for matrix, wanted_terms in ((self.terms, f.terms), (self.opposed, f.opposing)):
            for term in wanted_terms:
                mask &= _holding(matrix, term)
        return mask

    def counts(self, mask: Bools | None = None) -> Ints:
        """By term id: how many of these opinions hold it; of all without a mask."""
        return self.totals if mask is None else _counted(self.terms, mask)

    def against(self, mask: Bools | None = None) -> Ints:
        """By term id: how many of these opinions speak against it."""
        return _counted(self.opposed, self.alive if mask is None else mask)

    def people(self, mask: Bools | None = None) -> int:
        """How many people these opinions come from."""
        owners = self._people.owners
        seen = np.zeros(int(owners.max(initial=-1)) + 1, dtype=np.bool_)
        seen[owners[self.alive if mask is None else mask]] = True
        return int(np.count_nonzero(seen))

    def people_by_term(self, mask: Bools | None = None) -> Ints:
        """By term id: how many people hold it. That is the opinions that do, less what the same
        people say again; who says what again is looked up once for a view."""
        chosen = self.alive if mask is None else mask
        again = self._people
        counts = self.counts(mask)
        if not len(again.starts):
            return counts
        times = np.add.reduceat(chosen[again.rows], again.starts, dtype=np.int32)
        often = np.flatnonzero(times > 1)
        less = np.bincount(again.terms[often], times[often] - 1, minlength=len(counts))
        return counts - less.astype(np.int32)

    @cached_property
    def _people(self) -> "_People":
        return _people_of(self.facts["person"], self.terms)

    def days(self, mask: Bools | None = None) -> dict[dt.date, int]:
        """{day: opinions}, in order, days without any left out."""
        if mask is None:
            return self._all_days
        return _by_day(self.facts["day"][mask])

    @cached_property
    def _all_days(self) -> dict[dt.date, int]:
        return _by_day(self.facts["day"][self.alive])

    def division(self, fact: str, mask: Bools | None = None) -> dict[int, int]:
        """{value of "channel", "stance" or "place": opinions}."""
        values = self.facts[fact][self.alive if mask is None else mask]
        found, sizes = np.unique(values, return_counts=True)
        return dict(zip(found.tolist(), sizes.tolist(), strict=True))

    def table(
        self, groups: Sequence[Collection[int]], terms: Sequence[int], mask: Bools | None = None
    ) -> Ints:
        """Opinions by group of places (down) and term (across). The groups must not overlap."""
        label = self._labels(groups)
        # What belongs to no group is counted in one more, and left out.
        label[~(self.alive if mask is None else mask) | (label < 0)] = len(groups)
        begin = label.astype(np.int32) * len(terms)
        column = np.full(self.terms.shape[1], -1, dtype=np.int16)
        known = [(n, term) for n, term in enumerate(terms) if 0 <= term < len(column)]
        column[[term for _n, term in known]] = [n for n, _term in known]
        counts = np.zeros((len(groups) + 1) * len(terms), dtype=np.int64)
        starts, indices = self.terms.indptr, self.terms.indices
        # Few rows at a time stay near.
        for first in range(0, len(begin), _NEAR):
            rows = slice(first, first + _NEAR)
            bounds = starts[first : first + _NEAR + 1]
            across = column[indices[bounds[0] : bounds[-1]]]
            hits = np.flatnonzero(across >= 0)
            cells = np.repeat(begin[rows], np.diff(bounds)).take(hits) + across.take(hits)
            counts += np.bincount(cells, minlength=len(counts))
        return counts.reshape(len(groups) + 1, len(terms))[: len(groups)].astype(np.int32)

    def _labels(self, groups: Sequence[Collection[int]]) -> npt.NDArray[np.int16]:
        """By row: the group its place belongs to, or -1."""
        places = self.facts["place"]
        label = np.full(int(places.max(initial=0)) + 1, -1, dtype=np.int16)
        for number, group in enumerate(groups):
            label[[place for place in group if place < len(label)]] = number
        found: npt.NDArray[np.int16] = label[places]
        return found


@dataclass(frozen=True, slots=True)
class _People:
    """`owners`: by row, a small number for its person. What one person says in several opinions:
    `rows` that hold it, one pair of person and term after the other, where each pair begins, and
    its term."""

    owners: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    terms: npt.NDArray[np.int32]


# Rows of a table looked at together; and of less than one row in so many the terms are taken out,
# because a product goes through all.
_NEAR, _MANY = 4096, 8
# Term ids looked through at once, so that little memory is held beside.
_AT_ONCE = 2_000_000


def _people_of(persons: npt.NDArray[np.int64], matrix: "sparse.csr_matrix") -> _People:
    _distinct, owners, times = np.unique(persons, return_inverse=True, return_counts=True)
    often = np.flatnonzero(times[owners] > 1)
    rows = often[np.argsort(owners[often], kind="stable")]
    sizes = np.cumsum(np.diff(matrix.indptr)[rows], dtype=np.int64)
    # A part ends with the last row of a person.
    ends = np.flatnonzero(np.append(np.diff(owners[rows]) != 0, True)[: len(rows)]) + 1
    found: list[tuple[npt.NDArray[Any], ...]] = []
    first = begun = 0
    for last in ends.tolist():
        if last != len(rows) and sizes[last - 1] - begun < _AT_ONCE:
            continue
        found.append(_said_again(rows[first:last], owners, matrix))
        first, begun = last, int(sizes[last - 1])
    if not found:
        none = np.zeros(0, dtype=np.int32)
        return _People(owners, none, none.astype(np.int64), none)
    held, lengths, terms = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _People(owners, held, np.cumsum(lengths) - lengths, terms)


def _said_again(
    rows: npt.NDArray[np.int64], owners: npt.NDArray[np.int64], matrix: "sparse.csr_matrix"
) -> tuple[npt.NDArray[Any], ...]:
    """Of these rows: those that hold what their person says again, how many there are of each pair
    of person and term, and the terms."""
    held = matrix[rows]
    whose = np.repeat(np.arange(len(rows)), np.diff(held.indptr))
    pairs = owners[rows][whose] * matrix.shape[1] + held.indices
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    begins = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)])
    lengths = np.diff(np.append(begins, len(pairs)))
    again = lengths > 1
    kept = np.repeat(again, lengths)
    terms = (pairs[begins[again]] % matrix.shape[1]).astype(np.int32)
    return rows[whose[order[kept]]].astype(np.int32), lengths[again], terms


def top(counts: Ints, most: int, *, least: int = 1) -> list[tuple[int, int]]:
    """[(term id, count)]: the most frequent, equal ones by id; fewer than `least` is left out."""
    found = np.flatnonzero(counts >= least)
    if len(found) > most:
        edge = np.partition(counts[found], len(found) - most)[len(found) - most]
        found = found[counts[found] >= edge]
    order = np.lexsort((found, -counts[found]))[:most]
    return [(int(found[n]), int(counts[found[n]])) for n in order]


def _among(values: npt.NDArray[Any], wanted: Collection[int]) -> Bools:
    found: Bools = np.isin(values, np.fromiter(wanted, dtype=np.int64, count=len(wanted)))
    return found


def _holding(matrix: "sparse.csr_matrix", term: int) -> Bools:
    mask = np.zeros(matrix.shape[0], dtype=np.bool_)
    hits = np.flatnonzero(matrix.indices == term)
    mask[np.searchsorted(matrix.indptr, hits, side="right") - 1] = True
    return mask


def _counted(matrix: "sparse.csr_matrix", mask: Bools) -> Ints:
    rows = np.flatnonzero(mask)
    if len(rows) * _MANY < len(mask):
        few = np.bincount(matrix[rows].indices, minlength=matrix.shape[1])
        return few.astype(np.int32)
    counts: Ints = matrix.T @ mask.astype(np.int32)
    return counts


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


class _Lists:
    """Rows of term ids, one after the other, in the form of a sparse matrix of ones."""

    def __init__(self) -> None:
        self.indices, self.ones = _Column(np.int32), _Column(np.int32)
        self.starts = _Column(np.int64)
        self.starts.extend(np.zeros(1, dtype=np.int64))

    def extend(self, blobs: Sequence[bytes]) -> npt.NDArray[np.int32]:
        flat = np.frombuffer(b"".join(blobs), dtype="<u4").astype(np.int32)
        lengths = np.fromiter(map(len, blobs), np.int64, count=len(blobs)) // 4
        self._add(flat, lengths)
        return flat

    def _add(self, flat: npt.NDArray[np.int32], lengths: npt.NDArray[np.int64]) -> None:
        self.indices.extend(flat)
        self.ones.extend(np.ones(len(flat), dtype=np.int32))
        self.starts.extend(self.starts.values[-1] + np.cumsum(lengths))

    def of(self, row: int) -> npt.NDArray[np.int32]:
        first, last = self.starts.values[row : row + 2]
        found: npt.NDArray[np.int32] = self.indices.values[first:last]
        return found

    def matrix(self, width: int) -> "sparse.csr_matrix":
        # 0.2 s to load: who reads the pages that are published never counts.
        from scipy import sparse  # noqa: PLC0415

        starts, indices = self.starts.values, self.indices.values
        # One kind of number for both, else scipy copies the larger.
        if len(indices) < 2**31:
            starts = starts.astype(np.int32)
        parts = (self.ones.values, indices, starts)
        return sparse.csr_matrix(parts, shape=(len(starts) - 1, width), copy=False)

    def taken(self, rows: npt.NDArray[np.int64]) -> "_Lists":
        """The lists of these rows, in this order."""
        matrix = self.matrix(int(self.indices.values.max(initial=0)) + 1)[rows]
        made = _Lists()
        made._add(matrix.indices, np.diff(matrix.indptr).astype(np.int64))
        return made


class Shelf:
    """Rows as they come and go. Not for several threads at once; its views are."""

    def __init__(self) -> None:
        self._empty()
        self._view: View | None = None

    def _empty(self) -> None:
        self._facts = {name: _Column(kind) for name, kind in _FACTS}
        self._alive = _Column(np.bool_)
        self._terms, self._opposed = _Lists(), _Lists()
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
        self._terms, self._opposed = self._terms.taken(rows), self._opposed.taken(rows)
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
                terms=self._terms.matrix(width),
                opposed=self._opposed.matrix(width),
                totals=self._totals.copy(),
            )
        return self._view
