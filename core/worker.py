"""The worker: a process of its own that does what stands in the ledger (`core/jobs.py`).

`flask --app app worker` is one; as many as wanted may run, on as many machines as reach the
database. The web server has one beside its own workers (`start_beside`): it is begun again when it
dies and ends with the server.
"""

import datetime as dt
import logging
import os
import signal
import socket
import sys
import threading
import time
from types import FrameType

import sqlalchemy as sa
from flask import Flask

from core import executors, jobs
from core.db import db
from core.web import now

PAUSE = 1.0
# How long one that keeps dying is left alone, at first and at most, in seconds.
SHORTEST_REST, LONGEST_REST = 1.0, 30.0
# How long a step may take to end after the server has been told to.
GRACE = 10.0
log = logging.getLogger(__name__)


def name() -> str:
    """What this process is called in the ledger."""
    return f"{socket.gethostname()}:{os.getpid()}"


def run(
    app: Flask,
    *,
    most: int | None = None,
    drain: bool = False,
    lease: dt.timedelta = jobs.LEASE,
    leaving: threading.Event | None = None,
) -> int:
    """Do jobs until told to leave; at most so many, or (`drain`) until none is due. How many were
    taken up."""
    leaving, done = leaving or threading.Event(), 0
    _heed_signals(leaving)

    def clock() -> dt.datetime:
        # Asked by the thread that beats, too, which knows of no application.
        with app.app_context():
            return now()

    with executors.staying() as stay:
        while not leaving.is_set() and (most is None or done < most):
            with app.app_context():
                try:
                    found = jobs.work(worker=name(), now=clock, lease=lease, leaving=leaving)
                except sa.exc.SQLAlchemyError:
                    # A database that is away for a while does not end the worker.
                    if drain or most is not None:
                        raise
                    log.exception("the worker cannot read the ledger")
                    found = False
                finally:
                    db.session.close()
            done += found
            if not found:
                if drain or most is not None:
                    break
                stay.end()
                leaving.wait(PAUSE)
    return done


def _heed_signals(leaving: threading.Event) -> None:
    """Told to end, finish the step in hand first."""
    if threading.current_thread() is not threading.main_thread():
        return

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        leaving.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)


def start_beside(app: Flask) -> None:
    """Keep a worker running for as long as this process lives. Call it before there are threads
    and while nothing of the database is open: a child of ours looks after the worker, because a
    web server does not know what to do about a child that is not one of its own.
    """
    server = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork() == 0:
        try:
            _keep(app, server)
        finally:
            os._exit(0)


def _keep(app: Flask, server: int) -> None:
    leaving = threading.Event()
    _heed_signals(leaving)
    rest = SHORTEST_REST
    while not leaving.is_set() and os.getppid() == server:
        begun = time.monotonic()
        worker = os.fork()
        if worker == 0:
            try:
                run(app, leaving=_leaving_with(server))
            except BaseException:
                log.exception("the worker died")
                os._exit(1)
            os._exit(0)
        while not _ended(worker) and not leaving.is_set() and os.getppid() == server:
            leaving.wait(0.5)
        if leaving.is_set() or os.getppid() != server:
            _end(worker)
            return
        rest = SHORTEST_REST if time.monotonic() - begun > LONGEST_REST else rest * 2
        leaving.wait(min(rest, LONGEST_REST))


def _leaving_with(server: int) -> threading.Event:
    """What is set when the server is gone, though nobody is left to say so: a worker that outlives it
    would go on with the code of yesterday beside that of today."""
    gone = threading.Event()

    def watch() -> None:
        while not gone.wait(PAUSE):
            try:
                os.kill(server, 0)
            except ProcessLookupError:
                gone.set()

    threading.Thread(target=watch, name="leaving-with-server", daemon=True).start()
    return gone


def _ended(child: int) -> bool:
    try:
        return os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:
        return True


def _end(worker: int) -> None:
    until, pause = time.monotonic() + GRACE, threading.Event()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if _ended(worker):
            return
        os.kill(worker, number)
        while number is signal.SIGTERM and not _ended(worker) and time.monotonic() < until:
            pause.wait(0.1)
