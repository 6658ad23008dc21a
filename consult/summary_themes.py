"""The themes of a count: found once, when it is counted, and kept with the snapshot.

Each distinct text is looked at once, so that a campaign does not become a theme by its number; its
copies then belong to the same theme. Among very many texts a spread sample is grouped and the rest
go where they are likest, if they are as like as most of those who are there.
"""

import importlib
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from consult.summary_counts import FEW
from consult.summary_items import UNCLASSIFIED, Item, Theme

# So many distinct texts are grouped by their likeness; it takes some 30 KB each.
MOST_GROUPED = 4000
SPOKESMEN = 3
# A text outside the sample joins a theme when it is likelier there than this share of its members.
_LEAST_RANK = 0.1


def find(items: Sequence[Item]) -> tuple[tuple[Item, ...], tuple[Theme, ...]]:
    """The items with the number of their theme, and the themes, largest first.

    0.5 s for 1,000 distinct texts. Below `FEW` there are none.
    """
    firsts = list({item.group: item for item in reversed(items)}.values())[::-1]
    if len(firsts) < FEW:
        return tuple(items), ()
    sample = _spread(firsts, MOST_GROUPED)
    themes = importlib.import_module("consult.analysis.themes")
    grouping = themes.group([dict.fromkeys(item.terms, 1.0) for item in sample])
    members = [[sample[place] for place in theme.members] for theme in grouping.themes]
    number_of = {item.group: n for n, held in enumerate(members, 1) for item in held}
    if len(sample) < len(firsts):
        number_of.update(_nearest(members, firsts, {item.group for item in sample}))
    found = tuple(replace(i, theme=number_of.get(i.group, UNCLASSIFIED)) for i in items)
    said = tuple(
        Theme(theme.name, theme.terms, sample[theme.representative].id, _spokesmen(held))
        for theme, held in zip(grouping.themes, members, strict=True)
    )
    return found, said


def _spread(items: Sequence[Item], most: int) -> list[Item]:
    if len(items) <= most:
        return list(items)
    return [items[n * len(items) // most] for n in range(most)]


def _spokesmen(held: Sequence[Item]) -> tuple[int, ...]:
    choose = importlib.import_module("consult.analysis.spokesmen").choose
    opinions = [dict.fromkeys(item.terms, 1.0) for item in held]
    return tuple(held[each.place].id for each in choose(opinions, most=SPOKESMEN))


def _nearest(
    members: Sequence[Sequence[Item]], firsts: Sequence[Item], known: set[int]
) -> dict[int, int]:
    """{group: theme} of the texts outside the sample, by the cosine of their terms, weighted by
    rarity, with the middle of each theme."""
    held: Counter[str] = Counter(term for item in firsts for term in item.terms)
    rarity = {term: math.log(len(firsts) / n) for term, n in held.items()}
    middles = [_middle(each, rarity) for each in members]
    bars = []
    for each, middle in zip(members, middles, strict=True):
        likeness = sorted(_likeness(item, middle, rarity) for item in each)
        bars.append(max(1e-6, likeness[int(_LEAST_RANK * len(likeness))]))
    found = {}
    for item in firsts:
        if item.group in known or not item.terms:
            continue
        scores = [_likeness(item, middle, rarity) for middle in middles]
        best = max(range(len(scores)), key=scores.__getitem__, default=None)
        if best is not None and scores[best] >= bars[best]:
            found[item.group] = best + 1
    return found


def _middle(items: Sequence[Item], rarity: Mapping[str, float]) -> dict[str, float]:
    total = defaultdict[str, float](float)
    for item in items:
        length = math.sqrt(sum(rarity[t] ** 2 for t in item.terms)) or 1.0
        for term in item.terms:
            total[term] += rarity[term] / length
    size = math.sqrt(sum(weight * weight for weight in total.values())) or 1.0
    return {term: weight / size for term, weight in total.items()}


def _likeness(item: Item, middle: Mapping[str, float], rarity: Mapping[str, float]) -> float:
    length = math.sqrt(sum(rarity[t] ** 2 for t in item.terms)) or 1.0
    return sum(rarity[t] * middle.get(t, 0.0) for t in item.terms) / length
