"""Members (成员): the register of those who sit, sat or are proposed for the advisory panel.

A person is a `Member` once, however often they are appointed; by what and for how long stands in
`appointments`, and what they declared to have a stake in, in `interests`.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core import audit, sealing
from core.accounts import Account
from core.audit import Actor
from core.config import of_site
from core.db import Base, choice, db
from panel import names

if TYPE_CHECKING:
    from panel.appointment_rows import Appointment
    from panel.interests import Interest

audit.ACTIONS.update(
    {
        "member.added": _l("登记咨询团成员"),
        "member.changed": _l("修改成员资料"),
        "member.linked": _l("关联成员账号"),
    }
)
audit.KINDS.update({"panel_member": _l("咨询团成员")})
audit.FIELDS.update({"changed": _l("改动项目")})
NAME_LENGTH = 60


class Gender(Enum):
    """As it is given; it need not be."""

    FEMALE = "female"
    MALE = "male"

    @property
    def title(self) -> str:
        """In the words of the list."""
        titles: dict[Gender, str] = {Gender.FEMALE: _("女"), Gender.MALE: _("男")}
        return titles[self]


class Member(Base):
    """A person who sits, sat, or is proposed to sit on the panel."""

    __tablename__ = "panel_member"
    __table_args__ = (sa.Index(None, "by_stroke", "id"), sa.Index(None, "by_pinyin", "id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), unique=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    # What the name is sorted by; kept by `_name`.
    by_stroke: Mapped[str] = mapped_column(sa.String(names.KEY_LENGTH))
    by_pinyin: Mapped[str] = mapped_column(sa.String(names.KEY_LENGTH))
    gender: Mapped[Gender | None] = mapped_column(choice(Gender))
    birth_year: Mapped[int | None]
    # Where they work and as what, in their own words.
    unit_text: Mapped[str] = mapped_column(sa.String(120), default="")
    # An e-mail address or a mobile number, sealed; b"" when none is known.
    sealed_contact: Mapped[bytes] = mapped_column(default=b"")
    # Whether name, work and category may stand on the public page; else 王**.
    is_name_public: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]

    account: Mapped[Account | None] = relationship()
    appointments: Mapped[list["Appointment"]] = relationship(
        back_populates="member",
        foreign_keys="Appointment.member_id",
        order_by="Appointment.id.desc()",
    )
    interests: Mapped[list["Interest"]] = relationship(order_by="Interest.id")

    @property
    def public_name(self) -> str:
        """The name as the public may read it."""
        return self.name if self.is_name_public else names.masked(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is known of a person, cleaned by the form."""

    name: str
    gender: Gender | None = None
    birth_year: int | None = None
    unit_text: str = ""
    contact: str = ""
    is_name_public: bool = False


# --- acts ----------------------------------------------------------------------------------


def add(details: Details, *, by: Actor, now: dt.datetime) -> Member:
    """Enter a person into the register; a seat takes an appointment."""
    return add_all([details], by=by, now=now)[0]


def add_all(persons: Sequence[Details], *, by: Actor, now: dt.datetime) -> list[Member]:
    """The same for any number of persons."""
    made = []
    for details in persons:
        member = Member(account_id=None, created_at=now)
        _take(member, details)
        made.append(member)
    db.session.add_all(made)
    db.session.flush()
    for member in made:
        audit.record("member.added", member, by=by, now=now, name=member.name)
    return made


def change(member: Member, details: Details, *, by: Actor, now: dt.datetime) -> None:
    """Correct what is known of a person. An empty contact leaves the one there is. The record
    says what was changed, not the words: they are personal."""
    before = _told(member)
    _take(member, details)
    after = _told(member)
    changed = [name for name, was, is_now in zip(TOLD, before, after, strict=True) if was != is_now]
    if not changed:
        return
    said = [str(TOLD[name]) for name in changed]
    audit.record(
        "member.changed", member, by=by, now=now, name=member.name, after={"changed": said}
    )


TOLD: dict[str, Any] = {
    "name": _l("姓名"),
    "gender": _l("性别"),
    "birth_year": _l("出生年份"),
    "unit_text": _l("工作单位和职务"),
    "sealed_contact": _l("联系方式"),
    "is_name_public": _l("姓名公开"),
}


def _told(member: Member) -> list[Any]:
    return [getattr(member, name) for name in TOLD]


def _take(member: Member, details: Details) -> None:
    member.name = details.name
    member.by_stroke = names.stroke_key(details.name)
    member.by_pinyin = names.pinyin_key(details.name)
    member.gender = details.gender
    member.birth_year = details.birth_year
    member.unit_text = details.unit_text
    member.is_name_public = details.is_name_public
    if details.contact:
        member.sealed_contact = sealing.seal(of_site().contact_key, details.contact)
    elif member.sealed_contact is None:
        member.sealed_contact = b""


def contact(member: Member) -> str:
    """How to reach a member; "" when that is not known."""
    if not member.sealed_contact:
        return ""
    return sealing.unseal(of_site().contact_key, member.sealed_contact)


# --- finding -------------------------------------------------------------------------------


def by_id(member_id: int) -> Member | None:
    """The member with this number."""
    return db.session.get(Member, member_id)


def with_contact(address: str) -> Member | None:
    """The member in the register who is reached there. Contacts lie sealed, so each is opened."""
    keys = of_site().contact_key
    query = sa.select(Member).where(Member.sealed_contact != b"").order_by(Member.id)
    return next(
        (
            each
            for each in db.session.scalars(query)
            if sealing.unseal(keys, each.sealed_contact) == address
        ),
        None,
    )


def called(name: str) -> int:
    """How many in the register bear this name."""
    query = sa.select(sa.func.count()).select_from(Member).where(Member.name == name)
    return db.session.scalar(query) or 0


def of_account(account_id: int | None) -> Member | None:
    """The member who signs in with this account, whether they sit or not."""
    if account_id is None:
        return None
    return db.session.scalar(sa.select(Member).where(Member.account_id == account_id))
