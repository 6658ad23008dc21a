"""Pages kept for anonymous readers: rendered once, compressed once, served until they change.

Two ways, one store:

* `kept(key, stamp, render)` inside a view: 304, the kept page, or a fresh one. The stamp is read by
  the view, so several processes need no common cache.
* `live(page)` for the one page everybody opens while a consultation runs. Once a view has rendered
  it, the WSGI layer answers by itself: one small read tells whether anything changed; when only
  counts did, they are put into the kept words without rendering again. Why so:
  `docs/decisions/0003-live-pages.md`.
"""

import datetime as dt
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import brotli
import sqlalchemy as sa
from flask import Flask, Response, current_app, request
from werkzeug.http import parse_cookie

from core import preferences
from core.db import db

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_PAGES = 200
# Of words as they are sent; what belongs to them takes about twice as much again. Anybody can ask
# for one page under any number of addresses.
MOST_BYTES = 16 * 1024 * 1024
# The first readers after a change get a quick compression, a page that lasts a thorough one.
LASTS_AFTER = 3
QUICK, THOROUGH = 1, 5


class Page:
    """The bytes of one page, its mark, and its compressed form made when first asked for."""

    __slots__ = ("_packed", "_reads", "etag", "plain", "stamp")

    def __init__(self, stamp: Hashable, plain: bytes) -> None:
        self.stamp, self.plain = stamp, plain
        self.etag = f'W/"{hashlib.blake2b(plain, digest_size=12).hexdigest()}"'
        self._packed: bytes | None = None
        self._reads = 0

    def packed(self) -> bytes:
        """The page in brotli."""
        self._reads += 1
        if self._packed is None:
            self._packed = brotli.compress(self.plain, quality=QUICK)
        elif self._reads == LASTS_AFTER:
            self._packed = brotli.compress(self.plain, quality=THOROUGH)
        return self._packed

    def answer(self, accepts: str, known: str) -> tuple[int, list[tuple[str, str]], bytes]:
        """(status, headers, body) for a reader who accepts these codings and knows these marks."""
        headers = [("ETag", self.etag), ("Vary", "Accept-Encoding, Cookie")]
        headers.append(("Cache-Control", "no-cache"))
        if known and self.etag in known:
            return 304, headers, b""
        headers.append(("Content-Type", "text/html; charset=utf-8"))
        body = self.plain
        if _takes_brotli(accepts):
            body = self.packed()
            headers.append(("Content-Encoding", "br"))
        headers.append(("Content-Length", str(len(body))))
        return 200, headers, body


def _takes_brotli(accepts: str) -> bool:
    for said in accepts.split(","):
        name, _sep, quality = said.replace(" ", "").lower().partition(";q=")
        if name == "br":
            return quality.strip("0.") != "" if quality else True
    return False


class Reader:
    """Prepared reads on one connection, without a session or a transaction of their own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._dialect = engine.dialect
        self._connection = engine.raw_connection()

    def rows(self, query: sa.Select[*tuple[Any, ...]], **values: Any) -> Sequence[Any]:
        """The rows of `query`, as plain tuples with the driver's own values.

        Raises OperationalError when the database does not answer, as the session would.
        """
        sql, names, literals = _compiled(query, self._dialect)
        values = literals | values
        cursor = self._connection.cursor()
        try:
            cursor.execute(sql, [values[name] for name in names] if names else values)
            return cursor.fetchall()
        except self._dialect.loaded_dbapi.Error as error:
            raise sa.exc.OperationalError(sql, None, error) from error
        finally:
            cursor.close()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


_Prepared = tuple[str, list[str], dict[str, Any]]
_PREPARED: dict[tuple[str, Any], _Prepared] = {}


def _compiled(query: sa.Select[*tuple[Any, ...]], dialect: sa.engine.Dialect) -> _Prepared:
    key = (dialect.name, query)
    if key not in _PREPARED:
        compiled = query.compile(dialect=dialect)
        positions = list(getattr(compiled, "positiontup", None) or [])
        _PREPARED[key] = (str(compiled), positions, dict(compiled.params))
    return _PREPARED[key]


@dataclass(slots=True)
class Live:
    """A page that the WSGI layer may answer by itself.

    `stamp(reader)` is one small read; `edition(stamp)` is the part of it that decides whether the
    words still hold, and `rendered` that part when the first of them was read; `fill(reader)`
    gives the whole page with its counts as they are now. After `until` the view must be asked
    again, whatever the stamp says.
    """

    stamp: Callable[[Reader], Hashable]
    edition: Callable[[Any], Hashable]
    rendered: Hashable
    fill: Callable[[Reader], bytes]
    until: dt.datetime
    page: Page | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)


class PageStore:
    """The pages one process keeps, the least recently read dropped first."""

    def __init__(self, most: int = MOST_PAGES, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._pages: OrderedDict[Hashable, Page | Live] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable) -> Any:
        """What is kept under `key`, or None."""
        with self._lock:
            found = self._pages.get(key)
            if found is not None:
                self._pages.move_to_end(key)
            return found

    def keep(self, key: Hashable, page: Page | Live) -> None:
        """Keep a page, dropping those nobody read for longest when it gets too much."""
        words = page.page if isinstance(page, Live) else page
        size = len(words.plain) if words is not None else 0
        with self._lock:
            self._bytes += size - self._sizes.get(key, 0)
            self._pages[key], self._sizes[key] = page, size
            self._pages.move_to_end(key)
            while len(self._pages) > self._most or self._bytes > self._most_bytes:
                dropped, _page = self._pages.popitem(last=False)
                self._bytes -= self._sizes.pop(dropped)


def init_pages(app: Flask) -> None:
    """Give the application its store and put the live pages in front of it."""
    store = app.extensions["pages"] = PageStore()
    app.wsgi_app = LivePages(app, store, app.wsgi_app)  # type: ignore[method-assign]  # how Flask documents middleware


def kept(key: Hashable, stamp: Hashable, render: Callable[[], str]) -> Response:
    """The page under `key`: 304 when the reader has it, else kept or freshly rendered.

    Only for visitors who are not signed in; `key` must name everything that shapes the page but
    the host and the reader's preferences, `stamp` everything that may have changed since.
    """
    store: PageStore = current_app.extensions["pages"]
    key = (key, preferences.of(request.cookies), request.host)
    page = store.get(key)
    if page is None or page.stamp != stamp:
        page = Page(stamp, render().encode())
        store.keep(key, page)
    headers = request.headers
    status, sent, body = page.answer(
        headers.get("Accept-Encoding", ""), headers.get("If-None-Match", "")
    )
    return Response(body, status, headers=sent)


def live(page: Live) -> Response:
    """Answer with a live page, and let the WSGI layer answer those who ask for it next.

    When something changed while the words were being rendered, they are not kept: they may be
    older than the stamp says.
    """
    reader = Reader(db.engine)
    try:
        stamp = page.stamp(reader)
        page.page = Page(stamp, page.fill(reader))
    finally:
        reader.close()
    if page.edition(stamp) == page.rendered:
        request.environ["wenji.live"] = page
    headers = request.headers
    status, sent, body = page.page.answer(
        headers.get("Accept-Encoding", ""), headers.get("If-None-Match", "")
    )
    return Response(body, status, headers=sent)


class LivePages:
    """The WSGI layer: answers for live pages, passes everything else on."""

    def __init__(self, app: Flask, store: PageStore, inner: "WSGIApplication") -> None:
        self._app, self._store, self._inner = app, store, inner
        with app.app_context():
            self._engine = db.engine
        self._cookie = app.config["SESSION_COOKIE_NAME"]

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        key = self._key(environ)
        if key is None:
            return self._inner(environ, start_response)
        found = self._store.get(key)
        if isinstance(found, Live) and self._current(found):
            return self._answer(found, environ, start_response)

        def started(status: str, headers: Any, *rest: Any) -> Any:
            page = environ.get("wenji.live")
            if page is not None:
                own = {"etag", "vary", "cache-control", "content-type", "content-encoding"}
                own |= {"content-length", "set-cookie"}
                page.headers = [pair for pair in headers if pair[0].lower() not in own]
                self._store.keep(key, page)
            return start_response(status, headers, *rest)

        return self._inner(environ, started)

    def _key(self, environ: "WSGIEnvironment") -> Hashable | None:
        """What names the page, or None when this visitor may not get one that is kept."""
        if environ["REQUEST_METHOD"] != "GET":
            return None
        wanted = preferences.USUAL
        if cookie := environ.get("HTTP_COOKIE", ""):
            cookies = parse_cookie(cookie)
            if self._cookie in cookies:
                return None
            wanted = preferences.of(cookies)
        asked = (environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        return ("live", environ.get("HTTP_HOST"), environ.get("wsgi.url_scheme"), *asked, wanted)

    def _current(self, live: Live) -> bool:
        """Whether `live` is true at this moment, its counts brought up to date if need be.

        A database that does not answer makes it untrue: the view then says so in words.
        """
        if self._app.config["CLOCK"]() >= live.until or live.page is None:
            return False
        try:
            return self._bring_up_to_date(live)
        except (sa.exc.SQLAlchemyError, LookupError):
            return False

    def _bring_up_to_date(self, live: Live) -> bool:
        reader = Reader(self._engine)
        try:
            stamp = live.stamp(reader)
            page = live.page
            if page is None or live.edition(stamp) != live.edition(page.stamp):
                return False
            if stamp != page.stamp:
                live.page = Page(stamp, live.fill(reader))
        finally:
            reader.close()
        return True

    def _answer(
        self, live: Live, environ: Mapping[str, Any], start_response: "StartResponse"
    ) -> Iterable[bytes]:
        assert live.page is not None
        status, headers, body = live.page.answer(
            environ.get("HTTP_ACCEPT_ENCODING", ""), environ.get("HTTP_IF_NONE_MATCH", "")
        )
        start_response("304 NOT MODIFIED" if status == 304 else "200 OK", live.headers + headers)
        return [body]
