"""Opinions in the index of terms, decided by the real operation, and a naive recount of them."""

from collections import Counter
from typing import Any

import numpy as np
import sqlalchemy as sa

from consult import screening, search, submissions, term_index
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.search_documents import Kind
from consult.submissions import Opinion, Submission, SubmissionState
from consult.terms.reading import engine_for
from consult.terms.shelf import Filters, View
from core import audit
from core.db import db
from tests.conftest import NOON

DAY = NOON.date()
WORDS = (
    "建议在老旧小区加装电梯，方便老年人上下楼。",
    "停车位太少，晚上回家绕三圈也找不到地方停。",
    "支持15分钟养老服务圈，希望增加社区食堂。",
    "反对在小区门口设垃圾中转站，气味太大。",
    "不建议在楼间距小的楼栋加装电梯，影响采光。",
)


def send(
    consultation: Consultation,
    words: str,
    *,
    state: SubmissionState = SubmissionState.SHOWN,
    **rest: Any,
) -> Submission:
    """An opinion, decided by the real operation."""
    received = submissions.receive(
        consultation,
        Opinion(body=words, **rest),
        once_key=str(db.session.scalar(sa.select(sa.func.count(Submission.id)))),
        by=audit.RESIDENT,
        now=NOON,
        on_day=DAY,
    )
    made = db.session.get_one(Submission, received.id)
    if state is not SubmissionState.PENDING:
        decide(made, state)
    return made


def decide(submission: Submission, state: SubmissionState, **rest: Any) -> None:
    reason = Reason.ADVERTISEMENT if state is SubmissionState.HIDDEN else None
    screening.decide(
        submission, state, reason=reason, note="已核", by=audit.SYSTEM, now=NOON, **rest
    )
    db.session.commit()


def counted(view: View, **filters: Any) -> dict[str, int]:
    """{term: opinions} of a selection."""
    by_number, _by_word = term_index.vocabulary()
    counts = view.counts(view.select(Filters(**filters)) if filters else None)
    return {by_number[id]: int(counts[id]) for id in np.flatnonzero(counts)}


def naive(consultation: Consultation, **only: Any) -> dict[str, int]:
    """The same, read off the opinions one by one."""
    engine = engine_for(term_index.lexicon())
    query = sa.select(Submission).where(
        Submission.consultation_id == consultation.id, Submission.state == SubmissionState.SHOWN
    )
    found: Counter[str] = Counter()
    for each in db.session.scalars(query.filter_by(**only)):
        found.update(set(engine.analyse(each.body, title=each.title).terms))
    return dict(found)


def found() -> list[int]:
    """The opinions that a search for 加装电梯 finds, the newest first."""
    return list(search.find(search.Query(kind=Kind.OPINION, needles=("加装电梯",)), limit=9).ids)
