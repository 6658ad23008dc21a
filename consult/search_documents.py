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
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult import search_text
from core import postings
from core.db import Base, Prepared, batches, choice, db, run

if TYPE_CHECKING:
    from consult.search_tokens import Findable

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
    ANSWER = "answer"


# The remainder of a document's number: a further kind renumbers all (see core/migrations/0043).
_ORDINAL = {kind: place for place, kind in enumerate(Kind)}
# Among so many numbers are a few hundred opinions, or one version's paragraphs.
_SPAN = dict.fromkeys(Kind, MOST_POSITIONS * len(_ORDINAL)) | {Kind.OPINION: 4_096}


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


def place_rank(whole_id: int, position: int) -> int:
    """The rank of a paragraph of a version, or a row of a table: newer ones before older ones, each
    in its reading order."""
    return whole_id * MOST_POSITIONS + (MOST_POSITIONS - 1 - position)


def places(kind: Kind, thing_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """{thing: (the version or table it is in, its position there)}, of what `place_rank` ranks."""
    query = sa.select(SearchDocument.thing_id, SearchDocument.id).where(
        SearchDocument.kind == kind, SearchDocument.thing_id.in_(thing_ids)
    )
    found = {}
    for thing_id, id in db.session.execute(query):
        whole_id, rest = divmod(rank(kind, id), MOST_POSITIONS)
        found[thing_id] = whole_id, MOST_POSITIONS - 1 - rest
    return found


def put(kind: Kind, documents: Iterable[Document], *, fresh: bool = False) -> None:
    """Make documents findable by these words and no others; `fresh` says none is there yet."""
    every = list(documents)
    if not fresh:
        drop(kind, [document.thing_id for document in every])
    for some in batches(every, BATCH):
        marks = [document.marks for document in some]
        words = [document.words for document in some]
        if len(some) < MANY:
            folded = [search_text.joined(map(search_text.fold, each)) for each in words]
            _enter(kind, some, folded)
            tokens = zip(folded, marks, strict=True)
            postings.put(
                {
                    _number(kind, document): _tokens(kind, *each)
                    for document, each in zip(some, tokens, strict=True)
                }
            )
        else:
            # Loaded when there is much: it needs numpy.
            reading = importlib.import_module("consult.search_tokens")
            put_read(kind, some, reading.read(words, [facts(kind, each) for each in marks]))


def put_read(kind: Kind, documents: Sequence[Document], read: "Findable") -> None:
    """Make documents findable, of which none is there yet, by what `search_tokens.read` gave for
    their words and `facts`."""
    for start in range(0, len(documents), BATCH):
        some = documents[start : start + BATCH]
        _enter(kind, some, read.folded[start : start + BATCH])
        tokens = read.tokens[start : start + BATCH]
        postings.put_packed(
            {_number(kind, document): each for document, each in zip(some, tokens, strict=True)}
        )


def facts(kind: Kind, marks: Iterable[str]) -> tuple[str, ...]:
    """The names of all that is known of a document of this kind and these marks."""
    return (kind.value, *marks)


def drop(kind: Kind, thing_ids: Sequence[int]) -> None:
    """Let nobody find these things any longer."""
    for some in batches(thing_ids, BATCH):
        gone = (
            sa.delete(SearchDocument)
            .where(
                SearchDocument.kind == kind,
                SearchDocument.thing_id.in_(some),
            )
            .returning(SearchDocument.id, SearchDocument.folded, SearchDocument.marks)
        )
        found = run(gone).all()
        postings.remove({row.id: _tokens(kind, row.folded, row.marks.split()) for row in found})


def clear() -> None:
    """Let nothing be found: the beginning of a rebuilding."""
    run(sa.delete(SearchDocument))
    postings.clear()


def any_exist() -> bool:
    """Whether anything can be found at all."""
    return db.session.scalar(sa.select(SearchDocument.id).limit(1)) is not None


def _number(kind: Kind, document: Document) -> int:
    return number(kind, document.thing_id if document.rank is None else document.rank)


def _enter(kind: Kind, documents: Sequence[Document], folded: Sequence[str]) -> None:
    if documents:
        _ENTER.many(
            db.session.connection(),
            {
                "id": [_number(kind, document) for document in documents],
                "kind": itertools.repeat(kind),
                "thing_id": [document.thing_id for document in documents],
                "folded": folded,
                "marks": [" ".join(document.marks) for document in documents],
            },
        )


def _tokens(kind: Kind, folded: str, marks: Iterable[str]) -> set[int]:
    """The tokens under which a document is entered: taken out again, they must be the same."""
    return search_text.pairs(folded) | set(map(search_text.mark, facts(kind, marks)))


# --- looking -------------------------------------------------------------------------------


def candidates(
    kind: Kind,
    needles: Sequence[str],
    *,
    marks: Iterable[str] = (),
    some: Sequence[Iterable[str]] = (),
    before: int | None,
    limit: int,
) -> postings.Candidates:
    """The documents that may hold all `needles`, have all `marks` and one of each group in `some`;
    see `postings.candidates`."""
    every = {search_text.mark(each) for each in (kind.value, *marks)}
    every = every.union(*(search_text.pairs_asked(needle) for needle in needles))
    groups = [{search_text.mark(each) for each in group} for group in some]
    return postings.candidates(every, groups, before=before, limit=limit, span=_SPAN[kind])


def newest(kind: Kind) -> int | None:
    """A number above that of every document of a kind that is told by its id; None without any."""
    last = sa.select(sa.func.max(SearchDocument.thing_id)).where(SearchDocument.kind == kind)
    found = db.session.scalar(last)
    return None if found is None else number(kind, found) + 1


def holding(needles: Sequence[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions under which a document really holds all `needles`."""
    column = SearchDocument.folded.expression
    return [postings.holds(column, needle) for needle in needles]
