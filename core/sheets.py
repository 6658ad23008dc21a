"""Cells of tables that leave the site: no program that opens them may take a cell for a formula."""

FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－﹣−＠|")
UNSEEN = " \u00a0\u3000\u200b\ufeff\u2060"


def inert(text: object) -> str:
    """`text` as a cell that stays text: an apostrophe goes before what could start a formula.

    Programs skip leading spaces and invisible letters, so what counts is the first visible one.
    """
    cell = "" if text is None else str(text)
    start = cell.lstrip(UNSEEN)
    return f"'{cell}" if start and start[0] in FORMULA_SIGNS else cell
