"""A quick way in for what very many send at the same moment: an opinion on a draft.

Most of what a comment costs is not its storing but what Flask builds around every request. This
layer stands before Flask, as `core.pages.LivePages` does for reading, and carries out the ordinary
case with the very functions of the view. It accepts and never refuses: whatever is not in order in
every respect (somebody signed in, no valid token, a field too long, not open, too often, a fault)
goes on to the view as if this layer were not there, and the view says so in words. Nothing is taken
in here that the view would not take in. Why: `docs/decisions/a-quick-way-in.md`.
"""

import hmac
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from flask import Flask
from flask_login import COOKIE_NAME as REMEMBERED
from flask_wtf.csrf import same_origin
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import SecurityError
from werkzeug.http import parse_cookie
from werkzeug.wsgi import get_host

from core import together, web

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FORM = "application/x-www-form-urlencoded"
TOKEN = "csrf_token"
LARGEST_BODY = 64 * 1024
MOST_FIELDS = 30
MOST_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Sent:
    """A form that a visitor sent from a page of ours."""

    # What the pattern of the address names, and the numbers behind its question mark.
    named: dict[str, str]
    asked: dict[str, int]
    fields: "MultiDict[str, str]"
    # Where the visitor is, as far as the network tells.
    address: str | None


# A page to go to: its endpoint and values.
Page = tuple[str, dict[str, Any]]
# Reads a form, without the database, and gives the deed (see `core/together.py`): what the view would
# do, naming the page to go to. None, of either, leaves the form to the view.
Way = Callable[[Sent], Callable[[], Page | None] | None]


def init_quick(app: Flask) -> None:
    """Put the layer directly before Flask, behind whatever tells where a visitor is."""
    app.extensions["quick"] = app.wsgi_app = QuickWays(app, app.wsgi_app)  # type: ignore[method-assign]  # how Flask documents middleware


def open_way(app: Flask, address: str, way: Way) -> None:
    """Let `way` try what is posted to addresses of this pattern before the view sees it."""
    ways: QuickWays = app.extensions["quick"]
    ways.add(re.compile(address), way)


class QuickWays:
    """The WSGI layer: tries the ways it knows and passes everything else on."""

    def __init__(self, app: Flask, inner: "WSGIApplication") -> None:
        self._app, self._inner = app, inner
        self._ways: list[tuple[re.Pattern[str], Way]] = []

    def add(self, address: re.Pattern[str], way: Way) -> None:
        """Know one way more."""
        self._ways.append((address, way))

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            for address, way in self._ways:
                found = address.fullmatch(environ.get("PATH_INFO", ""))
                if found and (page := self._try(environ, found.groupdict(), way)) is not None:
                    start_response("302 FOUND", self._headers(page))
                    return [b""]
        return self._inner(environ, start_response)

    def _try(self, environ: "WSGIEnvironment", named: dict[str, str], way: Way) -> str | None:
        """The address of the page to go to, if `way` took the form in."""
        sent = self._read(environ, named)
        if sent is None:
            return None
        with self._app.app_context():
            try:
                deed = way(sent)
                page = together.carry_out(deed) if deed else None
            except Exception:
                # Nothing was acknowledged. The view tries again and says what is the matter; what
                # was stored nevertheless it knows by the key of the form.
                self._app.logger.exception("the quick way failed at %s", environ["PATH_INFO"])
                return None
        return self._pages.build(*page) if page else None

    def _read(self, environ: "WSGIEnvironment", named: dict[str, str]) -> Sent | None:
        """The form, when it came as a browser sends it from our page; else None."""
        length = environ.get("CONTENT_LENGTH") or ""
        if not (
            environ.get("CONTENT_TYPE") == FORM
            and not environ.get("SCRIPT_NAME")
            and length.isascii()
            and length.isdigit()
            and len(length) <= MOST_DIGITS
            and int(length) <= LARGEST_BODY
        ):
            return None
        visitor = self._visitor(environ)
        if visitor is None:
            return None
        body = environ["wsgi.input"].read(int(length))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            fields = _each_once(body.decode("ascii"))
            asked = _numbers(environ.get("QUERY_STRING") or "")
        except ValueError:
            return None
        if not self._genuine(environ, visitor, fields.get(TOKEN, "")):
            return None
        return Sent(named, asked, MultiDict(fields), environ.get("REMOTE_ADDR"))

    def _visitor(self, environ: "WSGIEnvironment") -> dict[str, Any] | None:
        """What stands in the cookie of somebody of whom nothing is known; else None."""
        app = self._app
        cookies = parse_cookie(environ.get("HTTP_COOKIE"))
        signer: URLSafeTimedSerializer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # ours has it
        lasts = int(app.permanent_session_lifetime.total_seconds())
        try:
            get_host(environ, app.config["TRUSTED_HOSTS"])
            session = signer.loads(cookies[app.config["SESSION_COOKIE_NAME"]], max_age=lasts)
        except (SecurityError, KeyError, BadData):
            return None
        # Somebody signed in, or a message that is still to be shown, would be more than a token.
        unknown = isinstance(session, dict) and session.keys() == {TOKEN}
        return session if unknown and REMEMBERED not in cookies else None

    def _genuine(self, environ: "WSGIEnvironment", visitor: dict[str, Any], token: str) -> bool:
        """What Flask-WTF asks: this visitor's token, signed and not too old, and where the
        connection is safe a page of this site as the one it came from."""
        config = self._app.config
        if not config["WTF_CSRF_ENABLED"]:
            return True
        try:
            told = self._tokens.loads(token, max_age=config["WTF_CSRF_TIME_LIMIT"])
            if not hmac.compare_digest(visitor[TOKEN], told):
                return False
        except (BadData, TypeError):
            return False
        if environ["wsgi.url_scheme"] != "https":
            return True
        return bool(same_origin(environ.get("HTTP_REFERER", ""), f"https://{get_host(environ)}/"))

    @cached_property
    def _tokens(self) -> URLSafeTimedSerializer:
        """Who signs Flask-WTF's tokens."""
        app = self._app
        key: Any = app.config.get("WTF_CSRF_SECRET_KEY", app.secret_key)
        return URLSafeTimedSerializer(key, salt="wtf-csrf-token")

    @cached_property
    def _pages(self) -> Any:
        return self._app.url_map.bind("")

    def _headers(self, page: str) -> list[tuple[str, str]]:
        return [
            ("Location", page),
            ("Content-Length", "0"),
            ("Cache-Control", "no-store"),
            ("Vary", "Cookie"),
            *web.always(https_only=self._app.config["SETTINGS"].https_only),
        ]


def _each_once(words: str) -> dict[str, str]:
    """The fields of a form; ValueError when they are not text or one is named twice."""
    pairs = parse_qsl(words, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field was sent twice")
    return found


def _numbers(asked: str) -> dict[str, int]:
    """What stands behind the question mark; ValueError when it is anything but numbers."""
    if not asked:
        return {}
    found = _each_once(asked)
    if not all(re.fullmatch(rf"[0-9]{{1,{MOST_DIGITS}}}", value) for value in found.values()):
        raise ValueError("not a number")
    return {name: int(value) for name, value in found.items()}
