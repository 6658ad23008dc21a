"""What stance an opinion takes, which words show it, and which of its terms it speaks against.

Rules over the cues of cues.py; nothing is learned, so that staff can say why. A machine's reading
is a proposal: whoever corrects it is right, and keeping both is for the caller.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from consult.analysis import cues
from consult.analysis.cues import Cue, Kind

# Of two stances shown equally firmly the first here is taken: who objects must not be overheard.
ORDER = ("oppose", "appeal", "suggest", "support", "question")
_STANCE = {
    Kind.OPPOSE: "oppose",
    Kind.UNFIT: "oppose",
    Kind.APPEAL: "appeal",
    Kind.SUGGEST: "suggest",
    Kind.SUPPORT: "support",
    Kind.QUESTION: "question",
}
_AGAINST = (Kind.OPPOSE, Kind.UNFIT)
_WISHES = (Kind.SUGGEST, Kind.APPEAL)
_ATTITUDE = 4.0  # the weight of 反对, 不同意 …, against 2.5-3 for 不要, 别 …
_SUPPORT = 2.5  # the weight of 支持, 赞成 …; 谁会反对 has less and is no question
_REPEATED = 0.25  # what a second cue of the same stance adds, as part of its weight
_BEFORE_BUT, _AFTER_BUT = 0.6, 1.3
_LIKE_REQUEST = re.compile(r"[求请]$")
_OUTCOME = re.compile(r"不用|不需要|不必|无需|无须")
_CLAUSE_END = re.compile(r"[，,:：；;。！？!?…\n\s()（）【】\[\]]")
_SENTENCE_END = frozenset("。！？!?；;…\n")


@dataclass(frozen=True, slots=True)
class Reading:
    """A stance of `ORDER` or "none", the words that decided it, and the terms spoken against."""

    stance: str
    because: tuple[str, ...]
    opposed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Placed:
    """A term and where it stands in the text."""

    term: str
    start: int
    end: int


@dataclass(slots=True)
class _Clause:
    start: int
    end: int
    sentence: int
    cues: list[Cue]


def read(text: str, terms: Sequence[Placed] = ()) -> Reading:
    """The stance of a text (`normal.plain`) and which of its placed terms stand opposed."""
    clauses = _clauses(text, cues.find(text))
    for clause in clauses:
        clause.cues = _settled(clause, text)
    stance, because = _decided(clauses)
    return Reading(stance, because, _opposed(clauses, terms))


def _clauses(text: str, found: Iterable[Cue]) -> list[_Clause]:
    clauses: list[_Clause] = []
    start = sentence = 0
    for match in _CLAUSE_END.finditer(text):
        # A question mark belongs to the clause it closes.
        clauses.append(_Clause(start, match.end(), sentence, []))
        start = match.end()
        sentence += match.group() in _SENTENCE_END
    clauses.append(_Clause(start, len(text), sentence, []))
    rest = iter(clauses)
    clause = next(rest)
    for cue in found:
        while cue.start >= clause.end and clause is not clauses[-1]:
            clause = next(rest)
        clause.cues.append(cue)
    return [clause for clause in clauses if clause.end > clause.start]


def _settled(clause: _Clause, text: str) -> list[Cue]:
    """The clause's cues after they have spoken to each other: 希望不要, 为什么不支持, 有人反对."""
    settled: list[Cue] = []
    for cue in clause.cues:
        before = [earlier for earlier in settled if earlier.kind is not Kind.CONTRAST]
        if _reported(cue, text[clause.start : cue.start]):
            continue
        if any(earlier.kind is Kind.QUESTION for earlier in before) and (
            cue.kind is Kind.SUPPORT or cue.kind in _AGAINST
        ):
            if cue.kind is Kind.SUPPORT or cue.weight >= _ATTITUDE:
                continue
            cue = replace(cue, weight=0.0)
        wishes = [earlier for earlier in before if earlier.kind in _WISHES]
        if wishes and cue.kind is Kind.SUPPORT:
            continue
        if wishes and cue.kind is Kind.OPPOSE:
            if _OUTCOME.search(cue.words):
                continue
            cue = _merged(settled, cue)
        settled.append(cue)
    return _unasked(settled)


def _merged(settled: list[Cue], cue: Cue) -> Cue:
    """The opposition takes the wish before it into itself: 希望…不要 is one act, and against."""
    wish = next(earlier for earlier in reversed(settled) if earlier.kind in _WISHES)
    if wish.kind is Kind.APPEAL and not _LIKE_REQUEST.search(wish.words):
        return cue
    settled.remove(wish)
    return replace(cue, weight=max(cue.weight, wish.weight), words=f"{wish.words} {cue.words}")


def _unasked(settled: list[Cue]) -> list[Cue]:
    """Without the support that is only asked about: 你们支持加装电梯吗."""
    if not any(cue.words in {"吗", "呢", "?", "？"} for cue in settled):
        return settled
    return [cue for cue in settled if cue.kind is not Kind.SUPPORT or cue.weight < _SUPPORT]


def _reported(cue: Cue, before: str) -> bool:
    if cue.kind not in _AGAINST and cue.kind is not Kind.SUPPORT:
        return False
    if cues.NOT_NOW.search(before):
        return True
    return cues.OTHERS.search(before) is not None and cues.OWN.search(before) is None


def _decided(clauses: Sequence[_Clause]) -> tuple[str, tuple[str, ...]]:
    shown: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for factor, cue in _weighed(clauses):
        if cue.kind in _STANCE and cue.weight:
            shown[_STANCE[cue.kind]].append((cue.weight * factor, cue.words))
    if not shown:
        return "none", ()
    stance = max(ORDER, key=lambda name: (_strength(shown[name]), -ORDER.index(name)))
    strongest = max(weight for weight, _ in shown[stance])
    deciding = [words for weight, words in shown[stance] if weight >= strongest / 2]
    return stance, tuple(dict.fromkeys(part for words in deciding for part in words.split()))


def _strength(shown: Sequence[tuple[float, str]]) -> float:
    weights = sorted((weight for weight, _ in shown), reverse=True)
    return weights[0] + _REPEATED * sum(weights[1:4]) if weights else 0.0


def _weighed(clauses: Sequence[_Clause]) -> Iterator[tuple[float, Cue]]:
    """Each cue with its factor: less before a 但 of its sentence or opening the next, more after."""
    turns = [
        (clause.sentence, cue.start, _opens(clause, clauses))
        for clause in clauses
        for cue in clause.cues
        if cue.kind is Kind.CONTRAST
    ]
    for clause in clauses:
        for cue in clause.cues:
            factor = 1.0
            for sentence, place, opens in turns:
                if clause.sentence == sentence:
                    factor = _AFTER_BUT if cue.start > place else _BEFORE_BUT
                elif opens and clause.sentence == sentence - 1:
                    factor = _BEFORE_BUT
            yield factor, cue


def _opens(clause: _Clause, clauses: Sequence[_Clause]) -> bool:
    first = next(other for other in clauses if other.sentence == clause.sentence)
    return first is clause


def _opposed(clauses: Sequence[_Clause], terms: Sequence[Placed]) -> frozenset[str]:
    """Terms whose last mention under a stance stands under an odd number of oppositions."""
    against = [0] * len(terms)
    favoured = [False] * len(terms)
    for index, clause in enumerate(clauses):
        for place, cue in enumerate(clause.cues):
            if cue.kind is Kind.SUPPORT:
                for number in _within(terms, *_forward(clause, place)):
                    favoured[number] = True
            elif cue.kind in (*_AGAINST, Kind.STOP):
                for number in _scope(clauses, index, place, terms):
                    against[number] += 1
    last: dict[str, bool] = {}
    for placed, times, favour in zip(terms, against, favoured, strict=True):
        if times or favour:
            last[placed.term] = times % 2 == 1
    return frozenset(term for term, is_against in last.items() if is_against)


def _scope(
    clauses: Sequence[_Clause], index: int, place: int, terms: Sequence[Placed]
) -> list[int]:
    """Numbers of the terms one cue speaks against: those after it in its clause; if there are
    none those before it (加装电梯我反对); if there are none those of the clause before, or else
    after, in the sentence where that shows no stance itself (加装电梯，我反对)."""
    clause = clauses[index]
    cue = clause.cues[place]
    begins = clause.cues[place - 1].end if place else clause.start
    behind = _within(terms, begins, cue.start)
    if cue.kind is Kind.UNFIT:
        ahead: list[int] = []
    else:
        ahead = _within(terms, *_forward(clause, place))
    if ahead or behind or cue.kind is Kind.STOP:
        return ahead or behind
    for near in (index - 1, index + 1):
        if 0 <= near < len(clauses) and clauses[near].sentence == clause.sentence:
            other = clauses[near]
            silent = not any(cue.kind in _STANCE for cue in other.cues)
            if silent and (found := _within(terms, other.start, other.end)):
                return found
    return []


def _forward(clause: _Clause, place: int) -> tuple[int, int]:
    """From the end of a cue to where the clause ends or another stance or turn begins."""
    start = clause.cues[place].end
    for left, right in pairwise(clause.cues[place:]):
        if right.kind not in (Kind.STOP, Kind.QUESTION) and right.start >= left.end:
            return start, right.start
    return start, clause.end


def _within(terms: Sequence[Placed], start: int, end: int) -> list[int]:
    return [
        number for number, placed in enumerate(terms) if start <= placed.start and placed.end <= end
    ]
