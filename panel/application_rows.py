"""The rows of applications: by whose word somebody comes, what states an application goes through, why
somebody is not chosen, and the table. What is done with them stands in `applications`."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core import audit
from core.db import Base, choice
from core.units import Unit
from panel.appointments import Appointment, AppointmentState
from panel.calls import Call


class Origin(Enum):
    """By whose word somebody comes."""

    OPEN = "open"
    UNIT = "unit"

    @property
    def title(self) -> str:
        """In the words of the page."""
        titles: dict[Origin, str] = {Origin.OPEN: _("公开申请"), Origin.UNIT: _("单位推荐")}
        return titles[self]


class Tie(Enum):
    """What binds somebody to the district, as they declare it."""

    LIVES = "lives"
    WORKS = "works"
    NONE = "none"

    @property
    def title(self) -> str:
        """In the words of the form."""
        titles: dict[Tie, str] = {
            Tie.LIVES: _("在本区居住"),
            Tie.WORKS: _("在本区工作或学习"),
            Tie.NONE: _("都不是"),
        }
        return titles[self]


class ApplicationState(Enum):
    """Where an application stands in itself; what became of a proposal, the appointment knows."""

    RECEIVED = "received"
    SHORTLISTED = "shortlisted"
    PROPOSED = "proposed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[ApplicationState, str] = {
            ApplicationState.RECEIVED: _("待审核"),
            ApplicationState.SHORTLISTED: _("已入围"),
            ApplicationState.PROPOSED: _("已提名"),
            ApplicationState.REFUSED: _("未入选"),
            ApplicationState.WITHDRAWN: _("已撤回"),
        }
        return titles[self]


audit.FIELDS.update({"application": _l("申请状态")})
audit.VALUES["application"] = {
    "shortlisted": _l("已入围"),
    "proposed": _l("已提名"),
    "refused": _l("未入选"),
    "withdrawn": _l("已撤回"),
}
NEXT = {
    ApplicationState.RECEIVED: {
        ApplicationState.SHORTLISTED,
        ApplicationState.REFUSED,
        ApplicationState.WITHDRAWN,
    },
    ApplicationState.SHORTLISTED: {
        ApplicationState.PROPOSED,
        ApplicationState.REFUSED,
        ApplicationState.WITHDRAWN,
    },
    ApplicationState.PROPOSED: {ApplicationState.WITHDRAWN},
    ApplicationState.REFUSED: set(),
    ApplicationState.WITHDRAWN: set(),
}
# States in which somebody may still be chosen.
LIVE = (ApplicationState.RECEIVED, ApplicationState.SHORTLISTED, ApplicationState.PROPOSED)


class Refusal(Enum):
    """The closed list of why somebody is not chosen."""

    NOT_ELIGIBLE = "not_eligible"
    NO_PLACE = "no_place"
    OTHERS_NEARER = "others_nearer"
    INCOMPLETE = "incomplete"
    TWICE = "twice"
    OTHER = "other"

    @property
    def title(self) -> str:
        """In the words of the page."""
        titles: dict[Refusal, str] = {
            Refusal.NOT_ELIGIBLE: _("不符合申请条件"),
            Refusal.NO_PLACE: _("该类别名额已满"),
            Refusal.OTHERS_NEARER: _("综合比较，其他人选更符合本次构成需要"),
            Refusal.INCOMPLETE: _("填写的情况不足以作出判断"),
            Refusal.TWICE: _("同一人重复申请"),
            Refusal.OTHER: _("其他原因"),
        }
        return titles[self]


class Application(Base):
    """One person who would sit in one category."""

    __tablename__ = "panel_application"
    __table_args__ = (
        sa.CheckConstraint("(origin = 'unit') = (unit_id IS NOT NULL)", name="unit_recommends"),
        sa.CheckConstraint("(origin = 'open') = (call_id IS NOT NULL)", name="call_is_answered"),
        sa.CheckConstraint(
            "(state = 'refused') = (refusal IS NOT NULL)", name="refused_for_a_reason"
        ),
        sa.CheckConstraint("state <> 'refused' OR told <> ''", name="refused_in_words"),
        sa.CheckConstraint(
            "state <> 'proposed' OR appointment_id IS NOT NULL", name="proposed_for_a_seat"
        ),
        sa.Index(None, "programme_id", "state", "id"),
        sa.Index(None, "unit_id", "id"),
        sa.Index(None, "programme_id", "person_key"),
        sa.Index(None, "keep_until"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    origin: Mapped[Origin] = mapped_column(choice(Origin))
    call_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_call.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    receipt: Mapped[str] = mapped_column(sa.String(24), unique=True)
    once_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # A keyed hash of the contact, by which a second application of a person is noticed.
    person_key: Mapped[str | None] = mapped_column(sa.String(32))
    category: Mapped[str] = mapped_column(sa.String(60))
    fields: Mapped[list[str]]
    sub_district: Mapped[str] = mapped_column(sa.String(60))
    # Why they want to sit, or why the unit recommends them.
    statement: Mapped[str] = mapped_column(sa.Text)
    # `Person` as JSON, sealed; b"" once it is deleted or has gone into the register.
    sealed_person: Mapped[bytes]
    is_adult: Mapped[bool]
    tie: Mapped[Tie] = mapped_column(choice(Tie))
    is_name_public: Mapped[bool]
    consent: Mapped[str] = mapped_column(sa.String(20))
    received_at: Mapped[dt.datetime]
    state: Mapped[ApplicationState] = mapped_column(choice(ApplicationState))
    # Why they stand on the shortlist; for the office only.
    reasons: Mapped[str] = mapped_column(sa.String(500), default="")
    refusal: Mapped[Refusal | None] = mapped_column(choice(Refusal))
    # The refusal in words, for who applied.
    told: Mapped[str] = mapped_column(sa.String(500), default="")
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    appointment_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("panel_appointment.id"), unique=True
    )
    # The last day on which the personal details are kept; none where they are gone.
    keep_until: Mapped[dt.date | None]

    call: Mapped[Call | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    appointment: Mapped[Appointment | None] = relationship()

    @property
    def fate(self) -> AppointmentState | None:
        """What became of the proposal; None before there is one."""
        return self.appointment.state if self.appointment else None

    @property
    def is_live(self) -> bool:
        """Whether they may still be chosen."""
        return self.state in LIVE and self.fate in (None, AppointmentState.PROPOSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody is, cleaned by the form."""

    name: str
    contact: str
    gender: str = ""
    birth_year: int | None = None
    unit_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """For what they would sit, and what they declare, cleaned by the form."""

    category: str
    statement: str
    fields: Sequence[str] = ()
    sub_district: str = ""
    is_adult: bool = False
    tie: Tie = Tie.NONE
    is_name_public: bool = False
