"""The public reader of a draft: contents, paragraphs, how many opinions stand on each."""

import sqlalchemy as sa
from flask import Blueprint, Response, abort, render_template
from flask_login import current_user

from consult import drafts, submissions
from consult.consultations import Consultation, Phase
from consult.drafts import Entry, Outline
from consult.views import loading
from core.db import db
from core.pages import kept
from core.web import keep_private, local, now, number_in

blueprint = Blueprint("drafts", __name__, url_prefix="/consultations/<slug>/draft")

# What may have changed since a page was rendered, in one small read.
STAMP = sa.select(
    Consultation.stamp, Consultation.state, Consultation.opens_at, Consultation.closes_at
).where(Consultation.slug == sa.bindparam("slug"))


@blueprint.get("")
def read(slug: str) -> Response | str:
    """The draft, whole or one chapter of it (`?chapter=12`), newest version or `?v=1`."""
    number, chapter = number_in("v"), number_in("chapter")
    if current_user.is_authenticated:
        keep_private()
        return _render(slug, chapter)
    found = db.session.execute(STAMP, {"slug": slug}).first()
    if found is None:
        abort(404)
    at = now()
    stamp = (
        tuple(found),
        local(at).date(),
        found.opens_at is not None and at >= found.opens_at,
        found.closes_at is not None and at >= found.closes_at,
    )
    return kept(("draft", slug, number, chapter), stamp, lambda: _render(slug, chapter))


def _render(slug: str, chapter: int | None) -> str:
    consultation = loading.consultation(slug)
    version = loading.version(consultation)
    if version is None:
        abort(404)
    outline = drafts.outline(version)
    only = _chapter(outline, chapter)
    at = now()
    return render_template(
        "consult/drafts/read.html",
        consultation=consultation,
        version=version,
        versions=drafts.versions(consultation),
        outline=outline,
        entries=outline.within(only) if only else outline.entries,
        chapter=only,
        counts=_shown(outline, consultation),
        commentable=consultation.phase(at) is Phase.OPEN,
        phase=consultation.phase(at),
        now=at,
    )


def _chapter(outline: Outline, mark: int | None) -> Entry | None:
    if mark is None:
        return None
    entry = outline.by_mark.get(mark)
    if entry is None or not entry.level:
        abort(404)
    return entry


def _shown(outline: Outline, consultation: Consultation) -> dict[int, int]:
    """{place: shown opinions}; a heading also carries those made on what stands under it."""
    counts: dict[int, int] = {}
    for place, (_received, shown) in submissions.tallies(consultation.id).items():
        entry = outline.by_id.get(place)
        for each in (place, *(entry.path if entry else ())):
            counts[each] = counts.get(each, 0) + shown
    return counts
