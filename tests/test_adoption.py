"""The adoption table: reconciles everywhere, released by two, frozen, silent about what is hidden."""

import io
import json
from collections.abc import Iterator

import docx
import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import adoption, adoption_papers, point_acts, points, responses, screening
from consult.adoption import Part
from consult.consultations import Consultation, ConsultationState, Phase
from consult.responses import Outcome
from consult.submissions import Channel, Submission
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.adoptions_made import FEEDBACK, answered, decision, released
from tests.answers_made import WHY, all_final, live
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_point, a_shown_opinion


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation("jingan", phase=Phase.CLOSED)


def test_every_form_has_the_numbers_of_the_database(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    assert adoption.count(round_.id) == adoption.Sums.of(adoption.gather(round_.id))
    released(round_)
    counted = dict(
        db.session.execute(
            sa.text(
                "SELECT r.outcome, COUNT(*) FROM response r JOIN point p ON p.id = r.point_id"
                " JOIN submission s ON s.id = p.submission_id"
                " WHERE p.consultation_id = :c AND p.state = 'live' AND s.state <> 'withdrawn'"
                " AND r.state = 'published' GROUP BY r.outcome"
            ),
            {"c": round_.id},
        ).all()
    )
    assert counted == {"adopted": 2, "already": 3}
    page = client.get("/consultations/jingan/adoption/").text
    assert "共4行" in page
    data = json.loads(client.get("/consultations/jingan/adoption/json").data)
    assert data["totals"]["points"] == 5
    by_outcome = dict.fromkeys(counted, 0)
    for row in data["rows"]:
        by_outcome[row["outcome"]] += row["count"]
    assert by_outcome == counted
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(client.get("/consultations/jingan/adoption/xlsx").data)
    )
    assert book.get_sheet_by_index(0).to_python()[-1] == ["合计", 2, 0, 3, 0, 0, 0, 5]
    paper = docx.Document(io.BytesIO(client.get("/consultations/jingan/adoption/docx").data))
    last = [cell.text for cell in paper.tables[0].rows[-1].cells]
    assert last == ["合计", "2", "0", "3", "0", "0", "0", "5"]
    rows = [[cell.text for cell in row.cells] for t in paper.tables[1:] for row in t.rows[1:]]
    assert sum(int(row[-1]) for row in rows) == 5
    assert "未收到意见。" in [p.text for p in paper.paragraphs]
    # The page's own table of totals says the same.
    assert page.index("合计") < page.index("逐条答复")


def test_a_row_says_from_how_many_opinions_and_people_it_comes(
    round_: Consultation, client: FlaskClient
) -> None:
    # One letter says it twice, another person once: two opinions (件), three points (条).
    twice = a_shown_opinion(round_, "请多种树。北面没有树荫。还是要多种树。", Channel.LETTER)
    once = a_shown_opinion(round_, "希望多种行道树。", Channel.LETTER)
    point_acts.split(twice, [(0, 5), (5, 12), (12, 19)], by=audit.SYSTEM, now=NOON)
    first, _other, last = points.of(twice.id)
    same = [first, last, *points.of(once.id)]
    point_acts.merge(same, "行道树", by=audit.SYSTEM, now=NOON)
    all_final(round_)
    released(round_)
    data = json.loads(client.get("/consultations/jingan/adoption/json").data)
    rows = {row["words"]: row for row in data["rows"]}
    assert rows.keys() == {"请多种树。", "北面没有树荫。"}
    grouped, single = rows["请多种树。"], rows["北面没有树荫。"]
    assert (grouped["opinions"], grouped["count"], grouped["who"]) == (2, 3, "未署名等2人")
    assert (single["opinions"], single["count"], single["who"]) == (1, 1, "未署名")
    assert data["totals"]["points"] == 4
    assert "2（3条）" in client.get("/consultations/jingan/adoption/").text
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(client.get("/consultations/jingan/adoption/xlsx").data)
    )
    sheet = book.get_sheet_by_name("社会公众").to_python()
    assert sheet[0][-2:] == ["件数", "条数"]
    assert sorted(row[-2:] for row in sheet[1:]) == [[1, 1], [2, 3]]
    paper = docx.Document(io.BytesIO(client.get("/consultations/jingan/adoption/docx").data))
    cells = [row.cells[-1].text for row in paper.tables[1].rows[1:]]
    assert sorted(cells) == ["1", "2（3条）"]


def test_among_ones_own_opinions_those_that_are_answered_say_so(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    person = people.make("resident")
    every = list(db.session.scalars(sa.select(Submission).order_by(Submission.id)))
    for each in every:
        each.account_id = person.id
    db.session.commit()
    people.sign_in(client, person)
    assert "已有答复" not in client.get("/mine").text
    released(round_)
    # The one that is not shown is answered, too; what was put together is for each of its authors.
    assert client.get("/mine").text.count("已有答复") == len(every) == 5
    screening.withdraw(every[0], now=NOON)
    db.session.commit()
    assert client.get("/mine").text.count("已有答复") == 4


def test_the_desk_counts_what_the_rows_say(round_: Consultation) -> None:
    assert adoption.count(round_.id) == adoption.Sums.of([])
    answered(round_)
    # One group of three channels stands in two parts; one answer of it is taken back.
    mixed = [
        a_point(round_, f"建议增加夜间照明，第{n}封。", channel)
        for n, channel in enumerate((Channel.UNIT, Channel.WEB, Channel.LETTER))
    ]
    point_acts.merge(mixed, "照明", by=audit.SYSTEM, now=NOON)
    assert adoption.count(round_.id) == adoption.Sums.of(adoption.gather(round_.id))
    responses.draft(mixed, Outcome.PARTLY, WHY, by=audit.SYSTEM, now=NOON)
    responses.finalise(mixed, by=audit.SYSTEM, now=NOON)
    counted = adoption.count(round_.id)
    assert counted == adoption.Sums.of(adoption.gather(round_.id))
    assert counted.totals.of_outcome(Outcome.PARTLY) == 3
    withdrawn = db.session.get_one(Submission, mixed[1].submission_id)
    screening.withdraw(withdrawn, now=NOON)
    fewer = adoption.count(round_.id)
    assert fewer == adoption.Sums.of(adoption.gather(round_.id))
    assert fewer.totals.of_outcome(Outcome.PARTLY) == 2


def test_what_is_not_shown_is_not_told_but_in_the_full_variant(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    report = released(round_)
    public = client.get("/consultations/jingan/adoption/csv").data.decode()
    assert "隐去的一件" not in public
    assert "（内容未公开）" in public
    assert "'=建议社区食堂" in public
    full = adoption.lines(adoption.frozen(report), full=True)
    assert "隐去的一件，不应公开展示。" in [line.words for line in full]


def test_the_full_variant_is_taken_by_a_named_role_and_on_record(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    people.make("administrator", email="a@example.invalid")
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    token = people.token(client, "/desk/consultations/jingan/adoption")
    answer = client.post(
        "/desk/consultations/jingan/adoption/file", data={**token, "kind": "docx", "full": "1"}
    )
    assert answer.status_code == 200
    taken = sa.select(AuditEvent).where(AuditEvent.action == "adoption.taken_in_full")
    assert db.session.scalars(taken).one().after == {"edition": 0}


def test_two_persons_release_and_the_round_is_answered_once(round_: Consultation) -> None:
    answered(round_)
    report = adoption.propose(round_, feedback=FEEDBACK, by=audit.SYSTEM, now=NOON)
    with pytest.raises(Refused, match="不能自己批准"):
        adoption.release(report, round_, site="", by=audit.SYSTEM, now=NOON)
    adoption.release(report, round_, site="", by=audit.COMMAND_LINE, now=NOON)
    assert round_.state is ConsultationState.ANSWERED
    assert {responses.of(p.id).state for p in live(round_)} == {responses.PUBLISHED}  # type: ignore[union-attr]
    with pytest.raises(Refused):
        adoption.release(report, round_, site="", by=audit.COMMAND_LINE, now=NOON)


def test_nothing_is_released_while_a_point_is_open(round_: Consultation) -> None:
    answered(round_)
    report = adoption.propose(round_, feedback=FEEDBACK, by=audit.SYSTEM, now=NOON)
    a_shown_opinion(round_, "后来补录的一封来信，还没有答复。", Channel.LETTER)
    with pytest.raises(Refused, match="还有1个意见点"):
        adoption.release(report, round_, site="", by=audit.COMMAND_LINE, now=NOON)


def test_an_edition_is_frozen_and_a_further_one_says_why(round_: Consultation) -> None:
    answered(round_)
    first = released(round_)
    before = adoption.frozen(first)
    answer = responses.of(live(round_)[-1].id)
    assert answer is not None
    answer.reason = "更正后的理由，写得更清楚一些。"
    db.session.flush()
    with pytest.raises(Refused, match="更正了什么"):
        adoption.propose(round_, by=audit.SYSTEM, now=NOON)
    second = adoption.propose(round_, note="更正了一条理由。", by=audit.SYSTEM, now=NOON)
    adoption.release(second, round_, site="", by=audit.COMMAND_LINE, now=NOON)
    db.session.expire_all()
    assert adoption.frozen(first) == before
    assert adoption.frozen(second) != before
    assert [each.number for each in adoption.released(round_.id)] == [2, 1]


def test_a_round_without_opinions_says_so_in_every_part(
    round_: Consultation, client: FlaskClient
) -> None:
    released(round_)
    page = client.get("/consultations/jingan/adoption/").text
    assert all(f"{part.title}：未收到意见。" in page for part in Part)
    made = adoption_papers.word(
        adoption_papers.Paper(title="甲", under="", lines=[], totals=adoption.Sums.of([]).totals)
    )
    paper = docx.Document(io.BytesIO(made))
    assert [p.text for p in paper.paragraphs].count("未收到意见。") == 4


def test_who_has_been_renamed_is_still_one_person(round_: Consultation) -> None:
    answered(round_)
    officer = people.make("drc_staff")
    report = adoption.propose(round_, feedback=FEEDBACK, by=officer, now=NOON)
    officer.name = "另一个名字"
    with pytest.raises(Refused, match="不能自己批准"):
        adoption.release(report, round_, site="", by=officer, now=NOON)


def test_the_desk_leads_from_the_proposal_to_the_public_page(
    round_: Consultation, client: FlaskClient
) -> None:
    answered(round_)
    for name in "ab":
        people.make("drc_staff", email=f"{name}@example.invalid")
    db.session.commit()
    at = "/desk/consultations/jingan/adoption"
    assert client.get("/consultations/jingan/adoption/").status_code == 404
    people.sign_in(client, "a@example.invalid")
    token = people.token(client, at)
    client.post(f"{at}/propose", data={**token, "words": FEEDBACK})
    refused = client.post(f"{at}/decide", data=decision(client, at))
    assert refused.status_code == 409
    assert "不能自己批准" in refused.text
    stale = decision(client, at)
    client.post(f"{at}/decide", data=stale | {"act": "take-back"})
    client.post(f"{at}/propose", data={**people.token(client, at), "words": FEEDBACK + "又改了。"})
    people.sign_out(client)
    people.sign_in(client, "b@example.invalid")
    fresh = decision(client, at)
    late = client.post(f"{at}/decide", data=fresh | {"proposal": stale["proposal"]})
    assert late.status_code == 409, "what another words were shown for is not released unread"
    assert "重新提请" in late.text
    done = client.post(f"{at}/decide", data=fresh)
    assert done.status_code == 302
    people.sign_out(client)
    notice = client.get("/consultations/jingan/").text
    assert "/consultations/jingan/adoption/" in notice
    assert client.get("/consultations/jingan/adoption/").status_code == 200
