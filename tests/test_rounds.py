"""Review rounds: who is asked, what they say and sign, when it joins the public stream."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

from consult import (
    adoption,
    answering,
    author_groups,
    drafts,
    points,
    programmes,
    responses,
    structure,
    submissions,
)
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from consult.submissions import Channel
from core import accounts, audit
from core.accounts import Account
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.web import local
from panel import (
    ledger,
    members,
    quotas,
    remarks,
    review_ledger,
    review_reminders,
    reviews,
    round_running,
    round_sheets,
    round_texts,
    round_upkeep,
    rounds,
)
from panel.members import Member
from panel.reviews import Answer, Overtaken, Said, Verdict
from panel.rounds import ReviewRound, RoundPhase
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft
from tests.databases import EMPTY, Filling
from tests.panels_made import BY, DAY, NAMES, THREE_MEMBERS, a_round, first, letters, signed, stream
from tests.rounds_made import DUE, a_prepared_round, a_review, an_open_round


@pytest.fixture
def filling(request: pytest.FixtureRequest) -> Filling:
    return THREE_MEMBERS if "panel" in request.fixturenames else EMPTY


@pytest.fixture
def panel(app: Flask) -> list[Account]:
    """The accounts of the three members."""
    with app.app_context():
        return list(db.session.scalars(sa.select(Account).order_by(Account.id)))


# --- preparing and opening --------------------------------------------------------------------


@pytest.mark.usefixtures("panel")
def test_whom_a_round_asks(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        assert {each.name for each in rounds.invitations(made)} == set(NAMES)
        version = rounds.version_of(made)
        assert version is not None
        kinds = quotas.categories(made.programme_id)
        one = an_open_round(version, categories=[kinds[1]])
        assert [each.name for each in rounds.invitations(one)] == ["王小明"]
        chosen = next(e.member_id for e in rounds.invitations(made) if e.name == "张芳")
        both = an_open_round(version, categories=[kinds[1]], members=[chosen])
        assert len(rounds.invitations(both)) == 2
        with pytest.raises(Refused, match="没有符合条件"):
            an_open_round(version, categories=["没有这一类"])


@pytest.mark.usefixtures("panel")
def test_the_words_are_fixed_when_it_opens(app: Flask) -> None:
    with app.app_context():
        consultation = a_consultation(
            "gangyao", phase=Phase.PREPARING, programme=programmes.by_slug("jingan-14")
        )
        version = a_prepared_draft(consultation)
        made = an_open_round(version)
        before = [section.title for section in round_texts.text_of(made).sections]
        assert before == ["第一章 总体要求", "第一节 养老服务"]
        structure.discard(version, by=BY, now=NOON)
        db.session.commit()
        round_texts._kept_text.cache_clear()
        assert [section.title for section in round_texts.text_of(made).sections] == before
        signed(first(made))
        again = a_prepared_round(a_prepared_draft(consultation))
        second = rounds.version_of(again)
        assert second is not None
        structure.discard(second, by=BY, now=NOON)
        with pytest.raises(Refused, match="已经删除"):
            round_running.open_round(again, on_day=local(NOON).date(), by=BY, now=NOON)


@pytest.mark.usefixtures("panel")
def test_time_is_extended_for_all_and_for_one(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        one = first(made)
        round_running.extend(made, DUE + DAY, invitation=one, reason="出差", by=BY, now=NOON)
        assert (one.due(), first(made, 1).due(), made.closes_at) == (DUE + DAY, DUE, DUE + DAY)
        round_running.extend(made, DUE + 2 * DAY, reason="材料较多", by=BY, now=NOON)
        assert one.due() == DUE + 2 * DAY
        with pytest.raises(Refused, match="只能延长"):
            round_running.extend(made, DUE, reason="x", by=BY, now=NOON)
        assert made.phase(DUE + 2 * DAY) is RoundPhase.CLOSED
        round_running.extend(made, DUE + 9 * DAY, reason="补交", by=BY, now=DUE + 3 * DAY)
        assert made.phase(DUE + 3 * DAY) is RoundPhase.OPEN
        actions = [each.action for each in rounds.log_of(made)]
        assert actions.count("review_round.extended") == 3
        assert all(each.reason for each in rounds.log_of(made)[2:])


# --- saying and signing ---------------------------------------------------------------------------


@pytest.mark.usefixtures("panel")
def test_a_draft_is_kept_once_and_never_overwritten_unseen(app: Flask) -> None:
    with app.app_context():
        one = first(a_round())
        section = round_texts.text_of(one.round).sections[0]
        said = Said(Verdict.AGREE, "很好。", {})
        for _again in range(2):
            review = reviews.save_section(one, section, said, seen=0, now=NOON)
        assert review.edition == 1
        with pytest.raises(Overtaken):
            reviews.save_section(one, section, Said(Verdict.NONE, "别的", {}), seen=0, now=NOON)
        unchanged = {section.entries[0].mark: section.entries[0].text}
        reviews.save_section(one, section, Said(None, "", unchanged), seen=1, now=NOON)
        assert review.wording == {}
        reviews.save_answers(one, ["甲", ""], "乙", seen=0, now=NOON)
        reviews.save_answers(one, ["甲", ""], "乙", seen=0, now=NOON)
        with pytest.raises(Overtaken):
            reviews.save_answers(one, ["丙", ""], "乙", seen=0, now=NOON)


@pytest.mark.usefixtures("panel")
def test_signing_locks_keeps_and_can_be_taken_back_until_it_is_due(app: Flask) -> None:
    with app.app_context():
        one = first(a_round())
        section = round_texts.text_of(one.round).sections[0]
        assert reviews.answer_of(one) is Answer.SILENT
        reviews.save_section(one, section, Said(Verdict.DISAGREE, "", {}), seen=0, now=NOON)
        with pytest.raises(Refused, match="要写明意见"):
            reviews.sign(one, name=one.name, by=BY, now=NOON)
        reviews.save_section(one, section, Said(Verdict.DISAGREE, "不妥", {}), seen=1, now=NOON)
        with pytest.raises(Refused, match="姓名"):
            reviews.sign(one, name="别人", by=BY, now=NOON)
        signature = reviews.sign(one, name=one.name, rest_is_none=True, by=BY, now=NOON)
        assert signature.digest == reviews.digest_of(signature.content) == one.digest
        assert signature.content["sections"][1]["verdict"] == "none"
        assert reviews.answer_of(one) is Answer.REMARKS
        with pytest.raises(Refused, match="已经签署"):
            reviews.save_section(one, section, Said(None, "改", {}), seen=2, now=NOON)
        with pytest.raises(Refused, match="已经签署"):
            reviews.sign(one, name=one.name, by=BY, now=NOON)
        reviews.withdraw(one, by=BY, now=DUE - dt.timedelta(seconds=1))
        assert reviews.answer_of(one) is Answer.SILENT
        reviews.sign(one, name=one.name, by=BY, now=DUE - dt.timedelta(seconds=1))
        history = reviews.signatures_of(one)
        assert [bool(each.withdrawn_at) for each in history] == [True, False]
        with pytest.raises(Refused, match="截止"):
            reviews.withdraw(one, by=BY, now=DUE)


@pytest.mark.usefixtures("panel")
def test_nothing_but_agreement_is_no_remark(app: Flask) -> None:
    with app.app_context():
        one = first(a_round())
        section = round_texts.text_of(one.round).sections[0]
        reviews.save_section(one, section, Said(Verdict.AGREE, "", {}), seen=0, now=NOON)
        reviews.sign(one, name=one.name, rest_is_none=True, by=BY, now=NOON)
        assert reviews.answer_of(one) is Answer.NO_REMARKS


@pytest.mark.usefixtures("panel")
def test_an_interest_closes_the_section(app: Flask) -> None:
    with app.app_context():
        one = first(a_round())
        section = round_texts.text_of(one.round).sections[0]
        reviews.save_section(one, section, Said(Verdict.AGREE, "好", {}), seen=0, now=NOON)
        reviews.declare_interest(one, section, "本人的企业在此", by=BY, now=NOON)
        with pytest.raises(Refused, match="利益关系"):
            reviews.save_section(one, section, Said(Verdict.AGREE, "好", {}), seen=2, now=NOON)
        reviews.sign(one, name=one.name, rest_is_none=True, by=BY, now=NOON)
        count = round_sheets.sheet(one.round).counts[0]
        assert (count.interests, sum(count.verdicts.values()), count.silent) == (1, 0, 2)


# --- release and the public stream --------------------------------------------------------------------


@pytest.mark.usefixtures("panel")
def test_signed_remarks_join_the_public_stream_at_the_release_once(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        signed(first(made))
        a_review(first(made, 1))  # never signed
        consultation = made.consultation
        assert stream(consultation) == []
        with pytest.raises(Refused, match="还没有截止"):
            remarks.release(made, secret="s", by=BY, now=NOON)
        assert remarks.release(made, secret="s", by=BY, now=DUE) == 4
        assert remarks.deliver(made, secret="s", by=BY, now=DUE) == 0
        db.session.commit()
        found = stream(consultation)
        assert {each.channel for each in found} == {Channel.PANEL}
        version = drafts.published(consultation)
        assert version is not None
        by_mark = drafts.outline(version).by_mark
        places = [each.place for each in found]
        assert places == [by_mark[1].id, by_mark[2].id, submissions.WHOLE, submissions.WHOLE]
        assert found[0].public_name == submissions.masked(first(made).name)
        assert found[0].title == "修改后同意：第一章 总体要求"
        spoken_for = author_groups.titles([consultation.id])
        assert spoken_for == {each.id: first(made).category for each in found}
        assert found[1].body.startswith("建议改为：坚持人民城市")
        db.session.refresh(consultation)
        assert (consultation.received, consultation.shown) == (4, 4)
        page = app.test_client().get("/search?q=牵头单位").get_data(as_text=True)
        assert "建议写明" in page
        member = members.of_account(found[0].account_id)
        assert member is not None
        assert len(remarks.of_member(member.id)) == 4
        line = review_ledger.of_member(member.id)
        assert line is not None
        assert (line.asked, line.opened, line.signed, line.remarks, line.rate) == (1, 1, 1, 4, 100)


@pytest.mark.usefixtures("panel")
def test_without_names_nobody_is_named(app: Flask) -> None:
    with app.app_context():
        made = a_round(by_name=False)
        for place in range(3):
            signed(first(made, place))
        remarks.release(made, secret="s", by=BY, now=DUE)
        assert {each.public_name for each in stream(made.consultation)} == {""}


@pytest.mark.usefixtures("panel")
def test_words_with_personal_information_wait_for_a_screening(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        one = first(made)
        section = round_texts.text_of(made).sections[0]
        said = Said(Verdict.AMEND, "请联系赵女士，电话13800138000。", {})
        reviews.save_section(one, section, said, seen=0, now=NOON)
        reviews.save_answers(one, ["适当。", ""], "", seen=0, now=NOON)
        reviews.sign(one, name=one.name, by=BY, now=NOON)
        assert remarks.release(made, secret="s", by=BY, now=DUE) == 2
        assert remarks.waiting(made) == 1
        db.session.commit()
        states = {each.title: each.state for each in stream(made.consultation)}
        assert sorted(state.value for state in states.values()) == ["pending", "shown"]
        db.session.refresh(made.consultation)
        assert (made.consultation.received, made.consultation.shown) == (2, 1)
        assert "13800138000" not in app.test_client().get(
            "/consultations/gangyao/opinions"
        ).get_data(as_text=True)


def test_the_desk_tells_what_became_of_remarks_once_it_is_published(
    app: Flask, panel: list[Account], clock: Clock
) -> None:
    with app.app_context():
        made = a_round()
        one = first(made)
        signed(one)
        remarks.release(made, secret="s", by=BY, now=DUE)
        member = members.of_account(panel[0].id)
        assert member is not None
        account = next(each for each in panel if each.name == one.name)
        submission = stream(made.consultation)[0]
        point = points.of(submission.id)[0]
        responses.draft([point], Outcome.PARTLY, "牵头单位写进了第二稿的正文。", by=BY, now=DUE)
        responses.finalise([point], by=BY, now=DUE)
        db.session.commit()
        entry = ledger.of_member(one.member_id)
        assert entry is not None
        assert (entry.answered, entry.taken) == (0, 0)
    clock.at = DUE
    client = app.test_client()
    people.sign_in(client, account)
    before = client.get("/panel/desk/").get_data(as_text=True)
    assert "牵头单位写进了" not in before
    assert "答复尚未公布" in before
    with app.app_context():
        responses.publish(
            db.session.get_one(Consultation, submission.consultation_id), by=BY, now=DUE
        )
        db.session.commit()
        entry = ledger.of_member(one.member_id)
        assert entry is not None
        assert (entry.answered, entry.taken, entry.reviews.remarks) == (1, 1, 4)
        stage = db.session.get_one(ReviewRound, made.id).consultation.stage
        assert [each.id for each in ledger.stages()] == [stage.id]
        assert [each.taken for each in ledger.by_member(stage)] == [1, 0, 0]
    after = client.get("/panel/desk/").get_data(as_text=True)
    assert "牵头单位写进了第二稿的正文" in after
    assert "部分采纳" in after


@pytest.mark.usefixtures("panel")
def test_the_ledger_says_whom_a_member_stood_for_when_last_asked(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        one, kinds = first(made), quotas.categories(made.programme_id)
        # Whichever of the two words is the greater one.
        for former, latter in ((kinds[0], kinds[1]), (kinds[1], kinds[0])):
            one.category = former
            version = rounds.version_of(made)
            assert version is not None
            again = an_open_round(version, members=[one.member_id])
            first(again).category = latter
            db.session.commit()
            line = review_ledger.of_member(one.member_id)
            assert line is not None
            assert line.category == latter
        assert line.asked == 3


@pytest.mark.usefixtures("panel")
def test_remarks_wait_until_their_words_are_public(app: Flask, clock: Clock) -> None:
    member = app.test_client()
    clock.at = DUE
    with app.app_context():
        consultation = a_consultation(
            "gangyao", phase=Phase.OPEN, programme=programmes.by_slug("jingan-14")
        )
        a_published_draft(consultation)
        version = a_prepared_draft(consultation)
        made = an_open_round(version)
        signed(first(made))
        assert remarks.release(made, secret="s", by=BY, now=DUE) is None
        db.session.commit()
        round_upkeep.deliver(DUE)
        assert stream(consultation) == []
        asked = db.session.get_one(Member, first(made).member_id)
        people.sign_in(member, accounts.by_id(asked.account_id or 0))
        page = f"/panel/reviews/{made.id}"
        told = member.get(page).get_data(as_text=True)
        assert "您签署的意见进入公众意见" in told
        assert "文稿公开以前，文稿和意见请勿外传" in told
        assert review_ledger.by_round(released_only=True) == []
        drafts.publish(version, by=BY, now=DUE)
        db.session.commit()
        assert round_upkeep.deliver(DUE) == 1
        assert round_upkeep.deliver(DUE) == 0
        db.session.commit()
        assert {each.version_id for each in stream(consultation)} == {version.id}
        told = member.get(page).get_data(as_text=True)
        assert "意见等待公开" not in told
        assert "请勿外传" not in told
        assert len(review_ledger.by_round(released_only=True)) == 1


def test_remarks_after_the_feedback_are_told_and_end_in_a_new_edition(
    app: Flask, panel: list[Account], clock: Clock
) -> None:
    clock.at = later = DUE + 30 * DAY
    client = app.test_client()
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
        made = a_round()
        signed(first(made))
        consultation = made.consultation
        answering.answer(consultation, feedback="都已答复。", site="", by=BY, now=later)
        db.session.commit()
        found, slug = made.id, consultation.slug
    assert "并入的咨询团意见" not in client.get("/desk/").get_data(as_text=True)
    page = f"/desk/rounds/{found}"
    told = client.post(f"{page}/release", data=people.token(client, page), follow_redirects=True)
    said = told.get_data(as_text=True)
    assert "再发布新一版采纳情况表" in said
    assert "还有4个意见点没有定稿的答复" in said
    address = f"/consultations/{slug}/points?channel=panel"
    assert address in client.get("/desk/").get_data(as_text=True)
    with app.app_context():
        body = db.session.scalars(
            sa.select(Message.body).where(Message.subject.startswith("反馈公布后又有意见"))
        ).one()
        assert address in body
        consultation = db.session.get_one(ReviewRound, found).consultation
        opened = [point for each in stream(consultation) for point in points.of(each.id)]
        responses.draft(
            opened, Outcome.KEPT_FOR_STUDY, "已经记下，供下一稿参考。", by=BY, now=later
        )
        responses.finalise(opened, by=BY, now=later)
        db.session.commit()
    assert f"/consultations/{slug}/adoption" in client.get("/desk/").get_data(as_text=True)
    with app.app_context():
        consultation = db.session.get_one(ReviewRound, found).consultation
        other = audit.COMMAND_LINE
        report = adoption.propose(consultation, note="补入咨询团意见。", by=other, now=later)
        adoption.release(report, consultation, site="", by=BY, now=later)
        db.session.commit()
    assert "并入的咨询团意见" not in client.get("/desk/").get_data(as_text=True)


@pytest.mark.usefixtures("panel")
def test_reminders_go_once_and_never_to_who_signed(app: Flask) -> None:
    with app.app_context():
        made = a_round()
        signed(first(made))
        round_upkeep.remind(NOON)
        assert letters() == []
        for left, expected in ((7, 2), (6, 2), (2, 4), (1, 4), (0, 6)):
            at = DUE - left * DAY - dt.timedelta(hours=1)
            round_upkeep.remind(at)
            round_upkeep.remind(at)
            db.session.commit()
            assert len(letters()) == expected, left
        assert review_reminders.stage_of(first(made), DUE - DAY) is None
        assert review_reminders.stage_of(first(made, 1), DUE) is None
