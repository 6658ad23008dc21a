"""Which opinion points an item of a meeting's agenda speaks of."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "agenda_point",
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["agenda_item.id"],
            name=op.f("fk_agenda_point_item_id_agenda_item"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_agenda_point_point_id_point")
        ),
        sa.PrimaryKeyConstraint("item_id", "point_id", name=op.f("pk_agenda_point")),
    )
    op.create_index(op.f("ix_agenda_point_point_id"), "agenda_point", ["point_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("agenda_point")
