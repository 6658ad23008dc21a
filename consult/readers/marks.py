"""The numbers Chinese plans put before headings, and what a heading line looks like.

Judges one line at a time; knows nothing of formats or of neighbouring lines.
Every pattern is anchored, bounded and without nested repeats: linear on any input.
"""

from __future__ import annotations

import re
from enum import IntEnum

_HAN = "[一二三四五六七八九十百零〇○两]{1,6}"
_ANY = "(?:[一二三四五六七八九十百零〇○两]{1,6}|[0-9０-９]{1,3})"


class Rank(IntEnum):
    """Kinds of number, from the widest division to the narrowest."""

    PART = 1  # 第一篇 第一部分
    CHAPTER = 2  # 第一章
    SECTION = 3  # 第一节
    HAN = 4  # 一、
    HAN_PAREN = 5  # （一）
    DIGIT = 6  # 1.
    DOTTED_2 = 7  # 1.1
    DOTTED_3 = 8  # 1.1.1
    DIGIT_PAREN = 9  # （1）
    CIRCLED = 10  # ①


_PATTERNS: tuple[tuple[Rank, re.Pattern[str]], ...] = (
    (Rank.PART, re.compile(f"第{_ANY}(?:篇|编|部分)")),
    (Rank.CHAPTER, re.compile(f"第{_ANY}章")),
    (Rank.SECTION, re.compile(f"第{_ANY}节")),
    (Rank.HAN, re.compile(f"{_HAN}[、．.]")),
    (Rank.HAN_PAREN, re.compile(f"[（(]{_HAN}[）)]")),
    (Rank.DOTTED_3, re.compile(r"[0-9]{1,2}(?:\.[0-9]{1,2}){2,3}(?=[ \t　])")),
    # A blank must follow, or "3.5亿元" would be a number.
    (Rank.DOTTED_2, re.compile(r"[0-9]{1,2}\.[0-9]{1,2}(?=[ \t　])")),
    (Rank.DIGIT, re.compile(r"[0-9０-９]{1,3}[.．、](?![0-9０-９])")),
    (Rank.DIGIT_PAREN, re.compile(r"[（(][0-9０-９]{1,3}[）)]|[0-9]{1,3}[）)]")),
    (Rank.CIRCLED, re.compile("[①-⑳㉑-㉟]")),
)
_BULLET = re.compile("[•·●▪■◆○◦‣➢✓＊*-][ \t　]*(?![*-])")
_SENTENCE_ENDS = "。；;，,、：:！!？?…"
# Headings that carry no number. 专栏 is not among them: a box sits inside a
# section, and as a heading it would swallow the text that follows the box.
_UNNUMBERED = frozenset(
    {"前言", "序言", "引言", "导言", "导语", "序", "总则", "附则", "结语", "结束语", "后记"}
    | {"附录", "附件", "附表", "附图", "名词解释"}
)
_ISSUER_OR_DATE = re.compile(
    "[（(]?[0-9０-９〇○一二三四五六七八九十]{2,4}年.{0,12}$"
    "|.{0,30}(?:人民政府|办公室|委员会|改革局|编制组)$"
)


def rank_of(text: str) -> Rank | None:
    """The kind of number the line begins with."""
    start = text[:24]
    return next((rank for rank, pattern in _PATTERNS if pattern.match(start)), None)


def number_of(text: str) -> str:
    """The number itself: 第一章, （二）, 1. — or nothing."""
    found = (pattern.match(text[:24]) for _, pattern in _PATTERNS)
    return next((match.group() for match in found if match), "")


def bullet_of(text: str) -> str:
    """The bullet with its blank, when the line begins with one."""
    match = _BULLET.match(text[:8])
    return match.group() if match else ""


def is_heading_like(text: str, *, at_most: int) -> bool:
    """Short, and not a sentence: a sentence ends like one or holds a full stop."""
    return (
        0 < len(text) <= at_most
        and text[-1] not in _SENTENCE_ENDS
        and "。" not in text
        and "\n" not in text
    )


def heading_rank(text: str) -> Rank | None:
    """The rank of a line that could be a heading by its number and its look."""
    rank = rank_of(text)
    if rank is None or rank == Rank.CIRCLED:
        return None
    return rank if is_heading_like(text, at_most=60 if rank <= Rank.SECTION else 40) else None


def is_unnumbered_heading(text: str) -> bool:
    """前言, （导言）, 附　则 …"""
    return "".join(text[:12].split()).strip("（）()【】") in _UNNUMBERED


def is_contents_title(text: str) -> bool:
    return "".join(text[:12].split()).strip("【】[]：:") in {"目录", "目次"}


def without_page_number(text: str) -> str:
    """第一章 总则……3 → 第一章 总则; the line unchanged when it has no leader and page."""
    if len(text) > 200:
        return text
    head = text.rstrip("0123456789")
    bare = head.rstrip(" \t　.．…·。-—_")
    leader = head[len(bare) :]
    page = len(text) - len(head)
    return bare if 0 < page <= 4 and ("\t" in leader or len(leader.strip(" ")) >= 2) else text


def could_be_title(text: str) -> bool:
    """The line a document opens with, when it is its name."""
    return (
        is_heading_like(text, at_most=80)
        and rank_of(text) is None
        and not bullet_of(text)
        and not is_unnumbered_heading(text)
        and not is_contents_title(text)
    )


def is_issuer_or_date(text: str) -> bool:
    return bool(_ISSUER_OR_DATE.match(text[:60]))
