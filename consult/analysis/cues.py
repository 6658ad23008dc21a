"""Finds the words by which an opinion shows its stance; what they are stands in data/stance.txt."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from consult.analysis.lexicon import DATA


class Kind(Enum):
    """What a cue does."""

    NEUTRAL = "neutral"  # looks like a cue and is none
    SUPPORT = "support"
    OPPOSE = "oppose"  # an attitude against; what follows stands in its scope
    UNFIT = "unfit"  # a judgement against; what precedes stands in its scope
    STOP = "stop"  # an act that ends something: turns its object round, shows no attitude itself
    SUGGEST = "suggest"
    QUESTION = "question"
    APPEAL = "appeal"
    CONTRAST = "contrast"  # 但: what follows weighs more than what came before
    INSTEAD = "instead"  # 而应: ends a scope


# Whoever tells of others, of another time or of a mere case does not speak for himself now.
OTHERS = re.compile(
    r"(?:有人|有的人|有些人|有的|有些(?:居民|业主|住户|邻居)|部分|少数|一些(?:居民|业主|人|老人|住户)"
    r"|他们|她们|他|她|对方|邻居|楼上|楼下|一楼|底楼|低层|别人|其他|开发商|物业|居委|街道"
    r"|谁|听说|据说|传闻|说是|号称)[^，,。！!？?；;]{0,10}$"
)
NOT_NOW = re.compile(
    r"(?:以前|原来|曾经|之前|当初|过去|当年|起初|如果|假如|要是|若)[^，,。！!？?；;]{0,10}$"
)
OWN = re.compile(r"我|本人|咱|阿拉|笔者")


@dataclass(frozen=True, slots=True)
class Cue:
    """Words found in a text: text[start:end], what they do, and how firmly."""

    kind: Kind
    weight: float
    start: int
    end: int
    words: str


Meaning = tuple[Kind, float]


@dataclass(frozen=True, slots=True)
class Table:
    """The cues ready for use: phrases, and patterns tried in their order; a hash as version."""

    phrases: Mapping[str, Meaning]
    patterns: Sequence[tuple[re.Pattern[str], Meaning]]
    any_phrase: re.Pattern[str]
    any_pattern: re.Pattern[str]
    version: str


def find(text: str) -> list[Cue]:
    """Every cue of the text in order, none overlapping: the leftmost, and there the longest, wins.

    The text should be `normal.plain`. Neutral look-alikes have done their work and are left out.
    """
    table = builtin()
    matches = [match.span() for match in table.any_phrase.finditer(text)]
    matches += [match.span() for match in table.any_pattern.finditer(text)]
    matches.sort(key=lambda span: (span[0], -span[1]))
    cues: list[Cue] = []
    reached = 0
    for start, end in matches:
        if start < reached:
            continue
        reached = end
        kind, weight = _meaning(table, text, start, end)
        if kind is not Kind.NEUTRAL:
            cues.append(Cue(kind, weight, start, end, text[start:end]))
    return cues


@functools.cache
def builtin() -> Table:
    """The cues in consult/data/stance.txt, read and compiled once a process."""
    return parse((DATA / "stance.txt").read_text(encoding="utf-8"))


def parse(text: str) -> Table:
    """Cues from the form of consult/data/stance.txt; ValueError, with the line, where it is bad."""
    phrases: dict[str, Meaning] = {}
    patterns: list[tuple[re.Pattern[str], Meaning]] = []
    wishes: list[str] = []
    meaning: Meaning | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if line == "[FOR]":
                meaning = None
            elif line.startswith("["):
                kind, weight = line.strip("[]").split()
                meaning = Kind(kind), float(weight)
            elif meaning is None:
                wishes += line.split()
            else:
                _add(line.split(), meaning, phrases, patterns, f"(?:{'|'.join(wishes)})")
        except (ValueError, re.error) as wrong:
            raise ValueError(f"line {number}: {wrong}") from wrong
    return Table(
        phrases,
        patterns,
        re.compile(_by_first_character(phrases)),
        re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in patterns)),
        hashlib.blake2b(text.encode(), digest_size=3).hexdigest(),
    )


def _add(
    entries: Iterable[str],
    meaning: Meaning,
    phrases: dict[str, Meaning],
    patterns: list[tuple[re.Pattern[str], Meaning]],
    wishes: str,
) -> None:
    for entry in entries:
        if _PHRASE.fullmatch(entry):
            phrases.setdefault(entry, meaning)
        else:
            pattern = entry.replace("{FOR}", wishes).replace("，。！？；", _STOPS)
            patterns.append((re.compile(pattern), meaning))


def _meaning(table: Table, text: str, start: int, end: int) -> Meaning:
    if (known := table.phrases.get(text[start:end])) is not None:
        return known
    # A pattern may look at what stands around it, so it is asked in place.
    return next(
        meaning
        for pattern, meaning in table.patterns
        if (match := pattern.match(text, start)) is not None and match.end() == end
    )


def _by_first_character(phrases: Iterable[str]) -> str:
    """One pattern for many literals; the regex engine skips whole branches by first character."""
    tails: dict[str, list[str]] = {}
    for phrase in phrases:
        tails.setdefault(phrase[0], []).append(re.escape(phrase[1:]))
    return "|".join(
        f"{re.escape(first)}(?:{'|'.join(sorted(rest, key=len, reverse=True))})"
        for first, rest in tails.items()
    )


_PHRASE = re.compile(r"[^\\\[\](){}|?*+.^$]+")
# Entries write the stops full width; the text they meet is NFKC, where most of them are not.
_STOPS = "，,。.！!？?；;\\n"
