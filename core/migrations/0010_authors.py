"""What authors keep: an account without a password, the consent they gave with it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "sign_in_code",
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_sign_in_code")),
    )
    # With a default, so that SQLite need not make a table anew that others point to.
    consent = sa.Column(
        "consent", sa.String(length=20), server_default=sa.text("''"), nullable=False
    )
    op.add_column("account", consent)


def downgrade() -> None:
    """Go back."""
    op.drop_column("account", "consent")
    op.drop_table("sign_in_code")
