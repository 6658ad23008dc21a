"""The adoption table: the public page and its files, and its release at the desk by two persons."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import adoption, adoption_papers, asked_units, drafts, responses, rules
from consult.adoption import AdoptionReport, Row
from consult.asked_units import AskedUnit
from consult.consultations import Consultation, ConsultationState
from consult.views import loading
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.forms import Form, TextField, Words
from core.permissions import may, require
from core.web import as_file, day, keep_private, now, number_in

blueprint = Blueprint("adoption", __name__)
Page = Response | str | tuple[str, int]
PAGE = 50


# --- for everybody -------------------------------------------------------------------------------


@blueprint.get("/consultations/<slug>/adoption/")
def show(slug: str) -> str:
    """The released table, the newest edition or `?edition=1`, page by page."""
    consultation = loading.consultation(slug)
    report, every = _edition(consultation)
    rows = adoption.frozen(report)
    after = number_in("after", 0) or 0
    more = len(rows) > after + PAGE
    top, sums = adoption_papers.summed(adoption.totals(rows))
    return render_template(
        "consult/adoption/show.html",
        consultation=consultation,
        report=report,
        editions=every,
        top=top,
        sums=sums,
        met=_met(rows),
        rows=len(rows),
        asked=asked_of(adoption.asked(report)),
        empty=_empty(rows),
        lines=adoption.lines(rows[after : after + PAGE], first=after + 1),
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
    return _file(consultation, report, adoption.frozen(report), kind, full=False)


def asked_of(asked: list[AskedUnit]) -> dict[str, Any] | None:
    """The units that were asked, as pages show them; None when none was."""
    if not asked:
        return None
    return {"words": asked_units.summed(asked), "units": asked}


def _met(rows: list[Row]) -> dict[str, int]:
    """How many adopted points stand in the text, by the names the pages use."""
    return {each.value: number for each, number in adoption.met(rows).items()}


def _is_revised(consultation: Consultation) -> bool:
    newest = drafts.published(consultation)
    return newest is not None and drafts.before(newest) is not None


def _edition(consultation: Consultation) -> tuple[AdoptionReport, list[AdoptionReport]]:
    """The edition the address asks for, and all that are released."""
    every = list(adoption.released(consultation.id))
    wanted = number_in("edition")
    found = next((each for each in every if wanted in (None, each.number)), None)
    return (found, every) if found else abort(404)


def _empty(rows: list[Row]) -> list[str]:
    """The parts in which nothing was said."""
    said = {row.part for row in rows}
    return [part.title for part in adoption.Part if part not in said]


def _file(
    consultation: Consultation,
    report: AdoptionReport | None,
    rows: list[Row],
    kind: str,
    *,
    full: bool,
) -> Response:
    if report and report.released_at:
        under = _("第%(n)d版　%(day)s发布", n=report.number, day=day(report.released_at))
    else:
        under = _("（尚未发布的稿子，不作依据）")
    asked = adoption.asked(report) if report else asked_units.gather(consultation.id)
    paper = adoption_papers.Paper(
        title=consultation.title,
        under=under,
        lines=adoption.lines(rows, full=full),
        totals=adoption.totals(rows),
        asked=asked,
    )
    made = adoption_papers.make(kind, paper)
    response = Response(made, content_type=adoption_papers.KINDS[kind])
    name = _("采纳情况表 %(title)s", title=consultation.title)
    number = report.number if report else 0
    plain = f"adoption-{consultation.slug}-{number}{'-full' if full else ''}"
    return as_file(response, name, f".{kind}", plain=plain)


# --- at the desk ---------------------------------------------------------------------------------


class ProposalForm(Form):
    """What the notice will say, or what a further edition puts right."""

    words = TextField(
        _l("征集情况反馈"),
        [
            Words(
                least=20,
                most=20_000,
                missing=_l("请写明反馈内容。"),
                short=_l("请再写具体一些，至少20个字。"),
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
            Words(
                least=5,
                most=2000,
                missing=_l("请写明这一版为什么发布、更正了什么。"),
                short=_l("请写明这一版为什么发布、更正了什么。"),
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
        if request.form.get("act") == "release":
            site = of_site().site_url
            adoption.release(report, consultation, site=site, by=current_user, now=now())
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


@blueprint.post("/desk/consultations/<slug>/adoption/full")
def take_in_full(slug: str) -> Response:
    """The table with the words that are not public; each time is on record."""
    require(rules.archive_in_full)
    keep_private()
    consultation = loading.consultation(slug)
    report = next(iter(adoption.released(consultation.id)), None)
    rows = adoption.frozen(report) if report else adoption.gather(consultation.id)
    kind = request.form.get("kind", "xlsx")
    if kind not in adoption_papers.KINDS:
        abort(400)
    adoption.note_full(consultation, report, by=current_user, now=now())
    made = _file(consultation, report, rows, kind, full=True)
    db.session.commit()
    return made


def _form(consultation: Consultation) -> Any:
    answered = consultation.state is ConsultationState.ANSWERED
    return NoteForm() if answered else ProposalForm()


def _page(form: Any, consultation: Consultation, refusal: str = "") -> str:
    rows = adoption.gather(consultation.id)
    top, sums = adoption_papers.summed(adoption.totals(rows))
    return render_template(
        "consult/adoption/prepare.html",
        form=form,
        consultation=consultation,
        top=top,
        sums=sums,
        asked=asked_of(asked_units.gather(consultation.id)),
        met=_met(rows),
        open=responses.open_count(consultation.id),
        waiting=adoption.waiting(consultation.id),
        editions=adoption.released(consultation.id),
        full=may(rules.archive_in_full),
        refusal=refusal,
    )
