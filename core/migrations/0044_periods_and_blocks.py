"""Opinions are found by years, months and thirds of months, too, and on PostgreSQL every document by the
block of numbers it stands in.

All that search stands on is derived: both tables are emptied, and the site makes everything findable
again when it starts next, or `flask --app app search rebuild` does.
"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    _empty()


def downgrade() -> None:
    """Go back."""
    _empty()


def _empty() -> None:
    op.execute("DELETE FROM search_document")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("INSERT INTO search_posting (search_posting) VALUES ('delete-all')")
    else:
        op.execute("TRUNCATE search_posting")
