"""What the pages of points share: the form of all acts on them, and what it asks for."""

from collections.abc import Sequence
from typing import Any

from flask import abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField, HiddenField, SelectMultipleField

from consult import drafts, originals, points, responses, rules, wordings
from consult.analysis import personal
from consult.consultations import Consultation
from consult.point_lists import Filter
from consult.points import Point
from consult.responses import Outcome, ResponseState
from consult.stances import Stance
from consult.submissions import Channel, Submission, SubmissionState
from consult.views import loading
from core import units
from core.errors import Refused
from core.forms import Form, LineField, TextField, Words
from core.permissions import may, require
from core.web import choice_in, local, now, number_in, words_in

HERE = "/consultations/<slug>/points"
PAGE = 30
STATES = {each.value for each in ResponseState}
FILTERS = (
    *("state", "unit", "topic", "field", "plan", "section", "stance", "channel"),
    *("overdue", "unrouted", "group"),
)
OUTCOMES = {each.value for each in Outcome}


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
    place = HiddenField()
    stance = HiddenField()
    outcome = HiddenField()
    reason = TextField(_l("理由"), [Words(least=0, most=responses.LONGEST_REASON, missing="")])
    keep_as = LineField(_l("存为常用答复"), [Words(least=0, most=100, missing="")])
    dissents = BooleanField(_l("与拟写的答复不一致"))
    seen = HiddenField()
    name = LineField(_l("名称"), [Words(least=0, most=40, missing="")])
    query = HiddenField()
    group = HiddenField()
    into = HiddenField()


def lists() -> dict[str, Any]:
    """What the forms offer."""
    return {
        "states": list(ResponseState),
        "outcomes": list(Outcome),
        "stances": list(Stance),
        "channels": list(Channel),
        "days": responses.USUAL_DAYS,
    }


def point(consultation: Consultation, point_id: int) -> Point:
    """The point, for the office and for units it was given to; for others it does not exist."""
    require(rules.answer_points)
    found = loading.point(consultation, point_id)
    if not may(rules.work_on_points) and not responses.concerns(found, current_user.unit_id):
        abort(404)
    return found


def readable(point: Point, submission: Submission) -> str:
    """The point's words; those of an opinion that is not shown without what seems personal,
    unless it is the office that reads."""
    said = points.words(point, submission)
    if may(rules.work_on_points) or submission.state is SubmissionState.SHOWN:
        return said
    return originals.blanked(said, [(each.begin, each.end) for each in personal.find(said)])


def drafted(chosen: Sequence[Point], form: ActForm, seen: int | None = None) -> str:
    """Write the answer of points; what to say of it."""
    if form.outcome.data not in OUTCOMES:
        raise Refused(_("请选择采纳情况。"), kept_text=form.reason.data or "")
    outcome, reason = Outcome(form.outcome.data), form.reason.data or ""
    if form.keep_as.data and may(rules.work_on_points):
        wordings.save(form.keep_as.data, outcome, reason, **who())
    count = responses.draft(chosen, outcome, reason, seen=seen, **who())
    return str(_("已拟写%(n)d点的答复。", n=count))


def routed(chosen: Sequence[Point], form: ActForm) -> str:
    """Give points to the unit that was chosen; what to say of it."""
    days = number(form.days.data)
    if days is None or not 0 < days <= responses.MOST_DAYS:
        raise Refused(_("办理期限请填1至%(n)d个工作日。", n=responses.MOST_DAYS))
    known = {each.id for each in units.every()}
    helping = {number(each) for each in form.helping.data or []} & known
    count = responses.route(
        chosen,
        unit(form),
        cooperating=sorted(id for id in helping if id is not None),
        due_on=responses.due_day(local(now()).date(), days),
        **who(),
    )
    return str(_("已分办%(n)d点。", n=count))


def unit(form: ActForm) -> int:
    """The unit that was chosen."""
    id = number(form.unit.data)
    if id not in {each.id for each in units.every()}:
        raise Refused(_("请选择承办单位。"))
    assert id is not None
    return id


def who() -> dict[str, Any]:
    """Who does it, and when."""
    return {"by": current_user, "now": now()}


def number(typed: Any) -> int | None:
    """The number that was sent; None for anything else."""
    text = str(typed or "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


# --- which points ------------------------------------------------------------------------------


def filter_of(consultation: Consultation) -> Filter:
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


def kept_filters() -> dict[str, Any]:
    """The filters the address asks for, as it asks for them."""
    return {name: request.args[name] for name in FILTERS if request.args.get(name)}


def listed(point: Point, submission: Submission) -> str:
    """What a list says of a point: what is not shown is read where it is answered, not in passing."""
    if submission.state is SubmissionState.HIDDEN:
        return str(_("（不展示的意见，打开后办理）"))
    return points.words(point, submission)
