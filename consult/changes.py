"""Changes because of points (意见与修改的对应): which paragraphs of a later version an adopted
point changed.

A person links a point that is 采纳 or 部分采纳 to changed paragraphs; its group is linked with it,
as it is answered with it. While a later version exists and nothing is linked, the point is unmet
(尚未落实到文本). A link stays with its point: once the answer is another, it counts no more.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, aliased, mapped_column

from consult import drafts, points, responses, revisions
from consult.comparisons import Pair
from consult.consultations import Consultation
from consult.drafts import Draft, Version, VersionState
from consult.points import LIVE, Point
from consult.responses import Outcome, Response, ResponseState
from consult.revisions import Passage, Revision
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import Base, batches, db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "change.linked": _l("关联意见与修改"),
        "change.unlinked": _l("解除意见与修改的关联"),
        "change.dropped": _l("清理落空的意见关联"),
    }
)
audit.FIELDS.update({"marks": _l("段落编号")})

# The outcomes that change the text.
MADE = (Outcome.ADOPTED, Outcome.PARTLY)
PUBLISHED, SHOWN = ResponseState.PUBLISHED, SubmissionState.SHOWN
MOST_PROPOSED = 8
# So many ids go into one query.
BATCH = 5_000


class PointChange(Base):
    """A paragraph that was changed because of a point.

    `version_id` is the later version; the paragraph is of it or, when it was struck out, of the
    version before. Both go when a version that was never published is deleted.
    """

    __tablename__ = "point_change"
    __table_args__ = (sa.UniqueConstraint("point_id", "version_id", "paragraph_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"))
    version_id: Mapped[int] = mapped_column(
        sa.ForeignKey("version.id", ondelete="CASCADE"), index=True
    )
    paragraph_id: Mapped[int] = mapped_column(
        sa.ForeignKey("paragraph.id", ondelete="CASCADE"), index=True
    )
    made_at: Mapped[dt.datetime]
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(sa.String(120))


@dataclass(frozen=True, slots=True)
class Change:
    """A paragraph that was changed because of a point, in its revision."""

    revision: Revision
    pair: Pair

    @property
    def passage(self) -> Passage:
        """The change in few words."""
        return self.revision.passage(self.pair)


class Met(Enum):
    """Whether what was adopted stands in the text that everybody can read."""

    NOT_DUE = ""
    LINKED = "linked"
    UNMET = "unmet"
    AWAITING = "awaiting"

    @property
    def title(self) -> str:
        """The same in the words of the adoption table."""
        titles: dict[Met, str] = {
            Met.NOT_DUE: "",
            Met.LINKED: _("已落实到文本"),
            Met.UNMET: _("尚未落实到文本"),
            Met.AWAITING: _("待下一稿落实"),
        }
        return titles[self]


@dataclass(frozen=True, slots=True)
class Voice:
    """A point behind a change, first of `count` that are grouped and answered with it."""

    point: Point
    submission: Submission
    response: Response
    count: int

    @property
    def words(self) -> str:
        """What it says, as far as it may be read."""
        return points.words(self.point, self.submission)


@dataclass(frozen=True, slots=True)
class Silent:
    """Points behind a change that a public page does not tell: how many have an answer that is
    out but words that are not shown, and how many wait for their answer to be published."""

    kept_back: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A changed paragraph that a point may have caused, and why: it was made on it, in the same
    section, or shares these words."""

    pair: Pair
    on_it: bool
    near: bool
    shared: str


# --- conditions ----------------------------------------------------------------------------------


def is_adopted() -> sa.ColumnElement[bool]:
    """Whether a point's answer is final and asks for other words in the draft; for queries that
    join Response."""
    return sa.and_(Response.outcome.in_(MADE), Response.state.in_(responses.DONE))


def is_unmet() -> sa.ColumnElement[bool]:
    """Whether a point is adopted, a later version is there, and nothing in it is linked; for
    queries that join Submission and Response."""
    linked = sa.select(PointChange.id).where(PointChange.point_id == Point.id).exists()
    made_on = aliased(Version)
    # What was made on no version was made on the first.
    number = (
        sa.select(made_on.number)
        .where(made_on.id == Point.version_id)
        .correlate(Point)
        .scalar_subquery()
    )
    later = (
        sa.select(Version.id)
        .join(Draft, Draft.id == Version.draft_id)
        .where(
            Draft.consultation_id == Point.consultation_id,
            Version.number > sa.func.coalesce(number, 1),
        )
        .correlate(Point)
        .exists()
    )
    return sa.and_(responses.needs_answer(), is_adopted(), sa.not_(linked), later)


def still_stands() -> sa.ColumnElement[bool]:
    """Whether a link still counts: the point lives and its answer still says so; for queries that
    join Point, Submission and Response."""
    return sa.and_(
        responses.needs_answer(), Response.outcome.in_(MADE), Response.state != responses.TODO
    )


# --- reading -------------------------------------------------------------------------------------


def of_points(ids: Sequence[int], *, public: bool = True) -> dict[int, list[Change]]:
    """{point id: the paragraphs changed because of it, in the order of the text}, of however many
    points at once; `public`: only in versions that are published. Points without are left out."""
    known: dict[int, Revision | None] = {}
    found: dict[int, list[Change]] = {}
    for some in batches(ids, BATCH):
        for point_id, paragraph_id, version in _links(some, public=public):
            if version.id not in known:
                known[version.id] = revisions.of(version)
            revision = known[version.id]
            pair = revision.by_paragraph.get(paragraph_id) if revision else None
            if revision is not None and pair is not None:
                found.setdefault(point_id, []).append(Change(revision, pair))
    return found


def _links(ids: Sequence[int], *, public: bool) -> Iterable[sa.Row[int, int, Version]]:
    query = (
        sa.select(PointChange.point_id, PointChange.paragraph_id, Version)
        .join(Version, Version.id == PointChange.version_id)
        .join(Response, Response.point_id == PointChange.point_id)
        .where(
            PointChange.point_id.in_(ids),
            Response.outcome.in_(MADE),
            Response.state != responses.TODO,
        )
        .order_by(PointChange.point_id, Version.number, PointChange.paragraph_id)
    )
    if public:
        query = query.where(Version.state == VersionState.PUBLISHED)
    return db.session.execute(query)


class Fulfilment:
    """Whether the points of a consultation are met in its published versions, each version looked
    at once."""

    def __init__(self, consultation_id: int) -> None:
        query = sa.select(Version).join(Draft, Draft.id == Version.draft_id)
        query = query.where(
            Draft.consultation_id == consultation_id, Version.state == VersionState.PUBLISHED
        )
        self._numbers = {each.id: each.number for each in db.session.scalars(query)}
        self._newest = max(self._numbers.values(), default=0)

    def of(self, outcome: Outcome | None, made_on: int | None, linked: bool) -> Met:
        """How it stands with a point of this outcome, made on this version."""
        if outcome not in MADE:
            return Met.NOT_DUE
        if linked:
            return Met.LINKED
        later = self._newest > self._numbers.get(made_on or 0, 1)
        return Met.UNMET if later else Met.AWAITING


def unmet_count(consultation_id: int) -> int:
    """How many adopted points have changed nothing yet although a later version is there."""
    query = (
        sa.select(sa.func.count(Point.id))
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(Point.consultation_id == consultation_id, is_unmet())
    )
    return db.session.execute(query).scalar_one()


def unmet(
    consultation_id: int, *, after: int = 0, limit: int
) -> Sequence[sa.Row[Point, Submission, Response]]:
    """(point, its submission, its answer) of those, after a point's id."""
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(Point.consultation_id == consultation_id, Point.id > after, is_unmet())
        .order_by(Point.id)
        .limit(limit)
    )
    return db.session.execute(query).all()


def behind(revision: Revision, pairs: Sequence[Pair], *, public: bool) -> dict[int, list[Voice]]:
    """{mark: the points behind the change of this paragraph}, those of a group as one. `public`:
    only those whose opinion is shown and whose answer is published."""
    first, count = sa.func.min(Point.id), sa.func.count(sa.distinct(Point.id))
    query = (
        sa.select(PointChange.paragraph_id, first, count)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            PointChange.version_id == revision.version_id,
            PointChange.paragraph_id.in_(_paragraphs(pairs)),
            still_stands(),
        )
        # Those of no group stand alone.
        .group_by(PointChange.paragraph_id, sa.func.coalesce(Point.group_id, -Point.id))
        .order_by(first)
    )
    if public:
        query = query.where(Submission.state == SHOWN, Response.state == PUBLISHED)
    rows = db.session.execute(query).all()
    said = _said({point_id for _paragraph, point_id, _count in rows})
    found: dict[int, list[Voice]] = {}
    for paragraph_id, point_id, number in rows:
        mark = revision.by_paragraph[paragraph_id].mark
        found.setdefault(mark, []).append(Voice(*said[point_id], number))
    return found


def _said(ids: Collection[int]) -> dict[int, tuple[Point, Submission, Response]]:
    query = (
        sa.select(Point, Submission, Response)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(Point.id.in_(ids))
    )
    return {p.id: (p, s, r) for p, s, r in db.session.execute(query)}


def silent(revision: Revision, pairs: Sequence[Pair]) -> dict[int, Silent]:
    """{mark: how many points behind the change a public page does not tell}."""
    kept_back = sa.case((sa.and_(Response.state == PUBLISHED, Submission.state != SHOWN), Point.id))
    waiting = sa.case((Response.state != PUBLISHED, Point.id))
    query = (
        sa.select(
            PointChange.paragraph_id,
            sa.func.count(sa.distinct(kept_back)),
            sa.func.count(sa.distinct(waiting)),
        )
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            PointChange.version_id == revision.version_id,
            PointChange.paragraph_id.in_(_paragraphs(pairs)),
            still_stands(),
        )
        .group_by(PointChange.paragraph_id)
    )
    return {
        revision.by_paragraph[paragraph_id].mark: Silent(back, wait)
        for paragraph_id, back, wait in db.session.execute(query)
        if back or wait
    }


def _paragraphs(pairs: Iterable[Pair]) -> list[int]:
    return [entry.id for pair in pairs for entry in (pair.before, pair.after) if entry is not None]


def wanted(revision: Revision) -> set[int]:
    """The marks of the changed paragraphs that some point stands behind; all others were changed
    by those who write the draft."""
    query = (
        sa.select(PointChange.paragraph_id)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(PointChange.version_id == revision.version_id, still_stands())
        .distinct()
    )
    found = (revision.by_paragraph.get(each) for each in db.session.scalars(query))
    return {pair.mark for pair in found if pair is not None}


def numbers_behind(revision: Revision) -> dict[int, list[list[int]]]:
    """{mark: the points behind the change as [number of the opinion, ordinal]}, for the record."""
    query = (
        sa.select(PointChange.paragraph_id, Submission.number, Point.ordinal)
        .join(Point, Point.id == PointChange.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(PointChange.version_id == revision.version_id, still_stands())
        .order_by(Submission.number, Point.ordinal)
    )
    found: dict[int, list[list[int]]] = {}
    for paragraph_id, number, ordinal in db.session.execute(query):
        if (pair := revision.by_paragraph.get(paragraph_id)) is not None:
            found.setdefault(pair.mark, []).append([number, ordinal])
    return found


def later_versions(point: Point) -> Sequence[Version]:
    """The versions in which a point may have changed something, the newest first; one that is
    still prepared is among them."""
    consultation = db.session.get_one(Consultation, point.consultation_id)
    every = drafts.versions(consultation)
    made_on = next((each.number for each in every if each.id == point.version_id), 1)
    return [each for each in every if each.number > made_on]


def may_link(point: Point) -> bool:
    """Whether the point stands and its answer, as it is, asks for other words in the draft."""
    answer = responses.of(point.id)
    adopted = answer is not None and answer.outcome in MADE and answer.state is not responses.TODO
    return adopted and point.state is LIVE


def proposed(point: Point, words: str, revision: Revision) -> list[Proposal]:
    """The changed paragraphs that the point may have caused, the most likely first: that on which
    it was made, then those whose new words share some with it, then those of its section."""
    marks, around = _place_of(point, revision)
    shared = {pair.mark: said for pair, said in revisions.sharing(revision.pairs, words)}
    every = [
        Proposal(pair, pair.mark in marks, pair.mark in around, shared.get(pair.mark, ""))
        for pair in revision.pairs
        if pair.mark in marks or pair.mark in around or pair.mark in shared
    ]
    every.sort(key=lambda each: (not each.on_it, -len(each.shared), not each.near))
    return every[:MOST_PROPOSED]


def _place_of(point: Point, revision: Revision) -> tuple[set[int], set[int]]:
    """(the mark the point was made on, the marks of the section when that is a heading)."""
    version = drafts.version_by_id(point.version_id) if point.version_id else None
    outline = drafts.outline(version) if version else None
    entry = outline.by_id.get(point.place) if outline else None
    if outline is None or entry is None:
        return set(), set()
    if not entry.level:
        return {entry.mark}, set()
    around = {each.mark for each in outline.within(entry)}
    heading = revision.after.by_mark.get(entry.mark)
    if heading is not None and heading.level:
        around |= {each.mark for each in revision.after.within(heading)}
    return {entry.mark}, around


# --- acts ----------------------------------------------------------------------------------------


def link(
    point: Point,
    version: Version,
    paragraph_ids: Collection[int],
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Say that these paragraphs were changed because of the point and of those answered with it;
    to how many links that comes. Refused for what did not change or is not adopted."""
    together = _held(point)
    _must_be_adopted(point)
    if version.id not in {each.id for each in later_versions(point)}:
        raise Refused(_("这一稿不晚于意见所针对的那一稿，不能关联。"))
    revision = revisions.of(version)
    pairs = _changed(revision, paragraph_ids)
    if not pairs:
        raise Refused(_("请选择因这一点而改动的段落。"))
    wanted = {(pair.after or pair.entry).id for pair in pairs}
    known = db.session.execute(
        sa.select(PointChange.point_id, PointChange.paragraph_id).where(
            PointChange.version_id == version.id, PointChange.point_id.in_(together)
        )
    )
    known_pairs = {(point_id, paragraph_id) for point_id, paragraph_id in known}
    rows = [
        {
            "point_id": each,
            "version_id": version.id,
            "paragraph_id": paragraph,
            "made_at": now,
            "by_id": by.id,
            "by_name": by.name[:120],
        }
        for each in together
        for paragraph in sorted(wanted)
        if (each, paragraph) not in known_pairs
    ]
    if rows:
        db.session.execute(sa.insert(PointChange), rows)
        _record("change.linked", point, version, pairs, len(together), by, now)
    return len(rows)


def unlink(
    point: Point,
    version: Version,
    paragraph_ids: Collection[int],
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Take such links back, of the point and of those answered with it; how many there were."""
    together = _held(point)
    revision = revisions.of(version)
    known = revision.by_paragraph if revision else {}
    pairs = list(
        {known[each].mark: known[each] for each in paragraph_ids if each in known}.values()
    )
    these = (
        PointChange.version_id == version.id,
        PointChange.point_id.in_(together),
        PointChange.paragraph_id.in_({*paragraph_ids, *_paragraphs(pairs)}),
    )
    gone = db.session.execute(sa.select(sa.func.count(PointChange.id)).where(*these)).scalar_one()
    if not gone:
        raise Refused(_("这一关联已经解除，请刷新后查看。"))
    db.session.execute(
        sa.delete(PointChange).where(*these),
        execution_options={"synchronize_session": False},
    )
    _record("change.unlinked", point, version, pairs, len(together), by, now)
    return gone


def settle(version: Version, *, by: audit.Actor, now: dt.datetime) -> int:
    """Before a version is published, drop the links to paragraphs that in the end did not change;
    how many points are left without."""
    revision = revisions.of(version)
    if revision is None:
        return 0
    query = sa.select(PointChange).where(PointChange.version_id == version.id)
    idle = [
        each for each in db.session.scalars(query) if each.paragraph_id not in revision.by_paragraph
    ]
    for each in idle:
        db.session.delete(each)
    db.session.flush()
    touched = {each.point_id for each in idle}
    for point in db.session.scalars(sa.select(Point).where(Point.id.in_(touched))):
        _record("change.dropped", point, version, (), 1, by, now)
    return len(touched)


def _held(point: Point) -> list[int]:
    """The ids of the point and of those answered with it; nobody takes them apart meanwhile."""
    points.lock_consultation(point.consultation_id)
    points.lock([point])
    if point.group_id is None:
        return [point.id]
    return [each.id for each in points.members(point.group_id)]


def _must_be_adopted(point: Point) -> None:
    answer = responses.of(point.id)
    if answer is not None:
        db.session.refresh(answer)
    if not may_link(point):
        raise Refused(_("只有采纳或者部分采纳的意见点才能关联文稿的修改。"))


def _changed(revision: Revision | None, paragraph_ids: Collection[int]) -> list[Pair]:
    known = revision.by_paragraph if revision else {}
    if not set(paragraph_ids) <= known.keys():
        raise Refused(_("其中有的段落在这一稿里没有改动，请刷新后重新选择。"))
    return list({known[each].mark: known[each] for each in paragraph_ids}.values())


def _record(
    action: str,
    point: Point,
    version: Version,
    pairs: Sequence[Pair],
    number: int,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    facts = {
        "number": version.number,
        "marks": [pair.mark for pair in pairs],
        "points": number,
    }
    before, after = (None, facts) if action == "change.linked" else (facts, None)
    audit.record(action, point, by=by, now=now, name=points.name(point), before=before, after=after)
