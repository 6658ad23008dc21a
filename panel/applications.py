"""Applications (申请): who would like to sit on the panel, by their own word or a unit's.

An application is received, and then chosen from (`selections`); once it is proposed its fate is the
appointment's, and is read off it. Who somebody is lies sealed, goes into the register with the
proposal, and is deleted in time.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from core import audit, receipts, sealing
from core.audit import Actor
from core.config import of_site
from core.db import db, insert_into
from core.errors import Refused
from panel import appointments, quotas
from panel.application_rows import LIVE as LIVE
from panel.application_rows import NEXT as NEXT
from panel.application_rows import Application as Application
from panel.application_rows import ApplicationState as ApplicationState
from panel.application_rows import Origin as Origin
from panel.application_rows import Person as Person
from panel.application_rows import Refusal as Refusal
from panel.application_rows import Tie as Tie
from panel.application_rows import Wish as Wish
from panel.appointments import Appointment, AppointmentState, Objection
from panel.calls import Call
from panel.members import Member

audit.ACTIONS.update(
    {
        "application.received": _l("收到成员申请"),
        "application.recommended": _l("单位推荐成员"),
        "application.withdrawn": _l("撤回成员申请"),
    }
)
audit.KINDS.update({"panel_application": _l("成员申请")})

MARK = "SQ"
STATEMENT = 1000
# What becomes of the personal details: of who was not chosen, and of what nobody decided.
KEPT_REFUSED = dt.timedelta(days=180)
KEPT_WAITING = dt.timedelta(days=365)


def once_key(form_key: str, place: str, person: Person, wish: Wish) -> str:
    """The key under which an application is stored once; other words are another application."""
    parts = (form_key, place, person.name, person.contact, wish.category, wish.statement)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sent_before(key: str) -> Application | None:
    """The application stored under this key."""
    return db.session.scalar(sa.select(Application).where(Application.once_key == key))


# --- acts ----------------------------------------------------------------------------------


def receive(
    call: Call,
    person: Person,
    wish: Wish,
    *,
    key: str,
    person_key: str,
    consent: str,
    by: Actor,
    now: dt.datetime,
) -> Application:
    """Take an application in while the call is open. The same `key` again gives the first one."""
    earlier = sent_before(key)
    if earlier is not None:
        return earlier
    if not call.takes(now):
        raise Refused(_("这次征集现在不接受申请。"), kept_text=wish.statement)
    if wish.category not in call.categories:
        raise Refused(_("这次征集不包括这个类别。"), kept_text=wish.statement)
    kept = max(now, call.closes_at) + KEPT_WAITING
    return _store(
        person,
        wish,
        {
            "programme_id": call.programme_id,
            "origin": Origin.OPEN,
            "call_id": call.id,
            "once_key": key,
            "person_key": person_key,
            "consent": consent,
            "keep_until": kept.date(),
        },
        "application.received",
        by=by,
        now=now,
    )


def recommend(
    programme_id: int,
    unit_id: int,
    person: Person,
    wish: Wish,
    *,
    key: str,
    person_key: str,
    consent: str,
    by: Actor,
    now: dt.datetime,
) -> Application:
    """Take a unit's recommendation in; it needs no call. The same `key` again gives the first."""
    earlier = sent_before(key)
    if earlier is not None:
        return earlier
    if wish.category not in quotas.categories(programme_id):
        raise Refused(_("没有“%(category)s”这个类别。", category=wish.category))
    return _store(
        person,
        wish,
        {
            "programme_id": programme_id,
            "origin": Origin.UNIT,
            "unit_id": unit_id,
            "once_key": key,
            "person_key": person_key,
            "consent": consent,
            "keep_until": (now + KEPT_WAITING).date(),
        },
        "application.recommended",
        by=by,
        now=now,
    )


def _store(
    person: Person,
    wish: Wish,
    row: dict[str, object],
    action: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> Application:
    values = row | {
        "receipt": receipts.fresh(now, mark=MARK),
        "category": wish.category,
        "fields": list(wish.fields),
        "sub_district": wish.sub_district,
        "statement": wish.statement,
        "sealed_person": _sealed(person),
        "is_adult": wish.is_adult,
        "tie": wish.tie,
        "is_name_public": wish.is_name_public,
        "received_at": now,
        "state": ApplicationState.RECEIVED,
        "reasons": "",
        "told": "",
    }
    # The unique key decides between two that are sent at once, on either database.
    stored: Application | None = db.session.scalar(
        insert_into(Application)
        .values(values)
        .on_conflict_do_nothing(index_elements=["once_key"])
        .returning(Application)
    )
    if stored is None:
        earlier = sent_before(str(row["once_key"]))
        assert earlier is not None
        return earlier
    audit.record(action, stored, by=by, now=now, name=stored.receipt)
    return stored


def withdraw(application: Application, *, by: Actor, now: dt.datetime) -> None:
    """Take it back, as whoever sent it; a proposal that waits ends with it. Details go at once."""
    must_go_on(application, ApplicationState.WITHDRAWN)
    proposal = application.appointment
    if proposal is not None:
        if proposal.state is not AppointmentState.PROPOSED:
            raise Refused(_("提名已经有了决定，不能再撤回。如要辞任，请与工作人员联系。"))
        by_unit = application.origin is Origin.UNIT
        why = _("推荐单位撤回推荐") if by_unit else _("本人撤回申请")
        appointments.refuse(proposal, Objection.WITHDRAWN, why, by=by, now=now)
        _clear_register(proposal.member)
    application.state = ApplicationState.WITHDRAWN
    _forget(application)
    note("application.withdrawn", application, by, now)


def forget(now: dt.datetime) -> int:
    """Delete the personal details whose time is over; of how many applications."""
    over = sa.select(Application).where(Application.keep_until < now.date())
    found = db.session.scalars(over).all()
    for application in found:
        _forget(application)
    long_ago = now - KEPT_REFUSED
    refused = (
        sa.select(Application)
        .join(Application.appointment)
        .join(Appointment.member)
        .where(
            Appointment.state == AppointmentState.REFUSED,
            Appointment.decided_at < long_ago,
            Member.sealed_contact != b"",
        )
    )
    never = [each for each in db.session.scalars(refused).unique() if _clears(each)]
    db.session.flush()
    return len(found) + len(never)


def _clears(application: Application) -> bool:
    assert application.appointment is not None
    application.statement, application.person_key = "", None
    return _clear_register(application.appointment.member)


def _clear_register(member: Member) -> bool:
    """Take the contact of somebody who never sat out of the register; whether it was."""
    if any(each.state is not AppointmentState.REFUSED for each in member.appointments):
        return False
    member.sealed_contact = b""
    return True


def _forget(application: Application) -> None:
    application.sealed_person, application.statement = b"", ""
    application.person_key, application.keep_until = None, None


def must_go_on(application: Application, state: ApplicationState) -> None:
    """Lock the row and refuse what somebody else has decided in the meantime."""
    db.session.flush()
    db.session.refresh(application, with_for_update={"of": Application})
    if state not in NEXT[application.state]:
        raise Refused(_("这项申请现在是“%(state)s”，不能这样做。", state=application.state.title))


def _sealed(person: Person) -> bytes:
    return sealing.seal(of_site().contact_key, json.dumps(asdict(person), ensure_ascii=False))


def note(
    action: str, application: Application, by: Actor, now: dt.datetime, reason: str = ""
) -> None:
    """Put it on record: by its number, never by the name, for the record outlives the details."""
    after = {"application": application.state.value}
    db.session.flush()
    audit.record(
        action, application, by=by, now=now, name=application.receipt, after=after, reason=reason
    )


# --- finding -------------------------------------------------------------------------------


def by_id(application_id: int) -> Application | None:
    """The application with this id."""
    return db.session.get(Application, application_id)


def by_receipt(typed: str) -> Application | None:
    """The application with this number, as people type numbers."""
    receipt = receipts.as_written(typed, mark=MARK)
    if not receipt:
        return None
    return db.session.scalar(sa.select(Application).where(Application.receipt == receipt))


def person_of(application: Application) -> Person | None:
    """Who it is; None once that was deleted or has gone into the register."""
    if not application.sealed_person:
        return None
    return Person(**json.loads(sealing.unseal(of_site().contact_key, application.sealed_person)))


def name_of(application: Application) -> str:
    """Their name, from here or from the register; "" once it is nowhere."""
    if application.appointment is not None:
        return application.appointment.member.name
    person = person_of(application)
    return person.name if person else ""


def page(
    programme_id: int,
    *,
    state: ApplicationState | None = None,
    category: str = "",
    call_id: int | None = None,
    before: int | None = None,
    limit: int = 30,
) -> Sequence[Application]:
    """Applications, the newest first, below id `before`."""
    query = _with_all().where(Application.programme_id == programme_id)
    if state is not None:
        query = query.where(Application.state == state)
    if category:
        query = query.where(Application.category == category)
    if call_id is not None:
        query = query.where(Application.call_id == call_id)
    if before is not None:
        query = query.where(Application.id < before)
    return db.session.scalars(query.order_by(Application.id.desc()).limit(limit)).all()


def of_unit(unit_id: int, *, before: int | None = None, limit: int = 30) -> Sequence[Application]:
    """A unit's own recommendations, the newest first."""
    query = _with_all().where(Application.unit_id == unit_id)
    if before is not None:
        query = query.where(Application.id < before)
    return db.session.scalars(query.order_by(Application.id.desc()).limit(limit)).all()


def news_of_unit(unit_id: int, since: dt.datetime) -> int:
    """About how many of a unit's recommendations somebody has decided since then: refused,
    appointed, or not appointed."""
    told = (AppointmentState.APPOINTED, AppointmentState.REFUSED)
    refused = sa.and_(
        Application.state == ApplicationState.REFUSED, Application.decided_at >= since
    )
    decided = sa.and_(
        Application.state == ApplicationState.PROPOSED,
        Appointment.state.in_(told),
        Appointment.decided_at >= since,
    )
    query = (
        sa.select(sa.func.count(Application.id))
        .outerjoin(Application.appointment)
        .where(Application.unit_id == unit_id, sa.or_(refused, decided))
    )
    return db.session.scalar(query) or 0


def of_member(member_id: int) -> Sequence[Application]:
    """By which applications somebody came into the register, the newest first."""
    query = (
        _with_all()
        .where(Appointment.member_id == member_id)
        .join(Appointment, Application.appointment_id == Appointment.id)
    )
    return db.session.scalars(query.order_by(Application.id.desc())).all()


def others_of(application: Application) -> Sequence[Application]:
    """Further applications under the same contact that are still alive."""
    if application.person_key is None:
        return []
    query = _with_all().where(
        Application.programme_id == application.programme_id,
        Application.person_key == application.person_key,
        Application.id != application.id,
        Application.state.in_(LIVE),
    )
    return [each for each in db.session.scalars(query.order_by(Application.id)) if each.is_live]


def figures(programme_id: int) -> dict[ApplicationState, int]:
    """How many stand in each state."""
    query = (
        sa.select(Application.state, sa.func.count())
        .where(Application.programme_id == programme_id)
        .group_by(Application.state)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _with_all() -> sa.Select[Application]:
    return sa.select(Application).options(
        joinedload(Application.unit),
        joinedload(Application.call),
        joinedload(Application.appointment).joinedload(Appointment.member),
    )
