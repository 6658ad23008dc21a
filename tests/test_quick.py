"""The quick way in: what it takes in is what the view would have taken in, to the last column, and
everything else comes to the view as if it were not there."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import flask
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import submissions
from consult.consultations import Consultation
from consult.point_rows import Point
from consult.submissions import Contact, Submission, Tally
from core import quick
from core.audit import AuditEvent
from core.config import Settings
from core.db import db
from core.throttle import ThrottleCount
from tests import people
from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("context", "version", "visitor")

ADDRESS = "/consultations/gangyao/comment"
FORM = {"body": "建议在既有多层住宅加装电梯。", "consent": "y"}
# What differs between any two opinions.
OWN = {"id", "submission_id", "number", "receipt", "once_key", "thing_id", "sealed"}


@pytest.fixture
def visitor(client: FlaskClient) -> FlaskClient:
    """Somebody who has opened the form, and so has the cookie that goes with it."""
    with client.session_transaction() as kept:
        kept["csrf_token"] = "0" * 40
    return client


@pytest.fixture
def asked(app: Flask) -> Iterator[list[str]]:
    """What came through to Flask: what the layer answers by itself is not in it."""
    seen: list[str] = []

    def note(_app: Flask, **_more: Any) -> None:
        seen.append(flask.request.method)

    with flask.request_started.connected_to(note, app):
        yield seen


def rows() -> list[list[dict[str, Any]]]:
    """All that a comment may leave behind, without what is any opinion's own."""
    found = []
    for table in (Submission, Point, Contact, AuditEvent, Tally, ThrottleCount):
        lines = db.session.execute(sa.select(table.__table__)).mappings()
        found.append([{k: v for k, v in line.items() if k not in OWN} for line in lines])
    return found


def send(client: FlaskClient, query: str = "", **fields: Any) -> TestResponse:
    return client.post(ADDRESS + query, data=FORM | fields)


def told(answer: TestResponse) -> dict[str, str]:
    """The headers that say something beyond the length and kind of what is sent."""
    headers = dict(answer.headers)
    location = re.sub(r"\d{6}-\w{5}-\w{5}", "…", headers.pop("Location", ""))
    return {name: headers[name] for name in headers if not name.startswith("Content-T")} | {
        "Location": location,
        "Content-Length": "",
        "Vary": ", ".join(sorted(answer.headers.getlist("Vary"))),
    }


def test_what_is_in_order_never_comes_to_flask(client: FlaskClient, asked: list[str]) -> None:
    answer = send(client, "?v=1&on=3")
    assert (answer.status_code, asked) == (302, [])
    taken = db.session.scalars(sa.select(Submission)).one()
    assert answer.location == f"/receipts/{taken.receipt}?sent=1"
    page = client.get(answer.location).get_data(as_text=True)
    assert "意见已经收到" in page
    assert taken.receipt in page


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("", {}),
    "on a paragraph": ("?v=1&on=3", {}),
    "on the whole": ("?on=0", {}),
    "with all there is": (
        "?v=1",
        {"stance": "support", "contact": "a@example.org", "name": "王小明", "show_name": "y"},
    ),
    "a name that is not to be shown": ("", {"name": "王小明"}),
    "spaces and line ends": ("", {"body": " \t第一行写一些字\r\n第二行再写一些字　"}),
    "an emoji": ("", {"body": "👍👍👍👍👍👍👍👍👍👍"}),
    "a key of its own": ("", {"form_key": "键"}),
    "a field that is not ours": ("", {"colour": "blue"}),
    "another parameter": ("?page=2", {}),
    "too short": ("", {"body": "短"}),
    "too long": ("", {"body": "长" * 2001}),
    "not text": ("", {"body": "有一个看不见的零\x00在这里面"}),
    "no consent": ("", {"consent": ""}),
    "consent refused": ("", {"consent": "false"}),
    "a stance that is not offered": ("", {"stance": "appeal"}),
    "a field twice": ("", {"body": ["第一次写的这一些字", "第二次写的另一些字"]}),
    "no such paragraph": ("?on=999", {}),
    "no such version": ("?v=0", {}),
    "no number": ("?on=x", {}),
    "an empty number": ("?on=", {}),
    "too great a number": ("?on=2147483648", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_if_the_view_had_done_it(
    app: Flask, client: FlaskClient, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query, fields = CASES[case]
    quickly = send(client, query, **fields)
    left = rows()
    for table in (Point, Contact, Submission, Tally, ThrottleCount):
        db.session.execute(sa.delete(table))
    db.session.execute(sa.delete(AuditEvent).where(AuditEvent.action == "submission.received"))
    db.session.commit()
    monkeypatch.setattr(app.extensions["quick"], "_ways", [])
    slowly = send(client, query, **fields)
    assert (quickly.status_code, told(quickly)) == (slowly.status_code, told(slowly))
    assert left == rows()


def test_the_form_of_one_holds_nothing_of_the_one_before(client: FlaskClient) -> None:
    send(client, contact="a@example.org", name="王小明", show_name="y", stance="oppose")
    send(client)
    first, second = db.session.scalars(sa.select(Submission).order_by(Submission.id))
    assert first.public_name == "王**"
    assert (second.public_name, second.stance, second.person_key) == ("", None, None)
    assert [kept.submission_id for kept in db.session.scalars(sa.select(Contact))] == [first.id]


def test_sent_again_by_either_way_it_is_the_same(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = send(client, form_key="a" * 22).location
    assert send(client, form_key="a" * 22).location == first
    monkeypatch.setattr(app.extensions["quick"], "_ways", [])
    assert send(client, form_key="a" * 22).location == first
    db.session.scalars(sa.select(Submission)).one()


def test_somebody_signed_in_is_the_view_s_affair(client: FlaskClient, asked: list[str]) -> None:
    resident = people.make("resident")
    people.sign_in(client, resident)
    asked.clear()
    assert send(client).status_code == 302
    assert asked == ["POST"]
    assert db.session.scalars(sa.select(Submission.account_id)).one() == resident.id


def test_too_often_is_counted_once_and_said_by_the_view(
    app: Flask, client: FlaskClient, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Settings = app.config["SETTINGS"]
    monkeypatch.setattr(settings, "comments_per_hour", 2)
    kept = send(client, form_key="a" * 22).location
    assert [send(client).status_code for _time in range(3)] == [302, 429, 429]
    assert asked == ["POST", "POST"]
    assert db.session.scalars(sa.select(ThrottleCount.count)).one() == 4
    assert send(client, form_key="a" * 22).location == kept


def test_after_the_end_the_words_come_back(
    client: FlaskClient, clock: Clock, consultation: Consultation
) -> None:
    assert consultation.closes_at is not None
    clock.at = consultation.closes_at
    answer = send(client)
    assert answer.status_code == 409
    assert FORM["body"] in answer.get_data(as_text=True)
    assert db.session.scalars(sa.select(Submission)).all() == []


def test_a_fault_on_the_quick_way_leaves_nothing_and_the_view_takes_it_in(
    client: FlaskClient, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = submissions.tally
    faults = [RuntimeError("a fault")]

    def once(*values: Any, **more: Any) -> None:
        if faults:
            raise faults.pop()
        whole(*values, **more)

    monkeypatch.setattr(submissions, "tally", once)
    assert send(client).status_code == 302
    assert asked == ["POST"]
    db.session.scalars(sa.select(Submission)).one()
    assert db.session.scalars(sa.select(ThrottleCount.count)).one() == 1


# --- forgery ---------------------------------------------------------------------------------


@pytest.fixture
def token(app: Flask, client: FlaskClient) -> str:
    """The token of the form that this visitor has open; from here on it is asked for."""
    app.config["WTF_CSRF_ENABLED"] = True
    page = client.get(ADDRESS).get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    return unescape(found[1])


def test_with_its_token_a_form_is_taken(client: FlaskClient, token: str, asked: list[str]) -> None:
    assert send(client, csrf_token=token).status_code == 302
    assert asked == []


@pytest.mark.parametrize("case", ["none", "changed", "a stranger's", "too old", "no cookie"])
def test_what_could_be_forged_is_refused(
    app: Flask, client: FlaskClient, token: str, case: str
) -> None:
    # The first sign of the signature: the last one of a base64 text is in part padding, and another
    # sign there can be the same bytes.
    begun, signature = token.rsplit(".", 1)
    changed = f"{begun}.{'a' if signature[0] != 'a' else 'b'}{signature[1:]}"
    sent = {"none": "", "changed": changed}.get(case, token)
    if case == "a stranger's":
        with client.session_transaction() as kept:
            kept["csrf_token"] = "1" * 40
    if case == "too old":
        app.config["WTF_CSRF_TIME_LIMIT"] = -1
    if case == "no cookie":
        client.delete_cookie(app.config["SESSION_COOKIE_NAME"])
    assert send(client, csrf_token=sent).status_code == 400
    assert db.session.scalars(sa.select(Submission)).all() == []


@pytest.mark.parametrize(
    ("page", "status"),
    [("", 400), ("https://elsewhere.invalid/", 400), ("https://localhost/consultations", 302)],
)
def test_on_a_safe_connection_the_page_it_came_from_must_be_ours(
    client: FlaskClient, token: str, page: str, status: int
) -> None:
    answer = client.post(
        ADDRESS,
        data=FORM | {"csrf_token": token},
        base_url="https://localhost",
        headers={"Referer": page, "Cookie": _cookie(client)},
    )
    assert answer.status_code == status


def test_a_host_that_is_not_ours_is_refused(app: Flask, client: FlaskClient) -> None:
    client.checks = False  # type: ignore[attr-defined]  # the visitor of these tests
    app.config["TRUSTED_HOSTS"] = ["wenji.example"]
    assert send(client).status_code == 400
    assert db.session.scalars(sa.select(Submission)).all() == []


def _cookie(client: FlaskClient) -> str:
    name = client.application.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    return f"{name}={cookie.value}"


@pytest.mark.parametrize(
    "form",
    [
        {"data": FORM, "content_type": "multipart/form-data"},
        {"json": FORM},
        {"data": b"body=%ff%fe", "content_type": quick.FORM},
        {"data": "body=字".encode(), "content_type": quick.FORM},
    ],
)
def test_what_no_page_of_ours_sends_comes_to_flask(
    client: FlaskClient, asked: list[str], form: dict[str, Any]
) -> None:
    client.checks = False  # type: ignore[attr-defined]  # the visitor of these tests
    client.post(ADDRESS, **form)
    assert asked == ["POST"]
