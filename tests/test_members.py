"""The panel's members: who sits, by whose decision, until when, and what everybody may see of it."""

import datetime as dt
import io
import re

import pytest
import sqlalchemy as sa
from docx import Document
from flask import Flask
from flask.testing import FlaskClient

from consult import topics
from consult.programmes import Programme
from consult.readers import tables
from core import accounts, audit
from core.accounts import RoleName
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.web import local
from panel import (
    applications,
    appointments,
    calls,
    composition,
    example,
    invitations,
    members,
    names,
    quotas,
    targets,
)
from panel.appointments import Appointment, AppointmentState, Objection, Term
from panel.members import Details, Member
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")

TODAY = local(NOON).date()
KIND, OTHER_KIND = "企业代表", "社区居民代表"
REGISTER = "/desk/panel/members"


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


@pytest.fixture
def officer(app: Flask) -> FlaskClient:
    return people.signed_in(app)


@pytest.fixture
def second(app: Flask) -> FlaskClient:
    return people.signed_in(app, "administrator")


def proposed(
    programme: Programme,
    name: str = "王小明",
    *,
    kind: str = KIND,
    first: dt.date = TODAY,
    days: int = 365,
    by: audit.Actor = audit.SYSTEM,
    **details: object,
) -> Appointment:
    """Somebody who is proposed; committed."""
    member = members.add(Details(name=name, **details), by=by, now=NOON)  # type: ignore[arg-type]
    term = Term(category=kind, term_from=first, term_to=first + dt.timedelta(days=days))
    appointment = appointments.propose(member, programme.id, term, by=by, now=NOON)
    db.session.commit()
    return appointment


def seated(programme: Programme, name: str = "王小明", **more: object) -> Appointment:
    """Somebody who sits; committed."""
    appointment = proposed(programme, name, **more)  # type: ignore[arg-type]
    confirm(appointment)
    return appointment


def confirm(appointment: Appointment, by: audit.Actor = audit.SYSTEM) -> None:
    appointments.confirm(appointment, by=by, today=TODAY, now=NOON)
    db.session.commit()


def leave(appointment: Appointment, *, on_day: dt.date = TODAY, reason: str = "工作调动") -> None:
    appointments.end(
        appointment, on_day=on_day, reason=reason, by=audit.SYSTEM, today=TODAY, now=NOON
    )
    db.session.commit()


def sitting(programme: Programme, day: dt.date = TODAY) -> list[str]:
    return [each.member.name for each in appointments.sitting(programme.id, day)]


# --- names ---------------------------------------------------------------------------------


def test_names_by_strokes_of_the_surname() -> None:
    given = ["曾毅", "丁一平", "王小明", "马丽", "李文", "于洋", "王明", "欧阳明", "单雪"]
    expected = ["丁一平", "于洋", "马丽", "王明", "王小明", "李文", "欧阳明", "单雪", "曾毅"]
    assert sorted(given, key=names.stroke_key) == expected


def test_names_by_pinyin_with_the_surnames_that_are_read_otherwise() -> None:
    given = ["曾毅", "单雪", "仇英", "区大同", "白杨", "万俟珍", "解红", "任和", "查理"]
    expected = ["白杨", "万俟珍", "区大同", "仇英", "任和", "单雪", "解红", "曾毅", "查理"]
    assert sorted(given, key=names.pinyin_key) == expected


@pytest.mark.parametrize("name", ["", "A", "𠮷田", "o'Brien", "王", "😀", "甲" * 60])
def test_any_name_has_keys_that_fit(name: str) -> None:
    for key in (names.stroke_key(name), names.pinyin_key(name)):
        assert len(key) <= names.KEY_LENGTH
        assert key.isascii()


def test_masked_names_keep_the_surname_only() -> None:
    assert [names.masked(each) for each in ("王小明", "王明", "欧阳明", "")] == [
        "王**",
        "王**",
        "欧阳**",
        "",
    ]


# --- appointing ----------------------------------------------------------------------------


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


# --- seats ---------------------------------------------------------------------------------


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


# --- rights --------------------------------------------------------------------------------


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


# --- inviting ------------------------------------------------------------------------------


def invited(member: Member) -> str:
    invitations.send(
        member, address_of=lambda token: f"https://x/{token}", by=audit.SYSTEM, now=NOON
    )
    db.session.commit()
    body = db.session.scalars(sa.select(Message.body).order_by(Message.id.desc())).first()
    found = re.search(r"https://x/(\S+)", body or "")
    assert found is not None
    return found.group(1)


def test_invitation_to_password_once_and_for_48_hours(
    app: Flask, programme: Programme, clock: Clock
) -> None:
    appointment = seated(programme, contact="wang@example.cn")
    page = f"/account/password-link/{invited(appointment.member)}"
    client = app.test_client()
    assert client.get(page).status_code == 200
    fields = re.findall(r'name="(new|again|repeat|confirm)[^"]*"', client.get(page).text)
    data = dict.fromkeys(fields, people.PASSWORD) | people.token(client, page)
    assert client.post(page, data=data).status_code == 303
    assert client.get(page).status_code == 404
    # Whoever sits begins where their work waits.
    assert people.sign_in(client, "wang@example.cn").location == "/panel/desk/"
    assert client.get("/sign-in").location == "/panel/desk/"
    account = accounts.by_email("wang@example.cn")
    assert account is not None
    assert account.role_names == [RoleName.PANEL_MEMBER]
    again = invited(appointment.member)
    clock.forward(hours=49)
    assert app.test_client().get(f"/account/password-link/{again}").status_code == 404


def test_no_invitation_before_appointment_without_address_or_for_staff(
    programme: Programme,
) -> None:
    waiting = proposed(programme, contact="wang@example.cn")
    with pytest.raises(Refused, match="聘任以后"):
        invited(waiting.member)
    with pytest.raises(Refused, match="联系方式"):
        invited(seated(programme, "李文").member)
    staff = people.make("screener")
    with pytest.raises(Refused, match="工作人员"):
        invited(seated(programme, "张芳", contact=staff.email).member)


# --- pages ---------------------------------------------------------------------------------


def test_from_entering_to_appointing(
    programme: Programme, officer: FlaskClient, second: FlaskClient
) -> None:
    page = f"{REGISTER}/add"
    data = {
        "name": "王小明",
        "birth_year": "1970",
        "contact": "wang@example.cn",
        "category": KIND,
        "expertise": ["g1", "g2"],
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
    }
    answer = officer.post(page, data=data | people.token(officer, page))
    assert answer.status_code == 303
    shown = answer.location
    assert "须由另一位工作人员确认" in officer.get(shown).text
    appointment = db.session.scalars(sa.select(Appointment)).one()
    deed = f"{REGISTER}/appointments/{appointment.id}/decide"
    own = officer.post(deed, data={"act": "confirm"} | people.token(officer, shown))
    assert own.status_code == 409
    answer = second.post(deed, data={"act": "confirm"} | people.token(second, shown))
    assert answer.status_code == 303
    assert sitting(programme) == ["王小明"]
    letter = second.get(f"{REGISTER}/appointments/{appointment.id}/letter")
    words = "\n".join(p.text for p in Document(io.BytesIO(letter.data)).paragraphs)
    assert "王小明" in words
    assert KIND in words
    stored = db.session.execute(sa.text("SELECT sealed_contact FROM panel_member")).scalar_one()
    assert b"wang" not in bytes(stored)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("birth_year", "１９７０"),
        ("birth_year", "1"),
        ("contact", "王"),
        ("category", "别的"),
        ("term_to", "2020-02-30"),
        ("term_to", "2019-01-01"),
        ("name", ""),
    ],
)
def test_what_the_form_refuses(officer: FlaskClient, field: str, typed: str) -> None:
    page = f"{REGISTER}/add"
    data = {
        "name": "王小明",
        "category": KIND,
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
        field: typed,
    }
    assert officer.post(page, data=data | people.token(officer, page)).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(Member.id))) == 0


def test_nobody_is_entered_twice_and_so_sits_in_two_categories(
    programme: Programme, officer: FlaskClient
) -> None:
    first = seated(programme, contact="wang@example.cn")
    other = seated(programme, "李文", contact="li@example.cn")
    page = f"{REGISTER}/add"
    data = {
        "name": "王晓明",
        "contact": "Wang@Example.cn",
        "category": OTHER_KIND,
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
    }
    answer = officer.post(page, data=data | people.token(officer, page))
    assert answer.status_code == 422
    assert "名册里王小明用的就是这个联系方式" in answer.text
    assert members.called("王晓明") == 0
    # Nor by a correction; one's own may be written again.
    for member_id, code in ((other.member_id, 422), (first.member_id, 303)):
        page = f"{REGISTER}/{member_id}/change"
        data = {"name": "王小明", "contact": "wang@example.cn"}
        assert officer.post(page, data=data | people.token(officer, page)).status_code == code


def test_changes_are_recorded_without_the_words(programme: Programme, officer: FlaskClient) -> None:
    member = seated(programme, contact="wang@example.cn").member
    page = f"{REGISTER}/{member.id}/change"
    data = {"name": "王晓明", "unit_text": "某公司", "contact": ""}
    assert officer.post(page, data=data | people.token(officer, page)).status_code == 303
    db.session.expire_all()
    assert (member.name, members.contact(member)) == ("王晓明", "wang@example.cn")
    event = db.session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "member.changed")
    ).one()
    assert event.after == {"changed": ["姓名", "工作单位和职务"]}


def test_the_public_page_names_by_consent_only(programme: Programme, client: FlaskClient) -> None:
    assert "还没有聘任成员" in client.get("/panel/").text
    seated(programme, "王小明", unit_text="某某公司", contact="wang@example.cn")
    seated(programme, "李文", unit_text="另一公司", is_name_public=True)
    proposed(programme, "张芳芳", is_name_public=True)
    page = client.get("/panel/").text
    assert "王**" in page
    assert "李文" in page
    assert "另一公司" in page
    for hidden in ("王小明", "某某公司", "wang@", "张芳"):
        assert hidden not in page


def test_five_hundred_members_in_pages_of_fifty_and_few_queries(
    app: Flask, programme: Programme, officer: FlaskClient
) -> None:
    for number in range(500):
        members.add(
            Details(name="赵钱孙李周吴郑王冯陈"[number % 10] + f"{number:03d}"),
            by=audit.SYSTEM,
            now=NOON,
        )
    db.session.flush()
    term = {"category": KIND, "term_from": TODAY, "term_to": TODAY, "programme_id": programme.id}
    rows = [
        term | {"member_id": number, "state": "appointed", "proposed_at": NOON, "fields": ["g1"]}
        for number in db.session.scalars(sa.select(Member.id))
    ]
    for row in rows:
        row["state"] = AppointmentState.APPOINTED
    db.session.execute(sa.insert(Appointment), rows)
    db.session.commit()
    asked: list[str] = []
    engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *got: asked.append(got[2]))
    for order in ("stroke", "pinyin"):
        address, seen = f"{REGISTER}?order={order}&field=g1", []
        while address:
            asked.clear()
            page = officer.get(address).text
            assert len(asked) < 20, asked
            seen += re.findall(r'members/(\d+)">', page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following.group(1).replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == 500


@pytest.mark.parametrize("public", [True, False])
def test_the_official_list_masks_for_the_public(
    programme: Programme, officer: FlaskClient, public: bool
) -> None:
    seated(programme, "王小明", unit_text="某某公司")
    seated(programme, "丁一", unit_text="=另一公司", is_name_public=True)
    address = f"{REGISTER}/list.{{}}" + ("?public=1" if public else "")
    sheet = tables.read(officer.get(address.format("xlsx")).data, filename="a.xlsx")
    listed = [row[1:4] for _number, row in sheet.rows]
    hidden = ("王**", KIND, "") if public else ("王小明", KIND, "某某公司")
    assert listed == [("丁一", KIND, "'=另一公司"), hidden]
    assert len(sheet.columns) == (5 if public else 9)
    paper = Document(io.BytesIO(officer.get(address.format("docx")).data))
    cells = [cell.text for cell in paper.tables[0].rows[2].cells]
    assert cells[1] == hidden[0]


# --- the built-in example ------------------------------------------------------------------


def test_the_example_has_a_panel_and_its_member_sits(app: Flask, programme: Programme) -> None:
    assert not example.is_missing(), "a programme of the site's own gets no made-up members"
    programme.example = True
    accounts.add_demonstration(now=NOON)
    db.session.commit()
    assert example.is_missing()
    example.load(now=NOON)
    # A second time appoints nobody twice. (What the panel does needs drafts, which are not here.)
    example.load(now=NOON)
    db.session.commit()
    found = appointments.sitting(programme.id, TODAY)
    assert len(found) == 24
    assert {each.category for each in found} == set(quotas.categories(programme.id))
    keys = {topic.key for topic in topics.of(programme)}
    assert all(set(each.fields) <= keys for each in found)
    account = accounts.by_email("member@example.invalid")
    assert account is not None
    assert appointments.seat_of(account.id, TODAY) is not None
    # Somebody in every state asks to come in, and a unit has recommended one.
    told = {each.state for each in applications.page(programme.id)}
    assert told == set(applications.ApplicationState)
    assert sum(each.unit_id is not None for each in applications.page(programme.id)) == 1
    assert [each.takes(NOON) for each in calls.page(programme.id)] == [True, False]
