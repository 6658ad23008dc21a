"""Texts laid one behind the other in one array of code points, in their plain spelling."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import normal

Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]
_BREAK = "\n"
# What each code point becomes, so far as anybody has asked: one other, or something else.
_UNKNOWN, _SEVERAL = 0xFFFFFFFF, 0xFFFFFFFE
_ONES = np.full(0x110000, _UNKNOWN, dtype=np.uint32)


class Laid(NamedTuple):
    """Texts in their plain spelling, one behind the other, with a break behind each: all of them,
    the same as numbers, and where each begins, and one more would."""

    text: str
    codes: Codes
    begins: Ints


def lay(texts: Sequence[tuple[str, str]]) -> Laid:
    """Texts (title, body), a title on a line of its own before its body."""
    whole = [f"{title}{_BREAK}{body}" if title else body for title, body in texts]
    begins = np.zeros(len(whole) + 1, dtype=np.int64)
    np.cumsum([len(text) + 1 for text in whole], out=begins[1:])
    codes, ends = _plain(_codes("".join(t + _BREAK for t in whole)))
    if ends is not None:
        begins[1:] = ends[begins[1:] - 1]
    return Laid(codes.tobytes().decode("utf-32-le", "surrogatepass"), codes, begins)


def _plain(codes: Codes) -> tuple[Codes, Ints | None]:
    """`normal.plain` for the code points of any number of characters, and where what each became ends;
    None where each became one."""
    changed = _ONES[codes]
    unknown = codes[changed == _UNKNOWN]
    if len(unknown):
        for code in np.unique(unknown).tolist():
            became = normal.plain(chr(code))
            _ONES[code] = ord(became) if len(became) == 1 else _SEVERAL
        changed = _ONES[codes]
    several = np.flatnonzero(changed == _SEVERAL)
    if not len(several):
        return changed, None
    parts = [normal.plain(chr(code)) for code in codes[several].tolist()]
    sizes = np.fromiter(map(len, parts), np.int64, count=len(parts))
    lengths = np.ones(len(codes), dtype=np.int64)
    lengths[several] = sizes
    ends = np.cumsum(lengths)
    result = np.repeat(changed, lengths)
    within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    result[np.repeat(ends[several] - sizes, sizes) + within] = _codes("".join(parts))
    return result, ends


def _codes(text: str) -> Codes:
    """The characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint32)


def by_text(places: Ints, begins: Ints) -> tuple[list[int], list[int]]:
    """Places in all texts as places in their own, and where those of each text begin."""
    bounds = np.searchsorted(places, begins)
    own = places - np.repeat(begins[:-1], np.diff(bounds))
    return own.tolist(), bounds.tolist()


def kinds_of(size: int, *kinds: tuple[int, Iterable[str]]) -> npt.NDArray[np.uint8]:
    """By code point, of what kind a character is; of the last and all beyond it 0."""
    table = np.zeros(size, dtype=np.uint8)
    for kind, characters in kinds:
        table[list(map(ord, characters))] = kind
    return table
