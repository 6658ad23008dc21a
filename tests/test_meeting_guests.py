"""Who is invited to a meeting: once, told, seen at the door, with a calendar of their own."""

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from core import accounts, audit
from core.audit import AuditEvent
from core.db import db
from core.outbox import Message
from panel import guests, meetings
from panel.guests import Answer, Attendance
from panel.meetings import Meeting, Plan
from panel.members import Member
from panel.views.my_meetings import ticket_for
from tests import people
from tests.conftest import NOON
from tests.meetings_made import DAY, HOUR, a_meeting, a_member, announced


def test_invited_once_whatever_rule_names_them_and_told_when_it_is_announced(app: Flask) -> None:
    with app.app_context():
        one, two = a_member("赵敏", fields=["t1"]), a_member("钱进", category="相关领域专家")
        meeting = a_meeting()
        count = guests.invite(meeting, [one], "类别", by=audit.SYSTEM, now=NOON)
        assert (count, guests.of_member([one.id])) == (1, [])
        assert guests.invite(meeting, [one, two], "全体", by=audit.SYSTEM, now=NOON) == 1
        announced(meeting)
        assert len(db.session.scalars(sa.select(Message)).all()) == 2
        assert [each.meeting_id for each in guests.of_member([one.id])] == [meeting.id]
        # Moved: told again; sent twice: told once.
        plan = Plan(
            kind=meeting.kind, title=meeting.title, starts_at=meeting.starts_at + DAY,
            ends_at=meeting.ends_at + DAY, place=meeting.place, chair=meeting.chair,
            is_public=True, seats=2, apply_from=meeting.apply_from, apply_until=meeting.apply_until,
        )  # fmt: skip
        assert meetings.edit(meeting, plan, delivered=[], by=audit.SYSTEM, now=NOON)
        for _twice in range(2):
            guests.tell_all(meeting, "会议安排有变动", now=NOON)
        assert len(db.session.scalars(sa.select(Message)).all()) == 4
        assert meeting.sequence == 1


def test_two_meetings_at_one_time_are_shown_as_a_conflict(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        member = a_member()
        one, two = a_meeting(title="甲会"), a_meeting(title="乙会")
        three = a_meeting(title="丙会", starts_at=NOON + 20 * DAY)
        for meeting in (one, two, three):
            guests.invite(meeting, [member], "指定", by=audit.SYSTEM, now=NOON)
            announced(meeting)
        found = guests.conflicts(one, [member.id])
        assert [other.title for other in found[member.id]] == ["乙会"]
        assert guests.conflicts(three, [member.id]) == {}
        people.sign_in(client, accounts.by_id(member.account_id or 0))
    assert "时间冲突" in client.get("/panel/meetings/1").text
    assert "时间冲突" not in client.get("/panel/meetings/3").text
    with app.app_context():
        four = a_meeting(title="丁会", starts_at=NOON + 20 * DAY)
        guests.invite(four, [db.session.get_one(Member, 1)], "指定", by=audit.SYSTEM, now=NOON)
        db.session.commit()
        # The office sees that it would clash; the member cannot know of it before it is announced.
        assert guests.conflicts(db.session.get_one(Meeting, 3), [1])[1][0].title == "丁会"
    for page in ("/panel/meetings/3", "/panel/meetings/", "/panel/desk/"):
        assert "丁会" not in client.get(page).text
    with app.app_context():
        invited = guests.of(1)[0]
        guests.answer(invited, Answer.DECLINE, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        second = db.session.get_one(Meeting, 2)
        assert guests.conflicts(second, [1]) == {}


def test_the_code_at_the_door_only_shows_a_button(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        member, other = a_member(), a_member("钱进")
        meeting = a_meeting(starts_at=NOON + HOUR, apply_until=NOON + HOUR)
        guests.invite(meeting, [member], "指定", by=audit.SYSTEM, now=NOON)
        announced(meeting)
        address = f"/panel/meetings/check-in/{ticket_for(meeting.id)}"
        people.sign_in(client, accounts.by_id(member.account_id or 0))
        stranger = app.test_client()
        people.sign_in(stranger, accounts.by_id(other.account_id or 0))
    assert "确认签到" in client.get(address).text
    with app.app_context():
        assert guests.of(1)[0].checked_in_at is None
    assert stranger.get(address).status_code == stranger.post(address).status_code == 404
    assert client.post(address + "x").status_code == 404
    assert client.post(address).status_code == client.post(address).status_code == 302
    with app.app_context():
        invited = guests.of(1)[0]
        assert (invited.attendance, invited.checked_in_at) == (Attendance.PRESENT, NOON)
        acts = sa.select(sa.func.count()).where(AuditEvent.action == "invitation.checked_in")
        assert db.session.scalar(acts) == 1


def test_a_members_calendar_holds_every_meeting_with_its_hour(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        member = a_member()
        for title in ("甲会；,\n", "乙会"):
            meeting = a_meeting(title=title)
            guests.invite(meeting, [member], "指定", by=audit.SYSTEM, now=NOON)
            announced(meeting)
        people.sign_in(client, accounts.by_id(member.account_id or 0))
    calendar = Calendar.from_ical(client.get("/panel/meetings/meetings.ics").data)
    events = calendar.walk("VEVENT")
    assert len({str(event["UID"]) for event in events}) == 2
    for event in events:
        assert event["DTSTART"].dt == NOON + 10 * DAY
        assert event["DTEND"].dt - event["DTSTART"].dt == 2 * HOUR
        assert "meeting.example.invalid" in event["DESCRIPTION"]
    assert calendar.walk("VTIMEZONE")
