"""The opinions shown to everybody: by draft, section or paragraph, through all versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _

from consult import drafts, lineage
from consult.consultations import Consultation
from consult.lineage import Line, Standing
from consult.submissions import Submission
from consult.views import loading
from consult.views.comparisons import compare_url
from consult.views.opinion_choice import Chosen, choose
from consult.views.search import about
from consult.views.search_forms import FilterForm
from consult.views.supports import supporting
from core.web import now, number_in

blueprint = Blueprint("opinions", __name__, url_prefix="/consultations/<slug>/opinions")
PAGE = 20


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list that is paged by key."""

    next_url: str | None
    previous_url: str | None
    count_text: str = ""


@blueprint.get("")
def index(slug: str) -> tuple[str, int]:
    """Shown opinions, newest first; `?on=12` for one place and what stands under it, `?gone=1` for
    those whose paragraph is no longer there; by words and facts as the filter form names them."""
    consultation = loading.consultation(slug)
    version = loading.version(consultation)
    if version is None:
        abort(404)
    outline = drafts.outline(version)
    entry = loading.entry(version)
    line = lineage.line(version)
    gone = request.args.get("gone") == "1" and entry is None
    places = line.gone() if gone else line.under(entry) if entry else None
    before = number_in("before")
    form = FilterForm(request.args)
    good = form.validate()
    chosen = Chosen((), None)
    if good:
        chosen = choose(form, consultation, places=places, before=before, limit=PAGE)
    found = chosen.opinions
    newest = drafts.published(consultation)
    # The version is said only where the address would otherwise mean another one.
    v = None if version is newest else version.number
    asked: dict[str, Any] = {"on": entry.mark if entry else None, "v": v}
    asked["gone"] = 1 if gone else None
    if good:
        asked |= form.chosen
    next_key, counted = chosen.next_key, chosen.count_text
    if not counted and entry is None and not gone and good:
        counted = _("共展示%(n)d件", n=consultation.shown)
    page = render_template(
        "consult/opinions/index.html",
        consultation=consultation,
        version=version,
        outline=outline,
        entry=entry,
        v=v,
        opinions=found,
        supporting=supporting(consultation, found),
        form=form,
        asked_term=about(form.term.data) if good else None,
        stopped=chosen.stopped,
        gone=gone,
        stands_on=_stands_on(found, line, consultation),
        phase=consultation.phase(now()),
        page=Page(
            next_url=url_for(".index", slug=slug, before=next_key, **asked) if next_key else None,
            previous_url=url_for(".index", slug=slug, **asked) if before else None,
            count_text=counted,
        ),
    )
    return page, 200 if good else 422


@dataclass(frozen=True, slots=True)
class StandsOn:
    """The paragraph an opinion was made on, and how it stands in the version that is shown."""

    address: str
    url: str
    words: str
    number: int
    standing: Standing
    # Where what changed can be seen; none when nothing did.
    compare_url: str | None


def _stands_on(
    found: Sequence[Submission], line: Line, consultation: Consultation
) -> dict[int, StandsOn]:
    """{submission id: where it stands}, those on the whole draft left out."""
    where = {}
    for submission in found:
        place = line.place(submission.place)
        if place is None:
            continue
        gone = place.standing is Standing.GONE
        anchor = f"p{place.entry.mark}"
        number = place.number if gone else line.number
        changed = gone or place.standing is Standing.EDITED
        where[submission.id] = StandsOn(
            address=place.outline.address(place.entry.id),
            url=url_for("drafts.read", slug=consultation.slug, v=number, _anchor=anchor),
            words=place.entry.text,
            number=place.number,
            standing=place.standing,
            compare_url=compare_url(consultation, place.number, line.number, _anchor=anchor)
            if changed
            else None,
        )
    return where
