"""Recommending somebody for the panel, for the staff of a unit: the form, and what became of those
the unit itself recommended. Another unit's do not exist here."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import submissions
from consult.programmes import Programme
from consult.views.desk import Door, Line
from core import consents
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.permissions import may, require
from core.web import keep_private, now, number_in
from panel import applications, quotas, rules
from panel.applications import Application
from panel.views import loading
from panel.views.application_forms import RecommendationForm, WithdrawalForm

blueprint = Blueprint("recommendations", __name__, url_prefix="/desk/panel/recommendations")
DOORS = (Door(_l("推荐咨询团成员"), "recommendations.index", rules.recommend),)
AT_ONCE = 30
# So long the desk says that there is a result.
NEWS = dt.timedelta(days=14)
Answer = Response | tuple[str, int]


def lines(at: dt.datetime) -> Iterator[Line]:
    """On the desk of a unit: that somebody it recommended was decided about."""
    unit_id = current_user.unit_id
    if unit_id is None or not may(rules.recommend):
        return
    if number := applications.news_of_unit(unit_id, at - NEWS):
        yield Line(number, _("人"), _("近两周推荐的人选有结果"), url_for("recommendations.index"))


@blueprint.before_request
def _units_only() -> None:
    keep_private()
    require(rules.recommend)


@blueprint.get("")
def index() -> str:
    """Whom my unit recommended, and how far that has come."""
    before, unit_id = number_in("before"), current_user.unit_id
    found = applications.of_unit(unit_id, before=before, limit=AT_ONCE + 1) if unit_id else []
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    return render_template(
        "panel/recommendations/index.html",
        found=[(each, applications.name_of(each)) for each in found],
        unit=current_user.unit,
        next_url=url_for(".index", before=found[-1].id) if more else None,
        first_url=url_for(".index") if before else None,
    )


@blueprint.get("/new")
def write() -> str:
    """The form."""
    return _form_page(RecommendationForm(formdata=None))


@blueprint.post("/new")
def send() -> Answer:
    """Hand the recommendation to the office."""
    programme, unit_id = loading.programme(), _unit()
    form = RecommendationForm()
    form.offer(programme, quotas.categories(programme.id), [])
    if not form.validate():
        return _form_page(form), 422
    person, wish = form.person, form.wish
    found = applications.recommend(
        programme.id,
        unit_id,
        person,
        wish,
        key=applications.once_key(form.form_key.data, f"unit:{unit_id}", person, wish),
        person_key=submissions.person_key(of_site().secret_key, "panel", person.contact),
        consent=consents.PANEL.version,
        by=current_user,
        now=now(),
    )
    db.session.commit()
    flash(_("推荐已经提交，由规划编制工作专班审核。"), "success")
    return redirect(url_for(".show", recommendation_id=found.id), 303)


@blueprint.get("/<int:recommendation_id>")
def show(recommendation_id: int) -> str:
    """One recommendation of my unit, and the reason for its state."""
    return _page(_own(recommendation_id), WithdrawalForm(formdata=None))


@blueprint.post("/<int:recommendation_id>/withdraw")
def withdraw(recommendation_id: int) -> Answer:
    """Take it back; what was filled in is deleted."""
    found, form = _own(recommendation_id), WithdrawalForm()
    if not form.validate():
        return _page(found, form), 422
    applications.withdraw(found, by=current_user, now=now())
    db.session.commit()
    flash(_("推荐已经撤回，填写的内容已经删除。"), "success")
    return redirect(url_for(".show", recommendation_id=found.id), 303)


def _own(recommendation_id: int) -> Application:
    found = applications.by_id(recommendation_id)
    if found is None or found.unit_id is None or found.unit_id != current_user.unit_id:
        abort(404)
    return found


def _unit() -> int:
    unit_id: int | None = current_user.unit_id
    if unit_id is None:
        raise Refused(_("您的账号没有所属单位，请管理员补上后再推荐。"))
    return unit_id


def _form_page(form: RecommendationForm) -> str:
    programme = loading.programme()
    form.offer(programme, quotas.categories(programme.id), [])
    return render_template(
        "panel/recommendations/write.html",
        form=form,
        unit=current_user.unit,
        consent=consents.PANEL,
    )


def _page(found: Application, form: WithdrawalForm) -> str:
    programme = db.session.get_one(Programme, found.programme_id)
    facts: dict[str, Any] = {"fate": found.fate.value if found.fate else ""}
    return render_template(
        "panel/recommendations/show.html",
        application=found,
        name=applications.name_of(found),
        fields=loading.fields(programme),
        form=form,
        **facts,
    )
