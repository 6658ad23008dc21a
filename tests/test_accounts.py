"""Accounts: what each change leaves in the record, who administers, and one's own password."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core import accounts, audit, passwords, second_factor
from core.accounts import Account, RoleName
from core.addresses import fold, is_email
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.databases import Databases, close
from tests.kept import actions

NOTE: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}


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
