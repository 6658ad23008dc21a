"""The second factor: staff set it up, a code counts once, and recovery codes are the way back."""

import threading
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import accounts, audit, second_factor, signing_in
from core.accounts import Account
from core.db import db
from tests import people
from tests.conftest import NOON, Clock
from tests.kept import actions

NOTE: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}


def staff(app: Flask, role: str = "screener") -> Account:
    """A member of staff who is no demonstration account."""
    with app.app_context():
        return people.make(role, is_demo=False)


def test_staff_set_up_the_app_before_the_desk_opens(app: Flask, client: FlaskClient) -> None:
    person = staff(app, "auditor")
    assert people.sign_in(client, person).location == "/account/second-factor"
    assert client.get("/desk/audit").location == "/account/second-factor"
    assert client.post("/desk/people/add").location == "/account/second-factor"
    codes = people.set_up_second_factor(client, person)
    assert len(codes) == len(set(codes)) == second_factor.RECOVERY_CODES
    assert client.get("/desk/audit").status_code == 200
    with app.app_context():
        assert "account.second_factor_set" in actions()


def test_a_demonstration_account_needs_no_app(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        person = people.make("auditor")
    people.sign_in(client, person)
    assert client.get("/desk/audit").status_code == 200


def test_the_secret_is_shown_until_it_is_confirmed_and_never_again(
    app: Flask, client: FlaskClient
) -> None:
    person = staff(app)
    people.sign_in(client, person)
    assert client.get("/account/second-factor/qr.svg").status_code == 404
    client.post("/account/second-factor")
    picture = client.get("/account/second-factor/qr.svg")
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    assert "style=" not in picture.get_data(as_text=True)
    assert "密钥" in client.get("/account/second-factor").get_data(as_text=True)
    data = {"code": people.code(client, person)}
    assert client.post("/account/second-factor/confirm", data=data).status_code == 200
    assert client.get("/account/second-factor/qr.svg").status_code == 404
    assert "密钥" not in client.get("/account/second-factor").get_data(as_text=True)
    assert client.post("/account/second-factor").status_code == 409
    with app.app_context():
        kept = db.session.get_one(Account, person.id)
        assert "enckey" in (kept.tf_totp_secret or ""), "sealed"


def test_a_wrong_code_does_not_turn_the_app_on(app: Flask, client: FlaskClient) -> None:
    person = staff(app)
    people.sign_in(client, person)
    client.post("/account/second-factor")
    for wrong in ("000000", "abc", "", "１２３４５６", "1" * 100, "12345"):
        data = {"code": wrong}
        assert client.post("/account/second-factor/confirm", data=data).status_code == 422
    assert client.get("/desk/").location in ("/account/second-factor", None)
    with app.app_context():
        assert db.session.get_one(Account, person.id).tf_primary_method is None


@pytest.fixture
def guarded(app: Flask, clock: Clock) -> tuple[Account, list[str]]:
    """A member of staff with an app, and the recovery codes."""
    person = staff(app, "auditor")
    client = app.test_client()
    people.sign_in(client, person)
    codes = people.set_up_second_factor(client, person)
    clock.forward(minutes=2)
    return person, codes


def step_one(client: FlaskClient, person: Account) -> None:
    data = {"email": person.email, "password": people.PASSWORD}
    assert client.post("/sign-in", data=data).location == "/sign-in/code"


def step_two(client: FlaskClient, code: str) -> int:
    return client.post("/sign-in/code", data={"code": code}).status_code


def test_the_password_alone_opens_nothing(
    client: FlaskClient, guarded: tuple[Account, list[str]]
) -> None:
    person, _codes = guarded
    step_one(client, person)
    assert client.get("/sign-in/code").status_code == 200
    assert client.get("/account").status_code == 303
    assert client.get("/desk/audit").status_code == 303
    assert step_two(client, "000000") == 422
    assert client.get("/account").status_code == 303
    assert step_two(client, people.code(client, person)) == 303
    assert client.get("/desk/audit").status_code == 200


def test_the_way_back_survives_the_code_page(
    client: FlaskClient, guarded: tuple[Account, list[str]]
) -> None:
    person, _codes = guarded
    assert people.sign_in(client, person, next="/desk/audit").location == "/desk/audit"


def test_a_code_counts_once(app: Flask, guarded: tuple[Account, list[str]]) -> None:
    person, _codes = guarded
    first, second = app.test_client(), app.test_client()
    step_one(first, person)
    step_one(second, person)
    code = people.code(first, person)
    assert step_two(first, code) == 303
    assert step_two(second, code) == 422
    assert step_two(second, people.code(second, person, later=-30)) == 422, "nor an older one"
    assert step_two(second, people.code(second, person, later=30)) == 303


def test_a_code_is_good_for_about_a_minute(
    client: FlaskClient, guarded: tuple[Account, list[str]], clock: Clock
) -> None:
    person, _codes = guarded
    step_one(client, person)
    code = people.code(client, person)
    clock.forward(seconds=90)
    assert step_two(client, code) == 422


def test_a_recovery_code_counts_once_and_is_noted(
    app: Flask, guarded: tuple[Account, list[str]]
) -> None:
    person, codes = guarded
    first, second = app.test_client(), app.test_client()
    step_one(first, person)
    step_one(second, person)
    assert step_two(first, codes[0].upper().replace("-", " ")) == 303
    assert step_two(second, codes[0]) == 422
    assert step_two(second, codes[1]) == 303
    with app.app_context():
        assert actions().count("account.recovery_code_used") == 2
        kept = db.session.get_one(Account, person.id).mf_recovery_codes or []
        assert len(kept) == 8
        assert not set(codes) & set(kept), "only hashes are kept"


def test_one_recovery_code_sent_twice_at_once_opens_one_session(
    app: Flask, guarded: tuple[Account, list[str]]
) -> None:
    person, codes = guarded
    clients = [app.test_client() for _ in range(4)]
    for client in clients:
        step_one(client, person)
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda c=client: answers.append(step_two(c, codes[0])))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 422, 422, 422]


def test_fresh_recovery_codes_need_a_code_and_void_the_old(
    app: Flask, client: FlaskClient, guarded: tuple[Account, list[str]], clock: Clock
) -> None:
    person, codes = guarded
    people.sign_in(client, person)
    assert client.post("/account/recovery-codes", data={"code": codes[0]}).status_code == 422
    clock.forward(minutes=1)
    data = {"code": people.code(client, person)}
    assert client.post("/account/recovery-codes", data=data).status_code == 200
    other = app.test_client()
    step_one(other, person)
    assert step_two(other, codes[0]) == 422


def test_codes_cannot_be_guessed_at_length(
    client: FlaskClient, guarded: tuple[Account, list[str]]
) -> None:
    person, codes = guarded
    step_one(client, person)
    tries = [step_two(client, f"{n:06}") for n in range(signing_in.CODES_AT_ONE_ACCOUNT + 1)]
    assert tries[-1] == 429
    assert step_two(client, codes[0]) == 429


def test_half_a_sign_in_ends_after_ten_minutes_and_with_the_password(
    app: Flask, client: FlaskClient, guarded: tuple[Account, list[str]], clock: Clock
) -> None:
    person, _codes = guarded
    step_one(client, person)
    clock.forward(minutes=11)
    response = client.post("/sign-in/code", data={"code": people.code(client, person)})
    assert response.location == "/sign-in"
    step_one(client, person)
    with app.app_context():
        same = db.session.get_one(Account, person.id)
        accounts.set_password(same, "another good password", **NOTE)
        db.session.commit()
    response = client.post("/sign-in/code", data={"code": people.code(client, person)})
    assert response.location == "/sign-in"


def test_the_code_page_alone_leads_to_the_beginning(client: FlaskClient) -> None:
    assert client.get("/sign-in/code").location == "/sign-in"
