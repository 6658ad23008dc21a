"""Bringing rows to what a file says, and saying in words what changed by it. Knows rows, keys and
differences; which tables there are is the business of `loading`."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

import sqlalchemy as sa
from flask_babel import gettext as _

from core.db import Base, db
from core.errors import Refused

# Added to places in a sequence while rows change theirs, so that no two ever hold the same one.
ASIDE = 10_000
Row = TypeVar("Row", bound=Base)
Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One thing that a load changed. `before` is None for what was added, `after` for what went;
    `field` is empty for both."""

    kind: str
    name: str
    field: str = ""
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class Leftover:
    """A row that the file no longer has."""

    row: Any
    kind: str
    name: str


def titled(row: Any) -> str:
    """What a row is called in a report: its title, or its name."""
    return str(getattr(row, "title", "") or row.name)


def bring(
    table: type[Row],
    scope: Mapping[str, int],
    key: str,
    wanted: Sequence[Values],
    kind: str,
    changes: list[Change],
    *,
    called: Callable[[Any], str] = titled,
) -> tuple[dict[Hashable, Row], list[Leftover]]:
    """Make the rows of `table` within `scope` say what is `wanted`; they are known by `key`.

    Returns the wanted rows by key, flushed, and those that are left over.
    """
    found = {
        getattr(row, key): row for row in db.session.scalars(sa.select(table).filter_by(**scope))
    }
    names = {known: called(row) for known, row in found.items()}
    before = {known: values_of(row, wanted[0]) for known, row in found.items() if wanted}
    _make_room(found, {values[key]: values for values in wanted})
    rows: dict[Hashable, Row] = {}
    for values in wanted:
        known = values[key]
        if known in found:
            rows[known] = found.pop(known)
            alter(rows[known], values, kind, names[known], changes, before[known])
        else:
            rows[known] = table(**scope, **values)
            db.session.add(rows[known])
            changes.append(Change(kind, called(rows[known]), after=known))
    db.session.flush()
    return rows, [Leftover(row, kind, names[known]) for known, row in found.items()]


def values_of(thing: Any, names: Iterable[str]) -> Values:
    """The named attributes of a row or a shape."""
    return {name: getattr(thing, name) for name in names}


def alter(
    row: Base,
    values: Values,
    kind: str,
    name: str,
    changes: list[Change],
    before: Values | None = None,
) -> None:
    """Give `row` its `values` and note each that differs from `before` (left out: from now)."""
    old = before if before is not None else values_of(row, values)
    for attribute, value in values.items():
        if old[attribute] != value:
            changes.append(Change(kind, name, attribute, old[attribute], value))
        if getattr(row, attribute) != value:
            setattr(row, attribute, value)


def remove(leftover: Leftover, changes: list[Change]) -> None:
    """Delete a row; refuses when something refers to it."""
    table = type(leftover.row)
    try:
        # A plain DELETE: the database itself says whether anything refers to the row.
        with db.session.begin_nested():
            db.session.execute(sa.delete(table).where(table.id == leftover.row.id))
    except sa.exc.IntegrityError as error:
        raise Refused(
            _(
                "%(kind)s“%(name)s”在文件里没有了，但已有意见征集等内容用到它，不能删除。"
                "请把它写回文件后再载入；本次没有保存任何变更。",
                kind=leftover.kind,
                name=leftover.name,
            )
        ) from error
    changes.append(Change(leftover.kind, leftover.name, before=leftover.name))


def _make_room(found: Mapping[Hashable, Base], wanted: Mapping[Hashable, Values]) -> None:
    """Move rows out of each other's way when places in the sequence change hands."""
    if not found or not wanted:
        return
    fields = next(iter(wanted.values()))
    places = [name for name in ("ordinal", "number") if name in fields]
    still = all(
        known in wanted and all(getattr(row, place) == wanted[known][place] for place in places)
        for known, row in found.items()
    )
    if still:
        return
    for row in found.values():
        for place in places:
            setattr(row, place, getattr(row, place) + ASIDE)
    db.session.flush()


# --- saying what changed ------------------------------------------------------------------------


def report(changes: Sequence[Change]) -> list[str]:
    """The changes as sentences: what was added by number, the rest one by one."""
    if not changes:
        return [_("内容与已载入的一致，没有变更。")]
    added = Counter(c.kind for c in changes if not c.field and c.before is None)
    said = []
    if added:
        kinds = "、".join(_("%(kind)s%(n)d个", kind=kind, n=n) for kind, n in added.items())
        said.append(_("新增：%(kinds)s。", kinds=kinds))
    for change in changes:
        if change.field:
            said.append(_altered(change))
        elif change.after is None:
            said.append(_("删除：%(kind)s“%(name)s”。", kind=change.kind, name=change.name))
    return said


def recorded(changes: Sequence[Change]) -> tuple[Values, Values]:
    """The changes as (before, after) for the record of acts."""
    named = {f"{c.kind} {c.name} {c.field}".strip(): c for c in changes}
    return (
        {name: plain(c.before) for name, c in named.items() if c.before is not None},
        {name: plain(c.after) for name, c in named.items() if c.after is not None},
    )


def plain(value: Any) -> Any:
    """`value` as JSON can hold it."""
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, dt.date) else value


def _altered(change: Change) -> str:
    what = _(
        "修改：%(kind)s“%(name)s”的%(field)s",
        kind=change.kind,
        name=change.name,
        field=_field(change.field),
    )
    if isinstance(change.before, dict | list) or isinstance(change.after, dict | list):
        return f"{what}。"
    before, after = _shown(change.before), _shown(change.after)
    return str(_("%(what)s，“%(old)s”改为“%(new)s”。", what=what, old=before, new=after))


def _shown(value: Any) -> Any:
    return (_("是") if value else _("否")) if isinstance(value, bool) else plain(value)


def _field(name: str) -> str:
    """A column's name in words; one that has none is already in words."""
    known = {
        "ordinal": _("序号"),
        "number": _("组内序号"),
        "numeral": _("编号"),
        "title": _("名称"),
        "name": _("名称"),
        "short": _("简称"),
        "kind": _("类别"),
        "full_title": _("全称"),
        "plan_title": _("规划名称"),
        "region": _("地区"),
        "period_from": _("规划期起始年"),
        "period_to": _("规划期结束年"),
        "example": _("示例标记"),
        "facts": _("来源、组织和说明"),
        "starts_on": _("开始日期"),
        "ends_on": _("结束日期"),
        "parallel": _("并行标记"),
        "gate": _("报送"),
        "stage_id": _("所属阶段"),
        "output_id": _("对应成果"),
        "parts": _("组成部分"),
        "nodes": _("对应节点"),
        "public": _("是否面向全社会"),
        "audience": _("征求对象"),
        "basis": _("依据"),
        "note": _("说明"),
        "group_key": _("分组"),
        "theme": _("专题"),
        "title_in_guide": _("指南中的名称"),
        "division": _("分工"),
        "mark": _("标注"),
        "cooperating_others": _("其他配合单位"),
        "points": _("研究要点"),
    }
    return str(known.get(name, name))
