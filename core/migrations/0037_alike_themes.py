"""Proposals of one theme, groups that may be one, and how many proposals wait."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    nothing = sa.text("''")
    op.add_column(
        "alike_search",
        sa.Column("waiting", sa.Integer(), nullable=False, server_default=sa.text("0")),
    )
    for name, length in (("theme", 200), ("terms", 400)):
        op.add_column(
            "alike_proposal",
            sa.Column(name, sa.String(length=length), nullable=False, server_default=nothing),
        )
    op.create_table(
        "alike_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("one_group_id", sa.Integer(), nullable=False),
        sa.Column("other_group_id", sa.Integer(), nullable=False),
        sa.Column("theme", sa.String(length=200), nullable=False, server_default=nothing),
        sa.CheckConstraint("one_group_id < other_group_id", name=op.f("ck_alike_groups_in_order")),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_alike_groups_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["one_group_id"],
            ["point_group.id"],
            name=op.f("fk_alike_groups_one_group_id_point_group"),
        ),
        sa.ForeignKeyConstraint(
            ["other_group_id"],
            ["point_group.id"],
            name=op.f("fk_alike_groups_other_group_id_point_group"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alike_groups")),
    )
    op.create_index(op.f("ix_alike_groups_consultation_id"), "alike_groups", ["consultation_id"])
    op.execute(
        "UPDATE alike_search SET waiting = (SELECT COUNT(*) FROM alike_proposal"
        " WHERE alike_proposal.consultation_id = alike_search.consultation_id)"
    )


def downgrade() -> None:
    """Go back. The older site says of every proposal that its words are alike, so what is of one
    theme is proposed no more."""
    op.drop_table("alike_groups")
    of_themes = "(SELECT id FROM alike_proposal WHERE theme <> '')"
    op.execute(f"DELETE FROM alike_member WHERE proposal_id IN {of_themes}")
    op.execute("DELETE FROM alike_proposal WHERE theme <> ''")
    op.drop_column("alike_proposal", "terms")
    op.drop_column("alike_proposal", "theme")
    op.drop_column("alike_search", "waiting")
