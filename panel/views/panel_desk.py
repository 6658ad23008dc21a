"""The member's desk (咨询团工作台): what awaits me, my reviews, what became of my remarks."""

from flask import Blueprint, current_app, render_template, url_for
from flask_login import current_user

from core.permissions import require
from core.web import keep_private, now, number_in
from panel import members, remarks, review_ledger, review_reminders, reviews, rounds, rules

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
    said = remarks.of_member(member.id, before=number_in("before"), limit=AT_ONCE + 1)
    more = len(said) > AT_ONCE
    return render_template(
        "panel/desk/today.html",
        member=member,
        waiting=list(review_reminders.on_the_desk(invited, at)),
        stages={each.id: review_reminders.stage_of(each, at) for each in invited},
        invitations=invited,
        phases={each.id: each.round.phase(at) for each in invited},
        answers={each.id: reviews.answer_of(each) for each in invited},
        line=review_ledger.of_member(member.id),
        remarks=said[:AT_ONCE],
        next_url=url_for(".today", before=said[AT_ONCE - 1][0].id) if more else None,
        meetings=_meetings(),
        now=at,
    )


def _meetings() -> str | None:
    """Where a member finds their meetings, once there are such pages."""
    there = "my_meetings.index" in current_app.view_functions
    return url_for("my_meetings.index") if there else None
