"""What the public learns of reviews and meetings: totals, once a round is released and its words are
public; before that there is nothing here, and nobody can tell that there is anything."""

from flask import Blueprint, render_template

from panel import round_sheets, stage_totals
from panel.review_ledger import Line
from panel.reviews import Answer
from panel.rounds import ReviewRound
from panel.stage_totals import FEW, Totals, shielded, told

blueprint = Blueprint("round_totals", __name__, url_prefix="/panel/rounds")


@blueprint.get("/")
def index() -> str:
    """Every stage with its totals, and under it every released round."""
    return render_template(
        "panel/round_totals/index.html",
        stages=[(totals, _rounds(totals)) for totals in stage_totals.of_stages()],
        few=FEW,
    )


Figures = list[tuple[str, int | None]]


def _rounds(totals: Totals) -> list[tuple[ReviewRound, Line, Figures, Figures, int | None]]:
    """Each round with how many answered how, its verdicts and its remarks."""
    found = []
    for review_round, line in totals.rounds:
        sheet = round_sheets.sheet(review_round, limit=1)
        answers = [sheet.answers[each] for each in Answer]
        found.append(
            (
                review_round,
                line,
                list(zip((each.title for each in Answer), shielded(answers), strict=True)),
                list(zip(round_sheets.columns(), shielded(sheet.whole), strict=True)),
                told(line.remarks, line.signed),
            )
        )
    return found
