"""Lists of points: what the workbench shows, filtered and in pages, and what is suggested for one."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult import officers, responses, topics
from consult.point_rows import SavedView as SavedView
from consult.points import LIVE, Point, PointGroup
from consult.programmes import Programme
from consult.responses import Response, ResponseState
from consult.stances import Stance
from consult.submissions import Channel, Submission
from core.db import db

# What stands in every topic's title and so tells nothing.
_COMMON = frozenset(
    [
        "静安",
        "静安区",
        "十四五",
        "规划",
        "研究",
        "发展",
        "建设",
        "课题",
        "思路",
        "期间",
        "重点",
        "推进",
        "加强",
        "提升",
        "完善",
        "机制",
        "体系",
        "问题",
        "对策",
        "目标",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which points are wanted; None and False want all."""

    state: ResponseState | None = None
    unit_id: int | None = None
    unrouted: bool = False
    # Who of the lead unit was named; 0 for those of a unit for whom nobody was.
    person_id: int | None = None
    topic: str = ""
    field: str = ""
    plan: str = ""
    places: Sequence[int] | None = None
    stance: Stance | None = None
    channel: Channel | None = None
    group_id: int | None = None
    overdue_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """A topic a point may belong to: its key, its title, and the unit that leads in it."""

    key: str
    title: str
    unit_id: int
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A topic for a point, and the point's own words that speak for it."""

    subject: Subject
    because: tuple[str, ...]


def page(
    consultation_id: int | None, wanted: Filter, *, after: int = 0, limit: int
) -> Sequence[sa.Row[Point, Submission, Response | None]]:
    """(point, its submission, its answer) in the order they came, those after a point's id."""
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(responses.needs_answer(), Point.id > after)
        .order_by(Point.id)
        .limit(limit)
    )
    if consultation_id is not None:
        query = query.where(Point.consultation_id == consultation_id)
    return db.session.execute(query.where(*_conditions(wanted))).all()


def beside(
    consultation_id: int, wanted: Filter, point: Point, *, each: int
) -> Sequence[sa.Row[Point, Submission, Response | None]]:
    """The same list around a point: up to `each` before it, itself if it is wanted, `each` after."""
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(responses.needs_answer(), Point.consultation_id == consultation_id)
        .where(*_conditions(wanted))
    )
    before = query.where(Point.id < point.id).order_by(Point.id.desc()).limit(each)
    after = query.where(Point.id >= point.id).order_by(Point.id).limit(each + 1)
    return [*reversed(db.session.execute(before).all()), *db.session.execute(after)]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.state is ResponseState.TODO:
        found.append(sa.or_(Response.state.is_(None), Response.state == wanted.state))
    elif wanted.state is not None:
        found.append(Response.state == wanted.state)
    if wanted.unit_id is not None:
        found.append(responses.is_with(wanted.unit_id))
    if wanted.unrouted:
        found.append(Point.lead_unit_id.is_(None))
    if wanted.person_id is not None:
        person = wanted.person_id
        found.append(officers.is_with(person) if person else officers.is_with_nobody())
    if wanted.topic:
        found.append(Point.topic_key == wanted.topic)
    if wanted.field:
        found.append(Point.field_key == wanted.field)
    if wanted.plan:
        found.append(Point.plan_key == wanted.plan)
    if wanted.places is not None:
        found.append(Point.place.in_(wanted.places))
    if wanted.stance is not None:
        found.append(Point.stance == wanted.stance)
    if wanted.channel is not None:
        found.append(Submission.channel == wanted.channel)
    if wanted.group_id is not None:
        found.append(Point.group_id == wanted.group_id)
    if wanted.overdue_on is not None:
        found.append(responses.is_overdue(wanted.overdue_on))
    return found


def groups(ids: Sequence[int | None]) -> dict[int, tuple[PointGroup, int]]:
    """{group id: (the group, how many live points it has)}."""
    query = (
        sa.select(PointGroup, sa.func.count(Point.id))
        .join(Point, Point.group_id == PointGroup.id)
        .where(PointGroup.id.in_([id for id in ids if id is not None]), Point.state == LIVE)
        .group_by(*PointGroup.__table__.columns)
    )
    return {group.id: (group, number) for group, number in db.session.execute(query)}


def newest_groups(consultation_id: int, *, limit: int = 200) -> Sequence[PointGroup]:
    """The groups that have points, the newest first."""
    live = sa.exists().where(Point.group_id == PointGroup.id, Point.state == LIVE)
    query = sa.select(PointGroup).where(PointGroup.consultation_id == consultation_id, live)
    return db.session.scalars(query.order_by(PointGroup.id.desc()).limit(limit)).all()


def same_words(point: Point, submission: Submission) -> Sequence[Point]:
    """Whole, ungrouped points with the same words as this one, itself among them: a proposal."""
    query = (
        sa.select(Point)
        .join(Submission, Submission.id == Point.submission_id)
        .where(
            responses.needs_answer(),
            Point.consultation_id == point.consultation_id,
            Submission.fingerprint == submission.fingerprint,
            Point.start == 0,
            Point.end.is_(None),
            Point.group_id.is_(None),
        )
        .order_by(Point.id)
        .limit(200)
    )
    found = db.session.scalars(query).all()
    return found if len(found) > 1 and any(p.id == point.id for p in found) else []


def subjects(programme: Programme) -> list[Subject]:
    """The topics of a programme, as points are filed under them."""
    return [
        Subject(each.key, each.title, each.lead.id, _terms(" ".join([each.title, *each.points])))
        for each in topics.of(programme)
    ]


def suggested(text: str, every: Sequence[Subject]) -> Suggestion | None:
    """The topic whose own words occur most in the text; None when none does, or two as much."""
    scored = sorted(
        ((sum(map(len, said)), n) for n, each in enumerate(every) if (said := _said(text, each))),
        reverse=True,
    )
    if not scored or (len(scored) > 1 and scored[0][0] == scored[1][0]):
        return None
    best = every[scored[0][1]]
    return Suggestion(best, _said(text, best)[:5])


def _said(text: str, subject: Subject) -> tuple[str, ...]:
    return tuple(term for term in subject.terms if term in text)


def _terms(title: str) -> tuple[str, ...]:
    # Its dictionary, as the whole engine's, is read when somebody first asks (0.2 s, 30 MB).
    import rjieba  # noqa: PLC0415

    words = dict.fromkeys(word for word in rjieba.cut(title) if len(word) > 1)
    return tuple(word for word in words if word not in _COMMON and not word.isascii())


def views(account_id: int, *, of_unit: bool = False) -> Sequence[SavedView]:
    """The filters somebody keeps: of the points of rounds, or of those of their unit."""
    query = sa.select(SavedView).where(
        SavedView.account_id == account_id, SavedView.of_unit == of_unit
    )
    return db.session.scalars(query.order_by(SavedView.id)).all()


def drop_view(account_id: int, view_id: int) -> SavedView | None:
    """Keep filters of theirs no more; what they were, None where they are gone already."""
    found = db.session.get(SavedView, view_id)
    if found is None or found.account_id != account_id:
        return None
    db.session.delete(found)
    return found


def keep_view(account_id: int, name: str, query: str, *, of_unit: bool = False) -> None:
    """Keep filters under a name; the same name again replaces."""
    for each in views(account_id, of_unit=of_unit):
        if each.name == name:
            db.session.delete(each)
    db.session.add(SavedView(account_id=account_id, name=name, query=query, of_unit=of_unit))
