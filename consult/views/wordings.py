"""常用答复: the wordings kept for further answers, where each is used, and their end."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import rules, wordings
from core.db import db
from core.permissions import require
from core.web import keep_private, now

blueprint = Blueprint("wordings", __name__, url_prefix="/desk/wordings")


@blueprint.get("/")
def index() -> str:
    """The wordings in use, each with how many points are answered with exactly its words."""
    require(rules.work_on_points)
    keep_private()
    return render_template("consult/wordings/index.html", wordings=wordings.every())


@blueprint.post("/<int:wording_id>/retire")
def retire(wording_id: int) -> Response:
    """Offer it no more; the answers that use it stay."""
    require(rules.work_on_points)
    keep_private()
    wording = wordings.by_id(wording_id)
    if wording is None:
        abort(404)
    wordings.retire(wording, by=current_user, now=now())
    db.session.commit()
    flash(_("“%(name)s”不再提供，用过它的答复不变。", name=wording.title), "success")
    return redirect(url_for(".index"), 303)
