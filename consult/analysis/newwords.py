"""Words no dictionary holds yet, proposed to a person: names of estates and roads, slogans.

A string is proposed when several texts use it, its letters hold together and its neighbours vary:
the test of Sproat and Shih (1990) and of later new-word finders, pointwise mutual information at
the weakest joint and entropy of the neighbours at the poorer side. How these two, and what else tells a
name from a usual phrase, are weighed was learned from people's yes and no (docs/text-engine.md).

The counting is done by `recurring`, loaded at the first call: it needs numpy.
"""

from __future__ import annotations

import functools
import importlib
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consult.analysis import duplicates, normal
from consult.analysis.lexicon import DATA, parse_words
from consult.analysis.segment import Segmenter
from consult.analysis.stock import ordinary

if TYPE_CHECKING:
    from consult.analysis.recurring import Recurring

_LONGEST = 8
_COHESION = 3.0  # nats: the weakest joint is e³ ≈ 20 times commoner than chance
_ENTROPY = 0.6  # nats: of three neighbours two are alike
_TORN = 1 / 3  # at most this share of the places may lie across words of the dictionary
_ABSORBED = 0.75  # a piece of a longer proposal is dropped if this share of it stands there

_SAME = 0.5  # likeness above which two texts are one, 0-1: short ones with a name in common are not

# What each trait adds to the score, which is about the logarithm of the odds that a reader takes the
# string for a word.
_BASE = -4.2
_WEIGHTS: Mapping[str, float] = {
    "texts": 0.3,
    "repeated": 0.7,
    "cohesion": 0.1,
    "bound": 2.1,
    "entropy": 1.2,
    "torn": -1.6,
    "ending": 2.0,
    "bare ending": -0.8,
    "unknown": 0.8,
    "grammar first": -0.6,
    "grammar last": -1.4,
    "usual words": -1.5,
    "grammar inside": -0.8,
    "doing first": -0.8,
}
_MOST_COHESION = 9.0
_MOST_REPEATED = 1.0


@dataclass(frozen=True, slots=True)
class NewWord:
    """A proposal: mentions, texts it stands in, cohesion and poorer-side entropy (both in nats), and
    the score that orders proposals, the sum of its `parts`.

    The parts, each a trait times its weight: `texts` and `repeated`, the logarithms of the texts and of
    the mentions a text; `cohesion`; `bound`, the share of the rarer part's mentions that stand in the
    string, at its weakest joint; `entropy`; `torn`, the share of its places that lie across a word of
    the dictionary; `ending`, that a name ends so (consult/data/name_endings.txt), `bare ending`, where
    less than two letters stand before it, neither behind a function word; `unknown`, that the segmenter
    had to guess a part; `grammar first`, `grammar last` and `grammar inside`, a word that names have not
    there; `usual words`, stop words at its ends; `doing first`, a verb or the like before the rest; and
    `base`, of every string.
    """

    term: str
    count: int
    texts: int
    cohesion: float
    entropy: float
    score: float
    parts: Mapping[str, float]


def propose(
    texts: Sequence[str], *, segmenter: Segmenter, minimum: int = 3, top: int = 50
) -> list[NewWord]:
    """The at most `top` proposals that stand in at least `minimum` of the texts, best first; none
    that is likelier no word than one.

    Of texts that are nearly equal (`duplicates.near_groups`) one counts, so that a campaign makes no
    word. About 0.4 ms a text of 200 letters. Raises ValueError for a minimum under 2.
    """
    if minimum < 2:
        raise ValueError("a word that stands in one text is no word yet")
    recurring = importlib.import_module("consult.analysis.recurring")
    reader = _Reader(segmenter)
    # The longest first, which stands for those that are nearly equal.
    distinct = sorted({normal.plain(text) for text in texts}, key=lambda text: (-len(text), text))
    strings: Iterator[Recurring] = recurring.strings(
        distinct,
        duplicates.near_groups(distinct, threshold=_SAME),
        segmenter.tokens,
        segmenter.knows,
        longest=_LONGEST,
        minimum=minimum,
        cohesion=_COHESION,
        entropy=_ENTROPY,
    )
    likely = (reader.read(each) for each in strings if reader.is_new(each))
    found = _without_pieces([word for word in likely if word.score > 0])
    found.sort(key=lambda word: (-word.score, word.term))
    return found[:top]


# Letters and words that hold a phrase together, and numerals.
_GRAMMAR = frozenset(
    "的了是不在我你他她它们这那有就也都很太和与及被把让给着过吗呢吧啊呀嘛哦其而但又还才只更最没未会能要想应请说"
    "去来什么每些个从到对将可因为所以如何谁已再并或等之于上下中后前年月日号时元一二三四五六七八九十百千万两几多"
    "次位人家们本该此各某名件项条间栋楼户米块您向左右往"
)
# Of these no name begins or ends with one …
_FUNCTION = frozenset(
    "的了是不在我你他她它们这那有就也都很太与及被把让给着过吗呢吧啊呀嘛哦其而但又还才只更最没未能要请说去什么每些"
    "个从到对将因为所以如何谁已再并或于往向"
)
# … and none has one of these inside.
_JOINING = frozenset("的是与及")
# jieba's tags of words that stand for others (这条 我们) …
_PRONOUN = frozenset(["r", "rr", "rz"])
# … of words that count, point, place or join …
_NO_NAME = frozenset(re.findall(r"\w+", "d p c r rr rz m q mq f t u uj ul uz ud y e o zg h k"))
# … and of those that tell what is done or how.
_DOING = frozenset(re.findall(r"\w+", "v a ad i l z"))
# 一河两岸, 三横五纵: numerals that count what no calendar, clock or house number does.
_NUMBERED = re.compile(
    "(?:[一二两三四五六七八九十][^一二两三四五六七八九十年月日天次个点号期楼栋些]{1,2}){2,}"
)


@functools.cache
def _endings() -> tuple[str, ...]:
    words = parse_words((DATA / "name_endings.txt").read_text(encoding="utf-8"))
    return tuple(sorted(words, key=lambda word: (-len(word), word)))


class _Reader:
    """What the dictionaries say to a string."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self._stop_words = segmenter.lexicon.stop_words

    def is_new(self, string: Recurring) -> bool:
        """Whether it could be a name nobody has decided about yet."""
        return string.torn <= _TORN and not (
            string.string in self._stop_words
            or self._segmenter.knows(string.string)
            or self._segmenter.lexicon.decided(string.string) is not None
            or self._is_phrase(self._segmenter.tokens(string.string))
        )

    def _is_phrase(self, words: Sequence[str]) -> bool:
        first = words[0]
        if len(first) > 1 and self._segmenter.knows(first):
            # 这条 is in the dictionary without a kind of its own.
            begins = ordinary.kind(first) in _PRONOUN or first[0] == "这"
        else:
            # 往东走 is guessed to be a word.
            begins = first[0] in _FUNCTION
        return begins or words[-1] in _FUNCTION or not _JOINING.isdisjoint(words)

    def read(self, string: Recurring) -> NewWord:
        """A string with its score."""
        entropy = min(string.left, string.right)
        traits = {
            "texts": math.log(string.texts),
            "repeated": min(math.log(string.count / string.texts), _MOST_REPEATED),
            "cohesion": min(string.cohesion, _MOST_COHESION),
            "bound": string.bound,
            "entropy": entropy,
            "torn": string.torn,
            **dict.fromkeys(self._says(string.string), 1.0),
        }
        parts = {name: _WEIGHTS[name] * value for name, value in traits.items() if value}
        parts["base"] = _BASE
        return NewWord(
            string.string,
            string.count,
            string.texts,
            string.cohesion,
            entropy,
            math.fsum(parts.values()),
            parts,
        )

    def _says(self, term: str) -> Iterator[str]:
        """The traits of what it is made of."""
        words = self._segmenter.tokens(term)
        ending = self._ending(term)
        # 这条路 ends as a road does, and is none.
        if ending and not self._joins(words[0]):
            yield "ending" if len(term) - len(ending) > 1 else "bare ending"
        if any(len(word) > 1 and not self._segmenter.knows(word) for word in words):
            yield "unknown"
        if not _NUMBERED.fullmatch(term):
            if self._never_first(words[0]):
                yield "grammar first"
            if not ending and (words[-1] in _GRAMMAR or ordinary.kind(words[-1]) in _NO_NAME):
                yield "grammar last"
        if self._is_usual(words[0]) or (not ending and self._is_usual(words[-1])):
            yield "usual words"
        if any(map(self._joins, words[1:-1])):
            yield "grammar inside"
        if len(words) > 1 and ordinary.kind(words[0]) in _DOING:
            yield "doing first"

    def _ending(self, term: str) -> str:
        """How it ends, if a name ends so."""
        for ending in _endings():
            if term.endswith(ending) and term != ending:
                # 和平里 is a lane, but 小区里 is only inside one.
                inside = ending == "里" and self._segmenter.knows(term[:-1])
                return "" if inside else ending
        return ""

    def _never_first(self, word: str) -> bool:
        return word[0] in _GRAMMAR or ordinary.kind(word) in _NO_NAME

    def _is_usual(self, word: str) -> bool:
        return word in self._stop_words and word not in _GRAMMAR

    def _joins(self, word: str) -> bool:
        return word in _GRAMMAR or word in self._stop_words


def _without_pieces(found: Sequence[NewWord]) -> list[NewWord]:
    """Without what mostly stands inside a longer proposal."""
    known = {word.term for word in found}
    inside: defaultdict[str, int] = defaultdict(int)
    for word in found:
        for piece in _pieces(word.term):
            if piece in known:
                inside[piece] = max(inside[piece], word.count)
    return [word for word in found if inside[word.term] < _ABSORBED * word.count]


def _pieces(term: str) -> Iterator[str]:
    for size in range(2, len(term)):
        for at in range(len(term) - size + 1):
            yield term[at : at + size]
