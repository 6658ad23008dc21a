"""Draft files → headings and paragraphs. Bytes in, plain values out.

Imports nothing of ours outside this package and neither Flask nor SQLAlchemy.
"""

from __future__ import annotations

from consult.readers import docx, markdown, outline, sniff, text
from consult.readers.draft import (
    MAX_BLOCK_CHARACTERS,
    MAX_BLOCKS,
    MAX_BYTES,
    MAX_CHARACTERS,
    Block,
    ReadDraft,
    UnreadableDraft,
)

__all__ = [
    "MAX_BLOCKS",
    "MAX_BLOCK_CHARACTERS",
    "MAX_BYTES",
    "MAX_CHARACTERS",
    "Block",
    "ReadDraft",
    "UnreadableDraft",
    "read",
]

# Kept apart from every other refusal, so that tests can tell a bug from a judgement.
UNFORESEEN = "文件无法读取，可能已损坏，请用原来的软件打开后另存为 .docx 或 .txt，再重新上传。"


def read(data: bytes, *, filename: str) -> ReadDraft:
    """The draft in a .docx, .md or .txt; raises UnreadableDraft and nothing else."""
    try:
        return _read(data, filename)
    except UnreadableDraft:
        raise
    except Exception as error:  # a stranger's file must never become a server error
        raise UnreadableDraft(UNFORESEEN) from error


def _read(data: bytes, filename: str) -> ReadDraft:
    found = sniff.format_of(data, filename)
    if found == sniff.DOCX:
        return docx.read(data)
    warnings: list[str] = []
    source = text.decode(data, warnings)
    sniff.refuse_markup(source)
    if found == sniff.MARKDOWN:
        pieces, has_marks = markdown.pieces_of(source, warnings)
    else:
        pieces, has_marks = text.pieces_of(source)
    return outline.compose(pieces, marked_only=has_marks, warnings=warnings)
