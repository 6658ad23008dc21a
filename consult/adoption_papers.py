"""The adoption table on paper and as data: Word, Excel, CSV, JSON, all from the same lines.

A `Paper` is what is written, of one consultation or of a stage; each kind of file says all of it.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_babel import gettext as _

from consult import adoption, asked_units
from consult.adoption import AdoptionReport, Line, Part, Sums, Totals
from consult.asked_units import AskedUnit
from consult.consultations import Consultation
from consult.official_paper import blank, body, centred, heading, long_table, saved, table, title
from consult.responses import Outcome
from consult.stage_reports import StageReport
from core import sheets
from core.sheets import inert
from core.text import within_quotes
from core.web import day

if TYPE_CHECKING:
    import xlsxwriter

KINDS = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}
# In mm, together a turned page; in a workbook in characters.
WIDTHS = (12, 19, 19, 25, 52, 19, 40, 27, 12)
# Rows between two words about how far it is.
STEP = 500
# (rows written, rows in all)
Tick = Callable[[int, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """What is written: of what, which edition, its lines and their totals."""

    title: str
    under: str
    lines: Sequence[Line]
    totals: Totals
    # The units that were asked: they stand in the first part.
    asked: Sequence[AskedUnit] = ()
    # For a stage: of which released editions it is made, and which consultations have none yet.
    made_of: Sequence[str] = ()
    missing: Sequence[str] = ()
    whole_stage: bool = False
    # Whether it comes with the built-in example.
    demonstration: bool = False

    def of_part(self, part: Part) -> list[Line]:
        """The lines of a part."""
        return [line for line in self.lines if line.part is part]

    def notes(self) -> list[str]:
        """What has to be said before the figures are read."""
        said = []
        if self.demonstration:
            said.append(
                _("（演示）本表的意见、答复和单位反馈都是为演示编写的，不是任何部门的正式反馈。")
            )
        if self.made_of:
            said.append(_("由下列已发布的采纳情况表合成：%(all)s。", all="；".join(self.made_of)))
        if self.missing:
            said.append(
                _(
                    "下列意见征集还没有发布采纳情况表，未计入：%(all)s。",
                    all="；".join(self.missing),
                )
            )
        return said


def of_consultation(
    consultation: Consultation, report: AdoptionReport | None, *, full: bool = False
) -> Paper:
    """An edition; without one, a draft of it."""
    if report and report.released_at:
        under = _("第%(n)d版　%(day)s发布", n=report.number, day=day(report.released_at))
        rows, asked = adoption.frozen(report), adoption.asked(report)
        totals = adoption.sums(report).totals
    else:
        under = _("（尚未发布的稿子，不作依据）")
        rows, asked = adoption.gather(consultation.id), asked_units.gather(consultation.id)
        totals = Sums.of(rows).totals
    return Paper(
        title=consultation.title,
        under=under,
        lines=adoption.lines(rows, full=full),
        totals=totals,
        asked=asked,
        demonstration=consultation.is_demonstration,
    )


def of_stage(report: StageReport, *, full: bool = False) -> Paper:
    """The table of a stage, of which something is released."""
    rows = report.rows()
    newest = max(edition.released_at for _c, edition in report.made_of if edition.released_at)
    return Paper(
        title=report.stage.title,
        under=_("截至%(day)s发布的各表", day=day(newest)),
        lines=adoption.lines(rows, full=full),
        totals=report.sums().totals,
        asked=report.asked(),
        made_of=[
            _("%(title)s第%(n)d版", title=consultation.title, n=edition.number)
            for consultation, edition in report.made_of
        ],
        missing=[each.title for each in report.missing],
        whole_stage=True,
        demonstration=report.is_demonstration,
    )


def _nobody(_done: int, _total: int) -> None:
    """Nobody asks how far it is."""


def _told(lines: Sequence[Line], before: int, total: int, tick: Tick) -> Iterator[Line]:
    """The lines, saying from time to time how many of all have been taken."""
    for number, line in enumerate(lines, before + 1):
        if number % STEP == 0:
            tick(number, total)
        yield line


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


def cells(line: Line, outcomes: Mapping[Outcome, str]) -> list[str]:
    """A line as words; the outcomes' titles are found once for all lines."""
    return [
        str(line.number),
        line.who,
        line.channel,
        line.where,
        line.words,
        outcomes[line.outcome],
        line.reason,
        line.changed,
        line.pieces,
    ]


def _outcomes() -> dict[Outcome, str]:
    return {each: each.title for each in Outcome}


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


def asked_rows(asked: Sequence[AskedUnit]) -> tuple[list[str], list[list[str]]]:
    """The units that were asked, as a table."""
    several = any(each.draft for each in asked)
    top = [_("单位"), _("反馈情况"), _("意见条数")]
    rows = [[each.unit, each.answer.title, str(each.points)] for each in asked]
    if several:
        top.insert(0, _("意见征集"))
        rows = [[each.draft, *row] for each, row in zip(asked, rows, strict=True)]
    return top, rows


def make(kind: str, paper: Paper, tick: Tick = _nobody) -> bytes:
    """The table as a file of this kind, one of KINDS; `tick` is told how far it is."""
    if kind == "docx":
        return word(paper, tick)
    if kind == "xlsx":
        return workbook(paper, tick)
    return as_csv(paper) if kind == "csv" else as_json(paper)


def word(paper: Paper, tick: Tick = _nobody) -> bytes:
    """As an official paper, on its side: nine columns are a few characters each on an upright page."""
    document = blank(turned=True)
    title(document, _("“%(name)s”意见采纳情况表", name=within_quotes(paper.title)))
    centred(document, paper.under)
    for note in paper.notes():
        body(document, note)
    top, rows = summed(paper.totals)
    table(document, _("采纳情况合计（单位：条）"), top, rows)
    numerals, done, outcomes = "一二三四", 0, _outcomes()
    for numeral, part in zip(numerals, Part, strict=True):
        heading(document, f"{numeral}、{part.title}")
        if part is Part.UNITS and paper.asked:
            top, rows = asked_rows(paper.asked)
            table(document, asked_units.summed(paper.asked), top, rows)
        if lines := paper.of_part(part):
            count = _("共%(n)d条意见", n=paper.totals.of_part(part))
            told = _told(lines, done, len(paper.lines), tick)
            every = (cells(line, outcomes) for line in told)
            long_table(document, count, head(), every, WIDTHS)
            done += len(lines)
        else:
            body(document, _("未收到意见。"))
    return saved(document)


def workbook(paper: Paper, tick: Tick = _nobody) -> bytes:
    """As a workbook: the totals, then a sheet for each part; every cell of words stays text."""
    out = io.BytesIO()
    book = sheets.workbook(out)
    bold = book.add_format({"bold": True})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet(_("合计"))
    top, rows = summed(paper.totals)
    for row, values in enumerate([top, *rows]):
        for column, value in enumerate(values):
            if row and column:
                sheet.write_number(row, column, int(value))
            else:
                sheet.write_string(row, column, value, bold)
    for row, note in enumerate(paper.notes(), len(rows) + 2):
        sheet.write_string(row, 0, inert(note))
    sheet.set_column(0, 0, 18)
    if paper.asked:
        _asked_sheet(book, paper.asked)
    done, outcomes = 0, _outcomes()
    for part in Part:
        sheet = book.add_worksheet(part.title)
        for column, (value, width) in enumerate(zip(head(), WIDTHS, strict=True)):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, value, bold)
        # In a workbook both numbers are there to be added up.
        sheet.write_string(0, len(WIDTHS), _("条数"), bold)
        lines = paper.of_part(part)
        if not lines:
            sheet.write_string(1, 0, _("未收到意见。"))
        for row, line in enumerate(_told(lines, done, len(paper.lines), tick), 1):
            first, *words, _pieces = cells(line, outcomes)
            sheet.write_number(row, 0, int(first))
            for column, value in enumerate(words, 1):
                sheet.write_string(row, column, inert(value), wrapped)
            sheet.write_number(row, len(WIDTHS) - 1, line.opinions)
            sheet.write_number(row, len(WIDTHS), line.count)
        done += len(lines)
        sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _asked_sheet(book: "xlsxwriter.Workbook", asked: Sequence[AskedUnit]) -> None:
    sheet = book.add_worksheet(_("征询单位"))
    bold = book.add_format({"bold": True})
    top, rows = asked_rows(asked)
    for column, value in enumerate(top):
        sheet.write_string(0, column, value, bold)
    for row, values in enumerate(rows, 1):
        for column, value in enumerate(values[:-1]):
            sheet.write_string(row, column, inert(value))
        sheet.write_number(row, len(values) - 1, int(values[-1]))
    sheet.set_column(0, len(top) - 1, 18)
    sheet.write_string(len(rows) + 2, 0, asked_units.summed(asked))
    sheet.freeze_panes(1, 0)


COLUMNS = (
    "number",
    "part",
    "who",
    "channel",
    "place",
    "filed",
    "words",
    "outcome",
    "reason",
    "changed",
    "count",
    "opinions",
)


def as_csv(paper: Paper) -> bytes:
    """As open data: UTF-8 with its mark, no cell a formula. A stage's has a column more."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*COLUMNS, "draft"] if paper.whole_stage else COLUMNS)
    plain = (_plain(line, paper) for line in paper.lines)
    writer.writerows([inert(value) for value in each.values()] for each in plain)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def meanings() -> dict[str, str]:
    """{column: what it means}, for those who read the open data."""
    return {
        "number": _("序号"),
        "part": _("来源：units 征询部门街镇，public 社会公众，panel 公众咨询团，experts 专家论证"),
        "who": _("提出人（脱敏）"),
        "channel": _("渠道"),
        "place": _("对应章节"),
        "filed": _("归在哪个领域、哪项专项规划；没有归类的为空"),
        "words": _("意见内容"),
        "outcome": _(
            "采纳情况：adopted 采纳，partly 部分采纳，already 已体现，declined 未采纳，"
            "kept_for_study 留作研究，out_of_scope 不属本规划"
        ),
        "reason": _("理由"),
        "changed": _("修改后文字：文稿因这条意见改了什么；还没有改的写明尚未落实"),
        "count": _("条数：归并的意见作一行，这里是其中有几个意见点"),
        "opinions": _("件数：这一行的意见点出自几件意见"),
    }


def as_json(paper: Paper) -> bytes:
    """As open data, with what the fields mean."""
    fields, totals = meanings(), paper.totals
    content: dict[str, object] = {
        "title": paper.title,
        "fields": fields,
        "totals": {
            "points": totals.points,
            **{part.value: {o.value: totals.counts[part, o] for o in Outcome} for part in Part},
        },
        "rows": [_plain(line, paper) for line in paper.lines],
    }
    if paper.asked:
        numbers = asked_units.counts(paper.asked)
        content["asked"] = {answer.value: number for answer, number in numbers.items()} | {
            "units": [
                each.kept() | ({"draft": each.draft} if each.draft else {}) for each in paper.asked
            ]
        }
    if paper.whole_stage:
        fields["draft"] = _("意见征集")
        content |= {"made_of": list(paper.made_of), "missing": list(paper.missing)}
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode()


def _plain(line: Line, paper: Paper) -> dict[str, object]:
    plain: dict[str, object] = {
        "number": line.number,
        "part": line.part.value,
        "who": line.who,
        "channel": line.channel,
        "place": line.place,
        "filed": line.filed,
        "words": line.words,
        "outcome": line.outcome.value,
        "reason": line.reason,
        "changed": line.changed,
        "count": line.count,
        "opinions": line.opinions,
    }
    return plain | {"draft": line.draft} if paper.whole_stage else plain
