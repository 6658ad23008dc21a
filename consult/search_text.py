"""Chinese words made findable by any substring: folding, tokens, and where a hit stands.

Pure: text in, plain values out. Two texts that differ only in form (full width, case, spacing)
fold to the same; a text is found by the pairs of neighbouring characters it is made of.
"""

import re
import sys
import unicodedata
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Draw nothing and are copied along unseen: soft hyphen, zero-width signs, direction marks.
UNSEEN = re.compile("[\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff]")
SHORTEST, LONGEST = 2, 100
# Up to this length all pairs are asked for: each one more is a list to go through, but 建议 alone lets
# far more candidates through for 建议建议 than 建议 and 议建. A long quotation is found by so many of
# its pairs. The rest is verified.
ALL_PAIRS, MOST_PAIRS = 9, 16
# Between the parts of a text; no query can hold it, because folding makes it a space.
BREAK = "\n"
# The least token there is: they have a sign, because PostgreSQL's numbers have one.
LOWEST = -(2**31)


def fold(text: str) -> str:
    """`text` in the form in which it is compared: NFKC, no case, each white space one blank."""
    return spaced(unicodedata.normalize("NFKC", text).casefold())


def spaced(text: str) -> str:
    """The rest of `fold`, for a text that is in NFKC without case already."""
    return " ".join(UNSEEN.sub("", text).split())


def joined(folded: Iterable[str]) -> str:
    """The folded parts of a text as they are kept."""
    return BREAK.join(part for part in folded if part)


def needles(typed: str) -> list[str]:
    """The folded words of a query, which all must be found; as they stand when each is a single
    character: no list is short enough for 幢 alone, but for "幢 座" there is one."""
    folded = fold(typed)
    words = folded.split()
    if len(words) > 1 and max(map(len, words)) < SHORTEST:
        return [folded]
    return words


def pairs(folded: str) -> set[int]:
    """The tokens of a text: each pair of neighbouring characters as a signed 32-bit number."""
    plain = folded.encode("utf-16-be", "surrogatepass")
    if len(plain) != 2 * len(folded):
        codes = [ord(character) & 0xFFFF for character in folded]
        return {(a << 16 | b) + LOWEST for a, b in pairwise(codes)}
    # Two characters of two bytes each are such a number as they stand: those that begin at even
    # places, and those at odd ones.
    found: set[int] = set()
    for begin in (0, 2):
        numbers = array("I", plain[begin : begin + (len(plain) - begin) // 4 * 4])
        if sys.byteorder == "little":
            numbers.byteswap()
        found.update(numbers)
    return {number + LOWEST for number in found}


def pairs_asked(needle: str) -> set[int]:
    """The tokens that whatever holds `needle` must have: enough of them to find it by."""
    if len(needle) < SHORTEST:
        return set()
    if len(needle) <= ALL_PAIRS:
        return pairs(needle)
    starts = [*range(0, len(needle) - 1, 2), len(needle) - 2]
    chosen = starts[-MOST_PAIRS:]
    return set().union(*(pairs(needle[start : start + 2]) for start in chosen))


def mark(name: str) -> int:
    """The token that stands for a fact about a text, such as its channel."""
    return zlib.crc32(name.encode()) + LOWEST


# --- showing a hit ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text, and whether it is what was looked for."""

    text: str
    hit: bool


def excerpt(text: str, needles: Sequence[str], *, around: int = 60, most: int = 200) -> list[Part]:
    """The text around its first hit, cut into parts: about `around` characters before it, `most`
    in all. The beginning of the text when nothing is hit in it."""
    text = " ".join(text.split())
    spans = _spans(text, needles)
    begin = max(spans[0][0] - around, 0) if spans else 0
    end = min(begin + most, len(text))
    if end == len(text):
        begin = max(min(begin, end - most), 0)
    spans = [(max(a, begin), min(b, end)) for a, b in spans if a < end and b > begin]
    parts = list(_parts(text, spans, begin, end))
    if begin:
        parts.insert(0, Part("…", hit=False))
    if end < len(text):
        parts.append(Part("…", hit=False))
    return parts


def _parts(text: str, spans: Iterable[tuple[int, int]], begin: int, end: int) -> Iterator[Part]:
    at = begin
    for first, last in spans:
        if first > at:
            yield Part(text[at:first], hit=False)
        yield Part(text[first:last], hit=True)
        at = last
    if at < end:
        yield Part(text[at:end], hit=False)


def _spans(text: str, needles: Sequence[str]) -> list[tuple[int, int]]:
    """Where the needles stand in `text` itself: (begin, end), in order, not overlapping."""
    folded = fold(text)
    if len(folded) == len(text):
        # Nearly always each character folds to one. Each place is checked, because a long sign and
        # a sign that vanishes may even out.
        found = _places(folded, needles)
        if all(fold(text[begin:end]) == folded[begin:end] for begin, end in found):
            return _merged(found)
    folded, origin = _mapped(text)
    places = _places(folded, needles)
    return _merged([(origin[begin][0], origin[end - 1][1]) for begin, end in places])


def _places(folded: str, needles: Sequence[str]) -> list[tuple[int, int]]:
    found = []
    for needle in needles:
        at = folded.find(needle) if needle else -1
        while at >= 0:
            found.append((at, at + len(needle)))
            at = folded.find(needle, at + len(needle))
    return found


def _merged(found: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif begin < end:
            merged.append((begin, end))
    return merged


def _mapped(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The folded text and, for each of its characters, from where to where it stands in `text`.

    A letter and the signs that combine with it are folded together, as in the whole.
    """
    pieces: list[str] = []
    origin: list[tuple[int, int]] = []
    blank = True
    for begin, end in _clusters(text):
        piece = UNSEEN.sub("", unicodedata.normalize("NFKC", text[begin:end]).casefold())
        if piece.isspace():
            piece, blank = "" if blank else " ", True
        elif piece:
            blank = False
        pieces.append(piece)
        origin += [(begin, end)] * len(piece)
    return "".join(pieces), origin


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for place in range(1, len(text)):
        if not unicodedata.combining(text[place]):
            yield begin, place
            begin = place
    if text:
        yield begin, len(text)
