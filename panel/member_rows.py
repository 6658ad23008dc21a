"""Rows of a list of members (成员名单逐行): what one row says of a person and a term, by a mapping of
the table's columns. Reads and refuses; stores nothing."""

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask_babel import gettext as _

from consult.intake_rows import COMPACT_DATE, DATE
from core import addresses
from core.text import tidy_line, unreadable, visible
from panel.appointments import Term
from panel.members import NAME_LENGTH, Details, Gender

# What the columns are usually called, plainest first.
USUAL = {
    "name": ("姓名", "成员姓名", "name"),
    "category": ("类别", "成员类别", "category"),
    "gender": ("性别", "gender"),
    "birth_year": ("出生年份", "出生年月", "出生日期", "birth_year"),
    "unit_text": ("工作单位和职务", "工作单位及职务", "单位及职务", "工作单位", "单位"),
    "contact": ("联系方式", "手机", "手机号", "联系电话", "电话", "电子邮箱", "邮箱", "contact"),
    "sub_district": ("街镇", "街道", "所在街镇", "sub_district"),
    "fields": ("专长领域", "专长", "领域", "fields"),
    "recommended_by": ("推荐单位", "recommended_by"),
    "term_from": ("任期自", "任期起", "聘任日期", "起始日期", "term_from"),
    "term_to": ("任期至", "任期止", "届满日期", "term_to"),
    "is_name_public": (
        "同意公开姓名",
        "同意公开",
        "姓名公开",
        "是否公开",
        "公开",
        "is_name_public",
    ),
}
FIELDS = tuple(USUAL)
NEEDED = ("name", "category")
LONGEST = {"unit_text": 120, "contact": 100, "sub_district": 60}
YES, NO = (
    frozenset(("是", "同意", "公开", "y", "yes", "1", "√")),
    frozenset(("", "否", "不同意", "不公开", "n", "no", "0")),
)
GENDERS = {"女": Gender.FEMALE, "男": Gender.MALE, "": None}
BORN = re.compile(r"(\d{4})(?:\D.*|年.*|)")
BETWEEN = re.compile(r"[、，,；;/\n]+")
OLDEST = 120
T = TypeVar("T")
LONGEST_TERM = 3700


class RowRefused(ValueError):
    """Why a row cannot be taken in, in words; every reason it has."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one row says."""

    number: int
    details: Details
    term: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What cells may name: categories, topics and units by their names; and the term of those
    rows that give none."""

    categories: Sequence[str]
    topics: Mapping[str, str]
    units: Mapping[str, int]
    term_from: dt.date
    term_to: dt.date
    today: dt.date


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """{field: column} as far as the columns' names tell."""
    plain = {_plain(column): column for column in columns}
    found: dict[str, str] = {}
    for name, usual in USUAL.items():
        column = next((plain[each] for each in usual if each in plain), None)
        if column is not None and column not in found.values():
            found[name] = column
    return found


class RowReader:
    """Turns rows into persons and terms, by one mapping."""

    def __init__(self, columns: Sequence[str], mapping: Mapping[str, str], known: Known) -> None:
        self._at = {name: columns.index(column) for name, column in mapping.items()}
        self._known = known

    def row(self, number: int, cells: Sequence[str]) -> Row:
        """The person and the term; raises RowRefused."""
        self._wrong: list[str] = []
        line = {name: self._cell(cells, name) for name in FIELDS}
        name = line["name"]
        if not visible(name):
            self._say(_("姓名是空的"))
        elif len(name) > NAME_LENGTH:
            self._say(_("姓名超过%(n)d字", n=NAME_LENGTH))
        for each, most in LONGEST.items():
            if len(line[each]) > most:
                self._say(_("%(column)s超过%(n)d字", column=self._column(each), n=most))
        if any(unreadable(cell) for cell in line.values()):
            self._say(_("有无法识别的字符"))
        details = Details(
            name=name,
            gender=self._one("gender", line["gender"], GENDERS),
            birth_year=self._born(line["birth_year"]),
            unit_text=line["unit_text"],
            contact=self._contact(line["contact"]),
            is_name_public=self._yes(line["is_name_public"]),
        )
        term = self._term(line)
        if self._wrong:
            raise RowRefused("；".join(self._wrong) + "。")
        return Row(number, details, term)

    def _term(self, line: Mapping[str, str]) -> Term:
        known = self._known
        category = line["category"]
        if category not in known.categories:
            self._say(
                _("没有“%(name)s”这个类别", name=category[:20]) if category else _("类别是空的")
            )
        unit_id = self._one("recommended_by", line["recommended_by"], {"": None, **known.units})
        term_from = self._day("term_from", line["term_from"]) or known.term_from
        term_to = self._day("term_to", line["term_to"]) or known.term_to
        if term_from > term_to:
            self._say(_("任期的起始日晚于届满日"))
        elif (term_to - term_from).days > LONGEST_TERM:
            self._say(_("任期过长"))
        elif term_to < known.today:
            self._say(_("任期已经届满"))
        return Term(
            category=category,
            term_from=term_from,
            term_to=term_to,
            fields=self._topics(line["fields"]),
            sub_district=line["sub_district"],
            recommended_by_unit_id=unit_id,
        )

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self._at.get(name)
        return tidy_line(cells[place]) if place is not None else ""

    def _say(self, words: str) -> None:
        self._wrong.append(words)

    def _column(self, name: str) -> str:
        return USUAL[name][0]

    def _one(self, name: str, typed: str, choices: Mapping[str, T]) -> T | None:
        if typed in choices:
            return choices[typed]
        self._say(_("不认识的%(column)s“%(typed)s”", column=self._column(name), typed=typed[:20]))
        return None

    def _born(self, typed: str) -> int | None:
        if not typed:
            return None
        found = BORN.fullmatch(typed)
        this_year = self._known.today.year
        if found is None or not this_year - OLDEST <= int(found[1]) <= this_year:
            self._say(_("看不懂出生年份“%(typed)s”", typed=typed[:20]))
            return None
        return int(found[1])

    def _contact(self, typed: str) -> str:
        if not typed:
            return ""
        if not addresses.can_be_reached(typed):
            self._say(_("联系方式不是完整的邮箱或11位手机号"))
        return addresses.fold(typed)

    def _yes(self, typed: str) -> bool:
        plain = _plain(typed)
        if plain not in YES | NO:
            self._say(_("“同意公开姓名”一列请写“是”或“否”"))
        return plain in YES

    def _day(self, name: str, typed: str) -> dt.date | None:
        if not typed:
            return None
        found = DATE.match(typed) or COMPACT_DATE.match(typed)
        try:
            return dt.date(*(int(part) for part in found.groups()[:3])) if found else _no_day()
        except ValueError:
            self._say(_("看不懂%(column)s“%(typed)s”", column=self._column(name), typed=typed[:20]))
            return None

    def _topics(self, typed: str) -> tuple[str, ...]:
        named = [part for part in (each.strip() for each in BETWEEN.split(typed)) if part]
        unknown = [each for each in named if each not in self._known.topics]
        if unknown:
            self._say(
                _("没有这些专长领域：%(names)s", names="、".join(each[:20] for each in unknown))
            )
        return tuple(self._known.topics[each] for each in named if each in self._known.topics)


def _no_day() -> dt.date:
    raise ValueError


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "").lower()
