"""An inverted index: which documents have which tokens, the highest document first.

Documents and tokens are numbers. What it finds are candidates: who asks verifies them against the
words themselves, so that two tokens may share a number. One place for all that the two databases
do differently: SQLite keeps the lists in an FTS5 table without any text of its own, PostgreSQL in
a GIN index over arrays. Why not their own full-text search: `docs/decisions/search-index.md`.
"""

import json
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
# On PostgreSQL each document is entered under the blocks of numbers it stands in, too: of so many (as
# powers of two), and under a token of that block, in which is no pair of characters there are.
BLOCKS = ((11, 0xFFFF), (15, 0xFFFE), (19, 0xFFFD), (23, 0xFFFC))
# No more blocks are asked for at once.
MOST_BLOCKS = 17
# Of what is likely to do, so much is looked at, so that it does; never more than so many times what has been.
AMPLE, FURTHER = 1.3, 16
_GATHERED = 64 << 20  # bytes
# More is gone through by every search meanwhile.
_GATHERING = sa.text(
    "SELECT set_config('gin_pending_list_limit', '16MB', true), set_config('work_mem', '128MB', true)"
)
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

# PostgreSQL knows too little of tokens to see that their lists are the way. For this transaction at
# most; compiling a question takes longer than answering it.
_BY_LISTS, _ANY_WAY = (
    sa.text(f"SELECT set_config('enable_seqscan', '{how}', true), set_config('jit', 'off', true)")
    for how in ("off", "on")
)


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
    if len(entries) >= _MANY:
        _gather_more()
    if _on_sqlite():
        insert = f"INSERT INTO {NAME} (rowid, tokens) VALUES (?, ?)"
        rows = [(id, _words(each)) for id, each in entries.items()]
        db.session.connection().exec_driver_sql(insert, rows)
        return
    # An insertion of many rows takes four times as long to hand over.
    cursor = db.session.connection().connection.cursor()
    with cursor.copy(f"COPY {NAME} (id, tokens) FROM STDIN") as copy:
        for id, each in entries.items():
            tokens = ",".join(map(str, _signed(each) + _blocks(id)))
            copy.write(f"{id}\t{{{tokens}}}\n")


def _gather_more() -> None:
    """Let many entries be gathered before they are put into the lists: each time costs as much as the
    lists are long.

    By default SQLite writes after each megabyte, a dozen times in a thousand documents, and each writing is
    a list of its own, which has to be merged with the others; what is set is kept with the table.
    PostgreSQL gathers 4 MB, which are a thousand documents, and sorts them in as many at a time; what
    is set is forgotten with the transaction.
    """
    connection = db.session.connection()
    if not _on_sqlite():
        connection.execute(_GATHERING)
        return
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
    """After everything was entered anew: lists in one piece."""
    if _on_sqlite():
        run(sa.text(f"INSERT INTO {NAME} ({NAME}) VALUES ('optimize')"))
    else:
        sort_in()


def sort_in() -> None:
    """After many entries: nothing gathered any longer, which on PostgreSQL every search would go through
    beside the lists. On SQLite nothing is."""
    if not _on_sqlite():
        run(sa.text(f"SELECT gin_clean_pending_list('ix_{NAME}_tokens')"))


@dataclass(frozen=True, slots=True)
class Candidates:
    """Documents that may be what is looked for, the highest first, and the one below which to go on;
    None when these are all."""

    ids: list[int]
    below: int | None


def candidates(
    every: Iterable[int],
    some: Sequence[Iterable[int]],
    *,
    before: int | None,
    limit: int,
    span: int,
) -> Candidates:
    """Documents with all tokens of `every` and, of each group in `some`, at least one: the
    highest (below `before`) first, so many at most. `every` must not be empty; a few hundred documents may
    be expected among `span` numbers."""
    groups = [list(group) for group in some]
    if not all(groups):
        return Candidates([], None)
    if _on_sqlite():
        ids = _matched(every, groups, before, limit)
    else:
        ids = _listed(every, groups, before, limit, span)
    return Candidates(ids, ids[-1] if len(ids) == limit else None)


def _matched(
    every: Iterable[int], some: Sequence[Iterable[int]], before: int | None, limit: int
) -> list[int]:
    groups = [_quoted(each) for each in every]
    groups += ["(" + " OR ".join(_quoted(each) for each in group) + ")" for group in some]
    id: sa.ColumnElement[int] = sa.literal_column("rowid", sa.Integer)
    found = (
        sa.select(id)
        .select_from(sa.text(NAME))
        .where(sa.text(f"{NAME} MATCH :every").bindparams(every=" AND ".join(groups)))
    )
    if before is not None:
        found = found.where(id < before)
    return list(db.session.scalars(found.order_by(id.desc()).limit(limit)).all())


def _listed(
    every: Iterable[int],
    some: Sequence[Iterable[int]],
    before: int | None,
    limit: int,
    span: int,
) -> list[int]:
    """What is frequent stands in long lists, and all of it would be fetched and sorted for the highest few.
    So they are asked for blocks of documents, from the highest down: few at first, which tells how far it
    is to enough."""
    if before is None:
        highest = db.session.scalar(sa.select(sa.func.max(TABLE.c.id)))
        before = 0 if highest is None else highest + 1
    tokens = TABLE.c.tokens
    # Of a sum PostgreSQL knows no order, and has nothing to go by but the lists.
    id = TABLE.c.id + sa.literal_column("0")
    fitting = sa.select(TABLE.c.id).where(tokens.op("@>", is_comparison=True)(_array(every)))
    fitting = fitting.where(*(tokens.op("&&", is_comparison=True)(_array(each)) for each in some))
    ids: list[int] = []
    below = before
    db.session.execute(_BY_LISTS)
    while below > 0 and len(ids) < limit:
        lowest = max(below - span, 0)
        blocks = _covering(lowest, below)
        if blocks is None:
            lowest = 0
            here = fitting
        else:
            here = fitting.where(tokens.op("&&", is_comparison=True)(_array(blocks)))
            here = here.where(id >= _number(lowest))
        here = here.where(id < _number(below)).order_by(id.desc())
        ids += db.session.scalars(here.limit(_number(limit - len(ids)))).all()
        gone, below = before - lowest, lowest
        likely = AMPLE * (limit - len(ids)) * gone / len(ids) if ids else math.inf
        span = math.ceil(min(max(likely, gone), FURTHER * gone))
    db.session.execute(_ANY_WAY)
    return ids


def _blocks(id: int) -> list[int]:
    """The tokens of the blocks a document stands in."""
    return [_block(id >> size, first) for size, first in BLOCKS]


def _covering(lowest: int, below: int) -> list[int] | None:
    """The tokens of the fewest blocks in which are all numbers from `lowest` up to `below`; None when
    there are too many."""
    for size, first in BLOCKS:
        among = range(lowest >> size, (below - 1 >> size) + 1)
        if len(among) <= MOST_BLOCKS:
            return [_block(each, first) for each in among]
    return None


def _block(place: int, first: int) -> int:
    # Two may share a token: numbers are asked for, too.
    return (first << 16 | place & 0xFFFF) + LOWEST


def among(
    statement: sa.Select[*tuple[Any, ...]], documents: Any, ids: Sequence[int]
) -> sa.Select[*tuple[Any, ...]]:
    """`statement` for those of `documents` (with an `id`) alone that have these ids, the highest first."""
    if _on_sqlite():
        each = sa.func.json_each(json.dumps(list(ids))).table_valued("value", name="candidate")
        joined = statement.select_from(each).join(documents, documents.id == each.c.value)
        return joined.order_by(each.c.value.desc())
    these = sa.bindparam(None, ids, type_=sa.ARRAY(sa.BigInteger), unique=True)
    return statement.where(documents.id == sa.func.any(these)).order_by(documents.id.desc())


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
