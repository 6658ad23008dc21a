"""Meetings: from the plan to the record, who may know of them, and what is called off."""

import datetime as dt

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from consult import submissions
from consult.consultations import Phase
from consult.submissions import Opinion, SubmissionState
from core import accounts, audit
from core.audit import AuditEvent
from core.db import db
from core.outbox import Message
from panel import guests, meetings, papers
from panel.guests import Attendance, Invitation
from panel.meetings import Meeting
from panel.members import Member
from panel.views.my_meetings import ticket_for
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_programme, a_published_draft
from tests.meetings_made import DAY, PDF, a_meeting, a_member, announced, asks

# --- the plan ------------------------------------------------------------------------------


def test_a_meeting_goes_its_way_by_the_forms(app: Flask, client: FlaskClient, clock: Clock) -> None:
    with app.app_context():
        a_programme()
        people.sign_in(client, people.make("drc_staff"))
        sitting = a_member()
        account = accounts.by_id(sitting.account_id or 0)
    data = {
        "kind": "round_table",
        "title": "居民座谈会",
        "starts_at": "2020-10-30T09:30",
        "ends_at": "2020-10-30T11:30",
        "place": "社区中心",
        "chair": "王主任",
        "is_public": "y",
        "seats": "3",
        "admission": "first_come",
        "apply_from": "2020-10-20T00:00",
        "apply_until": "2020-10-29T18:00",
    }
    where = client.post("/desk/meetings/new", data=data).location
    assert where == "/desk/meetings/1"
    assert "居民座谈会" in client.get(where).text
    assert client.get("/meetings/1/").status_code == 404
    client.post("/desk/meetings/1/agenda", data={"title": "听取意见", "about": ""})
    client.post("/desk/meetings/1/guests", data={"rule": "category:0"})
    assert client.post("/desk/meetings/1/announce").status_code == 302
    page = app.test_client().get("/meetings/1/").text
    assert "听取意见" in page
    assert "还有3个席位" in page
    member = app.test_client()
    people.sign_in(member, account)
    assert "居民座谈会" in member.get("/panel/meetings/").text
    data = {"answer": "substitute", "substitute": ""}
    assert member.post("/panel/meetings/1", data=data).status_code == 422
    data["substitute"] = "李四"
    assert member.post("/panel/meetings/1", data=data).status_code == 302
    assert "李四" in client.get("/desk/meetings/1/guests").text
    assert client.post("/desk/meetings/1/hold").status_code == 409
    clock.at = dt.datetime(2020, 10, 30, 1, 40, tzinfo=dt.UTC)
    client = app.test_client()
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
    assert client.post("/desk/meetings/1/hold").status_code == 302
    assert (
        client.post("/desk/meetings/1/attendance", data={"member-1": "substitute"}).status_code
        == 302
    )
    data = {"member": "1", "body": "希望多设社区食堂。", "section": "0", "part": "居民代表"}
    assert client.post("/desk/meetings/1/minutes", data=data).status_code == 302
    assert "希望多设社区食堂" not in app.test_client().get("/meetings/1/").text
    assert client.post("/desk/meetings/1/publish", data={"public": "y"}).status_code == 302
    page = app.test_client().get("/meetings/1/").text
    assert "希望多设社区食堂" in page
    assert "赵**（居民代表）" in page
    assert "赵敏" not in page
    with app.app_context():
        invited = db.session.scalars(sa.select(Invitation)).one()
        assert invited.attendance is Attendance.SUBSTITUTE
        acts = set(db.session.scalars(sa.select(AuditEvent.action)))
        assert {"meeting.created", "meeting.announced", "meeting.held", "meeting.recorded"} <= acts
    assert client.post("/desk/meetings/1/minutes", data=data).status_code == 409


def test_a_plan_that_makes_no_sense_is_refused_with_its_words_kept(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        a_programme()
        people.sign_in(client, people.make("drc_staff"))
    data = {
        "kind": "hearing",
        "title": "听证会",
        "starts_at": "2020-10-30T09:30",
        "ends_at": "2020-10-30T08:30",
        "admission": "draw",
    }
    answer = client.post("/desk/meetings/new", data=data)
    assert answer.status_code == 409
    assert "结束时间应当晚于开始时间" in answer.text
    assert "2020-10-30T09:30" in answer.text
    answer = client.post("/desk/meetings/new", data=data | {"link": "javascript:alert(1)"})
    assert answer.status_code == 422
    assert "以https://开头" in answer.text


def test_what_is_refused_leaves_the_form_as_it_was_typed(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        meeting = announced(a_meeting())
        people.sign_in(client, people.make("drc_staff"))
    plan = {
        "kind": "round_table",
        "title": "改过的会议名称",
        "starts_at": "2020-10-29T09:30",
        "ends_at": "2020-10-29T11:30",
        "place": "改过的地点",
        "chair": "王主任",
        "is_public": "y",
        "seats": "0",
        "admission": "draw",
        "apply_from": "2020-10-20T00:00",
        "apply_until": "2020-10-28T18:00",
    }
    answer = client.post("/desk/meetings/1/edit", data=plan)
    assert answer.status_code == 409
    for typed in ("改过的会议名称", "改过的地点", "2020-10-29T09:30", "席位办法不能再改"):
        assert typed in answer.text
    with app.app_context():
        assert db.session.get_one(Meeting, 1).title == "养老服务座谈会"
        meetings.cancel(db.session.get_one(Meeting, 1), "场地维修", by=audit.SYSTEM, now=NOON)
        db.session.commit()
    answer = client.post("/desk/meetings/1/agenda", data={"title": "想加的议程", "about": ""})
    assert (answer.status_code, "想加的议程" in answer.text) == (409, True)
    point = {"member": "", "section": "0", "part": "居民代表", "body": "打好的发言要点"}
    answer = client.post("/desk/meetings/1/minutes", data=point)
    assert (answer.status_code, "打好的发言要点" in answer.text) == (409, True)
    assert "居民代表" in answer.text
    data = {"name": "王小明", "contact": "wang@example.cn", "consent": "y", "form_key": "k" * 20}
    answer = app.test_client().post("/meetings/1/apply", data=data)
    assert (answer.status_code, "wang@example.cn" in answer.text) == (409, True)
    assert meeting is not None


def test_an_item_of_the_agenda_speaks_of_opinion_points(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation(programme=a_programme(), phase=Phase.OPEN)
        version = a_published_draft(consultation)
        for number, state in enumerate((SubmissionState.SHOWN, SubmissionState.PENDING), start=1):
            opinion = Opinion(body=f"第{number}条意见的文字在这里。", version_id=version.id)
            submissions.receive(
                consultation,
                opinion,
                once_key=submissions.once_key(str(number), opinion),
                state=state,
                by=audit.SYSTEM,
                now=NOON,
                on_day=NOON.date(),
            )
        meeting = announced(a_meeting(consultation_id=consultation.id))
        other = a_meeting(place="同一天的另一处")
        db.session.commit()
        assert [each.id for each in meetings.same_time(meeting)] == [other.id]
        people.sign_in(client, people.make("drc_staff"))
    for typed in ("3", "1-7", "一", "1-1-1"):
        data = {"title": "听取意见", "about": "", "points": typed}
        answer = client.post("/desk/meetings/1/agenda", data=data)
        assert (answer.status_code, f"没有找到“{typed}”" in answer.text) == (422, True)
    data = {"title": "听取意见", "about": "", "points": "1-1，2"}
    assert client.post("/desk/meetings/1/agenda", data=data).status_code == 302
    desk = client.get("/desk/meetings/1").text
    assert "第1条意见的文字" in desk
    assert "第2条意见的文字" in desk
    assert "时间冲突" in desk
    public = app.test_client().get("/meetings/1/").text
    assert "第1条意见的文字" in public
    assert "第2条意见的文字" not in public, "what is not shown is not shown here either"
    assert client.post("/desk/meetings/agenda/1/remove").status_code == 302
    data = {"title": "听取意见", "about": "", "points": "1"}
    assert client.post("/desk/meetings/2/agenda", data=data).status_code == 422


# --- nothing leaks --------------------------------------------------------------------------


def test_what_is_not_announced_does_not_exist(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        member = a_member()
        meeting = a_meeting(title="不能先知道的会")
        papers.add_paper(
            meeting, "内部.pdf", PDF, delivered_on=None, is_public=True, by=audit.SYSTEM, now=NOON
        )
        guests.invite(meeting, [member], "指定", by=audit.SYSTEM, now=NOON)
        private = announced(a_meeting(title="内部会议", is_public=False, seats=0))
        db.session.commit()
        account = accounts.by_id(member.account_id or 0)
        ticket = ticket_for(meeting.id)
        assert not db.session.scalars(sa.select(Message)).all()
    people.sign_in(client, account)
    for visitor in (app.test_client(), client):
        for number in (meeting.id, private.id):
            for page in ("", "apply", "meeting.ics"):
                assert visitor.get(f"/meetings/{number}/{page}").status_code == 404
            assert asks(visitor, number)[0] == 404
        assert visitor.get("/meetings/papers/1").status_code == 404
        listed = visitor.get("/meetings/").text
        assert "不能先知道的会" not in listed
        assert "内部会议" not in listed
    assert "不能先知道的会" not in client.get("/panel/meetings/").text
    assert "不能先知道的会" not in client.get("/panel/meetings/meetings.ics").text
    for page in ("1", "papers/1", f"check-in/{ticket}", "2"):
        assert client.get(f"/panel/meetings/{page}").status_code == 404


def test_who_no_longer_sits_sees_none_of_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        member = a_member()
        meeting = a_meeting()
        guests.invite(meeting, [member], "指定", by=audit.SYSTEM, now=NOON)
        announced(meeting)
        people.sign_in(client, accounts.by_id(member.account_id or 0))
    assert client.get("/panel/meetings/1").status_code == 200
    with app.app_context():
        appointment = db.session.get_one(Member, 1).appointments[0]
        appointment.term_to = NOON.date() - DAY
        db.session.commit()
    assert client.get("/panel/meetings/1").status_code == 403


def test_the_address_of_a_video_meeting_is_for_those_who_come(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    first, second = asks(client, 1, 1)[1], asks(client, 1, 2)[1]
    assert "meeting.example.invalid" not in client.get("/meetings/1/").text
    assert "meeting.example.invalid" not in client.get("/meetings/1/meeting.ics").text
    assert "meeting.example.invalid" in client.get(first).text
    assert "meeting.example.invalid" not in client.get(second).text


# --- called off ----------------------------------------------------------------------------


def test_called_off_with_a_reason_that_everybody_is_told(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        announced(a_meeting())
        staff = people.make("drc_staff")
    asks(client, 1)
    people.sign_in(client, staff)
    assert client.post("/desk/meetings/1/cancel", data={"reason": ""}).status_code == 422
    assert client.post("/desk/meetings/1/cancel", data={"reason": "场地停电"}).status_code == 302
    assert "场地停电" in app.test_client().get("/meetings/1/").text
    with app.app_context():
        message = db.session.scalars(sa.select(Message)).one()
        assert "场地停电" in message.body
    event = Calendar.from_ical(client.get("/meetings/1/meeting.ics").data).walk("VEVENT")[0]
    assert (str(event["STATUS"]), int(event["SEQUENCE"])) == ("CANCELLED", 1)
    assert client.post("/desk/meetings/1/announce").status_code == 409
