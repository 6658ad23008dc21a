"""What machines ask: is it well, and what may be indexed."""

import sqlalchemy as sa
from flask import Blueprint, Response
from sqlalchemy.exc import SQLAlchemyError

from core.db import db

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


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")
