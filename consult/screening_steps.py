"""Steps (审核环节): how opinions go from one state to another, with everything that follows it.

Whoever takes a step (`screening`, `proposals`) has asked whether it may be taken; here it is
carried out, so that no way of deciding can forget a count, a record or the search.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import appeals, originals, screening_figures, search_opinions, term_index
from consult.appeals import Outcome
from consult.consultations import Consultation
from consult.decisions import Decision, Proposal, Reason
from consult.originals import Span
from consult.submissions import Submission, SubmissionState, tally
from consult.term_index import following
from core import audit
from core.db import batches, db
from core.errors import Refused

PENDING, SHOWN, HIDDEN = SubmissionState.PENDING, SubmissionState.SHOWN, SubmissionState.HIDDEN
FINAL = frozenset({SHOWN, HIDDEN, SubmissionState.REFERRED})
MOST_ALIKE = 2_000
# What stands above and keeps something of what may be read: told of the consultation and of the
# opinions that have just come to another state, in the same transaction.
FOLLOWERS: list[Callable[[int, Sequence[int]], None]] = []
# Opinions whose words are not read before all of them are decided about, in order.
_WAITING: ContextVar[dict[int, None] | None] = ContextVar("waiting", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What is done to some submissions at once."""

    state: SubmissionState
    by: audit.Actor
    now: dt.datetime
    action: str = "submission.screened"
    reason: Reason | None = None
    note: str = ""
    told: str = ""
    # {submission id: who had proposed it}
    proposed_by: Mapping[int, int | None] = field(default_factory=dict)
    spans: Sequence[Span] | None = None


def carry_out(decided: Sequence[Submission], step: Step) -> None:
    """Bring all of `decided`, which are in one state, into another, with everything that follows
    it: counts, figures, proposals, appeals, the record, and what can be found."""
    before, ids = decided[0].state, [each.id for each in decided]
    for each in decided:
        each.state = step.state
    db.session.flush()
    _count_figures(decided, before, step)
    stamp = _recount(decided, before)
    for some in batches(ids):
        db.session.execute(sa.delete(Proposal).where(Proposal.submission_id.in_(some)))
        if step.state in FINAL:
            appeals.settle(some, Outcome.CHANGED, by=step.by, now=step.now)
    _keep(decided, step)
    if step.spans is not None:
        for several in batches(decided):
            originals.mask(several, step.spans, stamp=stamp)
    record(decided, step.action, before, step.state, step.reason, step.by, step.now)
    waiting = _WAITING.get()
    if waiting is None:
        _index(ids)
    else:
        waiting.update(dict.fromkeys(ids))
    for follow in FOLLOWERS:
        follow(decided[0].consultation_id, ids)


@contextmanager
def indexed_at_the_end() -> Iterator[None]:
    """For many decisions taken one by one in a transaction: what they decide about can be found, and
    its words are counted, at the end. To read a hundred opinions costs little more than to read one."""
    waiting: dict[int, None] = {}
    token = _WAITING.set(waiting)
    try:
        yield
    finally:
        _WAITING.reset(token)
    for ids in batches(list(waiting), following.AT_ONCE):
        _index(ids)


def _index(ids: Sequence[int]) -> None:
    search_opinions.follow(ids)
    term_index.follow(ids)


def _recount(decided: Sequence[Submission], before: SubmissionState) -> int:
    """Count what has just changed from `before` to the state that all of `decided` have now; the
    consultation's new stamp."""
    first = decided[0]
    change = int(first.state is SHOWN) - int(before is SHOWN)
    stamp: int = db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == first.consultation_id)
        .values(shown=Consultation.shown + change * len(decided), stamp=Consultation.stamp + 1)
        .returning(Consultation.stamp)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    if change:
        for place, count in Counter(each.place for each in decided).items():
            tally(first.consultation_id, place, shown=change * count)
    return stamp


def _count_figures(decided: Sequence[Submission], before: SubmissionState, step: Step) -> None:
    """Count the decisions, and for those that are the first how long the author had waited."""
    if step.state is before or step.state is PENDING:
        return
    kind = f"hidden:{step.reason.value}" if step.reason else step.state.value
    screening_figures.count({kind: len(decided)}, now=step.now)
    if step.state not in FINAL:
        return
    earlier: set[int] = set()
    for some in batches(decided):
        earlier |= set(
            db.session.scalars(
                sa.select(Decision.submission_id).where(
                    Decision.submission_id.in_([each.id for each in some]),
                    Decision.state.in_(FINAL),
                )
            )
        )
    times = [step.now - each.received_at for each in decided if each.id not in earlier]
    screening_figures.count(screening_figures.waited(times), now=step.now)


def _keep(decided: Sequence[Submission], step: Step) -> None:
    decisions = [
        {
            "submission_id": each.id,
            "at": step.now,
            "by_id": step.by.id,
            "proposed_by_id": step.proposed_by.get(each.id),
            "state": step.state,
            "reason": step.reason,
            "note": step.note,
            "told": step.told,
        }
        for each in decided
    ]
    db.session.execute(sa.insert(Decision), decisions)


def record(
    decided: Sequence[Submission],
    action: str,
    before: SubmissionState,
    after: SubmissionState,
    reason: Reason | None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """One event an opinion, in one statement. Its number names it: with the receipt, which is the
    author's key, whoever reads the record could speak as the author."""
    acts = [
        {
            "at": now,
            "actor_id": by.id,
            "actor_name": by.name,
            "action": action,
            "thing_kind": "submission",
            "thing_id": each.id,
            "thing_name": _("第%(n)d件", n=each.number),
            "before": {"state": before.value},
            "after": {"state": after.value},
            "reason": reason.value if reason else "",
        }
        for each in decided
    ]
    db.session.execute(sa.insert(audit.AuditEvent), acts)


def touch(consultation_id: int) -> None:
    """Let kept pages be made anew although no count changes."""
    db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == consultation_id)
        .values(stamp=Consultation.stamp + 1)
        .execution_options(synchronize_session=False)
    )


# --- refusals --------------------------------------------------------------------------------


def words_seen(submission: Submission) -> str:
    """A short name for the words a screener has before them."""
    said = f"{submission.title}\0{submission.body}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def locked(submission: Submission, seen: SubmissionState | None) -> SubmissionState:
    """The state it has now, held so that two people cannot both believe they were the first."""
    db.session.flush()
    db.session.refresh(submission, ["state", "title", "body"], with_for_update=True)
    if seen is not None and seen is not submission.state:
        raise too_late(submission.state)
    return submission.state


def too_late(state: SubmissionState) -> Refused:
    """What is said to somebody who comes after a colleague, or after the author."""
    if state is SubmissionState.WITHDRAWN:
        return Refused(_("作者已经撤回这件意见，不再审核。"))
    return Refused(_("这件意见刚刚已由他人处理为“%(state)s”，请刷新后查看。", state=state.title))


def must_be_anothers(submission: Submission, by: audit.Actor) -> None:
    """Refuse whoever sent it."""
    if by.id is not None and submission.account_id == by.id:
        raise Refused(_("这件意见是您本人提交的，请由另一位审核员处理。"))


def alike(
    submission: Submission, by: audit.Actor, *conditions: sa.ColumnElement[bool]
) -> Sequence[Submission]:
    """The pending submissions with the same words, but one's own, held; refuses when there is
    none."""
    query = sa.select(Submission).where(
        Submission.consultation_id == submission.consultation_id,
        Submission.fingerprint == submission.fingerprint,
        Submission.state == PENDING,
        *conditions,
    )
    if by.id is not None:
        # NULL is nobody's account, and unlike every id.
        query = query.where(Submission.account_id.is_distinct_from(by.id))
    query = query.order_by(Submission.id).limit(MOST_ALIKE).with_for_update()
    db.session.flush()
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    if not found:
        raise Refused(_("没有可以一并处理的意见，请刷新后查看。"))
    return found
