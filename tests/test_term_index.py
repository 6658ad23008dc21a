"""The index of terms: it counts what a naive recount counts, whatever was done and in what order."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import authors, drafts, screening, screening_steps, term_index, term_jobs
from consult.originals import Span
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import counting
from consult.term_index import CHANNELS, TermEntry, following
from consult.terms.reading import STANCES
from consult.terms.shelf import Filters
from core import audit, jobs
from core.db import db
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Databases
from tests.terms_made import DAY, WORDS, counted, decide, found, naive, send


@pytest.fixture
def site(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def test_what_is_shown_counts_and_what_is_not_does_not(site: Flask) -> None:
    consultation = a_consultation()
    first = send(consultation, WORDS[0])
    send(consultation, WORDS[4])
    send(consultation, WORDS[1], state=SubmissionState.PENDING)
    found = counted(term_index.shelf(consultation.id))
    assert found["加装电梯"] == 2
    assert "停车位" not in found
    assert found == naive(consultation)
    decide(first, SubmissionState.HIDDEN)
    found = counted(term_index.shelf(consultation.id))
    assert found["加装电梯"] == 1
    assert found == naive(consultation)
    decide(first, SubmissionState.SHOWN)
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)


def test_many_decisions_are_indexed_at_the_end_and_then_as_if_one_by_one(
    site: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "AT_ONCE", 2)
    consultation = a_consultation()
    earlier = send(consultation, WORDS[0])
    before = counted(term_index.shelf(consultation.id))
    with screening_steps.indexed_at_the_end():
        made = [send(consultation, words) for words in WORDS]
        decide(made[1], SubmissionState.HIDDEN)
        decide(earlier, SubmissionState.HIDDEN)
        assert counted(term_index.shelf(consultation.id)) == before
        # What is hidden is not found, whatever stands in the index.
        assert found() == []
    db.session.commit()
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)
    assert found() == [made[4].id, made[0].id]


def test_after_a_failure_within_every_decision_is_indexed_again(site: Flask) -> None:
    consultation = a_consultation()
    with pytest.raises(RuntimeError, match="away"), screening_steps.indexed_at_the_end():
        raise RuntimeError("the database is away")
    send(consultation, WORDS[0])
    assert counted(term_index.shelf(consultation.id)) == naive(consultation) != {}


def test_a_title_the_form_set_is_none_of_the_authors_words(site: Flask) -> None:
    consultation = a_consultation()
    send(consultation, WORDS[0], title="停车位", title_by_form=True)
    send(consultation, WORDS[2], title="修改建议")
    send(consultation, WORDS[3], title="停车位")
    found = counted(term_index.shelf(consultation.id))
    assert found["停车位"] == 1
    by_form = (consultation.id, "停车位", True)
    hand = sa.select(Submission.own_title, Submission.title)
    where = (Submission.consultation_id, Submission.title, Submission.title_by_form)
    row = db.session.execute(
        hand.where(*(a == b for a, b in zip(where, by_form, strict=True)))
    ).one()
    assert tuple(row) == ("", "停车位")
    items = counting.count(counting.gather([consultation])).counted.items
    assert [("停车位" in item.terms) for item in items] == [False, False, True]
    assert "停车位" in site.test_client().get("/search?q=停车位").get_data(as_text=True)


def test_what_is_refused_by_the_database_leaves_no_trace(site: Flask) -> None:
    consultation = a_consultation()
    made = send(consultation, WORDS[0], state=SubmissionState.PENDING)
    screening.decide(made, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    db.session.rollback()
    assert counted(term_index.shelf(consultation.id)) == {}


def test_masked_words_count_no_more_in_the_same_act(site: Flask) -> None:
    consultation = a_consultation()
    made = send(consultation, WORDS[0])
    assert "加装电梯" in counted(term_index.shelf(consultation.id))
    at = made.body.index("加装电梯")
    screening.mask(made, [Span(1, at, at + 4)], by=audit.SYSTEM, now=NOON)
    db.session.commit()
    found = counted(term_index.shelf(consultation.id))
    assert "加装电梯" not in found
    assert found == naive(consultation)


def test_a_withdrawal_takes_the_words_along(site: Flask) -> None:
    consultation = a_consultation()
    screening.withdraw(send(consultation, WORDS[0]), now=NOON)
    db.session.commit()
    assert counted(term_index.shelf(consultation.id)) == {}
    entry = db.session.scalars(sa.select(TermEntry)).one()
    assert (entry.terms, entry.opposed, entry.reading_id) == (b"", b"", None)


def test_every_filter_and_division(site: Flask) -> None:
    consultation = a_consultation()
    version = a_published_draft(consultation)
    places = [entry.id for entry in drafts.outline(version).entries]
    facts: list[dict[str, Any]] = [
        {"channel": Channel.WEB, "place": places[0], "stance": Stance.SUPPORT, "person_key": "a"},
        {"channel": Channel.LETTER, "place": places[1], "received_on": DAY - dt.timedelta(3)},
        {"channel": Channel.LETTER, "place": 0, "stance": Stance.OPPOSE, "person_key": "a"},
        {"channel": Channel.WEB, "place": places[1], "person_key": "b"},
    ]
    for words, each in zip([*WORDS[:3], WORDS[4]], facts, strict=True):
        send(consultation, words, **{"version_id": version.id, **each})
    view = term_index.shelf(consultation.id)
    assert view.people() == 3
    web = CHANNELS.index(Channel.WEB)
    assert counted(view, channels=[web]) == naive(consultation, channel=Channel.WEB)
    assert counted(view, places=[places[1]]) == naive(consultation, place=places[1])
    assert counted(view, first=DAY) == naive(consultation, received_on=DAY)
    assert counted(view, stances=[STANCES.index("support")]) == naive(
        consultation, stance=Stance.SUPPORT
    )
    assert view.days() == {DAY - dt.timedelta(3): 1, DAY: 3}
    assert view.division("channel") == {web: 2, CHANNELS.index(Channel.LETTER): 2}
    lift = term_index.vocabulary()[1]["加装电梯"]
    assert view.select(Filters(terms=(lift,))).sum() == 2
    assert view.select(Filters(opposing=(lift,))).sum() == 1
    assert view.against()[lift] == 1
    together = counted(view, terms=(lift,))
    assert together["加装电梯"] == 2
    assert "停车位" not in together
    table = view.table([[places[0]], [places[1]], [0]], [lift])
    assert table.tolist() == [[1], [1], [0]]


def test_a_claim_and_an_erasure_are_heard_of(site: Flask) -> None:
    consultation = a_consultation()
    made = [send(consultation, words) for words in WORDS[:2]]
    assert term_index.shelf(consultation.id).people() == 2
    account = people.make("resident")
    for each in made:
        authors.claim(each, account, secret="secret", now=NOON)
    db.session.commit()
    assert term_index.shelf(consultation.id).people() == 1
    authors.erase(account, now=NOON)
    db.session.commit()
    assert term_index.shelf(consultation.id).people() == 1


@settings(max_examples=8)
@given(
    acts=st.lists(
        st.tuples(st.integers(0, 7), st.sampled_from(["shown", "hidden", "mask", "job"])),
        max_size=8,
    )
)
def test_counts_reconcile_with_a_recount_after_any_acts(
    databases: Databases, acts: list[tuple[int, str]]
) -> None:
    place = databases.copy("tables")
    app = place.site(CLOCK=Clock())
    with app.app_context():
        consultation = a_consultation()
        made = [
            send(consultation, WORDS[n % 5], state=SubmissionState.PENDING, channel=CHANNELS[n % 3])
            for n in range(6)
        ]
        db.session.commit()
        for number, act in acts:
            submission = made[number % len(made)]
            if act == "job":
                term_index.forget_readings()
                db.session.commit()
                term_jobs.look_after(NOON)
                db.session.commit()
                jobs.work(worker="here", now=Clock())
            elif act == "mask" and submission.state is SubmissionState.SHOWN:
                spans = [Span(1, 0, number % 5 + 1)]
                screening.mask(submission, spans, by=audit.SYSTEM, now=NOON)
                db.session.commit()
            elif act == "mask":
                spans = [Span(1, 2, number % 5 + 3)]
                decide(submission, SubmissionState.SHOWN, spans=spans)
            elif submission.state.value != act:
                decide(submission, SubmissionState(act))
            if number % 3 == 0:
                # Now and then somebody reads, so that the shelf follows step by step.
                term_index.shelf(consultation.id)
        view = term_index.shelf(consultation.id)
        assert counted(view) == naive(consultation)
        assert view.size == sum(each.state is SubmissionState.SHOWN for each in made)
        for number in range(3):
            part = counted(view, channels=[number])
            assert part == naive(consultation, channel=CHANNELS[number])
            assert all(part[term] <= counted(view)[term] for term in part)
        db.session.close()
        db.engine.dispose()
    databases.discard(place)
