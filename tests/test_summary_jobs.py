"""Counting much in the background: asked for at the desk, made once whatever happens to the worker."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import summaries
from consult.consultations import Consultation
from consult.summaries import Summary, counting_jobs
from core import audit, jobs
from core.audit import AuditEvent
from core.db import db
from core.jobs import JobState
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.twelve_made import twelve_opinions


@pytest.fixture
def subject(app: Flask, monkeypatch: pytest.MonkeyPatch) -> int:
    """The id of a consultation of twelve opinions, one more than are counted at once."""
    monkeypatch.setattr(counting_jobs, "AT_ONCE", 11)
    with app.app_context():
        consultation = a_consultation()
        twelve_opinions(consultation, a_published_draft(consultation))
        db.session.commit()
        return consultation.id


class Killed(BaseException):
    """What becomes of a worker that is killed."""


def killed(*_ignored: Any, **_named: Any) -> None:
    raise Killed


def work(app: Flask, clock: Clock) -> bool:
    with app.app_context():
        try:
            return jobs.work(worker="here", now=clock)
        finally:
            db.session.rollback()


def snapshots(app: Flask) -> list[tuple[int, int]]:
    """(number, opinions counted) of every snapshot, and one audit event of each."""
    with app.app_context():
        found = [tuple(row) for row in db.session.execute(sa.select(Summary.number, Summary.shown))]
        told = sa.select(sa.func.count()).where(AuditEvent.action == "summary.counted")
        assert db.session.scalar(told) == len(found)
        return found


def state(app: Flask) -> tuple[JobState, int, int, int]:
    """The last job: its state, steps done of all, and how often it was begun."""
    with app.app_context():
        job = jobs.newest(counting_jobs.KIND)
        assert job is not None
        return job.state, job.done, job.total, job.attempts


def test_many_opinions_are_counted_by_a_worker(
    app: Flask, client: FlaskClient, clock: Clock, subject: int
) -> None:
    with app.app_context():
        officer = people.make("drc_staff")
        officer_id = officer.id
    people.sign_in(client, officer)
    address = f"/desk/summaries/count?consultation={subject}"
    assert "将在后台进行" in client.get(address).text
    answer = client.post(address, data={"confirm": "y"})
    assert "/desk/jobs/" in answer.location
    assert "排队中" in client.get(answer.location).text
    # Sent twice, it is asked for once.
    assert client.post(address, data={"confirm": "y"}).location == answer.location
    assert snapshots(app) == []
    every, own = "/desk/summaries/", f"/desk/summaries/?consultation={subject}"
    assert (
        client.get(every).text.count("正在后台汇总")
        == client.get(own).text.count("正在后台汇总")
        == 1
    )
    assert work(app, clock)
    assert not work(app, clock)
    assert "正在后台汇总" not in client.get(every).text + client.get(own).text
    assert snapshots(app) == [(1, 12)]
    page = client.get(answer.location).text
    assert "已生成第1次汇总，计入12件意见。" in page
    assert 'href="/desk/summaries/1"' in page
    with app.app_context():
        made = db.session.get_one(Summary, 1)
        assert made.by_id == officer_id
        assert made.subject.id == subject


def test_a_colleague_is_sent_to_what_they_may_see(
    app: Flask, client: FlaskClient, subject: int
) -> None:
    people.sign_in_as(client)
    address = f"/desk/summaries/count?consultation={subject}"
    client.post(address, data={"confirm": "y"})
    other = app.test_client()
    people.sign_in_as(other)
    answer = other.post(address, data={"confirm": "y"})
    assert answer.location == f"/desk/summaries/?consultation={subject}"
    assert other.get(answer.location).status_code == 200


@pytest.mark.parametrize(
    ("where", "kept_already"),
    [
        ((summaries.snapshots, "count"), False),
        ((summaries.snapshots, "_keep"), False),
        ((jobs, "_end"), True),
    ],
)
def test_a_worker_that_is_killed_leaves_one_snapshot_to_the_next(
    app: Flask,
    clock: Clock,
    subject: int,
    monkeypatch: pytest.MonkeyPatch,
    where: tuple[Any, str],
    kept_already: bool,
) -> None:
    with app.app_context():
        consultation = db.session.get_one(Consultation, subject)
        counting_jobs.ask(consultation, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    module, name = where
    real: Callable[..., Any] = getattr(module, name)
    monkeypatch.setattr(module, name, killed)
    with pytest.raises(Killed):
        work(app, clock)
    monkeypatch.setattr(module, name, real)
    assert snapshots(app) == ([(1, 12)] if kept_already else [])
    assert state(app) == (JobState.RUNNING, 3 if kept_already else 1, 3, 1)
    assert not work(app, clock), "it is still held"
    clock.forward(seconds=31)
    assert work(app, clock)
    assert snapshots(app) == [(1, 12)]
    assert state(app) == (JobState.DONE, 3, 3, 2)


def test_a_stage_is_counted_by_a_worker_as_it_is_at_once(
    app: Flask, clock: Clock, subject: int
) -> None:
    with app.app_context():
        stage = db.session.get_one(Consultation, subject).stage
        assert counting_jobs.is_long(stage)
        at_once = summaries.make(stage, by=audit.SYSTEM, now=NOON).payload
        counting_jobs.ask(stage, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    assert work(app, clock)
    assert snapshots(app) == [(1, 12), (2, 12)]
    with app.app_context():
        payloads = db.session.scalars(sa.select(Summary.payload).order_by(Summary.number)).all()
    assert payloads == [at_once, at_once]
