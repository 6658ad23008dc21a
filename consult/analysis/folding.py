"""`normal.bare` of thousands of texts at once, in numpy: the same strings at a tenth of the cost."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from consult.analysis import normal

_CHUNK = 4_000  # texts folded at a time
_UNKNOWN = -1
_DROPPED = 0  # punctuation, space, invisible marks; U+0000 is no letter either
_GROWS = -2  # becomes several characters: ㎡, ß

Codes = npt.NDArray[np.int32]


def bare_all(texts: Sequence[str]) -> list[str]:
    """`normal.bare` of each text."""
    return list(
        itertools.chain.from_iterable(
            _bare(texts[begin : begin + _CHUNK]) for begin in range(0, len(texts), _CHUNK)
        )
    )


def _bare(texts: Sequence[str]) -> list[str]:
    joined = "".join(texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.int32)
    folded = _FOLDED.of(codes)
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)))
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
    """What `normal.bare` makes of a character, worked out once for each that occurs."""

    def __init__(self) -> None:
        self._table = np.full(0x110000, _UNKNOWN, dtype=np.int32)

    def of(self, codes: Codes) -> Codes:
        folded: Codes = self._table[codes]
        unknown = np.unique(codes[folded == _UNKNOWN])
        if len(unknown):
            for code in unknown.tolist():
                self._table[code] = _folded(chr(code))
            folded = self._table[codes]
        return folded


def _folded(character: str) -> int:
    # Beside a letter, so that a lone sign is dropped and not kept as all there is.
    made = normal.bare("x" + character)[1:]
    return _GROWS if len(made) > 1 else ord(made) if made else _DROPPED


_FOLDED = _Folded()
