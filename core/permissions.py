"""Asking whether a person may do a thing. Rules say who; operations say when.

A rule is a plain function `(person, *things) -> bool` in some package's `rules.py`. The view
calls `require(rule, thing)`, the template `may(rule, thing)`: the same function.
"""

from collections.abc import Callable
from typing import Any, Protocol

from flask import abort
from flask_login import current_user


class Person(Protocol):
    """Who asks: an account or the anonymous visitor."""

    @property
    def is_authenticated(self) -> bool: ...
    @property
    def id(self) -> int | None: ...
    def has_role(self, role: str) -> bool: ...


Rule = Callable[..., bool]


def may(rule: Rule, *things: Any) -> bool:
    """Whether the person who sent this request may do what `rule` guards."""
    return rule(current_user, *things)


def require(rule: Rule, *things: Any) -> None:
    """Refuse with a sign-in page (401) or with 403 unless the rule allows it."""
    if may(rule, *things):
        return
    abort(403 if current_user.is_authenticated else 401)
