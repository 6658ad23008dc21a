"""Long imports (分批导入): a table of many rows, brought in step by step by a worker.

Each step stores some rows and where to go on from in one transaction, so that a worker that dies
leaves whole steps behind it, and the next one does no row twice. What has become of the rows stands
with the table after every step. While one step is being stored another process reads the words of the
next: they go into the index of terms with the rows, which nobody has to read again.
"""

import datetime as dt
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import arrivals, consultations, drafts, imports, term_index
from consult.consultations import Consultation
from consult.imports import Importing, Report, RowError, Taken
from consult.intake import Intake, IntakeState, header_of
from consult.intake_rows import RowReader
from consult.readers import tables
from consult.readers.tables import Table, UnreadableTable
from core import audit, executors, jobs, postings, uploads
from core.config import of_site
from core.db import db, take_stock
from core.errors import Refused

KIND = "submissions.import"
# Tables up to so many rows go in at once, while the officer waits.
AT_ONCE = 500
# Fewer at a time cost the index of words a sixth more; others who write wait half a second for these.
STEP = 2000
# Up to so many are not worth starting another process for.
ALONE = 4000


def start(
    table: Table,
    intake: Intake,
    consultation: Consultation,
    *,
    mapping: Mapping[str, str],
    version_id: int | None,
    on_day: dt.date,
    hold_personal: bool = False,
    by: audit.Actor,
    now: dt.datetime,
) -> jobs.Job:
    """Have the rows of a table brought in by a worker, once this is committed."""
    imports.must_be_possible(consultation, table, mapping)
    db.session.refresh(intake, with_for_update=True)
    if intake.state is not IntakeState.UPLOADED:
        raise Refused(_("这份表格已经导入过了。"))
    intake.state = IntakeState.RUNNING
    intake.mapping, intake.header = dict(mapping), header_of(table.columns)
    asked = {
        "intake": intake.id,
        "version": version_id,
        "on_day": on_day.isoformat(),
        "stored_as": intake.stored_as,
        "hold_personal": hold_personal,
    }
    job = jobs.ask(KIND, asked, name=intake.filename, by=by, now=now)
    intake.job_id = job.id
    return job


@jobs.kind(KIND, _l("导入意见"))
def work(run: jobs.Run) -> Mapping[str, Any]:
    """Bring in what is left of the table."""
    intake = db.session.get_one(Intake, run.arguments["intake"])
    if intake.state is IntakeState.RUNNING:
        _bring_in(run, intake)
    # After the last commit; a worker that died between the two left the file.
    uploads.remove(run.arguments["stored_as"])
    said = {"rows": intake.rows, "imported": intake.imported, "already": intake.already}
    return said | {"errors": intake.refused, "path": f"/desk/intake/{intake.id}"}


def _bring_in(run: jobs.Run, intake: Intake) -> None:
    consultation = consultations.by_id(intake.consultation_id)
    importing, table = _prepared(run, intake, consultation)
    done, total = int(run.checkpoint.get("done", 0)), len(table.rows)
    if done:
        # What equal rows there were decides what the next ones are.
        for _fresh in importing.read(table.rows[:done], shown=False):
            pass
        importing.report = _report(run.checkpoint)
    entering = None if intake.to_queue else term_index.Entering()
    run.release()
    with _executor(total - done) as where:
        for taken, read in _read(importing, table.rows[done:], entering, where):
            _must_still_run(intake)
            imports.hold(consultation)
            fresh = importing.sort(taken, read)
            at, queued = run.now(), intake.to_queue
            imports.store(consultation, [fresh], intake, run.by, at, entering, to_queue=queued)
            done += len(taken.rows)
            imports.write_down(intake, importing.report)
            run.progress(done, total, _checkpoint(importing.report, done))
    imports.finish(consultation, intake, importing.report, intake.channel, run.by, run.now())
    if total > ALONE:
        postings.sort_in()
        take_stock()
    run.progress(total, total)


@contextmanager
def _executor(count: int) -> Iterator[Executor | None]:
    """Another process to read in, when it is worth starting one; this one has enough to do with
    storing."""
    if count <= ALONE:
        yield None
        return
    with executors.executor(max(1, (os.cpu_count() or 1) - 1)) as where:
        yield where


def _read(
    importing: Importing,
    rows: Sequence[tuple[int, Sequence[str]]],
    entering: term_index.Entering | None,
    where: Executor | None,
) -> Iterator[tuple[Taken, arrivals.Words]]:
    """The next rows and what was read of their words, while the last are being stored. No
    transaction is open meanwhile, so that nobody has to wait."""
    under_way: deque[Taken] = deque()

    def steps() -> Iterator[arrivals.Arrivals]:
        for start in range(0, len(rows), STEP):
            taken = importing.take(
                rows[start : start + STEP],
                shown=entering is not None,
                lexicon=entering.lexicon if entering else None,
            )
            under_way.append(taken)
            yield taken.arrivals

    for read in executors.in_order(where, arrivals.read, steps()):
        yield under_way.popleft(), read


def _must_still_run(intake: Intake) -> None:
    """Refuse to go on with a table that was taken out again after its job had been cancelled."""
    db.session.refresh(intake, with_for_update=True)
    if intake.state is not IntakeState.RUNNING:
        raise Refused(_("这次导入已经撤销了。"))


def _prepared(run: jobs.Run, intake: Intake, consultation: Consultation) -> tuple[Importing, Table]:
    data = uploads.read(intake.stored_as)
    if data is None:
        raise Refused(_("上传的文件已经不在了，请重新上传。"))
    version_id = run.arguments["version"]
    version = drafts.version_by_id(version_id) if version_id else None
    outline = drafts.outline(version) if version else None
    day = dt.date.fromisoformat(run.arguments["on_day"])
    # Reading a long table takes a while, in which nobody has to wait for us.
    run.release()
    try:
        table = tables.read(data, filename=intake.filename)
    except UnreadableTable as refusal:
        raise Refused(str(refusal)) from refusal
    secret = of_site().secret_key
    reader = RowReader(table.columns, intake.mapping, intake.channel, outline, secret, day)
    # What was asked before this could be chosen does not say.
    hold = run.arguments.get("hold_personal", False) and not intake.to_queue
    return Importing(table, consultation, reader, intake, hold_personal=hold), table


def _checkpoint(report: Report, done: int) -> dict[str, Any]:
    errors = [[each.row, each.why] for each in report.errors]
    return {"done": done, "imported": report.imported, "already": report.already, "errors": errors}


def _report(checkpoint: Mapping[str, Any]) -> Report:
    return Report(
        rows=checkpoint["done"],
        imported=checkpoint["imported"],
        already=checkpoint["already"],
        errors=[RowError(row, why) for row, why in checkpoint["errors"]],
    )
