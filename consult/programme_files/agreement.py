"""What must agree within a programme file whose shape is right: nothing twice, nothing that ends
before it begins, no name of something the file does not have."""

from collections.abc import Hashable, Iterable, Iterator
from typing import Any

from flask_babel import gettext as _

from consult.programme_files.located_yaml import Path
from consult.programme_files.shape import Fault, ProgrammeFile, Span
from consult.programmes import Gate


def check(file: ProgrammeFile) -> list[Fault]:
    """Everything that does not agree; nothing when the file can be loaded."""
    return [*_repeated(file), *_backward(file), *_unknown(file)]


def _repeated(file: ProgrammeFile) -> Iterator[Fault]:
    """What may stand once and stands twice."""
    yield from _twice("units", file.units, "slug")
    yield from _twice("topic_themes", file.topic_themes, "ordinal", "title")
    for name in ("stages", "outputs", "moments"):
        yield from _twice(name, getattr(file, name), "ordinal", "key")
    yield from _twice("topics", file.topics, "key")
    yield from _twice("special_plans", file.special_plans, "key", "title")
    yield from _twice("discrepancies", file.discrepancies, "key")
    yield from _once(
        (("topics", i, "number"), (topic.group, topic.number))
        for i, topic in enumerate(file.topics)
    )
    for i, stage in enumerate(file.stages):
        yield from _twice(("stages", i, "nodes"), stage.nodes, "ordinal")
    for name in ("discussion_fields", "panel_categories"):
        yield from _once(((name, i), words) for i, words in enumerate(getattr(file, name)))
    yield from _once(
        (("units", i), name) for i, unit in enumerate(file.units) for name in (unit.name, *unit.aka)
    )
    for i, topic in enumerate(file.topics):
        involved: list[tuple[Path, Hashable]] = [(("topics", i, "lead"), topic.lead)]
        involved += [(("topics", i, "cooperating", j), s) for j, s in enumerate(topic.cooperating)]
        yield from _once(involved)


def _twice(where: str | Path, items: Iterable[Any], *names: str) -> Iterator[Fault]:
    path = (where,) if isinstance(where, str) else where
    every = list(items)
    for name in names:
        yield from _once(((*path, i, name), getattr(item, name)) for i, item in enumerate(every))


def _once(entries: Iterable[tuple[Path, Hashable]]) -> Iterator[Fault]:
    seen: set[Hashable] = set()
    for path, value in entries:
        if value in seen:
            said = "·".join(map(str, value)) if isinstance(value, tuple) else value
            yield path, _("“%(value)s”重复了，前面已经有一个。", value=said)
        seen.add(value)


def _backward(file: ProgrammeFile) -> Iterator[Fault]:
    """What ends before it begins, and nodes outside their stage."""
    period = file.programme.period
    if period.first > period.last:
        yield ("programme", "period", "from"), _("规划期的起始年份晚于结束年份。")
    for i, stage in enumerate(file.stages):
        yield from _in_order(("stages", i), stage)
        for j, node in enumerate(stage.nodes):
            path: Path = ("stages", i, "nodes", j)
            yield from _in_order(path, node)
            if not stage.first <= node.first <= node.last <= stage.last and node.first <= node.last:
                yield path, _("工作节点的起止月份超出了所在阶段。")
    for i, moment in enumerate(file.moments):
        yield from _in_order(("moments", i), moment)


def _in_order(path: Path, span: Span) -> Iterator[Fault]:
    if span.first > span.last:
        yield (
            (*path, "from"),
            _(
                "开始月份%(first)s晚于结束月份%(last)s。",
                first=f"{span.first:%Y-%m}",
                last=f"{span.last:%Y-%m}",
            ),
        )


def _unknown(file: ProgrammeFile) -> Iterator[Fault]:
    """Names of things that the file does not have."""
    units = {unit.slug for unit in file.units}
    stages = {stage.key: {node.ordinal for node in stage.nodes} for stage in file.stages}
    outputs = {output.key for output in file.outputs}
    themes = {theme.title for theme in file.topic_themes}
    for path, slug in _unit_names(file):
        if slug not in units:
            yield path, _("units 里没有“%(name)s”这个单位。", name=slug)
    for i, stage in enumerate(file.stages):
        for j, node in enumerate(stage.nodes):
            if node.gate is not Gate.NONE and node.gate not in file.gates:
                at: Path = ("stages", i, "nodes", j, "gate")
                yield at, _("gates 里没有“%(name)s”。", name=node.gate.value)
    for i, output in enumerate(file.outputs):
        if output.stage not in stages:
            yield ("outputs", i, "stage"), _no_stage(output.stage)
    for i, topic in enumerate(file.topics):
        if topic.group not in file.topic_groups:
            yield ("topics", i, "group"), _("topic_groups 里没有“%(name)s”。", name=topic.group)
        if topic.theme is not None and topic.theme not in themes:
            yield ("topics", i, "theme"), _("topic_themes 里没有“%(name)s”。", name=topic.theme)
    for i, moment in enumerate(file.moments):
        if moment.stage not in stages:
            yield ("moments", i, "stage"), _no_stage(moment.stage)
        elif missing := set(moment.nodes) - stages[moment.stage]:
            why = _("阶段“%(stage)s”没有第%(n)d个工作节点。", stage=moment.stage, n=min(missing))
            yield ("moments", i, "nodes"), why
        if moment.output is not None and moment.output not in outputs:
            yield ("moments", i, "output"), _("outputs 里没有“%(name)s”。", name=moment.output)


def _no_stage(key: str) -> str:
    return str(_("stages 里没有“%(name)s”这个阶段。", name=key))


def _unit_names(file: ProgrammeFile) -> Iterator[tuple[Path, str]]:
    """Every place where the file names a unit."""
    about = file.programme
    places: list[tuple[Path, str | None]] = [
        (("programme", "source", "drafted_by"), about.source.drafted_by)
    ]
    for name in ("office", "leading_group", "panel"):
        if (body := getattr(about, name)) is not None:
            places.append((("programme", name, "unit"), body.unit))
    places += [(("units", i, "hosted_by"), unit.hosted_by) for i, unit in enumerate(file.units)]
    places += [
        (("special_plans", i, "lead"), plan.lead) for i, plan in enumerate(file.special_plans)
    ]
    for i, topic in enumerate(file.topics):
        places.append((("topics", i, "lead"), topic.lead))
        for j, slug in enumerate(topic.cooperating):
            places.append((("topics", i, "cooperating", j), slug))
    return ((path, slug) for path, slug in places if slug is not None)
