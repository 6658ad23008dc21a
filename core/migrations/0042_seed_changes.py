"""Where the seed of a draw never comes, another is named; what was named before stays readable."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "seed_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("former_source", sa.String(length=200), nullable=False),
        sa.Column("former_known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_source", sa.String(length=200), nullable=False),
        sa.Column("new_known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "changed_at < new_known_at", name=op.f("ck_seed_change_before_the_seed")
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_seed_change_why_changed")),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["seat_pool.id"], name=op.f("fk_seed_change_pool_id_seat_pool")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seed_change")),
    )
    op.create_index(op.f("ix_seed_change_pool_id"), "seed_change", ["pool_id"])


def downgrade() -> None:
    """Go back: a source that was named in another's place stands as if it had been the first."""
    op.drop_table("seed_change")
