"""What changed, and because of whom: the public page of a version, the same at the desk, and the
page on which an adopted point is linked to the paragraphs it changed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectMultipleField

from consult import adoption, changes, drafts, points, responses, revisions, rules
from consult.comparisons import Pair
from consult.consultations import Consultation
from consult.drafts import Version, VersionState
from consult.points import Point
from consult.revisions import Revision
from consult.submissions import Submission
from consult.views import loading
from core.db import db
from core.errors import Refused
from core.forms import Form
from core.permissions import require
from core.web import choice_in, keep_private, now, number_in, whole_number

blueprint = Blueprint("changes", __name__)
DESK = "/desk/consultations/<slug>"
POINT = DESK + "/points/<int:point_id>/changes"
PAGE, DESK_PAGE = 100, 30
# So many points stand under one paragraph of the public page; the rest is counted.
MOST_VOICES = 20
ASKED, OWN = "points", "office"
Page = Response | str | tuple[str, int]


class Part(NamedTuple):
    """The paragraphs of one page, and whether there are others before and after them."""

    pairs: Sequence[Pair]
    before: bool
    more: bool


# --- for everybody -------------------------------------------------------------------------------


@blueprint.get("/consultations/<slug>/changes/")
def show(slug: str) -> str:
    """What the newest published version, or `?to=2`, changed, with the points behind it."""
    consultation = loading.consultation(slug)
    every = [each for each in _versions(consultation) if each.state is VersionState.PUBLISHED]
    version = _version(every)
    revision = revisions.of(version) if version else None
    if version is None or revision is None:
        return abort(404)
    asked = changes.wanted(revision)
    part = _page_of(revision.pairs, PAGE)
    return render_template(
        "consult/changes/show.html",
        consultation=consultation,
        versions=every,
        version=version,
        revision=revision,
        sections=_in_sections(revision, part.pairs),
        voices=changes.behind(revision, part.pairs, public=True),
        silent=changes.silent(revision, part.pairs),
        asked=asked,
        most=MOST_VOICES,
        report=bool(adoption.released(consultation.id)),
        page=_pager("changes.show", slug, version, part),
    )


def _versions(consultation: Consultation) -> list[Version]:
    """The versions that changed an earlier one, the newest first."""
    every = drafts.versions(consultation)
    first = min((v.number for v in every if v.state is VersionState.PUBLISHED), default=0)
    return [each for each in every if first and each.number > first]


def _version(every: Sequence[Version]) -> Version | None:
    """The one the address asks for, else the newest; None when there is none at all."""
    wanted = number_in("to")
    if wanted is None:
        return every[0] if every else None
    return next((each for each in every if each.number == wanted), None) or abort(404)


def _page_of(pairs: Sequence[Pair], size: int) -> Part:
    """Those after the paragraph `?after=` names by its id, or the page on which the one stands that
    `?at=` names by its mark."""
    after, at = number_in("after"), number_in("at")
    begin = next((n for n, pair in enumerate(pairs, 1) if pair.entry.id == after), 0)
    if not begin and at is not None:
        place = next((n for n, pair in enumerate(pairs) if pair.mark == at), 0)
        begin = place - place % size
    return Part(pairs[begin : begin + size], begin > 0, len(pairs) > begin + size)


def _in_sections(revision: Revision, pairs: Sequence[Pair]) -> list[tuple[str, list[Pair]]]:
    found: list[tuple[str, list[Pair]]] = []
    for pair in pairs:
        address = revision.address(pair)
        if not found or found[-1][0] != address:
            found.append((address, []))
        found[-1][1].append(pair)
    return found


def _pager(endpoint: str, slug: str, version: Version, part: Part, **kept: Any) -> dict[str, Any]:
    here: dict[str, Any] = {"slug": slug, "to": version.number, **kept}
    return {
        "next_url": url_for(endpoint, **here, after=part.pairs[-1].entry.id) if part.more else None,
        "previous_url": url_for(endpoint, **here) if part.before else None,
    }


# --- at the desk ---------------------------------------------------------------------------------


@blueprint.before_request
def _at_the_desk_for_the_office() -> None:
    if request.endpoint != "changes.show":
        keep_private()
        require(rules.work_on_points)


@blueprint.get(DESK + "/changes")
def review(slug: str) -> str:
    """The changed paragraphs of a version, also of one that is prepared, with the points behind
    them; `?who=points` those that were asked for, `?who=office` the others."""
    consultation = loading.consultation(slug)
    every = _versions(consultation)
    version = _version(every)
    revision = revisions.of(version) if version else None
    who = choice_in("who", {ASKED, OWN})
    asked = changes.wanted(revision) if revision else set()
    pairs = revision.pairs if revision else ()
    if who:
        pairs = tuple(pair for pair in pairs if (pair.mark in asked) == (who == ASKED))
    part = _page_of(pairs, DESK_PAGE)
    return render_template(
        "consult/changes/review.html",
        consultation=consultation,
        versions=every,
        version=version,
        revision=revision,
        pairs=part.pairs,
        voices=changes.behind(revision, part.pairs, public=False) if revision else {},
        asked=asked,
        who=who,
        unmet=changes.unmet_count(consultation.id),
        page=_pager("changes.review", slug, version, part, who=who or None) if version else {},
    )


@blueprint.get(DESK + "/changes/unmet")
def unmet(slug: str) -> str:
    """The adopted points that changed nothing yet."""
    consultation = loading.consultation(slug)
    found = changes.unmet(consultation.id, after=number_in("after") or 0, limit=DESK_PAGE + 1)
    more, found = len(found) > DESK_PAGE, found[:DESK_PAGE]
    return render_template(
        "consult/changes/unmet.html",
        consultation=consultation,
        found=found,
        words={p.id: points.words(p, s) for p, s, _r in found},
        count=changes.unmet_count(consultation.id),
        page={"next_url": url_for(".unmet", slug=slug, after=found[-1][0].id) if more else None},
    )


class LinkForm(Form):
    """Which paragraphs of which version, and whether they are linked or the link is taken back."""

    act = HiddenField()
    to = HiddenField()
    paragraphs = SelectMultipleField(_l("改动的段落"), choices=[], validate_choice=False)


@blueprint.get(POINT)
def choose(slug: str, point_id: int) -> str:
    """One point: what is linked, what is proposed, and every other changed paragraph."""
    consultation = loading.consultation(slug)
    return _choose(consultation, loading.point(consultation, point_id))


def _choose(consultation: Consultation, point: Point, refusal: str = "") -> str:
    submission = db.session.get_one(Submission, point.submission_id)
    words = points.words(point, submission)
    every = changes.later_versions(point)
    version = _version(every)
    revision = revisions.of(version) if version else None
    linked = changes.of_points([point.id], public=False).get(point.id, [])
    here = [each.pair for each in linked if revision and each.revision.number == revision.number]
    taken = {pair.mark for pair in here}
    found = changes.proposed(point, words, revision) if revision else []
    proposed = [each for each in found if each.pair.mark not in taken]
    taken |= {each.pair.mark for each in proposed}
    others = [pair for pair in revision.pairs if pair.mark not in taken] if revision else []
    part = _page_of(others, DESK_PAGE)
    return render_template(
        "consult/changes/choose.html",
        consultation=consultation,
        point=point,
        submission=submission,
        words=words,
        answer=responses.of(point.id),
        together=len(points.members(point.group_id)) if point.group_id else 1,
        versions=every,
        version=version,
        revision=revision,
        linked=here,
        proposed=proposed,
        others=part.pairs,
        may_link=changes.may_link(point),
        refusal=refusal,
        page=_pager("changes.choose", consultation.slug, version, part, point_id=point.id)
        if version
        else {},
    )


@blueprint.post(POINT)
def decide(slug: str, point_id: int) -> Page:
    """Link the chosen paragraphs to the point, or take links back."""
    consultation = loading.consultation(slug)
    point = loading.point(consultation, point_id)
    form = LinkForm()
    if not form.validate() or form.act.data not in ("link", "unlink"):
        abort(422)
    number = form.to.data or ""
    version = next((v for v in changes.later_versions(point) if str(v.number) == number), None)
    if version is None:
        abort(422)
    chosen = [n for each in form.paragraphs.data or [] if (n := whole_number(each)) is not None]
    act = changes.link if form.act.data == "link" else changes.unlink
    try:
        act(point, version, chosen, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        return _choose(consultation, loading.point(consultation, point_id), refusal.sentence), 409
    db.session.commit()
    flash(_("已关联。") if form.act.data == "link" else _("已解除关联。"), "success")
    return redirect(url_for(".choose", slug=slug, point_id=point_id, to=version.number), 303)
