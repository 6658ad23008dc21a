"""Proposals to merge points that are alike: shown as they are now, and decided by a person.

What `alike_search` found is read together with what became of the points since, so that nothing is
proposed that was merged, split anew, taken back or is being answered. The merge is that of
`point_acts`, and so is its undoing. What a person says is not the same is `point_acts.keep_apart`
and never proposed again; of a theme only what is chosen is decided, because its texts were never
said to be one.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import comparing, point_acts, point_lists, points, responses, screening_steps
from consult.alike_rows import AlikeGroups as AlikeGroups
from consult.alike_rows import AlikeMember as AlikeMember
from consult.alike_rows import AlikeProposal as AlikeProposal
from consult.alike_rows import AlikeSearch as AlikeSearch
from consult.alike_search import forget
from consult.analysis import normal
from consult.point_acts import PointAct
from consult.points import Point, PointGroup
from consult.responses import Response, ResponseState
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import batches, db
from core.errors import Refused

_LONGEST = 1_200
_SHOWN = SubmissionState.SHOWN
Row = sa.Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Text:
    """One wording in a proposal: its first point, how it differs from the text in the middle, and
    how many opinions and people it comes from. `terms`: those of the theme that it holds."""

    first: Point
    submission: Submission
    runs: tuple[comparing.Run, ...]
    cut: bool
    submissions: int
    people: int
    terms: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it says, as far as it is shown."""
        return "".join(run.text for run in self.runs if run.kind is not comparing.Kind.GONE)

    @property
    def changes(self) -> int:
        """At how many places it differs from the text in the middle."""
        same = [run.kind is comparing.Kind.SAME for run in self.runs]
        return sum(not here and (n == 0 or same[n - 1]) for n, here in enumerate(same))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as it is now. `middle` is the text the others are compared with; `theme` why they
    are proposed, "" where it is their words."""

    id: int
    middle: Point
    middle_submission: Submission
    words: str
    cut: bool
    texts: tuple[Text, ...]
    points: int
    submissions: int
    people: int
    into: PointGroup | None
    into_points: int
    rest: int
    theme: str
    terms: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether all say the same in the same words, but for punctuation and spaces."""
        return len(self.texts) == 1 and (
            not self.into or normal.bare(self.texts[0].words) == normal.bare(self.words)
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two groups that may be one: each with how many points it has and what its first one says."""

    id: int
    one: PointGroup
    one_points: int
    one_words: str
    other: PointGroup
    other_points: int
    other_words: str
    theme: str


# --- reading -----------------------------------------------------------------------------------


def last_search(consultation_id: int) -> AlikeSearch | None:
    """The last search that is over, or under way, or asked for."""
    return db.session.get(AlikeSearch, consultation_id)


def page(consultation_id: int, *, after: int = 0, limit: int) -> list[Proposal]:
    """What is proposed, in the order of the search, those after a proposal's id."""
    query = _waiting(sa.select(AlikeProposal, *_numbers()), consultation_id)
    query = query.where(AlikeProposal.id > after).group_by(*AlikeProposal.__table__.columns)
    query = query.order_by(AlikeProposal.id).limit(limit)
    rows = db.session.execute(query).all()
    ids = [row.id for row, *_n in rows]
    by_text = _free(sa.select(AlikeMember.proposal_id, sa.func.min(Point.id), *_numbers()))
    by_text = by_text.where(AlikeProposal.id.in_(ids))
    by_text = by_text.group_by(AlikeMember.proposal_id, AlikeMember.text)
    texts: dict[int, list[Row]] = {}
    for each in db.session.execute(by_text.order_by(AlikeMember.proposal_id, AlikeMember.text)):
        texts.setdefault(each[0], []).append(each)
    wanted = {each[1] for held in texts.values() for each in held}
    said = _with_words(wanted | {row.central_point_id for row, *_n in rows})
    groups = point_lists.groups([row.into_group_id for row, *_n in rows])
    return [_proposal(row, numbers, texts[row.id], said, groups) for row, *numbers in rows]


def _waiting(
    query: sa.Select[*tuple[Any, ...]], consultation_id: int
) -> sa.Select[*tuple[Any, ...]]:
    """Of proposals, those that still leave something to decide; the query groups by proposal."""
    least = sa.case((AlikeProposal.into_group_id.is_(None), 2), else_=1)
    return (
        _free(query)
        .where(AlikeProposal.consultation_id == consultation_id)
        .having(sa.func.count(Point.id) >= least)
    )


def _free(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    """Of the members of proposals, those that may still be merged."""
    return (
        query.select_from(AlikeProposal)
        .join(AlikeMember, AlikeMember.proposal_id == AlikeProposal.id)
        .join(Point, Point.id == AlikeMember.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(
            responses.needs_answer(),
            Submission.state == _SHOWN,
            Point.group_id.is_(None),
            sa.or_(Response.state.is_(None), Response.state == ResponseState.TODO),
        )
    )


def _numbers() -> tuple[sa.ColumnElement[int], ...]:
    """点、件、人. An opinion without any trace of a person is a person of its own."""
    alone = sa.case((Submission.person_key.is_(None), Submission.id))
    people = sa.func.count(sa.distinct(Submission.person_key)) + sa.func.count(sa.distinct(alone))
    return sa.func.count(Point.id), sa.func.count(sa.distinct(Submission.id)), people


def _with_words(ids: set[int]) -> dict[int, tuple[Point, Submission]]:
    """{point id: (the point, its submission)} of those that may be read in passing."""
    query = (
        sa.select(Point, Submission)
        .join(Submission, Submission.id == Point.submission_id)
        .where(Point.id.in_(ids), Point.state == points.LIVE, Submission.state == _SHOWN)
    )
    return {point.id: (point, submission) for point, submission in db.session.execute(query)}


def _proposal(
    row: AlikeProposal,
    numbers: Sequence[int],
    texts: Sequence[Row],
    said: dict[int, tuple[Point, Submission]],
    groups: dict[int, tuple[PointGroup, int]],
) -> Proposal:
    # The middle may have been split or hidden since: then the others are compared with the first.
    middle, submission = said.get(row.central_point_id) or said[texts[0][1]]
    words = points.words(middle, submission)
    terms = tuple(row.terms.split("、")) if row.terms else ()
    found = []
    for _id, first, _points, pieces, people in texts:
        point, of = said[first]
        own = points.words(point, of)
        runs: tuple[comparing.Run, ...] = (comparing.Run(comparing.Kind.SAME, own[:_LONGEST]),)
        if not row.theme:
            runs = comparing.changes(words[:_LONGEST], own[:_LONGEST])
        held = tuple(term for term in terms if term in own)
        found.append(Text(point, of, runs, len(own) > _LONGEST, pieces, people, held))
    into, into_points = groups.get(row.into_group_id or 0, (None, 0))
    return Proposal(
        id=row.id,
        middle=middle,
        middle_submission=submission,
        words=words[:_LONGEST],
        cut=len(words) > _LONGEST,
        texts=tuple(found),
        points=numbers[0],
        submissions=numbers[1],
        people=numbers[2],
        into=into,
        into_points=into_points,
        rest=row.rest,
        theme=row.theme,
        terms=terms,
    )


def pairs(consultation_id: int) -> list[Pair]:
    """The groups that may be one, as far as both still have points and nobody answers them: alike in
    words before alike in theme, most points first."""
    query = sa.select(AlikeGroups).where(AlikeGroups.consultation_id == consultation_id)
    rows = db.session.scalars(query).all()
    ids = sorted({id for row in rows for id in (row.one_group_id, row.other_group_id)})
    groups = _resting(point_lists.groups(ids))
    firsts = sa.select(Point.group_id, sa.func.min(Point.id)).where(
        Point.group_id.in_(groups), Point.state == points.LIVE
    )
    rows_of = db.session.execute(firsts.group_by(Point.group_id)).all()
    first_of = {row[0]: row[1] for row in rows_of}
    said = _with_words(set(first_of.values()))

    def told(group: int) -> str:
        found = said.get(first_of[group])
        return points.words(*found)[:_LONGEST] if found else ""

    found = [
        Pair(
            row.id,
            *groups[row.one_group_id],
            told(row.one_group_id),
            *groups[row.other_group_id],
            told(row.other_group_id),
            row.theme,
        )
        for row in rows
        if row.one_group_id in groups and row.other_group_id in groups
    ]
    return sorted(
        found, key=lambda each: (bool(each.theme), -each.one_points - each.other_points, each.id)
    )


def opinions_in(groups: Sequence[int]) -> Sequence[int]:
    """The opinions of which points are in these groups; of many, some."""
    query = sa.select(Point.submission_id).where(
        Point.group_id.in_(groups), Point.state == points.LIVE
    )
    return db.session.scalars(query.order_by(Point.id).limit(500)).all()


def _resting(groups: dict[int, tuple[PointGroup, int]]) -> dict[int, tuple[PointGroup, int]]:
    """Those of which nothing is being answered."""
    begun = (
        sa.select(Point.group_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            Point.group_id.in_(groups),
            Point.state == points.LIVE,
            Response.state != ResponseState.TODO,
        )
    )
    busy = set(db.session.scalars(begun))
    return {id: each for id, each in groups.items() if id not in busy}


def follow(consultation_id: int) -> None:
    """Count anew what waits, after something was done to points; where nothing was ever proposed
    there is nothing to count."""
    db.session.flush()
    # Read anew: whoever held the consultation before may have counted meanwhile.
    last = db.session.get(AlikeSearch, consultation_id, populate_existing=True)
    if last is None or not last.searched_at:
        return
    each = _waiting(sa.select(AlikeProposal.id), consultation_id).group_by(
        AlikeProposal.id, AlikeProposal.into_group_id
    )
    number = db.session.scalar(sa.select(sa.func.count()).select_from(each.subquery())) or 0
    last.waiting = number + len(pairs(consultation_id))


def follow_opinions(consultation_id: int, ids: Sequence[int]) -> None:
    """The same after opinions were hidden, shown again, masked or taken back; counted only where
    one of them is proposed."""
    for some in batches(ids):
        query = (
            sa.select(AlikeMember.point_id)
            .join(Point, Point.id == AlikeMember.point_id)
            .where(Point.submission_id.in_(some))
        )
        if db.session.scalar(query.limit(1)) is not None:
            follow(consultation_id)
            return


screening_steps.FOLLOWERS.append(follow_opinions)


# --- deciding ----------------------------------------------------------------------------------


def by_id(proposal_id: int) -> AlikeProposal | None:
    """The proposal with this number."""
    return db.session.get(AlikeProposal, proposal_id)


def pair_by_id(pair_id: int) -> AlikeGroups | None:
    """The two groups with this number."""
    return db.session.get(AlikeGroups, pair_id)


def confirm(
    proposal: AlikeProposal | None,
    shown: set[int],
    chosen: set[int],
    title: str,
    *,
    anew: bool = False,
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct:
    """Merge the texts that are chosen, each known by its first point; those of `shown` that are not
    stay apart, but for those of a theme, which wait on. `anew`: as a group of their own, though one
    is proposed. Refuses when what was shown is no longer what is proposed."""
    held = _held(proposal, shown | chosen)
    assert proposal is not None
    taken = [point for first in sorted(chosen) for point in held[first]]
    left = [point for first in sorted(shown - chosen) for point in held[first]]
    into = None
    if not anew and proposal.into_group_id and points.members(proposal.into_group_id):
        into = db.session.get(PointGroup, proposal.into_group_id)
    act = point_acts.merge(taken, title, into=into, by=by, now=now)
    if not proposal.theme:
        if left:
            point_acts.keep_apart(left, by=by, now=now)
        forget(AlikeProposal.id == proposal.id)
    elif into is None:
        # What is left of the theme may join what was just made of it.
        proposal.into_group_id = act.after["group"]
    follow(proposal.consultation_id)
    return act


def refuse(
    proposal: AlikeProposal | None, shown: set[int], *, by: audit.Actor, now: dt.datetime
) -> PointAct:
    """Say that the texts that were shown do not say the same."""
    held = _held(proposal, shown)
    assert proposal is not None
    apart = [p for each in held.values() for p in each]
    act = point_acts.keep_apart(apart, in_theme=bool(proposal.theme), by=by, now=now)
    forget(AlikeProposal.id == proposal.id)
    follow(proposal.consultation_id)
    return act


def join(pair: AlikeGroups | None, title: str, *, by: audit.Actor, now: dt.datetime) -> PointAct:
    """Let two groups be one: the smaller joins the larger, which may get a better name."""
    held = _held_pair(pair)
    (into, _n), (source, _m) = sorted(held, key=lambda each: (-each[1], each[0].id))
    act = point_acts.join(source, into, title, by=by, now=now)
    _forget_pair(pair)
    return act


def keep_groups_apart(pair: AlikeGroups | None, *, by: audit.Actor, now: dt.datetime) -> PointAct:
    """Say that two groups do not say the same."""
    (one, _n), (other, _m) = _held_pair(pair)
    act = point_acts.keep_groups_apart(one, other, by=by, now=now)
    _forget_pair(pair)
    return act


def _held_pair(pair: AlikeGroups | None) -> list[tuple[PointGroup, int]]:
    if pair is not None:
        points.lock_consultation(pair.consultation_id)
        groups = point_lists.groups([pair.one_group_id, pair.other_group_id])
        if len(groups) == 2:
            return [groups[pair.one_group_id], groups[pair.other_group_id]]
    raise _settled()


def _forget_pair(pair: AlikeGroups | None) -> None:
    assert pair is not None
    db.session.delete(pair)
    db.session.flush()
    follow(pair.consultation_id)


def _held(proposal: AlikeProposal | None, shown: set[int]) -> dict[int, list[Point]]:
    """{first point: the points with its words} of what was shown, held."""
    found: dict[int, list[Point]] = {}
    if proposal is not None:
        points.lock_consultation(proposal.consultation_id)
        query = _free(sa.select(AlikeMember.text, Point))
        query = query.where(AlikeProposal.id == proposal.id).order_by(Point.id)
        by_text: dict[int, list[Point]] = {}
        for text, point in db.session.execute(query):
            by_text.setdefault(text, []).append(point)
        found = {each[0].id: each for each in by_text.values()}
    # A search may have come between, and taken the number for another proposal.
    if not shown or not shown <= found.keys():
        raise _settled()
    return {first: found[first] for first in shown}


def _settled() -> Refused:
    return Refused(_("这一组刚刚已经处理过，或者重新查找过，请刷新后再看。"))
