"""Entry to the panel: calls for members, applications, recommendations and imported lists."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "panel_call",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("categories", sa.JSON(), nullable=False),
        sa.Column("places", sa.JSON(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "prepared",
                "opened",
                "closed",
                name="callstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("close_reason", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'closed' OR close_reason <> ''", name=op.f("ck_panel_call_why_closed")
        ),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_panel_call_window_in_order")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_panel_call_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_call")),
    )
    op.create_index(
        op.f("ix_panel_call_programme_id_id"), "panel_call", ["programme_id", "id"], unique=False
    )
    op.create_table(
        "member_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "uploaded",
                "done",
                name="importstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("filename", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_as", sa.String(length=64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("imported", sa.Integer(), nullable=False),
        sa.Column("already", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("errors", sa.JSON(), nullable=False),
        sa.Column("proposed", sa.JSON(), nullable=False),
        sa.Column("brought_by_id", sa.Integer(), nullable=True),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["brought_by_id"], ["account.id"], name=op.f("fk_member_import_brought_by_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_member_import_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_import")),
    )
    op.create_index(
        op.f("ix_member_import_programme_id"), "member_import", ["programme_id"], unique=False
    )
    op.create_table(
        "panel_application",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "open", "unit", name="origin", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("call_id", sa.Integer(), nullable=True),
        sa.Column("unit_id", sa.Integer(), nullable=True),
        sa.Column("receipt", sa.String(length=24), nullable=False),
        sa.Column("once_key", sa.String(length=64), nullable=False),
        sa.Column("person_key", sa.String(length=32), nullable=True),
        sa.Column("category", sa.String(length=60), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("sub_district", sa.String(length=60), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("sealed_person", sa.LargeBinary(), nullable=False),
        sa.Column("is_adult", sa.Boolean(), nullable=False),
        sa.Column(
            "tie",
            sa.Enum(
                "lives",
                "works",
                "none",
                name="tie",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("is_name_public", sa.Boolean(), nullable=False),
        sa.Column("consent", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "shortlisted",
                "proposed",
                "refused",
                "withdrawn",
                name="applicationstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("reasons", sa.String(length=500), nullable=False),
        sa.Column(
            "refusal",
            sa.Enum(
                "not_eligible",
                "no_place",
                "others_nearer",
                "incomplete",
                "twice",
                "other",
                name="refusal",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("told", sa.String(length=500), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("appointment_id", sa.Integer(), nullable=True),
        sa.Column("keep_until", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "(origin = 'open') = (call_id IS NOT NULL)",
            name=op.f("ck_panel_application_call_is_answered"),
        ),
        sa.CheckConstraint(
            "(origin = 'unit') = (unit_id IS NOT NULL)",
            name=op.f("ck_panel_application_unit_recommends"),
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (refusal IS NOT NULL)",
            name=op.f("ck_panel_application_refused_for_a_reason"),
        ),
        sa.CheckConstraint(
            "state <> 'proposed' OR appointment_id IS NOT NULL",
            name=op.f("ck_panel_application_proposed_for_a_seat"),
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR told <> ''", name=op.f("ck_panel_application_refused_in_words")
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"],
            ["panel_appointment.id"],
            name=op.f("fk_panel_application_appointment_id_panel_appointment"),
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["panel_call.id"], name=op.f("fk_panel_application_call_id_panel_call")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"],
            ["account.id"],
            name=op.f("fk_panel_application_decided_by_id_account"),
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"],
            ["programme.id"],
            name=op.f("fk_panel_application_programme_id_programme"),
        ),
        sa.ForeignKeyConstraint(
            ["unit_id"], ["unit.id"], name=op.f("fk_panel_application_unit_id_unit")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_panel_application")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_panel_application_appointment_id")),
        sa.UniqueConstraint("once_key", name=op.f("uq_panel_application_once_key")),
        sa.UniqueConstraint("receipt", name=op.f("uq_panel_application_receipt")),
    )
    op.create_index(
        op.f("ix_panel_application_call_id"), "panel_application", ["call_id"], unique=False
    )
    op.create_index(
        op.f("ix_panel_application_keep_until"), "panel_application", ["keep_until"], unique=False
    )
    op.create_index(
        op.f("ix_panel_application_programme_id_person_key"),
        "panel_application",
        ["programme_id", "person_key"],
        unique=False,
    )
    op.create_index(
        op.f("ix_panel_application_programme_id_state_id"),
        "panel_application",
        ["programme_id", "state", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_panel_application_unit_id_id"),
        "panel_application",
        ["unit_id", "id"],
        unique=False,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("member_import")
    op.drop_table("panel_application")
    op.drop_table("panel_call")
