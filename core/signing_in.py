"""How often one may try to sign in: guessing is slowed, and nobody can lock another person out.

* one network at one account: few tries; success wipes the slate;
* one network at any account: more, because an office shares one address;
* all networks at one account: many, and not counted against a network from which this person has
  signed in before. Why so: `docs/decisions/0002-throttling.md`.
"""

import datetime as dt

from core import throttle
from core.accounts import Account
from core.addresses import fold

QUARTER = dt.timedelta(minutes=15)
KNOWN_FOR = dt.timedelta(days=90)
TRIES_AT_ONE_ACCOUNT = 10
TRIES_FROM_ONE_NETWORK = 100
TRIES_FROM_ANYWHERE = 100
CODES_AT_ONE_ACCOUNT = 8


def may_try(email: str, address: str | None, *, now: dt.datetime) -> bool:
    """Count one try at a password; False when it is one too many. The caller commits."""
    name, network = fold(email), throttle.network(address)
    tries = [
        throttle.hit(
            _pair("try", name, network), limit=TRIES_AT_ONE_ACCOUNT, window=QUARTER, now=now
        ),
        throttle.hit(
            f"try-network:{network}", limit=TRIES_FROM_ONE_NETWORK, window=QUARTER, now=now
        ),
    ]
    if not throttle.count(_pair("known", name, network), now=now):
        tries.append(
            throttle.hit(
                f"try-account:{name}", limit=TRIES_FROM_ANYWHERE, window=throttle.HOUR, now=now
            )
        )
    return all(tries)


def may_try_code(account: Account, address: str | None, *, now: dt.datetime) -> bool:
    """Count one try at a code by somebody who knows the password; False when it is one too many."""
    network = throttle.network(address)
    key = _pair("code", account.email, network)
    if not throttle.hit(key, limit=CODES_AT_ONE_ACCOUNT, window=QUARTER, now=now):
        return False
    if throttle.count(_pair("known", account.email, network), now=now):
        return True
    return throttle.hit(
        f"code-account:{account.id}", limit=TRIES_FROM_ANYWHERE, window=throttle.HOUR, now=now
    )


def succeeded(account: Account, address: str | None, *, now: dt.datetime) -> None:
    """Wipe this network's slate at the account, and remember the network."""
    network = throttle.network(address)
    throttle.forget(_pair("try", account.email, network))
    throttle.forget(_pair("code", account.email, network))
    throttle.forget(_pair("known", account.email, network))
    throttle.hit(_pair("known", account.email, network), limit=1, window=KNOWN_FOR, now=now)


def _pair(kind: str, name: str, network: str) -> str:
    return f"{kind}:{network}:{name}"
