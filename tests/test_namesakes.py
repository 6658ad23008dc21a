"""Members of one name: told apart, and each of them nameable while a round is prepared."""

import datetime as dt

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import programmes
from core.db import db
from core.web import local
from panel import appointments, members, namesakes, quotas, round_running, rounds
from panel.namesakes import Person
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Filling
from tests.panels_made import BY, DAY, THREE_MEMBERS
from tests.rounds_made import DUE

LIBRARY = Person(12, "王强", "政协委员", "区图书馆、馆员")
SCHOOL = Person(15, "王强", "政协委员", "育才中学")
DEPUTY = Person(7, "李文", "人大代表", "区人民医院")
SITTING = [DEPUTY, LIBRARY, SCHOOL]


@pytest.fixture
def filling() -> Filling:
    return THREE_MEMBERS


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("李文", [DEPUTY]),
        ("李文（7）", [DEPUTY]),
        ("李文（第12号）", []),
        ("王强", [LIBRARY, SCHOOL]),
        ("王强（政协委员）", [LIBRARY, SCHOOL]),
        ("王强（第12号）", [LIBRARY]),
        ("王强 (名册第 15 号)", [SCHOOL]),
        ("王强（12）", [LIBRARY]),
        ("王强（区图书馆）", [LIBRARY]),
        ("王强（政协委员，育才中学）", [SCHOOL]),
        ("王强（政协委员，第12号，育才中学）", []),
        ("王强（第12号", []),
        ("赵一", []),
        ("（第12号）", []),
    ],
)
def test_a_written_name_means_these(name: str, found: list[Person]) -> None:
    assert namesakes.named(name, SITTING) == found


def test_names_are_parted_outside_of_brackets() -> None:
    text = "李文、王强（政协委员，区图书馆），王强(第15号)\n张芳； ；（"
    assert namesakes.names_in(text) == [
        "李文",
        "王强（政协委员，区图书馆）",
        "王强(第15号)",
        "张芳",
        "（",
    ]


def test_long_nonsense_is_parted_at_once() -> None:
    assert namesakes.names_in("（" * 10_000) == ["（" * 10_000]


def test_namesakes_are_told_with_number_and_work_and_others_without(app: Flask) -> None:
    with app.test_request_context():
        assert namesakes.told(SITTING) == {
            7: "李文（人大代表）",
            12: "王强（第12号，政协委员，区图书馆、馆员）",
            15: "王强（第15号，政协委员，育才中学）",
        }
        as_typed = namesakes.written(SITTING)
        assert as_typed == {7: "李文", 12: "王强（第12号）", 15: "王强（第15号）"}
        # What is told and what is typed both find the one who is meant.
        for number, name in (as_typed | {12: namesakes.told(SITTING)[12]}).items():
            assert [each.number for each in namesakes.named(name, SITTING)] == [number]


def a_namesake(work: str) -> int:
    """A further member called 李文, who sits; their number."""
    programme = programmes.by_slug("jingan-14")
    assert programme is not None
    member = members.add(members.Details(name="李文", unit_text=work), by=BY, now=NOON)
    today = local(NOON).date()
    term = appointments.Term(
        category=quotas.categories(programme.id)[2],
        term_from=today - DAY,
        term_to=today + dt.timedelta(days=900),
    )
    seat = appointments.propose(member, programme.id, term, by=BY, now=NOON)
    appointments.confirm(seat, by=BY, today=today, now=NOON)
    db.session.commit()
    return member.id


def test_both_of_one_name_are_named_in_one_round(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        programme = programmes.by_slug("jingan-14")
        consultation = a_consultation("gangyao", programme=programme)
        version = a_published_draft(consultation).id
        second = a_namesake("区图书馆")
        assert programme is not None
        first = next(
            each.member_id
            for each in appointments.sitting(programme.id, local(NOON).date())
            if each.member.name == "李文" and each.member_id != second
        )
        people.sign_in(client, people.make("drc_staff"))
    form = {
        "version": str(version),
        "title": "请审阅纲要",
        "due": local(DUE).date().isoformat(),
        "by_name": "yes",
        "quorum": "0",
    }
    new = "/desk/rounds/new"
    assert f"同名的在任成员：李文（第{first}号" in client.get(new).text
    refused = client.post(new, data=form | {"names": "李文、王小明"})
    assert refused.status_code == 422
    assert f"李文（第{second}号，" in refused.text
    assert "区图书馆" in refused.text
    both = f"李文（第{first}号）、李文（区图书馆）"
    where = client.post(new, data=form | {"names": both}).location
    shown = client.get(where).text
    assert "将发给2位成员" in shown
    assert f"李文（第{second}号，" in shown
    edit = f"{where}/edit"
    # The form says both as it will understand them.
    assert f"李文（第{first}号）\n李文（第{second}号）</textarea>" in client.get(edit).text
    with app.app_context():
        (made,) = rounds.every()
        asked = round_running.audience_of(made, local(NOON).date())
        assert {each.member_id for each in asked} == {first, second}
        seat = next(each for each in asked if each.member_id == first)
        appointments.end(
            seat,
            on_day=local(NOON).date(),
            reason="调离",
            by=BY,
            today=local(NOON).date(),
            now=NOON,
        )
        db.session.commit()
    # Who has left does not become the namesake who stayed.
    page = client.get(edit).text
    assert f"李文（第{first}号）\n李文</textarea>" in page
    gone = client.post(edit, data=form | {"names": f"李文（第{first}号）\n李文"})
    assert gone.status_code == 422
    assert f"没有在任成员叫“李文（第{first}号）”" in gone.text
    assert client.post(edit, data=form | {"names": "李文"}).location == where
