"""Which opinions can be found, and by which words: those that are shown, by what is shown of them.

Whoever changes what the public sees of an opinion calls `follow` in the same transaction.
"""

import calendar
import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from consult import search_documents
from consult.search_documents import Document, Kind
from consult.submissions import EARLIEST, Channel, Stance, Submission, SubmissionState
from core.db import batches, db

if TYPE_CHECKING:
    from consult import search_tokens

BATCH = 500
# The periods an opinion is found by, the longest first; in a month the thirds (上旬, 中旬, 下旬) begin on
# these days.
UNITS = YEAR, MONTH, THIRD, DAY = "y", "m", "t", "d"
THIRDS = (1, 11, 21)
# Who will read this in another century moves it on; what is asked for up to here is at most 150 periods.
LATEST = dt.date(2099, 12, 31)
# What makes an opinion findable. Its words are those the public may read.
_COLUMNS = (
    Submission.id,
    Submission.consultation_id,
    Submission.title,
    Submission.body,
    Submission.channel,
    Submission.stance,
    Submission.place,
    Submission.received_on,
)


def follow(ids: Sequence[int], *, fresh: bool = False) -> None:
    """Bring what can be found of these opinions in line with what is shown of them now.

    `fresh`: they have only just been stored, so that nothing has to be taken out first.
    """
    db.session.flush()
    for batch in batches(ids, BATCH):
        if not fresh:
            search_documents.drop(Kind.OPINION, batch)
        search_documents.put(Kind.OPINION, _documents(batch), fresh=True)


def enter(
    ids: Sequence[int], marks: Sequence[Sequence[str]], read: "search_tokens.Findable"
) -> None:
    """Let shown opinions be found that have only just been stored, by what was read of their titles,
    bodies and `marks_of` beforehand."""
    documents = [Document(id, (), each) for id, each in zip(ids, marks, strict=True)]
    search_documents.put_read(Kind.OPINION, documents, read)


def marks_of(
    *, consultation_id: int, channel: Channel, stance: Stance | None, place: int, day: dt.date
) -> tuple[str, ...]:
    """What is known of an opinion besides its words."""
    known = marks(consultation_id=consultation_id, channel=channel, stance=stance)
    return (*known, f"p{place}", *(_mark(unit, day) for unit in UNITS))


def follow_after(last: int) -> tuple[int, int | None]:
    """Make the next few hundred shown opinions after id `last` findable: (how many, the last of
    them; None when there is none). They are held, so that none is masked or hidden meanwhile."""
    query = sa.select(Submission.id).where(
        Submission.id > last, Submission.state == SubmissionState.SHOWN
    )
    ids = db.session.scalars(
        query.order_by(Submission.id).limit(BATCH).with_for_update(read=True)
    ).all()
    follow(ids)
    return len(ids), ids[-1] if ids else None


def marks(
    *,
    consultation_id: int | None = None,
    channel: Channel | None = None,
    stance: Stance | None = None,
) -> list[str]:
    """The facts an opinion must have to pass these filters."""
    chosen = [
        f"c{consultation_id}" if consultation_id is not None else "",
        f"h{channel.value}" if channel else "",
        f"s{stance.value}" if stance else "",
    ]
    return [each for each in chosen if each]


def places(ids: Iterable[int]) -> list[str]:
    """The facts one of which an opinion on these places has."""
    return [f"p{id}" for id in ids]


def days(first: dt.date | None, last: dt.date | None) -> list[str]:
    """The facts one of which an opinion of these days has: the fewest years, months, thirds of months
    and days that make them up. None: however early, or late."""
    day = max(first or EARLIEST, EARLIEST)
    last = min(last or LATEST, LATEST)
    marks: list[str] = []
    while day <= last:
        unit = next(each for each in UNITS if _begins(each, day) and _end(each, day) <= last)
        marks.append(_mark(unit, day))
        day = _end(unit, day) + dt.timedelta(days=1)
    return marks


def _begins(unit: str, day: dt.date) -> bool:
    """Whether the period of this unit in which a day is begins on it."""
    if unit == YEAR:
        return day.month == day.day == 1
    if unit == MONTH:
        return day.day == 1
    return unit == DAY or day.day in THIRDS


def _end(unit: str, day: dt.date) -> dt.date:
    """The last day of the period of this unit that begins on a day."""
    if unit == YEAR:
        return day.replace(month=12, day=31)
    if unit == DAY:
        return day
    if unit == THIRD and day.day < THIRDS[-1]:
        return day + dt.timedelta(days=9)
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def _mark(unit: str, day: dt.date) -> str:
    """The fact that an opinion is of the period of this unit in which a day is."""
    if unit == YEAR:
        return f"y{day.year}"
    if unit == MONTH:
        return f"m{day:%Y-%m}"
    if unit == THIRD:
        return f"t{day:%Y-%m}-{bisect_right(THIRDS, day.day)}"
    return f"d{day}"


def _documents(ids: Sequence[int]) -> list[Document]:
    query = sa.select(*_COLUMNS).where(
        Submission.id.in_(ids), Submission.state == SubmissionState.SHOWN
    )
    return [_document(*row) for row in db.session.execute(query.order_by(Submission.id))]


def _document(
    id: int,
    consultation_id: int,
    title: str,
    body: str,
    channel: Channel,
    stance: Stance | None,
    place: int,
    day: dt.date,
) -> Document:
    known = marks_of(
        consultation_id=consultation_id, channel=channel, stance=stance, place=place, day=day
    )
    return Document(id, (title, body), known)
