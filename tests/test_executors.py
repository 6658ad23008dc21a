"""Other processes that compute: kept from task to task, gone with whoever began them."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor
from pathlib import Path

import pytest
from flask import Flask

from core import audit, executors, jobs
from core.jobs import JobState, Run
from tests.conftest import NOON, Clock
from tests.kept import the_job

ROOT = Path(__file__).resolve().parent.parent
SCRIPT = """
import os, time
from core import executors

if __name__ == "__main__":
    with executors.executor(1, scheduler="") as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""


def test_a_pool_stays_for_the_next_task_until_it_is_sent_home() -> None:
    def who() -> int:
        with executors.executor(1, scheduler="") as pool:
            return pool.submit(os.getpid).result()

    assert who() != who()
    with executors.staying() as stay:
        first = who()
        assert who() == first
        stay.end()
        second = who()
        assert second != first
        with pytest.raises(BrokenExecutor), executors.executor(1, scheduler="") as pool:
            pool.submit(os._exit, 1).result()
        assert who() not in (first, second), "a broken pool is begun anew"
    assert who() != second


def test_the_pieces_come_in_order_wherever_they_are_computed() -> None:
    numbers = [*range(-5, 5)]
    here = list(executors.in_order(None, abs, numbers))
    with executors.executor(2, scheduler="") as pool:
        assert list(executors.in_order(pool, abs, numbers)) == here == list(map(abs, numbers))


def test_a_scheduler_that_is_silent_or_goes_away_is_broken_and_not_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(executors, "PATIENCE", "1s")
    cluster = distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
    )

    def compute(address: str) -> None:
        with executors.executor(scheduler=address) as dask:
            for slept in executors.in_order(dask, time.sleep, [0.0, 60.0]):
                assert slept is None
                cluster.close()

    with cluster, pytest.raises(BrokenExecutor, match="is gone"):
        compute(cluster.scheduler_address)
    with pytest.raises(BrokenExecutor, match="does not answer"):
        compute("tcp://127.0.0.1:9")


def test_it_ends_with_the_process_that_began_it(tmp_path: Path) -> None:
    file = tmp_path / "begins_another.py"
    file.write_text(SCRIPT, "utf-8")
    command = [sys.executable, "-W", "ignore", str(file)]
    paths = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=paths, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while _is_alive(child):
        assert time.monotonic() < end, "nobody sent it home"
        time.sleep(0.05)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_job_whose_helper_was_killed_is_taken_up_again(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "KINDS", {})
    deaths = [os._exit]

    @jobs.kind("compute", "算")
    def compute(_run: Run) -> None:
        with executors.executor(1, scheduler="") as pool:
            if deaths:
                pool.submit(deaths.pop(), 1).result()

    with app.app_context():
        jobs.ask("compute", by=audit.SYSTEM, now=NOON)
        jobs.db.session.commit()
        assert jobs.work(worker="here", now=clock)
        assert the_job().state is JobState.WAITING
        jobs.db.session.rollback()
        assert jobs.work(worker="here", now=clock)
        job = the_job()
        assert (job.state, job.attempts) == (JobState.DONE, 2)


def test_a_job_whose_helpers_always_die_is_given_up_and_says_why(
    app: Flask, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "KINDS", {})
    monkeypatch.setattr(jobs, "MOST_ATTEMPTS", 2)

    @jobs.kind("compute", "算")
    def compute(_run: Run) -> None:
        with executors.executor(1, scheduler="") as pool:
            pool.submit(os._exit, 1).result()

    with app.app_context():
        jobs.ask("compute", by=audit.SYSTEM, now=NOON)
        jobs.db.session.commit()
        for _attempt in range(2):
            assert jobs.work(worker="here", now=clock)
            jobs.db.session.rollback()
        job = the_job()
        assert job.state is JobState.FAILED
        assert job.error.startswith("计算进程多次中断")
