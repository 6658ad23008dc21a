"""The index of terms: it counts what a naive recount counts, whatever was done and in what order."""

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import (
    authors,
    drafts,
    screening,
    screening_steps,
    search,
    submissions,
    summary_counting,
    term_index,
    term_jobs,
)
from consult.analysis.lexicon import builtin
from consult.consultations import Consultation
from consult.decisions import Reason
from consult.originals import Span
from consult.search_documents import Kind
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from consult.term_index import CHANNELS, TermEntry, following
from consult.terms.reading import STANCES, Chunk, engine_for, read
from consult.terms.shelf import Filters, Row, Shelf, View, top
from core import audit, executors, jobs
from core.db import db
from core.jobs import JobState
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Databases

DAY = NOON.date()
WORDS = (
    "建议在老旧小区加装电梯，方便老年人上下楼。",
    "停车位太少，晚上回家绕三圈也找不到地方停。",
    "支持15分钟养老服务圈，希望增加社区食堂。",
    "反对在小区门口设垃圾中转站，气味太大。",
    "不建议在楼间距小的楼栋加装电梯，影响采光。",
)


@pytest.fixture
def site(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


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


# --- following ---------------------------------------------------------------------------------


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


def found() -> list[int]:
    """The opinions that a search for 加装电梯 finds, the newest first."""
    return list(search.find(search.Query(kind=Kind.OPINION, needles=("加装电梯",)), limit=9).ids)


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
    items = summary_counting.count(summary_counting.gather([consultation])).counted.items
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


# --- by the thousand -----------------------------------------------------------------------------


def many(consultation: Consultation, count: int) -> None:
    """Opinions that were shown and not read, as an import of thousands leaves them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(following, "AT_ONCE", 0)
        for number in range(count):
            send(consultation, f"{WORDS[number % 5]}（{number}）")


def test_what_comes_by_the_hundred_is_read_by_a_job(site: Flask, clock: Clock) -> None:
    consultation = a_consultation()
    many(consultation, 12)
    assert term_index.standing().outdated == 12
    assert not term_index.standing().whole
    assert term_index.shelf(consultation.id).size == 12
    term_jobs.look_after(NOON)
    term_jobs.look_after(NOON)
    db.session.commit()
    assert db.session.scalar(sa.select(sa.func.count(jobs.Job.id))) == 1
    assert jobs.work(worker="here", now=clock)
    assert term_index.standing().whole
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)
    term_jobs.look_after(NOON)
    assert db.session.scalar(sa.select(sa.func.count(jobs.Job.id))) == 1


def test_a_new_draft_changes_the_lexicon_and_all_is_read_again(site: Flask, clock: Clock) -> None:
    consultation = a_consultation()
    send(consultation, "希望社区食堂进楼组，也希望口袋公园多一些。")
    term_index.shelf(consultation.id)
    a_published_draft(consultation, "# 社区食堂进楼组\n内容。")
    standing = term_index.standing()
    assert standing.outdated == 1, "reads say that they show the older lexicon"
    assert "社区食堂进楼组" not in counted(term_index.shelf(consultation.id))
    term_jobs.look_after(NOON)
    db.session.commit()
    assert jobs.work(worker="here", now=clock)
    assert term_index.standing().whole
    assert term_index.standing().version == standing.version
    assert "社区食堂进楼组" in counted(term_index.shelf(consultation.id))
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)


def test_read_by_the_job_or_one_by_one_the_entries_are_the_same(site: Flask, clock: Clock) -> None:
    consultation = a_consultation()
    for words in (*WORDS, "", "请问5号线a.b-c%何时开通……", "x" * 99, "㐀㐁，反对加装电梯"):
        send(consultation, words or "无")
    whole = sa.select(
        TermEntry.submission_id, TermEntry.reading_id, TermEntry.stance, TermEntry.terms,
        TermEntry.opposed,
    ).order_by(TermEntry.submission_id)  # fmt: skip
    followed = db.session.execute(whole).all()
    term_jobs.ask(whole=True, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert jobs.work(worker="here", now=clock)
    assert db.session.execute(whole).all() == followed
    by_number, _by_word = term_index.vocabulary()
    for row in followed:
        alone = engine_for(term_index.lexicon()).analyse(
            db.session.get_one(Submission, row.submission_id).body
        )
        held = [by_number[id] for id in np.frombuffer(row.terms, dtype="<u4")]
        assert sorted(held) == [term for term in alone.terms if len(term) <= 60]
        assert STANCES[row.stance] == alone.stance


def test_a_rebuild_that_dies_goes_on_where_it_was(
    site: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    consultation = a_consultation()
    many(consultation, 10)
    monkeypatch.setattr(term_jobs, "STEP", 2)
    monkeypatch.setattr(term_jobs, "_executor", nobody)
    read, stored = [], term_index.store

    class Died(BaseException):
        pass

    def dying(batch: Any, *rest: Any) -> None:
        if len(read) == 2:
            read.append(-1)
            raise Died
        read.extend([1])
        stored(batch, *rest)

    monkeypatch.setattr(term_index, "store", dying)
    term_jobs.ask(by=audit.SYSTEM, now=NOON)
    db.session.commit()
    with pytest.raises(Died):
        jobs.work(worker="here", now=clock)
    db.session.rollback()
    job = jobs.newest(term_jobs.REBUILD)
    assert job is not None
    db.session.refresh(job)
    assert (job.state, job.done, job.total) == (JobState.RUNNING, 4, 10)
    clock.forward(seconds=31)
    assert jobs.work(worker="here", now=clock)
    db.session.refresh(job)
    assert (job.state, job.done, job.total) == (JobState.DONE, 10, 10)
    assert len(read) == 2 + 1 + 3, "no step was done twice"
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)


def test_a_lexicon_that_changes_while_it_is_read_is_the_one_all_is_read_with(
    site: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    consultation = a_consultation()
    many(consultation, 6)
    monkeypatch.setattr(term_jobs, "STEP", 2)
    monkeypatch.setattr(term_jobs, "_executor", nobody)
    stored, read = term_index.store, []

    def changing(batch: Any, *rest: Any) -> None:
        stored(batch, *rest)
        read.extend(batch.ids)
        if len(read) == 2:
            a_published_draft(consultation, "# 社区食堂进楼组\n内容。")

    monkeypatch.setattr(term_index, "store", changing)
    term_jobs.ask(by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert jobs.work(worker="here", now=clock)
    assert term_index.standing().whole
    # Two before the change, at most one more step that was under way, and then all six.
    assert 8 <= len(read) <= 10
    job = jobs.newest(term_jobs.REBUILD)
    assert job is not None
    assert job.done == job.total == len(read)
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)


class nobody:
    """In place of the executor: this very process."""

    def __init__(self, _count: int) -> None:
        pass

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_error: object) -> None:
        return None


def test_what_changes_while_it_is_read_is_read_again(
    site: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    consultation = a_consultation()
    many(consultation, 3)
    first = db.session.scalars(sa.select(Submission).order_by(Submission.id)).first()
    assert first is not None
    unhindered, hidden = read, []

    def slow(chunk: Chunk) -> Any:
        batch = unhindered(chunk)
        if not hidden:
            hidden.append(first.id)
            decide(first, SubmissionState.HIDDEN)
        return batch

    monkeypatch.setattr(term_jobs, "read", slow)
    term_jobs.ask(by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert jobs.work(worker="here", now=clock)
    monkeypatch.setattr(term_jobs, "read", unhindered)
    entry = db.session.get_one(TermEntry, first.id, populate_existing=True)
    assert entry.reading_id is None, "a hidden opinion does not come back by a late reading"
    assert counted(term_index.shelf(consultation.id)) == naive(consultation)


def test_the_commands(app: Flask) -> None:
    with app.app_context():
        consultation = a_consultation()
        many(consultation, 3)
        db.session.execute(sa.delete(TermEntry).where(TermEntry.submission_id == 1))
        db.session.commit()
    runner = app.test_cli_runner()
    assert "2件尚未" in runner.invoke(args=["index", "show", "gangyao"]).output
    said = runner.invoke(args=["index", "rebuild", "--here"])
    assert "3件意见" in said.output, "and what was missing is entered"
    shown = runner.invoke(args=["index", "show", "gangyao", "--term", "加装电梯"]).output
    assert shown.startswith("1件，1人。")
    assert "加装电梯\t1\t0" in shown
    with app.app_context():
        assert shown.rstrip().endswith(term_index.standing().version)
    assert '"submissions": 3' in runner.invoke(args=["index", "show", "gangyao", "--json"]).output
    assert "任务2" in runner.invoke(args=["index", "rebuild", "--all"]).output


# --- other processes and machines ----------------------------------------------------------------


def chunks() -> list[Chunk]:
    lexicon = builtin().extended(("第一章 总体要求", "社区食堂进楼组"))
    texts = [(n, "关于民生", f"{WORDS[n % 5]}（{n}）") for n in range(300)]
    return [Chunk(lexicon, texts[start : start + 50]) for start in range(0, 300, 50)]


def as_bytes(batches: Any) -> bytes:
    return b"".join(
        repr((batch.ids, batch.words, batch.stances)).encode()
        + b"".join(
            each.tobytes()
            for each in (batch.starts, batch.terms, batch.opposed_starts, batch.opposed)
        )
        for batch in batches
    )


def test_a_pool_and_a_dask_scheduler_with_two_workers_give_the_same_bytes() -> None:
    distributed = pytest.importorskip("distributed")
    alone = as_bytes(map(read, chunks()))
    with executors.executor(2, scheduler="") as pool:
        assert as_bytes(executors.in_order(pool, read, chunks())) == alone
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        executors.executor(scheduler=cluster.scheduler_address) as dask,
    ):
        assert as_bytes(executors.in_order(dask, read, chunks())) == alone


# --- in memory -----------------------------------------------------------------------------------

opinions = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.one_of(st.none(), st.sets(st.integers(1, 9), max_size=5)),
        st.integers(0, 2),
    ),
    max_size=40,
)


@given(events=opinions, cuts=st.lists(st.integers(0, 40), max_size=5))
def test_a_shelf_counts_as_a_recount_does_in_whatever_pieces_it_comes(
    events: list[tuple[int, set[int] | None, int]], cuts: list[int]
) -> None:
    shelf, held, before = Shelf(), {}, None
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    for first, last in pairwise(bounds):
        newest = {id: (terms, place) for id, terms, place in events[first:last]}
        shelf.put(_row(id, terms, place) for id, (terms, place) in newest.items())
        held |= newest
        if before is not None:
            view, counts = before
            assert view.counts(view.select(Filters())).tolist() == counts
        if last % 2:
            shelf._tidy()
        view = shelf.view()
        before = view, view.counts().tolist()
    view = shelf.view()
    living = {id: each for id, each in held.items() if each[0] is not None}
    assert view.size == len(living)
    assert sorted(view.ids.tolist()) == sorted(living)
    for place in (None, 0, 1, 2):
        expected = Counter(
            term for terms, at in living.values() if place in (None, at) for term in terms or ()
        )
        mask = view.select(Filters(places=None if place is None else [place]))
        counts = view.counts(mask)
        assert {int(n): int(counts[n]) for n in np.flatnonzero(counts)} == dict(expected)
    assert top(view.counts(), 99) == sorted(
        Counter(t for terms, _p in living.values() for t in terms or ()).items(),
        key=lambda pair: (-pair[1], pair[0]),
    )


def _row(id: int, terms: set[int] | None, place: int) -> Row:
    blob = None if terms is None else np.array(sorted(terms), dtype="<u4").tobytes()
    return Row(id, place, 0, 0, False, DAY.toordinal(), id, blob, b"")


# --- people ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.sets(st.integers(1, 9), max_size=5), st.booleans()),
        max_size=30,
    )
)
def test_people_by_term_are_counted_as_a_list_of_people_would(
    said: list[tuple[int, set[int], bool]],
) -> None:
    shelf = Shelf()
    rows = [
        Row(
            id=n + 1,
            place=0,
            channel=0,
            stance=0,
            declared=False,
            day=1,
            person=person,
            terms=np.array(sorted(terms), dtype="<u4").tobytes(),
            opposed=b"",
        )
        for n, (person, terms, _chosen) in enumerate(said)
    ]
    shelf.put(rows)
    view = shelf.view()
    chosen = np.array([each for _p, _t, each in said], dtype=np.bool_)
    for mask, kept in ((None, said), (chosen, [each for each in said if each[2]])):
        counts = view.people_by_term(mask)
        for term in range(1, 10):
            people = {person for person, terms, _c in kept if term in terms}
            assert (int(counts[term]) if term < len(counts) else 0) == len(people)
