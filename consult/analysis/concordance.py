"""A term in its surroundings: the lines a reader scans to see what people say with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from consult.analysis import normal
from consult.analysis.engine import latin_folded
from consult.analysis.segment import Segmenter

_BLANK = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One mention: what stands before it, the words as written, what stands after."""

    left: str
    keyword: str
    right: str

    def by_left(self) -> str:
        """Sorting key for the left: the nearest character counts first."""
        return self.left[::-1]

    def by_right(self) -> str:
        """Sorting key for the right."""
        return self.right


def lines(text: str, term: str, *, width: int = 20, segmenter: Segmenter) -> list[Line]:
    """Every mention of a term in a text, in order, with up to `width` characters to each side.

    A mention is a word that counts as the term, synonyms included (加梯 for 加装电梯): these are
    the mentions that are counted. Where the text holds none, plain occurrences of the term's forms
    are given instead, for terms that the segmenter cuts. The words stand as the writer wrote them;
    white space is one space. Raises ValueError for an empty term or a negative width.
    """
    if not term or width < 0:
        raise ValueError("a concordance needs a term and a width of 0 or more")
    plain, places = normal.plain_with_places(text)
    wanted = _counted(term, segmenter)
    spans = [
        (start, start + len(word))
        for word, start in segmenter.spans(plain)
        if len(word) > 1 and _counted(word, segmenter) == wanted
    ]
    spans = spans or _occurrences(plain, wanted, segmenter)
    return [_line(text, places[start], places[end], width) for start, end in spans]


def _counted(word: str, segmenter: Segmenter) -> str:
    return segmenter.lexicon.decided(word) or latin_folded(word)


def _occurrences(plain: str, term: str, segmenter: Segmenter) -> list[tuple[int, int]]:
    forms = sorted(segmenter.lexicon.surfaces(term), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, forms)), re.IGNORECASE)
    return [match.span() for match in pattern.finditer(plain)]


def _line(text: str, start: int, end: int, width: int) -> Line:
    left = _BLANK.sub(" ", text[max(0, start - 2 * width) : start])
    right = _BLANK.sub(" ", text[end : end + 2 * width])
    return Line(left[-width:] if width else "", text[start:end], right[:width])
