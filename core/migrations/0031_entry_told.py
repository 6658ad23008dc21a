"""Why the second person does not confirm, from a list; calls whose end was moved later."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

TABLE = "panel_appointment"
OBJECTIONS = ("not_eligible", "no_place", "composition", "unfounded", "withdrawn", "other")
CHECKS = {
    "ck_panel_appointment_refused_for_a_reason": ("(state = 'refused') = (objection IS NOT NULL)"),
    "ck_panel_appointment_objection": "objection IN ({})".format(
        ", ".join(f"'{each}'" for each in OBJECTIONS)
    ),
}
# Before this one the new ones are put; it is there since 0015.
NEIGHBOUR = "CONSTRAINT ck_panel_appointment_term_in_order CHECK"


def upgrade() -> None:
    """Go forward. What was refused in words alone keeps its words, under 其他原因."""
    op.add_column(TABLE, sa.Column("objection", sa.String(length=24), nullable=True))
    op.execute("UPDATE panel_appointment SET objection = 'other' WHERE state = 'refused'")
    for name, condition in CHECKS.items():
        words = f"CONSTRAINT {name} CHECK ({condition}), "
        if not _rewritten(NEIGHBOUR, words + NEIGHBOUR):
            op.create_check_constraint(op.f(name), TABLE, condition)
    op.create_table(
        "panel_call_prolongation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("former_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("new_end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "former_end < new_end", name=op.f("ck_panel_call_prolongation_never_shorter")
        ),
        sa.ForeignKeyConstraint(
            ["call_id"],
            ["panel_call.id"],
            name=op.f("fk_panel_call_prolongation_call_id_panel_call"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_call_prolongation")),
    )
    op.create_index(
        op.f("ix_panel_call_prolongation_call_id"), "panel_call_prolongation", ["call_id"]
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("panel_call_prolongation")
    for name, condition in CHECKS.items():
        if not _rewritten(f"CONSTRAINT {name} CHECK ({condition}), ", ""):
            op.drop_constraint(op.f(name), TABLE, type_="check")
    op.drop_column(TABLE, "objection")


def _rewritten(old: str, new: str) -> bool:
    """On SQLite, put `new` for `old` into what the table says of itself; False elsewhere.

    SQLite has no words for adding a CHECK, and a table that others refer to cannot be made anew
    inside a transaction; why this way: `0022_undoing`.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        return False
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = connection.execute(
        sa.text(
            "UPDATE sqlite_master SET sql = replace(sql, :old, :new) "
            "WHERE type = 'table' AND name = :table AND instr(sql, :old) > 0"
        ),
        {"old": old, "new": new, "table": TABLE},
    )
    assert changed.rowcount == 1, f"{TABLE} does not say {old}"
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=RESET")
    return True
