"""Passwords: how they are spelled, which will not do, and checking one without telling tales."""

import unicodedata
from typing import TYPE_CHECKING

from flask import current_app
from flask_babel import gettext as _
from flask_security.utils import verify_password

if TYPE_CHECKING:
    from core.accounts import Account

SHORTEST = 12
LONGEST = 128


def normal(password: str) -> str:
    """A password in one spelling, whichever keyboard typed it."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, *, email: str = "") -> str | None:
    """Why `password` will not do, as a sentence; None when it will."""
    text = normal(password)
    if len(text) < SHORTEST:
        return str(_("密码至少%(n)d个字符，可以用几个词连成一句。", n=SHORTEST))
    if len(text) > LONGEST:
        return str(_("密码最多%(n)d个字符。", n=LONGEST))
    if len(set(text)) < 5 or (email and text.lower() in (email, email.partition("@")[0])):
        return str(_("这个密码太容易猜到，请换一个。"))
    return None


def matches(account: "Account | None", password: str) -> bool:
    """Whether `password` opens `account`, taking as long when there is no such account.

    Slow on purpose: commit before calling, so that nobody waits in the writers' queue behind it.
    """
    kept = account.password if account else None
    dummy: str = current_app.extensions["dummy_password"]
    fits: bool = verify_password(normal(password), kept or dummy)
    return fits and kept is not None and account is not None and account.active
