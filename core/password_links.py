"""Links for setting a password: for a person who has none yet or has lost it. Each works once."""

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core import accounts, audit
from core.accounts import Account
from core.audit import Actor
from core.db import Base, db

VALID = dt.timedelta(hours=48)


class PasswordLink(Base):
    """One unused link; only the hash of its token is kept. An account has one at most."""

    __tablename__ = "password_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(
        sa.ForeignKey("account.id", ondelete="CASCADE"), unique=True
    )
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    expires_at: Mapped[dt.datetime]

    account: Mapped[Account] = relationship(lazy="joined")


def make(account: Account, *, by: Actor, now: dt.datetime) -> str:
    """The token of a new link; an earlier link of the account is void."""
    db.session.execute(sa.delete(PasswordLink).where(PasswordLink.account_id == account.id))
    token = secrets.token_urlsafe(32)
    db.session.add(
        PasswordLink(account_id=account.id, token_hash=_hashed(token), expires_at=now + VALID)
    )
    audit.record("account.password_link_made", account, by=by, now=now, name=account.name)
    return token


def find(token: str, *, now: dt.datetime) -> PasswordLink | None:
    """The link with this token, if it is unused, in time, and its account is open."""
    return db.session.scalar(
        sa.select(PasswordLink)
        .join(PasswordLink.account)
        .where(
            PasswordLink.token_hash == _hashed(token),
            PasswordLink.expires_at > now,
            Account.active,
        )
    )


def use(link: PasswordLink, password: str, *, now: dt.datetime) -> bool:
    """Set the password and use the link up; False when somebody else has used it just now."""
    gone = db.session.execute(
        sa.delete(PasswordLink).where(PasswordLink.id == link.id).returning(PasswordLink.id),
        execution_options={"synchronize_session": False},
    )
    if gone.first() is None:
        return False
    accounts.set_password(link.account, password, by=link.account, now=now)
    return True


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
