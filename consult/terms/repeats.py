"""What one person says in several opinions, so that people can be counted by term. Pure: numbers in,
numbers out."""

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from consult.terms.lists import Bools, Ints, Lists, Longs

# Term ids looked through at once, so that little memory is held beside.
_AT_ONCE = 2_000_000
# So many rows more, in parts of all, and everything is sorted out anew.
_LATER = 0.1


@dataclass(frozen=True, slots=True)
class Repeats:
    """`persons`: those who were there when everything was last sorted out, in order. `owners`: by
    row, a small number for its person. Then what one person says in several opinions: `rows` that
    hold it, one pair of person and term after the other, where each pair begins, and its term."""

    persons: Longs
    owners: Ints
    rows: Ints
    starts: Longs
    terms: Ints

    def people(self, mask: Bools) -> int:
        """How many people these rows come from."""
        seen = np.zeros(int(self.owners.max(initial=-1)) + 1, dtype=np.bool_)
        seen[self.owners.compress(mask)] = True
        return int(np.count_nonzero(seen))

    def left_out(self, mask: Bools, width: int) -> Ints:
        """By term id: how many of these rows only say what the same person says in another."""
        if not len(self.starts):
            return np.zeros(width, dtype=np.int32)
        # The difference of sums up to here is several times as fast as `reduceat`.
        upto = np.concatenate(([0], np.cumsum(mask.take(self.rows), dtype=np.int32)))
        times = np.diff(upto[np.append(self.starts, len(self.rows))])
        often = np.flatnonzero(times > 1)
        less = np.bincount(self.terms[often], times[often] - 1, minlength=width)
        return less.astype(np.int32)

    def followed(self, persons: Longs, lists: Lists) -> "Repeats":
        """With the rows that have come since: only those who sent them are looked up again."""
        later = persons[len(self.owners) :]
        if not len(later):
            return self
        numbers = np.searchsorted(self.persons, later)
        known = self.persons[np.minimum(numbers, len(self.persons) - 1)] == later
        added, order = np.unique(later[~known], return_inverse=True)
        numbers[~known] = len(self.persons) + order
        owners = np.concatenate((self.owners, numbers.astype(np.int32)))
        touched = np.zeros(len(self.persons) + len(added), dtype=np.bool_)
        touched[numbers] = True
        kept = ~touched[self.owners[self.rows[self.starts]]]
        lengths = _lengths(self.starts, len(self.rows))
        again = _again(np.flatnonzero(touched[owners]), owners, lists)
        return _repeats(
            self.persons,
            owners,
            [(self.rows[np.repeat(kept, lengths)], lengths[kept], self.terms[kept]), again],
        )


@dataclass(slots=True)
class Keeper:
    """Keeps what was sorted out for as long as rows are only added."""

    _kept: Repeats | None = None
    _lock: Any = field(default_factory=Lock)

    def of(self, persons: Longs, lists: Lists) -> Repeats:
        """Who says what again in these rows."""
        with self._lock:
            kept = self._kept
            size = len(persons)
            if kept is None or size - len(kept.owners) > _LATER * size:
                kept = self._kept = _sorted_out(persons, lists)
        # A view may be older than what is kept.
        return (
            kept.followed(persons, lists)
            if size >= len(kept.owners)
            else _sorted_out(persons, lists)
        )


def _sorted_out(persons: Longs, lists: Lists) -> Repeats:
    distinct, numbers = np.unique(persons, return_inverse=True)
    owners = numbers.astype(np.int32)
    return _repeats(distinct, owners, [_again(np.arange(len(owners)), owners, lists)])


_Pairs = tuple[Ints, Longs, Ints]


def _repeats(persons: Longs, owners: Ints, pairs: list[_Pairs]) -> Repeats:
    rows, lengths, terms = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return Repeats(persons, owners, rows, np.cumsum(lengths) - lengths, terms)


def _lengths(starts: Longs, end: int) -> Longs:
    return np.diff(np.append(starts, end))


def _again(rows: npt.NDArray[np.intp], owners: Ints, lists: Lists) -> _Pairs:
    """Of these rows, which are all that their people sent: those that hold what their person says
    again, how many there are of each pair of person and term, and the terms."""
    times = np.bincount(owners[rows])
    often = rows[times[owners[rows]] > 1]
    often = often[np.argsort(owners[often], kind="stable")]
    held = np.concatenate([[0], *(block.lengths for block in lists.blocks)])[1:]
    sizes = np.cumsum(held[often], dtype=np.int64)
    # A part ends with the last row of a person.
    ends = np.flatnonzero(np.append(np.diff(owners[often]) != 0, True)[: len(often)]) + 1
    none = np.zeros(0, dtype=np.int32)
    found: list[_Pairs] = [(none, none.astype(np.int64), none)]
    first = begun = 0
    for last in ends.tolist():
        if last == len(often) or sizes[last - 1] - begun >= _AT_ONCE:
            found.append(_of_part(np.sort(often[first:last]), owners, lists))
            first, begun = last, int(sizes[last - 1])
    together = tuple(np.concatenate(parts) for parts in zip(*found, strict=True))
    return together[0], together[1], together[2]


def _of_part(rows: npt.NDArray[np.int64], owners: Ints, lists: Lists) -> _Pairs:
    ids, lengths = lists.taken(rows)
    whose = np.repeat(rows, lengths)
    pairs = owners[whose].astype(np.int64) * lists.width + ids
    order = np.argsort(pairs, kind="stable")
    pairs = pairs[order]
    begins = np.flatnonzero(np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)])
    times = _lengths(begins, len(pairs))
    again = times > 1
    terms = (pairs[begins[again]] % lists.width).astype(np.int32)
    return whose[order[np.repeat(again, times)]].astype(np.int32), times[again], terms
