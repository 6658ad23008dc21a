"""Calls for members: when they take applications, and who knows of them."""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consult.programmes import Programme
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.web import local
from panel import calls
from panel.calls import Call, Notice
from tests import people
from tests.applications_made import (
    APPLY,
    CALLS,
    DAY,
    KIND,
    OTHER_KIND,
    TODAY,
    a_call,
    an_application,
)
from tests.conftest import NOON
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED

pytestmark = pytest.mark.usefixtures("programme")


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


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
