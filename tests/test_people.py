"""People and their rights, as administrators change them on the pages."""

import re
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core.accounts import Account, RoleName
from core.audit import AuditEvent
from core.db import db
from tests import people
from tests.conftest import Clock


@pytest.fixture
def boss(app: Flask, client: FlaskClient) -> Account:
    """An administrator, signed in."""
    with app.app_context():
        person = people.make("administrator")
        people.make_unit()
        db.session.commit()
    people.sign_in(client, person)
    return person


def events(app: Flask) -> Sequence[AuditEvent]:
    with app.app_context():
        return db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)).all()


def again(app: Flask, person: Account) -> Account:
    with app.app_context():
        return db.session.get_one(Account, person.id)


def link_in(page: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/account/password-link/[\w-]+)", page)
    assert found, page
    return found[1]


@pytest.mark.parametrize("role", [role for role in RoleName if role != "administrator"])
def test_nobody_else_manages_people(app: Flask, client: FlaskClient, role: str) -> None:
    with app.app_context():
        person = people.make(role)
    people.sign_in(client, person)
    for address in ("/desk/people", "/desk/people/add", f"/desk/people/{person.id}"):
        assert client.get(address).status_code == 403
    rights = f"/desk/people/{person.id}/rights"
    assert client.post(rights, data={"roles": "administrator"}).status_code == 403
    assert again(app, person).role_names == [role]


def test_a_new_person_sets_the_password_by_a_link_that_works_once(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    data = {
        "name": "张三",
        "email": "Zhang.San@example.gov.cn",
        "roles": ["unit_staff", "screener"],
        "unit": "jgw",
    }
    added = client.post("/desk/people/add", data=data)
    assert added.headers["Cache-Control"] == "no-store"
    link = link_in(added.get_data(as_text=True))
    visitor = app.test_client()
    assert "张三" in visitor.get(link).get_data(as_text=True)
    weak = {"new": "short", "again": "short"}
    assert visitor.post(link, data=weak).status_code == 422
    password = {"new": people.PASSWORD, "again": people.PASSWORD}
    assert visitor.post(link, data=password).location == "/sign-in"
    assert visitor.get(link).status_code == 404
    assert visitor.post(link, data=password).status_code == 404
    answer = people.sign_in(visitor, "zhang.san@example.gov.cn")
    assert answer.location == "/account/second-factor"
    said = [event.action for event in events(app)][1:]
    assert said == ["account.added", "account.password_link_made", "account.password_set"]
    assert events(app)[1].actor_id == boss.id


@pytest.mark.parametrize("why", ["late", "newer", "closed", "wrong"])
def test_a_link_that_does_not_count_is_refused(
    app: Flask, client: FlaskClient, boss: Account, clock: Clock, why: str
) -> None:
    with app.app_context():
        person = people.make("screener", password=None)
    make = f"/desk/people/{person.id}/password-link"
    link = link_in(client.post(make).get_data(as_text=True))
    if why == "newer":
        client.post(make)
    elif why == "closed":
        client.post(f"/desk/people/{person.id}/state", data={"act": "deactivate"})
    elif why == "late":
        clock.forward(hours=48)
    else:
        link = link[:-1] + ("A" if link[-1] != "A" else "B")
    password = {"new": people.PASSWORD, "again": people.PASSWORD}
    visitor = app.test_client()
    assert visitor.get(link).status_code == 404
    assert visitor.post(link, data=password).status_code == 404
    assert again(app, person).password is None


def test_the_link_never_comes_from_the_host_header(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    page = client.post(
        f"/desk/people/{boss.id}/password-link", headers={"X-Forwarded-Host": "evil.example"}
    )
    assert "evil.example" not in page.get_data(as_text=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "\u200b"},
        {"name": "字" * 61},
        {"email": "nonsense"},
        {"email": "аdmin@example.gov.cn"},
        {"roles": ["emperor"]},
        {"unit": "no-such-unit"},
        {"roles": ["unit_staff"], "unit": ""},
    ],
)
def test_a_form_that_is_wrong_keeps_what_was_typed_and_changes_nothing(
    app: Flask, client: FlaskClient, boss: Account, wrong: dict[str, object]
) -> None:
    data = {"name": "李四", "email": "li@example.gov.cn", "roles": [], "unit": ""} | wrong
    before = len(events(app))
    response = client.post("/desk/people/add", data=data)
    assert response.status_code == 422
    if "email" not in wrong:
        assert "li@example.gov.cn" in response.get_data(as_text=True)
    assert len(events(app)) == before


def test_an_address_that_is_known_is_said_so_in_the_form(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    data = {"name": "李四", "email": boss.email.upper(), "roles": [], "unit": ""}
    response = client.post("/desk/people/add", data=data)
    assert response.status_code == 422
    assert "已经有账号" in response.get_data(as_text=True)


def test_rights_are_given_and_taken_one_event_each(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    with app.app_context():
        person = people.make("screener")
    before = len(events(app))
    data = {"roles": ["auditor", "unit_staff"], "unit": "jgw"}
    assert client.post(f"/desk/people/{person.id}/rights", data=data).status_code == 303
    assert again(app, person).role_names == ["unit_staff", "auditor"]
    said = sorted(event.action for event in events(app)[before:])
    assert said == [
        "account.role_granted",
        "account.role_granted",
        "account.role_revoked",
        "account.unit_set",
    ]


def test_an_administrator_does_not_lose_the_right_by_their_own_hand(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    with app.app_context():
        people.make("administrator")
    before = len(events(app))
    rights = client.post(f"/desk/people/{boss.id}/rights", data={"roles": [], "unit": ""})
    closing = client.post(f"/desk/people/{boss.id}/state", data={"act": "deactivate"})
    assert rights.status_code == closing.status_code == 409
    assert again(app, boss).role_names == ["administrator"]
    assert again(app, boss).active
    assert len(events(app)) == before


def test_closing_and_opening_an_account_keeps_the_reason(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    with app.app_context():
        person = people.make("screener")
    theirs = app.test_client()
    people.sign_in(theirs, person)
    data = {"act": "deactivate", "reason": "调离岗位"}
    assert client.post(f"/desk/people/{person.id}/state", data=data).status_code == 303
    assert theirs.get("/account").status_code == 303
    assert people.sign_in(theirs, person).status_code == 422
    assert events(app)[-1].reason == "调离岗位"
    data = {"act": "activate", "reason": "字" * 201}
    assert client.post(f"/desk/people/{person.id}/state", data=data).status_code == 422
    data = {"act": "activate", "reason": ""}
    assert client.post(f"/desk/people/{person.id}/state", data=data).status_code == 303
    assert people.sign_in(theirs, person).status_code == 303
    assert client.post(f"/desk/people/{person.id}/state", data={"act": "x"}).status_code == 400


def test_a_lost_app_is_forgotten_by_an_administrator(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    with app.app_context():
        person = people.make("auditor", is_demo=False)
    theirs = app.test_client()
    people.sign_in(theirs, person)
    people.set_up_second_factor(theirs, person)
    assert client.post(f"/desk/people/{person.id}/second-factor").status_code == 303
    assert theirs.get("/desk/audit").status_code == 303
    assert people.sign_in(theirs, person).location == "/account/second-factor"
    assert events(app)[-1].action == "account.second_factor_removed"


def test_a_person_who_is_not_there_is_404(client: FlaskClient, boss: Account) -> None:
    assert client.get("/desk/people/99999").status_code == 404
    assert client.get(f"/desk/people/{10**30}").status_code == 404
    assert client.post("/desk/people/99999/password-link").status_code == 404


def test_the_list_pages_by_key_and_finds_by_words(
    app: Flask, client: FlaskClient, boss: Account
) -> None:
    with app.app_context():
        for number in range(60):
            people.make("screener", name=f"审核{number:02}", password=None)
        people.make("screener", name="百分%之_百", password=None)
    first = client.get("/desk/people").get_data(as_text=True)
    following = re.search(r'href="(/desk/people\?before=\d+)"', first)
    assert following
    second = client.get(following[1]).get_data(as_text=True)
    assert boss.name in second
    assert boss.name not in first
    names = re.findall("审核[0-9]{2}", first + second)
    assert len(names) == len(set(names)) == 60
    assert "百分%之_百" in client.get("/desk/people?q=%25之_").get_data(as_text=True)
    assert "没有找到" in client.get("/desk/people?q=nobody_here").get_data(as_text=True)
    assert client.get("/desk/people?before=x").status_code == 400
