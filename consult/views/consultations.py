"""Public pages of consultations: the list and the notice."""

from flask import Blueprint, render_template, url_for

from consult import consultations, drafts, summaries
from consult.views import loading
from core.web import now

blueprint = Blueprint("consultations", __name__, url_prefix="/consultations")


@blueprint.get("/")
def index() -> str:
    """Every public consultation, what is open first."""
    at = now()
    every = consultations.every(public_only=True)
    phases = {each.id: each.phase(at) for each in every}
    order = list(consultations.Phase)
    return render_template(
        "consult/consultations/index.html",
        consultations=sorted(every, key=lambda c: order.index(phases[c.id]) != 2),
        phases=phases,
        now=at,
    )


@blueprint.get("/<slug>/")
def notice(slug: str) -> str:
    """The notice: what is asked, why, until when and how to take part."""
    consultation = loading.consultation(slug)
    summed = summaries.is_published(consultation)
    return render_template(
        "consult/consultations/notice.html",
        consultation=consultation,
        phase=consultation.phase(now()),
        changes=consultations.changes(consultation),
        version=drafts.published(consultation),
        summary_url=url_for("summaries.public", slug=slug) if summed else None,
        now=now(),
    )
