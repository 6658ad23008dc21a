"""我单位的意见点: what was given to the unit of whoever looks, and who of it answers what."""

from collections.abc import Callable, Sequence
from urllib.parse import urlencode

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as Answer

from consult import officers, point_acts, point_lists, response_progress, rules
from consult.consultations import Consultation
from consult.point_lists import Filter
from consult.points import Point
from consult.responses import DONE, Response, ResponseState
from consult.views import point_forms
from consult.views.point_forms import OF_UNIT, PAGE, STATES, ActForm
from core.db import db
from core.errors import Refused
from core.permissions import require
from core.web import choice_in, local, now, number_in, whole_number


def mine() -> str:
    """The points of the unit, filtered, in pages."""
    require(rules.answer_points)
    unit_id = current_user.unit_id
    state = choice_in("state", STATES)
    today = local(now()).date()
    wanted = Filter(
        state=ResponseState(state) if state else None,
        # No unit has this number: who belongs to none sees none.
        unit_id=unit_id or 0,
        person_id=point_forms.person(),
        overdue_on=today if choice_in("overdue", {"1"}) else None,
    )
    found = point_lists.page(None, wanted, after=number_in("after") or 0, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    kept = point_forms.kept_filters(OF_UNIT)
    rounds = {s.consultation_id for _p, s, _r in found}
    staff = officers.of_units([unit_id]) if unit_id else []
    return render_template(
        "consult/points/mine.html",
        found=found,
        words={p.id: point_forms.readable(p, s) for p, s, _r in found},
        slugs={id: db.session.get_one(Consultation, id) for id in rounds},
        unit=current_user.unit,
        states=list(ResponseState),
        state=state,
        officers=staff,
        named=officers.named([p.id for p, _s, _r in found]),
        to_name={p.id for p, _s, r in found if _may_be_named(p, r)},
        by_person=response_progress.by_person(unit_id, today=today) if unit_id else [],
        overdue=response_progress.overdue(today, unit_id=unit_id or 0),
        waiting=response_progress.waiting_for(unit_id or 0),
        views=[
            (each, point_forms.of_query(each.query, OF_UNIT))
            for each in point_lists.views(current_user.id, of_unit=True)
        ],
        kept=kept,
        query=urlencode(kept),
        next_url=url_for(".mine", **kept, after=found[-1][0].id) if more else None,
        first_url=url_for(".mine", **kept) if request.args.get("after") else None,
        today=today,
    )


def _may_be_named(point: Point, answer: Response | None) -> bool:
    """Whether the unit may still say who answers: it leads, and the answer is not final."""
    leads = point.lead_unit_id is not None and point.lead_unit_id == current_user.unit_id
    return leads and (answer is None or answer.state not in DONE)


def choose_mine() -> Answer:
    """Name who answers the points that are chosen in the list, or keep its filters."""
    require(rules.answer_points)
    form = ActForm()
    if not form.validate():
        abort(422)
    acts: dict[str, Callable[[], str]] = {
        "assign": lambda: _assigned(form),
        "view": lambda: point_forms.view_kept(form, OF_UNIT, of_unit=True),
        "drop": lambda: point_forms.view_dropped(form),
    }
    done = acts.get(form.act.data or "")
    if done is None:
        abort(422)
    said = done()
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".mine", **point_forms.of_query(form.query.data or "", OF_UNIT)), 303)


def _assigned(form: ActForm) -> str:
    by_round: dict[int, list[Point]] = {}
    for point in _chosen(form):
        by_round.setdefault(point.consultation_id, []).append(point)
    if not by_round:
        raise Refused(_("请选择意见点。"))
    # In one order, so that two who name people at once do not wait for each other.
    return "".join(point_forms.assigned(by_round[id], form) for id in sorted(by_round))


def _chosen(form: ActForm) -> Sequence[Point]:
    """The chosen points that the unit leads."""
    ids = [n for each in form.points.data or [] if (n := whole_number(each)) is not None]
    found = [db.session.get(Point, id) for id in ids[: point_acts.MOST_MERGED] if id < 2**31]
    unit_id = current_user.unit_id
    return [p for p in found if p is not None and unit_id and p.lead_unit_id == unit_id]
