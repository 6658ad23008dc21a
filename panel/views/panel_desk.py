"""The member's desk (咨询团工作台): what awaits me, my reviews, what became of my remarks."""

from flask import Blueprint, render_template, url_for
from flask_login import current_user

from core.permissions import require
from core.web import keep_private, now, number_in
from panel import (
    guests,
    ledger,
    members,
    remark_answers,
    review_reminders,
    reviews,
    rounds,
    rules,
)
from panel.meetings import MeetingState

blueprint = Blueprint("panel_desk", __name__, url_prefix="/panel/desk")
AT_ONCE = 20


@blueprint.get("/")
def today() -> str:
    """What awaits this member, what they signed, and where their remarks went."""
    keep_private()
    require(rules.sit_on_panel)
    at = now()
    member = members.of_account(current_user.id)
    assert member is not None
    invited = rounds.invitations_of(member)
    said = remark_answers.of_member(member.id, before=number_in("before"), limit=AT_ONCE + 1)
    more = len(said) > AT_ONCE
    coming = [
        each
        for each in reversed(guests.of_member([member.id]))
        if each.meeting.ends_at > at and not each.meeting.is_off
    ]
    unanswered = [
        each
        for each in coming
        if each.answer is guests.Answer.NONE
        and each.meeting.state is MeetingState.ANNOUNCED
        and at < each.meeting.starts_at
    ]
    return render_template(
        "panel/desk/today.html",
        member=member,
        waiting=list(review_reminders.on_the_desk(invited, at)),
        stages={each.id: review_reminders.stage_of(each, at) for each in invited},
        invitations=invited,
        phases={each.id: each.round.phase(at) for each in invited},
        answers={each.id: reviews.answer_of(each) for each in invited},
        line=ledger.of_member(member.id),
        fates=said[:AT_ONCE],
        next_url=url_for(".today", before=said[AT_ONCE - 1].submission.id) if more else None,
        unanswered=unanswered,
        answered=[each for each in coming if each not in unanswered],
        now=at,
    )
