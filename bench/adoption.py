"""The adoption table of 10,000 points: gathered at the release, and as Word, Excel, JSON and a page.

Each file is measured from the database to its bytes. The reference of Word is python-docx writing
the same cells one by one (so many rows, scaled), of Excel xlsxwriter writing the same strings as
they are. `ADOPTION_POINTS` asks for another number.
"""

import io
import os
import time
from collections.abc import Callable
from typing import Any

import docx
import sqlalchemy as sa
import xlsxwriter

from bench import material
from bench.measure import apart, getter, hello, say, site
from consult import adoption, adoption_files, adoption_papers
from consult.adoption import AdoptionReport
from consult.adoption_files import Wanted
from consult.consultations import Consultation
from consult.points import Point
from consult.response_rows import Outcome, Response, ResponseState
from core import audit
from core.db import db

COUNT = int(os.environ.get("ADOPTION_POINTS", "10000"))
SCALED = 300
WHY = "文稿第三章已经写明有关安排和时间，本条意见所说的已经体现。"


def run() -> None:
    """CPU of the release's own work and of every form of the table."""
    with site(CLOCK=lambda: material.NOW) as app:
        made, version = material.consultation()
        seconds = material.opinions(made, version, COUNT)
        _answered(made)
        print(f"{COUNT} opinions brought in and answered in {seconds:.1f} s")
        gathered = _cpu(lambda: adoption.gather(made.id))
        counted = _cpu(lambda: adoption.count(made.id))
        headers = material.in_the_office(app)
        desk = apart({"d": getter(app, "/desk/consultations/bench/adoption", headers)})["d"]
        _cpu(desk)
        desk_page = _cpu(desk)
        _released(made)
        wanted = Wanted(consultation_id=made.id)
        paper = adoption_files.paper(wanted)
        outcomes = {each: each.title for each in Outcome}
        cells = [adoption_papers.cells(line, outcomes) for line in paper.lines]
        word = _cpu(lambda: _document(cells[:SCALED])) * len(cells) / SCALED
        excel = _cpu(lambda: _workbook(cells))
        bare = getter(hello(), "/")
        page = getter(app, "/consultations/bench/adoption/?after=5000")
        _cpu(bare), _cpu(page)
        figures: list[tuple[str, float, float, str, str]] = [
            ("rows gathered", gathered, word, "python-docx by cell", "≤ 5"),
            ("rows counted for the desk", counted, gathered, "rows gathered", "≤ 0.2"),
            ("the desk's page", desk_page, _cpu(bare), "bare Flask page", "≤ 0.2"),
            *(
                (f"as {kind}", _cpu(_maker(wanted, kind)), reference, name, goal)
                for kind, reference, name, goal in (
                    ("docx", word, "python-docx by cell", "≤ 20"),
                    ("xlsx", excel, "xlsxwriter, bare strings", "≤ 5"),
                    ("json", excel, "xlsxwriter, bare strings", "≤ 5"),
                )
            ),
            ("a page of it", _cpu(page), _cpu(bare), "bare Flask page", "≤ 0.2"),
        ]
    for what, value, reference, name, goal in figures:
        say(
            f"{COUNT} points, {what}",
            value,
            "s CPU",
            ratio=value / reference,
            reference=f"{name} ({reference:.3f} s)",
            goal=goal,
        )


def _cpu(call: Callable[[], Any]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def _maker(wanted: Wanted, kind: str) -> Callable[[], bytes]:
    return lambda: adoption_papers.make(kind, adoption_files.paper(wanted))


def _answered(made: Consultation) -> None:
    """Every point has its final answer, stored in bulk."""
    outcomes = [Outcome.ALREADY, Outcome.ADOPTED, Outcome.KEPT_FOR_STUDY, Outcome.OUT_OF_SCOPE]
    points = db.session.scalars(sa.select(Point.id).where(Point.consultation_id == made.id)).all()
    rows = [
        {
            "point_id": point,
            "state": ResponseState.FINAL,
            "outcome": outcomes[number % len(outcomes)],
            "reason": f"{WHY}（{number}）",
            "handed_back": "",
            "revision": 1,
            "changed_at": material.NOW,
        }
        for number, point in enumerate(points)
    ]
    db.session.execute(sa.insert(Response), rows)
    db.session.commit()


def _released(made: Consultation) -> None:
    by = audit.COMMAND_LINE
    report = AdoptionReport(
        consultation_id=made.id,
        number=1,
        feedback="反馈",
        note="",
        proposed_at=material.NOW,
        proposed_by_id=None,
        proposed_by_name=by.name,
        released_at=material.NOW,
        released_by_name=by.name,
        content={},
    )
    db.session.add(report)
    db.session.flush()
    adoption.freeze(report, adoption.gather(made.id))
    db.session.commit()


def _document(cells: list[list[str]]) -> bytes:
    document, out = docx.Document(), io.BytesIO()
    grid = document.add_table(rows=0, cols=len(cells[0]))
    for values in cells:
        for cell, value in zip(grid.add_row().cells, values, strict=True):
            cell.text = value
    document.save(out)
    return out.getvalue()


def _workbook(cells: list[list[str]]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, values in enumerate(cells):
        for column, value in enumerate(values):
            sheet.write_string(row, column, value)
    book.close()
    return out.getvalue()
