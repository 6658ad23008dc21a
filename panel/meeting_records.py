"""What the archive of a consultation holds of meetings: those in which it was spoken of, with their
agenda, their papers, their minutes and how the public's seats were drawn.

A meeting belongs to a consultation when what is said there may become its opinions, or when an item
of the agenda stands for its draft. The masked variant says what everybody may read, the full one
also who spoke.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from consult import archives
from consult.archive_papers import Variant, json_paper, moment
from consult.archiving import Paper
from consult.consultations import Consultation
from consult.drafts import Draft, Version
from consult.submissions import Submission
from core import uploads
from core.db import db
from panel import lot_rows, minutes, paper_files, papers
from panel.lot_rows import SeatDraw, SeatPool
from panel.meetings import Meeting
from panel.minutes import MinutePoint
from panel.papers import AgendaItem, Bound, MeetingPaper


def attach() -> None:
    """Let every archive hold them."""
    if papers_of not in archives.CONTRIBUTORS:
        archives.CONTRIBUTORS.append(papers_of)
        archives.RECORDED.append(recorded)


def papers_of(consultation: Consultation, variant: Variant) -> Iterator[Paper]:
    """A paper for each meeting, the earliest first, and behind it the meeting's own papers: masked
    those that everybody may have."""
    full = variant is Variant.FULL
    for meeting in of(consultation):
        if not (full or meeting.is_visible):
            continue
        name = f"04-meetings/meeting-{meeting.id:04}.json"
        files = [each for each in papers.papers_of(meeting.id) if full or each.is_public]
        facts = _plain(meeting, consultation, full=full)
        listed = [_listed(each, _content(each, full=full)) for each in files]
        yield json_paper(name, facts | {"papers": listed})
        for each in files:
            data = _content(each, full=full)
            if data is not None:
                yield Paper(_file_name(each), data)


def recorded(consultation: Consultation, variant: Variant) -> Iterator[tuple[str, sa.Select[Any]]]:
    """Of what the acts are on record: these meetings and what was said there."""
    full, every = variant is Variant.FULL, of(consultation)
    told = [meeting.id for meeting in every if full or meeting.is_visible]
    minuted = [meeting.id for meeting in every if full or meeting.record_public]
    yield "meeting", sa.select(Meeting.id).where(Meeting.id.in_(told))
    yield "minute_point", sa.select(MinutePoint.id).where(MinutePoint.meeting_id.in_(minuted))


def of(consultation: Consultation) -> Sequence[Meeting]:
    """The meetings in which a consultation was spoken of."""
    on_draft = (
        sa.select(AgendaItem.meeting_id)
        .join(Version, Version.id == AgendaItem.version_id)
        .join(Draft, Draft.id == Version.draft_id)
        .where(Draft.consultation_id == consultation.id)
    )
    query = sa.select(Meeting).where(
        sa.or_(Meeting.consultation_id == consultation.id, Meeting.id.in_(on_draft))
    )
    return db.session.scalars(query.order_by(Meeting.starts_at, Meeting.id)).unique().all()


def _plain(meeting: Meeting, consultation: Consultation, *, full: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": meeting.id,
        "kind": meeting.kind.value,
        "title": meeting.title,
        "about": meeting.about,
        "topic": meeting.topic,
        "field": meeting.field.name if meeting.field else "",
        "starts_at": moment(meeting.starts_at),
        "ends_at": moment(meeting.ends_at),
        "place": meeting.place,
        "chair": meeting.chair,
        "state": meeting.state.value,
        "announced_at": moment(meeting.announced_at),
        "held_at": moment(meeting.held_at),
        "recorded_at": moment(meeting.recorded_at),
        "cancel_reason": meeting.cancel_reason,
    }
    spoken_of = papers.points_of(meeting.id, public=not full)
    facts["agenda"] = [
        _item(item, spoken_of.get(item.id, ()), consultation)
        for item in papers.items_of(meeting.id)
    ]
    if pool := lot_rows.pool_of(meeting.id):
        facts["lots"] = _lots(pool, lot_rows.draw_of(meeting.id))
    if full or meeting.record_public:
        said = minutes.of(meeting.id)
        numbers = _numbers(said, consultation)
        facts["minutes"] = [
            _said(n, point, numbers.get(point.submission_id or 0), full=full)
            for n, point in enumerate(said, 1)
        ]
    return facts


def _content(paper: MeetingPaper, *, full: bool) -> bytes | None:
    """The file; masked as everybody is given it. None where it is gone from disk."""
    data = uploads.read(paper.sha256)
    if data is None or full:
        return data
    return paper_files.for_everybody(paper.kind, data)


def _listed(paper: MeetingPaper, data: bytes | None) -> dict[str, Any]:
    """A paper of a meeting, and where in the archive its file lies; "" where the file is gone: its hash
    says what it was."""
    return {
        "name": paper.name,
        "file": _file_name(paper) if data is not None else "",
        "bytes": paper.size,
        "sha256": paper.sha256 if data is None else hashlib.sha256(data).hexdigest(),
        "delivered_on": paper.delivered_on.isoformat() if paper.delivered_on else "",
        "public": paper.is_public,
    }


def _file_name(paper: MeetingPaper) -> str:
    return f"04-meetings/paper-{paper.id:04}.{paper.kind.value}"


def _lots(pool: SeatPool, draw: SeatDraw | None) -> dict[str, Any]:
    """All that is public of a draw: with it anybody can repeat it."""
    facts: dict[str, Any] = {
        "numbers": pool.numbers,
        "sha256": pool.sha256,
        "frozen_at": moment(pool.frozen_at),
        "seed_source": pool.source,
        "seed_known_at": moment(pool.known_at),
        "former_sources": [
            {
                "source": each.former_source,
                "known_at": moment(each.former_known_at),
                "given_up_at": moment(each.changed_at),
                "reason": each.reason,
            }
            for each in pool.changes
        ],
    }
    if draw:
        facts |= {
            "seed": draw.seed,
            "algorithm": draw.algorithm,
            "seats": draw.seats,
            "drawn": draw.drawn,
            "drawn_at": moment(draw.drawn_at),
        }
    return facts


def _item(item: AgendaItem, points: Sequence[Bound], consultation: Consultation) -> dict[str, Any]:
    """An item; a draft of another consultation is named by its title."""
    version = item.version
    return {
        "title": item.title,
        "draft": version.draft.title if version else "",
        "version": version.number if version else None,
        "mark": item.mark,
        "points": [
            [each.submission.number, each.point.ordinal]
            for each in points
            if each.submission.consultation_id == consultation.id
        ],
    }


def _said(number: int, point: MinutePoint, opinion: int | None, *, full: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "number": number,
        "by": minutes.said_by(point),
        "body": point.body,
        "mark": point.mark,
        "opinion": opinion,
    }
    return facts | ({"speaker": point.speaker, "part": point.part} if full else {})


def _numbers(said: Sequence[MinutePoint], consultation: Consultation) -> dict[int, int]:
    """{opinion: its number} of what became one of this consultation."""
    ids = [point.submission_id for point in said if point.submission_id is not None]
    query = sa.select(Submission.id, Submission.number).where(
        Submission.id.in_(ids), Submission.consultation_id == consultation.id
    )
    return {row.id: row.number for row in db.session.execute(query)}
