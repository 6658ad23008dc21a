"""Every page that any person can find is in order: the client looks at each (see visitor.py)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask import Flask
from lxml import html

from core.db import db
from core.units import Unit, UnitKind
from tests import crawl, page_checker, world
from tests.databases import Databases, close


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world, with forms as they are on a real site."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON, WTF_CSRF_ENABLED=True)
    yield app
    close(app)
    databases.discard(place)


@pytest.mark.parametrize("person", world.PEOPLE)
def test_every_page_a_person_finds_is_in_order(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    opened, wrong = 0, []
    for address, answer in crawl.walk(site, client):
        opened += 1
        if answer.status_code >= 500:
            wrong.append(f"{address}: {answer.status_code}")
    assert not wrong
    assert opened > 30


@pytest.mark.parametrize("person", ["anonymous", "administrator"])
def test_no_link_leads_nowhere(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    client.checks = False
    wrong = []
    for address, answer in crawl.walk(site, client):
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        page = html.document_fromstring(answer.data)
        identifiers = {each.get("id") for each in page.iter() if each.get("id")}
        for link in page.iter("a"):
            target = urlsplit(link.get("href") or "")
            own = not target.netloc and target.path in ("", urlsplit(address).path)
            same = own and (not target.query or target.query == urlsplit(address).query)
            if same and target.fragment and target.fragment not in identifiers:
                wrong.append(f"{address}: nothing has the id of #{target.fragment}")
        for link in crawl.links(answer, address):
            code = client.get(link).status_code if link != address else 200
            if code in (400, 404, 405) or code >= 500:
                wrong.append(f"{address} links to {link}, which answers {code}")
            if person == "administrator" and code in (401, 403):
                wrong.append(f"{address} links to {link}, which refuses ({code})")
    assert not wrong, "\n".join(["", *dict.fromkeys(wrong)])


@pytest.mark.parametrize("person", world.PEOPLE)
def test_nobody_is_shown_a_door_that_is_locked(site: Flask, person: str) -> None:
    """A page offers only what the one who reads it may open."""
    client = world.sign_in(site, person)
    client.checks = False
    asked: dict[str, int] = {}
    wrong = []
    for address, answer in crawl.walk(site, client, most=120):
        if answer.status_code != 200:
            continue
        for link in crawl.links(answer, address):
            if link not in asked:
                asked[link] = client.get(link).status_code
            if asked[link] == 403:
                wrong.append(f"{address} offers {link}")
    assert not wrong, "\n".join(["", *dict.fromkeys(wrong)])


BAD = """<!doctype html><html><head><title> </title><style>x</style></head><body>
<h1>a</h1><h1>b</h1><p id="x"></p><p id="x"></p><input name="q"><img src="//evil.example/x.png">
<a href="javascript:x()"></a><button onclick="x()"></button><script>x()</script></body></html>"""


def test_the_checker_sees_what_is_wrong(app: Flask) -> None:
    app.add_url_rule("/bad", view_func=lambda: BAD)
    client = app.test_client()
    client.checks = False
    found = page_checker.in_words(page_checker.faults(client.get("/bad")))
    for fault in (
        "title", "lang", "<main>", "<h1>", "'x' stands 2 times", "no label", "no alt",
        "inline <style>", "inline <script>", "inline onclick", "code in href", "elsewhere",
        "nothing to read on <a", "nothing to read on <button",
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
