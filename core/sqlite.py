"""How SQLite is made durable, fair and quick with many writers. Nothing else knows of it.

* Readers begin DEFERRED, writers IMMEDIATE, so that no transaction discovers half way that it
  cannot write.
* Writers first queue on a lock file. SQLite's own busy handler polls with growing pauses and
  starves the unlucky; a blocking file lock is served in order, between processes too.
* What is acknowledged is on disk. Each commit would normally be synced inside the queue, one after
  the other; here the log is synced right after the queue is left and before anybody is answered,
  so that one sync serves all who have committed meanwhile. Why that is as safe as
  `synchronous=FULL`: `docs/decisions/0005-writing-to-sqlite.md`.
"""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from threading import Condition
from typing import Any

import sqlalchemy as sa


class SharedSync:
    """Waits until a file is on disk; those who ask while a sync runs share the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._turn = Condition()
        self._asked = 0
        self._done = 0
        self._running = False

    def wait(self) -> None:
        """Return once everything written to the file before this call is on disk."""
        with self._turn:
            self._asked += 1
            mine = self._asked
            while self._running and self._done < mine:
                self._turn.wait()
            if self._done >= mine:
                return
            self._running = True
            upto = self._asked
        try:
            self._sync()
        except BaseException:
            self._finish(self._done)
            raise
        self._finish(upto)

    def _finish(self, done: int) -> None:
        with self._turn:
            self._running = False
            self._done = max(self._done, done)
            self._turn.notify_all()

    def _sync(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            # No log: its last user has put it into the database, synced, and removed it.
            return
        try:
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)


def teach(engine: sa.Engine, *, reads_only: Callable[[sa.Connection], bool]) -> None:
    """Give `engine` these manners; `reads_only` tells whether a transaction will only read."""
    database = engine.url.database
    if not database or database == ":memory:":
        raise ValueError("the database must be a file")
    queue, sync = Path(f"{database}.writers"), SharedSync(Path(f"{database}-wal"))

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, record: Any) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            # The log is synced by SharedSync; the database itself still at every checkpoint.
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "busy_timeout=15000",
            "cache_size=-32000",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}").close()

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if reads_only(connection):
            connection.exec_driver_sql("BEGIN")
            return
        _join(connection, queue)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @sa.event.listens_for(engine, "checkin")
    @sa.event.listens_for(engine, "invalidate")
    def on_end(connection: Any, record: Any, *reason: Any) -> None:
        # The "commit" event would come before the COMMIT; here the transaction is over.
        held = record.info.pop("writing", None) if record else None
        if held is not None:
            os.close(held)
            sync.wait()


def _join(connection: sa.Connection, queue: Path) -> None:
    if "writing" not in connection.info:
        descriptor = os.open(queue, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        connection.info["writing"] = descriptor
