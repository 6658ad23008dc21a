"""Words by their numbers: what an engine thinks of a word is asked once and kept in columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import lattice
from consult.analysis.bulk.laying import Codes, Ints
from consult.analysis.engine import Engine

_CODE = np.array([chr(code).isalnum() for code in range(128)] + [False])


class Placed(NamedTuple):
    """Mentions of terms in order: the number of each, and from where to where it stands."""

    terms: Ints
    starts: Ints
    ends: Ints


class Found(NamedTuple):
    """Words of two characters and more in order: from where to where each stands, and its number."""

    starts: Ints
    ends: Ints
    numbers: Ints


class Words:
    """Every word met so far, with what the engine thinks of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._numbers = _Numbers()
        self._terms: dict[str, int] = {}
        self._names: list[str] = []
        # The numbers of the names, sorted by name.
        self._sorted: list[int] = []
        self._sizes = np.zeros(0, dtype=np.int64)
        # By word: the number of its term or -1, and two of `Engine.placed`'s questions.
        kinds: tuple[Any, ...] = (np.int32, np.bool_, np.bool_)
        # By number in the dictionary the number of the word, -1 before it was met.
        self._by_node: Ints = np.zeros(0, dtype=np.int64)
        self._facts: list[npt.NDArray[Any]] = [np.zeros(0, dtype=kind) for kind in kinds]

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, words: Sequence[str]) -> Ints:
        """The numbers of these words."""
        found = np.fromiter(map(self._numbers.__getitem__, words), np.int64, count=len(words))
        self._learn()
        return found

    def known(self, cut: lattice.Words, text: str, begin: int) -> Found:
        """Words by their numbers in a dictionary, told by how they are written where it has none;
        they stand so far from the beginning of this text."""
        starts, ends = cut.starts + begin, cut.ends + begin
        top = int(cut.nodes.max(initial=0)) + 1
        if top > len(self._by_node):
            more = np.full(top - len(self._by_node), -1)
            self._by_node = np.concatenate((self._by_node, more))
        numbers = self._by_node.take(cut.nodes)
        new = np.flatnonzero((numbers < 0) & (cut.nodes > 0))
        if len(new):
            fresh, first = np.unique(cut.nodes[new], return_index=True)
            self._by_node[fresh] = self.numbers(
                _written(text, starts[new[first]], ends[new[first]])
            )
            numbers = self._by_node.take(cut.nodes)
        other = np.flatnonzero(cut.nodes == 0)
        numbers[other] = self.numbers(_written(text, starts[other], ends[other]))
        return Found(starts, ends, numbers)

    def placed(self, found: Found, codes: Codes) -> Placed:
        """The terms among these words of a text of these code points."""
        starts, ends, numbers = found
        terms, code, guess = (fact[numbers] for fact in self._facts)
        # After a number or letter a guess is the tail of a name. A word of one character is told by
        # its letter.
        coded = _CODE[np.minimum(codes[np.maximum(starts - 1, 0)], len(_CODE) - 1)] & (starts > 0)
        behind = np.flatnonzero(ends[:-1] == starts[1:]) + 1
        coded[behind] = code[behind - 1]
        kept = np.flatnonzero((terms >= 0) & ~(coded & guess))
        return Placed(terms[kept].astype(np.int64), starts[kept], ends[kept])

    def ranked(self, used: Ints, longest: int) -> tuple[tuple[str, ...], Ints]:
        """The names of these terms, sorted, and by number of a term its place among them."""
        held = np.zeros(len(self._names), dtype=np.bool_)
        held[used] = True
        held &= self._sizes <= longest
        order = np.array(self._sorted, dtype=np.int64)
        kept = order[held[order]]
        ranks = np.full(len(self._names), -1, dtype=np.int64)
        ranks[kept] = np.arange(len(kept))
        return tuple(map(self._names.__getitem__, kept.tolist())), ranks

    def _learn(self) -> None:
        """Ask the engine about the words that have come."""
        named = len(self._names)
        more = [self._fact(word) for word in self._numbers.fresh]
        self._numbers.fresh.clear()
        if not more:
            return
        self._facts = [
            np.concatenate((held, np.array(new, dtype=held.dtype)))
            for held, new in zip(self._facts, zip(*more, strict=True), strict=True)
        ]
        sizes = np.array([len(name) for name in self._names[named:]], dtype=np.int64)
        self._sizes = np.concatenate((self._sizes, sizes))
        # Two sorted runs are merged in one pass.
        self._sorted += sorted(range(named, len(self._names)), key=self._names.__getitem__)
        self._sorted.sort(key=self._names.__getitem__)

    def _fact(self, word: str) -> tuple[int, bool, bool]:
        term = self._engine.term_of(word)
        code = word.isascii() and word.isalnum()
        if term is None:
            return -1, code, False
        number = self._terms.setdefault(term, len(self._names))
        if number == len(self._names):
            self._names.append(term)
        return number, code, self._engine.guessed(term)


def _written(text: str, starts: Ints, ends: Ints) -> list[str]:
    """What stands from here to there."""
    return [text[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]


class _Numbers(dict[str, int]):
    """The number of every word; one that is asked for the first time gets the next."""

    def __init__(self) -> None:
        super().__init__()
        self.fresh: list[str] = []

    def __missing__(self, word: str) -> int:
        number = self[word] = len(self)
        self.fresh.append(word)
        return number
