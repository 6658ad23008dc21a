"""Builders: review rounds in any state, through the real operations."""

import datetime as dt
from collections.abc import Sequence

from consult.drafts import Version
from core import audit
from core.db import db
from core.web import local
from panel import reviews, round_running, round_texts, rounds
from panel.reviews import Said, Verdict
from panel.rounds import Invitation, Plan, ReviewRound
from tests.conftest import NOON

DUE = NOON + dt.timedelta(days=8)


def a_plan(
    *,
    title: str = "请审阅规划纲要",
    due_at: dt.datetime = DUE,
    by_name: bool = True,
    quorum: int = 2,
    members: Sequence[int] = (),
    categories: Sequence[str] = (),
) -> Plan:
    """What the office wrote down."""
    return Plan(
        title=title,
        explanation=f"{title}：请重点看养老服务。",
        questions=[f"{title}：目标是否适当？", f"{title}：还缺什么？"],
        due_at=due_at,
        by_name=by_name,
        quorum=quorum,
        categories=list(categories),
        fields=[],
        members=list(members),
    )


def a_prepared_round(version: Version, *, now: dt.datetime = NOON, **plan: object) -> ReviewRound:
    """A round nobody was asked in yet; committed."""
    made = rounds.prepare(version, a_plan(**plan), by=audit.SYSTEM, now=now)  # type: ignore[arg-type]
    db.session.commit()
    return made


def an_open_round(version: Version, *, now: dt.datetime = NOON, **plan: object) -> ReviewRound:
    """A round that has begun; committed."""
    made = a_prepared_round(version, now=now, **plan)
    round_running.open_round(made, on_day=local(now).date(), by=audit.SYSTEM, now=now)
    db.session.commit()
    return made


def a_review(invitation: Invitation, *, now: dt.datetime = NOON) -> None:
    """Drafts of a member: one section to be amended, with words and wording, one left out by an
    interest, answers; committed."""
    reviews.start(invitation, by=audit.SYSTEM, now=now)
    sections = round_texts.text_of(invitation.round).sections
    first, last = sections[0], sections[-1]
    entry = first.entries[0]
    said = Said(Verdict.AMEND, "建议写明牵头单位。", {entry.mark: entry.text + "并明确责任。"})
    reviews.save_section(invitation, first, said, seen=0, now=now)
    if last is not first:
        reviews.declare_interest(invitation, last, "本人在相关机构任职。", by=audit.SYSTEM, now=now)
    reviews.save_answers(invitation, ["适当。", ""], "总体赞成。", seen=0, now=now)
    db.session.commit()
