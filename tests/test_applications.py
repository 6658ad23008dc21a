"""Applications to the panel: sent, looked up, withdrawn, recommended by units, and kept no longer
than said."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult.programmes import Programme
from core import audit, consents
from core.db import db
from core.proof import UsedProof
from panel import applications, appointments, selections
from panel.applications import Application, ApplicationState, Refusal
from panel.appointments import Objection
from panel.calls import Call
from tests import people
from tests.applications_made import (
    APPLY,
    CALLS,
    DAY,
    DESK,
    FILLED,
    OTHER_KIND,
    a_call,
    an_application,
    on_shortlist,
    propose,
    sends,
)
from tests.conftest import NOON, Clock
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


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
