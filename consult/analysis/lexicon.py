"""The words staff decide about: plan terms that stay whole, synonyms that count as one, stop words.

A lexicon is a value: it never changes, and its version names its content. Which lexicon is in
force is for the caller to know.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

DATA = Path(__file__).resolve().parent.parent / "data"

# What a term without a given frequency gets, by length; see the head of lexicon.txt.
_FREQUENCY = {2: 30, 3: 300}
_FREQUENCY_LONG = 1000
_LONGEST_HEADING_TERM = 10

_NUMBERING = re.compile(
    r"^\s*(第[一二三四五六七八九十百零\d]+[篇章节条部分]+|专栏\s*\d*"
    r"|[(（]?[一二三四五六七八九十百\d]+[)）、.．]+)\s*"
)
_HEADING_CUT = re.compile(r"[^\w]+|_+|与|及|和(?=[^平谐])|以及|为|的")


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Plan terms with frequency, synonyms (surface form → counted form) and stop words.

    `version` is a 12-character hash of the content, the same in every process; two lexicons with
    one content are equal.
    """

    terms: Mapping[str, int]
    synonyms: Mapping[str, str]
    stop_words: frozenset[str]
    version: str = field(init=False)
    _counted: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        terms = dict(sorted(self.terms.items()))
        synonyms = dict(sorted(self.synonyms.items()))
        _check(terms, synonyms)
        content = json.dumps([terms, synonyms, sorted(self.stop_words)], ensure_ascii=False)
        digest = hashlib.blake2b(content.encode(), digest_size=6).hexdigest()
        object.__setattr__(self, "terms", MappingProxyType(terms))
        object.__setattr__(self, "synonyms", MappingProxyType(synonyms))
        object.__setattr__(self, "version", digest)
        object.__setattr__(self, "_counted", _counted(terms, synonyms))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lexicon) and self.version == other.version

    def __hash__(self) -> int:
        return hash(self.version)

    def __reduce__(self) -> tuple[Callable[..., Lexicon], tuple[object, ...]]:
        # Read-only mappings cannot be pickled, and lexicons travel to worker processes.
        return Lexicon, (dict(self.terms), dict(self.synonyms), self.stop_words)

    def extended(self, terms: Iterable[str]) -> Lexicon:
        """This lexicon and the terms found in these words or headings, which then stay whole.

        Numbering goes, conjunctions and punctuation cut, stop words at either end fall off
        (第二节 推进旧住房成套改造和城市更新 gives 旧住房成套改造, 城市更新). What is left and has 3-10
        characters is added; what is known already, or is a stop word, is not.
        """
        return self.including(t for heading in terms for t in self._in_heading(heading))

    def including(self, terms: Iterable[str]) -> Lexicon:
        """This lexicon and these terms as they are, but for what is known already."""
        more = {
            term: frequency_of(term)
            for term in terms
            if term not in self.terms and term not in self.synonyms
        }
        return Lexicon({**self.terms, **more}, self.synonyms, self.stop_words) if more else self

    def decided(self, word: str) -> str | None:
        """The term this word counts as if it is a term or synonym, in any case; else None."""
        return self._counted.get(word.lower())

    def surfaces(self, term: str) -> tuple[str, ...]:
        """The term itself and every form folded into it, sorted, the term first."""
        folded = sorted(form for form, counted in self.synonyms.items() if counted == term)
        return (term, *folded)

    def _in_heading(self, heading: str) -> Iterator[str]:
        plain = unicodedata.normalize("NFKC", heading)
        while (shorter := _NUMBERING.sub("", plain)) != plain:
            plain = shorter
        for part in _HEADING_CUT.split(plain):
            term = self._without_stop_words(part)
            if 3 <= len(term) <= _LONGEST_HEADING_TERM and not term.isdigit():
                yield term

    def _without_stop_words(self, part: str) -> str:
        if part in self.terms:
            return part
        for size in range(min(5, len(part)), 1, -1):
            if part[:size] in self.stop_words:
                return self._without_stop_words(part[size:])
            if part[-size:] in self.stop_words:
                return self._without_stop_words(part[:-size])
        return part


def frequency_of(term: str) -> int:
    """A frequency, on the scale of jieba's dictionary, that keeps a new term whole."""
    return _FREQUENCY.get(len(term), _FREQUENCY_LONG)


@functools.cache
def builtin() -> Lexicon:
    """The lexicon in consult/data: the example programme's terms, read once a process."""
    return Lexicon(
        parse_terms((DATA / "lexicon.txt").read_text(encoding="utf-8")),
        parse_synonyms((DATA / "synonyms.txt").read_text(encoding="utf-8")),
        frozenset(parse_words((DATA / "stopwords.txt").read_text(encoding="utf-8"))),
    )


def parse_terms(text: str) -> dict[str, int]:
    """Terms from lines of `term` or `term frequency`; # begins a comment line.

    Raises ValueError, naming the line, where a frequency is not a whole number above 0.
    """
    terms: dict[str, int] = {}
    for number, line in _content(text):
        term, *rest = line.split()
        if len(rest) > 1 or (rest and (not rest[0].isdecimal() or int(rest[0]) < 1)):
            raise ValueError(f"line {number}: expected `term frequency`, found {line!r}")
        terms[term] = int(rest[0]) if rest else frequency_of(term)
    return terms


def parse_synonyms(text: str) -> dict[str, str]:
    """Surface form → counted form, from lines of `counted: form form`.

    Raises ValueError, naming the line, where there is no colon, nothing after it, or a form is
    folded twice.
    """
    synonyms: dict[str, str] = {}
    for number, line in _content(text):
        counted, colon, forms = line.partition(":")
        if not colon or not counted.strip() or not forms.split():
            raise ValueError(f"line {number}: expected `counted: form form`, found {line!r}")
        for form in forms.split():
            if synonyms.setdefault(form, counted.strip()) != counted.strip():
                raise ValueError(f"line {number}: {form} is already folded into {synonyms[form]}")
    return synonyms


def parse_words(text: str) -> list[str]:
    """Words separated by space or line; # begins a comment line."""
    return [word for _, line in _content(text) for word in line.split()]


def _content(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, stripped


def _check(terms: Mapping[str, int], synonyms: Mapping[str, str]) -> None:
    for word in (*terms, *synonyms, *synonyms.values()):
        if not word or any(character.isspace() for character in word):
            raise ValueError(f"a term cannot be empty or hold a space: {word!r}")
    for form, counted in synonyms.items():
        if counted in synonyms:
            raise ValueError(f"{form} is folded into {counted}, itself folded: chains hide counts")
    for term, frequency in terms.items():
        if frequency < 1:
            raise ValueError(f"{term}: frequency must be at least 1")


def _counted(terms: Mapping[str, int], synonyms: Mapping[str, str]) -> Mapping[str, str]:
    forms = {form.lower(): counted for form, counted in synonyms.items()}
    for term in (*terms, *synonyms.values()):
        forms[term.lower()] = synonyms.get(term, term)
    return forms
