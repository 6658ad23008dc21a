"""Accounts: who gets in, who does not, and what each change leaves in the record."""

import datetime as dt
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core import accounts, audit, passwords, second_factor, signing_in, throttle
from core.accounts import Account, RoleName
from core.addresses import fold, is_email
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.throttle import ThrottleCount
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Databases, close

NOTE: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}


def actions() -> list[str]:
    return list(db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def staff(app: Flask, role: str = "screener") -> Account:
    """A member of staff who is no demonstration account."""
    with app.app_context():
        return people.make(role, is_demo=False)


# ---- the account itself ----


@pytest.mark.usefixtures("context")
def test_each_act_leaves_one_event() -> None:
    people.make("administrator")
    person = people.make("screener")
    acts: list[tuple[str, Callable[[], Any]]] = [
        ("account.role_granted", lambda: accounts.grant(person, "auditor", **NOTE)),
        ("account.role_revoked", lambda: accounts.revoke(person, "auditor", **NOTE)),
        ("account.unit_set", lambda: accounts.set_unit(person, people.make_unit(), **NOTE)),
        ("account.deactivated", lambda: accounts.deactivate(person, **NOTE)),
        ("account.activated", lambda: accounts.activate(person, **NOTE)),
        ("account.password_set", lambda: accounts.set_password(person, "x" * 12, **NOTE)),
    ]
    for action, act in acts:
        before = len(actions())
        act()
        db.session.commit()
        assert actions()[before:] == [action]


@pytest.mark.usefixtures("context")
def test_an_act_that_changes_nothing_leaves_no_event() -> None:
    person = people.make("screener")
    before = len(actions())
    accounts.grant(person, "screener", **NOTE)
    accounts.revoke(person, "auditor", **NOTE)
    accounts.set_unit(person, None, **NOTE)
    accounts.activate(person, **NOTE)
    db.session.commit()
    assert len(actions()) == before


@pytest.mark.usefixtures("context")
def test_neither_address_nor_password_stands_in_the_record() -> None:
    person = people.make("screener", email="somebody@example.invalid")
    accounts.set_password(person, people.PASSWORD, **NOTE)
    db.session.commit()
    for event in audit.page():
        assert "somebody@" not in str(vars(event))
        assert people.PASSWORD not in str(vars(event))


@pytest.mark.usefixtures("context")
def test_an_address_is_one_address_however_it_is_typed() -> None:
    people.make("screener", email="  Zhang@Example.Invalid ")
    assert accounts.by_email("ｚhang@example.invalid") is not None
    with pytest.raises(Refused):
        people.make("auditor", email="ZHANG@example.invalid")
    db.session.commit()
    assert len(actions()) == 1


@pytest.mark.parametrize("address", ["аdmin@example.gov.cn", "a b@example.cn", "a@b", "@b.cn", "a"])
def test_an_address_that_could_be_taken_for_another_is_none(address: str) -> None:
    assert not is_email(fold(address))


@pytest.mark.usefixtures("context")
def test_nobody_removes_their_own_right_to_administer() -> None:
    person = people.make("administrator")
    people.make("administrator")
    with pytest.raises(Refused):
        accounts.revoke(person, "administrator", by=person, now=NOON)
    with pytest.raises(Refused):
        accounts.deactivate(person, by=person, now=NOON)


@pytest.mark.usefixtures("context")
def test_the_last_administrator_stays() -> None:
    person = people.make("administrator")
    closed = people.make("administrator")
    accounts.deactivate(closed, **NOTE)
    with pytest.raises(Refused):
        accounts.deactivate(person, **NOTE)
    with pytest.raises(Refused):
        accounts.revoke(person, "administrator", **NOTE)
    accounts.activate(closed, **NOTE)
    accounts.deactivate(person, **NOTE)
    db.session.commit()
    assert accounts.any_administrator()


@pytest.mark.usefixtures("context")
def test_a_staff_role_does_not_count_without_a_second_factor() -> None:
    person = people.make("screener", is_demo=False, roles=["screener", "panel_member"])
    assert not person.has_role(RoleName.SCREENER)
    assert person.has_role("panel_member")
    person.tf_primary_method = second_factor.METHOD
    assert person.has_role(RoleName.SCREENER)
    assert not person.has_role(RoleName.AUDITOR)
    assert not person.has_role("no such role")


def test_passwords_are_kept_as_argon2id_at_a_price_that_guessers_feel(
    databases: Databases,
) -> None:
    place = databases.copy("tables")
    app = place.site(SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS=accounts.ARGON2ID)
    with app.app_context():
        kept = people.make("screener").password or ""
        assert not passwords.matches(None, "correct horse battery")
    # What is tried where there is no such account: as dear, and of the same form.
    dummy = app.extensions["dummy_password"]
    close(app)
    databases.discard(place)
    for each in (kept, dummy):
        assert each.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert [*map(len, dummy.split("$"))] == [*map(len, kept.split("$"))]


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("password", "good"),
    [
        ("short", False),
        ("aaaaaaaaaaaaaaaa", False),
        ("person@example.invalid", False),
        ("x" * 50 + "y" * 100, False),
        ("correct horse battery", True),
        ("春眠不觉晓处处闻啼鸟夜来", True),
    ],
)
def test_a_password_that_is_easily_guessed_will_not_do(password: str, good: bool) -> None:
    assert (passwords.weakness(password, email="person@example.invalid") is None) is good


@pytest.mark.usefixtures("context")
def test_the_demonstration_comes_once_and_goes_wholly() -> None:
    unit = people.make_unit()
    first = accounts.add_demonstration(now=NOON)
    assert accounts.add_demonstration(now=NOON) == []
    db.session.commit()
    assert [each.email for each in first] == [email for email, role in accounts.DEMO_SIGN_INS]
    assert {each.unit_id for each in first} == {None, unit.id}
    assert all(each.is_demo for each in first)
    kept = people.make("administrator", is_demo=False)
    assert accounts.remove_demonstration(now=NOON) == len(first)
    db.session.commit()
    assert db.session.scalars(sa.select(Account)).all() == [kept]


# ---- signing in ----


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


# ---- throttling ----


@pytest.mark.usefixtures("context")
def test_the_limit_is_exact_and_opens_again_with_the_next_window() -> None:
    window = dt.timedelta(minutes=10)
    hits = [throttle.hit("a", limit=3, window=window, now=NOON) for _ in range(5)]
    assert hits == [True, True, True, False, False]
    later = NOON + window - dt.timedelta(seconds=1)
    assert not throttle.hit("a", limit=3, window=window, now=later)
    assert throttle.hit("a", limit=3, window=window, now=NOON + window)
    assert throttle.count("a", now=NOON + window) == 1
    throttle.forget("a")
    assert throttle.count("a", now=NOON + window) == 0


@pytest.mark.usefixtures("context")
def test_the_counter_keeps_no_address_and_forgets_what_is_over() -> None:
    for number in range(5):
        throttle.hit(f"x:192.0.2.{number}", limit=3, window=throttle.HOUR, now=NOON)
    rows = db.session.scalars(sa.select(ThrottleCount.key_hash)).all()
    assert all(re.fullmatch("[0-9a-f]{64}", row) for row in rows)
    throttle.hit("y", limit=3, window=throttle.HOUR, now=NOON + throttle.HOUR)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ThrottleCount)) == 1


def test_the_counter_is_exact_when_many_try_at_once(app: Flask) -> None:
    answers: list[bool] = []

    def one_try() -> None:
        with app.app_context():
            answers.append(throttle.hit("many", limit=7, window=throttle.HOUR, now=NOON))
            db.session.commit()

    threads = [threading.Thread(target=one_try) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == 7


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::"),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_one_subscriber_is_one_network(address: str | None, network: str) -> None:
    assert throttle.network(address) == network


def attempt(client: FlaskClient, email: str, password: str, address: str) -> int:
    response = client.post(
        "/sign-in",
        data={"email": email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )
    return response.status_code


def test_guessing_is_slowed_and_the_owner_elsewhere_is_not_locked_out(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    tries = [attempt(client, person.email, "wrong", "192.0.2.1") for _ in range(12)]
    assert tries == [422] * signing_in.TRIES_AT_ONE_ACCOUNT + [429] * 2
    assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 429
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    clock.forward(minutes=15)
    assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 303


def test_an_unknown_name_is_throttled_like_a_known_one(client: FlaskClient) -> None:
    tries = [attempt(client, "nobody@example.invalid", "wrong", "192.0.2.1") for _ in range(11)]
    assert tries[-1] == 429


def test_one_network_cannot_try_a_password_on_everybody(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_FROM_ONE_NETWORK", 5)
    client = app.test_client()
    tries = [attempt(client, f"p{n}@example.invalid", "wrong", "192.0.2.1") for n in range(6)]
    assert tries == [422] * 5 + [429]


def test_guesses_from_everywhere_do_not_shut_out_a_network_the_owner_has_used(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_FROM_ANYWHERE", 5)
    with app.app_context():
        person = people.make("panel_member")
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    client = app.test_client()
    tries = [attempt(client, person.email, "wrong", f"192.0.2.{n}") for n in range(8)]
    assert tries[-1] == 429
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    assert attempt(app.test_client(), person.email, people.PASSWORD, "203.0.113.1") == 429


def test_success_wipes_the_slate(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        person = people.make("panel_member")
    for _ in range(3):
        for _ in range(8):
            attempt(client, person.email, "wrong", "192.0.2.1")
        assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 303


def test_only_the_security_log_keeps_addresses_and_it_keeps_no_names(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    attempt(client, person.email, "wrong", "192.0.2.1")
    attempt(client, person.email, people.PASSWORD, "192.0.2.1\nforged")
    folder = Path(app.instance_path, "security")
    log = folder / "2020-10.log"
    assert log.stat().st_mode & 0o777 == 0o600
    lines = log.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["refused", "signed-in"]
    assert lines[0].endswith(f"account={person.id} address=192.0.2.1")
    assert person.email not in log.read_text()
    for _ in range(14):
        clock.forward(days=31)
        attempt(client, "nobody@example.invalid", "wrong", "192.0.2.1")
    assert len(list(folder.iterdir())) == 12
    assert not log.exists()


# ---- the second factor ----


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


# ---- one's own password ----


def test_changing_the_password_ends_every_other_session_and_keeps_this_one(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    other = app.test_client()
    people.sign_in(other, person)
    people.sign_in(client, person)
    fresh = "brand new password 2020"
    data = {"old": people.PASSWORD, "new": fresh, "again": fresh}
    assert client.post("/account/password", data=data).location == "/account"
    assert client.get("/account").status_code == 200
    assert other.get("/account").status_code == 303
    assert people.sign_in(other, person).status_code == 422
    assert people.sign_in(other, person, password=fresh).status_code == 303


@pytest.mark.parametrize(
    ("old", "new", "again"),
    [
        ("wrong", "brand new password", "brand new password"),
        (people.PASSWORD, "brand new password", "another new password"),
        (people.PASSWORD, "short", "short"),
        (people.PASSWORD, "", ""),
    ],
)
def test_a_password_is_changed_only_when_all_three_fields_are_right(
    app: Flask, client: FlaskClient, old: str, new: str, again: str
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    people.sign_in(client, person)
    data = {"old": old, "new": new, "again": again}
    assert client.post("/account/password", data=data).status_code == 422
    assert people.sign_in(app.test_client(), person).status_code == 303


def test_the_old_password_cannot_be_guessed_in_a_session_left_open(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    people.sign_in(client, person)
    data = {"old": "wrong", "new": "brand new password", "again": "brand new password"}
    tries = [client.post("/account/password", data=data).status_code for _ in range(11)]
    assert tries[-1] == 429


def test_whoever_is_signed_in_goes_straight_to_where_they_wanted(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        person = people.make("auditor")
    people.sign_in(client, person)
    assert client.get("/sign-in?next=/desk/audit").location == "/desk/audit"
    assert client.get("/sign-in?next=//e.x").location == "/account"


# ---- commands ----


def test_init_makes_one_administrator_and_no_second_site(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.commands.bring_up_to_date", lambda _app: None)
    run = app.test_cli_runner().invoke
    first = run(args=["init", "--email", "Boss@example.gov.cn", "--name", "张主任"])
    assert first.exit_code == 0, first.output
    shown = re.search(r"密码：(\S+?)（", first.output)
    assert shown
    with app.app_context():
        person = accounts.by_email("boss@example.gov.cn")
        assert person is not None
        assert person.role_names == [RoleName.ADMINISTRATOR]
        assert not person.is_demo
    assert people.sign_in(app.test_client(), person, password=shown[1]).status_code == 303
    again = run(args=["init", "--email", "b@example.gov.cn", "--name", "乙"])
    assert again.exit_code != 0
    with app.app_context():
        assert len(accounts.page()) == 1


def test_accounts_can_be_kept_from_the_command_line(app: Flask) -> None:
    run = app.test_cli_runner().invoke
    add = ["accounts", "add", "--email", "a@example.gov.cn", "--name", "甲"]
    assert run(args=[*add, "--role", "screener", "--password", "short"]).exit_code != 0
    assert run(args=[*add, "--role", "screener", "--password", people.PASSWORD]).exit_code == 0
    assert run(args=[*add]).exit_code != 0, "known already"
    assert "a@example.gov.cn\t甲\tscreener\t正常" in run(args=["accounts", "list"]).output
    change = ["accounts", "set-password", "a@example.gov.cn", "--password", "quite another one"]
    assert run(args=change).exit_code == 0
    assert run(args=["accounts", "set-password", "nobody@example.gov.cn"]).exit_code != 0
    client = app.test_client()
    signed_in = people.sign_in(client, "a@example.gov.cn", password="quite another one")
    assert signed_in.status_code == 303


def test_the_demonstration_is_removed_by_a_command_that_says_what_is_missing(app: Flask) -> None:
    with app.app_context():
        accounts.add_demonstration(now=NOON)
        db.session.commit()
    done = app.test_cli_runner().invoke(args=["demo", "remove-accounts"])
    assert "没有管理员" in done.output
    with app.app_context():
        assert accounts.page() == []


# ---- what machines ask ----


def test_health_is_a_read_that_says_when_the_database_is_gone(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/healthz").status_code == 200

    def gone(*given: object) -> None:
        raise sa.exc.OperationalError("select", {}, Exception("no such server"))

    monkeypatch.setattr("sqlalchemy.orm.Session.execute", gone)
    response = client.get("/healthz")
    assert response.status_code == 503
    assert "server" not in response.get_data(as_text=True)
