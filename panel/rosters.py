"""The official list of members (名册) as files: .docx for print, .xlsx to go on with.

For the public every name that may not be known is masked, and nothing stands in the file that the
public page does not show.
"""

import datetime as dt
import io
from collections.abc import Mapping, Sequence

from flask_babel import gettext as _

from consult.official_paper import blank, centred, saved, table, title
from core import sheets
from core.sheets import inert
from panel.appointments import Appointment

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
WIDTHS = (12, 22, 30, 54, 38)


def rows(
    seated: Sequence[Appointment], fields: Mapping[str, str], *, public: bool
) -> list[tuple[str, ...]]:
    """The list's rows in the order of `seated`: number, name, category, work, fields, and for the
    office also place, term and who recommended."""
    told: list[tuple[str, ...]] = []
    for number, each in enumerate(seated, 1):
        member = each.member
        open_ = member.is_name_public or not public
        skilled = "；".join(fields[key] for key in each.fields if key in fields)
        row: tuple[str, ...] = (
            str(number),
            member.public_name if public else member.name,
            each.category,
            member.unit_text if open_ else "",
            skilled if open_ else "",
        )
        if not public:
            row += (
                each.sub_district,
                each.term_from.isoformat(),
                each.term_to.isoformat(),
                each.recommended_by.name if each.recommended_by else "",
            )
        told.append(row)
    return told


def head(*, public: bool) -> tuple[str, ...]:
    """What the columns are called."""
    shown = (_("序号"), _("姓名"), _("类别"), _("工作单位和职务"), _("专长领域"))
    return shown if public else (*shown, _("街镇"), _("任期自"), _("任期至"), _("推荐单位"))


def document(
    name: str,
    seated: Sequence[Appointment],
    fields: Mapping[str, str],
    *,
    public: bool,
    on_day: dt.date,
) -> bytes:
    """The list on paper, by strokes of the name."""
    paper = blank()
    title(paper, _("%(name)s成员名单", name=name))
    centred(paper, _("（%(day)s，按姓氏笔画排序）", day=_day(on_day)))
    told = [row[:5] for row in rows(seated, fields, public=public)]
    table(paper, _("共%(n)d人", n=len(told)), head(public=True), told, WIDTHS)
    return saved(paper)


def workbook(seated: Sequence[Appointment], fields: Mapping[str, str], *, public: bool) -> bytes:
    """The list as a sheet, every cell plain text."""
    out = io.BytesIO()
    book = sheets.workbook(out)
    sheet = book.add_worksheet(_("成员名单"))
    bold = book.add_format({"bold": True})
    for column, name in enumerate(head(public=public)):
        sheet.write_string(0, column, name, bold)
    for number, row in enumerate(rows(seated, fields, public=public), 1):
        for column, cell in enumerate(row):
            sheet.write_string(number, column, inert(cell))
    sheet.set_column(1, 8, 18)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _day(day: dt.date) -> str:
    return str(_("%(y)d年%(m)d月%(d)d日", y=day.year, m=day.month, d=day.day))
