"""Points at the desk: the workbench, splitting, merging, answering; and a unit's own points."""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField, HiddenField, SelectMultipleField

from consult import (
    changes,
    drafts,
    originals,
    point_lists,
    point_suggestions,
    points,
    responses,
    rules,
    taxonomies,
)
from consult.analysis import personal, splitting
from consult.consultations import Consultation
from consult.point_lists import Filter
from consult.point_suggestions import About, Learned
from consult.points import Point, PointAct
from consult.responses import Outcome, Overtaken, ResponseState
from consult.stances import Stance
from consult.submissions import Channel, Submission, SubmissionState
from consult.views import loading
from core import units
from core.db import db
from core.errors import Refused
from core.forms import Form, LineField, TextField, Words
from core.permissions import may, require
from core.web import choice_in, keep_private, local, now, number_in, words_in

blueprint = Blueprint("points", __name__, url_prefix="/desk")
HERE = "/consultations/<slug>/points"
PAGE = 30
STATES = {each.value for each in ResponseState}
OUTCOMES = {each.value for each in Outcome}
FILTERS = (
    *("state", "unit", "topic", "field", "plan", "section", "stance", "channel"),
    *("overdue", "unrouted", "group"),
)
Page = Answer | str | tuple[str, int]


class ActForm(Form):
    """What is done to one point, or to those that are chosen; which fields count, `act` says."""

    act = HiddenField()
    points = SelectMultipleField(_l("意见点"), choices=[], validate_choice=False)
    title = LineField(_l("说的是什么"), [Words(least=0, most=200, missing="")])
    unit = HiddenField()
    helping = SelectMultipleField(_l("配合单位"), choices=[], validate_choice=False)
    days = HiddenField()
    topic = HiddenField()
    field = HiddenField()
    plan = HiddenField()
    stance = HiddenField()
    outcome = HiddenField()
    reason = TextField(_l("理由"), [Words(least=0, most=responses.LONGEST_REASON, missing="")])
    keep_as = LineField(_l("存为常用答复"), [Words(least=0, most=100, missing="")])
    dissents = BooleanField(_l("与拟写的答复不一致"))
    seen = HiddenField()
    name = LineField(_l("名称"), [Words(least=0, most=40, missing="")])
    query = HiddenField()


@blueprint.before_request
def _privately() -> None:
    keep_private()


# --- the workbench -----------------------------------------------------------------------------


@blueprint.get(HERE)
def index(slug: str) -> str:
    """The points of a consultation, filtered, and what is left to do."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    today = local(now()).date()
    found = point_lists.page(
        consultation.id, _filter(consultation), after=number_in("after") or 0, limit=PAGE + 1
    )
    more, found = len(found) > PAGE, found[:PAGE]
    kept: dict[str, Any] = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    version = drafts.published(consultation)
    left, progress = responses.progress(consultation.id, today=today)
    return render_template(
        "consult/points/index.html",
        consultation=consultation,
        found=found,
        words={p.id: _listed(p, s) for p, s, _r in found},
        groups=point_lists.groups([p.group_id for p, _s, _r in found]),
        counts=points.counts(consultation.id),
        left=left,
        unmet=changes.unmet_count(consultation.id),
        progress=progress,
        units=units.every(),
        subjects=point_lists.subjects(consultation.programme),
        taxonomy=taxonomies.of(consultation.programme),
        sections=drafts.outline(version).headings if version else [],
        wordings=responses.wordings(),
        acts=points.acts_on(consultation.id, limit=5),
        views=[(each, _kept(each.query)) for each in point_lists.views(current_user.id)],
        next_url=url_for(".index", slug=slug, **kept, after=found[-1][0].id) if more else None,
        first_url=url_for(".index", slug=slug, **kept) if request.args.get("after") else None,
        kept=kept,
        query=urlencode(kept),
        today=today,
        **_lists(),
    )


def _lists() -> dict[str, Any]:
    return {
        "states": list(ResponseState),
        "outcomes": list(Outcome),
        "stances": list(Stance),
        "channels": list(Channel),
        "days": responses.USUAL_DAYS,
    }


def _filter(consultation: Consultation) -> Filter:
    """The filters the address asks for; 400 when it asks for what cannot be."""
    state = choice_in("state", STATES)
    stance = choice_in("stance", {each.value for each in Stance})
    channel = choice_in("channel", {each.value for each in Channel})
    return Filter(
        state=ResponseState(state) if state else None,
        unit_id=number_in("unit"),
        unrouted=choice_in("unrouted", {"1"}) == "1",
        topic=words_in("topic", most=64),
        field=words_in("field", most=64),
        plan=words_in("plan", most=64),
        places=_places(consultation, number_in("section")),
        stance=Stance(stance) if stance else None,
        channel=Channel(channel) if channel else None,
        group_id=number_in("group"),
        overdue_on=local(now()).date() if choice_in("overdue", {"1"}) else None,
    )


def _places(consultation: Consultation, section: int | None) -> Sequence[int] | None:
    """The paragraphs under a heading of any version that has it."""
    version = drafts.published(consultation)
    if not section or version is None:
        return None
    outline = drafts.outline(version)
    heading = outline.by_mark.get(section)
    if heading is None:
        return []
    marks = {entry.mark for entry in outline.within(heading)}
    every = [drafts.outline(each) for each in drafts.versions(consultation)]
    return [entry.id for one in every for entry in one.entries if entry.mark in marks]


def _kept(query: str) -> dict[str, str]:
    """The filters of a kept view; whatever else stands in it is left out."""
    return {name: value for name, value in parse_qsl(query) if name in FILTERS and len(value) < 65}


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
        "route": lambda: _routed(_chosen(consultation, form), form),
        "draft": lambda: _drafted(_chosen(consultation, form), form),
        "approve": lambda: _(
            "复核通过%(n)d点。", n=responses.approve(_chosen(consultation, form), **_who())
        ),
        "publish": lambda: _("已公布%(n)d点的答复。", n=responses.publish(consultation, **_who())),
        "view": lambda: _view_kept(form),
    }
    done = acts.get(form.act.data or "")
    if done is None:
        abort(422)
    said = done()
    db.session.commit()
    flash(said, "success")
    return redirect(_back(slug, form.query.data or ""), 303)


def _back(slug: str, query: str) -> str:
    kept: dict[str, Any] = dict(_kept(query))
    return url_for(".index", slug=slug, **kept)


def _merged(consultation: Consultation, form: ActForm) -> str:
    act = points.merge(_chosen(consultation, form), form.title.data or "", **_who())
    return str(_("已归并%(n)d点。", n=len(act.after["points"])))


def _ungrouped(consultation: Consultation, form: ActForm) -> str:
    act = points.ungroup(_chosen(consultation, form), **_who())
    return str(_("已移出%(n)d点。", n=len(act.after["points"])))


def _view_kept(form: ActForm) -> str:
    if not form.name.data:
        raise Refused(_("请写明名称。"))
    query = urlencode(_kept(form.query.data or ""))[:400]
    point_lists.keep_view(current_user.id, form.name.data, query)
    return str(_("已保存“%(name)s”。", name=form.name.data))


def _chosen(consultation: Consultation, form: ActForm) -> Sequence[Point]:
    ids = [int(each) for each in form.points.data or [] if each.isascii() and each.isdigit()]
    found = [db.session.get(Point, id) for id in ids[: points.MOST_MERGED] if id < 2**31]
    return [p for p in found if p is not None and p.consultation_id == consultation.id]


# --- one point ---------------------------------------------------------------------------------


def _point(consultation: Consultation, point_id: int) -> Point:
    """The point, for the office and for units it was given to; for others it does not exist."""
    require(rules.answer_points)
    point = loading.point(consultation, point_id)
    if not may(rules.work_on_points) and not responses.concerns(point, current_user.unit_id):
        abort(404)
    return point


@blueprint.get(HERE + "/<int:point_id>")
def show(slug: str, point_id: int) -> str:
    """One point, its answer, and what may be done with it."""
    require(rules.answer_points)
    consultation = loading.consultation(slug)
    return _show(consultation, _point(consultation, point_id), typed=_wanted_wording())


def _wanted_wording() -> dict[str, str] | None:
    """What `?wording=1` puts into the form."""
    wording = responses.wording_by_id(number_in("wording") or 0)
    if wording is None or wording.retired:
        return None
    return {"outcome": wording.outcome.value, "reason": wording.reason}


def _show(
    consultation: Consultation, point: Point, overtaken: Overtaken | None = None, typed: Any = None
) -> str:
    submission = db.session.get_one(Submission, point.submission_id)
    office = may(rules.work_on_points)
    version = drafts.version_by_id(point.version_id) if point.version_id else None
    outline = drafts.outline(version) if version else None
    words = _readable(point, submission)
    subjects = point_lists.subjects(consultation.programme)
    every = units.every()
    learned = _learned(consultation, point, submission, words) if office else {}
    helping = points.cooperating([point.id]).get(point.id, [])
    return render_template(
        "consult/points/show.html",
        consultation=consultation,
        point=point,
        submission=submission,
        words=words,
        entry=outline.by_id.get(point.place) if outline else None,
        address=outline.address(point.place) if outline else "",
        answer=responses.of(point.id),
        versions=responses.versions(point.id),
        remarks=responses.remarks(point.id),
        siblings=points.of(submission.id),
        group=point_lists.groups([point.group_id]).get(point.group_id or 0),
        same=point_lists.same_words(point, submission) if office else [],
        helping=helping,
        helping_names=[u.name for u in every if u.id in helping],
        subjects=subjects,
        taxonomy=taxonomies.of(consultation.programme),
        suggestion=point_lists.suggested(words, subjects) if office else None,
        subject_titles={each.key: each.title for each in subjects},
        learned_topic=_known(learned.get(About.TOPIC), {each.key for each in subjects}),
        learned_unit=_known(learned.get(About.UNIT), {str(unit.id) for unit in every}),
        units=every,
        unit_names={unit.id: unit.name for unit in every},
        wordings=responses.wordings(),
        history=points.history(submission.id) if office else [],
        changed=changes.of_points([point.id], public=False).get(point.id, []),
        later=changes.may_link(point) and bool(changes.later_versions(point)),
        office=office,
        leads=office or point.lead_unit_id == current_user.unit_id,
        overtaken=overtaken,
        typed=typed,
        **_lists(),
    )


def _learned(
    consultation: Consultation, point: Point, submission: Submission, words: str
) -> dict[About, Learned | None]:
    """What confirmations suggest for what nobody has decided yet."""
    undecided = {About.TOPIC: not point.topic_key, About.UNIT: point.lead_unit_id is None}
    return {
        about: point_suggestions.suggest(
            consultation.programme_id, about, words, submission.title or ""
        )
        for about, asked in undecided.items()
        if asked
    }


def _known(found: Learned | None, labels: set[str]) -> Learned | None:
    """The suggestion, unless the topic or unit it names is no longer there."""
    return found if found is not None and found.label in labels else None


def _listed(point: Point, submission: Submission) -> str:
    """What a list says of a point: what is not shown is read where it is answered, not in passing."""
    if submission.state is SubmissionState.HIDDEN:
        return str(_("（不展示的意见，打开后办理）"))
    return points.words(point, submission)


def _readable(point: Point, submission: Submission) -> str:
    """The point's words; those of an opinion that is not shown without what seems personal,
    unless it is the office that reads."""
    said = points.words(point, submission)
    if may(rules.work_on_points) or submission.state is SubmissionState.SHOWN:
        return said
    return originals.blanked(said, [(each.begin, each.end) for each in personal.find(said)])


@blueprint.post(HERE + "/<int:point_id>")
def act(slug: str, point_id: int) -> Page:
    """Route, answer, hand back or comment on one point and those grouped with it."""
    require(rules.answer_points)
    consultation = loading.consultation(slug)
    point = _point(consultation, point_id)
    form = ActForm()
    if not form.validate():
        abort(422)
    done = _acts(point, form).get(form.act.data or "")
    if done is None:
        abort(422)
    try:
        said = done()
    except Overtaken as overtaken:
        db.session.rollback()
        typed = {"outcome": form.outcome.data, "reason": form.reason.data}
        return _show(consultation, _point(consultation, point_id), overtaken, typed), 409
    db.session.commit()
    flash(said, "success")
    if not may(rules.work_on_points) and not responses.concerns(point, current_user.unit_id):
        return redirect(url_for(".mine"), 303)
    return redirect(url_for(".show", slug=slug, point_id=point_id), 303)


def _acts(point: Point, form: ActForm) -> dict[str, Callable[[], str]]:
    """What this person may do with this point."""
    one, reason = [point], form.reason.data or ""
    seen = _number(form.seen.data)
    remark: dict[str, Callable[[], str]] = {"remark": lambda: _remarked(point, form)}
    if not may(rules.work_on_points) and point.lead_unit_id != current_user.unit_id:
        return remark
    unit: dict[str, Callable[[], str]] = remark | {
        "draft": lambda: _drafted(one, form, seen),
        "submit": lambda: _said(responses.submit(one, seen=seen, **_who()), _("已送复核。")),
    }
    state = answer.state if (answer := responses.of(point.id)) else responses.TODO
    if may(rules.work_on_points) or state in (responses.TODO, responses.DRAFTED):
        unit["hand_back"] = lambda: _said(
            responses.hand_back(one, reason, seen=seen, **_who()), _("已退回。")
        )
    if not may(rules.work_on_points):
        return unit
    return unit | {
        "route": lambda: _routed(one, form),
        "reassign": lambda: _said(
            responses.reassign(one, _unit(form), reason=reason, **_who()), _("已改派。")
        ),
        "approve": lambda: _said(
            responses.approve(one, seen=seen, **_who()), _("复核通过，已定稿。")
        ),
        "finalise": lambda: _said(responses.finalise(one, seen=seen, **_who()), _("已定稿。")),
        "move": lambda: _moved(point, form),
        "merge": lambda: _merged_same(point, form),
    }


def _said(_number: int, words: str) -> str:
    return words


def _drafted(chosen: Sequence[Point], form: ActForm, seen: int | None = None) -> str:
    if form.outcome.data not in OUTCOMES:
        raise Refused(_("请选择采纳情况。"), kept_text=form.reason.data or "")
    outcome, reason = Outcome(form.outcome.data), form.reason.data or ""
    if form.keep_as.data and may(rules.work_on_points):
        responses.save_wording(form.keep_as.data, outcome, reason, **_who())
    number = responses.draft(chosen, outcome, reason, seen=seen, **_who())
    return str(_("已拟写%(n)d点的答复。", n=number))


def _routed(chosen: Sequence[Point], form: ActForm) -> str:
    days = _number(form.days.data)
    if days is None or not 0 < days <= responses.MOST_DAYS:
        raise Refused(_("办理期限请填1至%(n)d个工作日。", n=responses.MOST_DAYS))
    known = {unit.id for unit in units.every()}
    helping = {_number(each) for each in form.helping.data or []} & known
    number = responses.route(
        chosen,
        _unit(form),
        cooperating=sorted(id for id in helping if id is not None),
        due_on=responses.due_day(local(now()).date(), days),
        **_who(),
    )
    return str(_("已分办%(n)d点。", n=number))


def _unit(form: ActForm) -> int:
    id = _number(form.unit.data)
    if id not in {unit.id for unit in units.every()}:
        raise Refused(_("请选择承办单位。"))
    assert id is not None
    return id


def _moved(point: Point, form: ActForm) -> str:
    consultation = db.session.get_one(Consultation, point.consultation_id)
    keys = {each.key for each in point_lists.subjects(consultation.programme)} | {""}
    topic, stance = form.topic.data or "", form.stance.data
    if topic not in keys or (stance and stance not in {each.value for each in Stance}):
        abort(422)
    field, plan = form.field.data or "", form.plan.data or ""
    if not taxonomies.of(consultation.programme).holds(field, plan):
        abort(422)
    points.move(
        point,
        topic_key=topic,
        field_key=field,
        plan_key=plan,
        stance=Stance(stance) if stance else None,
        **_who(),
    )
    return str(_("已保存类别。"))


def _merged_same(point: Point, form: ActForm) -> str:
    same = point_lists.same_words(point, db.session.get_one(Submission, point.submission_id))
    act = points.merge(same, form.title.data or "", **_who())
    return str(_("已归并%(n)d点。", n=len(act.after["points"])))


def _remarked(point: Point, form: ActForm) -> str:
    responses.remark(
        point,
        form.reason.data or "",
        dissents=bool(form.dissents.data),
        unit_id=current_user.unit_id,
        **_who(),
    )
    return str(_("已记录意见。"))


def _who() -> dict[str, Any]:
    return {"by": current_user, "now": now()}


def _number(typed: Any) -> int | None:
    text = str(typed or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# --- splitting ---------------------------------------------------------------------------------


@blueprint.get(HERE + "/<int:point_id>/split")
def sentences(slug: str, point_id: int) -> str:
    """The sentences of the opinion a point belongs to, with what is proposed."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    point = _point(consultation, point_id)
    submission = db.session.get_one(Submission, point.submission_id)
    found = points.sentences(submission.body)
    live = points.of(submission.id)
    cut = (
        [p.start for p in live]
        if len(live) > 1
        else [begin for begin, _end in points.propose(submission.body)]
    )
    return render_template(
        "consult/points/split.html",
        consultation=consultation,
        point=point,
        submission=submission,
        sentences=[(n, submission.body[slice(*span)].strip()) for n, span in enumerate(found)],
        starts={n for n, (begin, _end) in enumerate(found) if begin in cut},
        proposed=len(live) == 1 and len(cut) > 1,
        history=points.history(submission.id),
    )


@blueprint.post(HERE + "/<int:point_id>/split")
def split(slug: str, point_id: int) -> Answer:
    """Let each chosen sentence begin a point."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    point = _point(consultation, point_id)
    form = ActForm()
    if not form.validate():
        abort(422)
    submission = db.session.get_one(Submission, point.submission_id)
    starts = [n for each in form.points.data or [] if (n := _number(each)) is not None]
    found = points.sentences(submission.body)
    spans = splitting.joined(found, starts, len(submission.body))
    points.split(submission, spans, **_who())
    db.session.commit()
    live = points.of(submission.id)
    flash(_("现在是%(n)d点。", n=len(live)), "success")
    return redirect(url_for(".show", slug=slug, point_id=live[0].id), 303)


@blueprint.post(HERE + "/acts/<int:act_id>/undo")
def undo(slug: str, act_id: int) -> Answer:
    """Undo a split, a merge or a change."""
    require(rules.work_on_points)
    consultation = loading.consultation(slug)
    done = db.session.get(PointAct, act_id)
    if done is None or done.consultation_id != consultation.id:
        abort(404)
    points.undo(done, **_who())
    db.session.commit()
    flash(_("已撤销。"), "success")
    return redirect(url_for(".index", slug=slug), 303)


# --- a unit's own ------------------------------------------------------------------------------


@blueprint.get("/points")
def mine() -> str:
    """我单位的意见点: what was given to the unit of whoever looks."""
    require(rules.answer_points)
    unit_id = current_user.unit_id
    state = choice_in("state", STATES)
    today = local(now()).date()
    wanted = Filter(
        state=ResponseState(state) if state else None,
        # No unit has this number: who belongs to none sees none.
        unit_id=unit_id or 0,
        overdue_on=today if choice_in("overdue", {"1"}) else None,
    )
    found = point_lists.page(None, wanted, after=number_in("after") or 0, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    kept: dict[str, Any] = {
        name: request.args[name] for name in ("state", "overdue") if request.args.get(name)
    }
    rounds = {s.consultation_id for _p, s, _r in found}
    return render_template(
        "consult/points/mine.html",
        found=found,
        words={p.id: _readable(p, s) for p, s, _r in found},
        slugs={id: db.session.get_one(Consultation, id) for id in rounds},
        unit=current_user.unit,
        states=list(ResponseState),
        state=state,
        overdue=responses.overdue(today, unit_id=unit_id or 0),
        waiting=responses.waiting_for(unit_id or 0),
        next_url=url_for(".mine", **kept, after=found[-1][0].id) if more else None,
        today=today,
    )
