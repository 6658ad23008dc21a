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
from dataclasses import dataclass, field
from pathlib import Path

from app import create_app
from bench import material
from bench.measure import say
from core import serving
from core.db import Base, db

CLIENTS = 16
SECONDS = 6.0
ROUNDS = 2
WORDS = "希望彭浦镇的老小区尽快加装电梯，方便老人出行。"
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)\r\n")
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
ROOT = Path(__file__).resolve().parents[1]


@dataclass(slots=True)
class Run:
    """What one site answered, and what of the processors that took in all."""

    seconds: list[float] = field(default_factory=list)
    server: float = 0.0
    clients: float = 0.0

    def served(self) -> float:
        """Milliseconds of processor time of the server a comment."""
        return self.server * 1000 / len(self.seconds)

    def a_second(self) -> float:
        """Comments a second."""
        return len(self.seconds) / SECONDS / ROUNDS

    def p95(self) -> float:
        """Milliseconds that 95 of 100 did not exceed."""
        return statistics.quantiles(self.seconds, n=20)[-1] * 1000


def run() -> None:
    """Comments a second, the 95th percentile and the CPU of the server, ours and theirs, in turn
    and twice."""
    with tempfile.TemporaryDirectory(prefix="wenji-bench-") as folder:
        _prepare(folder)
        ours, theirs = Run(), Run()
        for _round in range(ROUNDS):
            with _served("bench.naive:create_app()", {"NAIVE_DATABASE": f"{folder}/naive.db"}) as (
                port,
                pid,
            ):
                _load(theirs, port, pid, "/")
            environment = {"BENCH_INSTANCE": folder, "COMMENTS_PER_HOUR": "100000000"}
            with _served("bench.comment_post:serve_ours()", environment) as (port, pid):
                _load(ours, port, pid, "/consultations/bench/comment")
    for what, unit, goal, mine, naive in (
        ("comments, 16 clients", "/s", "≥ 3", ours.a_second(), theirs.a_second()),
        ("p95", "ms", "≤ 0.2", ours.p95(), theirs.p95()),
        ("CPU of the server, a comment", "ms", "≤ 0.33", ours.served(), theirs.served()),
    ):
        reference = f"naive ({naive:.1f} {unit})"
        say(what, mine, unit, ratio=mine / naive, reference=reference, goal=goal)
    clients = [each.clients * 1000 / len(each.seconds) for each in (ours, theirs)]
    load = os.getloadavg()[0]
    print(f"  (CPU of the clients {clients[0]:.2f} and {clients[1]:.2f} ms; load {load:.1f})")


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
def _served(application: str, environment: dict[str, str]) -> Iterator[tuple[int, int]]:
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
        yield port, server.pid
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _load(run: Run, port: int, pid: int, path: str) -> None:
    """Let all clients comment for SECONDS, and note it."""
    forms = [_form(port, path) for _each in range(CLIENTS)]
    served, begun = _cpu(pid), time.process_time()
    until = time.perf_counter() + SECONDS
    threads = [
        threading.Thread(target=_client, args=(port, path, form, until, run.seconds))
        for form in forms
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run.server += _cpu(pid) - served
    run.clients += time.process_time() - begun


def _cpu(pid: int) -> float:
    """Seconds of processor time that the workers of this server have used."""
    ticks = 0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        # After the name, which stands in brackets, the 12th and 13th field.
        told = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _client(port: int, path: str, form: tuple[str, str], until: float, taken: list[float]) -> None:
    token, cookie = form
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
    )
    fields = {"csrf_token": token, "body": WORDS, "consent": "y"}
    fixed = urllib.parse.urlencode(fields) + "&form_key="
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.perf_counter() < until:
            body = fixed + secrets.token_urlsafe(16)
            request = f"{head}{len(body)}\r\n\r\n{body}".encode()
            begun = time.perf_counter()
            connection.sendall(request)
            status = _answered(connection)
            if status == 302:
                taken.append(time.perf_counter() - begun)
            elif status < 500:
                raise RuntimeError(f"{path}: {status}")


def _form(port: int, path: str) -> tuple[str, str]:
    """The forgery token and the cookie of somebody who has opened the form."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = TOKEN.search(answer.read().decode())
    assert found, f"no form at {path}: {answer.status}"
    cookie = (answer.getheader("Set-Cookie") or "").split(";")[0]
    connection.close()
    return found[1], cookie


def _answered(connection: socket.socket) -> int:
    """Read one answer to its end; its status."""
    got = b""
    while (end := got.find(b"\r\n\r\n")) < 0:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the server hung up")
        got += more
    length = LENGTH.search(got, 0, end + 2)
    assert length, got
    missing = end + 4 + int(length[1]) - len(got)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return int(got[9:12])
