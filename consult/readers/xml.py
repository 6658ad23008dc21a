"""XML bytes → a plain tree with short names, bounded in depth and size, without DTDs.

Holds no meaning of Word's elements. Written on expat itself because neither
defusedxml nor lxml bounds depth and number of elements while it parses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from consult.readers.archive import BROKEN
from consult.readers.draft import MAX_BLOCK_CHARACTERS, UnreadableDraft

MAX_ELEMENTS = 800_000
# Word itself stops at tables about a dozen deep; walking the tree recurses.
MAX_DEPTH = 120

_UNSAFE = "文件内部结构过于复杂或含有不安全的声明，请用Word或WPS打开后另存为 .docx，再重新上传。"
_PREFIXES = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main": "w",
    "http://purl.oclc.org/ooxml/wordprocessingml/main": "w",
    "http://schemas.openxmlformats.org/markup-compatibility/2006": "mc",
    "http://schemas.openxmlformats.org/officeDocument/2006/math": "m",
    "http://purl.oclc.org/ooxml/officeDocument/math": "m",
    "http://schemas.openxmlformats.org/drawingml/2006/main": "a",
    "http://purl.oclc.org/ooxml/drawingml/main": "a",
    "http://schemas.openxmlformats.org/drawingml/2006/chart": "c",
    "http://schemas.openxmlformats.org/drawingml/2006/diagram": "dgm",
    "urn:schemas-microsoft-com:vml": "v",
    "http://schemas.openxmlformats.org/package/2006/relationships": "rel",
    "http://schemas.openxmlformats.org/package/2006/content-types": "ct",
}
_NO_ATTRIBUTES: dict[str, str] = {}  # one for all, as most elements have none
_HOLD_TEXT = frozenset({"w:t", "m:t", "w:instrText"})


@dataclass(slots=True)
class Node:
    """An element; `text` only where Word keeps text."""

    name: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def child(self, *path: str) -> Node | None:
        node: Node | None = self
        for name in path:
            node = next((c for c in node.children if c.name == name), None) if node else None
        return node

    def all(self, name: str) -> Iterator[Node]:
        return (child for child in self.children if child.name == name)

    def value(self, *path: str, key: str = "w:val") -> str:
        """An attribute of the node at the path, or ""."""
        node = self.child(*path)
        return node.attributes.get(key, "") if node else ""

    def has(self, *path: str) -> bool:
        """An on/off property: there, and not switched off."""
        node = self.child(*path)
        return node is not None and node.attributes.get("w:val") not in {"0", "false", "off"}


class _Tree:
    """Collects the tree while expat reads."""

    def __init__(self) -> None:
        self.root = Node("", {})
        self._path = [self.root]
        self._names: dict[str, str] = {}
        self._elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS or len(self._path) > MAX_DEPTH:
            raise UnreadableDraft(_UNSAFE)
        short = {self._short(key): value for key, value in attributes.items()}
        node = Node(self._short(name), short or _NO_ATTRIBUTES)
        self._path[-1].children.append(node)
        self._path.append(node)

    def end(self, _name: str) -> None:
        self._path.pop()

    def text(self, data: str) -> None:
        node = self._path[-1]
        if node.name in _HOLD_TEXT:
            # Bounded here, because adding to a string without end takes quadratic time.
            if len(node.text) > MAX_BLOCK_CHARACTERS:
                raise UnreadableDraft("文稿中有一段过长，请分段后重新上传。")
            node.text += data

    def _short(self, name: str) -> str:
        known = self._names.get(name)
        if known is None:
            space, _, local = name.rpartition(" ")
            known = f"{_PREFIXES.get(space, 'other')}:{local}" if space else local
            self._names[name] = known
        return known


def _refuse(*_: object) -> None:
    raise UnreadableDraft(_UNSAFE)


def parse(data: bytes) -> Node:
    """The root element."""
    tree = _Tree()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        if isinstance(error, UnreadableDraft):
            raise
        raise UnreadableDraft(BROKEN) from error
    return tree.root.children[0]
