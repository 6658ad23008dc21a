"""Sessions: who is signed in stands in the database, and the browser holds only a random id.

The cookie is signed and carries what an anonymous visitor needs (the forgery token, messages to
show once) plus, after sign-in, the id of a row in `browser_session`. Nothing in the cookie grants
anything by itself: without its row it is an anonymous visitor's cookie. Why so:
`docs/decisions/0001-sessions.md`.
"""

import datetime as dt
import hashlib
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask, Request, Response, g, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, aside, db

LASTS = dt.timedelta(hours=12)
IDLE = dt.timedelta(hours=2)
SEEN_EVERY = dt.timedelta(minutes=5)
ID_KEY = "sid"
# Browsers drop a cookie of more than 4,096 bytes without a word, and the person with it.
LARGEST_COOKIE = 3800


class BrowserSession(Base):
    """One browser in which one person is signed in."""

    __tablename__ = "browser_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    id_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)


def start(account_id: int, *, now: dt.datetime) -> str:
    """A new session for the account; returns its id, which is kept nowhere but in the cookie.

    Sessions that have run out, anybody's, go at the same time.
    """
    # Two people signing in at once must not wait for each other's broom.
    over = (
        sa.select(BrowserSession.id)
        .where(BrowserSession.expires_at <= now)
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        sa.delete(BrowserSession).where(BrowserSession.id.in_(over)),
        execution_options={"synchronize_session": False},
    )
    fresh = secrets.token_urlsafe(32)
    db.session.add(
        BrowserSession(
            id_hash=_hashed(fresh),
            account_id=account_id,
            created_at=now,
            seen_at=now,
            expires_at=now + LASTS,
        )
    )
    return fresh


def alive() -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions under which a row counts; `of` gives their values."""
    return (
        BrowserSession.id_hash == sa.bindparam("id_hash"),
        BrowserSession.expires_at > sa.bindparam("now"),
        BrowserSession.seen_at > sa.bindparam("seen_after"),
    )


def of(session_id: str, now: dt.datetime) -> dict[str, Any]:
    """What `alive` asks for, for the row of `session_id`."""
    return {"id_hash": _hashed(session_id), "now": now, "seen_after": now - IDLE}


def end(session_id: str) -> None:
    """End one session: its cookie is worthless from the commit on."""
    db.session.execute(
        sa.delete(BrowserSession).where(BrowserSession.id_hash == _hashed(session_id))
    )


def end_all(account_id: int) -> None:
    """End every session of an account, wherever it is signed in."""
    db.session.execute(sa.delete(BrowserSession).where(BrowserSession.account_id == account_id))


def is_stale(row: BrowserSession, now: dt.datetime) -> bool:
    """Whether the last note of this person is old enough for another."""
    return now - row.seen_at >= SEEN_EVERY


def note_seen(row: BrowserSession, *, now: dt.datetime) -> None:
    """Note that a person is still there, at most every five minutes.

    In a transaction of its own: reading counts as being there, and a GET never writes in the
    request's own transaction.
    """
    if not is_stale(row, now):
        return
    with aside() as connection:
        connection.execute(
            sa.update(BrowserSession)
            .where(BrowserSession.id == row.id, BrowserSession.seen_at < now)
            .values(seen_at=now)
        )


def enter(session_id: str) -> None:
    """Put a new session id into this visitor's cookie, and nothing of what was there before."""
    session.clear()
    session[ID_KEY] = session_id
    # Made here and not with the first form, so that two tabs opened at once share it.
    session["csrf_token"] = secrets.token_hex(20)
    g.pop("csrf_token", None)


def current_id() -> str | None:
    """The session id this request came with, whether or not it still counts."""
    value = session.get(ID_KEY)
    return value if isinstance(value, str) and 32 <= len(value) <= 64 else None


def _hashed(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()


class CookieSessionInterface(SecureCookieSessionInterface):
    """Flask's signed cookie with SHA-256, never too large for a browser."""

    salt = "wenji-session"
    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        self._signers: dict[Any, URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Flask's own, made once for a key and not twice for every request."""
        key = (app.secret_key, *(app.config["SECRET_KEY_FALLBACKS"] or ()))
        if key not in self._signers:
            self._signers[key] = super().get_signing_serializer(app)
        return self._signers[key]

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The visitor's data; a cookie that is not ours is as good as none."""
        opened = super().open_session(app, request)
        if opened is not None and not all(isinstance(key, str) for key in opened):
            return self.session_class()
        return opened

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie when something was put in or taken out."""
        serializer = self.get_signing_serializer(app)
        if session.modified and serializer is not None:
            dumps: Callable[[object], str | bytes] = serializer.dumps
            if len(dumps(dict(session))) > LARGEST_COOKIE:
                session.pop("_flashes", None)
        super().save_session(app, session, response)


def init_sessions(app: Flask) -> None:
    """Give the application its session cookie."""
    app.session_interface = CookieSessionInterface()
    app.config["PERMANENT_SESSION_LIFETIME"] = LASTS
