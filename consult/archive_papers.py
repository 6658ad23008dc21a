"""How the papers of an archive are written: plain JSON and CSV, the same records in the same bytes."""

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.archiving import Paper
from core import audit
from core.sheets import inert


class Variant(StrEnum):
    """How much of the record a file holds."""

    MASKED = "masked"
    FULL = "full"

    @property
    def title(self) -> str:  # type: ignore[override]  # a name of ours, where str has a method
        """The variant in the words of the page."""
        titles: dict[Variant, str] = {Variant.MASKED: _("脱敏本"), Variant.FULL: _("全本")}
        return titles[self]


audit.VALUES["variant"] = {"masked": _l("脱敏本"), "full": _l("全本")}


def json_paper(name: str, content: object) -> Paper:
    """A paper of named values, made for reading."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    return Paper(name, f"{text}\n".encode())


def csv_paper(name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Paper:
    """A table that spreadsheets open: UTF-8 with its mark, no cell a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return Paper(name, b"\xef\xbb\xbf" + out.getvalue().encode())


def plain(value: Any) -> object:
    """A stored value as a cell says it."""
    if isinstance(value, dt.datetime):
        return moment(value)
    return getattr(value, "value", value)


def moment(value: dt.datetime | None) -> str:
    """A moment in UTC; "" for none."""
    return value.astimezone(dt.UTC).isoformat() if value else ""
