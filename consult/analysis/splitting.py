"""Sentences of an opinion, and where it seems to turn to another matter: rules, nothing learned.

Pure: text in, spans out. What is proposed is only proposed; a person splits.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

Place = tuple[int, int]

# A sentence ends behind these and the closing marks that follow, or at the end of a line.
_END = re.compile(r"[。！？!?；;…]+[”’」』）)】》\"']*|\n+")
_DIGITS = "一二三四五六七八九十"
# An item of a list, however people number: 1. 1、 （2） 第三， 一是 其二 ① •
_ITEM = re.compile(
    rf"[\s　]*(?:[（(]?\d{{1,2}}[)）.．、](?!\d)|[（(][{_DIGITS}]{{1,3}}[)）]|[{_DIGITS}]{{1,3}}[、．.]"
    rf"|第[{_DIGITS}]{{1,2}}[，,、：:点]|[{_DIGITS}]是|其[一二三四五]|[①-⑳]|[•·●■▪-]\s?)"
)
# Words with which somebody turns to a further matter.
_TURN = re.compile(
    r"[\s　]*(?:另外|此外|除此之外|还有(?:一|就是|，|,|、)|再就是|再者|再有|顺便|最后[，,]?(?:建议|希望|还)"
    r"|同时[，,]?(?:建议|希望|也)|(?:也|还|又)(?:建议|希望|想|请))"
)
# Too short to be a matter of its own: 您好！ 谢谢。 建议如下：
_LEAST = 6


def sentences(text: str) -> list[Place]:
    """The sentences, in order; together they hold every visible character, and none is empty."""
    return [place for place in _cut(text) if text[slice(*place)].strip()]


def proposed(text: str) -> list[Place]:
    """Spans, each one matter: numbered items, or what follows a turning word. One span when
    nothing speaks for more."""
    found = sentences(text)
    if not found:
        return [(0, len(text))] if text else []
    items = [place for place, span in enumerate(found) if _ITEM.match(text, *span)]
    if len(items) > 1:
        starts = items
    else:
        starts = [n for n, span in enumerate(found) if n and _TURN.match(text, *span)]
    return joined(found, [n for n in starts if not _all_short(text, found[:n])], len(text))


def joined(found: Sequence[Place], starts: Sequence[int], length: int) -> list[Place]:
    """The text of `length` cut before the sentences that are `starts`; what stands before the
    first of them is a part of its own."""
    cuts = [0, *(found[n][0] for n in sorted(set(starts)) if 0 < n < len(found)), length]
    return [(begin, end) for begin, end in pairwise(cuts) if begin < end]


def _all_short(text: str, found: Sequence[Place]) -> bool:
    """Whether all that stands before is a greeting or a heading, which goes with what follows."""
    said = "".join(text[slice(*span)].strip() for span in found)
    return len(said) < _LEAST or (len(said) < 4 * _LEAST and said.endswith(("：", ":")))


def _cut(text: str) -> Iterator[Place]:
    begin = 0
    for end in (match.end() for match in _END.finditer(text)):
        yield begin, end
        begin = end
    if begin < len(text):
        yield begin, len(text)
