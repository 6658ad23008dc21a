"""Entry to the panel: calls, applications, what the office decides about them, and what is kept."""

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import programmes
from consult.programmes import Programme
from core import accounts, audit, consents, password_links, sealing
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.password_links import PasswordLink
from core.proof import UsedProof
from core.units import Unit
from core.web import local
from panel import (
    applications,
    appointments,
    calls,
    eligibility,
    invitations,
    members,
    quotas,
    selections,
)
from panel.applications import Application, ApplicationState, Person, Refusal, Tie, Wish
from panel.appointments import Appointment, AppointmentState, Objection, Term
from panel.calls import Call, Notice
from panel.members import Details, Member
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")

DAY = dt.timedelta(days=1)
TODAY = local(NOON).date()
KIND, OTHER_KIND = "社区居民代表", "企业代表"
APPLY, DESK, CALLS = "/panel/apply", "/desk/panel/applications", "/desk/panel/calls"
FILLED = {
    "name": "王小明",
    "contact": "138 0013 8000",
    "category": KIND,
    "tie": "lives",
    "sub_district": "彭浦镇",
    "statement": "在社区住了三十年，熟悉加装电梯和停车方面的情况。",
    "is_adult": "y",
    "consent": "y",
    "form_key": "k" * 20,
}


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


@pytest.fixture
def officer(app: Flask) -> FlaskClient:
    return people.signed_in(app)


@pytest.fixture
def second(app: Flask) -> FlaskClient:
    return people.signed_in(app, "administrator")


def a_call(programme: Programme, **more: Any) -> Call:
    """A call that is open since yesterday; committed."""
    facts: dict[str, Any] = {
        "title": "公开征集社区居民代表",
        "about": "请熟悉社区情况的居民申请。",
        "categories": [KIND],
        "opens_at": NOON - DAY,
        "closes_at": NOON + 20 * DAY,
    }
    call = calls.prepare(programme.id, Notice(**(facts | more)), by=audit.SYSTEM, now=NOON - DAY)
    calls.open_(call, by=audit.SYSTEM, now=NOON - DAY)
    db.session.commit()
    return call


def an_application(call: Call, number: int = 1, **more: Any) -> Application:
    """An application as the form leaves it; committed."""
    facts: dict[str, Any] = {
        "category": call.categories[0],
        "statement": "在社区住了三十年。",
        "is_adult": True,
        "tie": Tie.LIVES,
        "sub_district": "彭浦镇",
    }
    person = more.pop("person", Person(name=f"王小{number}", contact=f"wang{number}@example.cn"))
    found = applications.receive(
        call,
        person,
        Wish(**(facts | more)),
        key=f"key-{number}",
        person_key=f"person-{person.contact}"[:32],
        consent=consents.PANEL.version,
        by=audit.RESIDENT,
        now=NOON,
    )
    db.session.commit()
    return found


def sends(client: FlaskClient, call: Call, **more: str) -> str:
    """Send the form; where it leads."""
    page = f"{APPLY}/{call.id}"
    answer = client.post(page, data=FILLED | more | people.token(client, page))
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def on_shortlist(call: Call, number: int = 1) -> Application:
    found = an_application(call, number)
    selections.shortlist(found, "熟悉社区。", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    return found


def propose(application: Application, by: audit.Actor = audit.SYSTEM) -> Appointment:
    appointment = selections.propose(
        application, term_from=TODAY, term_to=TODAY + 365 * DAY, by=by, now=NOON
    )
    db.session.commit()
    return appointment


def wrong(application: Application) -> set[str]:
    found = eligibility.findings(eligibility.gather(application, TODAY))
    return {each.check.key for each in found if not each.is_met}


# --- the window ----------------------------------------------------------------------------


def test_an_open_call_is_prolonged_never_shortened_and_says_so(
    programme: Programme, client: FlaskClient, officer: FlaskClient
) -> None:
    call = a_call(programme)
    former, page = call.closes_at, f"{CALLS}/{call.id}"
    for last in (TODAY + 3 * DAY, TODAY + 400 * DAY):
        data = {"last": last.isoformat(), "why": "报名人数不足。"}
        asked = officer.post(f"{page}/prolong", data=data | people.token(officer, page))
        assert asked.status_code == 409
        assert last.isoformat() in asked.get_data(as_text=True)
    data = {"last": (TODAY + 40 * DAY).isoformat(), "why": "报名人数不足。"}
    done = officer.post(f"{page}/prolong", data=data | people.token(officer, page))
    assert done.status_code == 303
    db.session.refresh(call)
    assert call.takes(former + DAY)
    (told,) = call.prolongations
    assert (told.former_end, told.new_end) == (former, call.closes_at)
    public = client.get(f"{APPLY}/").get_data(as_text=True)
    assert "报名人数不足" in public
    assert former.date().isoformat()[:4] in public.partition("原定")[2]
    event = db.session.scalars(sa.select(AuditEvent).filter_by(action="call.prolonged")).one()
    assert (event.before, event.reason) == ({"closes_at": former.isoformat()}, "报名人数不足。")
    with pytest.raises(Refused, match="截止"):
        calls.prolong(call, former + 90 * DAY, "再延。", by=audit.SYSTEM, now=call.closes_at)


def test_a_call_takes_applications_between_its_two_moments(programme: Programme) -> None:
    call = a_call(programme)
    for moment, takes in (
        (call.opens_at - dt.timedelta(seconds=1), False),
        (call.opens_at, True),
        (call.closes_at - dt.timedelta(seconds=1), True),
        (call.closes_at, False),
    ):
        assert call.takes(moment) is takes
    with pytest.raises(Refused, match="发布"):
        calls.change(call, Notice(title="新", about="新", categories=[KIND], opens_at=NOON,
                                  closes_at=NOON + DAY), by=audit.SYSTEM, now=NOON)  # fmt: skip
    calls.close(call, "已经招满", by=audit.SYSTEM, now=NOON)
    assert not call.takes(NOON)
    with pytest.raises(Refused, match="不接受申请"):
        an_application(call)
    with pytest.raises(Refused, match="已经截止"):
        calls.close(call, "再来一次", by=audit.SYSTEM, now=NOON)


def test_a_prepared_call_does_not_exist_for_the_public(
    programme: Programme, officer: FlaskClient, client: FlaskClient
) -> None:
    page = f"{CALLS}/new"
    data = {
        "title": "征集企业代表",
        "about": "请区内企业的负责人申请。",
        "categories": [OTHER_KIND],
        "places": "彭浦镇\n\n彭浦镇\n甲街道",
        "first": TODAY.isoformat(),
        "last": (TODAY + 5 * DAY).isoformat(),
    }
    made = officer.post(page, data=data | people.token(officer, page))
    assert made.status_code == 303
    call = db.session.scalars(sa.select(Call)).one()
    assert (call.places, local(call.closes_at).hour) == (["彭浦镇", "甲街道"], 0)
    assert client.get(f"{APPLY}/{call.id}").status_code == 404
    assert "征集企业代表" not in client.get(f"{APPLY}/").get_data(as_text=True)
    where = f"{CALLS}/{call.id}"
    changed = officer.post(
        f"{where}/change", data=data | {"title": "再征集"} | people.token(officer, where)
    )
    assert changed.status_code == 303
    officer.post(f"{where}/open", data=people.token(officer, where))
    assert "再征集" in client.get(f"{APPLY}/").get_data(as_text=True)
    assert "再征集" in client.get("/panel/").get_data(as_text=True)
    empty = officer.post(f"{where}/close", data={"reason": ""} | people.token(officer, where))
    assert empty.status_code == 422
    officer.post(f"{where}/close", data={"reason": "已经招满"} | people.token(officer, where))
    assert "已经招满" in client.get(f"{APPLY}/").get_data(as_text=True)
    assert client.get(f"{APPLY}/{call.id}").status_code == 302
    wanted = {"call.prepared", "call.changed", "call.opened", "call.closed"}
    assert wanted <= set(db.session.scalars(sa.select(AuditEvent.action)))


# --- applying ------------------------------------------------------------------------------


def test_a_resident_applies_looks_up_and_withdraws(
    programme: Programme, client: FlaskClient
) -> None:
    call = a_call(programme)
    where = sends(client, call)
    assert "申请已经收到" in client.get(where).get_data(as_text=True)
    found = db.session.scalars(sa.select(Application)).one()
    person = applications.person_of(found)
    assert person is not None
    assert (person.name, person.contact) == ("王小明", "13800138000")
    assert found.consent == consents.PANEL.version
    assert "王小明".encode() not in found.sealed_person
    # Sent twice, stored once, and the same number.
    assert sends(client, call) == where
    page = f"{APPLY}/receipts"
    asked = client.post(page, data={"number": found.receipt.lower()} | people.token(client, page))
    assert asked.location.endswith(found.receipt)
    missing = client.post(page, data={"number": "SQ1"} | people.token(client, page))
    assert missing.status_code == 422
    place = where.partition("?")[0]
    assert client.post(f"{place}/withdraw", data=people.token(client, place)).status_code == 422
    data = {"confirm": "y"} | people.token(client, place)
    assert client.post(f"{place}/withdraw", data=data).status_code == 303
    assert client.post(f"{place}/withdraw", data=data).status_code == 409
    db.session.expire_all()
    assert (found.state, found.sealed_person) == (ApplicationState.WITHDRAWN, b"")
    assert (found.statement, found.person_key) == ("", None)
    assert "已经删除" in client.get(place).get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "请填写姓名"),
        ("contact", "123", "完整的手机号"),
        ("tie", "none", "须在本区"),
        ("category", OTHER_KIND, ""),
        ("statement", "短", "至少10个字，标点、符号和空格不算"),
        ("statement", "！" * 10, "至少10个字，标点、符号和空格不算"),
        ("is_adult", "", "年满18周岁"),
        ("consent", "", "勾选同意"),
        ("birth_year", "19x0", "四位数字"),
        ("sub_district", "乙街道", "这次征集面向"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_lost(
    programme: Programme, client: FlaskClient, field: str, value: str, words: str
) -> None:
    call = a_call(programme, places=["彭浦镇"])
    page = f"{APPLY}/{call.id}"
    data = FILLED | {field: value} | people.token(client, page)
    answer = client.post(page, data={name: each for name, each in data.items() if each})
    assert answer.status_code == 422
    shown = answer.get_data(as_text=True)
    assert words in shown
    assert field == "statement" or "三十年" in shown
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Application)) == 0


def test_robots_are_held_up(programme: Programme, client: FlaskClient) -> None:
    call = a_call(programme)
    page = f"{APPLY}/{call.id}"
    data = FILLED | people.token(client, page)
    codes = [
        client.post(page, data=data | {"name": f"王{n}", "proof": "nonsense"}).status_code
        for n in range(7)
    ]
    assert codes == [303] * 5 + [429] * 2
    # Who only sends the first one again gets its number.
    assert client.post(page, data=data | {"name": "王0"}).status_code == 303
    assert db.session.scalars(sa.select(UsedProof)).all() == []


def test_one_form_sent_at_once_from_many_windows_is_one_application(
    app: Flask, programme: Programme
) -> None:
    call_id = a_call(programme).id

    def apply(_window: int) -> str:
        with app.app_context():
            found = an_application(db.session.get_one(Call, call_id))
            return found.receipt

    receipts = at_once(4, apply)
    assert len(set(receipts)) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Application)) == 1


# --- the rules -----------------------------------------------------------------------------


def test_the_rules_say_what_is_wrong_and_bind(programme: Programme) -> None:
    call = a_call(programme, places=["彭浦镇"])
    assert wrong(an_application(call)) == set()
    odd = an_application(
        call,
        2,
        is_adult=False,
        tie=Tie.NONE,
        sub_district="别处",
        person=Person(name="小王", contact="x@example.cn", birth_year=TODAY.year - 10),
    )
    assert wrong(odd) == {"adult", "tie", "place"}
    with pytest.raises(Refused, match="彭浦镇"):
        eligibility.must_be_met(eligibility.gather(odd, TODAY))


def test_who_sits_or_waits_or_asked_before_is_noticed(programme: Programme) -> None:
    call = a_call(programme)
    quotas.plan(programme.id, KIND, 1, by=audit.SYSTEM, now=NOON)
    member = members.add(
        Details(name="王小1", contact="wang1@example.cn"), by=audit.SYSTEM, now=NOON
    )
    term = Term(category=KIND, term_from=TODAY, term_to=TODAY + 100 * DAY)
    appointment = appointments.propose(member, programme.id, term, by=audit.SYSTEM, now=NOON)
    application = an_application(call)
    assert wrong(application) == {"not_proposed"}
    appointments.confirm(appointment, by=audit.SYSTEM, today=TODAY, now=NOON)
    db.session.commit()
    assert wrong(application) == {"not_sitting", "place_left"}
    stranger = an_application(call, 2, person=Person(name="王小1", contact="other@example.cn"))
    assert wrong(stranger) == {"place_left", "namesake"}
    # A full category and a namesake are to be known; they do not bind.
    eligibility.must_be_met(eligibility.gather(stranger, TODAY))
    an_application(call, 3, person=Person(name="王小1", contact="other@example.cn"))
    assert "only_one" in wrong(stranger)


# --- deciding ------------------------------------------------------------------------------


def test_from_the_application_to_the_seat_by_two_persons(
    programme: Programme, client: FlaskClient, officer: FlaskClient, second: FlaskClient
) -> None:
    call = a_call(programme)
    receipt = sends(client, call).partition("?")[0]
    application = db.session.scalars(sa.select(Application)).one()
    where = f"{DESK}/{application.id}"
    assert "王小明" in officer.get(DESK).get_data(as_text=True)
    empty = officer.post(f"{where}/shortlist", data=people.token(officer, where))
    assert empty.status_code == 422
    data = {"reasons": "长期参与社区自治。"} | people.token(officer, where)
    assert officer.post(f"{where}/shortlist", data=data).status_code == 303
    assert officer.post(f"{where}/shortlist", data=data).status_code == 409
    assert "已入围" in client.get(receipt).get_data(as_text=True)
    assert "长期参与" not in client.get(receipt).get_data(as_text=True)
    term = {"term_from": TODAY.isoformat(), "term_to": (TODAY + 365 * DAY).isoformat()}
    data = term | people.token(officer, where)
    moved = officer.post(f"{where}/propose", data=data)
    assert moved.status_code == 303
    db.session.expire_all()
    assert (application.state, application.sealed_person) == (ApplicationState.PROPOSED, b"")
    appointment = application.appointment
    assert appointment is not None
    assert (appointment.member.name, appointment.sub_district) == ("王小明", "彭浦镇")
    assert members.contact(appointment.member) == "13800138000"
    assert appointments.sitting(programme.id, TODAY) == []
    decide = f"/desk/panel/members/appointments/{appointment.id}/decide"
    page = moved.location
    own = officer.post(decide, data={"act": "confirm"} | people.token(officer, page))
    assert own.status_code == 409
    done = second.post(decide, data={"act": "confirm"} | people.token(second, page))
    assert done.status_code == 303
    assert [each.member.name for each in appointments.sitting(programme.id, TODAY)] == ["王小明"]
    assert "您已受聘" in client.get(receipt).get_data(as_text=True)
    assert "王**" in client.get("/panel/").get_data(as_text=True)
    assert "王小明" not in client.get("/panel/").get_data(as_text=True)
    late = client.post(
        f"{receipt}/withdraw", data={"confirm": "y"} | people.token(client, "/panel/apply/receipts")
    )
    assert late.status_code == 409
    told = db.session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action.startswith("application."))
    ).all()
    assert [each.action.partition(".")[2] for each in told] == [
        "received",
        "shortlisted",
        "proposed",
    ]
    assert all("王小明" not in f"{each.thing_name}{each.after}{each.reason}" for each in told)


def test_a_refusal_has_a_reason_of_the_list_and_words_and_is_told(
    programme: Programme, client: FlaskClient, officer: FlaskClient
) -> None:
    receipt = sends(client, a_call(programme)).partition("?")[0]
    application = db.session.scalars(sa.select(Application)).one()
    where = f"{DESK}/{application.id}"
    for data in (
        {"told": "本次名额有限。"},
        {"refusal": "no_place"},
        {"refusal": "x", "told": "y"},
    ):
        answer = officer.post(f"{where}/refuse", data=data | people.token(officer, where))
        assert answer.status_code == 422
    data = {"refusal": "no_place", "told": "本次只有一席，由更熟悉养老的人选担任。"}
    answer = officer.post(f"{where}/refuse", data=data | people.token(officer, where))
    assert answer.status_code == 303
    page = client.get(receipt).get_data(as_text=True)
    assert "该类别名额已满" in page
    assert "由更熟悉养老的人选担任" in page
    assert "由更熟悉养老" in db.session.scalars(sa.select(Message.body)).one()


def messages() -> dict[str, str]:
    """{where a message goes: what it says}."""
    key = of_site().contact_key
    return {
        sealing.unseal(key, each.sealed_address): each.body
        for each in db.session.scalars(sa.select(Message))
    }


def test_who_was_recommended_and_the_unit_are_told(app: Flask, programme: Programme) -> None:
    unit = people.make_unit("区甲局", "jia")
    colleague = people.make("unit_staff", unit=unit)
    people.make("unit_staff", unit=people.make_unit("区乙局", "yi"))
    found = [recommended(unit, number) for number in range(3)]
    selections.refuse(found[0], Refusal.NO_PLACE, "本次只有两席。", by=audit.SYSTEM, now=NOON)
    for each in found[1:]:
        selections.shortlist(each, "熟悉企业。", by=audit.SYSTEM, now=NOON)
    selections.appoint(propose(found[1]), by=audit.SYSTEM, today=TODAY, now=NOON)
    objection = Objection.COMPOSITION
    selections.object_to(
        propose(found[2]), objection, "已有两位同领域。", by=audit.SYSTEM, now=NOON
    )
    db.session.commit()
    told = messages()
    assert set(told) == {colleague.email, *(f"li{n}@example.cn" for n in range(3))}
    assert "区甲局推荐" in told["li0@example.cn"]
    assert "本次只有两席" in told["li0@example.cn"]
    assert "您已受聘" in told["li1@example.cn"]
    assert "从构成考虑" in told["li2@example.cn"]
    bodies = db.session.scalars(sa.select(Message.body).order_by(Message.id)).all()
    to_unit = [each for each in bodies if each.startswith("您单位推荐")]
    assert [("李强0" in to_unit[0]), ("李强1" in to_unit[1]), ("李强2" in to_unit[2])] == [True] * 3
    client = app.test_client()
    people.sign_in(client, colleague)
    assert (
        "3" in client.get("/desk/").get_data(as_text=True).partition("推荐的人选有结果")[0][-200:]
    )


def recommended(unit: Unit, number: int) -> Application:
    """Somebody a unit recommends; not committed."""
    return applications.recommend(
        programmes.newest().id,  # type: ignore[union-attr]
        unit.id,
        Person(name=f"李强{number}", contact=f"li{number}@example.cn"),
        Wish(category=OTHER_KIND, statement="熟悉企业情况。", is_adult=True, tie=Tie.WORKS),
        key=f"unit-{number}",
        person_key=f"unit-person-{number}",
        consent=consents.PANEL.version,
        by=audit.SYSTEM,
        now=NOON,
    )


def test_a_second_person_objects_for_a_reason_of_the_list(
    programme: Programme, officer: FlaskClient
) -> None:
    appointment = propose(on_shortlist(a_call(programme)))
    page = f"/desk/panel/members/{appointment.member_id}"
    deed = f"/desk/panel/members/appointments/{appointment.id}/decide"
    for data in ({"reason": "不合适。"}, {"objection": "withdrawn", "reason": "不合适。"}):
        asked = officer.post(deed, data=data | {"act": "refuse"} | people.token(officer, page))
        assert asked.status_code == 422
    data = {"act": "refuse", "objection": "unfounded", "reason": "没有写明专长。"}
    assert officer.post(deed, data=data | people.token(officer, page)).status_code == 303
    assert "提名的理由或材料不够充分：没有写明专长。" in officer.get(page).get_data(as_text=True)


def test_what_the_second_person_refuses_the_applicant_reads(
    programme: Programme, client: FlaskClient
) -> None:
    application = on_shortlist(a_call(programme))
    appointments.refuse(
        propose(application), Objection.NO_PLACE, "构成已经平衡。", by=audit.SYSTEM, now=NOON
    )
    db.session.commit()
    page = client.get(f"{APPLY}/receipts/{application.receipt}").get_data(as_text=True)
    assert "未入选" in page
    assert "构成已经平衡" in page


def test_withdrawing_ends_a_proposal_that_waits(programme: Programme) -> None:
    application = on_shortlist(a_call(programme))
    appointment = propose(application)
    applications.withdraw(application, by=audit.RESIDENT, now=NOON)
    db.session.commit()
    assert appointment.state is AppointmentState.REFUSED
    assert appointment.member.sealed_contact == b""


def test_somebody_known_keeps_their_row(programme: Programme) -> None:
    member = members.add(
        Details(name="王小1", contact="wang1@example.cn"), by=audit.SYSTEM, now=NOON
    )
    application = on_shortlist(a_call(programme))
    facts = eligibility.gather(application, TODAY)
    assert facts.known is member
    selections.propose(
        application,
        term_from=TODAY,
        term_to=TODAY + DAY,
        known=facts.known,
        by=audit.SYSTEM,
        now=NOON,
    )
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Member)) == 1


def test_two_officers_decide_about_one_application(app: Flask, programme: Programme) -> None:
    number = an_application(a_call(programme)).id

    def decide(officer: int) -> bool:
        with app.app_context():
            found = db.session.get_one(Application, number)
            try:
                if officer % 2:
                    selections.shortlist(found, "好。", by=audit.SYSTEM, now=NOON)
                else:
                    selections.refuse(found, Refusal.OTHER, "不行。", by=audit.SYSTEM, now=NOON)
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            return True

    # Whoever comes first wins; shortlisting and then refusing is an order that is allowed.
    done = at_once(6, decide)
    db.session.expire_all()
    found = db.session.get_one(Application, number)
    assert found.state is ApplicationState.REFUSED
    assert done.count(True) in (1, 2)
    acts = list(db.session.scalars(sa.select(AuditEvent.action)))
    assert acts.count("application.refused") == 1
    assert acts.count("application.shortlisted") <= 1


def test_officers_appoint_from_the_shortlist_to_the_last_place(
    app: Flask, programme: Programme
) -> None:
    quotas.plan(programme.id, KIND, 1, by=audit.SYSTEM, now=NOON)
    call = a_call(programme)
    first, other = people.make("drc_staff"), people.make("administrator")
    waiting = [propose(on_shortlist(call, number), first).id for number in range(4)]
    officer = other.id

    def appoint(place: int) -> bool:
        with app.app_context():
            found = db.session.get_one(Appointment, waiting[place])
            by = accounts.by_id(officer)
            assert by is not None
            try:
                appointments.confirm(found, by=by, today=TODAY, now=NOON)
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            return True

    assert at_once(4, appoint).count(True) == 1
    db.session.expire_all()
    assert len(appointments.sitting(programme.id, TODAY)) == 1
    told = [each.fate for each in applications.page(programme.id)]
    assert told.count(AppointmentState.APPOINTED) == 1


def a_seated_member(programme: Programme) -> Member:
    member = members.add(Details(name="王小明", contact="w@example.cn"), by=audit.SYSTEM, now=NOON)
    term = Term(category=KIND, term_from=TODAY, term_to=TODAY + 100 * DAY)
    appointment = appointments.propose(member, programme.id, term, by=audit.SYSTEM, now=NOON)
    appointments.confirm(appointment, by=audit.SYSTEM, today=TODAY, now=NOON)
    db.session.commit()
    return member


def test_one_invitation_is_accepted_once_however_many_open_it(
    app: Flask, programme: Programme
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    links: list[str] = []
    invitations.send(
        a_seated_member(programme),
        address_of=lambda token: links.append(token) or token,
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()

    def accept(number: int) -> int:
        word = f"{people.PASSWORD}-{number}"
        data = {"new": word, "repeat": word, "again": word}
        return app.test_client().post(f"/account/password-link/{links[0]}", data=data).status_code

    assert sorted(at_once(4, accept)) == [303, 404, 404, 404]
    acts = list(db.session.scalars(sa.select(AuditEvent.action)))
    assert acts.count("account.password_set") == 1


def test_two_officers_invite_at_once_and_one_link_is_good(app: Flask, programme: Programme) -> None:
    number = a_seated_member(programme).id

    def invite(_officer: int) -> str:
        links: list[str] = []
        with app.app_context():
            invitations.send(
                db.session.get_one(Member, number),
                address_of=lambda token: links.append(token) or token,
                by=audit.SYSTEM,
                now=NOON,
            )
            db.session.commit()
        return links[0]

    links = at_once(3, invite)
    good = [each for each in links if password_links.find(each, now=NOON) is not None]
    assert len(good) == 1
    assert db.session.scalar(sa.select(sa.func.count()).select_from(PasswordLink)) == 1


# --- what is kept --------------------------------------------------------------------------


def test_details_are_deleted_in_time(programme: Programme) -> None:
    call = a_call(programme)
    waits, refused, never = an_application(call), an_application(call, 2), on_shortlist(call, 3)
    selections.refuse(refused, Refusal.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON)
    appointment = propose(never)
    appointments.refuse(appointment, Objection.NO_PLACE, "名额已满。", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert applications.forget(NOON + applications.KEPT_REFUSED) == 0
    assert applications.forget(NOON + applications.KEPT_REFUSED + 2 * DAY) == 2
    assert (refused.sealed_person, refused.statement) == (b"", "")
    assert appointment.member.sealed_contact == b""
    assert waits.sealed_person != b""
    assert applications.forget(call.closes_at + applications.KEPT_WAITING + 2 * DAY) == 1
    assert waits.sealed_person == b""
    assert applications.forget(call.closes_at + applications.KEPT_WAITING + 3 * DAY) == 0


def test_only_the_office_reads_who_applied(app: Flask, programme: Programme, clock: Clock) -> None:
    number = an_application(a_call(programme)).id
    for role in ("auditor", "screener", "unit_staff", "panel_member", "resident"):
        client = app.test_client()
        people.sign_in(client, people.make(role))
        for page in (DESK, f"{DESK}/{number}", CALLS):
            assert client.get(page).status_code == 403


# --- units ---------------------------------------------------------------------------------


def test_a_unit_recommends_and_sees_its_own_alone(app: Flask, programme: Programme) -> None:
    mine, other = people.make_unit("区甲局", "jia"), people.make_unit("区乙局", "yi")
    here, there, nowhere = app.test_client(), app.test_client(), app.test_client()
    people.sign_in(here, people.make("unit_staff", unit=mine))
    people.sign_in(there, people.make("unit_staff", unit=other))
    people.sign_in(nowhere, people.make("unit_staff"))
    page = "/desk/panel/recommendations/new"
    data = {each: FILLED[each] for each in FILLED if each != "consent"}
    data |= {"category": OTHER_KIND, "statement": "长期从事园区运营，熟悉企业情况。"}
    asked = here.post(page, data=data | people.token(here, page))
    assert asked.status_code == 422
    assert "征得本人同意" in asked.get_data(as_text=True)
    full = data | {"consent": "y"} | people.token(here, page)
    first = here.post(page, data=full)
    assert (first.status_code, here.post(page, data=full).location) == (303, first.location)
    assert "熟悉企业情况" in here.get(first.location).get_data(as_text=True)
    assert there.get(first.location).status_code == 404
    assert "王小明" not in there.get("/desk/panel/recommendations").get_data(as_text=True)
    assert nowhere.post(page, data=full | people.token(nowhere, page)).status_code == 409
    application = db.session.scalars(sa.select(Application)).one()
    assert (application.unit_id, application.call_id) == (mine.id, None)
    # A unit's recommendation is not found by a number on the public page.
    public = app.test_client()
    assert public.get(f"{APPLY}/receipts/{application.receipt}").status_code == 404
    selections.shortlist(application, "构成需要。", by=audit.SYSTEM, now=NOON)
    appointment = propose(application)
    assert appointment.recommended_by_unit_id == mine.id
    appointments.refuse(appointment, Objection.NO_PLACE, "名额调整。", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert "名额调整" in here.get(first.location).get_data(as_text=True)
