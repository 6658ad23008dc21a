"""Works out headings and their levels from the pieces a format reader found.

Knows nothing of files. Trusts what the document marks itself (styles, #), then the
numbers; leaves the rest as body and tells staff what it was unsure about.
"""

from __future__ import annotations

from collections import Counter

from consult.readers import hygiene, marks
from consult.readers.draft import (
    MAX_BLOCK_CHARACTERS,
    MAX_WARNINGS,
    Block,
    Piece,
    ReadDraft,
    UnreadableDraft,
    check_amount,
)
from consult.readers.marks import Rank
from consult.readers.title import take_title

DEEPEST = 6


def compose(pieces: list[Piece], *, marked_only: bool, warnings: list[str]) -> ReadDraft:
    """`marked_only`: the author marked headings by hand (#), so numbers alone make none."""
    pieces = _cleaned(pieces)
    pieces = _without_contents(pieces, warnings)
    _demote_sentences(pieces)
    title, pieces = take_title(pieces)
    pieces = _with_numbers_joined(pieces)
    if not pieces:
        raise UnreadableDraft("文件里没有可读的正文，请确认内容后重新上传。")
    if not (marked_only and any(piece.level for piece in pieces)):
        _mark_by_numbers(pieces, warnings)
    _raise_to_top(pieces)
    _name_doubts(pieces, warnings)
    blocks = tuple(_block(piece) for piece in pieces)
    check_amount(len(blocks), sum(len(block.text) for block in blocks))
    return ReadDraft(title, blocks, _capped(warnings))


def _block(piece: Piece) -> Block:
    if piece.level:
        return Block(min(piece.level, DEEPEST), "heading", hygiene.one_line(piece.text))
    is_item = piece.kind == "paragraph" and _is_list_item(piece.text)
    return Block(0, "list_item" if is_item else piece.kind, piece.text)


def _is_list_item(text: str) -> bool:
    rank = marks.rank_of(text)
    return rank is not None and rank >= Rank.HAN


def _capped(warnings: list[str]) -> tuple[str, ...]:
    more = len(warnings) - MAX_WARNINGS
    return tuple(warnings[:MAX_WARNINGS] + ([f"另有{more}条提示未列出。"] if more > 0 else []))


def _cleaned(pieces: list[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in pieces:
        if piece.kind != "table":
            marked = piece.level or piece.is_title
            tidy = hygiene.one_line if marked else hygiene.paragraph
            # A page number may hang on a tab, which tidying would lose.
            line = piece.text.strip()
            bare = marks.without_page_number(line)
            piece.without_page = tidy(bare) if bare != line and not piece.level else ""
            piece.text = tidy(line)
        if not hygiene.is_visible(piece.text):
            continue
        if len(piece.text) > MAX_BLOCK_CHARACTERS:
            raise UnreadableDraft(
                f"第{len(kept) + 1}段超过{MAX_BLOCK_CHARACTERS // 10_000}万字，请分段后重新上传。"
            )
        kept.append(piece)
    return kept


def _without_contents(pieces: list[Piece], warnings: list[str]) -> list[Piece]:
    """Drop the contents: marked lines, and lines whose text comes again below.

    A leader and a number alone do not suffice: 人口……120 may be body.
    """
    last = {hygiene.squeezed(piece.text): index for index, piece in enumerate(pieces)}
    kept, dropped, under_title = [], 0, False
    for index, piece in enumerate(pieces):
        is_title = piece.kind != "table" and marks.is_contents_title(piece.text)
        entry = piece.without_page or piece.text
        again = last.get(hygiene.squeezed(entry), 0) > index
        is_entry = (again or piece.without_page) if under_title else (again and piece.without_page)
        if is_title or piece.contents or is_entry:
            under_title = under_title or is_title
            dropped += 1
            continue
        under_title = False
        kept.append(piece)
    if dropped:
        warnings.append(f"已略去目录（{dropped}行）。")
    return kept


def _with_numbers_joined(pieces: list[Piece]) -> list[Piece]:
    """第一章 on one line and its name on the next are one heading."""
    kept: list[Piece] = []
    for piece in pieces:
        before = kept[-1] if kept else None
        if before and _is_bare_number(before) and _can_name(piece, before):
            before.text = f"{before.text}　{piece.text}"
            before.level = before.level or piece.level
        else:
            kept.append(piece)
    return kept


def _is_bare_number(piece: Piece) -> bool:
    rank = marks.heading_rank(piece.text)
    return (
        rank is not None
        and rank <= Rank.SECTION
        and not piece.fixed
        and marks.number_of(piece.text) == piece.text
    )


def _can_name(piece: Piece, number: Piece) -> bool:
    same_mark = piece.level == number.level or not (piece.level and number.level)
    is_line = piece.kind == "paragraph" and not piece.fixed
    return is_line and same_mark and marks.could_be_title(piece.text) and len(piece.text) <= 40


def _demote_sentences(pieces: list[Piece]) -> None:
    """Whole paragraphs set in a heading style are body all the same."""
    for piece in pieces:
        if piece.level and (len(piece.text) > 200 or (len(piece.text) > 80 and "。" in piece.text)):
            piece.level, piece.demoted = 0, True


def _mark_by_numbers(pieces: list[Piece], warnings: list[str]) -> None:
    """Give levels to unmarked lines by their numbers, beside the marks there are."""
    had_marks = any(piece.level for piece in pieces)
    found = _candidates(pieces)
    _drop_lists(found, pieces)
    levels = _levels(pieces, found)
    for index, rank in found.items():
        pieces[index].level = levels[rank]
    if not had_marks:
        for piece in pieces:
            if _may_be_heading(piece) and marks.is_unnumbered_heading(piece.text):
                piece.level = piece.level or 1
    if had_marks and found:
        named = "、".join(f"第{i + 1}段{_quoted(pieces[i])}" for i in sorted(found)[:5])
        warnings.append(f"有{len(found)}处标题未用标题样式，已按编号识别，请核对：{named}。")


def _may_be_heading(piece: Piece) -> bool:
    return not (piece.level or piece.fixed) and piece.kind != "table"


def _candidates(pieces: list[Piece]) -> dict[int, Rank]:
    found = {}
    for index, piece in enumerate(pieces):
        rank = marks.heading_rank(piece.text) if _may_be_heading(piece) else None
        if rank is not None:
            found[index] = rank
    return found


def _drop_lists(found: dict[int, Rank], pieces: list[Piece]) -> None:
    """Short numbered lines are a list, not headings, when most have nothing below them."""
    top = min(found.values(), default=Rank.PART)
    open_groups: dict[Rank, list[int]] = {}
    for index in range(len(pieces) + 1):
        rank = found.get(index)
        is_break = index == len(pieces) or pieces[index].level > 0
        ended = [r for r in open_groups if is_break or (rank is not None and r > rank)]
        for group in (open_groups.pop(r) for r in ended):
            if _is_list(group, found, pieces, top):
                for member in group:
                    del found[member]
        if rank is not None and not is_break:
            open_groups.setdefault(rank, []).append(index)


def _is_list(group: list[int], found: dict[int, Rank], pieces: list[Piece], top: Rank) -> bool:
    rank = found[group[0]]
    if rank <= Rank.SECTION or (rank == top and rank == Rank.HAN):
        return False
    if len(group) > 1 and all(pieces[index].strong for index in group):
        return False
    with_text = 0
    for index in group:
        below = index + 1
        if below < len(pieces) and not pieces[below].level:
            with_text += found.get(below, Rank.CIRCLED) > rank
    return with_text * 2 <= len(group)


def _levels(pieces: list[Piece], found: dict[int, Rank]) -> dict[Rank, int]:
    """Level of each rank: as the marked headings use it, else one below the rank above."""
    seen: dict[Rank, Counter[int]] = {}
    for piece in pieces:
        rank = marks.rank_of(piece.text) if piece.level else None
        if rank is not None:
            seen.setdefault(rank, Counter())[piece.level] += 1
    levels = {rank: counts.most_common(1)[0][0] for rank, counts in seen.items()}
    unnumbered = max((p.level for p in pieces if marks.rank_of(p.text) is None), default=0)
    for rank in sorted(set(found.values()) - set(levels)):
        above = [level for other, level in levels.items() if other < rank]
        levels[rank] = min(max(above, default=unnumbered) + 1, DEEPEST)
    return levels


def _raise_to_top(pieces: list[Piece]) -> None:
    """With the title taken out, the highest headings left are level 1."""
    shift = min((piece.level for piece in pieces if piece.level), default=1) - 1
    for piece in pieces:
        piece.level -= shift if piece.level else 0


def _name_doubts(pieces: list[Piece], warnings: list[str]) -> None:
    for index, piece in enumerate(pieces, 1):
        if piece.demoted:
            warnings.append(
                f"第{index}段{_quoted(piece)}用了标题样式，但像是正文，已按正文处理，请核对。"
            )
        if not _may_be_heading(piece) or not marks.is_heading_like(piece.text, at_most=30):
            continue
        if marks.is_issuer_or_date(piece.text):
            continue
        rank = marks.rank_of(piece.text)
        divides = rank is not None and rank <= Rank.SECTION
        if divides or ((piece.strong or piece.centred) and piece.kind == "paragraph"):
            warnings.append(f"第{index}段{_quoted(piece)}疑似标题，已按正文处理，请核对。")


def _quoted(piece: Piece) -> str:
    text = hygiene.one_line(piece.text)
    return f"“{text[:20]}{'…' if len(text) > 20 else ''}”"
