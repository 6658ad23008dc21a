"""How good the suggestions of topics and units are, on what people have confirmed."""

from flask import Blueprint, render_template

from consult import point_lists, point_suggestions, rules
from consult.point_suggestions import About
from consult.views import loading
from core import units
from core.permissions import require
from core.web import keep_private

blueprint = Blueprint("suggestions", __name__, url_prefix="/desk")


@blueprint.get("/consultations/<slug>/points/suggestions")
def index(slug: str) -> str:
    """Accuracy of both kinds of suggestion, label by label, as of now."""
    require(rules.work_on_points)
    keep_private()
    consultation = loading.consultation(slug)
    programme = consultation.programme
    return render_template(
        "consult/points/suggestions.html",
        consultation=consultation,
        found=[(about, point_suggestions.accuracy(programme.id, about)) for about in About],
        titles={each.key: each.title for each in point_lists.subjects(programme)}
        | {str(unit.id): unit.name for unit in units.every()},
        folds=point_suggestions.FOLDS,
    )
