"""What all commands of the consultation share: how they refuse, and how they find what is named."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask_babel import gettext as _

from consult import consultations
from consult.consultations import Consultation
from core.db import db
from core.errors import Refused


def refusing(command: Callable[..., Any]) -> Callable[..., Any]:
    """Say a refusal on standard error in one sentence and leave with 1; nothing is stored."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (Refused, ValueError) as refusal:
            db.session.rollback()
            click.echo(getattr(refusal, "sentence", str(refusal)), err=True)
            raise SystemExit(1) from refusal

    return run


def the_consultation(slug: str) -> Consultation:
    """The consultation a command names; refuses in words when there is none."""
    found = consultations.by_slug(slug)
    if found is None:
        raise Refused(_("没有网址短名为“%(slug)s”的意见征集。", slug=slug))
    return found
