"""The advisory panel: members, appointments, planned seats, declared interests."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "panel_member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("by_stroke", sa.String(length=480), nullable=False),
        sa.Column("by_pinyin", sa.String(length=480), nullable=False),
        sa.Column(
            "gender",
            sa.Enum(
                "female",
                "male",
                name="gender",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("unit_text", sa.String(length=120), nullable=False),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=False),
        sa.Column("is_name_public", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_panel_member_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_member")),
        sa.UniqueConstraint("account_id", name=op.f("uq_panel_member_account_id")),
    )
    op.create_index(op.f("ix_panel_member_by_stroke_id"), "panel_member", ["by_stroke", "id"])
    op.create_index(op.f("ix_panel_member_by_pinyin_id"), "panel_member", ["by_pinyin", "id"])
    op.create_table(
        "panel_appointment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("recommended_by_unit_id", sa.Integer(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("sub_district", sa.String(length=60), nullable=False),
        sa.Column("term_from", sa.Date(), nullable=False),
        sa.Column("term_to", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.String(length=200), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "appointed",
                "ended",
                "refused",
                name="appointmentstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("proposed_by_id", sa.Integer(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("term_from <= term_to", name=op.f("ck_panel_appointment_term_in_order")),
        sa.CheckConstraint(
            "(state = 'ended') = (ended_on IS NOT NULL)",
            name=op.f("ck_panel_appointment_ended_has_day"),
        ),
        sa.CheckConstraint(
            "state <> 'appointed' OR decided_by_id IS NULL OR decided_by_id <> proposed_by_id",
            name=op.f("ck_panel_appointment_two_persons"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column],
                [f"{table}.id"],
                name=op.f(f"fk_panel_appointment_{column}_{table}"),
            )
            for column, table in (
                ("member_id", "panel_member"),
                ("programme_id", "programme"),
                ("recommended_by_unit_id", "unit"),
                ("successor_id", "panel_member"),
                ("proposed_by_id", "account"),
                ("decided_by_id", "account"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_appointment")),
    )
    op.create_index(op.f("ix_panel_appointment_member_id"), "panel_appointment", ["member_id"])
    op.create_index(
        op.f("ix_panel_appointment_programme_id_state_category"),
        "panel_appointment",
        ["programme_id", "state", "category"],
    )
    for name, state in (("seated", "appointed"), ("proposed", "proposed")):
        op.create_index(
            f"uq_panel_appointment_{name}",
            "panel_appointment",
            ["programme_id", "member_id"],
            unique=True,
            sqlite_where=sa.text(f"state = '{state}'"),
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "panel_interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["panel_member.id"],
            name=op.f("fk_panel_interest_member_id_panel_member"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_interest")),
    )
    op.create_index(op.f("ix_panel_interest_member_id"), "panel_interest", ["member_id"])
    op.create_table(
        "panel_seat",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.CheckConstraint("planned >= 0", name=op.f("ck_panel_seat_planned_not_negative")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_panel_seat_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_seat")),
        sa.UniqueConstraint(
            "programme_id", "category", name=op.f("uq_panel_seat_programme_id_category")
        ),
    )


def downgrade() -> None:
    """Go back."""
    for table in ("panel_seat", "panel_interest", "panel_appointment", "panel_member"):
        op.drop_table(table)
