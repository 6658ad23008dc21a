"""Review rounds: who is asked, what they say and sign, when it joins the public stream."""

import datetime as dt
import io
import re

import pytest
import sqlalchemy as sa
from docx import Document
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from consult import (
    adoption,
    answering,
    author_groups,
    consultations,
    drafts,
    points,
    programme_files,
    programmes,
    responses,
    structure,
    submissions,
)
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from consult.submissions import Channel, Submission
from core import audit
from core.accounts import Account
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.web import local
from panel import (
    appointments,
    ledger,
    members,
    quotas,
    remarks,
    review_ledger,
    review_reminders,
    reviews,
    round_papers,
    round_running,
    round_sheets,
    round_texts,
    round_upkeep,
    rounds,
)
from panel.reviews import Answer, Overtaken, Said, Verdict
from panel.rounds import Invitation, ReviewRound, RoundPhase
from tests import people, world
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft
from tests.databases import EMPTY, Filling
from tests.rounds_made import DUE, a_prepared_round, a_review, an_open_round
from tests.test_races import at_once

BY = audit.SYSTEM
DAY = dt.timedelta(days=1)
SOON = NOON + dt.timedelta(minutes=20)
NAMES = ("李文", "王小明", "张芳")


def fill(app: Flask) -> None:
    """Three members who sit today, each with an account; the programme is the built-in one."""
    app.config["CLOCK"] = lambda: NOON
    with app.app_context():
        programme_files.load(world.PROGRAMME, by=BY, now=NOON)
        db.session.commit()
        programme = programmes.by_slug("jingan-14")
        assert programme is not None
        kinds = quotas.categories(programme.id)
        for number, name in enumerate(NAMES):
            account = people.make("panel_member", email=f"m{number}@example.invalid", name=name)
            member = members.add(members.Details(name=name), by=BY, now=NOON)
            term = appointments.Term(
                category=kinds[number % 2],
                term_from=local(NOON).date() - DAY,
                term_to=local(NOON).date() + 900 * DAY,
                fields=("g1",) if number == 2 else (),
            )
            appointment = appointments.propose(member, programme.id, term, by=BY, now=NOON)
            appointments.confirm(appointment, by=BY, today=local(NOON).date(), now=NOON)
            appointments.link(member, account, by=BY, now=NOON)
        db.session.commit()


@pytest.fixture
def filling(request: pytest.FixtureRequest) -> Filling:
    return ("three members", fill) if "panel" in request.fixturenames else EMPTY


@pytest.fixture
def panel(app: Flask) -> list[Account]:
    """The accounts of the three members."""
    with app.app_context():
        return list(db.session.scalars(sa.select(Account).order_by(Account.id)))


def a_round(phase: Phase = Phase.OPEN, **plan: object) -> ReviewRound:
    """An open round on a published draft."""
    consultation = a_consultation("gangyao", phase=phase, programme=programmes.by_slug("jingan-14"))
    return an_open_round(a_published_draft(consultation), **plan)


def first(review_round: ReviewRound, place: int = 0) -> Invitation:
    return rounds.invitations(review_round)[place]


def signed(invitation: Invitation, *, now: dt.datetime = NOON) -> None:
    a_review(invitation, now=now)
    reviews.sign(invitation, name=invitation.name, by=BY, now=now)
    db.session.commit()


def stream(consultation: Consultation) -> list[Submission]:
    query = sa.select(Submission).where(Submission.consultation_id == consultation.id)
    return list(db.session.scalars(query.order_by(Submission.id)))


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
def test_remarks_wait_until_their_words_are_public(app: Flask) -> None:
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
        assert review_ledger.by_round(released_only=True) == []
        drafts.publish(version, by=BY, now=DUE)
        db.session.commit()
        assert round_upkeep.deliver(DUE) == 1
        assert round_upkeep.deliver(DUE) == 0
        db.session.commit()
        assert {each.version_id for each in stream(consultation)} == {version.id}
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


# --- reminders ----------------------------------------------------------------------------------------


def letters() -> list[str]:
    return list(db.session.scalars(sa.select(Message.subject).order_by(Message.id)))


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


# --- the sheet ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("panel")
def test_the_sheet_adds_up_in_every_form(app: Flask) -> None:
    with app.app_context():
        made = a_round(title="=审阅")
        signed(first(made))
        one = first(made, 1)
        section = round_texts.text_of(made).sections[0]
        reviews.save_section(one, section, Said(Verdict.AGREE, "", {}), seen=0, now=NOON)
        sheet = round_sheets.sheet(made)
        for count in sheet.counts:
            assert sum(count.numbers) == sheet.invited == 3
        assert sheet.whole == [0, 1, 0, 0, 1, 4]
        # Two categories: one of a single member, who signed, and one of two, who did not.
        assert [(kind.invited, kind.count.numbers) for kind in round_sheets.kinds(made)] == [
            (1, [0, 1, 0, 0, 1, 0]),
            (2, [0, 0, 0, 0, 0, 4]),
        ]
        assert "未达到" in round_sheets.quorum_words(made, sheet)
        assert [row.marks for row in sheet.rows] == [["改", "避"], ["", ""], ["", ""]]
        book = CalamineWorkbook.from_filelike(round_sheets.workbook(made, now=NOON))
        grid = book.get_sheet_by_index(0).to_python()
        assert grid[0][0] == "'=审阅"
        assert grid[4][4:6] == ["改", "避"]
        totals = book.get_sheet_by_index(1).to_python()
        assert totals[1][1:] == [0, 1, 0, 0, 0, 2]
        assert book.get_sheet_by_index(2).to_python()[2][1:] == [2, 0, 0, 0, 0, 0, 4]
        paper = Document(io.BytesIO(round_sheets.document(made, now=NOON).getvalue()))
        members_table = paper.tables[1]
        assert [row.cells[1].text for row in members_table.rows][1:] == [
            each.name for each in rounds.invitations(made)
        ]
        assert round_sheets.sheet(made, limit=1).last is not None


# --- the papers ------------------------------------------------------------------------------------------


def test_papers_reach_those_who_are_asked_and_nobody_else(app: Flask, panel: list[Account]) -> None:
    with app.app_context():
        version = rounds.version_of(a_round())
        assert version is not None
        chosen = members.of_account(panel[0].id)
        assert chosen is not None
        prepared = a_prepared_round(version, members=[chosen.id])
        number = prepared.id
        office_account = people.make("drc_staff")
    office, asked, other = app.test_client(), app.test_client(), app.test_client()
    for client, account in ((office, office_account), (asked, panel[0]), (other, panel[1])):
        people.sign_in(client, account)

    def send(data: bytes, name: str = "测算说明.pdf") -> int:
        file = {"file": (io.BytesIO(data), name)}
        return office.post(f"/desk/rounds/{number}/papers", data=file).status_code

    assert send(b"%PDF-1.4 one") == 302
    assert send(b"MZ program", "测算说明.pdf") == 409
    assert send(b"") == 422
    assert "测算说明.pdf" in office.get(f"/desk/rounds/{number}").get_data(as_text=True)
    address = "/panel/reviews/papers/1"
    assert asked.get(address).status_code == 404, "not before it is opened"
    office.post(f"/desk/rounds/{number}/open")
    assert "测算说明.pdf" in asked.get(f"/panel/reviews/{number}").get_data(as_text=True)
    answer = asked.get(address)
    assert answer.data == b"%PDF-1.4 one"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert other.get(address).status_code == 404
    assert asked.get("/panel/reviews/papers/99").status_code == 404
    for there in (address, "/panel/reviews/papers/99"):
        assert app.test_client().get(there).status_code == 303
    assert office.post("/desk/rounds/papers/1/remove").status_code == 409
    assert send(b"%PDF-1.4 two") == 302, "more may come while members read"
    with app.app_context():
        found = db.session.get_one(ReviewRound, number)
        round_running.close(found, reason="完成", by=BY, now=NOON)
        db.session.commit()
    assert send(b"%PDF-1.4 three") == 409
    office.post("/desk/rounds/new")
    with app.app_context():
        again = a_prepared_round(version)
        round_papers.add(again, "x.pdf", b"%PDF-1.4 x", by=BY, now=NOON)
        rounds.delete(again, by=BY, now=NOON)
        db.session.commit()
        assert len(round_papers.of(number)) == 2


# --- many at once -----------------------------------------------------------------------------------------


def at_the_round(app: Flask, panel: list[Account]) -> tuple[int, list[tuple[FlaskClient, str]]]:
    """An open round in which everybody has a draft; its number, and each member signed in."""
    with app.app_context():
        made = a_round()
        for invitation in rounds.invitations(made):
            a_review(invitation)
        number = made.id
    there = []
    for account in panel:
        client = app.test_client()
        people.sign_in(client, account)
        there.append((client, account.name))
    return number, there


def signs(client: FlaskClient, number: int, name: str) -> int:
    data = {"name": name, "rest": "y"}
    return client.post(f"/panel/reviews/{number}/sign", data=data).status_code


def test_signed_twice_at_once_is_signed_once(app: Flask, panel: list[Account]) -> None:
    number, there = at_the_round(app, panel)
    client, name = there[0]
    clients = [client, *(app.test_client() for _ in range(5))]
    for other in clients[1:]:
        people.sign_in(other, panel[0])
    codes = at_once(6, lambda n: signs(clients[n], number, name))
    assert sorted(codes) == [302] + [409] * 5
    with app.app_context():
        one = next(e for e in rounds.invitations(rounds_by(number)) if e.name == name)
        assert len(reviews.signatures_of(one)) == 1
        assert one.digest == reviews.digest_of(reviews.signatures_of(one)[0].content)


def test_signing_while_the_office_closes_and_releases(app: Flask, panel: list[Account]) -> None:
    """Whoever is told that it was signed is in the release; whoever is refused is not."""
    number, there = at_the_round(app, panel)
    office = app.test_client()
    with app.app_context():
        account = people.make("drc_staff")
    people.sign_in(office, account)

    def act(place: int) -> int:
        if place == len(there):
            closed = office.post(f"/desk/rounds/{number}/close", data={"reason": "提前结束"})
            released = office.post(f"/desk/rounds/{number}/release")
            return max(closed.status_code, released.status_code)
        client, name = there[place]
        return signs(client, number, name)

    *codes, office_code = at_once(len(there) + 1, act)
    assert office_code == 302
    assert set(codes) <= {302, 409}
    _what_was_acknowledged_counts(app, number, there, codes)


def test_signing_at_the_closing_second(app: Flask, panel: list[Account], clock: Clock) -> None:
    """The hand of the clock passes the due moment while members sign."""
    clock.at = DUE - dt.timedelta(microseconds=1)
    number, there = at_the_round(app, panel)

    def act(place: int) -> int:
        if place == len(there):
            clock.at = DUE
            return 302
        client, name = there[place]
        return signs(client, number, name)

    *codes, _moved = at_once(len(there) + 1, act)
    assert set(codes) <= {302, 409}
    clock.at = DUE
    for (client, name), code in zip(there, codes, strict=True):
        if code == 409:
            assert signs(client, number, name) == 409
    with app.app_context():
        released = rounds_by(number)
        for one in rounds.invitations(released):
            assert one.signed_at is None or one.signed_at < DUE
        remarks.release(released, secret="s", by=BY, now=DUE)
        db.session.commit()
    _what_was_acknowledged_counts(app, number, there, codes)


def rounds_by(number: int) -> ReviewRound:
    return db.session.get_one(ReviewRound, number)


def _what_was_acknowledged_counts(
    app: Flask, number: int, there: list[tuple[FlaskClient, str]], codes: list[int]
) -> None:
    acknowledged = {name for (_client, name), code in zip(there, codes, strict=True) if code == 302}
    with app.app_context():
        released = rounds_by(number)
        found = rounds.invitations(released)
        assert {each.name for each in found if each.signed_at is not None} == acknowledged
        for each in found:
            assert len(reviews.signatures_of(each)) == (each.name in acknowledged)
        assert len(stream(released.consultation)) == 4 * len(acknowledged)
        consultation = released.consultation
        db.session.refresh(consultation)
        assert consultation.received == 4 * len(acknowledged)


# --- on the pages ---------------------------------------------------------------------------------------


def test_a_member_reviews_and_signs_by_the_pages(
    app: Flask, panel: list[Account], clock: Clock
) -> None:
    with app.app_context():
        made = a_round(due_at=SOON)
        number, name = made.id, first(made).name
        account = next(each for each in panel if each.name == name)
    client = app.test_client()
    people.sign_in(client, account)
    base = f"/panel/reviews/{number}"
    assert base in client.get("/panel/desk/").get_data(as_text=True)
    assert client.get(f"{base}/text").status_code == 404
    assert client.post(f"{base}/open").location == f"{base}/text"
    assert "填写本节意见" in client.get(f"{base}/text").get_data(as_text=True)
    form = {"verdict": "amend", "words": "建议写明牵头单位。", "seen": "0"}
    wording = {"wording_2": "坚持人民城市为人民。", "wording_3": ""}
    saved = client.post(f"{base}/sections/1", data=form | wording)
    assert saved.location == f"{base}/sections/5"
    shown = client.get(f"{base}/sections/1").get_data(as_text=True)
    assert "<del>" in shown
    other = client.post(f"{base}/sections/1", data=form | {"words": "另一个窗口写的"})
    page = other.get_data(as_text=True)
    assert other.status_code == 409
    assert "另一个窗口写的" in page
    assert "建议写明牵头单位" in page
    assert 'name="seen" type="hidden" value="1"' in page
    client.post(f"{base}/questions", data={"answer_0": "适当", "overall": "赞成", "seen": "0"})
    assert client.get(f"{base}/sign").status_code == 200
    wrong = client.post(f"{base}/sign", data={"name": "别人"})
    assert wrong.status_code == 422
    assert client.get(f"{base}/others").status_code == 404
    clock.at = SOON
    late = client.post(f"{base}/sign", data={"name": name})
    assert late.status_code == 409
    assert "截止" in late.get_data(as_text=True)
    assert "建议写明牵头单位" in late.get_data(as_text=True)
    lost = client.post(f"{base}/sections/1", data=form | {"words": "迟到的话", "seen": "1"})
    assert lost.status_code == 409
    assert "迟到的话" in lost.get_data(as_text=True)
    clock.at = SOON - dt.timedelta(seconds=1)
    assert client.post(f"{base}/sign", data={"name": name, "rest": "y"}).location == base
    assert "SHA-256" in client.get(base).get_data(as_text=True)
    client.post(f"{base}/withdraw")
    client.post(f"{base}/sign", data={"name": name, "rest": "y"})
    with app.app_context():
        released = db.session.get_one(ReviewRound, number)
        remarks.release(released, secret="s", by=BY, now=SOON)
        db.session.commit()
    clock.at = SOON
    assert "建议写明牵头单位" in client.get(f"{base}/others").get_data(as_text=True)
    assert "修改后同意：第一章 总体要求" in client.get("/panel/desk/").get_data(as_text=True)


def test_a_seat_that_ends_closes_the_review(app: Flask, panel: list[Account]) -> None:
    with app.app_context():
        made = a_round()
        number = made.id
        member = members.of_account(panel[0].id)
        assert member is not None
    client = app.test_client()
    people.sign_in(client, panel[0])
    assert client.get(f"/panel/reviews/{number}").status_code == 200
    with app.app_context():
        seat = appointments.seat_of(panel[0].id, local(NOON).date())
        assert seat is not None
        appointments.end(
            seat,
            on_day=local(NOON).date(),
            reason="调离",
            by=BY,
            today=local(NOON).date(),
            now=NOON,
        )
        db.session.commit()
    assert client.get(f"/panel/reviews/{number}").status_code == 303  # signed out at once
    people.sign_in(client, panel[0])
    assert client.get(f"/panel/reviews/{number}").status_code == 404


def test_the_office_runs_a_round_by_the_pages(
    app: Flask, panel: list[Account], clock: Clock
) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao", programme=programmes.by_slug("jingan-14"))
        version = a_published_draft(consultation).id
        officer = people.make("drc_staff")
        last = (local(NOON) + 8 * DAY).date()
    client = app.test_client()
    people.sign_in(client, officer)
    form = {
        "version": str(version),
        "title": "请审阅纲要",
        "explanation": "请看养老。",
        "questions": "目标适当吗？\n\n还缺什么？",
        "due": last.isoformat(),
        "by_name": "yes",
        "quorum": "2",
    }
    wrong = client.post("/desk/rounds/new", data=form | {"names": "没有此人"})
    assert wrong.status_code == 422
    assert "没有在任成员叫" in wrong.get_data(as_text=True)
    where = client.post("/desk/rounds/new", data=form | {"names": "李文"}).location
    assert "将发给1位成员" in client.get(where).get_data(as_text=True)
    edited = client.post(f"{where}/edit", data=form | {"names": "李文、王小明"})
    assert edited.location == where
    assert client.post(f"{where}/open").location == where
    assert client.post(f"{where}/open").status_code == 409
    with app.app_context():
        assert letters() == ["请您审阅：请审阅纲要"] * 2
        third = members.of_account(panel[2].id)
        assert third is not None
        added = {"member": str(third.id), "why": "熟悉情况"}
        one = str(db.session.scalars(sa.select(Invitation.id)).first())
    assert client.post(f"{where}/members", data=added).location == where
    client.post(f"{where}/chase")
    client.post(f"{where}/chase")
    later = {"who": one, "last": (last + DAY).isoformat(), "reason": "出差"}
    assert client.post(f"{where}/extend", data=later).location == where
    with app.app_context():
        assert len(letters()) == 2 + 1 + 3 + 1
        for each in db.session.scalars(sa.select(Invitation)).all()[:2]:
            signed(each)
    assert client.post(f"{where}/release").status_code == 409
    assert client.post(f"{where}/close", data={"reason": "都已签署"}).location == where
    assert client.post(f"{where}/release").location == where
    page = client.get(where).get_data(as_text=True)
    assert "已达到" in page
    for ending in ("sheet", "sheet.xlsx", "sheet.docx"):
        assert client.get(f"{where}/{ending}").status_code == 200
    public = app.test_client().get("/panel/rounds/").get_data(as_text=True)
    assert "请审阅纲要" in public
    assert not any(name in public for name in NAMES)


def test_who_has_no_account_is_named_and_never_said_to_be_told(
    app: Flask, panel: list[Account]
) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao", programme=programmes.by_slug("jingan-14"))
        made = a_prepared_round(a_published_draft(consultation))
        where = f"/desk/rounds/{made.id}"
        officer = people.make("drc_staff")
        for account in panel[1:]:
            db.session.get_one(Account, account.id).active = False
        db.session.commit()
    client = app.test_client()
    people.sign_in(client, officer)
    assert "有2位成员还没有账号" in client.get(where).get_data(as_text=True)
    opened = client.post(f"{where}/open", follow_redirects=True).get_data(as_text=True)
    assert "受邀3位，通知了1位" in opened
    assert "有2位成员还没有账号" in opened
    with app.app_context():
        found = db.session.get_one(ReviewRound, int(where.rpartition("/")[2]))
        for each in rounds.invitations(found):
            if members.of_account(panel[0].id) == db.session.get(members.Member, each.member_id):
                signed(each)
    refused = client.post(f"{where}/chase")
    assert refused.status_code == 409
    assert "催办送不到" in refused.get_data(as_text=True)
    longer = {"who": "", "last": (local(DUE) + DAY).date().isoformat(), "reason": "出差"}
    assert client.post(f"{where}/extend", data=longer).location == where
    assert re.search(r"（2020-10-\d\d 24:00改为|改为2020-10-\d\d 24:00）", client.get(where).text)


# --- what leaks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "person", [each for each in world.PEOPLE if each not in ("drc_staff", "administrator")]
)
def test_nothing_of_a_hidden_round_reaches_anybody_else(databases: object, person: str) -> None:
    """Every address and every link, as every kind of person: not a word of the round on a version
    that is not public, nor of a review that is not released."""
    from tests import crawl  # noqa: PLC0415
    from tests.databases import close  # noqa: PLC0415

    place = databases.copy("world", world.fill)  # type: ignore[attr-defined]
    app = place.site(CLOCK=lambda: world.NOON, TESTING=False)
    client: FlaskClient = world.sign_in(app, person)
    client.checks = False
    found = []
    for address, answer in crawl.walk(app, client, most=400):
        text = answer.get_data(as_text=True) if answer.mimetype.startswith("text") else ""
        if world.SECRET in text and not re.match("/desk/audit", address):
            found.append(address)
    with app.app_context():
        numbers = list(db.session.scalars(sa.select(ReviewRound.id).order_by(ReviewRound.id)))
        consultation = consultations.by_slug(world.OPEN)
        assert consultation is not None
        open_remarks = [each for each in stream(consultation) if "建议写明牵头单位" in each.body]
    assert open_remarks == []
    for number in [*numbers[2:], 999]:
        for ending in ("", "/text", "/sections/1", "/questions", "/sign", "/others"):
            code = client.get(f"/panel/reviews/{number}{ending}").status_code
            assert code == (303 if person in ("anonymous", "deactivated") else 404), (
                number,
                ending,
            )
    close(app)
    databases.discard(place)  # type: ignore[attr-defined]
    assert not found
