"""我单位的意见点: what was given to the unit of whoever looks."""

from typing import Any

from flask import render_template, request, url_for
from flask_login import current_user

from consult import (
    point_lists,
    response_progress,
    rules,
)
from consult.consultations import Consultation
from consult.point_lists import Filter
from consult.responses import ResponseState
from consult.views import point_forms
from consult.views.point_forms import PAGE, STATES
from core.db import db
from core.permissions import require
from core.web import choice_in, local, now, number_in


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
        words={p.id: point_forms.readable(p, s) for p, s, _r in found},
        slugs={id: db.session.get_one(Consultation, id) for id in rounds},
        unit=current_user.unit,
        states=list(ResponseState),
        state=state,
        overdue=response_progress.overdue(today, unit_id=unit_id or 0),
        waiting=response_progress.waiting_for(unit_id or 0),
        next_url=url_for(".mine", **kept, after=found[-1][0].id) if more else None,
        today=today,
    )
