"""Answers that are published are found by what they say, and by nothing they no longer say."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import adoption, responses, search, search_documents
from consult.adoption_finding import answers
from consult.consultations import Consultation, Phase
from consult.search_documents import Kind, SearchDocument
from core import audit
from core.db import db
from tests.adoptions_made import answered, released
from tests.answers_made import live
from tests.conftest import NOON
from tests.consultations_made import a_consultation


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation("jingan", phase=Phase.CLOSED)


def hits(client: FlaskClient, words: str, more: str = "") -> list[str]:
    """Where the answers with these words stand."""
    page = client.get(f"/search?q={words}&in=answer{more}").text
    return [unescape(each) for each in re.findall(r'href="([^"]*/adoption/[^"]*)"', page)]


def corrected(round_: Consultation, reason: str) -> None:
    """A further edition in which the last answer has another reason."""
    answer = responses.of(live(round_)[-1].id)
    assert answer is not None
    answer.reason = reason
    db.session.flush()
    report = adoption.propose(round_, note="更正了一条理由。", by=audit.SYSTEM, now=NOON)
    adoption.release(report, round_, site="", by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()


def test_an_answer_is_found_by_any_of_its_words_and_leads_to_its_row(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    db.session.commit()
    assert hits(client, "写明加装") == []
    report = released(round_)
    rows = adoption.frozen(report)
    numbers = [n for n, row in enumerate(rows, 1) if "写明加装" in row.reason]
    assert len(numbers) == 3
    at = "/consultations/jingan/adoption/"
    assert hits(client, "写明加装") == [f"{at}?after={n - 1}#line-{n}" for n in numbers]
    page = client.get("/search?q=写明加装").text
    assert "文稿已<mark>写明加装</mark>电梯的安排" in page
    assert "已体现" in page
    address, _hash, row = hits(client, "写明加装")[1].partition("#")
    table = client.get(address).text
    assert table.index(f'id="{row}"') < table.index("文稿已写明加装电梯的安排")
    # What was asked is found as an opinion, not as an answer.
    assert hits(client, "行道树") == []
    assert hits(client, "写明加装", "&consultation=jingan") == hits(client, "写明加装")


def test_a_further_edition_takes_the_place_of_the_one_before(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    released(round_)
    corrected(round_, "更正后的理由，写得更清楚一些。")
    assert len(hits(client, "写明加装")) == 2
    (address,) = hits(client, "更清楚")
    assert client.get(address.partition("#")[0]).text.count("写得更清楚一些") == 1
    indexed = sa.select(sa.func.count()).where(SearchDocument.kind == Kind.ANSWER)
    assert db.session.scalar(indexed) == len(adoption.frozen(adoption.released(round_.id)[0]))


def test_a_forgotten_entry_of_an_earlier_edition_shows_nothing(
    round_: Consultation, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered(round_)
    released(round_)
    with monkeypatch.context() as forgetful:
        forgetful.setattr(adoption.adoption_finding, "follow", lambda *_all: None)
        corrected(round_, "更正后的理由，写得更清楚一些。")
    assert hits(client, "写明加装") == []
    points = [each.id for each in live(round_)]
    assert answers(points) == {}
    for _step in search.rebuild():
        db.session.commit()
    assert len(hits(client, "写明加装")) == 2
    assert len(hits(client, "更清楚")) == 1
    assert set(answers(points)) == set(search_documents.places(Kind.ANSWER, points))
