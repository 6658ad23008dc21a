"""What can be found: the folded words of everything the public may read, and its tokens.

Only words that are public are ever put here, by the operations that make them public, in their
transaction; what is public no longer is taken out in the same act. Still nothing here decides who
sees what: `consult/search.py` asks the things themselves before it shows a hit.
"""

import importlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult import search_text
from core import postings
from core.db import Base, Prepared, choice, db, run

# Positions in a version and rows of a table both stay below.
MOST_POSITIONS = 2**20
BATCH = 500
MANY = 50  # documents worth loading numpy for


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


_ENTER = Prepared(sa.insert(cast(sa.Table, SearchDocument.__table__)))


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
    rows = _rows(kind, list(documents))
    if not fresh:
        drop(kind, [row["thing_id"] for row in rows])
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        _ENTER.many(
            db.session.connection(), {name: [row[name] for row in batch] for name in batch[0]}
        )
        _post(kind, batch)


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


def _rows(kind: Kind, documents: Sequence[Document]) -> list[dict[str, Any]]:
    rows = []
    folded = iter(_folded([words for document in documents for words in document.words]))
    for document in documents:
        rank = document.thing_id if document.rank is None else document.rank
        parts = itertools.islice(folded, len(document.words))
        rows.append(
            {
                "id": number(kind, rank),
                "kind": kind,
                "thing_id": document.thing_id,
                "folded": search_text.BREAK.join(words for words in parts if words),
                "marks": " ".join(document.marks),
            }
        )
    return rows


def _folded(texts: Sequence[str]) -> list[str]:
    if len(texts) < MANY:
        return [search_text.fold(text) for text in texts]
    folding = importlib.import_module("consult.analysis.folding")
    return [search_text.spaced(text) for text in folding.compatible_all(texts)]


def _post(kind: Kind, rows: Sequence[dict[str, Any]]) -> None:
    if len(rows) < MANY:
        postings.put({row["id"]: _tokens(kind, row["folded"], row["marks"]) for row in rows})
        return
    known: dict[str, int] = {}
    facts = [
        [
            known.get(each) or known.setdefault(each, search_text.mark(each) - postings.LOWEST)
            for each in {kind.value, *row["marks"].split()}
        ]
        for row in rows
    ]
    tokens = importlib.import_module("consult.search_tokens")
    found: list[bytes] = tokens.packed([row["folded"] for row in rows], facts)
    postings.put_packed({row["id"]: each for row, each in zip(rows, found, strict=True)})


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
