"""Markdown → pieces. Raw HTML stays the text it is; links and pictures lose their addresses.

Knows no files but decoded text; the outline is worked out elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from consult.readers import hygiene, text
from consult.readers.draft import MAX_BLOCK_CHARACTERS, Piece, UnreadableDraft, check_amount

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The parser takes some 20 µs for each line and each sign that might be markup, and
# looks for closing signs in quadratic time. Honest drafts stay far below these.
MAX_LINES = 20_000
MAX_SIGNS = 400  # in one passage; with more it is kept as typed
MAX_SIGNS_IN_ALL = 60_000
_SIGNS = re.compile("[]!#$%&*+\\-:<=>@[\\\\^_`{}~\n]")
_HASHES_WITHOUT_BLANK = re.compile("^(#{1,6})(?=[\u2e80-\uffef])", re.MULTILINE)


def pieces_of(source: str, warnings: list[str]) -> tuple[list[Piece], bool]:
    """Pieces in order, and whether headings are marked."""
    lines = source.split("\n")
    if any(len(line) > MAX_BLOCK_CHARACTERS for line in lines):
        raise UnreadableDraft("文件中有一行过长，请分段后重新上传。")
    if len(lines) > MAX_LINES:
        raise UnreadableDraft(f"文稿超过{MAX_LINES}行，请拆分成几份后分别上传。")
    reader = _Reader(text.wrap_width(lines))
    parser = _parser().enable("table")
    # Inline parsing is done below, per passage, so that its length can be bounded.
    parser.disable(["inline", "reference"])
    reader.read(parser.parse(_HASHES_WITHOUT_BLANK.sub(r"\1 ", source)))
    if reader.pictures:
        warnings.append(f"跳过了{reader.pictures}张图片。")
    if reader.untouched:
        warnings.append(f"有{reader.untouched}段含标记符号过多，已按原样保留，请核对。")
    return reader.pieces, any(piece.level for piece in reader.pieces)


def _parser() -> MarkdownIt:
    # 0.1 s to load: drafts are read at the desk, their paragraphs everywhere.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    return MarkdownIt("commonmark", {"html": False, "maxNesting": 20})


class _Reader:
    """Follows the token stream and remembers open lists and tables."""

    def __init__(self, columns: int) -> None:
        self.pieces: list[Piece] = []
        self.pictures = 0
        self.untouched = 0
        self._signs = 0
        self._columns = columns
        self._inline = _parser()
        self._markers: list[tuple[str, int]] = []  # delimiter or "•", next number
        self._label = ""
        self._rows: list[list[str]] = []
        self._level = 0
        self._in_table = False

    def read(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type == "inline":
                self._inline_text(token)
            elif token.type in {"fence", "code_block"}:
                self._add(Piece(token.content, fixed=True))
            else:
                self._structure(token)
            check_amount(len(self.pieces), 0)

    def _structure(self, token: Token) -> None:
        if token.type == "heading_open":
            self._level = int(token.tag[1])
        elif token.type == "heading_close":
            self._level = 0
        elif token.type == "bullet_list_open":
            self._markers.append(("•", 0))
        elif token.type == "ordered_list_open":
            start = token.attrs.get("start", 1)
            self._markers.append((token.markup, int(start)))
        elif token.type in {"bullet_list_close", "ordered_list_close"}:
            self._markers.pop()
        elif token.type == "list_item_open":
            self._number_item()
        elif token.type == "table_open":
            self._rows, self._in_table = [], True
        elif token.type == "tr_open":
            self._rows.append([])
        elif token.type == "table_close":
            self._in_table = False
            self._add(Piece(hygiene.table(self._rows), kind="table"))

    def _number_item(self) -> None:
        marker, count = self._markers[-1]
        self._label = "• " if marker == "•" else f"{count}{marker} "
        self._markers[-1] = (marker, count + 1)

    def _add(self, piece: Piece) -> None:
        if self._label and piece.kind == "paragraph" and not piece.level:
            piece.text, piece.kind, piece.fixed = self._label + piece.text, "list_item", True
        self._label = ""
        self.pieces.append(piece)

    def _inline_text(self, token: Token) -> None:
        plain, is_strong = self._plain(token.content)
        if self._in_table:
            self._rows[-1].append(plain)
        elif self._level:
            self._add(Piece(plain, level=self._level))
        elif self._markers or is_strong:
            self._add(Piece(plain, strong=is_strong, fixed=bool(self._markers)))
        else:
            # Many authors leave no blank line between paragraphs.
            for paragraph in text.unwrapped(plain.split("\n"), self._columns):
                self._add(Piece(paragraph))

    def _plain(self, content: str) -> tuple[str, bool]:
        """Text without markup, and whether all of it is set strong."""
        signs = len(_SIGNS.findall(content))
        self._signs += signs
        if signs > MAX_SIGNS or self._signs > MAX_SIGNS_IN_ALL:
            self.untouched += 1
            return content, False
        if not signs:
            return content, False
        tokens = self._inline.parseInline(content)[0].children or []
        parts: list[str] = []
        for token in tokens:
            if token.type in {"softbreak", "hardbreak"}:
                parts.append("\n")
            elif token.type == "image":
                self.pictures += 1
            else:
                parts.append(token.content)
        shown = [token for token in tokens if token.type != "text" or token.content]
        kinds = [token.type for token in shown]
        is_strong = kinds[:1] == ["strong_open"] and kinds.index("strong_close") == len(kinds) - 1
        return "".join(parts), is_strong
