"""The staff desk: what there is to do today."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import NamedTuple

from flask import Blueprint, Flask, current_app, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user

from consult import (
    consultations,
    inquiries,
    response_progress,
    rules,
    screening_queue,
)
from core import corrections, outbox
from core import rules as core_rules
from core.permissions import Rule, may, require
from core.web import keep_private, local, now

blueprint = Blueprint("desk", __name__, url_prefix="/desk")


class Door(NamedTuple):
    """A room of the desk: its title (a lazy one), its endpoint, and who may enter."""

    title: object
    endpoint: str
    rule: Rule


class Line(NamedTuple):
    """What waits for whoever looks: how many of what, in words, and where to go on."""

    number: int
    unit: str
    title: str
    url: str


Lines = Callable[[dt.datetime], Iterable[Line]]


def add_lines(app: Flask, lines: Lines) -> None:
    """Let a package that the consultation does not know say on the desk what waits. `lines` is
    asked at each look, and gives those only that the person who looks may go on with."""
    app.extensions.setdefault("desk_lines", []).append(lines)


def add_door(app: Flask, door: Door) -> None:
    """Let a package that the consultation does not know open a room at the desk."""
    app.extensions.setdefault("desk_doors", []).append(door)


@blueprint.get("/")
def today() -> str:
    """What waits, what closes soon, and the doors to the rooms this person may enter."""
    keep_private()
    require(rules.work_at_desk)
    at = now()
    every = consultations.every(public_only=False)
    return render_template(
        "consult/desk/today.html",
        waiting=screening_queue.pending_count(),
        consultations=every,
        phases={each.id: each.phase(at) for each in every},
        now=at,
        rules=rules,
        corrections=corrections.waiting(at) if may(core_rules.answer_corrections) else None,
        stuck=outbox.stuck() if may(core_rules.mind_messages) else 0,
        late=response_progress.overdue(local(at).date()) if may(rules.work_on_points) else 0,
        to_answer=_to_answer(at),
        mine=_mine(),
        lines=[line for ask in current_app.extensions.get("desk_lines", []) for line in ask(at)],
        asked=_asked(at),
        floors=_open_floors(),
    )


def _to_answer(at: dt.datetime) -> tuple[int, int]:
    """How many points the unit of whoever looks still has to answer, and how many are overdue."""
    unit_id = current_user.unit_id
    if unit_id is None or not may(rules.answer_points):
        return 0, 0
    late = response_progress.overdue(local(at).date(), unit_id=unit_id)
    return response_progress.waiting_for(unit_id), late


def _mine() -> int:
    """How many points whoever looks was named for and has still to answer."""
    if current_user.unit_id is None or not may(rules.answer_points):
        return 0
    return response_progress.waiting_for(current_user.unit_id, person_id=current_user.id)


def _asked(at: dt.datetime) -> int:
    """How many inquiries the unit of whoever looks has still to answer."""
    unit_id = current_user.unit_id
    return inquiries.waiting_for(unit_id, at) if unit_id and may(rules.answer_inquiries) else 0


def _open_floors() -> list[tuple[str, list[tuple[str, str]]]]:
    """The rooms whoever looks may enter, (title, address), under what they have in common."""
    doors: list[Door] = current_app.extensions.get("desk_doors", [])
    floors = [
        (title, [(str(room.title), url_for(room.endpoint)) for room in rooms if may(room.rule)])
        for title, rooms in [
            (_("征求意见"), _consultation_rooms()),
            (_("公众咨询团"), doors),
            (_("网站"), _site_rooms()),
        ]
    ]
    return [(title, rooms) for title, rooms in floors if rooms]


def _consultation_rooms() -> list[Door]:
    return [
        Door(_("意见审核"), "screening.queue", rules.screen),
        Door(_("意见征集管理"), "publishing.index", rules.prepare_consultations),
        Door(_("登记一件意见"), "desk_entry.write", rules.take_in_files),
        Door(_("导入其他渠道的意见"), "intake.index", rules.take_in_files),
        Door(_("意见汇总"), "summaries.index", rules.read_summaries),
        Door(_("词典"), "lexicon.index", rules.read_summaries),
        Door(_("我单位的意见点"), "points.mine", rules.answer_points),
        Door(_("向我单位征询的意见"), "inquiries.mine", rules.answer_inquiries),
        Door(_("常用答复"), "wordings.index", rules.work_on_points),
    ]


def _site_rooms() -> list[Door]:
    return [
        Door(_("网站纠错"), "corrections.queue", core_rules.answer_corrections),
        Door(_("后台任务"), "jobs.index", core_rules.see_jobs),
        Door(_("通知发送情况"), "outbox.index", core_rules.mind_messages),
        Door(_("人员与权限"), "people.index", core_rules.manage_people),
        Door(_("操作记录"), "audit.index", core_rules.read_audit),
    ]
