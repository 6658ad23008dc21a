"""Units (单位): the departments, sub-districts and bodies that lead, cooperate and answer."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, choice, db


class UnitKind(StrEnum):
    """What sort of body a unit is."""

    DEPARTMENT = "department"
    PARTY_DEPARTMENT = "party_department"
    SUBDISTRICT = "subdistrict"
    BODY = "body"
    MUNICIPAL = "municipal"
    OTHER = "other"


class Unit(Base):
    """One body of the district, known by a slug that programme files refer to."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[UnitKind] = mapped_column(choice(UnitKind))


def every() -> Sequence[Unit]:
    """All units, departments first, each kind by name."""
    return db.session.scalars(sa.select(Unit).order_by(Unit.kind, Unit.name)).all()


def by_slug(slugs: Iterable[str]) -> dict[str, Unit]:
    """The units with these slugs, keyed by slug; unknown ones are left out."""
    found = db.session.scalars(sa.select(Unit).where(Unit.slug.in_(list(slugs))))
    return {unit.slug: unit for unit in found}
