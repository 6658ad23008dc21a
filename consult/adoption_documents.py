"""The adoption table as an official paper (.docx, GB/T 9704) and as a workbook (.xlsx)."""

import io

import xlsxwriter
from flask_babel import gettext as _

from consult.adoption import Part, Row, Table
from consult.consultations import Consultation
from consult.official_paper import blank, body, heading, table, title
from consult.response_rows import Outcome

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# In mm, on the 156 mm between the margins; in characters, in the workbook.
WIDTHS = (10, 16, 16, 26, 38, 16, 34)
COLUMNS = (8, 14, 14, 28, 60, 12, 50, 8, 24)
NUMERALS = "一二三四"


def head() -> list[str]:
    """The columns of the official table."""
    return [
        *(_("序号"), _("提出人"), _("渠道"), _("对应章节")),
        *(_("意见内容"), _("采纳情况"), _("理由")),
    ]


def totals(made: Table) -> str:
    """The sentence on top: every number of it can be added up from the rows."""
    outcomes = "，".join(
        _("%(what)s%(n)d条", what=outcome.title, n=made.outcomes.get(outcome, 0))
        for outcome in Outcome
    )
    said = _(
        "共收到意见%(a)d件，拆分为意见点%(b)d条，内容相同的归并后%(c)d项。其中%(outcomes)s。",
        a=made.pieces,
        b=made.points,
        c=len(made.rows),
        outcomes=outcomes,
    )
    if made.open:
        said += _("另有%(n)d条尚在研究，本表为过程稿。", n=made.open)
    if made.withdrawn:
        said += _("作者撤回的%(n)d件不列入本表。", n=made.withdrawn)
    return str(said)


def cells(row: Row) -> list[str]:
    """A row of the official table."""
    words = row.words
    if row.pieces > 1:
        words = _("%(words)s（%(n)d件）", words=words, n=row.pieces)
    outcome = row.outcome.title if row.outcome else _("尚在研究")
    return [str(row.number), row.who, row.channel, row.section, words, outcome, row.reason]


def paper(consultation: Consultation, made: Table) -> bytes:
    """The Word document."""
    document = blank()
    title(document, _("%(title)s意见采纳情况", title=consultation.title))
    body(document, totals(made))
    for numeral, part in zip(NUMERALS, Part, strict=True):
        rows = made.of(part)
        heading(document, f"{numeral}、{part.title}")
        if not rows:
            body(document, _("未收到意见。"))
            continue
        caption = _("%(part)s意见采纳情况表", part=part.title)
        table(document, caption, head(), map(cells, rows), WIDTHS)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook(consultation: Consultation, made: Table) -> bytes:
    """The workbook: one sheet, the totals on top; no cell is ever a formula."""
    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    sheet = book.add_worksheet(_("采纳情况表"))
    bold = book.add_format({"bold": True, "border": 1, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"border": 1, "text_wrap": True, "valign": "top"})
    for place, width in enumerate(COLUMNS):
        sheet.set_column(place, place, width)
    sheet.write_string(0, 0, consultation.title)
    sheet.write_string(1, 0, totals(made))
    for place, name in enumerate([_("分类"), *head(), _("件数")]):
        sheet.write_string(3, place, name, bold)
    for line, row in enumerate(made.rows, start=4):
        for place, cell in enumerate([row.part.title, *cells(row)]):
            sheet.write_string(line, place, cell, plain)
        sheet.write_number(line, len(head()) + 1, row.pieces, plain)
    sheet.freeze_panes(4, 0)
    book.close()
    return out.getvalue()
