"""Every page that any person can find is in order: the client looks at each (see visitor.py)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from lxml import html
from werkzeug.test import TestResponse

from core.db import db
from core.units import Unit, UnitKind
from tests import crawl, page_checker, world
from tests.databases import Databases, close


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world, with forms as they are on a real site."""
    place = databases.copy("world", world.fill)
    # Not TESTING: a fault is answered with its page, and the walk goes on and finds them all.
    app = place.site(CLOCK=lambda: world.NOON, WTF_CSRF_ENABLED=True, TESTING=False)
    yield app
    close(app)
    databases.discard(place)


@pytest.mark.parametrize("person", world.PEOPLE)
def test_every_page_a_person_finds_is_in_order(site: Flask, person: str) -> None:
    """Each page by itself, and where it leads: to something, and to nothing that is locked."""
    client = world.sign_in(site, person)
    client.collects = True
    codes: dict[str, int] = {}
    leads: dict[str, str] = {}
    for address, answer in crawl.walk(site, client):
        codes[address] = answer.status_code
        if answer.status_code >= 500:
            client.found.append(f"{address}: {answer.status_code}")
        if answer.status_code == 200:
            client.found += _lost_fragments(address, answer)
            leads |= dict.fromkeys(crawl.links(answer, address), address)
    for link, address in leads.items():
        code = codes.get(link) or client.get(link).status_code
        if code in (400, 403, 404, 405):
            client.found.append(f"{address} links to {link}, which answers {code}")
    assert not client.found, "\n".join(["", *dict.fromkeys(client.found)])
    assert len(codes) > 30


def test_a_walk_comes_to_every_route(site: Flask) -> None:
    """Whatever there is in front of it: what a walk does not come to, no test of the whole sees."""
    nobody = site.test_client()
    nobody.get = lambda _address: site.response_class(status=404)  # type: ignore[method-assign]
    to = site.url_map.bind("localhost")
    come_to = {to.match(address.split("?")[0])[0] for address, _answer in crawl.walk(site, nobody)}
    assert come_to == {rule.endpoint for method, rule in world.routes(site) if method == "GET"}


def _lost_fragments(address: str, answer: TestResponse) -> Iterator[str]:
    """Links to a place of the same page that is not there."""
    if answer.mimetype != "text/html":
        return
    page = html.document_fromstring(answer.data)
    identifiers = {each.get("id") for each in page.iter() if each.get("id")}
    here = urlsplit(address)
    for link in page.iter("a"):
        target = urlsplit(link.get("href") or "")
        own = not target.netloc and target.path in ("", here.path)
        if own and target.query in ("", here.query) and target.fragment:
            if target.path and target.query != here.query:
                continue
            if target.fragment not in identifiers:
                yield f"{address}: nothing has the id of #{target.fragment}"


BAD = """<!doctype html><html><head><title> </title><style>x</style></head><body>
<h1>a</h1><h1>b</h1><p id="x"></p><p id="x"></p><input name="q"><img src="//evil.example/x.png">
<a href="javascript:x()"></a><button onclick="x()"></button><script>x()</script></body></html>"""


def test_the_checker_sees_what_is_wrong(app: Flask) -> None:
    app.add_url_rule("/bad", view_func=lambda: BAD)
    client = app.test_client()
    client.checks = False
    found = page_checker.in_words(page_checker.faults(client.get("/bad")))
    for fault in (
        "title",
        "lang",
        "<main>",
        "<h1>",
        "'x' stands 2 times",
        "no label",
        "no alt",
        "inline <style>",
        "inline <script>",
        "inline onclick",
        "code in href",
        "elsewhere",
        "nothing to read on <a",
        "nothing to read on <button",
    ):
        assert fault in found, fault


def test_the_client_refuses_a_get_that_writes(app: Flask) -> None:
    def view() -> str:
        db.session.add(Unit(slug="x", name="x", kind=UnitKind.OTHER))
        db.session.commit()
        return ""

    app.add_url_rule("/writes", view_func=view)
    with pytest.raises(AssertionError, match="a GET wrote"):
        app.test_client().get("/writes")


@pytest.mark.parametrize("flushes", [True, False])
def test_the_client_refuses_a_deed_that_is_not_committed(app: Flask, flushes: bool) -> None:
    def view() -> str:
        db.session.add(Unit(slug="x", name="x", kind=UnitKind.OTHER))
        if flushes:
            db.session.flush()
        return ""

    app.add_url_rule("/forgets", view_func=view, methods=["POST"])
    with pytest.raises(AssertionError, match="left uncommitted"):
        app.test_client().post("/forgets")
