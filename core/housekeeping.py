"""Housekeeping: what has to be done from time to time without anybody asking.

Each job looks for what is due and may run in several processes at once. The web server's workers
run them in a thread (`start`); `flask --app app housekeeping` does so once, for other servers.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask

from core import outbox, senders
from core.config import of_site
from core.db import db
from core.web import now

MINUTE = dt.timedelta(minutes=1)
PAUSE = 3.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do `every` so often; what it leaves open is committed after it."""

    name: str
    every: dt.timedelta
    run: Callable[[dt.datetime], object]


JOBS: dict[str, Job] = {}


def add(job: Job) -> None:
    """Have this done, too."""
    JOBS[job.name] = job


def deliver_messages(at: dt.datetime) -> int:
    """Send what is due in the outbox."""
    settings = of_site()
    return outbox.deliver(senders.of(settings), contact_key=settings.contact_key, now=at)


add(Job("messages", MINUTE / 20, deliver_messages))


def run_all() -> None:
    """Do every job once."""
    for job in JOBS.values():
        _do(job, now())


def _do(job: Job, at: dt.datetime) -> None:
    job.run(at)
    db.session.commit()


def start(app: Flask) -> threading.Thread:
    """Do the jobs in a thread of this process, for as long as it lives."""
    thread = threading.Thread(target=_keep_house, args=(app,), name="housekeeping", daemon=True)
    thread.start()
    return thread


def _keep_house(app: Flask) -> None:
    due = dict.fromkeys(JOBS, dt.datetime.min.replace(tzinfo=dt.UTC))
    pause = threading.Event()
    while True:
        pause.wait(PAUSE)
        for job in JOBS.values():
            with app.app_context():
                at = now()
                if at < due[job.name]:
                    continue
                due[job.name] = at + job.every
                try:
                    _do(job, at)
                except Exception:
                    # Tomorrow's jobs must not die of today's full disk.
                    log.exception("housekeeping: %s", job.name)
                finally:
                    db.session.close()
