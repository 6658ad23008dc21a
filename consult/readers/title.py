"""Finds the document's own name among its opening pieces.

Looks at the first dozen pieces only; headings are worked out elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable

from consult.readers import hygiene, marks
from consult.readers.draft import Piece


def take_title(pieces: list[Piece]) -> tuple[str, list[Piece]]:
    """The document's own name and the pieces without it (nor its repeat after a cover)."""
    start, end = _title_span(pieces)
    title = hygiene.one_line("".join(piece.text for piece in pieces[start:end]))
    rest = pieces[:start] + pieces[end:]
    if not title:
        return "", pieces
    for index, piece in enumerate(rest[:12]):
        if hygiene.squeezed(piece.text) == hygiene.squeezed(title) and piece.kind == "paragraph":
            return title, rest[:index] + rest[index + 1 :]
    return title, rest


def _title_span(pieces: list[Piece]) -> tuple[int, int]:
    styled = [index for index, piece in enumerate(pieces[:12]) if piece.is_title]
    if styled:
        return styled[0], _run_end(pieces, styled[0], lambda piece: piece.is_title)
    start = 0
    while start < len(pieces) and _is_annex_line(pieces[start]):
        start += 1
    if start + 1 >= len(pieces) or not marks.could_be_title(pieces[start].text):
        return 0, 0
    first = pieces[start]
    if first.level:
        return (start, start + 1) if _stands_above_all(first, pieces) else (0, 0)
    if first.kind != "paragraph" or first.fixed:
        return 0, 0
    if not first.centred:
        return start, start + 1
    return start, _run_end(pieces, start, _continues_title)


def _is_annex_line(piece: Piece) -> bool:
    """A draft sent as an enclosure opens with 附件 or 附件1."""
    text = hygiene.squeezed(piece.text[:12])
    return not piece.level and text.rstrip("0123456789一二三：:") == "附件"


def _stands_above_all(first: Piece, pieces: list[Piece]) -> bool:
    levels = [piece.level for piece in pieces if piece.level]
    return len(levels) > 1 and first.level == min(levels) and levels.count(first.level) == 1


def _continues_title(piece: Piece) -> bool:
    return (
        piece.centred
        and not piece.level
        and piece.kind == "paragraph"
        and marks.could_be_title(piece.text)
        and not marks.is_issuer_or_date(piece.text)
    )


def _run_end(pieces: list[Piece], start: int, belongs: Callable[[Piece], bool]) -> int:
    end = start + 1
    while end < min(len(pieces), start + 4) and belongs(pieces[end]):
        end += 1
    return end
