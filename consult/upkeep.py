"""What the consultation has to have done from time to time without anybody asking."""

import datetime as dt

from consult import adoption_files, inquiry_letters, point_letters, submissions, term_jobs
from core import housekeeping, sign_in_codes
from core.config import of_site
from core.housekeeping import MINUTE, Job
from core.outbox import Post

HOUR = 60 * MINUTE


def init_upkeep() -> None:
    """Have it done."""
    housekeeping.add(Job("codes", HOUR, sign_in_codes.end_expired))
    housekeeping.add(Job("contacts", HOUR, submissions.end_contacts))
    housekeeping.add(Job("term index", MINUTE / 6, term_jobs.look_after))
    housekeeping.add(Job("adoption files", HOUR, adoption_files.tidy))
    housekeeping.add(Job("units' letters", 10 * MINUTE, _remind_units))


def _remind_units(at: dt.datetime) -> None:
    for letters in (inquiry_letters, point_letters):
        letters.remind_due(Post.of(of_site()), now=at)
