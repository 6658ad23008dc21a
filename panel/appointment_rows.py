"""The rows of appointments: what states a term goes through, why a proposal is not confirmed, and the
table. What is done with them stands in `appointments`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core import audit
from core.accounts import Account
from core.db import Base, choice, unique_where
from core.units import Unit
from panel.members import Member


class AppointmentState(Enum):
    """Where an appointment stands."""

    PROPOSED = "proposed"
    APPOINTED = "appointed"
    ENDED = "ended"
    REFUSED = "refused"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[AppointmentState, str] = {
            AppointmentState.PROPOSED: _("待确认"),
            AppointmentState.APPOINTED: _("已聘任"),
            AppointmentState.ENDED: _("已离任"),
            AppointmentState.REFUSED: _("未聘任"),
        }
        return titles[self]


audit.VALUES.setdefault("state", {}).update(
    {
        "proposed": _l("待确认"),
        "appointed": _l("已聘任"),
        "ended": _l("已离任"),
        "refused": _l("未聘任"),
    }
)


class Objection(Enum):
    """The closed list of why the second person does not confirm a proposal."""

    NOT_ELIGIBLE = "not_eligible"
    NO_PLACE = "no_place"
    COMPOSITION = "composition"
    UNFOUNDED = "unfounded"
    WITHDRAWN = "withdrawn"
    OTHER = "other"

    @property
    def title(self) -> str:
        """In the words of the page."""
        titles: dict[Objection, str] = {
            Objection.NOT_ELIGIBLE: _("不符合聘任条件"),
            Objection.NO_PLACE: _("该类别名额已满或需要调整"),
            Objection.COMPOSITION: _("从构成考虑，其他人选更合适"),
            Objection.UNFOUNDED: _("提名的理由或材料不够充分"),
            Objection.WITHDRAWN: _("本人或推荐单位撤回"),
            Objection.OTHER: _("其他原因"),
        }
        return titles[self]


class Appointment(Base):
    """One term of one member in one category."""

    __tablename__ = "panel_appointment"
    __table_args__ = (
        sa.CheckConstraint("term_from <= term_to", name="term_in_order"),
        sa.CheckConstraint("(state = 'ended') = (ended_on IS NOT NULL)", name="ended_has_day"),
        sa.CheckConstraint(
            "state <> 'appointed' OR decided_by_id IS NULL OR decided_by_id <> proposed_by_id",
            name="two_persons",
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (objection IS NOT NULL)", name="refused_for_a_reason"
        ),
        # One seat at a time, and one proposal for another.
        unique_where(
            "uq_panel_appointment_seated",
            "programme_id",
            "member_id",
            where="state = 'appointed'",
        ),
        unique_where(
            "uq_panel_appointment_proposed",
            "programme_id",
            "member_id",
            where="state = 'proposed'",
        ),
        sa.Index(None, "programme_id", "state", "category"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    # A name among the programme's categories, as it was called then.
    category: Mapped[str] = mapped_column(sa.String(60))
    recommended_by_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    # Keys of the programme's topics in which the member is at home.
    fields: Mapped[list[str]] = mapped_column(default=list)
    sub_district: Mapped[str] = mapped_column(sa.String(60), default="")
    term_from: Mapped[dt.date]
    term_to: Mapped[dt.date]
    # The first day on which they no longer sit.
    ended_on: Mapped[dt.date | None]
    # Why it was refused, of the list; in words it stands in `end_reason`.
    objection: Mapped[Objection | None] = mapped_column(choice(Objection))
    # Why it ended, or why it was refused, in words.
    end_reason: Mapped[str] = mapped_column(sa.String(200), default="")
    successor_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_member.id"))
    state: Mapped[AppointmentState] = mapped_column(
        choice(AppointmentState), default=AppointmentState.PROPOSED
    )
    # Empty where a command or the built-in example did it.
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    proposed_at: Mapped[dt.datetime]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    decided_at: Mapped[dt.datetime | None]

    member: Mapped[Member] = relationship(back_populates="appointments", foreign_keys=[member_id])
    successor: Mapped[Member | None] = relationship(foreign_keys=[successor_id])
    recommended_by: Mapped[Unit | None] = relationship()
    proposed_by: Mapped[Account | None] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[Account | None] = relationship(foreign_keys=[decided_by_id])

    def sits(self, on_day: dt.date) -> bool:
        """Whether the member sits by this appointment on that day."""
        return (
            self.state in HELD
            and self.term_from <= on_day <= self.term_to
            and (self.ended_on is None or on_day < self.ended_on)
        )

    def may_end(self, today: dt.date) -> bool:
        """Whether its end is still to be said, or is said for a day to come and may be earlier."""
        if self.ended_on is None:
            return self.state is AppointmentState.APPOINTED
        return self.ended_on > today


# States of appointments by which somebody sits or sat.
HELD = (AppointmentState.APPOINTED, AppointmentState.ENDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """For what somebody is proposed."""

    category: str
    term_from: dt.date
    term_to: dt.date
    fields: Sequence[str] = ()
    sub_district: str = ""
    recommended_by_unit_id: int | None = None
