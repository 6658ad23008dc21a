"""Word's paragraph styles: which of them are headings, titles or contents lines.

Reads styles.xml as a tree; knows nothing of the document's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from consult.readers.xml import Node

_HEADING = re.compile(r"(?:heading|标题|標題) ?([1-9])(?: .{0,40})?$", re.IGNORECASE)
_CHINESE_HEADING = re.compile("([一二三四五六])级标题")
_CONTENTS = re.compile(r"(?:toc|目录|目次) ?(?:[1-9]|heading|标题)?$", re.IGNORECASE)
_TITLES = frozenset({"title", "标题", "文档标题", "文件标题", "大标题"})
# Deeper inheritance than Word allows, or a circle.
_LONGEST_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Style:
    """What one paragraph style says itself; "" or None where it says nothing."""

    name: str
    based_on: str
    outline: str
    number: str
    depth: str
    alignment: str
    bold: bool | None


def _style(node: Node) -> Style:
    # Looked up once here: a hostile style may hold 100,000 properties.
    is_set = node.child("w:rPr", "w:b") is not None
    return Style(
        name=node.value("w:name").strip()[:60],
        based_on=node.value("w:basedOn"),
        outline=node.value("w:pPr", "w:outlineLvl"),
        number=node.value("w:pPr", "w:numPr", "w:numId"),
        depth=node.value("w:pPr", "w:numPr", "w:ilvl"),
        alignment=node.value("w:pPr", "w:jc"),
        bold=node.has("w:rPr", "w:b") if is_set else None,
    )


class Styles:
    """Looks properties up along the chain of styles a style is based on."""

    def __init__(self, root: Node | None) -> None:
        self._styles: dict[str, Style] = {}
        self._chains: dict[str, tuple[tuple[str, Style], ...]] = {}
        self._default = ""
        for node in root.all("w:style") if root else ():
            if node.attributes.get("w:type", "paragraph") != "paragraph":
                continue
            style_id = node.attributes.get("w:styleId", "")
            self._styles[style_id] = _style(node)
            if node.attributes.get("w:default") in {"1", "true", "on"}:
                self._default = style_id

    def chain(self, style_id: str) -> tuple[tuple[str, Style], ...]:
        """The style (the default one when there is none), then those it is based on."""
        style_id = style_id if style_id in self._styles else self._default
        if style_id not in self._chains:
            self._chains[style_id] = tuple(self._climb(style_id))
        return self._chains[style_id]

    def _climb(self, style_id: str) -> Iterator[tuple[str, Style]]:
        for _ in range(_LONGEST_CHAIN):
            style = self._styles.get(style_id)
            if style is None:
                return
            yield style_id, style
            style_id = style.based_on

    def level(self, style_id: str) -> int:
        """1..9 for a heading style, 0 for body."""
        for _, style in self.chain(style_id):
            if style.outline:
                return outline_level(style.outline)
            named = _HEADING.match(style.name)
            if named:
                return int(named.group(1))
            chinese = _CHINESE_HEADING.search(style.name)
            if chinese:
                return "一二三四五六".index(chinese.group(1)) + 1
        return 0

    def is_title(self, style_id: str) -> bool:
        return any(style.name.lower() in _TITLES for _, style in self.chain(style_id))

    def is_contents(self, style_id: str) -> bool:
        return any(_CONTENTS.match(style.name) for _, style in self.chain(style_id))

    def alignment(self, style_id: str) -> str:
        return next((s.alignment for _, s in self.chain(style_id) if s.alignment), "")

    def is_bold(self, style_id: str) -> bool:
        return next((s.bold for _, s in self.chain(style_id) if s.bold is not None), False)


def outline_level(value: str) -> int:
    """Word counts from 0; 9 means body."""
    return int(value) + 1 if value in {"0", "1", "2", "3", "4", "5", "6", "7", "8"} else 0
