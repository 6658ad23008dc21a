"""Reminders (提醒): that there is something to review, seven days, two days and on the day before it
is due. None goes to who has signed, none goes twice."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.consultations import SHANGHAI
from core import audit, outbox
from core.accounts import Account
from core.db import db
from core.errors import Refused
from core.outbox import Post
from panel import rounds
from panel.appointments import Appointment
from panel.members import Member
from panel.rounds import Invitation, ReviewRound, RoundState

# How many days before the due day, the most urgent first.
BEFORE = (0, 2, 7)


def stage_of(invitation: Invitation, now: dt.datetime) -> int | None:
    """Which reminder is due now: 7, 2 or 0 days before; None when none is or it is signed."""
    if not invitation.may_write(now):
        return None
    left = _days_left(invitation, now)
    return next((days for days in BEFORE if left <= days), None)


def _days_left(invitation: Invitation, now: dt.datetime) -> int:
    # A due moment of midnight is the end of the day before.
    last_day = (invitation.due() - dt.timedelta(seconds=1)).astimezone(SHANGHAI).date()
    return (last_day - now.astimezone(SHANGHAI).date()).days


def remind_due(post: Post, *, now: dt.datetime) -> None:
    """Put in every reminder that is due, each once."""
    query = (
        sa.select(Invitation)
        .join(ReviewRound, ReviewRound.id == Invitation.round_id)
        .where(
            ReviewRound.state == RoundState.OPEN,
            ReviewRound.closes_at > now,
            Invitation.signed_at.is_(None),
        )
    )
    waiting = [
        (invitation, stage)
        for invitation in db.session.scalars(query)
        if (stage := stage_of(invitation, now)) is not None
    ]
    addresses = _addresses([invitation for invitation, _stage in waiting])
    outbox.put(
        (
            _letter(
                invitation,
                f"review:{invitation.id}:{invitation.due().isoformat()}:{stage}",
                addresses[invitation.member_id],
                _("审阅提醒：%(title)s", title=invitation.round.title),
                _left(_days_left(invitation, now)),
                post,
            )
            for invitation, stage in waiting
            if invitation.member_id in addresses
        ),
        now=now,
    )


def unreachable(appointments: Sequence[Appointment]) -> list[tuple[int, str]]:
    """Who of those that would be asked has no working account, (member, name): no letter reaches
    them, and they could not open what they are asked to review."""
    reached = _addresses_of({each.member_id for each in appointments})
    named = [(each.member_id, each.member.name) for each in appointments]
    return [pair for pair in named if pair[0] not in reached]


def unreached(review_round: ReviewRound) -> list[tuple[int, str]]:
    """The same of those asked in a round who have not signed."""
    query = (
        sa.select(Invitation.member_id, Invitation.name)
        .join(Member, Member.id == Invitation.member_id)
        .outerjoin(Account, Account.id == Member.account_id)
        .where(
            Invitation.round_id == review_round.id,
            Invitation.signed_at.is_(None),
            sa.or_(Account.id.is_(None), ~Account.active),
        )
        .order_by(Invitation.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def announce(invitations: Sequence[Invitation], post: Post, *, now: dt.datetime) -> int:
    """Tell those who were just asked; how many a letter reaches."""
    addresses = _addresses(invitations)
    outbox.put(
        (
            _letter(
                each,
                f"review-asked:{each.id}",
                addresses[each.member_id],
                _("请您审阅：%(title)s", title=each.round.title),
                _("请您审阅一份文稿，逐节填写意见并签署。"),
                post,
            )
            for each in invitations
            if each.member_id in addresses
        ),
        now=now,
    )
    return len(addresses)


def tell_extended(invitations: Iterable[Invitation], post: Post, *, now: dt.datetime) -> None:
    """Tell those who have not signed that they have longer."""
    waiting = [each for each in invitations if each.may_write(now)]
    addresses = _addresses(waiting)
    outbox.put(
        (
            _letter(
                each,
                f"review-extended:{each.id}:{each.due().isoformat()}",
                addresses[each.member_id],
                _("审阅延期：%(title)s", title=each.round.title),
                _("审阅的截止时间延长了。"),
                post,
            )
            for each in waiting
            if each.member_id in addresses
        ),
        now=now,
    )


def chase(review_round: ReviewRound, post: Post, *, by: audit.Actor, now: dt.datetime) -> int:
    """Remind all who have not signed, at the office's word, once a day; how many a letter
    reaches."""
    rounds.must_be_open(review_round, now)
    waiting = [each for each in rounds.invitations(review_round) if each.may_write(now)]
    addresses = _addresses(waiting)
    reached = [each for each in waiting if each.member_id in addresses]
    if not waiting:
        raise Refused(_("受邀的成员都已签署，没有要催办的。"))
    if not reached:
        raise Refused(_("没有签署的成员都还没有账号，催办送不到，请先在名册里发送邀请。"))
    day = now.astimezone(SHANGHAI).date()
    outbox.put(
        (
            _letter(
                each,
                f"review-chased:{each.id}:{day}",
                addresses[each.member_id],
                _("请尽快审阅：%(title)s", title=review_round.title),
                _("您还没有签署审阅意见。"),
                post,
            )
            for each in reached
        ),
        now=now,
    )
    audit.record(
        "review_round.chased",
        review_round,
        by=by,
        now=now,
        name=review_round.title,
        after={"members": len(reached)},
    )
    return len(reached)


def _addresses(invitations: Sequence[Invitation]) -> dict[int, str]:
    """{member: where mail reaches them}; members without a working account are left out."""
    return _addresses_of({each.member_id for each in invitations})


def _addresses_of(asked: set[int]) -> dict[int, str]:
    query = (
        sa.select(Member.id, Account.email)
        .join(Account, Account.id == Member.account_id)
        .where(Member.id.in_(asked), Account.active)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}


def _letter(
    invitation: Invitation, about: str, address: str, subject: str, first: str, post: Post
) -> outbox.Draft:
    return outbox.Draft(
        about=about,
        sealed_address=post.sealed(address),
        subject=subject,
        body=_(
            "%(name)s，您好！\n\n"
            "%(first)s\n\n"
            "审阅：%(title)s\n"
            "截止：%(due)s\n"
            "打开：%(url)s\n\n"
            "文稿在公布之前请勿外传。这是系统发出的通知，请不要回复。",
            name=invitation.name,
            first=first,
            title=invitation.round.title,
            due=rounds.said(invitation.due()),
            url=f"{post.site}/panel/reviews/{invitation.round_id}",
        ),
    )


def _left(days: int) -> str:
    if days == 0:
        return str(_("今天截止，您还没有签署审阅意见。"))
    return str(_("还剩不到%(n)d天，您还没有签署审阅意见。", n=days + 1))


def on_the_desk(invitations: Iterable[Invitation], now: dt.datetime) -> Iterator[Invitation]:
    """What still waits for this member, the most urgent first."""
    yield from sorted((each for each in invitations if each.may_write(now)), key=Invitation.due)
