"""What can be found: the folded words of everything the public may read, and its tokens.

Only words that are public are ever put here, by the operations that make them public, in their
transaction; what is public no longer is taken out in the same act. Still nothing here decides who
sees what: `consult/search.py` asks the things themselves before it shows a hit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult import search_text
from core import postings
from core.db import Base, choice, db, run

# Positions in a version and rows of a table both stay below.
MOST_POSITIONS = 2**20
BATCH = 500


class Kind(Enum):
    """What a document is the text of."""

    PARAGRAPH = "paragraph"
    OPINION = "opinion"
    NOTICE = "notice"
    SUMMARY = "summary"


# Two bits of a document's number.
_ORDINAL = {kind: place for place, kind in enumerate(Kind)}


class SearchDocument(Base):
    """The findable words of one thing. Its number says in which order things of a kind are told."""

    __tablename__ = "search_document"
    __table_args__ = (sa.UniqueConstraint("kind", "thing_id"),)

    id: Mapped[int] = mapped_column(
        sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    kind: Mapped[Kind] = mapped_column(choice(Kind))
    thing_id: Mapped[int]
    folded: Mapped[str] = mapped_column(sa.Text)
    # Facts to filter by, each a word: c12 (the consultation), hletter (the channel), …
    marks: Mapped[str] = mapped_column(sa.String(200))


@dataclass(frozen=True, slots=True)
class Document:
    """What one thing is found by. `rank` orders within its kind, the highest first."""

    thing_id: int
    words: Sequence[str]
    marks: Sequence[str] = ()
    rank: int | None = None


def number(kind: Kind, rank: int) -> int:
    """The number of the document of this kind and rank."""
    return rank * len(_ORDINAL) + _ORDINAL[kind]


def rank(kind: Kind, number: int) -> int:
    """The rank of the document with this number."""
    return (number - _ORDINAL[kind]) // len(_ORDINAL)


def place_rank(version_id: int, position: int) -> int:
    """The rank of a paragraph: newer versions before older ones, each in its reading order."""
    return version_id * MOST_POSITIONS + (MOST_POSITIONS - 1 - position)


def put(kind: Kind, documents: Iterable[Document], *, fresh: bool = False) -> None:
    """Make documents findable by these words and no others; `fresh` says none is there yet."""
    rows = [_row(kind, document) for document in documents]
    if not fresh:
        drop(kind, [row["thing_id"] for row in rows])
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        run(sa.insert(SearchDocument), batch)
        postings.put({row["id"]: _tokens(kind, row["folded"], row["marks"]) for row in batch})


def drop(kind: Kind, thing_ids: Sequence[int]) -> None:
    """Let nobody find these things any longer."""
    for start in range(0, len(thing_ids), BATCH):
        gone = (
            sa.delete(SearchDocument)
            .where(
                SearchDocument.kind == kind,
                SearchDocument.thing_id.in_(thing_ids[start : start + BATCH]),
            )
            .returning(SearchDocument.id, SearchDocument.folded, SearchDocument.marks)
        )
        found = run(gone).all()
        postings.remove({row.id: _tokens(kind, row.folded, row.marks) for row in found})


def clear() -> None:
    """Let nothing be found: the beginning of a rebuilding."""
    run(sa.delete(SearchDocument))
    postings.clear()


def any_exist() -> bool:
    """Whether anything can be found at all."""
    return db.session.scalar(sa.select(SearchDocument.id).limit(1)) is not None


def _row(kind: Kind, document: Document) -> dict[str, Any]:
    rank = document.thing_id if document.rank is None else document.rank
    folded = (search_text.fold(words) for words in document.words)
    return {
        "id": number(kind, rank),
        "kind": kind,
        "thing_id": document.thing_id,
        "folded": search_text.BREAK.join(words for words in folded if words),
        "marks": " ".join(document.marks),
    }


def _tokens(kind: Kind, folded: str, marks: str) -> set[int]:
    """The tokens under which a document is entered: taken out again, they must be the same."""
    facts = {search_text.mark(each) for each in (kind.value, *marks.split())}
    return search_text.pairs(folded) | facts


# --- looking -------------------------------------------------------------------------------


def candidates(
    kind: Kind,
    needles: Sequence[str],
    *,
    marks: Iterable[str] = (),
    some: Sequence[Iterable[str]] = (),
    before: int | None,
    limit: int,
    lowest: int | None = None,
) -> sa.Select[int]:
    """The numbers of documents that may hold all `needles`, have all `marks` and one of each
    group in `some`; see `postings.candidates`."""
    every = {search_text.mark(each) for each in (kind.value, *marks)}
    every = every.union(*(search_text.pairs_asked(needle) for needle in needles))
    groups = [{search_text.mark(each) for each in group} for group in some]
    return postings.candidates(every, groups, before=before, limit=limit, lowest=lowest)


def holding(needles: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions under which a document really holds all `needles`."""
    column = SearchDocument.folded.expression
    return [postings.holds(column, needle) for needle in needles]
