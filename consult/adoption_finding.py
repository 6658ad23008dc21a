"""Finding answers (逐条答复) by what they say: those of the newest edition of an adoption table.

The words of the opinions are found as opinions. `adoption.freeze` calls `follow`, in the transaction
in which an edition takes the place of the one before.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult import search_documents
from consult.adoption_rows import AdoptionReport, AdoptionRow, Row
from consult.point_rows import Point
from consult.search_documents import Document, Kind, SearchDocument
from core.db import db


@dataclass(frozen=True, slots=True)
class Answer:
    """A row of the newest edition of a consultation, and its number in the table."""

    consultation_id: int
    number: int
    row: Row


def follow(report: AdoptionReport, rows: Sequence[Row]) -> None:
    """Let the answers of this edition be found, and no longer those of the edition before."""
    points = sa.select(Point.id).where(Point.consultation_id == report.consultation_id)
    before = sa.select(SearchDocument.thing_id).where(
        SearchDocument.kind == Kind.ANSWER, SearchDocument.thing_id.in_(points)
    )
    search_documents.drop(Kind.ANSWER, db.session.scalars(before).all())
    search_documents.put(Kind.ANSWER, findable(report, rows), fresh=True)


def findable(report: AdoptionReport, rows: Sequence[Row]) -> Iterator[Document]:
    """By which words the answers of an edition are found. Each is known by its first point."""
    mark = f"c{report.consultation_id}"
    for number, row in enumerate(rows, 1):
        rank = search_documents.place_rank(report.id, number)
        yield Document(row.points[0], (row.reason,), (mark,), rank)


def newest() -> sa.Select[int]:
    """The ids of the newest editions that are out, one a consultation."""
    query = sa.select(sa.func.max(AdoptionReport.id)).where(AdoptionReport.released_at.is_not(None))
    return query.group_by(AdoptionReport.consultation_id)


def answers(point_ids: Sequence[int]) -> dict[int, Answer]:
    """{point: its answer} for those that stand first in a row of a newest edition."""
    places = search_documents.places(Kind.ANSWER, point_ids)
    rows = sa.tuple_(AdoptionRow.report_id, AdoptionRow.number)
    query = (
        sa.select(AdoptionReport.consultation_id, AdoptionRow.number, AdoptionRow.content)
        .join(AdoptionReport, AdoptionReport.id == AdoptionRow.report_id)
        .where(rows.in_(list(places.values())), AdoptionRow.report_id.in_(newest()))
    )
    found = [Answer(at, number, Row.of(kept)) for at, number, kept in db.session.execute(query)]
    return {each.row.points[0]: each for each in found}
