"""Sessions: what the cookie is worth, and when it is worth nothing."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core import accounts, audit
from core.accounts import Account
from core.db import db
from core.sessions import BrowserSession
from core.web import on_this_site
from tests import people
from tests.conftest import Clock


@pytest.fixture
def auditor(app: Flask) -> Account:
    with app.app_context():
        return people.make("auditor")


def cookie(client: FlaskClient) -> str:
    kept = client.get_cookie("wenji")
    return kept.value if kept else ""


def sessions_kept(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count(BrowserSession.id))) or 0


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/account").status_code == 200


def test_an_anonymous_reader_gets_no_cookie_and_costs_no_query(
    app: Flask, client: FlaskClient
) -> None:
    asked: list[str] = []
    with app.app_context():
        engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for address in ("/robots.txt", "/no-such-page", "/desk/people"):
        assert "Set-Cookie" not in client.get(address).headers
    assert not asked


def test_a_signed_in_page_does_not_set_the_cookie_again(
    client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    assert "Set-Cookie" not in client.get("/account").headers


def test_the_database_keeps_no_session_id(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    with client.session_transaction() as session:
        session_id = session["sid"]
    with app.app_context():
        row = db.session.scalars(sa.select(BrowserSession)).one()
    assert len(session_id) >= 43
    assert session_id not in str(vars(row))


def test_signing_in_makes_a_new_id_and_keeps_nothing_from_before(
    client: FlaskClient, auditor: Account
) -> None:
    with client.session_transaction() as session:
        session["csrf_token"] = "planted"
        session["sid"] = "planted" * 8
    people.sign_in(client, auditor)
    with client.session_transaction() as session:
        assert session["csrf_token"] != "planted"
        assert session["sid"] != "planted" * 8
    assert is_signed_in(client)


def test_signing_in_again_ends_the_session_this_browser_had(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    people.sign_in(client, auditor)
    assert sessions_kept(app) == 1


def test_after_sign_out_the_old_cookie_is_worthless(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    stolen = cookie(client)
    assert people.sign_out(client).status_code == 303
    thief = app.test_client()
    thief.set_cookie("wenji", stolen)
    assert not is_signed_in(thief)
    assert not is_signed_in(client)
    assert sessions_kept(app) == 0


def test_a_cookie_signed_by_somebody_else_is_nothing(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    forged = app.test_client()
    for value in (cookie(client)[:-3] + "abc", "x", "é", "a.b.c", ""):
        forged.set_cookie("wenji", value)
        assert forged.get("/account").status_code == 303


def test_a_session_ends_after_two_idle_hours(
    client: FlaskClient, auditor: Account, clock: Clock
) -> None:
    people.sign_in(client, auditor)
    clock.forward(minutes=119)
    assert is_signed_in(client)
    clock.forward(minutes=119)
    assert is_signed_in(client), "reading counts as being there"
    clock.forward(minutes=121)
    assert not is_signed_in(client)
    assert not cookie(client), "a dead cookie is taken away"


def test_a_session_ends_after_twelve_hours_of_use(
    client: FlaskClient, auditor: Account, clock: Clock
) -> None:
    people.sign_in(client, auditor)
    for _ in range(11):
        clock.forward(hours=1)
        assert is_signed_in(client)
    clock.forward(hours=1)
    assert not is_signed_in(client)


def test_being_seen_is_written_at_most_every_five_minutes(
    app: Flask, client: FlaskClient, auditor: Account, clock: Clock
) -> None:
    def seen() -> dt.datetime:
        with app.app_context():
            return db.session.scalars(sa.select(BrowserSession.seen_at)).one()

    people.sign_in(client, auditor)
    first = seen()
    clock.forward(minutes=4)
    client.get("/account")
    assert seen() == first
    clock.forward(minutes=1)
    client.get("/account")
    assert seen() == clock()


def test_a_post_after_five_minutes_does_not_wait_for_itself(
    client: FlaskClient, auditor: Account, clock: Clock
) -> None:
    people.sign_in(client, auditor)
    clock.forward(minutes=6)
    assert client.post("/account/second-factor").status_code == 303


@pytest.mark.parametrize("change", ["password", "role", "revoke", "unit", "deactivate"])
def test_a_change_of_rights_ends_every_session_of_the_account(
    app: Flask, client: FlaskClient, auditor: Account, change: str
) -> None:
    people.sign_in(client, auditor)
    assert client.get("/desk/audit").status_code == 200
    with app.app_context():
        person = accounts.by_id(auditor.id)
        assert person is not None
        note = {"by": audit.SYSTEM, "now": auditor.created_at}
        if change == "password":
            accounts.set_password(person, "another good password", **note)
        elif change == "role":
            accounts.grant(person, "screener", **note)
        elif change == "revoke":
            accounts.revoke(person, "auditor", **note)
        elif change == "unit":
            accounts.set_unit(person, people.make_unit(), **note)
        else:
            accounts.deactivate(person, **note)
        db.session.commit()
    assert client.get("/desk/audit").status_code == 303
    assert sessions_kept(app) == 0


def test_rights_are_read_on_every_request(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    with app.app_context():
        db.session.execute(sa.delete(accounts.account_role))
        db.session.commit()
    assert client.get("/desk/audit").status_code == 403
    assert client.get("/account").status_code == 200


def test_a_closed_account_is_out_on_the_next_request_even_if_its_session_stayed(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    with app.app_context():
        db.session.execute(sa.update(Account).values(active=False))
        db.session.commit()
    assert not is_signed_in(client)


def test_old_sessions_are_swept_when_somebody_signs_in(
    app: Flask, auditor: Account, clock: Clock
) -> None:
    people.sign_in(app.test_client(), auditor)
    clock.forward(hours=13)
    people.sign_in(app.test_client(), auditor)
    assert sessions_kept(app) == 1


def test_too_many_messages_do_not_cost_the_person_the_session(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    people.sign_in(client, auditor)
    with client.session_transaction() as session:
        session["_flashes"] = [("info", "很长的话" * 2000)]
    assert len(cookie(client)) < 4000
    assert is_signed_in(client)


@pytest.mark.parametrize(
    "trick",
    [
        "//e.x",
        "///e.x",
        "/\\e.x",
        "\\\\e.x",
        "/%5ce.x",
        "/%09/e.x",
        "/%2509/e.x",
        "/%2f/e.x",
        "/\t/e.x",
        "/\n/e.x",
        "https://e.x/",
        "javascript:alert(1)",
        "e.x",
        "/ /e.x",
        "/\u2028/e.x",
        "/" + "a" * 2000,
        "",
    ],
)
def test_a_way_back_that_leaves_the_site_is_not_taken(
    client: FlaskClient, auditor: Account, trick: str
) -> None:
    assert on_this_site(trick, "/account") == "/account"
    response = people.sign_in(client, auditor, next=trick)
    assert response.location == "/account"


@pytest.mark.parametrize("way", ["/desk/audit", "/desk/audit?action=account.added", "/意见?a=b#c"])
def test_a_way_back_on_the_site_is_taken(client: FlaskClient, auditor: Account, way: str) -> None:
    assert on_this_site(way, "/") == way
    assert people.sign_in(client, auditor, next=way).status_code == 303


def test_asking_for_a_closed_page_leads_there_after_signing_in(
    client: FlaskClient, auditor: Account
) -> None:
    response = client.get("/desk/audit?action=account.added")
    assert response.status_code == 303
    page = client.get(response.location).get_data(as_text=True)
    assert 'value="/desk/audit?action=account.added"' in page


def test_a_form_token_from_before_signing_in_is_refused_after(
    app: Flask, client: FlaskClient, auditor: Account
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    before = people.token(client, "/sign-in")
    assert people.sign_in(client, auditor).status_code == 303
    assert client.post("/sign-out", data=before).status_code == 400
    assert client.post("/sign-out").status_code == 400
    assert people.sign_out(client).status_code == 303
