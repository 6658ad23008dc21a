"""Mail to people at the desk: the same words to each of them, once."""

from collections.abc import Iterator

import sqlalchemy as sa

from core import sealing
from core.accounts import Account, RoleName
from core.config import of_site
from core.db import db
from core.outbox import Draft


def drafts(
    role: RoleName, about: str, subject: str, body: str, *, unit_id: int | None = None
) -> Iterator[Draft]:
    """A message for everybody with the role, those of one unit if it is named. `about` tells the
    matter from every other."""
    key = of_site().contact_key
    query = sa.select(Account).where(Account.active, Account.roles.any(name=role))
    if unit_id is not None:
        query = query.where(Account.unit_id == unit_id)
    for account in db.session.scalars(query.order_by(Account.id)):
        address = sealing.seal(key, account.email)
        yield Draft(f"{about}:to:{account.id}", address, subject, body)
