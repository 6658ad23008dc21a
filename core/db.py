"""The database session and the base of every table.

SQLite is the default and PostgreSQL the alternative; nothing outside this file should need to
know which of the two is running; how SQLite is made to behave is in `core/sqlite.py`.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import sqlalchemy as sa
from flask import Flask, has_request_context, request
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler

from core import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
# How many values a statement is given at once: far below what either database takes.
BATCH = 500
T = TypeVar("T")
READING = frozenset({"GET", "HEAD", "OPTIONS"})


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """A moment. Stored in UTC, always aware in Python; a naive value is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self,
        value: dt.datetime | None,
        dialect: sa.engine.Dialect,  # noqa: ARG002
    ) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(
        self,
        value: dt.datetime | None,
        dialect: sa.engine.Dialect,  # noqa: ARG002
    ) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """Every table's base: named constraints, aware moments, JSON for dictionaries."""

    metadata = sa.MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar = {
        dt.datetime: UtcDateTime(),
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
    }


def choice(kind: type[Enum]) -> sa.Enum:
    """A column type for `kind`: stored by value, held to its values by a CHECK."""
    return sa.Enum(
        kind,
        values_callable=lambda members: [member.value for member in members],
        native_enum=False,
        create_constraint=True,
        length=24,
        name=kind.__name__.lower(),
    )


def unique_where(name: str, *columns: str, where: str) -> sa.Index:
    """An index that lets no two rows have the same in `columns` among those for which `where` is
    true: an SQL condition in words that both databases know."""
    return sa.Index(name, *columns, unique=True, info={"where": where})


@sa.event.listens_for(Base.metadata, "before_create")
def _say_where(metadata: sa.MetaData, connection: sa.Connection, **_rest: Any) -> None:
    # To say a condition in a database's own words loads all that SQLAlchemy knows of it.
    for table in metadata.tables.values():
        for index in table.indexes:
            if where := index.info.get("where"):
                index.dialect_options[connection.dialect.name]["where"] = sa.text(where)


db = SQLAlchemy(session_options={"expire_on_commit": False})


def insert_into(table: type[Base]) -> "sqlite_dialect.Insert | postgresql.Insert":
    """An INSERT that knows ON CONFLICT, in the words of the database that is running."""
    if db.engine.dialect.name != "postgresql":
        return sqlite_dialect.insert(table)
    # The engine has loaded it; a site on SQLite does without its twenty modules.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert(table)


def run(statement: sa.Executable, values: Any = None) -> sa.CursorResult[Any]:
    """Execute a prepared Core statement inside the session's transaction.

    For the few writes that must be quick: the ORM's own way costs several times as much.
    """
    return db.session.connection().execute(statement, values)


def batches(whole: Sequence[T], size: int = BATCH) -> Iterator[Sequence[T]]:
    """The whole in pieces, in order: by default of as many values as a statement is given at once."""
    return (whole[start : start + size] for start in range(0, len(whole), size))


def take_stock() -> None:
    """After many entries: let PostgreSQL look how much there is of what. It would do so itself within
    a minute or two, and until then go about large tables as if they were small. SQLite goes by no
    such figures here."""
    if db.engine.dialect.name == "postgresql":
        run(sa.text("ANALYZE"))


class Prepared:
    """A Core statement written out once and from then on handed to the driver as it is.

    For what every comment causes while other writers wait: finding a statement's words again takes
    longer than the database needs to carry it out. Every value has to be given, for no default is
    filled in.
    """

    def __init__(self, statement: sa.Select[*tuple[Any, ...]] | sa.UpdateBase) -> None:
        self._statement = statement
        self._written: dict[str, _Written] = {}

    def run(self, connection: sa.Connection, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Execute with these values, the same names each time; the first row if it gives any, with
        the driver's own values.

        The words go to the driver without SQLAlchemy's way there, which costs several times what
        the driver needs. Whoever listens to the statements of the engine hears this one, too.
        """
        written = self._for(connection.dialect, values)
        given = written.constants | values
        each = [process(given[name]) if process else given[name] for name, process in written.binds]
        sent: Any = tuple(each)
        if written.by_name:
            names = (name for name, _process in written.binds)
            sent = dict(zip(names, each, strict=True))
        cursor = connection.connection.cursor()
        try:
            for heard in connection.dispatch.before_cursor_execute:
                heard(connection, cursor, written.sql, sent, None, False)
            cursor.execute(written.sql, sent)
            return cursor.fetchone() if cursor.description else None
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy_says(error, written.sql, connection.dialect) from error
        finally:
            cursor.close()

    def many(self, connection: sa.Connection, columns: Mapping[str, Iterable[Any]]) -> None:
        """Execute for many rows, given column by column: of each name as many values, at least one, and
        of one of them no more."""
        written = self._for(connection.dialect, dict(columns))
        given = {name: itertools.repeat(value) for name, value in written.constants.items()}
        sent: list[Iterable[Any]] = []
        for name, process in written.binds:
            column = columns[name] if name in columns else given[name]
            if process and isinstance(column, itertools.repeat):
                column = itertools.repeat(process(next(column)))
            elif process:
                column = map(process, column)
            sent.append(column)
        rows = list(zip(*sent, strict=False))
        if written.by_name:
            names = [name for name, _process in written.binds]
            by_name = [dict(zip(names, row, strict=True)) for row in rows]
            connection.exec_driver_sql(written.sql, by_name)
        else:
            connection.exec_driver_sql(written.sql, rows)

    def first(self, connection: sa.Connection, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """Execute with these values; the first row, with the values the columns' types make."""
        row = self.run(connection, values)
        if row is None:
            return None
        made = self._for(connection.dialect, values).columns
        return tuple(make(value) if make else value for make, value in zip(made, row, strict=True))

    def _for(self, dialect: sa.Dialect, values: dict[str, Any]) -> "_Written":
        """The statement in the words of this database."""
        known = self._written.get(dialect.name)
        if known is not None:
            return known
        compiled = self._statement.compile(dialect=dialect, column_keys=list(values))
        assert isinstance(compiled, SQLCompiler)
        binds = {name: bind for bind, name in compiled.bind_names.items()}
        written = self._written[dialect.name] = _Written(
            sql=str(compiled),
            by_name=not compiled.positional,
            constants={name: bind.value for name, bind in binds.items() if not bind.required},
            binds=[
                (name, binds[name].type.dialect_impl(dialect).bind_processor(dialect))
                for name in compiled.positiontup or binds
            ],
            columns=[
                column.type.dialect_impl(dialect).result_processor(dialect, None)
                for column in self._statement.exported_columns
            ],
        )
        return written


def _as_sqlalchemy_says(error: Exception, sql: str, dialect: sa.Dialect) -> BaseException:
    """An error of the driver under SQLAlchemy's name for it; the values are left out of it."""
    return sa.exc.DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect, hide_parameters=True
    )


@dataclass(frozen=True, slots=True)
class _Written:
    sql: str
    # Whether this driver takes its values by name; else in the order of `binds`.
    by_name: bool
    constants: dict[str, Any]
    binds: list[tuple[str, Callable[[Any], Any] | None]]
    columns: list[Callable[[Any], Any] | None]


@contextmanager
def aside() -> Iterator[sa.Connection]:
    """A short transaction of its own, for the little that even a GET may note.

    Never inside a writing request's open transaction: on SQLite it would wait for itself.
    """
    connection = db.engine.connect().execution_options(aside=True)
    with connection, connection.begin():
        yield connection


def init_db(app: Flask) -> None:
    """Attach the session to `app` and set SQLite's manners."""
    db.init_app(app)
    # The extension also closes sessions of an asynchronous kind that this site never opens, for
    # which Flask would start a thread at the end of every request.
    app.teardown_appcontext_funcs = [
        close for close in app.teardown_appcontext_funcs if not iscoroutinefunction(close)
    ]
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        app.extensions["sync"] = sqlite.teach(engine, reads_only=_reads_only)


def _reads_only(connection: sa.Connection) -> bool:
    aside = connection.get_execution_options().get("aside", False)
    return not aside and has_request_context() and request.method in READING
