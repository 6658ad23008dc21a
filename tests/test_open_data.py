"""Open data: no cell under five people, nothing found by subtraction, gone with what is hidden."""

import csv
import io
import json
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from consult.consultations import Consultation, Phase
from consult.open_data import FEW, OTHERS, Tally, merged
from consult.submissions import Channel, Stance, Submission, SubmissionState
from tests.adoptions_made import released
from tests.answers_made import all_final
from tests.consultations_made import a_consultation
from tests.opinions_made import an_opinion
from tests.summaries_made import hide

PLACE = "/consultations/jingan/data"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation("jingan", phase=Phase.CLOSED)


def said(
    consultation: Consultation,
    number: int,
    *,
    channel: Channel = Channel.WEB,
    stance: Stance | None = None,
    person: str | None = None,
) -> Submission:
    return an_opinion(
        consultation,
        f"建议多种行道树，第{number}封信。",
        channel,
        state=SubmissionState.SHOWN,
        stance=stance,
        person_key=person,
    )


def test_counted_by_hand(round_: Consultation, client: FlaskClient) -> None:
    # Seven opinions of six people on the web, six letters, four calls, one opinion nobody reads.
    for number in range(7):
        said(round_, number, stance=Stance.SUPPORT, person="甲" if number < 2 else None)
    for number in range(10, 16):
        said(round_, number, channel=Channel.LETTER, stance=Stance.SUGGEST)
    for number in range(20, 24):
        said(round_, number, channel=Channel.HOTLINE)
    hide(said(round_, 30, channel=Channel.LETTER))
    assert client.get(f"{PLACE}/").status_code == 404
    all_final(round_)
    released(round_)
    rows = list(
        csv.DictReader(io.StringIO(client.get(f"{PLACE}/figures.csv").data.decode("utf-8-sig")))
    )
    by_channel = {
        row["code"]: (int(row["opinions"]), int(row["people"]))
        for row in rows
        if row["dimension"] == "channel"
    }
    # Four callers are too few, and with nobody to stand behind they take the letters along.
    assert by_channel == {"web": (7, 6), "others": (10, 10)}
    by_stance = {row["code"]: int(row["people"]) for row in rows if row["dimension"] == "stance"}
    assert by_stance == {"support": 6, "others": 10}
    assert [r for r in rows if r["dimension"] == "chapter"] == [
        {"dimension": "chapter", "code": "whole", "label": "全文", "opinions": "17", "people": "16"}
    ]
    data = json.loads(client.get(f"{PLACE}/figures.json").data)
    assert [{name: str(value) for name, value in row.items()} for row in data["rows"]] == rows
    page = client.get(f"{PLACE}/").text
    assert "其他（各不足5人的合并计算）" in page


def test_too_few_to_say_anything(round_: Consultation, client: FlaskClient) -> None:
    for number in range(FEW - 1):
        said(round_, number)
    all_final(round_)
    released(round_)
    assert json.loads(client.get(f"{PLACE}/figures.json").data)["rows"] == []
    assert "不足5人" in client.get(f"{PLACE}/").text


def test_the_dictionary_knows_every_column_of_every_table(
    round_: Consultation, client: FlaskClient
) -> None:
    for number in range(6):
        said(round_, number)
    all_final(round_)
    released(round_)
    package = json.loads(client.get(f"{PLACE}/datapackage.json").data)
    assert len(package["resources"]) == 4
    for resource in package["resources"]:
        answer = client.get(resource["path"])
        assert answer.status_code == 200
        assert answer.mimetype == resource["mediatype"]
        if resource["format"] == "csv":
            head = next(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
            assert [field["name"] for field in resource["schema"]["fields"]] == head


def test_what_is_hidden_later_leaves_the_figures(round_: Consultation, client: FlaskClient) -> None:
    made = [said(round_, number) for number in range(6)]
    all_final(round_)
    released(round_)
    hide(made[0])
    hide(made[1])
    assert json.loads(client.get(f"{PLACE}/figures.json").data)["rows"] == []


@pytest.mark.parametrize("kind", ["xlsx", "exe", "csv.gz"])
def test_other_kinds_do_not_exist(round_: Consultation, client: FlaskClient, kind: str) -> None:
    said(round_, 1)
    all_final(round_)
    released(round_)
    assert client.get(f"{PLACE}/figures.{kind}").status_code == 404


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 12)), max_size=60))
def test_no_cell_is_small_and_none_is_lost(opinions: list[tuple[str, int]]) -> None:
    """Each opinion is a value and a person."""
    table: dict[str, Tally] = {}
    for value, person in opinions:
        table.setdefault(value, Tally()).add(str(person))
    cells = list(merged(table))
    assert all(each.people >= FEW for _code, each in cells)
    enough = len({person for _value, person in opinions}) >= FEW
    assert sum(each.opinions for _code, each in cells) == (len(opinions) if enough else 0)
    # What stands by itself is untouched: nothing small was added to it in silence.
    for code, each in cells:
        if code != OTHERS:
            assert each.opinions == sum(value == code for value, _person in opinions)
