"""Reading again by a job: what came by the hundred, with a changed lexicon, after a kill, elsewhere."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask

from consult import term_index, term_jobs
from consult.analysis.lexicon import builtin
from consult.consultations import Consultation
from consult.submissions import Submission, SubmissionState
from consult.term_index import TermEntry, following
from consult.terms.reading import STANCES, Chunk, engine_for, read
from core import audit, executors, jobs
from core.db import db
from core.jobs import JobState
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.terms_made import WORDS, counted, decide, naive, send


@pytest.fixture
def site(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


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
