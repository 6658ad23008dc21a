"""Targets (构成目标): how many members of a field, a sub-district, a sex or an age the panel is to have,
where the office has said so. Unlike seats they bind nobody: what is missing is named, that is all."""

import datetime as dt
from collections.abc import Mapping
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.audit import Actor
from core.db import Base, choice, db

audit.ACTIONS.update({"target.planned": _l("调整构成目标")})
audit.KINDS.update({"panel_target": _l("构成目标")})


class Way(Enum):
    """By what members are counted, apart from their category."""

    FIELD = "field"
    PLACE = "place"
    GENDER = "gender"
    AGE = "age"

    @property
    def title(self) -> str:
        """In the words of the page."""
        titles: dict[Way, str] = {
            Way.FIELD: _("专长领域"),
            Way.PLACE: _("街镇"),
            Way.GENDER: _("性别"),
            Way.AGE: _("年龄"),
        }
        return titles[self]


Key = tuple[Way, str]


class Target(Base):
    """At least so many are to be of one kind; without a row nothing is said."""

    __tablename__ = "panel_target"
    __table_args__ = (
        sa.UniqueConstraint("programme_id", "way", "key"),
        sa.CheckConstraint("planned > 0", name="planned_something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    way: Mapped[Way] = mapped_column(choice(Way))
    # The key of a topic, the name of a sub-district, a `Gender`, or the first age of a band.
    key: Mapped[str] = mapped_column(sa.String(64))
    planned: Mapped[int]


def planned(programme_id: int) -> dict[Key, int]:
    """How many of each kind there are to be, where something was said."""
    query = sa.select(Target).where(Target.programme_id == programme_id).order_by(Target.id)
    return {(each.way, each.key): each.planned for each in db.session.scalars(query)}


def plan(programme_id: int, wanted: Mapping[Key, int], *, by: Actor, now: dt.datetime) -> int:
    """Say how many of each kind there are to be; 0 takes a target away. How many were changed."""
    query = sa.select(Target).where(Target.programme_id == programme_id).with_for_update()
    there = {(each.way, each.key): each for each in db.session.scalars(query)}
    changed = 0
    for (way, key), number in wanted.items():
        target = there.get((way, key))
        before = target.planned if target else 0
        if before == number:
            continue
        changed += 1
        if target is None:
            target = Target(programme_id=programme_id, way=way, key=key, planned=number)
            db.session.add(target)
        elif number:
            target.planned = number
        db.session.flush()
        audit.record(
            "target.planned",
            target,
            by=by,
            now=now,
            name=f"{way.title}：{key}",
            before={"planned": before},
            after={"planned": number},
        )
        if not number:
            db.session.delete(target)
    db.session.flush()
    return changed
