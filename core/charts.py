"""A chart as a value, and the same chart as options for ECharts: one description for the page, for
print, for Word and for PDF.

Colours are names of the style sheet's tokens (`var(--accent)`): a browser takes them as they are now,
so that charts follow light, dark and print; `PALETTE` holds the light ones for paper.
"""

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from flask_babel import gettext as _

# The light values of the tokens in static/site.css; a test holds them together. Each stands once,
# because a drawn chart is led back from the colour to its token.
PALETTE = {
    "ink": "#1d2630",
    "ink-2": "#4b5661",
    "paper": "#fdfcf8",
    "line": "#ddd7c8",
    "line-2": "#807a6b",
    "accent": "#1c4a7d",
    "ok": "#20653a",
    "warn": "#7a4c00",
    "stop": "#8f2244",
    "heat-2": "#b3cbe3",
    "heat-3": "#3f74ab",
}
# The parts of a bar on paper: {token: (colour, what is written on it)}. They differ in lightness (L* of
# 22, 77, 40, 87, 62 and 100), so that a copy in black and white tells each from its neighbours.
PRINTED = {
    "accent": ("#14365c", "#ffffff"),
    "ok": ("#93cba3", "#1d2630"),
    "stop": ("#a8325a", "#ffffff"),
    "warn": ("#eedaa4", "#1d2630"),
    "ink-2": ("#8f98a1", "#1d2630"),
    "heat-3": ("#ffffff", "#1d2630"),
}
WIDTH = 640
TYPE, SMALL = 14, 12
ROW, EDGE = 28, 34
MOST_LABEL = 170
# What no SVG may hold.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Kind(StrEnum):
    """How a chart is drawn."""

    # A horizontal bar a label; with several series they stand in one bar after the other.
    BARS = "bars"
    # A column a label from left to right: time.
    COLUMNS = "columns"
    # A point a label with its interval; series are (estimate, low, high).
    INTERVALS = "intervals"


@dataclass(frozen=True, slots=True)
class Series:
    """One number for each label, and the token of its colour."""

    name: str
    values: tuple[float, ...]
    colour: str = "accent"


@dataclass(frozen=True)
class Chart:
    """A picture of numbers that stand in a table beside it.

    `links`, one for each label, are where its opinions are opened; in a chart of several series
    one list a series may be given instead. `of` is what its labels are, or its parts where it is
    one bar: the head of the first column of its table.
    """

    kind: Kind
    title: str
    unit: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    links: tuple[tuple[str, ...], ...] = ()
    of: str = ""

    @property
    def height(self) -> int:
        """In the units of `WIDTH`."""
        if self.kind is Kind.COLUMNS:
            return 220
        return ROW * len(self.labels) + EDGE + (EDGE if len(self.series) > 1 else 0)

    @property
    def said(self) -> str:
        """What the picture shows, for those who do not see it; its numbers are in the table."""
        totals = [sum(each.values[n] for each in self._counted) for n in range(len(self.labels))]
        if self.kind is Kind.INTERVALS:
            return str(_("%(title)s：%(n)d项，各有区间。", title=self.title, n=len(self.labels)))
        order = sorted(range(len(totals)), key=lambda n: (-totals[n], n))[:3]
        most = "、".join(f"{self.labels[n]}{totals[n]:g}{self.unit}" for n in order)
        if len(self.labels) == 1:
            most = "、".join(f"{s.name}{s.values[0]:g}{self.unit}" for s in self.series)
        return str(_("%(title)s：%(most)s。", title=self.title, most=most))

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Its numbers as a table, the head first; for papers that have no other."""
        several = len(self.labels) == 1 < len(self.series)
        if several:
            each = tuple((s.name, f"{s.values[0]:g}") for s in self.series)
            return ((self.of, _("%(unit)s数", unit=self.unit)), *each)
        head = (self.of, *(s.name for s in self.series))
        body = tuple(
            (label, *(f"{s.values[n]:g}" for s in self.series))
            for n, label in enumerate(self.labels)
        )
        return (head, *body)

    @property
    def _counted(self) -> Sequence[Series]:
        return self.series[:1] if self.kind is Kind.INTERVALS else self.series

    @cached_property
    def options(self) -> dict[str, Any]:
        """What ECharts draws, in the page and on the server alike: plain JSON, no functions."""
        draw = {Kind.BARS: _bars, Kind.COLUMNS: _columns, Kind.INTERVALS: _intervals}[self.kind]
        plain: dict[str, Any] = {
            "animation": False,
            "textStyle": {"fontSize": TYPE},
            "tooltip": {
                "trigger": "axis",
                "axisPointer": {"type": "shadow"},
                "renderMode": "richText",
                "confine": True,
                "backgroundColor": "var(--paper)",
                "borderColor": "var(--line-2)",
                "textStyle": {"color": "var(--ink)", "fontSize": TYPE},
            },
            "grid": {"left": 8, "right": 56, "top": 8, "bottom": 8},
            **draw(self),
        }
        if self.kind is not Kind.INTERVALS and len(self.series) > 1:
            plain["legend"] = {
                "top": 0,
                "left": 0,
                "itemWidth": TYPE,
                "itemHeight": TYPE,
                "icon": "rect",
                "textStyle": {"color": "var(--ink)", "fontSize": TYPE},
                "data": [each.name for each in self.series],
            }
            plain["grid"]["top"] = EDGE
        return plain

    @cached_property
    def text(self) -> str:
        """The options as one text, the same for the same chart."""
        return _as_text(self.options)

    @cached_property
    def printed(self) -> str:
        """The same for paper, where the parts of a bar are told apart without colour, too."""
        if self.kind is Kind.INTERVALS or len(self.series) < 2:
            return self.text
        options = copy.deepcopy(self.options)
        for part, each in zip(options["series"], self.series, strict=True):
            fill, written = PRINTED[each.colour]
            edge = {"borderColor": "var(--ink)", "borderWidth": 0.5}
            part["itemStyle"] = {"color": fill, **edge}
            if "label" in part:
                part["label"] = part["label"] | {"color": written}
        return _as_text(options)


def _as_text(options: dict[str, Any]) -> str:
    return json.dumps(options, ensure_ascii=False, separators=(",", ":"))


def _labels(chart: Chart, *, wide: bool) -> dict[str, Any]:
    """The axis of the labels."""
    return {
        "type": "category",
        "data": [NOT_XML.sub("", each) for each in chart.labels],
        "inverse": wide,
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": "var(--line-2)"}},
        "axisLabel": {
            "color": "var(--ink)",
            "fontSize": TYPE if wide else SMALL,
            **({"width": MOST_LABEL, "overflow": "truncate", "interval": 0} if wide else {}),
        },
    }


def _numbers(**more: Any) -> dict[str, Any]:
    """The axis of the numbers."""
    return {
        "type": "value",
        "minInterval": 1,
        "splitNumber": 4,
        "splitLine": {"lineStyle": {"color": "var(--line)"}},
        "axisLabel": {"color": "var(--ink-2)", "fontSize": SMALL},
        **more,
    }


def _bars(chart: Chart) -> dict[str, Any]:
    several = len(chart.series) > 1
    label = {"show": True, "color": "var(--ink)", "fontSize": SMALL, "position": "right"}
    if several:
        label |= {"position": "inside", "color": "var(--paper)"}
    return {
        # One bar of several parts is as long as the picture: its parts are shares.
        "xAxis": _numbers(
            show=several and len(chart.labels) > 1,
            max="dataMax" if several and len(chart.labels) == 1 else None,
        ),
        "yAxis": _labels(chart, wide=True),
        "series": [
            {
                "type": "bar",
                "name": each.name,
                "stack": "all" if several else None,
                # A part of nothing has no number to be read over its neighbour's.
                "data": [value or None for value in each.values],
                "barWidth": "62%",
                "itemStyle": {"color": f"var(--{each.colour})"},
                "emphasis": {"disabled": True},
                "label": label,
                "labelLayout": {"hideOverlap": True},
            }
            for each in chart.series
        ],
    }


def _columns(chart: Chart) -> dict[str, Any]:
    return {
        "grid": {"left": 8, "right": 16, "top": 16, "bottom": 8},
        "xAxis": _labels(chart, wide=False),
        "yAxis": _numbers(),
        "series": [
            {
                "type": "bar",
                "name": each.name,
                "data": list(each.values),
                "stack": "all" if len(chart.series) > 1 else None,
                "barCategoryGap": "20%",
                "itemStyle": {"color": f"var(--{each.colour})"},
                "emphasis": {"disabled": True},
            }
            for each in chart.series
        ],
    }


def _intervals(chart: Chart) -> dict[str, Any]:
    """A thin bar from the lower to the upper end, a point at the estimate."""
    estimate, low, high = chart.series
    span = [b - a for a, b in zip(low.values, high.values, strict=True)]
    bar = {
        "type": "bar",
        "stack": "span",
        "stackStrategy": "all",
        "barWidth": 6,
        "silent": True,
        "emphasis": {"disabled": True},
    }
    return {
        "tooltip": {"show": False},
        "xAxis": _numbers(scale=False),
        "yAxis": _labels(chart, wide=True) | {"axisLine": {"show": False}},
        "series": [
            {
                **bar,
                "name": low.name,
                "data": list(low.values),
                "itemStyle": {"color": "transparent"},
            },
            {**bar, "name": high.name, "data": span, "itemStyle": {"color": "var(--heat-2)"}},
            {
                "type": "scatter",
                "name": estimate.name,
                "data": list(estimate.values),
                "symbolSize": 11,
                "itemStyle": {"color": f"var(--{estimate.colour})"},
                "emphasis": {"disabled": True},
                "label": {
                    "show": True,
                    "position": "top",
                    "distance": 1,
                    "color": "var(--ink)",
                    "fontSize": SMALL,
                },
            },
            {
                # Where there is no difference.
                "type": "line",
                "data": [],
                "markLine": {
                    "silent": True,
                    "symbol": "none",
                    "label": {"show": False},
                    "lineStyle": {"color": "var(--line-2)", "type": "solid"},
                    "data": [{"xAxis": 0}],
                },
            },
        ],
    }
