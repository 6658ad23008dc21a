"""Who of a unit answers a point; views of one's unit are kept apart from those of rounds."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

KINDS = "kind IN ('split', 'merge', 'ungroup', 'move', 'apart')"
MORE_KINDS = "kind IN ('split', 'merge', 'ungroup', 'move', 'apart', 'assign')"


def upgrade() -> None:
    """Go forward."""
    _change_check("point_act", "ck_point_act_actkind", KINDS, MORE_KINDS)
    op.create_table(
        "assignment",
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_assignment_point_id_point")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_assignment_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("point_id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_account_id"), "assignment", ["account_id"])
    op.add_column(
        "saved_view",
        sa.Column("of_unit", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    """Go back. Views of a unit's points would lead nowhere there."""
    op.execute(sa.text("DELETE FROM saved_view WHERE of_unit = :yes").bindparams(yes=True))
    op.drop_column("saved_view", "of_unit")
    op.drop_table("assignment")
    op.execute("DELETE FROM point_act WHERE kind = 'assign'")
    _change_check("point_act", "ck_point_act_actkind", MORE_KINDS, KINDS)


def _change_check(table: str, name: str, old: str, new: str) -> None:
    """Let a table be held to `new` instead of `old`; on SQLite as migration 0022 explains."""
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
