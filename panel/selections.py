"""Selections (遴选): what the office decides about applications: who stands on the shortlist and
why, who is not chosen and for which reason, who is proposed for a seat, and what the second person says.
"""

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core import audit
from core.audit import Actor
from core.db import db
from core.errors import Refused
from panel import applications, appointments, members, outcomes
from panel.applications import KEPT_REFUSED, Application, ApplicationState, Person, Refusal
from panel.appointments import Appointment, Objection, Term
from panel.members import Details, Gender, Member

audit.ACTIONS.update(
    {
        "application.shortlisted": _l("成员申请入围"),
        "application.refused": _l("成员申请未入选"),
        "application.proposed": _l("从入围名单提名"),
    }
)


def shortlist(application: Application, reasons: str, *, by: Actor, now: dt.datetime) -> None:
    """Put somebody on the shortlist, with the reasons. Who asks has checked that they may be
    there: `eligibility.must_be_met`."""
    if not reasons:
        raise Refused(_("请写明入围的理由。"))
    applications.must_go_on(application, ApplicationState.SHORTLISTED)
    application.state, application.reasons = ApplicationState.SHORTLISTED, reasons
    _decided(application, by, now)
    applications.note("application.shortlisted", application, by, now, reasons)


def refuse(
    application: Application, refusal: Refusal, words: str, *, by: Actor, now: dt.datetime
) -> None:
    """Decide against somebody, for a reason of the list and in words, and tell them."""
    if not words:
        raise Refused(_("请用一两句话向申请人说明理由。"))
    applications.must_go_on(application, ApplicationState.REFUSED)
    application.state = ApplicationState.REFUSED
    application.refusal, application.told = refusal, words
    application.keep_until = (now + KEPT_REFUSED).date()
    _decided(application, by, now)
    applications.note("application.refused", application, by, now, refusal.title)
    outcomes.tell_refused(application, now=now)


def propose(
    application: Application,
    *,
    term_from: dt.date,
    term_to: dt.date,
    known: Member | None = None,
    by: Actor,
    now: dt.datetime,
) -> Appointment:
    """Propose somebody of the shortlist for a seat; another person confirms. `known` is their row
    in the register, where they have one. What was sealed here moves there."""
    applications.must_go_on(application, ApplicationState.PROPOSED)
    person = applications.person_of(application)
    if person is None:
        raise Refused(_("申请人的资料已按期删除，不能再提名。"))
    member = known or members.add(_details(application, person), by=by, now=now)
    term = Term(
        category=application.category,
        term_from=term_from,
        term_to=term_to,
        fields=tuple(application.fields),
        sub_district=application.sub_district,
        recommended_by_unit_id=application.unit_id,
    )
    appointment = appointments.propose(member, application.programme_id, term, by=by, now=now)
    application.state, application.appointment = ApplicationState.PROPOSED, appointment
    application.sealed_person, application.keep_until = b"", None
    _decided(application, by, now)
    applications.note("application.proposed", application, by, now)
    return appointment


def appoint(appointment: Appointment, *, by: Actor, today: dt.date, now: dt.datetime) -> None:
    """Appoint, as the second person, and tell whoever should know."""
    appointments.confirm(appointment, by=by, today=today, now=now)
    outcomes.tell_appointed([appointment], now=now)


def object_to(
    appointment: Appointment, objection: Objection, words: str, *, by: Actor, now: dt.datetime
) -> None:
    """Decide against a colleague's proposal, and tell whoever knows of it."""
    appointments.refuse(appointment, objection, words, by=by, now=now)
    outcomes.tell_objected(appointment, now=now)


def _decided(application: Application, by: Actor, now: dt.datetime) -> None:
    application.decided_at, application.decided_by_id = now, by.id
    db.session.flush()


def _details(application: Application, person: Person) -> Details:
    return Details(
        name=person.name,
        gender=Gender(person.gender) if person.gender else None,
        birth_year=person.birth_year,
        unit_text=person.unit_text,
        contact=person.contact,
        is_name_public=application.is_name_public,
    )
