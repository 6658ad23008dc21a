"""Adoption reports (采纳情况表): what became of every point of a round, released by two persons.

A report goes in four parts by channel: 部门街镇 for what came from units, 公众咨询团 for the panel,
专家论证 for meetings, 社会公众 for everything else. When it is released its answers are frozen; the
words of the opinions are not kept in it but read where they stand, so that what is masked, hidden or
erased later leaves every edition too. A correction is a new edition with a note.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import (
    answering,
    asked_units,
    changes,
    consultations,
    drafts,
    points,
    response_progress,
    responses,
)
from consult.asked_units import AskedUnit
from consult.changes import Met
from consult.consultations import Consultation, ConsultationState
from consult.points import Point
from consult.responses import Outcome, Response
from consult.revisions import Passage
from consult.submissions import Channel, Submission, SubmissionState
from core import audit
from core.db import Base, db
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

BATCH = 500


class Part(Enum):
    """From whom the opinions of a part came."""

    UNITS = "units"
    PUBLIC = "public"
    PANEL = "panel"
    EXPERTS = "experts"

    @property
    def title(self) -> str:
        """The part in the words of the page."""
        titles: dict[Part, str] = {
            Part.UNITS: _("征询部门街镇"),
            Part.PUBLIC: _("社会公众"),
            Part.PANEL: _("公众咨询团"),
            Part.EXPERTS: _("专家论证"),
        }
        return titles[self]


PART_OF = {
    Channel.UNIT: Part.UNITS,
    Channel.PANEL: Part.PANEL,
    Channel.MEETING: Part.EXPERTS,
}


class AdoptionReport(Base):
    """One edition: proposed by one person, released by another, never changed after that."""

    __tablename__ = "adoption_report"
    __table_args__ = (
        sa.UniqueConstraint("consultation_id", "number"),
        sa.CheckConstraint("(released_at IS NULL) = (released_by_name IS NULL)", name="released"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    number: Mapped[int]
    # What the notice will say when this edition answers the round.
    feedback: Mapped[str] = mapped_column(sa.Text, default="")
    # Why there is a further edition.
    note: Mapped[str] = mapped_column(sa.Text, default="")
    proposed_at: Mapped[dt.datetime]
    proposed_by_id: Mapped[int | None]
    proposed_by_name: Mapped[str] = mapped_column(sa.String(120))
    released_at: Mapped[dt.datetime | None]
    released_by_id: Mapped[int | None]
    released_by_name: Mapped[str | None] = mapped_column(sa.String(120))
    # {"rows": [Row.kept(), …], "asked": [AskedUnit.kept(), …]}, without a word of
    # the opinions; empty until it is released.
    content: Mapped[dict[str, Any]] = mapped_column(deferred=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a point, or points put together, with their answer."""

    part: Part
    points: tuple[int, ...]
    outcome: Outcome
    reason: str
    place: str
    # Whether the text was changed as the answer says, and how.
    met: Met = Met.NOT_DUE
    passages: tuple[Passage, ...] = ()
    # On what it was said, where a table holds several consultations; not kept.
    draft: str = ""

    @property
    def changed(self) -> str:
        """修改后文字: what was made of what, or that it is still to come."""
        return self.told or self.met.title

    @property
    def told(self) -> str:
        """What was made of what; "" when nothing was."""
        return "\n".join(each.words for each in self.passages)

    def kept(self) -> dict[str, Any]:
        """As a plain value."""
        return {
            "part": self.part.value,
            "points": list(self.points),
            "outcome": self.outcome.value,
            "reason": self.reason,
            "place": self.place,
            "met": self.met.value,
            "passages": [each.kept() for each in self.passages],
        }

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "Row":
        """Back from the plain value."""
        return cls(
            Part(kept["part"]),
            tuple(kept["points"]),
            Outcome(kept["outcome"]),
            kept["reason"],
            kept["place"],
            # Editions of the first days have neither.
            Met(kept.get("met", "")),
            tuple(Passage.of(each) for each in kept.get("passages", ())),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is read: with the words, as far as they may be read."""

    number: int
    part: Part
    who: str
    channel: str
    place: str
    words: str
    outcome: Outcome
    reason: str
    changed: str
    count: int
    draft: str = ""

    @property
    def where(self) -> str:
        """对应章节, after the consultation where there are several."""
        return f"{self.draft}　{self.place}" if self.draft else self.place


@dataclass(frozen=True, slots=True)
class Totals:
    """How many points ended how, in each part."""

    counts: Counter[tuple[Part, Outcome]]

    @property
    def points(self) -> int:
        """All of them."""
        return self.counts.total()

    def of_part(self, part: Part) -> int:
        """All of a part."""
        return sum(n for (each, _outcome), n in self.counts.items() if each is part)

    def of_outcome(self, outcome: Outcome) -> int:
        """All that ended so."""
        return sum(n for (_part, each), n in self.counts.items() if each is outcome)


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


def frozen(report: AdoptionReport) -> list[Row]:
    """The rows of a released edition."""
    return [Row.of(each) for each in report.content["rows"]]


def asked(report: AdoptionReport) -> list[AskedUnit]:
    """The units that were asked, as they stood at the release."""
    return asked_units.frozen(report.content)


def gather(consultation_id: int) -> list[Row]:
    """The rows as the answers stand now: those of a group whose answer is the same are one row."""
    query = (
        sa.select(
            Point.id,
            Point.group_id,
            Point.place,
            Point.version_id,
            Submission.channel,
            Response.outcome,
            Response.reason,
        )
        .join(Submission, Submission.id == Point.submission_id)
        .join(Response, Response.point_id == Point.id)
        .where(
            Point.consultation_id == consultation_id,
            responses.needs_answer(),
            Response.state.in_(responses.DONE),
        )
        .order_by(Submission.number, Point.start)
    )
    found: dict[tuple[object, ...], list[Any]] = {}
    for each in db.session.execute(query):
        part = PART_OF.get(each.channel, Part.PUBLIC)
        alone = each.id if each.group_id is None else 0
        key = (part, each.group_id, alone, each.outcome, each.reason)
        found.setdefault(key, []).append(each)
    addresses, fulfilment = _Addresses(), changes.Fulfilment(consultation_id)
    changed = changes.of_points([each.id for some in found.values() for each in some])
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
            )
        )
    order = list(Part)
    return sorted(rows, key=lambda row: order.index(row.part))


def _passages(every: Iterable[changes.Change]) -> tuple[Passage, ...]:
    """The changes in few words, each once."""
    return tuple(dict.fromkeys(each.passage for each in every))


def met(rows: Iterable[Row]) -> Counter[Met]:
    """How many points were to change the text, by whether they did."""
    counts: Counter[Met] = Counter()
    for row in rows:
        if row.met is not Met.NOT_DUE:
            counts[row.met] += len(row.points)
    return counts


def totals(rows: Iterable[Row]) -> Totals:
    """Counted from the rows: points, so that a row of several counts as several."""
    counts: Counter[tuple[Part, Outcome]] = Counter()
    for row in rows:
        counts[row.part, row.outcome] += len(row.points)
    return Totals(counts)


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
    return Line(
        number,
        row.part,
        who or nobody,
        channel,
        row.place or everywhere,
        words or silent,
        row.outcome,
        row.reason,
        row.told or unchanged[row.met],
        len(row.points),
        row.draft,
    )


def _said(ids: Sequence[int], *, full: bool) -> dict[int, tuple[str, str, str]]:
    """{point id: (channel, name, words)}."""
    found, titles = {}, {each: each.title for each in Channel}
    for begin in range(0, len(ids), BATCH):
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
            .where(Point.id.in_(ids[begin : begin + BATCH]))
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
        content={"rows": []},
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
    if (by.id, by.name) == (report.proposed_by_id, report.proposed_by_name):
        raise Refused(_("提请的人不能自己批准，请由另一位同事批准发布。"))
    _must_be_answered(consultation)
    if consultation.state is ConsultationState.ANSWERED:
        responses.publish(consultation, by=by, now=now)
    else:
        answering.answer(consultation, feedback=report.feedback, site=site, by=by, now=now)
    report.content = {
        "rows": [row.kept() for row in gather(consultation.id)],
        "asked": [each.kept() for each in asked_units.gather(consultation.id)],
    }
    report.released_at, report.released_by_id = now, by.id
    report.released_by_name = by.name[:120]
    db.session.flush()
    consultations.touch(consultation)
    what = _("发布采纳情况表第%(n)d版", n=report.number)
    consultations.log_change(consultation, what, now=now, reason=report.note)
    _record("adoption.released", report, consultation, by, now)


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
