"""Invitations to members: one link, once, for 48 hours."""

import re

import pytest
import sqlalchemy as sa
from flask import Flask

from consult.programmes import Programme
from core import accounts, audit, password_links
from core.accounts import RoleName
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.password_links import PasswordLink
from panel import invitations
from panel.members import Member
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.members_made import proposed, seated
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


def invited(member: Member) -> str:
    invitations.send(
        member, address_of=lambda token: f"https://x/{token}", by=audit.SYSTEM, now=NOON
    )
    db.session.commit()
    body = db.session.scalars(sa.select(Message.body).order_by(Message.id.desc())).first()
    found = re.search(r"https://x/(\S+)", body or "")
    assert found is not None
    return found.group(1)


def test_invitation_to_password_once_and_for_48_hours(
    app: Flask, programme: Programme, clock: Clock
) -> None:
    appointment = seated(programme, contact="wang@example.cn")
    page = f"/account/password-link/{invited(appointment.member)}"
    client = app.test_client()
    assert client.get(page).status_code == 200
    fields = re.findall(r'name="(new|again|repeat|confirm)[^"]*"', client.get(page).text)
    data = dict.fromkeys(fields, people.PASSWORD) | people.token(client, page)
    assert client.post(page, data=data).status_code == 303
    assert client.get(page).status_code == 404
    # Whoever sits begins where their work waits.
    assert people.sign_in(client, "wang@example.cn").location == "/panel/desk/"
    assert client.get("/sign-in").location == "/panel/desk/"
    account = accounts.by_email("wang@example.cn")
    assert account is not None
    assert account.role_names == [RoleName.PANEL_MEMBER]
    again = invited(appointment.member)
    clock.forward(hours=49)
    assert app.test_client().get(f"/account/password-link/{again}").status_code == 404


def test_no_invitation_before_appointment_without_address_or_for_staff(
    programme: Programme,
) -> None:
    waiting = proposed(programme, contact="wang@example.cn")
    with pytest.raises(Refused, match="聘任以后"):
        invited(waiting.member)
    with pytest.raises(Refused, match="联系方式"):
        invited(seated(programme, "李文").member)
    staff = people.make("screener")
    with pytest.raises(Refused, match="工作人员"):
        invited(seated(programme, "张芳", contact=staff.email).member)


def test_one_invitation_is_accepted_once_however_many_open_it(
    app: Flask, programme: Programme
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    links: list[str] = []
    invitations.send(
        seated(programme, contact="w@example.cn").member,
        address_of=lambda token: links.append(token) or token,
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()

    def accept(number: int) -> int:
        word = f"{people.PASSWORD}-{number}"
        data = {"new": word, "repeat": word, "again": word}
        return app.test_client().post(f"/account/password-link/{links[0]}", data=data).status_code

    assert sorted(at_once(4, accept)) == [303, 404, 404, 404]
    acts = list(db.session.scalars(sa.select(AuditEvent.action)))
    assert acts.count("account.password_set") == 1


def test_two_officers_invite_at_once_and_one_link_is_good(app: Flask, programme: Programme) -> None:
    number = seated(programme, contact="w@example.cn").member_id

    def invite(_officer: int) -> str:
        links: list[str] = []
        with app.app_context():
            invitations.send(
                db.session.get_one(Member, number),
                address_of=lambda token: links.append(token) or token,
                by=audit.SYSTEM,
                now=NOON,
            )
            db.session.commit()
        return links[0]

    links = at_once(3, invite)
    good = [each for each in links if password_links.find(each, now=NOON) is not None]
    assert len(good) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PasswordLink)) == 1
