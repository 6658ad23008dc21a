"""The statements a public site owes its readers, and what it says to those who find a weak spot."""

import datetime as dt
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import ValidationError

from consult.views.comments import CONTACT_DAYS
from core import security_log, sessions
from core.config import Settings
from tests.conftest import Clock

STATEMENTS = ("/rules", "/privacy", "/accessibility")


@pytest.mark.parametrize("path", STATEMENTS)
def test_each_says_who_is_responsible_where_to_complain_and_since_when(
    app: Flask, client: FlaskClient, path: str
) -> None:
    app.config["SITE_OWNER"], app.config["SITE_CONTACT"] = "某区发展改革委", "021-00000000"
    page = client.get(path).get_data(as_text=True)
    assert "责任单位：某区发展改革委" in page
    assert "联系方式：021-00000000" in page
    assert "12345 市民服务热线投诉" in page
    assert re.search(r"最近一次修订：\d{4}年\d+月\d+日", page)


def test_without_settings_the_notices_are_pointed_to(client: FlaskClient) -> None:
    assert "各项征集公告中写明的征集部门" in client.get("/privacy").get_data(as_text=True)


def test_the_times_told_are_the_times_kept(client: FlaskClient) -> None:
    page = client.get("/privacy").get_data(as_text=True)
    assert f"自填写之日起{CONTACT_DAYS}天" in page
    assert f"登录最长{sessions.LASTS.total_seconds() / 3600:.0f}小时" in page
    assert f"{security_log.MONTHS_KEPT}个月" in page


@pytest.mark.parametrize(
    ("path", "laws"),
    [
        ("/rules", ["国务院令第713号"]),
        ("/privacy", ["个人信息保护法", "查阅", "更正", "删除", "撤回", "十四周岁", "境内"]),
        ("/accessibility", ["无障碍环境建设法", "GB/T 37668", "还做得不够"]),
    ],
)
def test_each_names_its_law_and_what_it_asks_to_be_said(
    client: FlaskClient, path: str, laws: list[str]
) -> None:
    page = client.get(path).get_data(as_text=True)
    assert [each for each in laws if each not in page] == []


def fields(app: Flask, client: FlaskClient, **settings: str) -> dict[str, str]:
    """The fields of security.txt under these settings."""
    app.config["SETTINGS"] = app.config["SETTINGS"].model_copy(update=settings)
    answer = client.get("/.well-known/security.txt")
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; charset=utf-8"
    lines = answer.get_data(as_text=True).splitlines()
    named = dict(line.split(": ", 1) for line in lines)
    assert len(named) == len(lines), "a field stands twice"
    return named


def test_who_hears_of_weak_spots(app: Flask, client: FlaskClient) -> None:
    site = "https://consult.example.gov.cn"
    said = fields(app, client, site_url=site + "/", security_contact="mailto:safe@example.gov.cn")
    assert said == {
        "Contact": "mailto:safe@example.gov.cn",
        # NOON is in October 2020: seven months on, the first.
        "Expires": "2021-05-01T00:00:00Z",
        "Preferred-Languages": "zh, en",
        "Canonical": site + "/.well-known/security.txt",
        "Policy": site + "/privacy#security",
    }
    assert 'id="security"' in client.get("/privacy").get_data(as_text=True)
    said = fields(app, client, site_url=site, security_contact="")
    assert said["Contact"] == site + "/corrections/new"


@pytest.mark.parametrize("day", ["2020-01-31", "2020-05-31", "2020-06-01", "2020-12-31"])
def test_it_expires_within_a_year_and_not_before_half_of_it(
    app: Flask, client: FlaskClient, clock: Clock, day: str
) -> None:
    clock.at = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    expires = dt.datetime.fromisoformat(fields(app, client)["Expires"])
    assert dt.timedelta(days=180) < expires - clock.at < dt.timedelta(days=365)


@pytest.mark.parametrize(
    "contact", ["safe@example.gov.cn", "mailto:a@b\nContact: c", "javascript:1", "mailto:甲"]
)
def test_a_contact_that_is_no_address_is_refused(contact: str) -> None:
    with pytest.raises(ValidationError):
        Settings(security_contact=contact)
