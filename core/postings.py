"""An inverted index: which documents have which tokens, the highest document first.

Documents and tokens are numbers. What it finds are candidates: who asks verifies them against the
words themselves, so that two tokens may share a number. One place for all that the two databases
do differently: SQLite keeps the lists in an FTS5 table without any text of its own, PostgreSQL in
a GIN index over arrays. Why not their own full-text search: `docs/decisions/search-index.md`.
"""

import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from core.db import Base, db, run

NAME = "search_posting"
# Signed, because PostgreSQL has no other; FTS5 is told the distance from the lowest.
LOWEST = -(2**31)
_EIGHT_DIGITS = 0x10
_MANY = 100
# On PostgreSQL: so many documents tell how frequent it is what is looked for; what fewer than this share
# of them have is looked up in the lists; no more than so many are gone through, and of what is likely to
# do, so much, so that it does. To go through one takes 2 µs, to find one in the lists and to sort it 4.
# Where one of several is enough the lists are long, and a quarter of that share is found quicker by going.
PROBED, RARE, MOST_WALKED, AMPLE = 1_000, 0.02, 40_000, 1.3
_GATHERED = 64 << 20  # bytes
TABLE = sa.Table(
    NAME,
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("tokens", sa.ARRAY(sa.Integer), nullable=False),
)
CREATE = {
    "sqlite": (
        f"CREATE VIRTUAL TABLE IF NOT EXISTS {NAME} USING fts5("
        "tokens, content='', detail=none, columnsize=0, tokenize='ascii')",
    ),
    "postgresql": (
        f"CREATE TABLE IF NOT EXISTS {NAME} "
        f"(id BIGINT CONSTRAINT pk_{NAME} PRIMARY KEY, tokens INTEGER[] NOT NULL)",
        f"CREATE INDEX IF NOT EXISTS ix_{NAME}_tokens ON {NAME} USING gin (tokens)",
    ),
}


@sa.event.listens_for(Base.metadata, "after_create")
def _create(_metadata: sa.MetaData, connection: sa.Connection, **_rest: Any) -> None:
    for statement in CREATE[connection.dialect.name]:
        connection.exec_driver_sql(statement)


@sa.event.listens_for(Base.metadata, "before_drop")
def _drop(_metadata: sa.MetaData, connection: sa.Connection, **_rest: Any) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {NAME}")


def put(entries: Mapping[int, Iterable[int]]) -> None:
    """Enter documents, none of which may be there already: {document: its tokens}."""
    put_packed({id: _packed(tokens) for id, tokens in entries.items()})


def put_packed(entries: Mapping[int, bytes]) -> None:
    """Enter documents, as `put` does, whose tokens are in order and packed: each counted from
    `LOWEST`, four bytes, the highest first."""
    if not entries:
        return
    if _on_sqlite():
        if len(entries) >= _MANY:
            _gather_more()
        insert = f"INSERT INTO {NAME} (rowid, tokens) VALUES (?, ?)"
        rows = [(id, _words(each)) for id, each in entries.items()]
        db.session.connection().exec_driver_sql(insert, rows)
    else:
        run(sa.insert(TABLE), [{"id": id, "tokens": _signed(t)} for id, t in entries.items()])


def _gather_more() -> None:
    """Let SQLite gather many entries in memory before it writes them: each writing is a list of its
    own, which has to be merged with the others. By default it writes after each megabyte, a dozen
    times in a thousand documents; what is set is kept with the table."""
    connection = db.session.connection()
    known = f"SELECT v FROM {NAME}_config WHERE k = 'hashsize'"
    if connection.exec_driver_sql(known).scalar() != _GATHERED:
        gather = f"INSERT INTO {NAME} ({NAME}, rank) VALUES ('hashsize', ?)"
        connection.exec_driver_sql(gather, (_GATHERED,))


def remove(entries: Mapping[int, Iterable[int]]) -> None:
    """Take documents out again, with the very tokens they were entered with: SQLite's lists do
    not know what else to look through."""
    if not entries:
        return
    if _on_sqlite():
        delete = sa.text(
            f"INSERT INTO {NAME} ({NAME}, rowid, tokens) VALUES ('delete', :id, :tokens)"
        )
        run(delete, [{"id": id, "tokens": _words(_packed(t))} for id, t in entries.items()])
    else:
        run(sa.delete(TABLE).where(TABLE.c.id.in_(list(entries))))


def clear() -> None:
    """Take everything out."""
    if _on_sqlite():
        run(sa.text(f"INSERT INTO {NAME} ({NAME}) VALUES ('delete-all')"))
    else:
        run(sa.text(f"TRUNCATE {NAME}"))


def tend() -> None:
    """After many entries: lists in one piece, and a planner that knows how long they are."""
    if _on_sqlite():
        run(sa.text(f"INSERT INTO {NAME} ({NAME}) VALUES ('optimize')"))
    else:
        # What has come is kept apart at first, and every search goes through all of that.
        run(sa.text(f"SELECT gin_clean_pending_list('ix_{NAME}_tokens')"))
        run(sa.text(f"ANALYZE {NAME}"))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may be what is looked for: how many, where they come from (see `among`), and
    the document below which to go on; None when these are all."""

    number: int
    below: int | None
    found: sa.Select[int] | list[int]


def candidates(
    every: Iterable[int],
    some: Sequence[Iterable[int]],
    *,
    before: int | None,
    limit: int,
) -> Candidates:
    """Documents with all tokens of `every` and, of each group in `some`, at least one: the
    highest (below `before`) first, so many at most; fewer where that would take too long. `every`
    must not be empty."""
    if not _on_sqlite():
        return _on_postgres(every, some, before, limit)
    groups = [_quoted(each) for each in every]
    groups += ["(" + " OR ".join(_quoted(each) for each in group) + ")" for group in some]
    id: sa.ColumnElement[int] = sa.literal_column("rowid", sa.Integer)
    found = (
        sa.select(id.label("id"))
        .select_from(sa.text(NAME))
        .where(sa.text(f"{NAME} MATCH :every").bindparams(every=" AND ".join(groups)))
    )
    if before is not None:
        found = found.where(id < before)
    first = found.order_by(id.desc()).limit(limit).subquery("candidate")
    told = sa.select(sa.func.count(), sa.func.min(first.c.id)).select_from(first)
    number, lowest = db.session.execute(told).one()
    # Without an end of its own it becomes a part of the question it is asked in, and whoever wants
    # the first few that pass a further test gets them without all being tested.
    found = found if lowest is None else found.where(id >= lowest)
    return Candidates(number, lowest if number == limit else None, found)


def _on_postgres(
    every: Iterable[int], some: Sequence[Iterable[int]], before: int | None, limit: int
) -> Candidates:
    """Candidates by their ids. What is frequent is met by going down the ids, what is rare stands in
    short lists, and PostgreSQL cannot tell which is which: of most tokens it only knows that they are
    not among the commonest thousand. So the first few documents are gone through, and tell."""
    arrays = [_array(every), *map(_array, some)]

    def fits(tokens: Any) -> list[sa.ColumnElement[bool]]:
        operators = ["@>", *["&&"] * len(some)]
        return [
            tokens.op(operator, is_comparison=True)(array)
            for operator, array in zip(operators, arrays, strict=True)
        ]

    ids: list[int] = []
    walked, span, rare = 0, PROBED, RARE / 4 if some else RARE
    while before is not None and len(ids) < limit:
        below = TABLE.c.id < _number(before)
        # An inner end, so that nothing but the order of ids is gone by.
        next_few = sa.select(TABLE).where(below).order_by(TABLE.c.id.desc()).limit(_number(span))
        few = next_few.subquery("few")
        query = sa.select(few.c.id).where(*fits(few.c.tokens)).order_by(few.c.id.desc())
        met = db.session.scalars(query.limit(_number(limit - len(ids)))).all()
        ids += met
        last = sa.select(TABLE.c.id).where(below).order_by(TABLE.c.id.desc())
        before = db.session.scalar(last.offset(_number(span - 1)).limit(1))
        walked += span
        if len(ids) >= limit:
            return Candidates(len(ids), ids[-1], ids)
        if before is None or (len(met) > rare * span and walked >= MOST_WALKED):
            return Candidates(len(ids), before, ids)
        if len(met) <= rare * span:
            break
        likely = math.ceil(AMPLE * (limit - len(ids)) * span / len(met))
        span = min(MOST_WALKED - walked, likely)
    rest = sa.select(TABLE.c.id).where(*fits(TABLE.c.tokens))
    if before is not None:
        rest = rest.where(TABLE.c.id < _number(before))
    # Of a sum PostgreSQL knows no order, and goes by the lists.
    rest = rest.order_by((TABLE.c.id + sa.literal_column("0")).desc())
    ids += db.session.scalars(rest.limit(_number(limit - len(ids))))
    return Candidates(len(ids), ids[-1] if len(ids) == limit else None, ids)


def among(
    statement: sa.Select[*tuple[Any, ...]], documents: Any, found: sa.Select[int] | list[int]
) -> sa.Select[*tuple[Any, ...]]:
    """`statement` for those of `documents` (with an `id`) alone that are candidates, the highest
    first."""
    if isinstance(found, list):
        ids = sa.bindparam(None, found, type_=sa.ARRAY(sa.BigInteger), unique=True)
        return statement.where(documents.id == sa.func.any(ids)).order_by(documents.id.desc())
    candidate = found.subquery("candidate")
    joined = statement.select_from(candidate).join(documents, documents.id == candidate.c.id)
    return joined.order_by(candidate.c.id.desc())


def holds(column: sa.ColumnElement[str], words: str) -> sa.ColumnElement[bool]:
    """Whether a column has these very words in it."""
    position = sa.func.instr if _on_sqlite() else sa.func.strpos
    return position(column, words) > 0


def _on_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def _packed(tokens: Iterable[int]) -> bytes:
    # In order FTS5 takes them in quicker.
    numbers = array("I", sorted([token - LOWEST for token in tokens]))
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(packed: bytes) -> "array[int]":
    numbers = array("I", packed)
    if sys.byteorder == "little":
        numbers.byteswap()
    return numbers


def _signed(packed: bytes) -> list[int]:
    return [number + LOWEST for number in _numbers(packed)]


def _words(packed: bytes) -> str:
    # Those of eight digits, most in Chinese, are written all at once; they are in order, and their
    # first bytes tell.
    long = 4 * bisect_left(packed[::4], _EIGHT_DIGITS)
    if not long:
        return packed.hex(" ", 4)
    short = [f"{number:x}" for number in _numbers(packed[:long])]
    return " ".join([*short, packed[long:].hex(" ", 4)] if long < len(packed) else short)


def _quoted(token: int) -> str:
    return f'"{token - LOWEST:x}"'


def _number(number: int) -> Any:
    # Written out: asked more than a few times, a question is planned for any numbers.
    return sa.bindparam(None, number, type_=sa.BigInteger, literal_execute=True, unique=True)


def _array(tokens: Iterable[int]) -> sa.ColumnElement[Any]:
    # Written out: a plan prepared for any tokens would be wrong for the very rare and the very
    # frequent.
    kind = sa.ARRAY(sa.Integer)
    return sa.bindparam(None, sorted(tokens), type_=kind, literal_execute=True, unique=True)
