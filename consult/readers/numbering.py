"""Word's automatic numbers, written out as the reader sees them.

Reads numbering.xml as a tree and counts along the document; knows no text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from consult.readers.xml import Node

DEEPEST = 9
_PLACE = re.compile("%([1-9])")
_HAN = "零一二三四五六七八九"
_FORMAL = "零壹贰叁肆伍陆柒捌玖"
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip


@dataclass(slots=True)
class Level:
    """How one depth of a list is numbered."""

    start: int = 1
    format: str = "decimal"
    text: str = ""
    suffix: str = "tab"
    restart: int = -1  # the depth (from 1) that restarts it; 0 never; -1 any above
    is_legal: bool = False
    style: str = ""


@dataclass(slots=True)
class _List:
    """A w:num: its levels, whose counters it shares, and where it starts anew."""

    abstract: str
    levels: dict[int, Level]
    starts: dict[int, int]


class Numbering:
    """Counts every list as Word does: lists made from one definition count on together."""

    def __init__(self, root: Node | None) -> None:
        abstract = {
            node.attributes.get("w:abstractNumId", ""): node
            for node in (root.all("w:abstractNum") if root else ())
        }
        self._levels = {key: _levels(node) for key, node in abstract.items()}
        self._by_style_link = {
            node.value("w:styleLink"): key
            for key, node in abstract.items()
            if node.value("w:styleLink")
        }
        self._linked = {
            key: node.value("w:numStyleLink")
            for key, node in abstract.items()
            if node.value("w:numStyleLink")
        }
        self._lists = {
            node.attributes.get("w:numId", ""): self._list(node)
            for node in (root.all("w:num") if root else ())
        }
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[tuple[str, int]] = set()

    def depth_of_style(self, num_id: str, style_id: str) -> int:
        """The depth a list ties to a paragraph style."""
        found = self._lists.get(num_id)
        levels = found.levels.items() if found else ()
        return next((depth for depth, level in levels if level.style == style_id), 0)

    def is_bullet(self, num_id: str, depth: int) -> bool:
        found = self._lists.get(num_id)
        return found is not None and found.levels.get(depth, Level()).format == "bullet"

    def next_label(self, num_id: str, depth: int) -> str:
        """The number of the next paragraph at this depth (0..8) with its blank, or ""."""
        found = self._lists.get(num_id)
        if found is None or depth not in found.levels:
            return ""
        self._count(num_id, found, depth)
        level = found.levels[depth]
        if level.format == "bullet":
            return _bullet(level.text)
        if level.format == "none" and not _PLACE.sub("", level.text).strip():
            return ""
        label = _PLACE.sub(lambda m: self._figure(found, level, int(m[1]) - 1), level.text)
        return label + _blank(label, level.suffix) if label.strip() else ""

    def _list(self, num: Node) -> _List:
        abstract = num.value("w:abstractNumId")
        abstract = self._by_style_link.get(self._linked.get(abstract, ""), abstract)
        levels = dict(self._levels.get(abstract, {}))
        starts = {}
        for override in num.all("w:lvlOverride"):
            depth = number(override.attributes.get("w:ilvl", "0"))
            levels.update(_levels(override))
            start = override.value("w:startOverride")
            if start:
                starts[depth] = number(start)
        return _List(abstract, levels, starts)

    def _count(self, num_id: str, found: _List, depth: int) -> None:
        counts = self._counts.setdefault(found.abstract, {})
        if depth in found.starts and (num_id, depth) not in self._begun:
            counts[depth] = found.starts[depth]
        else:
            counts[depth] = counts.get(depth, found.levels[depth].start - 1) + 1
        self._begun.add((num_id, depth))
        for above in range(depth):
            if above in found.levels:
                counts.setdefault(above, found.levels[above].start)
        for below in range(depth + 1, DEEPEST):
            restart = found.levels.get(below, Level()).restart
            if restart == -1 or 0 <= depth < restart:
                counts.pop(below, None)

    def _figure(self, found: _List, level: Level, depth: int) -> str:
        own = found.levels.get(depth, Level())
        count = self._counts[found.abstract].get(depth, own.start)
        is_plain = level.is_legal and own.format != "decimalZero"
        return figure(count, "decimal" if is_plain else own.format)


def _levels(parent: Node) -> dict[int, Level]:
    found = ((number(node.attributes.get("w:ilvl", "0")), node) for node in parent.all("w:lvl"))
    return {depth: _level(node) for depth, node in found if depth < DEEPEST}


def _level(node: Node) -> Level:
    return Level(
        start=number(node.value("w:start"), 1),
        format=node.value("w:numFmt") or "decimal",
        text=node.value("w:lvlText")[:40],
        suffix=node.value("w:suff") or "tab",
        restart=number(node.value("w:lvlRestart"), -1),
        is_legal=node.has("w:isLgl"),
        style=node.value("w:pStyle"),
    )


def number(value: str, default: int = 0) -> int:
    """A small whole number from an attribute that may hold anything."""
    is_number = value.isascii() and value.isdigit() and len(value) <= 9
    return int(value) if is_number else default


def _bullet(text: str) -> str:
    # Bullets are often characters of a symbol font in the private area.
    is_shown = len(text) == 1 and text.isprintable() and not "\ue000" <= text <= "\uf8ff"
    return f"{text} " if is_shown and not text.isalnum() and text.strip() else "• "


def _blank(label: str, suffix: str) -> str:
    if suffix == "nothing" or label[-1].isspace() or label[-1] in "、）)．":
        return ""
    return "　" if label.startswith("第") else " "


def figure(count: int, style: str) -> str:
    """A count in one of Word's number formats; plain figures for those unknown."""
    if style in {"chineseCounting", "chineseCountingThousand", "japaneseCounting",
                 "taiwaneseCounting", "taiwaneseCountingThousand"}:  # fmt: skip
        return chinese(count, _HAN, "十百千")
    if style in {"chineseLegalSimplified", "ideographLegalTraditional"}:
        return chinese(count, _FORMAL, "拾佰仟")
    if style in {"ideographDigital", "taiwaneseDigital", "japaneseDigitalTenThousand"}:
        return str(count).translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    if style in {"ideographTraditional", "ideographZodiac"}:
        signs = _STEMS if style == "ideographTraditional" else _BRANCHES
        return signs[count - 1] if 0 < count <= len(signs) else str(count)
    if style in {"decimalEnclosedCircle", "decimalEnclosedCircleChinese"} and 0 < count <= 20:
        return chr(ord("①") + count - 1)
    if style == "decimalFullWidth":
        return str(count).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    return _latin(count, style)


def _latin(count: int, style: str) -> str:
    if style in {"lowerLetter", "upperLetter"} and 0 < count <= 260:
        letter = chr(ord("a") + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letter.upper() if style == "upperLetter" else letter
    if style in {"lowerRoman", "upperRoman"} and 0 < count < 4000:
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (count // value)
            count %= value
        return roman if style == "upperRoman" else roman.lower()
    if style == "decimalZero":
        return f"{count:02d}"
    return "" if style == "none" else str(count)


def chinese(count: int, digits: str, units: str) -> str:
    """21 → 二十一, 105 → 一百零五; figures beyond 9999, which no plan reaches."""
    if not 0 < count <= 9999:
        return digits[0] if count == 0 else str(count)
    written, gap = "", False
    for place in (3, 2, 1, 0):
        digit = count // 10**place % 10
        if not digit:
            gap = bool(written)
            continue
        written += (digits[0] if gap else "") + digits[digit]
        written += units[place - 1] if place else ""
        gap = False
    is_teen = 10 <= count < 20 and units[0] == "十"
    return written[1:] if is_teen else written
