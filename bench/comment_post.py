"""Sixteen clients commenting on one draft, against a naive Flask + ORM + default-SQLite site served
by the same web server with the same number of workers."""

import http.client
import os
import re
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app import create_app
from bench import material
from bench.measure import say
from core import serving
from core.db import Base, db

CLIENTS = 16
SECONDS = 6.0
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ROOT = Path(__file__).resolve().parents[1]


def run() -> None:
    """Comments a second and the 95th percentile, ours and theirs, in turn and twice."""
    with tempfile.TemporaryDirectory(prefix="wenji-bench-") as folder:
        _prepare(folder)
        ours: list[float] = []
        theirs: list[float] = []
        for _round in range(2):
            with _served(
                "bench.naive:create_app()", {"NAIVE_DATABASE": f"{folder}/naive.db"}
            ) as port:
                theirs += _load(port, "/")
            environment = {"BENCH_INSTANCE": folder, "COMMENTS_PER_HOUR": "100000000"}
            with _served("bench.comment_post:serve_ours()", environment) as port:
                ours += _load(port, "/consultations/bench/comment")
    rate, reference = len(ours) / SECONDS / 2, len(theirs) / SECONDS / 2
    slow, slow_reference = _p95(ours), _p95(theirs)
    naive = f"naive ({reference:.0f}/s)"
    say("comments, 16 clients", rate, "/s", ratio=rate / reference, reference=naive, goal="≥ 3")
    naive = f"naive ({slow_reference:.0f} ms)"
    say("p95", slow, "ms", ratio=slow / slow_reference, reference=naive, goal="≤ 0.2")


def serve_ours() -> object:
    """The application gunicorn serves for this benchmark."""
    app = create_app(instance=os.environ["BENCH_INSTANCE"])
    serving.warm(app)
    return app


def _prepare(folder: str) -> None:
    app = create_app(instance=folder)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        made, version = material.consultation()
        material.opinions(made, version, 1000)
        made.closes_at = material.NOW.replace(year=2100)
        db.session.commit()
        db.engine.dispose()


@contextmanager
def _served(application: str, environment: dict[str, str]) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--workers", "2", "--threads", "4"]
    command += ["--worker-class", "gthread", "--preload", "--reuse-port", "--log-level", "error"]
    command += ["--bind", f"127.0.0.1:{port}", application]
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment)
    try:
        for _try in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        time.sleep(0.5)
        yield port
    finally:
        server.terminate()
        server.wait(timeout=20)


def _load(port: int, path: str) -> list[float]:
    """The seconds each accepted comment took, from all clients."""
    until = time.perf_counter() + SECONDS
    taken: list[float] = []
    threads = [
        threading.Thread(target=_client, args=(port, path, until, taken)) for _ in range(CLIENTS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def _client(port: int, path: str, until: float, taken: list[float]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    page = answer.read().decode()
    found = TOKEN.search(page)
    assert found, f"no form at {path}: {answer.status}"
    cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
    headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
    while time.perf_counter() < until:
        body = urllib.parse.urlencode(
            {
                "csrf_token": found[1],
                "form_key": secrets.token_urlsafe(16),
                "body": f"希望彭浦镇的老小区尽快加装电梯，方便老人出行。{secrets.token_hex(4)}",
                "consent": "y",
            }
        )
        begun = time.perf_counter()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 302:
            taken.append(time.perf_counter() - begun)
        elif answer.status < 500:
            raise RuntimeError(f"{path}: {answer.status}")


def _p95(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1] * 1000
