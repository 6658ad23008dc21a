"""Units that are asked for their opinion, and the opinions they give."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "inquiry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by_id", sa.Integer(), nullable=True),
        sa.Column("asked_by_name", sa.String(length=120), nullable=False),
        sa.Column("none_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("none_by_name", sa.String(length=120), nullable=True),
        sa.Column("on_paper", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(none_at IS NULL) = (none_by_name IS NULL)", name=op.f("ck_inquiry_none_is_said")
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_inquiry_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_inquiry_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
        sa.UniqueConstraint(
            "consultation_id", "unit_id", name=op.f("uq_inquiry_consultation_id_unit_id")
        ),
    )
    op.create_index(op.f("ix_inquiry_unit_id"), "inquiry", ["unit_id"])
    op.create_table(
        "inquiry_opinion",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("inquiry_id", sa.Integer(), nullable=False),
        sa.Column("on_paper", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inquiry_id"], ["inquiry.id"], name=op.f("fk_inquiry_opinion_inquiry_id_inquiry")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_inquiry_opinion_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_inquiry_opinion")),
    )
    op.create_index(op.f("ix_inquiry_opinion_inquiry_id"), "inquiry_opinion", ["inquiry_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("inquiry_opinion")
    op.drop_table("inquiry")
