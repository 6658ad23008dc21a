"""Where a title of several lines is broken: between words, in lines about as long as each other
(GB/T 9704-2012, 7.3.1: 回行时做到词意完整、排列对称、长短适宜)."""

import unicodedata
from functools import lru_cache
from itertools import accumulate, pairwise

from consult.analysis import lexicon
from consult.terms.reading import engine_for

# What begins no line, what ends none.
_LEADERLESS = frozenset("”’》〉）】、，。；：！？的和与及等之了个")
_TRAILERLESS = frozenset("“‘《〈（【")
FULL_WIDTH = frozenset("WFA")
MOST_LINES = 4


def breadth(text: str) -> float:
    """How wide a text is on one line, in full-width characters."""
    return sum(1 if unicodedata.east_asian_width(c) in FULL_WIDTH else 0.55 for c in text)


@lru_cache(maxsize=256)
def broken(title: str, most: float) -> tuple[str, ...]:
    """The lines of a title, each at most so many full-width characters wide; together they are the
    title. One line where it fits, or where no break between words would make it fit."""
    # What is too wide for so many lines is not worth cutting up.
    if not most < breadth(title) <= MOST_LINES * most:
        return (title,)
    pieces = _pieces(title)
    before = tuple(accumulate(map(breadth, pieces), initial=0.0))
    for number in range(2, min(MOST_LINES, len(pieces)) + 1):
        longest, _first, ends = _parted(before, number, 0)
        if longest <= most:
            return tuple("".join(pieces[a:b]) for a, b in pairwise((0, *ends)))
    return (title,)


@lru_cache(maxsize=4096)
def _parted(
    before: tuple[float, ...], number: int, start: int
) -> tuple[float, float, tuple[int, ...]]:
    """The pieces from `start` on in so many lines, the longest as short as can be and, of equal ways,
    the first as long as can be: (the longest, minus the first, where the lines end). `before` is how
    wide all before each piece is."""
    end = len(before) - 1
    if number == 1:
        width = before[end] - before[start]
        return width, -width, (end,)
    ways = []
    for at in range(start + 1, end - number + 2):
        rest, _first, ends = _parted(before, number - 1, at)
        width = before[at] - before[start]
        ways.append((max(width, rest), -width, (at, *ends)))
    return min(ways)


def _pieces(title: str) -> list[str]:
    """The words of a title, with the signs that stay at them."""
    pieces: list[str] = []
    for word in engine_for(lexicon.builtin()).segmenter.tokens(title):
        if pieces and (word[0] in _LEADERLESS or pieces[-1][-1] in _TRAILERLESS):
            pieces[-1] += word
        else:
            pieces.append(word)
    return pieces
