"""Proposals to merge points that are alike: found in the background, decided by a person.

A search groups the points of a consultation by their words (`analysis/duplicates`) and keeps what
it found: each proposal with the text in the middle and, text by text, the points that may join.
What became of those since, a page reads off the points, so that nothing is proposed that was merged,
split anew, taken back or is being answered. The merge is that of `points`, and so is its undoing;
what a person says is not the same is `points.keep_apart` and never proposed again.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import comparing, point_lists, points, responses
from consult.analysis import duplicates, normal
from consult.consultations import Consultation
from consult.points import ActKind, Point, PointAct, PointGroup
from consult.responses import Response, ResponseState
from consult.submissions import Submission, SubmissionState
from core import audit, jobs
from core.db import Base, db
from core.errors import Refused

SEARCH = "points.alike"
# So few points are searched while the person waits: 0.8 ms each.
SOON = 400
# A proposal is read word by word, and merged at once.
MOST_TEXTS = 20
# Of so many texts the one in the middle is looked for, the commonest first.
_MOST_MIDDLES = 40
_LONGEST = 1_200
_SHOWN = SubmissionState.SHOWN


class AlikeSearch(Base):
    """The last search among the points of a consultation; `stamp` is what it looked at."""

    __tablename__ = "alike_search"

    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), primary_key=True)
    stamp: Mapped[str] = mapped_column(sa.String(80), default="")
    searched_at: Mapped[dt.datetime | None]
    points: Mapped[int] = mapped_column(default=0)
    # The job that searches or has searched; NULL when nobody had to wait for one.
    job_id: Mapped[int | None]


class AlikeProposal(Base):
    """Points that may say the same: to be merged, or to join a group that there is."""

    __tablename__ = "alike_proposal"

    # In the order in which they are read: equal texts first, then the largest.
    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    central_point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"))
    into_group_id: Mapped[int | None] = mapped_column(sa.ForeignKey("point_group.id"))
    # How many points more were alike than one proposal holds.
    rest: Mapped[int] = mapped_column(default=0)


class AlikeMember(Base):
    """A point of a proposal; points with the same words have the same `text`."""

    __tablename__ = "alike_member"

    proposal_id: Mapped[int] = mapped_column(
        sa.ForeignKey("alike_proposal.id", ondelete="CASCADE"), primary_key=True
    )
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True, index=True)
    text: Mapped[int]


@dataclass(frozen=True, slots=True)
class Text:
    """One wording in a proposal: its first point, how it differs from the text in the middle, and
    how many opinions and people it comes from."""

    first: Point
    submission: Submission
    runs: tuple[comparing.Run, ...]
    cut: bool
    submissions: int
    people: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal as it is now. `middle` is the text the others are compared with."""

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

    @property
    def equal(self) -> bool:
        """Whether all say the same in the same words, but for punctuation and spaces."""
        return len(self.texts) == 1 and (
            not self.into or normal.bare(_said(self.texts[0])) == normal.bare(self.words)
        )


def _said(text: Text) -> str:
    return "".join(run.text for run in text.runs if run.kind is not comparing.Kind.GONE)


# --- searching ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Said:
    id: int
    words: str
    group_id: int | None
    rests: bool


@dataclass(frozen=True, slots=True)
class _Found:
    central: int
    into: int | None
    texts: tuple[tuple[int, ...], ...]
    rest: int
    equal: bool

    @property
    def order(self) -> tuple[bool, int, int]:
        return not self.equal, -sum(map(len, self.texts)), self.central


def ask(consultation: Consultation, *, by: audit.Actor, now: dt.datetime) -> jobs.Job | None:
    """Search: at once where it takes no time, else in the background; the job then."""
    last = _search_of(consultation.id)
    if _count(consultation.id) <= SOON:
        search(consultation.id, now=now)
        last.job_id = None
        return None
    job = jobs.ask(
        SEARCH,
        {"consultation": consultation.id},
        name=consultation.title,
        by=by,
        now=now,
        once=True,
    )
    last.job_id = job.id
    return job


@jobs.kind(SEARCH, _l("查找相近的意见点"))
def work(run: jobs.Run) -> dict[str, Any]:
    """Search among the points of one consultation, and keep what is found."""
    consultation = db.session.get_one(Consultation, run.arguments["consultation"])
    number = search(consultation.id, now=run.now(), release=run.release)
    run.progress(1, 1)
    path = f"/desk/consultations/{consultation.slug}/points/alike"
    return {"words": _("找到%(n)d组相近的意见点，请逐组确认。", n=number), "path": path}


def search(
    consultation_id: int, *, now: dt.datetime, release: Callable[[], None] = lambda: None
) -> int:
    """Find the proposals anew, in place of those there are; how many. `release` is called before
    what takes long. About 0.8 ms a point."""
    last = _search_of(consultation_id)
    stamp, said, closed = _stamp(consultation_id), _read(consultation_id), _begun(consultation_id)
    before = points.kept_apart(consultation_id)
    release()
    clusters: dict[int, list[_Said]] = {}
    for number, each in zip(duplicates.near_groups([s.words for s in said]), said, strict=True):
        clusters.setdefault(number, []).append(each)
    several = [each for each in clusters.values() if len(each) > 1]
    found = [_found(each, before, closed) for each in several]
    points.lock_consultation(consultation_id)
    # What was refused meanwhile stays refused.
    apart = points.kept_apart(consultation_id)
    changed = apart ^ before
    for place, cluster in enumerate(several):
        if any(each.id in changed for each in cluster):
            found[place] = _found(cluster, apart, closed)
    kept = sorted((each for each in found if each is not None), key=lambda each: each.order)
    _forget(AlikeProposal.consultation_id == consultation_id)
    _keep(consultation_id, kept)
    last.stamp, last.searched_at, last.points = stamp, now, len(said)
    db.session.flush()
    return len(kept)


def _read(consultation_id: int) -> list[_Said]:
    rests = sa.or_(Response.state.is_(None), Response.state == ResponseState.TODO)
    query = (
        sa.select(Point.id, Point.start, Point.end, Submission.body, Point.group_id, rests)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(*_read_there(consultation_id))
        .order_by(Point.id)
    )
    return [
        _Said(id, body[start:end].strip(), group_id, bool(rests))
        for id, start, end, body, group_id, rests in db.session.execute(query)
    ]


def _read_there(consultation_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    """The points a search looks at: of opinions that may be read in passing."""
    there = Point.consultation_id == consultation_id, Point.state == points.LIVE
    return (*there, Submission.state == _SHOWN)


def _begun(consultation_id: int) -> set[int]:
    """The groups that are being answered: nothing joins them."""
    query = (
        sa.select(Point.group_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            Point.consultation_id == consultation_id,
            Point.state == points.LIVE,
            Point.group_id.is_not(None),
            Response.state != ResponseState.TODO,
        )
        .distinct()
    )
    return {id for id in db.session.scalars(query) if id is not None}


def _found(cluster: Sequence[_Said], apart: set[int], closed: set[int]) -> _Found | None:
    """What is proposed for points that are alike; None when there is nothing left to decide."""
    free = [s for s in cluster if s.group_id is None and s.rests and s.id not in apart]
    held = Counter(s.group_id for s in cluster if s.group_id and s.group_id not in closed)
    into = min(held, key=lambda group: (-held[group], group), default=None)
    if len(free) < (1 if into else 2):
        return None
    there = [s for s in cluster if into and s.group_id == into] or free
    central = _middle(_by_words(there))
    known, spelled = _trigrams(central.words), normal.bare(central.words)
    texts = _by_words(free)
    order = sorted(
        texts,
        key=lambda words: (
            words != spelled,
            -_likeness(known, _trigrams(words)),
            texts[words][0].id,
        ),
    )
    taken: list[tuple[int, ...]] = []
    room = points.MOST_MERGED
    for words in order[:MOST_TEXTS]:
        ids = tuple(s.id for s in texts[words][:room])
        room -= len(ids)
        if ids:
            taken.append(ids)
    rest = len(free) - sum(map(len, taken))
    return _Found(central.id, into, tuple(taken), rest, set(order) == {spelled})


def _by_words(said: Iterable[_Said]) -> dict[str, list[_Said]]:
    found: dict[str, list[_Said]] = {}
    for each in said:
        found.setdefault(normal.bare(each.words), []).append(each)
    return found


def _middle(texts: dict[str, list[_Said]]) -> _Said:
    """The text likest to all others, each copy counted."""
    tried = sorted(texts, key=lambda words: (-len(texts[words]), texts[words][0].id))
    tried = tried[:_MOST_MIDDLES]
    shingles = [_trigrams(words) for words in tried]
    weight = [len(texts[words]) for words in tried]

    def all_told(place: int) -> float:
        return sum(
            n * _likeness(shingles[place], other) for n, other in zip(weight, shingles, strict=True)
        )

    return texts[tried[max(range(len(tried)), key=all_told)]][0]


def _trigrams(words: str) -> set[str]:
    plain = normal.bare(words)
    return {plain[n : n + 3] for n in range(max(1, len(plain) - 2))}


def _likeness(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


def _keep(consultation_id: int, found: Sequence[_Found]) -> None:
    if not found:
        return
    rows = [
        {
            "consultation_id": consultation_id,
            "central_point_id": each.central,
            "into_group_id": each.into,
            "rest": each.rest,
        }
        for each in found
    ]
    made = sa.insert(AlikeProposal).returning(AlikeProposal.id, sort_by_parameter_order=True)
    numbers = db.session.scalars(made, rows).all()
    members = [
        {"proposal_id": id, "point_id": point_id, "text": text}
        for id, each in zip(numbers, found, strict=True)
        for text, ids in enumerate(each.texts)
        for point_id in ids
    ]
    db.session.execute(sa.insert(AlikeMember), members)


def _forget(which: sa.ColumnElement[bool]) -> None:
    ids = sa.select(AlikeProposal.id).where(which)
    sync: dict[str, Any] = {"synchronize_session": False}
    gone = sa.delete(AlikeMember).where(AlikeMember.proposal_id.in_(ids))
    db.session.execute(gone, execution_options=sync)
    db.session.execute(sa.delete(AlikeProposal).where(which), execution_options=sync)


def _search_of(consultation_id: int) -> AlikeSearch:
    """The row of the last search, held until the transaction ends; made when there is none."""
    points.lock_consultation(consultation_id)
    found = db.session.get(AlikeSearch, consultation_id)
    if found is None:
        found = AlikeSearch(consultation_id=consultation_id)
        db.session.add(found)
        db.session.flush()
    return found


def _stamp(consultation_id: int) -> str:
    """Changes with the points that may be read, and when something is taken out of a group."""
    query = (
        sa.select(sa.func.count(Point.id), sa.func.coalesce(sa.func.sum(Point.id), 0))
        .join(Submission, Submission.id == Point.submission_id)
        .where(*_read_there(consultation_id))
    )
    number, total = db.session.execute(query).one()
    freed = sa.select(sa.func.count(PointAct.id)).where(
        PointAct.consultation_id == consultation_id,
        sa.or_(PointAct.kind == ActKind.UNGROUP, PointAct.undone_at.is_not(None)),
    )
    return f"{number}-{int(total)}-{db.session.scalar(freed)}"


def _count(consultation_id: int) -> int:
    query = sa.select(sa.func.count(Point.id)).join(
        Submission, Submission.id == Point.submission_id
    )
    return db.session.scalar(query.where(*_read_there(consultation_id))) or 0


# --- reading -----------------------------------------------------------------------------------


def last_search(consultation_id: int) -> AlikeSearch | None:
    """The last search that is over, or under way, or asked for."""
    return db.session.get(AlikeSearch, consultation_id)


def is_outdated(search: AlikeSearch) -> bool:
    """Whether there are points now that the search did not see, or that are free again."""
    return search.stamp != _stamp(search.consultation_id)


def page(consultation_id: int, *, after: int = 0, limit: int) -> list[Proposal]:
    """What is proposed, in the order of the search, those after a proposal's id."""
    least = sa.case((AlikeProposal.into_group_id.is_(None), 2), else_=1)
    query = (
        _free(sa.select(AlikeProposal, *_numbers()))
        .where(AlikeProposal.consultation_id == consultation_id, AlikeProposal.id > after)
        .group_by(*AlikeProposal.__table__.columns)
        .having(sa.func.count(Point.id) >= least)
        .order_by(AlikeProposal.id)
        .limit(limit)
    )
    rows = db.session.execute(query).all()
    ids = [row.id for row, *_n in rows]
    by_text = _free(sa.select(AlikeMember.proposal_id, sa.func.min(Point.id), *_numbers()))
    by_text = by_text.where(AlikeProposal.id.in_(ids))
    by_text = by_text.group_by(AlikeMember.proposal_id, AlikeMember.text)
    texts: dict[int, list[sa.Row[*tuple[Any, ...]]]] = {}
    for each in db.session.execute(by_text.order_by(AlikeMember.proposal_id, AlikeMember.text)):
        texts.setdefault(each[0], []).append(each)
    wanted = {each[1] for held in texts.values() for each in held}
    said = _with_words(wanted | {row.central_point_id for row, *_n in rows})
    groups = point_lists.groups([row.into_group_id for row, *_n in rows])
    return [_proposal(row, numbers, texts[row.id], said, groups) for row, *numbers in rows]


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
    texts: Sequence[sa.Row[*tuple[Any, ...]]],
    said: dict[int, tuple[Point, Submission]],
    groups: dict[int, tuple[PointGroup, int]],
) -> Proposal:
    # The middle may have been split or hidden since: then the others are compared with the first.
    middle, submission = said.get(row.central_point_id) or said[texts[0][1]]
    words = points.words(middle, submission)
    found = []
    for _id, first, _points, pieces, people in texts:
        point, of = said[first]
        own = points.words(point, of)
        runs = comparing.changes(words[:_LONGEST], own[:_LONGEST])
        found.append(Text(point, of, runs, len(own) > _LONGEST, pieces, people))
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
    )


# --- deciding ----------------------------------------------------------------------------------


def by_id(proposal_id: int) -> AlikeProposal | None:
    """The proposal with this number."""
    return db.session.get(AlikeProposal, proposal_id)


def confirm(
    proposal: AlikeProposal | None,
    shown: set[int],
    chosen: set[int],
    title: str,
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct:
    """Merge the texts that are chosen, each known by its first point; those of `shown` that are not
    stay apart. Refuses when what was shown is no longer what is proposed."""
    held = _held(proposal, shown | chosen)
    assert proposal is not None
    taken = [point for first in sorted(chosen) for point in held[first]]
    left = [point for first in sorted(shown - chosen) for point in held[first]]
    into = None
    if proposal.into_group_id and points.members(proposal.into_group_id):
        into = db.session.get(PointGroup, proposal.into_group_id)
    act = points.merge(taken, title, into=into, by=by, now=now)
    if left:
        points.keep_apart(left, by=by, now=now)
    _forget(AlikeProposal.id == proposal.id)
    return act


def refuse(
    proposal: AlikeProposal | None, shown: set[int], *, by: audit.Actor, now: dt.datetime
) -> PointAct:
    """Say that the texts that were shown do not say the same."""
    held = _held(proposal, shown)
    assert proposal is not None
    act = points.keep_apart([p for each in held.values() for p in each], by=by, now=now)
    _forget(AlikeProposal.id == proposal.id)
    return act


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
        raise Refused(_("这一组刚刚已经处理过，或者重新查找过，请刷新后再看。"))
    return {first: found[first] for first in shown}
