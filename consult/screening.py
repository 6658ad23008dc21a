"""Screening (先审后发): every opinion is read before it is shown, by published rules.

One screener shows, refers, asks the author for more or masks; not to show takes two (`proposals`).
The author completes and withdraws. What is not shown leaves the public pages in the same
transaction and stays in the totals. Nobody decides on their own.
"""

import datetime as dt
from collections.abc import Sequence

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import appeals, originals
from consult.analysis import personal
from consult.appeals import Outcome
from consult.decisions import Reason, is_proposed, proposals_on
from consult.originals import Span
from consult.screening_steps import (
    HIDDEN,
    PENDING,
    SHOWN,
    Step,
    alike,
    carry_out,
    locked,
    must_be_anothers,
    too_late,
    words_seen,
)
from consult.submissions import Submission, SubmissionState, forget_contacts
from core import audit
from core.errors import Refused

audit.ACTIONS.update(
    {
        "submission.screened": _l("审核意见"),
        "submission.masked": _l("调整隐去的内容"),
        "submission.completed": _l("作者补充意见"),
        "submission.withdrawn": _l("作者撤回意见"),
    }
)
REFERRED, ASKED = SubmissionState.REFERRED, SubmissionState.ASKED
WITHDRAWN = SubmissionState.WITHDRAWN
NEXT = {
    PENDING: {SHOWN, HIDDEN, REFERRED, ASKED, WITHDRAWN},
    # A decision may be revised in the light of day, by a person, with its own record.
    SHOWN: {HIDDEN, REFERRED, WITHDRAWN},
    HIDDEN: {SHOWN, REFERRED, WITHDRAWN},
    REFERRED: {SHOWN, HIDDEN, WITHDRAWN},
    # The author may never answer.
    ASKED: {PENDING, SHOWN, HIDDEN, REFERRED, WITHDRAWN},
    # It is nobody's to show any more.
    WITHDRAWN: set(),
    SubmissionState.UNDONE: set(),
}


# --- one screener ----------------------------------------------------------------------------


def decide(
    submission: Submission,
    state: SubmissionState,
    *,
    reason: Reason | None = None,
    note: str = "",
    told: str = "",
    spans: Sequence[Span] | None = None,
    seen: SubmissionState | None = None,
    seen_proposed: bool = False,
    seen_words: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Show (with these spans masked), refer, or ask the author for more; or hide, which only the
    site itself does alone: a person proposes it. Refuses when it is no longer in the state the
    screener has `seen`, or when a colleague proposes otherwise and they have not `seen_proposed`: an
    old page must not undo a colleague's fresh decision."""
    must_be_anothers(submission, by)
    _must_be_explained(state, reason, told)
    if state is HIDDEN and by.id is not None:
        raise Refused(_("不展示须由一位审核员提出、另一位审核员确认。"))
    before = locked(submission, seen)
    if state not in NEXT[before] or state in (PENDING, WITHDRAWN):
        raise too_late(before)
    if seen_words and seen_words != words_seen(submission):
        raise Refused(_("这件意见的文字刚刚有变化，请刷新后再看一遍。"))
    if by.id is not None and not seen_proposed and proposals_on([submission.id]):
        raise Refused(_("已有审核员提出不展示，请刷新后查看。"))
    appeals.must_be_heard_by_another(submission, by)
    step = Step(state=state, by=by, now=now, reason=reason, note=note, told=told, spans=spans)
    carry_out([submission], step)


def decide_alike(
    submission: Submission,
    state: SubmissionState,
    *,
    reason: Reason | None = None,
    note: str = "",
    told: str = "",
    spans: Sequence[Span] = (),
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Decide on all pending submissions with the same words but one's own, and but those that a
    colleague would rather not show; how many they were.

    What is shown is masked alike where title and text are exactly the same. A copy that differs
    in a sign or the title is shown with the others only if nothing personal is in it, and else
    waits for somebody to read it.
    """
    _must_be_explained(state, reason, told)
    if state is HIDDEN and by.id is not None:
        raise Refused(_("不展示须由一位审核员提出、另一位审核员确认。"))
    found = alike(submission, by, ~is_proposed(), ~originals.is_set_aside())
    if state is SHOWN:
        said = (submission.title, submission.body)
        same = [(each.title, each.body) == said for each in found]
        found = [
            each
            for each, is_same in zip(found, same, strict=True)
            if is_same or not (spans or _is_personal(each))
        ]
    if not found:
        raise Refused(_("没有可以一并处理的意见，请刷新后查看。"))
    masks = spans if state is SHOWN else None
    step = Step(state=state, by=by, now=now, reason=reason, note=note, told=told, spans=masks)
    carry_out(found, step)
    return len(found)


def _is_personal(submission: Submission) -> bool:
    return bool(personal.find(submission.title) or personal.find(submission.body))


# --- masking what is shown -------------------------------------------------------------------


def mask(
    submission: Submission, spans: Sequence[Span], *, by: audit.Actor, now: dt.datetime
) -> None:
    """Change what is masked of an opinion that is shown, everywhere and in the same act."""
    must_be_anothers(submission, by)
    before = locked(submission, None)
    if before is not SHOWN:
        raise too_late(before)
    carry_out(
        [submission], Step(state=SHOWN, by=by, now=now, action="submission.masked", spans=spans)
    )


# --- the author ------------------------------------------------------------------------------


def complete(submission: Submission, words: str, *, now: dt.datetime) -> None:
    """Add what the author was asked for; the opinion goes back into the queue."""
    before = locked(submission, None)
    if before is not ASKED:
        sentence = _("这件意见现在是“%(state)s”，不需要补充。", state=before.title)
        raise Refused(sentence, kept_text=words)
    originals.add(submission, words, now=now)
    step = Step(state=PENDING, by=audit.RESIDENT, now=now, action="submission.completed")
    carry_out([submission], step)


def withdraw(submission: Submission, *, now: dt.datetime) -> None:
    """Take it back for its author. It stays counted as received, and is shown nowhere again."""
    before = locked(submission, None)
    if before is WITHDRAWN:
        raise Refused(_("这件意见已经撤回了。"))
    if before is SubmissionState.UNDONE:
        raise too_late(before)
    appeals.settle([submission.id], Outcome.DROPPED, by=audit.RESIDENT, now=now)
    # Nobody is told of an answer to what was taken back.
    forget_contacts([submission.id])
    step = Step(state=WITHDRAWN, by=audit.RESIDENT, now=now, action="submission.withdrawn")
    carry_out([submission], step)


def _must_be_explained(state: SubmissionState, reason: Reason | None, told: str) -> None:
    if (state is HIDDEN) != (reason is not None):
        raise Refused(_("不展示时必须选择一条理由，其他处理不需要理由。"))
    if state is ASKED and not told:
        raise Refused(_("请作者补充时，请写明需要补充什么。"))
