"""Making accounts and signing in, for every test that needs somebody."""

import datetime as dt
from itertools import count
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from core import accounts, audit
from core.accounts import STAFF, Account, RoleName
from core.db import db
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


def sign_in(
    client: FlaskClient, account: Account | str, *, password: str = PASSWORD, **more: str
) -> TestResponse:
    """Sign in through the form, with the app's code when the account has one."""
    email = account if isinstance(account, str) else account.email
    data = {"email": email, "password": password, **more}
    response = client.post("/sign-in", data=data | _token(client, "/sign-in"))
    if response.location == "/sign-in/code" and isinstance(account, Account):
        data = {"code": code(client, account)} | _token(client, "/sign-in/code")
        response = client.post("/sign-in/code", data=data)
    return response


def sign_out(client: FlaskClient) -> TestResponse:
    """Sign out by the button."""
    return client.post("/sign-out", data=_token(client, "/account"))


def code(client: FlaskClient, account: Account, *, later: int = 0) -> str:
    """What the account's authenticator app shows, `later` seconds from now."""
    app = client.application
    at: dt.datetime = app.config["CLOCK"]() + dt.timedelta(seconds=later)
    with app.app_context():
        fresh = db.session.get_one(Account, account.id, populate_existing=True)
        factory = app.extensions["security"].totp_factory
        token: str = factory._totp.from_source(fresh.tf_totp_secret).generate(time=at).token
        return token


def _token(client: FlaskClient, page: str) -> dict[str, str]:
    """The forgery token of a page's form; none where the test has switched it off."""
    if not client.application.config.get("WTF_CSRF_ENABLED", True):
        return {}
    html = client.get(page).get_data(as_text=True)
    mark = 'name="csrf_token"'
    field = html[html.rindex("<", 0, html.index(mark)) : html.index(">", html.index(mark))]
    return {"csrf_token": field.split('value="')[1].split('"')[0]}
