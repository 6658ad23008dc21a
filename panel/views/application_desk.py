"""The applications desk: who applied or was recommended, whether they may sit, who is shortlisted,
who is not chosen and why, and the proposal that a second person confirms."""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import programmes
from consult.programmes import Programme
from consult.views.desk import Door
from core.db import db
from core.forms import Form
from core.permissions import require
from core.web import choice_in, keep_private, local, now, number_in, words_in
from panel import applications, calls, eligibility, quotas, rules, selections
from panel.applications import Application, ApplicationState, Refusal
from panel.views import loading
from panel.views.application_forms import ProposalForm, RefusalForm, ShortlistForm
from panel.views.members import usual_term

blueprint = Blueprint("application_desk", __name__, url_prefix="/desk/panel/applications")
DOORS = (Door(_l("成员申请和推荐"), "application_desk.index", rules.decide_applications),)
AT_ONCE = 30
Answer = Response | tuple[str, int]


@blueprint.before_request
def _those_who_decide() -> None:
    keep_private()
    require(rules.decide_applications)


@blueprint.get("")
def index() -> str:
    """Applications in one state, the newest first."""
    programme = programmes.newest()
    if programme is None:
        return render_template("panel/members/none.html")
    shown = choice_in("state", {each.value for each in ApplicationState}, "received")
    kinds = quotas.categories(programme.id)
    typed = words_in("category", most=120)
    category = typed if typed in kinds else ""
    call_id = number_in("call")
    call = calls.by_id(call_id) if call_id else None
    found = applications.page(
        programme.id,
        state=ApplicationState(shown),
        category=category,
        call_id=call.id if call else None,
        before=number_in("before"),
        limit=AT_ONCE + 1,
    )
    more, found = len(found) > AT_ONCE, found[:AT_ONCE]
    kept: dict[str, Any] = {
        "state": shown,
        "category": category or None,
        "call": call.id if call else None,
    }
    return render_template(
        "panel/application_desk/index.html",
        found=[(each, applications.name_of(each)) for each in found],
        shown=shown,
        states=ApplicationState,
        figures=applications.figures(programme.id),
        kinds=kinds,
        category=category,
        call=call,
        kept=kept,
        next_url=url_for(".index", **kept, before=found[-1].id) if more else None,
        first_url=url_for(".index", **kept) if number_in("before") else None,
    )


@blueprint.get("/<int:application_id>")
def show(application_id: int) -> str:
    """One application with what the rules say of it."""
    return _page(_application(application_id))


@blueprint.post("/<int:application_id>/shortlist")
def shortlist(application_id: int) -> Answer:
    """Put them on the shortlist, with the reasons."""
    application, form = _application(application_id), ShortlistForm()
    if not form.validate():
        return _page(application, shortlisting=form), 422
    eligibility.must_be_met(_facts(application))
    selections.shortlist(application, form.reasons.data, by=current_user, now=now())
    return _done(application, _("已列入入围名单。"))


@blueprint.post("/<int:application_id>/refuse")
def refuse(application_id: int) -> Answer:
    """Decide against them, for a reason of the list and in words."""
    application, form = _application(application_id), RefusalForm().offer()
    if not form.validate():
        return _page(application, refusing=form), 422
    selections.refuse(
        application,
        Refusal(form.refusal.data),
        form.told.data,
        by=current_user,
        now=now(),
    )
    if application.unit_id is not None:
        return _done(application, _("已记为未入选，结果会通知本人和推荐单位。"))
    return _done(application, _("已记为未入选，结果会通知本人。"))


@blueprint.post("/<int:application_id>/propose")
def propose(application_id: int) -> Answer:
    """Propose somebody of the shortlist; another person confirms in the register."""
    application, form = _application(application_id), ProposalForm()
    if not form.validate():
        return _page(application, proposing=form), 422
    facts = _facts(application)
    eligibility.must_be_met(facts)
    appointment = selections.propose(
        application,
        term_from=form.term_from.data,
        term_to=form.term_to.data,
        known=facts.known,
        by=current_user,
        now=now(),
    )
    db.session.commit()
    flash(_("已提名并登入名册，请另一位工作人员确认聘任。"), "success")
    return redirect(url_for("members.show", member_id=appointment.member_id), 303)


def _application(application_id: int) -> Application:
    return applications.by_id(application_id) or abort(404)


def _facts(application: Application) -> eligibility.Facts:
    return eligibility.gather(application, local(now()).date())


def _done(application: Application, said: str) -> Response:
    db.session.commit()
    flash(said, "success")
    return redirect(url_for(".show", application_id=application.id), 303)


def _page(
    application: Application,
    *,
    shortlisting: ShortlistForm | None = None,
    refusing: RefusalForm | None = None,
    proposing: ProposalForm | None = None,
) -> str:
    facts = _facts(application)
    programme = db.session.get_one(Programme, application.programme_id)
    return render_template(
        "panel/application_desk/show.html",
        application=application,
        name=applications.name_of(application),
        person=facts.person,
        facts=facts,
        findings=eligibility.findings(facts),
        fields=loading.fields(programme),
        others=applications.others_of(application),
        fate=application.fate,
        failed=shortlisting or refusing or proposing,
        shortlisting=shortlisting or ShortlistForm(formdata=None),
        refusing=refusing or RefusalForm(formdata=None).offer(),
        proposing=proposing or ProposalForm(formdata=None, data=usual_term()),
        plain=Form(formdata=None),
    )
