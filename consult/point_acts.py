"""What is done to points (对意见点的操作): split, merged, moved, kept apart, and undone.

Staff split a submission at its sentences, merge what says the same, and may undo both; nothing is
ever lost: what a split replaces stays as SUPERSEDED, and each act is a `PointAct`. A point that is
being answered is not taken apart: first it has to be handed back.
"""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import points, response_rows
from consult.point_rows import ActKind as ActKind
from consult.point_rows import PointAct as PointAct
from consult.points import LIVE, SUPERSEDED, Cooperation, Place, Point, PointGroup
from consult.stances import Stance
from consult.submissions import Submission
from core import audit
from core.db import db
from core.errors import Refused

audit.ACTIONS.update(
    {
        "points.split": _l("拆分意见点"),
        "points.merged": _l("归并意见点"),
        "points.ungrouped": _l("移出归并的意见点"),
        "points.kept_apart": _l("认定不是同一意见"),
        "points.moved": _l("调整意见点"),
        "points.undone": _l("撤销对意见点的操作"),
    }
)
audit.KINDS["point_act"] = _l("意见点操作")
audit.FIELDS.update({"topic": _l("类别"), "place": _l("章节段落")})

MOST_PARTS = 60
MOST_MERGED = 2_000


# --- acts --------------------------------------------------------------------------------------


def split(
    submission: Submission, spans: Sequence[Place], *, by: audit.Actor, now: dt.datetime
) -> PointAct | None:
    """Let the submission be these points; None when it is them already. The spans follow each
    other and hold every visible character. A point whose span stays, stays."""
    points.lock_consultation(submission.consultation_id)
    db.session.refresh(submission, ["body", "state"])
    whole = _whole_cover(submission.body, spans)
    live = points.locked(Point.submission_id == submission.id)
    kept = {(p.start, p.end): p for p in live}
    gone = [p for p in live if (p.start, p.end) not in whole]
    fresh = [span for span in whole if span not in kept]
    if not gone and not fresh:
        return None
    _must_rest([p.id for p in gone])
    last = db.session.scalar(
        sa.select(sa.func.max(Point.ordinal)).where(Point.submission_id == submission.id)
    )
    sources = [_source(gone, begin) for begin, _end in fresh]
    made = [
        _child(source, span, submission, (last or 0) + n)
        for n, (source, span) in enumerate(zip(sources, fresh, strict=True), start=1)
    ]
    for point in gone:
        point.state = SUPERSEDED
    db.session.add_all(made)
    db.session.flush()
    _hand_on({p.id: source.id for p, source in zip(made, sources, strict=True)}, now)
    act = note(
        ActKind.SPLIT,
        submission.consultation_id,
        submission.id,
        {"points": [p.id for p in gone]},
        {"points": [p.id for p in made]},
        by,
        now,
    )
    _record("points.split", act, len(live), len(whole), by, now)
    return act


def merge(
    chosen: Sequence[Point],
    title: str,
    *,
    into: PointGroup | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct:
    """Put points that say the same together: into a new group, or to those of `into`. A point of
    another group leaves that one."""
    ids = sorted({p.id for p in chosen})
    if into is None and len(ids) < 2:
        raise Refused(_("请选择两点以上再归并。"))
    if not ids:
        raise Refused(_("请选择要归并的意见点。"))
    if len(ids) > MOST_MERGED:
        raise Refused(_("一次最多归并%(n)d点，请分几次归并。", n=MOST_MERGED))
    consultation_id = chosen[0].consultation_id
    points.lock_consultation(consultation_id)
    found = points.locked(Point.id.in_(ids), Point.consultation_id == consultation_id)
    if len(found) != len(ids):
        raise Refused(_("其中有的意见点刚刚已被重新拆分，请刷新后再归并。"))
    members_of_into = [p.id for p in points.members(into.id)] if into else []
    _must_rest([*ids, *members_of_into])
    title = title.strip() or (into.title if into else "")
    if not title:
        raise Refused(_("请写明这一组意见说的是什么。"))
    group = into or PointGroup(
        consultation_id=consultation_id, title=title[:200], made_at=now, made_by_id=by.id
    )
    db.session.add(group)
    db.session.flush()
    before = {"groups": [[p.id, p.group_id] for p in found], "points": ids}
    for point in found:
        point.group_id = group.id
    _follow_the_first([*members_of_into, *ids], found)
    after = {"points": ids, "group": group.id}
    act = note(ActKind.MERGE, consultation_id, None, before, after, by, now)
    _record("points.merged", act, len(found), 1, by, now, name=group.title)
    return act


def ungroup(chosen: Sequence[Point], *, by: audit.Actor, now: dt.datetime) -> PointAct:
    """Let points stand alone again."""
    if not chosen:
        raise Refused(_("请选择要移出的意见点。"))
    consultation_id = chosen[0].consultation_id
    points.lock_consultation(consultation_id)
    found = points.locked(Point.id.in_([p.id for p in chosen]), Point.group_id.is_not(None))
    if not found:
        raise Refused(_("这些意见点没有归并，请刷新后查看。"))
    _must_rest([p.id for p in found])
    ids = [p.id for p in found]
    before = {"groups": [[p.id, p.group_id] for p in found], "points": ids}
    for point in found:
        point.group_id = None
    act = note(ActKind.UNGROUP, consultation_id, None, before, {"points": ids}, by, now)
    _record("points.ungrouped", act, len(found), len(found), by, now)
    return act


def join(
    source: PointGroup, into: PointGroup, title: str = "", *, by: audit.Actor, now: dt.datetime
) -> PointAct:
    """Let two groups that were made apart be one: all of `source` join `into`, which may be called
    anew. What was in which group stays known, and is brought back by `undo`."""
    points.lock_consultation(into.consultation_id)
    if source.id == into.id or source.consultation_id != into.consultation_id:
        raise Refused(_("请选择另一组。"))
    moved = points.members(source.id)
    if not moved or not points.members(into.id):
        raise Refused(_("其中一组刚刚已经没有意见点了，请刷新后再看。"))
    act = merge(moved, "", into=into, by=by, now=now)
    if title.strip() and title.strip() != into.title:
        act.before = act.before | {"title": into.title}
        into.title = title.strip()[:200]
        db.session.flush()
    return act


def keep_apart(
    chosen: Sequence[Point], *, in_theme: bool = False, by: audit.Actor, now: dt.datetime
) -> PointAct:
    """Say that points do not say the same, though they look alike: nobody is asked again. `in_theme`:
    though they are of one theme; by their words they may still be proposed."""
    consultation_id = chosen[0].consultation_id
    points.lock_consultation(consultation_id)
    ids = [p.id for p in points.lock(chosen)]
    after: dict[str, Any] = {"points": ids} | ({"in_theme": True} if in_theme else {})
    act = note(ActKind.APART, consultation_id, None, {"points": ids}, after, by, now)
    _record("points.kept_apart", act, len(ids), len(ids), by, now)
    return act


def keep_groups_apart(
    one: PointGroup, other: PointGroup, *, by: audit.Actor, now: dt.datetime
) -> PointAct:
    """Say that two groups do not say the same: they are never proposed to be one again."""
    points.lock_consultation(one.consultation_id)
    pair = {"points": [], "groups": sorted((one.id, other.id))}
    act = note(ActKind.APART, one.consultation_id, None, pair, pair, by, now)
    _record("points.kept_apart", act, 0, 0, by, now, name=one.title)
    return act


def kept_apart(consultation_id: int, *, in_themes: bool = False) -> set[int]:
    """The points that somebody said do not say the same as what they look like; `in_themes`: nor as
    what is of their theme."""
    refused = _refusals(consultation_id)
    return {
        id for after in refused if in_themes or "in_theme" not in after for id in after["points"]
    }


def groups_kept_apart(consultation_id: int) -> set[tuple[int, int]]:
    """The pairs of groups that somebody said do not say the same."""
    return {
        (after["groups"][0], after["groups"][1])
        for after in _refusals(consultation_id)
        if "groups" in after
    }


def _refusals(consultation_id: int) -> Sequence[dict[str, Any]]:
    query = sa.select(PointAct.after).where(
        PointAct.consultation_id == consultation_id,
        PointAct.kind == ActKind.APART,
        PointAct.undone_at.is_(None),
    )
    return db.session.scalars(query).all()


def move(
    point: Point,
    *,
    topic_key: str | None = None,
    field_key: str | None = None,
    plan_key: str | None = None,
    place: int | None = None,
    version_id: int | None = None,
    stance: Stance | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct | None:
    """Say what a point is about: topic, field, plan, place in the draft, stance. None leaves as it is."""
    points.lock_consultation(point.consultation_id)
    if not points.locked(Point.id == point.id):
        raise points.taken_apart()
    before = _about(point)
    if topic_key is not None:
        point.topic_key = topic_key
    if field_key is not None:
        point.field_key = field_key
    if plan_key is not None:
        point.plan_key = plan_key
    if place is not None:
        point.place, point.version_id = place, version_id
    if stance is not None:
        point.stance = stance
    after = _about(point)
    if before == after:
        return None
    db.session.flush()
    act = note(ActKind.MOVE, point.consultation_id, point.submission_id, before, after, by, now)
    audit.record("points.moved", point, by=by, now=now, name=points.name(point))
    return act


def undo(act: PointAct, *, by: audit.Actor, now: dt.datetime) -> None:
    """Bring back what was before `act`; refused once something later stands on it."""
    points.lock_consultation(act.consultation_id)
    db.session.refresh(act)
    if act.undone_at is not None:
        raise Refused(_("这一操作已经撤销过了。"))
    if act.kind is ActKind.SPLIT:
        _undo_split(act)
    elif act.kind is ActKind.MOVE:
        _undo_move(act)
    elif act.kind is ActKind.ASSIGN:
        _undo_assignment(act)
    elif act.kind is not ActKind.APART:
        _undo_grouping(act)
    act.undone_at, act.undone_by_id = now, by.id
    db.session.flush()
    audit.record("points.undone", act, by=by, now=now, name=act.kind.title)


def _undo_split(act: PointAct) -> None:
    made = points.locked(Point.id.in_(act.after["points"]))
    if len(made) != len(act.after["points"]):
        raise Refused(_("之后又拆分过，请先撤销后来的操作。"))
    if any(p.group_id is not None for p in made):
        raise Refused(_("拆出来的意见点已经归并，请先移出归并。"))
    back = db.session.scalars(sa.select(Point).where(Point.id.in_(act.before["points"]))).all()
    # One that goes back into a group must not join it while it is being answered.
    others = [p.id for group in {p.group_id for p in back} if group for p in points.members(group)]
    _must_rest([*(p.id for p in made), *others])
    for point in made:
        point.state = SUPERSEDED
    for point in back:
        point.state = LIVE
    db.session.flush()


def _undo_move(act: PointAct) -> None:
    point = db.session.get_one(Point, act.before["points"][0])
    db.session.refresh(point)
    # An act of the first days knows neither field nor plan.
    if point.state is SUPERSEDED or _about(point) | act.after != _about(point):
        raise Refused(_("之后又有改动，请先撤销后来的操作。"))
    point.topic_key, point.place = act.before["topic"], act.before["place"]
    point.field_key = act.before.get("field", point.field_key)
    point.plan_key = act.before.get("plan", point.plan_key)
    point.version_id = act.before["version"]
    point.stance = Stance(act.before["stance"]) if act.before["stance"] else None


def _undo_assignment(act: PointAct) -> None:
    ids = act.after["points"]
    found = points.locked(Point.id.in_(ids))
    now_named = response_rows.assigned(ids)
    unit_id = act.after["unit"]
    if len(found) != len(ids) or any(
        (unit_id is not None and p.lead_unit_id != unit_id)
        or now_named.get(p.id) != act.after["person"]
        for p in found
    ):
        raise Refused(_("之后又有改动，请先撤销后来的操作。"))
    response_rows.assign(dict(act.before["persons"]))


def _undo_grouping(act: PointAct) -> None:
    earlier: dict[int, int | None] = dict(act.before["groups"])
    found = points.locked(Point.id.in_(list(earlier)))
    expected = act.after.get("group")
    if len(found) != len(earlier) or any(p.group_id != expected for p in found):
        raise Refused(_("之后又有改动，请先撤销后来的操作。"))
    # Those that go back into a group must not join one that is being answered.
    others = [p.id for group in set(earlier.values()) if group for p in points.members(group)]
    _must_rest([*earlier, *others])
    for point in found:
        point.group_id = earlier[point.id]
    if "title" in act.before:
        db.session.get_one(PointGroup, act.after["group"]).title = act.before["title"]
    db.session.flush()


# --- reading -----------------------------------------------------------------------------------


def acts_on(
    consultation_id: int, *, before: int | None = None, limit: int = 20
) -> Sequence[PointAct]:
    """What was done to the points of a consultation, the newest first."""
    query = sa.select(PointAct).where(PointAct.consultation_id == consultation_id)
    if before is not None:
        query = query.where(PointAct.id < before)
    return db.session.scalars(query.order_by(PointAct.id.desc()).limit(limit)).all()


def told(acts: Sequence[PointAct]) -> dict[int, str]:
    """{act: what it was done to}: the opinion that was split, or the group and how many points."""
    titles = {
        group.id: group.title
        for group in db.session.scalars(
            sa.select(PointGroup).where(
                PointGroup.id.in_([a.after["group"] for a in acts if "group" in a.after])
            )
        )
    }
    numbers: dict[int, int] = {
        row.id: row.number
        for row in db.session.execute(
            sa.select(Submission.id, Submission.number).where(
                Submission.id.in_([a.submission_id for a in acts if a.submission_id])
            )
        )
    }
    found = {}
    for act in acts:
        words = _("%(n)d点", n=len(act.after["points"]))
        if act.kind is ActKind.ASSIGN:
            person = act.after["name"] or _("不指定")
            words = _("%(n)d点，%(name)s", n=len(act.after["points"]), name=person)
        elif act.submission_id:
            words = _("第%(n)d件", n=numbers[act.submission_id])
        elif title := titles.get(act.after.get("group", 0)):
            words = _("“%(title)s”，%(n)d点", title=title, n=len(act.after["points"]))
        found[act.id] = str(words)
    return found


def history(submission_id: int) -> Sequence[PointAct]:
    """How a submission was split and split again, the newest first."""
    query = sa.select(PointAct).where(PointAct.submission_id == submission_id)
    return db.session.scalars(query.order_by(PointAct.id.desc())).all()


# --- what acts stand on ------------------------------------------------------------------------


def _must_rest(ids: Sequence[int]) -> None:
    if ids and response_rows.begun(ids):
        raise Refused(_("其中有的意见点已经拟了答复，退回待办以后才能拆分或归并。"))


def _whole_cover(body: str, spans: Sequence[Place]) -> list[tuple[int, int | None]]:
    """The spans as points keep them: the first from the beginning, each to where the next one
    begins, the last one open."""
    given = sorted(spans)
    if not given:
        raise Refused(_("每件意见至少是一点。"))
    if len(given) > MOST_PARTS:
        raise Refused(_("一件意见最多拆成%(n)d点。", n=MOST_PARTS))
    cuts = [0, *(begin for begin, _end in given[1:]), len(body)]
    ends = [end for _begin, end in given]
    between = [
        body[: given[0][0]],
        *(body[end:begin] for end, begin in zip(ends, cuts[1:-1], strict=False)),
        body[ends[-1] :],
    ]
    fits = all(0 <= begin < end <= len(body) for begin, end in given)
    follows = all(end <= begin for end, begin in zip(ends, cuts[1:-1], strict=False))
    parts = list(pairwise(cuts))
    if not fits or not follows or any(gap.strip() for gap in between):
        raise Refused(_("拆分要把全部文字都分到各点里，不重复也不遗漏。"))
    if len(parts) > 1 and not all(body[begin:end].strip() for begin, end in parts):
        raise Refused(_("有一点没有文字，请重新选择。"))
    return [*parts[:-1], (parts[-1][0], None)]


def _source(gone: Sequence[Point], begin: int) -> Point:
    """The point that had the words at `begin`; what was known of it goes on."""
    return next(p for p in gone if p.start <= begin and (p.end is None or begin < p.end))


def _child(
    source: Point, span: tuple[int, int | None], submission: Submission, ordinal: int
) -> Point:
    return Point(
        consultation_id=submission.consultation_id,
        submission_id=submission.id,
        ordinal=ordinal,
        start=span[0],
        end=span[1],
        state=LIVE,
        topic_key=source.topic_key,
        field_key=source.field_key,
        plan_key=source.plan_key,
        place=source.place,
        version_id=source.version_id,
        stance=source.stance,
        lead_unit_id=source.lead_unit_id,
    )


def _hand_on(sources: dict[int, int], now: dt.datetime) -> None:
    """Let new points be answered by those, and by the day, that was said of the old ones."""
    helping = points.cooperating(list(set(sources.values())))
    db.session.add_all(
        Cooperation(point_id=fresh, unit_id=unit)
        for fresh, source in sources.items()
        for unit in helping.get(source, ())
    )
    response_rows.inherit(sources, now=now)
    db.session.flush()


def _follow_the_first(every: Sequence[int], fresh: Sequence[Point]) -> None:
    """What one group says is one topic; a point without one takes over that of the others."""
    known = db.session.scalars(
        sa.select(Point.topic_key).where(Point.id.in_(every), Point.topic_key != "")
    ).all()
    for point in fresh:
        if not point.topic_key and known:
            point.topic_key = known[0]
    db.session.flush()


def _about(point: Point) -> dict[str, Any]:
    return {
        "points": [point.id],
        "topic": point.topic_key,
        "field": point.field_key,
        "plan": point.plan_key,
        "place": point.place,
        "version": point.version_id,
        "stance": point.stance.value if point.stance else None,
    }


def note(
    kind: ActKind,
    consultation_id: int,
    submission_id: int | None,
    before: dict[str, Any],
    after: dict[str, Any],
    by: audit.Actor,
    now: dt.datetime,
) -> PointAct:
    """Keep what was done, so that it can be followed and undone."""
    act = PointAct(
        consultation_id=consultation_id,
        submission_id=submission_id,
        kind=kind,
        before=before,
        after=after,
        at=now,
        by_id=by.id,
        by_name=by.name,
    )
    db.session.add(act)
    db.session.flush()
    return act


def _record(
    action: str,
    act: PointAct,
    before: int,
    after: int,
    by: audit.Actor,
    now: dt.datetime,
    *,
    name: str = "",
) -> None:
    audit.record(
        action, act, by=by, now=now, name=name, before={"points": before}, after={"points": after}
    )
