"""The ledger of long work: once and only once, whatever dies in between; who sees and decides."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from core import audit, jobs, worker
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.jobs import Job, JobState, Run
from core.outbox import Message
from tests import people
from tests.conftest import NOON, Clock
from tests.databases import Databases
from tests.kept import the_job
from tests.threads import at_once

STEPS = 5
ROOT = Path(__file__).resolve().parent.parent
Doing = Callable[[Run], Mapping[str, Any] | None]


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "KINDS", {})


@pytest.fixture
def site(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app


def do(function: Doing, name: str = "count") -> None:
    jobs.kind(name, "数数")(function)


def ask(**arguments: Any) -> int:
    job = jobs.ask("count", arguments, name="一二三", by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()
    return job.id


def work(clock: Clock, **rest: Any) -> bool:
    return jobs.work(worker="here", now=clock, **rest)


def mark(about: str) -> None:
    """Something a step writes, which must be there exactly once: a second one fails."""
    db.session.add(
        Message(
            once_key=about, sealed_address=b"", subject=about, body="", created_at=NOON, due_at=NOON
        )
    )


def marks() -> list[str]:
    return sorted(db.session.scalars(sa.select(Message.once_key)))


def count_up(run: Run) -> Mapping[str, Any]:
    for step in range(run.checkpoint.get("next", 0), STEPS):
        mark(f"step-{step}")
        run.progress(step + 1, STEPS, {"next": step + 1})
    return {"words": "数完了。"}


def test_a_job_is_asked_for_done_and_told_of(site: Flask, clock: Clock) -> None:
    do(count_up)
    ask(upto=5)
    assert work(clock)
    job = the_job()
    assert (job.state, job.done, job.total, job.attempts) == (JobState.DONE, 5, 5, 1)
    assert job.result == {"words": "数完了。"}
    assert job.held_by == ""
    assert marks() == [f"step-{step}" for step in range(STEPS)]
    assert not work(clock)
    actions = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert actions == ["job.asked", "job.done"]


def test_what_is_not_committed_is_not_asked_for(site: Flask, clock: Clock) -> None:
    do(count_up)
    jobs.ask("count", by=audit.COMMAND_LINE, now=NOON)
    db.session.rollback()
    assert not work(clock)


def test_an_unknown_kind_cannot_be_asked_for_and_is_left_to_others(
    site: Flask, clock: Clock
) -> None:
    with pytest.raises(LookupError):
        jobs.ask("count", by=audit.COMMAND_LINE, now=NOON)
    do(count_up)
    ask()
    jobs.KINDS.clear()
    do(count_up, "another")
    assert not work(clock)


def test_an_equal_job_that_waits_will_do(site: Flask) -> None:
    do(count_up)
    first = jobs.ask("count", {"a": 1}, by=audit.SYSTEM, now=NOON, once=True)
    assert jobs.ask("count", {"a": 1}, by=audit.SYSTEM, now=NOON, once=True) is first
    assert jobs.ask("count", {"a": 2}, by=audit.SYSTEM, now=NOON, once=True) is not first


class Died(BaseException):
    """As good as a kill: nothing of ours runs after it."""


@settings(max_examples=12)
@given(deaths=st.lists(st.integers(0, STEPS - 1), max_size=jobs.MOST_ATTEMPTS - 1))
def test_whenever_it_dies_it_goes_on_from_its_checkpoint(
    databases: Databases, deaths: list[int]
) -> None:
    place, clock, left = databases.copy("tables"), Clock(), list(deaths)
    app = place.site(CLOCK=clock)

    def dying(run: Run) -> None:
        for step in range(run.checkpoint.get("next", 0), STEPS):
            mark(f"step-{step}")
            if left and left[0] <= step:
                left.pop(0)
                raise Died
            run.progress(step + 1, STEPS, {"next": step + 1})

    do(dying)
    with app.app_context():
        ask()
        for _try in range(len(deaths)):
            with pytest.raises(Died):
                work(clock)
            db.session.rollback()
            assert not work(clock), "its lease has not lapsed"
            clock.forward(seconds=31)
        assert work(clock)
        assert the_job().state is JobState.DONE
        assert the_job().attempts == len(deaths) + 1
        assert marks() == [f"step-{step}" for step in range(STEPS)]
        db.session.close()
        db.engine.dispose()
    databases.discard(place)


def test_what_dies_too_often_is_given_up_and_can_be_tried_again(site: Flask, clock: Clock) -> None:
    healthy = False

    def sick(run: Run) -> None:
        if not healthy:
            raise Died

    do(sick)
    ask()
    for _try in range(jobs.MOST_ATTEMPTS):
        with pytest.raises(Died):
            work(clock)
        db.session.rollback()
        clock.forward(seconds=31)
    assert not work(clock)
    assert the_job().state is JobState.FAILED
    assert "中断" in the_job().error
    healthy = True
    jobs.retry(the_job(), by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert work(clock)
    assert the_job().state is JobState.DONE


def test_a_refusal_is_a_failure_with_its_sentence(site: Flask, clock: Clock) -> None:
    def refuse(run: Run) -> None:
        mark("half")
        raise Refused("这份表格没有内容。")

    do(refuse)
    ask()
    assert work(clock)
    assert (the_job().state, the_job().error) == (JobState.FAILED, "这份表格没有内容。")
    assert marks() == []


def test_a_fault_is_a_failure_that_names_it(site: Flask, clock: Clock) -> None:
    def fail(run: Run) -> None:
        mark("half")
        raise KeyError("a secret of the code")

    do(fail)
    ask()
    assert work(clock)
    assert the_job().state is JobState.FAILED
    assert "KeyError" in the_job().error
    assert "secret" not in the_job().error
    assert marks() == []


def test_a_database_that_is_away_is_tried_again(site: Flask, clock: Clock) -> None:
    def away(run: Run) -> None:
        raise sa.exc.OperationalError("SELECT", None, OSError("gone"))

    do(away)
    ask()
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        assert the_job().state is JobState.WAITING
        assert work(clock)
        assert the_job().attempts == attempt
    assert the_job().state is JobState.FAILED


def test_what_is_cancelled_stops_at_its_next_step(site: Flask, clock: Clock) -> None:
    def cancelled(run: Run) -> None:
        mark("first")
        run.progress(1, 2, {"next": 1})
        jobs.cancel(the_job(), by=audit.SYSTEM, now=NOON)
        db.session.commit()
        mark("second")
        run.progress(2, 2, {"next": 2})

    do(cancelled)
    ask()
    assert work(clock)
    assert the_job().state is JobState.CANCELLED
    assert marks() == ["first"]
    assert not work(clock)
    with pytest.raises(Refused):
        jobs.cancel(the_job(), by=audit.SYSTEM, now=NOON)


def test_a_claim_that_has_lapsed_counts_no_more(site: Flask, clock: Clock) -> None:
    """A worker that was only slow finds out that another has taken the job up."""

    def slow(run: Run) -> None:
        if run.attempts == 1:
            clock.forward(seconds=31)
            assert work(clock), "the other takes it up and ends it"
            mark("slow")
            run.progress(1, 1)
        else:
            mark("quick")

    do(slow)
    ask()
    assert work(clock)
    assert the_job().state is JobState.DONE
    assert marks() == ["quick"]


def test_a_long_step_keeps_its_lease_by_beating(site: Flask) -> None:
    def now() -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def long(run: Run) -> None:
        run.release()
        time.sleep(0.8)

    do(long)
    ask()
    lease = dt.timedelta(seconds=0.3)
    assert jobs.work(worker="here", now=now, lease=lease)
    assert the_job().state is JobState.DONE
    beats = the_job().heartbeat_at
    assert beats is not None
    assert the_job().started_at is not None
    assert beats - the_job().started_at >= lease  # type: ignore[operator]


def test_the_worker_itself_beats(site: Flask) -> None:
    site.config["CLOCK"] = lambda: dt.datetime.now(dt.UTC)

    def long(run: Run) -> None:
        run.release()
        time.sleep(0.8)

    do(long)
    ask()
    db.session.close()
    assert worker.run(site, most=1, lease=dt.timedelta(seconds=0.3)) == 1
    job = the_job()
    assert job.heartbeat_at is not None
    assert job.started_at is not None
    assert job.heartbeat_at - job.started_at >= dt.timedelta(seconds=0.3)


def test_told_to_leave_it_puts_the_job_back(site: Flask, clock: Clock) -> None:
    leaving = threading.Event()

    def told(run: Run) -> None:
        for step in range(run.checkpoint.get("next", 0), 2):
            mark(f"step-{step}")
            if not step:
                leaving.set()
            run.progress(step + 1, 2, {"next": step + 1})

    do(told)
    ask()
    assert work(clock, leaving=leaving)
    assert (the_job().state, the_job().attempts, the_job().done) == (JobState.WAITING, 0, 1)
    assert work(clock)
    assert the_job().state is JobState.DONE
    assert marks() == ["step-0", "step-1"]


def test_several_workers_do_each_job_once(app: Flask, clock: Clock) -> None:
    def once(run: Run) -> None:
        mark(f"job-{run.id}")

    do(once)
    with app.app_context():
        for number in range(30):
            jobs.ask("count", {"n": number}, by=audit.SYSTEM, now=NOON)
        db.session.commit()

    def busy(_number: int) -> int:
        return worker.run(app, drain=True)

    assert sum(at_once(4, busy)) == 30
    with app.app_context():
        assert len(marks()) == 30
        assert set(db.session.scalars(sa.select(Job.attempts))) == {1}


SCRIPT = """
import datetime as dt, os, sys, time
from app import create_app
from core import jobs, worker
from core.db import db
from core.outbox import Message

@jobs.kind("count", "数数")
def count(run):
    for step in range(run.checkpoint.get("next", 0), 20):
        db.session.add(Message(once_key=f"step-{step}", sealed_address=b"", subject="x", body="",
                               created_at=run.now(), due_at=run.now()))
        db.session.flush()
        time.sleep(0.05)
        run.progress(step + 1, 20, {"next": step + 1})

app = create_app(instance=sys.argv[1])
print("ready")
worker.run(app, lease=dt.timedelta(seconds=2))
"""


def test_a_worker_that_is_killed_loses_nothing_and_repeats_nothing(databases: Databases) -> None:
    """A real process, killed with -9 in the middle of a step; another takes up within the lease."""
    place = databases.copy("tables")
    app = place.site()
    do(count_up)
    settings = {**os.environ, "DATABASE_URL": place.url}
    command = [sys.executable, "-u", "-W", "ignore", "-c", SCRIPT, str(place.folder)]
    workers = [
        subprocess.Popen(command, env=settings, cwd=ROOT, stdout=subprocess.PIPE) for _each in "ab"
    ]

    def until(seen: Callable[[Job], bool], seconds: float) -> Job:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with app.app_context():
                job = the_job()
                db.session.expunge(job)
                db.session.close()
            if seen(job):
                return job
            time.sleep(0.05)
        raise AssertionError("it did not come to that in time")

    try:
        for each in workers:
            assert each.stdout is not None
            assert each.stdout.readline() == b"ready\n"
        with app.app_context():
            jobs.ask("count", by=audit.SYSTEM, now=dt.datetime.now(dt.UTC))
            db.session.commit()
        at_work = until(lambda job: job.done >= 5, 60).held_by
        (first,) = (each for each in workers if f":{each.pid}/" in at_work)
        first.send_signal(signal.SIGKILL)
        first.wait()
        # The lease of two seconds and five, on a machine at rest; a busy one takes longer.
        until(lambda job: job.attempts == 2, 60)
        until(lambda job: job.state is JobState.DONE, 60)
    finally:
        for each in workers:
            each.kill()
            each.wait()
            assert each.stdout is not None
            each.stdout.close()
    with app.app_context():
        assert marks() == sorted(f"step-{step}" for step in range(20))
        assert the_job().attempts == 2
        db.session.close()
        db.engine.dispose()
    databases.discard(place)


# --- the desk ---------------------------------------------------------------------------------


def test_an_officer_sees_their_own_and_decides(site: Flask, clock: Clock) -> None:
    person, other, chief = (people.make(r) for r in ("drc_staff", "unit_staff", "administrator"))

    def refuse(run: Run) -> None:
        raise Refused("这份表格没有内容。")

    do(refuse)
    job = jobs.ask("count", name="来信.csv", by=person, now=NOON)
    db.session.commit()
    clients = []
    for each in (person, other, chief):
        client = site.test_client()
        people.sign_in(client, each)
        clients.append(client)
    mine, theirs, all_of_them = clients
    assert "来信.csv" in mine.get("/desk/jobs").get_data(as_text=True)
    assert "来信.csv" not in theirs.get("/desk/jobs").get_data(as_text=True)
    assert "来信.csv" in all_of_them.get("/desk/jobs").get_data(as_text=True)
    address = f"/desk/jobs/{job.id}"
    assert theirs.get(address).status_code == 404
    assert theirs.post(address, data={"act": "cancel"}).status_code == 404
    page = mine.get(address)
    assert page.headers["Refresh"] == "5"
    assert "Refresh" not in mine.get(address + "?still=1").headers
    assert work(clock)
    page = mine.get(address)
    assert "这份表格没有内容。" in page.get_data(as_text=True)
    assert "Refresh" not in page.headers
    mine.post(address, data={"act": "burn"})
    assert the_job().state is JobState.FAILED
    mine.post(address, data={"act": "retry"})
    assert the_job().state is JobState.WAITING
    mine.post(address, data={"act": "cancel"})
    assert the_job().state is JobState.CANCELLED
    assert "已经结束" in mine.post(address, data={"act": "cancel"}, follow_redirects=True).get_data(
        as_text=True
    )


def test_a_worker_that_does_not_run_is_noticed(
    site: Flask, clock: Clock, officer: FlaskClient
) -> None:
    do(count_up)
    ask()
    assert "没有运行" not in officer.get("/desk/jobs").get_data(as_text=True)
    clock.forward(minutes=2)
    assert "没有运行" in officer.get("/desk/jobs").get_data(as_text=True)
    work(clock)
    assert "没有运行" not in officer.get("/desk/jobs").get_data(as_text=True)


def test_the_command_drains_the_ledger(app: Flask, clock: Clock) -> None:
    do(count_up)
    with app.app_context():
        ask()
        ask()
    runner = app.test_cli_runner()
    assert "完成1项" in runner.invoke(args=["worker", "--once"]).output
    assert "完成1项" in runner.invoke(args=["worker", "--drain"]).output
    assert "完成0项" in runner.invoke(args=["worker", "--drain"]).output
