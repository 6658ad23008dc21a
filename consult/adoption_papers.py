"""The adoption table on paper and as data: Word, Excel, CSV, JSON, all from the same lines."""

import csv
import io
import json
from collections.abc import Sequence

import xlsxwriter
from flask_babel import gettext as _

from consult.adoption import Line, Part, Totals
from consult.official_paper import blank, body, centred, heading, long_table, table, title
from consult.responses import Outcome
from core.sheets import inert

KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
WIDTHS = (10, 16, 13, 18, 34, 12, 20, 24, 9)


def head() -> list[str]:
    """The columns."""
    return [
        _("序号"),
        _("提出人"),
        _("渠道"),
        _("对应章节"),
        _("意见内容"),
        _("采纳情况"),
        _("理由"),
        _("修改后文字"),
        _("件数"),
    ]


def cells(line: Line) -> list[str]:
    """A line as words."""
    return [
        str(line.number),
        line.who,
        line.channel,
        line.place,
        line.words,
        line.outcome.title,
        line.reason,
        line.changed,
        str(line.count),
    ]


def summed(totals: Totals) -> tuple[list[str], list[list[str]]]:
    """The totals as a table: parts down, outcomes across."""
    top = [_("来源"), *(outcome.title for outcome in Outcome), _("合计")]
    rows = [
        [
            part.title,
            *(str(totals.counts[part, outcome]) for outcome in Outcome),
            str(totals.of_part(part)),
        ]
        for part in Part
    ]
    rows.append(
        [
            _("合计"),
            *(str(totals.of_outcome(outcome)) for outcome in Outcome),
            str(totals.points),
        ]
    )
    return top, rows


def make(kind: str, name: str, under: str, lines: Sequence[Line], totals: Totals) -> bytes:
    """The table as a file of this kind, one of KINDS."""
    if kind == "docx":
        return word(name, under, lines, totals)
    if kind == "xlsx":
        return workbook(lines, totals)
    return as_csv(lines) if kind == "csv" else as_json(name, lines, totals)


def word(name: str, under: str, lines: Sequence[Line], totals: Totals) -> bytes:
    """As an official paper."""
    document = blank()
    title(document, _("“%(name)s”意见采纳情况表", name=name))
    centred(document, under)
    top, rows = summed(totals)
    table(document, _("采纳情况合计（单位：条）"), top, rows, (36, *[17] * 6, 18))
    numerals = "一二三四"
    for numeral, part in zip(numerals, Part, strict=True):
        heading(document, f"{numeral}、{part.title}")
        of_part = [cells(line) for line in lines if line.part is part]
        if of_part:
            count = _("共%(n)d条意见", n=totals.of_part(part))
            long_table(document, count, head(), of_part, WIDTHS)
        else:
            body(document, _("未收到意见。"))
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def workbook(lines: Sequence[Line], totals: Totals) -> bytes:
    """As a workbook: the totals, then a sheet for each part; every cell of words stays text."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False})
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(_("合计"))
    top, rows = summed(totals)
    for row, values in enumerate([top, *rows]):
        for column, value in enumerate(values):
            if row and column:
                sheet.write_number(row, column, int(value))
            else:
                sheet.write_string(row, column, value, bold)
    sheet.set_column(0, 0, 18)
    for part in Part:
        sheet = book.add_worksheet(part.title)
        for column, (value, width) in enumerate(zip(head(), WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, value, bold)
        of_part = [line for line in lines if line.part is part]
        if not of_part:
            sheet.write_string(1, 0, _("未收到意见。"))
        for row, line in enumerate(of_part, 1):
            for column, value in enumerate(cells(line)):
                if column in (0, len(WIDTHS) - 1):
                    sheet.write_number(row, column, int(value))
                else:
                    sheet.write_string(row, column, inert(value), wrapped)
        sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


COLUMNS = (
    "number",
    "part",
    "who",
    "channel",
    "place",
    "words",
    "outcome",
    "reason",
    "changed",
    "count",
)


def as_csv(lines: Sequence[Line]) -> bytes:
    """As open data: UTF-8 with its mark, no cell a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([inert(value) for value in _plain(line).values()] for line in lines)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def meanings() -> dict[str, str]:
    """{column: what it means}, for those who read the open data."""
    return {
        "number": _("序号"),
        "part": _("来源：units 征询部门街镇，public 社会公众，panel 公众咨询团，experts 专家论证"),
        "who": _("提出人（脱敏）"),
        "channel": _("渠道"),
        "place": _("对应章节"),
        "words": _("意见内容"),
        "outcome": _(
            "采纳情况：adopted 采纳，partly 部分采纳，already 已体现，declined 未采纳，"
            "kept_for_study 留作研究，out_of_scope 不属本规划"
        ),
        "reason": _("理由"),
        "changed": _("修改后文字：文稿因这条意见改了什么；还没有改的写明尚未落实"),
        "count": _("件数：归并的意见作一行，这里是其中的条数"),
    }


def as_json(name: str, lines: Sequence[Line], totals: Totals) -> bytes:
    """As open data, with what the fields mean."""
    content = {
        "title": name,
        "fields": meanings(),
        "totals": {
            "points": totals.points,
            **{part.value: {o.value: totals.counts[part, o] for o in Outcome} for part in Part},
        },
        "rows": [_plain(line) for line in lines],
    }
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode()


def _plain(line: Line) -> dict[str, object]:
    return {
        "number": line.number,
        "part": line.part.value,
        "who": line.who,
        "channel": line.channel,
        "place": line.place,
        "words": line.words,
        "outcome": line.outcome.value,
        "reason": line.reason,
        "changed": line.changed,
        "count": line.count,
    }
