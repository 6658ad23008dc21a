"""A database as files in an archive, and back again: SQLite as one file, PostgreSQL table by table.

Both are read within one snapshot while the site goes on; neither asks for a program beside Python.
"""

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol
from zipfile import ZipFile

import sqlalchemy as sa

from core import postings
from core.db import Base, db
from core.migrations import VERSION

# An entry of the archive, opened for writing or reading by its name.
Put = Callable[[str], Any]
SQLITE_ENTRY = "database.sqlite3"
TABLES = "tables/"
ENTRY = re.compile(r"database\.sqlite3|tables/[a-z][a-z0-9_]*")
AT_ONCE = 1 << 20


class Copier(Protocol):
    """What a kind of database can do."""

    def dump(self, put: Put) -> dict[str, Any]:
        """Write the entries; what has to be told beside them: `rows` by table, and what `load`
        wants to know."""

    def faults(self, archive: ZipFile, told: dict[str, Any]) -> list[str]:
        """What is wrong with the entries although their bytes are as they were written."""

    def load(self, archive: ZipFile, told: dict[str, Any]) -> None:
        """Fill a database: on SQLite one without tables, on PostgreSQL one at the revision of
        the copy. Commits."""


def copier(kind: str) -> Copier:
    """The one for `kind`, "sqlite" or "postgresql"; KeyError for any other."""
    kinds: dict[str, Callable[[], Copier]] = {"sqlite": SqliteCopier, "postgresql": PostgresCopier}
    return kinds[kind]()


def is_empty() -> bool:
    """Whether the site's database holds no table yet."""
    return not sa.inspect(db.engine).get_table_names()


# --- SQLite --------------------------------------------------------------------------------------


class SqliteCopier:
    """One file, made by SQLite's own online backup: writers go on meanwhile."""

    def dump(self, put: Put) -> dict[str, Any]:
        """The file, without a log beside it."""
        with _scratch() as folder:
            path = folder / SQLITE_ENTRY
            with closing(_open(_path(), "ro")) as source, closing(sqlite3.connect(path)) as copy:
                # All pages in one step are one snapshot; in several, a write begins it anew.
                source.backup(copy, pages=-1)
                copy.execute("PRAGMA journal_mode = DELETE")
                rows = _rows(copy)
            with path.open("rb") as source_file, put(SQLITE_ENTRY) as entry:
                _pour(source_file, entry)
        return {"rows": rows}

    def faults(self, archive: ZipFile, told: dict[str, Any]) -> list[str]:
        """SQLite's own checks, and the rows counted again."""
        with _taken_out(archive) as path, closing(_open(path, "ro")) as copy:
            try:
                found = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
                broken = copy.execute("PRAGMA foreign_key_check").fetchall()
                rows = _rows(copy)
            except sqlite3.DatabaseError as error:
                return [f"数据库不能读取：{error}"]
        faults = [f"数据库有损坏：{each}" for each in found if each != "ok"]
        faults += [f"数据库中{table}的第{row}行所指的内容不存在" for table, row, *_ in broken[:5]]
        return faults + _differences(told.get("rows", {}), rows)

    def load(self, archive: ZipFile, told: dict[str, Any]) -> None:  # noqa: ARG002
        """Through SQLite's own backup, too: no file is moved under a connection."""
        db.engine.dispose()
        with (
            _taken_out(archive) as path,
            closing(_open(path, "ro")) as source,
            closing(_open(_path(), "rw")) as target,
        ):
            source.backup(target, pages=-1)


def _path() -> Path:
    database = db.engine.url.database
    assert database is not None
    return Path(database)


def _open(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=30)


def _rows(copy: sqlite3.Connection) -> dict[str, int]:
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    names = [name for (name,) in copy.execute(named)]
    return {
        name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for name in sorted(names)
        # Its lists hold no text to count; SQLite's check reads them.
        if not name.startswith(postings.NAME) and name != VERSION
    }


@contextmanager
def _taken_out(archive: ZipFile) -> Iterator[Path]:
    with _scratch() as folder:
        path = folder / SQLITE_ENTRY
        with archive.open(SQLITE_ENTRY) as entry, path.open("wb") as file:
            _pour(entry, file)
        yield path


@contextmanager
def _scratch() -> Iterator[Path]:
    # Readable by nobody else, and gone however this ends.
    with tempfile.TemporaryDirectory(prefix="wenji-") as folder:
        yield Path(folder)


# --- PostgreSQL ----------------------------------------------------------------------------------


class PostgresCopier:
    """A file a table in PostgreSQL's own text format, all read in one repeatable transaction."""

    def dump(self, put: Put) -> dict[str, Any]:
        """The tables, each after those it points to, and where the numbers have come to."""
        rows: dict[str, int] = {}
        with _psycopg() as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            columns = {name: _columns(cursor, name) for name in _tables(cursor)}
            for name, names in columns.items():
                counted = Lines(put(TABLES + name))
                with counted, cursor.copy(f"COPY {_listed(name, names)} TO STDOUT") as copy:
                    for part in copy:
                        counted.write(bytes(part))
                rows[name] = counted.number
            cursor.execute(
                "SELECT sequencename, last_value FROM pg_sequences"
                " WHERE schemaname = current_schema() AND last_value IS NOT NULL ORDER BY 1"
            )
            numbers = dict(cursor.fetchall())
        return {"rows": rows, "columns": columns, "numbers": numbers}

    def faults(self, archive: ZipFile, told: dict[str, Any]) -> list[str]:
        """The rows counted again: the format writes a line break within a value as two letters."""
        rows = {}
        for name in told.get("rows", {}):
            with archive.open(TABLES + name) as entry:
                rows[name] = sum(part.count(b"\n") for part in _parts(entry))
        return _differences(told.get("rows", {}), rows)

    def load(self, archive: ZipFile, told: dict[str, Any]) -> None:
        """In one transaction: all of it or nothing."""
        columns: dict[str, list[str]] = told["columns"]
        with _psycopg() as connection, connection.cursor() as cursor:
            # What the migrations have put in stands in the copy, too.
            cursor.execute(f"TRUNCATE {', '.join(map(_quoted, columns))}")
            for name, names in columns.items():
                with (
                    archive.open(TABLES + name) as entry,
                    cursor.copy(f"COPY {_listed(name, names)} FROM STDIN") as copy,
                ):
                    for part in _parts(entry):
                        copy.write(part)
            for name, last in told["numbers"].items():
                cursor.execute("SELECT setval(%s::regclass, %s)", (_quoted(name), last))
            connection.commit()


class Lines:
    """A file that counts the lines written to it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.number = 0

    def write(self, data: bytes) -> None:
        """Hand on, and count."""
        self.number += data.count(b"\n")
        self._file.write(data)

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()


@contextmanager
def _psycopg() -> Iterator[Any]:
    # COPY is not a statement SQLAlchemy knows.
    with closing(db.engine.raw_connection()) as pooled:
        yield pooled.driver_connection
        pooled.rollback()


def _tables(cursor: Any) -> list[str]:
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    here = {name for (name,) in cursor.fetchall()} - {VERSION}
    ordered = [table.name for table in Base.metadata.sorted_tables if table.name in here]
    return ordered + sorted(here.difference(ordered))


def _columns(cursor: Any, table: str) -> list[str]:
    cursor.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    )
    return [name for (name,) in cursor.fetchall()]


def _listed(table: str, columns: list[str]) -> str:
    return f"{_quoted(table)} ({', '.join(map(_quoted, columns))})"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- both ----------------------------------------------------------------------------------------


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: file.read(AT_ONCE), b"")


def _pour(source: IO[bytes], target: IO[bytes]) -> None:
    for part in _parts(source):
        target.write(part)


def _differences(told: dict[str, int], found: dict[str, int]) -> list[str]:
    return [
        f"数据表{name}应有{told.get(name, 0)}行，实有{found.get(name, 0)}行"
        for name in sorted(told.keys() | found.keys())
        if told.get(name) != found.get(name)
    ]
