"""The public figures of screening: what was received, shown and not shown, month by month."""

from flask import Blueprint, render_template
from flask_babel import gettext as _

from consult import screening_figures
from consult.decisions import Reason

blueprint = Blueprint("screening_figures", __name__, url_prefix="/rules/figures")
MOST_MONTHS = 24


@blueprint.get("")
def index() -> str:
    """The newest two years."""
    return render_template(
        "consult/home/screening_figures.html",
        months=screening_figures.months(MOST_MONTHS),
        reasons=list(Reason),
        wait_in_words=_in_words,
    )


def _in_words(hours: float | None) -> str:
    """How long opinions waited, as one says it."""
    if hours is None:
        return "—"
    if hours < 1:
        return str(_("不到1小时"))
    if hours < screening_figures.EXACT_HOURS:
        return str(_("%(n)d小时", n=round(hours)))
    return str(_("%(n)d天", n=round(hours / 24)))
