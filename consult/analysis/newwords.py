"""Words no dictionary holds yet, proposed to a person: names of estates and roads, slogans.

A string is proposed when several texts use it, its letters hold together and its neighbours vary:
the test of Sproat and Shih (1990) and of later new-word finders, pointwise mutual information at
the weakest joint and entropy of the neighbours at the poorer side.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from consult.analysis import normal
from consult.analysis.segment import Segmenter

_HAN = re.compile(r"[\u4e00-\u9fd5]+")
_WORDS = 3  # at most this many words of the segmenter make a proposal
_LETTERS = range(2, 9)
_COHESION = 4.0  # nats: the weakest joint is e⁴ ≈ 55 times commoner than chance
_ENTROPY = 1.0  # nats: about three neighbours, evenly
_ABSORBED = 0.75  # a piece of a longer proposal is dropped if this share of it stands there
_MOST_CHECKED = 1500
_MOST_LETTERS = 3_000_000  # beyond, cohesion is measured on the first so many letters


@dataclass(frozen=True, slots=True)
class NewWord:
    """A proposal: mentions, texts it stands in, cohesion and poorer-side entropy (both in nats),
    and the score that orders proposals, texts × entropy × √letters."""

    term: str
    count: int
    texts: int
    cohesion: float
    entropy: float
    score: float


def propose(
    texts: Sequence[str], *, segmenter: Segmenter, minimum: int = 3, top: int = 50
) -> list[NewWord]:
    """The `top` proposals that stand in at least `minimum` of the texts, best first.

    Equal texts count once, so that a campaign makes no word. About 1 ms a text and 2 ms a
    candidate for each million letters. Raises ValueError for a minimum under 2.
    """
    if minimum < 2:
        raise ValueError("a word that stands in one text is no word yet")
    distinct = list(dict.fromkeys(normal.plain(text) for text in texts))
    in_texts = _candidates(distinct, segmenter, minimum)
    letters = "\n".join(distinct)[:_MOST_LETTERS]
    checked = sorted(in_texts, key=lambda word: (-in_texts[word], word))[:_MOST_CHECKED]
    found = [
        word for term in checked if (word := _checked(term, in_texts[term], letters)) is not None
    ]
    found = _without_pieces(found)
    found.sort(key=lambda word: (-word.score, word.term))
    return found[:top]


def _candidates(texts: Sequence[str], segmenter: Segmenter, minimum: int) -> Counter[str]:
    in_texts: Counter[str] = Counter()
    for text in texts:
        in_texts.update(set(_strings(segmenter.tokens(text), segmenter)))
    return Counter({word: times for word, times in in_texts.items() if times >= minimum})


def _strings(tokens: Sequence[str], segmenter: Segmenter) -> Iterator[str]:
    stop_words = segmenter.lexicon.stop_words
    usable = [_HAN.fullmatch(token) is not None and token not in stop_words for token in tokens]
    for at in range(len(tokens)):
        string = ""
        for words in range(1, _WORDS + 1):
            end = at + words
            if end > len(tokens) or not usable[end - 1] or tokens[end - 1] in _GRAMMAR:
                break
            string += tokens[end - 1]
            # Two dictionary words side by side are a phrase, not a word: one part must be odd.
            odd = any(len(token) == 1 or not segmenter.knows(token) for token in tokens[at:end])
            # 和平里 is a lane, but 小区里 is only inside one.
            if words > 1 and string[-1] == "里" and _known(string[:-1], segmenter):
                continue
            if odd and len(string) in _LETTERS and not _known(string, segmenter):
                yield string


_GRAMMAR = frozenset(
    "的了是不在我你他她它们这那有就也都很太和与及被把让给着过吗呢吧啊呀嘛哦其而但又还才只更最没未会能要想应请说"
    "去来什么每些个从到对将可因为所以如何谁已再并或等之于上下中后前年月日号时元一二三四五六七八九十百千万两几多"
    "次位人家们本该此各某名件项条间栋楼户米块您向左右往"
)


def _known(string: str, segmenter: Segmenter) -> bool:
    return segmenter.knows(string) or segmenter.lexicon.decided(string) is not None


def _checked(term: str, texts: int, letters: str) -> NewWord | None:
    places = [match.start() for match in re.finditer(re.escape(term), letters)]
    count = len(places)
    if count < 2:
        return None
    entropy = min(
        _entropy([letters[place - 1] if place else "\n" for place in places]),
        _entropy([letters[place + len(term) : place + len(term) + 1] for place in places]),
    )
    if entropy < _ENTROPY:
        return None
    cohesion = min(
        math.log(count * len(letters) / (letters.count(term[:cut]) * letters.count(term[cut:])))
        for cut in range(1, len(term))
    )
    if cohesion < _COHESION:
        return None
    return NewWord(term, count, texts, cohesion, entropy, texts * entropy * math.sqrt(len(term)))


def _entropy(neighbours: Sequence[str]) -> float:
    """Entropy in nats; a mark or an edge is a neighbour of its own each time, for it ends words."""
    times: Counter[str] = Counter()
    for number, neighbour in enumerate(neighbours):
        times[neighbour if _HAN.match(neighbour) else f"{neighbour}{number}"] += 1
    total = len(neighbours)
    return -sum(n / total * math.log(n / total) for n in times.values())


def _without_pieces(found: Sequence[NewWord]) -> list[NewWord]:
    """Without what mostly stands inside a longer proposal, and longer ones that add little."""
    inside: defaultdict[str, int] = defaultdict(int)
    for longer in found:
        for piece in found:
            if piece.term != longer.term and piece.term in longer.term:
                inside[piece.term] = max(inside[piece.term], longer.count)
    return [word for word in found if inside[word.term] < _ABSORBED * word.count]
