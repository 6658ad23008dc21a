"""Which words make a group of opinions what it is: ranked by contrast, counted in people."""

from __future__ import annotations

import importlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Protocol

from consult.analysis.lexicon import Lexicon, builtin
from consult.analysis.stock import ordinary

# Below this many voices no statistic is computed: with 19 the 2×2 table says nothing.
FEW = 20
# Share of a Chinese text's tokens that are terms, the rest being grammar, stop words and marks.
_TERM_SHARE = 0.45
# Pieces of ordinary language in the reference for each paragraph of the draft. Ordinary language
# tells what is special at all; the draft tells what is merely the plan's own way of speaking. At
# equal parts every matter the draft treats would be punished for being in it.
_ORDINARY_PER_PARAGRAPH = 10
_LEAST_ORDINARY = 500
# A term in more of the draft's paragraphs than this is its own way of speaking (规划 发展 建设 …),
# and stands out only by being said more often than there.
_OWN_SPEECH = 0.25
# How much a word says about the matter at hand: terms of the plan, names of things, the rest.
_PLAN_TERM, _THING, _OTHER = 2.0, 1.0, 0.5


class Item(Protocol):
    """One opinion: distinct terms, those opposed, who gave it, and which group of nearly equal
    texts it belongs to (None: unknown, one each)."""

    @property
    def terms(self) -> Iterable[str]: ...
    @property
    def opposed(self) -> Iterable[str]: ...
    @property
    def person(self) -> Hashable: ...
    @property
    def group(self) -> Hashable: ...


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term of a group: in how many opinions, from how many people, against how often.

    `share` is count / opinions, 0-1. `score` orders the table, and `parts` explains it:
    * many voices: score = weight × (said + unsaid + reference_said + reference_unsaid), the four
      cells of the statistic of `rank`, `weight` by what sort of word it is; beside them the number of `voices` and the rates (0-1)
      `voices_rate`, `draft_rate`, `ordinary_rate` they come from; `few` is 0.
    * few voices: score = voices + contrast, contrast 0-1 and only to break ties; `few` is 1.
    """

    term: str
    count: int
    people: int
    distinct: int
    share: float
    opposed: int
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Counts:
    opinions: Mapping[str, int]
    people: Mapping[str, int]
    distinct: Mapping[str, int]
    opposed: Counter[str]
    n_opinions: int
    n_voices: int

    def voices(self, term: str) -> int:
        """People or different texts with the term, whichever is less."""
        return min(self.people[term], self.distinct[term])


@dataclass(frozen=True, slots=True)
class _Reference:
    """What to contrast with: the draft's paragraphs, and as many pieces of ordinary language."""

    draft: Mapping[str, int]
    draft_size: int
    ordinary_size: int
    tokens: float

    def rates(self, term: str) -> tuple[float, float]:
        """Share of draft paragraphs, and of ordinary texts of this length, holding the term."""
        in_draft = self.draft.get(term, 0) / self.draft_size if self.draft_size else 0.0
        return min(in_draft, 1.0), -math.expm1(-self.tokens * ordinary.rate(term))


def rank(
    items: Sequence[Item],
    *,
    draft: Mapping[str, int],
    draft_size: int,
    top: int = 100,
    minimum: int | None = None,
    lexicon: Lexicon | None = None,
) -> list[Keyword]:
    """The `top` terms that people use and the draft and ordinary language do not, best first.

    `draft` gives the number of the draft's `draft_size` paragraphs that hold a term. `minimum` is
    the least number of voices (2; with fewer than 20 voices 1). A word that neither jieba's
    dictionary nor the lexicon (the built-in one unless given) knows was guessed by the segmenter
    and needs 2 voices in any case. Numbers, measures, pronouns, times, places and particles by
    jieba's own parts of speech name no matter and are left out, unless the lexicon holds them.

    A voice is a person with something of their own to say: of a term's people and its different
    texts the smaller number counts. So one person's fifty letters are one voice, and so are fifty
    people's copies of one letter; both stand in the table with their full 件数 and 人数.

    The statistic is the log-likelihood ratio of Dunning, "Accurate methods for the statistics of
    surprise and coincidence", Computational Linguistics 19(1), 1993: G² = 2 Σ O ln(O/E) over the
    2×2 table voices / reference × with / without the term, given the sign of the difference.
    It counts voices, never tokens: tokens of one text are not independent (design/analysis.md:
    14-16 % of terms "significant" on random halves, against 5.5 % for documents). The reference is
    the draft's paragraphs and ten times as many (at least 500) texts of the opinions' mean length
    in ordinary language, where a word of rate r in jieba's dictionary stands in
    1 - exp(-r · tokens) of them; for a term in over a quarter of the draft's paragraphs the draft
    alone.

    With fewer than 20 voices no statistic is pretended: voices decide, contrast breaks ties, then
    the term itself. Equal input gives equal output whatever its order.
    """
    counts = _counted(items)
    few = counts.n_voices < FEW
    least = minimum if minimum is not None else (1 if few else 2)
    lexicon = lexicon or builtin()
    reference = _Reference(
        draft,
        draft_size,
        max(draft_size * _ORDINARY_PER_PARAGRAPH, _LEAST_ORDINARY),
        sum(counts.opinions.values()) / max(counts.n_opinions, 1) / _TERM_SHARE,
    )
    ranked = [
        _keyword(term, counts, reference, few, lexicon)
        for term in counts.opinions
        if (voices := counts.voices(term)) >= least
        # The dictionary is asked last: of most terms there is one voice.
        and (voices >= 2 or _known(term, lexicon))
        and _names_a_matter(term, lexicon)
    ]
    ranked.sort(key=lambda keyword: (-keyword.score, keyword.term))
    return ranked[:top]


def g_squared(a: float, b: float, n_a: float, n_b: float) -> tuple[float, float, float, float]:
    """The four cells of G² (a, n_a - a, b, n_b - b), 2·O·ln(O/E) each; their sum is G² ≥ 0.

    Raises ValueError unless 0 ≤ a ≤ n_a, 0 ≤ b ≤ n_b and neither group is empty.
    """
    if not (0 <= a <= n_a and 0 <= b <= n_b and n_a > 0 and n_b > 0):
        raise ValueError(f"not a 2×2 table: {a} of {n_a}, {b} of {n_b}")
    rate = (a + b) / (n_a + n_b)
    return (
        _cell(a, n_a * rate),
        _cell(n_a - a, n_a * (1 - rate)),
        _cell(b, n_b * rate),
        _cell(n_b - b, n_b * (1 - rate)),
    )


def _cell(observed: float, expected: float) -> float:
    return 2 * observed * math.log(observed / expected) if observed > 0 else 0.0


def _counted(items: Sequence[Item]) -> _Counts:
    # Loaded at the first call: whoever only asks what a keyword is does without it.
    np: Any = importlib.import_module("numpy")
    said = [tuple(item.terms) for item in items]
    numbers = defaultdict[str, int](count().__next__)
    terms = np.fromiter(map(numbers.__getitem__, chain.from_iterable(said)), np.int64)
    sizes = np.fromiter(map(len, said), np.int64, count=len(said))

    def holding(owners: Iterable[int]) -> dict[str, int]:
        """How many of these owners, one an item, hold each term."""
        owner = np.fromiter(owners, np.int64, count=len(said))
        pairs = np.sort(np.repeat(owner, sizes) * len(numbers) + terms)
        pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
        held = np.bincount(pairs % max(len(numbers), 1), minlength=len(numbers))
        counts: list[int] = held.tolist()
        return dict(zip(numbers, counts, strict=True))

    people, texts = _numbered(i.person for i in items), _numbered(i.group for i in items)
    against = (set(item.opposed).intersection(item.terms) for item in items if item.opposed)
    return _Counts(
        holding(range(len(said))),
        holding(people),
        holding(texts),
        Counter(chain.from_iterable(against)),
        len(items),
        min(len(set(people)), len(set(texts))),
    )


def _numbered(owners: Iterable[Hashable]) -> list[int]:
    """Each owner's number; None is somebody else each time."""
    numbers = defaultdict[Hashable, int](count().__next__)
    return [numbers[object() if owner is None else owner] for owner in owners]


def _keyword(
    term: str, counts: _Counts, reference: _Reference, few: bool, lexicon: Lexicon
) -> Keyword:
    parts = (_few_parts if few else _parts)(counts.voices(term), counts.n_voices, reference, term)
    if not few:
        parts["weight"] = _weight(term, lexicon)
    keys = ("voices", "contrast") if few else _CELLS
    return Keyword(
        term=term,
        count=counts.opinions[term],
        people=counts.people[term],
        distinct=counts.distinct[term],
        share=counts.opinions[term] / counts.n_opinions,
        opposed=counts.opposed[term],
        score=parts.get("weight", 1.0) * sum(parts[key] for key in keys),
        parts=parts,
    )


_CELLS = ("said", "unsaid", "reference_said", "reference_unsaid")


def _parts(voices: int, n_voices: int, reference: _Reference, term: str) -> dict[str, float]:
    in_draft, in_ordinary = reference.rates(term)
    size = float(reference.draft_size)
    said = reference.draft_size * in_draft
    if in_draft <= _OWN_SPEECH:
        size += reference.ordinary_size
        said += reference.ordinary_size * in_ordinary
    rate = voices / n_voices
    sign = 1.0 if rate >= said / size else -1.0
    cells = g_squared(voices, said, n_voices, size)
    return {
        "voices": float(voices),
        **{name: sign * cell for name, cell in zip(_CELLS, cells, strict=True)},
        "voices_rate": rate,
        "draft_rate": in_draft,
        "ordinary_rate": in_ordinary,
        "few": 0.0,
    }


def _few_parts(voices: int, n_voices: int, reference: _Reference, term: str) -> dict[str, float]:
    in_draft, in_ordinary = reference.rates(term)
    rate = voices / n_voices
    return {
        "voices": float(voices),
        # Not a test: only how much of the joint rate is the voices' own, below 1.
        "contrast": rate / (rate + in_draft + in_ordinary + 1e-9),
        "voices_rate": rate,
        "draft_rate": in_draft,
        "ordinary_rate": in_ordinary,
        "few": 1.0,
    }


def _known(term: str, lexicon: Lexicon) -> bool:
    return term.isascii() or lexicon.decided(term) is not None or ordinary.knows(term)


# jieba's tags of words that count, point or place: 一句 几步 那条 别处 上个月 门口 …
_NO_MATTER = frozenset(re.findall(r"\w+", "m q mq r rr rz t tg d dg p c u y e o f s k h x zg"))
# … and of names of things and doings: 停车位 菜市场 绿化 居委会 南京西路 …
_THINGS = frozenset(re.findall(r"\w+", "n nr nrt ns nt nz ng vn an j"))


def names_a_thing(term: str) -> bool:
    """Whether a term names something one can speak about: a thing, a place, an institution, or what
    no ordinary dictionary has, such as a plan's own terms."""
    return not ordinary.knows(term) or ordinary.kind(term) in _THINGS


def _names_a_matter(term: str, lexicon: Lexicon) -> bool:
    return lexicon.decided(term) is not None or ordinary.kind(term) not in _NO_MATTER


def _weight(term: str, lexicon: Lexicon) -> float:
    if lexicon.decided(term) is not None:
        return _PLAN_TERM
    return _THING if ordinary.kind(term) in _THINGS else _OTHER
