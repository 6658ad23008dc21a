"""Published answers are found, too.

A further kind of document gives every document another number. All that search stands on is derived:
both tables are made anew, and the site makes everything findable again when it starts next, or
`flask --app app search rebuild` does.
"""

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None
KINDS = ("paragraph", "opinion", "notice", "summary")


def upgrade() -> None:
    """Go forward."""
    _anew(*KINDS, "answer")


def downgrade() -> None:
    """Go back."""
    _anew(*KINDS)


def _anew(*kinds: str) -> None:
    op.execute("DROP TABLE search_posting")
    op.drop_table("search_document")
    kind = sa.Enum(*kinds, name="kind", native_enum=False, create_constraint=True, length=24)
    op.create_table(
        "search_document",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("kind", kind, nullable=False),
        sa.Column("thing_id", sa.Integer(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("marks", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("kind", "thing_id", name=op.f("uq_search_document_kind_thing_id")),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE search_posting USING fts5("
            "tokens, content='', detail=none, columnsize=0, tokenize='ascii')"
        )
    else:
        op.execute(
            "CREATE TABLE search_posting ("
            "id BIGINT CONSTRAINT pk_search_posting PRIMARY KEY, tokens INTEGER[] NOT NULL)"
        )
        op.execute("CREATE INDEX ix_search_posting_tokens ON search_posting USING gin (tokens)")
