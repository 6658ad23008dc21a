"""The second factor: codes from an authenticator app, and recovery codes for the day it is lost.

A code counts once, also when two requests bring it at the same instant. Recovery codes are kept
as hashes: 80 random bits need no salt and no slow function.
"""

import base64
import datetime as dt
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _
from flask_security import Totp
from passlib.exc import TokenError  # type: ignore[import-untyped]  # no types are published for it

from core import audit, qr, sessions
from core.audit import Actor
from core.db import db
from core.errors import Refused

if TYPE_CHECKING:
    from core.accounts import Account

METHOD = "authenticator"
PERIOD = 30
RECOVERY_CODES = 10
# The code before and the one after also count: clocks of phones are not exact.
TOLERANCE = PERIOD


class ClockTotp(Totp):
    """Flask-Security's sealed secrets, checked at a given moment and telling which code it was."""

    def matched_counter(self, code: str, secret: str, now: dt.datetime) -> int | None:
        """The number of the 30 seconds whose code this is, or None."""
        try:
            match: Any = self._totp.verify(code, secret, time=now, window=TOLERANCE)
        except TokenError:
            return None
        return int(match.counter)


def begin(account: "Account") -> None:
    """Make a secret for an app that is not yet confirmed; an earlier unconfirmed one is void."""
    if account.tf_primary_method:
        raise Refused(_("您已经设置过动态口令，不需要再次设置。"))
    account.tf_totp_secret = _totp().generate_totp_secret()
    account.tf_last_counter = None


def confirm(account: "Account", code: str, *, now: dt.datetime) -> list[str] | None:
    """Turn the second factor on if `code` is right: the recovery codes, shown once; else None."""
    if account.tf_primary_method or not account.tf_totp_secret:
        raise Refused(_("请先开始设置动态口令。"))
    if not accept(account, code, now=now):
        return None
    account.tf_primary_method = METHOD
    codes = _renew(account)
    audit.record("account.second_factor_set", account, by=account, now=now, name=account.name)
    return codes


def accept(account: "Account", code: str, *, now: dt.datetime) -> bool:
    """Whether `code` is the app's code of about now, and was not used before. Uses it up."""
    if not account.tf_totp_secret:
        return False
    counter = (
        _totp().matched_counter("".join(code.split()), account.tf_totp_secret, now)
        if _digits(code)
        else None
    )
    if counter is None:
        return False
    kind = type(account)
    unused = sa.or_(kind.tf_last_counter.is_(None), kind.tf_last_counter < counter)
    used = db.session.execute(
        sa.update(kind)
        .where(kind.id == account.id, unused)
        .values(tf_last_counter=counter)
        .returning(kind.id),
        execution_options={"synchronize_session": False},
    )
    return used.first() is not None


def accept_recovery_code(account: "Account", code: str, *, now: dt.datetime) -> bool:
    """Whether `code` is one of the account's unused recovery codes. Uses it up."""
    db.session.refresh(account, ["mf_recovery_codes"], with_for_update=True)
    hashed = _hashed(code)
    kept = account.mf_recovery_codes or []
    if not account.tf_primary_method or hashed not in kept:
        return False
    account.mf_recovery_codes = [each for each in kept if each != hashed]
    audit.record(
        "account.recovery_code_used",
        account,
        by=account,
        now=now,
        name=account.name,
        after={"left": len(account.mf_recovery_codes)},
    )
    return True


def renew_recovery_codes(account: "Account", *, by: Actor, now: dt.datetime) -> list[str]:
    """Ten fresh recovery codes, shown once; the old ones are void."""
    if not account.tf_primary_method:
        raise Refused(_("请先设置动态口令，再领取备用码。"))
    codes = _renew(account)
    audit.record("account.recovery_codes_renewed", account, by=by, now=now, name=account.name)
    return codes


def remove(account: "Account", *, by: Actor, now: dt.datetime) -> None:
    """Forget a lost app: the person sets up a new one before any staff right counts again."""
    if not account.tf_totp_secret:
        return
    was_on = account.tf_primary_method is not None
    account.tf_totp_secret = account.tf_primary_method = None
    account.tf_last_counter = account.mf_recovery_codes = None
    sessions.end_all(account.id)
    if was_on:
        audit.record(
            "account.second_factor_removed",
            account,
            by=by,
            now=now,
            name=account.name,
        )


def key(account: "Account") -> str:
    """The secret in groups of four, for typing into an app."""
    return _totp().get_totp_pretty_key(account.tf_totp_secret or "").replace("-", " ")


def picture(account: "Account") -> bytes:
    """The secret as a QR code, SVG."""
    address = _totp().get_totp_uri(account.email, account.tf_totp_secret or "")
    return qr.svg(address).encode()


def _totp() -> ClockTotp:
    factory: ClockTotp = current_app.extensions["security"].totp_factory
    return factory


def _digits(code: str) -> bool:
    compact = "".join(code.split())
    return len(compact) == 6 and compact.isascii() and compact.isdigit()


def _renew(account: "Account") -> list[str]:
    codes = [_fresh_code() for _ in range(RECOVERY_CODES)]
    account.mf_recovery_codes = [_hashed(code) for code in codes]
    return codes


def _fresh_code() -> str:
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[at : at + 4] for at in range(0, 16, 4))


def _hashed(code: str) -> str:
    plain = "".join(character for character in code.lower() if character.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()
