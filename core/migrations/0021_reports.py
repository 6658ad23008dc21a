"""Narrative reports on summaries, every version of them."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "summary_report",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("summary_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "composed",
                "edited",
                name="reportkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by_id", sa.Integer(), nullable=True),
        sa.Column("signed_name", sa.String(length=120), nullable=True),
        sa.CheckConstraint(
            "(signed_at IS NULL) = (signed_name IS NULL)", name=op.f("ck_summary_report_signed")
        ),
        sa.ForeignKeyConstraint(
            ["by_id"], ["account.id"], name=op.f("fk_summary_report_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["signed_by_id"], ["account.id"], name=op.f("fk_summary_report_signed_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["summary_id"], ["summary.id"], name=op.f("fk_summary_report_summary_id_summary")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_summary_report")),
        sa.UniqueConstraint(
            "summary_id", "number", name=op.f("uq_summary_report_summary_id_number")
        ),
    )
    op.create_index(op.f("ix_summary_report_by_id"), "summary_report", ["by_id"])
    op.create_index(op.f("ix_summary_report_signed_by_id"), "summary_report", ["signed_by_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("summary_report")
