"""How a count is kept: one compressed JSON text, columns rather than rows, no words of anybody.

Persons and near-duplicate groups are numbers that mean something inside one snapshot only.
Format 2 added themes and corrected stances; what format 1 lacks is read as none.
"""

import datetime as dt
import json
import zlib
from dataclasses import asdict, fields
from typing import Any

from consult.analysis.cloud import Cloud, Placed
from consult.analysis.keywords import Keyword
from consult.summary_items import UNCLASSIFIED, Counted, Item, Section, Theme

FORMAT = 2
COLUMNS = ("id", "number", "consultation", "group", "person", "section", "channel", "stance")


def pack(counted: Counted) -> bytes:
    """The count as bytes to store."""
    terms = sorted({term for item in counted.items for term in item.terms} | set(counted.draft))
    place = {term: n for n, term in enumerate(terms)}
    content = {
        "format": FORMAT,
        "terms": terms,
        "columns": {name: [getattr(i, name) for i in counted.items] for name in COLUMNS},
        "declared": [int(item.declared) for item in counted.items],
        "corrected": [int(item.corrected) for item in counted.items],
        "theme": [item.theme for item in counted.items],
        # What a person calls a theme is kept apart, for it may change.
        "themes": [
            {name: value for name, value in asdict(theme).items() if name != "given"}
            for theme in counted.themes
        ],
        "day": [item.day.toordinal() for item in counted.items],
        "item_terms": [[place[term] for term in item.terms] for item in counted.items],
        "opposed": [sorted(place[term] for term in item.opposed) for item in counted.items],
        "sections": [
            [s.consultation, s.mark, s.level, s.title, list(s.above)] for s in counted.sections
        ],
        "draft": [[place[term], n] for term, n in sorted(counted.draft.items())],
        "draft_size": counted.draft_size,
        "rest": [list(pair) for pair in counted.rest],
        "keywords": [asdict(keyword) for keyword in counted.keywords],
        "cloud": asdict(counted.cloud) if counted.cloud else None,
    }
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 6)


def unpack(payload: bytes) -> Counted:
    """The count that was stored."""
    content: dict[str, Any] = json.loads(zlib.decompress(payload))
    terms: list[str] = content["terms"]
    columns = content["columns"]
    plain = zip(*(columns[name] for name in COLUMNS), strict=True)
    none = [UNCLASSIFIED] * len(content["day"])
    rest = zip(
        content["declared"],
        content["day"],
        content["item_terms"],
        content["opposed"],
        content.get("corrected", none),
        content.get("theme", none),
        strict=True,
    )
    items = tuple(
        Item(
            **dict(zip(COLUMNS, values, strict=True)),
            declared=bool(declared),
            day=dt.date.fromordinal(day),
            terms=tuple(terms[n] for n in held),
            opposed=frozenset(terms[n] for n in opposed),
            corrected=bool(corrected),
            theme=theme,
        )
        for values, (declared, day, held, opposed, corrected, theme) in zip(
            plain, rest, strict=True
        )
    )
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
    )


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
