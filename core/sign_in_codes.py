"""Codes by which a resident signs in: six digits, sent to an address, good once and for ten minutes.

A code proves that somebody reads what is sent to the address; a password is never asked for. The
table holds keyed hashes of address and code only.
"""

import datetime as dt
import hashlib
import hmac
import secrets
import unicodedata

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, db, insert_into

VALID = dt.timedelta(minutes=10)
MOST_TRIES = 5


class SignInCode(Base):
    """The one code of an address that counts."""

    __tablename__ = "sign_in_code"

    address_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    code_hash: Mapped[str] = mapped_column(sa.String(64))
    expires_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)


def make(address: str, *, now: dt.datetime) -> str:
    """A fresh code for a folded address; an earlier one is void."""
    code = f"{secrets.randbelow(10**6):06}"
    fresh = insert_into(SignInCode).values(
        address_hash=_hashed(address),
        code_hash=_hashed(f"{address}:{code}"),
        expires_at=now + VALID,
        tries=0,
    )
    values = {name: fresh.excluded[name] for name in ("code_hash", "expires_at", "tries")}
    db.session.execute(
        fresh.on_conflict_do_update(index_elements=[SignInCode.address_hash], set_=values)
    )
    return code


def accept(address: str, code: str, *, now: dt.datetime) -> bool:
    """Whether this is the code of the address, in figures of any width with or without blanks; it is
    used up then. Counts the try: the caller commits, also after False."""
    typed = "".join(unicodedata.normalize("NFKC", code).split())
    counted = (
        sa.update(SignInCode)
        .where(
            SignInCode.address_hash == _hashed(address),
            SignInCode.expires_at > now,
            SignInCode.tries < MOST_TRIES,
        )
        .values(tries=SignInCode.tries + 1)
        .returning(SignInCode.code_hash)
    )
    known = db.session.execute(counted, execution_options={"synchronize_session": False}).scalar()
    if known is None or not hmac.compare_digest(known, _hashed(f"{address}:{typed}")):
        return False
    forget(address)
    return True


def forget(address: str) -> None:
    """Void the code of an address."""
    gone = sa.delete(SignInCode).where(SignInCode.address_hash == _hashed(address))
    db.session.execute(gone, execution_options={"synchronize_session": False})


def end_expired(now: dt.datetime) -> None:
    """Delete codes whose time is over."""
    over = sa.delete(SignInCode).where(SignInCode.expires_at <= now)
    db.session.execute(over, execution_options={"synchronize_session": False})


def _hashed(words: str) -> str:
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, b"sign-in:" + words.encode(), hashlib.sha256).hexdigest()
