"""Making accounts and signing in, for every test that needs somebody."""

import datetime as dt
import re
from contextlib import nullcontext
from itertools import count
from typing import Any

from flask import Flask, has_app_context
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import accounts, audit
from core.accounts import STAFF, Account, RoleName
from core.db import db
from core.units import Unit, UnitKind
from core.web import now

PASSWORD = "correct-horse-battery-問計"
_numbers = count(1)


def make(role: str | None = None, **fields: Any) -> Account:
    """A committed account that plays `role`; needs an application context.

    Staff are made as demonstration accounts, which need no second factor; pass `is_demo=False` for
    one that does. Further fields: `email`, `name`, `password`, `unit`, `roles`, `now`.
    """
    number = next(_numbers)
    role_name = RoleName(role) if role else None
    fields.setdefault("email", f"{role or 'nobody'}{number}@example.invalid")
    fields.setdefault("name", f"{role_name.title if role_name else '无角色'}{number}")
    fields.setdefault("roles", [role_name] if role_name else [])
    fields.setdefault("password", PASSWORD)
    fields.setdefault("is_demo", role_name in STAFF)
    fields.setdefault("by", audit.SYSTEM)
    fields.setdefault("now", now())
    account = accounts.add(**fields)
    db.session.commit()
    return account


def make_unit(name: str = "区建设管理委", slug: str = "jgw") -> Unit:
    """A unit, not yet committed."""
    unit = Unit(slug=slug, name=name, kind=UnitKind.DEPARTMENT)
    db.session.add(unit)
    db.session.flush()
    return unit


def sign_in(
    client: FlaskClient, account: Account | str, *, password: str = PASSWORD, **more: str
) -> TestResponse:
    """Sign in through the form, with the app's code when the account has one."""
    email = account if isinstance(account, str) else account.email
    data = {"email": email, "password": password, **more}
    response = client.post("/sign-in", data=data | token(client, "/sign-in"))
    if response.location == "/sign-in/code" and isinstance(account, Account):
        data = {"code": code(client, account)} | token(client, "/sign-in/code")
        response = client.post("/sign-in/code", data=data)
    return response


def sign_in_as(client: FlaskClient, role: str = "drc_staff") -> Account:
    """Make somebody who plays this role, in the context there is or one of their own, and sign in."""
    with nullcontext() if has_app_context() else client.application.app_context():
        account = make(role)
    sign_in(client, account)
    return account


def signed_in(app: Flask, role: str = "drc_staff") -> FlaskClient:
    """A new visitor who has signed in as somebody of this role."""
    client = app.test_client()
    sign_in_as(client, role)
    return client


def sign_out(client: FlaskClient) -> TestResponse:
    """Sign out by the button."""
    return client.post("/sign-out", data=token(client, "/account"))


def set_up_second_factor(client: FlaskClient, account: Account) -> list[str]:
    """Set up the authenticator app of whoever is signed in; the recovery codes."""
    page = "/account/second-factor"
    client.post(page, data=token(client, page))
    data = {"code": code(client, account)} | token(client, page)
    shown = client.post(f"{page}/confirm", data=data).get_data(as_text=True)
    return re.findall(r"<li>((?:[a-z2-7]{4}-){3}[a-z2-7]{4})</li>", shown)


def code(client: FlaskClient, account: Account, *, later: int = 0) -> str:
    """What the account's authenticator app shows, `later` seconds from now."""
    app = client.application
    at: dt.datetime = app.config["CLOCK"]() + dt.timedelta(seconds=later)
    with app.app_context():
        fresh = db.session.get_one(Account, account.id, populate_existing=True)
        factory = app.extensions["security"].totp_factory
        shown: str = factory._totp.from_source(fresh.tf_totp_secret).generate(time=at).token
        return shown


def token(client: FlaskClient, page: str) -> dict[str, str]:
    """The forgery token of a page's form; none where the test has switched it off."""
    if not client.application.config.get("WTF_CSRF_ENABLED", True):
        return {}
    html = client.get(page).get_data(as_text=True)
    mark = 'name="csrf_token"'
    field = html[html.rindex("<", 0, html.index(mark)) : html.index(">", html.index(mark))]
    return {"csrf_token": field.split('value="')[1].split('"')[0]}
