"""Finds the words by which an opinion shows its stance; what they are stands in data/stance.txt."""

from __future__ import annotations

import functools
import hashlib
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from consult.analysis.lexicon import DATA


class Kind(Enum):
    """What a cue does."""

    # Members are one of a kind; Enum's own hash is Python code, and every cue asks for it.
    __hash__ = object.__hash__

    NEUTRAL = "neutral"  # looks like a cue and is none
    SUPPORT = "support"
    OPPOSE = "oppose"  # an attitude against; what follows stands in its scope
    UNFIT = "unfit"  # a judgement against; what precedes stands in its scope
    STOP = "stop"  # an act that ends something: turns its object round, shows no attitude itself
    SUGGEST = "suggest"
    REQUEST = "request"  # suggests, or appeals where the text tells what is wrong
    QUESTION = "question"
    APPEAL = "appeal"
    CONTRAST = "contrast"  # 但: what follows weighs more than what came before
    CONCEDE = "concede"  # 虽然: its clause weighs less
    INSTEAD = "instead"  # 而应: ends a scope


# Whoever tells of others, of another time or of a mere case does not speak for himself now.
# Whom a thing can be named after (物业费, 街道改造, 一楼开店) speaks only where it goes on as with speakers.
_OTHERS = (
    r"(?:有人|有的人|有些人|有的|有些(?:居民|业主|住户|邻居)|一些(?:居民|业主|人|老人|住户)"
    r"|他们|她们|(?<!其)他|她|谁|听说|据说|传闻|说是|号称"
    r"|(?:部分|少数|对方|邻居|(?<![民我家门])楼[上下]|一楼|底楼|低层|别人|其他|开发商|物业|居委|街道)"
    r"(?=$|会|办|公司|[人们户家]|居民|业主|住户|邻居|同志|单位|那|的(?:人|居民|业主|住户|邻居|意见|态度|[老大小阿]|$)"
    r"|[都也却还就是已曾又不没很要表坚强一全并明对说讲认觉嫌骂和与跟从今昨当最完十非则只总在提拿]))"
    r"[^，,。！!？?；;]{0,10}"
)
OTHERS = re.compile(_OTHERS + "$")
OTHERS_SAY = re.compile(_OTHERS + "(?:说|讲|嫌|认为|觉得|骂)[^，,。！!？?；;]{0,10}$")
NOT_NOW = re.compile(
    r"(?:以前|原来|原先|本来|先前|早先|从前|(?<!从)一开始|刚开始|最初|起先|曾经|之前|当初|过去|当年|起初|既然|如果|假如|要是|若)[^，,。！!？?；;]{0,10}$"
)
OWN = re.compile(r"(?<![劝让叫问要给对跟向])我|本人|咱|阿拉|笔者")

OWN_ACT = re.compile(rf"(?:{OWN.pattern})[^，,。！!？?；;]{{0,4}}$")
# As far back as any of these that end at a cue looks, in characters, with some to spare.
REACH = 40


class Cue(NamedTuple):
    """Words found in a text: text[start:end], what they do, and how firmly."""

    kind: Kind
    weight: float
    start: int
    end: int
    words: str


Meaning = tuple[Kind, float]


@dataclass(frozen=True, slots=True)
class _Opening:
    """What may begin with two characters, longest phrase first and patterns in their order. After
    each pattern stands a group, by whose number one knows which it was."""

    phrases: re.Pattern[str] | None
    patterns: re.Pattern[str] | None
    meanings: Sequence[Meaning]


@dataclass(frozen=True, slots=True)
class Table:
    """The cues ready for use: phrases, what may begin where, and a hash as version.

    `begins` tells by two characters which of the `openings` stands there; by one, which does when
    those two are not named. `first`: any of these may begin a cue.
    """

    phrases: Mapping[str, Meaning]
    openings: Sequence[_Opening]
    begins: Mapping[str, int]
    first: re.Pattern[str]
    version: str


def _places(table: Table, text: str) -> Iterator[tuple[int, int]]:
    begins = table.begins
    for match in table.first.finditer(text):
        start = match.start()
        number = begins.get(text[start : start + 2], begins.get(text[start]))
        if number is not None:
            yield start, number


def find(text: str) -> list[Cue]:
    """Every cue of the text in order, none overlapping: the leftmost, and there the longest, wins.

    The text should be `normal.plain`. Neutral look-alikes have done their work and are left out.
    """
    table = builtin()
    openings, phrases = table.openings, table.phrases
    cues: list[Cue] = []
    # Phrases, and patterns, are each taken from the left without overlapping before they meet.
    said = told = reached = 0
    for start, number in _places(table, text):
        opening = openings[number]
        end, meaning = 0, None
        if start >= said and opening.phrases and (match := opening.phrases.match(text, start)):
            said = end = match.end()
        if start >= told and opening.patterns and (match := opening.patterns.match(text, start)):
            told = match.end()
            end = max(end, told)
            meaning = opening.meanings[(match.lastindex or 1) - 1]
        if not end or start < reached:
            continue
        reached = end
        words = text[start:end]
        kind, weight = phrases.get(words) or meaning or _NOTHING
        if kind is not Kind.NEUTRAL:
            cues.append(Cue(kind, weight, start, end, words))
    return cues


@functools.cache
def builtin() -> Table:
    """The cues in consult/data/stance.txt, read and compiled once a process."""
    return parse((DATA / "stance.txt").read_text(encoding="utf-8"))


def parse(text: str) -> Table:
    """Cues from the form of consult/data/stance.txt; ValueError, with the line, where it is bad."""
    phrases: dict[str, Meaning] = {}
    patterns: list[tuple[re.Pattern[str], Meaning]] = []
    lists: dict[str, list[str]] = {}
    words: list[str] = []
    meaning: Meaning | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if line in ("[FOR]", "[TWICE]"):
                words = lists.setdefault(line.strip("[]"), [])
                meaning = None
            elif line.startswith("["):
                kind, weight = line.strip("[]").split()
                meaning = Kind(kind), float(weight)
            elif meaning is None:
                words += line.split()
            else:
                _add(_written_out(line.split(), lists), meaning, phrases, patterns)
        except (KeyError, ValueError, re.error) as wrong:
            raise ValueError(f"line {number}: {wrong}") from wrong
    version = hashlib.blake2b(text.encode(), digest_size=3).hexdigest()
    return _table(phrases, patterns, version)


def _written_out(entries: Iterable[str], lists: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Entries with what {FOR} and {TWICE} in them stand for."""
    for entry in entries:
        if "{FOR}" in entry:
            yield entry.replace("{FOR}", f"(?:{'|'.join(lists['FOR'])})")
        elif "{TWICE}" in entry:
            yield from (entry.replace("{TWICE}", word) for word in lists["TWICE"])
        else:
            yield entry


def _add(
    entries: Iterable[str],
    meaning: Meaning,
    phrases: dict[str, Meaning],
    patterns: list[tuple[re.Pattern[str], Meaning]],
) -> None:
    for entry in entries:
        if _PHRASE.fullmatch(entry):
            phrases.setdefault(entry, meaning)
        else:
            pattern = entry.replace("，。！？；", _STOPS)
            compiled = re.compile(pattern)
            if compiled.groups:
                raise ValueError(f"a group that is numbered: {pattern}")
            patterns.append((compiled, meaning))


def _table(
    phrases: Mapping[str, Meaning],
    patterns: Sequence[tuple[re.Pattern[str], Meaning]],
    version: str,
) -> Table:
    heads: dict[str, tuple[list[str], list[int]]] = {}
    for phrase in sorted(phrases, key=len, reverse=True):
        heads.setdefault(phrase[:2], ([], []))[0].append(phrase)
    for number, (pattern, _meaning) in enumerate(patterns):
        for head in sorted(_beginnings(pattern)):
            heads.setdefault(head.removesuffix(_ANY), ([], []))[1].append(number)
    openings: list[_Opening] = []
    for head in heads:
        said, told = (sorted({*heads[head][n], *heads.get(head[0], ([], []))[n]}) for n in (0, 1))
        each = [patterns[number] for number in told]
        openings.append(
            _Opening(
                _any_of(map(re.escape, sorted(said, key=len, reverse=True))),
                _any_of(f"(?:{pattern.pattern})()" for pattern, _meaning in each),
                [meaning for _pattern, meaning in each],
            )
        )
    first = re.compile(f"[{re.escape(''.join(sorted({head[0] for head in heads})))}]")
    begins = {head: number for number, head in enumerate(heads)}
    return Table(phrases, openings, begins, first, version)


def _any_of(alternatives: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(alternatives)
    return re.compile(joined) if joined else None


_ANY = "\uffff"
_NOTHING: Meaning = (Kind.NEUTRAL, 0.0)


def _beginnings(pattern: re.Pattern[str]) -> set[str]:
    """Every two characters a match may begin with, or one where it may have no more; `_ANY` as
    second for whatever is not told one by one."""
    parser: Any = importlib.import_module("re._parser")
    found = _heads(list(parser.parse(pattern.pattern)))
    if any(not head or head[0] == _ANY for head in found):
        raise ValueError(f"nothing tells where it may begin: {pattern.pattern}")
    return found


def _heads(parts: Sequence[tuple[Any, Any]]) -> set[str]:
    """The first two characters of whatever these parts of a pattern match, or all there are."""
    heads = {""}
    for place, (kind, value) in enumerate(parts):
        if all(len(head) == 2 for head in heads):
            break
        # What has to follow behind the end tells, too, what stands there.
        last = place == len(parts) - 1
        ahead = last and str(kind) == "ASSERT" and value[0] > 0 and "" not in heads
        more = _heads(list(value[1])) if ahead else _head(str(kind), value)
        heads = {(head + tail)[:2] for head in heads for tail in more}
    return heads


def _head(kind: str, value: Any) -> set[str]:
    if kind == "LITERAL":
        return {chr(value)}
    if kind == "IN":
        alone = [str(op) == "LITERAL" for op, _code in value]
        return {chr(code) for _op, code in value} if all(alone) else {_ANY}
    if kind in ("AT", "ASSERT", "ASSERT_NOT"):
        return {""}
    if kind == "SUBPATTERN":
        return _heads(list(value[-1]))
    if kind == "BRANCH":
        return set[str]().union(*(_heads(list(branch)) for branch in value[1]))
    if kind in ("MAX_REPEAT", "MIN_REPEAT"):
        least, most, part = value
        times = range(least, min(int(most), max(least, 2)) + 1)
        return set[str]().union(*(_heads(list(part) * min(time, 2)) for time in times))
    return {_ANY}


_PHRASE = re.compile(r"[^\\\[\](){}|?*+.^$]+")
# Entries write the stops full width; the text they meet is NFKC, where most of them are not.
_STOPS = "，,。.！!？?；;\\n"
