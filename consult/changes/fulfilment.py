"""What became of adopted points in the text: which paragraphs changed because of each, and which are
unmet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _

from consult import responses, revisions
from consult.changes.rows import MADE, PointChange, is_unmet
from consult.comparisons import Pair
from consult.drafts import Draft, Version, VersionState
from consult.points import Point
from consult.responses import Outcome, Response
from consult.revisions import Passage, Revision
from consult.submissions import Submission
from core.db import batches, db

# So many ids go into one query.
BATCH = 5_000


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
