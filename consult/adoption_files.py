"""The adoption table as a file, of a consultation or of a stage: made at once while it is short, by
a worker with progress when it is long. A file that a worker made is handed to who asked for it, for a
day. What anybody may read of a long edition is written after its release, and kept (`adoption_store`)."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import (
    adoption,
    adoption_papers,
    adoption_store,
    consultations,
    stage_reports,
)
from consult.adoption import AdoptionReport
from consult.adoption_papers import Paper, Tick, of_consultation, of_stage
from consult.consultations import Consultation
from consult.programmes import Stage
from consult.stage_reports import StageReport
from core import audit, jobs, uploads
from core.db import db
from core.errors import Refused
from core.jobs import Job, JobState

KIND = "adoption.file"
AHEAD = "adoption.ahead"
# Tables of up to so many lines are written while one waits.
AT_ONCE = 1_000
KEPT = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which table: of a consultation, or of a stage (`of`: made of these editions)."""

    consultation_id: int | None = None
    stage_id: int | None = None
    of: str = ""
    full: bool = False

    def plain(self) -> dict[str, Any]:
        """As the arguments of a job."""
        return {
            "consultation": self.consultation_id,
            "stage": self.stage_id,
            "of": self.of,
            "full": self.full,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Wanted":
        """Back from the arguments."""
        return cls(plain["consultation"], plain["stage"], plain["of"], plain["full"])


# --- what is written ---------------------------------------------------------------------------


def paper(wanted: Wanted) -> Paper:
    """What is written of a table; of a consultation without a release, as its answers stand now."""
    if wanted.stage_id is not None:
        stage = db.session.get_one(Stage, wanted.stage_id)
        report = stage_reports.of(stage, wanted.of)
        if report is None or not report.made_of:
            raise Refused(_("这一阶段还没有发布采纳情况表。"))
        return of_stage(report, full=wanted.full)
    consultation = consultations.by_id(wanted.consultation_id or 0)
    newest = next(iter(adoption.released(consultation.id)), None)
    return of_consultation(consultation, newest, full=wanted.full)


# --- for everybody -----------------------------------------------------------------------------


def public_of_consultation(consultation: Consultation, report: AdoptionReport, kind: str) -> bytes:
    """What anybody may read of a released edition; a long one is written once."""
    if adoption.sums(report).rows < adoption_store.LEAST_ROWS:
        return adoption_papers.make(kind, of_consultation(consultation, report))
    source = adoption_store.of_edition(report)
    made = adoption_store.read(source, kind)
    if made is None:
        made = adoption_papers.make(kind, of_consultation(consultation, report))
        adoption_store.keep(source, kind, made)
    return made


def public_of_stage(report: StageReport, kind: str) -> bytes:
    """The same of a stage."""
    if report.sums().rows < adoption_store.LEAST_ROWS:
        return adoption_papers.make(kind, of_stage(report))
    source = adoption_store.of_stage(report)
    made = adoption_store.read(source, kind)
    if made is None:
        made = adoption_papers.make(kind, of_stage(report))
        adoption_store.keep(source, kind, made)
    return made


def write_ahead(
    consultation: Consultation, report: AdoptionReport, *, by: audit.Actor, now: dt.datetime
) -> Job | None:
    """Have a long edition that was just released written before anybody asks for it."""
    if adoption.sums(report).rows < adoption_store.LEAST_ROWS:
        return None
    return jobs.ask(AHEAD, {"report": report.id}, name=consultation.title, by=by, now=now)


@jobs.kind(AHEAD, _l("写好采纳情况表"))
def work_ahead(run: jobs.Run) -> Mapping[str, Any]:
    """Write every kind of file of an edition; each is a step."""
    report = db.session.get_one(AdoptionReport, run.arguments["report"])
    consultation = consultations.by_id(report.consultation_id)
    kinds = list(adoption_papers.KINDS)
    for done, kind in enumerate(kinds):
        run.progress(done, len(kinds))
        public_of_consultation(consultation, report, kind)
    run.progress(len(kinds), len(kinds))
    path = f"/consultations/{consultation.slug}/adoption/"
    return {"words": _("各种文件已经写好，下载时不用等。"), "path": path}


# --- made by a worker --------------------------------------------------------------------------


def ask(wanted: Wanted, kind: str, *, name: str, by: audit.Actor, now: dt.datetime) -> Job:
    """Have the file made."""
    return jobs.ask(KIND, wanted.plain() | {"kind": kind}, name=name, by=by, now=now)


@jobs.kind(KIND, _l("生成采纳情况表"))
def work(run: jobs.Run) -> Mapping[str, Any]:
    """Write the file, saying after every few hundred lines how far it is."""
    whole = paper(Wanted.from_plain(run.arguments))
    total = max(len(whole.lines), 1)
    run.progress(0, total)
    tick: Tick = run.progress
    made = adoption_papers.make(run.arguments["kind"], whole, tick)
    run.progress(total, total)
    return {
        "words": _("共%(n)d行，文件保留一天。", n=len(whole.lines)),
        "stored_as": uploads.keep(made),
        "path": f"/desk/adoption-files/{run.id}",
    }


def made_for(job_id: int, by: audit.Actor) -> tuple[Job, bytes] | None:
    """The file of a job that `by` asked for, while it is kept."""
    job = jobs.by_id(job_id)
    if job is None or job.kind != KIND or job.asked_by_id is None or job.asked_by_id != by.id:
        return None
    made = uploads.read((job.result or {}).get("stored_as", ""))
    return (job, made) if made is not None else None


def tidy(now: dt.datetime) -> None:
    """Remove the files that were kept long enough, and what may not be read any more."""
    adoption_store.tidy(now)
    query = sa.select(Job).where(
        Job.kind == KIND, Job.state == JobState.DONE, Job.ended_at < now - KEPT
    )
    for job in db.session.scalars(query.order_by(Job.id.desc()).limit(200)):
        if stored_as := (job.result or {}).get("stored_as"):
            uploads.remove(stored_as)
            job.result = {"words": _("文件已经过期，请重新生成。")}
