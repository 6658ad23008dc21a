"""The database session, the base of every table, and how SQLite is made to behave.

SQLite is the default and PostgreSQL the alternative; nothing outside this file should need to
know which of the two is running.
"""

import datetime as dt
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy as sa
from flask import Flask, has_request_context, request
from flask_sqlalchemy_lite import SQLAlchemy
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
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


db = SQLAlchemy(session_options={"expire_on_commit": False})


def insert_into(table: type[Base]) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the database that is running."""
    postgres = db.engine.dialect.name == "postgresql"
    return postgresql.insert(table) if postgres else sqlite.insert(table)


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
    with app.app_context():
        engine = db.engine
    if engine.dialect.name == "sqlite":
        _teach_sqlite(engine)


def _teach_sqlite(engine: sa.Engine) -> None:
    """Make SQLite durable and fair.

    * FULL, not NORMAL: what was answered is on disk even if the power goes.
    * Readers begin DEFERRED, writers IMMEDIATE, so that no transaction discovers half way that it
      cannot write.
    * Writers first queue on a lock file. SQLite's own busy handler polls with growing pauses and
      starves the unlucky; a blocking file lock is served in order, between processes too.
    """
    database = engine.url.database
    queue = Path(f"{database}.writers") if database and database != ":memory:" else None

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "cache_size=-32000",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        aside = connection.get_execution_options().get("aside", False)
        if not aside and has_request_context() and request.method in READING:
            connection.exec_driver_sql("BEGIN")
            return
        if queue is not None:
            _join(connection, queue)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(engine, "checkin")
    @sa.event.listens_for(engine, "invalidate")
    def on_end(connection: Any, record: Any, *reason: Any) -> None:
        # Only now is the change on disk: the "commit" event would come before the COMMIT.
        held = record.info.pop("writing", None) if record else None
        if held is not None:
            os.close(held)


def _join(connection: sa.Connection, queue: Path) -> None:
    if "writing" not in connection.info:
        descriptor = os.open(queue, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        connection.info["writing"] = descriptor
