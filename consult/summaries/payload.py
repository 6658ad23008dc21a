"""How a count is kept: one compressed JSON text, columns rather than rows, no words of anybody.

Persons and near-duplicate groups are numbers that mean something inside one snapshot only.
Format 2 added themes and corrected stances, 3 the terms of headings; what an earlier one lacks is read
as none.
"""

import datetime as dt
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from functools import partial
from itertools import starmap
from operator import attrgetter
from typing import Any

from consult.analysis.cloud import Cloud, Placed
from consult.analysis.keywords import Keyword
from consult.summaries.items import UNCLASSIFIED, Counted, Item, Section, Theme
from consult.terms.reading import uncollected

FORMAT = 3
COLUMNS = ("id", "number", "consultation", "group", "person", "section", "channel", "stance")
_NOTHING = frozenset[str]()


_json = partial(json.dumps, ensure_ascii=False, separators=(",", ":"))


def pack(counted: Counted) -> bytes:
    """The count as bytes to store."""
    items = counted.items
    terms = sorted(set(counted.draft).union(*map(attrgetter("terms"), items)))
    place = {term: n for n, term in enumerate(terms)}
    # Two thirds of the text are numbers of terms: these rows are written without being made first.
    written = {term: str(n) for term, n in place.items()}
    opposed = (sorted(item.opposed, key=place.__getitem__) for item in items)
    content = {
        "format": _json(FORMAT),
        "terms": _json(terms),
        "columns": _json({name: list(map(attrgetter(name), items)) for name in COLUMNS}),
        "declared": _json([int(item.declared) for item in items]),
        "corrected": _json([int(item.corrected) for item in items]),
        "theme": _json([item.theme for item in items]),
        # What a person calls a theme is kept apart, for it may change.
        "themes": _json(
            [
                {name: value for name, value in asdict(theme).items() if name != "given"}
                for theme in counted.themes
            ]
        ),
        "day": _json([item.day.toordinal() for item in items]),
        "item_terms": _rows(map(attrgetter("terms"), items), written),
        "opposed": _rows(opposed, written),
        "sections": _json(
            [[s.consultation, s.mark, s.level, s.title, list(s.above)] for s in counted.sections]
        ),
        "draft": _json([[place[term], n] for term, n in sorted(counted.draft.items())]),
        "draft_size": _json(counted.draft_size),
        "heading_terms": _json(counted.heading_terms),
        "rest": _json([list(pair) for pair in counted.rest]),
        "keywords": _json([asdict(keyword) for keyword in counted.keywords]),
        "cloud": _json(asdict(counted.cloud) if counted.cloud else None),
    }
    text = ",".join(f'"{name}":{value}' for name, value in content.items())
    return zlib.compress(f"{{{text}}}".encode(), 6)


def _rows(rows: Iterable[Iterable[str]], written: Mapping[str, str]) -> str:
    """Rows of terms as a JSON list of lists of their numbers."""
    each = (f"[{','.join(map(written.__getitem__, row))}]" for row in rows)
    return f"[{','.join(each)}]"


def unpack(payload: bytes) -> Counted:
    """The count that was stored."""
    # It all stays; looking for what does not would take half as long again.
    with uncollected():
        return _unpacked(payload)


def _unpacked(payload: bytes) -> Counted:
    content: dict[str, Any] = json.loads(zlib.decompress(payload))
    terms: list[str] = content["terms"]
    columns = content["columns"]
    none = [UNCLASSIFIED] * len(content["day"])
    name = terms.__getitem__
    # In the order of an item's fields, which so many are quicker made from.
    rows = zip(
        *(columns[each] for each in COLUMNS),
        map(bool, content["declared"]),
        map(dt.date.fromordinal, content["day"]),
        (tuple(map(name, held)) for held in content["item_terms"]),
        (frozenset(map(name, held)) if held else _NOTHING for held in content["opposed"]),
        map(bool, content.get("corrected", none)),
        content.get("theme", none),
        strict=True,
    )
    items = tuple(starmap(Item, rows))
    return Counted(
        items=items,
        sections=tuple(
            Section(consultation, mark, level, title, tuple(above))
            for consultation, mark, level, title, above in content["sections"]
        ),
        draft={terms[n]: count for n, count in content["draft"]},
        draft_size=content["draft_size"],
        rest=tuple((id, state) for id, state in content["rest"]),
        keywords=tuple(map(_keyword, content["keywords"])),
        cloud=_cloud(content["cloud"]),
        themes=tuple(map(_theme, content.get("themes", ()))),
        heading_terms=_texts(content.get("heading_terms")),
    )


def _texts(plain: list[str] | None) -> tuple[str, ...] | None:
    return None if plain is None else tuple(plain)


def _keyword(plain: dict[str, Any]) -> Keyword:
    # What the ranking of that day did not know yet stays at nought; what it no longer has is left.
    names = [field.name for field in fields(Keyword)]
    return Keyword(**{name: plain.get(name, 0) for name in names})


def _theme(plain: dict[str, Any]) -> Theme:
    return Theme(
        plain["name"], tuple(plain["terms"]), plain["representative"], tuple(plain["spokesmen"])
    )


def _cloud(plain: dict[str, Any] | None) -> Cloud | None:
    if plain is None:
        return None
    words = tuple(Placed(**word) for word in plain["words"])
    return Cloud(words, plain["width"], plain["height"])
