"""Accounts (账号) and the roles they hold. Who may do what with a role is said in `rules.py`."""

import contextlib
import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask, g, request, session
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin, current_user
from flask_security import FSQLALiteUserDatastore, Security
from flask_security.utils import hash_password
from sqlalchemy.orm import Mapped, joinedload, mapped_column, relationship

from core import audit, passwords, second_factor, sessions
from core.addresses import fold
from core.audit import Actor
from core.db import READING, Base, choice, db, insert_into
from core.errors import Refused
from core.units import Unit, by_slug
from core.web import keep_private, now

if TYPE_CHECKING:

    class RoleMixin:
        """What Flask-Security adds to a role."""

    class UserMixin:
        """What Flask-Security adds to an account."""

        is_authenticated: bool
        is_active: bool

        def get_id(self) -> str: ...
else:
    from flask_security import RoleMixin, UserMixin

NAME_LENGTH = 60
# OWASP's second choice: 19 MiB and two passes, about 25 ms; more memory would not fit two workers.
ARGON2ID = {
    "argon2__type": "ID",
    "argon2__memory_cost": 19456,
    "argon2__time_cost": 2,
    "argon2__parallelism": 1,
}


class RoleName(StrEnum):
    """The parts a person can play."""

    RESIDENT = "resident"
    PANEL_MEMBER = "panel_member"
    UNIT_STAFF = "unit_staff"
    SCREENER = "screener"
    DRC_STAFF = "drc_staff"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"

    @property
    def title(self) -> Any:
        """The role's name as people read it."""
        return TITLES[self]


TITLES = {
    RoleName.RESIDENT: _l("居民"),
    RoleName.PANEL_MEMBER: _l("咨询团成员"),
    RoleName.UNIT_STAFF: _l("单位工作人员"),
    RoleName.SCREENER: _l("审核员"),
    RoleName.DRC_STAFF: _l("发改委工作人员"),
    RoleName.ADMINISTRATOR: _l("管理员"),
    RoleName.AUDITOR: _l("审计员"),
}
audit.VALUES["role"] = audit.VALUES["roles"] = {role.value: name for role, name in TITLES.items()}
DEMO_PASSWORD = "wenji-demo-2020"
DEMO_UNIT = "jgw"
DEMONSTRATION = (
    ("drc@example.invalid", "周规划（演示）", RoleName.DRC_STAFF),
    ("screener@example.invalid", "陈审核（演示）", RoleName.SCREENER),
    ("screener2@example.invalid", "林复核（演示）", RoleName.SCREENER),
    ("unit@example.invalid", "王经办（演示）", RoleName.UNIT_STAFF),
    ("member@example.invalid", "李委员（演示）", RoleName.PANEL_MEMBER),
    ("admin@example.invalid", "吴管理（演示）", RoleName.ADMINISTRATOR),
    ("auditor@example.invalid", "郑审计（演示）", RoleName.AUDITOR),
)
DEMO_SIGN_INS = [(email, TITLES[role]) for email, name, role in DEMONSTRATION]
STAFF = frozenset(RoleName) - {RoleName.RESIDENT, RoleName.PANEL_MEMBER}

account_role = sa.Table(
    "account_role",
    Base.metadata,
    sa.Column("account_id", sa.ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("role_id", sa.ForeignKey("role.id"), primary_key=True, index=True),
)


class Role(Base, RoleMixin):
    """One of the parts, as a row to point at."""

    __tablename__ = "role"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[RoleName] = mapped_column(choice(RoleName), unique=True)


class Account(Base, UserMixin):
    """A person who can sign in. `fs_uniquifier` changes with the password."""

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    # Where a person is reached and by which they sign in; a resident's may be a mobile number.
    email: Mapped[str] = mapped_column(sa.String(254), unique=True)
    name: Mapped[str] = mapped_column(sa.String(NAME_LENGTH))
    password: Mapped[str | None] = mapped_column(sa.String(255))
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(sa.String(64), unique=True)
    tf_primary_method: Mapped[str | None] = mapped_column(sa.String(64))
    tf_totp_secret: Mapped[str | None] = mapped_column(sa.String(255))
    tf_last_counter: Mapped[int | None] = mapped_column(sa.BigInteger)
    mf_recovery_codes: Mapped[list[str] | None]
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    # The version of the consent text a resident accepted with the account; staff have none.
    consent: Mapped[str] = mapped_column(sa.String(20), default="", server_default=sa.text("''"))
    created_at: Mapped[dt.datetime]

    unit: Mapped[Unit | None] = relationship(lazy="joined")
    roles: Mapped[list[Role]] = relationship(secondary=account_role, lazy="selectin")

    @property
    def role_names(self) -> list[RoleName]:
        """The roles held, in the order of `RoleName`."""
        held = {role.name for role in self.roles}
        return [role for role in RoleName if role in held]

    @property
    def owes_second_factor(self) -> bool:
        """Whether a staff role is held but the app that must go with it is not set up."""
        held = not STAFF.isdisjoint(self.role_names)
        return held and self.tf_primary_method is None and not self.is_demo

    def has_role(self, role: str) -> bool:
        """Whether the role is held and counts: staff roles do not without a second factor."""
        if role not in self.role_names:
            return False
        return role not in STAFF or not self.owes_second_factor


class Visitor(AnonymousUserMixin):  # type: ignore[misc]  # flask_login is untyped
    """Whoever has not signed in: plays no part."""

    id = None
    name = ""
    owes_second_factor = False

    def has_role(self, _role: str) -> bool:
        """A visitor holds no role."""
        return False


def by_email(email: str) -> Account | None:
    """The account with this address, however it was typed."""
    return db.session.scalar(sa.select(Account).where(Account.email == fold(email)))


def by_id(account_id: int) -> Account | None:
    """The account with this number."""
    return db.session.get(Account, account_id)


def by_uniquifier(uniquifier: str) -> Account | None:
    """The active account whose password has not changed since it had this mark."""
    return db.session.scalar(
        sa.select(Account).where(Account.fs_uniquifier == uniquifier, Account.active)
    )


def page(*, before_id: int | None = None, words: str = "", limit: int = 50) -> Sequence[Account]:
    """The newest accounts, or those before `before_id`, whose name or address holds `words`."""
    query = sa.select(Account).order_by(Account.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Account.id < before_id)
    if words:
        query = query.where(
            Account.name.icontains(words, autoescape=True)
            | Account.email.icontains(words, autoescape=True)
        )
    return db.session.scalars(query).all()


def any_exist() -> bool:
    """Whether anybody at all can have an account here."""
    return db.session.scalar(sa.select(Account.id).limit(1)) is not None


def any_administrator() -> bool:
    """Whether anybody active can manage people."""
    query = sa.select(Account.id).join(Account.roles)
    query = query.where(Role.name == RoleName.ADMINISTRATOR, Account.active)
    return db.session.scalar(query.limit(1)) is not None


def signed_in(
    uniquifier: str, session_id: str, *, now: dt.datetime
) -> tuple[Account, sessions.BrowserSession] | None:
    """The active account behind a session that still counts, with everything `rules` ask for."""
    values = sessions.of(session_id, now) | {"uniquifier": uniquifier}
    found = db.session.execute(_signed_in(), values).unique().first()
    return (found[0], found[1]) if found else None


@cache
def _signed_in() -> sa.Select[Account, sessions.BrowserSession]:
    # Made once: every page begins with it, and making it anew takes as long as carrying it out.
    return (
        sa.select(Account, sessions.BrowserSession)
        .join(sessions.BrowserSession, sessions.BrowserSession.account_id == Account.id)
        .where(*sessions.alive(), Account.fs_uniquifier == sa.bindparam("uniquifier"))
        .where(Account.active)
        .options(joinedload(Account.roles))
    )


def add(
    *,
    email: str,
    name: str,
    roles: Iterable[str] = (),
    password: str | None = None,
    unit: Unit | None = None,
    is_demo: bool = False,
    by: Actor,
    now: dt.datetime,
) -> Account:
    """A new account; without a password nobody can sign in to it yet. Refuses a known address."""
    address = fold(email)
    account = Account(
        email=address,
        name=name,
        password=hash_password(passwords.normal(password)) if password else None,
        active=True,
        fs_uniquifier=secrets.token_hex(16),
        unit=unit,
        is_demo=is_demo,
        created_at=now,
        roles=[_role(RoleName(role)) for role in dict.fromkeys(roles)],
    )
    try:
        with db.session.begin_nested():
            db.session.add(account)
    except sa.exc.IntegrityError:
        raise Refused(_("这个邮箱已经有账号了。")) from None
    audit.record(
        "account.added",
        account,
        by=by,
        now=now,
        name=account.name,
        after={"roles": list(account.role_names), "unit": unit.name if unit else None},
    )
    return account


def is_resident(account: Account) -> bool:
    """Whether the account is a resident's and nothing else: it may be had, and given up, at will."""
    return account.role_names == [RoleName.RESIDENT]


def set_address(account: Account, address: str, *, by: Actor, now: dt.datetime) -> None:
    """Another address to sign in with, which was proven to be theirs. Refuses a known one."""
    try:
        with db.session.begin_nested():
            account.email = fold(address)
    except sa.exc.IntegrityError:
        raise Refused(_("这个地址已经有账号了，请先退出，再用它登录。")) from None
    _note("account.address_set", account, by, now)


def remove(account: Account) -> None:
    """Delete an account and its sessions. Its name stays in the record of acts."""
    sessions.end_all(account.id)
    account.roles = []
    db.session.flush()
    db.session.execute(
        sa.delete(Account).where(Account.id == account.id),
        execution_options={"synchronize_session": False},
    )
    db.session.expunge(account)


def grant(account: Account, role: str, *, by: Actor, now: dt.datetime, reason: str = "") -> None:
    """Give a role. Nothing happens when it is held already."""
    if role in account.role_names:
        return
    account.roles.append(_role(RoleName(role)))
    sessions.end_all(account.id)
    _note("account.role_granted", account, by, now, after={"role": str(role)}, reason=reason)


def revoke(account: Account, role: str, *, by: Actor, now: dt.datetime, reason: str = "") -> None:
    """Take a role away. Refuses one's own and the last administrator's right to administer."""
    if role not in account.role_names:
        return
    if role == RoleName.ADMINISTRATOR:
        if by.id == account.id:
            raise Refused(_("不能取消自己的管理员权限，请由另一位管理员办理。"))
        _another_administrator_than(account)
    account.roles = [held for held in account.roles if held.name != role]
    sessions.end_all(account.id)
    _note("account.role_revoked", account, by, now, before={"role": str(role)}, reason=reason)


def set_unit(account: Account, unit: Unit | None, *, by: Actor, now: dt.datetime) -> None:
    """Say for which unit the person acts."""
    if account.unit_id == (unit.id if unit else None):
        return
    before = account.unit.name if account.unit else None
    account.unit = unit
    sessions.end_all(account.id)
    after = {"unit": unit.name if unit else None}
    _note("account.unit_set", account, by, now, before={"unit": before}, after=after)


def deactivate(account: Account, *, by: Actor, now: dt.datetime, reason: str = "") -> None:
    """Close the account at once, everywhere. Refuses one's own and the last administrator's."""
    if not account.active:
        return
    if by.id == account.id:
        raise Refused(_("不能停用自己的账号，请由另一位管理员办理。"))
    if RoleName.ADMINISTRATOR in account.role_names:
        _another_administrator_than(account)
    account.active = False
    sessions.end_all(account.id)
    _note("account.deactivated", account, by, now, reason=reason)


def activate(account: Account, *, by: Actor, now: dt.datetime, reason: str = "") -> None:
    """Open a closed account again, with the rights it had."""
    if account.active:
        return
    account.active = True
    _note("account.activated", account, by, now, reason=reason)


def set_password(account: Account, password: str, *, by: Actor, now: dt.datetime) -> None:
    """A new password: every session ends, and every sign-in that was half done."""
    account.password = hash_password(passwords.normal(password))
    account.fs_uniquifier = secrets.token_hex(16)
    sessions.end_all(account.id)
    _note("account.password_set", account, by, now)


def add_demonstration(*, now: dt.datetime) -> list[Account]:
    """The accounts of the example programme; those that are there already stay as they are."""
    added = []
    unit = by_slug([DEMO_UNIT]).get(DEMO_UNIT)
    for email, name, role in DEMONSTRATION:
        if by_email(email) is None:
            account = add(
                email=email,
                name=name,
                roles=[role],
                password=DEMO_PASSWORD,
                unit=unit if role == RoleName.UNIT_STAFF else None,
                is_demo=True,
                by=audit.COMMAND_LINE,
                now=now,
            )
            added.append(account)
    return added


def demonstration_account(role: str) -> Account | None:
    """An active demonstration account that plays `role`; None where there is no example."""
    query = sa.select(Account).join(Account.roles).where(Account.is_demo, Account.active)
    return db.session.scalars(query.where(Role.name == role).order_by(Account.id)).first()


def remove_demonstration(*, now: dt.datetime) -> int:
    """Take the example's accounts away; how many there were.

    One that has left traces elsewhere stays as a name nobody can sign in with.
    """
    accounts = db.session.scalars(sa.select(Account).where(Account.is_demo)).all()
    for account in accounts:
        _note("account.removed", account, audit.COMMAND_LINE, now)
        sessions.end_all(account.id)
        account.roles = []
        account.active = False
        account.password = None
        account.is_demo = False
        account.email = f"removed-{account.id}@example.invalid"
        db.session.flush()
        with contextlib.suppress(sa.exc.IntegrityError), db.session.begin_nested():
            db.session.execute(sa.delete(Account).where(Account.id == account.id))
    return len(accounts)


def init_accounts(app: Flask) -> None:
    """Attach Flask-Security (hashing, TOTP) and Flask-Login (who is asking) to the application.

    None of Flask-Security's own pages, commands and token sign-ins are switched on: every door
    stands in `core/views/accounts.py`.
    """
    settings = app.config["SETTINGS"]
    app.config.from_mapping(
        SECURITY_PASSWORD_HASH="argon2",
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_PASSWORD_SALT="unused: argon2 salts each password by itself",
        SECURITY_TWO_FACTOR=True,
        SECURITY_TWO_FACTOR_ENABLED_METHODS=["authenticator"],
        SECURITY_TOTP_SECRETS={"1": settings.totp_key},
        SECURITY_TOTP_ISSUER=app.config["SITE_NAME"],
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
        # Binding a session to an address signs people out whenever their phone changes mast.
        SESSION_PROTECTION=None,
    )
    app.config.setdefault("SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS", ARGON2ID)
    security = Security(
        app,
        FSQLALiteUserDatastore(db, Account, Role),  # type: ignore[arg-type]  # it asks for its mixins and reads their columns, which ours has
        register_blueprint=False,
        totp_cls=second_factor.ClockTotp,
    )
    # Flask-Principal would load the person on every request, even for a picture.
    security.principal.identity_loaders.clear()
    manager = app.login_manager  # type: ignore[attr-defined]  # flask_login adds it
    manager.anonymous_user = Visitor
    manager.request_loader(None)
    manager.user_loader(_person_of_this_request)
    # Drawn and not computed, which every start would wait for: it costs as much to try as any other.
    kept_as = security.pwd_context.handler()
    drawn = kept_as(use_defaults=True, checksum=secrets.token_bytes(kept_as.checksum_size))
    app.extensions["dummy_password"] = drawn.to_string()
    app.before_request(_settle_who_asks)


def _person_of_this_request(uniquifier: str) -> Account | None:
    session_id = sessions.current_id()
    found = signed_in(uniquifier, session_id, now=now()) if session_id else None
    if found is None:
        # The row is gone or the account closed: nothing of the cookie is worth keeping.
        session.clear()
        return None
    account, g.browser_session = found
    return account


def _settle_who_asks() -> None:
    """Load the person before anything else, in a transaction that ends here.

    A POST would otherwise hold the writers' queue from here to its end, and noting that somebody
    is still there needs a transaction of its own.
    """
    if sessions.current_id() is None or (request.endpoint or "").endswith("static"):
        return
    if not current_user.is_authenticated:
        return
    # The frame of every page names who is signed in.
    keep_private()
    if request.method not in READING or sessions.is_stale(g.browser_session, now()):
        db.session.commit()
        sessions.note_seen(g.browser_session, now=now())


def _role(name: RoleName) -> Role:
    known = sa.select(Role).where(Role.name == name)
    role = db.session.scalar(known)
    if role is None:
        db.session.execute(insert_into(Role).values(name=name).on_conflict_do_nothing())
        role = db.session.scalars(known).one()
    return role


def _another_administrator_than(account: Account) -> None:
    # Locked, so that two administrators cannot remove one another at the same instant.
    administrators = db.session.scalars(
        sa.select(Account.id)
        .join(Account.roles)
        .where(Role.name == RoleName.ADMINISTRATOR, Account.active)
        .order_by(Account.id)
        .with_for_update(of=Account)
    ).all()
    if not set(administrators) - {account.id}:
        raise Refused(_("这是最后一位管理员，请先指定另一位管理员。"))


def _note(action: str, account: Account, by: Actor, now: dt.datetime, **more: Any) -> None:
    audit.record(action, account, by=by, now=now, name=account.name, **more)
