"""Several writers in one transaction, for what very many send at the same moment.

Who comes while another thread of this process writes does not queue behind it: whoever's turn it is
carries out the deeds of all who wait, each under a savepoint of its own, commits once, and lets the
next begin while the log is synced. A deed that is refused or fails is undone alone, and nobody hears
"done" before it is on disk. On PostgreSQL, whose writers do not queue, each is carried out by itself.
Why: `docs/decisions/0005-writing-to-sqlite.md`.
"""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask, current_app

from core import sqlite
from core.db import db

T = TypeVar("T")
# So many in one transaction, then it is for others to write.
MOST = 16


class _Deed:
    """What one thread wants done, and what became of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.work = work
        self.begun = self.over = False
        self.result: Any = None
        self.error: BaseException | None = None


class Together:
    """The threads of this process that write to one database."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._changed = Condition()
        self._waiting: deque[_Deed] = deque()
        self._led = False

    def carry_out(self, work: Callable[[], Any]) -> Any:
        """See `carry_out` below."""
        assert not db.session.in_transaction(), "it would wait for itself"
        mine = _Deed(work)
        with self._changed:
            self._waiting.append(mine)
            while not mine.over and (mine.begun or self._led):
                self._changed.wait()
            if not mine.begun:
                self._led = mine.begun = True
                self._waiting.remove(mine)
                leads = True
            else:
                leads = False
        if leads:
            self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.result

    def _lead(self, mine: _Deed) -> None:
        """Carry out what waits, beginning with one's own deed."""
        begun, fault = [mine], None
        try:
            try:
                # While this waits for another process to finish, more of this one come.
                here = db.session.connection(execution_options={sqlite.SYNCED_LATER: True})
                _carry_out(mine, here)
                while len(begun) < MOST and (deed := self._next()) is not None:
                    begun.append(deed)
                    _carry_out(deed, here)
                db.session.commit()
            finally:
                with self._changed:
                    self._led = False
                    self._changed.notify_all()
            self._sync()
        except BaseException as error:
            fault = error
            with suppress(Exception):
                db.session.rollback()
        with self._changed:
            for deed in begun:
                # Whoever was refused, or failed alone, has heard the truth.
                if fault is not None and (deed is mine or deed.result is not None):
                    deed.result, deed.error = None, deed.error or fault
                deed.over = True
            self._changed.notify_all()

    def _next(self) -> _Deed | None:
        with self._changed:
            if not self._waiting:
                return None
            deed = self._waiting.popleft()
            deed.begun = True
            return deed


def _carry_out(deed: _Deed, here: sa.Connection) -> None:
    """Do it, or leave no trace of it. Where not even that succeeds nobody's deed is done."""
    driver: Any = here.connection.dbapi_connection
    driver.execute("SAVEPOINT deed").close()
    try:
        deed.result = deed.work()
    except Exception as error:
        deed.error = error
    if deed.result is None:
        driver.execute("ROLLBACK TO deed").close()
    driver.execute("RELEASE deed").close()


def init_together(app: Flask) -> None:
    """Let the writers of this application write together where writers queue."""
    if (sync := app.extensions.get("sync")) is not None:
        app.extensions["together"] = Together(sync)


def carry_out(work: Callable[[], T | None]) -> T | None:
    """Have `work` done and on disk: its result. What returns None or raises is undone.

    Another thread may do it, in a session of its own and together with others' work. So it must not
    ask for the request, and does everything by statements: no object is left for the session to write.
    """
    together: Together | None = current_app.extensions.get("together")
    if together is not None:
        found: T | None = together.carry_out(work)
        return found
    result = None
    try:
        result = work()
    finally:
        db.session.rollback() if result is None else db.session.commit()
    return result
