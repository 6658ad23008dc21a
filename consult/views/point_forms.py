"""What the pages of points share: the form of all acts on them, and what it asks for."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import BooleanField, HiddenField, SelectMultipleField

from consult import drafts, originals, point_lists, points, responses, rules, wordings
from consult.analysis import personal
from consult.consultations import Consultation
from consult.point_lists import Filter
from consult.points import Point
from consult.responses import Outcome, ResponseState, Seen
from consult.stances import Stance
from consult.submissions import Channel, Submission, SubmissionState
from consult.views import loading
from core import units, working_days
from core.errors import Refused
from core.forms import Form, LineField, TextField, Words
from core.permissions import may, require
from core.web import choice_in, local, now, number_in, whole_number, words_in

HERE = "/consultations/<slug>/points"
PAGE = 30
STATES = {each.value for each in ResponseState}
FILTERS = (
    *("state", "unit", "topic", "field", "plan", "section", "stance", "channel"),
    *("overdue", "unrouted", "group", "person"),
)
# Those of the workbench of a unit.
OF_UNIT = ("state", "person", "overdue")
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
    # Of each listed point the revision of its answer: 12:3.
    listed = SelectMultipleField(_l("意见点"), choices=[], validate_choice=False)
    wording = HiddenField()
    name = LineField(_l("名称"), [Words(least=0, most=40, missing="")])
    query = HiddenField()
    group = HiddenField()
    into = HiddenField()
    person = HiddenField()
    view = HiddenField()


def lists() -> dict[str, Any]:
    """What the forms offer."""
    return {
        "states": list(ResponseState),
        "outcomes": list(Outcome),
        "stances": list(Stance),
        "channels": list(Channel),
        "days": responses.USUAL_DAYS,
        "calendar_ends": not working_days.is_announced(
            responses.due_day(local(now()).date(), responses.MOST_DAYS)
        ),
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


def drafted(chosen: Sequence[Point], form: ActForm, seen: Seen | None = None) -> str:
    """Write the answer of points, where nothing is typed in a wording's words; what to say of it."""
    wording = wordings.by_id(whole_number(form.wording.data) or 0)
    if wording is None or wording.retired:
        typed, reason = form.outcome.data, form.reason.data or ""
    else:
        typed = form.outcome.data or wording.outcome.value
        reason = form.reason.data or wording.reason
    if typed not in OUTCOMES:
        raise Refused(_("请选择采纳情况。"), kept_text=reason)
    outcome = Outcome(typed)
    if form.keep_as.data and may(rules.work_on_points):
        wordings.save(form.keep_as.data, outcome, reason, **who())
    count = responses.draft(chosen, outcome, reason, seen=seen, **who())
    return str(_("已拟写%(n)d点的答复。", n=count))


def routed(chosen: Sequence[Point], form: ActForm) -> str:
    """Give points to the unit that was chosen; what to say of it."""
    days = whole_number(form.days.data)
    if days is None or not 0 < days <= responses.MOST_DAYS:
        raise Refused(_("办理期限请填1至%(n)d个工作日。", n=responses.MOST_DAYS))
    known = {each.id for each in units.every()}
    helping = {whole_number(each) for each in form.helping.data or []} & known
    count = responses.route(
        chosen,
        unit(form),
        cooperating=sorted(id for id in helping if id is not None),
        due_on=responses.due_day(local(now()).date(), days),
        **who(),
    )
    return str(_("已分办%(n)d点。", n=count))


def assigned(chosen: Sequence[Point], form: ActForm) -> str:
    """Name who answers points of one round, or nobody any more; what to say of it."""
    typed = form.person.data or ""
    if typed == "":
        raise Refused(_("请选择经办人。"))
    return _named(chosen, None if typed == "none" else whole_number(typed) or 0)


def taken(chosen: Sequence[Point]) -> str:
    """Let whoever asks answer points themselves; what to say of it."""
    return _named(chosen, current_user.id)


def _named(chosen: Sequence[Point], person_id: int | None) -> str:
    within = None if may(rules.work_on_points) else current_user.unit_id
    act = responses.assign(chosen, person_id, within=within, **who())
    if act is None:
        return str(_("经办人没有变化。"))
    count, name = len(act.after["points"]), act.after["name"]
    if not name:
        return str(_("%(n)d点不再指定经办人。", n=count))
    others = sum(each.lead_unit_id != act.after["unit"] for each in chosen)
    said = str(_("%(n)d点由%(name)s经办。", n=count, name=name))
    if others:
        said += str(_("另有%(n)d点由其他单位承办或者没有分办，没有改动。", n=others))
    return said


def unit(form: ActForm) -> int:
    """The unit that was chosen."""
    id = whole_number(form.unit.data)
    if id not in {each.id for each in units.every()}:
        raise Refused(_("请选择承办单位。"))
    assert id is not None
    return id


def who() -> dict[str, Any]:
    """Who does it, and when."""
    return {"by": current_user, "now": now()}


def seen_of(form: ActForm) -> dict[int, int]:
    """{point: the revision of its answer} as the list showed them."""
    pairs = (each.partition(":") for each in form.listed.data or [])
    found = {whole_number(id): whole_number(revision) for id, _colon, revision in pairs}
    return {id: seen for id, seen in found.items() if id is not None and seen is not None}


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
        person_id=person(),
        topic=words_in("topic", most=64),
        field=words_in("field", most=64),
        plan=words_in("plan", most=64),
        places=_places(consultation, number_in("section")),
        stance=Stance(stance) if stance else None,
        channel=Channel(channel) if channel else None,
        group_id=number_in("group"),
        overdue_on=local(now()).date() if choice_in("overdue", {"1"}) else None,
    )


def person() -> int | None:
    """Whose points the address asks for: `me`, `none` (0: nobody's), or an account's number."""
    if request.args.get("person") == "me":
        return int(current_user.id)
    return 0 if request.args.get("person") == "none" else number_in("person")


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


def kept_filters(names: Sequence[str] = FILTERS) -> dict[str, Any]:
    """The filters the address asks for, as it asks for them."""
    return {name: request.args[name] for name in names if request.args.get(name)}


def of_query(query: str, names: Sequence[str] = FILTERS) -> dict[str, Any]:
    """The filters of a kept view or of a sent list; whatever else stands there is left out."""
    return {name: value for name, value in parse_qsl(query) if name in names and len(value) < 65}


def view_kept(form: ActForm, names: Sequence[str] = FILTERS, *, of_unit: bool = False) -> str:
    """Keep the filters of a list under a name; what to say of it."""
    if not form.name.data:
        raise Refused(_("请写明名称。"))
    query = urlencode(of_query(form.query.data or "", names))[:400]
    point_lists.keep_view(current_user.id, form.name.data, query, of_unit=of_unit)
    return str(_("已保存“%(name)s”。", name=form.name.data))


def view_dropped(form: ActForm) -> str:
    """Keep a list's filters no more; what to say of it."""
    dropped = point_lists.drop_view(current_user.id, whole_number(form.view.data) or 0)
    return str(_("已删除“%(name)s”。", name=dropped.name) if dropped else _("已经删除了。"))


def listed(point: Point, submission: Submission) -> str:
    """What a list says of a point: what is not shown is read where it is answered, not in passing."""
    if submission.state is SubmissionState.HIDDEN:
        return str(_("（不展示的意见，打开后办理）"))
    return points.words(point, submission)
