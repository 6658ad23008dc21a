"""Who wrote a comment: what is kept of a contact, a name, an account, and where it is shown."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consult import screening
from consult.drafts import Version
from consult.submissions import Contact, SubmissionState
from core import audit, sealing
from core.config import Settings
from core.db import db
from tests import people
from tests.comments_made import ADDRESS, BODY, only, send
from tests.conftest import NOON
from tests.kept import stored, whole_database

pytestmark = pytest.mark.usefixtures("context")


def test_a_contact_is_sealed_in_its_own_table_and_stands_nowhere_else(
    client: FlaskClient, version: Version, settings: Settings
) -> None:
    answer = send(client, contact="１３８ ００００-１２３４", name="王小明")
    kept = db.session.scalars(sa.select(Contact)).one()
    assert kept.submission_id == only().id
    assert kept.keep_until == dt.date(2021, 10, 20)
    # As a sender takes it, however it was typed.
    assert sealing.unseal(settings.contact_key, kept.sealed) == "13800001234"
    for table, rows in whole_database().items():
        for word in ("１３８", "138000", "王小明"):
            assert word not in rows, table
    pages = (answer.location, "/consultations/gangyao/opinions", "/consultations/gangyao/draft")
    screening.decide(only(), SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    for address in pages:
        page = client.get(address).text
        assert "１３８" not in page
        assert "王小明" not in page


def test_one_contact_is_one_person_and_none_is_nobody_known(
    client: FlaskClient, version: Version
) -> None:
    mail, mobile = ("a@example.com", "Ａ@Example.com "), ("13800001234", "+86 138-0000-1234")
    for contact in (*mail, *mobile, "b@example.com", ""):
        send(client, contact=contact)
    keys = [each.person_key for each in stored()]
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert len({keys[0], keys[2], keys[4]}) == 3
    assert keys[5] is None


@pytest.mark.parametrize("typed", ["1380000123", "021-62470000", "a@b", "王小明"])
def test_a_contact_nothing_can_be_sent_to_is_said_so_at_once(
    client: FlaskClient, version: Version, typed: str
) -> None:
    answer = send(client, contact=typed)
    assert answer.status_code == 422
    assert "请填写完整的邮箱地址，或11位手机号。" in answer.text
    assert BODY in answer.text
    assert stored() == []


@pytest.mark.parametrize(
    ("ticked", "typed", "kept_address"),
    [("", "", None), ("y", "", "wang@example.cn"), ("y", "li@example.cn", "li@example.cn")],
)
def test_who_is_signed_in_is_told_at_that_address_only_when_they_ask(
    client: FlaskClient,
    version: Version,
    settings: Settings,
    ticked: str,
    typed: str,
    kept_address: str | None,
) -> None:
    assert "用我的登录地址通知我" not in client.get(ADDRESS).text
    # A box that was not offered does nothing.
    send(client, tell_me="y")
    people.sign_in(client, people.make("resident", email="wang@example.cn"))
    assert not re.search(r'id="tell_me"[^>]*checked', client.get(ADDRESS).text)
    assert "用我的登录地址通知我" in client.get(ADDRESS).text
    send(client, body=BODY + "再写一件。", tell_me=ticked, contact=typed)
    kept = [
        sealing.unseal(settings.contact_key, each.sealed)
        for each in db.session.scalars(sa.select(Contact))
    ]
    assert kept == ([kept_address] if kept_address else [])


def test_a_contact_added_when_sending_again_is_kept(client: FlaskClient, version: Version) -> None:
    send(client, form_key="a" * 22)
    send(client, form_key="a" * 22, contact="a@example.com")
    send(client, form_key="a" * 22, contact="b@example.com")
    only()
    assert db.session.scalar(sa.select(sa.func.count(Contact.submission_id))) == 1


@pytest.mark.parametrize(
    ("name", "agreed", "shown"),
    [
        ("王小明", "y", "王**"),
        ("王小明", "", "匿名"),
        ("", "y", "匿名"),
        ("\u200b\u3164", "y", "匿名"),
        ("<b>王", "y", "&lt;**"),
        ("\u202e王", "y", "王**"),
    ],
)
def test_a_name_is_shown_masked_and_only_with_consent(
    client: FlaskClient, version: Version, name: str, agreed: str, shown: str
) -> None:
    send(client, name=name, show_name=agreed)
    screening.decide(only(), SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    page = client.get("/consultations/gangyao/opinions").text
    assert f"第1件 · {shown} · 2020年10月20日（星期二） · 网站" in page
    assert "王小明" not in page
