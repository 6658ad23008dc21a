"""What authors keep: an account without a password, the consent they gave with it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
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
    with op.batch_alter_table("account") as account:
        account.add_column(sa.Column("consent", sa.String(length=20), nullable=True))
    op.execute("UPDATE account SET consent = ''")
    with op.batch_alter_table("account") as account:
        account.alter_column("consent", existing_type=sa.String(length=20), nullable=False)


def downgrade() -> None:
    """Go back."""
    with op.batch_alter_table("account") as account:
        account.drop_column("consent")
    op.drop_table("sign_in_code")
