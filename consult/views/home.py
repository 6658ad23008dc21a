"""The front page, the statements every public site owes its readers, and the reading view."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import consultations, programmes
from consult.screening import Reason
from core.forms import csrf
from core.web import now, on_this_site

blueprint = Blueprint("home", __name__)
VIEWS = frozenset({"plain", "elder"})
MOST, MOST_PAST = 100, 12


@blueprint.get("/")
def index() -> str:
    """What is open now, where the programme stands, what became of earlier rounds."""
    at = now()
    open_now = consultations.open_at(at, limit=MOST)
    upcoming = consultations.upcoming_at(at, limit=MOST)
    past = consultations.past_at(at, limit=MOST_PAST + 1)
    return render_template(
        "consult/home/index.html",
        now=at,
        phases={each.id: each.phase(at) for each in (*open_now, *upcoming, *past)},
        open_now=open_now,
        upcoming=upcoming,
        past=past[:MOST_PAST],
        more_past=len(past) > MOST_PAST,
        programme=next(iter(programmes.every()), None),
    )


@blueprint.get("/rules")
def rules() -> str:
    """How opinions are taken, screened, shown and counted."""
    return render_template("consult/home/rules.html", reasons=list(Reason))


@blueprint.get("/privacy")
def privacy() -> str:
    """What is asked for, why, and how long it is kept."""
    return render_template("consult/home/privacy.html")


@blueprint.get("/accessibility")
def accessibility() -> str:
    """What readers can count on, and where it is not reached yet."""
    return render_template("consult/home/accessibility.html")


@blueprint.post("/view")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf is untyped
def set_view() -> Response:
    """Remember whether this browser reads in the plain or the elder-friendly view."""
    view = request.form.get("view", "")
    if view not in VIEWS:
        abort(400)
    response = redirect(on_this_site(request.form.get("next", ""), url_for("home.index")))
    # A preference, not a session: no identity, and it lasts a year.
    response.set_cookie("view", view, max_age=365 * 86400, httponly=True, samesite="Lax")
    return response
