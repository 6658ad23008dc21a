"""The Word document of a summary, the command that prints one, and what a page costs."""

import datetime as dt
import io
import json
import random
from typing import Any

import pytest
import sqlalchemy as sa
from docx import Document
from docx.shared import Pt
from flask import Flask
from flask.testing import FlaskClient

from consult import summaries
from consult.consultations import Consultation
from consult.submissions import Channel, Submission, SubmissionState
from core.db import db
from tests import people
from tests.consultations_made import a_consultation, a_published_draft
from tests.summaries_made import a_summary, an_opinion, hide, many_opinions, places
from tests.twelve_made import twelve_opinions


@pytest.fixture
def officer(app: Flask, client: FlaskClient) -> FlaskClient:
    """A DRC officer who has signed in, with the twelve opinions of test_summaries."""
    with app.test_request_context(method="POST"):
        account = people.make("drc_staff")
        consultation = a_consultation()
        version = a_published_draft(consultation)
        twelve_opinions(consultation, version)
        db.session.commit()
        a_summary(consultation)
    people.sign_in(client, account)
    return client


def words(data: bytes) -> tuple[str, list[list[str]]]:
    """(all paragraphs, all rows of all tables)."""
    document = Document(io.BytesIO(data))
    rows = [[cell.text for cell in row.cells] for t in document.tables for row in t.rows]
    return "\n".join(p.text for p in document.paragraphs), rows


def test_the_document_says_what_the_page_says_and_cites_by_number(officer: FlaskClient) -> None:
    answer = officer.get("/desk/summaries/1/document")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "filename*=UTF-8''" in answer.headers["Content-Disposition"]
    text, rows = words(answer.data)
    assert "计入汇总的意见12件，内容相近的合并后11条，提出意见的10人" in text
    assert ["来信", "3"] in rows
    assert ["加装电梯", "5", "4", "2", "2（2）", "1", "第1、2、3、4、5件"] in rows
    assert "第7件：“希望增加停车位，把旧厂房改成停车场。”" in text
    document = Document(io.BytesIO(answer.data))
    assert len(document.inline_shapes) == 5
    section = document.sections[0]
    assert round(section.top_margin.mm) == 37
    assert round(section.left_margin.mm) == 28
    assert document.styles["Normal"].font.size == Pt(16)
    assert 'w:eastAsia="仿宋"' in document.styles["Normal"].element.xml


def test_a_selection_is_named_in_its_document(officer: FlaskClient) -> None:
    text, _rows = words(officer.get("/desk/summaries/1/document?channel=letter").data)
    assert "渠道：来信" in text
    assert "计入汇总的意见3件" in text
    assert "意见不足10件" in text


def test_hidden_words_are_not_in_the_document(app: Flask, officer: FlaskClient) -> None:
    with app.test_request_context(method="POST"):
        hide(an_opinion_with("施工费用"))
    text, rows = words(officer.get("/desk/summaries/1/document").data)
    assert "施工费用" not in text
    assert not [row for row in rows if "第1、2、3、" in row[-1]]
    assert "有1件在汇总后不再展示，已剔除" in text


def an_opinion_with(part: str) -> Submission:
    """The opinion that holds these words."""
    query = sa.select(Submission).where(Submission.body.contains(part))
    return db.session.scalars(query).one()


def test_odd_characters_do_not_break_the_document(app: Flask, officer: FlaskClient) -> None:
    with app.test_request_context(method="POST"):
        consultation = a_consultation("odd", title="奇怪的\x0b标题 & <b>")
        an_opinion(consultation, "控制符\x01和\ufffe还有𠮷野家😀 <script> 建议整治。")
        db.session.commit()
        a_summary(consultation)
    text, _rows = words(officer.get("/desk/summaries/2/document").data)
    assert "𠮷野家😀 <script> 建议整治。" in text


# --- the command ---------------------------------------------------------------------------


def shown(app: Flask, *arguments: str) -> dict[str, Any]:
    """What `summary show` prints."""
    result = app.test_cli_runner().invoke(args=["summary", "show", *arguments, "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert isinstance(said, dict)
    return said


def test_show_prints_one_object_and_counts_only_when_needed(
    app: Flask, officer: FlaskClient
) -> None:
    said = shown(app, "gangyao")
    assert list(said) == [
        "consultation",
        "counted_at",
        "lexicon",
        "counts",
        "keywords",
        "sections",
        "themes",
        "stances",
        "channels",
        "days",
    ]
    assert said["consultation"] == "gangyao"
    assert said["counts"] == {"submissions": 12, "distinct": 11, "people": 10}
    assert said["channels"] == {"web": 8, "letter": 3, "hotline": 1}
    assert said["days"]["2020-10-12"] == 4
    assert sum(section["count"] for section in said["sections"]) == 12
    lifts = next(k for k in said["keywords"] if k["term"] == "加装电梯")
    assert (lifts["count"], lifts["people"], lifts["share"]) == (5, 4, 0.4167)
    assert set(lifts) == {"term", "count", "people", "share", "score"}
    with app.test_request_context(method="POST"):
        consultation = a_consultation_again()
        assert [s.number for s in summaries.of(consultation, limit=9)] == [1]
        an_opinion(consultation, "建议早点公布专项规划的清单。")
        db.session.commit()
    assert shown(app, "gangyao")["counts"]["submissions"] == 13
    with app.test_request_context():
        assert [s.number for s in summaries.of(a_consultation_again(), limit=9)] == [2, 1]


def a_consultation_again() -> Consultation:
    """The consultation as the database has it now."""
    return db.session.get_one(Consultation, 1, populate_existing=True)


def test_a_stage_is_named_by_programme_and_key(app: Flask, officer: FlaskClient) -> None:
    assert shown(app, "plan-14/drafting")["counts"]["submissions"] == 12


def test_commands_refuse_what_is_not_there(app: Flask) -> None:
    runner = app.test_cli_runner()
    for arguments in (["show", "nothing"], ["count", "nothing"], ["show", "plan-14/none"]):
        result = runner.invoke(args=["summary", *arguments])
        assert result.exit_code == 1
        assert "Traceback" not in result.output


def test_count_makes_a_snapshot_in_any_case(app: Flask, officer: FlaskClient) -> None:
    result = app.test_cli_runner().invoke(args=["summary", "count", "gangyao"])
    assert "第2次汇总：12件，去重后11条，10人。" in result.output


# --- what a page costs ---------------------------------------------------------------------


@pytest.fixture
def crowded(app: Flask, client: FlaskClient) -> FlaskClient:
    """An officer before a snapshot of 5,000 generated opinions."""
    say = random.Random(1)
    parts = ("加装电梯", "停车位", "养老床位", "社区食堂", "口袋公园", "采光", "学校", "菜场")
    whats = ("建议增加{}，", "反对再建{}，", "{}太少了，", "请问{}什么时候办？", "支持{}，")
    with app.test_request_context(method="POST"):
        account = people.make("drc_staff")
        consultation = a_consultation()
        version = a_published_draft(consultation)
        at = [0, *places(version).values()]
        rows = [
            {
                "body": say.choice(whats).format(say.choice(parts)) + f"第{n}户",
                "place": say.choice(at),
                "version_id": version.id,
                "channel": say.choice(list(Channel)),
                "received_on": dt.date(2020, 10, 1 + n % 30),
                "state": SubmissionState.SHOWN if n % 10 else SubmissionState.PENDING,
                "person_key": f"p{say.randrange(3000)}",
            }
            for n in range(5000)
        ]
        many_opinions(consultation, rows)
        made = a_summary(consultation)
        assert (made.shown, made.pending) == (4500, 500)
    people.sign_in(client, account)
    return client


def test_pages_of_five_thousand_opinions_cost_few_statements(
    app: Flask, crowded: FlaskClient
) -> None:
    asked: list[str] = []
    with app.app_context():
        engine = db.engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(_c: object, _u: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    for address in (
        "1",
        "1",
        "1?channel=web",
        "1?section=2&term=停车位",
        "1/opinions?after=900",
        "1/opinions?as=people",
        "1/opinions?state=received",
        "1/term?term=停车位",
        "1/document",
        "",
    ):
        asked.clear()
        assert crowded.get(f"/desk/summaries/{address}").status_code == 200
        # Who asks and whether they are still there takes up to five.
        assert len(asked) <= 14, (address, asked)
    sa.event.remove(engine, "before_cursor_execute", note)
