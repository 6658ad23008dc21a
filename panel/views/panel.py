"""The panel as everybody may see it: who sits, by consent, and how the seats are filled."""

from itertools import groupby

from flask import Blueprint, render_template
from flask_login import current_user

from consult import programmes, topics
from core.web import keep_private, local, now
from panel import appointments, calls, composition, quotas

blueprint = Blueprint("panel", __name__, url_prefix="/panel")


@blueprint.get("/")
def index() -> str:
    """Who sits on the panel today: named by consent, else by surname alone."""
    if current_user.is_authenticated:
        keep_private()
    programme = programmes.newest()
    if programme is None:
        return render_template("panel/public/index.html", programme=None, calls=[])
    today = local(now()).date()
    kinds = quotas.categories(programme.id)
    fields = {topic.key: topic.title for topic in topics.of(programme)}
    seated = sorted(
        appointments.sitting(programme.id, today),
        key=lambda each: kinds.index(each.category) if each.category in kinds else len(kinds),
    )
    return render_template(
        "panel/public/index.html",
        programme=programme,
        calls=calls.open_now(programme.id, now()),
        facts=programme.facts.get("panel") or {},
        groups=[
            (kind, list(found)) for kind, found in groupby(seated, key=lambda each: each.category)
        ],
        fields=fields,
        shares=composition.of(
            seated,
            categories=kinds,
            planned=quotas.planned(programme.id),
            fields=fields,
            on_day=today,
        ),
        today=today,
    )
