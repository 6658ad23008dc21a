"""Reads one opinion: its terms, which of them it speaks against, its stance, its fingerprint."""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass

from consult.analysis import cues, normal, stance
from consult.analysis.lexicon import Lexicon
from consult.analysis.segment import Segmenter

# Counts up by one whenever the same text and lexicon would be read differently.
METHOD = "1"

_HAN = re.compile(r"[\u4e00-\u9fd5]")
_LETTERS = re.compile(r"[A-Za-z]")
_WEB = frozenset(
    [
        "http",
        "https",
        "www",
        "com",
        "cn",
        "net",
        "org",
        "html",
        "htm",
        "jpg",
        "png",
        "gif",
        "pdf",
        "doc",
        "docx",
        "mp4",
        "qq",
        "id",
        "ok",
    ]
)
_SHORT = 4
_NUMERAL = re.compile(
    r"[一二两三四五六七八九十百千万亿几多半第零〇数]+[个年月日号元次名位人岁点分级期楼栋层户天家条米块张套]?"
)
# jieba guesses words from runs of single characters (房太臭). Names rarely hold these; guesses do.
_GRAMMAR = frozenset(
    "的了是不在我你他她它们这那有就也都很太和与及被把让给着过吗呢吧啊呀嘛哦其而但又还才只更最没未会能要想请说"
    "去来什么每些个从到对将可因为所以如何谁将已再并或等之於于"
)
_LONGEST_GUESS = 4
# When opinions are grouped or routed, a term in the title counts as so many mentions.
_TITLE_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Analysed:
    """What one opinion says.

    `terms` are distinct and sorted, synonyms folded, stop words out; `opposed` are those of them
    that stand in the scope of a negation or opposition; `stance` is support, oppose, suggest,
    question, appeal or none (赞成 反对 建议 疑问 诉求); `because` holds the words that decided it;
    `fingerprint` is equal for texts equal after NFKC, case, punctuation and space folding.
    """

    terms: tuple[str, ...]
    opposed: tuple[str, ...]
    stance: str
    because: tuple[str, ...]
    fingerprint: str


class Engine:
    """One lexicon at work. Making one takes as long as its `Segmenter`; keep it, one a version."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self.segmenter = Segmenter(lexicon)
        self.term_of = functools.lru_cache(maxsize=100_000)(self._term_of)

    @property
    def version(self) -> str:
        """Method, cues and lexicon: equal versions read equal texts alike."""
        return f"{METHOD}.{cues.builtin().version}-{self.lexicon.version}"

    def analyse(self, text: str, *, title: str = "") -> Analysed:
        """Reads one text of any length; a title counts as its first sentence.

        The fingerprint is of the text alone: people send one letter under several titles.
        """
        terms, reading = self.said(text, title=title)
        return Analysed(
            terms=terms,
            opposed=tuple(sorted(reading.opposed)),
            stance=reading.stance,
            because=reading.because,
            fingerprint=normal.fingerprint(text),
        )

    def said(self, text: str, *, title: str = "") -> tuple[tuple[str, ...], stance.Reading]:
        """The terms of one text and the stance read in it: `analyse` without the fingerprint, for
        those who read by the hundred thousand."""
        whole = normal.plain(f"{title}\n{text}" if title else text)
        placed = self.placed(whole)
        return tuple(sorted({term.term for term in placed})), stance.read(whole, placed)

    def placed(self, plain: str) -> list[stance.Placed]:
        """Every mention of a term in a text (`normal.plain`), in order."""
        found: list[stance.Placed] = []
        before, start, term_of = "", 0, self.term_of
        # Written flat, and no question asked about single characters: most of the time goes here.
        for word in self.segmenter.tokens(plain):
            end = start + len(word)
            # After a number or letter a guess is the tail of a name: 5号线 gives 号线.
            if (
                end - start > 1
                and (term := term_of(word)) is not None
                and not (before.isascii() and before.isalnum() and self.guessed(term))
            ):
                found.append(stance.Placed(term, start, end))
            before, start = word, end
        return found

    def mentions(self, text: str, *, title: str = "") -> dict[str, float]:
        """{term: mentions}, what grouping and routing read; one in the title counts three times.

        Codes such as B2 name a place or a form, are about anything and left out.
        """
        weights: dict[str, float] = {}
        for words, weight in ((title, _TITLE_WEIGHT), (text, 1.0)):
            found = Counter(placed.term for placed in self.placed(normal.plain(words)))
            for term, times in found.items():
                if not term.isascii() or self.lexicon.decided(term):
                    weights[term] = weights.get(term, 0.0) + weight * times
        return weights

    def guessed(self, term: str) -> bool:
        """Whether a term of Chinese characters is nothing but the segmenter's guess."""
        return not term.isascii() and not self.segmenter.knows(term)

    def _term_of(self, word: str) -> str | None:
        """The term a word of the segmenter counts as, or None if it counts as none."""
        if len(word) < 2:
            return None
        known = self.lexicon.decided(word)
        term = known or latin_folded(word)
        if term in self.lexicon.stop_words:
            return None
        return term if known or self._worth_counting(term) else None

    def _worth_counting(self, term: str) -> bool:
        if not _HAN.search(term):
            return bool(_LETTERS.search(term)) and term.lower() not in _WEB and "." not in term
        if _NUMERAL.fullmatch(term):
            return False
        return self.segmenter.knows(term) or (
            len(term) <= _LONGEST_GUESS and _GRAMMAR.isdisjoint(term)
        )


def latin_folded(word: str) -> str:
    """Abbreviations in capitals, other Latin words in small letters; Chinese as it is."""
    if not word.isascii():
        return word
    return word.upper() if len(word) <= _SHORT else word.lower()
