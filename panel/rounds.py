"""Review rounds (审阅轮次): what the office asks the panel to read, whom, and until when.

A round is prepared, then opened: the words of the draft and the list of those asked are fixed at
that moment, so that a version that is still being mended, or deleted, takes nothing from what was
read. It closes by the clock, each member's own extension included, and is released by the office.
Until then nobody but the office and those asked knows of it; `loading` and the pages see to that.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import consultations, drafts
from consult.consultations import Consultation
from consult.drafts import Version, VersionState
from core import audit
from core.audit import AuditEvent
from core.db import Base, choice, db
from core.errors import Refused
from panel import members
from panel.members import Member

audit.ACTIONS.update(
    {
        "review_round.prepared": _l("准备审阅轮次"),
        "review_round.changed": _l("修改审阅轮次"),
        "review_round.opened": _l("开始审阅"),
        "review_round.extended": _l("延长审阅期限"),
        "review_round.joined": _l("增加审阅成员"),
        "review_round.chased": _l("催办审阅"),
        "review_round.closed": _l("提前结束审阅"),
        "review_round.released": _l("公布审阅结果"),
        "review_round.deleted": _l("删除审阅轮次"),
    }
)
audit.KINDS.update({"review_round": _l("审阅轮次"), "review_invitation": _l("审阅邀请")})
audit.FIELDS.update(
    {
        "due": _l("截止"),
        "members": _l("成员数"),
        "quorum": _l("有效人数"),
        "by_name": _l("署名"),
        "number_of_remarks": _l("意见条数"),
        "member": _l("成员"),
    }
)
MOST_QUESTIONS = 20


class RoundState(Enum):
    """What the office has done with a round; whether it has closed says the clock."""

    PREPARED = "prepared"
    OPEN = "open"
    RELEASED = "released"


class RoundPhase(Enum):
    """Where a round stands at a moment."""

    PREPARED = "prepared"
    OPEN = "open"
    CLOSED = "closed"
    RELEASED = "released"

    @property
    def title(self) -> str:
        """The phase in the words of the page."""
        titles: dict[RoundPhase, str] = {
            RoundPhase.PREPARED: _("准备中"),
            RoundPhase.OPEN: _("审阅中"),
            RoundPhase.CLOSED: _("已截止"),
            RoundPhase.RELEASED: _("已公布"),
        }
        return titles[self]


class ReviewRound(Base):
    """One request of the office to the panel to review one version of a draft."""

    __tablename__ = "review_round"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"), index=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    # Not a foreign key: a version that is still being prepared may be deleted, the review stays.
    version_number: Mapped[int]
    draft_title: Mapped[str] = mapped_column(sa.String(200))
    title: Mapped[str] = mapped_column(sa.String(200))
    explanation: Mapped[str] = mapped_column(sa.Text, default="")
    questions: Mapped[list[str]]
    # {"categories": […], "fields": […], "members": […]}; all empty: the whole panel.
    audience: Mapped[dict[str, Any]]
    by_name: Mapped[bool]
    quorum: Mapped[int] = mapped_column(default=0)
    state: Mapped[RoundState] = mapped_column(choice(RoundState), default=RoundState.PREPARED)
    due_at: Mapped[dt.datetime]
    # The last moment for anybody, extensions for one included.
    closes_at: Mapped[dt.datetime]
    created_at: Mapped[dt.datetime]
    opened_at: Mapped[dt.datetime | None]
    released_at: Mapped[dt.datetime | None]
    # When its remarks joined the public stream: not before the words they are on are public.
    delivered_at: Mapped[dt.datetime | None]

    consultation: Mapped[Consultation] = relationship(lazy="joined", innerjoin=True)

    def phase(self, now: dt.datetime) -> RoundPhase:
        """Where the round stands at `now`."""
        if self.state is RoundState.OPEN:
            return RoundPhase.OPEN if now < self.closes_at else RoundPhase.CLOSED
        return RoundPhase(self.state.value)


class Invitation(Base):
    """One member asked in one round, with the frame of their review: answers, state, signature."""

    __tablename__ = "review_invitation"
    __table_args__ = (sa.UniqueConstraint("round_id", "member_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int] = mapped_column(sa.ForeignKey("review_round.id"))
    member_id: Mapped[int] = mapped_column(sa.ForeignKey("panel_member.id"), index=True)
    # As they were called and whom they stood for when they were asked.
    name: Mapped[str] = mapped_column(sa.String(120))
    category: Mapped[str] = mapped_column(sa.String(120))
    # A later moment than the round's, for this member alone.
    due_at: Mapped[dt.datetime | None]
    asked_at: Mapped[dt.datetime]
    opened_at: Mapped[dt.datetime | None]
    overall: Mapped[str] = mapped_column(sa.Text, default="")
    answers: Mapped[list[str]]
    # How often `overall` and `answers` were changed: who writes says what they saw.
    edition: Mapped[int] = mapped_column(default=0)
    signed_at: Mapped[dt.datetime | None]
    # SHA-256 of what was signed; what exactly that was is kept with the signature.
    digest: Mapped[str] = mapped_column(sa.String(64), default="")
    # Whether anything but 同意 and 无意见 was said in what is signed.
    has_remarks: Mapped[bool] = mapped_column(default=False)

    round: Mapped[ReviewRound] = relationship(lazy="joined", innerjoin=True)

    def due(self) -> dt.datetime:
        """Until when this member may sign: never earlier than the round's own time."""
        return max(self.due_at or self.round.due_at, self.round.due_at)

    def may_write(self, now: dt.datetime) -> bool:
        """Whether the review can still be changed at `now`."""
        open_now = self.round.state is RoundState.OPEN and now < self.due()
        return open_now and self.signed_at is None


# --- preparing --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the office writes down about a round before it opens."""

    title: str
    explanation: str
    questions: list[str]
    due_at: dt.datetime
    by_name: bool
    quorum: int
    categories: list[str]
    fields: list[str]
    members: list[int]

    @property
    def audience(self) -> dict[str, Any]:
        """Whom it asks, as it is kept."""
        return {"categories": self.categories, "fields": self.fields, "members": self.members}


def prepare(version: Version, plan: Plan, *, by: audit.Actor, now: dt.datetime) -> ReviewRound:
    """Write a round down; nobody but the office knows of it."""
    consultation = version.draft.consultation
    prepared = ReviewRound(
        programme_id=consultation.programme_id,
        consultation_id=consultation.id,
        version_number=version.number,
        draft_title=version.draft.title,
        state=RoundState.PREPARED,
        created_at=now,
    )
    _write(prepared, plan)
    db.session.add(prepared)
    db.session.flush()
    record("review_round.prepared", prepared, by, now, after=facts(prepared))
    return prepared


def change(review_round: ReviewRound, plan: Plan, *, by: audit.Actor, now: dt.datetime) -> None:
    """Write it down anew, as long as it is not open."""
    lock(review_round)
    must_be_prepared(review_round)
    before = facts(review_round)
    _write(review_round, plan)
    record("review_round.changed", review_round, by, now, before=before, after=facts(review_round))


def delete(review_round: ReviewRound, *, by: audit.Actor, now: dt.datetime) -> None:
    """Take away a round that was never opened."""
    lock(review_round)
    must_be_prepared(review_round)
    record("review_round.deleted", review_round, by, now)
    db.session.delete(review_round)


def _write(review_round: ReviewRound, plan: Plan) -> None:
    review_round.title = plan.title
    review_round.explanation = plan.explanation
    review_round.questions = plan.questions[:MOST_QUESTIONS]
    review_round.due_at = review_round.closes_at = plan.due_at
    review_round.by_name = plan.by_name
    review_round.quorum = plan.quorum
    review_round.audience = plan.audience


def version_of(review_round: ReviewRound) -> Version | None:
    """The version it is about, if that is still there."""
    for version in drafts.versions(review_round.consultation):
        if version.number == review_round.version_number:
            return version
    return None


# --- what other nouns of a round ask of it -----------------------------------------------------


def must_be_closed(review_round: ReviewRound, now: dt.datetime) -> None:
    """Refuse what may only happen when nobody can change anything any more."""
    if review_round.phase(now) is not RoundPhase.CLOSED:
        raise Refused(_("审阅还没有截止，或者已经公布，现在不能公布结果。"))


def is_public(review_round: ReviewRound) -> bool:
    """Whether everybody may read the words it was about: the consultation and the version are
    public."""
    version = version_of(review_round)
    published = version is not None and version.state is VersionState.PUBLISHED
    return published and review_round.consultation.is_public


def lock(review_round: ReviewRound) -> None:
    """Hold the round's row: what is decided about a round happens one after the other."""
    db.session.flush()
    db.session.refresh(review_round, with_for_update={"of": ReviewRound})


def must_be_prepared(review_round: ReviewRound) -> None:
    """Refuse what would change a round that has begun."""
    if review_round.state is not RoundState.PREPARED:
        raise Refused(_("这一轮审阅已经开始，内容不能再改。"))


def must_be_open(review_round: ReviewRound, now: dt.datetime) -> None:
    """Refuse what only makes sense while members are reading."""
    if review_round.phase(now) is not RoundPhase.OPEN:
        raise Refused(_("这一轮审阅不在进行中。"))


def facts(review_round: ReviewRound) -> dict[str, Any]:
    """What the record of acts says of a round."""
    return {
        "due": said(review_round.due_at),
        "quorum": review_round.quorum,
        "by_name": review_round.by_name,
    }


def said(moment: dt.datetime) -> str:
    """A moment as letters and the record of acts have it."""
    here = moment.astimezone(consultations.SHANGHAI)
    if (here.hour, here.minute) == (0, 0):
        # As the pages say it: 24:00 of the day that ends.
        return f"{here - dt.timedelta(days=1):%Y-%m-%d} 24:00"
    return f"{here:%Y-%m-%d %H:%M}"


def record(
    action: str,
    review_round: ReviewRound,
    by: audit.Actor,
    now: dt.datetime,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Note what was done with a round."""
    audit.record(
        action,
        review_round,
        by=by,
        now=now,
        name=review_round.title,
        before=before,
        after=after,
        reason=reason,
    )


# --- reading ------------------------------------------------------------------------------------


def by_id(round_id: int) -> ReviewRound | None:
    """The round with this number."""
    return db.session.get(ReviewRound, round_id)


def every(*, before: int | None = None, limit: int = 50) -> Sequence[ReviewRound]:
    """The newest rounds, those before id `before`."""
    query = sa.select(ReviewRound).order_by(ReviewRound.id.desc()).limit(limit)
    if before is not None:
        query = query.where(ReviewRound.id < before)
    return db.session.scalars(query).all()


def invitations(review_round: ReviewRound) -> Sequence[Invitation]:
    """Everybody asked in the round, in the order in which they were asked."""
    query = sa.select(Invitation).where(Invitation.round_id == review_round.id)
    return db.session.scalars(query.order_by(Invitation.id)).all()


def page_of_invitations(
    review_round: ReviewRound, *, after: int = 0, limit: int
) -> Sequence[Invitation]:
    """So many of those asked, from the one after id `after` on."""
    query = sa.select(Invitation).where(
        Invitation.round_id == review_round.id, Invitation.id > after
    )
    return db.session.scalars(query.order_by(Invitation.id).limit(limit)).all()


def invitation(invitation_id: int) -> Invitation | None:
    """The invitation with this number."""
    return db.session.get(Invitation, invitation_id)


def invitation_of(round_id: int, account_id: int | None) -> Invitation | None:
    """How the member with this account was asked in this round; None for everybody else."""
    member = members.of_account(account_id) if account_id is not None else None
    if member is None:
        return None
    query = sa.select(Invitation).where(
        Invitation.round_id == round_id, Invitation.member_id == member.id
    )
    return db.session.scalar(query)


def invitations_of(member: Member) -> Sequence[Invitation]:
    """Every round a member was asked in, the newest first."""
    query = sa.select(Invitation).where(Invitation.member_id == member.id)
    return db.session.scalars(query.order_by(Invitation.id.desc())).all()


def log_of(review_round: ReviewRound) -> Sequence[AuditEvent]:
    """What the office did with the round, from the record of acts, the oldest first."""
    query = sa.select(AuditEvent).where(
        AuditEvent.thing_kind == "review_round", AuditEvent.thing_id == review_round.id
    )
    return db.session.scalars(query.order_by(AuditEvent.id)).all()
