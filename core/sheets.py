"""Cells of tables that leave the site: no program that opens them may take a cell for a formula."""

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    import xlsxwriter

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA_SIGNS = frozenset("=+-@\t\r\n＝＋－﹣−＠|")
UNSEEN = " \u00a0\u3000\u200b\ufeff\u2060"


def inert(text: object) -> str:
    """`text` as a cell that stays text: an apostrophe goes before what could start a formula.

    Programs skip leading spaces and invisible letters, so what counts is the first visible one.
    """
    cell = "" if text is None else str(text)
    start = cell.lstrip(UNSEEN)
    return f"'{cell}" if start and start[0] in FORMULA_SIGNS else cell


def workbook(out: IO[bytes], **more: bool) -> "xlsxwriter.Workbook":
    """An empty workbook that will be written to `out`; what looks like a formula stays words."""
    # 0.1 s to load, for who downloads one.
    import xlsxwriter  # noqa: PLC0415

    return xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, **more})
