"""Interests (利益关系): what members declare to have a stake in; what was declared stays readable."""

import datetime as dt

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit
from core.audit import Actor
from core.db import Base, db
from panel.members import Member

audit.ACTIONS.update(
    {
        "interest.declared": _l("申报利益关系"),
        "interest.withdrawn": _l("撤销利益关系申报"),
    }
)
audit.KINDS.update({"panel_interest": _l("利益关系")})


class Interest(Base):
    """What a member declares to have a stake in."""

    __tablename__ = "panel_interest"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    words: Mapped[str] = mapped_column(sa.String(300))
    declared_at: Mapped[dt.datetime]
    withdrawn_at: Mapped[dt.datetime | None]


def declare(member: Member, words: str, *, by: Actor, now: dt.datetime) -> Interest:
    """Note what a member has a stake in."""
    interest = Interest(member_id=member.id, words=words, declared_at=now)
    db.session.add(interest)
    db.session.flush()
    audit.record("interest.declared", interest, by=by, now=now, name=member.name)
    db.session.expire(member, ["interests"])
    return interest


def withdraw(interest: Interest, member: Member, *, by: Actor, now: dt.datetime) -> None:
    """Note that a stake is no longer there; what was declared stays readable."""
    if interest.withdrawn_at is None:
        interest.withdrawn_at = now
        audit.record("interest.withdrawn", interest, by=by, now=now, name=member.name)
