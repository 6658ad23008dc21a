"""The built-in example's closed round, summarised and published, so that who looks in for the first
time sees what becomes of opinions. It only arranges; everything goes through the operations, after the
round has been answered: the panel's remarks count, too."""

import datetime as dt

from consult import consultations, summaries
from consult.consultations import SHANGHAI, Consultation, Phase
from core import accounts
from core.accounts import RoleName

SLUG = "silu-kuangjia"
# The round was over, its remarks of the panel in, its answers released.
COUNTED = dt.datetime(2019, 12, 28, 10, tzinfo=SHANGHAI)
PUBLISHED = COUNTED + dt.timedelta(hours=4)


def is_missing(now: dt.datetime) -> bool:
    """Whether the example's closed round is here and nobody has ever summarised it."""
    consultation = _round()
    return (
        consultation is not None
        and consultation.phase(now) in (Phase.CLOSED, Phase.ANSWERED)
        and accounts.demonstration_account(RoleName.DRC_STAFF) is not None
        and not summaries.of(consultation)
    )


def load() -> None:
    """Summarise the round and publish the summary: about a second."""
    consultation = _round()
    by = accounts.demonstration_account(RoleName.DRC_STAFF)
    assert consultation is not None
    assert by is not None
    made = summaries.make(consultation, by=by, now=COUNTED.astimezone(dt.UTC))
    summaries.publish(made, by=by, now=PUBLISHED.astimezone(dt.UTC))


def _round() -> Consultation | None:
    consultation = consultations.by_slug(SLUG)
    return consultation if consultation is not None and consultation.is_demonstration else None
