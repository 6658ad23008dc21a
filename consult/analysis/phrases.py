"""Keywords of one text: words and phrases of one to four words, scored by named parts.

A phrase is likely one its author would choose when it comes back, is rare elsewhere, holds
together (its words meet more often than chance), stands free at its ends (many neighbours, or
none) and is not merely a piece of a longer one. How much each of these counts was fitted by
logistic regression on half of the abstracts of CSL (Li et al., COLING 2022) with their authors'
keywords; the other half is reported in docs/. The weights are in consult/data/phrase_weights.txt.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from consult.analysis import normal
from consult.analysis.lexicon import DATA, parse_words
from consult.analysis.segment import Segmenter
from consult.analysis.stock import ordinary

LONGEST = 4  # words of a phrase; with 3 the F1 is 0.005 lower
_LONGEST_LETTERS = 12
_LETTER = re.compile(r"[\u4e00-\u9fd5A-Za-z]")
# Prepositions, particles, pronouns, measure words …: no phrase holds one.
_GRAMMAR_TAGS = frozenset(["p", "c", "uj", "ul", "uv", "ud", "uz", "ug", "y", "e", "o", "r", "x"])
# Adverbs, numbers and places: inside a phrase (多 目标 规划), never alone.
_ONLY_INSIDE = frozenset(["d", "m", "f", "q"])
# Measure words: after another word (种养 户, 纤维 桩), never first.
_NEVER_FIRST = frozenset(["q"])
# Joins what stands beside it to one word: GM-CSF, ANSYS/LS-DYNA, N-乙酰, Navier-Stokes.
_JOINT = re.compile(r"[-/‐–·&.']")
_CODE = re.compile(r"[A-Za-z0-9\u0370-\u03ff]+")
_SENTENCE_END = frozenset("。.!！?？;；\n")
_EDGE = "^"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A keyword of one text. `score` is a log-odds, the sum of `parts`; `count` its mentions."""

    term: str
    score: float
    count: int
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Text:
    """A segmented text; the first `title` tokens are its title."""

    tokens: tuple[str, ...]
    fit: tuple[bool, ...]  # may the token stand in a phrase
    title: int
    mentions: Mapping[str, tuple[tuple[int, int], ...]]  # phrase → (first token, words)

    def before(self, at: int) -> str:
        """The token before place `at`, or an edge mark."""
        return self.tokens[at - 1] if at else _EDGE

    def after(self, end: int) -> str:
        """The token at place `end`, or an edge mark."""
        return self.tokens[end] if end < len(self.tokens) else _EDGE

    def free_left(self, at: int) -> bool:
        """Whether what stands before place `at` could not belong to a phrase."""
        return at == 0 or not self.fit[at - 1]

    def free_right(self, end: int) -> bool:
        """Whether what stands at place `end` could not belong to a phrase."""
        return end >= len(self.tokens) or not self.fit[end]


class Reader:
    """Cuts texts and finds their candidate phrases."""

    def __init__(self, segmenter: Segmenter) -> None:
        self.segmenter = segmenter
        self.tag = functools.lru_cache(maxsize=100_000)(self._tag)
        self._fits = functools.lru_cache(maxsize=100_000)(self._fit)

    def read(self, text: str, title: str = "") -> Text:
        """A text with its candidates."""
        head = [*self._words(title), "\n"] if title else []
        tokens = (*head, *self._words(text))
        fit = tuple(self._fits(token) for token in tokens)
        mentions: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for at, words, phrase in self._candidates(tokens, fit):
            mentions[phrase].append((at, words))
        held = {phrase: tuple(places) for phrase, places in mentions.items()}
        return Text(tokens, fit, len(head), held)

    def _words(self, text: str) -> list[str]:
        """The words of a text, names in Latin letters kept whole."""
        words: list[str] = []
        joining = False
        for token in self.segmenter.tokens(normal.plain(text)):
            if joining and (_LETTER.match(token[0]) or _CODE.fullmatch(token)):
                words[-2:] = ["".join([*words[-2:], token])]
                joining = False
                continue
            joining = (
                bool(words)
                and len(token) == 1
                and _JOINT.match(token) is not None
                and _CODE.fullmatch(words[-1][-1]) is not None
            )
            words.append(token)
        return words

    def _tag(self, token: str) -> str:
        """jieba's part of speech; n for a term of the lexicon alone, "" for a guessed word and for a
        character jieba counts among the marks for want of a better kind (烯, 苷)."""
        if _CODE.match(token):
            return "eng" if _LETTER.search(token) else "m"
        if token.isascii():
            return "x"
        kind = ordinary.kind(token)
        if kind == "x" and _LETTER.match(token):
            return ""
        return kind or ("n" if self.segmenter.lexicon.decided(token) else "")

    def _fit(self, token: str) -> bool:
        return (
            _LETTER.search(token) is not None
            and token not in _function_words()
            and self.tag(token) not in _GRAMMAR_TAGS
        )

    def _candidates(
        self, tokens: Sequence[str], fit: Sequence[bool]
    ) -> Iterator[tuple[int, int, str]]:
        for at, token in enumerate(tokens):
            phrase = ""
            for words in range(1, LONGEST + 1):
                end = at + words
                if end > len(tokens) or not fit[end - 1]:
                    break
                phrase += tokens[end - 1]
                if words == 1 and self.tag(token) in _NEVER_FIRST:
                    break
                alone = words == 1 and self.tag(token) in _ONLY_INSIDE
                if 2 <= len(phrase) <= _LONGEST_LETTERS and not alone:
                    yield at, words, phrase


class Background:
    """What is usual in a collection of texts: how often, where, and beside what phrases stand."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self.size = len(texts)
        self.words = max(1, sum(len(text.tokens) for text in texts))
        self.word_times: Counter[str] = Counter()
        self.word_texts: Counter[str] = Counter()
        self.times: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()
        left: defaultdict[str, Counter[str]] = defaultdict(Counter)
        right: defaultdict[str, Counter[str]] = defaultdict(Counter)
        heads: defaultdict[str, set[str]] = defaultdict(set)
        for text in texts:
            self.word_times.update(text.tokens)
            self.word_texts.update(set(text.tokens))
            self.texts.update(text.mentions.keys())
            first_end = _sentence_end(text, text.title)
            for phrase, places in text.mentions.items():
                self.times[phrase] += len(places)
                self.opened[phrase] += places[0][0] < first_end
                for at, words in places:
                    left[phrase][text.before(at)] += 1
                    right[phrase][text.after(at + words)] += 1
                    if words > 1:
                        heads[text.tokens[at + words - 1]].add(phrase)
        self.heads = {word: len(phrases) for word, phrases in heads.items()}
        self._boundary = {
            phrase: min(_entropy(left[phrase]), _entropy(right[phrase]))
            for phrase, times in self.times.items()
            if times > 1
        }

    def boundary(self, phrase: str) -> float:
        """Entropy (nats) of the neighbours on the poorer side; 0 where it was met but once."""
        return self._boundary.get(phrase, 0.0)

    def rarity(self, phrase: str) -> float:
        """ln((texts + 1) / texts with the phrase)."""
        return math.log((self.size + 1) / max(1, self.texts[phrase]))

    def word_rarity(self, word: str) -> float:
        """ln((texts + 1) / texts with the word)."""
        return math.log((self.size + 1) / max(1, self.word_texts[word]))


def keywords(
    texts: Sequence[tuple[str, str]], *, segmenter: Segmenter, top: int = 5
) -> list[list[Phrase]]:
    """The `top` keywords of each (text, title), best first; "" for no title.

    The texts are each other's background, so a hundred read together are judged better than one
    alone. Ties fall by term; the same texts give the same keywords. About 4 ms a text.
    """
    reader = Reader(segmenter)
    read = [reader.read(text, title) for text, title in texts]
    background = Background(read)
    return [best(text, background, reader, top) for text in read]


def best(text: Text, background: Background, reader: Reader, top: int) -> list[Phrase]:
    """The `top` phrases of one text against a background, best first."""
    weights = builtin_weights(titled=text.title > 0)
    constant = weights["constant"]
    scored = []
    for phrase, values in features(text, background, reader):
        parts = {name: weights.get(name, 0.0) * value for name, value in values.items() if value}
        parts["constant"] = constant
        scored.append(Phrase(phrase, sum(parts.values()), len(text.mentions[phrase]), parts))
    scored.sort(key=lambda found: (-found.score, found.term))
    return scored[:top]


def features(
    text: Text, background: Background, reader: Reader
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each candidate with its named values; what they mean stands in phrase_weights.txt."""
    about = _About(text, background)
    for phrase in text.mentions:
        values = {
            **_how_often(phrase, about),
            **_where(phrase, about),
            **_how_rare(phrase, about),
            **_how_whole(phrase, about),
            **_what_words(phrase, about, reader),
        }
        # What else shows counts otherwise for a phrase that stands there only once.
        names = _once_names(tuple(values))
        if values["once"]:
            values.update([(once, values[name]) for name, once in names.items()])
        else:
            values.update(dict.fromkeys(names.values(), 0.0))
        yield phrase, values


# Of a phrase mentioned once these say nothing.
_REPEATS = frozenset(["times", "once", "title"])


@functools.lru_cache(maxsize=2)
def _once_names(names: tuple[str, ...]) -> dict[str, str]:
    return {name: f"once_{name}" for name in names if name not in _REPEATS}


class _About:
    """One text's counts that several features need."""

    def __init__(self, text: Text, background: Background) -> None:
        self.text = text
        self.background = background
        self.word_times = Counter(text.tokens)
        letters = self.letters = "".join(text.tokens)
        self.pairs = Counter(letters[n : n + 2] for n in range(len(letters) - 1))
        self.sentence: list[int] = []
        number = 0
        for token in text.tokens:
            self.sentence.append(number)
            number += token in _SENTENCE_END
        held: defaultdict[str, set[int]] = defaultdict(set)
        for token, sentence in zip(text.tokens, self.sentence, strict=True):
            held[token].add(sentence)
        self.sentences = {token: len(numbers) for token, numbers in held.items()}
        self.longer = self._longer()

    def words(self, phrase: str) -> tuple[str, ...]:
        at, words = self.text.mentions[phrase][0]
        return self.text.tokens[at : at + words]

    def beside(self, phrase: str) -> tuple[int, int, int]:
        """How often a phrase's letters stand in the text, however it is cut there, and how many
        letters stand before and after them; a mark or an end is another each time."""
        before, after = [], []
        at = self.letters.find(phrase)
        while at >= 0:
            before.append(self.letters[at - 1 : at])
            after.append(self.letters[at + len(phrase) : at + len(phrase) + 1])
            at = self.letters.find(phrase, at + 1)
        return len(before), _various(before), _various(after)

    def _longer(self) -> dict[str, int]:
        """For each phrase the mentions of the commonest longer one that holds it."""
        most: dict[str, int] = {}
        for places in self.text.mentions.values():
            times = len(places)
            for at, words in places[:1] if words_of(places) > 1 else ():
                for first in range(words):
                    for end in range(first + 1, words + 1):
                        if end - first < words:
                            part = "".join(self.text.tokens[at + first : at + end])
                            most[part] = max(most.get(part, 0), times)
        return most


def _various(letters: Sequence[str]) -> int:
    found = [letter for letter in letters if _LETTER.match(letter)]
    return len(set(found)) + len(letters) - len(found)


def words_of(places: Sequence[tuple[int, int]]) -> int:
    """Words of a phrase, from its places."""
    return places[0][1]


def _how_often(phrase: str, about: _About) -> dict[str, float]:
    times = len(about.text.mentions[phrase])
    longer = min(about.longer.get(phrase, 0), times)
    words = about.words(phrase)
    word_times = [math.log(about.word_times[word]) for word in words]
    pairs = [about.pairs[phrase[n : n + 2]] for n in range(len(phrase) - 1)]
    return {
        "times": math.log(times),
        "once": float(times == 1),
        "absorbed": longer / times,
        "word_times": sum(word_times) / len(words),
        "word_times_most": max(word_times),
        "word_sentences": math.log(max(about.sentences[word] for word in words)),
        "pair_times": math.log(min(pairs)) if len(words) > 1 else 0.0,
        "own": math.log1p(times - longer)
        * about.background.rarity(phrase)
        * math.sqrt(len(words))
        * (1 + about.background.boundary(phrase)),
    }


def _where(phrase: str, about: _About) -> dict[str, float]:
    text = about.text
    places = text.mentions[phrase]
    in_body = [at - text.title for at, _ in places if at >= text.title]
    body = max(1, len(text.tokens) - text.title)
    last = about.sentence[places[-1][0]]
    return {
        "title": float(places[0][0] < text.title),
        "first": in_body[0] / body if in_body else 1.0,
        "last_sentence": float(last >= about.sentence[-1] - 1),
        "text_length": math.log(len(text.tokens)),
    }


def _how_rare(phrase: str, about: _About) -> dict[str, float]:
    background = about.background
    words = about.words(phrase)
    rarity = background.rarity(phrase)
    in_texts = max(1, background.texts[phrase])
    word_rarity = [background.word_rarity(word) for word in words]
    weighed = [about.word_times[word] * background.word_rarity(word) for word in words]
    return {
        "rarity": rarity,
        "rarity_squared": rarity * rarity / 10,
        "rarity_single": rarity if len(words) == 1 else 0.0,
        "only_here": float(in_texts == 1),
        "repeated_elsewhere": math.log(max(1, background.times[phrase]) / in_texts),
        "word_rarity_least": min(word_rarity),
        "word_weight_least": math.log1p(min(weighed)),
        "opens": math.log1p(background.opened[phrase]) - math.log1p(in_texts),
        "ordinary": math.log(ordinary.rate(phrase) + 1e-8),
        "ordinary_least": math.log(min(ordinary.rate(word) for word in words) + 1e-8),
    }


def _how_whole(phrase: str, about: _About) -> dict[str, float]:
    text, background = about.text, about.background
    places = text.mentions[phrase]
    words = about.words(phrase)
    boundary = background.boundary(phrase)
    stands, letters_before, letters_after = about.beside(phrase)
    lefts = {text.before(at) for at, _ in places}
    rights = {text.after(at + count) for at, count in places}
    cohesion = 0.0
    if len(words) > 1:
        cohesion = math.log(max(1, background.times[phrase]) / background.words)
        cohesion -= sum(
            math.log(max(1, background.word_times[word]) / background.words) for word in words
        )
    return {
        "cohesion": cohesion,
        "boundary": boundary,
        "boundary_open": float(boundary > 0.5),
        "free_left": sum(text.free_left(at) for at, _ in places) / len(places),
        "free_right": sum(text.free_right(at + count) for at, count in places) / len(places),
        "neighbours": math.log(min(len(lefts), len(rights))),
        "letters_before": math.log(letters_before),
        "letters_after": math.log(letters_after),
        "cut_otherwise": math.log(stands / len(places)),
        "head": math.log1p(background.heads.get(words[-1], 0)) if len(words) > 1 else 0.0,
    }


def _what_words(phrase: str, about: _About, reader: Reader) -> dict[str, float]:
    words = about.words(phrase)
    stop_words = reader.segmenter.lexicon.stop_words
    first, last = reader.tag(words[0]), reader.tag(words[-1])
    single = len(words) == 1
    return {
        "letters_2": float(len(phrase) == 2),
        "letters_4": float(len(phrase) == 4),
        "letters_5": float(len(phrase) == 5),
        "words_3": float(len(words) == 3),
        "words_4": float(len(words) == 4),
        "ends_noun": float(last[:1] == "n"),
        "ends_adjective": float(last[:1] == "a"),
        "ends_latin": float(last == "eng"),
        "ends_other": float(bool(last) and last[:1] not in "nva" and last != "eng"),
        "begins_verb": float(first == "v"),
        "single_verb": float(single and last == "v"),
        "single_other": float(single and last[:1] not in "nv"),
        "stop_words": sum(word in stop_words for word in words) / len(words),
        "begins_stop_word": float(words[0] in stop_words),
    }


def _sentence_end(text: Text, begin: int) -> int:
    for at in range(begin, len(text.tokens)):
        if text.tokens[at] in _SENTENCE_END:
            return at
    return len(text.tokens)


def _entropy(times: Counter[str]) -> float:
    total = times.total()
    return -sum(n / total * math.log(n / total) for n in times.values())


@functools.cache
def builtin_weights(*, titled: bool) -> Mapping[str, float]:
    """The fitted weights for texts with or without title, from consult/data/phrase_weights.txt."""
    lines = (DATA / "phrase_weights.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {name: float(with_title if titled else without) for name, without, with_title in rows}


@functools.cache
def _function_words() -> frozenset[str]:
    text = (DATA / "function_words.txt").read_text(encoding="utf-8")
    return frozenset(parse_words(text))
