"""The rows of a released adoption table each by itself, and what is counted of them with the edition,
so that a page of it reads only its own."""

from collections import Counter
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

REPORTS = sa.table(
    "adoption_report",
    sa.column("id", sa.Integer()),
    sa.column("released_at", sa.DateTime(timezone=True)),
    sa.column("content", sa.JSON()),
)
ROWS = sa.table(
    "adoption_row",
    sa.column("report_id", sa.Integer()),
    sa.column("number", sa.Integer()),
    sa.column("content", sa.JSON()),
)


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "adoption_row",
        sa.Column("report_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_id"],
            ["adoption_report.id"],
            name=op.f("fk_adoption_row_report_id_adoption_report"),
        ),
        sa.PrimaryKeyConstraint("report_id", "number", name=op.f("pk_adoption_row")),
    )
    connection = op.get_bind()
    query = sa.select(REPORTS.c.id, REPORTS.c.released_at, REPORTS.c.content)
    for id, released_at, content in connection.execute(query).all():
        rows = content.pop("rows", [])
        if released_at is not None:
            content["sums"] = _sums(rows)
        change = sa.update(REPORTS).where(REPORTS.c.id == id).values(content=content)
        connection.execute(change)
        if rows:
            kept = [
                {"report_id": id, "number": number, "content": row}
                for number, row in enumerate(rows, 1)
            ]
            connection.execute(sa.insert(ROWS), kept)


def downgrade() -> None:
    """Go back."""
    connection = op.get_bind()
    for id, content in connection.execute(sa.select(REPORTS.c.id, REPORTS.c.content)).all():
        content.pop("sums", None)
        query = sa.select(ROWS.c.content).where(ROWS.c.report_id == id).order_by(ROWS.c.number)
        content["rows"] = list(connection.scalars(query))
        change = sa.update(REPORTS).where(REPORTS.c.id == id).values(content=content)
        connection.execute(change)
    op.drop_table("adoption_row")


def _sums(rows: list[dict[str, Any]]) -> dict[str, Any]:
    points: dict[str, Counter[str]] = {}
    met: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    for row in rows:
        points.setdefault(row["part"], Counter())[row["outcome"]] += len(row["points"])
        parts[row["part"]] += 1
        # A point that was to change nothing counts nowhere.
        if row.get("met"):
            met[row["met"]] += len(row["points"])
    found: dict[str, Any] = {"points": points, "met": met, "rows": parts}
    return found
