"""The record of a meeting: points that become opinions, and what of it is public."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import author_groups, points, responses, screening
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from consult.submissions import Channel, Submission, SubmissionState
from core import accounts, audit
from core.db import db
from core.errors import Refused
from panel import ledger, minutes, remarks
from panel.guests import Invitation
from panel.meetings import Meeting, MeetingState
from panel.minutes import MinutePoint
from tests import people
from tests.conftest import NOON
from tests.meetings_made import DAY, a_member, held
from tests.threads import at_once


def test_a_point_becomes_an_opinion_once(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        meeting = held()
        minutes.add(
            meeting, "建议增加社区食堂。", speaker="王小明", part="居民代表", mark=4,
            by=audit.SYSTEM, now=NOON,
        )  # fmt: skip
        db.session.commit()
        people.sign_in(client, people.make("drc_staff"))
    first = client.post("/desk/meetings/minutes/1/send", follow_redirects=True)
    assert "已转为第1件意见" in first.text
    assert (
        "没有重复转入" in client.post("/desk/meetings/minutes/1/send", follow_redirects=True).text
    )
    with app.app_context():
        stored = db.session.scalars(sa.select(Submission)).one()
        assert stored.channel is Channel.MEETING
        assert stored.state is SubmissionState.PENDING
        assert stored.received_on == dt.date(2020, 10, 19)
        assert (stored.public_name, stored.place > 0) == ("", True)
        assert db.session.get_one(MinutePoint, 1).submission_id == stored.id
    data = {"member": "", "body": "改掉的话。", "section": "0"}
    assert client.post("/desk/meetings/minutes/1", data=data).status_code == 409
    assert client.post("/desk/meetings/minutes/1/remove").status_code == 409


def test_a_members_point_counts_for_the_category_of_the_day(app: Flask) -> None:
    with app.app_context():
        meeting = held()
        sat, came_later = a_member(), a_member("钱进", category="相关领域专家")
        # The second was appointed only today, the meeting was yesterday.
        came_later.appointments[0].term_from = NOON.date()
        for member_id in (sat.id, sat.id, came_later.id, None):
            point = minutes.add(
                meeting, f"建议增加社区食堂{len(minutes.of(meeting.id))}。", member_id=member_id,
                by=audit.SYSTEM, now=NOON,
            )  # fmt: skip
            minutes.send(meeting, point, secret="s", by=audit.SYSTEM, now=NOON)
        db.session.commit()
        sent = db.session.scalars(sa.select(Submission).order_by(Submission.id)).all()
        groups = author_groups.titles([sent[0].consultation_id])
        assert groups == {sent[0].id: "社区居民代表", sent[1].id: "社区居民代表"}
        # One person, however often they spoke, and the same as in the rounds.
        assert sent[0].person_key == sent[1].person_key
        assert sent[0].person_key == remarks.person_key("s", sat.id, sat.account_id)
        assert sent[0].person_key != sent[2].person_key
        assert sent[3].person_key is None


def test_a_member_reads_what_became_of_what_they_said_at_a_meeting(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        meeting = held()
        sat, other = a_member(), a_member("钱进")
        for each in (sat, other):
            sent_at = NOON - 8 * DAY
            asked = Invitation(meeting_id=meeting.id, member_id=each.id, basis="指定")
            asked.made_at = asked.sent_at = sent_at
            db.session.add(asked)
        for member, body in (
            (sat, "建议增加社区食堂。"),
            (sat, "只是说说。"),
            (other, "别人的话。"),
        ):
            point = minutes.add(meeting, body, member_id=member.id, by=audit.SYSTEM, now=NOON)
            if body != "只是说说。":
                minutes.send(meeting, point, secret="s", by=audit.SYSTEM, now=NOON)
        db.session.commit()
        person = accounts.by_id(sat.account_id or 0)
        sent = db.session.scalars(sa.select(Submission).order_by(Submission.id)).first()
        assert sent is not None
        consultation = sent.consultation_id
        screening.decide(sent, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        said = points.of(sent.id)
        responses.draft(said, Outcome.PARTLY, "已写进第二稿的养老一节。", by=audit.SYSTEM, now=NOON)
        responses.finalise(said, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        entry = ledger.of_member(sat.id)
        assert entry is not None
        assert (entry.spoken, entry.remarks, entry.answered) == (1, 1, 0)
    people.sign_in(client, person)
    before = client.get("/panel/desk/").text
    assert "建议增加社区食堂。" in before
    assert "养老服务座谈会" in before
    assert "答复尚未公布" in before
    for words in ("只是说说", "别人的话", "已写进第二稿"):
        assert words not in before
    with app.app_context():
        responses.publish(db.session.get_one(Consultation, consultation), by=audit.SYSTEM, now=NOON)
        db.session.commit()
        entry = ledger.of_member(sat.id)
        assert entry is not None
        assert (entry.answered, entry.taken) == (1, 1)
        stage = db.session.get_one(Consultation, consultation).stage
        assert [each.spoken for each in ledger.by_member(stage)] == [1, 1]
        other_stage = next(each for each in stage.programme.stages if each.id != stage.id)
        assert [each.spoken for each in ledger.by_member(other_stage)] == []
    after = client.get("/panel/desk/").text
    assert "已写进第二稿的养老一节。" in after
    assert "部分采纳" in after


def test_a_point_sent_eight_times_at_once_is_one_opinion(app: Flask) -> None:
    with app.app_context():
        meeting = held()
        minutes.add(meeting, "建议增加社区食堂。", by=audit.SYSTEM, now=NOON)
        db.session.commit()
        staff = people.make("drc_staff")
    clients = [app.test_client() for _n in range(4)]
    for client in clients:
        people.sign_in(client, staff)
    codes = at_once(4, lambda n: clients[n].post("/desk/meetings/minutes/1/send").status_code)
    assert set(codes) == {302}
    with app.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Submission.id))) == 1


def test_an_answered_consultation_takes_no_more_points(app: Flask) -> None:
    with app.app_context():
        meeting = held(phase=Phase.ANSWERED)
        point = minutes.add(meeting, "建议增加社区食堂。", by=audit.SYSTEM, now=NOON)
        with pytest.raises(Refused, match="已经反馈"):
            minutes.send(meeting, point, secret="s", by=audit.SYSTEM, now=NOON)


@pytest.mark.parametrize(
    ("is_member", "agreed", "shown"),
    [
        (False, False, "居民代表"),
        (False, True, "王小明（居民代表）"),
        (True, False, "王**（居民代表）"),
        (True, True, "王小明（居民代表）"),
    ],
)
def test_how_a_speaker_is_named_in_public(
    app: Flask, is_member: bool, agreed: bool, shown: str
) -> None:
    with app.test_request_context():
        point = MinutePoint(
            member_id=1 if is_member else None,
            speaker="王小明",
            part="居民代表",
            name_agreed=agreed,
            body="…",
        )
        assert minutes.said_by(point) == shown


def test_a_record_that_is_not_public_stays_inside(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        meeting = held(is_public=False, seats=0)
        minutes.add(meeting, "内部说的话。", by=audit.SYSTEM, now=NOON)
        minutes.publish(meeting, public=False, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        assert meeting.state is MeetingState.RECORDED
    assert client.get("/meetings/1/").status_code == 404
    with app.app_context():
        db.session.execute(sa.update(Meeting).values(record_public=True))
        db.session.commit()
    assert "内部说的话" in client.get("/meetings/1/").text
