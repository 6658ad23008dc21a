"""The shape of a programme file: what must be there and of what kind. From plain values to a
`ProgrammeFile`, or to faults with the path to each; reads no file and knows no session."""

import calendar
import datetime as dt
import re
from typing import Annotated, Any

from flask_babel import gettext as _
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from consult.programme_files.located_yaml import Path
from consult.programmes import Gate
from core.text import unreadable, visible
from core.units import UnitKind

MONTH = re.compile(r"(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])")
QUOTED = re.compile("'([^']+)'")
KEY = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


def _month(value: Any) -> dt.date:
    """ "2019-05" as the first day of that month."""
    if not isinstance(value, str) or not MONTH.fullmatch(value):
        raise PydanticCustomError("month", "not a month")
    return dt.date(int(value[:4]), int(value[5:]), 1)


def _key(value: Any) -> str:
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise PydanticCustomError("key", "not a key")
    return value


def _readable(value: Any) -> Any:
    if isinstance(value, str) and (not visible(value) or unreadable(value)):
        raise PydanticCustomError("readable", "nothing to read")
    return value


Month = Annotated[dt.date, BeforeValidator(_month)]
Key = Annotated[str, Field(max_length=64), BeforeValidator(_key)]
Title = Annotated[str, Field(max_length=200), BeforeValidator(_readable)]
Short = Annotated[str, Field(max_length=60), BeforeValidator(_readable)]
Name = Annotated[str, Field(max_length=120), BeforeValidator(_readable)]
Words = Annotated[str, Field(max_length=4000), BeforeValidator(_readable)]
Ordinal = Annotated[int, Field(ge=1, le=999)]
Year = Annotated[int, Field(ge=1949, le=2199)]


class Shape(BaseModel):
    """Nothing is guessed: no unknown name, no text where a number belongs."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Span(Shape):
    """Whole months, both included."""

    first: Month = Field(alias="from")
    last: Month = Field(alias="to")

    @property
    def starts_on(self) -> dt.date:
        """The first day of the first month."""
        return self.first

    @property
    def ends_on(self) -> dt.date:
        """The last day of the last month."""
        days = calendar.monthrange(self.last.year, self.last.month)[1]
        return self.last.replace(day=days)


class Period(Shape):
    first: Year = Field(alias="from")
    last: Year = Field(alias="to")


class Annex(Shape):
    key: Key
    title: Title


class Source(Shape):
    title: Title
    document: Title
    issued_by: Name
    drafted_by: Key | None = None
    addressed_to: Title | None = None
    annexes: list[Annex] = []
    note: Words | None = None


class Office(Shape):
    title: Name
    unit: Key | None = None
    head: Name
    note: Words | None = None


class LeadingGroup(Shape):
    unit: Key | None = None
    head: Title
    executive_deputy: Title | None = None
    deputies: Title | None = None
    members: Title | None = None


class Panel(Shape):
    unit: Key | None = None
    title: Name
    role: Words
    requirement: Words | None = None


class About(Shape):
    """The programme itself, under `programme:`."""

    slug: Key
    title: Title
    full_title: Title
    plan_title: Title
    ordinal: Ordinal
    region: Name
    period: Period
    source: Source
    office: Office | None = None
    leading_group: LeadingGroup | None = None
    panel: Panel | None = None


class UnitShape(Shape):
    slug: Key
    name: Name
    kind: Annotated[UnitKind, Field(strict=False)]
    aka: list[Name] = []
    hosted_by: Key | None = None


class GateShape(Shape):
    mark: Annotated[str, Field(min_length=1, max_length=2), BeforeValidator(_readable)]
    title: Name


class Node(Span):
    ordinal: Ordinal
    title: Title
    gate: Annotated[Gate, Field(strict=False)] = Gate.NONE


class StageShape(Span):
    key: Key
    ordinal: Ordinal
    numeral: Annotated[str, Field(max_length=8), BeforeValidator(_readable)]
    title: Title
    short: Short
    track: Annotated[str, Field(pattern="^(main|parallel)$")] = "main"
    nodes: Annotated[list[Node], Field(min_length=1)]


class OutputPart(Shape):
    title: Title
    short: Short


class OutputShape(Shape):
    ordinal: Ordinal
    key: Key
    title: Title
    short: Short
    parts: list[OutputPart] = []
    stage: Key


class Theme(Shape):
    ordinal: Ordinal
    numeral: Annotated[str, Field(max_length=8), BeforeValidator(_readable)]
    title: Name


class TopicShape(Shape):
    number: Ordinal
    group: Key
    key: Key
    theme: Name | None = None
    title: Title
    title_in_guide: Title | None = None
    division: Words
    lead: Key
    cooperating: list[Key] = []
    cooperating_others: list[Name] = []
    mark: Short | None = None
    points: list[Words] = []


class PlanShape(Shape):
    """A special plan (专项规划) of the programme."""

    key: Key
    title: Title
    lead: Key | None = None


class MomentShape(Span):
    ordinal: Ordinal
    key: Key
    stage: Key
    nodes: list[Ordinal] = []
    title: Title
    output: Key | None = None
    public: bool
    audience: Annotated[str, Field(max_length=400), BeforeValidator(_readable)]
    basis: Words
    note: Words | None = None


class Discrepancy(Shape):
    key: Key
    where: Title
    says: Words
    elsewhere: Title
    also_says: Words
    shown_as: Words


class ProgrammeFile(Shape):
    """A whole programme file."""

    programme: About
    units: list[UnitShape] = []
    gates: dict[Annotated[Gate, Field(strict=False)], GateShape] = {}
    stages: Annotated[list[StageShape], Field(min_length=1)]
    outputs: list[OutputShape] = []
    topic_groups: dict[Key, Name] = {}
    topic_themes: list[Theme] = []
    topics: list[TopicShape] = []
    discussion_fields: list[Short] = []
    special_plans: list[PlanShape] = []
    panel_categories: list[Short] = []
    moments: list[MomentShape] = []
    discrepancies: list[Discrepancy] = []


Fault = tuple[Path, str]


def check(value: Any) -> tuple[ProgrammeFile | None, list[Fault]]:
    """The file and no fault, or None and everything that is not as it must be."""
    try:
        return ProgrammeFile.model_validate(value), []
    except ValidationError as error:
        return None, [_said(each) for each in error.errors()]


# --- what pydantic says, in words -------------------------------------------------------------


def _said(error: ErrorDetails) -> Fault:
    path = tuple(part for part in error["loc"] if part != "[key]")
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    why = _reason(error)
    about_name = error["type"] in ("missing", "extra_forbidden")
    if isinstance(error["input"], str | int) and not about_name:
        why = _("%(why)s，现在是“%(value)s”", why=why, value=str(error["input"])[:40])
    return path, _("“%(name)s”：%(why)s。", name=name[:40], why=why) if name else f"{why}。"


def _reason(error: ErrorDetails) -> str:
    limits = error.get("ctx", {})
    said = {
        "month": _("月份要写成 2019-05 这样的形式"),
        "key": _("只能用小写字母、数字和中间的连字符；全是数字时请加引号"),
        "readable": _("不能是空白，也不能有控制字符"),
        "missing": _("缺少这一项"),
        "extra_forbidden": _("没有这个名称，请检查拼写"),
        "string_type": _("这里要写文字；像数字的文字请加引号"),
        "int_type": _("这里要写整数"),
        "bool_type": _("这里要写 true 或 false"),
        "list_type": _("这里要写成列表"),
        "dict_type": _("这里要写成“名称: 内容”"),
        "model_type": _("这里要写成“名称: 内容”"),
        "enum": _("只能是%(all)s", all="、".join(QUOTED.findall(str(limits.get("expected"))))),
        "string_pattern_mismatch": _("只能是 main 或 parallel"),
        "string_too_long": _("最多%(n)s字", n=limits.get("max_length")),
        "string_too_short": _("至少%(n)s字", n=limits.get("min_length")),
        "too_short": _("至少要有%(n)s项", n=limits.get("min_length")),
        "greater_than_equal": _("不能小于%(n)s", n=limits.get("ge")),
        "less_than_equal": _("不能大于%(n)s", n=limits.get("le")),
    }
    return str(said.get(error["type"], _("内容不合要求")))
