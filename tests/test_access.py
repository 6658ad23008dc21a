"""Every address × every kind of person, against the one table in `access_table.txt`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from core.accounts import account_role
from core.db import db
from tests import world
from tests.databases import Databases, close

TABLE = Path(__file__).with_name("access_table.txt")
DESK = {"unit_staff", "screener", "drc_staff", "administrator", "auditor"}
# Changes nothing but how a page looks to the one who asks, and is asked by people without a cookie.
NO_TOKEN_NEEDED = {"home.set_view"}
# What a refused request may still write: that somebody tried.
NOTED = ("INSERT INTO throttle_count", "DELETE FROM throttle_count", "UPDATE throttle_count")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table: who may, and how the others are refused."""

    who: frozenset[str]
    open: bool
    hidden: bool
    absent: bool


def read_table() -> dict[tuple[str, str], Line]:
    """{(method, endpoint): who may}; a line that stands twice fails."""
    table: dict[tuple[str, str], Line] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        method, endpoint, *words = line.split()
        marks = {word for word in words if word in ("hidden", "absent")}
        names = set(words) - marks
        who = {
            frozenset({"everyone"}): set(world.PEOPLE),
            frozenset({"signed_in"}): {*world.ROLES, "unequipped"},
            frozenset({"desk"}): DESK,
        }.get(frozenset(names), names)
        assert who, f"nobody may: {line}"
        assert who <= set(world.PEOPLE), f"unknown people: {line}"
        assert (method, endpoint) not in table, f"twice: {line}"
        table[method, endpoint] = Line(
            frozenset(who), names == {"everyone"}, "hidden" in marks, "absent" in marks
        )
    return table


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON, TESTING=False)
    yield app
    close(app)
    databases.discard(place)


@pytest.fixture
def guarded_site(databases: Databases) -> Iterator[Flask]:
    """A copy of the world whose forms are protected against forgery."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON, WTF_CSRF_ENABLED=True)
    yield app
    close(app)
    databases.discard(place)


def refused(answer: TestResponse) -> bool:
    """Whether a person was turned away: 401, 403, sign-in or setting up the second factor first."""
    if answer.status_code in (401, 403):
        return True
    doors = ("/sign-in", "/account/second-factor")
    return 300 <= answer.status_code < 400 and urlsplit(answer.location).path in doors


def test_every_endpoint_stands_in_the_table(site: Flask) -> None:
    there = {(method, rule.endpoint) for method, rule in world.routes(site)}
    table = set(read_table())
    assert there - table == set(), "add these to tests/access_table.txt"
    assert table - there == set(), "these lines have no endpoint any more"


@pytest.mark.parametrize("person", world.PEOPLE)
def test_who_may_is_as_the_table_says(site: Flask, person: str) -> None:
    table = read_table()
    client = world.sign_in(site, person)
    client.checks = False  # pages are looked at elsewhere; deeds here are left undone on purpose
    wrong = []
    for method, rule in world.routes(site):
        line = table.get((method, rule.endpoint))
        if line is None or rule.endpoint == "accounts.sign_out":
            continue
        answer = _try(client, method, world.addresses(site, rule)[0])
        why = _fault(line, person, method, rule, answer, client.watched.written)
        if why:
            wrong.append(f"{method} {rule.endpoint} by {person}: {why}")
    assert not wrong, "\n".join(["", *wrong])


def _try(client: FlaskClient, method: str, address: str) -> TestResponse:
    with world.undone():
        return client.open(address, method=method)


def _fault(
    line: Line, person: str, method: str, rule: Rule, answer: TestResponse, written: list[str]
) -> str:
    code = answer.status_code
    if code >= 500:
        return f"a fault, {code}"
    if person in line.who:
        if line.open and code not in (401, 403):
            return ""
        if refused(answer) and not _own_door(rule, answer):
            return f"refused ({code}) but the table allows it"
        if method == "GET" and code >= 400 and not (line.absent and code == 404):
            return f"allowed, but the answer is {code}"
        return ""
    if not (refused(answer) or (line.hidden and code == 404)):
        return f"let in ({code}) but the table refuses it"
    deeds = [each for each in written if not each.startswith(NOTED)]
    return f"refused, but it wrote {deeds[0]}" if deeds else ""


def _own_door(rule: Rule, answer: TestResponse) -> bool:
    """Whether a redirect to an account page comes from that very page's own forms."""
    return rule.endpoint.startswith("accounts.") and answer.status_code < 400


@pytest.mark.parametrize("person", world.PEOPLE)
def test_what_is_not_public_does_not_exist_for_others(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    adapter = site.url_map.bind("localhost")
    tried = 0
    for method, rule in world.routes(site):
        if "slug" not in rule.arguments or not rule.rule.startswith("/consultations/"):
            continue
        names = dict.fromkeys(rule.arguments - {"slug"}, 1)
        address = adapter.build(rule.endpoint, {"slug": world.PREPARING, **names})
        code = client.open(address, method=method).status_code
        unknown = adapter.build(rule.endpoint, {"slug": "no-such-thing", **names})
        assert client.open(unknown, method=method).status_code == 404
        if person in ("drc_staff", "administrator"):
            assert code < 500
        else:
            assert code == 404, f"{method} {address} by {person} answered {code}"
        tried += 1
    assert tried > 3


@pytest.mark.once
@pytest.mark.parametrize("person", ["anonymous", "resident", "screener", "administrator"])
def test_no_post_without_a_token(guarded_site: Flask, person: str) -> None:
    client = world.sign_in(guarded_site, person)
    client.checks = False
    for method, rule in world.routes(guarded_site):
        if method == "GET":
            continue
        answer = client.open(world.addresses(guarded_site, rule)[0], method=method)
        if rule.endpoint in NO_TOKEN_NEEDED:
            assert answer.status_code in (302, 400)
            assert not client.watched.written
            continue
        assert answer.status_code == 400, f"{method} {rule.endpoint}: {answer.status_code}"
        assert not client.watched.written, f"{rule.endpoint} wrote"


@pytest.mark.once
@pytest.mark.parametrize("content_type", ["application/json", "text/plain", "text/xml", ""])
def test_no_post_without_a_token_in_any_dress(guarded_site: Flask, content_type: str) -> None:
    client = world.sign_in(guarded_site, "administrator")
    client.checks = False
    for method, rule in world.routes(guarded_site):
        if method == "GET" or rule.endpoint in NO_TOKEN_NEEDED:
            continue
        address = world.addresses(guarded_site, rule)[0]
        answer = client.open(address, method=method, data=b"{}", content_type=content_type)
        assert answer.status_code == 400, f"{method} {rule.endpoint}: {answer.status_code}"


@pytest.mark.once
def test_a_token_is_worth_nothing_in_another_browser(guarded_site: Flask) -> None:
    mine, theirs = (world.sign_in(guarded_site, "administrator") for _ in range(2))
    page = theirs.get("/desk/people/add").get_data(as_text=True)
    token = page.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    data = {"csrf_token": token, "name": "某人", "email": "someone@example.invalid"}
    assert mine.post("/desk/people/add", data=data).status_code == 400
    assert theirs.post("/desk/people/add", data=data).status_code != 400


@pytest.mark.once
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_rightless_method_is_not_overridden(site: Flask, origin: str) -> None:
    client = world.sign_in(site, "resident")
    headers = {"X-HTTP-Method-Override": "GET", "X-Original-URL": "/desk/people", "Origin": origin}
    for address in ("/desk/people/1/state?_method=GET", "/desk/people/1/state"):
        answer = client.post(address, data={"_method": "GET"}, headers=headers)
        assert answer.status_code == 403
    rewritten = client.get("/", headers={"X-Original-URL": "/desk/", "X-Rewrite-URL": "/desk/"})
    assert rewritten.request.path == "/"


TRICKS = (
    "/{0}",
    "//{0}",
    "/.{0}",
    "/./{0}",
    "/x/..{0}",
    "{0}/",
    "{0}/.",
    "{0}//",
    "{0}/..{0}",
    "{0};x",
    "{0}.",
    "{0}..",
    "{0}%00",
    "{0}\x00",
    "{0}%20",
    "{0} ",
    "{0}%2f",
    "{0}.html",
    "{0}.json",
    "{0}~",
    "{0}%3f",
    "{0}#x",
    "{0}\\",
    "\\{0}",
    "/%2e{0}",
    "/%2e%2e{0}",
    "{0}\u200b",
    "{0}%0a",
)


@pytest.mark.once
@pytest.mark.parametrize("person", ["anonymous", "resident"])
def test_no_trick_with_the_path_opens_a_guarded_page(site: Flask, person: str) -> None:
    client = world.sign_in(site, person)
    guarded = [
        world.addresses(site, rule)[0].rstrip("/")
        for method, rule in world.routes(site)
        if method == "GET" and rule.rule.startswith("/desk")
    ]
    for address in guarded:
        # The whole bag of tricks on three pages; a few on each of the others.
        whole = address in ("/desk", "/desk/people", "/desk/audit")
        ways = [trick.format(address) for trick in TRICKS[: None if whole else 6]]
        ways += [address.upper(), address.title(), address.replace("/", "//")]
        ways += [address.replace("/desk", "/d%65sk"), address.replace("/desk", "/ｄｅｓｋ")]
        for path in dict.fromkeys(ways):
            answer = _raw(client, path)
            assert answer.status_code < 500, path
            if refused(answer):
                continue
            if 300 <= answer.status_code < 400:
                # Made regular and sent on: what it is sent to is guarded, too.
                answer = client.get(answer.location)
                if refused(answer):
                    continue
            assert answer.status_code in (400, 403, 404), f"{path!r} answers {answer.status_code}"


def _raw(client: FlaskClient, path: str) -> TestResponse:
    """Ask for a path that the test client would tidy."""
    # WSGI wants bytes dressed as Latin-1.
    dressed = path.encode("utf-8", "surrogatepass").decode("latin-1")
    return client.get("/", environ_overrides={"PATH_INFO": dressed, "REQUEST_URI": path})


def test_rights_that_are_taken_are_gone_with_the_next_request(site: Flask) -> None:
    client = world.sign_in(site, "drc_staff")
    assert client.get("/desk/consultations/").status_code == 200
    with site.app_context():
        db.session.execute(sa.delete(account_role))
        db.session.commit()
    assert client.get("/desk/consultations/").status_code == 403
