"""Which titles were set by a form: the panel's remarks until now, to be read again without them."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

REMARKS = "SELECT submission_id FROM review_remark"


def upgrade() -> None:
    """Go forward."""
    op.add_column(
        "submission",
        sa.Column("title_by_form", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.execute(f"UPDATE submission SET title_by_form = true WHERE id IN ({REMARKS})")
    op.execute(
        "UPDATE term_entry SET reading_id = 0"
        f" WHERE reading_id IS NOT NULL AND submission_id IN ({REMARKS})"
    )


def downgrade() -> None:
    """Go back."""
    op.drop_column("submission", "title_by_form")
