"""Who answers a point, and by when (分办、改派、经办人)."""

import datetime as dt
from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import officers, point_acts, response_rows
from consult.officers import Officer
from consult.point_acts import ActKind, PointAct
from consult.points import Cooperation, Point
from consult.response_rows import ResponseState
from consult.responses import holding
from core import audit, working_days
from core.db import batches, db
from core.errors import Refused
from core.units import Unit

audit.ACTIONS.update(
    {
        "response.routed": _l("分办意见点"),
        "response.reassigned": _l("改派意见点"),
    }
)
audit.FIELDS.update({"due": _l("办理期限"), "cooperating": _l("配合单位")})

TODO, DRAFTED, IN_REVIEW = ResponseState.TODO, ResponseState.DRAFTED, ResponseState.IN_REVIEW
# How many working days a unit has unless the office says otherwise.
USUAL_DAYS = 10
MOST_DAYS = 60


def due_day(today: dt.date, days: int = USUAL_DAYS) -> dt.date:
    """The last of so many working days after today."""
    return working_days.after(today, days)


def route(
    chosen: Sequence[Point],
    unit_id: int,
    *,
    cooperating: Iterable[int] = (),
    due_on: dt.date,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Give points, with those of their groups, to a unit to answer and to others to help; to how
    many. Refused before they are screened: a unit reads no personal data; and where another unit has
    drafted an answer, from whom it is taken by `reassign`, which says why."""
    found = holding.hold(chosen)
    holding.must_be_screened(found)
    held = holding.answers(found, now)
    holding.must_be_in(held.values(), (TODO, DRAFTED))
    if any(held[p.id].state is DRAFTED and p.lead_unit_id not in (None, unit_id) for p in found):
        raise Refused(_("其中有其他单位已经拟复的意见点。要换单位，请打开该点改派，并写明原因。"))
    helping = sorted(set(cooperating) - {unit_id})
    for some in batches([p.id for p in found]):
        db.session.execute(
            sa.delete(Cooperation).where(Cooperation.point_id.in_(some)),
            execution_options={"synchronize_session": False},
        )
    holding.leave_to(unit_id, found)
    for point in found:
        point.lead_unit_id = unit_id
        response = held[point.id]
        response.unit_id, response.due_on, response.handed_back = unit_id, due_on, ""
        holding.raise_revision(response, now)
    db.session.flush()
    if helping:
        rows = [{"point_id": p.id, "unit_id": unit} for p in found for unit in helping]
        db.session.execute(sa.insert(Cooperation), rows)
    named = db.session.scalar(sa.select(Unit.name).where(Unit.id == unit_id))
    facts = {"unit": named, "due": due_on.isoformat()}
    holding.record("response.routed", found, by, now, after=facts)
    return len(found)


def reassign(
    chosen: Sequence[Point], unit_id: int, *, reason: str, by: audit.Actor, now: dt.datetime
) -> int:
    """Let another unit answer, and say why; what was drafted stays."""
    if not reason.strip():
        raise Refused(_("请写明改派的原因。"))
    found = holding.hold(chosen)
    held = holding.answers(found, now)
    holding.must_be_in(held.values(), (TODO, DRAFTED))
    if any(p.lead_unit_id is None for p in found):
        raise Refused(_("还没有分办，请先分办。"))
    ids = [p.id for p in found]
    db.session.execute(
        sa.delete(Cooperation).where(Cooperation.point_id.in_(ids), Cooperation.unit_id == unit_id),
        execution_options={"synchronize_session": False},
    )
    holding.leave_to(unit_id, found)
    for point in found:
        point.lead_unit_id = held[point.id].unit_id = unit_id
        holding.raise_revision(held[point.id], now)
    named = db.session.scalar(sa.select(Unit.name).where(Unit.id == unit_id))
    holding.record("response.reassigned", found, by, now, after={"unit": named}, reason=reason)
    return len(found)


def assign(
    chosen: Sequence[Point],
    person_id: int | None,
    *,
    within: int | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct | None:
    """Name who of the lead unit answers points, with those of their groups; None names nobody.

    Where several units lead, a person is named for the points of theirs, and whoever the others named
    stays: so a group has one person for each of its units. `within`: of this unit's points only.
    None is returned where it is so already. What somebody is just writing is not overtaken by it."""
    found = holding.hold(chosen)
    holding.must_be_in(holding.answers(found, now).values(), (TODO, DRAFTED, IN_REVIEW))
    if within is not None:
        found = [p for p in found if p.lead_unit_id == within]
    unit_ids = {p.lead_unit_id for p in found if p.lead_unit_id is not None}
    if not unit_ids:
        raise Refused(_("还没有分办，请先分办。"))
    officer = _officer(person_id, unit_ids)
    if officer is not None:
        found, unit_ids = [p for p in found if p.lead_unit_id == officer.unit_id], {officer.unit_id}
    known = _assigned(found)
    changed = [p for p in found if known.get(p.id) != person_id]
    if not changed:
        return None
    ids = [p.id for p in changed]
    name = officer.name if officer else ""
    # Nobody any more may be said of several units at once.
    unit_id = next(iter(unit_ids)) if len(unit_ids) == 1 else None
    for some in batches(ids):
        response_rows.assign(dict.fromkeys(some, person_id))
    act = point_acts.note(
        ActKind.ASSIGN,
        changed[0].consultation_id,
        None,
        {"points": ids, "persons": [[id, known.get(id)] for id in ids]},
        {"points": ids, "person": person_id, "name": name, "unit": unit_id},
        by,
        now,
    )
    staff = {each.id: each.name for each in officers.of_units(unit_ids)}
    was = {id: {"person": staff.get(known.get(id, 0), "")} for id in ids}
    holding.record("response.assigned", changed, by, now, before=was, after={"person": name})
    return act


def _officer(person_id: int | None, unit_ids: set[int]) -> Officer | None:
    """Whoever is named, of those who may answer for these units; None where nobody is."""
    officer = next((each for each in officers.of_units(unit_ids) if each.id == person_id), None)
    if officer is None and person_id is not None:
        raise Refused(_("请在承办单位的工作人员中选择经办人。"))
    return officer


def _assigned(found: Sequence[Point]) -> dict[int, int]:
    """{point id: who was named} of any number of points."""
    known: dict[int, int] = {}
    for some in batches([p.id for p in found]):
        known |= response_rows.assigned(some)
    return known
