"""Handing an application over to the web server, in this very process: what was read to prepare the
site is not read again, and the workers share it."""

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from jinja2 import FileSystemBytecodeCache

from core import drawing, housekeeping, languages, worker

# Threads wait for disk and database, not for each other's Python: four keep two cores busy.
THREADS = 4
# When the readers who waited for the start have been served, in seconds.
LATER = 5.0


class _Site(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn around an application that already exists."""

    def __init__(self, app: Flask, settings: dict[str, Any]) -> None:
        self._app, self._settings = app, settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._app


def warm(app: Flask) -> None:
    """Read every template and the English words before the workers part; have them compiled once.

    Else the first readers wait while each thread of each worker compiles the same templates for
    itself: sixteen at once waited for seconds. What was compiled is kept in the instance folder
    and read from there at the next start; a template that changed is compiled anew.
    """
    folder = Path(app.instance_path) / "templates"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(folder))
    for name in app.jinja_env.list_templates(extensions=("html", "xml")):
        if not name.startswith("bootstrap"):
            app.jinja_env.get_template(name)
    languages.warm(folder)


def aside(work: Callable[[], object], meanwhile: Callable[[], object] = lambda: None) -> None:
    """Do `work` in a process of its own, so that what it loads ends with it and is not handed on to
    everybody who serves; `meanwhile` is done in this one. Nothing of the database may be open. Ends
    this process, too, on failure."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        # It ends before garbage could matter, and looking for it took a sixth of its time.
        gc.disable()
        try:
            work()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        sys.stdout.flush()
        os._exit(0)

    def on_signal(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, on_signal)
    meanwhile()
    _child, status = os.waitpid(child, 0)
    signal.signal(signal.SIGTERM, before)
    if status:
        sys.exit(1)


def _begin(app: Flask) -> None:
    housekeeping.start(app)
    engine = threading.Timer(LATER, drawing.warm)
    engine.daemon = True
    engine.start()


def serve(
    app: Flask,
    *,
    host: str,
    port: str,
    workers: int,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until told to stop, with a worker for long jobs beside it; `ready` is called once the
    address can be opened. Nothing of the database may be open any more: workers are forks.

    Why gunicorn, threads, one listening socket a worker: `docs/decisions/0004-web-server.md`.
    """
    settings = {
        "bind": f"{host}:{port}",
        "workers": workers,
        "threads": THREADS,
        "worker_class": "gthread",
        "preload_app": True,
        "reuse_port": True,
        "loglevel": "warning",
        # A socket to steer the server by stands in the home folder: nobody here asked for one.
        "control_socket_disable": True,
        "when_ready": lambda _server: ready(),
        # After the fork: a thread does not come along into a worker.
        "post_worker_init": lambda _worker: _begin(app),
    }
    warm(app)
    # What is there now is there for good, and is shared for as long as nobody writes into it: a
    # search for garbage writes into every object.
    gc.collect()
    gc.freeze()
    worker.start_beside(app)
    _Site(app, settings).run()
