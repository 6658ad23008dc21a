"""Screening (先审后发): every opinion is read before it is shown, by published rules.

A decision is a row; the newest one holds. What is not shown leaves the public pages in the same
transaction and stays in the totals. Nobody decides on what they sent themselves.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import search_opinions
from consult.consultations import Consultation
from consult.submissions import Channel, Submission, SubmissionState, tally
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.ACTIONS.update({"submission.screened": _l("审核意见")})


class Reason(Enum):
    """The closed list of reasons for not showing an opinion."""

    PERSONAL_ATTACK = "personal_attack"
    PERSONAL_INFORMATION = "personal_information"
    ADVERTISEMENT = "advertisement"
    OFF_TOPIC = "off_topic"
    ILLEGAL = "illegal"

    @property
    def title(self) -> str:
        """The reason in the words of the published rules."""
        titles: dict[Reason, str] = {
            Reason.PERSONAL_ATTACK: _("含有辱骂或人身攻击"),
            Reason.PERSONAL_INFORMATION: _("含有他人或本人的个人信息"),
            Reason.ADVERTISEMENT: _("属于广告或推广"),
            Reason.OFF_TOPIC: _("与本次征求意见的文稿无关"),
            Reason.ILLEGAL: _("含有法律法规禁止发布的内容"),
        }
        return titles[self]


NEXT = {
    SubmissionState.PENDING: {
        SubmissionState.SHOWN,
        SubmissionState.HIDDEN,
        SubmissionState.REFERRED,
    },
    # A decision may be revised in the light of day, by a person, with its own record.
    SubmissionState.SHOWN: {SubmissionState.HIDDEN, SubmissionState.REFERRED},
    SubmissionState.HIDDEN: {SubmissionState.SHOWN, SubmissionState.REFERRED},
    SubmissionState.REFERRED: {SubmissionState.SHOWN, SubmissionState.HIDDEN},
}


class Decision(Base):
    """One decision on one submission."""

    __tablename__ = "screening_decision"
    __table_args__ = (
        sa.CheckConstraint("(state = 'hidden') = (reason IS NOT NULL)", name="reason_when_hidden"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    state: Mapped[SubmissionState] = mapped_column(choice(SubmissionState))
    reason: Mapped[Reason | None] = mapped_column(choice(Reason))
    note: Mapped[str] = mapped_column(sa.Text, default="")


def decide(
    submission: Submission,
    state: SubmissionState,
    *,
    reason: Reason | None = None,
    note: str = "",
    seen: SubmissionState | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Show, hide (with a reason) or refer one submission. Refuses when it is no longer in the
    state the screener has `seen`: an old page must not undo a colleague's fresh decision."""
    if by.id is not None and submission.account_id == by.id:
        raise Refused(_("这件意见是您本人提交的，请由另一位审核员处理。"))
    _must_have_its_reason(state, reason)
    # The row is locked first, so that two screeners cannot both believe they were the first.
    db.session.flush()
    db.session.refresh(submission, ["state"], with_for_update=True)
    before = submission.state
    if state not in NEXT[before] or (seen is not None and seen is not before):
        raise Refused(
            _("这件意见刚刚已由他人处理为“%(state)s”，请刷新后查看。", state=before.title)
        )
    submission.state = state
    _recount([submission], before)
    _note([submission], before, reason=reason, note=note, by=by, now=now)


def decide_alike(
    submission: Submission,
    state: SubmissionState,
    *,
    reason: Reason | None = None,
    note: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Decide on all pending submissions with the same words but one's own; how many they were."""
    _must_have_its_reason(state, reason)
    # One statement finds and changes them: nobody can decide on one of them in between.
    change = (
        sa.update(Submission)
        .where(
            Submission.consultation_id == submission.consultation_id,
            Submission.fingerprint == submission.fingerprint,
            Submission.state == SubmissionState.PENDING,
        )
        .values(state=state)
    )
    if by.id is not None:
        # NULL is nobody's account, and unlike every id.
        change = change.where(Submission.account_id.is_distinct_from(by.id))
    changed = db.session.scalars(change.returning(Submission)).all()
    if not changed:
        raise Refused(_("没有可以一并处理的意见，请刷新后查看。"))
    decided = sorted(changed, key=lambda each: each.id)
    _recount(decided, SubmissionState.PENDING)
    _note(decided, SubmissionState.PENDING, reason=reason, note=note, by=by, now=now)
    return len(decided)


def _must_have_its_reason(state: SubmissionState, reason: Reason | None) -> None:
    if (state is SubmissionState.HIDDEN) != (reason is not None):
        raise Refused(_("不展示时必须选择一条理由，其他处理不需要理由。"))


def _recount(decided: Sequence[Submission], before: SubmissionState) -> None:
    """Count what has just changed from `before` to the state that all of `decided` have now."""
    first = decided[0]
    change = int(first.state is SubmissionState.SHOWN) - int(before is SubmissionState.SHOWN)
    db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == first.consultation_id)
        .values(shown=Consultation.shown + change * len(decided), stamp=Consultation.stamp + 1)
        .execution_options(synchronize_session=False)
    )
    if change:
        for place, count in Counter(each.place for each in decided).items():
            tally(first.consultation_id, place, shown=change * count)


def _note(
    decided: Sequence[Submission],
    before: SubmissionState,
    *,
    reason: Reason | None,
    note: str,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Keep the decisions and record the acts: one of each an opinion, in two statements."""
    decisions = [
        {
            "submission_id": each.id,
            "at": now,
            "by_id": by.id,
            "state": each.state,
            "reason": reason,
            "note": note,
        }
        for each in decided
    ]
    acts = [
        {
            "at": now,
            "actor_id": by.id,
            "actor_name": by.name,
            "action": "submission.screened",
            "thing_kind": "submission",
            "thing_id": each.id,
            "thing_name": each.receipt,
            "before": {"state": before.value},
            "after": {"state": each.state.value},
            "reason": reason.value if reason else "",
        }
        for each in decided
    ]
    db.session.execute(sa.insert(Decision), decisions)
    db.session.execute(sa.insert(audit.AuditEvent), acts)
    search_opinions.follow([each.id for each in decided])


def queue(
    *,
    state: SubmissionState = SubmissionState.PENDING,
    consultation_id: int | None = None,
    channel: Channel | None = None,
    after: int | None = None,
    limit: int = 30,
) -> Sequence[Submission]:
    """The submissions in `state`, the one that waits longest first, after id `after`."""
    query = sa.select(Submission).where(Submission.state == state)
    if consultation_id is not None:
        query = query.where(Submission.consultation_id == consultation_id)
    if channel is not None:
        query = query.where(Submission.channel == channel)
    if after is not None:
        query = query.where(Submission.id > after)
    return db.session.scalars(query.order_by(Submission.id).limit(limit)).all()


def copies(submissions: Sequence[Submission]) -> dict[int, int]:
    """{submission id: pending submissions with the same words}, for a page of the queue."""
    prints = {s.fingerprint for s in submissions}
    query = (
        sa.select(Submission.consultation_id, Submission.fingerprint, sa.func.count())
        .where(Submission.fingerprint.in_(prints), Submission.state == SubmissionState.PENDING)
        .group_by(Submission.consultation_id, Submission.fingerprint)
    )
    counted = {(c, print): n for c, print, n in db.session.execute(query)}
    return {s.id: counted.get((s.consultation_id, s.fingerprint), 0) for s in submissions}


def pending_count(consultation_id: int | None = None) -> int:
    """How many submissions wait to be screened, in one consultation or in all."""
    query = sa.select(sa.func.count()).where(Submission.state == SubmissionState.PENDING)
    if consultation_id is not None:
        query = query.where(Submission.consultation_id == consultation_id)
    return db.session.scalar(query) or 0


def last_decision(submission: Submission) -> Decision | None:
    """The decision that holds."""
    query = sa.select(Decision).where(Decision.submission_id == submission.id)
    return db.session.scalar(query.order_by(Decision.id.desc()).limit(1))
