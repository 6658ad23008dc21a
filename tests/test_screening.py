"""Screening: who decides what with which reason, and that what is not shown is shown nowhere."""

import re
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import decisions, drafts, proposals, screening, submissions
from consult.consultations import Consultation
from consult.decisions import Decision, Reason
from consult.drafts import Version
from consult.submissions import Channel, Submission, SubmissionState
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation
from tests.kept import events
from tests.screenings_made import (
    ASKED,
    HIDDEN,
    PENDING,
    QUEUE,
    REFERRED,
    SHOWN,
    WITHDRAWN,
    an_opinion,
    decide,
    numbers_on,
)

pytestmark = pytest.mark.usefixtures("context")

ACTS = ("submission.screened", "submission.completed", "submission.withdrawn")


@pytest.fixture
def screener(client: FlaskClient) -> FlaskClient:
    people.sign_in(client, people.make("screener"))
    return client


@pytest.fixture
def reader(app: Flask) -> FlaskClient:
    """Somebody who only reads."""
    return app.test_client()


# --- an old page ---------------------------------------------------------------------------------


def test_an_old_page_does_not_undo_a_colleagues_fresh_decision(
    screener: FlaskClient, consultation: Consultation
) -> None:
    opinion = an_opinion(consultation)
    decide(opinion, SHOWN)
    answer = screener.post(
        f"{QUEUE}/{opinion.id}",
        data={"act": "hidden", "reason": "off_topic", "seen": "pending", "back": "pending::"},
    )
    assert answer.status_code == 409
    assert "刚刚已由他人处理为“已展示”" in answer.text
    db.session.expire_all()
    assert db.session.get_one(Submission, opinion.id).state is SHOWN
    # Who has seen that it is shown may still propose otherwise.
    answer = screener.post(
        f"{QUEUE}/{opinion.id}",
        data={"act": "hidden", "reason": "off_topic", "seen": "shown", "back": "shown::::"},
    )
    assert answer.status_code == 302
    # A third, whose page is from before the proposal, does not sweep it away.
    answer = screener.post(
        f"{QUEUE}/{opinion.id}", data={"act": "shown", "seen": "pending", "back": "pending::::"}
    )
    assert answer.status_code == 409
    assert "已有审核员提出不展示" in answer.text


# --- states and reasons --------------------------------------------------------------------------

ALLOWED = {
    PENDING: {SHOWN, HIDDEN, REFERRED, ASKED, WITHDRAWN},
    SHOWN: {HIDDEN, REFERRED, WITHDRAWN},
    HIDDEN: {SHOWN, REFERRED, WITHDRAWN},
    REFERRED: {SHOWN, HIDDEN, WITHDRAWN},
    ASKED: {PENDING, SHOWN, HIDDEN, REFERRED, WITHDRAWN},
    WITHDRAWN: set[SubmissionState](),
}


# What the undoing of an import leaves is nobody's to decide: tests/test_undoing.py.
@pytest.mark.parametrize("before", ALLOWED)
@pytest.mark.parametrize("after", SubmissionState)
def test_an_opinion_goes_only_where_the_rules_let_it(
    consultation: Consultation, before: SubmissionState, after: SubmissionState
) -> None:
    submission = an_opinion(consultation)
    if before is not PENDING:
        decide(submission, before)
    count = len(events(*ACTS))
    if after in ALLOWED[before]:
        decide(submission, after)
        assert submission.state is after
        assert len(events(*ACTS)) == count + 1
    else:
        with pytest.raises(Refused, match=f"处理为“{before.title}”|已经撤回"):
            decide(submission, after)
        db.session.rollback()
        assert submission.state is before
        assert len(events(*ACTS)) == count
    assert consultation.received == 1
    assert consultation.shown == (submission.state is SHOWN)
    assert submissions.tallies(consultation.id) == {0: (1, int(submission.state is SHOWN))}


@pytest.mark.parametrize(
    ("state", "reason", "fits"),
    [
        (SHOWN, None, True),
        (REFERRED, None, True),
        (HIDDEN, None, False),
        (SHOWN, Reason.OFF_TOPIC, False),
        (REFERRED, Reason.ILLEGAL, False),
        *((HIDDEN, reason, True) for reason in Reason),
    ],
)
def test_a_reason_belongs_to_hiding_and_to_nothing_else(
    consultation: Consultation, state: SubmissionState, reason: Reason | None, fits: bool
) -> None:
    submission = an_opinion(consultation)
    for act in (screening.decide, screening.decide_alike):
        if fits:
            act(submission, state, reason=reason, by=audit.SYSTEM, now=NOON)
            db.session.rollback()
            continue
        with pytest.raises(Refused, match="不展示时必须选择一条理由"):
            act(submission, state, reason=reason, by=audit.SYSTEM, now=NOON)
        assert submission.state is PENDING


def test_a_decision_is_kept_with_its_reason_its_note_and_its_hand(
    consultation: Consultation,
) -> None:
    submission, person = an_opinion(consultation), people.make("screener")
    other = people.make("screener")
    proposals.propose(submission, Reason.ADVERTISEMENT, by=other, now=NOON)
    proposals.confirm(submission, note="卖房", by=person, now=NOON)
    db.session.commit()
    kept = decisions.last_decision(submission)
    assert kept is not None
    assert (kept.state, kept.reason, kept.note) == (HIDDEN, Reason.ADVERTISEMENT, "卖房")
    assert (kept.by_id, kept.proposed_by_id, kept.at) == (person.id, other.id, NOON)
    (event,) = events(*ACTS)
    assert (event.actor_id, event.thing_id, event.reason) == (
        person.id,
        submission.id,
        "advertisement",
    )
    assert (event.before, event.after) == ({"state": "pending"}, {"state": "hidden"})


def test_the_newest_decision_holds_and_the_older_ones_stay(consultation: Consultation) -> None:
    submission = an_opinion(consultation)
    for state in (SHOWN, HIDDEN, SHOWN):
        decide(submission, state)
    held = decisions.last_decision(submission)
    assert held is not None
    assert (held.state, held.reason) == (SHOWN, None)
    assert db.session.scalar(sa.select(sa.func.count(Decision.id))) == 3
    assert (consultation.received, consultation.shown) == (1, 1)


def test_what_one_believes_of_an_opinion_does_not_matter_but_what_it_is(
    consultation: Consultation,
) -> None:
    submission = an_opinion(consultation)
    decide(submission, SHOWN)
    # In memory it still waits, as for a screener whose page is old.
    sa.orm.attributes.set_committed_value(submission, "state", PENDING)
    with pytest.raises(Refused, match="处理为“已展示”"):
        screening.decide(submission, SHOWN, by=audit.SYSTEM, now=NOON)
    db.session.rollback()
    decide(submission, HIDDEN)
    sa.orm.attributes.set_committed_value(submission, "state", SHOWN)
    decide(submission, SHOWN)
    assert (submission.state, consultation.shown) == (SHOWN, 1)


def test_nobody_decides_on_what_they_sent_themselves(consultation: Consultation) -> None:
    person, other = people.make("screener"), people.make("screener")
    own = an_opinion(consultation, account_id=person.id)
    with pytest.raises(Refused, match="您本人提交"):
        decide(own, SHOWN, by=person)
    db.session.rollback()
    assert own.state is PENDING
    decide(own, SHOWN, by=other)
    with pytest.raises(Refused, match="您本人提交"):
        decide(own, HIDDEN, by=person)


# --- many alike ----------------------------------------------------------------------------------


def alike(submission: Submission, by: audit.Actor = audit.SYSTEM) -> int:
    done = screening.decide_alike(submission, SHOWN, by=by, now=NOON)
    db.session.commit()
    db.session.expire_all()
    return done


def test_pending_opinions_with_the_same_words_are_decided_together(
    consultation: Consultation,
) -> None:
    other = a_consultation("kuangjia")
    first = an_opinion(consultation, "加装电梯要快！")
    same = [
        an_opinion(consultation, "加装电梯，要快。", place=9),
        an_opinion(consultation, "加装电梯要快"),
    ]
    hidden = an_opinion(consultation, "加装电梯要快")
    decide(hidden, HIDDEN)
    different = an_opinion(consultation, "加装电梯要慢")
    elsewhere = an_opinion(other, "加装电梯要快")
    count = len(events(*ACTS))
    assert alike(first) == 3
    assert {each.state for each in (first, *same)} == {SHOWN}
    assert (hidden.state, different.state, elsewhere.state) == (HIDDEN, PENDING, PENDING)
    assert (consultation.received, consultation.shown, other.shown) == (5, 3, 0)
    assert submissions.tallies(consultation.id) == {0: (4, 2), 9: (1, 1)}
    assert [event.thing_id for event in events(*ACTS)[count:]] == [first.id, *(s.id for s in same)]
    decisions = db.session.scalars(sa.select(Decision.submission_id)).all()
    assert sorted(decisions) == sorted([hidden.id, first.id, *(each.id for each in same)])
    with pytest.raises(Refused, match="没有可以一并处理"):
        alike(first)


def test_ones_own_copy_is_left_for_another(consultation: Consultation) -> None:
    person = people.make("screener")
    own = an_opinion(consultation, account_id=person.id)
    theirs = an_opinion(consultation, account_id=people.make("resident").id)
    nobodys = an_opinion(consultation)
    assert alike(own, person) == 2
    assert (own.state, theirs.state, nobodys.state) == (PENDING, SHOWN, SHOWN)
    with pytest.raises(Refused, match="没有可以一并处理"):
        alike(own, person)


def test_a_campaign_costs_as_many_statements_as_two_letters(consultation: Consultation) -> None:
    def statements_for(count: int, body: str) -> int:
        for _ in range(count):
            last = an_opinion(consultation, body)
        said: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda *heard: said.append(heard[2]))
        assert alike(last) == count
        return len(said)

    statements_for(1, "头一件")  # the draft's words are read once, whoever comes first
    assert statements_for(40, "多的一样") <= statements_for(2, "少的一样")


# --- what everybody sees -------------------------------------------------------------------------


def test_what_is_hidden_leaves_every_public_page_in_the_same_act(
    reader: FlaskClient, consultation: Consultation, version: Version
) -> None:
    place = drafts.outline(version).by_mark[2].id
    submission = an_opinion(
        consultation, "这一段写得含糊，请写具体。", version_id=version.id, place=place
    )
    draft, list_, on = (
        "/consultations/gangyao/draft",
        "/consultations/gangyao/opinions",
        "/consultations/gangyao/opinions?on=2",
    )

    def seen() -> list[bool]:
        return [
            "（1件）" in reader.get(draft).text,
            "1件意见" in reader.get(draft).text,
            "这一段写得含糊" in reader.get(list_).text,
            "这一段写得含糊" in reader.get(on).text,
        ]

    assert seen() == [False] * 4
    decide(submission, SHOWN)
    assert seen() == [True] * 4
    assert seen() == [True] * 4
    decide(submission, HIDDEN)
    assert seen() == [False] * 4
    assert (consultation.received, consultation.shown) == (1, 0)
    decide(submission, SHOWN)
    assert seen() == [True] * 4
    decide(submission, REFERRED)
    assert seen() == [False] * 4


def test_the_author_reads_the_state_and_the_reason(
    reader: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation)
    address = f"/receipts/{submission.receipt}"
    assert "正在等待审核" in reader.get(address).text
    decide(submission, SHOWN)
    assert "已经审核，可以在“大家的意见”里看到" in reader.get(address).text
    decide(submission, HIDDEN, Reason.PERSONAL_ATTACK)
    page = reader.get(address).text
    assert "这件意见没有公开展示。理由：含有辱骂或人身攻击。它仍然计入收到的总数。" in page
    decide(submission, REFERRED)
    assert "请拨打12345市民服务热线" in reader.get(address).text


def test_an_internal_note_is_shown_to_nobody_outside(
    reader: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation)
    screening.decide(
        submission, HIDDEN, reason=Reason.ILLEGAL, note="内部的话", by=audit.SYSTEM, now=NOON
    )
    assert "内部的话" not in reader.get(f"/receipts/{submission.receipt}").text


# --- the desk ------------------------------------------------------------------------------------


def decide_at_desk(client: FlaskClient, submission: Submission, **fields: str) -> TestResponse:
    return client.post(f"{QUEUE}/{submission.id}", data=fields)


def fresh(submission: Submission) -> SubmissionState:
    db.session.rollback()
    db.session.expire_all()
    return submission.state


def test_a_screener_shows_hides_and_refers(
    screener: FlaskClient, consultation: Consultation
) -> None:
    shown, hidden, referred = (an_opinion(consultation, f"第{n}件意见") for n in range(3))
    page = screener.get(QUEUE).text
    assert "待审核3件" in page
    assert numbers_on(page) == ["第1件", "第2件", "第3件"]
    answer = decide_at_desk(screener, shown, act="shown", back="pending::::")
    assert answer.location == f"{QUEUE}?state=pending"
    assert "已处理1件：展示。" in screener.get(answer.location).text
    decide_at_desk(screener, hidden, act="hidden", reason="off_topic")
    decide_at_desk(screener, referred, act="referred", reason="off_topic")
    # Not to show takes two.
    assert [fresh(each) for each in (shown, hidden, referred)] == [SHOWN, PENDING, REFERRED]
    people.sign_in(screener, people.make("screener"))
    decide_at_desk(screener, hidden, act="confirm")
    assert fresh(hidden) is HIDDEN


def test_hiding_without_a_reason_is_refused_in_words(
    screener: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation)
    answer = decide_at_desk(screener, submission, act="hidden")
    assert answer.status_code == 409
    assert "不展示时必须选择一条理由" in answer.text
    assert fresh(submission) is PENDING


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"act": "pending"},
        {"act": "delete"},
        {"act": "hidden", "reason": "because"},
        {"act": "shown", "note": "长" * 201},
    ],
)
def test_acts_that_are_not_offered_change_nothing(
    screener: FlaskClient, consultation: Consultation, fields: dict[str, str]
) -> None:
    submission = an_opinion(consultation)
    assert decide_at_desk(screener, submission, **fields).status_code == 422
    assert fresh(submission) is PENDING
    assert screener.post(f"{QUEUE}/999", data={"act": "shown"}).status_code == 404


def test_copies_are_decided_together_only_when_ticked(
    screener: FlaskClient, consultation: Consultation
) -> None:
    same = [an_opinion(consultation) for _ in range(3)]
    page = screener.get(QUEUE).text
    assert page.count("连同内容相同的其余2件一并处理") == 3
    decide_at_desk(screener, same[0], act="shown")
    assert [fresh(each) for each in same] == [SHOWN, PENDING, PENDING]
    answer = decide_at_desk(screener, same[1], act="hidden", reason="illegal", scope="alike")
    assert [fresh(each) for each in same] == [SHOWN, PENDING, PENDING]
    assert "已处理2件：提出不展示。" in screener.get(answer.location).text
    answer = decide_at_desk(screener, same[2], act="confirm", scope="alike")
    assert answer.status_code == 409
    people.sign_in(screener, people.make("screener"))
    answer = decide_at_desk(screener, same[2], act="confirm", scope="alike")
    assert [fresh(each) for each in same] == [SHOWN, HIDDEN, HIDDEN]
    assert "已处理2件：确认不展示。" in screener.get(answer.location).text


def test_ones_own_opinion_is_refused_at_the_desk(
    client: FlaskClient, consultation: Consultation
) -> None:
    person = people.make("screener")
    people.sign_in(client, person)
    own = an_opinion(consultation, account_id=person.id)
    answer = decide_at_desk(client, own, act="shown")
    assert answer.status_code == 409
    assert "请由另一位审核员处理" in answer.text


def test_the_queue_is_filtered_by_state_channel_and_consultation(
    screener: FlaskClient, consultation: Consultation
) -> None:
    other = a_consultation("kuangjia")
    an_opinion(consultation)
    an_opinion(consultation, channel=Channel.LETTER)
    an_opinion(other, "那边的")
    decided = an_opinion(consultation, "已经看过的")
    decide(decided, SHOWN)

    def listed(query: str) -> list[str]:
        return numbers_on(screener.get(QUEUE + query).text)

    # The third is the first of its own consultation.
    assert listed("") == ["第1件", "第2件", "第1件"]
    assert listed("?channel=letter") == ["第2件"]
    assert listed(f"?consultation={other.id}") == ["第1件"]
    assert listed(f"?consultation={consultation.id}&channel=web") == ["第1件"]
    assert listed("?state=shown") == ["第3件"]
    assert listed("?state=hidden") == []
    assert listed("?consultation=999") == []
    assert listed("?channel=&consultation=") == ["第1件", "第2件", "第1件"]
    for odd in (
        "?state=x",
        "?channel=fax",
        "?consultation=a",
        "?after=-1",
        "?waited=x",
        "?reason=no",
    ):
        assert screener.get(QUEUE + odd).status_code == 400


def test_the_longest_waiting_come_first_page_by_page(
    screener: FlaskClient, consultation: Consultation
) -> None:
    made = [f"第{an_opinion(consultation, f'意见{n}').number}件" for n in range(45)]
    address, seen, pages = f"{QUEUE}?channel=web", list[str](), 0
    while address:
        page = screener.get(address).text
        seen += numbers_on(page)
        found = re.search(r'rel="next" href="([^"]+)"', page)
        address, pages = unescape(found[1]) if found else "", pages + 1
    assert (seen, pages) == (made, 3)


def test_after_deciding_one_is_back_at_the_same_filters(
    screener: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, channel=Channel.LETTER)
    page = screener.get(f"{QUEUE}?channel=letter&consultation={consultation.id}").text
    back = re.search(r'name="back" value="([^"]*)"', page)
    assert back is not None
    answer = decide_at_desk(screener, submission, act="shown", back=back[1])
    assert answer.location == f"{QUEUE}?channel=letter&consultation={consultation.id}"
    for odd in (
        "//evil.example",
        "x:y:z:a:b",
        "::999999999999999:::",
        ":" * 50,
        "pending:web:１::",
    ):
        other = an_opinion(consultation)
        answer = decide_at_desk(screener, other, act="shown", back=odd)
        assert answer.location.startswith(QUEUE)
        assert screener.get(answer.location).status_code == 200


def test_how_long_an_opinion_waits_is_said(
    screener: FlaskClient, clock: Clock, consultation: Consultation
) -> None:
    an_opinion(consultation)
    clock.forward(hours=1, minutes=59)
    assert "已等待1小时" in screener.get(QUEUE).text


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("screener", 200),
        ("administrator", 200),
        ("drc_staff", 403),
        ("unit_staff", 403),
        ("auditor", 403),
        ("resident", 403),
    ],
)
def test_only_screeners_screen(
    client: FlaskClient, consultation: Consultation, role: str, status: int
) -> None:
    submission = an_opinion(consultation)
    people.sign_in(client, people.make(role))
    assert client.get(QUEUE).status_code == status
    decide_at_desk(client, submission, act="shown")
    assert fresh(submission) is (SHOWN if status == 200 else PENDING)


def test_a_stranger_screens_nothing(client: FlaskClient, consultation: Consultation) -> None:
    submission = an_opinion(consultation)
    assert "/sign-in" in client.get(QUEUE).location
    decide_at_desk(client, submission, act="shown")
    assert fresh(submission) is PENDING
