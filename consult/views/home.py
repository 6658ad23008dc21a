"""The front page, the statements every public site owes its readers, and how they are to be read."""

import datetime as dt
from urllib.parse import quote, urlsplit

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import consultations, programmes
from consult.decisions import Reason
from consult.views.comments import CONTACT_DAYS
from core import corrections, preferences, security_log, sessions
from core.forms import csrf
from core.web import now, on_this_site

blueprint = Blueprint("home", __name__)
MOST, MOST_PAST = 100, 12
# When the words of the statements were last looked through, law in hand.
REVIEWED = dt.date(2026, 11, 24)


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
    return render_template("consult/home/rules.html", reasons=list(Reason), reviewed=REVIEWED)


@blueprint.get("/privacy")
def privacy() -> str:
    """What is asked for, why, and how long it is kept."""
    return render_template(
        "consult/home/privacy.html",
        reviewed=REVIEWED,
        contact_days=CONTACT_DAYS,
        session_hours=sessions.LASTS // dt.timedelta(hours=1),
        log_months=security_log.MONTHS_KEPT,
    )


@blueprint.get("/accessibility")
def accessibility() -> str:
    """What readers can count on, and where it is not reached yet."""
    return render_template(
        "consult/home/accessibility.html", reviewed=REVIEWED, days=corrections.WORKING_DAYS
    )


@blueprint.post("/view")
@csrf.exempt  # type: ignore[untyped-decorator]  # flask-wtf is untyped
def set_view() -> Response:
    """Remember how this browser wants the pages, and go back to where it was."""
    form = request.form
    asked = {name: form[name] for name in preferences.CHOICES if name in form}
    if not asked or any(value not in preferences.CHOICES[name] for name, value in asked.items()):
        abort(400)
    response = redirect(_back(on_this_site(form.get("next", ""), url_for("home.index"))))
    secure: bool = current_app.config["SETTINGS"].https_only
    for name, value in asked.items():
        # A preference, not a session: no identity, and it lasts a year. The usual one needs none.
        if value == preferences.CHOICES[name][0]:
            response.delete_cookie(name, httponly=True, samesite="Lax", secure=secure)
        else:
            response.set_cookie(
                name,
                value,
                max_age=preferences.LASTS,
                httponly=True,
                samesite="Lax",
                secure=secure,
            )
    return response


def _back(path: str) -> str:
    """`path` with the query the reader had there. The page itself carries its path alone, because
    it may be kept for all readers; the browser says the rest."""
    came = urlsplit(request.referrer or "")
    same = came.netloc == request.host and came.path == quote(path)
    return on_this_site(f"{came.path}?{came.query}", path) if same and came.query else path
