"""The adoption table: every point once, totals that add up, the same in page, Word and Excel."""

import io
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from docx import Document
from flask import Flask
from python_calamine import CalamineWorkbook

from consult import adoption, adoption_documents, consultations
from consult.adoption import Part
from consult.consultations import Consultation
from core.db import db
from tests import world
from tests.databases import Databases, close


@pytest.fixture
def site(databases: Databases) -> Iterator[Flask]:
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON)
    with app.app_context():
        yield app
    close(app)
    databases.discard(place)


def of(slug: str) -> Consultation:
    found = consultations.by_slug(slug)
    assert found is not None
    return found


def counted(consultation: Consultation) -> dict[str, int]:
    """The totals by SQL of their own."""
    query = """
        SELECT count(*) AS points, count(DISTINCT p.submission_id) AS pieces
        FROM point p JOIN submission s ON s.id = p.submission_id
        WHERE p.consultation_id = :id AND p.state = 'live' AND s.state <> 'withdrawn'
    """
    row = db.session.execute(sa.text(query), {"id": consultation.id}).one()
    return dict(row._mapping)


@pytest.mark.parametrize("slug", [world.OPEN, world.ANSWERED, world.PREPARING])
def test_the_totals_are_what_the_database_holds(site: Flask, slug: str) -> None:
    consultation = of(slug)
    made = adoption.table(consultation)
    expected = counted(consultation)
    assert made.points == expected["points"]
    assert made.pieces == expected["pieces"]
    assert sum(made.outcomes.values()) + made.open == made.points
    assert sum(len(made.of(part)) for part in Part) == len(made.rows)
    assert [row.number for row in made.rows] == list(range(1, len(made.rows) + 1))


def test_word_and_excel_hold_the_rows_of_the_page(site: Flask) -> None:
    consultation = of(world.OPEN)
    made = adoption.table(consultation)
    document = Document(io.BytesIO(adoption_documents.paper(consultation, made)))
    word = [[c.text for c in row.cells] for table in document.tables for row in table.rows[1:]]
    assert word == [adoption_documents.cells(row) for row in made.rows]
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(adoption_documents.workbook(consultation, made))
    )
    rows = book.get_sheet_by_index(0).to_python()
    assert [str(row[1]) for row in rows[4:]] == [str(row.number) for row in made.rows]
    assert sum(int(row[8]) for row in rows[4:]) == sum(row.pieces for row in made.rows)
    assert adoption_documents.totals(made) == rows[1][0]
    assert adoption_documents.totals(made) in [p.text for p in document.paragraphs]


def test_with_nothing_received_every_part_says_so(site: Flask) -> None:
    made = adoption.table(of(world.PREPARING))
    document = Document(io.BytesIO(adoption_documents.paper(of(world.PREPARING), made)))
    assert [p.text for p in document.paragraphs].count("未收到意见。") == len(Part)


def test_what_is_not_shown_is_a_row_without_its_words(site: Flask) -> None:
    consultation = of(world.OPEN)
    masked, full = adoption.table(consultation), adoption.table(consultation, full=True)
    assert len(masked.rows) == len(full.rows)
    withheld = [row for row in masked.rows if row.words == "（按审核规则不公开展示）"]
    assert withheld
    assert all(row.words != "（按审核规则不公开展示）" for row in full.rows)
    assert "13800138000" not in "".join(row.words for row in masked.rows)


def test_the_public_reads_it_once_it_is_answered(site: Flask) -> None:
    visitor = site.test_client()
    assert visitor.get(f"/consultations/{world.OPEN}/adoption").status_code == 404
    assert visitor.get(f"/consultations/{world.OPEN}/adoption.xlsx").status_code == 404
    page = visitor.get(f"/consultations/{world.ANSWERED}/adoption")
    assert page.status_code == 200
    assert "征询部门、街镇" in page.get_data(as_text=True)
    for kind in ("docx", "xlsx"):
        answer = visitor.get(f"/consultations/{world.ANSWERED}/adoption.{kind}")
        assert answer.status_code == 200
        assert answer.data[:2] == b"PK"


def test_staff_take_the_full_table_and_it_is_on_record(site: Flask) -> None:
    client = world.sign_in(site, "drc_staff")
    address = f"/desk/consultations/{world.OPEN}/adoption"
    assert "过程稿" in client.get(address).get_data(as_text=True)
    assert client.post(f"{address}.docx").status_code == 200
    acts = "SELECT count(*) FROM audit_event WHERE action = 'consultation.table_taken'"
    assert db.session.execute(sa.text(acts)).scalar_one() == 1
    auditor = world.sign_in(site, "auditor")
    assert auditor.get(address).status_code == 200
    assert auditor.post(f"{address}.docx").status_code == 403
