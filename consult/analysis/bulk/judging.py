"""The stances of many texts at once, and the terms spoken against: `stance.read` over arrays.

What a clause's cues say to each other is left to `stance` itself, a clause at a time, and only of
clauses that have something to settle; the weighing of all texts is done in columns.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from consult.analysis import cues, stance
from consult.analysis.bulk.cue_finding import EACH_KIND, NEUTRAL, Cues, find
from consult.analysis.bulk.laying import Ints, Laid, kinds_of
from consult.analysis.bulk.words import Placed
from consult.analysis.cues import Cue

_SILENT = "none"
_CONTRAST, _CONCEDE, _APPEAL, _REQUEST = (
    EACH_KIND.index(kind)
    for kind in (cues.Kind.CONTRAST, cues.Kind.CONCEDE, cues.Kind.APPEAL, cues.Kind.REQUEST)
)
_CLAUSE, _SENTENCE = 1, 2
_MARKS = kinds_of(
    0x10000, (_CLAUSE, sorted(stance.CLAUSE_END)), (_SENTENCE, sorted(stance.SENTENCE_END))
)
# By kind: whether its clause has something to settle, and whether terms stand in its scope.
_SETTLING = np.array([kind in stance.ATTITUDES for kind in EACH_KIND])
_ACTING = np.array([kind in stance.ACTING for kind in EACH_KIND])
# By kind: the place in `stance.ORDER` of what it shows, or -1.
_SHOWN = np.array(
    [stance.ORDER.index(stance.SHOWN[k]) if k in stance.SHOWN else -1 for k in EACH_KIND]
)


class _Cut(NamedTuple):
    """The clauses of all texts: the place of the mark that ends each, and its sentence; and the
    first of each text, and one more."""

    at: Ints
    sentences: Ints
    of_text: Ints


def judge(laid: Laid, placed: Placed) -> tuple[tuple[str, ...], Ints, Ints]:
    """By text its stance; and the terms spoken against with the texts that do."""
    found = find(laid)
    marks = _MARKS[np.minimum(laid.codes, len(_MARKS) - 1)]
    at = np.flatnonzero(marks)
    sentences = np.cumsum(marks[at] == _SENTENCE)
    sentences[1:] = sentences[:-1]
    sentences[:1] = 0
    cut = _Cut(at, sentences, np.searchsorted(at, laid.begins))
    clauses = np.searchsorted(at, found.starts)
    owners = np.searchsorted(laid.begins, found.starts, side="right") - 1
    found, held = _settled(found, cut, clauses, laid)
    stances = _decided(found, cut, clauses, owners, len(laid.begins) - 1)
    return stances, *_against(found, held, cut, clauses, placed)


def _settled(found: Cues, cut: _Cut, clauses: Ints, laid: Laid) -> tuple[Cues, _Held]:
    """The cues after those of one clause have spoken to each other; what came to nothing is
    neutral. Where none supports or opposes they have nothing to say."""
    held = _Held(found, cut, clauses, laid)
    kinds, weights = found.kinds.copy(), found.weights.copy()
    for number in np.unique(clauses[_SETTLING[found.kinds]]).tolist():
        first, last = held.of_clause(number)
        clause = held.clause(number, first, last)
        stance.settle(clause, laid.text)
        kinds[first:last] = NEUTRAL
        places = {held.starts[n]: n for n in range(first, last)}
        for cue in clause.cues:
            place = places[cue.start]
            kinds[place], weights[place] = found.kinds[place], cue.weight
    return found._replace(kinds=kinds, weights=weights), held


class _Held:
    """Clauses as `stance` has them, made when they are asked for; places are those in all texts."""

    def __init__(self, found: Cues, cut: _Cut, clauses: Ints, laid: Laid) -> None:
        self._text = laid.text
        self._columns = [column.tolist() for column in found]
        self.starts: list[int] = self._columns[0]
        self._clauses: list[int] = clauses.tolist()
        ends = cut.at + 1
        # The break behind a text closes its last clause and is none of it.
        ends[cut.of_text[1:] - 1] -= 1
        self.cut = stance.Clauses(ends.tolist(), cut.sentences.tolist())
        self._at: list[int] = cut.at.tolist()
        self._made: dict[int, stance.Clause] = {}

    def of_clause(self, number: int) -> tuple[int, int]:
        """From where to where its cues stand among all."""
        return bisect_left(self._clauses, number), bisect_right(self._clauses, number)

    def near(self, number: int) -> stance.Clause | None:
        """The clause of a number where it holds a cue."""
        made = self._made.get(number)
        if made is not None:
            return made
        first, last = self.of_clause(number)
        return self.clause(number, first, last) if first < last else None

    def clause(self, number: int, first: int, last: int) -> stance.Clause:
        """The clause of a number with these of all cues."""
        starts, ends, kinds, weights = self._columns
        made = self._made[number] = stance.Clause(
            number,
            self._at[number - 1] + 1 if number else 0,
            self.cut.ends[number],
            self.cut.sentences[number],
            [
                Cue(
                    EACH_KIND[kinds[n]],
                    weights[n],
                    starts[n],
                    ends[n],
                    self._text[starts[n] : ends[n]],
                )
                for n in range(first, last)
            ],
        )
        return made


def _against(
    found: Cues, held: _Held, cut: _Cut, clauses: Ints, placed: Placed
) -> tuple[Ints, Ints]:
    """The terms spoken against, and by which text each."""
    acting = np.unique(clauses[_ACTING[found.kinds]])
    owners = np.searchsorted(cut.of_text, acting, side="right") - 1
    places = stance.Places(*(column.tolist() for column in placed))
    terms: list[Any] = []
    texts: list[int] = []
    pairs = zip(owners.tolist(), map(held.near, acting.tolist()), strict=True)
    for owner, those in groupby(pairs, key=itemgetter(0)):
        made = [clause for _owner, clause in those if clause is not None]
        against = stance.opposed(made, held.near, held.cut, places)
        terms += against
        texts += [owner] * len(against)
    return np.array(terms, dtype=np.int64), np.array(texts, dtype=np.int64)


def _decided(found: Cues, cut: _Cut, clauses: Ints, owners: Ints, count: int) -> tuple[str, ...]:
    """By text the stance its cues show most firmly, as `stance.read` decides it."""
    weights = found.weights * _factors(found, cut, clauses, owners)
    shown = _SHOWN[found.kinds]
    wronged = np.zeros(count, dtype=np.bool_)
    wronged[owners[found.kinds == _APPEAL]] = True
    shown[(found.kinds == _REQUEST) & wronged[owners]] = stance.ORDER.index("appeal")
    telling = np.flatnonzero((shown >= 0) & (found.weights != 0))
    group = owners[telling] * len(stance.ORDER) + shown[telling]
    order = np.lexsort((-weights[telling], group))
    group = group[order]
    # The four firmest of each stance, and nothing where there are fewer.
    sorted_weights = np.append(weights[telling][order], np.zeros(3))
    firsts = np.flatnonzero(np.append(True, group[1:] != group[:-1])[: len(group)])
    sizes = np.diff(np.append(firsts, len(group)))
    top, second, third, fourth = (
        np.where(sizes > n, sorted_weights[firsts + n], 0.0) for n in range(4)
    )
    strength = top + stance.REPEATED * (second + third + fourth)
    owner, which = np.divmod(group[firsts], len(stance.ORDER))
    best = np.lexsort((which, -strength, owner))
    owner, which = owner[best], which[best]
    kept = np.append(True, owner[1:] != owner[:-1])[: len(owner)]
    stances = np.full(count, len(stance.ORDER))
    stances[owner[kept]] = which[kept]
    names = (*stance.ORDER, _SILENT)
    return tuple(names[n] for n in stances.tolist())


def _factors(found: Cues, cut: _Cut, clauses: Ints, owners: Ints) -> npt.NDArray[np.float64]:
    """Of each cue: less before a 但 of its sentence or opening the next, more after; and less in a
    clause with 虽然."""
    turns = np.flatnonzero(found.kinds == _CONTRAST)
    sentences = cut.sentences
    where = sentences[clauses[turns]]
    opens = np.append(True, sentences[1:] != sentences[:-1])[clauses[turns]]
    first_of_text = sentences[cut.of_text[owners[turns]]]
    size = int(sentences.max(initial=0)) + 1
    last_turn = np.full(size, -1, dtype=np.int64)
    last_turn[where] = found.starts[turns]
    turned = np.zeros(size, dtype=np.bool_)
    turned[where[opens & (where > first_of_text)] - 1] = True
    own = sentences[clauses]
    turn = last_turn[own]
    factors = np.where(found.starts > turn, stance.AFTER_BUT, stance.BEFORE_BUT)
    factors[turn < 0] = 1.0
    factors[turned[own]] = stance.BEFORE_BUT
    conceded = np.zeros(len(cut.at), dtype=np.bool_)
    conceded[clauses[found.kinds == _CONCEDE]] = True
    factors[conceded[clauses]] = stance.BEFORE_BUT
    return factors
