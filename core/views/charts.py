"""ECharts for the pages that draw with it: one file out of its wheel, at an address that names its
content, so that a browser asks for it once."""

import hashlib
from functools import cache

import brotli
from flask import Blueprint, Flask, Response, abort, request, url_for
from markupsafe import Markup

from core import drawing

blueprint = Blueprint("charts", __name__)
# Within 4 % of the smallest, at half its cost.
QUALITY = 5
A_YEAR = 365 * 24 * 3600


@blueprint.get("/vendor/echarts-<digest>.js")
def static(digest: str) -> Response:
    """The library, if this is the address of the one installed."""
    if digest != _digest():
        abort(404)
    packed = request.accept_encodings["br"] > 0
    response = Response(_packed() if packed else _plain(), mimetype="text/javascript")
    if packed:
        response.headers["Content-Encoding"] = "br"
    response.vary.add("Accept-Encoding")
    response.cache_control.public = True
    response.cache_control.max_age = A_YEAR
    response.cache_control.immutable = True
    return response


def init_charts(app: Flask) -> None:
    """Let templates draw (`chart` in macros.html)."""
    app.register_blueprint(blueprint)
    app.jinja_env.globals.update(
        drawn=lambda chart: Markup(drawing.inline(chart)),
        echarts=lambda: url_for("charts.static", digest=_digest()),
    )


def _plain() -> bytes:
    return drawing.asset().read_bytes()


@cache
def _packed() -> bytes:
    packed: bytes = brotli.compress(_plain(), quality=QUALITY)
    return packed


@cache
def _digest() -> str:
    return hashlib.blake2b(_plain(), digest_size=8).hexdigest()
