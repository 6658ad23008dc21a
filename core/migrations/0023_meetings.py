"""Meetings: agenda, papers, invitations, seats for the public, draws of lots, minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "meeting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "discussion",
                "experts",
                "round_table",
                "hearing",
                "leading_group",
                name="meetingkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("field_id", sa.Integer(), nullable=True),
        sa.Column("topic", sa.String(length=200), nullable=False),
        sa.Column("consultation_id", sa.Integer(), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("chair", sa.String(length=60), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column(
            "admission",
            sa.Enum(
                "first_come",
                "draw",
                name="admission",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("applications", sa.Integer(), nullable=False),
        sa.Column("apply_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("apply_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "prepared",
                "announced",
                "held",
                "recorded",
                "cancelled",
                name="meetingstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("record_public", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.String(length=300), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'cancelled' OR cancel_reason <> ''", name=op.f("ck_meeting_why_cancelled")
        ),
        sa.CheckConstraint(
            "state IN ('prepared', 'cancelled') OR announced_at IS NOT NULL",
            name=op.f("ck_meeting_announced_has_day"),
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_meeting_times_in_order")),
        sa.CheckConstraint(
            "taken >= 0 AND taken <= seats", name=op.f("ck_meeting_seats_not_oversold")
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_meeting_consultation_id_consultation"),
        ),
        sa.ForeignKeyConstraint(
            ["field_id"], ["discussion_field.id"], name=op.f("fk_meeting_field_id_discussion_field")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_meeting_programme_id_programme")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    op.create_index(
        op.f("ix_meeting_is_public_state_starts_at"),
        "meeting",
        ["is_public", "state", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_meeting_programme_id_starts_at"),
        "meeting",
        ["programme_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=120), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answer",
            sa.Enum(
                "none",
                "attend",
                "decline",
                "substitute",
                name="answer",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("substitute", sa.String(length=60), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "attendance",
            sa.Enum(
                "unknown",
                "present",
                "absent",
                "substitute",
                name="attendance",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("checked_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "answer <> 'substitute' OR substitute <> ''",
            name=op.f("ck_invitation_substitute_is_named"),
        ),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_invitation_meeting_id_meeting")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["panel_member.id"], name=op.f("fk_invitation_member_id_panel_member")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint(
            "meeting_id", "member_id", name=op.f("uq_invitation_meeting_id_member_id")
        ),
    )
    op.create_index(op.f("ix_invitation_member_id"), "invitation", ["member_id"], unique=False)
    op.create_table(
        "meeting_paper",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "pdf",
                "docx",
                "xlsx",
                name="paperkind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_meeting_paper_meeting_id_meeting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_paper")),
    )
    op.create_index(
        op.f("ix_meeting_paper_meeting_id"), "meeting_paper", ["meeting_id"], unique=False
    )
    op.create_table(
        "seat_draw",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=100), nullable=False),
        sa.Column("algorithm", sa.String(length=20), nullable=False),
        sa.Column("pool", sa.JSON(), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_name", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_seat_draw_meeting_id_meeting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_draw")),
        sa.UniqueConstraint("meeting_id", name=op.f("uq_seat_draw_meeting_id")),
    )
    op.create_table(
        "seat_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("receipt", sa.String(length=24), nullable=False),
        sa.Column("once_key", sa.String(length=64), nullable=False),
        sa.Column("person_key", sa.String(length=32), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "applied",
                "seated",
                "waiting",
                "withdrawn",
                name="seatstate",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("sealed_name", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_contact", sa.LargeBinary(), nullable=False),
        sa.Column("consent", sa.String(length=20), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("came", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_seat_request_meeting_id_meeting")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_request")),
        sa.UniqueConstraint("meeting_id", "number", name=op.f("uq_seat_request_meeting_id_number")),
        sa.UniqueConstraint(
            "meeting_id", "person_key", name=op.f("uq_seat_request_meeting_id_person_key")
        ),
        sa.UniqueConstraint("once_key", name=op.f("uq_seat_request_once_key")),
        sa.UniqueConstraint("receipt", name=op.f("uq_seat_request_receipt")),
    )
    op.create_index(
        op.f("ix_seat_request_meeting_id_state_rank"),
        "seat_request",
        ["meeting_id", "state", "rank"],
        unique=False,
    )
    op.create_table(
        "agenda_item",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("version_id", sa.Integer(), nullable=True),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_agenda_item_meeting_id_meeting")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["version.id"], name=op.f("fk_agenda_item_version_id_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agenda_item")),
    )
    op.create_index(op.f("ix_agenda_item_meeting_id"), "agenda_item", ["meeting_id"], unique=False)
    op.create_table(
        "minute_point",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("meeting_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("speaker", sa.String(length=60), nullable=False),
        sa.Column("part", sa.String(length=60), nullable=False),
        sa.Column("name_agreed", sa.Boolean(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["meeting_id"], ["meeting.id"], name=op.f("fk_minute_point_meeting_id_meeting")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["panel_member.id"], name=op.f("fk_minute_point_member_id_panel_member")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_minute_point_submission_id_submission"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_minute_point")),
    )
    op.create_index(
        op.f("ix_minute_point_meeting_id"), "minute_point", ["meeting_id"], unique=False
    )
    op.create_index(op.f("ix_minute_point_member_id"), "minute_point", ["member_id"], unique=False)
    op.create_index(
        op.f("ix_minute_point_submission_id"), "minute_point", ["submission_id"], unique=False
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("minute_point")
    op.drop_table("agenda_item")
    op.drop_table("seat_request")
    op.drop_table("seat_draw")
    op.drop_table("meeting_paper")
    op.drop_table("invitation")
    op.drop_table("meeting")
