"""What review rounds need from time to time without anybody asking: reminders, and remarks that wait
for their words to become public."""

import datetime as dt

from core import housekeeping
from core.config import of_site
from core.housekeeping import MINUTE, Job
from core.outbox import Post
from panel import remarks, review_reminders


def remind(at: dt.datetime) -> None:
    """Put in the reminders that are due."""
    review_reminders.remind_due(Post.of(of_site()), now=at)


def deliver(at: dt.datetime) -> int:
    """Let remarks join the public stream whose words have become public."""
    return remarks.deliver_waiting(secret=of_site().secret_key, now=at)


def attach() -> None:
    """Have both done."""
    housekeeping.add(Job("review reminders", 10 * MINUTE, remind))
    housekeeping.add(Job("remarks of reviews", MINUTE, deliver))
