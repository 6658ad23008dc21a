"""Pages kept for anonymous readers: rendered once, compressed once, served until they change.

The caller names a page by everything that shapes it (address, view, day) and gives the stamp of
what it shows; a page is rendered again only when its stamp has moved. Several web processes need
no common cache, because the stamp is read from the database at each request.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

import brotli  # type: ignore[import-untyped]
from flask import Response, current_app, request

MOST_PAGES = 200


@dataclass(slots=True)
class _Kept:
    stamp: Hashable
    etag: str
    plain: bytes
    brotli: bytes | None = None


class PageStore:
    """The pages one process keeps, the least recently read dropped first."""

    def __init__(self, most: int = MOST_PAGES) -> None:
        self._most = most
        self._pages: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._lock = Lock()

    def find(self, key: Hashable, stamp: Hashable) -> _Kept | None:
        """The page kept under `key` if it still carries `stamp`."""
        with self._lock:
            page = self._pages.get(key)
            if page is None or page.stamp != stamp:
                return None
            self._pages.move_to_end(key)
            return page

    def keep(self, key: Hashable, page: _Kept) -> None:
        """Keep a page, dropping the one nobody read for longest when there are too many."""
        with self._lock:
            self._pages[key] = page
            self._pages.move_to_end(key)
            while len(self._pages) > self._most:
                self._pages.popitem(last=False)


def init_pages(app: "object") -> None:
    """Give the application its own store."""
    app.extensions["pages"] = PageStore()  # type: ignore[attr-defined]


def kept(key: Hashable, stamp: Hashable, render: Callable[[], str]) -> Response:
    """The page under `key`: 304 when the reader has it, else kept or freshly rendered."""
    store: PageStore = current_app.extensions["pages"]
    key = (key, request.cookies.get("view"), request.host)
    page = store.find(key, stamp)
    if page is None:
        plain = render().encode()
        page = _Kept(stamp, hashlib.sha256(plain).hexdigest()[:24], plain)
        store.keep(key, page)
    if page.etag in request.headers.get("If-None-Match", ""):
        response = Response(status=304)
    elif "br" in request.headers.get("Accept-Encoding", ""):
        if page.brotli is None:
            page.brotli = brotli.compress(page.plain, quality=5)
        response = Response(page.brotli, mimetype="text/html")
        response.headers["Content-Encoding"] = "br"
    else:
        response = Response(page.plain, mimetype="text/html")
    response.headers["ETag"] = f'W/"{page.etag}"'
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = "no-cache"
    return response
