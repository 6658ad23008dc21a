"""Start-up and memory of the site as `python app.py` serves it, against a bare Flask page under the
same web server. Seconds depend on who else uses the machine: the CPU until the first answer does less."""

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.measure import say

ROOT = Path(__file__).resolve().parents[1]


# On a crowded machine the very first start takes a minute, in seconds.
PATIENCE = 300.0
# How long the site is let alone before its memory is read: engines and housekeeping have begun.
SETTLED = 8.0


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds and processor seconds to the first 200, megabytes after a few requests."""

    seconds: float
    cpu: float
    workers: float
    all: float


def run() -> None:
    """Seconds until the first answer, and memory; a start that finds everything, and the very first
    one, which makes the database and the example."""
    with tempfile.TemporaryDirectory(prefix="wenji-bench-") as folder:
        # Compiled modules are kept, as on a machine where nobody has asked for the contrary.
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
            "PYTHONPYCACHEPREFIX": f"{folder}/compiled",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        first = _measure([sys.executable, "app.py"], environment)
        ours = _measure([sys.executable, "app.py"], environment)
        gunicorn = ["-m", "gunicorn", "-w", "2", "--threads", "4", "--preload"]
        port = str(_free_port())
        bare = [sys.executable, *gunicorn, "-b", f"127.0.0.1:{port}", "bench.bare:hello()"]
        theirs = _measure(bare, environment | {"PORT": port})
    for what, value, bare_value, unit, goal in (
        ("first answer after start", ours.seconds, theirs.seconds, "s", "≤ 3 s"),
        ("CPU of all processes until then", ours.cpu, theirs.cpu, "s", "none"),
        ("memory of the two web workers (PSS)", ours.workers, theirs.workers, "MB", "≤ 200 MB"),
        ("memory of all processes (PSS)", ours.all, theirs.all, "MB", "none"),
        ("the very first start", first.seconds, theirs.seconds, "s", "none"),
        ("the two web workers after it (PSS)", first.workers, theirs.workers, "MB", "≤ 200 MB"),
    ):
        reference = f"bare Flask page ({bare_value:.1f} {unit})"
        say(what, value, unit, ratio=value / bare_value, reference=reference, goal=goal)


def _measure(command: list[str], environment: dict[str, str]) -> Start:
    port = int(environment.get("PORT") or _free_port())
    begun = time.perf_counter()
    server = subprocess.Popen(
        command, cwd=ROOT, env=environment | {"PORT": str(port)}, stdout=subprocess.DEVNULL
    )
    try:
        while not _answers(port, "/"):
            if time.perf_counter() - begun > PATIENCE:
                raise RuntimeError("the site did not start")
            time.sleep(0.02)
        seconds = time.perf_counter() - begun
        cpu = sum(map(_cpu, _family(server.pid)))
        time.sleep(SETTLED)
        for path in ("/", "/consultations/guihua-gangyao/draft", "/consultations/") * 5:
            _answers(port, path)
        workers = [each for each in _children(server.pid) if _threads(each) > 1]
        return Start(
            seconds, cpu, sum(map(_memory, workers)), sum(map(_memory, _family(server.pid)))
        )
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


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _family(pid: int) -> list[int]:
    """The process, its children and theirs."""
    return [pid, *(each for child in _children(pid) for each in _family(child))]


def _threads(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def _cpu(pid: int) -> float:
    """Seconds of processor time of a process and of its children that have ended."""
    # After the name, which stands in brackets, the 12th to the 15th field.
    told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, told[11:15])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> float:
    """Proportional set size of a process, in megabytes."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
