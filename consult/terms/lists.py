"""Which rows hold which terms: rows are added at the end and never change. Pure: numbers in, numbers
out.

They stand in blocks that are made once and then shared by every later `Lists`. A block numbers the
terms it has for itself, so that what is added up stays in the processor's cache however many words
there are, and keeps for each term the rows that hold it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy import sparse

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int32]
Longs = npt.NDArray[np.int64]
# Rows of a new block, and how many of those are joined into one. Together they stay below 65,536:
# a row's place in its block, and how many of its rows hold a term, fit into 16 bits.
SMALL, JOINED = 4095, 16
# Of less than one row in so many the terms are taken out first: a product goes through all, though
# three times as fast for each.
_MANY = 3


@dataclass(frozen=True)
class Block:
    """Rows from `first` on. `terms`: the ids it has, in order; the place of an id is its number
    here. `totals`: how many of the rows hold each. `by_row`: a matrix of ones, terms × rows."""

    first: int
    terms: Ints
    totals: npt.NDArray[np.uint32]
    by_row: "sparse.csc_matrix"

    @property
    def size(self) -> int:
        """How many rows it has."""
        rows: int = self.by_row.shape[1]
        return rows

    @property
    def ids(self) -> Ints:
        """The term ids, one row after the other."""
        found: Ints = self.terms[self.by_row.indices]
        return found

    @property
    def lengths(self) -> Ints:
        """How many terms each row holds."""
        found: Ints = np.diff(self.by_row.indptr)
        return found

    @cached_property
    def by_term(self) -> tuple[Ints, npt.NDArray[np.uint16]]:
        """(starts, rows): the rows that hold term number n are `rows[starts[n]:starts[n + 1]]`,
        counted from the first of the block."""
        turned = self.by_row.tocsr()
        return turned.indptr, turned.indices.astype(np.uint16)

    def holding(self, term: int) -> npt.NDArray[np.uint16]:
        """The rows that hold this term id."""
        # A number of another kind would have all terms copied first.
        number = int(np.searchsorted(self.terms, np.int32(term)))
        if number == len(self.terms) or self.terms[number] != term:
            return np.zeros(0, dtype=np.uint16)
        starts, rows = self.by_term
        return rows[starts[number] : starts[number + 1]]

    def counted(self, chosen: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32] | None:
        """By term number: the sum of what is said of the rows that hold it; None when that is
        nothing of any."""
        # As periods lie, of most blocks all rows are in one or none is.
        if (chosen == chosen[0]).all():
            return self.totals * chosen[0] if chosen[0] else None
        if np.count_nonzero(chosen) * _MANY < self.size:
            rows = np.flatnonzero(chosen)
            sums: npt.NDArray[np.uint32] = self.by_row[:, rows] @ chosen[rows]
        else:
            sums = self.by_row @ chosen
        return sums


def _block(first: int, ids: Ints, lengths: Longs) -> Block:
    # 0.2 s to load: who reads the pages that are published never counts.
    from scipy import sparse  # noqa: PLC0415

    totals = np.bincount(ids)
    terms = np.flatnonzero(totals).astype(np.int32)
    number = np.zeros(len(totals), dtype=np.int32)
    number[terms] = np.arange(len(terms), dtype=np.int32)
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    parts = (_ones(len(ids).bit_length())[: len(ids)], number[ids], starts)
    by_row = sparse.csc_matrix(parts, shape=(len(terms), len(lengths)), copy=False)
    return Block(first, terms, totals[terms].astype(np.uint32), by_row)


@lru_cache
def _ones(bits: int) -> npt.NDArray[np.uint32]:
    """What every matrix is made of: kept once for all of a size."""
    made = np.ones(1 << bits, dtype=np.uint32)
    made.flags.writeable = False
    return made


@dataclass(frozen=True)
class Lists:
    """Rows of term ids at one moment; every id is below `width`."""

    blocks: tuple[Block, ...]
    width: int

    @property
    def size(self) -> int:
        """How many term ids are held, over all rows."""
        return sum(block.by_row.nnz for block in self.blocks)

    def counted(self, *masks: Bools) -> list[Ints]:
        """Of each of at most two selections of rows, by term id: how many of them hold it. Two at
        once cost little more than one: both are added up in one number, 16 bits each."""
        chosen = masks[0].astype(np.uint32)
        for mask in masks[1:]:
            chosen |= mask.astype(np.uint32) << 16
        found = [np.zeros(self.width, dtype=np.int32) for _mask in masks]
        for block in self.blocks:
            sums = block.counted(chosen[block.first : block.first + block.size])
            if sums is not None:
                parts = [sums] if len(found) == 1 else [sums & 0xFFFF, sums >> 16]
                for counts, part in zip(found, parts, strict=True):
                    counts[block.terms] += part.view(np.int32)
        return found

    def holding(self, term: int, rows: int) -> Bools:
        """Which of so many rows hold this term id."""
        mask = np.zeros(rows, dtype=np.bool_)
        for block in self.blocks:
            mask[block.first : block.first + block.size][block.holding(term)] = True
        return mask

    def table(self, groups: npt.NDArray[np.intp], most: int, terms: Sequence[int]) -> Longs:
        """How many rows of each group (down) hold each term id (across). `groups`: of each row the
        number of its group, below `most`."""
        across = len(terms)
        begin = groups * across
        counts = np.zeros(most * across, dtype=np.int64)
        for block in self.blocks:
            held = [block.holding(term) for term in terms]
            if held:
                column = np.repeat(np.arange(across), [len(rows) for rows in held])
                here = begin[block.first : block.first + block.size]
                cells = here.take(np.concatenate(held)) + column
                counts += np.bincount(cells, minlength=len(counts))
        return counts.reshape(most, across)

    def taken(self, rows: npt.NDArray[np.int64]) -> tuple[Ints, Longs]:
        """(term ids, how many each row has) of these rows, which must be in order."""
        ids, lengths = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int64)]
        for block in self.blocks:
            first, last = np.searchsorted(rows, (block.first, block.first + block.size))
            if first < last:
                part = block.by_row[:, rows[first:last] - block.first]
                ids.append(block.terms[part.indices])
                lengths.append(np.diff(part.indptr).astype(np.int64))
        return np.concatenate(ids), np.concatenate(lengths)


class Growing:
    """Lists as they come. What was handed out of it keeps its rows."""

    def __init__(self) -> None:
        self._blocks: list[Block] = []
        # What is not a block yet.
        self._ids = np.zeros(0, dtype=np.int32)
        self._lengths = np.zeros(0, dtype=np.int64)

    def extend(self, blobs: Sequence[bytes]) -> Ints:
        """Take rows in as they are kept (`reading.blobs`); their ids, one after the other."""
        ids = np.frombuffer(b"".join(blobs), dtype="<u4").astype(np.int32)
        self.add(ids, np.fromiter(map(len, blobs), np.int64, count=len(blobs)) // 4)
        return ids

    def add(self, ids: Ints, lengths: Longs) -> None:
        """Take rows in: their ids, one after the other, and how many each has."""
        ids, lengths = np.concatenate((self._ids, ids)), np.concatenate((self._lengths, lengths))
        ends = np.concatenate(([0], np.cumsum(lengths)))
        whole = len(lengths) // SMALL * SMALL
        for begin in range(0, whole, SMALL):
            end = begin + SMALL
            self._append(ids[ends[begin] : ends[end]], lengths[begin:end])
        self._ids, self._lengths = ids[ends[whole] :].copy(), lengths[whole:].copy()

    def _append(self, ids: Ints, lengths: Longs) -> None:
        self._blocks.append(_block(self._settled, ids, lengths))
        last = self._blocks[-JOINED:]
        if len(last) == JOINED and last[0].size == SMALL:
            joined = [
                np.concatenate([getattr(b, name) for b in last]) for name in ("ids", "lengths")
            ]
            self._blocks[-JOINED:] = [_block(last[0].first, *joined)]

    @property
    def _settled(self) -> int:
        """How many rows are in blocks."""
        return self._blocks[-1].first + self._blocks[-1].size if self._blocks else 0

    def of(self, row: int) -> Ints:
        """The term ids of one row."""
        if row >= self._settled:
            begin = row - self._settled
            first = int(self._lengths[:begin].sum())
            return self._ids[first : first + int(self._lengths[begin])]
        block = self._blocks[bisect_right(self._blocks, row, key=lambda each: each.first) - 1]
        first, last = block.by_row.indptr[row - block.first : row - block.first + 2]
        found: Ints = block.terms[block.by_row.indices[first:last]]
        return found

    def lists(self, width: int) -> Lists:
        """What it holds now, of ids below `width`."""
        blocks = list(self._blocks)
        if len(self._lengths):
            blocks.append(_block(self._settled, self._ids, self._lengths))
        return Lists(tuple(blocks), width)

    def arranged(self, rows: npt.NDArray[np.int64]) -> "Growing":
        """The lists of these rows, in this order."""
        everything = self.lists(0).blocks
        made = Growing()
        if not len(rows):
            return made
        ids = np.concatenate([block.ids for block in everything])
        lengths = np.concatenate([block.lengths for block in everything]).astype(np.int64)
        starts = (np.cumsum(lengths) - lengths)[rows]
        lengths = lengths[rows]
        # From each place in the new order to the one it had: as far on in its row.
        shift = np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        made.add(ids[shift + np.arange(len(shift))], lengths)
        return made
