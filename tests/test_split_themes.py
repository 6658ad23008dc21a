"""Where an opinion is split into points: the theme it was grouped in, and where its words stand."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import points, summaries
from consult.consultations import Consultation
from consult.submissions import Submission
from consult.summaries import readings
from consult.summaries.items import Item, Theme
from core.db import db
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.summaries_made import a_summary, an_opinion, hide
from tests.thirty_made import thirty_opinions

LIFT, TREES = "老旧小区希望加装电梯，方便老人上下楼。", "另外请在路边多种一些树。"


@pytest.fixture
def consultation(app: Flask, client: FlaskClient) -> Iterator[Consultation]:
    """A round of thirty opinions and one on two matters; an officer is signed in."""
    with app.app_context():
        made = a_consultation("bench", title="征求意见")
        thirty_opinions(made)
        an_opinion(made, LIFT + TREES, person="two")
        db.session.commit()
        people.sign_in(client, people.make("drc_staff"))
        yield made


def page_of(client: FlaskClient, number: int) -> tuple[str, list[str]]:
    """The words of the page on which this opinion is split, and what stands beside each box."""
    (point, *_more) = points.of(number)
    answer = client.get(f"/desk/consultations/bench/points/{point.id}/split")
    assert answer.status_code == 200
    page = html.document_fromstring(answer.text)
    boxes = page.xpath("//li[contains(@class, 'choice')]//label")
    return " ".join(page.text_content().split()), [each.text_content() for each in boxes]


def grouped(subject: Consultation) -> tuple[Item, Theme, int]:
    """The opinion on two matters, its theme, and how many are of that."""
    (summary,) = summaries.of(subject)
    counted = readings.read(summary, [subject]).counted
    item = counted.items[-1]
    assert item.theme
    together = sum(each.theme == item.theme for each in counted.items)
    return item, counted.themes[item.theme - 1], together


def opinions_of(consultation: Consultation) -> list[Submission]:
    """All of a round, as they came."""
    query = sa.select(Submission).where(Submission.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(Submission.number)))


def test_the_theme_of_the_whole_and_its_words_in_each_sentence(
    client: FlaskClient, consultation: Consultation
) -> None:
    last = consultation.received
    a_summary(consultation)
    item, theme, together = grouped(consultation)
    assert item.number == last
    text, boxes = page_of(client, item.id)
    assert f"第1次汇总把整件意见归入主题“{theme.name}”。" in text
    assert f"看同一主题的{together}件意见" in text
    assert "电梯" in "".join(theme.terms)
    first, second = boxes
    assert first.startswith(LIFT)
    assert "主题的词：" in first
    assert "主题的词" not in second, "trees are another matter"
    link = f"/desk/summaries/{summaries.of(consultation)[0].id}/opinions?theme={item.theme}"
    assert client.get(link).status_code == 200


def test_without_a_summary_or_a_second_sentence_no_theme_is_told(
    client: FlaskClient, consultation: Consultation
) -> None:
    ids = [each.id for each in opinions_of(consultation)]
    assert "归入主题" not in page_of(client, ids[-1])[0]
    a_summary(consultation)
    single = next(
        each for each in opinions_of(consultation) if len(points.sentences(each.body)) == 1
    )
    assert "归入主题" not in page_of(client, single.id)[0]


def test_what_came_or_was_hidden_after_the_count_has_no_theme(
    client: FlaskClient, consultation: Consultation
) -> None:
    a_summary(consultation)
    later = an_opinion(consultation, f"{LIFT}{TREES}谢谢。", person="later")
    db.session.commit()
    assert "归入主题" not in page_of(client, later.id)[0]
    item = grouped(consultation)[0]
    hide(next(each for each in opinions_of(consultation) if each.id == item.id))
    assert "归入主题" not in page_of(client, item.id)[0]


def test_the_summary_of_the_stage_serves_where_the_round_has_none(
    client: FlaskClient, consultation: Consultation
) -> None:
    a_summary(consultation.stage, NOON)
    two = opinions_of(consultation)[-1]
    assert "阶段第1次汇总把整件意见归入主题" in page_of(client, two.id)[0]
