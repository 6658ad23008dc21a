"""Lots for the public's seats: a list that is fixed before its seed can be known, and the draw."""

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult.consultations import SHANGHAI
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from panel import lot_rows, lots, seats
from panel.lot_rows import SeatPool, SeedChange
from panel.meetings import Admission, Meeting
from panel.seats import SeatState
from tests import people
from tests.conftest import NOON, Clock
from tests.meetings_made import DAY, HOUR, a_meeting, announced, asks, states
from tests.threads import at_once


def test_lots_are_drawn_once_and_can_be_repeated_by_anybody(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        announced(a_meeting(admission=Admission.DRAW, seats=2))
    for number in range(1, 6):
        asks(client, 1, number)
    with app.app_context():
        assert states(1) == ["applied"] * 5
        meeting = db.session.get_one(Meeting, 1)
        known_at = NOON + 9 * DAY + HOUR
        with pytest.raises(Refused, match="还没有截止"):
            lots.freeze(meeting, "开奖号码", known_at, by=audit.SYSTEM, now=NOON)
        frozen = NOON + 9 * DAY
        lots.freeze(meeting, "开奖号码", known_at, by=audit.SYSTEM, now=frozen)
        after = known_at
        made = lots.draw(meeting, "2020", by=audit.SYSTEM, now=after)
        db.session.commit()
        by_hand = sorted("12345", key=lambda n: hashlib.sha256(f"2020:{n}".encode()).hexdigest())
        assert made.pool == list("12345")
        assert made.drawn == by_hand[:2]
        assert lots.ranked("2020", list("54321")) == by_hand
        seated = [str(s.number) for s in seats.of(1) if s.state is SeatState.SEATED]
        assert seated == sorted(by_hand[:2])
        assert meeting.taken == 2
        with pytest.raises(Refused, match="不能重抽"):
            lots.draw(meeting, "2021", by=audit.SYSTEM, now=after)
        # Who gives the seat back makes room for the next of the draw.
        first = next(s for s in seats.of(1) if s.state is SeatState.SEATED)
        seats.withdraw(first, by=audit.RESIDENT, now=after)
        db.session.commit()
        risen = {str(s.number) for s in seats.of(1) if s.state is SeatState.SEATED}
        assert by_hand[2] in risen
    page = client.get("/meetings/1/").text
    assert "2020" in page
    assert "sha256-1" in page


def test_the_list_is_fixed_before_anybody_can_know_the_seed(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        announced(a_meeting(admission=Admission.DRAW, seats=2))
        staff = people.make("drc_staff")
    for number in range(1, 6):
        asks(client, 1, number)
    desk = app.test_client()
    clock.at = NOON + 9 * DAY
    people.sign_in(desk, staff)
    pool, draw = "/desk/meetings/1/pool", "/desk/meetings/1/draw"
    named = {"source": "10月30日的开奖号码", "known_at": "2020-10-30T09:00"}
    # No seed before the list, no list without a source, and none whose number may be known.
    assert "随机种子" not in desk.get("/desk/meetings/1/guests").text
    assert desk.post(draw, data={"seed": "8"}).status_code == 409
    assert desk.post(pool, data=named | {"source": ""}).status_code == 422
    past = named | {"known_at": "2020-10-29T09:00"}
    assert desk.post(pool, data=past).status_code == 409
    assert desk.post(pool, data=named).status_code == 302
    assert desk.post(pool, data=named).status_code == 409
    assert desk.post(draw, data={"seed": "8"}).status_code == 409
    digest = hashlib.sha256(b"1,2,3,4,5").hexdigest()
    for page in (client.get("/meetings/1/").text, desk.get("/desk/meetings/1/guests").text):
        assert digest in page
        assert "10月30日的开奖号码" in page
    with app.app_context():
        # Who withdraws now leaves the list as it is, and the others their order.
        meeting = db.session.get_one(Meeting, 1)
        seats.withdraw(seats.of(1)[2], by=audit.RESIDENT, now=clock.at)
        # More time to apply lets nobody slip into a list that is fixed.
        meeting.apply_until = NOON + 9 * DAY + 10 * HOUR
        db.session.commit()
    assert asks(client, 1, 6)[0] == 409
    with app.app_context():
        db.session.get_one(Meeting, 1).apply_until = NOON + 9 * DAY
        db.session.commit()
    clock.at = dt.datetime(2020, 10, 30, 1, tzinfo=dt.UTC)
    people.sign_in(desk, staff)
    assert desk.post(draw, data={"seed": ""}).status_code == 422
    assert desk.post(draw, data={"seed": "0814"}).status_code == 302
    with app.app_context():
        made, fixed = lot_rows.draw_of(1), lot_rows.pool_of(1)
        assert made is not None
        assert fixed is not None
        assert (fixed.numbers, fixed.sha256) == (list("12345"), digest)
        assert made.pool == list("1245")
        assert made.drawn == [n for n in lots.ranked("0814", fixed.numbers) if n != "3"][:2]
        events = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)).all()
        said = {each.action: each.after for each in events if each.after}
        assert said["seat_pool.frozen"]["sha256"] == said["seat_draw.made"]["sha256"] == digest
        assert said["seat_draw.made"]["seed"] == "0814"


# --- a seed that never comes -----------------------------------------------------------------

NAMED = {"source": "10月30日的开奖号码", "known_at": "2020-10-30T09:00"}
OTHER = {
    "source": "10月30日的收盘指数",
    "known_at": "2020-10-30T11:30",
    "reason": "因设备故障，当日停止开奖，主办方已发布公告。",
}


def fixed(app: Flask, client: FlaskClient, clock: Clock) -> FlaskClient:
    """The desk of a meeting whose list of three is fixed and whose seed comes at nine."""
    with app.app_context():
        announced(a_meeting(admission=Admission.DRAW, seats=2))
        people.make("drc_staff", name="周办事", email="desk@example.cn")
    for number in range(1, 4):
        asks(client, 1, number)
    clock.at = NOON + 9 * DAY
    desk = app.test_client()
    people.sign_in(desk, "desk@example.cn")
    assert desk.post("/desk/meetings/1/pool", data=NAMED).status_code == 302
    return desk


def later(desk: FlaskClient, clock: Clock, hour: int, minute: int = 0) -> None:
    """The next day at this time of Shanghai; the officer signs in again. The meeting is at noon."""
    clock.at = dt.datetime(2020, 10, 30, hour, minute, tzinfo=SHANGHAI)
    people.sign_in(desk, "desk@example.cn")


def test_where_the_seed_never_comes_another_is_named_and_both_stay_readable(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    desk = fixed(app, client, clock)
    # An hour after it was to come out.
    later(desk, clock, 10)
    assert "改换种子来源" in desk.get("/desk/meetings/1/guests").text
    assert "改换过的种子来源" not in client.get("/meetings/1/").text
    assert desk.post("/desk/meetings/1/seed", data=OTHER).status_code == 302
    for page in (client.get("/meetings/1/").text, desk.get("/desk/meetings/1/guests").text):
        for words in (NAMED["source"], OTHER["source"], OTHER["reason"], "改换过的种子来源"):
            assert words in page
        for moment in ("2020年10月30日 09:00", "2020年10月30日 10:00", "2020年10月30日 11:30"):
            assert moment in page
    # The new hour counts, and the list is the old one.
    assert desk.post("/desk/meetings/1/draw", data={"seed": "3224"}).status_code == 409
    with app.app_context():
        pool = lot_rows.pool_of(1)
        assert pool is not None
        assert pool.sha256 == hashlib.sha256(b"1,2,3").hexdigest()
        change = db.session.scalars(sa.select(SeedChange)).one()
        assert (change.former_source, change.new_source) == (NAMED["source"], OTHER["source"])
        assert change.former_known_at == dt.datetime(2020, 10, 30, 1, tzinfo=dt.UTC)
        assert change.new_known_at == dt.datetime(2020, 10, 30, 3, 30, tzinfo=dt.UTC)
        assert (change.changed_at, change.by_name) == (clock.at, "周办事")
        told = sa.select(AuditEvent).where(AuditEvent.action == "seat_pool.reseeded")
        event = db.session.scalars(told).one()
        assert event.before == {
            "seed_source": NAMED["source"],
            "known_at": "2020-10-30T01:00:00+00:00",
        }
        assert event.after is not None
        assert event.after["seed_source"] == OTHER["source"]
        assert event.reason == OTHER["reason"]
    # Another failure is another line; what was first named is not lost.
    third = OTHER | {"source": "10月30日的水位", "known_at": "2020-10-30T11:45"}
    later(desk, clock, 11, 40)
    assert desk.post("/desk/meetings/1/seed", data=third).status_code == 302
    page = client.get("/meetings/1/").text
    for each in (NAMED, OTHER, third):
        assert each["source"] in page
    later(desk, clock, 11, 45)
    assert desk.post("/desk/meetings/1/draw", data={"seed": "3224"}).status_code == 302
    # What was changed is read after the draw, too; to change is over.
    assert NAMED["source"] in client.get("/meetings/1/").text
    assert "改换并公开" not in desk.get("/desk/meetings/1/guests").text
    assert desk.post("/desk/meetings/1/seed", data=OTHER).status_code == 409


@pytest.mark.parametrize("known_at", ["2020-10-30T09:59", "2020-10-30T10:00", "2020-10-30T12:00"])
@pytest.mark.parametrize("first", [True, False])
def test_no_seed_that_may_be_known_and_none_when_the_meeting_has_begun(
    app: Flask, client: FlaskClient, clock: Clock, known_at: str, first: bool
) -> None:
    """Named first or in another's place: one rule. It is ten o'clock, and the meeting at noon."""
    desk = fixed(app, client, clock)
    if first:
        with app.app_context():
            db.session.execute(sa.delete(SeatPool))
            db.session.commit()
    later(desk, clock, 10)
    where = "/desk/meetings/1/pool" if first else "/desk/meetings/1/seed"
    answer = desk.post(where, data=OTHER | {"known_at": known_at})
    assert answer.status_code == 409
    assert "种子公布的时间应当在现在以后、会议开始以前。" in answer.text
    # What was typed is still there.
    assert OTHER["source"] in answer.text
    with app.app_context():
        pool = lot_rows.pool_of(1)
        assert (pool is None) is first
        assert pool is None or (pool.source, pool.changes) == (NAMED["source"], [])


def test_a_seed_is_changed_for_a_reason_to_something_else_and_only_while_a_list_waits(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    desk = fixed(app, client, clock)
    seed = "/desk/meetings/1/seed"
    for lacking in ({"reason": ""}, {"reason": "停止开奖了"}, {"source": ""}, {"known_at": ""}):
        answer = desk.post(seed, data=OTHER | lacking)
        assert answer.status_code == 422
        assert "<details open>" in answer.text
    # Sent twice is changed once.
    assert desk.post(seed, data=OTHER).status_code == 302
    again = desk.post(seed, data=OTHER)
    assert again.status_code == 409
    assert "都没有变化" in again.text
    # Put off to another hour is a change.
    assert desk.post(seed, data=OTHER | {"known_at": "2020-10-30T11:45"}).status_code == 302
    with app.app_context():
        meeting = announced(a_meeting(admission=Admission.DRAW, seats=2))
        known_at = NOON + 9 * DAY + HOUR
        why: tuple[str, dt.datetime, str] = ("收盘指数", known_at, OTHER["reason"])
        # Before applications end, before there is a list, and after the meeting was called off.
        with pytest.raises(Refused, match="还没有截止"):
            lots.reseed(meeting, *why, by=audit.SYSTEM, now=NOON)
        with pytest.raises(Refused, match="先固定抽签名单"):
            lots.reseed(meeting, *why, by=audit.SYSTEM, now=NOON + 9 * DAY)
        assert db.session.scalar(sa.select(sa.func.count(SeedChange.id))) == 2
    assert desk.post("/desk/meetings/1/cancel", data={"reason": "场地停电"}).status_code == 302
    assert desk.post(seed, data=OTHER).status_code == 409


def test_a_draw_and_a_change_of_its_seed_at_once_never_both_hold(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    fixed(app, client, clock)
    clock.at = dt.datetime(2020, 10, 30, 2, tzinfo=dt.UTC)
    with app.app_context():
        staff = people.make("drc_staff")
    desks = [app.test_client() for _n in range(4)]
    for each in desks:
        people.sign_in(each, staff)

    def acts(n: int) -> int:
        if n % 2:
            return desks[n].post("/desk/meetings/1/seed", data=OTHER).status_code
        return desks[n].post("/desk/meetings/1/draw", data={"seed": "0814"}).status_code

    assert sorted(at_once(4, acts)) == [302, 409, 409, 409]
    with app.app_context():
        drawn = lot_rows.draw_of(1) is not None
        changed = db.session.scalar(sa.select(sa.func.count(SeedChange.id)))
        assert (drawn, changed) in ((True, 0), (False, 1))


def test_the_database_itself_refuses_a_seed_that_was_known_and_one_without_a_reason(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    fixed(app, client, clock)
    for lacking in ({"new_known_at": NOON}, {"reason": ""}):
        with app.app_context():
            facts = {
                "pool_id": 1,
                "former_source": "甲",
                "former_known_at": NOON,
                "new_source": "乙",
                "new_known_at": NOON + HOUR,
                "reason": "停止开奖",
                "changed_at": NOON,
                "by_name": "周办事",
            }
            db.session.add(SeedChange(**(facts | lacking)))
            with pytest.raises(sa.exc.IntegrityError):
                db.session.flush()
            db.session.rollback()
