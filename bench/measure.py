"""Measuring: CPU per call with the reference interleaved, a site to measure, and how it is said."""

import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import create_app
from bench.bare import hello as hello
from core.db import Base, db

# Where to measure instead of in a file: an empty database, which is empty again afterwards.
ELSEWHERE = os.environ.get("WENJI_BENCH_DATABASE", "")
# CPU seconds of this process, which a busy machine does not change; of what a server does, the clock's.
spent = time.perf_counter if ELSEWHERE else time.process_time
MS = "ms" if ELSEWHERE else "ms CPU"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def say(what: str, value: float, unit: str, *, ratio: float, reference: str, goal: str) -> None:
    """One line: the figure, the ratio, against what, and the mark to reach."""
    print(f"{what:52} {value:10.3f} {unit:7} = {ratio:7.2f} × {reference}   (goal {goal})")


def cpu_ms(
    calls: dict[str, Callable[[], Any]], *, rounds: int = 15, each: int = 20
) -> dict[str, float]:
    """Median milliseconds a call (`spent`), the calls taken in turn so that drift hits all alike."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _round in range(rounds):
        for name, call in calls.items():
            begun = spent()
            for _time in range(each):
                call()
            taken[name].append((spent() - begun) * 1000 / each)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def getter(app: Flask, path: str, headers: dict[str, str] | None = None) -> Callable[[], bytes]:
    """A function that asks the WSGI application for `path`, without a test client's overhead."""
    path, _mark, query = path.partition("?")

    def get() -> bytes:
        environ = {
            "REQUEST_METHOD": "GET",
            "SCRIPT_NAME": "",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8000",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1:8000",
            "HTTP_ACCEPT_ENCODING": "gzip, br",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            **(headers or {}),
        }
        status: list[str] = []

        def start(code: str, headers: Any, error: Any = None) -> Callable[[bytes], object]:
            status.append(code)
            get.headers = dict(headers)  # type: ignore[attr-defined]  # kept on the function
            return io.BytesIO().write

        answer = app.wsgi_app(environ, start)  # type: ignore[arg-type]  # a plain WSGI start
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        if status[0][:3] not in ("200", "304"):
            raise RuntimeError(f"{path}: {status[0]}")
        return body

    return get


def apart(calls: dict[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """The calls, each made in a context of its own, as on a server: who asks is noted there."""
    return {name: lambda call=call: Context().run(call) for name, call in calls.items()}


@contextmanager
def site(**overrides: Any) -> Iterator[Flask]:
    """An empty site in a temporary folder, inside its application context."""
    with tempfile.TemporaryDirectory(prefix="wenji-bench-") as folder:
        url = ELSEWHERE or f"sqlite:///{folder}/bench.sqlite3"
        engines = {"default": {"url": url}}
        settings = {"WTF_CSRF_ENABLED": False, "SQLALCHEMY_ENGINES": engines, **overrides}
        app = create_app(settings, instance=folder)
        with app.app_context():
            if sa.inspect(db.engine).get_table_names():
                raise SystemExit("WENJI_BENCH_DATABASE is not empty")
            Base.metadata.create_all(db.engine)
            try:
                yield app
            finally:
                db.session.close()
                Base.metadata.drop_all(db.engine)
                db.engine.dispose()
