"""The agenda of a meeting and its papers (议程、材料): what is spoken of, and what was sent round.

An item may stand for a draft or a section of one, and for opinion points. A paper is kept under the
hash of its content, told by its content and not by its name, and carries the day on which it reached those invited.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import points
from consult.consultations import SHANGHAI, Consultation
from consult.drafts import Version
from consult.points import Point
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import Base, db
from core.errors import Refused
from panel import meetings, paper_files
from panel.meetings import Meeting, MeetingState
from panel.paper_files import PaperFile

audit.ACTIONS.update(
    {
        "agenda_item.added": _l("添加会议议程"),
        "agenda_item.removed": _l("删去会议议程"),
        "meeting_paper.added": _l("添加会议材料"),
        "meeting_paper.removed": _l("删去会议材料"),
    }
)
audit.KINDS.update({"agenda_item": _l("会议议程"), "meeting_paper": _l("会议材料")})

MOST = 20
MOST_POINTS = 20
OPEN = (MeetingState.PREPARED, MeetingState.ANNOUNCED)


class AgendaItem(Base):
    """One item. `mark` 0 stands for the whole of the version it is bound to."""

    __tablename__ = "agenda_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("version.id"))
    mark: Mapped[int] = mapped_column(default=0)

    version: Mapped[Version | None] = relationship(lazy="joined")


class AgendaPoint(Base):
    """An opinion point that an item speaks of. A point that was split since stays named here."""

    __tablename__ = "agenda_point"

    item_id: Mapped[int] = mapped_column(
        sa.ForeignKey("agenda_item.id", ondelete="CASCADE"), primary_key=True
    )
    point_id: Mapped[int] = mapped_column(sa.ForeignKey("point.id"), primary_key=True, index=True)


@dataclass(frozen=True, slots=True)
class Bound:
    """A point on the agenda, with its opinion and the words that may be read."""

    point: Point
    submission: Submission
    words: str


class MeetingPaper(PaperFile, Base):
    """One paper of one meeting."""

    __tablename__ = "meeting_paper"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"), index=True)
    delivered_on: Mapped[dt.date | None]
    is_public: Mapped[bool] = mapped_column(default=False)


def items_of(meeting_id: int) -> Sequence[AgendaItem]:
    """The agenda in its order."""
    query = sa.select(AgendaItem).where(AgendaItem.meeting_id == meeting_id)
    return db.session.scalars(query.order_by(AgendaItem.id)).all()


def points_of(meeting_id: int, *, public: bool = False) -> dict[int, list[Bound]]:
    """{item: the opinion points it speaks of}; `public`: those only whose opinions are shown."""
    query = (
        sa.select(AgendaPoint.item_id, Point, Submission)
        .join(AgendaItem, AgendaItem.id == AgendaPoint.item_id)
        .join(Point, Point.id == AgendaPoint.point_id)
        .join(Submission, Submission.id == Point.submission_id)
        .where(AgendaItem.meeting_id == meeting_id)
        .order_by(AgendaPoint.item_id, Submission.number, Point.start)
    )
    if public:
        query = query.where(Submission.state == SubmissionState.SHOWN)
    found: dict[int, list[Bound]] = {}
    for item_id, point, submission in db.session.execute(query):
        words = points.words(point, submission)
        found.setdefault(item_id, []).append(Bound(point, submission, words))
    return found


def points_numbered(consultation: Consultation, number: int, ordinal: int) -> Sequence[Point]:
    """The live points of the opinion with this number, or the one that is called by `ordinal`."""
    query = (
        sa.select(Point)
        .join(Submission, Submission.id == Point.submission_id)
        .where(
            Point.consultation_id == consultation.id,
            Point.state == points.LIVE,
            Submission.number == number,
        )
        .order_by(Point.start)
    )
    if ordinal:
        query = query.where(Point.ordinal == ordinal)
    return db.session.scalars(query).all()


def papers_of(meeting_id: int) -> Sequence[MeetingPaper]:
    """The papers in the order in which they came."""
    query = sa.select(MeetingPaper).where(MeetingPaper.meeting_id == meeting_id)
    return db.session.scalars(query.order_by(MeetingPaper.id)).all()


def delivered(meeting_id: int) -> list[dt.date | None]:
    """For each paper the day on which it arrived, None when it has not."""
    return [paper.delivered_on for paper in papers_of(meeting_id)]


def add_item(
    meeting: Meeting,
    title: str,
    *,
    version: Version | None = None,
    mark: int = 0,
    points: Sequence[Point] = (),
    by: audit.Actor,
    now: dt.datetime,
) -> AgendaItem:
    """Put one more item at the end of the agenda."""
    _must_be_open(meeting)
    item = AgendaItem(meeting_id=meeting.id, title=title, version=version, mark=mark)
    db.session.add(item)
    db.session.flush()
    db.session.add_all(AgendaPoint(item_id=item.id, point_id=point.id) for point in points)
    db.session.flush()
    audit.record("agenda_item.added", item, by=by, now=now, name=title)
    return item


def remove_item(meeting: Meeting, item: AgendaItem, *, by: audit.Actor, now: dt.datetime) -> None:
    """Take an item off the agenda."""
    _must_be_open(meeting)
    audit.record("agenda_item.removed", item, by=by, now=now, name=item.title)
    db.session.execute(sa.delete(AgendaPoint).where(AgendaPoint.item_id == item.id))
    db.session.delete(item)
    db.session.flush()


def add_paper(
    meeting: Meeting,
    name: str,
    data: bytes,
    *,
    delivered_on: dt.date | None,
    is_public: bool,
    by: audit.Actor,
    now: dt.datetime,
) -> MeetingPaper:
    """Put a paper, whose content is stored already, beside the meeting. A hearing that has been
    announced takes none that would come too late."""
    facts = paper_files.facts(name, data)
    if is_public:
        paper_files.must_be_fit_for_everybody(facts["kind"], data)
    _must_be_open(meeting)
    if delivered_on is not None and delivered_on > now.astimezone(SHANGHAI).date():
        raise Refused(_("送达日期在今天之后，请在材料实际送达后再填。"))
    if len(papers_of(meeting.id)) >= MOST:
        raise Refused(_("一次会议最多%(n)d份材料。", n=MOST))
    if meeting.state is MeetingState.ANNOUNCED and (
        late := meetings.hearing_refusals(meeting, [delivered_on])
    ):
        raise Refused(late[0])
    paper = MeetingPaper(
        meeting_id=meeting.id,
        **facts,
        delivered_on=delivered_on,
        is_public=is_public,
    )
    db.session.add(paper)
    db.session.flush()
    audit.record("meeting_paper.added", paper, by=by, now=now, name=paper.name)
    return paper


def remove_paper(
    meeting: Meeting, paper: MeetingPaper, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Take a paper away; once people have been told of it, it stays."""
    meetings.lock(meeting)
    if meeting.state is not MeetingState.PREPARED:
        raise Refused(_("会议已经通知，材料不能再删去。"))
    audit.record("meeting_paper.removed", paper, by=by, now=now, name=paper.name)
    db.session.delete(paper)
    db.session.flush()


def _must_be_open(meeting: Meeting) -> None:
    meetings.lock(meeting)
    if meeting.state not in OPEN:
        raise Refused(_("会议已经召开或取消，议程和材料不能再改。"))
