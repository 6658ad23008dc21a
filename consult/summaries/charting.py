"""The charts of a summary: the figures that stand in its tables, as pictures for page and paper.

Each takes, where it has one, a function that gives the address behind a bar.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence

from flask_babel import gettext as _

from consult.analysis.contrast import Difference
from consult.submissions import Stance
from consult.summaries.counts import Bucket, Part
from consult.summaries.readings import View
from core.charts import Chart, Kind, Series

MOST_KEYWORDS, MOST_SECTIONS, MOST_DIFFERENCES, MOST_THEMES = 15, 20, 15, 15
COLOURS = {
    Stance.SUPPORT: "ok",
    Stance.SUGGEST: "accent",
    Stance.OPPOSE: "stop",
    Stance.QUESTION: "warn",
}
OTHER_COLOURS = ("ink-2", "heat-3")
Address = Callable[[str], str]


def keywords(view: View, opens: Address | None = None) -> Chart | None:
    """The terms that stand out most, by how many opinions hold them."""
    shown = sorted(view.keywords[:MOST_KEYWORDS], key=lambda each: -each.count)
    if not shown:
        return None
    return Chart(
        Kind.BARS,
        _("突出的词和提到它的件数"),
        _("件"),
        tuple(each.term for each in shown),
        (Series(_("件数"), tuple(each.count for each in shown)),),
        (tuple(opens(each.term) for each in shown),) if opens else (),
        of=_("词"),
    )


def stances(parts: Sequence[Part], opens: Address | None = None) -> Chart | None:
    """How all opinions divide by stance, in one bar."""
    if not parts:
        return None
    order = in_order(part.key for part in parts)
    counts = {part.key: part.count for part in parts}
    return Chart(
        Kind.BARS,
        _("态度的构成"),
        _("件"),
        (_("合计"),),
        tuple(Series(Stance(key).title, (counts[key],), colour(key)) for key in order),
        tuple((opens(key),) for key in order) if opens else (),
        of=_("态度"),
    )


def sections(
    counts: Sequence[tuple[str, int, int]], opens: Callable[[int], str] | None = None
) -> Chart | None:
    """Opinions by the chapters of the draft; `counts` are (title, place, opinions)."""
    shown = counts[:MOST_SECTIONS]
    if not any(n for _title, _place, n in shown):
        return None
    return Chart(
        Kind.BARS,
        _("各章节的意见件数")
        if len(shown) == len(counts)
        else _("前%(n)d章的意见件数", n=len(shown)),
        _("件"),
        tuple(title for title, _place, _n in shown),
        (Series(_("件数"), tuple(n for _title, _place, n in shown)),),
        (tuple(opens(place) for _title, place, _n in shown),) if opens else (),
        of=_("章节"),
    )


def days(
    buckets: Sequence[Bucket], opens: Callable[[dt.date, dt.date], str] | None = None
) -> Chart | None:
    """Opinions by the day they were received, or by month or year."""
    if len(buckets) < 2:
        return None
    return Chart(
        Kind.COLUMNS,
        _("按收到日期的件数"),
        _("件"),
        tuple(_span(each) for each in buckets),
        (Series(_("件数"), tuple(each.count for each in buckets)),),
        (tuple(opens(each.first, each.last) for each in buckets),) if opens else (),
        of=_("收到日期"),
    )


def themes(
    sizes: Sequence[tuple[str, int, Mapping[str, int]]],
    opens: Callable[[int, str], str] | None = None,
) -> Chart | None:
    """The themes by size, each bar divided by stance; `sizes` are (name, number, {stance: n})."""
    shown = sizes[:MOST_THEMES]
    if not shown:
        return None
    order = in_order({key for _name, _number, split in shown for key in split})
    return Chart(
        Kind.BARS,
        _("各主题的件数和态度"),
        _("件"),
        tuple(name for name, _number, _split in shown),
        tuple(
            Series(
                Stance(key).title, tuple(split.get(key, 0) for _n, _m, split in shown), colour(key)
            )
            for key in order
        ),
        tuple(tuple(opens(number, key) for _n, number, _s in shown) for key in order)
        if opens
        else (),
        of=_("主题"),
    )


def differences(found: Sequence[Difference]) -> Chart | None:
    """How much more often per 100 the first side uses a term, with its interval."""
    shown = found[:MOST_DIFFERENCES]
    if not shown:
        return None
    return Chart(
        Kind.INTERVALS,
        _("每百相差（甲减乙）和95%区间"),
        "",
        tuple(each.term for each in shown),
        (
            Series(_("每百相差"), tuple(round(d.rate_a - d.rate_b, 1) for d in shown)),
            Series(_("区间下限"), tuple(round(d.interval[0], 1) for d in shown)),
            Series(_("区间上限"), tuple(round(d.interval[1], 1) for d in shown)),
        ),
        of=_("词"),
    )


def in_order(stances: Iterable[str]) -> list[str]:
    """Stances as they are always listed."""
    wanted = set(stances)
    return [stance.value for stance in Stance if stance.value in wanted]


def colour(stance: str) -> str:
    """The token a stance is drawn with."""
    rest = [each for each in Stance if each not in COLOURS]
    known = COLOURS.get(Stance(stance))
    return known or OTHER_COLOURS[rest.index(Stance(stance)) % len(OTHER_COLOURS)]


def _span(bucket: Bucket) -> str:
    first, last = bucket.first, bucket.last
    if first == last:
        return str(_("%(m)d月%(d)d日", m=first.month, d=first.day))
    if first.month == last.month:
        return str(_("%(year)d年%(month)d月", year=first.year, month=first.month))
    return str(_("%(y)d年", y=first.year))
