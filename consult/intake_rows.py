"""Rows (逐行): what one row of a table says, read by a mapping of its columns.

Reads and refuses; stores nothing.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask_babel import gettext as _

from consult.drafts import Outline
from consult.intake import LONGEST_BODY
from consult.submissions import EARLIEST, WHOLE, Channel, Stance, person_key
from core.text import tidy, tidy_line, visible

STANCES = {
    "建议": Stance.SUGGEST,
    "赞成": Stance.SUPPORT,
    "支持": Stance.SUPPORT,
    "反对": Stance.OPPOSE,
    "疑问": Stance.QUESTION,
    "诉求": Stance.APPEAL,
}
DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_Said = TypeVar("_Said")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?$")


class RowRefused(ValueError):
    """Why a row cannot be taken in, in words."""


class RowReader:
    """Turns rows into submissions' columns, by one mapping."""

    def __init__(
        self,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        channel: Channel,
        outline: Outline | None,
        secret: str,
        today: dt.date,
    ) -> None:
        self._at = {name: columns.index(column) for name, column in mapping.items()}
        self._channel, self._secret, self._today = channel, secret, today
        self._version_id = outline.version_id if outline else None
        self._sections = _sections(outline) if outline else {}
        self._seen: Counter[str] = Counter()
        # What was read before: in a long table days and chapters come again and again.
        self._days: dict[str, dt.date | None] = {}
        self._places: dict[str, int] = {}

    def row(self, cells: Sequence[str]) -> tuple[dict[str, Any], str]:
        """The columns of one submission but its fingerprint, which is taken of many at once, and the
        words of which to take it; raises RowRefused."""
        body, title = tidy(self._cell(cells, "body")), tidy_line(self._cell(cells, "title"))
        if not visible(body):
            raise RowRefused(_("意见内容是空的。"))
        if len(body) > LONGEST_BODY:
            raise RowRefused(_("意见内容超过%(n)d字。", n=LONGEST_BODY))
        external_id = tidy_line(self._cell(cells, "external_id"))
        if len(external_id) > 100:
            raise RowRefused(_("编号超过100字。"))
        author = self._cell(cells, "author").strip()
        received_on = _once(self._days, self._cell(cells, "received_on"), self._day)
        row = {
            "external_id": external_id,
            "title": title[:200],
            "body": body if len(title) <= 200 else f"{title}\n{body}",
            "received_on": received_on or self._today,
            "stance": self._stance(self._cell(cells, "stance")),
            "place": _once(self._places, self._cell(cells, "section"), self._place),
            "person_key": person_key(self._secret, self._channel.value, author) if author else None,
            "version_id": self._version_id,
            "channel": self._channel,
        }
        # Last, because a row that is refused must not count among those like it.
        row["once_key"] = self._once_key(external_id, title, body, received_on)
        return row, body

    def _cell(self, cells: Sequence[str], name: str) -> str:
        return cells[self._at[name]] if name in self._at else ""

    def _once_key(self, external_id: str, title: str, body: str, day: dt.date | None) -> str:
        """A row is known by its number elsewhere; without one by its words, its day and how
        many rows like it came before, so that two people's equal letters stay two."""
        if external_id:
            said = f"id\0{external_id}"
        else:
            said = f"text\0{title}\0{body}\0{day or ''}"
            self._seen[said] += 1
            said = f"{said}\0{self._seen[said]}"
        return hashlib.sha256(f"{self._channel.value}\0{said}".encode()).hexdigest()

    def _day(self, text: str) -> dt.date | None:
        plain = unicodedata.normalize("NFKC", text).strip()
        if not plain:
            return None
        match = DATE.match(plain) or COMPACT_DATE.match(plain)
        if match is None:
            raise RowRefused(_("日期“%(text)s”看不懂，请写成2020-10-08这样。", text=plain[:20]))
        try:
            day = dt.date(*(int(part) for part in match.groups()))
        except ValueError as error:
            raise RowRefused(_("日期“%(text)s”不存在。", text=plain[:20])) from error
        if not EARLIEST <= day <= self._today:
            raise RowRefused(_("日期“%(text)s”太早或者在今天之后。", text=plain[:20]))
        return day

    def _stance(self, text: str) -> Stance | None:
        plain = text.strip()
        if not plain:
            return None
        if plain in STANCES:
            return STANCES[plain]
        raise RowRefused(
            _("态度“%(text)s”不在 %(all)s 之中。", text=plain[:20], all="、".join(STANCES))
        )

    def _place(self, text: str) -> int:
        if not text.strip():
            return WHOLE
        places = self._sections.get(_folded(text), [])
        if not places:
            raise RowRefused(_("文稿里没有“%(text)s”这一章节。", text=text.strip()[:30]))
        if len(places) > 1:
            raise RowRefused(
                _(
                    "文稿里有%(n)d处“%(text)s”，请连同上级标题一起写。",
                    n=len(places),
                    text=text.strip()[:30],
                )
            )
        return places[0]


def _once(known: dict[str, _Said], text: str, read: Callable[[str], _Said]) -> _Said:
    """What `text` says, read the first time it comes; what is refused is refused each time."""
    if text not in known:
        known[text] = read(text)
    return known[text]


def _sections(outline: Outline) -> dict[str, list[int]]:
    """{title, or titles from the chapter down: the headings called so}."""
    called: dict[str, list[int]] = {}
    for heading in outline.headings:
        path = "".join(outline.by_id[id].text for id in heading.path)
        for name in {_folded(heading.text), _folded(path + heading.text)}:
            called.setdefault(name, []).append(heading.id)
    return called


def _folded(text: str) -> str:
    """Without space and without the signs that stand between levels: 第一章 › 第一节."""
    return re.sub(r"[\s›>/]", "", unicodedata.normalize("NFKC", text))
