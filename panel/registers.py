"""Registers (名册): lists of appointments with their members, to be looked through by name."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import contains_eager, joinedload

from core.db import db
from panel.appointments import HELD, Appointment, AppointmentState, sitting_on
from panel.members import Member

ORDERS = {"stroke": Member.by_stroke, "pinyin": Member.by_pinyin}
SHOWN = ("sitting", "proposed", "former", "refused", "all")


def page(
    programme_id: int,
    on_day: dt.date,
    *,
    shown: str = "sitting",
    order: str = "stroke",
    category: str = "",
    field: str = "",
    sub_district: str = "",
    words: str = "",
    after: Appointment | None = None,
    limit: int | None = 50,
) -> Sequence[Appointment]:
    """Appointments of the register by name, those after `after`: `shown` says of whom."""
    key = ORDERS[order]
    query = (
        sa.select(Appointment)
        .join(Appointment.member)
        .options(contains_eager(Appointment.member), joinedload(Appointment.recommended_by))
        .where(Appointment.programme_id == programme_id)
        .order_by(key, Member.id, Appointment.id)
        .limit(limit)
    )
    if shown == "sitting":
        query = query.where(sitting_on(on_day))
    elif shown == "former":
        query = query.where(Appointment.state.in_(HELD), ~sitting_on(on_day))
        query = query.where(Appointment.term_from <= on_day)
    elif shown in ("proposed", "refused"):
        query = query.where(Appointment.state == AppointmentState(shown))
    if category:
        query = query.where(Appointment.category == category)
    if sub_district:
        query = query.where(Appointment.sub_district == sub_district)
    if field:
        # Keys are plain letters: as they stand between their quotes in the list.
        query = query.where(
            sa.cast(Appointment.fields, sa.Text).contains(f'"{field}"', autoescape=True)
        )
    if words:
        query = query.where(
            Member.name.icontains(words, autoescape=True)
            | Member.unit_text.icontains(words, autoescape=True)
        )
    if after is not None:
        member = after.member
        place = getattr(member, key.key)
        query = query.where(
            sa.tuple_(key, Member.id, Appointment.id)
            > sa.tuple_(sa.literal(place), sa.literal(member.id), sa.literal(after.id))
        )
    return db.session.scalars(query).all()


def sub_districts(programme_id: int) -> list[str]:
    """The sub-districts members come from."""
    query = sa.select(Appointment.sub_district).where(
        Appointment.programme_id == programme_id, Appointment.sub_district != ""
    )
    return sorted(db.session.scalars(query.distinct()))


def figures(programme_id: int, on_day: dt.date) -> dict[str, int]:
    """How many of each category sit on that day."""
    query = (
        sa.select(Appointment.category, sa.func.count())
        .where(Appointment.programme_id == programme_id, sitting_on(on_day))
        .group_by(Appointment.category)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
