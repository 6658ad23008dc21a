"""Second persons, masking, appeals."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

STATES = ("pending", "shown", "hidden", "referred")
MORE_STATES = (*STATES, "asked", "withdrawn")
REASONS = ("personal_attack", "personal_information", "advertisement", "off_topic", "illegal")
TOTALS = "received = shown + pending + hidden + referred"


def upgrade() -> None:
    """Go forward."""
    for table in ("submission", "screening_decision"):
        _change_check(table, f"ck_{table}_submissionstate", _one_of(STATES), _one_of(MORE_STATES))
    op.add_column(
        "summary", sa.Column("withdrawn", sa.Integer(), server_default="0", nullable=False)
    )
    _change_check("summary", "ck_summary_totals", TOTALS, f"{TOTALS} + withdrawn")
    op.add_column(
        "screening_decision",
        sa.Column("told", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.add_column("screening_decision", sa.Column("proposed_by_id", sa.Integer(), nullable=True))
    _create_tables()


def _create_tables() -> None:
    op.create_table(
        "proposal",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(*REASONS, name="reason", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["account.id"], name=op.f("fk_proposal_by_id_account")),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_proposal_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_proposal")),
    )
    op.create_table(
        "appeal",
        sa.Column("decision_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "upheld",
                "changed",
                "dropped",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("told", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_appeal_decided")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["account.id"], name=op.f("fk_appeal_decided_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["screening_decision.id"],
            name=op.f("fk_appeal_decision_id_screening_decision"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_appeal_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_appeal")),
    )
    op.create_index(op.f("ix_appeal_submission_id"), "appeal", ["submission_id"])
    op.create_index(op.f("ix_appeal_outcome"), "appeal", ["outcome"])
    op.create_table(
        "original",
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("stamp", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_original_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("submission_id", name=op.f("pk_original")),
    )
    op.create_table(
        "addition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_addition_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addition")),
    )
    op.create_index(op.f("ix_addition_submission_id"), "addition", ["submission_id"])
    op.create_table(
        "screening_figure",
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "kind", name=op.f("pk_screening_figure")),
    )


def downgrade() -> None:
    """Go back. What the older site does not know is told in the nearest words it has."""
    op.execute(
        "UPDATE submission SET title = (SELECT title FROM original WHERE submission_id = id), "
        "body = (SELECT body FROM original WHERE submission_id = id) "
        "WHERE state <> 'shown' AND id IN (SELECT submission_id FROM original)"
    )
    for table in ("screening_figure", "addition", "original", "appeal", "proposal"):
        op.drop_table(table)
    op.execute("UPDATE submission SET state = 'pending' WHERE state = 'asked'")
    op.execute("UPDATE submission SET state = 'referred' WHERE state = 'withdrawn'")
    op.execute("DELETE FROM screening_decision WHERE state IN ('pending', 'asked', 'withdrawn')")
    op.drop_column("screening_decision", "proposed_by_id")
    op.drop_column("screening_decision", "told")
    # True before and after: PostgreSQL checks every row when the check is changed.
    op.execute("UPDATE summary SET referred = referred + withdrawn, withdrawn = 0")
    _change_check("summary", "ck_summary_totals", f"{TOTALS} + withdrawn", TOTALS)
    op.drop_column("summary", "withdrawn")
    for table in ("submission", "screening_decision"):
        _change_check(table, f"ck_{table}_submissionstate", _one_of(MORE_STATES), _one_of(STATES))


def _one_of(states: tuple[str, ...]) -> str:
    return "state IN ({})".format(", ".join(f"'{state}'" for state in states))


def _change_check(table: str, name: str, old: str, new: str) -> None:
    """Let a table be held to `new` instead of `old`.

    SQLite has no words for it, and a table that others refer to cannot be made anew inside a
    transaction. Its manual (lang_altertable.html, 7) shows this way for changes of CHECKs, which
    touch nothing on disk but the table's own description.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        op.drop_constraint(op.f(name), table, type_="check")
        op.create_check_constraint(op.f(name), table, new)
        return
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = connection.execute(
        sa.text(
            "UPDATE sqlite_master SET sql = replace(sql, :old, :new) "
            "WHERE type = 'table' AND name = :table AND instr(sql, :old) > 0"
        ),
        {"old": f"({old})", "new": f"({new})", "table": table},
    )
    assert changed.rowcount == 1, f"{table} is not held to {old}"
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
