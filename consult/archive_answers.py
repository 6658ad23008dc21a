"""What an archive holds of points and their answers: how every opinion was taken apart and put
together, what became of each point, and, in the full variant, every version of the words, what units
said of them, and who answered.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from consult import drafts, points
from consult.archive_papers import Variant, csv_paper, moment, plain
from consult.archiving import Paper
from consult.consultations import Consultation
from consult.point_rows import Point, PointAct, PointGroup
from consult.response_rows import Remark, Response, ResponseState, ResponseVersion
from consult.submissions import Submission
from core.db import db
from core.units import Unit

BATCH = 1000
POINTS = (
    *("id", "opinion", "point", "start", "end", "state", "group", "topic", "field", "plan"),
    *("version", "mark", "stance", "lead", "cooperating", "due_on", "answer", "outcome", "reason"),
    "published_at",
)
VERSIONS = ("point", "revision", "at", "by", "outcome", "reason")
REMARKS = ("point", "at", "unit", "by", "dissents", "body")
GROUPS = ("id", "made_at", "title")
# What an act says that is a person's or somebody's own words.
_PRIVATE = ("name", "person", "persons", "title")


def papers(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """The papers on points and answers. Masked: of an answer that is not published only how far it
    is; no words of staff, and no names."""
    full = variant is Variant.FULL
    yield csv_paper("06-decisions/points.csv", POINTS, _points(consultation, full=full))
    yield _acts(consultation, full=full)
    if full:
        groups = sa.select(PointGroup.id, PointGroup.made_at, PointGroup.title).where(
            PointGroup.consultation_id == consultation.id
        )
        rows = [[plain(cell) for cell in row] for row in _rows(groups.order_by(PointGroup.id))]
        yield csv_paper("06-decisions/groups.csv", GROUPS, rows)
        yield csv_paper("06-decisions/answer-versions.csv", VERSIONS, _versions(consultation))
        yield csv_paper("06-decisions/unit-remarks.csv", REMARKS, _remarks(consultation))


def _points(consultation: Consultation, *, full: bool) -> Iterator[list[object]]:
    """A row for every point that ever was, in the order in which they were made."""
    units = {unit.id: unit.name for unit in db.session.scalars(sa.select(Unit))}
    numbers = {version.id: version.number for version in drafts.versions(consultation)}
    marks = _marks(consultation)
    after = 0
    while True:
        query = (
            sa.select(Point, Submission.number, Response)
            .join(Submission, Submission.id == Point.submission_id)
            .outerjoin(Response, Response.point_id == Point.id)
            .where(Point.consultation_id == consultation.id, Point.id > after)
            .order_by(Point.id)
            .limit(BATCH)
        )
        some: Sequence[sa.Row[Point, int, Response | None]] = db.session.execute(query).all()
        helping = points.cooperating([point.id for point, _number, _answer in some])
        for point, number, answer in some:
            state = answer.state if answer else ResponseState.TODO
            told = answer if full or state is ResponseState.PUBLISHED else None
            yield [
                point.id,
                number,
                point.ordinal,
                point.start,
                "" if point.end is None else point.end,
                point.state.value,
                point.group_id or "",
                point.topic_key,
                point.field_key,
                point.plan_key,
                numbers.get(point.version_id or 0, ""),
                marks.get(point.place, ""),
                point.stance.value if point.stance else "",
                units.get(point.lead_unit_id or 0, ""),
                "、".join(units[id] for id in helping.get(point.id, ())),
                answer.due_on.isoformat() if answer and answer.due_on else "",
                state.value,
                told.outcome.value if told and told.outcome else "",
                told.reason if told else "",
                moment(answer.published_at) if answer else "",
            ]
        if len(some) < BATCH:
            return
        after = some[-1][0].id


def _marks(consultation: Consultation) -> dict[int, int]:
    """{paragraph: its mark} of all versions."""
    every = [drafts.outline(version) for version in drafts.versions(consultation)]
    return {entry.id: entry.mark for outline in every for entry in outline.entries}


def _acts(consultation: Consultation, *, full: bool) -> Paper:
    """Each split, merge, move and undoing, so that the lineage of every point can be followed."""
    query = (
        sa.select(PointAct, Submission.number)
        .outerjoin(Submission, Submission.id == PointAct.submission_id)
        .where(PointAct.consultation_id == consultation.id)
        .order_by(PointAct.id)
    )
    lines = []
    for act, number in db.session.execute(query):
        said: dict[str, Any] = {
            "id": act.id,
            "at": moment(act.at),
            "kind": act.kind.value,
            "opinion": number,
            "before": _kept(act.before, full=full),
            "after": _kept(act.after, full=full),
            "undone_at": moment(act.undone_at),
        }
        said |= {"by": act.by_name} if full else {}
        lines.append(json.dumps(said, ensure_ascii=False, sort_keys=True))
    data = "".join(f"{line}\n" for line in lines).encode()
    return Paper("06-decisions/point-acts.jsonl", data)


def _kept(facts: dict[str, Any], *, full: bool) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if full or name not in _PRIVATE}


def _versions(consultation: Consultation) -> Iterator[list[object]]:
    query = (
        sa.select(
            ResponseVersion.point_id,
            ResponseVersion.revision,
            ResponseVersion.at,
            ResponseVersion.by_name,
            ResponseVersion.outcome,
            ResponseVersion.reason,
        )
        .join(Point, Point.id == ResponseVersion.point_id)
        .where(Point.consultation_id == consultation.id)
        .order_by(ResponseVersion.id)
    )
    return ([plain(cell) for cell in row] for row in _rows(query))


def _remarks(consultation: Consultation) -> Iterator[list[object]]:
    query = (
        sa.select(
            Remark.point_id,
            Remark.at,
            sa.func.coalesce(Unit.name, ""),
            Remark.by_name,
            sa.cast(Remark.dissents, sa.Integer),
            Remark.body,
        )
        .join(Point, Point.id == Remark.point_id)
        .outerjoin(Unit, Unit.id == Remark.unit_id)
        .where(Point.consultation_id == consultation.id)
        .order_by(Remark.id)
    )
    return ([plain(cell) for cell in row] for row in _rows(query))


def _rows(query: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(db.session.execute(query.execution_options(yield_per=BATCH)))
