"""Which words make a group of opinions what it is: ranked by contrast, counted in people."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consult.analysis.lexicon import Lexicon, builtin
from consult.analysis.stock import ordinary

# Below this many people no statistic is computed: with 19 the 2×2 table says nothing.
FEW = 20
# Share of a Chinese text's tokens that are terms, the rest being grammar, stop words and marks.
_TERM_SHARE = 0.45
# The ordinary half of the reference is never smaller than this, whatever the draft's size.
_LEAST_REFERENCE = 50


class Item(Protocol):
    """One opinion: distinct terms, those opposed, and who gave it (None: unknown, one each)."""

    @property
    def terms(self) -> Iterable[str]: ...
    @property
    def opposed(self) -> Iterable[str]: ...
    @property
    def person(self) -> Hashable: ...


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term of a group: in how many opinions, from how many people, against how often.

    `share` is count / opinions, 0-1. `score` orders the table, and `parts` explains it:
    * many people: score = said + unsaid + reference_said + reference_unsaid, the four cells of
      the statistic of `rank`; beside them the rates (0-1) `people_rate`, `draft_rate`,
      `ordinary_rate` they come from; `few` is 0.
    * few people: score = people + contrast, contrast 0-1 and only to break ties; `few` is 1.
    """

    term: str
    count: int
    people: int
    share: float
    opposed: int
    score: float
    parts: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Counts:
    opinions: Counter[str]
    people: Counter[str]
    opposed: Counter[str]
    n_opinions: int
    n_people: int


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
    the least number of people (2; with fewer than 20 people 1). A word that neither jieba's
    dictionary nor the lexicon (the built-in one unless given) knows was guessed by the segmenter
    and needs 2 people in any case.

    The statistic is the log-likelihood ratio of Dunning, "Accurate methods for the statistics of
    surprise and coincidence", Computational Linguistics 19(1), 1993: G² = 2 Σ O ln(O/E) over the
    2×2 table people / reference × with / without the term, given the sign of the difference.
    It counts people, never tokens: tokens of one text are not independent (design/analysis.md:
    14-16 % of terms "significant" on random halves, against 5.5 % for documents). The reference is
    the draft's paragraphs and as many (at least 50) texts of the opinions' mean length in ordinary
    language, where a word of rate r in jieba's dictionary stands in 1 - exp(-r · tokens) of them.

    With fewer than 20 people no statistic is pretended: people decide, contrast breaks ties, then
    the term itself. Equal input gives equal output whatever its order.
    """
    counts = _counted(items)
    few = counts.n_people < FEW
    least = minimum if minimum is not None else (1 if few else 2)
    lexicon = lexicon or builtin()
    reference = _Reference(
        draft,
        draft_size,
        max(draft_size, _LEAST_REFERENCE),
        sum(counts.opinions.values()) / max(counts.n_opinions, 1) / _TERM_SHARE,
    )
    ranked = [
        _keyword(term, counts, reference, few)
        for term, people in counts.people.items()
        if people >= least and (people >= 2 or _known(term, lexicon))
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
    opinions: Counter[str] = Counter()
    opposed: Counter[str] = Counter()
    said_by: dict[Hashable, set[str]] = {}
    for number, item in enumerate(items):
        terms = set(item.terms)
        opinions.update(terms)
        opposed.update(terms & set(item.opposed))
        who = ("nobody", number) if item.person is None else ("person", item.person)
        said_by.setdefault(who, set()).update(terms)
    people: Counter[str] = Counter()
    for said in said_by.values():
        people.update(said)
    return _Counts(opinions, people, opposed, len(items), len(said_by))


def _keyword(term: str, counts: _Counts, reference: _Reference, few: bool) -> Keyword:
    people = counts.people[term]
    parts = (_few_parts if few else _parts)(people, counts.n_people, reference, term)
    keys = ("people", "contrast") if few else _CELLS
    return Keyword(
        term=term,
        count=counts.opinions[term],
        people=people,
        share=counts.opinions[term] / counts.n_opinions,
        opposed=counts.opposed[term],
        score=sum(parts[key] for key in keys),
        parts=parts,
    )


_CELLS = ("said", "unsaid", "reference_said", "reference_unsaid")


def _parts(people: int, n_people: int, reference: _Reference, term: str) -> dict[str, float]:
    in_draft, in_ordinary = reference.rates(term)
    size = reference.draft_size + reference.ordinary_size
    said = reference.draft_size * in_draft + reference.ordinary_size * in_ordinary
    rate = people / n_people
    sign = 1.0 if rate >= said / size else -1.0
    cells = g_squared(people, said, n_people, size)
    return {
        **{name: sign * cell for name, cell in zip(_CELLS, cells, strict=True)},
        "people_rate": rate,
        "draft_rate": in_draft,
        "ordinary_rate": in_ordinary,
        "few": 0.0,
    }


def _few_parts(people: int, n_people: int, reference: _Reference, term: str) -> dict[str, float]:
    in_draft, in_ordinary = reference.rates(term)
    rate = people / n_people
    return {
        "people": float(people),
        # Not a test: only how much of the joint rate is the people's own, below 1.
        "contrast": rate / (rate + in_draft + in_ordinary + 1e-9),
        "people_rate": rate,
        "draft_rate": in_draft,
        "ordinary_rate": in_ordinary,
        "few": 1.0,
    }


def _known(term: str, lexicon: Lexicon) -> bool:
    return term.isascii() or lexicon.decided(term) is not None or ordinary.knows(term)
