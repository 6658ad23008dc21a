"""Working days (工作日) by the calendar the State Council announces each year, 调休 included.

Pure: dates in, dates out. For years whose arrangement is not known here Monday to Friday count,
and `is_announced` lets a page say so.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_DAY = dt.timedelta(days=1)


def is_announced(day: dt.date) -> bool:
    """Whether the arrangement of this day's year is known here."""
    try:
        chinese_calendar.is_workday(day)
    except NotImplementedError:
        return False
    return True


def is_working(day: dt.date) -> bool:
    """Whether offices are open on this day."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        return day.weekday() < 5


def after(day: dt.date, count: int) -> dt.date:
    """The `count`-th working day after `day`, which itself does not count."""
    while count > 0:
        day += ONE_DAY
        count -= is_working(day)
    return day


def due(received_at: dt.datetime, count: int) -> dt.datetime:
    """The moment by which `count` working days after the day of receipt in Shanghai have passed:
    24:00 of the last of them."""
    last = after(received_at.astimezone(SHANGHAI).date(), count)
    return dt.datetime.combine(last + ONE_DAY, dt.time(), SHANGHAI).astimezone(dt.UTC)
