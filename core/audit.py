"""The record of acts (操作记录): append-only, written in the same transaction as the act itself."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, db

# What acts and things are called on the page. Every package adds its own: `ACTIONS.update({…})`,
# in a module that who serves the page loads; what only commands load would be missing there.
ACTIONS: dict[str, Any] = {
    "account.added": _l("添加账号"),
    "account.role_granted": _l("授予角色"),
    "account.role_revoked": _l("取消角色"),
    "account.unit_set": _l("变更所属单位"),
    "account.deactivated": _l("停用账号"),
    "account.activated": _l("恢复账号"),
    "account.removed": _l("移除演示账号"),
    "account.address_set": _l("更换登录地址"),
    "account.password_set": _l("设置密码"),
    "account.password_link_made": _l("生成设置密码的链接"),
    "account.second_factor_set": _l("设置动态口令"),
    "account.second_factor_removed": _l("清除动态口令"),
    "account.recovery_code_used": _l("使用备用码"),
    "account.recovery_codes_renewed": _l("更换备用码"),
    "site.copied": _l("备份网站"),
    "site.restored": _l("从备份恢复网站"),
}
KINDS: dict[str, Any] = {"account": _l("账号"), "site": _l("网站")}
# What stands in `before` and `after`: the fields' names, and by field the names of coded values.
FIELDS: dict[str, Any] = {
    "role": _l("角色"),
    "roles": _l("角色"),
    "unit": _l("单位"),
    "left": _l("剩余个数"),
    "with_keys": _l("含密钥"),
    "made_at": _l("备份时间"),
    "held": _l("待发通知转人工核对"),
}
VALUES: dict[str, dict[str, Any]] = {}


class AuditEvent(Base):
    """Who did what to which thing, and why. Rows are never changed or removed."""

    __tablename__ = "audit_event"
    __table_args__ = (sa.Index(None, "thing_kind", "thing_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    action: Mapped[str] = mapped_column(sa.String(64), index=True)
    thing_kind: Mapped[str] = mapped_column(sa.String(64))
    thing_id: Mapped[int | None]
    thing_name: Mapped[str] = mapped_column(sa.String(200))
    before: Mapped[dict[str, Any] | None]
    after: Mapped[dict[str, Any] | None]
    reason: Mapped[str] = mapped_column(sa.Text, default="")


class Actor(Protocol):
    """Whoever acts: an account, or one of the named non-accounts below."""

    @property
    def id(self) -> int | None: ...
    @property
    def name(self) -> str: ...


class Nobody:
    """An actor without an account: a resident on the site, or the command line."""

    id = None

    def __init__(self, name: str) -> None:
        self.name = name


RESIDENT = Nobody("居民（未登录）")
COMMAND_LINE = Nobody("命令行")
SYSTEM = Nobody("系统")


def record(
    action: str,
    thing: Any,
    *,
    by: Actor,
    now: dt.datetime,
    name: str = "",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Note that `by` did `action` (`noun.participle`) to `thing`, in the current transaction.

    Personal data never goes into `before`, `after` or `reason`. `thing` needs an id already:
    flush first when it is new.
    """
    db.session.add(
        AuditEvent(
            at=now,
            actor_id=by.id,
            actor_name=by.name,
            action=action,
            thing_kind=type(thing).__tablename__,
            thing_id=thing.id,
            thing_name=name[:200],
            before=before,
            after=after,
            reason=reason,
        )
    )


def page(
    *,
    before_id: int | None = None,
    action: str = "",
    thing_kind: str = "",
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    limit: int = 50,
) -> Sequence[AuditEvent]:
    """The newest `limit` events, or those before `before_id`; optionally of one action, one kind
    of thing, from `since` on and before `until`."""
    query = sa.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditEvent.id < before_id)
    if action:
        query = query.where(AuditEvent.action == action)
    if thing_kind:
        query = query.where(AuditEvent.thing_kind == thing_kind)
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if until is not None:
        query = query.where(AuditEvent.at < until)
    return db.session.scalars(query).all()


def action_name(action: str) -> str:
    """What an action is called; an unknown one shows its code."""
    return str(ACTIONS.get(action, action))


def kind_name(kind: str) -> str:
    """What a kind of thing is called; an unknown one shows its code."""
    return str(KINDS.get(kind, kind))


def told(facts: dict[str, Any] | None) -> str:
    """`before` or `after` in words: 角色：审核员；单位：区统计局."""
    return "；".join(
        f"{FIELDS.get(field, field)}：{_value_name(field, value)}"
        for field, value in (facts or {}).items()
    )


def _value_name(field: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return "、".join(_value_name(field, each) for each in value) or "—"
    if value is None or value == "":
        return "—"
    if isinstance(value, bool):
        return str(_l("是") if value else _l("否"))
    return str(VALUES.get(field, {}).get(str(value), value))
