"""Proposals (不展示的建议): what one screener would rather not show waits for another, who confirms
it or sends it back. Nobody confirms what they proposed themselves."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import appeals
from consult.decisions import Proposal, Reason, is_proposed, proposals_on
from consult.screening_steps import (
    HIDDEN,
    PENDING,
    SHOWN,
    Step,
    alike,
    carry_out,
    locked,
    must_be_anothers,
    record,
    too_late,
    touch,
)
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "submission.proposed": _l("提出不展示"),
        "submission.sent_back": _l("退回不展示的建议"),
    }
)
# From where a proposal brings an opinion back into the queue.
PROPOSABLE = frozenset({PENDING, SHOWN, SubmissionState.REFERRED, SubmissionState.ASKED})


def propose(
    submission: Submission,
    reason: Reason | None,
    *,
    note: str = "",
    seen: SubmissionState | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Propose not to show it. One that is shown leaves the public pages until it is settled."""
    must_be_anothers(submission, by)
    reason = _must_be_reason(reason)
    before = locked(submission, seen)
    if before not in PROPOSABLE:
        raise too_late(before)
    if appeals.open_of(submission) is not None:
        raise Refused(_("作者对这件意见的处理提出了异议，请先处理异议。"))
    if db.session.get(Proposal, submission.id, populate_existing=True) is not None:
        raise Refused(_("已有审核员提出不展示，请另一位审核员确认或退回。"))
    if before is not PENDING:
        carry_out([submission], Step(state=PENDING, by=by, now=now, note=note))
    _propose([submission], reason, note, by, now)


def propose_alike(
    submission: Submission,
    reason: Reason | None,
    *,
    note: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Propose not to show any pending submission with the same words; how many they were."""
    reason = _must_be_reason(reason)
    proposed = alike(submission, by, ~is_proposed())
    _propose(proposed, reason, note, by, now)
    return len(proposed)


def confirm(submission: Submission, *, note: str = "", by: audit.Actor, now: dt.datetime) -> None:
    """Hide what a colleague proposed to hide, for the reason they gave."""
    must_be_anothers(submission, by)
    proposal = _must_be_proposed(submission)
    if proposal.by_id == by.id:
        raise Refused(_("这是您本人提出的建议，请由另一位审核员确认。"))
    carry_out([submission], _confirmed([proposal], note, by, now))


def confirm_alike(
    submission: Submission, *, note: str = "", by: audit.Actor, now: dt.datetime
) -> int:
    """Hide all submissions with the same words that colleagues proposed to hide for one reason."""
    proposal = _must_be_proposed(submission)
    if proposal.by_id == by.id:
        raise Refused(_("这是您本人提出的建议，请由另一位审核员确认。"))
    of_colleagues = sa.select(Proposal.submission_id).where(
        Proposal.reason == proposal.reason, Proposal.by_id.is_distinct_from(by.id)
    )
    decided = alike(submission, by, Submission.id.in_(of_colleagues))
    proposals = list(proposals_on([each.id for each in decided]).values())
    carry_out(decided, _confirmed(proposals, note, by, now))
    return len(decided)


def send_back(submission: Submission, *, by: audit.Actor, now: dt.datetime) -> None:
    """End a proposal without following it: the opinion waits as before."""
    must_be_anothers(submission, by)
    proposal = _must_be_proposed(submission)
    db.session.delete(proposal)
    touch(submission.consultation_id)
    record([submission], "submission.sent_back", PENDING, PENDING, proposal.reason, by, now)


def _confirmed(proposals: Sequence[Proposal], note: str, by: audit.Actor, now: dt.datetime) -> Step:
    return Step(
        state=HIDDEN,
        by=by,
        now=now,
        reason=proposals[0].reason,
        note=note,
        proposed_by={each.submission_id: each.by_id for each in proposals},
    )


def _propose(
    proposed: Sequence[Submission], reason: Reason, note: str, by: audit.Actor, now: dt.datetime
) -> None:
    rows = [
        {"submission_id": each.id, "at": now, "by_id": by.id, "reason": reason, "note": note}
        for each in proposed
    ]
    db.session.execute(sa.insert(Proposal), rows)
    touch(proposed[0].consultation_id)
    record(proposed, "submission.proposed", PENDING, PENDING, reason, by, now)


def _must_be_reason(reason: Reason | None) -> Reason:
    if reason is None:
        raise Refused(_("不展示时必须选择一条理由，其他处理不需要理由。"))
    return reason


def _must_be_proposed(submission: Submission) -> Proposal:
    state = locked(submission, None)
    proposal = db.session.get(Proposal, submission.id, populate_existing=True)
    if state is not PENDING or proposal is None:
        raise Refused(_("这件意见没有待确认的不展示建议，请刷新后查看。"))
    return proposal
