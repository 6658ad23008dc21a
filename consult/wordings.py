"""Wordings (常用答复): words that answer more than one point, with how often each is used."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.point_rows import Point, PointState
from consult.response_rows import LONGEST_REASON, SHORTEST_REASON, Outcome, Response
from consult.response_rows import Wording as Wording
from core import audit
from core.db import db
from core.errors import Refused
from core.text import says

audit.ACTIONS.update({"wording.saved": _l("保存常用答复"), "wording.retired": _l("停用常用答复")})
audit.KINDS.update({"wording": _l("常用答复")})


def every() -> Sequence[tuple[Wording, int]]:
    """The wordings in use, each with how many points are answered with exactly its words."""
    used = (
        sa.select(Response.wording_id, sa.func.count().label("times"))
        .join(Point, Point.id == Response.point_id)
        .where(Response.wording_id.is_not(None), Point.state == PointState.LIVE)
        .group_by(Response.wording_id)
        .subquery()
    )
    query = (
        sa.select(Wording, sa.func.coalesce(used.c.times, 0))
        .outerjoin(used, used.c.wording_id == Wording.id)
        .where(sa.not_(Wording.retired))
        .order_by(Wording.outcome, Wording.id)
    )
    return [(wording, times) for wording, times in db.session.execute(query)]


def by_id(wording_id: int) -> Wording | None:
    """The wording with this id, also one that is offered no more."""
    return db.session.get(Wording, wording_id)


def save(
    title: str, outcome: Outcome, reason: str, *, by: audit.Actor, now: dt.datetime
) -> Wording:
    """Keep words for further answers."""
    reason = reason.strip()
    must_say_why(outcome, reason)
    if not title.strip() or not reason:
        raise Refused(_("请写明名称和文字。"))
    made = Wording(
        title=title.strip()[:100],
        outcome=outcome,
        reason=reason,
        made_at=now,
        made_by_id=by.id,
        retired=False,
    )
    db.session.add(made)
    db.session.flush()
    audit.record("wording.saved", made, by=by, now=now, name=made.title)
    return made


def retire(wording: Wording, *, by: audit.Actor, now: dt.datetime) -> None:
    """Offer it no more; where it was used it stays."""
    db.session.refresh(wording, with_for_update=True)
    if wording.retired:
        raise Refused(_("这条常用答复已经停用了。"))
    wording.retired = True
    audit.record("wording.retired", wording, by=by, now=now, name=wording.title)


def of_words(outcome: Outcome, reason: str) -> int | None:
    """The wording in use that says exactly this."""
    if not reason:
        return None
    query = sa.select(Wording.id).where(
        Wording.outcome == outcome, Wording.reason == reason, sa.not_(Wording.retired)
    )
    return db.session.scalar(query.order_by(Wording.id).limit(1))


def must_say_why(outcome: Outcome, reason: str) -> None:
    """Refuse an outcome without the reason it needs, and one that is too long."""
    needed = outcome is not Outcome.ADOPTED
    if (needed or reason) and not says(reason, SHORTEST_REASON):
        raise Refused(
            _("除“采纳”外都要写明理由，至少%(n)d个字，标点、符号和空格不算。", n=SHORTEST_REASON),
            kept_text=reason,
        )
    if len(reason) > LONGEST_REASON:
        raise Refused(_("理由最多%(n)d字。", n=LONGEST_REASON), kept_text=reason)
