"""Builders: meetings of the panel in any state, those who sit, and applications for seats."""

import datetime as dt
from typing import Any

from flask.testing import FlaskClient

from consult.consultations import Phase
from consult.programmes import PanelCategory
from core import audit
from core.db import db
from panel import appointments, guests, meetings, members, papers, quotas, seats
from panel.meetings import Meeting, MeetingKind, Plan
from panel.members import Member
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_programme, a_published_draft

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


def a_member(name: str = "赵敏", **more: Any) -> Member:
    """Somebody with an account who sits now; committed."""
    account = people.make("panel_member", name=name)
    member = members.add(members.Details(name=name), by=audit.SYSTEM, now=NOON)
    programme = a_programme()
    if not quotas.categories(programme.id):
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
