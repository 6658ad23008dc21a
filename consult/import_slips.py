"""The receipts of an import (受理编号表): by which number each author of a letter follows what became
of it, completes, withdraws and appeals, like whoever wrote on the site.

A receipt is its author's key, so the table goes to whoever brought the letters in and hands the
numbers out, and to nobody else; each time is recorded. What has been undone has no number to give.
"""

import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.intake import Intake
from consult.provenance import Provenance
from consult.submissions import Submission, SubmissionState
from core import audit, sheets
from core.db import db
from core.errors import Refused
from core.sheets import inert

audit.ACTIONS["intake.receipts_taken"] = _l("下载导入意见的受理编号")
WIDTHS = (8, 20, 30, 24, 46)
SAMPLE = 30


@dataclass(frozen=True, slots=True)
class Slip:
    """Which row of the table has which receipt; by its first words it is told from its neighbours."""

    row: int
    external_id: str
    begins: str
    receipt: str


def are_there(intake: Intake, *, by: audit.Actor) -> bool:
    """Whether `by` brought in anything of this table that still has a receipt to hand out."""
    return db.session.scalar(sa.select(_theirs(intake, by).exists())) or False


def take(intake: Intake, *, by: audit.Actor, now: dt.datetime) -> list[Slip]:
    """The receipts of what `by` brought in with this table, in its order; that they were taken is
    recorded. Refuses when there are none."""
    query = _theirs(intake, by).order_by(Provenance.row, Submission.id)
    slips = [
        Slip(row or 0, external_id, " ".join((title or body).split())[:SAMPLE], receipt)
        for row, external_id, title, body, receipt in db.session.execute(query)
    ]
    if not slips:
        raise Refused(_("这次导入没有由您导入、现在还有效的意见；受理编号只交给导入的人。"))
    audit.record(
        "intake.receipts_taken",
        intake,
        by=by,
        now=now,
        name=intake.filename,
        after={"submissions": len(slips)},
    )
    return slips


def workbook(slips: Sequence[Slip], site: str) -> bytes:
    """As a workbook, one line a letter; `site` is the address of the site, no slash."""
    out = io.BytesIO()
    book = sheets.workbook(out)
    sheet = book.add_worksheet(_("受理编号"))
    bold = book.add_format({"bold": True})
    head = (_("行"), _("原编号"), _("内容"), _("受理编号"), _("查询网址"))
    for column, (title, width) in enumerate(zip(head, WIDTHS, strict=True)):
        sheet.write_string(0, column, title, bold)
        sheet.set_column(column, column, width)
    for line, slip in enumerate(slips, 1):
        sheet.write_number(line, 0, slip.row)
        address = f"{site}/receipts/{slip.receipt}"
        for column, words in enumerate((slip.external_id, slip.begins, slip.receipt, address), 1):
            sheet.write_string(line, column, inert(words))
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _theirs(intake: Intake, by: audit.Actor) -> sa.Select[int | None, str, str, str, str]:
    return (
        sa.select(
            Provenance.row,
            Submission.external_id,
            Submission.title,
            Submission.body,
            Submission.receipt,
        )
        .join(Submission, Submission.id == Provenance.submission_id)
        .where(
            Submission.intake_id == intake.id,
            Submission.state != SubmissionState.UNDONE,
            Provenance.by_id == by.id,
            Provenance.row.is_not(None),
        )
    )
