"""Quotas (名额): which categories of members a programme has, and how many seats are planned."""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.programmes import PanelCategory
from core import audit
from core.audit import Actor
from core.db import Base, db
from core.errors import Refused

audit.ACTIONS.update({"seat.planned": _l("调整计划名额")})
audit.KINDS.update({"panel_seat": _l("计划名额")})
audit.FIELDS.update({"planned": _l("计划名额")})


class Seat(Base):
    """How many seats are planned for a category; without a row nothing is planned yet."""

    __tablename__ = "panel_seat"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "category"),
        sa.CheckConstraint("planned >= 0", name="planned_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    category: Mapped[str] = mapped_column(sa.String(60))
    planned: Mapped[int]


def plan(programme_id: int, category: str, planned: int, *, by: Actor, now: dt.datetime) -> None:
    """Say how many seats a category is to have."""
    if category not in categories(programme_id):
        raise Refused(_("没有“%(category)s”这个类别。", category=category))
    seat = of(programme_id, category)
    before = seat.planned if seat else None
    if before == planned:
        return
    if seat is None:
        seat = Seat(programme_id=programme_id, category=category, planned=planned)
        db.session.add(seat)
    seat.planned = planned
    db.session.flush()
    audit.record(
        "seat.planned",
        seat,
        by=by,
        now=now,
        name=category,
        before={"planned": before},
        after={"planned": planned},
    )


def of(programme_id: int, category: str) -> Seat | None:
    """The plan for a category."""
    query = sa.select(Seat).where(Seat.programme_id == programme_id, Seat.category == category)
    return db.session.scalar(query)


def locked(programme_id: int, kinds: Collection[str]) -> dict[str, int]:
    """How many seats are planned for those of these categories that have a plan, held until the end
    of the transaction."""
    query = (
        sa.select(Seat)
        .where(Seat.programme_id == programme_id, Seat.category.in_(kinds))
        .order_by(Seat.id)
        .with_for_update()
    )
    found = db.session.scalars(query.execution_options(populate_existing=True))
    return {seat.category: seat.planned for seat in found}


def categories(programme_id: int) -> list[str]:
    """The programme's categories of members, in the order of its file."""
    query = sa.select(PanelCategory.name).where(PanelCategory.programme_id == programme_id)
    return list(db.session.scalars(query.order_by(PanelCategory.ordinal)))


def planned(programme_id: int) -> dict[str, int]:
    """How many seats are planned for each category that has a plan."""
    query = sa.select(Seat.category, Seat.planned).where(Seat.programme_id == programme_id)
    return {row[0]: row[1] for row in db.session.execute(query)}
