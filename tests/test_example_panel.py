"""The panel of the built-in example: what its file of rounds and meetings brings about."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask

import panel.example
from consult import consultations, drafts, example, programme_files
from consult.programmes import Programme
from consult.submissions import Channel, Submission, SubmissionState
from core import accounts, audit
from core.accounts import Account
from core.db import db
from core.errors import Refused
from panel import guests, members, papers, remarks, reviews, rounds, seats
from panel.calls import Call
from panel.meetings import Meeting, MeetingKind, MeetingState
from panel.reviews import Answer
from panel.rounds import ReviewRound, RoundPhase
from tests import people
from tests.conftest import NOON
from tests.world import PROGRAMME

KIND = "社区居民代表"


@pytest.fixture
def loaded(app: Flask) -> Flask:
    """The site with its example, loaded at noon."""
    with app.app_context():
        example.load(now=NOON)
        panel.example.load(now=NOON)
        db.session.commit()
    return app


def test_every_page_of_the_panel_has_something_true_to_show(loaded: Flask) -> None:
    with loaded.app_context():
        found = {each.id: each for each in rounds.every()}
        phases = [each.phase(NOON) for each in found.values()]
        assert sorted(phase.value for phase in phases) == ["open", "prepared", "released"]
        for each in found.values():
            if each.phase(NOON) is not RoundPhase.PREPARED:
                answers = {reviews.answer_of(one) for one in rounds.invitations(each)}
                assert answers == set(Answer)
        released = next(e for e in found.values() if e.phase(NOON) is RoundPhase.RELEASED)
        _the_remarks_are_in_the_stream(released)
        _the_meetings_are_of_every_kind()
        _the_member_has_something_to_do()
    assert not panel_is_missing(loaded)


def panel_is_missing(app: Flask) -> bool:
    with app.app_context():
        return panel.example.is_missing()


def _the_remarks_are_in_the_stream(released: ReviewRound) -> None:
    query = sa.select(Submission).where(Submission.channel == Channel.PANEL)
    found = db.session.scalars(query).all()
    assert len(found) > 10
    assert {each.state for each in found} == {SubmissionState.SHOWN}
    assert {each.consultation_id for each in found} == {released.consultation_id}
    # Whoever said several things is one person, with an account or without.
    signed = [each for each in rounds.invitations(released) if each.has_remarks]
    people_there = {each.person_key for each in found}
    assert None not in people_there
    assert len(people_there) <= len(signed) < len(found)
    consultation = released.consultation
    db.session.refresh(consultation)
    assert consultation.received == len(
        db.session.scalars(
            sa.select(Submission.id).where(Submission.consultation_id == consultation.id)
        ).all()
    )
    # What was proposed has become the words of the next version.
    newest = drafts.published(consultation)
    assert newest is not None
    text = "\n".join(entry.text for entry in drafts.outline(newest).entries)
    assert "设两年的居民监督期" in text


def _the_meetings_are_of_every_kind() -> None:
    found = db.session.scalars(sa.select(Meeting)).all()
    assert {each.kind for each in found} == set(MeetingKind)
    assert {MeetingState.ANNOUNCED, MeetingState.HELD, MeetingState.RECORDED} <= {
        each.state for each in found
    }
    assert any(each.record_public for each in found)
    taking = [each for each in found if each.takes_applications(NOON)]
    assert len(taking) == 2
    assert all(0 < len(seats.of(each.id)) < each.seats for each in taking)
    hearing = next(each for each in found if each.kind is MeetingKind.HEARING)
    last = hearing.starts_at.date() - dt.timedelta(days=7)
    assert all(day is not None and day <= last for day in papers.delivered(hearing.id))
    for meeting in found:
        people_there = [each.member_id for each in guests.of(meeting.id)]
        assert not guests.conflicts(meeting, people_there)


def _the_member_has_something_to_do() -> None:
    account = accounts.by_email("member@example.invalid")
    member = members.of_account(account.id if account else None)
    assert member is not None
    waiting = [each for each in rounds.invitations_of(member) if each.may_write(NOON)]
    assert len(waiting) == 1
    assert len(remarks.of_member(member.id)) >= 5
    unanswered = [
        each
        for each in guests.of_member([member.id])
        if each.answer is guests.Answer.NONE and each.meeting.starts_at > NOON
    ]
    assert unanswered


def test_the_desk_and_the_public_pages_show_it(loaded: Flask) -> None:
    member = loaded.test_client()
    people.sign_in(member, "member@example.invalid", password=accounts.DEMO_PASSWORD)
    desk = member.get("/panel/desk/").get_data(as_text=True)
    assert "请审阅《静安区“十四五”规划纲要（征求意见稿）》" in desk
    assert "居住条件改善座谈会" in member.get("/panel/meetings/").get_data(as_text=True)
    visitor = loaded.test_client()
    public = visitor.get("/meetings/").get_data(as_text=True)
    assert "家门口的养老和托育" in public
    assert "居住条件改善座谈会" not in public
    assert "专家咨询会" not in public
    totals = visitor.get("/panel/rounds/").get_data(as_text=True)
    assert "思路框架" in totals
    assert "请专家审阅主要指标" not in totals
    with loaded.app_context():
        assert consultations.by_slug("silu-kuangjia") is not None


def test_an_earlier_database_gets_the_parts_it_lacks_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def rounds_made(_programme: Programme, _now: dt.datetime) -> None:
        done.append("rounds")

    def refused(programme: Programme, now: dt.datetime) -> None:
        panel.example.quotas.plan(programme.id, KIND, 77, by=audit.SYSTEM, now=now)
        raise Refused("不再合适。")

    with app.app_context():
        programme_files.load(PROGRAMME, by=audit.SYSTEM, now=NOON)
        db.session.execute(sa.update(Programme).values(example=True))
        accounts.add_demonstration(now=NOON)
        parts = {Call: refused, ReviewRound: rounds_made, Meeting: rounds_made}
        monkeypatch.setattr(panel.example, "PARTS", parts)
        panel.example.load(now=NOON)
        seated = db.session.scalar(sa.select(sa.func.count(members.Member.id)))
        assert panel.example.is_missing()
        panel.example.load(now=NOON)
        # Whoever sits already is not appointed again, and what was refused leaves nothing behind.
        assert db.session.scalar(sa.select(sa.func.count(members.Member.id))) == seated
        assert 77 not in db.session.scalars(sa.select(panel.example.quotas.Seat.planned)).all()
        assert done == ["rounds"] * 4
        monkeypatch.setattr(panel.example, "PARTS", {Account: rounds_made})
        panel.example.load(now=NOON)
        assert (len(done), panel.example.is_missing()) == (4, False)
