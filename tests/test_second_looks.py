"""Screening that takes more than one step: a second person, the author's completion, withdrawal
and appeal; who may take which step, and what the author reads by receipt."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import appeals, decisions, originals, proposals, screening, submissions
from consult.appeals import Appeal, Outcome
from consult.consultations import Consultation
from consult.decisions import Proposal, Reason
from consult.originals import Addition, Original
from consult.submissions import Submission
from core import audit
from core.accounts import Account
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
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

FIRST_WORDS = "建议加装电梯，我们楼里老人多。"


@pytest.fixture
def consultation() -> Consultation:
    consultation = a_consultation()
    a_published_draft(consultation)
    return consultation


@pytest.fixture
def author(app: Flask) -> FlaskClient:
    return app.test_client()


def a_hand() -> Account:
    return people.make("screener")


def proposed(consultation: Consultation, by: Account) -> Submission:
    submission = an_opinion(consultation, FIRST_WORDS)
    proposals.propose(submission, Reason.OFF_TOPIC, note="似乎无关", by=by, now=NOON)
    db.session.commit()
    return submission


def hidden(consultation: Consultation, first: Account, second: Account) -> Submission:
    submission = proposed(consultation, first)
    proposals.confirm(submission, by=second, now=NOON)
    db.session.commit()
    return submission


def acts(submission: Submission) -> list[str]:
    query = sa.select(AuditEvent.action).where(
        AuditEvent.thing_kind == "submission", AuditEvent.thing_id == submission.id
    )
    return list(db.session.scalars(query.order_by(AuditEvent.id)))


def receipt_page(client: FlaskClient, submission: Submission) -> str:
    return client.get(f"/receipts/{submission.receipt}").text


# --- the second person ---------------------------------------------------------------------------


def test_one_person_alone_cannot_hide(consultation: Consultation) -> None:
    submission = an_opinion(consultation)
    with pytest.raises(Refused, match="另一位审核员确认"):
        screening.decide(submission, HIDDEN, reason=Reason.ILLEGAL, by=a_hand(), now=NOON)
    with pytest.raises(Refused, match="另一位审核员确认"):
        screening.decide_alike(submission, HIDDEN, reason=Reason.ILLEGAL, by=a_hand(), now=NOON)


def test_nobody_confirms_their_own_proposal_and_another_may(consultation: Consultation) -> None:
    first, second = a_hand(), a_hand()
    submission = proposed(consultation, first)
    assert submission.state is PENDING
    for act in (proposals.confirm, proposals.confirm_alike):
        with pytest.raises(Refused, match="您本人提出的建议"):
            act(submission, by=first, now=NOON)
        db.session.rollback()
    proposals.confirm(submission, by=second, now=NOON)
    db.session.commit()
    assert submission.state is HIDDEN
    kept = decisions.last_decision(submission)
    assert kept is not None
    assert (kept.by_id, kept.proposed_by_id, kept.reason) == (
        second.id,
        first.id,
        Reason.OFF_TOPIC,
    )
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Proposal)) == 0
    assert acts(submission) == ["submission.received", "submission.proposed", "submission.screened"]
    with pytest.raises(Refused, match="没有待确认"):
        proposals.confirm(submission, by=a_hand(), now=NOON)


def test_a_proposal_sent_back_leaves_the_opinion_waiting(consultation: Consultation) -> None:
    submission = proposed(consultation, a_hand())
    second = a_hand()
    proposals.send_back(submission, by=second, now=NOON)
    db.session.commit()
    assert (submission.state, decisions.proposals_on([submission.id])) == (PENDING, {})
    assert acts(submission)[-1] == "submission.sent_back"
    screening.decide(submission, SHOWN, by=second, now=NOON)
    assert submission.state is SHOWN


def test_an_author_who_screens_decides_nothing_about_their_own(consultation: Consultation) -> None:
    author, first = a_hand(), a_hand()
    own = an_opinion(consultation, account_id=author.id)
    with pytest.raises(Refused, match="您本人提交"):
        proposals.propose(own, Reason.ILLEGAL, by=author, now=NOON)
    proposals.propose(own, Reason.ILLEGAL, by=first, now=NOON)
    db.session.commit()
    with pytest.raises(Refused, match="您本人提交"):
        proposals.confirm(own, by=author, now=NOON)
    with pytest.raises(Refused, match="您本人提交"):
        proposals.send_back(own, by=author, now=NOON)
    with pytest.raises(Refused, match="没有可以一并处理"):
        proposals.confirm_alike(own, by=author, now=NOON)
    db.session.rollback()
    decide(own, HIDDEN)
    appeals.file(own, "请再看一看。", now=NOON)
    with pytest.raises(Refused, match="另一位审核员处理"):
        appeals.uphold(own, "不变。", by=author, now=NOON)


def test_what_is_shown_leaves_the_pages_while_it_is_looked_at_again(
    author: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, FIRST_WORDS)
    decide(submission, SHOWN)
    listed = "/consultations/gangyao/opinions"
    assert FIRST_WORDS in author.get(listed).text
    proposals.propose(submission, Reason.PERSONAL_INFORMATION, by=a_hand(), now=NOON)
    db.session.commit()
    assert submission.state is PENDING
    assert FIRST_WORDS not in author.get(listed).text
    db.session.expire_all()
    assert (consultation.received, consultation.shown) == (1, 0)


def test_many_alike_are_proposed_and_confirmed_together_each_by_two(
    consultation: Consultation,
) -> None:
    first, second = a_hand(), a_hand()
    same = [an_opinion(consultation, FIRST_WORDS) for _ in range(4)]
    proposals.propose(same[0], Reason.ADVERTISEMENT, by=second, now=NOON)
    # Three were left; the one that the second had proposed stays the second's.
    assert proposals.propose_alike(same[1], Reason.ADVERTISEMENT, by=first, now=NOON) == 3
    assert proposals.confirm_alike(same[2], by=second, now=NOON) == 3
    db.session.commit()
    db.session.expire_all()
    assert [each.state for each in same] == [PENDING, HIDDEN, HIDDEN, HIDDEN]


# --- asking the author -----------------------------------------------------------------------


def test_the_author_reads_what_is_missing_and_adds_it(
    author: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, FIRST_WORDS)
    with pytest.raises(Refused, match="写明需要补充什么"):
        screening.decide(submission, ASKED, by=a_hand(), now=NOON)
    screening.decide(submission, ASKED, told="请写明是哪个小区。", by=a_hand(), now=NOON)
    db.session.commit()
    assert "请写明是哪个小区。" in receipt_page(author, submission)
    address = f"/receipts/{submission.receipt}/complete"
    assert author.post(address, data={"words": " "}).status_code == 422
    # Signs answer no question, as they make no opinion.
    signs = author.post(address, data={"words": "。。。。。。"})
    assert signs.status_code == 422
    assert "标点、符号和空格不算" in signs.text
    assert "。。。。。。</textarea>" in signs.text
    assert author.post(address, data={"words": "临汾路380弄。"}).status_code == 302
    db.session.expire_all()
    assert submission.state is PENDING
    assert submission.body == FIRST_WORDS + "\n临汾路380弄。"
    original = db.session.get_one(Original, submission.id)
    added = db.session.scalars(sa.select(Addition)).one()
    assert (original.body, added.body) == (FIRST_WORDS, "临汾路380弄。")
    # Sent again: nothing is added twice, and the words come back.
    again = author.post(address, data={"words": "再补一句。"})
    assert again.status_code == 409
    assert "再补一句。" in again.text
    assert acts(submission)[1:] == ["submission.screened", "submission.completed"]
    decide(submission, SHOWN)
    page = author.get("/consultations/gangyao/opinions").text
    assert FIRST_WORDS in page
    assert "临汾路380弄。" in page


# --- withdrawing -----------------------------------------------------------------------------


@pytest.mark.parametrize("state", [PENDING, SHOWN, HIDDEN, REFERRED, ASKED])
def test_an_author_takes_back_what_they_sent_in_any_state(
    author: FlaskClient, consultation: Consultation, state: submissions.SubmissionState
) -> None:
    submission = an_opinion(consultation, FIRST_WORDS)
    if state is not PENDING:
        decide(submission, state)
    address = f"/receipts/{submission.receipt}/withdraw"
    assert author.post(address, data={}).status_code == 422
    assert author.post(address, data={"confirm": "y"}).status_code == 302
    db.session.expire_all()
    assert submission.state is WITHDRAWN
    assert (consultation.received, consultation.shown) == (1, 0)
    assert submissions.tallies(consultation.id) == {0: (1, 0)}
    page = receipt_page(author, submission)
    assert "您已撤回这件意见" in page
    assert FIRST_WORDS not in page
    assert FIRST_WORDS not in author.get("/consultations/gangyao/opinions").text
    assert author.post(address, data={"confirm": "y"}).status_code == 409
    for act in (
        lambda: decide(submission, SHOWN),
        lambda: decide(submission, HIDDEN),
        lambda: proposals.propose(submission, Reason.ILLEGAL, by=a_hand(), now=NOON),
        lambda: screening.mask(submission, [], by=a_hand(), now=NOON),
    ):
        with pytest.raises(Refused, match="已经撤回"):
            act()
        db.session.rollback()


def test_a_withdrawn_opinion_is_not_read_at_the_desk_either(
    client: FlaskClient, consultation: Consultation
) -> None:
    submission = an_opinion(consultation, FIRST_WORDS)
    screening.withdraw(submission, now=NOON)
    db.session.commit()
    people.sign_in(client, a_hand())
    page = client.get(f"{QUEUE}?state=withdrawn").text
    assert numbers_on(page) == ["第1件"]
    assert FIRST_WORDS not in page


# --- appeals ---------------------------------------------------------------------------------


def test_an_appeal_is_heard_by_neither_of_those_who_decided(
    author: FlaskClient, consultation: Consultation
) -> None:
    first, second, third = a_hand(), a_hand(), a_hand()
    submission = hidden(consultation, first, second)
    address = f"/receipts/{submission.receipt}/appeal"
    assert author.post(address, data={"words": "短"}).status_code == 422
    assert author.post(address, data={"words": "我说的就是第二章。"}).status_code == 302
    for person in (first, second):
        with pytest.raises(Refused, match="须由另一位审核员处理"):
            appeals.uphold(submission, "不变。", by=person, now=NOON)
        with pytest.raises(Refused, match="须由另一位审核员处理"):
            screening.decide(submission, SHOWN, by=person, now=NOON)
        db.session.rollback()
    assert "正在由另一位审核员复核" in receipt_page(author, submission)
    with pytest.raises(Refused, match="向作者说明理由"):
        appeals.uphold(submission, "", by=third, now=NOON)
    db.session.rollback()
    appeals.uphold(submission, "与文稿没有关系。", by=third, now=NOON)
    db.session.commit()
    page = receipt_page(author, submission)
    assert "复核结果：维持原决定。与文稿没有关系。" in page
    assert submission.state is HIDDEN
    # Once a decision.
    again = author.post(address, data={"words": "我还是不同意。"})
    assert again.status_code == 409
    assert "已经提出过异议" in again.text
    assert "我还是不同意。" in again.text
    with pytest.raises(Refused, match="没有待处理的异议"):
        appeals.uphold(submission, "不变。", by=third, now=NOON)
    assert acts(submission)[-2:] == ["submission.appealed", "submission.upheld"]


def test_an_appeal_that_succeeds_shows_the_opinion(
    author: FlaskClient, consultation: Consultation
) -> None:
    submission = hidden(consultation, a_hand(), a_hand())
    appeals.file(submission, "我说的就是第二章。", now=NOON)
    screening.decide(submission, SHOWN, by=a_hand(), now=NOON)
    db.session.commit()
    (appeal,) = appeals.of(submission)
    assert (appeal.outcome, submission.state) == (Outcome.CHANGED, SHOWN)
    assert "复核结果：改变原决定" in receipt_page(author, submission)
    # A new decision may be appealed against anew.
    proposals.propose(submission, Reason.OFF_TOPIC, by=a_hand(), now=NOON)
    proposals.confirm(submission, by=a_hand(), now=NOON)
    appeals.file(submission, "又不展示了。", now=NOON)
    db.session.commit()
    assert len(appeals.of(submission)) == 2


@pytest.mark.parametrize("state", [PENDING, SHOWN, ASKED, WITHDRAWN])
def test_only_a_decision_against_the_author_can_be_appealed(
    consultation: Consultation, state: submissions.SubmissionState
) -> None:
    submission = an_opinion(consultation)
    if state is not PENDING:
        decide(submission, state)
    with pytest.raises(Refused, match="没有可以提出异议的决定"):
        appeals.file(submission, "不同意。", now=NOON)


def test_whoever_withdraws_drops_the_appeal(consultation: Consultation) -> None:
    submission = hidden(consultation, a_hand(), a_hand())
    appeals.file(submission, "我说的就是第二章。", now=NOON)
    screening.withdraw(submission, now=NOON)
    db.session.commit()
    db.session.expire_all()
    assert db.session.scalars(sa.select(Appeal.outcome)).all() == [Outcome.DROPPED]


def test_no_proposal_while_an_appeal_waits(consultation: Consultation) -> None:
    submission = an_opinion(consultation)
    decide(submission, REFERRED)
    appeals.file(submission, "这是建议，不是诉求。", now=NOON)
    with pytest.raises(Refused, match="请先处理异议"):
        proposals.propose(submission, Reason.OFF_TOPIC, by=a_hand(), now=NOON)


# --- the desk --------------------------------------------------------------------------------


def test_the_desk_lists_what_waits_for_a_second_person_and_what_is_appealed(
    client: FlaskClient, consultation: Consultation
) -> None:
    first, second = a_hand(), a_hand()
    proposed(consultation, first)
    submission = hidden(consultation, first, second)
    appeals.file(submission, "我说的就是第二章。", now=NOON)
    db.session.commit()
    people.sign_in(client, second)
    page = client.get(f"{QUEUE}?state=proposed").text
    assert numbers_on(page) == ["第1件"]
    assert "与本次征求意见的文稿无关" in page
    assert 'value="confirm"' in page
    assert numbers_on(client.get(f"{QUEUE}?state=proposed&reason=illegal").text) == []
    assert numbers_on(client.get(f"{QUEUE}?state=proposed&reason=off_topic").text) == ["第1件"]
    page = client.get(f"{QUEUE}?state=appealed").text
    assert numbers_on(page) == ["第2件"]
    assert "我说的就是第二章。" in page
    # Whoever confirmed it reads why it is for somebody else, and finds no button.
    assert "须由另一位审核员处理" in page
    assert 'value="uphold"' not in page
    people.sign_in(client, a_hand())
    assert 'value="uphold"' in client.get(f"{QUEUE}?state=appealed").text
    answer = client.post(
        f"{QUEUE}/{submission.id}", data={"act": "uphold", "told": "理由不变。", "seen": "hidden"}
    )
    assert answer.status_code == 302
    assert numbers_on(client.get(f"{QUEUE}?state=appealed").text) == []
    # Whoever proposed it is not offered to confirm it.
    people.sign_in(client, first)
    page = client.get(f"{QUEUE}?state=proposed").text
    assert 'value="confirm"' not in page
    assert "收回建议" in page


def test_what_waits_longer_than_some_days(
    client: FlaskClient, consultation: Consultation, clock: object
) -> None:
    an_opinion(consultation)
    people.sign_in(client, a_hand())
    assert numbers_on(client.get(f"{QUEUE}?waited=3").text) == []
    clock.forward(days=3)  # type: ignore[attr-defined]
    people.sign_in(client, a_hand())
    assert numbers_on(client.get(f"{QUEUE}?waited=3").text) == ["第1件"]


def test_the_record_names_the_opinion_and_not_its_key(consultation: Consultation) -> None:
    submission = hidden(consultation, a_hand(), a_hand())
    query = sa.select(AuditEvent.thing_name).where(AuditEvent.thing_kind == "submission")
    assert set(db.session.scalars(query)) == {"", "第1件"}
    assert submission.receipt not in str(db.session.scalars(sa.select(AuditEvent.after)).all())


def test_a_look_at_the_original_is_recorded(consultation: Consultation) -> None:
    submission, person = an_opinion(consultation, FIRST_WORDS), a_hand()
    words = originals.look(submission, why="复核", by=person, now=NOON)
    db.session.commit()
    assert words.body == FIRST_WORDS
    event = db.session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "submission.looked_at")
    ).one()
    assert (event.actor_id, event.thing_id, event.reason) == (person.id, submission.id, "复核")
    assert audit.action_name(event.action) == "查看意见原文"
