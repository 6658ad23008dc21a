"""What every reader hands back, how much it may be, and how it refuses.

Holds values only: no parsing, no file access.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 20 * 1024 * 1024
MAX_CHARACTERS = 2_000_000
MAX_BLOCKS = 5_000
# Comments hang on paragraphs, so one "paragraph" of a whole book helps nobody.
MAX_BLOCK_CHARACTERS = 50_000
MAX_WARNINGS = 30


class UnreadableDraft(ValueError):
    """A refusal; `str(e)` is one sentence for staff: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Block:
    """One heading or one body unit, numbered as the reader of the original sees it."""

    level: int  # 1..6 for a heading, 0 for body
    kind: str  # "heading" | "paragraph" | "list_item" | "table"
    text: str  # a table is rows joined by "\n", cells by "\t"


@dataclass(frozen=True, slots=True)
class ReadDraft:
    """A document in reading order, and what staff should check by eye."""

    title: str
    blocks: tuple[Block, ...]
    warnings: tuple[str, ...]


@dataclass(slots=True)
class Piece:
    """A paragraph as a format reader found it, before the outline is worked out."""

    text: str
    kind: str = "paragraph"
    level: int = 0  # as the document itself marks it (style or #); 0 when it does not
    is_title: bool = False
    strong: bool = False
    centred: bool = False
    fixed: bool = False  # never a heading, whatever its number looks like
    demoted: bool = False  # marked as a heading, but reads as body
    contents: bool = False  # a line of the table of contents
    without_page: str = ""  # for a line that ends in a leader and a page number


def check_amount(pieces: int, characters: int) -> None:
    """Refuse as soon as a limit is passed, so that readers can stop half-way."""
    if pieces > MAX_BLOCKS:
        raise UnreadableDraft(f"文稿超过{MAX_BLOCKS}段，请拆分成几份后分别上传。")
    if characters > MAX_CHARACTERS:
        raise UnreadableDraft(f"文稿超过{MAX_CHARACTERS // 10_000}万字，请拆分成几份后分别上传。")
