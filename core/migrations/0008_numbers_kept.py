"""Changes nothing: the numbers up to here were once kept free, and a copy made then says 0008."""

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""


def downgrade() -> None:
    """Go back."""
