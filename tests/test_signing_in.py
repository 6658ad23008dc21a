"""Signing in with the right password, and how little a wrong one is told."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import accounts, audit, passwords
from core.db import db
from tests import people
from tests.conftest import NOON

NOTE: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}


def test_the_right_password_opens_the_account_however_the_address_is_typed(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    assert people.sign_in(client, f" {person.email.upper()} ").location == "/account"
    page = client.get("/account")
    assert person.name in page.get_data(as_text=True)
    assert page.headers["Cache-Control"] == "no-store"


def test_every_failure_is_answered_alike(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        person = people.make("panel_member")
        closed = people.make("panel_member")
        unset = people.make("panel_member", password=None)
        accounts.deactivate(closed, **NOTE)
        db.session.commit()
    tries = [
        (person.email, "wrong"),
        (closed.email, people.PASSWORD),
        (unset.email, people.PASSWORD),
        ("nobody@example.invalid", people.PASSWORD),
    ]
    answers = set()
    for email, password in tries:
        response = people.sign_in(client, email, password=password)
        text = response.get_data(as_text=True).replace(email, "").replace(people.PASSWORD, "")
        answers.add((response.status_code, text.replace("wrong", "")))
    assert len(answers) == 1
    assert answers.pop()[0] == 422


def test_an_unknown_name_costs_the_same_work(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    hashes: list[str] = []
    real = passwords.verify_password

    def counted(password: str, kept: str) -> bool:
        hashes.append(kept.rpartition("$")[0].rpartition("$")[0])
        return bool(real(password, kept))

    monkeypatch.setattr(passwords, "verify_password", counted)
    people.sign_in(client, person, password="wrong")
    people.sign_in(client, "nobody@example.invalid", password="wrong")
    assert len(hashes) == 2
    assert hashes[0] == hashes[1], "the same function with the same cost"


def test_the_password_is_never_sent_back(client: FlaskClient) -> None:
    response = people.sign_in(client, "nobody@example.invalid", password="hunter2-hunter2")
    assert "hunter2" not in response.get_data(as_text=True)


@pytest.mark.parametrize("odd", ["\x00", "a\x00b", "\ud800", "", " ", "\u200b", "a" * 2000])
def test_odd_input_is_refused_as_a_form(client: FlaskClient, odd: str) -> None:
    data = {"email": odd, "password": odd}
    raw = "&".join(
        f"{name}={''.join(f'%{byte:02x}' for byte in text.encode('utf-8', 'surrogatepass'))}"
        for name, text in data.items()
    )
    response = client.post("/sign-in", data=raw, content_type="application/x-www-form-urlencoded")
    assert response.status_code == 422


def test_whoever_is_signed_in_goes_straight_to_where_they_wanted(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        person = people.make("auditor")
    people.sign_in(client, person)
    assert client.get("/sign-in?next=/desk/audit").location == "/desk/audit"
    assert client.get("/sign-in?next=//e.x").location == "/account"
