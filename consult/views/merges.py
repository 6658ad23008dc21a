"""Points that are alike: what is proposed to be merged, or to be one group, and what a person says."""

from collections import Counter
from collections.abc import Mapping, Sequence

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectMultipleField

from consult import alike_search, point_merges, rules
from consult.summaries import readings
from consult.views import loading
from core import jobs
from core import rules as core_rules
from core.db import db
from core.forms import Form, LineField, Words
from core.permissions import may, require
from core.web import keep_private, now, number_in, whole_number

blueprint = Blueprint("merges", __name__, url_prefix="/desk")
HERE = "/consultations/<slug>/points/alike"
PAGE = 4


class DecideForm(Form):
    """The texts of a proposal that were shown, those that stay ticked, and what they say."""

    act = HiddenField()
    shown = SelectMultipleField(_l("意见点"), choices=[], validate_choice=False)
    texts = SelectMultipleField(_l("意见点"), choices=[], validate_choice=False)
    title = LineField(_l("说的是什么"), [Words(least=0, most=200, missing="")])
    # Of a theme: whether what is ticked joins the group that is named or becomes one of its own.
    into = HiddenField()


@blueprint.before_request
def _privately() -> None:
    keep_private()


@blueprint.get(HERE)
def index(slug: str) -> str:
    """What is proposed, four a page, and when it was searched; groups that may be one come first."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    search = point_merges.last_search(consultation.id)
    job = jobs.by_id(search.job_id) if search and search.job_id else None
    found = point_merges.page(consultation.id, after=number_in("after") or 0, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    later = bool(request.args.get("after"))
    pairs = [] if later else point_merges.pairs(consultation.id)
    given = readings.given_names(consultation.id)
    return render_template(
        "consult/points/alike.html",
        consultation=consultation,
        search=search,
        job=job if job and job.is_open else None,
        may_see=job is not None and may(core_rules.see_job, job),
        neglected=jobs.neglected(now()),
        outdated=bool(search and search.searched_at and alike_search.is_outdated(search)),
        found=found,
        pairs=pairs,
        called={p.id: _called([t.submission.id for t in p.texts], given) for p in found},
        pairs_called={
            pair.id: _called(point_merges.opinions_in([pair.one.id, pair.other.id]), given)
            for pair in pairs
            if pair.theme and given
        },
        next_url=url_for(".index", slug=slug, after=found[-1].id) if more else None,
        first_url=url_for(".index", slug=slug) if later else None,
    )


def _called(opinions: Sequence[int], given: Mapping[int, str]) -> str:
    """What people call the theme of most of these opinions; "" where they gave it no name."""
    names = Counter(given[id] for id in opinions if id in given).most_common(1)
    return names[0][0] if names and 2 * names[0][1] > len(opinions) else ""


@blueprint.post(HERE)
def search(slug: str) -> Response:
    """Search anew."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    if not DecideForm().validate():
        abort(422)
    job = alike_search.ask(consultation, by=current_user, now=now())
    db.session.commit()
    flash(_("已交后台查找，可以离开本页。") if job else _("已重新查找。"), "success")
    return redirect(url_for(".index", slug=slug), 303)


@blueprint.post(HERE + "/<int:alike_id>")
def decide(slug: str, alike_id: int) -> Response:
    """Merge what is ticked; or say that it is not the same."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    form = DecideForm()
    if not form.validate() or form.act.data not in ("merge", "refuse"):
        abort(422)
    proposal = point_merges.by_id(alike_id)
    if proposal is not None and proposal.consultation_id != consultation.id:
        abort(404)
    shown = _ids(form.shown.data)
    if form.act.data == "refuse":
        act = point_merges.refuse(proposal, shown, by=current_user, now=now())
        said = _("已记下这%(n)d点不是同一意见，不再提出。", n=len(act.after["points"]))
    else:
        rest = proposal.rest if proposal else 0
        act = point_merges.confirm(
            proposal,
            shown,
            _ids(form.texts.data) & shown,
            form.title.data or "",
            anew=form.into.data == "new",
            by=current_user,
            now=now(),
        )
        said = _("已归并%(n)d点。", n=len(act.after["points"]))
        if rest:
            # What did not fit joins the group next.
            alike_search.ask(consultation, by=current_user, now=now())
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".index", slug=slug), 303)


@blueprint.post(HERE + "/groups/<int:pair_id>")
def decide_groups(slug: str, pair_id: int) -> Response:
    """Let two groups be one; or say that they are not the same."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    form = DecideForm()
    if not form.validate() or form.act.data not in ("join", "refuse"):
        abort(422)
    pair = point_merges.pair_by_id(pair_id)
    if pair is not None and pair.consultation_id != consultation.id:
        abort(404)
    if form.act.data == "refuse":
        point_merges.keep_groups_apart(pair, by=current_user, now=now())
        said = _("已记下这两组不是同一意见，不再提出。")
    else:
        act = point_merges.join(pair, form.title.data or "", by=current_user, now=now())
        said = _("两组已合为一组，%(n)d点并了过去。", n=len(act.after["points"]))
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".index", slug=slug), 303)


def _ids(typed: list[str] | None) -> set[int]:
    """The numbers among what was sent; anything else was not shown."""
    return {n for each in typed or [] if (n := whole_number(each)) is not None}
