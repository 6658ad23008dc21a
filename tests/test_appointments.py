"""Who sits on the panel, by whose decision, until when, on how many seats, and with which right."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult.programmes import Programme
from core import accounts, audit
from core.accounts import RoleName
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from panel import appointments, composition, quotas, targets
from panel.appointments import Appointment, AppointmentState, Objection, Term
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.members_made import KIND, OTHER_KIND, TODAY, confirm, leave, proposed, seated, sitting
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")
REGISTER = "/desk/panel/members"


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


def test_two_persons_appoint(programme: Programme) -> None:
    first, other = people.make("drc_staff"), people.make("drc_staff")
    appointment = proposed(programme, by=first)
    assert sitting(programme) == []
    with pytest.raises(Refused, match="另一人"):
        appointments.confirm(appointment, by=first, today=TODAY, now=NOON)
    confirm(appointment, other)
    assert sitting(programme) == ["王小明"]
    assert (appointment.proposed_by_id, appointment.decided_by_id) == (first.id, other.id)


def test_the_database_holds_to_two_persons_as_well(programme: Programme) -> None:
    first = people.make("drc_staff")
    appointment = proposed(programme, by=first)
    appointment.state, appointment.decided_by_id = AppointmentState.APPOINTED, first.id
    with pytest.raises(sa.exc.IntegrityError):
        db.session.flush()
    db.session.rollback()


def test_one_category_at_a_time(programme: Programme) -> None:
    first = seated(programme)
    term = Term(category=OTHER_KIND, term_from=TODAY, term_to=TODAY + dt.timedelta(days=30))
    other = appointments.propose(first.member, programme.id, term, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    with pytest.raises(Refused, match="一个类别"):
        appointments.confirm(other, by=audit.SYSTEM, today=TODAY, now=NOON)
    db.session.rollback()
    leave(first)
    confirm(other)
    assert [each.category for each in appointments.sitting(programme.id, TODAY)] == [OTHER_KIND]


def test_a_second_proposal_waits_for_the_first(programme: Programme) -> None:
    appointment = proposed(programme)
    term = Term(category=KIND, term_from=TODAY, term_to=TODAY)
    with pytest.raises(Refused, match="等待确认"):
        appointments.propose(appointment.member, programme.id, term, by=audit.SYSTEM, now=NOON)


def test_going_on_is_a_row_of_its_own_and_the_former_stays(programme: Programme) -> None:
    first = seated(programme, days=10)
    begins = first.term_to + dt.timedelta(days=1)
    term = Term(category=KIND, term_from=begins, term_to=begins + dt.timedelta(days=9))
    again = appointments.propose(first.member, programme.id, term, by=audit.SYSTEM, now=NOON)
    confirm(again)
    db.session.refresh(first)
    assert (first.state, first.ended_on) == (AppointmentState.ENDED, begins)
    for day, row in ((TODAY, first), (first.term_to, first), (begins, again)):
        found = appointments.sitting(programme.id, day)
        assert [each.id for each in found] == [row.id]
    assert sitting(programme, begins + dt.timedelta(days=10)) == []


def test_refusing_needs_a_reason_and_is_final(programme: Programme) -> None:
    appointment = proposed(programme)
    with pytest.raises(Refused, match="理由"):
        appointments.refuse(appointment, Objection.NO_PLACE, "", by=audit.SYSTEM, now=NOON)
    appointments.refuse(appointment, Objection.NO_PLACE, "名额已满", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    with pytest.raises(Refused, match="未聘任"):
        appointments.confirm(appointment, by=audit.SYSTEM, today=TODAY, now=NOON)


def test_leaving_keeps_the_row_and_ends_at_the_day(programme: Programme) -> None:
    appointment = seated(programme, first=TODAY - dt.timedelta(days=10))
    leave(appointment)
    assert sitting(programme) == []
    assert sitting(programme, TODAY - dt.timedelta(days=1)) == ["王小明"]
    assert appointment.end_reason == "工作调动"


def test_who_leaves_before_the_day_that_was_said_leaves_then(
    programme: Programme, officer: FlaskClient
) -> None:
    """Somebody who was to go on, and somebody who had said a later day."""
    renewed, later = seated(programme, days=100), seated(programme, "李文", days=100)
    begins = renewed.term_to + dt.timedelta(days=1)
    term = Term(category=KIND, term_from=begins, term_to=begins + dt.timedelta(days=9))
    again = appointments.propose(renewed.member, programme.id, term, by=audit.SYSTEM, now=NOON)
    confirm(again)
    leave(later, on_day=TODAY + dt.timedelta(days=30), reason="年底退休")
    account = people.make("panel_member")
    appointments.link(renewed.member, account, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert sitting(programme) == ["王小明", "李文"]
    for each, day in ((renewed, begins), (later, TODAY + dt.timedelta(days=30))):
        assert f"appointments/{each.id}/leave" in officer.get(
            f"{REGISTER}/{each.member_id}"
        ).get_data(as_text=True)
        with pytest.raises(Refused, match="只能提前"):
            leave(each, on_day=day)
        db.session.rollback()
        leave(each)
        assert (each.ended_on, each.end_reason) == (TODAY, "工作调动")
        # What is over stays as it is.
        with pytest.raises(Refused, match="已离任"):
            leave(each, on_day=TODAY - dt.timedelta(days=0))
        db.session.rollback()
    assert sitting(programme) == []
    assert appointments.seat_of(account.id, TODAY) is None
    # The term that follows is one of its own; its rights begin with it.
    assert appointments.seat_of(account.id, begins) == again
    assert account.has_role(RoleName.PANEL_MEMBER)
    told = sa.select(AuditEvent).where(AuditEvent.action == "appointment.ended")
    last = db.session.scalars(told.order_by(AuditEvent.id.desc())).first()
    assert last is not None
    assert last.before == {"ended_on": (TODAY + dt.timedelta(days=30)).isoformat()}


def test_who_follows_stands_with_who_left(programme: Programme, officer: FlaskClient) -> None:
    old, new = seated(programme), seated(programme, "李文")
    page = f"{REGISTER}/appointments/{old.id}/leave"
    data = {"on_day": TODAY.isoformat(), "reason": "辞任", "successor": str(new.member_id)}
    answer = officer.post(page, data=data | people.token(officer, page))
    assert answer.status_code == 303
    db.session.refresh(old)
    assert (old.state, old.successor_id) == (AppointmentState.ENDED, new.member_id)
    assert "李文" in officer.get(f"{REGISTER}/{old.member_id}").get_data(as_text=True)


def test_no_more_than_planned(programme: Programme) -> None:
    quotas.plan(programme.id, KIND, 1, by=audit.SYSTEM, now=NOON)
    first = seated(programme)
    waiting = proposed(programme, "李文")
    with pytest.raises(Refused, match="已聘满"):
        appointments.confirm(waiting, by=audit.SYSTEM, today=TODAY, now=NOON)
    db.session.rollback()
    leave(first)
    confirm(waiting)
    assert sitting(programme) == ["李文"]


def test_two_officers_and_the_last_place(app: Flask, programme: Programme) -> None:
    quotas.plan(programme.id, KIND, 2, by=audit.SYSTEM, now=NOON)
    seated(programme, "丁一")
    waiting = [proposed(programme, name).id for name in ("王小明", "李文", "张芳", "陈刚")]

    def appoint(number: int) -> bool:
        with app.app_context():
            found = db.session.get_one(Appointment, waiting[number])
            try:
                appointments.confirm(found, by=audit.SYSTEM, today=TODAY, now=NOON)
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            return True

    db.session.commit()
    done = at_once(len(waiting), appoint)
    db.session.expire_all()
    assert done.count(True) == 1
    assert len(sitting(programme)) == 2


def test_planned_seats_are_data_and_each_change_is_recorded(
    programme: Programme, officer: FlaskClient
) -> None:
    page = f"{REGISTER}/composition"
    for number in ("4", "5", "5"):
        officer.post(page, data={"seats-0": number} | people.token(officer, page))
    kind = quotas.categories(programme.id)[0]
    assert quotas.planned(programme.id) == {kind: 5}
    events = db.session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "seat.planned"))
    assert [(each.before, each.after) for each in events] == [
        ({"planned": None}, {"planned": 4}),
        ({"planned": 4}, {"planned": 5}),
    ]
    wrong = officer.post(page, data={"seats-0": "几席"} | people.token(officer, page))
    assert wrong.status_code == 422
    assert f"{kind}缺5席" in officer.get(page).get_data(as_text=True)


@pytest.mark.parametrize("count", [0, 1])
def test_composition_of_none_and_of_one(programme: Programme, count: int) -> None:
    for _number in range(count):
        seated(programme, birth_year=1950)
    found = composition.of(
        appointments.sitting(programme.id, TODAY),
        categories=quotas.categories(programme.id),
        planned={KIND: 2},
        fields={"g1": "总体"},
        on_day=TODAY,
    )
    assert (found.people, found.planned) == (count, 2)
    assert any(f"{KIND}缺{2 - count}席" in gap for gap in found.gaps)
    assert sum(each.actual for each in found.ages) == count
    assert ("没有成员的专长领域：总体。" in found.gaps) is bool(count)


def test_targets_are_named_where_they_are_missed_and_bind_nobody(
    programme: Programme, officer: FlaskClient
) -> None:
    seated(programme, birth_year=1950)
    page = "/desk/panel/targets"
    shown = officer.get(page).get_data(as_text=True)
    names = dict(re.findall(r'<label for="(wanted-\d+)">([^<]+)</label>', shown))
    field = {title: name for name, title in names.items()}
    data = {field["女"]: "2", field["60岁及以上"]: "1", field["35岁以下"]: "3"}
    wrong = officer.post(page, data=data | {field["男"]: "几"} | people.token(officer, page))
    assert wrong.status_code == 422
    assert officer.post(page, data=data | people.token(officer, page)).status_code == 303
    told = officer.get(f"{REGISTER}/composition").get_data(as_text=True)
    assert "性别“女”比目标少2人（目标2人，在任0人）。" in told
    assert "年龄“35岁以下”比目标少3人" in told
    assert "60岁及以上”比目标少" not in told
    events = sa.select(AuditEvent).where(AuditEvent.action == "target.planned")
    assert len(db.session.scalars(events).all()) == 3
    officer.post(page, data=people.token(officer, page))
    assert targets.planned(programme.id) == {}


def test_the_seat_gives_the_right_and_takes_it_on_the_next_request(
    app: Flask, programme: Programme, clock: Clock
) -> None:
    appointment = seated(programme, contact="wang@example.cn", days=100)
    account = people.make(email="wang@example.cn")
    appointments.link(appointment.member, account, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert RoleName.PANEL_MEMBER in account.role_names
    assert appointments.seat_of(account.id, TODAY) is not None
    assert appointments.seat_of(account.id, TODAY + dt.timedelta(days=101)) is None
    leave(appointment)
    assert appointments.seat_of(account.id, TODAY) is None
    assert RoleName.PANEL_MEMBER not in accounts.by_id(account.id).role_names  # type: ignore[union-attr]


def test_the_role_alone_is_no_seat(app: Flask, programme: Programme) -> None:
    account = people.make("panel_member")
    assert appointments.seat_of(account.id, TODAY) is None
    assert appointments.seat_of(None, TODAY) is None
