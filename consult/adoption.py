"""Adoption reports (采纳情况表): what became of every point of a round, released by two persons.

A report goes in four parts by channel: 部门街镇 for what came from units, 公众咨询团 for the panel,
专家论证 for meetings, 社会公众 for everything else. When it is released its answers are frozen; the
words of the opinions are not kept in it but read where they stand, so that what is masked, hidden or
erased later leaves every edition too. A correction is a new edition with a note.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import (
    adoption_finding,
    answering,
    asked_units,
    changes,
    consultations,
    drafts,
    points,
    response_progress,
    responses,
    taxonomies,
)
from consult.adoption_rows import PART_OF as PART_OF
from consult.adoption_rows import AdoptionReport as AdoptionReport
from consult.adoption_rows import AdoptionRow as AdoptionRow
from consult.adoption_rows import Line as Line
from consult.adoption_rows import Part as Part
from consult.adoption_rows import Row as Row
from consult.adoption_rows import Sums as Sums
from consult.adoption_rows import Totals as Totals
from consult.asked_units import AskedUnit
from consult.changes import Met
from consult.consultations import Consultation, ConsultationState
from consult.points import Point
from consult.responses import Outcome, Response
from consult.revisions import Passage
from consult.submissions import Channel, Submission, SubmissionState
from core import audit
from core.db import batches, db
from core.errors import Refused

audit.KINDS["adoption_report"] = _l("采纳情况表")
audit.ACTIONS.update(
    {
        "adoption.proposed": _l("提请发布采纳情况表"),
        "adoption.taken_back": _l("撤回采纳情况表的提请"),
        "adoption.released": _l("发布采纳情况表"),
        "adoption.taken_in_full": _l("下载采纳情况表全本"),
    }
)
audit.FIELDS.update({"edition": _l("版次")})


# --- reading -----------------------------------------------------------------------------------


def released(consultation_id: int) -> Sequence[AdoptionReport]:
    """The editions that are out, the newest first."""
    query = sa.select(AdoptionReport).where(
        AdoptionReport.consultation_id == consultation_id,
        AdoptionReport.released_at.is_not(None),
    )
    return db.session.scalars(query.order_by(AdoptionReport.number.desc())).all()


def waiting(consultation_id: int) -> AdoptionReport | None:
    """The edition that waits for the second person."""
    query = sa.select(AdoptionReport).where(
        AdoptionReport.consultation_id == consultation_id, AdoptionReport.released_at.is_(None)
    )
    return db.session.scalars(query).first()


def frozen(report: AdoptionReport, *, after: int = 0, limit: int | None = None) -> list[Row]:
    """The rows of a released edition, those after a number, up to so many."""
    query = sa.select(AdoptionRow.content).where(
        AdoptionRow.report_id == report.id, AdoptionRow.number > after
    )
    query = query.order_by(AdoptionRow.number).limit(limit)
    return [Row.of(each) for each in db.session.scalars(query)]


def sums(report: AdoptionReport) -> Sums:
    """What is counted of a released edition, as it was kept with it."""
    return Sums.from_kept(report.content["sums"])


def asked(report: AdoptionReport) -> list[AskedUnit]:
    """The units that were asked, as they stood at the release."""
    return asked_units.frozen(report.content)


def gather(consultation_id: int) -> list[Row]:
    """The rows as the answers stand now: those of a group whose answer is the same are one row."""
    query = _answered(
        consultation_id,
        Point.id,
        Point.group_id,
        Point.place,
        Point.version_id,
        Point.field_key,
        Point.plan_key,
        Point.submission_id,
        Submission.channel,
        Submission.person_key,
        Response.outcome,
        Response.reason,
    ).order_by(Submission.number, Point.start)
    found: dict[tuple[object, ...], list[Any]] = {}
    for each in db.session.execute(query):
        part = PART_OF.get(each.channel, Part.PUBLIC)
        alone = each.id if each.group_id is None else 0
        key = (part, each.group_id, alone, each.outcome, each.reason)
        found.setdefault(key, []).append(each)
    addresses, fulfilment = _Addresses(), changes.Fulfilment(consultation_id)
    changed = changes.of_points([each.id for some in found.values() for each in some])
    taxonomy = taxonomies.of(consultations.by_id(consultation_id).programme)
    rows = []
    for some in found.values():
        first = some[0]
        passages = _passages(each for point in some for each in changed.get(point.id, ()))
        rows.append(
            Row(
                PART_OF.get(first.channel, Part.PUBLIC),
                tuple(each.id for each in some),
                first.outcome,
                first.reason,
                addresses.of(first.version_id, first.place),
                fulfilment.of(first.outcome, first.version_id, bool(passages)),
                passages,
                _filed(some, taxonomy),
                len({each.submission_id for each in some}),
                # Without a key nobody can be told from anybody: each opinion is somebody's own.
                len({each.person_key or each.submission_id for each in some}),
            )
        )
    order = list(Part)
    return sorted(rows, key=lambda row: order.index(row.part))


def count(consultation_id: int) -> Sums:
    """What is counted of the rows as the answers stand now, without putting them together."""
    number, alone = sa.func.count(Point.id), sa.case((Point.group_id.is_(None), Point.id))
    each_kind = _answered(
        consultation_id, Submission.channel, Response.outcome, number, sa.func.count(alone)
    ).group_by(Submission.channel, Response.outcome)
    counts: Counter[tuple[Part, Outcome]] = Counter()
    parts: Counter[Part] = Counter()
    for channel, outcome, points_there, rows in db.session.execute(each_kind):
        part = PART_OF.get(channel, Part.PUBLIC)
        counts[part, outcome] += points_there
        parts[part] += rows
    together = _answered(
        consultation_id, Submission.channel, Point.group_id, Response.outcome, Response.reason
    )
    query = together.where(Point.group_id.is_not(None)).distinct()
    parts.update(
        part
        for part, *_answer in {
            (PART_OF.get(channel, Part.PUBLIC), *answer)
            for channel, *answer in db.session.execute(query)
        }
    )
    return Sums(Totals(counts), _met(consultation_id), parts)


def _met(consultation_id: int) -> Counter[Met]:
    """How many points that were to change the text did, row by row."""
    in_group = sa.case((Point.group_id.is_not(None), Response.reason), else_="")
    query = _answered(
        consultation_id,
        Point.id,
        Point.version_id,
        Submission.channel,
        Point.group_id,
        Response.outcome,
        in_group,
    ).where(Response.outcome.in_(changes.MADE))
    rows: dict[tuple[object, ...], list[tuple[int, int | None]]] = {}
    for id, version_id, channel, group, outcome, reason in db.session.execute(
        query.order_by(Submission.number, Point.start)
    ):
        part, alone = PART_OF.get(channel, Part.PUBLIC), id if group is None else 0
        key = (outcome, part, group, alone, reason)
        rows.setdefault(key, []).append((id, version_id))
    fulfilment = changes.Fulfilment(consultation_id)
    changed = changes.of_points([id for some in rows.values() for id, _version in some])
    met: Counter[Met] = Counter()
    for (outcome, *_rest), some in rows.items():
        assert isinstance(outcome, Outcome)
        linked = any(id in changed for id, _version in some)
        met[fulfilment.of(outcome, some[0][1], linked)] += len(some)
    return met


def _answered(consultation_id: int, *columns: Any) -> sa.Select[*tuple[Any, ...]]:
    """What is asked of the points of a consultation that have a final answer."""
    return (
        sa.select(*columns)
        .select_from(Point)
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            Point.consultation_id == consultation_id,
            responses.needs_answer(),
            Response.state.in_(responses.DONE),
        )
    )


def _filed(some: Iterable[Any], taxonomy: taxonomies.Taxonomy) -> tuple[str, ...]:
    """What the points are filed under, each once."""
    keys = dict.fromkeys((each.field_key, each.plan_key) for each in some)
    told = [title for field, plan in keys for title in taxonomy.labelled(field, plan)]
    return tuple(dict.fromkeys(told))


def _passages(every: Iterable[changes.Change]) -> tuple[Passage, ...]:
    """The changes in few words, each once."""
    return tuple(dict.fromkeys(each.passage for each in every))


def lines(rows: Sequence[Row], *, first: int = 1, full: bool = False) -> list[Line]:
    """The rows with the words of the first opinion of each that may be read; `full`: of any."""
    said = _said([point for row in rows for point in row.points], full=full)
    # Asked for once: finding a word's translation takes longer than a row does.
    usual = (_("未署名"), _("全文"), _("（内容未公开）"))
    unchanged = {each: each.title for each in Met}
    return [_line(number, row, said, usual, unchanged) for number, row in enumerate(rows, first)]


def _line(
    number: int,
    row: Row,
    said: dict[int, tuple[str, str, str]],
    usual: tuple[str, str, str],
    unchanged: dict[Met, str],
) -> Line:
    nobody, everywhere, silent = usual
    channel, who, words = said.get(row.points[0], ("", "", ""))
    for point in row.points:
        if said.get(point, ("", "", ""))[2]:
            channel, who, words = said[point]
            break
    who = who or nobody
    if row.people > 1:
        who = _("%(name)s等%(n)d人", name=who, n=row.people)
    return Line(
        number,
        row.part,
        who,
        channel,
        row.place or everywhere,
        words or silent,
        row.outcome,
        row.reason,
        row.told or unchanged[row.met],
        len(row.points),
        row.opinions,
        "；".join(row.filed),
        row.draft,
    )


def _said(ids: Sequence[int], *, full: bool) -> dict[int, tuple[str, str, str]]:
    """{point id: (channel, name, words)}."""
    found, titles = {}, {each: each.title for each in Channel}
    for some in batches(ids):
        query = (
            sa.select(
                Point.id,
                Point.start,
                Point.end,
                Submission.channel,
                Submission.public_name,
                Submission.state,
                Submission.body,
            )
            .join(Submission, Submission.id == Point.submission_id)
            .where(Point.id.in_(some))
        )
        for each in db.session.execute(query):
            readable = each.state is SubmissionState.SHOWN or (
                full and each.state not in (SubmissionState.WITHDRAWN, SubmissionState.UNDONE)
            )
            words = each.body[each.start : each.end].strip() if readable else ""
            name = each.public_name if readable else ""
            found[each.id] = (titles[each.channel], name, words)
    return found


class _Addresses:
    """Where points stand in the draft, in words; each version is read once."""

    def __init__(self) -> None:
        self._outlines: dict[int, drafts.Outline | None] = {}

    def of(self, version_id: int | None, place: int) -> str:
        if version_id is None or not place:
            return ""
        if version_id not in self._outlines:
            version = drafts.version_by_id(version_id)
            self._outlines[version_id] = drafts.outline(version) if version else None
        outline = self._outlines[version_id]
        return outline.address(place) if outline else ""


# --- acts --------------------------------------------------------------------------------------


def propose(
    consultation: Consultation,
    *,
    feedback: str = "",
    note: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> AdoptionReport:
    """Ask a second person to release the table. `feedback` goes on the notice when the round is
    answered by it; `note` says what a further edition puts right."""
    points.lock_consultation(consultation.id)
    db.session.refresh(consultation)
    if waiting(consultation.id) is not None:
        raise Refused(_("已经有一份采纳情况表在等待批准。"), kept_text=feedback or note)
    earlier = released(consultation.id)
    if earlier and not note:
        raise Refused(_("请写明这一版更正了什么。"))
    if consultation.state is not ConsultationState.ANSWERED and not feedback:
        raise Refused(_("请写明反馈内容。"))
    _must_be_answered(consultation, feedback or note)
    report = AdoptionReport(
        consultation_id=consultation.id,
        number=earlier[0].number + 1 if earlier else 1,
        feedback=feedback,
        note=note,
        proposed_at=now,
        proposed_by_id=by.id,
        proposed_by_name=by.name[:120],
        content={},
    )
    db.session.add(report)
    db.session.flush()
    _record("adoption.proposed", report, consultation, by, now)
    return report


def take_back(
    report: AdoptionReport, consultation: Consultation, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Let the table not be released for now."""
    _hold(report, consultation)
    _record("adoption.taken_back", report, consultation, by, now)
    db.session.delete(report)
    db.session.flush()


def release(
    report: AdoptionReport,
    consultation: Consultation,
    *,
    site: str,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Freeze the table and publish it. The first edition answers the round and tells the authors,
    unless that was done before."""
    _hold(report, consultation)
    # An account is one person whatever it is called; without one it is the name that tells.
    own = by.id == report.proposed_by_id
    if own and (by.id is not None or by.name == report.proposed_by_name):
        raise Refused(_("提请的人不能自己批准，请由另一位同事批准发布。"))
    _must_be_answered(consultation)
    if consultation.state is ConsultationState.ANSWERED:
        responses.publish(consultation, by=by, now=now)
    else:
        answering.answer(consultation, feedback=report.feedback, site=site, by=by, now=now)
    freeze(report, gather(consultation.id), asked_units.gather(consultation.id))
    report.released_at, report.released_by_id = now, by.id
    report.released_by_name = by.name[:120]
    db.session.flush()
    consultations.touch(consultation)
    what = _("发布采纳情况表第%(n)d版", n=report.number)
    consultations.log_change(consultation, what, now=now, reason=report.note)
    _record("adoption.released", report, consultation, by, now)


def freeze(report: AdoptionReport, rows: Sequence[Row], asked: Iterable[AskedUnit] = ()) -> None:
    """Keep the table with its edition as it is now."""
    report.content = {"sums": Sums.of(rows).kept(), "asked": [each.kept() for each in asked]}
    db.session.flush()
    kept = [
        {"report_id": report.id, "number": number, "content": row.kept()}
        for number, row in enumerate(rows, 1)
    ]
    if kept:
        db.session.execute(sa.insert(AdoptionRow), kept)
    adoption_finding.follow(report, rows)


def note_full(
    consultation: Consultation, report: AdoptionReport | None, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Put on record that somebody took the table with the words that are not public."""
    audit.record(
        "adoption.taken_in_full",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        after={"edition": report.number if report else 0},
    )


def _hold(report: AdoptionReport, consultation: Consultation) -> None:
    points.lock_consultation(consultation.id)
    query = sa.select(AdoptionReport).where(AdoptionReport.id == report.id)
    fresh = db.session.scalars(query.execution_options(populate_existing=True)).one_or_none()
    db.session.refresh(consultation)
    if fresh is None or fresh.released_at is not None:
        raise Refused(_("这份采纳情况表已经发布或者撤回了，请刷新后查看。"))


def _must_be_answered(consultation: Consultation, kept_text: str = "") -> None:
    if left := response_progress.open_count(consultation.id):
        raise Refused(
            _("还有%(n)d个意见点没有定稿的答复，全部答复以后才能发布采纳情况表。", n=left),
            kept_text=kept_text,
        )


def _record(
    action: str,
    report: AdoptionReport,
    consultation: Consultation,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    audit.record(
        action,
        report,
        by=by,
        now=now,
        name=consultation.title,
        after={"edition": report.number},
        reason=report.note,
    )
