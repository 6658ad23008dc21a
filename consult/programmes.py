"""The programme (规划编制工作) and its frame: stages, work nodes and gates, outputs, moments at
which opinions are asked for, discussion fields, panel categories. All of it is data read from a
programme file; nothing here may know a particular district or plan."""

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship, selectinload

from core import audit
from core.db import Base, choice, db

audit.ACTIONS.update({"programme.loaded": _l("载入规划编制工作")})
audit.KINDS.update({"programme": _l("规划编制工作")})


class Gate(StrEnum):
    """To whom the work of a node is reported before it goes on."""

    NONE = "none"
    LEADING_GROUP = "leading_group"
    PARTY_AND_GOVERNMENT = "party_and_government"


class Programme(Base):
    """The making of one plan. What has no rule of its own is kept as read, in `facts`:
    source, office, leading_group, panel, gates, units, topic_groups, topic_themes, discrepancies.
    """

    __tablename__ = "programme"
    __table_args__ = (sa.CheckConstraint("period_from <= period_to", name="period_in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    full_title: Mapped[str] = mapped_column(sa.String(200))
    plan_title: Mapped[str] = mapped_column(sa.String(200))
    ordinal: Mapped[int]
    region: Mapped[str] = mapped_column(sa.String(120))
    period_from: Mapped[int]
    period_to: Mapped[int]
    # Loaded from consult/data: shown as the built-in example, never taken for a site's own work.
    example: Mapped[bool] = mapped_column(default=False)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)

    stages: Mapped[list["Stage"]] = relationship(
        back_populates="programme", order_by="Stage.ordinal"
    )
    outputs: Mapped[list["Output"]] = relationship(
        back_populates="programme", order_by="Output.ordinal"
    )
    moments: Mapped[list["Moment"]] = relationship(
        back_populates="programme", order_by="Moment.ordinal"
    )
    discussion_fields: Mapped[list["DiscussionField"]] = relationship(
        back_populates="programme", order_by="DiscussionField.ordinal"
    )
    panel_categories: Mapped[list["PanelCategory"]] = relationship(
        back_populates="programme", order_by="PanelCategory.ordinal"
    )

    @property
    def starts_on(self) -> dt.date:
        """The first day of the first stage."""
        return min(stage.starts_on for stage in self.stages)

    @property
    def ends_on(self) -> dt.date:
        """The last day of the last stage."""
        return max(stage.ends_on for stage in self.stages)

    def nodes_on(self, day: dt.date) -> list["WorkNode"]:
        """The work nodes under way on `day`, in the order of the file."""
        return [
            node
            for stage in self.stages
            for node in stage.nodes
            if node.starts_on <= day <= node.ends_on
        ]


class Stage(Base):
    """One stage (阶段), whole months. A parallel one runs beside the others, not after them."""

    __tablename__ = "stage"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "key"),
        sa.CheckConstraint("starts_on <= ends_on", name="months_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    ordinal: Mapped[int]
    key: Mapped[str] = mapped_column(sa.String(64))
    numeral: Mapped[str] = mapped_column(sa.String(8))
    title: Mapped[str] = mapped_column(sa.String(200))
    short: Mapped[str] = mapped_column(sa.String(60))
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    parallel: Mapped[bool] = mapped_column(default=False)

    programme: Mapped[Programme] = relationship(back_populates="stages")
    nodes: Mapped[list["WorkNode"]] = relationship(
        back_populates="stage", order_by="WorkNode.ordinal"
    )


class WorkNode(Base):
    """One work node (工作节点) of a stage, whole months, with the gate it must pass."""

    __tablename__ = "work_node"
    __table_args__ = (
        sa.UniqueConstraint("stage_id", "ordinal"),
        sa.CheckConstraint("starts_on <= ends_on", name="months_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("stage.id"))
    ordinal: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(200))
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    gate: Mapped[Gate] = mapped_column(choice(Gate), default=Gate.NONE)

    stage: Mapped[Stage] = relationship(back_populates="nodes")


class Output(Base):
    """One of the programme's outputs (成果). `parts` is a list of {title, short}, often empty."""

    __tablename__ = "output"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("stage.id"), index=True)
    ordinal: Mapped[int]
    key: Mapped[str] = mapped_column(sa.String(64))
    title: Mapped[str] = mapped_column(sa.String(200))
    short: Mapped[str] = mapped_column(sa.String(60))
    parts: Mapped[list[dict[str, str]]] = mapped_column(sa.JSON, default=list)

    programme: Mapped[Programme] = relationship(back_populates="outputs")
    stage: Mapped[Stage] = relationship()


class Moment(Base):
    """A moment at which opinions are asked for. `nodes` are ordinals of nodes in its stage."""

    __tablename__ = "moment"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "key"),
        sa.CheckConstraint("starts_on <= ends_on", name="months_in_order"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("stage.id"), index=True)
    output_id: Mapped[int | None] = mapped_column(sa.ForeignKey("output.id"), index=True)
    ordinal: Mapped[int]
    key: Mapped[str] = mapped_column(sa.String(64))
    title: Mapped[str] = mapped_column(sa.String(200))
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    nodes: Mapped[list[int]] = mapped_column(sa.JSON, default=list)
    public: Mapped[bool]
    audience: Mapped[str] = mapped_column(sa.String(400))
    basis: Mapped[str] = mapped_column(sa.Text)
    note: Mapped[str] = mapped_column(sa.Text, default="")

    programme: Mapped[Programme] = relationship(back_populates="moments")
    stage: Mapped[Stage] = relationship()
    output: Mapped[Output | None] = relationship()


class DiscussionField(Base):
    """A field of the great discussion (发展大讨论), known by its name."""

    __tablename__ = "discussion_field"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    ordinal: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(60))

    programme: Mapped[Programme] = relationship(back_populates="discussion_fields")


class PanelCategory(Base):
    """A category of people the advisory panel is drawn from, known by its name."""

    __tablename__ = "panel_category"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "ordinal"),
        sa.UniqueConstraint("programme_id", "name"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    ordinal: Mapped[int]
    name: Mapped[str] = mapped_column(sa.String(60))

    programme: Mapped[Programme] = relationship(back_populates="panel_categories")


def by_slug(slug: str) -> Programme | None:
    """The programme with this slug and its whole frame, in a fixed number of queries."""
    return db.session.scalar(
        sa.select(Programme)
        .where(Programme.slug == slug)
        .options(
            selectinload(Programme.stages).selectinload(Stage.nodes),
            selectinload(Programme.outputs).joinedload(Output.stage),
            selectinload(Programme.moments),
            selectinload(Programme.discussion_fields),
            selectinload(Programme.panel_categories),
        )
    )


def every() -> Sequence[Programme]:
    """All programmes without their frames, a site's own before the example, newest plan first."""
    return db.session.scalars(_newest_first()).all()


def newest() -> Programme | None:
    """The programme a visitor is shown when the address names none."""
    return db.session.scalar(_newest_first().limit(1))


def _newest_first() -> sa.Select[Programme]:
    return sa.select(Programme).order_by(
        Programme.example, Programme.period_from.desc(), Programme.id.desc()
    )
