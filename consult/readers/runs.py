"""The text inside one Word paragraph, as it stands once all changes are accepted.

Knows nothing of styles, lists or neighbouring paragraphs; counts what it leaves out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from consult.readers.xml import Node

DROPPED = frozenset({"w:del", "w:moveFrom", "w:pPr", "w:sdtPr", "w:sdtEndPr", "w:rt"})
_CHANGES = frozenset({"w:ins", "w:del", "w:moveFrom", "w:moveTo"})
_PICTURES = frozenset({"a:blip", "v:imagedata"})
_CHARTS = frozenset({"c:chart", "dgm:relIds"})
MAX_FIELDS = 40  # one within another; Word allows 20
_CHARACTERS = {"w:tab": "\t", "w:cr": "\n", "w:noBreakHyphen": "-", "w:ptab": "\t"}
# Symbol fonts keep their signs in the private area; these are the ones forms use.
_SYMBOLS = {"F0FE": "☑", "F052": "☑", "F0A8": "□", "F0A3": "□", "F06F": "□", "F0FC": "✓",
            "F0E0": "→", "F06C": "●", "F06E": "■", "F0D8": "➢"}  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What was left out or decided on the way, for staff to know."""

    pictures: int = 0
    charts: int = 0
    notes: int = 0
    comments: int = 0
    changes: int = 0
    hidden: int = 0
    formulas: int = 0
    embedded: int = 0
    boxes: int = 0

    def sentences(self) -> list[str]:
        told = (
            (self.pictures, "跳过了{}张图片。"),
            (self.charts, "跳过了{}个图表，请核对其中有无正文。"),
            (self.notes, "跳过了{}处脚注或尾注。"),
            (self.comments, "跳过了{}条批注。"),
            (self.changes, "文档含修订痕迹（{}处），已按接受全部修订后的文字读取。"),
            (self.hidden, "跳过了{}处隐藏文字。"),
            (self.formulas, "有{}处公式，只读取了其中的文字，请核对。"),
            (self.embedded, "跳过了{}份嵌入的其他文档。"),
            (self.boxes, "有{}个文本框，其文字放在所在段落之后，请核对位置。"),
        )
        return [sentence.format(count) for count, sentence in told if count]


@dataclass(slots=True)
class Line:
    """A paragraph's own text, how bold it is, and the text boxes hung on it."""

    parts: list[str] = field(default_factory=list)
    boxes: list[Node] = field(default_factory=list)
    bold: int = 0
    light: int = 0  # characters switched to not bold
    shown: int = 0

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def is_strong(self) -> bool:
        return self.shown > 0 and self.bold == self.shown

    @property
    def is_light(self) -> bool:
        return self.light > 0


def read_line(paragraph: Node, tally: Tally, fields: list[str]) -> Line:
    """`fields` holds the instructions of the fields open so far; it is kept up to date."""
    line = Line()
    for run in _runs(paragraph, tally):
        if run.name in {"m:oMath", "m:oMathPara"}:
            tally.formulas += 1
            line.parts.extend(node.text for node in in_order(run) if node.name == "m:t")
        elif run.name == "w:r":
            _read_run(run, line, tally, fields)
    return line


def _runs(parent: Node, tally: Tally) -> Iterator[Node]:
    """Runs and formulas in order, through links, content controls and insertions."""
    for child in parent.children:
        tally.changes += child.name in _CHANGES
        if child.name in DROPPED:
            continue
        if child.name in {"w:r", "m:oMath", "m:oMathPara"}:
            yield child
        elif child.name == "mc:AlternateContent":
            yield from _runs(chosen(child), tally)
        elif child.children:
            yield from _runs(child, tally)


def _read_run(run: Node, line: Line, tally: Tally, fields: list[str]) -> None:
    properties = run.child("w:rPr") or Node("w:rPr", {})
    is_hidden = properties.has("w:vanish")
    text = "".join(_texts(run, line, tally, fields))
    if is_hidden:
        tally.hidden += bool(text.strip())
        return
    line.parts.append(text)
    letters = len(text.strip())
    line.shown += letters
    line.bold += letters if properties.has("w:b") else 0
    is_off = properties.child("w:b") is not None and not properties.has("w:b")
    line.light += letters if is_off else 0


def _texts(run: Node, line: Line, tally: Tally, fields: list[str]) -> Iterator[str]:
    for child in run.children:
        name = child.name
        if name == "w:t":
            yield child.text
        elif name in _CHARACTERS:
            yield _CHARACTERS[name]
        elif name == "w:br":
            # Page and column breaks are no part of the text.
            yield "" if child.attributes.get("w:type") in {"page", "column"} else "\n"
        elif name == "w:sym":
            yield _symbol(child)
        elif name == "w:ruby":
            base = child.child("w:rubyBase")
            yield "".join(n.text for n in in_order(base) if n.name == "w:t") if base else ""
        elif name in {"w:fldChar", "w:instrText"}:
            _follow_field(child, fields)
        elif name in {"w:footnoteReference", "w:endnoteReference"}:
            tally.notes += 1
        elif name == "w:commentReference":
            tally.comments += 1
        elif name == "mc:AlternateContent":
            _look_inside(chosen(child), line, tally)
        elif name in {"w:drawing", "w:pict", "w:object"}:
            _look_inside(child, line, tally)


def _symbol(node: Node) -> str:
    code = node.attributes.get("w:char", "").upper()
    if code in _SYMBOLS:
        return _SYMBOLS[code]
    is_hex = len(code) == 4 and all(digit in "0123456789ABCDEF" for digit in code)
    return chr(int(code, 16)) if is_hex and not "E000" <= code <= "F8FF" else "□"


def _follow_field(node: Node, fields: list[str]) -> None:
    kind = node.attributes.get("w:fldCharType")
    if node.name == "w:instrText":
        if fields and len(fields[-1]) < 1000:
            fields[-1] += node.text
    elif kind == "begin" and len(fields) < MAX_FIELDS:
        fields.append("")
    elif kind == "end" and fields:
        fields.pop()


def _look_inside(drawing: Node, line: Line, tally: Tally) -> None:
    """Collect text boxes and count pictures, without entering a box twice."""
    waiting = [drawing]
    pictures = 0
    while waiting:
        node = waiting.pop()
        if node.name == "w:txbxContent":
            line.boxes.append(node)
            tally.boxes += 1
            continue
        if node.name == "mc:AlternateContent":
            node = chosen(node)
        pictures += node.name in _PICTURES
        tally.charts += node.name in _CHARTS
        waiting.extend(reversed(node.children))
    tally.pictures += pictures


def chosen(alternate: Node) -> Node:
    """Of the alternatives, the one newer programs show; never both."""
    for name in ("mc:Choice", "mc:Fallback"):
        for child in alternate.all(name):
            return child
    return Node("mc:Choice", {})


def in_order(node: Node) -> Iterator[Node]:
    """The node and all below it, in reading order."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children))
