"""The screening queue: what waits, what was proposed, what is appealed, and how long already."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult import originals
from consult.appeals import Appeal
from consult.decisions import Proposal, Reason, is_proposed
from consult.submissions import Channel, Submission, SubmissionState
from core.db import db


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What of the queue is looked at; what is None does not narrow it."""

    state: SubmissionState = SubmissionState.PENDING
    consultation_id: int | None = None
    channel: Channel | None = None
    # Received at this moment or earlier.
    until: dt.datetime | None = None
    reason: Reason | None = None
    proposed: bool = False
    appealed: bool = False


def queue(
    choice: Choice = Choice(),
    *,
    after: int | None = None,
    limit: int = 30,
) -> Sequence[Submission]:
    """The chosen submissions, the one that waits longest first, after id `after`."""
    query = sa.select(Submission)
    if choice.appealed:
        # An appeal is about what was decided: it is looked for in whatever state.
        query = query.join(Appeal, Appeal.submission_id == Submission.id)
        query = query.where(Appeal.outcome.is_(None))
    else:
        query = query.where(Submission.state == choice.state)
    if choice.proposed:
        query = query.join(Proposal, Proposal.submission_id == Submission.id)
    elif choice.state is SubmissionState.PENDING and not choice.appealed:
        # What waits for a second person has a list of its own.
        query = query.where(~is_proposed())
    if choice.proposed and choice.reason is not None:
        query = query.where(Proposal.reason == choice.reason)
    if choice.consultation_id is not None:
        query = query.where(Submission.consultation_id == choice.consultation_id)
    if choice.channel is not None:
        query = query.where(Submission.channel == choice.channel)
    if choice.until is not None:
        query = query.where(Submission.received_at <= choice.until)
    if after is not None:
        query = query.where(Submission.id > after)
    return db.session.scalars(query.order_by(Submission.id).limit(limit)).all()


def copies(submissions: Sequence[Submission]) -> dict[int, int]:
    """{submission id: pending submissions with the same words}, for a page of the queue."""
    prints = {s.fingerprint for s in submissions}
    query = (
        sa.select(Submission.consultation_id, Submission.fingerprint, sa.func.count())
        .where(
            Submission.fingerprint.in_(prints),
            Submission.state == SubmissionState.PENDING,
            ~originals.is_set_aside(),
        )
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


def pending_of(intake_id: int) -> int:
    """How many submissions of one table wait to be screened."""
    query = sa.select(sa.func.count()).where(
        Submission.state == SubmissionState.PENDING, Submission.intake_id == intake_id
    )
    return db.session.scalar(query) or 0


def proposed_count() -> int:
    """How many proposals wait for a second person."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Proposal)) or 0


def appealed_count(consultation_id: int | None = None) -> int:
    """How many appeals wait for an answer, in one consultation or in all."""
    query = sa.select(sa.func.count()).select_from(Appeal).where(Appeal.outcome.is_(None))
    if consultation_id is not None:
        query = query.join(Submission, Submission.id == Appeal.submission_id)
        query = query.where(Submission.consultation_id == consultation_id)
    return db.session.scalar(query) or 0
