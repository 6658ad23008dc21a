"""The themes of points: what speaks of the same matter in other words.

The grouping is that of the summaries (`analysis/themes`), told apart more finely: a theme of a
summary may be as wide as parking, but nobody merges what two hundred people say of parking. So a
theme that is too large to be read at once is grouped again from within. Of few texts a theme holds
whatever shares a word with another: there only what is like the one in its middle is kept together.
"""

import importlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consult.analysis.lexicon import Lexicon
from consult.terms.reading import engine_for

# Among fewer texts a theme is an accident.
LEAST = 20
# How much finer a theme is told apart from within.
_FINER = 2.0
_MOST_TERMS = 8
# A text that holds fewer of a theme's terms is not of it closely enough to be asked about.
_LEAST_TERMS = 2
# So many texts are few, and so like the one in the middle (cosine of their terms, rare ones weigh
# more) is one that is kept with it; both tried by hand on the example's opinions.
_FEW = 1_000
_LEAST_LIKE = 0.22
_NAMED_BY = 3


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: its name, its most telling terms, and the places of its texts, likest to the one in
    the middle first."""

    name: str
    terms: tuple[str, ...]
    members: tuple[int, ...]


def of(texts: Sequence[str], lexicon: Lexicon, *, most: int) -> list[Theme]:
    """The themes of texts, the largest first; one of more than `most` texts falls into finer ones,
    and of few texts each into what is like its middle. Below `LEAST` texts there are none. About
    1 ms a text."""
    if len(texts) < LEAST:
        return []
    engine = engine_for(lexicon)
    said = [engine.mentions(text) for text in texts]
    group = importlib.import_module("consult.analysis.themes").group
    found: list[Theme] = []
    themes = group(said).themes
    if len(texts) < _FEW:
        rarity = _rarity(said)
        found = [core for theme in themes for core in _cores(theme.members, said, rarity)]
        return sorted(found, key=lambda each: (-len(each.members), each.members))
    for theme in themes:
        if len(theme.members) <= most:
            found.append(_theme(theme.name, theme, theme.members, said))
            continue
        within = [said[place] for place in theme.members]
        for finer in group(within, resolution=_FINER).themes:
            members = [theme.members[place] for place in finer.members]
            name = theme.name if finer.name == theme.name else f"{theme.name}：{finer.name}"
            found.append(_theme(name, finer, members, said))
    return sorted(found, key=lambda each: (-len(each.members), each.members))


def _rarity(said: Sequence[Mapping[str, float]]) -> dict[str, float]:
    held = Counter(term for each in said for term in each)
    return {term: math.log(len(said) / number) for term, number in held.items()}


def _cores(
    members: Sequence[int], said: Sequence[Mapping[str, float]], rarity: Mapping[str, float]
) -> list[Theme]:
    """What of a theme is like one text of it, which has the most that are; then the same of the
    rest. What is like no other is in none."""
    weights = {place: _weights(said[place], rarity) for place in members}
    like: defaultdict[int, dict[int, float]] = defaultdict(dict)
    for n, one in enumerate(members):
        for other in members[n + 1 :]:
            shared = weights[one].keys() & weights[other].keys()
            if len(shared) < _LEAST_TERMS:
                continue
            likeness = sum(weights[one][term] * weights[other][term] for term in shared)
            if likeness >= _LEAST_LIKE:
                like[one][other] = like[other][one] = likeness
    left, found = set(like), []
    while left:
        around = {place: left & like[place].keys() for place in left}
        middle = max(left, key=lambda place: (len(around[place]), -place))
        if not around[middle]:
            break
        core = [middle, *sorted(around[middle], key=lambda p: (-like[middle][p], p))]
        terms = _shared(core, weights)
        found.append(Theme("、".join(terms[:_NAMED_BY]), terms, tuple(core)))
        left -= set(core)
    return found


def _weights(held: Mapping[str, float], rarity: Mapping[str, float]) -> dict[str, float]:
    """The terms of a text, so that the sum of two texts' products is the cosine between them."""
    own = {term: often * rarity[term] for term, often in held.items()}
    length = math.sqrt(sum(each * each for each in own.values())) or 1.0
    return {term: each / length for term, each in own.items()}


def _shared(core: Sequence[int], weights: Mapping[int, Mapping[str, float]]) -> tuple[str, ...]:
    """The terms that more than one of them holds, the weightiest first."""
    total: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for place in core:
        total.update(weights[place])
        held.update(weights[place].keys())
    terms = sorted(
        (term for term in total if held[term] > 1), key=lambda term: (-total[term], term)
    )
    return tuple(terms[:_MOST_TERMS])


def _theme(
    name: str, found: Any, members: Sequence[int], said: Sequence[Mapping[str, float]]
) -> Theme:
    """What holds most of the theme's terms comes first, the earliest first among equals; what shares
    hardly a word with the others is left out."""
    terms: tuple[str, ...] = found.terms[:_MOST_TERMS]
    held = {place: len(said[place].keys() & set(terms)) for place in members}
    close = [place for place in members if held[place] >= _LEAST_TERMS]
    return Theme(name, terms, tuple(sorted(close, key=lambda place: (-held[place], place))))
