"""The narrative report: composed by rules with the opinions behind each sentence, rewritten,
signed, printed; the machine's words and the person's both kept."""

import io
import re

import pytest
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import screening, summaries
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import Summary, narratives, readings, report_papers, reports
from consult.summaries.readings import Reading
from consult.summaries.reports import Sentence
from core import audit
from core.db import db
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.summaries_made import a_summary, an_opinion, hide, places
from tests.thirty_made import thirty_counted


@pytest.fixture
def counted(app: Flask) -> int:
    """The id of a summary of thirty opinions."""
    return thirty_counted(app, "told")


def opened(summary_id: int) -> tuple[Summary, dict[int, str], Reading]:
    """A snapshot, the titles of its consultations, and how it is read now."""
    summary = summaries.by_id(summary_id)
    assert summary is not None
    consultations = summaries.consultations_of(summary.subject)
    reading = readings.read(summary, consultations)
    return summary, {c.id: c.title for c in consultations}, reading


def act(client: FlaskClient, summary_id: int, **data: str) -> int:
    """Send one act of the page; the answer's code."""
    return client.post(f"/desk/summaries/{summary_id}/report", data=data).status_code


def test_each_number_of_a_sentence_is_the_size_of_its_selection(app: Flask, counted: int) -> None:
    with app.app_context(), app.test_request_context():
        summary, titles, reading = opened(counted)
        sentences = narratives.compose(summary, titles, reading)
        behind = [s for s in sentences if s.query is not None]
        assert len(behind) >= 6
        for sentence, line in zip(
            sentences, report_papers.lines(sentences, reading, titles), strict=True
        ):
            number = re.search(r"(\d+)件", sentence.text)
            if number is None or "每百人" in sentence.text:
                continue
            assert line.cites, sentence.text
            if "不足" not in sentence.text:
                assert line.count == int(number[1]), sentence.text
        said = "".join(s.text for s in sentences)
        assert "6件、6人，其中6件集中在" in said
        assert "没有收到来自" in said
        assert "不代表全体居民" in said
        assert all(s.by_machine for s in sentences)


def test_without_opinions_the_report_says_so_and_compares_nothing(app: Flask) -> None:
    with app.app_context(), app.test_request_context():
        consultation = a_consultation("none", title="征求意见")
        a_published_draft(consultation)
        summary = a_summary(consultation)
        said = [s.text for s in narratives.compose(*opened(summary.id))]
    assert "没有可以汇总的意见。" in said
    assert not [text for text in said if "渠道，不作比较" in text or "不足" in text]
    assert any("没有人对“第一章 总体要求”" in text for text in said)


def test_what_is_left_of_a_list_is_told_with_its_numbers(app: Flask) -> None:
    """Seven chapters, of which five are told one by one; three opinions with a stance of their own, too
    few to compare; as many by one channel as by the other."""
    with app.app_context(), app.test_request_context():
        consultation = a_consultation("rest", title="征求意见")
        chapters = "零一二三四五六七"
        text = "".join(f"# 第{n}章 {n}事\n{n}段。\n" for n in chapters)
        version = a_published_draft(consultation, text)
        where = places(version)
        channels = (Channel.WEB, Channel.LETTER)
        for n, chapter in enumerate(chapters):
            for k in range(6 if n < 7 else 2):
                an_opinion(
                    consultation,
                    f"{chapter}事，甲乙丙丁{k}。",
                    place=where[f"{chapter}段。"],
                    stance=Stance.OPPOSE if n == 7 else Stance.SUGGEST,
                    channel=channels[k % 2],
                )
        db.session.commit()
        summary, titles, reading = opened(a_summary(consultation).id)
        sentences = narratives.compose(summary, titles, reading)
        told = {
            line.text: (line.count, line.cites)
            for line in report_papers.lines(sentences, reading, titles)
        }
    assert told["针对另外2个部分的共12件。"][0] == 12
    assert told["针对“第七章 七事”的不足5件，不作比较。"] == (2, "第43、44件")
    assert told["态度为“反对”的不足5件，不作比较。"] == (2, "第43、44件")
    assert told["来自网站、来信的最多，一样多，共44件，各占50.0%。"][0] == 44
    assert told["态度由作者自己选的44件。"][0] == 44
    everything = next(text for text in told if "共收到意见44件" in text)
    assert told[everything][1].startswith("第1、2、3、4")
    assert told[everything][1].endswith("等44件")


def test_a_difference_that_is_one_letter_many_times_over_is_told_as_such(app: Flask) -> None:
    """Twelve letters, nine of them the same one; twelve by the site, nine of which ask for shade in
    words of their own."""
    shade = "树荫路灯长椅花坛草坪凉亭步道栏杆台阶"
    with app.app_context(), app.test_request_context():
        consultation = a_consultation("letters", title="征求意见")
        a_published_draft(consultation)
        for n in range(12):
            letter = (
                f"请保留和兴菜场，老人走几步就到{'！' * n}"
                if n < 9
                else f"我关心{'水电煤'[n - 9]}费单"
            )
            an_opinion(consultation, letter, channel=Channel.LETTER)
            own = (
                f"{shade[2 * n : 2 * n + 2]}旁边要种梧桐树"
                if n < 9
                else f"{'早午晚'[n - 9]}上车太挤"
            )
            an_opinion(consultation, own, channel=Channel.WEB)
        db.session.commit()
        summary, titles, reading = opened(a_summary(consultation).id)
        said = [s.text for s in narratives.compose(summary, titles, reading)]
    letters = [text for text in said if text.startswith("来信比其余渠道更多提到")]
    assert letters
    for text in letters:
        # Nine of twelve against none of twelve.
        assert "每百人75.0对0.0" in text
        assert text.endswith("；其中9人寄的是内容相近的一份。")
    site = [text for text in said if text.startswith("网站比其余渠道更多提到")]
    assert any("“梧桐树”：每百人75.0对0.0" in text or "“梧桐”" in text for text in site), site
    assert not any("相近的一份" in text for text in site)


def test_two_who_rewrite_at_once_lose_nothing(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    act(client, counted, act="compose", seen="0")
    with app.app_context():
        first = reports.newest(opened(counted)[0])
        assert first is not None
        texts = {f"text-{n}": s.text for n, s in enumerate(first.sentences)}
    theirs = texts | {"text-0": "同事的第一句。", "text-1": "同事的第二句。"}
    assert act(client, counted, act="save", seen="1", **theirs) == 302
    mine = texts | {"text-0": "我的第一句。", "text-2": "我的第三句。"}
    data = {"act": "save", "seen": "1", "added": "补一句。\r\n再补一句。", **mine}
    answer = client.post(f"/desk/summaries/{counted}/report", data=data)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    form = next(f for f in html.fromstring(page).forms if "text-0" in f.fields)
    assert "刚刚有了新的一版" in page
    assert form.fields["text-0"] == "我的第一句。"
    assert "另一位工作人员刚把这一句写成：同事的第一句。" in page
    assert form.fields["text-1"] == "同事的第二句。"
    assert form.fields["text-2"] == "我的第三句。"
    # What is sent now is meant: each line that was added is a sentence.
    sent = {name: form.fields[name] for name in form.fields if name and form.fields[name]}
    sent = {name: value.replace("\n", "\r\n") for name, value in sent.items()}
    assert client.post(f"/desk/summaries/{counted}/report", data=sent).status_code == 302
    with app.app_context():
        last = reports.newest(opened(counted)[0])
        assert last is not None
        assert [s.text for s in last.sentences[:3]] == [
            "我的第一句。",
            "同事的第二句。",
            "我的第三句。",
        ]
        assert [s.text for s in last.sentences[-2:]] == ["补一句。", "再补一句。"]
    # Composed anew meanwhile, a sentence has no place any more, and is told to be copied.
    act(client, counted, act="compose", seen="3")
    assert act(client, counted, act="compose", seen="4") == 302
    with app.app_context():
        db.session.get_one(reports.SummaryReport, 4).content = {
            "sentences": [{"section": "一、总体情况", "text": "别的。", "machine": "别的。"}]
        }
        db.session.commit()
    data |= {"seen": "4", "text-0": "无处可放的一句。"}
    page = client.post(f"/desk/summaries/{counted}/report", data=data).get_data(as_text=True)
    assert "报告已重新生成" in page
    assert "<li>无处可放的一句。</li>" in page


def test_few_opinions_are_listed_and_not_compared(app: Flask) -> None:
    with app.app_context(), app.test_request_context():
        consultation = a_consultation("few", title="征求意见")
        for n in range(3):
            an_opinion(consultation, f"建议第{n}路增加路灯，晚上看不清。")
        db.session.commit()
        sentences = narratives.compose(*opened(a_summary(consultation).id))
    said = [s.text for s in sentences]
    assert "意见不足10件，只列原文要点，不作比较。" in said
    assert sum(s.quote is not None for s in sentences) >= 3


def test_rewritten_and_signed_both_texts_are_kept(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    assert act(client, counted, act="compose", seen="0") == 302
    with app.app_context():
        first = reports.newest(opened(counted)[0])
        assert first is not None
        texts = {f"text-{n}": s.text for n, s in enumerate(first.sentences)}
    page = client.get(f"/desk/summaries/{counted}/report?edit=1").get_data(as_text=True)
    assert "逐句" not in page or "第1句" in page
    assert act(client, counted, act="save", seen="1", **texts) == 409
    texts["text-0"] = "居民意见踊跃。"
    assert act(client, counted, act="save", seen="1", added="以上。", **texts) == 302
    assert act(client, counted, act="save", seen="1", added="迟了", **texts) == 409
    answer = client.post(f"/desk/summaries/{counted}/report", data={"act": "sign", "seen": "2"})
    assert answer.status_code == 409
    # On the report itself, where the box to be ticked is.
    assert "请先勾选" in answer.get_data(as_text=True)
    assert 'name="confirm"' in answer.get_data(as_text=True)
    assert act(client, counted, act="sign", seen="2", confirm="1") == 302
    with app.app_context():
        last = reports.newest(opened(counted)[0])
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
    people.sign_in_as(client)
    act(client, counted, act="compose", seen="0")
    at = f"/desk/summaries/{counted}/report/paper"
    text = "\n".join(p.text for p in Document(io.BytesIO(client.get(at).get_data())).paragraphs)
    assert re.search(r"。※（第\d+(、\d+)+件", text)
    assert not re.search(r"）※", text)
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


def test_what_was_hidden_after_it_was_written_is_told_where_its_words_count_it(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    assert act(client, counted, act="compose", seen="0") == 302
    address = f"/desk/summaries/{counted}/report"
    assert "写成时" not in client.get(address).text

    def printed() -> str:
        paper = Document(io.BytesIO(client.get(f"{address}/paper").data))
        return "\n".join(paragraph.text for paragraph in paper.paragraphs)

    with app.app_context():
        _summary, _titles, reading = opened(counted)
        first = reading.counted.items[0]
        channel = sum(item.channel == first.channel for item in reading.counted.items)
        hide(db.session.get_one(Submission, first.id))
    told = [client.get(address).text, printed()]
    for words in told:
        assert "本报告计入展示的30件" in words
        assert "等29件；写成时30件，现在29件" in words
        assert f"写成时{channel}件，现在{channel - 1}件" in words
        # What everybody wrote who wrote something else is counted as it was.
        assert "写成时6件" not in words
    with app.app_context(), app.test_request_context(method="POST"):
        submission = db.session.get_one(Submission, first.id)
        screening.decide(submission, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    assert "写成时" not in client.get(address).text + printed()
