"""Plain text → pieces: decoding, lines, hard-wrapped lines joined again.

Knows no files but bytes; the outline is worked out elsewhere.
"""

from __future__ import annotations

import codecs
import re
from itertools import pairwise
from statistics import median
from unicodedata import east_asian_width

from consult.readers import hygiene, marks
from consult.readers.draft import MAX_BLOCK_CHARACTERS, Piece, UnreadableDraft, check_amount

_BINARY = "文件内容不是文字，可能已损坏或改过扩展名，请用原来的软件另存为 .docx 或 UTF-8 文本。"
_CONTROLS = re.compile("[\x01-\x08\x0e-\x19\x1b-\x1f\x7f]")
_PLAUSIBLE = re.compile(
    "[\t\n\r -~×·°\u2010-\u203b\u2160-\u24ff\u25a0-\u25ff\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
)
_HASHES = re.compile("(#{1,6})[ \t　]*(?=[^#\\s])")
_SENTENCE_ENDS = "。！？!?：:；;”"


def decode(data: bytes, warnings: list[str]) -> str:
    """BOM, then UTF-8, then GB18030; refuses what is not text in any of them."""
    for bom, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(bom):
            return _checked(_strictly(data, encoding))
    if b"\0" in data:
        raise UnreadableDraft(_BINARY)
    try:
        return _checked(data.decode("utf-8"))
    except UnicodeDecodeError:
        text = _checked(_strictly(data, "gb18030"))
    # GB18030 gives some character to almost any pair of bytes: look whether it reads as Chinese.
    if len(_PLAUSIBLE.findall(text)) < 0.9 * len(text):
        raise UnreadableDraft(_BINARY)
    warnings.append("文件按GB18030编码读取，请核对有无乱码。")
    return text


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableDraft(_BINARY) from error


def _checked(text: str) -> str:
    check_amount(0, len(text))
    if "\0" in text or len(_CONTROLS.findall(text)) > 3 + len(text) // 500:
        raise UnreadableDraft(_BINARY)
    return hygiene.clean(text)


def pieces_of(text: str) -> tuple[list[Piece], bool]:
    """Paragraphs in order, and whether the author marked headings with #."""
    lines = text.split("\n")
    has_hashes = any(heading_mark(line) for line in lines)
    pieces: list[Piece] = []
    for paragraph in unwrapped(lines, wrap_width(lines)):
        pieces.append(_piece(paragraph, has_hashes))
        check_amount(len(pieces), 0)
    return pieces, has_hashes


def _piece(text: str, has_hashes: bool) -> Piece:
    hashes = heading_mark(text) if has_hashes else ""
    if hashes:
        return Piece(text[len(hashes) :].rstrip(" #"), level=hashes.count("#"))
    text = text.strip()
    bullet = marks.bullet_of(text)
    if bullet and len(bullet) < len(text):
        return Piece(f"• {text[len(bullet) :]}", kind="list_item", fixed=True)
    return Piece(text)


def heading_mark(line: str) -> str:
    """The hashes of a marked heading; Chinese authors often leave out the blank after them."""
    match = _HASHES.match(line[:40])
    if not match:
        return ""
    has_blank = not match.group().endswith("#")
    follows = line[match.end() : match.end() + 1]
    return match.group() if has_blank or follows >= "\u2e80" else ""


def width(line: str) -> int:
    """Columns, as an editor counts them when it wraps lines."""
    if line.isascii():
        return len(line)
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in line)


def wrap_width(lines: list[str]) -> int:
    """The column at which the text was hard-wrapped, or 0 when lines are paragraphs.

    Wrapped text breaks off in mid-sentence, again and again, at about the same column.
    """
    if any(len(line) > 120 for line in lines):
        return 0
    broken = []
    for line, below in pairwise(lines):
        if below.strip() and _breaks_off(line.strip()):
            broken.append(width(line.rstrip()))
    if len(broken) < 3:
        return 0
    usual = int(median(broken))
    near = sum(abs(columns - usual) <= 4 for columns in broken)
    return usual if usual >= 40 and near >= 0.7 * len(broken) else 0


def _breaks_off(line: str) -> bool:
    return (
        len(line) > 12
        and line[-1] not in _SENTENCE_ENDS
        and marks.heading_rank(line) is None
        and not heading_mark(line)
    )


def unwrapped(lines: list[str], columns: int) -> list[str]:
    """Paragraphs: each line its own, or wrapped lines joined when there is a wrap width."""
    paragraphs: list[str] = []
    before = ""
    for line in lines:
        if len(line) > MAX_BLOCK_CHARACTERS:
            raise UnreadableDraft("文件中有一行过长，请分段后重新上传。")
        if line.strip():
            if columns and paragraphs and _continues(before, line, columns):
                paragraphs[-1] = _joined(paragraphs[-1], line.strip())
                if len(paragraphs[-1]) > MAX_BLOCK_CHARACTERS:
                    raise UnreadableDraft("文件中有一段过长，请分段后重新上传。")
            else:
                paragraphs.append(line.rstrip(" 　"))
                check_amount(len(paragraphs), 0)
        before = line.rstrip()
    return paragraphs


def _continues(before: str, line: str, columns: int) -> bool:
    starts_anew = (
        line[:1] in " 　\t"
        or marks.rank_of(line) is not None
        or marks.bullet_of(line)
        or line.startswith("——")
        or heading_mark(line)
    )
    is_full = bool(before) and width(before) >= columns - 6
    return is_full and not starts_anew and not heading_mark(before)


def _joined(before: str, line: str) -> str:
    # Chinese needs no blank at a line end, Latin words do.
    blank = " " if before[-1:].isascii() and line[:1].isascii() else ""
    return f"{before.rstrip()}{blank}{line}"
