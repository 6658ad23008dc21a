"""Opinions that wait to be screened, and what screeners decide, through the real operations."""

import datetime as dt
import re
from typing import Any

import sqlalchemy as sa

from consult import screening
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import db
from tests import opinions_made
from tests.conftest import NOON

TODAY = dt.date(2020, 10, 20)
QUEUE = "/desk/screening"
PENDING, SHOWN, HIDDEN, REFERRED, ASKED, WITHDRAWN, UNDONE = SubmissionState


def an_opinion(
    consultation: Consultation, body: str = "建议加装电梯。", **fields: Any
) -> Submission:
    """An opinion that waits to be screened; committed."""
    count = db.session.scalar(sa.select(sa.func.count(Submission.id)))
    made = opinions_made.an_opinion(consultation, body, key=f"key-{count}", **fields)
    db.session.commit()
    db.session.expire_all()
    return made


def decide(
    submission: Submission,
    state: SubmissionState,
    reason: Reason | None = None,
    *,
    by: audit.Actor = audit.SYSTEM,
) -> None:
    """Decide as a screener would and commit."""
    if state is HIDDEN and reason is None:
        reason = Reason.OFF_TOPIC
    if state is WITHDRAWN:
        screening.withdraw(submission, now=NOON)
    elif state is PENDING and submission.state is ASKED:
        screening.complete(submission, "是临汾路380弄。", now=NOON)
    else:
        told = "请写明是哪里。" if state is ASKED else ""
        screening.decide(submission, state, reason=reason, told=told, by=by, now=NOON)
    db.session.commit()
    db.session.expire_all()


def numbers_on(page: str) -> list[str]:
    """The opinions on a page of the queue, in its order."""
    return re.findall(r'-head">[^<]* (第[0-9]+件)</h2>', page)
