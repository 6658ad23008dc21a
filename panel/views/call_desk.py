"""Calls for members, at the desk: drawn up, published, prolonged, and closed before their time."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import programmes
from consult.views.desk import Door
from core.db import db
from core.errors import refusals_on
from core.forms import Form
from core.permissions import require
from core.web import keep_private, now, number_in
from panel import calls, rules
from panel.calls import Call
from panel.views import loading
from panel.views.call_forms import CallForm, CloseForm, ProlongForm, typed

blueprint = Blueprint("call_desk", __name__, url_prefix="/desk/panel/calls")
DOORS = (Door(_l("公开征集成员"), "call_desk.index", rules.decide_applications),)
AT_ONCE = 30
Answer = Response | tuple[str, int]


@blueprint.before_request
def _those_who_decide() -> None:
    keep_private()
    require(rules.decide_applications)


@blueprint.get("")
def index() -> str:
    """All calls, the newest first."""
    programme = programmes.newest()
    if programme is None:
        return render_template("panel/members/none.html")
    before, at = number_in("before"), now()
    found = calls.page(programme.id, before=before, limit=AT_ONCE + 1)
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    return render_template(
        "panel/call_desk/index.html",
        calls=found,
        phases={each.id: each.phase(at).value for each in found},
        next_url=url_for(".index", before=found[-1].id) if more else None,
        first_url=url_for(".index") if before else None,
    )


@blueprint.get("/new")
def create() -> str:
    """An empty call."""
    return _form_page(CallForm(formdata=None).offer(loading.programme()), None)


@blueprint.post("/new")
def save_new() -> Answer:
    """Draw it up."""
    programme = loading.programme()
    form = CallForm().offer(programme)
    if not form.validate():
        return _form_page(form, None), 422
    call = calls.prepare(programme.id, form.notice, by=current_user, now=now())
    return _done(call, _("已经保存，还没有发布。"))


@blueprint.get("/<int:call_id>")
def show(call_id: int) -> str:
    """One call, and what may be done with it."""
    return _page(_call(call_id))


@blueprint.get("/<int:call_id>/change")
def edit(call_id: int) -> str:
    """The form for its words."""
    call = _call(call_id)
    return _form_page(CallForm(formdata=None, data=typed(call)).offer(loading.programme()), call)


@blueprint.post("/<int:call_id>/change")
def save(call_id: int) -> Answer:
    """Word it anew, before it is published."""
    call, form = _call(call_id), CallForm().offer(loading.programme())
    if not form.validate():
        return _form_page(form, call), 422
    calls.change(call, form.notice, by=current_user, now=now())
    return _done(call, _("已经保存，还没有发布。"))


@blueprint.post("/<int:call_id>/open")
def publish(call_id: int) -> Answer:
    """Let everybody see it."""
    call, form = _call(call_id), Form()
    if not form.validate():
        return _page(call), 422
    calls.open_(call, by=current_user, now=now())
    return _done(call, _("征集已经发布。"))


@blueprint.post("/<int:call_id>/prolong")
def prolong(call_id: int) -> Answer:
    """Move its end later, with the reason."""
    call, form = _call(call_id), ProlongForm()
    if not form.validate():
        return _page(call, prolonging=form), 422
    with refusals_on(lambda sentence: _page(call, prolonging=form, refusal=sentence)):
        calls.prolong(call, form.closes_at, form.why.data, by=current_user, now=now())
    return _done(call, _("征集已经延长，征集页上同时登出了原来和新的截止日期。"))


@blueprint.post("/<int:call_id>/close")
def close(call_id: int) -> Answer:
    """End it before its time, with the reason."""
    call, form = _call(call_id), CloseForm()
    if not form.validate():
        return _page(call, closing=form), 422
    calls.close(call, form.reason.data, by=current_user, now=now())
    return _done(call, _("征集已经提前截止，已收到的申请继续办理。"))


def _call(call_id: int) -> Call:
    return calls.by_id(call_id) or abort(404)


def _done(call: Call, said: str) -> Response:
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".show", call_id=call.id), 303)


def _form_page(form: CallForm, call: Call | None) -> str:
    return render_template("panel/call_desk/change.html", form=form, call=call)


def _page(
    call: Call,
    *,
    closing: CloseForm | None = None,
    prolonging: ProlongForm | None = None,
    refusal: str = "",
) -> str:
    return render_template(
        "panel/call_desk/show.html",
        call=call,
        phase=call.phase(now()).value,
        failed=closing or prolonging,
        closing=closing or CloseForm(formdata=None),
        prolonging=prolonging or ProlongForm(formdata=None),
        refusal=refusal,
        plain=Form(formdata=None),
    )
