"""Linking points to changed paragraphs: what is proposed, the acts, and what is dropped before publishing."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import drafts, points, responses, revisions
from consult.changes.rows import MADE, PointChange, paragraphs_of
from consult.comparisons import Pair
from consult.consultations import Consultation
from consult.drafts import Version
from consult.points import LIVE, Point
from consult.revisions import Revision
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "change.linked": _l("关联意见与修改"),
        "change.unlinked": _l("解除意见与修改的关联"),
        "change.dropped": _l("清理落空的意见关联"),
    }
)

audit.FIELDS.update({"marks": _l("段落编号")})

MOST_PROPOSED = 8


@dataclass(frozen=True, slots=True)
class Proposal:
    """A changed paragraph that a point may have caused, and why: it was made on it, in the same
    section, or shares these words."""

    pair: Pair
    on_it: bool
    near: bool
    shared: str


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
        PointChange.paragraph_id.in_({*paragraph_ids, *paragraphs_of(pairs)}),
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
