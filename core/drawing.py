"""Charts drawn on the server: ECharts, out of its wheel, run by QuickJS to an SVG.

An engine belongs to the thread it was made in and takes 0.3 s and 15 MB, so each process has one on a
thread of its own, made when first asked for (`warm` asks early), and keeps what it has drawn. ECharts
writes style attributes and a style sheet, which our policy refuses, and words of people: what it
drew is taken apart and only the elements and attributes named here are put together again.
"""

import base64
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

import quickjs
from defusedxml.ElementTree import fromstring

from core.charts import PALETTE, WIDTH, Chart

# What a stage needs from its surroundings; nothing is ever animated.
_PRELUDE = "globalThis.setTimeout=()=>0;globalThis.clearTimeout=()=>{};"
_DRAW = """
globalThis.draw = (options, width, height) => {
  const chart = init(null, null, {renderer: "svg", ssr: true, width, height});
  try { chart.setOption(JSON.parse(options)); return JSON.stringify(chart.renderToSVGString()); }
  finally { chart.dispose(); }
};
"""
ELEMENTS = {
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "text",
    "tspan",
}
ATTRIBUTES = {
    *("d", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width"),
    *("height", "points", "transform", "fill", "fill-opacity", "stroke", "stroke-width", "opacity"),
    *(
        "stroke-opacity",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-dasharray",
        "stroke-miterlimit",
    ),
    *("paint-order", "dominant-baseline", "text-anchor", "font-size", "font-weight"),
}
COLOURS = ("fill", "stroke")
NAMESPACE = re.compile(r"^\{[^}]*\}")
TOKEN = re.compile(r"var\(--([a-z0-9-]+)\)")
PAPER_FONT = "Noto Sans SC"
ROOT = Path(__file__).resolve().parents[1]
# In seconds; a dozen charts take one.
PATIENCE = 30
log = logging.getLogger(__name__)


def asset() -> Path:
    """ECharts as its wheel ships it."""
    spec = find_spec("instaui_echarts")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], "static", "echarts.esm.min.js")


def inline(chart: Chart) -> str:
    """The chart as an SVG element of a page: colours are the style sheet's tokens."""
    return _inline(chart.text, WIDTH, chart.height)


def standing(chart: Chart) -> str:
    """The chart as an SVG file of its own, for Word and PDF: the light colours on white, parts told
    apart in black and white, too."""
    return _standing(chart.printed, WIDTH, chart.height)


def pictures(drawn: Sequence[str]) -> list[bytes]:
    """Charts that `standing` drew as PNG files, for programs that cannot draw SVG; none at all when they could not be
    drawn in time: a paper is complete without them, because each stands beside its table."""
    if not drawn:
        return []
    try:
        return list(_pictures(tuple(drawn)))
    except subprocess.SubprocessError:
        log.exception("no pictures of charts")
        return []


@lru_cache(maxsize=8)
def _pictures(drawn: tuple[str, ...]) -> tuple[bytes, ...]:
    done = subprocess.run(
        [sys.executable, "-m", "core.chart_sheet"],
        input=json.dumps(drawn).encode(),
        capture_output=True,
        cwd=ROOT,
        timeout=PATIENCE,
        check=True,
    )
    return tuple(base64.b64decode(each) for each in json.loads(done.stdout))


def warm() -> None:
    """Have this process get its engine ready meanwhile."""
    _stage(os.getpid())[0]


@lru_cache(maxsize=256)
def _inline(options: str, width: int, height: int) -> str:
    tokens = {value: f"var(--{name})" for name, value in PALETTE.items()}
    return _rebuilt(_drawn(options, width, height), tokens, "")


@lru_cache(maxsize=64)
def _standing(options: str, width: int, height: int) -> str:
    drawn = _rebuilt(_drawn(options, width, height), {}, f' font-family="{PAPER_FONT}"')
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def _drawn(options: str, width: int, height: int) -> str:
    plain = TOKEN.sub(lambda found: PALETTE.get(found.group(1), found.group()), options)
    stage, draw = _stage(os.getpid())
    drawn: str = json.loads(stage.submit(lambda: draw.result()(plain, width, height)).result())
    return drawn


Draw = Callable[[str, int, int], str]


@cache
def _stage(process: int) -> tuple[ThreadPoolExecutor, Future[Draw]]:
    """The thread of this process and its engine. A fork has neither."""
    stage = ThreadPoolExecutor(max_workers=1, thread_name_prefix="charts")
    return stage, stage.submit(_engine)


def _engine() -> Draw:
    source = asset().read_text(encoding="utf-8")
    body, _export, names = source.rpartition("export{")
    found = re.search(r"([\w$]+) as init\b", names)
    assert found is not None, "ECharts exports no init"
    context = quickjs.Context()
    context.eval(_PRELUDE)
    context.module(f"{body};globalThis.init={found.group(1)};")
    context.eval(_DRAW)
    draw: Draw = context.get("draw")
    return draw


def _rebuilt(drawn: str, tokens: dict[str, str], more: str) -> str:
    root: Element = fromstring(drawn)
    width, height = root.get("width", ""), root.get("height", "")
    parts = [f'<svg viewBox="0 0 {width} {height}" width="{width}" height="{height}"{more}>']
    _put(parts, root, tokens, outermost=True)
    return "".join((*parts, "</svg>"))


def _put(parts: list[str], parent: Element, tokens: dict[str, str], *, outermost: bool) -> None:
    for element in parent:
        name = NAMESPACE.sub("", element.tag)
        if name not in ELEMENTS:
            continue
        plain = dict(element.attrib) | _styled(element.get("style", ""))
        shown = {key: value for key, value in plain.items() if key in ATTRIBUTES}
        for key in COLOURS:
            if key in shown:
                shown[key] = tokens.get(shown[key], shown[key])
        if name not in ("g", "text", "tspan") and not _seen(shown):
            continue
        said = "".join(f" {key}={quoteattr(value)}" for key, value in shown.items())
        parts.append(f"<{name}{said}>{escape((element.text or '').strip())}")
        _put(parts, element, tokens, outermost=False)
        parts.append(f"</{name}>")


def _seen(shown: dict[str, str]) -> bool:
    filled = shown.get("fill") not in ("none", "transparent") and shown.get("fill-opacity") != "0"
    lined = shown.get("stroke", "none") != "none" and shown.get("stroke-width") != "0"
    return filled or lined


def _styled(style: str) -> dict[str, Any]:
    pairs = (each.partition(":") for each in style.split(";") if ":" in each)
    return {name.strip(): value.strip() for name, _colon, value in pairs}
