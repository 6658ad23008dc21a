"""The worker beside the server, watched as an officer watches it: through the page 后台任务 of a live
server, to the end, and with the worker killed in the middle."""

import os
import re
import signal
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from http.cookiejar import CookieJar
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from consult.submissions import Submission
from core import jobs
from core.accounts import DEMO_PASSWORD
from core.db import db
from core.jobs import Job
from tests import live

ROWS = 6000
IMPORT = "submissions.import"


class Officer:
    """A browser without script in which an officer has signed in."""

    def __init__(self, address: str) -> None:
        self._address = address
        jar = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(jar, urllib.request.ProxyHandler({}))
        self.send("/sign-in", email="drc@example.invalid", password=DEMO_PASSWORD)

    def read(self, path: str) -> str:
        """The page at this address."""
        with self._opener.open(self._address + path, timeout=60) as answer:
            page: str = answer.read().decode()
            return page

    def send(self, path: str, **fields: str) -> str:
        """Fill in the form of a page and send it; where that leads."""
        data = urllib.parse.urlencode({**self._hidden(path), **fields}).encode()
        with self._opener.open(self._address + path, data, timeout=60) as answer:
            return str(urllib.parse.urlsplit(answer.geturl()).path)

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> str:
        """Send a file with the form of a page; where that leads."""
        edge = uuid.uuid4().hex
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in {**self._hidden(path), **fields}.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        body = b"".join((*parts, head.encode(), b"\r\n", content, f"\r\n--{edge}--\r\n".encode()))
        request = urllib.request.Request(self._address + path, body)
        request.add_header("Content-Type", f"multipart/form-data; boundary={edge}")
        with self._opener.open(request, timeout=60) as answer:
            return str(urllib.parse.urlsplit(answer.geturl()).path)

    def _hidden(self, path: str) -> dict[str, str]:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.read(path))
        return {"csrf_token": found.group(1)} if found else {}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site."""
    return tmp_path_factory.mktemp("beside")


@pytest.fixture(scope="module")
def address(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A live server with a worker beside it."""
    with live.started(place, like=live.filled(tmp_path_factory.getbasetemp())) as found:
        yield found
        with site_at(place).app_context():
            db.engine.dispose()
        site_at.cache_clear()


@cache
def site_at(place: Path) -> Flask:
    """The same site, to read past the server."""
    return create_app(instance=str(place))


def the_job(place: Path, job_id: int) -> Job:
    """The row of a job."""
    with site_at(place).app_context():
        job = db.session.get_one(Job, job_id)
        db.session.expunge(job)
        db.session.close()
    return job


def until(seen: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait until it is so."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if seen():
            return
        time.sleep(0.2)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def begin_import(officer: Officer, rows: int, mark: str) -> int:
    """Send a long table; the number of the job that brings it in."""
    lines = [
        f"{mark}{n},建议在第{n}号楼前的空地上装路灯{mark}，晚上走路看不清。" for n in range(rows)
    ]
    table = "\n".join(("编号,意见", *lines)).encode()
    page = officer.read("/desk/intake")
    options = re.findall(r'<option value="(\d+)"', page)
    at = officer.upload(
        "/desk/intake", "来信.csv", table, consultation=options[0], channel="letter"
    )
    unused = dict.fromkeys(("title", "received_on", "author", "stance", "section"), "")
    officer.send(at, body="意见", external_id="编号", act="import", **unused)
    # The newest stands first.
    found = re.search(r"/desk/jobs/(\d+)", officer.read("/desk/jobs"))
    assert found is not None
    return int(found.group(1))


def test_a_job_is_watched_to_its_end_through_its_page(address: str, place: Path) -> None:
    officer = Officer(address)
    job_id = begin_import(officer, 1200, "A")
    path = f"/desk/jobs/{job_id}"
    assert path in officer.read("/desk/jobs")
    until(lambda: "已完成" in officer.read(path), 240, "the end of the import")
    page = officer.read(path)
    assert re.search(r"1200 / 1200", page)
    assert "查看结果" in page


def test_a_killed_worker_is_replaced_and_its_job_taken_up(address: str, place: Path) -> None:
    officer = Officer(address)
    job_id = begin_import(officer, ROWS, "B")
    until(lambda: the_job(place, job_id).done > 0, 180, "the first step")
    job = the_job(place, job_id)
    assert job.state is jobs.JobState.RUNNING, "the table is too short to be interrupted"
    killed = int(job.held_by.partition("/")[0].rpartition(":")[2])
    os.kill(killed, signal.SIGKILL)
    # Within the lease and five seconds on a machine at rest; a busy one takes longer to start one.
    patience = jobs.LEASE.total_seconds() + 120
    until(lambda: the_job(place, job_id).attempts == 2, patience, "taking the job up")
    # The one that looks after the worker has begun another.
    assert killed not in _processes(str(place))
    path = f"/desk/jobs/{job_id}"
    until(lambda: "已完成" in officer.read(path), 300, "the end of the import")
    page = officer.read(path)
    assert f"{ROWS} / {ROWS}" in page
    assert "第2次，最多5次" in page
    with site_at(place).app_context():
        of_this = Submission.body.contains("号楼前的空地上装路灯B")
        query = sa.select(sa.func.count(), sa.func.count(Submission.body.distinct())).where(of_this)
        count, distinct = db.session.execute(query).one()
        db.session.close()
    assert (count, distinct) == (ROWS, ROWS)


def test_the_index_follows_by_a_job_of_its_own(address: str, place: Path) -> None:
    site = site_at(place)
    with site.app_context():
        shown = db.session.scalar(sa.text("SELECT COUNT(*) FROM submission WHERE state = 'shown'"))
    asked = site.test_cli_runner().invoke(args=["index", "rebuild", "--all"])
    found = re.search(r"任务(\d+)", asked.output)
    assert found is not None, asked.output
    number = int(found.group(1))
    until(lambda: not the_job(place, number).is_open, 300, "the rebuild")
    job = the_job(place, number)
    assert job.state is jobs.JobState.DONE, job.error
    assert job.done == job.total >= shown > 0


def test_the_worker_ends_with_its_server(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with live.started(tmp_path, like=live.filled(tmp_path_factory.getbasetemp())) as found:
        with urllib.request.urlopen(f"{found}/healthz", timeout=60) as answer:
            assert answer.status == 200
        # The server, the one that looks after the worker, the worker, and two web workers: the first
        # of them answers before the second is there.
        until(lambda: len(_processes(str(tmp_path))) >= 5, 90, "the beginning of all its processes")
    until(lambda: not _processes(str(tmp_path)), 90, "the end of all its processes")


def test_the_worker_ends_with_its_server_though_nobody_looks_after_it_any_more(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with live.started(tmp_path, like=live.filled(tmp_path_factory.getbasetemp())):
        until(lambda: len(_processes(str(tmp_path))) >= 5, 90, "the beginning of all its processes")
        parents = {each: _parent_of(each) for each in _processes(str(tmp_path))}
        # The only one here that has a parent here which has one, too, is the worker.
        worker = next(each for each, above in parents.items() if parents.get(above) in parents)
        os.kill(parents[worker], signal.SIGKILL)
        until(lambda: _parent_of(worker) != parents[worker], 30, "the worker's being left alone")
        assert worker in _processes(str(tmp_path)), "it goes on while the server is there"
    until(lambda: not _processes(str(tmp_path)), 90, "the end of all its processes")


def _parent_of(process: int) -> int:
    status = (Path("/proc") / str(process) / "status").read_text()
    found = re.search(r"^PPid:\t(\d+)$", status, re.MULTILINE)
    assert found is not None
    return int(found.group(1))


def _processes(folder: str) -> list[int]:
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            line = (each / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "tests.live" in line and folder in line:
            found.append(int(each.name))
    return found
