"""Officers (经办人): the people of a unit who may be named to answer a point, and who was named.

Whoever was named counts only while the account is active, belongs to the unit that leads and may
answer. That is read off the account each time: when somebody leaves, their points are without a
person at once, and nothing had to be told.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from consult.point_rows import Point
from consult.response_rows import Assignment
from core import audit
from core.accounts import Account, Role, RoleName, account_role
from core.audit import AuditEvent
from core.db import db

audit.ACTIONS.update({"response.assigned": _l("指定意见点的经办人")})
audit.FIELDS.update({"person": _l("经办人")})
# The roles that may draft an answer for the unit their account belongs to.
ROLES = (RoleName.UNIT_STAFF, RoleName.DRC_STAFF)


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody of a unit who may answer for it; never more of them than the name."""

    id: int
    name: str
    unit_id: int


def of_units(unit_ids: Iterable[int]) -> list[Officer]:
    """Who may be named for these units, unit by unit, by name."""
    query = (
        sa.select(Account.id, Account.name, Account.unit_id)
        .where(Account.unit_id.in_(set(unit_ids)), *_may_answer())
        .order_by(Account.unit_id, Account.name, Account.id)
    )
    rows = db.session.execute(query)
    return [Officer(id, name, unit) for id, name, unit in rows if unit is not None]


def naming() -> sa.Subquery:
    """(point_id, person_id, name, email) of all points with a person who may still answer them."""
    query = (
        sa.select(
            Assignment.point_id,
            Account.id.label("person_id"),
            Account.name,
            Account.email,
        )
        .join(Point, Point.id == Assignment.point_id)
        .join(Account, Account.id == Assignment.account_id)
        .where(Account.unit_id == Point.lead_unit_id, *_may_answer())
    )
    return query.subquery("naming")


def is_with(person_id: int) -> sa.ColumnElement[bool]:
    """Whether this person was named to answer a point."""
    named = naming()
    return Point.id.in_(sa.select(named.c.point_id).where(named.c.person_id == person_id))


def is_with_nobody() -> sa.ColumnElement[bool]:
    """Whether a unit is to answer a point and nobody of it was named."""
    return sa.and_(Point.lead_unit_id.is_not(None), Point.id.not_in(sa.select(naming().c.point_id)))


def named(point_ids: Sequence[int]) -> dict[int, Officer]:
    """{point id: who was named to answer it}."""
    found = naming()
    query = (
        sa.select(found.c.point_id, found.c.person_id, found.c.name, Point.lead_unit_id)
        .join(Point, Point.id == found.c.point_id)
        .where(found.c.point_id.in_(point_ids))
    )
    rows = db.session.execute(query)
    return {point: Officer(person, name, unit) for point, person, name, unit in rows}


@dataclass(frozen=True, slots=True)
class Naming:
    """One time that somebody was named, or nobody any more."""

    at: dt.datetime
    by_name: str
    before: str
    after: str


def history(point_id: int) -> list[Naming]:
    """Who was named for a point, by whom and when, the newest first."""
    query = (
        sa.select(AuditEvent)
        .where(
            AuditEvent.thing_kind == "point",
            AuditEvent.thing_id == point_id,
            AuditEvent.action == "response.assigned",
        )
        .order_by(AuditEvent.id.desc())
        .limit(20)
    )
    return [
        Naming(e.at, e.actor_name, (e.before or {}).get("person") or "", (e.after or {})["person"])
        for e in db.session.scalars(query)
    ]


def _may_answer() -> tuple[sa.ColumnElement[bool], ...]:
    hold = (
        sa.select(account_role.c.account_id)
        .join(Role, Role.id == account_role.c.role_id)
        .where(Role.name.in_(ROLES))
    )
    return Account.active.is_(True), Account.id.in_(hold)
