"""Loading a programme: the tables are brought to what a checked programme file says, and every row
that something may refer to is kept."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.programme_files.changes import (
    Change,
    Leftover,
    Values,
    alter,
    bring,
    recorded,
    remove,
    report,
    values_of,
)
from consult.programme_files.shape import ProgrammeFile, StageShape, TopicShape
from consult.programmes import (
    DiscussionField,
    Moment,
    Output,
    PanelCategory,
    Programme,
    Stage,
    WorkNode,
)
from consult.topics import Part, Topic, TopicUnit
from core import audit
from core.db import db
from core.units import Unit


@dataclass
class Loaded:
    """What a load did."""

    programme: Programme
    changes: list[Change] = field(default_factory=list)

    def words(self) -> list[str]:
        """The changes as sentences."""
        return report(self.changes)


def take_in(file: ProgrammeFile, *, example: bool, by: audit.Actor, now: dt.datetime) -> Loaded:
    """Store what is new, change what differs, remove what is no longer in the file.

    Rows are known again by slug, key, name or ordinal. Refuses to remove what something refers to.
    One audit event, and only when something changed.
    """
    changes: list[Change] = []
    programme = _programme(file, example, changes)
    units = _units(file, changes)
    stages, gone_stages = _stages(file, programme, changes)
    gone = [
        *_topics(file, programme, units, changes),
        *_outputs_and_moments(file, programme, stages, changes),
        *_nodes(file, programme, stages, changes),
        *gone_stages,
        *_lists(file, programme, changes),
    ]
    for leftover in gone:
        remove(leftover, changes)
    if changes:
        before, after = recorded(changes)
        audit.record(
            "programme.loaded",
            programme,
            by=by,
            now=now,
            name=programme.title,
            before=before,
            after=after,
        )
    db.session.flush()
    # Collections that were read before the load no longer say what the tables say.
    db.session.expire_all()
    return Loaded(programme, changes)


def _programme(file: ProgrammeFile, example: bool, changes: list[Change]) -> Programme:
    slug, values = file.programme.slug, _about(file, example)
    # Two loads at once take turns.
    query = sa.select(Programme).where(Programme.slug == slug).with_for_update()
    programme = db.session.scalar(query)
    if programme is not None:
        alter(programme, values, _("规划编制工作"), slug, changes)
        return programme
    programme = Programme(slug=slug, **values)
    db.session.add(programme)
    db.session.flush()
    changes.append(Change(_("规划编制工作"), programme.title, after=slug))
    return programme


def _about(file: ProgrammeFile, example: bool) -> Values:
    about = file.programme
    columns = ("title", "full_title", "plan_title", "ordinal", "region")
    facts = about.model_dump(
        mode="json", include={"source", "office", "leading_group", "panel"}
    ) | file.model_dump(
        mode="json",
        include={"gates", "topic_groups", "topic_themes", "special_plans", "discrepancies"},
    )
    facts["units"] = {
        unit.slug: {"aka": unit.aka, "hosted_by": unit.hosted_by}
        for unit in file.units
        if unit.aka or unit.hosted_by
    }
    return values_of(about, columns) | {
        "period_from": about.period.first,
        "period_to": about.period.last,
        "example": example,
        "facts": facts,
    }


def _units(file: ProgrammeFile, changes: list[Change]) -> dict[str, Unit]:
    """The file's units by slug. Units are the site's: none is ever removed by a file."""
    slugs = [unit.slug for unit in file.units]
    found = {u.slug: u for u in db.session.scalars(sa.select(Unit).where(Unit.slug.in_(slugs)))}
    for shape in file.units:
        values = values_of(shape, ("name", "kind"))
        if shape.slug in found:
            alter(found[shape.slug], values, _("单位"), found[shape.slug].name, changes)
        else:
            found[shape.slug] = Unit(slug=shape.slug, **values)
            db.session.add(found[shape.slug])
            changes.append(Change(_("单位"), shape.name, after=shape.slug))
    db.session.flush()
    return found


def _stages(
    file: ProgrammeFile, programme: Programme, changes: list[Change]
) -> tuple[dict[str, Stage], list[Leftover]]:
    wanted = [
        values_of(shape, ("key", "ordinal", "numeral", "title", "short", "starts_on", "ends_on"))
        | {"parallel": shape.track == "parallel"}
        for shape in file.stages
    ]
    rows, gone = bring(Stage, {"programme_id": programme.id}, "key", wanted, _("阶段"), changes)
    return {str(key): row for key, row in rows.items()}, gone


def _nodes(
    file: ProgrammeFile,
    programme: Programme,
    stages: Mapping[str, Stage],
    changes: list[Change],
) -> list[Leftover]:
    gone: list[Leftover] = []
    for shape in file.stages:
        gone += _nodes_of(shape, stages[shape.key], changes)
    left = (
        sa.select(WorkNode)
        .join(Stage)
        .where(Stage.programme_id == programme.id, Stage.key.not_in(list(stages)))
    )
    return gone + [Leftover(n, _("工作节点"), n.title) for n in db.session.scalars(left)]


def _nodes_of(shape: StageShape, stage: Stage, changes: list[Change]) -> list[Leftover]:
    def called(node: WorkNode) -> str:
        return f"{shape.numeral}{node.ordinal} {node.title}"

    columns = ("ordinal", "title", "gate", "starts_on", "ends_on")
    wanted = [values_of(node, columns) for node in shape.nodes]
    scope = {"stage_id": stage.id}
    return bring(WorkNode, scope, "ordinal", wanted, _("工作节点"), changes, called=called)[1]


def _outputs_and_moments(
    file: ProgrammeFile,
    programme: Programme,
    stages: Mapping[str, Stage],
    changes: list[Change],
) -> list[Leftover]:
    scope = {"programme_id": programme.id}
    outputs, gone_outputs = bring(
        Output,
        scope,
        "key",
        [
            values_of(shape, ("key", "ordinal", "title", "short"))
            | {
                "stage_id": stages[shape.stage].id,
                "parts": [part.model_dump() for part in shape.parts],
            }
            for shape in file.outputs
        ],
        _("成果"),
        changes,
    )
    columns = (
        "key",
        "ordinal",
        "title",
        "nodes",
        "public",
        "audience",
        "basis",
        "starts_on",
        "ends_on",
    )
    _moments, gone_moments = bring(
        Moment,
        scope,
        "key",
        [
            values_of(shape, columns)
            | {
                "stage_id": stages[shape.stage].id,
                "output_id": outputs[shape.output].id if shape.output else None,
                "note": shape.note or "",
            }
            for shape in file.moments
        ],
        _("征求意见时点"),
        changes,
    )
    return gone_moments + gone_outputs


def _lists(file: ProgrammeFile, programme: Programme, changes: list[Change]) -> list[Leftover]:
    gone: list[Leftover] = []
    scope = {"programme_id": programme.id}
    fields = [{"name": n, "ordinal": i} for i, n in enumerate(file.discussion_fields, 1)]
    gone += bring(DiscussionField, scope, "name", fields, _("讨论领域"), changes)[1]
    kinds = [{"name": n, "ordinal": i} for i, n in enumerate(file.panel_categories, 1)]
    gone += bring(PanelCategory, scope, "name", kinds, _("咨询团成员类别"), changes)[1]
    return gone


def _topics(
    file: ProgrammeFile, programme: Programme, units: Mapping[str, Unit], changes: list[Change]
) -> list[Leftover]:
    columns = ("key", "number", "title", "division", "cooperating_others", "points")
    wanted = [
        values_of(shape, columns)
        | {
            "ordinal": ordinal,
            "group_key": shape.group,
            "theme": shape.theme or "",
            "title_in_guide": shape.title_in_guide or "",
            "mark": shape.mark or "",
        }
        for ordinal, shape in enumerate(file.topics, 1)
    ]
    scope = {"programme_id": programme.id}
    topics, gone = bring(Topic, scope, "key", wanted, _("课题"), changes)
    _divide(file.topics, topics, units, changes)
    # Who took part in a topic goes with it; nothing else refers to that.
    left = [leftover.row.id for leftover in gone]
    db.session.execute(sa.delete(TopicUnit).where(TopicUnit.topic_id.in_(left)))
    return gone


def _divide(
    shapes: Iterable[TopicShape],
    topics: Mapping[object, Topic],
    units: Mapping[str, Unit],
    changes: list[Change],
) -> None:
    """Write down anew who leads and who cooperates, where it differs."""
    told: dict[int, list[str]] = {}
    query = (
        sa.select(TopicUnit.topic_id, Unit.slug)
        .join(Unit)
        .where(TopicUnit.topic_id.in_([topic.id for topic in topics.values()]))
        .order_by(TopicUnit.topic_id, TopicUnit.ordinal)
    )
    for topic_id, slug in db.session.execute(query):
        told.setdefault(topic_id, []).append(slug)
    for shape in shapes:
        topic = topics[shape.key]
        before, after = told.get(topic.id, []), [shape.lead, *shape.cooperating]
        if before == after:
            continue
        if before:
            db.session.execute(sa.delete(TopicUnit).where(TopicUnit.topic_id == topic.id))
            changes.append(Change(_("课题"), topic.title, _("牵头和配合单位"), before, after))
        for ordinal, slug in enumerate(after):
            part = Part.COOPERATING if ordinal else Part.LEAD
            entry = TopicUnit(unit_id=units[slug].id, ordinal=ordinal, part=part)
            entry.topic_id = topic.id
            db.session.add(entry)
