"""Counting what takes long: a snapshot of more opinions than somebody would wait for, made by a worker."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import summaries
from consult.consultations import Consultation
from consult.programmes import Stage
from consult.summaries.snapshots import Subject, Summary
from core import audit, jobs
from core.db import db

KIND = "summary.count"
# So many opinions are counted while the officer waits: some two seconds.
AT_ONCE = 5000
# Read, counted, kept.
STEPS = 3


def is_long(subject: Subject) -> bool:
    """Whether to count the subject is work for the background."""
    return sum(each.shown for each in summaries.consultations_of(subject)) > AT_ONCE


def ask(subject: Subject, *, by: audit.Actor, now: dt.datetime) -> jobs.Job:
    """Have the subject counted by a worker, once this is committed. A count that has not begun yet will
    do: it finds all there is by then."""
    scope = "consultation" if isinstance(subject, Consultation) else "stage"
    asked = {scope: subject.id}
    return jobs.ask(KIND, asked, name=subject.title, by=by, now=now, once=True)


def under_way() -> set[tuple[str, int]]:
    """What is being counted, or waits for it: ("consultation" or "stage", id)."""
    query = sa.select(jobs.Job.arguments).where(
        jobs.Job.kind == KIND, jobs.Job.state.in_(jobs.OPEN)
    )
    return {each for asked in db.session.scalars(query) for each in asked.items()}


@jobs.kind(KIND, _l("生成意见汇总"))
def work(run: jobs.Run) -> Mapping[str, Any]:
    """Make the snapshot. It is kept in the transaction that writes down its number: taken up again after
    a kill, a job either finds it or counts anew, and none is made twice."""
    if "summary" not in run.checkpoint:
        run.progress(0, STEPS)
        made = summaries.make(
            _subject(run.arguments),
            by=run.by,
            now=run.now(),
            between=lambda: run.progress(1, STEPS),
        )
        run.progress(STEPS, STEPS, {"summary": made.id})
        number = made.id
    else:
        number = run.checkpoint["summary"]
    found = db.session.get_one(Summary, number)
    return {
        "words": _("已生成第%(n)d次汇总，计入%(m)d件意见。", n=found.number, m=found.shown),
        "path": f"/desk/summaries/{found.id}",
    }


def _subject(asked: Mapping[str, Any]) -> Subject:
    if "consultation" in asked:
        return db.session.get_one(Consultation, asked["consultation"])
    return db.session.get_one(Stage, asked["stage"])
