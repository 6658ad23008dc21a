"""A member's meetings: what I am invited to, my answer, the papers, and checking in at the door."""

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response as Answer
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from core import languages
from core.db import db
from core.errors import refusals_on
from core.forms import Form, LineField, Words
from core.permissions import require
from core.web import keep_private, now
from panel import guests, members, papers, rules
from panel.guests import Invitation
from panel.meetings import MeetingState
from panel.papers import MeetingPaper
from panel.views import meeting_calendar
from panel.views.meetings import agenda_link, paper_file

blueprint = Blueprint("my_meetings", __name__, url_prefix="/panel/meetings")
GIVEN = (
    guests.Answer.ATTEND,
    guests.Answer.DECLINE,
    guests.Answer.SUBSTITUTE,
)


class AnswerForm(Form):
    """Whether one comes, or who comes instead."""

    answer = RadioField(
        _l("是否参加"),
        [InputRequired(_l("请选择是否参加。"))],
        choices=[SelectChoice(each.value, each.value) for each in GIVEN],
    )
    substitute = LineField(
        _l("委托谁参加"),
        [Words(least=0, most=60, missing="")],
        description=_l("委托他人参加时填写姓名。"),
        render_kw={"autocomplete": "off"},
    )
    note = LineField(
        _l("附言"),
        [Words(least=0, most=300, missing="")],
        description=_l("可以不填。"),
        render_kw={"autocomplete": "off"},
    )

    def offer(self) -> "AnswerForm":
        """Name the choices in the reader's language."""
        self.answer.choices = [SelectChoice(each.value, each.title) for each in GIVEN]
        return self


def ticket_for(meeting_id: int) -> str:
    """What stands in the code at the door: the meeting, signed."""
    written = _door().dumps(meeting_id)
    assert isinstance(written, str)
    return written


def _door() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="meeting-door")


@blueprint.get("/")
def index() -> str:
    """What I am invited to: what comes first, then what was."""
    mine, at = _mine(), now()
    found = guests.of_member(mine)
    coming = [each for each in found if each.meeting.ends_at > at]
    coming.reverse()
    return render_template(
        "panel/my_meetings/index.html",
        coming=coming,
        past=[each for each in found if each.meeting.ends_at <= at],
        clashes={
            each.id: guests.conflicts(each.meeting, mine, sent_only=True).get(each.member_id, [])
            for each in coming
            if not each.meeting.is_off
        },
    )


@blueprint.get("/meetings.ics")
def calendar() -> Response:
    """All of them for a calendar."""
    mine = _mine()
    languages.only_chinese()
    found = [each.meeting for each in guests.of_member(mine)]
    return meeting_calendar.answer(found, endpoint="my_meetings.show", with_links=True)


@blueprint.get("/<int:meeting_id>")
def show(meeting_id: int) -> str:
    """One of them, with its papers and my answer."""
    invitation = _invitation(meeting_id)
    form = AnswerForm(
        formdata=None,
        answer=invitation.answer.value,
        substitute=invitation.substitute,
        note=invitation.note,
    ).offer()
    return _page(invitation, form)


@blueprint.post("/<int:meeting_id>")
def answer(meeting_id: int) -> Answer | tuple[str, int]:
    """Say whether I come."""
    invitation = _invitation(meeting_id)
    form = AnswerForm().offer()
    if not form.validate():
        return _page(invitation, form), 422
    given = guests.Answer(form.answer.data)
    if given is guests.Answer.SUBSTITUTE and not form.substitute.data:
        form.substitute.errors = [_("请写明委托谁参加。")]
        return _page(invitation, form), 422
    with refusals_on(lambda sentence: _page(invitation, form, sentence)):
        guests.answer(
            invitation,
            given,
            substitute=form.substitute.data,
            note=form.note.data,
            by=current_user,
            now=now(),
        )
    db.session.commit()
    flash(_("已答复：%(answer)s。会前可以再改。", answer=given.title), "success")
    return redirect(url_for(".show", meeting_id=meeting_id))


@blueprint.get("/papers/<int:paper_id>")
def paper(paper_id: int) -> Answer:
    """A paper of a meeting to which I am invited."""
    _mine()
    found = db.session.get(MeetingPaper, paper_id)
    if found is None:
        abort(404)
    _invitation(found.meeting_id)
    return paper_file(found)


@blueprint.get("/check-in/<ticket>")
def door(ticket: str) -> str:
    """Where the code at the door leads: one button."""
    invitation = _at_the_door(ticket)
    return render_template(
        "panel/my_meetings/door.html",
        invitation=invitation,
        meeting=invitation.meeting,
        ticket=ticket,
        form=Form(formdata=None),
        is_open=guests.door_is_open(invitation.meeting, now()),
    )


@blueprint.post("/check-in/<ticket>")
def check_in(ticket: str) -> Answer:
    """Note that I am here."""
    invitation = _at_the_door(ticket)
    guests.check_in(invitation, by=current_user, now=now())
    db.session.commit()
    flash(_("签到成功。"), "success")
    return redirect(url_for(".door", ticket=ticket))


def _mine() -> list[int]:
    keep_private()
    require(rules.sit_on_panel)
    member = members.of_account(current_user.id)
    return [member.id] if member is not None else []


def _invitation(meeting_id: int) -> Invitation:
    """My invitation to this meeting; without one the meeting does not exist for me."""
    found = [each for each in guests.of_member(_mine()) if each.meeting_id == meeting_id]
    return found[0] if found else abort(404)


def _at_the_door(ticket: str) -> Invitation:
    _mine()
    try:
        meeting_id = _door().loads(ticket)
    except BadSignature:
        abort(404)
    return _invitation(meeting_id)


def _page(invitation: Invitation, form: AnswerForm, refusal: str = "") -> str:
    meeting, at = invitation.meeting, now()
    open_still = meeting.state is MeetingState.ANNOUNCED and at < meeting.starts_at
    return render_template(
        "panel/my_meetings/show.html",
        invitation=invitation,
        meeting=meeting,
        form=form,
        items=[(item, agenda_link(item)) for item in papers.items_of(meeting.id)],
        bound=papers.points_of(meeting.id, public=True),
        papers=papers.papers_of(meeting.id),
        clashes=guests.conflicts(meeting, [invitation.member_id], sent_only=True).get(
            invitation.member_id, []
        ),
        may_answer=open_still or bool(refusal),
        refusal=refusal,
    )
