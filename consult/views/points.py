"""Points at the desk: the workbench, and what is done to several points at once."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from consult import (
    changes,
    drafts,
    officers,
    point_acts,
    point_lists,
    point_merges,
    points,
    response_progress,
    responses,
    rules,
    taxonomies,
    wordings,
)
from consult.consultations import Consultation
from consult.points import Point, PointGroup
from consult.views import loading, point_answers, point_forms, point_splits, unit_points
from consult.views.point_forms import HERE, PAGE, ActForm
from core import units
from core.db import db
from core.errors import Refused
from core.permissions import require
from core.web import keep_private, local, now, number_in, whole_number

blueprint = Blueprint("points", __name__, url_prefix="/desk")
ONE = HERE + "/<int:point_id>"
blueprint.get(ONE)(point_answers.show)
blueprint.post(ONE)(point_answers.act)
blueprint.get(ONE + "/split")(point_splits.sentences)
blueprint.post(ONE + "/split")(point_splits.split)
blueprint.get(HERE + "/acts")(point_splits.acts)
blueprint.post(HERE + "/acts/<int:act_id>/undo")(point_splits.undo)
blueprint.get("/points")(unit_points.mine)
blueprint.post("/points")(unit_points.choose_mine)


@blueprint.before_request
def _privately() -> None:
    keep_private()


@blueprint.get(HERE)
def index(slug: str) -> str:
    """The points of a consultation, filtered, and what is left to do."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    today = local(now()).date()
    found = point_lists.page(
        consultation.id,
        point_forms.filter_of(consultation),
        after=number_in("after") or 0,
        limit=PAGE + 1,
    )
    more, found = len(found) > PAGE, found[:PAGE]
    kept = point_forms.kept_filters()
    version = drafts.published(consultation)
    acts = point_acts.acts_on(consultation.id, limit=5)
    left, progress = response_progress.progress(consultation.id, today=today)
    unit_id = number_in("unit")
    of_unit = next((each.unit for each in progress if each.unit.id == unit_id), None)
    return render_template(
        "consult/points/index.html",
        consultation=consultation,
        found=found,
        words={p.id: point_forms.listed(p, s) for p, s, _r in found},
        groups=point_lists.groups([p.group_id for p, _s, _r in found]),
        others=_others(consultation),
        alike=point_merges.last_search(consultation.id),
        counts=points.counts(consultation.id),
        left=left,
        unmet=changes.unmet_count(consultation.id),
        progress=progress,
        named=officers.named([p.id for p, _s, _r in found]),
        officers=officers.of_units(each.unit.id for each in progress),
        of_unit=of_unit,
        by_person=response_progress.by_person(
            of_unit.id, consultation_id=consultation.id, today=today
        )
        if of_unit
        else [],
        units=units.every(),
        subjects=point_lists.subjects(consultation.programme),
        taxonomy=taxonomies.of(consultation.programme),
        sections=drafts.outline(version).headings if version else [],
        wordings=wordings.every(),
        acts=acts,
        told=point_acts.told(acts),
        views=[
            (each, point_forms.of_query(each.query) | {"slug": slug})
            for each in point_lists.views(current_user.id)
        ],
        next_url=url_for(".index", slug=slug, **kept, after=found[-1][0].id) if more else None,
        first_url=url_for(".index", slug=slug, **kept) if request.args.get("after") else None,
        kept=kept,
        query=urlencode(kept),
        today=today,
        **point_forms.lists(),
    )


def _others(consultation: Consultation) -> list[tuple[int, str]]:
    """The groups that the one that is shown may join."""
    shown = number_in("group")
    if shown is None:
        return []
    return [(g.id, g.title) for g in point_lists.newest_groups(consultation.id) if g.id != shown]


@blueprint.post(HERE)
def choose(slug: str) -> Answer:
    """Do something to all points that are chosen in the list."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    form = ActForm()
    if not form.validate():
        abort(422)
    acts: dict[str, Callable[[], str]] = {
        "merge": lambda: _merged(consultation, form),
        "ungroup": lambda: _ungrouped(consultation, form),
        "route": lambda: point_forms.routed(_chosen(consultation, form), form),
        "draft": lambda: point_forms.drafted(
            _chosen(consultation, form), form, point_forms.seen_of(form)
        ),
        "approve": lambda: _(
            "复核通过%(n)d点。",
            n=responses.approve(
                _chosen(consultation, form), seen=point_forms.seen_of(form), **point_forms.who()
            ),
        ),
        "publish": lambda: _(
            "已公布%(n)d点的答复。", n=responses.publish(consultation, **point_forms.who())
        ),
        "join": lambda: _joined(consultation, form),
        "assign": lambda: point_forms.assigned(_chosen(consultation, form), form),
        "view": lambda: point_forms.view_kept(form),
        "drop": lambda: point_forms.view_dropped(form),
    }
    done = acts.get(form.act.data or "")
    if done is None:
        abort(422)
    said = done()
    point_merges.follow(consultation.id)
    db.session.commit()
    flash(said, "success")
    return redirect(_back(slug, form.query.data or ""), 303)


def _back(slug: str, query: str) -> str:
    return url_for(".index", slug=slug, **point_forms.of_query(query))


def _merged(consultation: Consultation, form: ActForm) -> str:
    act = point_acts.merge(_chosen(consultation, form), form.title.data or "", **point_forms.who())
    return str(_("已归并%(n)d点。", n=len(act.after["points"])))


def _ungrouped(consultation: Consultation, form: ActForm) -> str:
    act = point_acts.ungroup(_chosen(consultation, form), **point_forms.who())
    return str(_("已移出%(n)d点。", n=len(act.after["points"])))


def _joined(consultation: Consultation, form: ActForm) -> str:
    source, into = (_group(consultation, each) for each in (form.group.data, form.into.data))
    act = point_acts.join(source, into, **point_forms.who())
    return str(_("已把%(n)d点并入“%(title)s”。", n=len(act.after["points"]), title=into.title))


def _group(consultation: Consultation, typed: str | None) -> PointGroup:
    found = db.session.get(PointGroup, whole_number(typed) or 0)
    if found is None or found.consultation_id != consultation.id:
        raise Refused(_("请选择另一组。"))
    return found


def _chosen(consultation: Consultation, form: ActForm) -> Sequence[Point]:
    ids = [n for each in form.points.data or [] if (n := whole_number(each)) is not None]
    found = [db.session.get(Point, id) for id in ids[: point_acts.MOST_MERGED]]
    return [p for p in found if p is not None and p.consultation_id == consultation.id]
