"""With each way to reach an author stands the version of the consent its owner agreed to.

One that was left with the opinion was agreed to with it. One that was left later to an opinion that
brought no consent (a letter that was typed in) says none: nobody knows what was read then.
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.add_column(
        "contact",
        sa.Column("consent", sa.String(length=20), server_default=sa.text("''"), nullable=False),
    )
    op.execute(
        "UPDATE contact SET consent ="
        " (SELECT consent FROM submission WHERE submission.id = contact.submission_id)"
    )


def downgrade() -> None:
    """Go back: that an opinion's contact was agreed to stands with the opinion alone."""
    with op.batch_alter_table("contact") as batch_op:
        batch_op.drop_column("consent")
