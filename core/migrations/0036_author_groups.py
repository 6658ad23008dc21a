"""For whom an author spoke; what the panel has said so far is filled in from its invitations."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "author_group",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_author_group_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_author_group")),
    )
    op.execute(
        "INSERT INTO author_group (submission_id, title) "
        "SELECT review_remark.submission_id, review_invitation.category FROM review_remark "
        "JOIN review_invitation ON review_invitation.id = review_remark.invitation_id"
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("author_group")
