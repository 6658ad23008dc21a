"""Odd input to every address: always a plain page in the site's own words, never a fault.

Addresses, the parameters they read and the fields of their forms are found in the code.
"""

import inspect
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import Rule
from werkzeug.test import TestResponse
from werkzeug.utils import cached_property

from core.forms import Form
from tests import world
from tests.databases import Databases, close

# What a single request may take, on a machine that others use too.
BOUND = 6.0
# Percent-encoded, as they go over the line.
VALUES = (
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%F0%90%80",
    "%B0%A2%CB%B9",
    "%FF%FE",
    "1" + "0" * 20,
    "-1",
    "0",
    "1e9",
    "0x10",
    quote("１２"),
    quote("٣"),
    "NaN",
    "2147483648",
    "9" * 400,
    "2020-02-30",
    "0000-00-00",
    "9999-12-31",
    "10000-01-01",
    quote("２０２０-01-01"),
    "%27%22%3E%3Cscript%3E",
    "%27%20OR%201%3D1--",
    "..%2F..%2Fetc%2Fpasswd",
    "%0D%0ASet-Cookie%3A%20x%3D1",
    quote("𠮷" * 50),
    quote("\u202e\u200b\ufeff"),
    quote("e" + "\u0301" * 500),
    "a" * 100_000,
    quote("甲" * 2001),
    "%25s%25n%25d",
    "%7B%7B7*7%7D%7D",
    quote("第" * 3000 + "！"),
    "(" * 3000,
    "=" * 3000 + "!",
    quote(" " * 3000 + "x"),
    quote("\u3164"),
    "[]",
    "null",
    "",
)
IN_PATHS = tuple(value for value in VALUES if len(value) < 900)
QUERIES = ("%ED%A0%80=1", "=" * 500, "&" * 3000, "a" * 5000, "x=1&" * 900, "%", "%zz=%u0041")
PARAMETER = re.compile(
    r"""(?:number_in|choice_in|words_in|day_in|args\.get|form\.get)\(\s*"(\w+)"""
)
# What no page may say: how it is built and where it lives.
INSIDES = re.compile(
    r"Traceback|File \"|/work/|/site-packages|\.py\b|sqlalchemy|psycopg|werkzeug|jinja", re.I
)


@pytest.fixture(scope="module")
def site(databases: Databases) -> Iterator[Flask]:
    """The world; nothing that is tried here is committed, so one copy will do."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON, TESTING=False)
    app.request_class = Asked
    yield app
    close(app)
    databases.discard(place)


@pytest.fixture(params=["anonymous", "administrator"])
def client(site: Flask, request: pytest.FixtureRequest) -> FlaskClient:
    """Somebody who may do nothing, and somebody who may do nearly everything."""
    client = world.sign_in(site, request.param)
    client.checks = False
    return client


def some(values: tuple[str, ...], count: int, turn: int) -> Iterator[str]:
    """`count` of `values`, others at each turn."""
    return islice(cycle(values), turn * count % len(values), turn * count % len(values) + count)


def wrong(answer: TestResponse, seconds: float) -> str:
    """What is not in order about an answer to odd input."""
    if answer.status_code >= 500:
        return f"answered {answer.status_code}"
    if seconds > BOUND:
        return f"took {seconds:.1f} s"
    if answer.status_code >= 400 and not answer.content_encoding:
        text = answer.get_data(as_text=True)
        if answer.mimetype != "text/html" or '<main id="main"' not in text:
            return f"answered {answer.status_code} without a page of the site"
        if found := INSIDES.search(re.sub(r"<(textarea|input|option)[^>]*>[^<]*", "", text)):
            return f"shows its insides: {found.group()!r}"
    return ""


def ask(client: FlaskClient, path: str, **more: Any) -> tuple[TestResponse, float]:
    """The answer and how long it took; nothing stays."""
    started = time.process_time()
    with world.undone():
        answer = client.open(path, **more)
    return answer, time.process_time() - started


class Reading(ImmutableMultiDict[str, str]):
    """The parameters of a query, which note in `NAMES` which of them somebody asks for."""

    def get(self, key: Any, *more: Any, **named: Any) -> Any:
        NAMES.add(key)
        return super().get(key, *more, **named)

    def getlist(self, key: Any, *more: Any, **named: Any) -> Any:
        NAMES.add(key)
        return super().getlist(key, *more, **named)

    def __getitem__(self, key: Any) -> Any:
        NAMES.add(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        NAMES.add(key)
        return super().__contains__(key)

    def items(self, *more: Any, **named: Any) -> Any:
        NAMES.add(ALL)
        return super().items(*more, **named)

    def to_dict(self, *more: Any, **named: Any) -> Any:
        NAMES.add(ALL)
        return super().to_dict(*more, **named)


class Asked(Request):
    """A request whose query is a `Reading`."""

    @cached_property
    def args(self) -> Any:
        """The query."""
        return Reading(super().args)


# What the request that was sent last asked of its query; ALL: everything there is.
NAMES: set[object] = set()
ALL = object()


@cache
def parameters(module: str) -> tuple[str, ...]:
    """The query parameters that the views of a module read."""
    source = inspect.getsource(sys.modules[module])
    if module.startswith("consult.views"):
        for helper in ("loading", "summary_filters", "summary_acts", "summary_pages"):
            if helper in source:
                source += inspect.getsource(sys.modules[f"consult.views.{helper}"])
    return tuple(sorted(set(PARAMETER.findall(source)) | {"page"}))


@cache
def fields(module: str) -> tuple[str, ...]:
    """The fields of the forms of a module."""
    found = {"csrf_token", "act"}
    for each in vars(sys.modules[module]).values():
        if isinstance(each, type) and issubclass(each, Form):
            found |= {name for name in dir(each) if hasattr(getattr(each, name), "field_class")}
    return tuple(sorted(found | set(parameters(module))))


def module_of(app: Flask, rule: Rule) -> str:
    """Where the view of a route stands."""
    return inspect.unwrap(app.view_functions[rule.endpoint]).__module__


def kept(app: Flask) -> list[tuple[str, Rule]]:
    """The routes, except the one that would end the session that tries them."""
    return [each for each in world.routes(app) if each[1].endpoint != "accounts.sign_out"]


# The longest walks go in parts, which several processes can share.
PARTS = 4
in_parts = pytest.mark.parametrize("part", range(PARTS))


@in_parts
def test_odd_values_in_addresses(site: Flask, client: FlaskClient, part: int) -> None:
    faults = []
    for turn, (method, rule) in list(enumerate(kept(site)))[part::PARTS]:
        for name in rule._converters:
            others = dict.fromkeys(rule.arguments, 1)
            whole = site.url_map.bind("localhost").build(
                rule.endpoint, others | {name: "MARK"} if _takes_words(rule, name) else others
            )
            pattern = whole if "MARK" in whole else whole.replace("/1", "/MARK", 1)
            for value in some(IN_PATHS, 12, turn):
                path = pattern.replace("MARK", value or "x")
                answer, seconds = ask(client, path, method=method)
                if why := wrong(answer, seconds):
                    faults.append(f"{method} {path[:80]}: {why}")
                if answer.status_code < 300 and method == "GET":
                    assert rule.endpoint.endswith(("sign_in",)) or value in ("0", "1"), path
    assert not faults, "\n".join(["", *faults])


def _takes_words(rule: Rule, name: str) -> bool:
    return type(rule._converters[name]).__name__ in ("UnicodeConverter", "PathConverter")


@in_parts
def test_odd_values_in_queries(site: Flask, client: FlaskClient, part: int) -> None:
    """Every parameter that the view reads, also those it only reads when another one is given."""
    faults = []
    turn = part
    for method, rule in kept(site)[part::PARTS]:
        address = world.addresses(site, rule)[0].partition("?")[0]
        there = parameters(module_of(site, rule))
        waiting, tried = read_by(client, method, address, there), set[str]()
        while names := waiting - tried:
            name = min(names)
            tried.add(name)
            turn += 1
            for value in some(VALUES, 4, turn):
                path = f"{address}?{name}={value}"
                NAMES.clear()
                answer, seconds = ask(client, path, method=method)
                waiting |= words_asked()
                if why := wrong(answer, seconds):
                    faults.append(f"{method} {path[:100]}: {why}")
        for query in some(QUERIES, 3, turn):
            answer, seconds = ask(client, f"{address}?{query}", method=method)
            if why := wrong(answer, seconds):
                faults.append(f"{method} {address}?{query[:20]}: {why}")
    assert not faults, "\n".join(["", *faults])


def read_by(client: FlaskClient, method: str, address: str, there: tuple[str, ...]) -> set[str]:
    """Which of the parameters that stand in the code this view asks for: with none given, and with
    each given. One is tried of every view, so that the refusal of what is not asked for is, too."""
    NAMES.clear()
    for query in ("", "?" + "&".join(f"{name}=1" for name in there)):
        ask(client, address + query, method=method)
    found = words_asked() | set(there[:1])
    return found | set(there) if ALL in NAMES else found


def words_asked() -> set[str]:
    """The parameters that the requests since the last clearing asked for."""
    return {name for name in NAMES if isinstance(name, str)}


def test_the_parameters_that_a_view_reads_are_found(site: Flask) -> None:
    client = world.sign_in(site, "administrator")
    client.checks = False
    there = ("also", "page", "q", "snapshot")
    listed = read_by(client, "GET", f"/consultations/{world.OPEN}/opinions", there)
    assert {"q"} <= listed
    assert "snapshot" not in listed
    assert "snapshot" in read_by(client, "GET", f"/consultations/{world.OPEN}/summary", there)


def bodies(names: tuple[str, ...], turn: int) -> Iterator[tuple[str, bytes, str]]:
    """(what it is, body, content type) of what no browser would send to a form."""
    form = "application/x-www-form-urlencoded"
    for value in some(VALUES, 7, turn):
        yield value[:20], "&".join(f"{name}={value}" for name in names).encode(), form
    yield "nothing", b"", form
    yield "gbk", "&".join(f"{name}=意见" for name in names).encode("gbk"), form
    yield "raw bytes", b"body=\xff\xfe\x00\x80&" + b"\x00" * 50, form
    yield "twice", b"&".join(f"{name}=a&{name}=b".encode() for name in names), form
    yield "lists", b"&".join(f"{name}[]=a&{name}[x]=b&{name}.x=c".encode() for name in names), form
    yield "many fields", b"&".join(b"x%d=1" % number for number in range(3000)), form
    yield "json", b'{"body": {"a": [1]}}', "application/json"
    yield "deep json", b"[" * 50_000, "application/json"
    yield "text", "意见".encode(), "text/plain"
    yield "xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "text/xml"
    yield "no type", b"body=1", ""
    yield "odd type", b"body=1", "multipart/form-data"
    yield "odd charset", b"body=1", form + "; charset=utf-7"
    yield (
        "broken parts",
        b"--x\r\nContent-Disposition: form-data",
        "multipart/form-data; boundary=x",
    )
    yield "odd parts", _parts(names), "multipart/form-data; boundary=x"


def _parts(names: tuple[str, ...]) -> bytes:
    """Every field as a file with a hostile name."""
    head = b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
    bad = "../../\u202e\x00<b>.docx".encode()
    return (
        b"".join(head % (name.encode(), bad, b"PK\x03\x04" + b"\0" * 64) for name in names)
        + b"--x--"
    )


@in_parts
def test_odd_bodies_at_every_form(site: Flask, client: FlaskClient, part: int) -> None:
    faults = []
    for turn, (method, rule) in list(enumerate(kept(site)))[part::PARTS]:
        if method == "GET":
            continue
        address = world.addresses(site, rule)[0]
        for what, body, kind in bodies(fields(module_of(site, rule)), turn):
            answer, seconds = ask(client, address, method=method, data=body, content_type=kind)
            if why := wrong(answer, seconds):
                faults.append(f"{method} {address} with {what}: {why}")
    assert not faults, "\n".join(["", *faults])


@pytest.mark.once
@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"],
)
def test_a_body_that_is_too_large_is_refused_unread(
    site: Flask, client: FlaskClient, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(site.config, "WTF_CSRF_ENABLED", True)
    faults = []
    for method, rule in kept(site):
        if method == "GET":
            continue
        # Only the length is told; nobody has to send it to be refused.
        answer, seconds = ask(
            client,
            world.addresses(site, rule)[0],
            method=method,
            input_stream=BytesIO(b"--x\r\n"),
            content_type=kind,
            environ_overrides={"CONTENT_LENGTH": str(10**9)},
        )
        if answer.status_code != 413:
            faults.append(f"{rule.endpoint}: {answer.status_code}")
        if why := wrong(answer, seconds):
            faults.append(f"{rule.endpoint}: {why}")
    assert not faults, "\n".join(["", *faults])


@pytest.mark.once
def test_methods_nobody_asked_for(site: Flask, client: FlaskClient) -> None:
    faults = []
    for _method, rule in kept(site):
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "X" * 30, "OPTIONS", "HEAD"):
            answer, seconds = ask(client, world.addresses(site, rule)[0], method=method)
            why = "" if method == "HEAD" else wrong(answer, seconds)
            if method not in ("OPTIONS", "HEAD") and answer.status_code not in (400, 404, 405):
                why = f"answered {answer.status_code}"
            if why:
                faults.append(f"{method} {rule.rule}: {why}")
    assert not faults, "\n".join(["", *faults])


HEADERS = (
    {"Cookie": "wenji=" + "x" * 5000},
    {"Cookie": "wenji=eyJzaWQiOiJ4In0.aaaa.bbbb; view=%00<script>"},
    {"Cookie": "wenji=.eJw; view=" + "y" * 3000},
    {"Accept-Language": "x" * 3000},
    {"Accept-Language": "zh;q=abc,*;q=-1"},
    {"If-None-Match": '"' * 1000},
    {"If-Modified-Since": "yesterday"},
    {"Range": "bytes=0-0,-1,9-1"},
    {"Accept": "application/json"},
    {"Accept-Encoding": "br;q=x, *;q=0, gzip;q=2"},
    {"Host": "hostile.example"},
    {"Host": "[::1"},
    {"Host": "a b"},
    {"X-Forwarded-For": "x" * 999},
    {"User-Agent": "\xff\xfe"},
    {"Referer": "javascript:1"},
    {"Content-Length": "-1"},
    {"Transfer-Encoding": "chunked, chunked"},
    {"Expect": "x"},
    {"HX-Request": "true"},
)


@pytest.mark.once
@pytest.mark.parametrize("headers", HEADERS, ids=str)
def test_odd_headers(site: Flask, client: FlaskClient, headers: dict[str, str]) -> None:
    faults = []
    for address in ("/", f"/consultations/{world.OPEN}/draft", "/desk/", "/sign-in", "/nowhere"):
        answer, seconds = ask(client, address, headers=headers)
        if why := wrong(answer, seconds):
            faults.append(f"{address}: {why}")
        if b"hostile.example" in answer.data + (answer.location or "").encode():
            faults.append(f"{address}: the Host header is repeated")
    assert not faults, "\n".join(["", *faults])
