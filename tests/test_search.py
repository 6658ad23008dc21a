"""Search: it finds what a plain scan of the public words finds, and nothing that is not public."""

import string

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import screening, search, search_text, submissions
from consult.consultations import Consultation, Phase
from consult.drafts import Version
from consult.screening import Reason
from consult.search import Query
from consult.search_documents import Kind
from consult.submissions import Opinion, Submission, SubmissionState
from core import audit
from core.db import db
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft

# Few letters, so that random texts share pairs; with what folds, combines and spaces.
LETTERS = "加装电梯停车建议，。 \n１1aＡé\u0301㎡ß𠮷\u200b"
TEXTS = st.text(LETTERS + string.ascii_letters[:4], min_size=1, max_size=40)


def receive(consultation: Consultation, body: str, key: str, **more: object) -> Submission:
    opinion = Opinion(body=body, **more)  # type: ignore[arg-type]  # the tests' own shorthand
    received = submissions.receive(
        consultation, opinion, once_key=key, by=audit.RESIDENT, now=NOON, on_day=NOON.date()
    )
    return db.session.get_one(Submission, received.id)


def show(submission: Submission, state: SubmissionState = SubmissionState.SHOWN) -> None:
    reason = Reason.OFF_TOPIC if state is SubmissionState.HIDDEN else None
    screening.decide(submission, state, reason=reason, by=audit.SYSTEM, now=NOON)


def everything(query: Query, size: int = 3) -> list[int]:
    """All pages of a list, one after the other."""
    ids: list[int] = []
    key: int | None = None
    while True:
        found = search.find(query, before=key, limit=size)
        ids += found.ids
        if found.next_key is None:
            return ids
        key = found.next_key


@pytest.fixture
def opened(app: Flask) -> tuple[Flask, Consultation, Version]:
    with app.app_context():
        consultation = a_consultation()
        version = a_published_draft(consultation)
        return app, consultation, version


@given(bodies=st.lists(TEXTS, min_size=1, max_size=12), asked=TEXTS, cut=st.data())
def test_it_finds_what_a_plain_scan_finds(
    opened: tuple[Flask, Consultation, Version],
    bodies: list[str],
    asked: str,
    cut: st.DataObject,
) -> None:
    app, consultation, _version = opened
    with app.app_context():
        shown = []
        for number, body in enumerate(bodies):
            submission = receive(consultation, body, f"{number}")
            if number % 4 != 3:
                show(submission)
                shown.append((submission.id, search_text.fold(body)))
        source = cut.draw(st.sampled_from([*bodies, asked]))
        begin = cut.draw(st.integers(0, max(len(source) - 2, 0)))
        for typed in (asked, source[begin : begin + cut.draw(st.integers(2, 8))]):
            needles = tuple(search_text.needles(typed))
            if max(map(len, needles), default=0) < search_text.SHORTEST:
                continue
            expected = [id for id, text in reversed(shown) if all(n in text for n in needles)]
            query = Query(kind=Kind.OPINION, needles=needles)
            assert everything(query) == expected
            assert search.count(query) == (len(expected), True)
        db.session.rollback()
