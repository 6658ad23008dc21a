"""The words of a summary: which lexicon reads them, which of them stand out, how they are drawn."""

from collections.abc import Sequence
from functools import lru_cache

from consult.analysis import cloud as clouds
from consult.analysis import keywords
from consult.analysis import lexicon as words
from consult.analysis.cloud import Cloud
from consult.analysis.keywords import Keyword
from consult.analysis.lexicon import Lexicon
from consult.summaries.counts import FEW
from consult.summaries.items import Counted, Item
from consult.terms.reading import version_of

# Counts up by one whenever equal readings would be grouped or ranked differently.
METHOD = "2"
MOST_KEYWORDS = 100
RARE = 500
CLOUD_WORDS = 60
CLOUD_SIZE = (720, 360)


def lexicon_of(counted: Counted, base: Lexicon | None = None) -> Lexicon:
    """The words a snapshot was read with: `base`, the version staff kept then (`consult/lexicons.py`;
    without it the built-in ones alone), and the terms of headings it names."""
    base = base or words.builtin()
    if counted.heading_terms is None:
        return _extended(base, tuple(s.title for s in counted.sections if s.level))
    return _including(base, counted.heading_terms)


@lru_cache(maxsize=16)
def _extended(base: Lexicon, headings: tuple[str, ...]) -> Lexicon:
    return base.extended(headings)


@lru_cache(maxsize=16)
def _including(base: Lexicon, terms: tuple[str, ...]) -> Lexicon:
    return base.including(terms)


def method_of(lexicon: Lexicon) -> str:
    """By what a summary was made: how words are read, with which lexicon, and how they are grouped."""
    return f"{METHOD}.{version_of(lexicon)}"


def ranked(counted: Counted, items: Sequence[Item], base: Lexicon | None = None) -> list[Keyword]:
    """The terms that stand out among these opinions against the drafts they speak of, best first.

    Among few opinions nothing is compared: the terms come by how many opinions hold them. Among
    thousands a term must come from one person in `RARE`; what fewer say never ranks so high.
    """
    people = len({item.person for item in items})
    found = keywords.rank(
        items,
        draft=counted.draft,
        draft_size=counted.draft_size,
        top=MOST_KEYWORDS,
        minimum=people // RARE if people >= 2 * RARE else None,
        lexicon=lexicon_of(counted, base),
    )
    if len(items) < FEW:
        found.sort(key=lambda keyword: (-keyword.count, keyword.term))
    return found


def weights(items: Sequence[Item], found: Sequence[Keyword]) -> tuple[tuple[str, int], ...]:
    """What the cloud of these opinions is made from; nothing where nothing is compared."""
    if len(items) < FEW:
        return ()
    return tuple((keyword.term, keyword.count) for keyword in found[:CLOUD_WORDS])


@lru_cache(maxsize=48)
def cloud(weights: tuple[tuple[str, int], ...]) -> Cloud:
    """The words laid out: about 0.2 s, and the first time in a process as much again."""
    width, height = CLOUD_SIZE
    return clouds.layout(dict(weights), font_path=clouds.default_font(), width=width, height=height)
