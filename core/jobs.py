"""The ledger of long work (后台任务): what is to be done, how far it is, and what became of it.

A job is written in the transaction of the act that needs it, so that neither is without the other.
A worker (`flask --app app worker`) claims it for a while (LEASE), beats while it is at it, and
commits each step together with the checkpoint after it. When the worker dies, its lease lapses and
another takes the job up from the last checkpoint: what was committed is not done again, what was
not is. Each claim has a name of its own, and a step of a claim that no longer holds the job is
rolled back, so that two can never both count.
"""

import datetime as dt
import logging
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.db import Base, choice, db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "job.asked": _l("交办后台任务"),
        "job.done": _l("后台任务完成"),
        "job.failed": _l("后台任务未完成"),
        "job.cancelled": _l("取消后台任务"),
        "job.retried": _l("重新执行后台任务"),
    }
)
audit.KINDS.update({"job": _l("后台任务")})

LEASE = dt.timedelta(seconds=30)
# How often a job may be begun, the first time included, before it is given up.
MOST_ATTEMPTS = 5
log = logging.getLogger(__name__)


class JobState(Enum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[JobState, str] = {
            JobState.WAITING: _("排队中"),
            JobState.RUNNING: _("进行中"),
            JobState.DONE: _("已完成"),
            JobState.FAILED: _("未完成"),
            JobState.CANCELLED: _("已取消"),
        }
        return titles[self]


OPEN = (JobState.WAITING, JobState.RUNNING)
STOPPED = (JobState.FAILED, JobState.CANCELLED)


class Job(Base):
    """Something that takes longer than a page may."""

    __tablename__ = "job"
    __table_args__ = (
        sa.Index(None, "state", "lease_until"),
        sa.Index(None, "asked_by_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(40))
    # What it is done to, in words: 《规划纲要（征求意见稿）》.
    name: Mapped[str] = mapped_column(sa.String(200), default="")
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[JobState] = mapped_column(choice(JobState), default=JobState.WAITING)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    checkpoint: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # The claim that holds it, until when, and when it was last heard of.
    held_by: Mapped[str] = mapped_column(sa.String(80), default="")
    lease_until: Mapped[dt.datetime | None]
    heartbeat_at: Mapped[dt.datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(sa.Text, default="")
    result: Mapped[dict[str, Any] | None]
    asked_by_id: Mapped[int | None]
    asked_by_name: Mapped[str] = mapped_column(sa.String(120))
    asked_at: Mapped[dt.datetime]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    @property
    def title(self) -> str:
        """What kind of work it is, in words."""
        known = KINDS.get(self.kind)
        return str(known.title) if known else self.kind

    @property
    def is_open(self) -> bool:
        """Whether something will still happen to it by itself."""
        return self.state in OPEN


Work = Callable[["Run"], Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: what it is called on the page, and the function that does it."""

    title: Any
    work: Work


# Every package adds its own, by `@jobs.kind("opinions.import", _l("导入意见"))`.
KINDS: dict[str, Kind] = {}


def kind(name: str, title: Any) -> Callable[[Work], Work]:
    """Have jobs of the kind `name` done by the function that follows."""

    def enter(work: Work) -> Work:
        KINDS[name] = Kind(title, work)
        return work

    return enter


# --- asking --------------------------------------------------------------------------------------


def ask(
    kind: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    by: audit.Actor,
    now: dt.datetime,
    once: bool = False,
) -> Job:
    """Have this done, if the current transaction is committed.

    `once`: when an equal job is still waiting to be begun, that one will do.
    """
    if kind not in KINDS:
        raise LookupError(f"no such kind of work: {kind}")
    wanted = dict(arguments or {})
    if once:
        waiting = sa.select(Job).where(Job.kind == kind, Job.state == JobState.WAITING)
        for each in db.session.scalars(waiting.order_by(Job.id).with_for_update()):
            if each.arguments == wanted:
                return each
    job = Job(
        kind=kind,
        name=name[:200],
        arguments=wanted,
        asked_by_id=by.id,
        asked_by_name=by.name,
        asked_at=now,
    )
    db.session.add(job)
    db.session.flush()
    audit.record("job.asked", job, by=by, now=now, name=_called(job.title, name))
    return job


def _called(title: str, name: str) -> str:
    return f"{title} {name}".strip()


# --- working -------------------------------------------------------------------------------------


class Stopped(Exception):
    """The job is no longer this claim's: cancelled, or taken up by another. Let it through."""


class Leaving(Exception):
    """The worker has been told to end and puts the job back. Let it through."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asked for a job: its acts are theirs."""

    id: int | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A claimed job, as the function that does it sees it."""

    id: int
    kind: str
    name: str
    arguments: dict[str, Any]
    # Where the last committed step ended; empty at the first try.
    checkpoint: dict[str, Any]
    done: int
    attempts: int
    by: Asker
    now: Callable[[], dt.datetime]
    held_by: str
    lease: dt.timedelta
    leaving: threading.Event = field(default_factory=threading.Event)

    def progress(self, done: int, total: int, checkpoint: Mapping[str, Any] | None = None) -> None:
        """Commit what the session holds, how far the work is, and where to go on from: together.

        Raises `Stopped`, with nothing of this step kept, when the job is not ours any more.
        """
        at = self.now()
        values: dict[str, Any] = {
            "done": done,
            "total": total,
            "heartbeat_at": at,
            "lease_until": at + self.lease,
        }
        if checkpoint is not None:
            values["checkpoint"] = dict(checkpoint)
        self.settle(values)
        if self.leaving.is_set():
            raise Leaving

    def release(self) -> None:
        """End the transaction before something that takes long, so that nobody has to wait for it:
        outside a request, on SQLite, even reading holds the writers' queue."""
        db.session.commit()

    def settle(self, values: Mapping[str, Any]) -> None:
        """Commit what the session holds and these values of the job's row, if it is still ours."""
        db.session.flush()
        if not _held(db.session.connection(), self, values):
            db.session.rollback()
            raise Stopped
        db.session.commit()


def _held(connection: sa.Connection, run: Run, values: Mapping[str, Any]) -> bool:
    """Change the row of a job if this claim still holds it; whether it does."""
    mine = sa.update(Job).where(
        Job.id == run.id, Job.held_by == run.held_by, Job.state == JobState.RUNNING
    )
    return connection.execute(mine.values(**values)).rowcount == 1


def work(
    *,
    worker: str,
    now: Callable[[], dt.datetime],
    lease: dt.timedelta = LEASE,
    leaving: threading.Event | None = None,
) -> bool:
    """Claim one job that is due and do it; whether there was one. Commits for itself."""
    run = _claim(worker, now, lease, leaving or threading.Event())
    if run is None:
        return False
    try:
        with _beating(run):
            result = KINDS[run.kind].work(run)
            _end(run, JobState.DONE, result=dict(result) if result is not None else None)
    except Stopped:
        db.session.rollback()
    except Leaving:
        # Put back as if it had not been begun, but for what was committed.
        db.session.rollback()
        _finally(run, {"state": JobState.WAITING, "held_by": "", "attempts": Job.attempts - 1})
    except Refused as refusal:
        db.session.rollback()
        _fail(run, refusal.sentence)
    except (sa.exc.OperationalError, sa.exc.TimeoutError):
        # The database was away or busy: that passes.
        log.exception("job %d, %s", run.id, run.kind)
        db.session.rollback()
        _try_again(run, _("数据库多次没有应答，已停止自动重试。"))
    except BrokenExecutor:
        # A process that computed for it was killed: that passes, unless it takes too much memory.
        log.exception("job %d, %s", run.id, run.kind)
        db.session.rollback()
        _try_again(run, _("计算进程多次中断，已停止自动重试。"))
    except Exception as fault:
        log.exception("job %d, %s", run.id, run.kind)
        db.session.rollback()
        _fail(run, _("处理时出错（%(fault)s），详情已记入运行日志。", fault=type(fault).__name__))
    return True


def _claim(
    worker: str, now: Callable[[], dt.datetime], lease: dt.timedelta, leaving: threading.Event
) -> Run | None:
    at = now()
    _give_up(at)
    due = (
        sa.select(Job.id)
        .where(_due(at), Job.kind.in_(KINDS))
        .order_by(Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claim = f"{worker[:60]}/{secrets.token_hex(6)}"
    claimed = (
        sa.update(Job)
        .where(Job.id == due, _due(at))
        .values(
            state=JobState.RUNNING,
            held_by=claim,
            attempts=Job.attempts + 1,
            lease_until=at + lease,
            heartbeat_at=at,
            started_at=sa.func.coalesce(Job.started_at, at),
            error="",
        )
        .returning(
            Job.id,
            Job.kind,
            Job.name,
            Job.arguments,
            Job.checkpoint,
            Job.done,
            Job.attempts,
            Job.asked_by_id,
            Job.asked_by_name,
        )
    )
    found = db.session.execute(claimed, execution_options={"synchronize_session": False}).first()
    db.session.commit()
    if found is None:
        return None
    *facts, by_id, by_name = found
    names = ("id", "kind", "name", "arguments", "checkpoint", "done", "attempts")
    return Run(
        **dict(zip(names, facts, strict=True)),
        by=Asker(by_id, by_name),
        now=now,
        held_by=claim,
        lease=lease,
        leaving=leaving,
    )


def _due(at: dt.datetime) -> sa.ColumnElement[bool]:
    lapsed = sa.and_(Job.state == JobState.RUNNING, Job.lease_until < at)
    return sa.or_(Job.state == JobState.WAITING, lapsed)


def _give_up(at: dt.datetime) -> None:
    """What has been begun too often without coming to an end is shown to a person."""
    lost = (
        sa.select(Job)
        .where(Job.state == JobState.RUNNING, Job.lease_until < at, Job.attempts >= MOST_ATTEMPTS)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    for job in db.session.scalars(lost).all():
        job.error = _("执行时多次中断（%(n)d次），已停止自动重试。", n=job.attempts)
        job.state, job.held_by, job.ended_at = JobState.FAILED, "", at
        name = _called(job.title, job.name)
        audit.record("job.failed", job, by=audit.SYSTEM, now=at, name=name)
    # Committed with the claim that follows.
    db.session.flush()


@contextmanager
def _beating(run: Run) -> Iterator[None]:
    """Prolong the lease from a thread while a step takes its time; it dies with the process."""
    over, engine, every = threading.Event(), db.engine, run.lease.total_seconds() / 3

    def beat() -> None:
        while not over.wait(every):
            at = run.now()
            values = {"heartbeat_at": at, "lease_until": at + run.lease}
            try:
                with engine.begin() as connection:
                    if not _held(connection, run, values):
                        return
            except sa.exc.SQLAlchemyError:
                log.warning("job %d: a beat came to nothing", run.id, exc_info=True)

    thread = threading.Thread(target=beat, name=f"job-{run.id}", daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        # Before the thread is waited for, which may itself be waiting for this transaction.
        db.session.rollback()
        raise
    finally:
        over.set()
        thread.join()


def _end(run: Run, state: JobState, *, result: dict[str, Any] | None, error: str = "") -> None:
    at = run.now()
    called = _called(str(KINDS[run.kind].title), run.name)
    job = Job(id=run.id)
    audit.record(f"job.{state.value}", job, by=audit.SYSTEM, now=at, name=called, reason=error)
    run.settle({"state": state, "held_by": "", "ended_at": at, "result": result, "error": error})


def _fail(run: Run, sentence: str) -> None:
    try:
        _end(run, JobState.FAILED, result=None, error=sentence)
    except Stopped:
        db.session.rollback()


def _try_again(run: Run, given_up: str) -> None:
    if run.attempts >= MOST_ATTEMPTS:
        _fail(run, given_up)
    else:
        _finally(run, {"state": JobState.WAITING, "held_by": ""})


def _finally(run: Run, values: Mapping[str, Any]) -> None:
    try:
        run.settle(values)
    except (Stopped, sa.exc.SQLAlchemyError):
        # Somebody else's by now, or the lease will lapse.
        db.session.rollback()


# --- looking and deciding ------------------------------------------------------------------------


def by_id(job_id: int) -> Job | None:
    """The job with this number."""
    return db.session.get(Job, job_id)


def page(
    *, asked_by: int | None = None, before: int | None = None, limit: int = 30
) -> Sequence[Job]:
    """The newest jobs, those before id `before`; of everybody, or asked for by one account."""
    query = sa.select(Job).order_by(Job.id.desc()).limit(limit)
    if asked_by is not None:
        query = query.where(Job.asked_by_id == asked_by)
    if before is not None:
        query = query.where(Job.id < before)
    return db.session.scalars(query).all()


def newest(kind: str) -> Job | None:
    """The last job of this kind."""
    query = sa.select(Job).where(Job.kind == kind).order_by(Job.id.desc()).limit(1)
    return db.session.scalar(query)


def neglected(now: dt.datetime) -> bool:
    """Whether jobs wait although nobody is at work: no worker seems to run."""
    waiting = sa.select(sa.func.min(Job.asked_at)).where(Job.state == JobState.WAITING)
    oldest = db.session.scalar(waiting)
    heard = db.session.scalar(sa.select(sa.func.max(Job.heartbeat_at)))
    quiet = now - 2 * LEASE
    return oldest is not None and oldest < quiet and (heard is None or heard < quiet)


def cancel(job: Job, *, by: audit.Actor, now: dt.datetime) -> None:
    """Stop a job that has not ended. What it has committed stays; the step in hand is dropped."""
    db.session.refresh(job, with_for_update=True)
    if job.state not in OPEN:
        raise Refused(_("这项任务已经结束，不能取消。"))
    _decide(job, "job.cancelled", JobState.CANCELLED, by, now)
    job.ended_at, job.held_by = now, ""


def retry(job: Job, *, by: audit.Actor, now: dt.datetime) -> None:
    """Take a job that failed or was cancelled up again, from where it got to."""
    db.session.refresh(job, with_for_update=True)
    if job.state not in STOPPED:
        raise Refused(_("只有未完成或已取消的任务可以重新执行。"))
    _decide(job, "job.retried", JobState.WAITING, by, now)
    job.attempts, job.error, job.ended_at = 0, "", None


def _decide(job: Job, action: str, state: JobState, by: audit.Actor, now: dt.datetime) -> None:
    audit.record(
        action,
        job,
        by=by,
        now=now,
        name=_called(job.title, job.name),
        before={"job": job.state.value},
        after={"job": state.value},
    )
    job.state = state


audit.FIELDS.update({"job": _l("任务状态")})
audit.VALUES["job"] = {
    "waiting": _l("排队中"),
    "running": _l("进行中"),
    "done": _l("已完成"),
    "failed": _l("未完成"),
    "cancelled": _l("已取消"),
}
