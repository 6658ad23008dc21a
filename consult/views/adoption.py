"""The adoption table: the public page and its files, and its release at the desk by two persons."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import (
    adoption,
    adoption_files,
    adoption_papers,
    asked_units,
    drafts,
    response_progress,
    rules,
)
from consult.adoption import AdoptionReport, Sums
from consult.adoption_files import Wanted
from consult.asked_units import AskedUnit
from consult.consultations import Consultation, ConsultationState
from consult.views import loading
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.forms import Form, Telling, TextField
from core.permissions import may, require
from core.web import as_file, keep_private, now, number_in

blueprint = Blueprint("adoption", __name__)
Page = Response | str | tuple[str, int]
PAGE = 20


# --- for everybody -------------------------------------------------------------------------------


@blueprint.get("/consultations/<slug>/adoption/")
def show(slug: str) -> str:
    """The released table, the newest edition or `?edition=1`, page by page."""
    consultation = loading.consultation(slug)
    report, every = _edition(consultation)
    counted = adoption.sums(report)
    after = number_in("after", 0) or 0
    more = counted.rows > after + PAGE
    top, sums = adoption_papers.summed(counted.totals)
    rows = adoption.frozen(report, after=after, limit=PAGE)
    return render_template(
        "consult/adoption/show.html",
        consultation=consultation,
        report=report,
        editions=every,
        top=top,
        sums=sums,
        met=met_of(counted),
        rows=counted.rows,
        asked=asked_of(adoption.asked(report)),
        empty=[part.title for part in counted.empty],
        lines=adoption.lines(rows, first=after + 1),
        kinds=list(adoption_papers.KINDS),
        revised=_is_revised(consultation),
        page={
            "next_url": url_for(".show", slug=slug, edition=report.number, after=after + PAGE)
            if more
            else None,
            "previous_url": url_for(
                ".show", slug=slug, edition=report.number, after=max(0, after - PAGE)
            )
            if after
            else None,
        },
    )


@blueprint.get("/consultations/<slug>/adoption/<kind>")
def table(slug: str, kind: str) -> Response:
    """The same as a file: docx, xlsx, csv or json."""
    if kind not in adoption_papers.KINDS:
        abort(404)
    consultation = loading.consultation(slug)
    report, _every = _edition(consultation)
    made = adoption_files.public_of_consultation(consultation, report, kind)
    response = Response(made, content_type=adoption_papers.KINDS[kind])
    name = _("采纳情况表 %(title)s", title=consultation.title)
    return as_file(response, name, f".{kind}", plain=f"adoption-{slug}-{report.number}")


def asked_of(asked: list[AskedUnit]) -> dict[str, Any] | None:
    """The units that were asked, as pages show them; None when none was."""
    if not asked:
        return None
    return {"words": asked_units.summed(asked), "units": asked}


def met_of(counted: Sums) -> dict[str, int]:
    """How many adopted points stand in the text, by the names the pages use."""
    return {each.value: number for each, number in counted.met.items()}


def _is_revised(consultation: Consultation) -> bool:
    newest = drafts.published(consultation)
    return newest is not None and drafts.before(newest) is not None


def _edition(consultation: Consultation) -> tuple[AdoptionReport, list[AdoptionReport]]:
    """The edition the address asks for, and all that are released."""
    every = list(adoption.released(consultation.id))
    wanted = number_in("edition")
    found = next((each for each in every if wanted in (None, each.number)), None)
    return (found, every) if found else abort(404)


def handed_out(wanted: Wanted, kind: str, *, name: str, plain: str, rows: int) -> Response:
    """The file, or the page of the job that makes it. Commits what was put on record for it."""
    if rows > adoption_files.AT_ONCE:
        job = adoption_files.ask(wanted, kind, name=name, by=current_user, now=now())
        db.session.commit()
        return redirect(url_for("jobs.show", job_id=job.id), 303)
    made = adoption_papers.make(kind, adoption_files.paper(wanted))
    db.session.commit()
    response = Response(made, content_type=adoption_papers.KINDS[kind])
    return as_file(response, _("采纳情况表 %(title)s", title=name), f".{kind}", plain=plain)


# --- at the desk ---------------------------------------------------------------------------------


class ProposalForm(Form):
    """What the notice will say, or what a further edition puts right."""

    words = TextField(
        _l("征集情况反馈"),
        [
            Telling(
                least=20,
                most=20_000,
                missing=_l("请写明反馈内容。"),
            )
        ],
        description=_l("写在公告页最前面。批准发布时公布，公布后不能再改。"),
        render_kw={"rows": 8},
    )


class NoteForm(Form):
    """The same field where the feedback is out already."""

    words = TextField(
        _l("说明"),
        [
            Telling(
                least=5,
                most=2000,
                missing=_l("请写明这一版为什么发布、更正了什么。"),
            )
        ],
        render_kw={"rows": 3},
    )


@blueprint.get("/desk/consultations/<slug>/adoption")
def prepare(slug: str) -> str:
    """How far the answers are, and the table's way to release."""
    require(rules.prepare_consultations)
    keep_private()
    consultation = loading.consultation(slug)
    return _page(_form(consultation), consultation)


@blueprint.post("/desk/consultations/<slug>/adoption/propose")
def propose(slug: str) -> Page:
    """Ask a second person to release the table."""
    require(rules.prepare_consultations)
    keep_private()
    consultation = loading.consultation(slug)
    form = _form(consultation)
    if not form.validate():
        return _page(form, consultation), 422
    key = "note" if isinstance(form, NoteForm) else "feedback"
    try:
        adoption.propose(consultation, **{key: form.words.data}, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        return _page(form, consultation, refusal.sentence), 409
    db.session.commit()
    flash(_("已提请发布，请另一位同事批准。"), "success")
    return redirect(url_for(".prepare", slug=slug))


@blueprint.post("/desk/consultations/<slug>/adoption/decide")
def decide(slug: str) -> Page:
    """Release what another person proposed, or take the proposal back."""
    require(rules.prepare_consultations)
    keep_private()
    consultation = loading.consultation(slug)
    report = adoption.waiting(consultation.id)
    try:
        if report is None:
            raise Refused(_("没有等待批准的采纳情况表，请刷新后查看。"))
        if request.form.get("proposal") != report.proposal:
            raise Refused(
                _("您打开以后，这份采纳情况表已经撤回，重新提请了。请看过现在的内容再决定。")
            )
        if request.form.get("act") == "release":
            site = of_site().site_url
            adoption.release(report, consultation, site=site, by=current_user, now=now())
            adoption_files.write_ahead(consultation, report, by=current_user, now=now())
            done = _("采纳情况表已经发布。")
        else:
            adoption.take_back(report, consultation, by=current_user, now=now())
            done = _("已撤回提请。")
    except Refused as refusal:
        db.session.rollback()
        return _page(_form(consultation), consultation, refusal.sentence), 409
    db.session.commit()
    flash(done, "success")
    return redirect(url_for(".prepare", slug=slug))


@blueprint.post("/desk/consultations/<slug>/adoption/file")
def take(slug: str) -> Response:
    """The newest edition, or how it would be now, as a file; with the words that are not public each
    time is on record. A long one is made by a worker."""
    full = request.form.get("full") == "1"
    require(rules.archive_in_full if full else rules.prepare_consultations)
    keep_private()
    consultation = loading.consultation(slug)
    kind = request.form.get("kind", "docx")
    if kind not in adoption_papers.KINDS:
        abort(400)
    report = next(iter(adoption.released(consultation.id)), None)
    if full:
        adoption.note_full(consultation, report, by=current_user, now=now())
    counted = adoption.sums(report) if report else adoption.count(consultation.id)
    plain = f"adoption-{slug}-{report.number if report else 0}{'-full' if full else ''}"
    wanted = Wanted(consultation_id=consultation.id, full=full)
    return handed_out(wanted, kind, name=consultation.title, plain=plain, rows=counted.rows)


@blueprint.get("/desk/adoption-files/<int(max=2147483647):job_id>")
def made(job_id: int) -> Response:
    """What a worker made for who asked for it."""
    require(rules.prepare_consultations)
    keep_private()
    found = adoption_files.made_for(job_id, current_user)
    if found is None:
        abort(404)
    job, content = found
    if job.arguments["full"]:
        require(rules.archive_in_full)
    kind = job.arguments["kind"]
    response = Response(content, content_type=adoption_papers.KINDS[kind])
    name = _("采纳情况表 %(title)s", title=job.name)
    return as_file(response, name, f".{kind}", plain=f"adoption-{job.id}")


def _form(consultation: Consultation) -> Any:
    answered = consultation.state is ConsultationState.ANSWERED
    return NoteForm() if answered else ProposalForm()


def _page(form: Any, consultation: Consultation, refusal: str = "") -> str:
    counted = adoption.count(consultation.id)
    top, sums = adoption_papers.summed(counted.totals)
    return render_template(
        "consult/adoption/prepare.html",
        form=form,
        consultation=consultation,
        top=top,
        sums=sums,
        asked=asked_of(asked_units.gather(consultation.id)),
        met=met_of(counted),
        open=response_progress.open_count(consultation.id),
        waiting=adoption.waiting(consultation.id),
        editions=adoption.released(consultation.id),
        full=may(rules.archive_in_full),
        long=counted.rows > adoption_files.AT_ONCE,
        refusal=refusal,
    )
