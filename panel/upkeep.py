"""What the panel has to have done from time to time without anybody asking."""

import datetime as dt

from core import housekeeping, uploads
from core.db import db
from core.housekeeping import MINUTE, Job
from panel import applications, member_imports, round_upkeep, seats

HOUR = 60 * MINUTE


def init_upkeep() -> None:
    """Have it done."""
    housekeeping.add(Job("seats", HOUR, seats.forget))
    housekeeping.add(Job("applications", HOUR, applications.forget))
    housekeeping.add(Job("member lists", HOUR, end_lists))
    round_upkeep.attach()


def end_lists(at: dt.datetime) -> int:
    """Give up uploaded lists that nobody brought in; how many."""
    gone = member_imports.expire(at)
    db.session.commit()
    for name in gone:
        uploads.remove(name)
    return len(gone)
