"""Which paragraph of a new version continues which one of the version before.

First what reads exactly alike, in order (longest common subsequence), then what reads alike but
stands elsewhere, then what is alike enough: `likeness` is the normalized Indel similarity of the
characters, 1.0 for equal texts. Nothing is paired twice.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel

# Two unrelated Chinese sentences are alike by 0.1 to 0.25; a sentence with a third of its words
# exchanged by about 0.65.
LEAST_LIKE = 0.5
# Between the same unchanged neighbours less is asked for: there is little else it can be.
LEAST_LIKE_IN_PLACE = 0.4
_IN_PLACE_FIRST = 0.1
# How many old paragraphs are tried for one new one: those that share its rarest pairs of
# characters, and those that stand where it stands.
_MOST_TRIED = 6
_NEIGHBOURS = 3
_LONG = 4_000
# A pair of characters that so many paragraphs share says nothing about any of them.
_COMMON = 20
# A pair of characters is one number, and so is a pair in a text: a character takes 21 bits.
_CHARACTER, _PLACE = np.uint64(21), np.uint64(22)
_PLACES = np.uint64((1 << 22) - 1)

Numbers = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph to be aligned. A block continues only one of the same `sort` unless the words
    are the same: "heading", "text" or "table"."""

    text: str
    sort: str = "text"


def align(old: Sequence[Block], new: Sequence[Block]) -> list[int | None]:
    """For every new block the place of the old one it continues; None for one that is new."""
    origins: list[int | None] = [None] * len(new)
    _alike_in_order(old, new, origins)
    _alike_elsewhere(old, new, origins)
    _similar(old, new, origins)
    return origins


def _alike_in_order(old: Sequence[Block], new: Sequence[Block], origins: list[int | None]) -> None:
    for step in Indel.opcodes([b.text for b in old], [b.text for b in new]):
        if step.tag == "equal":
            begin, end = step.src_start, step.src_end
            origins[step.dest_start : step.dest_end] = range(begin, end)


def _alike_elsewhere(old: Sequence[Block], new: Sequence[Block], origins: list[int | None]) -> None:
    taken = set(origins)
    left: defaultdict[str, deque[int]] = defaultdict(deque)
    for place, block in enumerate(old):
        if place not in taken:
            left[block.text].append(place)
    for place, block in enumerate(new):
        if origins[place] is None and left.get(block.text):
            origins[place] = left[block.text].popleft()


def _similar(old: Sequence[Block], new: Sequence[Block], origins: list[int | None]) -> None:
    """Give each other the most alike first, those between the same neighbours before others."""
    gaps = _gaps(origins, len(old))
    wanted = [place for place, origin in enumerate(origins) if origin is None]
    tried = _Candidates(old, new, set(origins), wanted)
    alike = _Likeness()
    found: list[tuple[float, int, int]] = []
    for place in wanted:
        gap = gaps[place]
        for other in tried.for_block(place, gap):
            in_place = other in gap
            least = LEAST_LIKE_IN_PLACE if in_place else LEAST_LIKE
            like = alike(old[other].text, new[place].text, least)
            if like >= least:
                found.append((-like - _IN_PLACE_FIRST * in_place, place, other))
    taken: set[int] = set()
    for _score, place, other in sorted(found):
        if origins[place] is None and other not in taken:
            origins[place] = other
            taken.add(other)


def likeness(old: str, new: str, least: float = 0.0) -> float:
    """How alike two texts are, 0 to 1; 0 for what is below `least`.

    Of very long ones, what share of their pairs of characters they have in common (Dice).
    """
    return _Likeness()(old, new, least)


class _Likeness:
    """`likeness`, which looks at a long text once however many it is held against."""

    def __init__(self) -> None:
        self._known: dict[str, Numbers] = {}

    def __call__(self, old: str, new: str, least: float) -> float:
        if len(old) + len(new) < _LONG:
            return Indel.normalized_similarity(old, new, score_cutoff=least)
        ours, theirs = self._pairs(old), self._pairs(new)
        both = np.intersect1d(ours, theirs, assume_unique=True)
        common = 2 * len(both) / (len(ours) + len(theirs))
        return common if common >= least else 0.0

    def _pairs(self, text: str) -> Numbers:
        if text not in self._known:
            self._known[text] = _pairs_of([text])
        return self._known[text]


@dataclass(frozen=True, slots=True)
class _Gap:
    """The old places between the old neighbours of a new block, and where in there it would be."""

    first: int
    end: int
    near: int

    def __contains__(self, place: int) -> bool:
        return self.first <= place < self.end


def _gaps(origins: Sequence[int | None], size: int) -> dict[int, _Gap]:
    """{place of a new block without origin: its gap}, between those that kept their order."""
    stayed = [(place, origin) for place, origin in enumerate(origins) if origin is not None]
    away = displaced([origin for _place, origin in stayed], [1] * len(stayed))
    fixed = [(-1, -1), *(pair for n, pair in enumerate(stayed) if n not in away)]
    fixed.append((len(origins), size))
    gaps: dict[int, _Gap] = {}
    for (n0, o0), (n1, o1) in pairwise(fixed):
        for place in range(n0 + 1, n1):
            near = o0 + 1 + (place - n0 - 1) * (o1 - o0 - 1) // max(1, n1 - n0 - 1)
            gaps[place] = _Gap(o0 + 1, o1, near)
    return gaps


class _Candidates:
    """Which old blocks are worth a closer look for each new one that continues none yet."""

    def __init__(
        self,
        old: Sequence[Block],
        new: Sequence[Block],
        taken: set[int | None],
        wanted: Sequence[int],
    ) -> None:
        self._old, self._new = old, new
        self._free = [place for place in range(len(old)) if place not in taken]
        self._sharing = _sharing(
            [old[place].text for place in self._free], [new[place].text for place in wanted]
        )
        self._rows = {place: row for row, place in enumerate(wanted)}

    def for_block(self, place: int, gap: _Gap) -> Iterator[int]:
        """The places of old blocks that nobody has and that may be what the new one was."""
        chosen = {self._free[row] for row in self._sharing.get(self._rows[place], ())}
        middle = bisect_left(self._free, gap.near)
        chosen.update(self._free[max(0, middle - _NEIGHBOURS) : middle + _NEIGHBOURS + 1])
        sort = self._new[place].sort
        return (other for other in sorted(chosen) if self._old[other].sort == sort)


def _sharing(old: Sequence[str], new: Sequence[str]) -> dict[int, list[int]]:
    """{row of a new text: the rows of the old ones that share the most of its rare pairs}, a pair
    counting the less the more old texts hold it."""
    held, asked = _pairs_of(old), _pairs_of(new)
    codes = held >> _PLACE
    first = np.searchsorted(codes, asked >> _PLACE, "left")
    many = np.searchsorted(codes, asked >> _PLACE, "right") - first
    telling = (many > 0) & (many <= _COMMON)
    asked, first, many = asked[telling], first[telling], many[telling]
    if not len(asked):
        return {}
    # One line for every pair that an old and a new text share.
    ends = many.cumsum()
    lines = np.arange(ends[-1]) - np.repeat(ends - many - first, many)
    both = np.repeat((asked & _PLACES) << _PLACE, many) | held[lines] & _PLACES
    found, which = np.unique(both, return_inverse=True)
    votes = np.bincount(which, weights=np.repeat(1 / many, many))
    rows = (found >> _PLACE).astype(np.int64)
    best = np.lexsort((-votes, rows))
    sharing: dict[int, list[int]] = {}
    for row, other in zip(
        rows[best].tolist(), (found[best] & _PLACES).astype(np.int64).tolist(), strict=True
    ):
        chosen = sharing.setdefault(row, [])
        if len(chosen) < _MOST_TRIED:
            chosen.append(other)
    return sharing


def _pairs_of(texts: Sequence[str]) -> Numbers:
    """Every pair of neighbouring characters with the row of the text it stands in, once, in order;
    a text of one character is a pair by itself."""
    characters = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    codes = characters.astype(np.uint64)
    sizes = np.array([len(text) for text in texts], np.int64)
    ends = sizes.cumsum() - 1
    # The last of a text has no neighbour in it; it counts only where it is the whole text.
    neighbours = np.append(codes[1:], np.zeros(1, np.uint64))[: len(codes)]
    neighbours[ends[sizes > 0]] = 0
    rows = np.repeat(np.arange(len(texts), dtype=np.uint64), sizes)
    pairs = (codes | neighbours << _CHARACTER) << _PLACE | rows
    pairs = np.sort(np.delete(pairs, ends[sizes > 1]))
    # What `numpy.unique` says, which looks everything up in a table and takes ten times as long.
    first = np.ones(len(pairs), np.bool_)
    first[1:] = pairs[1:] != pairs[:-1]
    return pairs[first]


def displaced(places: Sequence[int], weights: Sequence[int]) -> frozenset[int]:
    """Which of `places` (all different) are out of order: the positions left over when the
    heaviest rising subsequence stays. So a sentence that moved past a page is what moved, not the
    page."""
    ranks = {place: rank for rank, place in enumerate(sorted(places), start=1)}
    best: list[tuple[int, int]] = [(0, -1)] * (len(places) + 1)
    before: list[int] = []
    heaviest = (0, -1)
    for position, (place, weight) in enumerate(zip(places, weights, strict=True)):
        rank = ranks[place]
        found = (0, -1)
        index = rank - 1
        while index > 0:
            found = max(found, best[index])
            index -= index & -index
        before.append(found[1])
        here = (found[0] + max(1, weight), position)
        heaviest = max(heaviest, here)
        index = rank
        while index <= len(places):
            best[index] = max(best[index], here)
            index += index & -index
    stayed = set()
    position = heaviest[1]
    while position >= 0:
        stayed.add(position)
        position = before[position]
    return frozenset(range(len(places))) - stayed
