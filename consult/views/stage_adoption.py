"""The adoption table of a stage: the public page, its files, and how far it is at the desk."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import (
    adoption,
    adoption_files,
    adoption_papers,
    response_progress,
    rules,
    stage_reports,
)
from consult.adoption_files import Wanted
from consult.programmes import Stage
from consult.stage_reports import StageReport
from consult.views.adoption import asked_of, handed_out, met_of
from core.errors import Refused
from core.permissions import may, require
from core.web import as_file, keep_private, now, number_in, words_in

blueprint = Blueprint("stage_adoption", __name__)
HERE = "/programmes/<programme>/stages/<stage>/adoption"
PAGE = 20


@blueprint.get(f"{HERE}/")
def show(programme: str, stage: str) -> str:
    """The table made of the newest editions, or of those that `?of=3.17` names; page by page."""
    report = _report(_stage(programme, stage))
    counted = report.sums()
    after = number_in("after", 0) or 0
    here: dict[str, Any] = {"programme": programme, "stage": stage, "of": report.key or None}
    top, sums = adoption_papers.summed(counted.totals)
    return render_template(
        "consult/adoption/stage.html",
        report=report,
        stage=report.stage,
        top=top,
        sums=sums,
        met=met_of(counted),
        rows=counted.rows,
        asked=asked_of(report.asked()),
        empty=[part.title for part in counted.empty],
        lines=adoption.lines(report.rows(after=after, limit=PAGE), first=after + 1),
        kinds=list(adoption_papers.KINDS),
        here=here,
        page={
            "next_url": url_for(".show", **here, after=after + PAGE)
            if counted.rows > after + PAGE
            else None,
            "previous_url": url_for(".show", **here, after=max(0, after - PAGE)) if after else None,
        },
    )


@blueprint.get(f"{HERE}/<kind>")
def table(programme: str, stage: str, kind: str) -> Response:
    """The same as a file: docx, xlsx, csv or json."""
    if kind not in adoption_papers.KINDS:
        abort(404)
    report = _report(_stage(programme, stage))
    if not report.made_of:
        abort(404)
    made = adoption_files.public_of_stage(report, kind)
    response = Response(made, content_type=adoption_papers.KINDS[kind])
    name = _("采纳情况表 %(title)s", title=report.stage.title)
    return as_file(response, name, f".{kind}", plain=f"adoption-{programme}-{stage}-{report.key}")


@blueprint.get(f"/desk{HERE}")
def prepare(programme: str, stage: str) -> str:
    """How far the consultations of the stage are, and what the table holds by now."""
    require(rules.prepare_consultations)
    keep_private()
    found = _stage(programme, stage)
    report = stage_reports.of(found, public_only=False)
    assert report is not None
    counted = report.sums()
    top, sums = adoption_papers.summed(counted.totals)
    return render_template(
        "consult/adoption/stage_desk.html",
        report=report,
        stage=found,
        top=top,
        sums=sums,
        asked=asked_of(report.asked()),
        met=met_of(counted),
        open={
            each.consultation.id: response_progress.open_count(each.consultation.id)
            for each in report.standings
        },
        waiting={
            each.consultation.id: adoption.waiting(each.consultation.id)
            for each in report.standings
        },
        kinds=list(adoption_papers.KINDS),
        long=counted.rows > adoption_files.AT_ONCE,
        full=may(rules.archive_in_full),
        here={"programme": programme, "stage": stage},
    )


@blueprint.post(f"/desk{HERE}")
def take(programme: str, stage: str) -> Response:
    """The table as a file, of what may be read or in full; a long one is made by a worker."""
    full = request.form.get("full") == "1"
    require(rules.archive_in_full if full else rules.prepare_consultations)
    keep_private()
    found = _stage(programme, stage)
    kind = request.form.get("kind", "docx")
    if kind not in adoption_papers.KINDS:
        abort(400)
    report = stage_reports.of(found)
    if report is None or not report.made_of:
        raise Refused(_("这一阶段还没有发布采纳情况表。"))
    if full:
        for consultation, edition in report.made_of:
            adoption.note_full(consultation, edition, by=current_user, now=now())
    wanted = Wanted(stage_id=found.id, of=report.key, full=full)
    ending = "-full" if full else ""
    plain = f"adoption-{programme}-{stage}{ending}"
    return handed_out(wanted, kind, name=found.title, plain=plain, rows=report.sums().rows)


def _stage(programme: str, stage: str) -> Stage:
    return stage_reports.stage_by_key(programme, stage) or abort(404)


def _report(stage: Stage) -> StageReport:
    """The table the address asks for; 404 for editions that do not stand together."""
    key = words_in("of", most=400) if "of" in request.args else ""
    return stage_reports.of(stage, key) or abort(404)
