"""What the office decides about applications: the rules, the shortlist, the proposal, and what the second
person says."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import programmes
from consult.programmes import Programme
from core import accounts, audit, consents, sealing
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message
from core.units import Unit
from panel import applications, appointments, eligibility, members, quotas, selections
from panel.applications import Application, ApplicationState, Person, Refusal, Tie, Wish
from panel.appointments import Appointment, AppointmentState, Objection, Term
from panel.members import Details, Member
from tests import people
from tests.applications_made import (
    APPLY,
    DAY,
    DESK,
    KIND,
    OTHER_KIND,
    TODAY,
    a_call,
    an_application,
    on_shortlist,
    propose,
    sends,
)
from tests.conftest import NOON
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


def wrong(application: Application) -> set[str]:
    found = eligibility.findings(eligibility.gather(application, TODAY))
    return {each.check.key for each in found if not each.is_met}


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
