"""What the public learns of review rounds: totals, once a round is released and its words are
public; before that there is nothing here, and nobody can tell that there is anything."""

from itertools import groupby

from flask import Blueprint, render_template

from consult.programmes import Stage
from panel import review_ledger, round_sheets
from panel.review_ledger import Line
from panel.rounds import ReviewRound

blueprint = Blueprint("round_totals", __name__, url_prefix="/panel/rounds")
Told = tuple[ReviewRound, Line, round_sheets.Sheet]


@blueprint.get("/")
def index() -> str:
    """Every released round with its totals, by stage."""
    told = [
        (found, line, round_sheets.sheet(found, limit=1))
        for found, line in review_ledger.by_round(released_only=True)
    ]
    told.sort(key=lambda each: -each[0].consultation.stage.ordinal)
    return render_template(
        "panel/round_totals/index.html",
        stages=[(stage, list(some)) for stage, some in groupby(told, lambda each: _stage_of(each))],
        columns=round_sheets.columns(),
    )


def _stage_of(told: Told) -> Stage:
    return told[0].consultation.stage
