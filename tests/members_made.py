"""Members of the panel, proposed and seated: builders for the tests of the register."""

import datetime as dt

from consult.programmes import Programme
from core import audit
from core.db import db
from core.web import local
from panel import appointments, members
from panel.appointments import Appointment, Term
from panel.members import Details
from tests.conftest import NOON

TODAY = local(NOON).date()
KIND, OTHER_KIND = "企业代表", "社区居民代表"


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
