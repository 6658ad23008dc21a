"""Signing in and out, and what people do with their own account."""

import datetime as dt

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user, login_user
from werkzeug.wrappers import Response as BaseResponse
from wtforms import EmailField, Field, HiddenField, PasswordField
from wtforms.validators import ValidationError

from core import (
    accounts,
    errors,
    password_links,
    passwords,
    permissions,
    rules,
    second_factor,
    security_log,
    sessions,
    signing_in,
)
from core.accounts import Account
from core.db import db
from core.forms import Form, LineField, Readable, Words
from core.permissions import Rule, require
from core.web import keep_private, now, on_this_site

blueprint = Blueprint("accounts", __name__)
# Where a kind of person begins after signing in, by (rule, endpoint); a package adds its own. Whom
# none of the rules fits begins at the account.
BEGINNINGS: list[tuple[Rule, str]] = []

HALF_DONE = dt.timedelta(minutes=10)
Answer = BaseResponse | str | tuple[str, int]


@blueprint.before_request
def _private() -> None:
    keep_private()


def send_to_set_up() -> BaseResponse | None:
    """Staff whose authenticator app is still missing see nothing of the desk."""
    rule = request.url_rule.rule if request.url_rule else ""
    if not (rule == "/desk" or rule.startswith("/desk/")):
        return None
    if not (current_user.is_authenticated and current_user.owes_second_factor):
        return None
    flash(_("进入工作台之前，请先设置动态口令。"), "warning")
    return redirect(url_for("accounts.second_factor_page"), 303)


class SignInForm(Form):
    """Address and password."""

    email = EmailField(
        _l("邮箱"),
        [Readable(), Words(most=254, missing=_l("请填写邮箱。"))],
        render_kw={"autocomplete": "username", "spellcheck": "false"},
    )
    password = PasswordField(
        _l("密码"),
        [Readable(), Words(most=1000, missing=_l("请填写密码。"))],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


@blueprint.get("/sign-in")
def sign_in() -> Answer:
    """The sign-in form; whoever is signed in goes on to the account."""
    wanted = on_this_site(request.args.get("next", ""), "")
    if current_user.is_authenticated:
        return redirect(wanted or _beginning())
    form = SignInForm(formdata=None, next=wanted)
    return render_template("core/accounts/sign_in.html", form=form)


@blueprint.post("/sign-in")
def enter() -> Answer:
    """Check address and password. Every failure is answered alike and takes as long."""
    form = SignInForm()
    if not form.validate():
        return render_template("core/accounts/sign_in.html", form=form), 422
    at, email = now(), form.email.data or ""
    may = signing_in.may_try(email, request.remote_addr, now=at)
    account = accounts.by_email(email)
    db.session.commit()
    if not may:
        _log("throttled", account)
        return _too_often()
    if not passwords.matches(account, form.password.data or "") or account is None:
        _log("refused", account)
        form.form_errors.append(_("邮箱或密码不正确，请核对后再试。"))
        return render_template("core/accounts/sign_in.html", form=form), 422
    next_url = on_this_site(form.next.data or "", "")
    if account.tf_primary_method:
        session.clear()
        session["half"] = [account.fs_uniquifier, at.isoformat(), next_url]
        return redirect(url_for(".code"), 303)
    return _welcome(account, at, next_url)


class CodeForm(Form):
    """The app's six digits, or a recovery code."""

    code = LineField(
        _l("动态口令"),
        [Words(most=40, missing=_l("请填写动态口令或备用码。"))],
        description=_l("身份验证器应用里显示的6位数字；手机不在身边时，可以填写一个备用码。"),
        render_kw={"autocomplete": "one-time-code", "class": "short"},
    )


@blueprint.get("/sign-in/code")
def code() -> Answer:
    """The second step, for those whose password was right."""
    if _half_signed_in() is None:
        return redirect(url_for(".sign_in"))
    return render_template("core/accounts/code.html", form=CodeForm(formdata=None))


@blueprint.post("/sign-in/code")
def check_code() -> Answer:
    """Check the code; it counts once."""
    account = _half_signed_in()
    if account is None:
        flash(_("登录超时，请重新登录。"), "warning")
        return redirect(url_for(".sign_in"), 303)
    form, at = CodeForm(), now()
    if not form.validate():
        return render_template("core/accounts/code.html", form=form), 422
    may = signing_in.may_try_code(account, request.remote_addr, now=at)
    # Counted on disk before the code is looked at, whatever becomes of the rest.
    db.session.commit()
    if not may:
        _log("code-throttled", account)
        return _too_often()
    typed = form.code.data or ""
    if not (
        second_factor.accept(account, typed, now=at)
        or second_factor.accept_recovery_code(account, typed, now=at)
    ):
        _log("code-refused", account)
        form.code.errors = [_("口令不正确或已经用过，请等下一个口令出现后再试。")]
        return render_template("core/accounts/code.html", form=form), 422
    return _welcome(account, at, session["half"][2])


@blueprint.post("/sign-out")
def sign_out() -> Answer:
    """End this session on the server, then forget it in the browser."""
    session_id = sessions.current_id()
    if session_id:
        sessions.end(session_id)
        db.session.commit()
    session.clear()
    return redirect(url_for(".sign_in"), 303)


@blueprint.get("/account")
def account() -> Answer:
    """One's own account."""
    require(rules.use_account)
    return render_template("core/accounts/account.html", rules=rules)


class NewPasswordFields(Form):
    """A password typed twice."""

    email = ""
    new = PasswordField(
        _l("新密码"),
        [Readable(), Words(most=1000, missing=_l("请填写新密码。"))],
        description=_l("至少12个字符，可以用几个词连成一句；不限制必须有数字或符号。"),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("再输一遍"),
        [Words(most=1000, missing=_l("请再输一遍新密码。"))],
        render_kw={"autocomplete": "new-password"},
    )

    def validate_new(self, field: Field) -> None:
        """Refuse what is easily guessed."""
        if why := passwords.weakness(field.data or "", email=self.email):
            raise ValidationError(why)

    def validate_again(self, field: Field) -> None:
        """Refuse a slip of the fingers."""
        if field.data != self.new.data:
            raise ValidationError(_("两次输入的密码不一样。"))


class PasswordForm(NewPasswordFields):
    """The old password, then the new one."""

    old = PasswordField(
        _l("现在的密码"),
        [Readable(), Words(most=1000, missing=_l("请填写现在的密码。"))],
        render_kw={"autocomplete": "current-password"},
    )


@blueprint.get("/account/password")
def password() -> Answer:
    """The form for changing one's password."""
    require(rules.use_account)
    return render_template("core/accounts/password.html", form=PasswordForm(formdata=None))


@blueprint.post("/account/password")
def change_password() -> Answer:
    """Change one's own password: every session ends, and a new one begins here."""
    require(rules.use_account)
    person: Account = current_user._get_current_object()
    form, at = PasswordForm(), now()
    form.email = person.email
    if not form.validate():
        return render_template("core/accounts/password.html", form=form), 422
    may = signing_in.may_try(person.email, request.remote_addr, now=at)
    db.session.commit()
    if not may:
        return _too_often()
    if not passwords.matches(person, form.old.data or ""):
        form.old.errors = [_("现在的密码不正确。")]
        return render_template("core/accounts/password.html", form=form), 422
    accounts.set_password(person, form.new.data or "", by=person, now=at)
    _start_session(person, at)
    db.session.commit()
    flash(_("密码已经修改，其他地方的登录都已退出。"), "success")
    return redirect(url_for(".account"), 303)


@blueprint.get("/account/password-link/<token>")
def password_link(token: str) -> Answer:
    """The form behind a link that an administrator handed over."""
    link = password_links.find(token, now=now())
    if link is None:
        return render_template("core/accounts/link_gone.html"), 404
    form = NewPasswordFields(formdata=None)
    return render_template("core/accounts/password_link.html", form=form, person=link.account)


@blueprint.post("/account/password-link/<token>")
def use_password_link(token: str) -> Answer:
    """Set the password; the link works once."""
    link = password_links.find(token, now=now())
    if link is None:
        return render_template("core/accounts/link_gone.html"), 404
    form = NewPasswordFields()
    form.email = link.account.email
    if not form.validate():
        page = "core/accounts/password_link.html"
        return render_template(page, form=form, person=link.account), 422
    if not password_links.use(link, form.new.data or "", now=now()):
        return render_template("core/accounts/link_gone.html"), 404
    db.session.commit()
    session.clear()
    flash(_("密码已经设好，请登录。"), "success")
    return redirect(url_for(".sign_in"), 303)


@blueprint.get("/account/second-factor")
def second_factor_page() -> Answer:
    """Set up the authenticator app, or see that it is set up."""
    require(rules.use_account)
    return _second_factor_page(CodeForm(formdata=None))


@blueprint.post("/account/second-factor")
def begin_second_factor() -> Answer:
    """Make the secret that the app will share."""
    require(rules.use_account)
    second_factor.begin(current_user._get_current_object())
    db.session.commit()
    return redirect(url_for(".second_factor_page"), 303)


@blueprint.get("/account/second-factor/qr.svg")
def second_factor_picture() -> Response:
    """The secret as a picture, until it is confirmed."""
    require(rules.use_account)
    if current_user.tf_primary_method or not current_user.tf_totp_secret:
        abort(404)
    picture = second_factor.picture(current_user._get_current_object())
    return Response(picture, mimetype="image/svg+xml")


@blueprint.post("/account/second-factor/confirm")
def confirm_second_factor() -> Answer:
    """Turn the app on with its first code, and show the recovery codes this once."""
    require(rules.use_account)
    form, at = CodeForm(), now()
    person: Account = current_user._get_current_object()
    if person.tf_primary_method or not person.tf_totp_secret:
        return redirect(url_for(".second_factor_page"), 303)
    if not form.validate():
        return _second_factor_page(form), 422
    codes = second_factor.confirm(person, form.code.data or "", now=at)
    if codes is None:
        form.code.errors = [_("口令不正确，请等下一个口令出现后再试。")]
        return _second_factor_page(form), 422
    db.session.commit()
    return render_template("core/accounts/recovery_codes.html", codes=codes)


@blueprint.post("/account/recovery-codes")
def renew_recovery_codes() -> Answer:
    """Fresh recovery codes for a fresh code from the app."""
    require(rules.use_account)
    form, at = CodeForm(), now()
    person: Account = current_user._get_current_object()
    if not form.validate():
        return _second_factor_page(form), 422
    may = signing_in.may_try_code(person, request.remote_addr, now=at)
    db.session.commit()
    if not may:
        return _too_often()
    if not second_factor.accept(person, form.code.data or "", now=at):
        form.code.errors = [_("口令不正确或已经用过，请等下一个口令出现后再试。")]
        return _second_factor_page(form), 422
    codes = second_factor.renew_recovery_codes(person, by=person, now=at)
    db.session.commit()
    return render_template("core/accounts/recovery_codes.html", codes=codes)


def _second_factor_page(form: CodeForm) -> str:
    person: Account = current_user._get_current_object()
    waiting = bool(person.tf_totp_secret) and not person.tf_primary_method
    return render_template(
        "core/accounts/second_factor.html",
        form=form,
        key=second_factor.key(person) if waiting else "",
        left=len(person.mf_recovery_codes or []),
    )


def _half_signed_in() -> Account | None:
    """Whose password was right a moment ago; the account may have changed since."""
    half = session.get("half")
    if not half:
        return None
    uniquifier, since, _next = half
    if not dt.timedelta(0) <= now() - dt.datetime.fromisoformat(since) <= HALF_DONE:
        return None
    return accounts.by_uniquifier(uniquifier)


def _welcome(account: Account, at: dt.datetime, next_url: str) -> BaseResponse:
    signing_in.succeeded(account, request.remote_addr, now=at)
    _start_session(account, at)
    db.session.commit()
    _log("signed-in", account)
    if account.owes_second_factor:
        return redirect(url_for(".second_factor_page"), 303)
    return redirect(next_url or _beginning(), 303)


def _beginning() -> str:
    """The page on which this person's work waits."""
    return url_for(next((page for rule, page in BEGINNINGS if permissions.may(rule)), ".account"))


def _start_session(account: Account, at: dt.datetime) -> None:
    """A new id for this browser, and nothing of what an attacker may have put there before."""
    if earlier := sessions.current_id():
        sessions.end(earlier)
    sessions.enter(sessions.start(account.id, now=at))
    login_user(account, remember=False)


def _too_often() -> tuple[str, int]:
    return errors.page(429, happened=_("尝试的次数太多了，请15分钟后再试。")), 429


def _log(what: str, account: Account | None) -> None:
    number = account.id if account else None
    security_log.note(what, account_id=number, address=request.remote_addr, now=now())
