"""How SQLite is made durable, fair and quick with many writers. Nothing else knows of it.

* Readers begin DEFERRED, writers IMMEDIATE, so that no transaction discovers half way that it
  cannot write.
* Writers first queue: within a process for its one place, between processes on a lock file.
  SQLite's own busy handler polls with growing pauses and starves the unlucky. Nobody waits for
  ever: after PATIENCE the request is told to come again.
* What is acknowledged is on disk. Each commit would normally be synced inside the queue, one after
  the other; here the log is synced right after the queue is left and before anybody is answered,
  so that one sync serves all who have committed meanwhile. Why that is as safe as
  `synchronous=FULL`: `docs/decisions/0005-writing-to-sqlite.md`.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Condition, Lock
from typing import Any

import sqlalchemy as sa

# How long a writer waits for its turn, in seconds, and how often a process asks for the lock file.
PATIENCE = 15.0
EVERY = 0.001
# An option of a connection's: whoever begins this transaction has the log synced before answering.
SYNCED_LATER = "synced_later"


class Queue:
    """The writers' queue of one database: one writer at a time, in this process and all others."""

    def __init__(self, path: Path) -> None:
        self._path, self._door = path, path.with_name(f"{path.name}-next")
        self._turn = Lock()

    def join(self) -> int:
        """Wait for the turn; what to hand to `leave`. Raises TimeoutError after PATIENCE."""
        deadline = time.monotonic() + PATIENCE
        if not self._turn.acquire(timeout=PATIENCE):
            raise sa.exc.TimeoutError("other writers of this process did not finish")
        try:
            # One process waits at the lock file, all others at the door before it: whoever has just
            # left the file and asks again would else find it free more often than who only looks.
            door = _locked(self._door, deadline)
            try:
                return _locked(self._path, deadline)
            finally:
                os.close(door)
        except BaseException:
            # No time, no room, or too many open files: whoever is next may fare better.
            self._turn.release()
            raise

    def leave(self, descriptor: int) -> None:
        """Let the next writer in."""
        os.close(descriptor)
        self._turn.release()


def _locked(path: Path, deadline: float) -> int:
    """A descriptor of this file that holds its lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise sa.exc.TimeoutError("another process did not finish writing") from None
                time.sleep(EVERY)
    except BaseException:
        os.close(descriptor)
        raise


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


def teach(engine: sa.Engine, *, reads_only: Callable[[sa.Connection], bool]) -> Callable[[], None]:
    """Give `engine` these manners; `reads_only` tells whether a transaction will only read. What is
    given back waits until all that has been committed is on disk."""
    database = engine.url.database
    if not database or database == ":memory:":
        raise ValueError("the database must be a file")
    with suppress(OSError):
        # Opinions before screening are nobody else's on this machine; SQLite's log follows suit.
        # Where the folder cannot be written, the first use of the database will say so.
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, 0o600))
    queue, sync = Queue(Path(f"{database}.writers")), SharedSync(Path(f"{database}-wal"))

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
        if "writing" not in connection.info:
            connection.info["writing"] = queue.join()
        carry_out(connection.connection.dbapi_connection, "BEGIN IMMEDIATE")

    def carry_out(connection: Any, words: str) -> None:
        """Straight to the driver: SQLAlchemy's way there is longer than what SQLite has to do."""
        try:
            connection.execute(words).close()
        except sqlite3.Error as error:
            raise sa.exc.OperationalError(words, None, error) from error

    def finish(connection: Any, info: dict[str, Any], *, how: str) -> None:
        """End a writer's transaction here, so that the queue is left when it is over and not
        before: SQLAlchemy's events come ahead of the COMMIT, which then finds nothing to do."""
        if "writing" not in info:
            return
        try:
            getattr(connection, how)()
        except sqlite3.Error as error:
            raise sa.exc.OperationalError(how.upper(), None, error) from error
        queue.leave(info.pop("writing"))

    @sa.event.listens_for(engine, "commit")
    def on_commit(connection: sa.Connection) -> None:
        writing = "writing" in connection.info
        finish(connection.connection.dbapi_connection, connection.info, how="commit")
        if writing and not connection.get_execution_options().get(SYNCED_LATER):
            sync.wait()

    @sa.event.listens_for(engine, "rollback")
    def on_rollback(connection: sa.Connection) -> None:
        finish(connection.connection.dbapi_connection, connection.info, how="rollback")

    @sa.event.listens_for(engine, "checkin")
    @sa.event.listens_for(engine, "invalidate")
    def on_end(connection: Any, record: Any, *reason: Any) -> None:
        # Whoever gives a connection back in the middle of writing also leaves the queue.
        if record is not None and (held := record.info.pop("writing", None)) is not None:
            queue.leave(held)

    return sync.wait
