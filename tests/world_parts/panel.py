"""The panel of the world: members, applications, meetings and review rounds in every state."""

import datetime as dt
from typing import Any

from consult import drafts
from consult.programmes import Programme
from consult.readers import tables
from core import accounts, audit, consents, sealing, units, uploads
from core.config import of_site
from core.db import db
from core.web import local
from panel import (
    applications,
    appointments,
    calls,
    guests,
    interests,
    lots,
    meetings,
    member_imports,
    member_rows,
    members,
    minutes,
    papers,
    quotas,
    remarks,
    reviews,
    round_papers,
    round_running,
    rounds,
    seats,
    selections,
    targets,
)
from panel.applications import Refusal
from panel.appointments import Objection
from panel.meetings import Admission, Meeting, MeetingKind, Plan
from panel.seats import SeatRequest
from tests import rounds_made
from tests.conftest import NOON
from tests.world_parts.known import CLOSED, OPEN, PREPARING, SECRET, consultation_at, email


def fill_panel(programme: Programme) -> None:
    """Members in every state; the account of the panel's member sits today."""
    account = accounts.by_email(email("panel_member"))
    kinds = quotas.categories(programme.id)
    unit = units.every()[0]
    day = local(NOON).date()
    made = []
    for number, name in enumerate(("李文", "王小明", "张芳", "陈刚", "单雪", "欧阳明")):
        member = members.add(
            members.Details(
                name=name,
                gender=list(members.Gender)[number % 2],
                birth_year=1960 + number * 5,
                unit_text="区建筑设计院工程师",
                contact=f"li{number}@example.cn",
                is_name_public=number % 2 == 0,
            ),
            by=audit.SYSTEM,
            now=NOON,
        )
        made.append(member)
        appointment = appointments.propose(
            member,
            programme.id,
            appointments.Term(
                category=kinds[number % len(kinds)],
                term_from=day - dt.timedelta(days=100),
                term_to=day + dt.timedelta(days=1000),
                fields=("g1",),
                sub_district="彭浦镇",
                recommended_by_unit_id=unit.id,
            ),
            by=audit.SYSTEM,
            now=NOON,
        )
        if number == 5:
            continue
        if number == 4:
            appointments.refuse(
                appointment, Objection.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON
            )
            continue
        appointments.confirm(appointment, by=audit.SYSTEM, today=day, now=NOON)
        if number == 3:
            appointments.end(
                appointment,
                on_day=day,
                reason="工作调动",
                successor=made[2],
                by=audit.SYSTEM,
                today=day,
                now=NOON,
            )
    assert account is not None
    appointments.link(made[0], account, by=audit.SYSTEM, now=NOON)
    interests.declare(made[0], "在区内一家建筑设计单位任职。", by=audit.SYSTEM, now=NOON)
    for kind in kinds:
        quotas.plan(programme.id, kind, 4, by=audit.SYSTEM, now=NOON)
    wanted = {(targets.Way.FIELD, "g1"): 9, (targets.Way.PLACE, "彭浦镇"): 9}
    targets.plan(programme.id, wanted, by=audit.SYSTEM, now=NOON)


def fill_applications(programme: Programme) -> None:
    """Calls in every state; applications and recommendations in every state."""
    kinds, unit = quotas.categories(programme.id), units.every()[0]
    made = []
    for number in range(3):
        notice = calls.Notice(
            title="公开征集社区居民代表",
            about="请熟悉社区情况、愿意参与的居民申请。",
            categories=kinds,
            places=["彭浦镇"] if number == 1 else [],
            opens_at=NOON - dt.timedelta(days=3),
            closes_at=NOON + dt.timedelta(days=20),
        )
        made.append(calls.prepare(programme.id, notice, by=audit.SYSTEM, now=NOON))
    for call in made[:2]:
        calls.open_(call, by=audit.SYSTEM, now=NOON)
    for number in range(8):
        person = applications.Person(
            name=f"申请人{number}",
            contact=f"applicant{number}@example.cn",
            birth_year=1970,
            unit_text="居委会",
        )
        wish = applications.Wish(
            category=kinds[number % len(kinds)],
            statement="在社区服务多年，熟悉养老和停车方面的情况。",
            fields=("g1",),
            sub_district="彭浦镇",
            is_adult=True,
            tie=list(applications.Tie)[number % 2],
            is_name_public=number % 2 == 0,
        )
        more: dict[str, Any] = {
            "key": f"application-{number}",
            "person_key": f"applicant{number}",
            "consent": consents.PANEL.version,
            "by": audit.RESIDENT,
            "now": NOON,
        }
        if number >= 6:
            found = applications.recommend(programme.id, unit.id, person, wish, **more)
        else:
            found = applications.receive(made[number % 2], person, wish, **more)
        if number in (1, 3, 5, 7):
            selections.shortlist(found, "专长对口。", by=audit.SYSTEM, now=NOON)
        if number == 2:
            applications.withdraw(found, by=audit.RESIDENT, now=NOON)
        if number == 4:
            selections.refuse(
                found, Refusal.OTHERS_NEARER, "本次名额有限。", by=audit.SYSTEM, now=NOON
            )
        if number in (3, 7):
            day = local(NOON).date()
            appointment = selections.propose(
                found,
                term_from=day,
                term_to=day + dt.timedelta(days=700),
                by=audit.SYSTEM,
                now=NOON,
            )
            if number == 7:
                appointments.refuse(
                    appointment, Objection.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON
                )
    later = made[0].closes_at + dt.timedelta(days=10)
    calls.prolong(made[0], later, "报名人数还不够。", by=audit.SYSTEM, now=NOON)
    calls.close(made[1], "名额已经招满。", by=audit.SYSTEM, now=NOON)
    _lists(programme, kinds[0])
    db.session.commit()


def _lists(programme: Programme, kind: str) -> None:
    """A list of members that waits for its columns, and one that was brought in."""
    data = f"姓名,类别\n赵敏,{kind}\n,{kind}\n".encode()
    day = local(NOON).date()
    for done in (False, True):
        started = member_imports.begin(
            programme.id,
            filename="名单.csv",
            data=data,
            stored_as=uploads.keep(data),
            by=audit.SYSTEM,
            now=NOON,
        )
        if done:
            member_imports.bring_in(
                started,
                tables.read(data, filename="名单.csv"),
                {"name": "姓名", "category": "类别"},
                member_rows.Known(
                    categories=[kind],
                    topics={},
                    units={},
                    term_from=day,
                    term_to=day + dt.timedelta(days=100),
                    today=day,
                ),
                by=audit.SYSTEM,
                now=NOON,
            )


def fill_meetings(programme: Programme) -> None:
    """A public meeting that is announced, with everything; one held by draw, with another seed
    than was first named, and recorded; one whose list waits for its seed; one that nobody outside
    the desk knows of; one that was called off."""
    hour, day = dt.timedelta(hours=1), dt.timedelta(days=1)

    def planned(title: str, starts_at: dt.datetime, **more: object) -> Meeting:
        facts: dict[str, object] = {
            "kind": MeetingKind.DISCUSSION,
            "title": title,
            "starts_at": starts_at,
            "ends_at": starts_at + 2 * hour,
            "field_id": programme.discussion_fields[0].id,
            "topic": "社区养老",
            "consultation_id": consultation_at(OPEN).id,
            "about": "请大家谈谈社区养老怎么办。",
            "place": "区机关会议中心",
            "link": "https://meeting.example.invalid/1",
            "chair": "王主任",
            "is_public": True,
            "seats": 1,
            "apply_from": NOON - 20 * day,
            "apply_until": starts_at - hour,
        }
        plan = Plan(**{**facts, **more})
        return meetings.create(programme, plan, by=audit.SYSTEM, now=NOON - 20 * day)

    def asks(meeting: Meeting, number: int, now: dt.datetime) -> SeatRequest:
        key = of_site().contact_key
        return seats.apply(
            meeting,
            sealed_name=sealing.seal(key, "王小明"),
            sealed_contact=sealing.seal(key, f"wang{number}@example.cn"),
            person_key=f"{meeting.id}-{number}",
            key=f"seat-{meeting.id}-{number}",
            consent=consents.MEETING.version,
            by=audit.RESIDENT,
            now=now,
        )

    member = members.of_account(accounts.by_email(email("panel_member")).id)
    assert member is not None
    coming = planned("养老服务座谈会", NOON + 5 * day, kind=MeetingKind.ROUND_TABLE)
    was = planned("发展大讨论：社区养老怎么办", NOON - 5 * day, admission=Admission.DRAW)
    hidden = planned("筹备中的会", NOON + 9 * day)
    off = planned("不开了的会", NOON + 8 * day)
    waits = planned(
        "等种子的会", NOON + 7 * day, admission=Admission.DRAW, apply_until=NOON - 6 * day
    )
    for meeting in (coming, was, hidden, off, waits):
        version = drafts.published(consultation_at(OPEN))
        papers.add_item(meeting, "讨论第二章", version=version, mark=4, by=audit.SYSTEM, now=NOON)
        data = b"%PDF-1.4 paper"
        uploads.keep_by_content(data)
        papers.add_paper(
            meeting,
            "材料.pdf",
            data,
            delivered_on=(NOON - 19 * day).date(),
            is_public=True,
            by=audit.SYSTEM,
            now=NOON,
        )
        guests.invite(meeting, [member], "全体成员", by=audit.SYSTEM, now=NOON)
        if meeting is hidden:
            continue
        told = papers.delivered(meeting.id)
        began = NOON - 20 * day
        meetings.announce(meeting, delivered=told, by=audit.SYSTEM, now=began)
        guests.send(meeting, now=began)
        asks(meeting, 1, began)
        asks(meeting, 2, began)
    answered = guests.of(coming.id)[0]
    guests.answer(
        answered,
        guests.Answer.SUBSTITUTE,
        substitute="李四",
        note="出差",
        by=audit.SYSTEM,
        now=NOON,
    )
    meetings.cancel(off, "场地不能用。", by=audit.SYSTEM, now=NOON)
    at = NOON - 5 * day - hour
    for meeting, known_at in ((was, at + hour / 4), (waits, NOON + day)):
        lots.freeze(meeting, "当天的开奖号码", known_at, by=audit.SYSTEM, now=at)
    why = "因设备故障，当天停止开奖，号码没有产生。"
    lots.reseed(was, "当天的收盘指数", at + hour / 2, why, by=audit.SYSTEM, now=at + hour / 3)
    lots.draw(was, "2020", by=audit.SYSTEM, now=at + hour / 2)
    meetings.hold(was, delivered=papers.delivered(was.id), by=audit.SYSTEM, now=NOON)
    for agreed in (True, False):
        point = minutes.add(
            was,
            "建议增加社区食堂，方便老年人就餐。",
            speaker="赵敏",
            part="居民代表",
            member_id=None if agreed else member.id,
            name_agreed=agreed,
            by=audit.SYSTEM,
            now=NOON,
        )
        if agreed:
            minutes.send(was, point, secret="secret", by=audit.SYSTEM, now=NOON)
    minutes.publish(was, public=True, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def fill_rounds() -> None:
    """A review round in every state: one that goes on, with a signed review and drafts; one that
    is released; one on a version that nobody else knows of; one that is only prepared."""
    made = {}
    for slug, days in ((OPEN, 5), (CLOSED, -20)):
        version = drafts.published(consultation_at(slug))
        assert version is not None
        at = NOON + dt.timedelta(days=min(days, 0))
        made[slug] = rounds_made.an_open_round(version, due_at=at + dt.timedelta(days=8), now=at)
        for invitation in rounds.invitations(made[slug]):
            rounds_made.a_review(invitation, now=at)
            if invitation.name != "李文" or slug == CLOSED:
                reviews.sign(invitation, name=invitation.name, by=audit.SYSTEM, now=at)
    remarks.release(made[CLOSED], secret="secret", by=audit.SYSTEM, now=NOON)
    secret = drafts.prepared(consultation_at(PREPARING))
    assert secret is not None
    others = [each.member_id for each in round_running.addable(made[OPEN], local(NOON).date())]
    others += [each.member_id for each in rounds.invitations(made[OPEN]) if each.name != "李文"]
    hidden = rounds_made.an_open_round(secret, title=SECRET, members=others)
    rounds_made.a_prepared_round(secret, title=SECRET)
    for each, name in ((made[OPEN], "测算说明.pdf"), (hidden, f"{SECRET}.pdf")):
        data = b"%PDF-1.4 review"
        uploads.keep_by_content(data)
        round_papers.add(each, name, data, by=audit.SYSTEM, now=NOON)
    db.session.commit()
