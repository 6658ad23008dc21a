"""The narrative report: composed by rules with the opinions behind each sentence, rewritten,
signed, printed; the machine's words and the person's both kept."""

import io
import re

import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient

from consult import report_papers, summaries, summary_narratives, summary_readings, summary_reports
from consult.submissions import Submission
from consult.summaries import Summary
from consult.summary_items import select
from consult.summary_readings import Reading
from consult.summary_reports import Sentence
from core.db import db
from tests import people
from tests.consultations_made import a_consultation
from tests.summaries_made import a_summary, an_opinion, hide
from tests.test_workbench import officer, round_of


@pytest.fixture
def counted(app: Flask) -> int:
    """The id of a summary of thirty opinions."""
    with app.app_context():
        consultation = a_consultation("told", title="征求意见")
        round_of(consultation)
        return a_summary(consultation).id


def opened(summary_id: int) -> tuple[Summary, dict[int, str], Reading]:
    """A snapshot, the titles of its consultations, and how it is read now."""
    summary = summaries.by_id(summary_id)
    assert summary is not None
    consultations = summaries.consultations_of(summary.subject)
    reading = summary_readings.read(summary, consultations)
    return summary, {c.id: c.title for c in consultations}, reading


def act(client: FlaskClient, summary_id: int, **data: str) -> int:
    """Send one act of the page; the answer's code."""
    return client.post(f"/desk/summaries/{summary_id}/report", data=data).status_code


def test_each_number_of_a_sentence_is_the_size_of_its_selection(app: Flask, counted: int) -> None:
    with app.app_context(), app.test_request_context():
        summary, titles, reading = opened(counted)
        sentences = summary_narratives.compose(summary, titles, reading)
        behind = [s for s in sentences if s.query is not None]
        assert len(behind) >= 6
        for sentence in behind:
            number = re.search(r"(\d+)件", sentence.text)
            if number and "每百人" not in sentence.text:
                items = select(reading.counted, report_papers.filters_of(sentence))
                assert len(items) == int(number[1]), sentence.text
        said = "".join(s.text for s in sentences)
        assert "6件、6人，其中6件集中在" in said
        assert "没有收到来自" in said
        assert "不代表全体居民" in said
        assert all(s.by_machine for s in sentences)


def test_few_opinions_are_listed_and_not_compared(app: Flask) -> None:
    with app.app_context(), app.test_request_context():
        consultation = a_consultation("few", title="征求意见")
        for n in range(3):
            an_opinion(consultation, f"建议第{n}路增加路灯，晚上看不清。")
        db.session.commit()
        sentences = summary_narratives.compose(*opened(a_summary(consultation).id))
    said = [s.text for s in sentences]
    assert "意见不足10件，只列原文要点，不作比较。" in said
    assert sum(s.quote is not None for s in sentences) >= 3


def test_rewritten_and_signed_both_texts_are_kept(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    officer(app, client)
    assert act(client, counted, act="compose", seen="0") == 302
    with app.app_context():
        first = summary_reports.newest(opened(counted)[0])
        assert first is not None
        texts = {f"text-{n}": s.text for n, s in enumerate(first.sentences)}
    page = client.get(f"/desk/summaries/{counted}/report?edit=1").get_data(as_text=True)
    assert "逐句" not in page or "第1句" in page
    assert act(client, counted, act="save", seen="1", **texts) == 409
    texts["text-0"] = "居民意见踊跃。"
    assert act(client, counted, act="save", seen="1", added="以上。", **texts) == 302
    assert act(client, counted, act="save", seen="1", added="迟了", **texts) == 409
    assert act(client, counted, act="sign", seen="2") == 409
    assert act(client, counted, act="sign", seen="2", confirm="1") == 302
    with app.app_context():
        last = summary_reports.newest(opened(counted)[0])
        assert last is not None
        assert last.number == 2
        assert last.signed_name
        assert last.sentences[0].text == "居民意见踊跃。"
        assert last.sentences[0].machine == first.sentences[0].machine
        assert not last.sentences[0].by_machine
        assert last.sentences[1].by_machine
        assert last.sentences[-1] == Sentence(last.sentences[-2].section, "以上。")
    page = client.get(f"/desk/summaries/{counted}/report").get_data(as_text=True)
    assert "系统原来的写法" in page
    old = client.get(f"/desk/summaries/{counted}/report?version=1").get_data(as_text=True)
    assert "居民意见踊跃" not in old


def test_papers_carry_marks_numbers_and_nothing_hidden(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    officer(app, client)
    act(client, counted, act="compose", seen="0")
    at = f"/desk/summaries/{counted}/report/paper"
    text = "\n".join(p.text for p in Document(io.BytesIO(client.get(at).get_data())).paragraphs)
    assert "※" in text
    assert re.search(r"（第\d+(、\d+)+件", text)
    assert "未签发的稿子" in text
    assert "垃圾中转站" in text
    pdf = client.get(f"{at}?as=pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.get_data().startswith(b"%PDF")
    assert b"/StructTreeRoot" in pdf.get_data()
    with app.app_context():
        for item in opened(counted)[2].counted.items:
            if item.channel == "letter":
                hide(db.session.get_one(Submission, item.id))
    text = "\n".join(p.text for p in Document(io.BytesIO(client.get(at).get_data())).paragraphs)
    assert "垃圾中转站" not in text
    assert "引文略去" in client.get(f"/desk/summaries/{counted}/report").get_data(as_text=True)


def test_the_auditor_reads_and_does_not_write(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    with app.app_context():
        account = people.make("auditor")
    people.sign_in(client, account)
    assert "生成报告" not in re.sub(
        "还没有生成报告", "", client.get(f"/desk/summaries/{counted}/report").get_data(as_text=True)
    )
    assert act(client, counted, act="compose", seen="0") == 403
