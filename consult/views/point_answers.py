"""One point: its answer, and what the office and the unit it was given to may do with it."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
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
    point_suggestions,
    points,
    responses,
    rules,
    taxonomies,
    term_index,
    wordings,
)
from consult.consultations import Consultation
from consult.point_suggestions import About, Learned
from consult.points import Point
from consult.responses import Overtaken, ResponseState
from consult.stances import Stance
from consult.submissions import WHOLE, Submission
from consult.terms.reading import engine_for
from consult.views import loading, point_forms
from consult.views.point_forms import ActForm
from core import units
from core.db import db
from core.permissions import may, require
from core.web import number_in, whole_number

# So many points are listed before and after the one that is open.
BESIDE = 6
Page = Answer | str | tuple[str, int]


def show(slug: str, point_id: int) -> str:
    """One point, its answer, and what may be done with it."""
    require(rules.answer_points)
    consultation = loading.consultation(slug)
    return _show(consultation, point_forms.point(consultation, point_id), typed=_wanted_wording())


def _wanted_wording() -> dict[str, str] | None:
    """What `?wording=1` puts into the form."""
    wording = wordings.by_id(number_in("wording") or 0)
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
    words = point_forms.readable(point, submission)
    subjects = point_lists.subjects(consultation.programme)
    every = units.every()
    learned = _learned(consultation, point, submission, words) if office else {}
    siblings = points.of(submission.id)
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
        siblings=siblings,
        group=point_lists.groups([point.group_id]).get(point.group_id or 0),
        same=point_lists.same_words(point, submission) if office else [],
        helping=helping,
        helping_names=[u.name for u in every if u.id in helping],
        subjects=subjects,
        taxonomy=taxonomies.of(consultation.programme),
        suggestion=point_lists.suggested(words, subjects) if office else None,
        subject_titles={each.key: each.title for each in subjects},
        read=_read(words, submission, alone=len(siblings) == 1) if office else None,
        learned_topic=_known(learned.get(About.TOPIC), {each.key for each in subjects}),
        learned_unit=_known(learned.get(About.UNIT), {str(unit.id) for unit in every}),
        units=every,
        unit_names={unit.id: unit.name for unit in every},
        wordings=wordings.every(),
        history=point_acts.history(submission.id) if office else [],
        changed=changes.of_points([point.id], public=False).get(point.id, []),
        later=changes.may_link(point) and bool(changes.later_versions(point)),
        places=_places(consultation, point) if office else [],
        beside=_beside(consultation, point) if office else [],
        kept=point_forms.kept_filters(),
        office=office,
        officer=officers.named([point.id]).get(point.id),
        officers=_officers(point, office=office),
        namings=officers.history(point.id),
        leads=office or point.lead_unit_id == current_user.unit_id,
        overtaken=overtaken,
        typed=typed,
        **point_forms.lists(),
    )


def _officers(point: Point, *, office: bool) -> list[officers.Officer]:
    """Who may be named: the people of the unit that leads; for the office, of every unit that leads a
    point of its group."""
    every = points.members(point.group_id) if office and point.group_id else [point]
    return officers.of_units({p.lead_unit_id for p in every if p.lead_unit_id is not None})


def _beside(consultation: Consultation, point: Point) -> list[tuple[Point, Any, str]]:
    """The points around this one in the list it was opened from: each with its submission's number
    and its first words."""
    wanted = point_forms.filter_of(consultation)
    found = point_lists.beside(consultation.id, wanted, point, each=BESIDE)
    return [(p, s.number, point_forms.listed(p, s)) for p, s, _answer in found]


def _places(consultation: Consultation, point: Point) -> list[tuple[int, str]]:
    """The sections and paragraphs to which a point may be moved, those of the version it was said
    of."""
    outline = _outline(consultation, point)
    if outline is None:
        return []
    every = [
        (entry.id, entry.text if entry.level else f"　{entry.text[:24]}")
        for entry in outline.entries
    ]
    return [(WHOLE, _("全文")), *every]


def _outline(consultation: Consultation, point: Point) -> drafts.Outline | None:
    version = drafts.version_by_id(point.version_id) if point.version_id else None
    version = version or drafts.published(consultation)
    return drafts.outline(version) if version else None


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


def _read(words: str, submission: Submission, *, alone: bool) -> tuple[str, Sequence[str]]:
    """The stance the rules read in the words of a point, and the words that decided it. A title
    speaks for a point that stands alone in its opinion."""
    engine = engine_for(term_index.lexicon())
    seen = engine.analyse(words, title=submission.own_title if alone else "")
    return Stance(seen.stance).title, seen.because


def _known(found: Learned | None, labels: set[str]) -> Learned | None:
    """The suggestion, unless the topic or unit it names is no longer there."""
    return found if found is not None and found.label in labels else None


def act(slug: str, point_id: int) -> Page:
    """Route, answer, hand back or comment on one point and those grouped with it."""
    require(rules.answer_points)
    consultation = loading.consultation(slug)
    point = point_forms.point(consultation, point_id)
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
        return _show(consultation, point_forms.point(consultation, point_id), overtaken, typed), 409
    point_merges.follow(consultation.id)
    db.session.commit()
    flash(said, "success")
    if not may(rules.work_on_points) and not responses.concerns(point, current_user.unit_id):
        return redirect(url_for(".mine"), 303)
    here = point_forms.kept_filters()
    return redirect(url_for(".show", slug=slug, point_id=point_id, **here), 303)


def _acts(point: Point, form: ActForm) -> dict[str, Callable[[], str]]:
    """What this person may do with this point."""
    one, reason = [point], form.reason.data or ""
    seen = whole_number(form.seen.data)
    remark: dict[str, Callable[[], str]] = {"remark": lambda: _remarked(point, form)}
    if not may(rules.work_on_points) and point.lead_unit_id != current_user.unit_id:
        return remark
    unit: dict[str, Callable[[], str]] = remark | {
        "draft": lambda: point_forms.drafted(one, form, seen),
        "assign": lambda: point_forms.assigned(one, form),
        "take": lambda: point_forms.taken(one),
        "submit": lambda: _said(
            responses.submit(one, seen=seen, **point_forms.who()), _("已送复核。")
        ),
    }
    if not may(rules.work_on_points):
        # What has gone on since the page was opened is the office's to hand back.
        rests = responses.TODO, responses.DRAFTED
        return unit | {"hand_back": lambda: _handed_back(one, reason, seen, among=rests)}
    return unit | {
        "hand_back": lambda: _handed_back(one, reason, seen),
        "route": lambda: point_forms.routed(one, form),
        "reassign": lambda: _said(
            responses.reassign(one, point_forms.unit(form), reason=reason, **point_forms.who()),
            _("已改派。"),
        ),
        "approve": lambda: _said(
            responses.approve(one, seen=seen, **point_forms.who()), _("复核通过，已定稿。")
        ),
        "finalise": lambda: _said(
            responses.finalise(one, seen=seen, **point_forms.who()), _("已定稿。")
        ),
        "move": lambda: _moved(point, form),
        "merge": lambda: _merged_same(point, form),
    }


def _handed_back(
    one: list[Point],
    reason: str,
    seen: int | None,
    among: tuple[ResponseState, ...] = tuple(ResponseState),
) -> str:
    within = None if may(rules.work_on_points) else current_user.unit_id
    responses.hand_back(one, reason, seen=seen, among=among, within=within, **point_forms.who())
    return str(_("已退回。"))


def _said(_number: int, words: str) -> str:
    return words


def _moved(point: Point, form: ActForm) -> str:
    consultation = db.session.get_one(Consultation, point.consultation_id)
    keys = {each.key for each in point_lists.subjects(consultation.programme)} | {""}
    topic, stance = form.topic.data or "", form.stance.data
    if topic not in keys or (stance and stance not in {each.value for each in Stance}):
        abort(422)
    field, plan = form.field.data or "", form.plan.data or ""
    if not taxonomies.of(consultation.programme).holds(field, plan):
        abort(422)
    outline, place = _outline(consultation, point), whole_number(form.place.data)
    if place and (outline is None or place not in outline.by_id):
        abort(422)
    point_acts.move(
        point,
        place=place,
        version_id=outline.version_id if outline and place else point.version_id,
        topic_key=topic,
        field_key=field,
        plan_key=plan,
        stance=Stance(stance) if stance else None,
        **point_forms.who(),
    )
    return str(_("已保存类别。"))


def _merged_same(point: Point, form: ActForm) -> str:
    same = point_lists.same_words(point, db.session.get_one(Submission, point.submission_id))
    act = point_acts.merge(same, form.title.data or "", **point_forms.who())
    return str(_("已归并%(n)d点。", n=len(act.after["points"])))


def _remarked(point: Point, form: ActForm) -> str:
    responses.remark(
        point,
        form.reason.data or "",
        dissents=bool(form.dissents.data),
        unit_id=current_user.unit_id,
        **point_forms.who(),
    )
    return str(_("已记录意见。"))
