"""SQLite's manners: writers in order, acknowledged means on disk, one sync for many."""

import fcntl
import os
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from core import sqlite
from core.sqlite import SharedSync


def engine_at(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}")
    sqlite.teach(engine, reads_only=lambda _connection: False)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE said (words TEXT)")
    return engine


def test_a_commit_returns_only_after_the_log_was_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "site.sqlite3"
    engine = engine_at(path)
    order: list[str] = []
    really = os.fdatasync

    def noticed(descriptor: int) -> None:
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        with closing(sqlite3.connect(path)) as reader:
            (seen,) = reader.execute("SELECT count(*) FROM said").fetchone()
        order.append(f"{name} after {seen}")
        really(descriptor)

    monkeypatch.setattr(os, "fdatasync", noticed)
    with engine.begin() as writer:
        writer.exec_driver_sql("INSERT INTO said VALUES ('x')")
    order.append("answered")
    assert order == ["site.sqlite3-wal after 1", "answered"]
    engine.dispose()


def test_a_failing_sync_is_not_an_acknowledgement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_at(tmp_path / "site.sqlite3")

    def broken(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    with pytest.raises(OSError, match="Input/output"), engine.begin() as writer:
        writer.exec_driver_sql("INSERT INTO said VALUES ('x')")
    monkeypatch.undo()
    # The queue is free again.
    with engine.begin() as writer:
        writer.exec_driver_sql("INSERT INTO said VALUES ('y')")
    engine.dispose()


def test_those_who_ask_during_a_sync_share_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x")
    shared = SharedSync(path)
    started, go_on = threading.Event(), threading.Event()
    syncs: list[int] = []

    def slow(descriptor: int) -> None:
        syncs.append(descriptor)
        started.set()
        go_on.wait(10)

    monkeypatch.setattr(os, "fdatasync", slow)
    first = threading.Thread(target=shared.wait)
    first.start()
    assert started.wait(10)
    others = [threading.Thread(target=shared.wait) for _ in range(8)]
    for thread in others:
        thread.start()
    while shared._asked < 9:
        time.sleep(0.001)
    go_on.set()
    for thread in (first, *others):
        thread.join(10)
    # Nine asked: one sync was under way, and one more served the other eight.
    assert len(syncs) == 2


def test_a_log_that_is_gone_was_already_safe(tmp_path: Path) -> None:
    SharedSync(tmp_path / "absent").wait()


def test_nobody_waits_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_at(tmp_path / "site.sqlite3")
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    with engine.connect() as writer:
        writer.exec_driver_sql("INSERT INTO said VALUES ('x')")
        with pytest.raises(sa.exc.TimeoutError), engine.connect() as another:
            another.exec_driver_sql("INSERT INTO said VALUES ('y')")
        writer.rollback()
    # Another process in the middle of writing: the same, by the lock file.
    with (tmp_path / "site.sqlite3.writers").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(sa.exc.TimeoutError), engine.connect() as another:
            another.exec_driver_sql("INSERT INTO said VALUES ('z')")
    with engine.begin() as writer:
        assert writer.exec_driver_sql("SELECT count(*) FROM said").scalar() == 0
    engine.dispose()


def test_the_queue_is_left_with_the_transaction_not_with_the_connection(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "site.sqlite3")
    with engine.connect() as kept_open:
        kept_open.exec_driver_sql("INSERT INTO said VALUES ('x')")
        kept_open.commit()
        with engine.begin() as another:
            another.exec_driver_sql("INSERT INTO said VALUES ('y')")
    engine.dispose()


def test_sixteen_writers_lose_nothing(tmp_path: Path) -> None:
    engine = engine_at(tmp_path / "site.sqlite3")

    def write() -> None:
        for _time in range(10):
            with engine.begin() as connection:
                connection.exec_driver_sql("INSERT INTO said VALUES ('x')")

    threads = [threading.Thread(target=write) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM said").scalar() == 160
    engine.dispose()
