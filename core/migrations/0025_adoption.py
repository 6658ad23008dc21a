"""Adoption reports: what became of the points of a round, released by two persons."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "adoption_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("feedback", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=True),
        sa.Column("proposed_by_name", sa.String(length=120), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by_id", sa.Integer(), nullable=True),
        sa.Column("released_by_name", sa.String(length=120), nullable=True),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by_name IS NULL)",
            name=op.f("ck_adoption_report_released"),
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_adoption_report_consultation_id_consultation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adoption_report")),
        sa.UniqueConstraint(
            "consultation_id", "number", name=op.f("uq_adoption_report_consultation_id_number")
        ),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("adoption_report")
