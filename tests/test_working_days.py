"""Working days by the announced calendar; every expected day was counted on the printed one."""

import datetime as dt

import pytest

from core import working_days
from core.web import SHANGHAI


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


# The National Day week of 2020: the 1st to the 8th off, Saturday the 10th worked,
# Sunday 27 September worked.
@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2020-10-20", 3, "2020-10-23"),  # Tuesday: Wednesday, Thursday, Friday
        ("2020-10-22", 3, "2020-10-27"),  # Thursday: Friday, Monday, Tuesday
        ("2020-10-24", 3, "2020-10-28"),  # a Saturday off: Monday, Tuesday, Wednesday
        ("2020-09-29", 3, "2020-10-10"),  # the 30th, then the 9th and the Saturday worked
        ("2020-09-30", 3, "2020-10-12"),  # the 9th, the Saturday, Monday
        ("2020-10-03", 3, "2020-10-12"),
        ("2020-09-25", 3, "2020-09-29"),  # Friday: Sunday the 27th is worked
        ("2020-10-20", 0, "2020-10-20"),
    ],
)
def test_the_days_after_a_day(start: str, count: int, end: str) -> None:
    assert working_days.after(day(start), count) == day(end)


def test_where_no_arrangement_is_announced_monday_to_friday_count() -> None:
    assert working_days.is_announced(day("2020-10-20"))
    assert not working_days.is_announced(day("2098-01-01"))
    # 1 January 2098 is a Wednesday.
    assert working_days.after(day("2098-01-01"), 3) == day("2098-01-06")


def test_a_day_ends_at_midnight_in_shanghai() -> None:
    # 16:30 UTC is already half past midnight of the 21st there.
    late = dt.datetime(2020, 10, 20, 16, 30, tzinfo=dt.UTC)
    assert working_days.due(late, 3) == dt.datetime(2020, 10, 27, tzinfo=SHANGHAI)
    early = dt.datetime(2020, 10, 20, 15, 59, tzinfo=dt.UTC)
    assert working_days.due(early, 3) == dt.datetime(2020, 10, 24, tzinfo=SHANGHAI)
