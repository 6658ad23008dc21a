"""Calls for members and applications to them, as far as they have come: builders for their tests."""

import datetime as dt
from typing import Any

from flask.testing import FlaskClient

from consult.programmes import Programme
from core import audit, consents
from core.db import db
from core.web import local
from panel import applications, calls, selections
from panel.applications import Application, Person, Tie, Wish
from panel.appointments import Appointment
from panel.calls import Call, Notice
from tests import people
from tests.conftest import NOON

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
