"""What every act on answers stands on: the points of whole groups held, with their answers as they are
now; the reasons to refuse; and the record, one event a point."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import points, response_rows
from consult.points import Point
from consult.response_rows import Outcome, Response, ResponseState, ResponseVersion
from consult.responses import reading
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import batches, db
from core.errors import Refused

MOST_AT_ONCE = 500
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


def hold(chosen: Sequence[Point]) -> Sequence[Point]:
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


def answers(found: Sequence[Point], now: dt.datetime) -> Mapping[int, Response]:
    """The answers of these points as they are now; those that have none get one that waits."""
    held: dict[int, Response] = {}
    for some in batches([p.id for p in found]):
        query = sa.select(Response).where(Response.point_id.in_(some)).order_by(Response.point_id)
        query = query.execution_options(populate_existing=True)
        held |= {each.point_id: each for each in db.session.scalars(query)}
    for point in found:
        if point.id not in held:
            held[point.id] = Response(
                point_id=point.id,
                state=ResponseState.TODO,
                reason="",
                handed_back="",
                unit_id=point.lead_unit_id,
                revision=0,
                changed_at=now,
            )
            db.session.add(held[point.id])
    return held


def raise_revision(response: Response, now: dt.datetime) -> None:
    """Whoever had the answer before them has seen another one."""
    response.revision += 1
    response.changed_at = now


def leave_to(unit_id: int | None, found: Sequence[Point]) -> None:
    """Whoever another unit had named answers no more."""
    for some in batches([p.id for p in found if p.lead_unit_id != unit_id]):
        response_rows.assign(dict.fromkeys(some))


def must_be_seen(held: Mapping[int, Response], first: Point, seen: Seen, typed: str) -> None:
    """Refuse where an answer is not the one that was seen; `typed` is kept for its writer."""
    if isinstance(seen, int):
        if held[first.id].revision != seen:
            newest = next(iter(reading.versions(first.id)), None)
            raise Overtaken(newest, held[first.id].state, typed)
    elif others := sum(seen.get(id, each.revision) != each.revision for id, each in held.items()):
        raise Refused(
            _("其中%(n)d点的答复在您打开以后有改动，没有办理，请刷新后再看。", n=others),
            kept_text=typed,
        )


def must_be_in(
    held: Iterable[Response], states: tuple[ResponseState, ...], *, typed: str = ""
) -> None:
    """Refuse where an answer is in another state than these."""
    for response in held:
        if response.state not in states:
            sentence = _(
                "这一答复现在是“%(state)s”，不能这样处理，请刷新后查看。",
                state=response.state.title,
            )
            raise Refused(sentence, kept_text=typed)


def must_be_screened(found: Sequence[Point]) -> None:
    """Refuse points of submissions that nobody has screened yet."""
    for some in batches([p.submission_id for p in found]):
        query = sa.select(Submission.number).where(
            Submission.id.in_(some), Submission.state == SubmissionState.PENDING
        )
        if (number := db.session.scalar(query.limit(1))) is not None:
            raise Refused(_("第%(n)d件还没有审核，审核以后才能分办。", n=number))


def must_be_others(found: Sequence[Point], by: audit.Actor, *, typed: str = "") -> None:
    """Refuse whoever sent one of these."""
    if by.id is None:
        return
    for some in batches([p.submission_id for p in found]):
        query = sa.select(Submission.id).where(
            Submission.id.in_(some), Submission.account_id == by.id
        )
        if db.session.scalar(query.limit(1)) is not None:
            raise Refused(_("其中有您本人提交的意见，请由另一位同事答复。"), kept_text=typed)


def must_be_seconded(held: Mapping[int, Response], by: audit.Actor, *, alone: bool) -> None:
    """Refuse 未采纳 without a review (`alone`), and by somebody who wrote any of its words."""
    declined = [id for id, response in held.items() if response.outcome is Outcome.DECLINED]
    if not declined:
        return
    if alone:
        raise Refused(_("“未采纳”须送复核，由另一位同事确认。"))
    for some in batches(declined):
        query = sa.select(ResponseVersion.id).where(
            ResponseVersion.point_id.in_(some), ResponseVersion.by_id == by.id
        )
        if db.session.scalar(query.limit(1)) is not None:
            raise Refused(_("“未采纳”须由没有参与拟写的另一位同事复核。"))


def record(
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
    for some in batches([p.submission_id for p in found]):
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
