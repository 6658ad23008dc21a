"""Invitations to a meeting (邀请): whom of the panel, by which rule, what they answered, who came.

Drawn up while a meeting is prepared, sent with its announcement and from then on at once. A member
sees only what was sent to them.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult.consultations import SHANGHAI
from core import accounts, audit, outbox, sealing
from core.addresses import can_be_reached
from core.config import of_site
from core.db import Base, choice, db
from core.errors import Refused
from panel import meetings, members
from panel.meetings import Meeting, MeetingState
from panel.members import Member

audit.ACTIONS.update(
    {
        "invitation.made": _l("拟定会议邀请"),
        "invitation.removed": _l("删去会议邀请"),
        "invitation.answered": _l("答复会议邀请"),
        "invitation.attended": _l("登记成员到会"),
        "invitation.checked_in": _l("扫码签到"),
    }
)
audit.KINDS.update({"invitation": _l("会议邀请")})
audit.FIELDS.update({"invited": _l("邀请人数"), "answer": _l("答复"), "attendance": _l("到会")})

# The door is open so long before the beginning.
DOOR = dt.timedelta(hours=2)


class Answer(Enum):
    """What an invited member answered."""

    NONE = "none"
    ATTEND = "attend"
    DECLINE = "decline"
    SUBSTITUTE = "substitute"

    @property
    def title(self) -> str:
        """The answer in the words of the page."""
        titles: dict[Answer, str] = {
            Answer.NONE: _("未答复"),
            Answer.ATTEND: _("参加"),
            Answer.DECLINE: _("请假"),
            Answer.SUBSTITUTE: _("委托他人参加"),
        }
        return titles[self]


class Attendance(Enum):
    """Who came."""

    UNKNOWN = "unknown"
    PRESENT = "present"
    ABSENT = "absent"
    SUBSTITUTE = "substitute"

    @property
    def title(self) -> str:
        """The attendance in the words of the page."""
        titles: dict[Attendance, str] = {
            Attendance.UNKNOWN: _("未登记"),
            Attendance.PRESENT: _("到会"),
            Attendance.ABSENT: _("缺席"),
            Attendance.SUBSTITUTE: _("他人代为到会"),
        }
        return titles[self]


audit.VALUES["answer"] = {
    "none": _l("未答复"),
    "attend": _l("参加"),
    "decline": _l("请假"),
    "substitute": _l("委托他人参加"),
}
audit.VALUES["attendance"] = {
    "unknown": _l("未登记"),
    "present": _l("到会"),
    "absent": _l("缺席"),
    "substitute": _l("他人代为到会"),
}


class Invitation(Base):
    """One member invited to one meeting, once."""

    __tablename__ = "invitation"
    __table_args__ = (
        sa.UniqueConstraint("meeting_id", "member_id"),
        sa.CheckConstraint(
            "answer <> 'substitute' OR substitute <> ''", name="substitute_is_named"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    # By which rule: 全体成员, 界别：社区居民代表, 领域：社会治理, 指定.
    basis: Mapped[str] = mapped_column(sa.String(120))
    made_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    answer: Mapped[Answer] = mapped_column(choice(Answer), default=Answer.NONE)
    substitute: Mapped[str] = mapped_column(sa.String(60), default="")
    note: Mapped[str] = mapped_column(sa.String(300), default="")
    answered_at: Mapped[dt.datetime | None]
    attendance: Mapped[Attendance] = mapped_column(choice(Attendance), default=Attendance.UNKNOWN)
    checked_in_at: Mapped[dt.datetime | None]

    member: Mapped[Member] = relationship(lazy="joined", innerjoin=True)
    meeting: Mapped[Meeting] = relationship(lazy="joined", innerjoin=True)


def invite(
    meeting: Meeting,
    people: Iterable[Member],
    basis: str,
    *,
    by: audit.Actor,
    now: dt.datetime,
) -> int:
    """Invite those who are not yet; how many. Sent at once when the meeting is announced."""
    meetings.lock(meeting)
    if meeting.state not in (MeetingState.PREPARED, MeetingState.ANNOUNCED):
        raise Refused(_("会议已经召开或取消，不能再邀请。"))
    there = {each.member_id for each in of(meeting.id)}
    fresh = [each for each in people if each.id not in there]
    db.session.add_all(
        Invitation(meeting_id=meeting.id, member_id=each.id, basis=basis, made_at=now)
        for each in fresh
    )
    db.session.flush()
    if fresh:
        audit.record(
            "invitation.made",
            meeting,
            by=by,
            now=now,
            name=meeting.title,
            after={"invited": len(fresh)},
            reason=basis,
        )
    if meeting.state is MeetingState.ANNOUNCED:
        send(meeting, now=now)
    return len(fresh)


def remove(invitation: Invitation, *, by: audit.Actor, now: dt.datetime) -> None:
    """Take back an invitation that was not sent."""
    if invitation.sent_at is not None:
        raise Refused(_("邀请已经发出，不能删去。"))
    audit.record("invitation.removed", invitation, by=by, now=now, name=invitation.meeting.title)
    db.session.delete(invitation)
    db.session.flush()


def send(meeting: Meeting, *, now: dt.datetime) -> None:
    """Send what was drawn up and not yet sent."""
    waiting = [each for each in of(meeting.id) if each.sent_at is None]
    for each in waiting:
        each.sent_at = now
    subject = _("邀请您参加：%(title)s", title=meeting.title)
    _post(meeting, waiting, "invited", subject, now)
    db.session.flush()


def tell_all(meeting: Meeting, subject: str, *, now: dt.datetime) -> None:
    """Tell everybody who was invited that something has changed."""
    told = [each for each in of(meeting.id) if each.sent_at is not None]
    _post(meeting, told, f"changed-{meeting.sequence}", subject, now)


def answer(
    invitation: Invitation,
    given: Answer,
    *,
    substitute: str = "",
    note: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Say whether one comes; may be changed until the meeting begins."""
    meetings.lock(invitation.meeting)
    meeting = invitation.meeting
    if meeting.state is not MeetingState.ANNOUNCED or now >= meeting.starts_at:
        raise Refused(_("会议已经开始、结束或取消，不能再答复。"))
    if given is Answer.SUBSTITUTE and not substitute:
        raise Refused(_("请写明委托谁参加。"))
    before = invitation.answer
    invitation.answer, invitation.note, invitation.answered_at = given, note, now
    invitation.substitute = substitute if given is Answer.SUBSTITUTE else ""
    db.session.flush()
    audit.record(
        "invitation.answered",
        invitation,
        by=by,
        now=now,
        name=meeting.title,
        before={"answer": before.value},
        after={"answer": given.value},
    )


def note_attendance(
    invitation: Invitation, attendance: Attendance, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Note who came, by the list."""
    before = invitation.attendance
    if before is attendance:
        return
    invitation.attendance = attendance
    db.session.flush()
    audit.record(
        "invitation.attended",
        invitation,
        by=by,
        now=now,
        name=invitation.meeting.title,
        before={"attendance": before.value},
        after={"attendance": attendance.value},
    )


def door_is_open(meeting: Meeting, now: dt.datetime) -> bool:
    """Whether members may check in by themselves."""
    going_on = meeting.state in (MeetingState.ANNOUNCED, MeetingState.HELD)
    return going_on and meeting.starts_at - DOOR <= now < meeting.ends_at


def check_in(invitation: Invitation, *, by: audit.Actor, now: dt.datetime) -> None:
    """Check in by the code at the door; a second time changes nothing."""
    meetings.lock(invitation.meeting)
    if not door_is_open(invitation.meeting, now):
        raise Refused(_("现在不在签到时间内，会议开始前两小时到会议结束可以签到。"))
    if invitation.checked_in_at is not None:
        return
    invitation.checked_in_at, invitation.attendance = now, Attendance.PRESENT
    db.session.flush()
    audit.record("invitation.checked_in", invitation, by=by, now=now, name=invitation.meeting.title)


def _post(
    meeting: Meeting, to: Sequence[Invitation], what: str, subject: str, now: dt.datetime
) -> None:
    starts = meeting.starts_at.astimezone(SHANGHAI)
    words = [subject, _("时间：%(time)s", time=f"{starts:%Y-%m-%d %H:%M}")]
    if meeting.place:
        words.append(_("地点：%(place)s", place=meeting.place))
    if meeting.cancel_reason:
        words.append(_("原因：%(reason)s", reason=meeting.cancel_reason))
    words.append(_("请登录网站，在“我的会议”里查看议程、材料，并答复是否参加。"))
    posted = []
    for each in to:
        sealed = _sealed_address(each.member)
        if sealed:
            about = f"invitation:{each.id}:{what}"
            posted.append(outbox.Draft(about, sealed, subject, "\n".join(words)))
    outbox.put(posted, now=now)


def unreached(invited: Sequence[Invitation]) -> set[int]:
    """The members among them whom no letter reaches."""
    return {each.member_id for each in invited if not _sealed_address(each.member)}


def _sealed_address(member: Member) -> bytes:
    """Where a member is reached: the account's address, else the contact that is known."""
    account = accounts.by_id(member.account_id) if member.account_id else None
    if account is not None and account.active and can_be_reached(account.email):
        return sealing.seal(of_site().contact_key, account.email)
    return member.sealed_contact if can_be_reached(members.contact(member)) else b""


# --- finding -------------------------------------------------------------------------------


def of(meeting_id: int) -> Sequence[Invitation]:
    """Everybody invited to a meeting, in the order of inviting."""
    query = sa.select(Invitation).where(Invitation.meeting_id == meeting_id)
    return db.session.scalars(query.order_by(Invitation.id)).all()


def by_id(invitation_id: int) -> Invitation | None:
    """The invitation with this id."""
    return db.session.get(Invitation, invitation_id)


def of_member(member_ids: Sequence[int], *, limit: int = 200) -> Sequence[Invitation]:
    """What was sent to a member, the latest meeting first."""
    query = (
        sa.select(Invitation)
        .join(Meeting, Meeting.id == Invitation.meeting_id)
        .where(Invitation.member_id.in_(member_ids), Invitation.sent_at.is_not(None))
        .order_by(Meeting.starts_at.desc(), Meeting.id.desc())
    )
    return db.session.scalars(query.limit(limit)).all()


def conflicts(
    meeting: Meeting, member_ids: Sequence[int], *, sent_only: bool = False
) -> dict[int, list[Meeting]]:
    """{member id: other meetings at the same time to which they are invited}. `sent_only`: those
    they were told of; the office sees what is being prepared, too."""
    same_time = (
        sa.select(Invitation.member_id, Meeting)
        .join(Meeting, Meeting.id == Invitation.meeting_id)
        .where(
            Invitation.member_id.in_(member_ids),
            Invitation.answer != Answer.DECLINE,
            Meeting.id != meeting.id,
            Meeting.state != MeetingState.CANCELLED,
            Meeting.starts_at < meeting.ends_at,
            Meeting.ends_at > meeting.starts_at,
        )
        .order_by(Meeting.starts_at)
    )
    if sent_only:
        same_time = same_time.where(Invitation.sent_at.is_not(None))
    found: dict[int, list[Meeting]] = {}
    for member_id, other in db.session.execute(same_time):
        found.setdefault(member_id, []).append(other)
    return found
