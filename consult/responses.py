"""Answers (答复): each point's outcome and reason, from 待办 over 拟复, 复核 and 定稿 to 公布.

The points of a group are answered at once. Whatever changes an answer holds the consultation, as
acts on points do, so that nobody answers what somebody else is just merging. Every version of the
words is kept. 未采纳 takes a second person, and nobody decides on what they sent themselves.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import (
    consultations,
    officers,
    point_acts,
    points,
    response_rows,
    wordings,
)
from consult.consultations import Consultation
from consult.point_acts import ActKind, PointAct
from consult.points import LIVE, Cooperation, Point
from consult.response_rows import DONE as DONE
from consult.response_rows import LONGEST_REASON as LONGEST_REASON
from consult.response_rows import SHORTEST_REASON as SHORTEST_REASON
from consult.response_rows import Outcome as Outcome
from consult.response_rows import Remark as Remark
from consult.response_rows import Response as Response
from consult.response_rows import ResponseState as ResponseState
from consult.response_rows import ResponseVersion as ResponseVersion
from consult.response_rows import Wording as Wording
from consult.response_rows import is_open as is_open
from consult.response_rows import is_overdue as is_overdue
from consult.response_rows import is_with as is_with
from consult.response_rows import needs_answer as needs_answer
from consult.submissions import GONE, Submission, SubmissionState
from core import audit, working_days
from core.db import db
from core.errors import Refused
from core.units import Unit

audit.ACTIONS.update(
    {
        "response.routed": _l("分办意见点"),
        "response.reassigned": _l("改派意见点"),
        "response.drafted": _l("拟写答复"),
        "response.submitted": _l("答复送复核"),
        "response.handed_back": _l("退回答复"),
        "response.reopened": _l("撤回已公布的答复，重新办理"),
        "response.approved": _l("复核通过答复"),
        "response.finalised": _l("答复定稿"),
        "response.published": _l("公布答复"),
        "response.remarked": _l("记录各方意见"),
    }
)
audit.FIELDS.update({"due": _l("办理期限"), "cooperating": _l("配合单位")})

TODO, DRAFTED = ResponseState.TODO, ResponseState.DRAFTED
IN_REVIEW, FINAL = ResponseState.IN_REVIEW, ResponseState.FINAL
PUBLISHED = ResponseState.PUBLISHED
# How many working days a unit has unless the office says otherwise.
USUAL_DAYS = 10
MOST_DAYS = 60
MOST_AT_ONCE = 500
BATCH = 500


# The revision of one answer, or {point: revision} of several, that somebody had before them.
Seen = int | Mapping[int, int]


class Overtaken(Refused):
    """Somebody else changed the answer meanwhile; both texts are shown to the later one."""

    def __init__(self, theirs: ResponseVersion | None, state: ResponseState, typed: str) -> None:
        who = theirs.by_name if theirs else _("他人")
        sentence = _(
            "您打开以后，%(who)s已经改过这一答复，现在是“%(state)s”。您写的没有保存，两份文字都在下面。",
            who=who,
            state=state.title,
        )
        super().__init__(sentence, kept_text=typed)
        self.theirs = theirs


def concerns(point: Point, unit_id: int | None) -> bool:
    """The same for one point."""
    if unit_id is None:
        return False
    if point.lead_unit_id == unit_id:
        return True
    return unit_id in points.cooperating([point.id]).get(point.id, ())


# --- reading -----------------------------------------------------------------------------------


def of(point_id: int) -> Response | None:
    """The answer to a point; None while there is not even a unit for it."""
    return db.session.get(Response, point_id)


def of_many(point_ids: Sequence[int]) -> dict[int, Response]:
    """{point id: its answer}."""
    query = sa.select(Response).where(Response.point_id.in_(point_ids))
    return {each.point_id: each for each in db.session.scalars(query)}


def published_on(submission_ids: Sequence[int]) -> dict[int, Response]:
    """{point id: its published answer} of these submissions' live points."""
    query = (
        sa.select(Response)
        .join(Point, Point.id == Response.point_id)
        .where(
            Point.submission_id.in_(submission_ids),
            Point.state == LIVE,
            Response.state == PUBLISHED,
        )
    )
    return {each.point_id: each for each in db.session.scalars(query)}


def answered_among(submission_ids: Sequence[int]) -> frozenset[int]:
    """Which of these submissions their authors can read a published answer to."""
    theirs = sa.select(Submission.id).where(
        Submission.id.in_(submission_ids), Submission.state.not_in(GONE)
    )
    answered = sa.select(Point.submission_id).where(
        Point.id.in_(published_on(submission_ids)), Point.submission_id.in_(theirs)
    )
    return frozenset(db.session.scalars(answered))


def versions(point_id: int) -> Sequence[ResponseVersion]:
    """Every version of the words, the newest first."""
    query = sa.select(ResponseVersion).where(ResponseVersion.point_id == point_id)
    return db.session.scalars(query.order_by(ResponseVersion.id.desc())).all()


def remarks(point_id: int) -> Sequence[Remark]:
    """What units said about a point, the oldest first."""
    query = sa.select(Remark).where(Remark.point_id == point_id)
    return db.session.scalars(query.order_by(Remark.id)).all()


# --- who answers, by when ----------------------------------------------------------------------


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
    found = _held(chosen)
    _must_be_screened(found)
    held = _responses(found, now)
    _must_be_in(held.values(), (TODO, DRAFTED))
    if any(held[p.id].state is DRAFTED and p.lead_unit_id not in (None, unit_id) for p in found):
        raise Refused(_("其中有其他单位已经拟复的意见点。要换单位，请打开该点改派，并写明原因。"))
    helping = sorted(set(cooperating) - {unit_id})
    for some in _batches([p.id for p in found]):
        db.session.execute(
            sa.delete(Cooperation).where(Cooperation.point_id.in_(some)),
            execution_options={"synchronize_session": False},
        )
    _leave_to(unit_id, found)
    for point in found:
        point.lead_unit_id = unit_id
        response = held[point.id]
        response.unit_id, response.due_on, response.handed_back = unit_id, due_on, ""
        _changed(response, now)
    db.session.flush()
    if helping:
        rows = [{"point_id": p.id, "unit_id": unit} for p in found for unit in helping]
        db.session.execute(sa.insert(Cooperation), rows)
    named = db.session.scalar(sa.select(Unit.name).where(Unit.id == unit_id))
    facts = {"unit": named, "due": due_on.isoformat()}
    _record("response.routed", found, by, now, after=facts)
    return len(found)


def reassign(
    chosen: Sequence[Point], unit_id: int, *, reason: str, by: audit.Actor, now: dt.datetime
) -> int:
    """Let another unit answer, and say why; what was drafted stays."""
    if not reason.strip():
        raise Refused(_("请写明改派的原因。"))
    found = _held(chosen)
    held = _responses(found, now)
    _must_be_in(held.values(), (TODO, DRAFTED))
    if any(p.lead_unit_id is None for p in found):
        raise Refused(_("还没有分办，请先分办。"))
    ids = [p.id for p in found]
    db.session.execute(
        sa.delete(Cooperation).where(Cooperation.point_id.in_(ids), Cooperation.unit_id == unit_id),
        execution_options={"synchronize_session": False},
    )
    _leave_to(unit_id, found)
    for point in found:
        point.lead_unit_id = held[point.id].unit_id = unit_id
        _changed(held[point.id], now)
    named = db.session.scalar(sa.select(Unit.name).where(Unit.id == unit_id))
    _record("response.reassigned", found, by, now, after={"unit": named}, reason=reason)
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
    found = _held(chosen)
    _must_be_in(_responses(found, now).values(), (TODO, DRAFTED, IN_REVIEW))
    if within is not None:
        found = [p for p in found if p.lead_unit_id == within]
    unit_ids = {p.lead_unit_id for p in found if p.lead_unit_id is not None}
    if not unit_ids:
        raise Refused(_("还没有分办，请先分办。"))
    officer = next((each for each in officers.of_units(unit_ids) if each.id == person_id), None)
    if officer is not None:
        found, unit_ids = [p for p in found if p.lead_unit_id == officer.unit_id], {officer.unit_id}
    elif person_id is not None:
        raise Refused(_("请在承办单位的工作人员中选择经办人。"))
    known: dict[int, int] = {}
    for some in _batches([p.id for p in found]):
        known |= response_rows.assigned(some)
    changed = [p for p in found if known.get(p.id) != person_id]
    if not changed:
        return None
    ids = [p.id for p in changed]
    name = officer.name if officer else ""
    # Nobody any more may be said of several units at once.
    unit_id = next(iter(unit_ids)) if len(unit_ids) == 1 else None
    for some in _batches(ids):
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
    _record("response.assigned", changed, by, now, before=was, after={"person": name})
    return act


# --- the words ---------------------------------------------------------------------------------


def draft(
    chosen: Sequence[Point],
    outcome: Outcome,
    reason: str,
    *,
    seen: Seen | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Write the answer of points and of all that are grouped with them; how many it is for.

    `seen` is the revision of the first point's answer that the writer had before them, or those of
    all that were chosen.
    """
    reason = reason.strip()
    found = _held(chosen)
    held = _responses(found, now)
    if seen is not None:
        _must_be_seen(held, chosen[0], seen, reason)
    wordings.must_say_why(outcome, reason)
    _must_be_in(held.values(), (TODO, DRAFTED), typed=reason)
    _must_be_others(found, by, typed=reason)
    wording = wordings.of_words(outcome, reason)
    rows: list[dict[str, Any]] = []
    for point in found:
        response = held[point.id]
        response.state, response.outcome, response.reason = DRAFTED, outcome, reason
        response.by_id, response.approved_by_id = by.id, None
        response.handed_back, response.wording_id = "", wording
        _changed(response, now)
        rows.append(
            {
                "point_id": point.id,
                "revision": response.revision,
                "outcome": outcome,
                "reason": reason,
                "at": now,
                "by_id": by.id,
                "by_name": by.name,
            }
        )
    db.session.flush()
    db.session.execute(sa.insert(ResponseVersion), rows)
    facts = {"answer": DRAFTED.value, "outcome": outcome.value}
    _record("response.drafted", found, by, now, after=facts)
    return len(found)


def submit(
    chosen: Sequence[Point], *, seen: Seen | None = None, by: audit.Actor, now: dt.datetime
) -> int:
    """Send drafted answers to be looked over."""
    return _step(chosen, (DRAFTED,), IN_REVIEW, "response.submitted", seen, by, now)


def hand_back(
    chosen: Sequence[Point],
    reason: str,
    *,
    seen: Seen | None = None,
    among: tuple[ResponseState, ...] = tuple(ResponseState),
    within: int | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """One step back, with the reason: what is reviewed, final or published becomes a draft, a draft
    waits again, and what waits goes back to the office to be given to another unit. A published
    answer is not read any more until it is published anew; editions of the table keep it. Refused
    in a state that is not `among` those in which `by` may do so. `within`: of what waits, only this
    unit's points go back to the office; what other units lead in the group stays with them."""
    if not reason.strip():
        raise Refused(_("请写明退回的原因。"))
    found = _held(chosen)
    held = _responses(found, now)
    if seen is not None:
        _must_be_seen(held, chosen[0], seen, reason)
    _must_be_in(held.values(), among, typed=reason)
    back = {TODO: TODO, DRAFTED: TODO, IN_REVIEW: DRAFTED, FINAL: DRAFTED, PUBLISHED: DRAFTED}
    out = any(response.state is PUBLISHED for response in held.values())
    if within is not None:
        found = [p for p in found if p.lead_unit_id == within or held[p.id].state is not TODO]
    if not found:
        raise Refused(_("这一点已经改由其他单位承办，请刷新后查看。"), kept_text=reason)
    _leave_to(None, [p for p in found if held[p.id].state is TODO])
    for point in found:
        response = held[point.id]
        response.published_at = None
        if response.state is TODO:
            point.lead_unit_id = response.unit_id = None
        response.state = back[response.state]
        response.approved_by_id, response.handed_back = None, reason.strip()
        _changed(response, now)
    state = held[found[0].id].state
    if out:
        consultations.touch(db.session.get_one(Consultation, found[0].consultation_id))
    _record(
        "response.reopened" if out else "response.handed_back",
        found,
        by,
        now,
        after={"answer": state.value},
        reason=reason.strip(),
    )
    return len(found)


def approve(
    chosen: Sequence[Point], *, seen: Seen | None = None, by: audit.Actor, now: dt.datetime
) -> int:
    """Find answers that were sent for review good. 未采纳 is approved by somebody who has not
    written any of its words."""
    return _step(chosen, (IN_REVIEW,), FINAL, "response.approved", seen, by, now)


def finalise(
    chosen: Sequence[Point], *, seen: Seen | None = None, by: audit.Actor, now: dt.datetime
) -> int:
    """The office makes drafts final without a review; never 未采纳."""
    return _step(chosen, (DRAFTED,), FINAL, "response.finalised", seen, by, now)


def publish(consultation: Consultation, *, by: audit.Actor, now: dt.datetime) -> int:
    """Let authors read all final answers of a consultation by receipt number; how many there are."""
    points.lock_consultation(consultation.id)
    query = (
        sa.select(Response)
        .join(Point, Point.id == Response.point_id)
        .where(
            Point.consultation_id == consultation.id, Point.state == LIVE, Response.state == FINAL
        )
        .execution_options(populate_existing=True)
    )
    found = db.session.scalars(query).all()
    for response in found:
        response.state, response.published_at = PUBLISHED, now
        _changed(response, now)
    if found:
        db.session.flush()
        consultations.touch(consultation)
        audit.record(
            "response.published",
            consultation,
            by=by,
            now=now,
            name=consultation.title,
            after={"points": len(found)},
        )
    return len(found)


def remark(
    point: Point,
    body: str,
    *,
    dissents: bool,
    unit_id: int | None,
    by: audit.Actor,
    now: dt.datetime,
) -> Remark:
    """Note what a unit says about a point; that it does not agree is told apart."""
    if not body.strip():
        raise Refused(_("请写下意见。"))
    points.lock_consultation(point.consultation_id)
    made = Remark(
        point_id=point.id,
        unit_id=unit_id,
        dissents=dissents,
        body=body.strip(),
        at=now,
        by_id=by.id,
        by_name=by.name,
    )
    db.session.add(made)
    db.session.flush()
    audit.record("response.remarked", point, by=by, now=now, name=points.name(point))
    return made


# --- what the operations stand on --------------------------------------------------------------


def _step(
    chosen: Sequence[Point],
    before: tuple[ResponseState, ...],
    after: ResponseState,
    action: str,
    seen: Seen | None,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    found = _held(chosen)
    held = _responses(found, now)
    if seen is not None:
        _must_be_seen(held, chosen[0], seen, "")
    _must_be_in(held.values(), before)
    if after is FINAL:
        _must_be_others(found, by)
        _must_be_seconded(held, by, alone=action == "response.finalised")
    for response in held.values():
        response.state = after
        if after is FINAL:
            response.approved_by_id = by.id
        _changed(response, now)
    _record(action, found, by, now, after={"answer": after.value})
    return len(found)


def _held(chosen: Sequence[Point]) -> Sequence[Point]:
    """The points and those grouped with them, as they are now; nobody else changes them meanwhile."""
    if not chosen:
        raise Refused(_("请选择意见点。"))
    if len(chosen) > MOST_AT_ONCE:
        raise Refused(_("一次最多处理%(n)d点，请分几次处理。", n=MOST_AT_ONCE))
    was = {p.id: p.group_id for p in chosen}
    points.lock_consultation(chosen[0].consultation_id)
    found = {p.id: p for p in points.lock(chosen)}
    if any(found[id].group_id != group for id, group in was.items()):
        raise Refused(_("这一点刚刚改变了归并，请刷新后再看。"))
    for group in sorted({p.group_id for p in found.values() if p.group_id is not None}):
        found |= {p.id: p for p in points.members(group)}
    return [found[id] for id in sorted(found)]


def _responses(found: Sequence[Point], now: dt.datetime) -> Mapping[int, Response]:
    """The answers of these points as they are now; those that have none get one that waits."""
    held: dict[int, Response] = {}
    for some in _batches([p.id for p in found]):
        query = sa.select(Response).where(Response.point_id.in_(some)).order_by(Response.point_id)
        query = query.execution_options(populate_existing=True)
        held |= {each.point_id: each for each in db.session.scalars(query)}
    for point in found:
        if point.id not in held:
            held[point.id] = Response(
                point_id=point.id,
                state=TODO,
                reason="",
                handed_back="",
                unit_id=point.lead_unit_id,
                revision=0,
                changed_at=now,
            )
            db.session.add(held[point.id])
    return held


def _changed(response: Response, now: dt.datetime) -> None:
    response.revision += 1
    response.changed_at = now


def _leave_to(unit_id: int | None, found: Sequence[Point]) -> None:
    """Whoever another unit had named answers no more."""
    for some in _batches([p.id for p in found if p.lead_unit_id != unit_id]):
        response_rows.assign(dict.fromkeys(some))


def _must_be_seen(held: Mapping[int, Response], first: Point, seen: Seen, typed: str) -> None:
    if isinstance(seen, int):
        if held[first.id].revision != seen:
            newest = next(iter(versions(first.id)), None)
            raise Overtaken(newest, held[first.id].state, typed)
    elif others := sum(seen.get(id, each.revision) != each.revision for id, each in held.items()):
        raise Refused(
            _("其中%(n)d点的答复在您打开以后有改动，没有办理，请刷新后再看。", n=others),
            kept_text=typed,
        )


def _must_be_in(
    held: Iterable[Response], states: tuple[ResponseState, ...], *, typed: str = ""
) -> None:
    for response in held:
        if response.state not in states:
            sentence = _(
                "这一答复现在是“%(state)s”，不能这样处理，请刷新后查看。",
                state=response.state.title,
            )
            raise Refused(sentence, kept_text=typed)


def _must_be_screened(found: Sequence[Point]) -> None:
    for some in _batches([p.submission_id for p in found]):
        query = sa.select(Submission.number).where(
            Submission.id.in_(some), Submission.state == SubmissionState.PENDING
        )
        if (number := db.session.scalar(query.limit(1))) is not None:
            raise Refused(_("第%(n)d件还没有审核，审核以后才能分办。", n=number))


def _must_be_others(found: Sequence[Point], by: audit.Actor, *, typed: str = "") -> None:
    """Refuse whoever sent one of these."""
    if by.id is None:
        return
    for some in _batches([p.submission_id for p in found]):
        query = sa.select(Submission.id).where(
            Submission.id.in_(some), Submission.account_id == by.id
        )
        if db.session.scalar(query.limit(1)) is not None:
            raise Refused(_("其中有您本人提交的意见，请由另一位同事答复。"), kept_text=typed)


def _must_be_seconded(held: Mapping[int, Response], by: audit.Actor, *, alone: bool) -> None:
    declined = [id for id, response in held.items() if response.outcome is Outcome.DECLINED]
    if not declined:
        return
    if alone:
        raise Refused(_("“未采纳”须送复核，由另一位同事确认。"))
    for some in _batches(declined):
        query = sa.select(ResponseVersion.id).where(
            ResponseVersion.point_id.in_(some), ResponseVersion.by_id == by.id
        )
        if db.session.scalar(query.limit(1)) is not None:
            raise Refused(_("“未采纳”须由没有参与拟写的另一位同事复核。"))


def _record(
    action: str,
    found: Sequence[Point],
    by: audit.Actor,
    now: dt.datetime,
    *,
    after: dict[str, Any],
    before: Mapping[int, dict[str, Any]] | None = None,
    reason: str = "",
) -> None:
    """One event a point, in few statements."""
    db.session.flush()
    numbers: dict[int, int] = {}
    for some in _batches([p.submission_id for p in found]):
        query = sa.select(Submission.id, Submission.number).where(Submission.id.in_(some))
        numbers |= {row.id: row.number for row in db.session.execute(query)}
    acts = [
        {
            "at": now,
            "actor_id": by.id,
            "actor_name": by.name,
            "action": action,
            "thing_kind": "point",
            "thing_id": p.id,
            "thing_name": _("第%(n)d件第%(m)d点", n=numbers[p.submission_id], m=p.ordinal),
            "before": before[p.id] if before else None,
            "after": after,
            "reason": reason,
        }
        for p in found
    ]
    db.session.execute(sa.insert(audit.AuditEvent), acts)


def _batches(ids: Sequence[int]) -> Iterable[Sequence[int]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
