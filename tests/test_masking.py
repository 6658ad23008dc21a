"""Masking: what is offered, what is shown afterwards, and who reads the original."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import masking, originals, screening
from consult.consultations import Consultation
from consult.originals import Original, Span, Words
from consult.submissions import Submission
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.consultations_made import a_consultation, a_published_draft
from tests.screenings_made import PENDING, QUEUE, SHOWN, an_opinion
from tests.summaries_made import a_summary

pytestmark = pytest.mark.usefixtures("context")

BODY = "我叫王小明，建议加装电梯，电话13800138000。"
MASKED = "我叫■■■，建议加装电梯，电话■■■■■■■■■■■。"
LIST = "/consultations/gangyao/opinions"


@pytest.fixture
def consultation() -> Consultation:
    consultation = a_consultation()
    a_published_draft(consultation)
    return consultation


@pytest.fixture
def screener(client: FlaskClient) -> FlaskClient:
    people.sign_in(client, people.make("screener"))
    return client


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    return app.test_client()


def fresh(submission: Submission) -> Submission:
    db.session.rollback()
    db.session.expire_all()
    return submission


def test_what_is_found_is_ticked_when_it_is_certain() -> None:
    offers = masking.offers(Words("王女士的来信", BODY))
    assert [(o.key, o.text, o.title, o.ticked) for o in offers] == [
        ("0:0:1", "王", "姓名", False),
        ("1:2:5", "王小明", "姓名", True),
        ("1:15:26", "13800138000", "电话号码", True),
    ]


def test_a_screener_shows_it_masked_and_keeps_the_original(
    screener: FlaskClient, reader: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, BODY, title="电梯")
    page = screener.get(QUEUE).text
    assert 'value="1:2:5" id="mask-1-1" checked' in page
    answer = screener.post(
        f"{QUEUE}/{submission.id}",
        data={"act": "shown", "mask": ["1:2:5", "1:15:26"], "hide": "", "seen": "pending"},
    )
    assert answer.status_code == 302
    fresh(submission)
    assert (submission.title, submission.body, submission.state) == ("电梯", MASKED, SHOWN)
    assert db.session.get_one(Original, submission.id).body == BODY
    for address in (LIST, f"/receipts/{submission.receipt}", "/search?q=加装电梯"):
        shown = reader.get(address).text
        assert "王小明" not in shown
        assert "13800138000" not in shown
    assert MASKED in reader.get(LIST).text
    assert "13800138000" not in screener.get(f"{QUEUE}?state=shown").text
    assert "没有找到" in reader.get("/search?q=13800138000").text


def test_words_that_were_not_found_are_typed(
    screener: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, "老马说，老马家在三楼。", title="老马")
    data = {"act": "shown", "hide": "老马、三楼", "mask": ["9:0:1", "1:0:999", "1:5:2", "x"]}
    screener.post(f"{QUEUE}/{submission.id}", data=data)
    fresh(submission)
    assert (submission.title, submission.body) == ("■■", "■■说，■■家在■■。")


def test_who_reads_the_original_says_why_and_is_recorded(
    screener: FlaskClient, reader: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, BODY)
    screening.decide(
        submission,
        SHOWN,
        spans=[Span(1, 15, 26)],
        by=people.make("screener"),
        now=submission.received_at,
    )
    db.session.commit()
    address = f"{QUEUE}/{submission.id}/original"
    assert "13800138000" not in screener.get(address).text
    assert screener.post(address, data={"why": ""}).status_code == 422
    looks = sa.select(sa.func.count()).where(AuditEvent.action == "submission.looked_at")
    assert db.session.scalar(looks) == 0
    assert "13800138000" in screener.post(address, data={"why": "核对"}).text
    fresh(submission)
    assert db.session.scalar(looks) == 1
    # What is masked is changed: the name too, and the phone no longer.
    answer = screener.post(f"{QUEUE}/{submission.id}/mask", data={"mask": ["1:2:5"], "hide": ""})
    assert answer.status_code == 302
    assert "我叫■■■，建议加装电梯，电话13800138000。" in reader.get(LIST).text
    people.sign_in(screener, people.make("drc_staff"))
    assert screener.post(address, data={"why": "好奇"}).status_code == 403
    assert db.session.scalar(looks) == 1


def test_a_screener_who_has_not_seen_the_newest_words_decides_nothing(
    screener: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation)
    answer = screener.post(
        f"{QUEUE}/{submission.id}", data={"act": "shown", "seen_words": "0" * 16}
    )
    assert answer.status_code == 409
    assert "刚刚有变化" in answer.text


def test_copies_are_masked_alike_and_those_that_differ_wait(consultation: Consultation) -> None:
    first = an_opinion(consultation, BODY)
    same = an_opinion(consultation, BODY)
    other_form = an_opinion(consultation, BODY.replace("，", "、"))
    other_title = an_opinion(consultation, BODY, title="我叫李雷")
    done = screening.decide_alike(
        first,
        SHOWN,
        spans=[Span(1, 2, 5), Span(1, 15, 26)],
        by=people.make("screener"),
        now=first.received_at,
    )
    db.session.commit()
    assert done == 2
    assert (first.body, same.body) == (MASKED, MASKED)
    assert (fresh(other_form).state, other_title.state) == (PENDING, PENDING)


def test_a_copy_with_something_personal_in_its_title_waits(consultation: Consultation) -> None:
    first, plain, personal = (
        an_opinion(consultation, "建议加装电梯。", title=title)
        for title in ("", "电梯", "我叫李雷，电话13800138000")
    )
    done = screening.decide_alike(first, SHOWN, by=people.make("screener"), now=first.received_at)
    assert (done, plain.state, personal.state) == (2, SHOWN, PENDING)


def test_a_mask_on_what_is_shown_follows_into_a_summary_that_was_counted_before(
    consultation: Consultation, reader: FlaskClient
) -> None:
    for n in range(12):
        each = an_opinion(consultation, f"建议增加社区食堂，第{n}件。")
        screening.decide(each, SHOWN, by=people.make("screener"), now=each.received_at)
    odd = an_opinion(consultation, "建议增加口袋公园，口袋公园要有长椅。")
    screening.decide(odd, SHOWN, by=people.make("screener"), now=odd.received_at)
    db.session.commit()
    summary = a_summary(consultation)
    person = people.make("drc_staff")
    people.sign_in(reader, person)
    address = f"/desk/summaries/{summary.id}"
    assert "口袋公园" in reader.get(address).text
    spans = [Span(1, 4, 8), Span(1, 9, 13)]
    screening.mask(odd, spans, by=people.make("screener"), now=odd.received_at)
    db.session.commit()
    assert odd.body == "建议增加■■■■，■■■■要有长椅。"
    assert "口袋公园" not in reader.get(address).text


def test_only_what_is_shown_can_be_masked(consultation: Consultation) -> None:
    submission = an_opinion(consultation, BODY)
    with pytest.raises(Refused):
        screening.mask(
            submission, [Span(1, 0, 2)], by=people.make("screener"), now=submission.received_at
        )


def test_masking_nothing_keeps_nothing_apart(consultation: Consultation) -> None:
    submission = an_opinion(consultation, BODY)
    screening.decide(
        submission, SHOWN, spans=[], by=people.make("screener"), now=submission.received_at
    )
    db.session.commit()
    assert db.session.get(Original, submission.id) is None
    assert originals.whole(submission).body == BODY
