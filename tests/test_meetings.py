"""Meetings: from the plan to the record, who may know of them, and the seats for the public."""

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar

from consult import author_groups, points, responses, screening, submissions
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from consult.submissions import Channel, Opinion, Submission, SubmissionState
from core import accounts, audit, consents, sealing
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message
from panel import (
    appointments,
    guests,
    ledger,
    meetings,
    members,
    minutes,
    paper_files,
    papers,
    quotas,
    remarks,
    seats,
)
from panel.guests import Answer, Attendance, Invitation
from panel.meetings import Meeting, MeetingKind, MeetingState, Plan
from panel.members import Member
from panel.minutes import MinutePoint
from panel.views.my_meetings import ticket_for
from tests import hostile_files, people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_programme, a_published_draft
from tests.proofs_made import challenge_of, solved
from tests.threads import at_once

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
PDF = b"%PDF-1.4 paper"


def a_meeting(**more: Any) -> Meeting:
    """A prepared meeting in ten days, public, with two seats; committed."""
    starts_at = more.pop("starts_at", NOON + 10 * DAY)
    facts: dict[str, Any] = {
        "kind": MeetingKind.ROUND_TABLE,
        "title": "养老服务座谈会",
        "starts_at": starts_at,
        "ends_at": starts_at + 2 * HOUR,
        "place": "区机关会议中心",
        "link": "https://meeting.example.invalid/1",
        "chair": "王主任",
        "is_public": True,
        "seats": 2,
        "apply_from": NOON - DAY,
        "apply_until": starts_at - DAY,
    }
    plan = Plan(**(facts | more))
    meeting = meetings.create(a_programme(), plan, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    return meeting


def announced(meeting: Meeting) -> Meeting:
    """The meeting, announced; committed."""
    told = papers.delivered(meeting.id)
    meetings.announce(meeting, delivered=told, by=audit.SYSTEM, now=NOON)
    guests.send(meeting, now=NOON)
    db.session.commit()
    return meeting


def a_member(name: str = "赵敏", **more: Any) -> Member:
    """Somebody with an account who sits now; committed."""
    account = people.make("panel_member", name=name)
    member = members.add(members.Details(name=name), by=audit.SYSTEM, now=NOON)
    programme = a_programme()
    if not quotas.categories(programme.id):
        from consult.programmes import PanelCategory  # noqa: PLC0415 - only where it is missing

        for ordinal, kind in enumerate(("社区居民代表", "相关领域专家"), start=1):
            db.session.add(PanelCategory(programme_id=programme.id, ordinal=ordinal, name=kind))
        db.session.flush()
    term = appointments.Term(
        category=more.pop("category", "社区居民代表"),
        term_from=NOON.date() - 100 * DAY,
        term_to=NOON.date() + 300 * DAY,
        fields=more.pop("fields", ()),
    )
    proposed = appointments.propose(member, programme.id, term, by=audit.SYSTEM, now=NOON)
    appointments.confirm(proposed, by=audit.SYSTEM, today=NOON.date(), now=NOON)
    appointments.link(member, account, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    return member


def asks(client: FlaskClient, meeting_id: int, number: int = 1) -> tuple[int, str]:
    """Ask for a seat by the form; (status, where it leads)."""
    data = {
        "name": "王小明",
        "contact": f"wang{number}@example.cn",
        "consent": "y",
        "form_key": f"key-{number:016}",
    }
    answer = client.post(f"/meetings/{meeting_id}/apply", data=data)
    return answer.status_code, answer.location or ""


def states(meeting_id: int) -> list[str]:
    """The states of all applications, in the order in which they came."""
    db.session.expire_all()
    return [seat.state.value for seat in seats.of(meeting_id)]


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


def test_who_proves_work_may_apply_more_often(app: Flask, client: FlaskClient) -> None:
    app.config["SETTINGS"].proof_of_work_cost = 1000
    with app.app_context():
        announced(a_meeting(seats=100))
    for number in range(1, 11):
        assert asks(client, 1, number)[0] == 302
    code = client.post(
        "/meetings/1/apply",
        data={"name": "李", "contact": "li@example.cn", "consent": "y", "form_key": "z" * 20},
    )
    assert code.status_code == 429
    assert "li@example.cn" in code.text, "what was typed is still there"
    assert "Retry-After" in code.headers
    proof = solved(challenge_of(client, "/meetings/1/apply"))
    data = {"name": "李", "contact": "li@example.cn", "consent": "y", "form_key": "z" * 20}
    assert client.post("/meetings/1/apply", data=data | {"proof": proof}).status_code == 302


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


def test_a_hearing_needs_its_papers_seven_days_before(app: Flask) -> None:
    with app.app_context():
        hearing = a_meeting(kind=MeetingKind.HEARING, starts_at=NOON + 10 * DAY)
        with pytest.raises(Refused, match="还没有材料"):
            announced(hearing)
        late = NOON + 4 * DAY
        for day, now, good in (
            (None, NOON, False),
            (late.date(), late, False),
            ((NOON + 3 * DAY).date(), late, True),
        ):
            paper = papers.add_paper(
                hearing, "稿.pdf", PDF, delivered_on=day, is_public=False, by=audit.SYSTEM, now=now
            )
            told = papers.delivered(hearing.id)
            if good:
                meetings.announce(hearing, delivered=told, by=audit.SYSTEM, now=now)
                break
            with pytest.raises(Refused, match="至少7天"):
                meetings.announce(hearing, delivered=told, by=audit.SYSTEM, now=now)
            papers.remove_paper(hearing, paper, by=audit.SYSTEM, now=now)
        # Once announced, nothing that would come too late is added, and it is not moved nearer.
        with pytest.raises(Refused, match="至少7天"):
            papers.add_paper(
                hearing, "补.pdf", PDF, delivered_on=late.date(), is_public=False,
                by=audit.SYSTEM, now=late,
            )  # fmt: skip
        with pytest.raises(Refused, match="至少7天"):
            meetings.hold(hearing, delivered=[late.date()], by=audit.SYSTEM, now=NOON + 11 * DAY)


@pytest.mark.parametrize("data", [b"MZ program", b"<html>", b"PK\x03\x04broken", b"\x89PNG\r\n"])
def test_a_paper_is_told_by_its_content(app: Flask, data: bytes) -> None:
    with app.app_context(), pytest.raises(Refused, match="只能是"):
        paper_files.kind_of(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            lambda: hostile_files.packed({"word/document.xml": "<w/>", "word/vbaProject.bin": b""}),
            "宏",
        ),
        (lambda: hostile_files.packed({"xl/workbook.xml": "<w/>", "xl/vbaProject.bin": b""}), "宏"),
        (
            lambda: hostile_files.packed(
                {"[Content_Types].xml": "<T/>", "word/document.xml": "<!DOCTYPE a><w/>"}
            ),
            "结构异常",
        ),
        (
            lambda: hostile_files.packed(
                {"[Content_Types].xml": "<T/>", "word/document.xml": " " * 20_000_000}
            ),
            "结构异常",
        ),
    ],
)
def test_a_paper_that_may_do_harm_is_refused(
    app: Flask, data: Callable[[], bytes], why: str
) -> None:
    with app.app_context(), pytest.raises(Refused, match=why):
        paper_files.kind_of(data())


def test_a_paper_is_handed_out_as_a_file_that_may_do_nothing(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        a_meeting()
        people.sign_in(client, people.make("drc_staff"))
    for number, public in ((1, "y"), (2, "")):
        data = {"file": (io.BytesIO(PDF + bytes([number])), "材料.pdf"), "is_public": public}
        client.post("/desk/meetings/1/papers", data=data)
    stranger = app.test_client()
    assert stranger.get("/meetings/papers/1").status_code == 404
    with app.app_context():
        announced(db.session.get_one(Meeting, 1))
    answer = stranger.get("/meetings/papers/1")
    assert answer.data == PDF + b"\x01"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert stranger.get("/meetings/papers/2").status_code == 404


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


# --- guests ---------------------------------------------------------------------------


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


# --- seats ---------------------------------------------------------------------------------


def test_first_come_first_seated_then_a_line_that_moves_up(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    where = [asks(client, 1, number)[1] for number in (1, 2, 3)]
    assert "已取得席位" in client.get(where[0]).text
    assert "前面还有1人候补" in client.get(where[2]).text
    # The same form again is the same application; the same person again is refused.
    assert asks(client, 1, 1)[1] == where[0]
    data = {"name": "王", "contact": "WANG1@example.cn", "consent": "y", "form_key": "q" * 20}
    assert client.post("/meetings/1/apply", data=data).status_code == 409
    with app.app_context():
        assert states(1) == ["seated", "waiting", "waiting"]
    place = where[0].partition("?")[0]
    assert client.post(f"{place}/withdraw", data={}).status_code == 422
    assert client.post(f"{place}/withdraw", data={"confirm": "y"}).status_code == 302
    assert client.post(f"{place}/withdraw", data={"confirm": "y"}).status_code == 409
    with app.app_context():
        assert states(1) == ["withdrawn", "seated", "waiting"]
        gone = seats.of(1)[0]
        assert (gone.sealed_name, gone.sealed_contact, gone.person_key) == (b"", b"", None)
        assert db.session.get_one(Meeting, 1).taken == 1
        subjects = list(db.session.scalars(sa.select(Message.subject)))
        assert subjects == ["您已取得会议席位：养老服务座谈会"]
    found = client.post("/meetings/seats", data={"number": place[-20:].lower()})
    assert found.status_code == 303


def test_name_and_contact_are_sealed_and_forgotten(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        announced(a_meeting())
    asks(client, 1)
    with app.app_context():
        seat = seats.of(1)[0]
        assert "王".encode() not in seat.sealed_name
        assert sealing.unseal(of_site().contact_key, seat.sealed_contact) == "wang1@example.cn"
        assert seat.consent in consents.EVERY
        over = db.session.get_one(Meeting, 1).ends_at
        assert seats.forget(over + 29 * DAY) == 0
        assert seats.forget(over + 31 * DAY) == 1
        assert seats.forget(over + 32 * DAY) == 0
        db.session.commit()
        db.session.expire_all()
        assert seats.of(1)[0].sealed_name == b""
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
    assert "王小明" not in client.get("/desk/meetings/1/attendance").text


def test_names_are_shown_on_the_list_only_when_asked_for_and_that_is_on_record(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        announced(a_meeting())
    asks(app.test_client(), 1)
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
    assert "王小明" not in client.get("/desk/meetings/1/attendance").text
    assert "王小明" in client.post("/desk/meetings/1/names").text
    with app.app_context():
        acts = sa.select(sa.func.count()).where(AuditEvent.action == "seat_request.names_read")
        assert db.session.scalar(acts) == 1
    assert client.get("/desk/meetings/1/code.svg").mimetype == "image/svg+xml"


def test_outside_the_window_nobody_applies(app: Flask, client: FlaskClient, clock: Clock) -> None:
    with app.app_context():
        announced(a_meeting(apply_from=NOON + DAY))
    assert asks(client, 1)[0] == 409
    clock.forward(days=1)
    assert asks(client, 1)[0] == 302
    clock.at = NOON + 9 * DAY
    assert asks(client, 1, 2)[0] == 409


@pytest.mark.parametrize("contact", ["", "王小明", "1380013800", "a@b"])
def test_a_contact_that_cannot_be_reached_is_refused(
    app: Flask, client: FlaskClient, contact: str
) -> None:
    with app.app_context():
        announced(a_meeting())
    data = {"name": "王", "contact": contact, "consent": "y", "form_key": "q" * 20}
    assert client.post("/meetings/1/apply", data=data).status_code == 422


def test_the_last_seat_is_not_given_twice(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    answers = at_once(8, lambda n: asks(app.test_client(), 1, n + 1))
    assert {code for code, _where in answers} == {302}
    with app.app_context():
        assert sorted(states(1)) == ["seated"] + ["waiting"] * 7
        meeting = db.session.get_one(Meeting, 1)
        assert (meeting.taken, meeting.applications) == (1, 8)
        assert sorted(seat.number for seat in seats.of(1)) == list(range(1, 9))


def test_one_form_sent_eight_times_at_once_is_one_application(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    answers = at_once(8, lambda _n: asks(app.test_client(), 1))
    assert len({where for _code, where in answers}) == 1
    with app.app_context():
        assert states(1) == ["seated"]


def test_seats_given_back_at_once_are_each_filled_once(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=2))
    where = [asks(app.test_client(), 1, n)[1].partition("?")[0] for n in range(1, 6)]
    at_once(
        2,
        lambda n: app.test_client().post(f"{where[n]}/withdraw", data={"confirm": "y"}).status_code,
    )
    with app.app_context():
        assert states(1) == ["withdrawn", "withdrawn", "seated", "seated", "waiting"]
        assert db.session.get_one(Meeting, 1).taken == 2


def test_the_database_itself_refuses_an_oversold_meeting(app: Flask) -> None:
    with app.app_context():
        meeting = announced(a_meeting(seats=1))
        meeting.taken = 2
        with pytest.raises(sa.exc.IntegrityError):
            db.session.flush()
        db.session.rollback()


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


# --- the calendar --------------------------------------------------------------------------


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


# --- the record ----------------------------------------------------------------------------


def held(**more: Any) -> Meeting:
    """A meeting that took place yesterday, bound to an open consultation; committed."""
    consultation = a_consultation("gangyao", phase=more.pop("phase", Phase.OPEN))
    a_published_draft(consultation)
    starts_at = NOON - DAY
    meeting = a_meeting(
        starts_at=starts_at,
        consultation_id=consultation.id,
        apply_from=NOON - 9 * DAY,
        apply_until=NOON - 2 * DAY,
        **more,
    )
    meetings.announce(meeting, delivered=[], by=audit.SYSTEM, now=NOON - 8 * DAY)
    meetings.hold(meeting, delivered=[], by=audit.SYSTEM, now=NOON)
    db.session.commit()
    return meeting


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
