"""The lexicon staff keep, in versions, and new words that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "lexicon_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=16), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["account.id"], name=op.f("fk_lexicon_version_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lexicon_version")),
        sa.UniqueConstraint("number", name=op.f("uq_lexicon_version_number")),
    )
    op.create_index(op.f("ix_lexicon_version_by_id"), "lexicon_version", ["by_id"])
    op.create_index(op.f("ix_lexicon_version_digest"), "lexicon_version", ["digest"])
    op.create_table(
        "lexicon_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "term",
                "synonym",
                "stop",
                "plain",
                name="entrykind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("counts_as", sa.String(length=80), nullable=True),
        sa.CheckConstraint(
            "(kind = 'synonym') = (counts_as IS NOT NULL)", name=op.f("ck_lexicon_entry_counts_as")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["lexicon_version.id"],
            name=op.f("fk_lexicon_entry_version_id_lexicon_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lexicon_entry")),
        sa.UniqueConstraint("version_id", "word", name=op.f("uq_lexicon_entry_version_id_word")),
    )
    op.create_table(
        "refused_word",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=80), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["by_id"], ["account.id"], name=op.f("fk_refused_word_by_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_word")),
        sa.UniqueConstraint("word", name=op.f("uq_refused_word_word")),
    )
    op.create_index(op.f("ix_refused_word_by_id"), "refused_word", ["by_id"])


def downgrade() -> None:
    """Go back."""
    op.drop_table("refused_word")
    op.drop_table("lexicon_entry")
    op.drop_table("lexicon_version")
