"""Letters to units that have points to answer: how many wait, and until when.

One letter a unit, round and day on which answers are due: when the first of them are given to it,
two working days before that day and on it, and one when it is over. What somebody was named for is
theirs alone, from the moment they are named; of the rest every active account that may answer for
the unit is told. None goes where nothing is left to draft, and none goes twice.
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
from core import outbox, working_days
from core.db import db
from core.outbox import Post
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


def waiting() -> list[Waiting]:
    """What is to be answered by some day, whether that is far, near or past."""
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
            Response.due_on.is_not(None),
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
    return [Waiting(*row) for row in db.session.execute(query)]


def remind_due(post: Post, *, now: dt.datetime) -> None:
    """Put in every letter that is due, each once."""
    today = now.astimezone(SHANGHAI).date()
    found = waiting()
    of_unit = accounts_of(each.unit for each in found if each.person is None)
    outbox.put(
        (
            outbox.Draft(
                about=f"points:{w.consultation}:{w.unit}:{w.due_on}:{_stage(w, today)}:{to}",
                sealed_address=post.sealed(address),
                subject=_("意见待答复：%(title)s", title=w.title),
                body=_body(w, today, post.site),
            )
            for w in found
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
    if waiting.due_on == today:
        return "today"
    return "soon" if waiting.due_on <= working_days.after(today, BEFORE) else "new"


def _body(waiting: Waiting, today: dt.date, site: str) -> str:
    first = _first_words(_stage(waiting, today), waiting.points, own=waiting.person is not None)
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


def _first_words(stage: str, n: int, *, own: bool) -> str:
    if stage == "new":
        if own:
            return str(_("有%(n)d个意见点由您经办，请在期限前拟写答复。", n=n))
        return str(_("有%(n)d个意见点分办给贵单位，请在期限前拟写答复。", n=n))
    if stage == "over":
        if own:
            return str(_("有%(n)d个意见点由您经办，待拟写答复，期限已过，请尽快办理。", n=n))
        return str(_("有%(n)d个意见点待贵单位拟写答复，期限已过，请尽快办理。", n=n))
    if own:
        return str(_("有%(n)d个意见点由您经办，待拟写答复，期限将到。", n=n))
    return str(_("有%(n)d个意见点待贵单位拟写答复，期限将到。", n=n))
