"""The record of acts: complete, closed to others, harmless when taken away."""

import csv
import datetime as dt
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import audit
from core.accounts import RoleName
from core.db import db
from core.sheets import inert
from tests import people
from tests.conftest import NOON


@pytest.fixture
def reader(app: Flask, client: FlaskClient) -> FlaskClient:
    """An auditor's browser."""
    with app.app_context():
        person = people.make("auditor")
    people.sign_in(client, person)
    return client


def record(app: Flask, action: str = "account.added", **more: Any) -> None:
    with app.app_context():
        thing = people.make(name=more.pop("thing", "某人"), password=None, email=more.pop("email"))
        more = {"by": audit.COMMAND_LINE, "now": NOON, "name": thing.name} | more
        audit.record(action, thing, **more)
        db.session.commit()


@pytest.mark.parametrize("role", list(RoleName))
def test_auditors_and_administrators_read_the_record_and_nobody_else(
    app: Flask, client: FlaskClient, role: str
) -> None:
    with app.app_context():
        person = people.make(role)
    people.sign_in(client, person)
    expected = 200 if role in ("auditor", "administrator") else 403
    for address in ("/desk/audit", "/desk/audit/export.csv"):
        response = client.get(address)
        assert response.status_code == expected
        assert response.headers["Cache-Control"] == "no-store"


def test_the_record_is_closed_to_visitors(client: FlaskClient) -> None:
    assert client.get("/desk/audit").status_code == 303
    assert client.get("/desk/audit/export.csv").status_code == 303


def test_acts_are_told_in_words_and_unknown_ones_by_their_code(
    app: Flask, reader: FlaskClient
) -> None:
    record(app, "thing.invented", email="a@example.invalid", reason="<b>因为</b>")
    page = reader.get("/desk/audit").get_data(as_text=True)
    assert "添加账号" in page
    assert "thing.invented" in page
    assert "&lt;b&gt;因为" in page
    assert "审计员" in page, "roles by their titles"
    assert "auditor" not in re.sub(r'="[^"]*"', "", page)


def test_the_record_is_filtered_by_act_thing_and_day(app: Flask, reader: FlaskClient) -> None:
    late = dt.datetime(2020, 10, 21, 15, 59, 59, tzinfo=dt.UTC)
    record(app, "x.late", email="a@example.invalid", now=late, reason="最后一秒")
    record(app, "x.next", email="b@example.invalid", now=late + dt.timedelta(seconds=1))

    def shown(query: str) -> str:
        page = reader.get(f"/desk/audit?{query}").get_data(as_text=True)
        return page.partition("<tbody>")[2]

    assert "最后一秒" in shown("action=x.late")
    assert "x.next" not in shown("action=x.late")
    assert "最后一秒" in shown("kind=account")
    assert "没有符合条件" in reader.get("/desk/audit?kind=nothing").get_data(as_text=True)
    assert "x.late" in shown("since=2020-10-21&until=2020-10-21")
    assert "x.next" not in shown("since=2020-10-21&until=2020-10-21")
    assert "x.late" not in shown("since=2020-10-22")


@pytest.fixture(scope="module")
def known_to_who_serves() -> set[str]:
    """The acts that have a name where nothing but the site itself is loaded, no command."""
    script = "import app; app.create_app(); from core import audit; print(*audit.ACTIONS)"
    told = subprocess.run(
        [sys.executable, "-c", script],
        cwd=Path(audit.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return set(told.stdout.split())


@pytest.mark.parametrize("package", ["core", "consult"])
def test_every_act_that_the_code_records_has_a_name(
    package: str, known_to_who_serves: set[str]
) -> None:
    root = Path(audit.__file__).parents[1] / package
    called = re.compile(r'(?:record|_note)\(\s*"([a-z_]+\.[a-z_]+)"')
    found = {
        action
        for path in root.rglob("*.py")
        for action in called.findall(path.read_text(encoding="utf-8"))
    }
    assert found
    assert found <= known_to_who_serves, sorted(found - known_to_who_serves)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("since=2020-13-01", 400),
        ("since=today", 400),
        ("until=9999-12-31", 200),
        ("since=0001-01-01", 200),
        ("before=-1", 400),
        ("before=99999999999", 400),
        ("action=%00", 400),
        ("action=%27%20or%201=1", 200),
        ("action=" + "a" * 65, 400),
    ],
)
def test_odd_filters_are_refused_or_find_nothing(
    reader: FlaskClient, query: str, code: int
) -> None:
    assert reader.get(f"/desk/audit?{query}").status_code == code
    assert reader.get(f"/desk/audit/export.csv?{query}").status_code in (code, 200)


def test_the_record_pages_by_key(app: Flask, reader: FlaskClient) -> None:
    for number in range(60):
        record(app, f"x.n{number:02}", email=f"p{number}@example.invalid")
    first = reader.get("/desk/audit?kind=account").get_data(as_text=True)
    following = re.search(r'href="(/desk/audit\?[^"]*before=[^"]*)"', first)
    assert following
    second = reader.get(following[1].replace("&amp;", "&")).get_data(as_text=True)
    assert "kind=account" in following[1]
    found = re.findall(r"x\.n\d\d", first + second)
    assert len(set(found)) > 30
    assert not set(re.findall(r"x\.n\d\d", first)) & set(re.findall(r"x\.n\d\d", second))


def test_what_is_taken_away_holds_every_row_and_no_formula(app: Flask, reader: FlaskClient) -> None:
    tricks = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠x", " =1"]
    for number, trick in enumerate(tricks):
        record(app, "x.trick", email=f"p{number}@example.invalid", reason=trick)
    response = reader.get("/desk/audit/export.csv?action=x.trick")
    assert response.headers["Content-Disposition"] == 'attachment; filename="audit.csv"'
    text = response.get_data().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == len(tricks) + 1
    assert all(row[-1].startswith("'") for row in rows[1:])
    assert sorted(row[-1][1:] for row in rows[1:]) == sorted(tricks)


@pytest.mark.parametrize("plain", ["", "意见", "3-5", "a=b", "12", "（=）", "'=1"])
def test_plain_cells_stay_as_they_are(plain: str) -> None:
    assert inert(plain) == plain
    assert inert(None) == ""
    assert inert(7) == "7"


@pytest.mark.parametrize("first", "=+-@\t\r\n＝＋－＠")
@pytest.mark.parametrize("before", ["", " ", "\u3000", "\ufeff", "\u200b", "\u00a0"])
def test_what_could_start_a_formula_is_made_text(before: str, first: str) -> None:
    assert inert(f"{before}{first}1") == f"'{before}{first}1"
