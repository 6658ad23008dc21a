"""What the public learns of review rounds: totals, once a round is released and its words are
public; before that there is nothing here, and nobody can tell that there is anything."""

from flask import Blueprint, render_template

from panel import review_ledger, round_sheets

blueprint = Blueprint("round_totals", __name__, url_prefix="/panel/rounds")


@blueprint.get("/")
def index() -> str:
    """Every released round with its totals."""
    told = review_ledger.by_round(released_only=True)
    return render_template(
        "panel/round_totals/index.html",
        told=[
            (found, line, round_sheets.sheet(found, limit=1), review_ledger.by_category(found))
            for found, line in told
        ],
        columns=round_sheets.columns(),
    )
