"""What stance an opinion takes, which words show it, and which of its terms it speaks against.

Rules over the cues of cues.py; nothing is learned, so that staff can say why. A machine's reading
is a proposal: whoever corrects it is right, and keeping both is for the caller.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from consult.analysis import cues
from consult.analysis.cues import Cue, Kind

# Of two stances shown equally firmly the first here is taken: who objects must not be overheard.
ORDER = ("oppose", "appeal", "suggest", "support", "question")
SHOWN = {
    Kind.OPPOSE: "oppose",
    Kind.UNFIT: "oppose",
    Kind.APPEAL: "appeal",
    Kind.SUGGEST: "suggest",
    Kind.REQUEST: "suggest",
    Kind.SUPPORT: "support",
    Kind.QUESTION: "question",
}
_AGAINST = (Kind.OPPOSE, Kind.UNFIT)
_TURNING = (*_AGAINST, Kind.STOP)
# In a clause without one of these its cues have nothing to say to each other.
ATTITUDES = (Kind.SUPPORT, *_AGAINST)
# What has terms in its scope.
ACTING = (Kind.SUPPORT, *_TURNING)
_ATTITUDE = 4.0  # the weight of 反对, 不同意 …, against 2.5-3 for 不要, 别 …
_SUPPORT = 2.5  # the weight of 支持, 赞成 …; 谁会反对 has less and is no question
OWN_SUPPORT = 3.0  # 我支持, against 2.5 of 劳民伤财 said of something else
REPEATED = 0.25  # what a second cue of the same stance adds, as part of its weight
BEFORE_BUT, AFTER_BUT = 0.6, 1.3
_WISH = re.compile(
    r"[求请]$|^求求|建议|[希盼期]望|期盼|期待|呼吁|提议|倡议|最好|应|必须|务必|但愿|主张"
)
# With these in it support is what somebody does who is told of; 做得好 judges him.
_SIDES = re.compile(r"支持|赞[成同]|同意|反对|意见|异议|拥护|愿意|认[同可]")
# A question to which somebody wants the answer; not 我能不反对吗, and not 别拆了好吗.
_ASKED = re.compile(r"(?:(?<![好行成以干])[吗么嘛]|怎么[办算])[?？]?$|是不是|是否|算不算")
_RHETORICAL = re.compile(r"我|咱|难道|凭什么|怎么?能|岂|何必|谁|你们?(?:会|愿|肯|能)")
# What somebody else wishes: 建议加装充电桩的方案我同意.
_OF_WHICH_I = re.compile(r"的.{0,8}我.{0,4}$")
_OUTCOME = re.compile(r"不用|不需要|不必|无需|无须")
# With every white space there is.
CLAUSE_END = frozenset("，,:：；;。！？!?…()（）【】[]").union(
    filter(str.isspace, map(chr, range(0x3001)))
)
SENTENCE_END = frozenset("。！？!?；;…\n")


@dataclass(frozen=True, slots=True)
class Reading:
    """A stance of `ORDER` or "none", the words that decided it, and the terms spoken against."""

    stance: str
    because: tuple[str, ...]
    opposed: frozenset[str]


class Placed(NamedTuple):
    """A term and where it stands in the text."""

    term: str
    start: int
    end: int


class Clauses(NamedTuple):
    """Where each clause of a text ends, and the number of the sentence it stands in."""

    ends: Sequence[int]
    sentences: Sequence[int]


class Places(NamedTuple):
    """The terms of a text in order, none overlapping: which, and from where to where."""

    terms: Sequence[Hashable]
    starts: Sequence[int]
    ends: Sequence[int]


@dataclass(slots=True)
class Clause:
    """A clause of a text and its cues."""

    number: int
    start: int
    end: int
    sentence: int
    cues: list[Cue]


# The clause of a number, where it holds a cue.
Near = Callable[[int], Clause | None]


def read(text: str, terms: Sequence[Placed] = ()) -> Reading:
    """The stance of a text (`normal.plain`) and which of its placed terms stand opposed."""
    placed = Places(*map(list, zip(*terms, strict=True))) if terms else Places((), (), ())
    cut = _clauses(text)
    clauses = _holding(cues.find(text), cut)
    for clause in clauses:
        settle(clause, text)
    stance, because = _decided(clauses, cut)
    near = {clause.number: clause for clause in clauses}.get
    return Reading(stance, because, frozenset(map(str, opposed(clauses, near, cut, placed))))


def settle(clause: Clause, text: str) -> None:
    """Let the cues of a clause speak to each other."""
    clause.cues = _settled(clause, text)


def _clauses(text: str) -> Clauses:
    ends: list[int] = []
    sentences: list[int] = []
    sentence = 0
    for place, character in enumerate(text, 1):
        if character in CLAUSE_END:
            # A question mark belongs to the clause it closes.
            ends.append(place)
            sentences.append(sentence)
            sentence += character in SENTENCE_END
    return Clauses([*ends, len(text)], [*sentences, sentence])


def _holding(found: Iterable[Cue], cut: Clauses) -> list[Clause]:
    """The clauses that hold a cue, in order."""
    clauses: list[Clause] = []
    ends, sentences = cut
    for cue in found:
        number = bisect_right(ends, cue.start)
        if not clauses or clauses[-1].number != number:
            start = ends[number - 1] if number else 0
            clauses.append(Clause(number, start, ends[number], sentences[number], []))
        clauses[-1].cues.append(cue)
    return clauses


def _settled(clause: Clause, text: str) -> list[Cue]:
    """The clause's cues after they have spoken to each other: 希望不要, 为什么不支持, 有人反对."""
    settled: list[Cue] = []
    # What of them wishes, and whether one asks: looked through once, for a text may be one clause.
    wishes: list[Cue] = []
    asking = False
    supposed = text.rfind("的话", clause.start, clause.end)
    for cue in clause.cues:
        if cue.kind not in ATTITUDES:
            settled.append(cue)
            asking = asking or _asks(cue)
            if _wishes(cue):
                wishes.append(cue)
            continue
        if cue.end <= supposed or _reported(cue, clause, text):
            continue
        if asking:
            if cue.kind is not Kind.SUPPORT and cue.weight < _ATTITUDE:
                settled.append(cue._replace(weight=0.0))
            continue
        if wishes and _OF_WHICH_I.search(text, wishes[-1].end, cue.start):
            settled = [earlier for earlier in settled if not _wishes(earlier)]
            wishes = []
        elif wishes:
            if cue.kind is Kind.SUPPORT:
                continue
            if cue.kind is Kind.OPPOSE:
                if _OUTCOME.search(cue.words):
                    continue
                cue = _merged(settled, wishes.pop(), cue)
        if cue.kind is Kind.SUPPORT and _own_act(
            _before(cue, clause, text), text[cue.end : cue.end + 1]
        ):
            cue = cue._replace(weight=max(cue.weight, OWN_SUPPORT))
        settled.append(cue)
    asked = any(cue.kind is Kind.QUESTION for cue in clause.cues)
    return _unasked(settled, clause, text) if asked else settled


def _own_act(before: str, after: str) -> bool:
    """Whether somebody supports by saying so: 我支持, and not 我同意了, which only tells it."""
    return after != "了" and cues.OWN_ACT.search(before) is not None


def _asks(cue: Cue) -> bool:
    """Whether somebody asks; 不理解 may be said by who objects."""
    return cue.kind is Kind.QUESTION and cue.words != "不理解"


def _wishes(cue: Cue) -> bool:
    """Whether somebody asks for something; 我家, 扰民 only tell what is wrong."""
    return cue.kind is Kind.REQUEST or (
        cue.kind in (Kind.SUGGEST, Kind.APPEAL) and _WISH.search(cue.words) is not None
    )


def _merged(settled: list[Cue], wish: Cue, cue: Cue) -> Cue:
    """The opposition takes the wish before it into itself: 希望…不要 is one act, and against."""
    # It is one of the last.
    del settled[~settled[::-1].index(wish)]
    return cue._replace(weight=max(cue.weight, wish.weight), words=f"{wish.words} {cue.words}")


def _unasked(settled: list[Cue], clause: Clause, text: str) -> list[Cue]:
    """Without what is only asked about: 你们支持加装电梯吗, 一户反对就不能装了吗."""
    if _ASKED.search(text, clause.start, clause.end):
        settled = [
            cue
            for cue in settled
            if cue.kind not in (Kind.OPPOSE, Kind.SUPPORT)
            or _RHETORICAL.search(text, clause.start, cue.end)
        ]
    if any(cue.words in {"吗", "呢", "?", "？"} for cue in settled):
        settled = [
            cue
            for cue in settled
            if cue.kind is not Kind.SUPPORT
            or cue.weight < _SUPPORT
            or _RHETORICAL.search(cue.words)
        ]
    return settled


def _before(cue: Cue, clause: Clause, text: str) -> str:
    """What stands before a cue in its clause, as far back as anything looks that ends at a cue."""
    return text[max(clause.start, cue.start - cues.REACH) : cue.start]


def _reported(cue: Cue, clause: Clause, text: str) -> bool:
    """Whether others say it, or it was once so, or stands in a quotation that opens in the clause."""
    whole = clause.start, cue.start
    if text.count("“", *whole) > text.count("”", *whole) or text.count('"', *whole) % 2:
        return True
    before = _before(cue, clause, text)
    if cues.NOT_NOW.search(before):
        return True
    # Whom a judgement names does or suffers what is judged: 居委办得好, 把一楼的利益都牺牲了.
    judges = cue.kind is Kind.UNFIT or (
        cue.kind is Kind.SUPPORT and _SIDES.search(cue.words) is None
    )
    others = cues.OTHERS_SAY if judges else cues.OTHERS
    return others.search(before) is not None and cues.OWN.search(text, *whole) is None


def _decided(clauses: Sequence[Clause], cut: Clauses) -> tuple[str, tuple[str, ...]]:
    shown: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    wronged = any(cue.kind is Kind.APPEAL for clause in clauses for cue in clause.cues)
    for factor, cue in _weighed(clauses, cut):
        if cue.kind in SHOWN and cue.weight:
            asks = wronged and cue.kind is Kind.REQUEST
            shown["appeal" if asks else SHOWN[cue.kind]].append((cue.weight * factor, cue.words))
    if not shown:
        return "none", ()
    stance = (
        next(iter(shown))
        if len(shown) == 1
        else max(shown, key=lambda name: (_strength(shown[name]), -ORDER.index(name)))
    )
    strongest = max(weight for weight, _ in shown[stance])
    deciding = [words for weight, words in shown[stance] if weight >= strongest / 2]
    return stance, tuple(dict.fromkeys(part for words in deciding for part in words.split()))


def _strength(shown: Sequence[tuple[float, str]]) -> float:
    weights = sorted((weight for weight, _ in shown), reverse=True)
    return weights[0] + REPEATED * sum(weights[1:4])


def _weighed(clauses: Sequence[Clause], cut: Clauses) -> Iterator[tuple[float, Cue]]:
    """Each cue with its factor: less before a 但 of its sentence or opening the next, more after;
    and less in a clause with 虽然."""
    # By sentence its last turn, and the sentences before one that opens with a turn.
    turn_at: dict[int, int] = {}
    answered: set[int] = set()
    for clause in clauses:
        for cue in clause.cues:
            if cue.kind is Kind.CONTRAST:
                turn_at[clause.sentence] = cue.start
                if _opens(clause, cut):
                    answered.add(clause.sentence - 1)
    for clause in clauses:
        conceded = any(cue.kind is Kind.CONCEDE for cue in clause.cues)
        turn = turn_at.get(clause.sentence)
        for cue in clause.cues:
            if clause.sentence in answered:
                factor = BEFORE_BUT
            elif turn is None:
                factor = 1.0
            else:
                factor = AFTER_BUT if cue.start > turn else BEFORE_BUT
            yield BEFORE_BUT if conceded else factor, cue


def _opens(clause: Clause, cut: Clauses) -> bool:
    before = clause.number - 1
    return before < 0 or cut.sentences[before] != clause.sentence


def opposed(clauses: Sequence[Clause], near: Near, cut: Clauses, placed: Places) -> list[Hashable]:
    """Terms whose last mention under a stance stands under an odd number of oppositions. `clauses`
    need be those alone that hold one of `ACTING`; `near` gives any with cues."""
    against: dict[int, int] = {}
    for clause in clauses:
        reaches = _reaches(clause)
        for place, cue in enumerate(clause.cues):
            if cue.kind is Kind.SUPPORT:
                for number in _within(placed, cue.end, reaches[place]):
                    against.setdefault(number, 0)
            elif cue.kind in _TURNING:
                for number in _scope(near, cut, clause, place, reaches[place], placed):
                    against[number] = against.get(number, 0) + 1
    last = {placed.terms[number]: against[number] % 2 for number in sorted(against)}
    return [term for term, is_against in last.items() if is_against]


def _scope(
    near: Near, cut: Clauses, clause: Clause, place: int, reach: int, placed: Places
) -> range:
    """Numbers of the terms one cue speaks against: those after it in its clause; if there are
    none those before it (加装电梯我反对); if there are none those of the clause before, or else
    after, in the sentence where that shows no stance itself (加装电梯，我反对)."""
    cue = clause.cues[place]
    begins = clause.cues[place - 1].end if place else clause.start
    behind = _within(placed, begins, cue.start)
    ahead = range(0) if cue.kind is Kind.UNFIT else _within(placed, cue.end, reach)
    if ahead or behind or cue.kind is Kind.STOP:
        return ahead or behind
    for number in (clause.number - 1, clause.number + 1):
        if 0 <= number < len(cut.ends) and cut.sentences[number] == clause.sentence:
            other = near(number)
            silent = other is None or not any(cue.kind in SHOWN for cue in other.cues)
            start = cut.ends[number - 1] if number else 0
            if silent and (found := _within(placed, start, cut.ends[number])):
                return found
    return range(0)


def _reaches(clause: Clause) -> list[int]:
    """How far each of its cues reaches: to where another stance or turn begins, or the clause ends."""
    reaches = [clause.end]
    for later, earlier in pairwise(reversed(clause.cues)):
        ends = _ends_scope(later) and later.start >= earlier.end
        reaches.append(later.start if ends else reaches[-1])
    reaches.reverse()
    return reaches


def _ends_scope(cue: Cue) -> bool:
    """Whether another act begins; 反对在门口加 … is one, for all it tells what would be added."""
    if cue.kind is Kind.SUGGEST:
        return _wishes(cue)
    return cue.kind not in (Kind.STOP, Kind.QUESTION, Kind.CONCEDE)


def _within(placed: Places, start: int, end: int) -> range:
    return range(bisect_left(placed.starts, start), bisect_right(placed.ends, end))
