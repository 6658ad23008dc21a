"""Proposals to merge points that are alike, and that some are not the same after all."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

KINDS = "kind IN ('split', 'merge', 'ungroup', 'move')"
MORE_KINDS = "kind IN ('split', 'merge', 'ungroup', 'move', 'apart')"


def upgrade() -> None:
    """Go forward."""
    _change_check("point_act", "ck_point_act_actkind", KINDS, MORE_KINDS)
    op.create_table(
        "alike_search",
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(length=80), nullable=False),
        sa.Column("searched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_alike_search_consultation_id_consultation"),
        ),
        sa.PrimaryKeyConstraint("consultation_id", name=op.f("pk_alike_search")),
    )
    op.create_table(
        "alike_proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("central_point_id", sa.Integer(), nullable=False),
        sa.Column("into_group_id", sa.Integer(), nullable=True),
        sa.Column("rest", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_alike_proposal_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["central_point_id"],
            ["point.id"],
            name=op.f("fk_alike_proposal_central_point_id_point"),
        ),
        sa.ForeignKeyConstraint(
            ["into_group_id"],
            ["point_group.id"],
            name=op.f("fk_alike_proposal_into_group_id_point_group"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alike_proposal")),
    )
    op.create_index(
        op.f("ix_alike_proposal_consultation_id"), "alike_proposal", ["consultation_id"]
    )
    op.create_table(
        "alike_member",
        sa.Column("proposal_id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("text", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["proposal_id"],
            ["alike_proposal.id"],
            name=op.f("fk_alike_member_proposal_id_alike_proposal"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_alike_member_point_id_point")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "point_id", name=op.f("pk_alike_member")),
    )
    op.create_index(op.f("ix_alike_member_point_id"), "alike_member", ["point_id"])


def downgrade() -> None:
    """Go back. The older site proposes nothing, so it need not know what was refused."""
    op.drop_table("alike_member")
    op.drop_table("alike_proposal")
    op.drop_table("alike_search")
    op.execute("DELETE FROM point_act WHERE kind = 'apart'")
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
