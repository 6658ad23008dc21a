"""Running a review round: whom it asks, opening it, asking one more, giving time, closing early."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from core import audit
from core.db import db
from core.errors import Refused
from panel import appointments, round_texts, rounds
from panel.appointments import Appointment
from panel.rounds import Invitation, ReviewRound, RoundState


def audience_of(review_round: ReviewRound, on_day: dt.date) -> Sequence[Appointment]:
    """Whom it would ask on that day: who sits in the chosen categories, fields, or by name."""
    asked: dict[str, Any] = review_round.audience
    sitting = appointments.sitting(review_round.programme_id, on_day)
    if not any(asked.values()):
        return sitting
    chosen: set[int] = set(asked["members"])
    if asked["categories"] or asked["fields"]:
        narrowed = appointments.sitting(
            review_round.programme_id,
            on_day,
            categories=asked["categories"] or None,
            fields=asked["fields"] or None,
        )
        chosen |= {appointment.member_id for appointment in narrowed}
    return [appointment for appointment in sitting if appointment.member_id in chosen]


def open_round(
    review_round: ReviewRound, *, on_day: dt.date, by: audit.Actor, now: dt.datetime
) -> Sequence[Invitation]:
    """Fix the words and the list of those asked, and begin."""
    rounds.lock(review_round)
    rounds.must_be_prepared(review_round)
    if review_round.due_at <= now:
        raise Refused(_("截止时间已经过去，请先改到以后再开始。"))
    version = rounds.version_of(review_round)
    if version is None:
        raise Refused(_("这一稿已经删除，请删去这一轮，重新准备。"))
    asked = audience_of(review_round, on_day)
    if not asked:
        raise Refused(_("没有符合条件的在任成员，请先改发送范围。"))
    round_texts.fix(review_round, version)
    review_round.draft_title = version.draft.title
    review_round.state = RoundState.OPEN
    review_round.opened_at = now
    review_round.closes_at = review_round.due_at
    invited = [_invite(review_round, appointment, now) for appointment in asked]
    db.session.flush()
    rounds.record(
        "review_round.opened",
        review_round,
        by,
        now,
        after={**rounds.facts(review_round), "members": len(invited)},
    )
    return invited


def _invite(review_round: ReviewRound, appointment: Appointment, now: dt.datetime) -> Invitation:
    invitation = Invitation(
        round_id=review_round.id,
        member_id=appointment.member_id,
        name=appointment.member.name,
        category=appointment.category,
        asked_at=now,
        overall="",
        answers=[""] * len(review_round.questions),
        edition=0,
        digest="",
        has_remarks=False,
    )
    invitation.round = review_round
    db.session.add(invitation)
    return invitation


def addable(review_round: ReviewRound, on_day: dt.date) -> list[Appointment]:
    """Who sits on that day and was not asked in the round."""
    query = sa.select(Invitation.member_id).where(Invitation.round_id == review_round.id)
    asked = set(db.session.scalars(query))
    sitting = appointments.sitting(review_round.programme_id, on_day)
    return [appointment for appointment in sitting if appointment.member_id not in asked]


def add(
    review_round: ReviewRound,
    member_id: int,
    *,
    reason: str,
    on_day: dt.date,
    by: audit.Actor,
    now: dt.datetime,
) -> Invitation:
    """Ask one more member while the round is open; on record."""
    rounds.lock(review_round)
    rounds.must_be_open(review_round, now)
    chosen = [each for each in addable(review_round, on_day) if each.member_id == member_id]
    if not chosen:
        raise Refused(_("只能增加在任的、还没有受邀的成员。"))
    invitation = _invite(review_round, chosen[0], now)
    db.session.flush()
    about = {"member": invitation.name}
    rounds.record("review_round.joined", review_round, by, now, after=about, reason=reason)
    return invitation


def extend(
    review_round: ReviewRound,
    due_at: dt.datetime,
    *,
    invitation: Invitation | None = None,
    reason: str,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Move the end later, for all or for one; also when it has just passed."""
    rounds.lock(review_round)
    if review_round.state is not RoundState.OPEN:
        raise Refused(_("只有已经开始、还没有公布的审阅可以延长。"))
    if due_at <= now:
        raise Refused(_("新的截止时间要在现在以后。"))
    before = review_round.due_at if invitation is None else invitation.due()
    if due_at <= before:
        raise Refused(_("截止时间只能延长，不能提前。"))
    if invitation is None:
        review_round.due_at = due_at
    else:
        invitation.due_at = due_at
    review_round.closes_at = max(review_round.closes_at, due_at)
    about = {"member": invitation.name} if invitation else {}
    rounds.record(
        "review_round.extended",
        review_round,
        by,
        now,
        before={**about, "due": rounds.said(before)},
        after={**about, "due": rounds.said(due_at)},
        reason=reason,
    )


def close(review_round: ReviewRound, *, reason: str, by: audit.Actor, now: dt.datetime) -> None:
    """End an open round before its time, for everybody."""
    rounds.lock(review_round)
    rounds.must_be_open(review_round, now)
    before = rounds.said(review_round.closes_at)
    review_round.due_at = review_round.closes_at = now
    query = sa.update(Invitation).where(Invitation.round_id == review_round.id)
    db.session.execute(query.values(due_at=None))
    rounds.record(
        "review_round.closed",
        review_round,
        by,
        now,
        before={"due": before},
        after={"due": rounds.said(now)},
        reason=reason,
    )
