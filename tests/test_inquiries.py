"""Units that are asked: 有意见, 无意见 and 未反馈 are told apart, from the letter to the table."""

import datetime as dt
import io
import json
from collections.abc import Iterator

import docx
import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import adoption, archives, asked_units, inquiries, inquiry_letters, screening
from consult.consultations import Consultation, Phase
from consult.inquiries import Answer, Inquiry
from consult.submissions import Channel, Opinion, Submission, SubmissionState
from core import audit, outbox
from core.db import db
from core.errors import Refused
from core.outbox import Message, Post
from core.units import Unit, UnitKind
from tests import people
from tests.adoptions_made import released
from tests.answers_made import all_final
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_shown_opinion

DAY = dt.timedelta(days=1)
POST = Post("http://localhost", "a" * 43 + "=")


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        db.session.add_all(
            Unit(slug=slug, name=name, kind=UnitKind.DEPARTMENT)
            for slug, name in (("jyj", "区教育局"), ("mzj", "区民政局"), ("kw", "区科委"))
        )
        yield a_consultation("jingan", phase=Phase.CLOSED)


def asked(consultation: Consultation, days: int = 5) -> list[Inquiry]:
    every = db.session.scalars(sa.select(Unit).order_by(Unit.id)).all()
    return inquiries.ask(consultation, every, days=days, by=audit.SYSTEM, now=NOON)


def give(inquiry: Inquiry, body: str, key: str = "") -> Submission:
    received = inquiries.give(
        inquiry,
        Opinion(body=body),
        once_key=key or body,
        secret="s" * 32,
        by=audit.SYSTEM,
        now=NOON,
    )
    return db.session.get_one(Submission, received.id)


def answers(consultation: Consultation) -> dict[str, Answer]:
    return {each.inquiry.unit.name: each.answer for each in inquiries.of(consultation.id)}


def test_the_three_answers_are_told_apart(round_: Consultation) -> None:
    jyj, mzj, _kw = asked(round_)
    give(jyj, "建议补充义务教育学校的布局，并写明建设时序。")
    inquiries.say_none(mzj, by=audit.SYSTEM, now=NOON)
    assert answers(round_) == {
        "区教育局": Answer.OPINIONS,
        "区民政局": Answer.NONE,
        "区科委": Answer.SILENT,
    }
    # Who had none may think again; then it has opinions, not both.
    given = give(mzj, "建议增加社区养老设施，补充具体数量。")
    assert answers(round_)["区民政局"] is Answer.OPINIONS
    assert mzj.none_at is None
    assert (given.channel, given.public_name) == (Channel.UNIT, "区民政局")
    assert given.state is SubmissionState.PENDING
    with pytest.raises(Refused, match="已经反馈"):
        inquiries.say_none(mzj, by=audit.SYSTEM, now=NOON)
    # Sent twice, stored once; taken back by its author, it is no answer any more.
    assert give(mzj, given.body).id == given.id
    assert len(inquiries.opinions(mzj.id)) == 1
    given.state = SubmissionState.WITHDRAWN
    db.session.flush()
    assert answers(round_)["区民政局"] is Answer.SILENT


def test_asking_again_and_asking_by_mistake(round_: Consultation) -> None:
    made = asked(round_)
    assert made[0].due_on == inquiries.due_day(NOON, 5)
    with pytest.raises(Refused, match="还没有征询过"):
        asked(round_)
    with pytest.raises(Refused, match="1到60"):
        inquiries.extend(round_, days=61, by=audit.SYSTEM, now=NOON)
    inquiries.say_none(made[0], by=audit.SYSTEM, now=NOON)
    later = inquiries.extend(round_, days=9, by=audit.SYSTEM, now=NOON)
    assert {each.unit.name for each in later} == {"区民政局", "区科委"}
    with pytest.raises(Refused, match="不能取消"):
        inquiries.take_back(made[0], by=audit.SYSTEM, now=NOON)
    inquiries.take_back(made[1], by=audit.SYSTEM, now=NOON)
    assert "区民政局" not in answers(round_)


def test_letters_go_to_who_may_answer_and_end_with_the_answer(round_: Consultation) -> None:
    jyj, mzj, _kw = made = asked(round_)
    people.make("unit_staff", email="a@example.invalid", unit=jyj.unit)
    people.make("unit_staff", email="b@example.invalid", unit=mzj.unit)
    people.make("drc_staff", email="c@example.invalid", unit=mzj.unit)
    db.session.flush()

    def letters() -> int:
        return db.session.scalar(sa.select(sa.func.count()).select_from(Message)) or 0

    # The third has nobody who could be told.
    assert inquiry_letters.announce(made, POST, now=NOON) == 2
    assert letters() == 2
    inquiry_letters.remind_due(POST, now=NOON)
    assert letters() == 2
    due = dt.datetime.combine(jyj.due_on, dt.time(4), dt.UTC)
    for _time in range(2):
        inquiry_letters.remind_due(POST, now=due - 2 * DAY)
    assert letters() == 4
    inquiries.say_none(jyj, by=audit.SYSTEM, now=NOON)
    inquiry_letters.remind_due(POST, now=due)
    assert letters() == 5
    inquiry_letters.remind_due(POST, now=due + DAY)
    inquiry_letters.remind_due(POST, now=due + 9 * DAY)
    assert letters() == 6
    for _time in range(2):
        inquiry_letters.chase(round_, POST, by=audit.SYSTEM, now=NOON)
    assert letters() == 7
    assert outbox.counts()[outbox.MessageState.WAITING] == 7


def test_the_table_says_what_every_unit_said_and_keeps_it(
    round_: Consultation, client: FlaskClient
) -> None:
    jyj, mzj, _kw = asked(round_)
    given = give(jyj, "建议补充义务教育学校的布局，并写明建设时序。")
    screening.decide(given, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    inquiries.say_none(mzj, by=audit.SYSTEM, now=NOON)
    a_shown_opinion(round_, "没有征询而来的一件，建议多种树。", Channel.UNIT)
    all_final(round_)
    report = released(round_)
    # Written without our code.
    counted = db.session.execute(
        sa.text(
            "SELECT COUNT(*), COUNT(none_at), (SELECT COUNT(DISTINCT o.inquiry_id)"
            " FROM inquiry_opinion o JOIN submission s ON s.id = o.submission_id"
            " WHERE s.state NOT IN ('withdrawn', 'undone')) FROM inquiry"
        )
    ).one()
    assert tuple(counted) == (3, 1, 1)
    sentence = "征询3个单位：有意见1个，无意见1个，未反馈1个。"
    at = "/consultations/jingan/adoption/"
    page = client.get(at).text
    assert sentence in page
    assert page.index("征询部门街镇</h2>") < page.index("逐条答复")
    told = json.loads(client.get(f"{at}json").data)["asked"]
    assert (told["opinions"], told["none"], told["silent"]) == (1, 1, 1)
    wanted = {("区教育局", "有意见", 1), ("区民政局", "无意见", 0), ("区科委", "未反馈", 0)}
    assert {(u["unit"], Answer(u["answer"]).title, u["points"]) for u in told["units"]} == wanted
    paper = docx.Document(io.BytesIO(client.get(f"{at}docx").data))
    assert sentence in [p.text for p in paper.paragraphs]
    rows = [tuple(cell.text for cell in row.cells) for row in paper.tables[1].rows[1:]]
    assert {(a, b, int(c)) for a, b, c in rows} == wanted
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{at}xlsx").data))
    sheet = book.get_sheet_by_name("征询单位").to_python()
    assert {(a, b, int(float(str(c)))) for a, b, c in sheet[1:4]} == wanted
    kept = {each.name: each.data for each in archives.papers(round_, archives.Variant.MASKED)}
    assert b"silent" in kept["03-opinions/units-asked.csv"]
    assert b"inquiry.asked" in kept["08-record/acts.jsonl"]
    # Points of units that were asked are among those of part one, never more.
    of_part = adoption.sums(report).totals.of_part(adoption.Part.UNITS)
    assert sum(each.points for each in adoption.asked(report)) == 1 < of_part == 2
    # What is said later changes the next edition, not this one; and it may not be said any more.
    with pytest.raises(Refused, match="反馈以前"):
        give(mzj, "反馈以后才提出的一件意见，不能再收。")
    assert asked_units.summed(adoption.asked(report)) == sentence


def test_a_unit_answers_for_itself_and_sees_no_other(
    round_: Consultation, client: FlaskClient
) -> None:
    jyj, mzj, _kw = asked(round_)
    people.make("unit_staff", email="a@example.invalid", unit=jyj.unit)
    people.make("drc_staff", email="c@example.invalid")
    ours, theirs = jyj.id, mzj.id
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    assert "征询我单位意见待反馈" in client.get("/desk/").text
    assert client.get(f"/desk/inquiries/{theirs}").status_code == 404
    at = f"/desk/inquiries/{ours}"
    assert client.post(at, data={**people.token(client, at), "act": "none"}).status_code == 303
    page = client.get(at).text
    assert "无意见" in page
    short = {**people.token(client, at), "act": "opinion", "body": "短"}
    assert client.post(at, data=short).status_code == 422
    data = {**people.token(client, at), "act": "opinion", "section": ""}
    data["body"] = "建议补充义务教育学校的布局。"
    assert client.post(at, data=data).status_code == 303
    page = client.get("/desk/inquiries").text
    assert "有意见" in page
    taken_back = client.post(at, data={**people.token(client, at), "act": "take-back"})
    assert taken_back.status_code == 400
    people.sign_out(client)
    # The office enters from paper for any unit.
    people.sign_in(client, "c@example.invalid")
    at = f"/desk/inquiries/{theirs}"
    assert client.post(at, data={**people.token(client, at), "act": "none"}).status_code == 303
    assert "书面反馈" in client.get("/desk/consultations/jingan/units").text
    assert db.session.get_one(Inquiry, theirs).on_paper


def test_the_office_asks_reminds_and_extends(round_: Consultation, client: FlaskClient) -> None:
    people.make("drc_staff", email="c@example.invalid")
    chosen = [str(each) for each in db.session.scalars(sa.select(Unit.id).order_by(Unit.id))][:2]
    db.session.commit()
    people.sign_in(client, "c@example.invalid")
    at = "/desk/consultations/jingan/units"
    none = {**people.token(client, at), "days": "5", "note": "请研究学校布局"}
    refused = client.post(at, data=none)
    assert refused.status_code == 409
    assert "请研究学校布局" in refused.text
    done = client.post(at, data={**people.token(client, at), "days": "5", "units": chosen})
    assert done.status_code == 303
    page = client.get(at).text
    assert "征询2个单位：有意见0个，无意见0个，未反馈2个。" in page
    for data in ({"act": "chase"}, {"act": "extend", "days": "20"}):
        answer = client.post(f"{at}/act", data={**people.token(client, at), **data})
        assert answer.status_code == 303
    wrong = client.post(f"{at}/act", data={**people.token(client, at), "act": "extend"})
    assert wrong.status_code == 409
