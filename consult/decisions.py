"""Decisions (审核决定): what was decided on an opinion, by whom, and why. The newest one holds; a
proposal not to show it waits for a second person."""

import datetime as dt
from collections.abc import Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult.submissions import Submission, SubmissionState
from core.db import Base, choice, db


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


class Decision(Base):
    """One step of one submission from state to state; `by_id` is nobody's where its author or the
    site itself took it."""

    __tablename__ = "screening_decision"
    __table_args__ = (
        sa.CheckConstraint("(state = 'hidden') = (reason IS NOT NULL)", name="reason_when_hidden"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    # Who had proposed what `by_id` confirmed. Like the record of acts, not tied to the account.
    proposed_by_id: Mapped[int | None]
    state: Mapped[SubmissionState] = mapped_column(choice(SubmissionState))
    reason: Mapped[Reason | None] = mapped_column(choice(Reason))
    note: Mapped[str] = mapped_column(sa.Text, default="")
    # What the author is told, by receipt.
    told: Mapped[str] = mapped_column(sa.Text, default="", server_default=sa.text("''"))


class Proposal(Base):
    """One screener's wish not to show an opinion, until another confirms it or sends it back."""

    __tablename__ = "proposal"

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    at: Mapped[dt.datetime]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    reason: Mapped[Reason] = mapped_column(choice(Reason))
    note: Mapped[str] = mapped_column(sa.Text, default="")


def last_decision(submission: Submission) -> Decision | None:
    """The decision that holds."""
    query = sa.select(Decision).where(Decision.submission_id == submission.id)
    return db.session.scalar(query.order_by(Decision.id.desc()).limit(1))


def deciders(submission: Submission) -> set[int]:
    """The accounts that have had a hand in any decision on it."""
    query = sa.select(Decision.by_id, Decision.proposed_by_id).where(
        Decision.submission_id == submission.id
    )
    return {id for pair in db.session.execute(query) for id in pair if id is not None}


def proposals_on(ids: Sequence[int]) -> dict[int, Proposal]:
    """{submission id: its open proposal}."""
    query = sa.select(Proposal).where(Proposal.submission_id.in_(ids))
    return {each.submission_id: each for each in db.session.scalars(query)}


def is_proposed() -> sa.ColumnElement[bool]:
    """Whether somebody has proposed not to show a submission."""
    return Submission.id.in_(sa.select(Proposal.submission_id))
