"""Faults on pages that readers report."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.String(length=24), nullable=False),
        sa.Column("once_key", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "content",
                "outdated",
                "broken_link",
                "not_opening",
                "not_working",
                "display",
                "accessibility",
                "other",
                name="errortype",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("page", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "corrected",
                "no_change",
                name="correctionstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("public_title", sa.String(length=100), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(state = 'waiting') = (answered_at IS NULL)",
            name=op.f("ck_correction_answered_has_day"),
        ),
        sa.CheckConstraint(
            "state = 'waiting' OR answer <> ''", name=op.f("ck_correction_answered_in_words")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["account.id"], name=op.f("fk_correction_answered_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("once_key", name=op.f("uq_correction_once_key")),
        sa.UniqueConstraint("receipt", name=op.f("uq_correction_receipt")),
    )
    with op.batch_alter_table("correction", schema=None) as batch_op:
        batch_op.create_index("ix_correction_month_state", ["month", "state"], unique=False)
        batch_op.create_index("ix_correction_state_due_at", ["state", "due_at"], unique=False)
        batch_op.create_index("ix_correction_state_id", ["state", "id"], unique=False)


def downgrade() -> None:
    """Go back."""
    op.drop_table("correction")
