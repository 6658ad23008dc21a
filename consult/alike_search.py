"""The search for points that may be merged: by like words, by theme, and groups that may be one.

It groups the points of a consultation by their words (`analysis/duplicates`) and, what is left, by
their themes (`point_themes`), and keeps what it found, text by text. Nothing is proposed that was
refused (`point_acts.kept_apart`) or is being answered. A person decides: `point_merges`.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import point_acts, point_themes, points, term_index
from consult.alike_rows import AlikeGroups, AlikeMember, AlikeProposal, AlikeSearch
from consult.analysis import duplicates, normal
from consult.analysis.lexicon import Lexicon
from consult.consultations import Consultation
from consult.point_acts import ActKind, PointAct
from consult.points import Point
from consult.responses import Response, ResponseState
from consult.submissions import Submission, SubmissionState
from core import audit, jobs
from core.db import db

SEARCH = "points.alike"
# So few points are searched while the person waits: 2 ms each.
SOON = 400
# A proposal is read word by word, and merged at once.
MOST_TEXTS = 20
# Of so many texts the one in the middle is looked for, the commonest first.
_MOST_MIDDLES = 40
# Of so many groups that are alike each two are proposed.
_MOST_PAIRED = 4
_SHOWN = SubmissionState.SHOWN


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
    equal: bool = False
    theme: str = ""
    terms: str = ""

    @property
    def order(self) -> tuple[bool, bool, int, int]:
        return bool(self.theme), not self.equal, -sum(map(len, self.texts)), self.central


@dataclass(frozen=True, slots=True)
class _Theme:
    """A theme and the clusters of points that speak of it, likest to its middle first."""

    name: str
    terms: tuple[str, ...]
    clusters: tuple[int, ...]


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
    return {"words": _("找到%(n)d处可能相同的意见点，请逐一确认。", n=number), "path": path}


def search(
    consultation_id: int, *, now: dt.datetime, release: Callable[[], None] = lambda: None
) -> int:
    """Find the proposals anew, in place of those there are; how many. `release` is called before
    what takes long. About 2 ms a point."""
    last = _search_of(consultation_id)
    stamp, said, closed = _stamp(consultation_id), _read(consultation_id), _begun(consultation_id)
    before = point_acts.kept_apart(consultation_id)
    lexicon = term_index.lexicon()
    release()
    clusters = _clusters(said)
    themes = _themes(clusters, lexicon)
    found = {n: _found(each, before, closed) for n, each in enumerate(clusters) if len(each) > 1}
    points.lock_consultation(consultation_id)
    # What was refused meanwhile stays refused.
    apart = point_acts.kept_apart(consultation_id)
    changed = apart ^ before
    for place in found:
        if any(each.id in changed for each in clusters[place]):
            found[place] = _found(clusters[place], apart, closed)
    of_words = {place: each for place, each in found.items() if each is not None}
    unlike = point_acts.kept_apart(consultation_id, in_themes=True)
    of_themes = [_in_theme(each, clusters, of_words, unlike, closed) for each in themes]
    kept = [*of_words.values(), *(each for each in of_themes if each is not None)]
    if _stamp(consultation_id) != stamp:
        kept = _still_there(kept, consultation_id)
    _forget_all(consultation_id)
    _keep(consultation_id, sorted(kept, key=lambda each: each.order))
    pairs = _pairs(consultation_id, clusters, themes, closed)
    _keep_pairs(consultation_id, pairs)
    last.stamp, last.searched_at, last.points = stamp, now, len(said)
    last.waiting = len(kept) + len(pairs)
    db.session.flush()
    return last.waiting


def _still_there(found: Iterable[_Found], consultation_id: int) -> list[_Found]:
    """What of it is left when opinions were hidden or taken back during the search."""
    query = sa.select(Point.id).join(Submission, Submission.id == Point.submission_id)
    there = set(db.session.scalars(query.where(*_read_there(consultation_id))))
    left = []
    for each in found:
        texts = [tuple(id for id in ids if id in there) for ids in each.texts]
        each = replace(each, texts=tuple(ids for ids in texts if ids))
        if sum(map(len, each.texts)) >= (1 if each.into else 2):
            left.append(each)
    return left


def _clusters(said: Sequence[_Said]) -> list[list[_Said]]:
    """The points by like words; one that is like no other is a cluster of its own."""
    found: dict[int, list[_Said]] = {}
    for number, each in zip(duplicates.near_groups([s.words for s in said]), said, strict=True):
        found.setdefault(number, []).append(each)
    return list(found.values())


def _themes(clusters: Sequence[Sequence[_Said]], lexicon: Lexicon) -> list[_Theme]:
    """Each cluster counts as one text, so that a campaign is no theme by its number alone."""
    texts = [each[0].words for each in clusters]
    found = point_themes.of(texts, lexicon, most=MOST_TEXTS)
    return [_Theme(each.name, each.terms, each.members) for each in found]


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
    room = point_acts.MOST_MERGED
    for words in order[:MOST_TEXTS]:
        ids = tuple(s.id for s in texts[words][:room])
        room -= len(ids)
        if ids:
            taken.append(ids)
    rest = len(free) - sum(map(len, taken))
    return _Found(central.id, into, tuple(taken), rest, set(order) == {spelled})


def _in_theme(
    theme: _Theme,
    clusters: Sequence[Sequence[_Said]],
    of_words: Container[int],
    apart: set[int],
    closed: set[int],
) -> _Found | None:
    """What is proposed of a theme: what no words propose already, and the group most of it is in."""
    held: Counter[int] = Counter()
    texts: list[tuple[int, ...]] = []
    for place in theme.clusters:
        cluster = clusters[place]
        held.update(s.group_id for s in cluster if s.group_id and s.group_id not in closed)
        free = [s for s in cluster if s.group_id is None and s.rests and s.id not in apart]
        if place not in of_words:
            texts += [tuple(s.id for s in same) for same in _by_words(free).values()]
    into = min(held, key=lambda group: (-held[group], group), default=None)
    if len(texts) < (1 if into else 2):
        return None
    return _Found(
        texts[0][0],
        into,
        tuple(texts[:MOST_TEXTS]),
        sum(map(len, texts[MOST_TEXTS:])),
        theme=theme.name[:200],
        terms="、".join(theme.terms)[:400],
    )


def _pairs(
    consultation_id: int,
    clusters: Sequence[Sequence[_Said]],
    themes: Sequence[_Theme],
    closed: set[int],
) -> dict[tuple[int, int], str]:
    """{two groups: the theme both speak of, "" where their words are alike}."""
    refused = point_acts.groups_kept_apart(consultation_id)
    found: dict[tuple[int, int], str] = {}
    together = [("", cluster) for cluster in clusters]
    together += [(t.name, [s for place in t.clusters for s in clusters[place]]) for t in themes]
    for theme, some in together:
        held = Counter(s.group_id for s in some if s.group_id and s.group_id not in closed)
        largest = sorted(held, key=lambda group: (-held[group], group))[:_MOST_PAIRED]
        for one, other in combinations(sorted(largest), 2):
            if (one, other) not in refused:
                found.setdefault((one, other), theme)
    return found


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
            "theme": each.theme,
            "terms": each.terms,
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


def _keep_pairs(consultation_id: int, found: Mapping[tuple[int, int], str]) -> None:
    rows = [
        {
            "consultation_id": consultation_id,
            "one_group_id": one,
            "other_group_id": other,
            "theme": theme[:200],
        }
        for (one, other), theme in found.items()
    ]
    if rows:
        db.session.execute(sa.insert(AlikeGroups), rows)


def _forget_all(consultation_id: int) -> None:
    forget(AlikeProposal.consultation_id == consultation_id)
    pairs = sa.delete(AlikeGroups).where(AlikeGroups.consultation_id == consultation_id)
    db.session.execute(pairs, execution_options={"synchronize_session": False})


def forget(which: sa.ColumnElement[bool]) -> None:
    """Propose these no more, until they are found anew."""
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


def is_outdated(search: AlikeSearch) -> bool:
    """Whether there are points now that the search did not see, or that are free again."""
    return search.stamp != _stamp(search.consultation_id)
