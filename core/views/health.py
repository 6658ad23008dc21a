"""What machines ask: is it well, what may be indexed, and who hears of weak spots."""

import datetime as dt

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, url_for
from sqlalchemy.exc import SQLAlchemyError

from core.config import Settings
from core.db import db
from core.web import now

blueprint = Blueprint("health", __name__)

ROBOTS = """User-agent: *
Disallow: /account
Disallow: /corrections/new
Disallow: /desk
Disallow: /sign-in
"""


@blueprint.get("/healthz")
def healthz() -> tuple[Response, int]:
    """200 when the database answers, 503 when it does not."""
    try:
        db.session.execute(sa.select(1))
    except SQLAlchemyError:
        return _plain("unavailable\n"), 503
    return _plain("ok\n"), 200


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Public pages may be found; desks and accounts need not be."""
    response = _plain(ROBOTS)
    response.cache_control.max_age = 86400
    return response


@blueprint.get("/.well-known/security.txt")
def security() -> Response:
    """Who hears of weak spots, by RFC 9116. Addresses are the ones of the settings."""
    settings: Settings = current_app.config["SETTINGS"]
    site = settings.site_url.rstrip("/")
    # Whole months, so that the answer changes seldom: always more than half a year ahead.
    month = now().year * 12 + now().month - 1 + 7
    expires = dt.datetime(month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
    contact = settings.security_contact or site + url_for("corrections.create")
    response = _plain(
        f"Contact: {contact}\n"
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}\n"
        "Preferred-Languages: zh, en\n"
        f"Canonical: {site}{url_for('.security')}\n"
        f"Policy: {site}{url_for('home.privacy')}#security\n"
    )
    response.cache_control.max_age = 86400
    return response


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")
