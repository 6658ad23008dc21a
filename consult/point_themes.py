"""The themes of points: what speaks of the same matter in other words.

The grouping is that of the summaries (`analysis/themes`), told apart more finely: a theme of a
summary may be as wide as parking, but nobody merges what two hundred people say of parking. So a
theme that is too large to be read at once is grouped again from within.
"""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from consult import term_reading
from consult.analysis.lexicon import Lexicon

# Among fewer texts a theme is an accident.
LEAST = 20
# How much finer a theme is told apart from within.
_FINER = 2.0
_MOST_TERMS = 8
# A text that holds fewer of a theme's terms is not of it closely enough to be asked about.
_LEAST_TERMS = 2


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme: its name, its most telling terms, and the places of its texts, likest to the one in
    the middle first."""

    name: str
    terms: tuple[str, ...]
    members: tuple[int, ...]


def of(texts: Sequence[str], lexicon: Lexicon, *, most: int) -> list[Theme]:
    """The themes of texts, the largest first; one of more than `most` texts falls into finer ones.
    Below `LEAST` texts there are none. About 1 ms a text."""
    if len(texts) < LEAST:
        return []
    engine = term_reading.engine_for(lexicon)
    said = [engine.mentions(text) for text in texts]
    group = importlib.import_module("consult.analysis.themes").group
    found: list[Theme] = []
    for theme in group(said).themes:
        if len(theme.members) <= most:
            found.append(_theme(theme.name, theme, theme.members, said))
            continue
        within = [said[place] for place in theme.members]
        for finer in group(within, resolution=_FINER).themes:
            members = [theme.members[place] for place in finer.members]
            name = theme.name if finer.name == theme.name else f"{theme.name}：{finer.name}"
            found.append(_theme(name, finer, members, said))
    return sorted(found, key=lambda each: (-len(each.members), each.members))


def _theme(
    name: str, found: Any, members: Sequence[int], said: Sequence[Mapping[str, float]]
) -> Theme:
    """What holds most of the theme's terms comes first, the earliest first among equals; what shares
    hardly a word with the others is left out."""
    terms: tuple[str, ...] = found.terms[:_MOST_TERMS]
    held = {place: len(said[place].keys() & set(terms)) for place in members}
    close = [place for place in members if held[place] >= _LEAST_TERMS]
    return Theme(name, terms, tuple(sorted(close, key=lambda place: (-held[place], place))))
