"""How many members of a field, a place, a sex or an age the panel is to have."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "panel_target",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column(
            "way",
            sa.Enum(
                "field",
                "place",
                "gender",
                "age",
                name="way",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.CheckConstraint("planned > 0", name=op.f("ck_panel_target_planned_something")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_panel_target_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_target")),
        sa.UniqueConstraint(
            "programme_id", "way", "key", name=op.f("uq_panel_target_programme_id_way_key")
        ),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("panel_target")
