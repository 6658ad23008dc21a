"""The geometry of a Gantt picture: from groups of rows with first and last days to numbers that a
template can draw. Pure; knows neither tables nor colours. All numbers are SVG user units."""

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

# One unit is one CSS pixel at the normal size of type; the template scales the whole with `rem`.
ROOT = 17
MARGIN = 8
TAIL = 30
MONTH = 39
LETTER = 14.2
HEAD = 98
GROUP = 40
ROW = 46
GAP = 10


@dataclass(frozen=True)
class Task:
    """What becomes a row: whole days, both included. `mark` stands at its end, if there is one."""

    title: str
    first: dt.date
    last: dt.date
    mark: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under one heading, which has a span of its own."""

    title: str
    first: dt.date
    last: dt.date
    tasks: Sequence[Task]
    parallel: bool = False


@dataclass(frozen=True)
class Column:
    """A month, quarter or year: its left edge, its width and what it is called."""

    x: float
    width: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One drawn row. `done` is how much of `width` lies before today; the words begin at `text_x`,
    or end there when `ends` is set."""

    title: str
    x: float
    y: float
    width: float
    done: float
    text_x: float
    text_y: float
    ends: bool
    mark: str = ""


@dataclass(frozen=True)
class Band:
    """One drawn group: its heading bar and the bars under it."""

    heading: Bar
    y: float
    height: float
    parallel: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Chart:
    """Everything a template needs. `now_x` is None when today lies outside the picture."""

    width: float
    height: float
    years: tuple[Column, ...]
    quarters: tuple[Column, ...]
    months: tuple[Column, ...]
    bands: tuple[Band, ...]
    now_x: float | None

    @property
    def rem(self) -> float:
        """The width in `rem`, so that the picture grows with the reader's type."""
        return round(self.width / ROOT, 2)


@dataclass(frozen=True)
class Labels:
    """How the columns are named: format strings for years and months, the four quarters."""

    year: str = "{}年"
    quarters: tuple[str, ...] = ("一季度", "二季度", "三季度", "四季度")
    month: str = "{}月"


def chart(groups: Sequence[Group], today: dt.date, labels: Labels | None = None) -> Chart:
    """Lay out `groups` over whole quarters, months side by side, one row a task."""
    said = labels or Labels()
    first = _quarter_begin(min(group.first for group in groups))
    last = _quarter_begin(max(group.last for group in groups))
    months = [_plus(first, n) for n in range(_between(first, last) + 3)]
    width = _month_width(groups, len(months))
    scale = _Scale(first, width, len(months), today)
    bands = tuple(_bands(groups, scale))
    return Chart(
        width=scale.right + TAIL,
        height=bands[-1].y + bands[-1].height + MARGIN,
        years=_columns(
            months,
            scale,
            lambda month: dt.date(month.year, 1, 1),
            lambda begin: said.year.format(begin.year),
        ),
        quarters=_columns(
            months, scale, _quarter_begin, lambda begin: said.quarters[(begin.month - 1) // 3]
        ),
        months=_columns(
            months, scale, lambda month: month, lambda begin: said.month.format(begin.month)
        ),
        bands=bands,
        now_x=scale.x(today) if first <= today < _plus(months[-1], 1) else None,
    )


class _Scale:
    """Days to x. Every month is equally wide, as in the table the picture is drawn after."""

    def __init__(self, first: dt.date, month: float, months: int, today: dt.date) -> None:
        self.first, self.month, self.today = first, month, today
        self.right = MARGIN + month * months

    def x(self, day: dt.date) -> float:
        """The left edge of `day`, held within the picture."""
        begin = day.replace(day=1)
        length = (_plus(begin, 1) - begin).days
        place = _between(self.first, begin) + (day.day - 1) / length
        return round(min(max(MARGIN + place * self.month, MARGIN), self.right), 1)

    def after(self, day: dt.date) -> float:
        """The right edge of `day`."""
        return self.x(day + dt.timedelta(days=1))


def _bands(groups: Iterable[Group], scale: _Scale) -> Iterable[Band]:
    y: float = HEAD
    for group in groups:
        span = Task(group.title, group.first, group.last)
        bars = tuple(
            _bar(task, y + GROUP + place * ROW, scale) for place, task in enumerate(group.tasks)
        )
        height = GROUP + ROW * len(bars)
        yield Band(_bar(span, y, scale), y, height, group.parallel, bars)
        y += height + GAP


def _bar(task: Task, y: float, scale: _Scale) -> Bar:
    x, end = scale.x(task.first), scale.after(task.last)
    ends = x + _length(task.title) > scale.right + TAIL
    today = scale.x(scale.today)
    return Bar(
        title=task.title,
        x=x,
        y=y + 24,
        width=round(end - x, 1),
        done=round(min(max(today - x, 0), end - x), 1),
        text_x=end if ends else x,
        text_y=y + 17,
        ends=ends,
        mark=task.mark,
    )


def _length(text: str) -> float:
    """About how long `text` is when drawn: Chinese letters are square, others half as wide."""
    return sum(LETTER if ord(letter) > 0x2000 else LETTER * 0.6 for letter in text)


def _month_width(groups: Sequence[Group], months: int) -> float:
    """Wide enough for the longest title to fit into the picture."""
    titles = [task.title for group in groups for task in group.tasks]
    longest = max(map(_length, [*titles, *(group.title for group in groups)]))
    return max(MONTH, math.ceil(longest / months))


def _columns(
    months: Sequence[dt.date],
    scale: _Scale,
    begin: Callable[[dt.date], dt.date],
    label: Callable[[dt.date], str],
) -> tuple[Column, ...]:
    """One column for each run of months that share the same `begin`."""
    columns = []
    for together, run in groupby(months, key=begin):
        found = list(run)
        columns.append(Column(scale.x(found[0]), scale.month * len(found), label(together)))
    return tuple(columns)


def _quarter_begin(day: dt.date) -> dt.date:
    return dt.date(day.year, (day.month - 1) // 3 * 3 + 1, 1)


def _plus(month: dt.date, number: int) -> dt.date:
    """The first of the month `number` months later."""
    year, place = divmod(month.year * 12 + month.month - 1 + number, 12)
    return dt.date(year, place + 1, 1)


def _between(first: dt.date, last: dt.date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month
