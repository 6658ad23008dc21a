"""Archives (归档): the whole record of one consultation as one file, in the order of papers.

The masked variant holds what the public may read and what was decided about the rest; the full one
also the words of what is not shown, the originals of what was masked, and who acted. Other nouns
add their papers through `CONTRIBUTORS`, so that this module need not know all that comes later.
The first paper says what is in the others, for whoever opens the file without the site.
"""

import datetime as dt
import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from consult import (
    adoption,
    adoption_papers,
    archive_answers,
    asked_units,
    changes,
    drafts,
    inquiries,
    lexicons,
    revisions,
)
from consult.adoption import AdoptionReport, Part
from consult.appeals import Appeal
from consult.archive_papers import Variant as Variant
from consult.archive_papers import csv_paper, json_paper, moment, plain
from consult.archiving import Paper, pack
from consult.consultations import Consultation, ConsultationChange
from consult.decisions import Decision
from consult.drafts import Version, VersionState
from consult.inquiries import Inquiry
from consult.originals import Original
from consult.point_rows import Point, PointAct
from consult.responses import Outcome, ResponseState
from consult.stances import Stance
from consult.submissions import Channel, Submission, SubmissionState
from consult.summaries import Summary, SummaryState, plain_values, readings
from core import audit
from core.audit import AuditEvent
from core.db import db

audit.ACTIONS.update({"consultation.archived": _l("生成归档文件")})
audit.FIELDS.update({"variant": _l("版本"), "seal": _l("封存码"), "papers": _l("材料份数")})

BATCH = 1000
GUIDE = Path(__file__).with_name("data") / "archive-guide.txt"
# What the codes in the papers stand for: (column, its values).
CODES: tuple[tuple[str, type[Enum]], ...] = (
    ("channel", Channel),
    ("state", SubmissionState),
    ("stance", Stance),
    ("answer", ResponseState),
    ("outcome", Outcome),
    ("part", Part),
)
# What of an act is a person's name, or an outcome that may not be out yet (points.csv says those that
# are); and the things about which staff write among themselves.
_PRIVATE = frozenset({"person", "name", "outcome"})
_AMONG_STAFF = frozenset({"point", "point_act"})

# What later nouns add: (consultation, variant) → papers, whose names begin with 04-.
Contributor = Callable[[Consultation, Variant], Iterable[Paper]]
CONTRIBUTORS: list[Contributor] = []
# Of which things of theirs the acts are on record, too: (consultation, variant) → (kind, their ids).
Recorded = Callable[[Consultation, Variant], Iterable[tuple[str, sa.Select[Any]]]]
RECORDED: list[Recorded] = []


def make(
    consultation: Consultation, variant: Variant, path: Path, *, by: audit.Actor, now: dt.datetime
) -> str:
    """Write the record of the consultation to `path`; the seal, which is put on record.

    Equal records give equal bytes, so the act itself is not among the papers, nor is the moment.
    """
    about = {
        "title": consultation.title,
        "consultation": consultation.slug,
        "variant": variant.value,
        "verify": "python -m consult.archiving FILE",
    }
    packed = pack(papers(consultation, variant), about, path)
    audit.record(
        "consultation.archived",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        after={"variant": variant.value, "papers": packed.papers, "seal": packed.seal},
    )
    return packed.seal


def papers(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """Every paper of the record, in order."""
    yield _guide()
    yield from _notice(consultation)
    yield from _versions(consultation, variant)
    yield from _opinions(consultation, variant)
    yield from _asked(consultation)
    for contributor in CONTRIBUTORS:
        yield from contributor(consultation, variant)
    yield from _summaries(consultation, variant)
    yield from _decisions(consultation, variant)
    yield from archive_answers.papers(consultation, variant)
    yield from _reports(consultation, variant)
    yield _record(consultation, variant)


# --- the papers, in order ------------------------------------------------------------------------


def _guide() -> Paper:
    """What stands in each paper, and what the codes mean."""
    lines = [GUIDE.read_text(encoding="utf-8"), "【代码】"]
    for column, every in CODES:
        lines.append(f"  {column}　" + "，".join(f"{e.value} {e.title}" for e in every))  # type: ignore[attr-defined]  # each of ours has one
    return Paper("00-guide.txt", "\n".join([*lines, ""]).encode())


def _notice(consultation: Consultation) -> Iterator[Paper]:
    words = ("title", "explanation", "ways", "contact", "short_reason", "feedback")
    notice = {name: getattr(consultation, name) for name in words}
    notice |= {
        "unit": consultation.unit.name if consultation.unit else "",
        "programme": consultation.programme.title,
        "stage": consultation.stage.title,
        "state": consultation.state.value,
        "opens_at": moment(consultation.opens_at),
        "closes_at": moment(consultation.closes_at),
        "received": consultation.received,
        "shown": consultation.shown,
    }
    yield json_paper("01-notice/notice.json", notice)
    query = sa.select(ConsultationChange).where(
        ConsultationChange.consultation_id == consultation.id
    )
    logged = db.session.scalars(query.order_by(ConsultationChange.id))
    yield json_paper(
        "01-notice/changes.json",
        [{"at": moment(c.at), "what": c.what, "reason": c.reason} for c in logged],
    )


def _versions(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """The draft as it went. Masked: what was published of it."""
    for version in reversed(drafts.versions(consultation)):
        if variant is Variant.MASKED and version.state is not VersionState.PUBLISHED:
            continue
        paragraphs = drafts.paragraphs_of(version)
        facts = {
            "title": version.draft.title,
            "number": version.number,
            "state": version.state.value,
            "source_name": version.source_name,
            "source_sha256": version.source_sha256,
            "published_at": moment(version.published_at),
            "paragraphs": [
                {"mark": p.mark, "kind": p.kind.value, "level": p.level, "text": p.text}
                for p in paragraphs
            ],
        }
        yield json_paper(f"02-drafts/version-{version.number:02}.json", facts)
        text = "\n\n".join(p.text for p in paragraphs)
        yield Paper(f"02-drafts/version-{version.number:02}.txt", f"{text}\n".encode())


OPINION_COLUMNS = (
    *("number", "received_on", "channel", "state", "stance", "version", "mark"),
    *("id", "public_name", "title", "body"),
)
ASKED_COLUMNS = ("unit", "answer", "due_on", "asked_at", "none_at", "opinions", "points")


def _opinions(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """All that was received. Masked: of what is not shown only that it came and its state."""
    full = variant is Variant.FULL
    numbers = {v.id: v.number for v in drafts.versions(consultation)}
    rows = []
    for each in _submissions(consultation):
        readable = full or each.state is SubmissionState.SHOWN
        rows.append(
            (
                each.number,
                each.received_on.isoformat(),
                each.channel.value,
                each.state.value,
                each.stance.value if each.stance else "",
                numbers.get(each.version_id or 0, ""),
                _mark(each),
                each.id,
                each.public_name if readable else "",
                each.title if readable else "",
                each.body if readable else "",
            )
        )
    yield csv_paper("03-opinions/opinions.csv", OPINION_COLUMNS, rows)
    if full:
        query = sa.select(Submission.number, Original.title, Original.body).join(
            Original, Original.submission_id == Submission.id
        )
        found = db.session.execute(
            query.where(Submission.consultation_id == consultation.id).order_by(Submission.number)
        )
        received = [tuple(row) for row in found]
        yield csv_paper("03-opinions/originals.csv", ("number", "title", "body"), received)


def _asked(consultation: Consultation) -> Iterator[Paper]:
    """The units that were asked and what they said."""
    rows = [
        (
            each.inquiry.unit.name,
            each.answer.value,
            each.inquiry.due_on.isoformat(),
            moment(each.inquiry.asked_at),
            moment(each.inquiry.none_at),
            each.opinions,
            each.points,
        )
        for each in inquiries.of(consultation.id)
    ]
    if rows:
        yield csv_paper("03-opinions/units-asked.csv", ASKED_COLUMNS, rows)


def _submissions(consultation: Consultation) -> Iterator[Submission]:
    after = 0
    while True:
        query = sa.select(Submission).where(
            Submission.consultation_id == consultation.id, Submission.number > after
        )
        some = db.session.scalars(query.order_by(Submission.number).limit(BATCH)).all()
        yield from some
        if len(some) < BATCH:
            return
        after = some[-1].number


def _mark(submission: Submission) -> int | str:
    """The mark of the paragraph an opinion was made on, by which it is found in its version."""
    if not submission.place or submission.version_id is None:
        return ""
    version = drafts.version_by_id(submission.version_id)
    entry = drafts.outline(version).by_id.get(submission.place) if version else None
    return entry.mark if entry else ""


def _decisions(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    columns = ["number", "at", "state", "reason", "told"]
    if variant is Variant.FULL:
        columns += ["note", "by_id", "proposed_by_id"]
    query = (
        sa.select(Submission.number, Decision)
        .join(Submission, Submission.id == Decision.submission_id)
        .where(Submission.consultation_id == consultation.id)
        .order_by(Decision.id)
    )
    rows = [
        (number, *(plain(getattr(decision, name)) for name in columns[1:]))
        for number, decision in db.session.execute(query)
    ]
    yield csv_paper("06-decisions/screening.csv", columns, rows)
    appeals = (
        sa.select(Submission.number, Appeal)
        .join(Submission, Submission.id == Appeal.submission_id)
        .where(Submission.consultation_id == consultation.id)
        .order_by(Appeal.decision_id)
    )
    columns = ["number", "at", "outcome", "decided_at", "told"]
    if variant is Variant.FULL:
        columns += ["words", "decided_by_id"]
    rows = [
        (number, *(plain(getattr(appeal, name)) for name in columns[1:]))
        for number, appeal in db.session.execute(appeals)
    ]
    yield csv_paper("06-decisions/appeals.csv", columns, rows)


def _summaries(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """The snapshots with their figures, their method and the lexicon they were counted with. Masked:
    those that were published, and of one that was withdrawn no figures. Those of the whole stage are
    never published; the full variant has their figures, not the opinions of other consultations."""
    full = variant is Variant.FULL
    query = sa.select(Summary).where(Summary.consultation_id == consultation.id)
    if not full:
        query = query.where(Summary.published_at.is_not(None))
    used: set[int] = set()
    for summary in db.session.scalars(query.order_by(Summary.number)):
        facts = _snapshot(summary)
        if full or summary.state is SummaryState.PUBLISHED:
            facts["said"] = plain_values.of(summary, consultation.slug)
            used.add(readings.lexicon_of(summary))
        if full:
            facts["counted"] = json.loads(zlib.decompress(summary.payload))
        yield json_paper(f"05-summaries/summary-{summary.number:03}.json", facts)
    stage = consultation.stage
    wider = sa.select(Summary).where(Summary.stage_id == stage.id).order_by(Summary.number)
    for summary in db.session.scalars(wider) if full else ():
        facts = _snapshot(summary) | {"stage": stage.title}
        facts["said"] = plain_values.of(summary, stage.title)
        used.add(readings.lexicon_of(summary))
        yield json_paper(f"05-summaries/stage-summary-{summary.number:03}.json", facts)
    for lexicon in sorted(used):
        every = lexicons.all_of(lexicons.at(lexicon))
        yield Paper(_lexicon_name(lexicon), lexicons.as_text(every).encode())


def _snapshot(summary: Summary) -> dict[str, Any]:
    """When and how a snapshot was counted."""
    names = ("number", "lexicon", "method", "received", "shown", "pending", "hidden", "referred")
    return {name: getattr(summary, name) for name in names} | {
        "state": summary.state.value,
        "counted_at": moment(summary.counted_at),
        "published_at": moment(summary.published_at),
        "distinct": summary.distinct,
        "people": summary.people,
        "lexicon_paper": _lexicon_name(readings.lexicon_of(summary)),
    }


def _lexicon_name(number: int) -> str:
    return f"05-summaries/lexicon-{number:03}.txt"


LINE_COLUMNS = (
    *("number", "part", "who", "channel", "place", "filed", "words"),
    *("outcome", "reason", "changed", "count", "opinions"),
)


def _reports(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """Every released edition of the adoption table: how it came about, its sums, and its lines with
    the words that may be read now, as data and as the paper that was handed out."""
    full = variant is Variant.FULL
    for report in reversed(adoption.released(consultation.id)):
        name = f"07-report/edition-{report.number:02}"
        yield json_paper(f"{name}.json", _edition(report, full=full))
        lines = adoption.lines(adoption.frozen(report), full=full)
        rows = [[plain(getattr(line, column)) for column in LINE_COLUMNS] for line in lines]
        yield csv_paper(f"{name}.csv", LINE_COLUMNS, rows)
        told = adoption_papers.of_consultation(consultation, report, full=full)
        yield Paper(f"{name}.docx", adoption_papers.word(told))
    yield from _changed(consultation)


def _edition(report: AdoptionReport, *, full: bool) -> dict[str, Any]:
    counted, asked = adoption.sums(report), adoption.asked(report)
    facts: dict[str, Any] = {
        "number": report.number,
        "feedback": report.feedback,
        "note": report.note,
        "proposed_at": moment(report.proposed_at),
        "released_at": moment(report.released_at),
        "points": counted.totals.points,
        "sums": counted.kept(),
        "asked": [each.kept() for each in asked],
        "asked_in_words": asked_units.summed(asked),
    }
    if full:
        facts["proposed_by"] = report.proposed_by_name
        facts["released_by"] = report.released_by_name
    return facts


def _changed(consultation: Consultation) -> Iterator[Paper]:
    """Each changed paragraph of each published version with the points behind it, by number."""
    for version in reversed(drafts.versions(consultation)):
        revision = revisions.of(version) if version.state is VersionState.PUBLISHED else None
        if revision is None:
            continue
        asked = changes.numbers_behind(revision)
        facts = [
            {
                "mark": pair.mark,
                "fate": pair.fate.value,
                "moved": pair.moved,
                "before": pair.before.text if pair.before else "",
                "after": pair.after.text if pair.after else "",
                # [[number of the opinion, number of the point in it], …]; none: changed by the office.
                "points": asked.get(pair.mark, []),
            }
            for pair in revision.pairs
        ]
        yield json_paper(f"07-report/changes-{version.number:02}.json", facts)


def _record(consultation: Consultation, variant: Variant) -> Paper:
    """The acts on the consultation and on everything that belongs to it, but for archiving."""
    own = (
        ("consultation", sa.select(sa.literal(consultation.id))),
        ("submission", _ids(Submission, Submission.consultation_id == consultation.id)),
        ("summary", _ids(Summary, Summary.consultation_id == consultation.id)),
        ("version", _version_ids(consultation)),
        ("inquiry", _ids(Inquiry, Inquiry.consultation_id == consultation.id)),
        ("point", _ids(Point, Point.consultation_id == consultation.id)),
        ("point_act", _ids(PointAct, PointAct.consultation_id == consultation.id)),
        (
            "adoption_report",
            _ids(AdoptionReport, AdoptionReport.consultation_id == consultation.id),
        ),
        *(each for recorded in RECORDED for each in recorded(consultation, variant)),
    )
    inside = sa.or_(
        *(sa.and_(AuditEvent.thing_kind == kind, AuditEvent.thing_id.in_(ids)) for kind, ids in own)
    )
    query = sa.select(AuditEvent).where(inside, AuditEvent.action != "consultation.archived")
    events = db.session.scalars(query.order_by(AuditEvent.id))
    full = variant is Variant.FULL
    lines = [
        json.dumps(
            {
                "at": moment(event.at),
                "who": event.actor_name if full or event.actor_id is None else "staff",
                "action": event.action,
                "thing": f"{event.thing_kind}:{event.thing_id}",
                "before": _told(event.before, full=full),
                "after": _told(event.after, full=full),
                "reason": "" if event.thing_kind in _AMONG_STAFF and not full else event.reason,
            },
            ensure_ascii=False,
            sort_keys=True,
        )
        for event in events
    ]
    return Paper("08-record/acts.jsonl", "".join(f"{line}\n" for line in lines).encode())


def _told(facts: dict[str, Any] | None, *, full: bool) -> dict[str, Any] | None:
    if facts is None or full:
        return facts
    return {name: value for name, value in facts.items() if name not in _PRIVATE}


def _ids(table: type[Any], condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(table.id).where(condition)


def _version_ids(consultation: Consultation) -> sa.Select[Any]:
    return (
        sa.select(Version.id)
        .join(drafts.Draft, drafts.Draft.id == Version.draft_id)
        .where(drafts.Draft.consultation_id == consultation.id)
    )
