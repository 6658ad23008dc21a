"""The opinions shown to everybody: by draft, section or paragraph."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _

from consult import drafts
from consult.drafts import Entry, Outline, Version
from consult.submissions import Submission
from consult.views import loading
from consult.views.opinion_choice import Chosen, choose
from consult.views.search_forms import FilterForm
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
    """Shown opinions, newest first; `?on=12` for one place and what stands under it; by words and
    facts as the filter form names them."""
    consultation = loading.consultation(slug)
    version = loading.version(consultation)
    if version is None:
        abort(404)
    outline = drafts.outline(version)
    entry = loading.entry(version)
    places = _places(outline, entry)
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
    if good:
        asked |= form.chosen
    next_key, counted = chosen.next_key, chosen.count_text
    if not counted and entry is None and good:
        counted = _("共展示%(n)d件", n=consultation.shown)
    page = render_template(
        "consult/opinions/index.html",
        consultation=consultation,
        version=version,
        outline=outline,
        entry=entry,
        v=v,
        opinions=found,
        form=form,
        stopped=chosen.stopped,
        stands_on=_stands_on(found, newest),
        phase=consultation.phase(now()),
        page=Page(
            next_url=url_for(".index", slug=slug, before=next_key, **asked) if next_key else None,
            previous_url=url_for(".index", slug=slug, **asked) if before else None,
            count_text=counted,
        ),
    )
    return page, 200 if good else 422


def _stands_on(found: Sequence[Submission], newest: Version | None) -> dict[int, tuple[str, str]]:
    """{submission id: (where its paragraph stands, the address of that paragraph)}."""
    where = {}
    for submission in found:
        version = drafts.version_by_id(submission.version_id) if submission.version_id else None
        if version is None:
            continue
        outline = drafts.outline(version)
        entry = outline.by_id.get(submission.place)
        if entry is not None:
            slug = version.draft.consultation.slug
            v = None if version is newest else version.number
            link = url_for("drafts.read", slug=slug, v=v, _anchor=f"p{entry.mark}")
            where[submission.id] = (outline.address(entry.id), link)
    return where


def _places(outline: Outline, entry: Entry | None) -> list[int] | None:
    if entry is None:
        return None
    return [each.id for each in outline.within(entry)] if entry.level else [entry.id]
