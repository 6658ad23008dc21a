"""Several writers in one transaction: each gets what it would have got alone, and no "done" comes
before it is on disk."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NoReturn

import pytest
import sqlalchemy as sa
from flask import Flask

from core import together
from core.db import db
from core.throttle import ThrottleCount
from core.together import Together
from tests.conftest import NOON

MANY = 6
Deed = Callable[[], str | None]


def note(key: str) -> str:
    """A row of somebody's."""
    values = {"key_hash": key, "window_start": NOON, "expires_at": NOON, "count": 1}
    db.session.execute(sa.insert(ThrottleCount).values(values))
    return key


def refused(key: str) -> None:
    """Something that is not to be, once it is seen."""
    note(key)


def broken(key: str) -> NoReturn:
    """Something that fails half way."""
    note(key)
    raise LookupError(key)


def noted(app: Flask) -> set[str]:
    """The rows that are there."""
    with app.app_context():
        return set(db.session.scalars(sa.select(ThrottleCount.key_hash)))


def test_alone_it_is_done_refused_or_fails(app: Flask) -> None:
    with app.app_context():
        assert together.carry_out(lambda: note("done")) == "done"
        assert together.carry_out(lambda: refused("refused")) is None
        with pytest.raises(LookupError):
            together.carry_out(lambda: broken("broken"))
    assert noted(app) == {"done"}


@contextmanager
def _all_waiting(app: Flask, deeds: list[Deed]) -> Iterator[list["Future[str | None]"]]:
    """The deeds, asked for at the same moment: the first waits for another writer to finish and all
    others wait for the first. What is inside runs before that writer is done."""
    those: Together = app.extensions["together"]

    def ask(deed: Deed) -> str | None:
        with app.app_context():
            return together.carry_out(deed)

    with app.app_context(), ThreadPoolExecutor(len(deeds)) as pool:
        writer = db.engine.connect()
        transaction = writer.begin()
        asked = [pool.submit(ask, deed) for deed in deeds]
        until = time.monotonic() + 30
        while len(those._waiting) < len(deeds) - 1 and time.monotonic() < until:
            time.sleep(0.001)
        yield asked
        transaction.rollback()
        writer.close()


@pytest.fixture
def queueing(app: Flask) -> Flask:
    """A site whose writers queue."""
    if "together" not in app.extensions:
        pytest.skip("on PostgreSQL writers do not queue")
    return app


def test_those_who_wait_share_a_transaction(
    queueing: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    those: Together = queueing.extensions["together"]
    really, seen = those._sync, []

    def sync() -> None:
        seen.append(len(noted(queueing)))
        really()

    monkeypatch.setattr(those, "_sync", sync)
    deeds: list[Deed] = [lambda key=str(n): note(key) for n in range(MANY)]  # type: ignore[misc]  # bound now
    with _all_waiting(queueing, deeds) as asked:
        pass
    assert {each.result(30) for each in asked} == {str(n) for n in range(MANY)}
    # One sync, when all of them had been committed.
    assert seen == [MANY]


def test_whoever_is_refused_or_fails_is_undone_alone(queueing: Flask) -> None:
    deeds: list[Deed] = [
        lambda: note("first"),
        lambda: refused("refused"),
        lambda: broken("broken"),
        lambda: note("last"),
        # Somebody's key a second time: the database itself says no.
        lambda: note("first"),
    ]
    with _all_waiting(queueing, deeds) as asked:
        pass
    done = [each for each in asked if each.exception(30) is None]
    assert sorted(filter(None, (each.result() for each in done))) == ["first", "last"]
    assert asked[1].result() is None
    assert isinstance(asked[2].exception(), LookupError)
    failed = [each.exception() for each in asked if each.exception() is not None]
    assert sum(isinstance(each, sa.exc.IntegrityError) for each in failed) == 1
    assert noted(queueing) == {"first", "last"}


def test_what_is_not_on_disk_is_nobody_s_deed(
    queueing: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    those: Together = queueing.extensions["together"]

    def no_disk() -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(those, "_sync", no_disk)
    # Who was refused is still only refused, unless it is the one who writes for all.
    deeds: list[Deed] = [lambda key=str(n): note(key) for n in range(MANY)]  # type: ignore[misc]  # bound now
    with _all_waiting(queueing, deeds) as asked:
        pass
    assert all(isinstance(each.exception(30), OSError) for each in asked)
    monkeypatch.undo()
    with queueing.app_context():
        assert together.carry_out(lambda: note("afterwards")) == "afterwards"


def test_no_more_than_so_many_at_a_time(queueing: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "MOST", 2)
    deeds: list[Deed] = [lambda key=str(n): note(key) for n in range(MANY)]  # type: ignore[misc]  # bound now
    with _all_waiting(queueing, deeds) as asked:
        pass
    assert {each.result(30) for each in asked} == noted(queueing)


def test_who_writes_already_does_not_wait_for_itself(queueing: Flask) -> None:
    with queueing.app_context():
        note("own")
        with pytest.raises(AssertionError):
            together.carry_out(lambda: note("another"))
        db.session.rollback()
