"""The spelling of thousands of texts folded at once, in numpy: the same strings as one by one, at a
tenth of the cost. Whatever does not become exactly one character by itself sends its text the slow way.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from consult.analysis import normal

_CHUNK = 4_000  # texts folded at a time
_UNKNOWN = -1
_DROPPED = 0  # punctuation, space, invisible marks; U+0000 is no letter either
_GROWS = -2  # becomes several characters (㎡, ß), or another one beside its neighbours
# Where no sign, unless it combines, is put together with the one before it.
_BY_THEMSELVES = (
    (0x0, 0x300),
    (0x2000, 0x2C00),
    (0x3000, 0xA000),
    (0xE000, 0xFB00),
    (0xFE30, 0xFE70),
    (0xFF00, 0xFFF0),
    (0x1F000, 0x1FB00),
    (0x20000, 0x2FA20),
)

Codes = npt.NDArray[np.int32]


def bare_all(texts: Sequence[str]) -> list[str]:
    """`normal.bare` of each text."""
    return list(
        itertools.chain.from_iterable(
            _bare(texts[begin : begin + _CHUNK]) for begin in range(0, len(texts), _CHUNK)
        )
    )


def compatible_all(texts: Sequence[str]) -> list[str]:
    """NFKC and then `casefold` of each text."""
    return list(
        itertools.chain.from_iterable(
            _compatible(texts[begin : begin + _CHUNK]) for begin in range(0, len(texts), _CHUNK)
        )
    )


def _compatible(texts: Sequence[str]) -> list[str]:
    codes, ends = _codes(texts)
    folded = _COMPATIBLE.of(codes)
    grows = np.flatnonzero(folded == _GROWS)
    folded[grows] = 0
    words = folded.tobytes().decode("utf-32-le", "surrogatepass")
    found = [words[begin:end] for begin, end in itertools.pairwise([0, *ends.tolist()])]
    for place in np.unique(np.searchsorted(ends, grows, side="right")).tolist():
        found[place] = unicodedata.normalize("NFKC", texts[place]).casefold()
    return found


def _codes(texts: Sequence[str]) -> tuple[Codes, npt.NDArray[np.int64]]:
    """The characters of all texts in a row, and where each text ends."""
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.int32)
    return codes, np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))


def _bare(texts: Sequence[str]) -> list[str]:
    codes, ends = _codes(texts)
    folded = _BARE.of(codes)
    kept = folded != _DROPPED
    grows = np.unique(np.searchsorted(ends, np.flatnonzero(folded == _GROWS), side="right"))
    until = np.concatenate(([0], np.cumsum(kept)))[np.concatenate(([0], ends))]
    letters = folded[kept]
    letters[letters == _GROWS] = _DROPPED  # those texts are folded one by one below
    words = letters.tobytes().decode("utf-32-le", "surrogatepass")
    found = [words[begin:end] for begin, end in itertools.pairwise(until.tolist())]
    # Nothing left: `bare` then keeps the signs.
    for place in {*grows.tolist(), *np.flatnonzero(until[1:] == until[:-1]).tolist()}:
        found[place] = normal.bare(texts[place])
    return found


class _Folded:
    """What a character becomes, worked out once for each that occurs."""

    def __init__(self, becomes: Callable[[str], int]) -> None:
        self._becomes = becomes
        self._table = np.full(0x110000, _UNKNOWN, dtype=np.int32)

    def of(self, codes: Codes) -> Codes:
        folded: Codes = self._table[codes]
        unknown = np.unique(codes[folded == _UNKNOWN])
        if len(unknown):
            for code in unknown.tolist():
                self._table[code] = self._becomes(chr(code))
            folded = self._table[codes]
        return folded


def _made_bare(character: str) -> int:
    # Beside a letter, so that a lone sign is dropped and not kept as all there is.
    made = normal.bare("x" + character)[1:]
    return _GROWS if len(made) > 1 else ord(made) if made else _DROPPED


def _made_compatible(character: str) -> int:
    made = unicodedata.normalize("NFKC", character).casefold()
    alone = len(made) == 1 and _stands_alone(character) and _stands_alone(made)
    return ord(made) if alone else _GROWS


def _stands_alone(character: str) -> bool:
    return not unicodedata.combining(character) and any(
        first <= ord(character) < end for first, end in _BY_THEMSELVES
    )


_BARE, _COMPATIBLE = _Folded(_made_bare), _Folded(_made_compatible)
