"""The figures of screening (审核情况) by month: kept when something happens, never counted again.

A month is written 202010 and is a month in Shanghai. The kinds: `received`; `shown`, `referred`,
`asked`, `withdrawn` and `hidden:<reason>` for decisions made in the month; `appealed`;
`appeal:<outcome>`; and `waited:<hours>`, how long opinions had waited for their first decision.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from core.db import Base, Prepared, db, insert_into

SHANGHAI = ZoneInfo("Asia/Shanghai")
# Waiting is kept to the hour for so long, then to the day, and not beyond a year.
EXACT_HOURS, LONGEST_HOURS = 72, 365 * 24


class ScreeningFigure(Base):
    """How often something of one kind happened in one month."""

    __tablename__ = "screening_figure"

    month: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    count: Mapped[int]


@dataclass(frozen=True, slots=True)
class Month:
    """One month's figures. `median_hours` is None when nothing was decided."""

    month: int
    counts: Mapping[str, int]
    median_hours: float | None
    hidden: Mapping[str, int] = field(default_factory=dict)

    @property
    def first_day(self) -> dt.date:
        """The first day of the month."""
        return dt.date(self.month // 100, self.month % 100, 1)


def count(happened: Mapping[str, int], *, now: dt.datetime) -> None:
    """Add what happened to the figures of this month."""
    here = now.astimezone(SHANGHAI)
    for kind, number in happened.items():
        if number:
            values = {"month": here.year * 100 + here.month, "kind": kind, "count": number}
            connection = db.session.connection()
            _counted(connection.dialect.name).run(connection, values)


@cache
def _counted(dialect: str) -> Prepared:
    fresh = insert_into(ScreeningFigure)
    return Prepared(
        fresh.on_conflict_do_update(
            index_elements=["month", "kind"],
            set_={"count": ScreeningFigure.count + fresh.excluded.count},
        )
    )


def waited(times: Sequence[dt.timedelta]) -> Counter[str]:
    """The kinds that say how long these have waited."""
    return Counter(f"waited:{_hours(time)}" for time in times)


def _hours(time: dt.timedelta) -> int:
    hours = max(int(time.total_seconds() // 3600), 0)
    return min(hours if hours < EXACT_HOURS else hours // 24 * 24, LONGEST_HOURS)


def months(limit: int) -> list[Month]:
    """The newest months in which anything happened, the newest first."""
    newest = (
        sa.select(ScreeningFigure.month)
        .distinct()
        .order_by(ScreeningFigure.month.desc())
        .limit(limit)
    )
    query = sa.select(ScreeningFigure).where(ScreeningFigure.month.in_(newest))
    found: dict[int, dict[str, int]] = {}
    for each in db.session.scalars(query):
        found.setdefault(each.month, {})[each.kind] = each.count
    return [_month(month, found[month]) for month in sorted(found, reverse=True)]


def _month(month: int, counts: Mapping[str, int]) -> Month:
    parts = [(kind.partition(":"), number) for kind, number in counts.items()]
    waits = {int(rest): number for (kind, _sep, rest), number in parts if kind == "waited"}
    hidden = {rest: number for (kind, _sep, rest), number in parts if kind == "hidden"}
    return Month(month, counts, median(waits), hidden)


def median(waits: Mapping[int, int]) -> float | None:
    """The middle of {hours: how many}; between two of them when their number is even."""
    total = sum(waits.values())
    if not total:
        return None
    lower = upper = None
    passed = 0
    for hours in sorted(waits):
        passed += waits[hours]
        if lower is None and passed * 2 >= total:
            lower = hours
        if passed * 2 > total:
            upper = hours
            break
    assert lower is not None
    assert upper is not None
    return (lower + upper) / 2
