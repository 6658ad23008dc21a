"""The field and the special plan a point is filed under."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

NAMES = ("field_key", "plan_key")


def upgrade() -> None:
    """Go forward."""
    for name in NAMES:
        column = sa.Column(name, sa.String(length=64), server_default=sa.text("''"), nullable=False)
        op.add_column("point", column)


def downgrade() -> None:
    """Go back."""
    for name in reversed(NAMES):
        op.drop_column("point", name)
