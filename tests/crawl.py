"""Walking through the site as a person would: every address the routes have, then every link."""

import io
import re
import zipfile
from collections import deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urljoin, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from werkzeug.test import TestResponse

from tests import world

# Links that are followed beyond the routes' own addresses; each page is opened once.
MOST = 60
# Addresses of one route, of which the first tell most: the world begins with every state and kind.
EACH = 10


def walk(
    app: Flask, client: FlaskClient, *, most: int = MOST
) -> Iterator[tuple[str, TestResponse]]:
    """(address, answer) for every page this person can find, redirects as they are: the
    addresses of all routes, then the links in the order in which they were come upon, `most` of them."""
    waiting = deque(
        address
        for method, rule in world.routes(app)
        if method == "GET"
        for address in world.addresses(app, rule, every=True)[:EACH]
    )
    end = len(set(waiting)) + most
    seen: set[str] = set()
    while waiting and len(seen) < end:
        address = waiting.popleft()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        yield address, answer
        waiting.extend(link for link in links(answer, address) if link not in seen)


def links(answer: TestResponse, address: str) -> list[str]:
    """Where this answer leads on this site, in order, each once."""
    if answer.mimetype != "text/html" or not answer.data:
        return [answer.location] if answer.location and answer.location.startswith("/") else []
    found: dict[str, None] = {}
    if answer.location:
        found[answer.location] = None
    page = html.document_fromstring(answer.data)
    for element in page.iter("a", "img", "form"):
        name = {"a": "href", "img": "src", "form": "action"}[element.tag]
        if element.tag == "form" and (element.get("method") or "get").lower() != "get":
            continue
        target = urljoin(address, element.get(name) or "")
        parts = urlsplit(target)
        if parts.netloc or parts.scheme or parts.path.startswith(("/static/", "/bootstrap/")):
            continue
        if parts.path == "/corrections/new":
            # Every footer carries its own page there; one of them stands for all.
            parts = parts._replace(query="")
        found[parts._replace(fragment="").geturl()] = None
    return list(found)


def words_of(answer: TestResponse) -> str:
    """Everything one can read in an answer, also inside an archive."""
    data = answer.get_data()
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = [archive.read(name).decode("utf-8", "replace") for name in archive.namelist()]
        return re.sub(r"<[^>]*>", "", "\n".join(parts))
    said = data.decode("utf-8", "replace") + str(answer.headers)
    return unescape(said)
