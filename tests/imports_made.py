"""Opinions from elsewhere: tables, and bringing them in by the operation, the page and the command."""

import datetime as dt
import io
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import import_undoing, imports, intake
from consult.consultations import Consultation
from consult.imports import Report
from consult.intake import Intake
from consult.readers.tables import Table
from consult.submissions import Channel, Submission
from core import audit, uploads
from core.db import db
from tests.conftest import NOON

TODAY = dt.date(2020, 10, 20)
DESK = "/desk/intake"
PERSONAL = "编号,内容\n1,请多种一些树\n2,我叫王小明，电话13800138000，请回电\n3,建议增设公交站\n"
LETTERS = [
    ["编号", "内容", "日期"],
    ["1", "加装电梯", "2020-10-01"],
    ["2", "多种树", "2020-10-02"],
]
# As a browser sends it: every field, "" where nothing was chosen.
NONE = dict.fromkeys(intake.FIELDS, "")
COLUMNS = NONE | {"body": "内容", "title": "标题", "external_id": "编号"}


def table_of(*rows: list[str]) -> Table:
    """The first row is the header, as in a file."""
    return Table(tuple(rows[0]), tuple(enumerate(map(tuple, rows[1:]), start=2)))


def bring_in(consultation: Consultation, table: Table, **options: Any) -> Report:
    """Bring a table in as letters that came to the officer's desk today."""
    options = {"channel": Channel.LETTER, "outline": None, "secret": "secret"} | options
    options.setdefault("mapping", intake.guessed(table.columns))
    report = imports.bring_in(
        table, consultation, by=audit.SYSTEM, now=NOON, on_day=TODAY, **options
    )
    db.session.commit()
    db.session.expire_all()
    return report


def a_begun_table(
    consultation: Consultation, *, to_queue: bool = False, data: bytes = b"x"
) -> Intake:
    """A table of letters that was uploaded and not yet brought in; committed."""
    begun = intake.begin(
        consultation,
        channel=Channel.LETTER,
        filename="来信.csv",
        data=data,
        stored_as=uploads.keep(data),
        to_queue=to_queue,
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()
    return begun


def bring_in_letters(
    consultation: Consultation, begun: Intake, count: int = 3, *, first: int = 1
) -> Report:
    """So many letters brought in for a begun table, numbered from `first`."""
    rows = [[str(n), f"第{n}封来信，请多种一些树。"] for n in range(first, first + count)]
    table = table_of(["编号", "内容"], *rows)
    return bring_in(consultation, table, to_queue=begun.to_queue, intake=begun)


def brought_in(
    consultation: Consultation, count: int = 3, *, to_queue: bool = False, first: int = 1
) -> Intake:
    """A table of so many letters that has been brought in."""
    begun = a_begun_table(consultation, to_queue=to_queue)
    report = bring_in_letters(consultation, begun, count, first=first)
    assert report.imported + report.already == count
    return begun


def of_table(begun: Intake) -> list[Submission]:
    """The opinions of a table in the order of its rows."""
    query = sa.select(Submission).where(Submission.intake_id == begun.id)
    return list(db.session.scalars(query.order_by(Submission.id)))


def undo(begun: Intake, reason: str = "选错了征集") -> tuple[int, int]:
    """Take an import out again; (how many opinions went, how many stay)."""
    seen = import_undoing.outlook(begun).mark
    done = import_undoing.undo(begun, reason=reason, seen=seen, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    db.session.expire_all()
    return done


def upload(
    client: FlaskClient,
    consultation: Consultation,
    data: str | bytes = "编号,标题,内容\n1,电梯,加装电梯\n2,树,\n",
    name: str = "来信.csv",
    **more: Any,
) -> TestResponse:
    """Upload a table by the form of the desk; further fields over its own."""
    raw = data.encode() if isinstance(data, str) else data
    fields = {
        "consultation": str(consultation.id),
        "channel": "letter",
        "file": (io.BytesIO(raw), name),
    }
    return client.post(DESK, data=fields | more)


def kept_files(app: Flask) -> list[Path]:
    """The files of uploaded tables that are still there."""
    folder = Path(app.instance_path) / "uploads"
    return list(folder.iterdir()) if folder.is_dir() else []


def import_file(app: Flask, file: Path, *words: str, slug: str = "gangyao") -> Result:
    """Import a file of letters by the command, with these further words."""
    db.session.commit()
    start = ("submissions", "import", str(file), "--consultation", slug, "--channel", "letter")
    result = app.test_cli_runner().invoke(args=[*start, *words])
    db.session.expire_all()
    return result
