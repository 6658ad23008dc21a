"""Imports that are brought in by steps and can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

STATES = ("pending", "shown", "hidden", "referred", "asked", "withdrawn")
MORE_STATES = (*STATES, "undone")
INTAKE = ("uploaded", "done")
MORE_INTAKE = ("uploaded", "running", "done", "undone")


def upgrade() -> None:
    """Go forward."""
    for table in ("submission", "screening_decision"):
        _change_check(table, f"ck_{table}_submissionstate", _one_of(STATES), _one_of(MORE_STATES))
    _change_check("intake", "ck_intake_intakestate", _one_of(INTAKE), _one_of(MORE_INTAKE))
    op.add_column("intake", sa.Column("job_id", sa.Integer(), nullable=True))
    op.add_column("intake", sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True))
    for name, length in (("undone_by", 120), ("undone_why", 400)):
        op.add_column(
            "intake",
            sa.Column(name, sa.String(length=length), server_default=sa.text("''"), nullable=False),
        )
    op.add_column(
        "intake", sa.Column("undone", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )


def downgrade() -> None:
    """Go back. What was undone stays out of sight; the older site knows such opinions as hidden,
    and counts them."""
    op.execute("UPDATE submission SET state = 'hidden' WHERE state = 'undone'")
    op.execute("UPDATE screening_decision SET state = 'hidden' WHERE state = 'undone'")
    op.execute("UPDATE intake SET state = 'done', stored_as = '' WHERE state <> 'uploaded'")
    _count_again()
    for table in ("submission", "screening_decision"):
        _change_check(table, f"ck_{table}_submissionstate", _one_of(MORE_STATES), _one_of(STATES))
    _change_check("intake", "ck_intake_intakestate", _one_of(MORE_INTAKE), _one_of(INTAKE))
    for name in ("undone", "undone_why", "undone_by", "undone_at", "job_id"):
        op.drop_column("intake", name)


def _count_again() -> None:
    """The older site numbers by the count of what was received, which must be the highest."""
    op.execute(
        "UPDATE consultation SET received = (SELECT count(*) FROM submission "
        "WHERE submission.consultation_id = consultation.id)"
    )
    op.execute(
        "UPDATE tally SET received = (SELECT count(*) FROM submission WHERE "
        "submission.consultation_id = tally.consultation_id AND submission.place = tally.place)"
    )


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
