"""The index of terms: words, ways of reading, and what each shown opinion says."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward. What is shown already is entered unread; a job will read it."""
    op.create_table(
        "term",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("word", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("word", name=op.f("uq_term_word")),
    )
    op.create_table(
        "term_reading",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term_reading")),
        sa.UniqueConstraint("version", name=op.f("uq_term_reading_version")),
    )
    op.create_table(
        "term_clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term_clock")),
    )
    op.create_table(
        "term_entry",
        sa.Column("submission_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.Column("reading_id", sa.Integer(), nullable=True),
        sa.Column("stance", sa.SmallInteger(), nullable=False),
        sa.Column("terms", sa.LargeBinary(), nullable=False),
        sa.Column("opposed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_term_entry_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_term_entry_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_term_entry")),
    )
    op.create_index(
        op.f("ix_term_entry_consultation_id_change"), "term_entry", ["consultation_id", "change"]
    )
    op.create_index(
        op.f("ix_term_entry_reading_id_submission_id"),
        "term_entry",
        ["reading_id", "submission_id"],
    )
    op.execute("INSERT INTO term_clock (id, change) VALUES (1, 1)")
    empty = "X''" if op.get_bind().dialect.name == "sqlite" else "''::bytea"
    op.execute(
        "INSERT INTO term_entry "
        "(submission_id, consultation_id, change, reading_id, stance, terms, opposed) "
        f"SELECT id, consultation_id, 1, 0, 0, {empty}, {empty} "
        "FROM submission WHERE state = 'shown'"
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("term_entry")
    op.drop_table("term_clock")
    op.drop_table("term_reading")
    op.drop_table("term")
