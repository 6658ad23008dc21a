"""Public pages of consultations: the list and the notice."""

from flask import Blueprint, render_template, url_for

from consult import adoption, consultations, drafts, summaries
from consult.consultations import Consultation
from consult.views import loading
from core.web import now, number_in

blueprint = Blueprint("consultations", __name__, url_prefix="/consultations")
PAGE = 20
# More than any city has at one time.
MOST_CURRENT = 100


@blueprint.get("/")
def index() -> str:
    """Every public consultation: what is open, what comes, then what is over, page by page."""
    at, before = now(), number_in("before")
    current: list[Consultation] = []
    if before is None:
        current += consultations.open_at(at, limit=MOST_CURRENT)
        current += consultations.upcoming_at(at, limit=MOST_CURRENT)
    past = consultations.past_at(at, before=before, limit=PAGE + 1)
    more = len(past) > PAGE
    found = [*current, *past[:PAGE]]
    return render_template(
        "consult/consultations/index.html",
        consultations=found,
        phases={each.id: each.phase(at) for each in found},
        now=at,
        page={
            "next_url": url_for(".index", before=past[PAGE - 1].id) if more else None,
            "previous_url": url_for(".index") if before else None,
        },
    )


@blueprint.get("/<slug>/")
def notice(slug: str) -> str:
    """The notice: what is asked, why, until when and how to take part."""
    consultation = loading.consultation(slug)
    summed = summaries.is_published(consultation)
    adopted = adoption.released(consultation.id)
    return render_template(
        "consult/consultations/notice.html",
        consultation=consultation,
        phase=consultation.phase(now()),
        changes=consultations.changes(consultation),
        version=drafts.published(consultation),
        summary_url=url_for("summaries.public", slug=slug) if summed else None,
        adoption_url=url_for("adoption.show", slug=slug) if adopted else None,
        now=now(),
    )
