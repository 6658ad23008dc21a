"""Letters to units whose answers are due: how many points wait, and until when.

One letter a unit, round and day on which answers are due: two working days before it and on it, and
one when it is over. What somebody was named for is theirs alone; of the rest every active account
that may answer for the unit is told. None goes where nothing is left to draft, and none goes twice.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import officers
from consult.consultations import SHANGHAI, Consultation
from consult.inquiry_letters import accounts_of
from consult.points import Point
from consult.response_rows import Response, ResponseState, needs_answer
from consult.submissions import Submission
from core import outbox, sealing, working_days
from core.db import db
from core.units import Unit

# So many working days before the due day.
BEFORE = 2


class Waiting(NamedTuple):
    """Points that one unit, or somebody named in it, has to answer until one day."""

    consultation: int
    title: str
    unit: int
    name: str
    due_on: dt.date
    points: int
    person: int | None
    address: str


def due(today: dt.date) -> list[Waiting]:
    """What is due, soon or since."""
    last = working_days.after(today, BEFORE)
    naming = officers.naming()
    query = (
        sa.select(
            Consultation.id,
            Consultation.title,
            Unit.id,
            Unit.name,
            Response.due_on,
            sa.func.count(Point.id),
            naming.c.person_id,
            sa.func.coalesce(naming.c.email, ""),
        )
        .select_from(Consultation)
        .join(Point, Point.consultation_id == Consultation.id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .join(Unit, Unit.id == Point.lead_unit_id)
        .outerjoin(naming, naming.c.point_id == Point.id)
        .where(
            needs_answer(),
            Response.state.in_((ResponseState.TODO, ResponseState.DRAFTED)),
            Response.due_on <= last,
        )
        .group_by(
            Consultation.id,
            Consultation.title,
            Unit.id,
            Unit.name,
            Response.due_on,
            naming.c.person_id,
            naming.c.email,
        )
        .order_by(Consultation.id, Unit.id, Response.due_on, naming.c.person_id)
    )
    rows = db.session.execute(query).all()
    return [Waiting(*row) for row in rows if row.due_on]


def remind_due(*, site: str, contact_key: str, now: dt.datetime) -> None:
    """Put in every reminder that is due, each once."""
    today = now.astimezone(SHANGHAI).date()
    waiting = due(today)
    of_unit = accounts_of(each.unit for each in waiting if each.person is None)
    outbox.put(
        (
            outbox.Draft(
                about=f"points:{w.consultation}:{w.unit}:{w.due_on}:{_stage(w, today)}:{to}",
                sealed_address=sealing.seal(contact_key, address),
                subject=_("意见待答复：%(title)s", title=w.title),
                body=_body(w, today, site),
            )
            for w in waiting
            for to, address in _addresses(w, of_unit)
        ),
        now=now,
    )


def _addresses(
    waiting: Waiting, of_unit: Mapping[int, Sequence[tuple[int, str]]]
) -> Sequence[tuple[int | str, str]]:
    """To whom a letter goes, each with what tells it from other letters of the stage."""
    if waiting.person is not None:
        return [(f"{waiting.person}:own", waiting.address)]
    return of_unit.get(waiting.unit, ())


def _stage(waiting: Waiting, today: dt.date) -> str:
    if waiting.due_on < today:
        return "over"
    return "today" if waiting.due_on == today else "soon"


def _body(waiting: Waiting, today: dt.date, site: str) -> str:
    over = waiting.due_on < today
    if waiting.person is not None:
        first = _("有%(n)d个意见点由您经办，待拟写答复，期限将到。", n=waiting.points)
        if over:
            first = _(
                "有%(n)d个意见点由您经办，待拟写答复，期限已过，请尽快办理。", n=waiting.points
            )
    else:
        first = _("有%(n)d个意见点待贵单位拟写答复，期限将到。", n=waiting.points)
        if over:
            first = _("有%(n)d个意见点待贵单位拟写答复，期限已过，请尽快办理。", n=waiting.points)
    mine = "?person=me" if waiting.person is not None else ""
    return str(
        _(
            "%(unit)s：\n\n"
            "%(first)s\n\n"
            "意见征集：%(title)s\n"
            "期限：%(due)s\n"
            "打开：%(url)s\n\n"
            "这是系统发出的通知，请不要回复。",
            unit=waiting.name,
            first=first,
            title=waiting.title,
            due=waiting.due_on.isoformat(),
            url=f"{site}/desk/points{mine}",
        )
    )
