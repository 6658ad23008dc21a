"""Counting how often somebody tries: exact across processes, because the database counts.

No address and no name stands in the table, only a keyed hash of them.
"""

import datetime as dt
import hashlib
import hmac
import ipaddress
from functools import cache

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Prepared, UtcDateTime, db, insert_into

HOUR = dt.timedelta(hours=1)
PRUNED_AT_ONCE = 100


class ThrottleCount(Base):
    """How often one key was hit since its window began."""

    __tablename__ = "throttle_count"

    key_hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    window_start: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime] = mapped_column(index=True)
    count: Mapped[int]


def hit(key: str, *, limit: int, window: dt.timedelta, now: dt.datetime) -> bool:
    """Count one try under `key`; False when it is over `limit` within `window`.

    The window begins with the first try and is not prolonged by later ones. The caller commits,
    also after False: an uncommitted try has not been counted.
    """
    values = {"key_hash": _hashed(key), "window_start": now, "expires_at": now + window}
    here = db.session.connection()
    counted = _counted(here.dialect.name).run(here, values | {"count": 1, "now": now})
    assert counted is not None
    count: int = counted[0]
    if count == 1:
        _prune(now)
    return count <= limit


@cache
def _counted(dialect: str) -> Prepared:
    fresh = insert_into(ThrottleCount)
    over = ThrottleCount.expires_at <= sa.bindparam("now", type_=UtcDateTime())
    counted = fresh.on_conflict_do_update(
        index_elements=[ThrottleCount.key_hash],
        set_={
            "window_start": sa.case(
                (over, fresh.excluded.window_start), else_=ThrottleCount.window_start
            ),
            "expires_at": sa.case(
                (over, fresh.excluded.expires_at), else_=ThrottleCount.expires_at
            ),
            "count": sa.case((over, 1), else_=ThrottleCount.count + 1),
        },
    )
    return Prepared(counted.returning(ThrottleCount.count))


def count(key: str, *, now: dt.datetime) -> int:
    """How often `key` was hit in its present window; counts nothing itself."""
    found = db.session.scalar(
        sa.select(ThrottleCount.count).where(
            ThrottleCount.key_hash == _hashed(key), ThrottleCount.expires_at > now
        )
    )
    return found or 0


def forget(key: str) -> None:
    """Begin again at nought: what was tried has succeeded."""
    db.session.execute(sa.delete(ThrottleCount).where(ThrottleCount.key_hash == _hashed(key)))


def network(address: str | None) -> str:
    """The part of an address that one subscriber holds: IPv4 whole, IPv6 its first 64 bits."""
    try:
        parsed = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)
    return str(parsed)


def _hashed(key: str) -> str:
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, b"throttle:" + key.encode(), hashlib.sha256).hexdigest()


def _prune(now: dt.datetime) -> None:
    # A few at a time, and on PostgreSQL none that another transaction holds: two writers that
    # prune each other's rows would wait for one another.
    old = (
        sa.select(ThrottleCount.key_hash)
        .where(ThrottleCount.expires_at <= now)
        .limit(PRUNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    db.session.execute(
        sa.delete(ThrottleCount).where(ThrottleCount.key_hash.in_(old)),
        execution_options={"synchronize_session": False},
    )
