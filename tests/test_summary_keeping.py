"""What people add to a summary: themes by another name, selections kept, tables in another order."""

import re
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import summaries
from consult.summaries import Summary, kept_views, readings, theme_names
from consult.summaries.items import Theme
from consult.summaries.kept_views import KeptView
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.thirty_made import thirty_counted


@pytest.fixture
def counted(app: Flask) -> int:
    """The id of a summary of thirty opinions."""
    return thirty_counted(app, "kept")


def column(page: str, at: int) -> list[str]:
    """The words of one column of the first table, heads and the sum left out."""
    table = html.document_fromstring(page).xpath("//table[.//th[@aria-sort]]")[0]
    rows = [row.xpath("./th|./td") for row in table.xpath("./tbody/tr")]
    words = [[" ".join(cell.text_content().split()) for cell in cells] for cells in rows]
    # The sum and what is in no theme stand at the end in any order.
    return [each[at] for each in words if each[0] not in ("合计", "未归入主题")]


def test_the_names_of_a_stages_themes_serve_until_the_round_has_its_own(
    app: Flask, counted: int
) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        assert summary.consultation is not None
        stage = summaries.make(summary.consultation.stage, by=audit.SYSTEM, now=NOON)
        who = {"machine": "", "by": audit.SYSTEM, "now": NOON}
        for number in range(1, len(themes_of(stage)) + 1):
            theme_names.give(stage, number, f"阶段的主题{number}", **who)
        wide = readings.given_names(summary.consultation.id)
        assert wide
        assert set(wide.values()) <= {f"阶段的主题{n}" for n in range(1, len(wide) + 1)}
        theme_names.give(summary, 1, "楼道里的难处", **who)
        own = readings.given_names(summary.consultation.id)
        items = readings.read(summary, [summary.consultation]).counted.items
        first = {item.id for item in items if item.theme == 1}
        assert own == wide | dict.fromkeys(first, "楼道里的难处")


def themes_of(summary: Summary) -> Sequence[Theme]:
    read = readings.read(summary, summaries.consultations_of(summary.subject))
    return read.covered.themes


def test_a_theme_called_otherwise_is_called_so_everywhere(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    path = f"/desk/summaries/{counted}/themes"
    machine = column(client.get(path).text, 0)[0]
    answer = client.post(path, data={"theme": "1", "name": "楼道里的难处"})
    assert answer.location.endswith("#theme-1")
    page = client.get(path).text
    assert "楼道里的难处" in column(page, 0)
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        items = readings.read(summary, summaries.consultations_of(summary.subject))
        first = {item.id for item in items.counted.items if item.theme == 1}
        named = readings.given_names(summary.consultation_id or 0)
        assert named == dict.fromkeys(first, "楼道里的难处"), "and points are proposed by it"
    assert f"系统给的名称：{machine}" in page
    assert "楼道里的难处" in client.get(f"/desk/summaries/{counted}/contrast").text
    client.post(f"/desk/summaries/{counted}/report", data={"act": "compose", "seen": "0"})
    assert "关于楼道里的难处的意见" in client.get(f"/desk/summaries/{counted}/report").text
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        summaries.publish(summary, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    visitor = app.test_client()
    public = "/consultations/kept/summary"
    assert "楼道里的难处" in visitor.get(public).text
    # And back: what the public reads follows in the same act.
    client.post(path, data={"theme": "1", "name": ""})
    assert "楼道里的难处" not in visitor.get(public).text
    assert machine in column(client.get(path).text, 0)
    with app.app_context():
        assert [each.name for each in theme_names.of(counted)] == ["楼道里的难处", ""]
        told = db.session.scalars(
            sa.select(AuditEvent).where(AuditEvent.action == "summary.theme_named")
        ).all()
        assert [each.after["theme_name"] for each in told if each.after] == [
            "楼道里的难处",
            machine,
        ]


def test_a_name_must_differ_and_fit(app: Flask, client: FlaskClient, counted: int) -> None:
    people.sign_in_as(client)
    path = f"/desk/summaries/{counted}/themes"
    for name, said in (("", "名称没有变化"), ("长" * 41, "名称最多40字")):
        client.post(path, data={"theme": "1", "name": name})
        assert said in client.get(path).text
    assert client.post(path, data={"theme": "999", "name": "无"}).status_code == 404


def test_who_only_reads_renames_nothing(app: Flask, client: FlaskClient, counted: int) -> None:
    with app.app_context():
        auditor = people.make("auditor")
    people.sign_in(client, auditor)
    path = f"/desk/summaries/{counted}/themes"
    assert "改名称" not in client.get(path).text
    assert client.post(path, data={"theme": "1", "name": "另一个"}).status_code == 403


def test_a_selection_is_kept_found_and_dropped(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    at = f"/desk/summaries/{counted}"
    page = client.get(f"{at}?channel=hotline&sort=people").text
    query = html.document_fromstring(page).xpath("//input[@name='query']/@value")[0]
    data = {"act": "keep", "name": "热线", "room": "show", "query": query}
    answer = client.post(f"{at}/kept", data=data)
    assert answer.location == f"{at}?channel=hotline&sort=people"
    assert client.get(answer.location).text.count("热线</a>") >= 1
    # The same name means the new selection.
    client.post(f"{at}/kept", data=data | {"room": "themes", "query": "channel=letter"})
    with app.app_context():
        assert [(k.room, k.query) for k in db.session.scalars(sa.select(KeptView))] == [
            ("themes", "channel=letter")
        ]
    with app.app_context():
        other = people.make("drc_staff", email="other@example.invalid")
    stranger = app.test_client()
    people.sign_in(stranger, other)
    assert "热线</a>" not in stranger.get(at).text
    stranger.post(f"{at}/kept", data={"act": "drop", "view": "1"})
    assert "热线</a>" in client.get(at).text
    client.post(f"{at}/kept", data={"act": "drop", "view": "1"})
    assert "热线</a>" not in client.get(at).text


def test_what_cannot_be_kept_is_refused(app: Flask, client: FlaskClient, counted: int) -> None:
    people.sign_in_as(client)
    at = f"/desk/summaries/{counted}"
    for data, said in (
        ({"name": "", "room": "show", "query": ""}, "请给这组条件起个名称"),
        ({"name": "甲", "room": "publish", "query": ""}, "这组条件无法保留"),
        ({"name": "甲", "room": "show", "query": "a" * 1001}, "这组条件无法保留"),
    ):
        client.post(f"{at}/kept", data={"act": "keep", **data})
        assert said in client.get(at).text
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        account = people.make("drc_staff", email="much@example.invalid").id
        for n in range(kept_views.MOST):
            kept_views.keep(summary, account, name=str(n), room="show", query="", now=NOON)
        with pytest.raises(Refused, match="最多保留30组"):
            kept_views.keep(summary, account, name="多", room="show", query="", now=NOON)
        db.session.rollback()


@pytest.mark.parametrize(
    ("room", "sort", "at"),
    [
        ("", "count", 1),
        ("", "people", 4),
        ("", "against", 7),
        ("themes", "people", 3),
        ("themes", "size", 2),
    ],
)
def test_tables_are_put_in_order_by_their_address(
    app: Flask, client: FlaskClient, counted: int, room: str, sort: str, at: int
) -> None:
    people.sign_in_as(client)
    path = f"/desk/summaries/{counted}" + (f"/{room}" if room else "")
    page = client.get(f"{path}?sort={sort}").text
    numbers = [int(re.sub(r"\D", "", each) or 0) for each in column(page, at)]
    assert numbers == sorted(numbers, reverse=True)
    assert client.get(f"{path}?sort=nonsense").status_code == 400


def test_a_concordance_is_sorted_left_and_right(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    path = f"/desk/summaries/{counted}/term?term=停车位"

    def sides(sort: str) -> list[tuple[str, str]]:
        page = html.document_fromstring(client.get(f"{path}&sort={sort}").text)
        return [
            (li.xpath("string(.//*[@class='left'])"), li.xpath("string(.//*[@class='right'])"))
            for li in page.xpath("//ol[@class='kwic']/li")
        ]

    left, right = sides("left"), sides("right")
    assert len(left) == len(right) >= 10
    assert [a[::-1] for a, _b in left] == sorted(a[::-1] for a, _b in left)
    assert [b for _a, b in right] == sorted(b for _a, b in right)
