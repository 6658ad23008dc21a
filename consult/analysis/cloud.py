"""A word cloud laid out once: as our own SVG, whose words are links, and as PNG for documents.

Places are found by wordcloud's occupancy map, as its own `layout_` finds them, with one change:
a word takes its whole box, not its ink. So no word sits inside another's strokes, and the picture
holds when a reader's browser sets it in another Chinese font. Nothing is cached here: the caller
keeps a cloud by the hash of what it was made from.
"""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

# Laid out small and drawn large: the search for a place costs by the pixel.
_SCALE = 2
_MOST = 200
_SMALLEST = 4.5  # in layout pixels; 9 in the picture
_LARGEST_SHARE = 0.24  # of the height
_FILL = 0.62  # of the picture's area that the words' boxes may take at first
_SHRINK = 0.93  # when not all found a place
_ATTEMPTS = 6
_MARGIN = 2
_UPRIGHT = 0.9  # share of words set horizontally at first
# Dark enough on white for WCAG AA (each ≥ 4.5:1); frequent words first.
COLOURS = ("#8a1f1f", "#1f4e79", "#2f5d3a", "#5b3a78", "#6b4a16")
_RISE = 0.88  # of the size: how far Chinese fonts stand above the baseline
_FAMILY = "Noto Sans SC, Source Han Sans SC, PingFang SC, Microsoft YaHei, sans-serif"


@dataclass(frozen=True, slots=True)
class Placed:
    """A word: top left corner of its box and font size in pixels; a vertical one reads upwards.

    The box of a horizontal word is as high as its size and `length` long; of a vertical one the
    other way round.
    """

    term: str
    x: int
    y: int
    size: int
    vertical: bool
    weight: float
    length: int


@dataclass(frozen=True, slots=True)
class Cloud:
    """A finished layout in a picture of width × height pixels, heaviest word first."""

    words: tuple[Placed, ...]
    width: int
    height: int


def default_font() -> Path:
    """Noto Sans SC from the pylopdf fonts wheel. Raises FileNotFoundError where it is missing."""
    try:
        path = Path(importlib.import_module("pylopdf_fonts_zh_cn").sans_path())
    except ImportError as missing:
        raise FileNotFoundError("pylopdf-fonts-zh-cn is not installed") from missing
    if not path.is_file():
        raise FileNotFoundError(path)
    return path


def layout(
    weights: Mapping[str, float], *, font_path: Path | str, width: int = 800, height: int = 400
) -> Cloud:
    """Places the words with weight above 0, heaviest first (at most 200), their area in
    proportion to their weight as far as readable sizes allow.

    Sizes shrink until all fit; what does not fit at the smallest is left out. The same weights
    give the same cloud, in whatever order they come. Raises OSError for an unreadable font.
    """
    heaviest = sorted(
        ((term, weight) for term, weight in weights.items() if weight > 0 and term.strip()),
        key=lambda pair: (-pair[1], pair[0]),
    )[:_MOST]
    if not heaviest:
        return Cloud((), width, height)
    lengths = _lengths([term for term, _ in heaviest], font_path)
    relative = [(weight / heaviest[0][1]) ** 0.5 for _, weight in heaviest]
    area = _FILL * (width / _SCALE) * (height / _SCALE)
    full = (area / sum(r * r * length for r, length in zip(relative, lengths, strict=True))) ** 0.5
    best: tuple[Placed, ...] = ()
    for attempt in range(_ATTEMPTS):
        largest = min(full, height / _SCALE * _LARGEST_SHARE) * _SHRINK**attempt
        sizes = [
            max(_SMALLEST, min(largest * r, 0.95 * width / _SCALE / length))
            for r, length in zip(relative, lengths, strict=True)
        ]
        placed = _place(heaviest, sizes, lengths, width // _SCALE, height // _SCALE)
        best = placed if len(placed) > len(best) else best
        if len(best) == len(heaviest):
            break
    return Cloud(best, width, height)


class _Occupancy(Protocol):
    def sample_position(
        self, size_x: int, size_y: int, random_state: Random
    ) -> tuple[int, int] | None: ...
    def update(self, img_array: object, pos_x: int, pos_y: int) -> None: ...


def _place(
    words: Sequence[tuple[str, float]],
    sizes: Sequence[float],
    lengths: Sequence[float],
    width: int,
    height: int,
) -> tuple[Placed, ...]:
    # wordcloud imports matplotlib (0.5 s, 40 MB) for colours that are not used here: late.
    occupancy: _Occupancy = importlib.import_module("wordcloud.wordcloud").IntegralOccupancyMap(
        height, width, None
    )
    taken = importlib.import_module("numpy").zeros((height, width), dtype="uint8")
    random = Random(1)
    placed: list[Placed] = []
    for (term, weight), size, length in zip(words, sizes, lengths, strict=True):
        long, high = math.ceil(size * length), math.ceil(size)
        first = random.random() >= _UPRIGHT
        for vertical in (first, not first):
            rows, columns = (long, high) if vertical else (high, long)
            found = occupancy.sample_position(rows + _MARGIN, columns + _MARGIN, random)
            if found is None:
                continue
            y, x = (int(place) + _MARGIN // 2 for place in found)
            taken[y : y + rows, x : x + columns] = 255
            occupancy.update(taken, y, x)
            placed.append(
                Placed(
                    term,
                    x * _SCALE,
                    y * _SCALE,
                    round(size * _SCALE),
                    vertical,
                    weight,
                    long * _SCALE,
                )
            )
            break
    return tuple(placed)


def _lengths(terms: Sequence[str], font_path: Path | str) -> list[float]:
    """How long each word is at size 1."""
    font = importlib.import_module("PIL.ImageFont").truetype(str(font_path), 100)
    return [
        font.getlength(term) / 100 if any(map(str.isascii, term)) else float(len(term))
        for term in terms
    ]


def png(cloud: Cloud, *, font_path: Path | str, scale: int = 2) -> bytes:
    """The cloud as a PNG of width·scale × height·scale pixels on white; same cloud, same bytes."""
    pillow = importlib.import_module("PIL.Image")
    drawing = importlib.import_module("PIL.ImageDraw")
    fonts = importlib.import_module("PIL.ImageFont")
    image = pillow.new("RGB", (cloud.width * scale, cloud.height * scale), "#ffffff")
    draw = drawing.Draw(image)
    for number, word in enumerate(cloud.words):
        font = fonts.truetype(str(font_path), word.size * scale)
        if word.vertical:
            font = fonts.TransposedFont(font, pillow.Transpose.ROTATE_90)
            # Ink of a turned word begins at its corner, that of an upright one below the ascender.
            left, top = draw.textbbox((0, 0), word.term, font=font)[:2]
            place = (word.x * scale - left, word.y * scale - top)
            draw.text(place, word.term, fill=_colour(number), font=font)
            continue
        place = (word.x * scale, (word.y + word.size * _RISE) * scale)
        draw.text(place, word.term, fill=_colour(number), font=font, anchor="ls")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def svg(
    cloud: Cloud, *, links: Mapping[str, str], labels: Mapping[str, str], title: str = "词云"
) -> str:
    """The cloud as an SVG element for a page: each word a link to `links[term]`, named aloud and
    on hover by `labels[term]` (加装电梯，37件). A term without link is plain text, without label is
    its own.

    Presentation attributes only, so that a policy without inline style holds; all text is
    escaped. The addresses are the caller's and must be safe to follow (no script: schemes):
    ValueError for one that is neither http(s) nor relative.
    """
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {cloud.width} {cloud.height}" '
        f'role="group" aria-label={quoteattr(title)} class="word-cloud" '
        f"font-family={quoteattr(_FAMILY)}>"
    ]
    for number, word in enumerate(cloud.words):
        parts.append(_element(word, number, links.get(word.term), labels.get(word.term)))
    return "".join((*parts, "</svg>"))


def _element(word: Placed, number: int, link: str | None, label: str | None) -> str:
    rise = round(word.size * _RISE)
    where = (
        f'x="{word.x}" y="{word.y + rise}"'
        if not word.vertical
        else f'transform="translate({word.x + rise} {word.y + word.length}) rotate(-90)"'
    )
    name = label or word.term
    text = (
        f'<text {where} font-size="{word.size}" fill="{_colour(number)}">'
        f"<title>{escape(name)}</title>{escape(word.term)}</text>"
    )
    if link is None:
        return text
    return f"<a href={quoteattr(_safe(link))} aria-label={quoteattr(name)}>{text}</a>"


def _safe(link: str) -> str:
    head = link.split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    if ":" in head and head.lower() not in {"http:", "https:"}:
        raise ValueError(f"not an address to link to: {link!r}")
    return link


def _colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]
