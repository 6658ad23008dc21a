"""Open data (开放数据) of an answered round: how many opinions of each kind, in no cell fewer than five
people.

A cell is one value of one dimension. Cells of fewer than FEW people are put together into one that
says so; when even that is too small, the next larger cell joins it, so that nothing can be found by
subtraction. Counted are the opinions that are shown at this moment: what is hidden, masked away or
withdrawn later leaves the data, too.

It is the minimum frequency rule of statistical disclosure control (Hundepool et al., Statistical
Disclosure Control, Wiley 2012, on frequency tables), carried out by merging the values of one
dimension instead of leaving cells blank.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import drafts
from consult.submissions import Submission, SubmissionState
from core.db import db
from core.sheets import inert

# The fewest people a published cell may stand for.
FEW = 5
OTHERS = "others"


class Dimension(Enum):
    """What the opinions are counted by."""

    CHANNEL = "channel"
    STANCE = "stance"
    CHAPTER = "chapter"
    MONTH = "month"

    @property
    def title(self) -> str:
        """The dimension in the words of the page."""
        titles: dict[Dimension, str] = {
            Dimension.CHANNEL: _("渠道"),
            Dimension.STANCE: _("本人选择的态度"),
            Dimension.CHAPTER: _("对应章节"),
            Dimension.MONTH: _("收到的月份"),
        }
        return titles[self]


@dataclass(frozen=True, slots=True)
class Cell:
    """One published figure. `code` is stable, `label` in the words of the page."""

    dimension: Dimension
    code: str
    label: str
    opinions: int
    people: int


def count(consultation_id: int) -> list[Cell]:
    """The cells of all dimensions; those of a dimension add up to the same opinions. Empty when
    fewer than FEW people have said something."""
    tables: dict[Dimension, dict[str, Tally]] = {each: defaultdict(Tally) for each in Dimension}
    labels: dict[tuple[Dimension, str], str] = {}
    chapters = _Chapters()
    query = sa.select(
        Submission.id,
        Submission.channel,
        Submission.stance,
        Submission.version_id,
        Submission.place,
        Submission.received_on,
        Submission.person_key,
    ).where(
        Submission.consultation_id == consultation_id, Submission.state == SubmissionState.SHOWN
    )
    for row in db.session.execute(query.execution_options(yield_per=2000)):
        chapter, heading = chapters.of(row.version_id, row.place)
        values = {
            Dimension.CHANNEL: (row.channel.value, row.channel.title),
            Dimension.STANCE: (
                (row.stance.value, row.stance.title) if row.stance else ("none", _("没有选择"))
            ),
            Dimension.CHAPTER: (chapter, heading),
            Dimension.MONTH: (f"{row.received_on:%Y-%m}", f"{row.received_on:%Y-%m}"),
        }
        # Without a key nobody can be told from anybody: each opinion is then somebody's own.
        person = row.person_key or f"alone:{row.id}"
        for dimension, (code, label) in values.items():
            labels[dimension, code] = label
            tables[dimension][code].add(person)
    return [
        Cell(
            dimension, code, labels.get((dimension, code)) or _others(), each.opinions, each.people
        )
        for dimension, table in tables.items()
        for code, each in merged(table)
    ]


class Tally:
    """Opinions, and by whom."""

    def __init__(self) -> None:
        self.opinions = 0
        self._people: set[str] = set()

    @property
    def people(self) -> int:
        return len(self._people)

    def add(self, person: str) -> None:
        self.opinions += 1
        self._people.add(person)

    def take(self, other: "Tally") -> None:
        self.opinions += other.opinions
        self._people |= other._people


def merged(table: Mapping[str, Tally]) -> Iterable[tuple[str, Tally]]:
    """The values of one dimension, in order, with small ones in one cell at the end."""
    by_size = sorted(table.items(), key=lambda item: (item[1].people, item[0]))
    others = Tally()
    while by_size and (by_size[0][1].people < FEW or 0 < others.people < FEW):
        others.take(by_size.pop(0)[1])
    # Shorter codes first: p9 stands before p10.
    yield from sorted(by_size, key=lambda item: (len(item[0]), item[0]))
    if others.people >= FEW:
        yield OTHERS, others


def _others() -> str:
    said: str = _("其他（各不足%(n)d人的合并计算）", n=FEW)
    return said


class _Chapters:
    """(code, heading) of the chapter a place stands in; each version is read once."""

    def __init__(self) -> None:
        self._outlines: dict[int, drafts.Outline | None] = {}

    def of(self, version_id: int | None, place: int) -> tuple[str, str]:
        if version_id is None or not place:
            return "whole", _("全文")
        if version_id not in self._outlines:
            version = drafts.version_by_id(version_id)
            self._outlines[version_id] = drafts.outline(version) if version else None
        outline = self._outlines[version_id]
        heading = outline.section_of(place) if outline else None
        # A mark stays a chapter's own through all versions.
        return (f"p{heading.mark}", heading.text) if heading else ("whole", _("全文"))


# --- as files ----------------------------------------------------------------------------------

COLUMNS = ("dimension", "code", "label", "opinions", "people")


def fields() -> list[dict[str, str]]:
    """What the columns of the figures mean, as a Table Schema says it."""
    said = {
        "dimension": (
            "string",
            _("按什么计数：channel 渠道，stance 态度，chapter 章节，month 月份"),
        ),
        "code": ("string", _("取值的代码，各版不变；others 为不足5人的合并计算")),
        "label": ("string", _("取值的名称")),
        "opinions": ("integer", _("公开展示的意见件数")),
        "people": ("integer", _("提出意见的人数，同一人多次提出计为一人")),
    }
    return [{"name": name, "type": said[name][0], "description": said[name][1]} for name in COLUMNS]


def as_csv(cells: Sequence[Cell]) -> bytes:
    """The figures as CSV: UTF-8 with its mark, no cell a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([inert(value) for value in _plain(cell).values()] for cell in cells)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_json(title: str, cells: Sequence[Cell]) -> bytes:
    """The figures as JSON, with what their fields mean."""
    content = {"title": title, "fields": fields(), "rows": [_plain(cell) for cell in cells]}
    return _json(content)


def package(
    name: str, title: str, files: Mapping[str, str], answers: Sequence[dict[str, str]]
) -> bytes:
    """The data dictionary of all files as a Data Package (specs.frictionlessdata.io).

    `files` are the addresses of "figures-csv", "figures-json", "answers-csv" and "answers-json";
    `answers` what the columns of the adoption table mean.
    """
    resources: list[dict[str, Any]] = []
    for key, path in files.items():
        what, kind = key.rsplit("-", 1)
        resource: dict[str, Any] = {"name": key, "path": path, "format": kind, "encoding": "utf-8"}
        resource["mediatype"] = "text/csv" if kind == "csv" else "application/json"
        if kind == "csv":
            resource["schema"] = {"fields": fields() if what == "figures" else list(answers)}
        resources.append(resource)
    return _json({"name": name, "title": title, "resources": resources})


def _plain(cell: Cell) -> dict[str, object]:
    return {
        "dimension": cell.dimension.value,
        "code": cell.code,
        "label": cell.label,
        "opinions": cell.opinions,
        "people": cell.people,
    }


def _json(content: object) -> bytes:
    return f"{json.dumps(content, ensure_ascii=False, indent=1)}\n".encode()
