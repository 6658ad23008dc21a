"""Minutes (会议记录): what was said at a meeting, point by point, and who said it.

Staff may change a point until the record is published. In public a speaker has a full name only
with their consent; otherwise the name is masked for members of the panel, and everybody else is
known by their part. A point may enter the stream of opinions, once; a member's then counts for the
category in which they sat on the day of the meeting.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import author_groups, drafts, provenance, submissions
from consult.consultations import SHANGHAI, Consultation, Phase
from consult.submissions import Channel, Opinion, Received, Submission
from core import audit
from core.db import Base, db
from core.errors import Refused
from panel import appointments, meetings, remarks
from panel.meetings import Meeting, MeetingState
from panel.members import Member

audit.ACTIONS.update(
    {
        "minute_point.added": _l("记录会议发言"),
        "minute_point.edited": _l("修改会议发言"),
        "minute_point.removed": _l("删去会议发言"),
        "minute_point.sent": _l("会议发言转为意见件"),
    }
)
audit.KINDS.update({"minute_point": _l("会议发言")})

LONGEST = 2000
MOST = 300
TAKING = (Phase.OPEN, Phase.CLOSED)


class MinutePoint(Base):
    """One thing that was said. `mark` is the paragraph it speaks of, 0 for the whole."""

    __tablename__ = "minute_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"), index=True)
    member_id: Mapped[int | None] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    speaker: Mapped[str] = mapped_column(sa.String(60), default="")
    # In what part they spoke: 居民代表, 区统计局.
    part: Mapped[str] = mapped_column(sa.String(60), default="")
    name_agreed: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(sa.Text)
    mark: Mapped[int] = mapped_column(default=0)
    submission_id: Mapped[int | None] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    written_at: Mapped[dt.datetime]


def said_by(point: MinutePoint) -> str:
    """The speaker as everybody may read it."""
    part = point.part or (_("咨询团成员") if point.member_id else _("与会者"))
    name = ""
    if point.speaker and point.name_agreed:
        name = point.speaker
    elif point.speaker and point.member_id is not None:
        name = submissions.masked(point.speaker)
    return _("%(name)s（%(part)s）", name=name, part=part) if name else part


def add(
    meeting: Meeting,
    body: str,
    *,
    speaker: str = "",
    part: str = "",
    member_id: int | None = None,
    name_agreed: bool = False,
    mark: int = 0,
    by: audit.Actor,
    now: dt.datetime,
) -> MinutePoint:
    """Write down what somebody said."""
    _must_be_open(meeting)
    if len(of(meeting.id)) >= MOST:
        raise Refused(_("一次会议最多记%(n)d条发言。", n=MOST), kept_text=body)
    point = MinutePoint(
        meeting_id=meeting.id,
        member_id=member_id,
        speaker=speaker,
        part=part,
        name_agreed=name_agreed,
        body=body,
        mark=mark,
        written_at=now,
    )
    db.session.add(point)
    db.session.flush()
    audit.record("minute_point.added", point, by=by, now=now, name=meeting.title)
    return point


def edit(
    meeting: Meeting,
    point: MinutePoint,
    body: str,
    *,
    speaker: str,
    part: str,
    member_id: int | None,
    name_agreed: bool,
    mark: int,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Correct a point. What is among the opinions already keeps its words."""
    _must_be_open(meeting)
    if point.submission_id is not None and body != point.body:
        raise Refused(_("这条发言已经转为意见件，文字不能再改。"), kept_text=body)
    point.body, point.speaker, point.part = body, speaker, part
    point.member_id, point.name_agreed, point.mark = member_id, name_agreed, mark
    db.session.flush()
    audit.record("minute_point.edited", point, by=by, now=now, name=meeting.title)


def remove(meeting: Meeting, point: MinutePoint, *, by: audit.Actor, now: dt.datetime) -> None:
    """Strike a point that was written down by mistake."""
    _must_be_open(meeting)
    if point.submission_id is not None:
        raise Refused(_("这条发言已经转为意见件，不能删去。"))
    audit.record("minute_point.removed", point, by=by, now=now, name=meeting.title)
    db.session.delete(point)
    db.session.flush()


def publish(meeting: Meeting, *, public: bool, by: audit.Actor, now: dt.datetime) -> None:
    """Close the record. From then on nothing of it changes."""
    if not of(meeting.id):
        raise Refused(_("还没有记录任何发言，记录不能公布。"))
    meetings.record(meeting, public=public, by=by, now=now)


def send(
    meeting: Meeting, point: MinutePoint, *, secret: str, by: audit.Actor, now: dt.datetime
) -> Received:
    """Let a point enter the stream of opinions of the meeting's consultation: once, however often
    it is asked for."""
    consultation = meeting.consultation
    if consultation is None:
        raise Refused(_("这次会议还没有对应的意见征集，请先在会议安排里选择。"))
    if meeting.state not in (MeetingState.HELD, MeetingState.RECORDED):
        raise Refused(_("会议还没有召开，发言不能转为意见件。"))
    key = hashlib.sha256(f"minute-point:{point.id}".encode()).hexdigest()
    earlier = submissions.sent_before(consultation.id, key)
    if earlier is None and not takes(consultation, now):
        raise Refused(_("对应的意见征集没有开始或者已经反馈，不能再转入意见件。"))
    version = drafts.published(consultation)
    entry = drafts.outline(version).by_mark.get(point.mark) if version else None
    day = meeting.starts_at.astimezone(SHANGHAI).date()
    received = earlier or submissions.receive(
        consultation,
        Opinion(
            body=point.body,
            version_id=version.id if version else None,
            place=entry.id if entry else submissions.WHOLE,
            channel=Channel.MEETING,
            public_name=submissions.masked(point.speaker) if point.name_agreed else "",
            person_key=_person_of(point, secret),
            external_id=f"{meeting.id}-{point.id}",
            received_on=day,
        ),
        once_key=key,
        by=by,
        now=now,
        on_day=day,
    )
    if not received.again:
        provenance.note(received.id, by=by)
        category = category_of(meeting, point)
        if category is not None:
            author_groups.keep(received.id, category)
        point.submission_id = received.id
        db.session.flush()
        audit.record("minute_point.sent", point, by=by, now=now, name=meeting.title)
    return received


def category_of(meeting: Meeting, point: MinutePoint) -> str | None:
    """In which category the speaker sat on the day of the meeting; None for everybody else."""
    if point.member_id is None:
        return None
    day = meeting.starts_at.astimezone(SHANGHAI).date()
    seat = appointments.seat_of_member(point.member_id, day, programme_id=meeting.programme_id)
    return seat.category if seat else None


def _person_of(point: MinutePoint, secret: str) -> str | None:
    """However often a member speaks, one person has spoken: small groups are told by people."""
    if point.member_id is None:
        return None
    member = db.session.get_one(Member, point.member_id)
    return remarks.person_key(secret, member.id, member.account_id)


def takes(consultation: Consultation, now: dt.datetime) -> bool:
    """Whether opinions may still come in from meetings: what is said in time counts, also when it
    is written up after the closing."""
    return consultation.phase(now) in TAKING


def _must_be_open(meeting: Meeting) -> None:
    meetings.lock(meeting)
    if meeting.state is not MeetingState.HELD:
        raise Refused(_("会议召开以后、记录公布以前，才能记录和修改发言。"))


def of(meeting_id: int) -> Sequence[MinutePoint]:
    """The points in the order in which they were written down."""
    query = sa.select(MinutePoint).where(MinutePoint.meeting_id == meeting_id)
    return db.session.scalars(query.order_by(MinutePoint.id)).all()


def of_member(
    member_id: int, *, before: int | None = None, limit: int = 50
) -> Sequence[tuple[Submission, Meeting, Consultation]]:
    """What a member said at meetings that has become an opinion, newest first, with its meeting."""
    query = (
        sa.select(Submission, Meeting, Consultation)
        .join(MinutePoint, MinutePoint.submission_id == Submission.id)
        .join(Meeting, Meeting.id == MinutePoint.meeting_id)
        .join(Consultation, Consultation.id == Submission.consultation_id)
        .where(MinutePoint.member_id == member_id)
        .order_by(Submission.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(Submission.id < before)
    return [(submission, meeting, at) for submission, meeting, at in db.session.execute(query)]
