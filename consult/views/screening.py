"""The screening desk: one opinion after another, by keyboard if one likes."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice

from consult import attachments, consultations, drafts, provenance, rules, screening
from consult.screening import Reason
from consult.submissions import Channel, Submission, SubmissionState
from core.db import db
from core.forms import Form, LineField, Words
from core.permissions import require
from core.web import choice_in, keep_private, now, number_in

blueprint = Blueprint("screening", __name__, url_prefix="/desk/screening")
PAGE = 20
STATES = frozenset(state.value for state in SubmissionState)
CHANNELS = frozenset(channel.value for channel in Channel)


class DecisionForm(Form):
    """What to do with one opinion, and with its copies if asked."""

    act = RadioField(
        _l("处理"),
        choices=[
            SelectChoice(SubmissionState.SHOWN.value, _l("展示")),
            SelectChoice(SubmissionState.HIDDEN.value, _l("不展示")),
            SelectChoice(SubmissionState.REFERRED.value, _l("转办理指引（12345、信访）")),
        ],
    )
    reason = RadioField(
        _l("不展示的理由"),
        choices=[SelectChoice(each, each) for each in ("", *(reason.value for reason in Reason))],
        default="",
    )
    note = LineField(_l("内部备注"), [Words(least=0, most=200, missing="")])
    scope = HiddenField(default="one")
    # In which state the list showed it.
    seen = HiddenField()
    back = HiddenField()


@blueprint.get("")
def queue() -> str:
    """What waits, the longest first; or what was decided, by state."""
    keep_private()
    require(rules.screen)
    state = SubmissionState(choice_in("state", STATES, SubmissionState.PENDING.value))
    channel = choice_in("channel", CHANNELS)
    consultation_id, after = number_in("consultation"), number_in("after")
    found = screening.queue(
        state=state,
        consultation_id=consultation_id,
        channel=Channel(channel) if channel else None,
        after=after,
        limit=PAGE + 1,
    )
    more = len(found) > PAGE
    found = found[:PAGE]
    kept: dict[str, Any] = {
        "state": state.value,
        "channel": channel,
        "consultation": consultation_id,
    }
    return render_template(
        "consult/screening/queue.html",
        submissions=found,
        state=state,
        states=list(SubmissionState),
        channels=list(Channel),
        channel=channel,
        consultation_id=consultation_id,
        consultations=consultations.every(public_only=False),
        copies=screening.copies(found) if state is SubmissionState.PENDING else {},
        places=_places(found),
        origins=provenance.of(found),
        scans=attachments.of(found),
        reasons=list(Reason),
        waiting=screening.pending_count(),
        next_url=url_for(".queue", **kept, after=found[-1].id) if more else None,
        first_url=url_for(".queue", **kept) if after else None,
        kept=kept,
        now=now(),
    )


@blueprint.post("/<int:submission_id>")
def decide(submission_id: int) -> Response | tuple[str, int]:
    """Carry the decision out, for this one or for all with the same words."""
    keep_private()
    require(rules.screen)
    submission = db.session.get(Submission, submission_id)
    if submission is None:
        abort(404)
    form = DecisionForm()
    if not form.validate():
        abort(422)
    state = SubmissionState(form.act.data)
    reason = None
    if state is SubmissionState.HIDDEN and form.reason.data:
        reason = Reason(form.reason.data)
    note, at = form.note.data, now()
    if form.scope.data == "alike":
        done = screening.decide_alike(
            submission, state, reason=reason, note=note, by=current_user, now=at
        )
    else:
        seen = SubmissionState(form.seen.data) if form.seen.data in STATES else None
        screening.decide(
            submission, state, reason=reason, note=note, seen=seen, by=current_user, now=at
        )
        done = 1
    db.session.commit()
    flash(_("已处理%(n)d件：%(state)s。", n=done, state=state.title), "success")
    return redirect(url_for(".queue", **_back(form.back.data or "")))


def _back(kept: str) -> dict[str, Any]:
    """The filters the screener was working with, from `state:channel:consultation`."""
    state, _sep, rest = kept.partition(":")
    channel, _sep, consultation = rest.partition(":")
    return {
        key: value
        for key, value, allowed in (
            ("state", state, state in STATES),
            ("channel", channel, channel in CHANNELS),
            (
                "consultation",
                consultation,
                consultation.isascii() and consultation.isdigit() and len(consultation) < 10,
            ),
        )
        if allowed
    }


def _places(found: Sequence[Submission]) -> dict[int, tuple[str, str]]:
    """{submission id: (where it stands, the words it is about)}."""
    places = {}
    for submission in found:
        version = drafts.version_by_id(submission.version_id) if submission.version_id else None
        if version is None:
            continue
        outline = drafts.outline(version)
        entry = outline.by_id.get(submission.place)
        if entry is not None:
            places[submission.id] = (outline.address(entry.id), "" if entry.level else entry.text)
    return places
