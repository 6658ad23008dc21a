"""Comparing by whom an author spoke for: categories of the panel side by side, by keywords."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import author_groups, authors, summaries
from consult.submissions import Channel
from core import audit
from core.db import db
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.summaries_made import a_summary, an_opinion

SAID = {
    "社区居民代表": ["加装电梯要先办，老人下不了楼。"] * 6,
    "企业代表": ["停车位太少，物流车没有地方停。"] * 6,
    "政协委员": ["菜场要早点开门，方便上班的人。"] * 4,
}


@pytest.fixture
def counted(app: Flask) -> int:
    """A snapshot of what three categories and a crowd said; its number."""
    with app.app_context():
        consultation = a_consultation()
        for title, bodies in SAID.items():
            for n, body in enumerate(bodies):
                made = an_opinion(
                    consultation, f"{body}（{n}）", channel=Channel.PANEL, person=f"{title}{n}"
                )
                author_groups.keep(made.id, title)
        for n in range(12):
            an_opinion(consultation, f"公园的绿化很好，第{n}次来。", person=f"crowd{n}")
        db.session.commit()
        return a_summary(consultation).id


def page_of(client: FlaskClient, summary_id: int, asked: str, *, page: str = "contrast") -> str:
    answer = client.get(f"/desk/summaries/{summary_id}/{page}?{asked}")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_categories_are_compared_and_every_number_opens_its_people(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    with app.app_context():
        account = people.make("drc_staff")
    people.sign_in(client, account)
    shown = page_of(client, counted, "a=author_group:社区居民代表&b=author_group:企业代表")
    assert "加装电梯" in shown
    assert "停车位" in shown
    assert re.search("提意见者所属类别：社区居民代表，<a [^>]*>6人</a>", shown)
    # Fewer than five people are no side, and their opinions cannot be picked out.
    assert "author_group:企业代表" in shown
    assert "author_group:政协委员" not in shown
    for hidden in (
        "contrast?a=author_group:政协委员",
        "opinions?author_group=政协委员",
        "opinions?outside=author_group:政协委员",
    ):
        assert client.get(f"/desk/summaries/{counted}/{hidden}").status_code == 400
    opened = page_of(client, counted, "author_group=企业代表", page="opinions")
    assert "物流车" in opened
    assert "下不了楼" not in opened
    panel = page_of(client, counted, "a=author_group:企业代表&b=rest")
    assert "除外：提意见者所属类别：企业代表" in panel


def test_groups_of_few_alone_are_said_to_be_few(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation()
        for n in range(12):
            made = an_opinion(consultation, f"公园的绿化很好，第{n}次来。", person=f"one{n % 4}")
            author_groups.keep(made.id, "企业代表")
        db.session.commit()
        summary_id = a_summary(consultation).id
        account = people.make("drc_staff")
    people.sign_in(client, account)
    assert "不能按类别对比" in page_of(client, summary_id, "")


def test_the_public_cannot_ask_by_category(app: Flask, client: FlaskClient, counted: int) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        summaries.publish(summary, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    at = "/consultations/gangyao/summary/opinions?snapshot=1"
    assert client.get(at).status_code == 200
    for asked in ("author_group=企业代表", "outside=author_group:企业代表"):
        assert client.get(f"{at}&{asked}").status_code == 400


def test_whose_name_leads_nowhere_speaks_for_nobody(app: Flask) -> None:
    with app.app_context():
        resident = people.make("resident")
        consultation = a_consultation()
        made = an_opinion(consultation, "加装电梯要先办。", channel=Channel.PANEL)
        made.account_id = resident.id
        author_groups.keep(made.id, "企业代表")
        db.session.flush()
        assert author_groups.titles([consultation.id]) == {made.id: "企业代表"}
        authors.erase(resident, now=NOON)
        assert author_groups.titles([consultation.id]) == {}
