"""Start-up and memory of the site as `python app.py` serves it, against a bare Flask page under the
same web server."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import say

ROOT = Path(__file__).resolve().parents[1]


def run() -> None:
    """Seconds until the first answer (database made before), and memory of two workers."""
    with tempfile.TemporaryDirectory(prefix="wenji-bench-") as folder:
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3"}
        _measure([sys.executable, "app.py"], environment)
        ours = _measure([sys.executable, "app.py"], environment)
        gunicorn = ["-m", "gunicorn", "-w", "2", "--threads", "4", "--preload"]
        port = str(_free_port())
        bare = [sys.executable, *gunicorn, "-b", f"127.0.0.1:{port}", "bench.measure:hello()"]
        theirs = _measure(bare, environment | {"PORT": port})
    for what, place, unit, goal in (
        ("first answer after start", 0, "s", "≤ 3 s"),
        ("memory of all processes (PSS)", 1, "MB", "≤ 200 MB"),
    ):
        ratio = ours[place] / theirs[place]
        say(what, ours[place], unit, ratio=ratio, reference="bare Flask page", goal=goal)


def _measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """(seconds to the first 200, megabytes after a few requests)."""
    port = int(environment.get("PORT") or _free_port())
    begun = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment | {"PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        while not _answers(port, "/"):
            if time.perf_counter() - begun > 60:
                raise RuntimeError("the site did not start")
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        for path in ("/", "/consultations/guihua-gangyao/draft", "/consultations/") * 5:
            _answers(port, path)
        return seconds, _memory(server.pid)
    finally:
        server.terminate()
        server.wait(timeout=20)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status in (200, 404)
    except OSError:
        return False
    finally:
        connection.close()


def _memory(pid: int) -> float:
    """Proportional set size of a process and its children, in megabytes."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0.0
    for each in (str(pid), *children):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1]) / 1024
    return total


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
