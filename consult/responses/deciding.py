"""The words of an answer and how far they have come: from 拟复 over 复核 and 定稿 to 公布, and back."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import consultations, points, wordings
from consult.consultations import Consultation
from consult.points import LIVE, Point
from consult.response_rows import Outcome, Remark, Response, ResponseState, ResponseVersion
from consult.responses import holding
from consult.responses.holding import Seen
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
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

TODO, DRAFTED = ResponseState.TODO, ResponseState.DRAFTED
IN_REVIEW, FINAL = ResponseState.IN_REVIEW, ResponseState.FINAL
PUBLISHED = ResponseState.PUBLISHED


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
    found = holding.hold(chosen)
    held = holding.answers(found, now)
    if seen is not None:
        holding.must_be_seen(held, chosen[0], seen, reason)
    wordings.must_say_why(outcome, reason)
    holding.must_be_in(held.values(), (TODO, DRAFTED), typed=reason)
    holding.must_be_others(found, by, typed=reason)
    wording = wordings.of_words(outcome, reason)
    rows: list[dict[str, Any]] = []
    for point in found:
        response = held[point.id]
        response.state, response.outcome, response.reason = DRAFTED, outcome, reason
        response.by_id, response.approved_by_id = by.id, None
        response.handed_back, response.wording_id = "", wording
        holding.raise_revision(response, now)
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
    holding.record("response.drafted", found, by, now, after=facts)
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
    found = holding.hold(chosen)
    held = holding.answers(found, now)
    if seen is not None:
        holding.must_be_seen(held, chosen[0], seen, reason)
    holding.must_be_in(held.values(), among, typed=reason)
    back = {TODO: TODO, DRAFTED: TODO, IN_REVIEW: DRAFTED, FINAL: DRAFTED, PUBLISHED: DRAFTED}
    out = any(response.state is PUBLISHED for response in held.values())
    if within is not None:
        found = [p for p in found if p.lead_unit_id == within or held[p.id].state is not TODO]
    if not found:
        raise Refused(_("这一点已经改由其他单位承办，请刷新后查看。"), kept_text=reason)
    holding.leave_to(None, [p for p in found if held[p.id].state is TODO])
    for point in found:
        response = held[point.id]
        response.published_at = None
        if response.state is TODO:
            point.lead_unit_id = response.unit_id = None
        response.state = back[response.state]
        response.approved_by_id, response.handed_back = None, reason.strip()
        holding.raise_revision(response, now)
    state = held[found[0].id].state
    if out:
        consultations.touch(db.session.get_one(Consultation, found[0].consultation_id))
    holding.record(
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
        holding.raise_revision(response, now)
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


def _step(
    chosen: Sequence[Point],
    before: tuple[ResponseState, ...],
    after: ResponseState,
    action: str,
    seen: Seen | None,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    found = holding.hold(chosen)
    held = holding.answers(found, now)
    if seen is not None:
        holding.must_be_seen(held, chosen[0], seen, "")
    holding.must_be_in(held.values(), before)
    if after is FINAL:
        holding.must_be_others(found, by)
        holding.must_be_seconded(held, by, alone=action == "response.finalised")
    for response in held.values():
        response.state = after
        if after is FINAL:
            response.approved_by_id = by.id
        holding.raise_revision(response, now)
    holding.record(action, found, by, now, after={"answer": after.value})
    return len(found)
