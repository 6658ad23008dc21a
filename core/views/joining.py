"""Residents' sign-in: an address, a code that is sent to it, and that is all. Optional: nobody has
to have an account to read or to comment."""

import datetime as dt
import secrets

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_user
from werkzeug.wrappers import Response
from wtforms import BooleanField
from wtforms.validators import InputRequired

from core import (
    accounts,
    addresses,
    consents,
    errors,
    outbox,
    sealing,
    sessions,
    sign_in_codes,
    throttle,
)
from core.accounts import Account, RoleName
from core.audit import RESIDENT
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.forms import ContactField, Form, LineField, Words
from core.web import keep_private, now

blueprint = Blueprint("joining", __name__)
CODES_PER_HOUR = 5
# For the record of acts, which has one language; people are not asked for a name.
RESIDENT_NAME = "居民"
CODES_PER_NETWORK = 30
HALF_DONE = dt.timedelta(minutes=20)
Page = Response | str | tuple[str, int]


@blueprint.before_request
def _private() -> None:
    keep_private()


class AddressForm(Form):
    """Where the code goes."""

    address = ContactField(
        _l("邮箱或手机号"),
        [Words(most=254, missing=_l("请填写邮箱或手机号。"))],
        render_kw={"autocomplete": "username", "spellcheck": "false", "inputmode": "email"},
    )
    consent = BooleanField(
        _l("我同意用它登录，查看和管理自己提交的意见"),
        [InputRequired(_l("请阅读并勾选同意，然后再继续。"))],
    )


class CodeForm(Form):
    """The six digits."""

    code = LineField(
        _l("验证码"),
        [Words(most=20, missing=_l("请填写6位验证码。"))],
        description=_l("已发到您填写的地址，10分钟内有效，一般一分钟内收到。"),
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "short"},
    )


@blueprint.get("/join")
def join() -> Page:
    """The form; a resident who is signed in changes the address here."""
    if _is_staff():
        return redirect(url_for("accounts.account"))
    return _join_page(AddressForm(formdata=None))


@blueprint.post("/join")
def send_code() -> Page:
    """Send a code. What is answered does not tell whether the address is known."""
    if _is_staff():
        return redirect(url_for("accounts.account"), 303)
    form, at = AddressForm(), now()
    if not form.validate():
        return _join_page(form), 422
    address = form.address.data
    may = _may_send(address, at)
    if may:
        outbox.put([_message(address, at)], now=at)
    db.session.commit()
    if not may:
        return errors.page(429, happened=_("验证码发得太多了，请一小时后再试。")), 429
    session["joining"] = [address, at.isoformat()]
    return redirect(url_for(".code"), 303)


def _join_page(form: AddressForm) -> str:
    return render_template("core/joining/join.html", form=form, consent=consents.ACCOUNT)


def _is_staff() -> bool:
    return current_user.is_authenticated and not accounts.is_resident(current_user)


def _may_send(address: str, at: dt.datetime) -> bool:
    network = throttle.network(request.remote_addr)
    tries = [
        throttle.hit(f"code:{address}", limit=CODES_PER_HOUR, window=throttle.HOUR, now=at),
        throttle.hit(f"codes:{network}", limit=CODES_PER_NETWORK, window=throttle.HOUR, now=at),
    ]
    return all(tries)


def _message(address: str, at: dt.datetime) -> outbox.Draft:
    known = accounts.by_email(address)
    sealed = sealing.seal(of_site().contact_key, address)
    if known is not None and not accounts.is_resident(known):
        body = _("有人用这个地址请求居民登录验证码。这是工作人员或咨询团成员的账号，请用密码登录。")
    else:
        code = sign_in_codes.make(address, now=at)
        body = _(
            "您的验证码是：%(code)s\n10分钟内有效，请不要告诉别人。如果不是您本人操作，不必理会。",
            code=code,
        )
    return outbox.Draft(
        about=f"code:{secrets.token_hex(16)}",
        sealed_address=sealed,
        subject=_("登录验证码"),
        body=body,
    )


@blueprint.get("/join/code")
def code() -> Page:
    """Where the code is typed in."""
    address = _half_done()
    if address is None:
        return redirect(url_for(".join"))
    return _code_page(CodeForm(formdata=None), address)


@blueprint.post("/join/code")
def check_code() -> Page:
    """Sign in, with a new account if there is none; or change the address of the one there is."""
    address = _half_done()
    if address is None:
        flash(_("时间过长，请重新获取验证码。"), "warning")
        return redirect(url_for(".join"), 303)
    form, at = CodeForm(), now()
    if not form.validate():
        return _code_page(form, address), 422
    good = sign_in_codes.accept(address, form.code.data or "", now=at)
    db.session.commit()
    if not good:
        form.code.errors = [_("验证码不正确或已失效。核对后再试，或者重新获取。")]
        return _code_page(form, address), 422
    if current_user.is_authenticated:
        return _change_address(address, at)
    account = accounts.by_email(address) or accounts.add(
        email=address,
        name=RESIDENT_NAME,
        roles=[RoleName.RESIDENT],
        by=RESIDENT,
        now=at,
    )
    if not (account.active and accounts.is_resident(account)):
        abort(403)
    account.consent = consents.ACCOUNT.version
    session.clear()
    sessions.enter(sessions.start(account.id, now=at))
    login_user(account, remember=False)
    db.session.commit()
    return redirect(url_for("mine.index"), 303)


def _change_address(address: str, at: dt.datetime) -> Page:
    person: Account = current_user._get_current_object()
    try:
        accounts.set_address(person, address, by=person, now=at)
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(url_for(".join"), 303)
    session.pop("joining", None)
    db.session.commit()
    flash(_("登录地址已经更换。"), "success")
    return redirect(url_for("mine.index"), 303)


def _half_done() -> str | None:
    half = session.get("joining")
    if not half or _is_staff():
        return None
    address, since = half
    recent = dt.timedelta(0) <= now() - dt.datetime.fromisoformat(since) <= HALF_DONE
    return str(address) if recent else None


def _code_page(form: CodeForm, address: str) -> str:
    return render_template("core/joining/code.html", form=form, address=addresses.masked(address))


@blueprint.get("/consents/<version>")
def consent(version: str) -> str:
    """A consent text as it was agreed to."""
    found = consents.EVERY.get(version)
    if found is None:
        abort(404)
    return render_template("core/joining/consent.html", consent=found)
