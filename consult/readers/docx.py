"""A .docx → pieces: walks the document in reading order and writes out what Word adds.

Reads the XML itself, not through python-docx: that library unpacks and keeps every
part, leaves out content controls, tracked changes, text boxes and automatic numbers,
and shows only direct children of the body. Four parts are read here, nothing else.
"""

from __future__ import annotations

from posixpath import join, normpath

from consult.readers import hygiene, outline
from consult.readers.archive import Archive
from consult.readers.draft import (
    MAX_BLOCK_CHARACTERS,
    Piece,
    ReadDraft,
    UnreadableDraft,
    check_amount,
)
from consult.readers.numbering import Numbering, number
from consult.readers.runs import DROPPED, Line, Tally, chosen, read_line
from consult.readers.styles import Styles, outline_level
from consult.readers.xml import Node, parse

MAX_CELLS = 20_000
MAX_COLUMNS = 63  # Word's own limit; a hostile span must not make a million cells
_CONTAINERS = frozenset(
    {"w:sdt", "w:sdtContent", "w:customXml", "w:smartTag", "w:ins", "w:moveTo",
     "mc:AlternateContent", "mc:Choice", "mc:Fallback"}
)  # fmt: skip


def read(data: bytes) -> ReadDraft:
    archive = Archive(data)
    content_types = archive.part("[Content_Types].xml") or b""
    if b"macroEnabled" in content_types:
        raise UnreadableDraft(
            "文档带有宏，出于安全考虑不予读取，请另存为不带宏的 .docx 后重新上传。"
        )
    name = _target(archive, "", "_rels/.rels", "/officeDocument") or "word/document.xml"
    body = _part(archive, name)
    body = body.child("w:body") if body else None
    if body is None:
        raise UnreadableDraft(
            "文档缺少正文部分，可能已损坏，请用Word或WPS打开后另存为 .docx，再重新上传。"
        )
    walk = _Walk(
        Styles(_part(archive, _beside(archive, name, "styles"))),
        Numbering(_part(archive, _beside(archive, name, "numbering"))),
    )
    walk.blocks(body)
    walk.finish()
    return outline.compose(walk.pieces, marked_only=False, warnings=walk.tally.sentences())


def _part(archive: Archive, name: str) -> Node | None:
    data = archive.part(name)
    return None if data is None else parse(data)


def _beside(archive: Archive, main: str, kind: str) -> str:
    folder, _, own = main.rpartition("/")
    found = _target(archive, folder, join(folder, "_rels", f"{own}.rels"), f"/{kind}")
    return found or join(folder, f"{kind}.xml")


def _target(archive: Archive, folder: str, relations: str, kind: str) -> str:
    """The part a relation of this kind points to, or ""."""
    root = _part(archive, relations)
    for relation in root.all("rel:Relationship") if root else ():
        is_inside = relation.attributes.get("TargetMode") != "External"
        if is_inside and relation.attributes.get("Type", "").endswith(kind):
            target = relation.attributes.get("Target", "")
            return normpath(join("/", folder, target)).lstrip("/")
    return ""


class _Walk:
    """What is carried along the document: pieces so far, counters, open fields."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self.styles = styles
        self.numbering = numbering
        self.tally = Tally()
        self.pieces: list[Piece] = []
        self._characters = 0
        self._paragraphs = 0
        self._shown = 0
        self._fields: list[str] = []
        self._by_field: list[Piece] = []
        self._joined = ""  # text whose paragraph mark is deleted: it runs into the next

    def blocks(self, parent: Node, *, fixed: bool = False) -> None:
        for child in parent.children:
            if child.name == "w:p":
                self._paragraph(child, fixed)
            elif child.name == "w:tbl":
                self._table(child)
            elif child.name == "mc:AlternateContent":
                self.blocks(chosen(child), fixed=fixed)
            elif child.name in {"w:altChunk", "w:subDoc"}:
                self.tally.embedded += 1
            elif child.name in _CONTAINERS:
                self.blocks(child, fixed=fixed)

    def finish(self) -> None:
        if self._joined:
            self._add(Piece(self._joined))
        # A contents field that is never closed would take the whole text along.
        if any(_is_contents_field(field) for field in self._fields):
            for piece in self._by_field:
                piece.contents = False

    def _add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self._characters += len(piece.text)
        self._shown += bool(piece.text.strip()) and not piece.contents
        check_amount(self._shown, self._characters)

    def _paragraph(self, node: Node, fixed: bool) -> None:
        self._paragraphs += 1
        # Empty ones do not count in the end; this only bounds the work.
        check_amount(self._paragraphs // 10, 0)
        began_in_contents = self._in_contents()
        line = read_line(node, self.tally, self._fields)
        properties = node.child("w:pPr") or Node("w:pPr", {})
        if properties.child("w:rPr", "w:del") is not None:
            self._joined += line.text
            if len(self._joined) > MAX_BLOCK_CHARACTERS:
                raise UnreadableDraft("文稿中有一段过长，请分段后重新上传。")
            self.tally.changes += 1
        else:
            text, self._joined = self._joined + line.text, ""
            piece = self._piece(text, properties, line)
            piece.fixed = piece.fixed or fixed
            in_field = began_in_contents or self._in_contents()
            if in_field and not piece.level and not piece.contents:
                piece.contents = True
                self._by_field.append(piece)
            self._add(piece)
        for box in line.boxes:
            self.blocks(box, fixed=True)

    def _in_contents(self) -> bool:
        return any(_is_contents_field(field) for field in self._fields)

    def _piece(self, text: str, properties: Node, line: Line) -> Piece:
        style = properties.value("w:pStyle")
        own_level = properties.value("w:outlineLvl")
        level = outline_level(own_level) if own_level else self.styles.level(style)
        piece = Piece(
            text,
            level=level,
            is_title=self.styles.is_title(style) and not level,
            strong=line.is_strong or (self.styles.is_bold(style) and not line.is_light),
            centred=self._alignment(properties, style) == "center",
            contents=self.styles.is_contents(style) and not level,
        )
        # Word counts only paragraphs it shows a number on; an empty one is shown too.
        label, is_bullet = self._label(properties, style)
        if label and text.strip():
            piece.text = label + text.lstrip()
            piece.kind = "list_item" if not level else "paragraph"
            piece.fixed = is_bullet and not level
        return piece

    def _alignment(self, properties: Node, style: str) -> str:
        return properties.value("w:jc") or self.styles.alignment(style)

    def _label(self, properties: Node, style: str) -> tuple[str, bool]:
        """The automatic number of a paragraph and whether it is a bullet."""
        own = properties.child("w:numPr")
        num_id = own.value("w:numId") if own else ""
        depth = own.value("w:ilvl") if own else ""
        if not num_id:
            for style_id, inherited in self.styles.chain(style):
                if inherited.number:
                    num_id = inherited.number
                    tied = self.numbering.depth_of_style(num_id, style_id)
                    depth = depth or inherited.depth or str(tied)
                    break
        if num_id in {"", "0"}:
            return "", False
        at = number(depth)
        return self.numbering.next_label(num_id, at), self.numbering.is_bullet(num_id, at)

    def _table(self, node: Node) -> None:
        rows = [row for row in _rows(node) if row.child("w:trPr", "w:del") is None]
        cells = [_cells(row) for row in rows]
        if all(len(row) <= 1 for row in cells):
            # One column is a box around text (专栏), not a table.
            for row in cells:
                for cell in row:
                    self.blocks(cell, fixed=True)
            return
        if sum(map(len, cells)) > MAX_CELLS:
            raise UnreadableDraft("文稿中有一张表格过大，请拆分后重新上传。")
        text = [self._row(row) for row in cells]
        self._add(Piece(hygiene.table(text), kind="table"))

    def _row(self, cells: list[Node]) -> list[str]:
        row: list[str] = []
        for cell in cells:
            merge = cell.child("w:tcPr", "w:vMerge")
            goes_on = merge is not None and merge.attributes.get("w:val") != "restart"
            row.append("" if goes_on else self._cell(cell))
            span = number(cell.value("w:tcPr", "w:gridSpan"), 1)
            row.extend([""] * (min(span, MAX_COLUMNS) - 1))
        return row

    def _cell(self, cell: Node) -> str:
        """All text of a cell on one line; tables within are flattened."""
        inner = _Walk(self.styles, self.numbering)
        inner.tally = self.tally
        inner.blocks(cell)
        inner.finish()
        return " ".join(piece.text.strip() for piece in inner.pieces if piece.text.strip())


def _is_contents_field(instruction: str) -> bool:
    return instruction.strip().upper().startswith("TOC")


def _rows(table: Node) -> list[Node]:
    return [node for node in _unwrapped(table) if node.name == "w:tr"]


def _cells(row: Node) -> list[Node]:
    return [node for node in _unwrapped(row) if node.name == "w:tc"]


def _unwrapped(parent: Node) -> list[Node]:
    """Children, with content controls and inserted wrappers opened."""
    found: list[Node] = []
    for child in parent.children:
        if child.name in _CONTAINERS and child.name not in DROPPED:
            found.extend(_unwrapped(child))
        else:
            found.append(child)
    return found
