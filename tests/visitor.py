"""The test client: a visitor who looks closely at every page and every deed.

* Every page any test opens is checked (`tests/page_checker.py`).
* A GET that writes to the database fails; so does any request that was answered as done but left
  changes uncommitted.
* A request never shares its database session or `g` with the test around it, because on a real
  server it does not: what the test arranged is committed before, and read afresh after.
"""

import contextvars
import threading
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask, g, has_app_context, has_request_context, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core.db import READING, db
from tests import page_checker

KEY = "tests.watched"
WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "DROP", "ALTER", "TRUNCATE")
# Written aside, in a transaction of its own, by any request: that a signed-in person is there.
BOOKKEEPING = ("UPDATE browser_session",)


@dataclass(slots=True)
class Watched:
    """What one request did to the database."""

    written: list[str] = field(default_factory=list)
    uncommitted: list[str] = field(default_factory=list)
    signed_in: bool = False


# The client reads here what the request it just sent did, in its own thread.
LAST = threading.local()


def watch(app: Flask) -> None:
    """Note, for every request to `app`, what it writes and what it leaves behind."""
    with app.app_context():
        engine = db.engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def on_statement(connection: sa.Connection, cursor: Any, statement: str, *more: Any) -> None:
        if not has_request_context() or not _writes(statement):
            return
        if statement.startswith(BOOKKEEPING) and _aside(connection):
            return
        watched = _watched()
        watched.written.append(statement)
        if not _aside(connection):
            watched.uncommitted.append(statement)

    @sa.event.listens_for(engine, "commit")
    @sa.event.listens_for(engine, "rollback")
    def on_end(connection: sa.Connection) -> None:
        if has_request_context() and not _aside(connection):
            _watched().uncommitted.clear()

    @app.teardown_request
    def on_teardown(error: BaseException | None) -> None:
        # Registered last, so it comes before the session is closed.
        watched = _watched()
        LAST.watched = watched
        person = g.get("_login_user")
        watched.signed_in = bool(person is not None and person.is_authenticated)
        for session in g.get("_sqlalchemy_sessions", {}).values():
            changed = filter(session.is_modified, session.dirty)
            watched.uncommitted += [
                f"pending: {type(thing).__name__}"
                for thing in (*session.new, *session.deleted, *changed)
            ]


def _writes(statement: str) -> bool:
    plain = statement.lstrip().upper()
    return plain.startswith(WRITING) or (
        plain.startswith("WITH") and any(f" {word} " in plain for word in WRITING[:3])
    )


def _aside(connection: sa.Connection) -> bool:
    return bool(connection.get_execution_options().get("aside", False))


def _watched() -> Watched:
    found: Watched = request.environ.setdefault(KEY, Watched())
    return found


class Visitor(FlaskClient):
    """A browser without script. `checks = False` lets it see a page without judging it; with
    `collects = True` it goes on and keeps what it found in `found`."""

    checks = True
    collects = False
    watched = Watched()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.found: list[str] = []

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request as ever; AssertionError when the answer or what it did is not in order."""
        if self.preserve_context:
            return super().open(*args, **kwargs)
        name = self.application.config["SESSION_COOKIE_NAME"]
        had_cookie = self.get_cookie(name) is not None
        send = super().open
        LAST.watched = Watched()
        # A page that is sent piece by piece is read to its end here, while its request lasts.
        kwargs.setdefault("buffered", True)
        if has_app_context():
            db.session.commit()
            answer = contextvars.Context().run(send, *args, **kwargs)
            db.session.expire_all()
        else:
            answer = send(*args, **kwargs)
        self.watched = LAST.watched
        if self.checks and (why := self._faults(answer, had_cookie)):
            assert self.collects, why
            self.found.append(why)
        return answer

    def _faults(self, answer: TestResponse, had_cookie: bool) -> str:
        asked = f"{answer.request.method} {answer.request.path} → {answer.status_code}"
        watched = self.watched
        found = page_checker.faults(answer, signed_in=watched.signed_in, had_cookie=had_cookie)
        reading = answer.request.method in READING
        if reading and watched.written:
            found.append(f"a GET wrote: {watched.written[:3]}")
        if (reading or answer.status_code < 400) and watched.uncommitted:
            found.append(f"changes were left uncommitted: {watched.uncommitted[:3]}")
        return f"{asked}:{page_checker.in_words(found)}" if found else ""
