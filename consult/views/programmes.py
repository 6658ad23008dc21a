"""The public timeline of a programme: where it stands, what is open, what it is made of."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, abort, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from consult import consultations, gantt, programmes, stage_reports, topics
from consult.consultations import Consultation
from consult.programmes import Programme, Stage
from consult.topics import Topic
from core.web import local, month, now

blueprint = Blueprint("programmes", __name__, url_prefix="/programmes")


@dataclass(frozen=True)
class OpenCall:
    """A consultation that takes opinions now, as the page names it."""

    title: str
    url: str
    first: dt.date
    last: dt.date
    closes_at: dt.datetime


@dataclass(frozen=True)
class TopicGroup:
    """Topics that stand together in the source: a group and, within it, a theme."""

    title: str
    theme: str
    topics: Sequence[Topic]


@blueprint.get("/", defaults={"slug": ""})
@blueprint.get("/<slug>/")
def timeline(slug: str) -> str | Response:
    """The programme at this address; without one, the newest."""
    if not slug:
        newest = programmes.newest()
        if newest is None:
            return render_template("consult/programmes/empty.html")
        return redirect(url_for("programmes.timeline", slug=newest.slug))
    programme = programmes.by_slug(slug)
    if programme is None:
        abort(404)
    at = now()
    today = local(at).date()
    answered = stage_reports.has_any(stage.id for stage in programme.stages)
    open_now = [
        _call(each) for each in consultations.open_at(at) if each.programme_id == programme.id
    ]
    return render_template(
        "consult/programmes/timeline.html",
        programme=programme,
        facts=programme.facts,
        gates=programme.facts.get("gates", {}),
        now=at,
        today=today,
        standing=standing(programme, today),
        under_way=programme.nodes_on(today),
        open_now=open_now,
        answered=[stage for stage in programme.stages if stage.id in answered],
        chart=gantt.chart(_groups(programme, open_now), today, _labels())
        if programme.stages
        else None,
        topic_groups=_topic_groups(programme),
    )


def standing(programme: Programme, today: dt.date) -> str:
    """Where the programme stands on `today`, in a sentence; never more than its months say."""
    if not programme.stages:
        return str(_("各阶段的时间还没有公布。"))
    if today < programme.starts_on:
        return str(_("规划编制将于%(when)s开始。", when=month(programme.starts_on)))
    if today > programme.ends_on:
        return str(_("规划编制期已于%(when)s结束。", when=month(programme.ends_on)))
    stages = [stage for stage in programme.stages if stage.starts_on <= today <= stage.ends_on]
    if not stages:
        return str(_("现在处于两个阶段之间。"))
    names = _("，同时进行").join(stage.title for stage in stages)
    return str(_("现在处于%(stages)s。", stages=names))


def _call(consultation: Consultation) -> OpenCall:
    first, last, closes_at = (
        consultation.first_day,
        consultation.last_day,
        consultation.closes_at,
    )
    assert first
    assert last
    assert closes_at
    url = url_for("consultations.notice", slug=consultation.slug)
    return OpenCall(consultation.title, url, first, last, closes_at)


def _labels() -> gantt.Labels:
    return gantt.Labels(
        year=_("{}年"),
        quarters=(_("一季度"), _("二季度"), _("三季度"), _("四季度")),
        month=_("{}月"),
    )


def _groups(programme: Programme, open_now: Sequence[OpenCall]) -> list[gantt.Group]:
    """What the picture shows: the stages, and below them what is open, as far as it lies within
    the programme's own months."""
    groups = [_group(programme, stage) for stage in programme.stages]
    inside = [
        gantt.Task(call.title, call.first, call.last)
        for call in open_now
        if call.first <= programme.ends_on and call.last >= programme.starts_on
    ]
    if inside:
        first = max(min(task.first for task in inside), programme.starts_on)
        last = min(max(task.last for task in inside), programme.ends_on)
        groups.append(gantt.Group(_("正在征求意见"), first, last, inside))
    return groups


def _group(programme: Programme, stage: Stage) -> gantt.Group:
    gates = programme.facts.get("gates", {})
    return gantt.Group(
        _("%(numeral)s、%(title)s", numeral=stage.numeral, title=stage.title),
        stage.starts_on,
        stage.ends_on,
        [
            gantt.Task(
                f"{node.ordinal}. {node.title}",
                node.starts_on,
                node.ends_on,
                gates.get(node.gate.value, {}).get("mark", ""),
            )
            for node in stage.nodes
        ],
        stage.parallel,
    )


def _topic_groups(programme: Programme) -> list[TopicGroup]:
    titles = programme.facts.get("topic_groups", {})
    return [
        TopicGroup(titles.get(group, ""), theme, list(together))
        for (group, theme), together in groupby(
            topics.of(programme), key=lambda topic: (topic.group_key, topic.theme)
        )
    ]
