"""Wordings kept for further answers: offered, put into the form, counted, retired."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import responses, wordings
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from core import audit
from core.db import db
from core.errors import Refused
from core.units import Unit, UnitKind
from tests import people
from tests.answers_made import live
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_shown_opinion

WHY = "文稿已经写明加装电梯的安排，本条已经体现。"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        made = a_consultation("jingan", phase=Phase.CLOSED)
        for number in range(3):
            a_shown_opinion(made, f"建议加装电梯，第{number}封信。")
        yield made


def test_a_wording_is_used_counted_and_retired(round_: Consultation, client: FlaskClient) -> None:
    people.sign_in(client, people.make("drc_staff"))
    wording = wordings.save("电梯", Outcome.ALREADY, WHY, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    first, second, third = live(round_)
    place = f"/desk/consultations/jingan/points/{first.id}"
    assert WHY in client.get(place).text
    filled = client.get(f"{place}?wording={wording.id}").text
    assert f">{WHY}</textarea>" in filled
    assert f">{WHY}</textarea>" not in client.get(f"{place}?wording=999").text
    responses.draft([first, second], Outcome.ALREADY, WHY, by=audit.SYSTEM, now=NOON)
    # Other words are another answer.
    responses.draft([third], Outcome.ALREADY, f"{WHY}谢谢。", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert [(each.title, times) for each, times in wordings.every()] == [("电梯", 2)]
    assert '<td data-label="用于（点）" class="num">2</td>' in client.get("/desk/wordings/").text
    retire = f"/desk/wordings/{wording.id}/retire"
    assert client.post(retire).status_code == 303
    assert "还没有常用答复" in client.get("/desk/wordings/").text
    assert client.post(retire).status_code == 409
    assert client.post("/desk/wordings/999/retire").status_code == 404
    other = f"/desk/consultations/jingan/points/{third.id}"
    assert f">{WHY}</textarea>" not in client.get(f"{other}?wording={wording.id}").text
    db.session.expire_all()
    answer = responses.of(second.id)
    assert answer is not None
    assert answer.reason == WHY


@pytest.mark.parametrize("reason", ["。" * 10, "！？…—— ★★★★★", "已体现。。。。。。。", "😀" * 10])
def test_signs_are_no_reason(round_: Consultation, reason: str) -> None:
    with pytest.raises(Refused, match="至少10个字，标点、符号和空格不算") as refused:
        responses.draft(live(round_)[:1], Outcome.ALREADY, reason, by=audit.SYSTEM, now=NOON)
    assert refused.value.kept_text == reason
    with pytest.raises(Refused, match="标点、符号和空格不算"):
        wordings.save("空话", Outcome.ALREADY, reason, by=audit.SYSTEM, now=NOON)
    responses.draft(
        live(round_)[:1], Outcome.ALREADY, "已写入第12段第3句。", by=audit.SYSTEM, now=NOON
    )


def test_it_is_retired_once(round_: Consultation) -> None:
    wording = wordings.save("电梯", Outcome.ALREADY, WHY, by=audit.SYSTEM, now=NOON)
    wordings.retire(wording, by=audit.SYSTEM, now=NOON)
    db.session.flush()
    with pytest.raises(Refused, match="已经停用"):
        wordings.retire(wording, by=audit.SYSTEM, now=NOON)


def test_the_desk_says_what_is_late(
    round_: Consultation, client: FlaskClient, clock: object
) -> None:
    officer = people.make("drc_staff")
    people.sign_in(client, officer)
    assert "意见答复已逾期" not in client.get("/desk/").text
    unit = Unit(slug="jiaotong", name="交通局", kind=UnitKind.DEPARTMENT)
    db.session.add(unit)
    db.session.commit()
    responses.route(
        live(round_)[:2], unit.id, due_on=NOON.date().replace(day=1), by=officer, now=NOON
    )
    db.session.commit()
    page = client.get("/desk/").text
    assert "意见答复已逾期" in page
