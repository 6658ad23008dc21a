"""Points of submissions, their answers, and the first point of every submission there is."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FIRST = """
INSERT INTO point
    (consultation_id, submission_id, ordinal, start, state, topic_key, place, version_id, stance)
SELECT consultation_id, id, 1, 0, 'live', '', place, version_id, stance FROM submission ORDER BY id
"""
OUTCOMES = ("adopted", "partly", "already", "declined", "kept_for_study", "out_of_scope")


def upgrade() -> None:
    """Go forward."""
    _create_points()
    _create_answers()
    op.execute(FIRST)


def _create_points() -> None:
    op.create_table(
        "wording",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=100), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                *OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wording")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("query", sa.String(length=400), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
            name=op.f("fk_saved_view_account_id_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
    )
    op.create_index(op.f("ix_saved_view_account_id"), "saved_view", ["account_id"])
    op.create_table(
        "point_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_point_group_consultation_id_consultation"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_group")),
    )
    op.create_index(op.f("ix_point_group_consultation_id"), "point_group", ["consultation_id"])
    op.create_table(
        "point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "live",
                "superseded",
                name="pointstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("topic_key", sa.String(length=64), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column(
            "stance",
            sa.Enum(
                "suggest",
                "support",
                "oppose",
                "question",
                "appeal",
                "none",
                name="stance",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("lead_unit_id", sa.Integer(), nullable=True),
        sa.CheckConstraint('"end" IS NULL OR "end" > start', name=op.f("ck_point_not_empty")),
        sa.CheckConstraint("start >= 0", name=op.f("ck_point_begins")),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_point_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["point_group.id"], name=op.f("fk_point_group_id_point_group")
        ),
        sa.ForeignKeyConstraint(
            ["lead_unit_id"], ["unit.id"], name=op.f("fk_point_lead_unit_id_unit")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_point_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_point_version_id_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point")),
    )
    op.create_index(
        op.f("ix_point_consultation_id_state_id"), "point", ["consultation_id", "state", "id"]
    )
    op.create_index(op.f("ix_point_group_id"), "point", ["group_id"])
    op.create_index(op.f("ix_point_lead_unit_id"), "point", ["lead_unit_id"])
    op.create_index(op.f("ix_point_submission_id_state"), "point", ["submission_id", "state"])
    op.create_table(
        "point_act",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "split",
                "merge",
                "ungroup",
                "move",
                name="actkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_point_act_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f("fk_point_act_submission_id_submission")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_point_act")),
    )
    op.create_index(op.f("ix_point_act_consultation_id"), "point_act", ["consultation_id"])
    op.create_index(op.f("ix_point_act_submission_id"), "point_act", ["submission_id"])
    op.create_table(
        "point_cooperation",
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_point_cooperation_point_id_point")
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_point_cooperation_unit_id_unit")
        ),
        sa.PrimaryKeyConstraint("point_id", "unit_id", name=op.f("pk_point_cooperation")),
    )
    op.create_index(op.f("ix_point_cooperation_unit_id"), "point_cooperation", ["unit_id"])
    op.create_table(
        "remark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("dissents", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(["point_id"], ["point.id"], name=op.f("fk_remark_point_id_point")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_remark_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_remark")),
    )
    op.create_index(op.f("ix_remark_point_id"), "remark", ["point_id"])


def _create_answers() -> None:
    op.create_table(
        "response",
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "todo",
                "drafted",
                "in_review",
                "final",
                "published",
                name="responsestate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "outcome",
            sa.Enum(
                *OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=24
            ),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("approved_by_id", sa.Integer(), nullable=True),
        sa.Column("handed_back", sa.Text(), nullable=False),
        sa.Column("wording_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(published_at IS NOT NULL) = (state = 'published')",
            name=op.f("ck_response_published_once"),
        ),
        sa.CheckConstraint(
            "state = 'todo' OR outcome IS NOT NULL", name=op.f("ck_response_says_something")
        ),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_response_point_id_point")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_response_unit_id_unit")),
        sa.ForeignKeyConstraint(
            ["wording_id"], ["wording.id"], name=op.f("fk_response_wording_id_wording")
        ),
        sa.PrimaryKeyConstraint("point_id", name=op.f("pk_response")),
    )
    op.create_index(op.f("ix_response_due_on"), "response", ["due_on"])
    op.create_index(op.f("ix_response_unit_id_state"), "response", ["unit_id", "state"])
    op.create_index(op.f("ix_response_wording_id"), "response", ["wording_id"])
    op.create_table(
        "response_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("point_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                *OUTCOMES, name="outcome", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["point_id"], ["point.id"], name=op.f("fk_response_version_point_id_point")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_version")),
        sa.UniqueConstraint(
            "point_id", "revision", name=op.f("uq_response_version_point_id_revision")
        ),
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("response_version")
    op.drop_table("response")
    op.drop_table("remark")
    op.drop_table("point_cooperation")
    op.drop_table("point_act")
    op.drop_table("point")
    op.drop_table("point_group")
    op.drop_table("saved_view")
    op.drop_table("wording")
