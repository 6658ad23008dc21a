"""Targets of the panel's composition, at the desk: how many of each field, place, sex and age."""

from typing import NamedTuple

import sqlalchemy as sa
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult.programmes import Programme
from core.db import db
from core.forms import Form
from core.permissions import require
from core.units import Unit, UnitKind
from core.web import keep_private, now
from panel import composition, registers, rules, targets
from panel.members import Gender
from panel.targets import Key, Way
from panel.views import loading

blueprint = Blueprint("targets", __name__, url_prefix="/desk/panel/targets")
MOST = 999


class Line(NamedTuple):
    """One number that may be typed in: the name of its field, of what it is, and what stands there."""

    field: str
    title: str
    key: Key
    typed: str
    is_wrong: bool


@blueprint.before_request
def _those_who_keep_it() -> None:
    keep_private()
    require(rules.keep_register)


@blueprint.get("")
def index() -> str:
    """What is wanted now."""
    return _page(_lines(loading.programme()))


@blueprint.post("")
def save() -> Response | tuple[str, int]:
    """Say how many are wanted; an empty place wants nothing."""
    programme, form = loading.programme(), Form()
    lines = _lines(programme, sent=True)
    if not form.validate() or any(line.is_wrong for line in lines):
        return _page(lines), 422
    wanted = {line.key: int(line.typed or 0) for line in lines}
    targets.plan(programme.id, wanted, by=current_user, now=now())
    db.session.commit()
    flash(_("目标已经保存。"), "success")
    return redirect(url_for("members.shares"), 303)


def _lines(programme: Programme, *, sent: bool = False) -> list[Line]:
    """All there is to say, with what is wanted now or what was sent."""
    there = targets.planned(programme.id)
    lines = []
    for place, (key, title) in enumerate(_kinds(programme, there)):
        field = f"wanted-{place}"
        typed = request.form.get(field, "").strip() if sent else str(there.get(key, ""))
        good = not typed or (typed.isascii() and typed.isdigit() and len(typed) <= len(str(MOST)))
        lines.append(Line(field, title, key, typed[:20], not good))
    return lines


def _kinds(programme: Programme, there: dict[Key, int]) -> list[tuple[Key, str]]:
    """Every kind for which a target may be set; places that have one stay, known or not."""
    query = sa.select(Unit.name).where(Unit.kind == UnitKind.SUBDISTRICT).order_by(Unit.name)
    places = [
        *db.session.scalars(query),
        *registers.sub_districts(programme.id),
        *(key for way, key in there if way is Way.PLACE),
    ]
    return [
        *(((Way.FIELD, key), title) for key, title in loading.fields(programme).items()),
        *(((Way.PLACE, name[:64]), name) for name in dict.fromkeys(places)),
        *(((Way.GENDER, each.value), each.title) for each in Gender),
        *(
            ((Way.AGE, str(first)), name)
            for first, name in zip(composition.BANDS, composition.band_names(), strict=True)
        ),
    ]


def _page(lines: list[Line]) -> str:
    return render_template(
        "panel/members/targets.html",
        ways=[(way, [line for line in lines if line.key[0] is way]) for way in Way],
        wrong=[line.title for line in lines if line.is_wrong],
        most=MOST,
        form=Form(formdata=None),
    )
