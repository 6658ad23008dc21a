"""Appeals (异议): an author who does not accept a decision says why, once a decision, and somebody
else than those who decided looks at it again. The author reads the outcome by receipt."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import masking, screening_figures
from consult.decisions import Decision, deciders, last_decision
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "submission.appealed": _l("作者提出异议"),
        "submission.upheld": _l("异议复核后维持原决定"),
    }
)
APPEALABLE = frozenset({SubmissionState.HIDDEN, SubmissionState.REFERRED})
LONGEST = 500


class Outcome(Enum):
    """How an appeal ended; DROPPED when the author withdrew the opinion meanwhile."""

    UPHELD = "upheld"
    CHANGED = "changed"
    DROPPED = "dropped"

    @property
    def title(self) -> str:
        """The outcome in the words of the page."""
        titles: dict[Outcome, str] = {
            Outcome.UPHELD: _("维持原决定"),
            Outcome.CHANGED: _("改变原决定"),
            Outcome.DROPPED: _("作者撤回意见，不再处理"),
        }
        return titles[self]


class Appeal(Base):
    """What an author says against one decision. The key is the decision: one appeal each."""

    __tablename__ = "appeal"
    __table_args__ = (
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name="decided"),
    )

    decision_id: Mapped[int] = mapped_column(
        sa.ForeignKey("screening_decision.id"), primary_key=True
    )
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    at: Mapped[dt.datetime]
    words: Mapped[str] = mapped_column(sa.Text)
    outcome: Mapped[Outcome | None] = mapped_column(choice(Outcome), index=True)
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    # What the author is told about the outcome.
    told: Mapped[str] = mapped_column(sa.Text, default="")


def file(submission: Submission, words: str, *, now: dt.datetime) -> None:
    """Take an appeal in against the decision that holds. Refuses a second one."""
    db.session.flush()
    db.session.refresh(submission, ["state"], with_for_update=True)
    decision = last_decision(submission)
    if submission.state not in APPEALABLE or decision is None:
        sentence = _(
            "这件意见现在是“%(state)s”，没有可以提出异议的决定。", state=submission.state.title
        )
        raise Refused(sentence, kept_text=words)
    if not may_be_filed(submission, decision):
        raise Refused(_("对这次决定已经提出过异议，每次决定可以提一次。"), kept_text=words)
    db.session.add(
        Appeal(decision_id=decision.id, submission_id=submission.id, at=now, words=words)
    )
    screening_figures.count({"appealed": 1}, now=now)
    audit.record("submission.appealed", submission, by=audit.RESIDENT, now=now)


def may_be_filed(submission: Submission, decision: Decision | None) -> bool:
    """Whether there is a decision that its author has not appealed against yet."""
    if decision is None or submission.state not in APPEALABLE:
        return False
    return db.session.get(Appeal, decision.id, populate_existing=True) is None


def uphold(submission: Submission, told: str, *, by: audit.Actor, now: dt.datetime) -> None:
    """Let the decision stand, and tell the author why. Refuses those who made it."""
    db.session.flush()
    db.session.refresh(submission, ["state"], with_for_update=True)
    appeal = open_of(submission)
    if appeal is None:
        raise Refused(_("这件意见没有待处理的异议，请刷新后查看。"))
    if not told:
        raise Refused(_("维持原决定须向作者说明理由。"))
    must_be_heard_by_another(submission, by)
    settle([submission.id], Outcome.UPHELD, told=told, by=by, now=now)
    name = _("第%(n)d件", n=submission.number)
    audit.record("submission.upheld", submission, by=by, now=now, name=name)


def must_be_heard_by_another(submission: Submission, by: audit.Actor) -> None:
    """Refuse who had a hand in the decisions, or sent the opinion, when its author appeals."""
    if by.id is None or open_of(submission) is None:
        return
    if not may_hear(submission, by):
        raise Refused(_("作者对您参与作出的决定提出了异议，须由另一位审核员处理。"))


def may_hear(submission: Submission, by: audit.Actor) -> bool:
    """Whether they had no hand in the decisions and did not send the opinion."""
    return by.id not in deciders(submission) and submission.account_id != by.id


def settle(
    ids: Sequence[int], outcome: Outcome, *, told: str = "", by: audit.Actor, now: dt.datetime
) -> None:
    """Close what appeals are open on these submissions."""
    change = (
        sa.update(Appeal)
        .where(Appeal.submission_id.in_(ids), Appeal.outcome.is_(None))
        .values(outcome=outcome, decided_at=now, decided_by_id=by.id, told=told)
        .returning(Appeal.decision_id)
    )
    settled = len(db.session.scalars(change).all())
    screening_figures.count({f"appeal:{outcome.value}": settled}, now=now)


def forget(ids: Sequence[int]) -> None:
    """Blank what is personal in what the authors of these wrote: the rest is the record of why it
    was looked at again."""
    for each in db.session.scalars(sa.select(Appeal).where(Appeal.submission_id.in_(ids))):
        each.words = masking.deidentified(each.words)


def open_of(submission: Submission) -> Appeal | None:
    """The appeal that waits for an answer."""
    query = sa.select(Appeal).where(Appeal.submission_id == submission.id, Appeal.outcome.is_(None))
    return db.session.scalar(query.execution_options(populate_existing=True))


def open_on(ids: Iterable[int]) -> Mapping[int, Appeal]:
    """{submission id: its open appeal}."""
    query = sa.select(Appeal).where(Appeal.submission_id.in_(ids), Appeal.outcome.is_(None))
    return {each.submission_id: each for each in db.session.scalars(query)}


def of(submission: Submission) -> Sequence[Appeal]:
    """Every appeal about it, the oldest first."""
    query = sa.select(Appeal).where(Appeal.submission_id == submission.id)
    return db.session.scalars(query.order_by(Appeal.decision_id)).all()
