"""The rows of what is proposed to be merged: what `alike_search` finds and `point_merges` shows.

A proposal is kept with its central point and its members text by text. What became of these since
(merged, split, hidden, being answered) is read off the points, so that nothing here can be stale.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base


class AlikeSearch(Base):
    """The last search among the points of a consultation; `stamp` is what it looked at."""

    __tablename__ = "alike_search"

    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), primary_key=True)
    stamp: Mapped[str] = mapped_column(sa.String(80), default="")
    searched_at: Mapped[dt.datetime | None]
    points: Mapped[int] = mapped_column(default=0)
    # The job that searches or has searched; NULL when nobody had to wait for one.
    job_id: Mapped[int | None]
    # How many proposals wait for a person; kept by those who search, decide and act on points.
    waiting: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))


class AlikeProposal(Base):
    """Points that may say the same: to be merged, or to join a group that there is."""

    __tablename__ = "alike_proposal"

    # In the order in which they are read: equal texts first, then the largest; themes last.
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    central_point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"))
    into_group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_group.id"))
    # How many points more were alike than one proposal holds.
    rest: Mapped[int] = mapped_column(default=0)
    # Why they are proposed, when it is not their words: the theme's name, and its words with 、
    # between them.
    theme: Mapped[str] = mapped_column(sa.String(200), default="", server_default=sa.text("''"))
    terms: Mapped[str] = mapped_column(sa.String(400), default="", server_default=sa.text("''"))


class AlikeMember(Base):
    """A point of a proposal; points with the same words have the same `text`."""

    __tablename__ = "alike_member"

    proposal_id: Mapped[int] = mapped_column(
        sa.ForeignKey("alike_proposal.id", ondelete="CASCADE"), primary_key=True
    )
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True, index=True)
    text: Mapped[int]


class AlikeGroups(Base):
    """Two groups, made apart, that may be one. `theme`: as in a proposal."""

    __tablename__ = "alike_groups"
    __table_args__ = (sa.CheckConstraint("one_group_id < other_group_id", name="in_order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    one_group_id: Mapped[int] = mapped_column(sa.ForeignKey("point_group.id"))
    other_group_id: Mapped[int] = mapped_column(sa.ForeignKey("point_group.id"))
    theme: Mapped[str] = mapped_column(sa.String(200), default="", server_default=sa.text("''"))
