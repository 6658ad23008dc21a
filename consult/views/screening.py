"""The screening desk: one opinion after another, by keyboard if one likes."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, SelectMultipleField
from wtforms.fields.choices import SelectChoice

from consult import (
    appeals,
    attachments,
    consultations,
    decisions,
    drafts,
    masking,
    originals,
    proposals,
    provenance,
    rules,
    screening,
    screening_queue,
    screening_steps,
)
from consult.decisions import Reason
from consult.originals import Span
from consult.screening_queue import Choice
from consult.submissions import Channel, Submission, SubmissionState
from core.db import db
from core.forms import Form, LineField, Words
from core.permissions import require
from core.web import choice_in, keep_private, now, number_in, whole_number

blueprint = Blueprint("screening", __name__, url_prefix="/desk/screening")
PAGE = 20
STATES = frozenset(state.value for state in SubmissionState) - {SubmissionState.UNDONE.value}
CHANNELS = frozenset(channel.value for channel in Channel)
REASONS = frozenset(reason.value for reason in Reason)
# What is looked at: a state, what waits for a second person, or what is appealed.
PROPOSED, APPEALED = "proposed", "appealed"
LISTS = STATES | {PROPOSED, APPEALED}
LONGEST_WAIT = 3650
ACTS = {
    "shown": _l("展示"),
    "hidden": _l("提出不展示"),
    "confirm": _l("确认不展示"),
    "send_back": _l("退回建议"),
    "referred": _l("转办理指引（12345、信访）"),
    "asked": _l("请作者补充"),
    "uphold": _l("维持原决定"),
}
FILTERS = ("state", "channel", "consultation", "reason", "waited")


class DecisionForm(Form):
    """What to do with one opinion, and with its copies if asked."""

    act = RadioField(
        _l("处理"),
        choices=[SelectChoice(act, label) for act, label in ACTS.items()],
    )
    reason = RadioField(
        _l("不展示的理由"),
        choices=[SelectChoice(each, each) for each in ("", *(reason.value for reason in Reason))],
        default="",
    )
    note = LineField(_l("内部备注"), [Words(least=0, most=200, missing="")])
    told = LineField(_l("告诉作者的话"), [Words(least=0, most=200, missing="")])
    # The spans to mask when it is shown, and further words to mask wherever they stand.
    mask = SelectMultipleField(_l("隐去"), choices=[], validate_choice=False)
    hide = LineField(_l("另外隐去的文字"), [Words(least=0, most=200, missing="")])
    scope = HiddenField(default="one")
    # In which state the list showed it, or that it was with a colleague's proposal; which words.
    seen = HiddenField()
    seen_words = HiddenField()
    back = HiddenField()
    # The opinion that comes next in the list, where the screener goes on.
    following = HiddenField()


@blueprint.get("")
def queue() -> str:
    """What waits, the longest first; what waits for a second person; or what was decided."""
    keep_private()
    require(rules.screen)
    kept = _kept(request.args.get)
    shown_list = choice_in("state", LISTS, SubmissionState.PENDING.value)
    choice = _choice(shown_list)
    after = number_in("after")
    found = screening_queue.queue(choice, after=after, limit=PAGE + 1)
    more = len(found) > PAGE
    found = found[:PAGE]
    ids = [each.id for each in found]
    appealed = appeals.open_on(ids)
    return render_template(
        "consult/screening/queue.html",
        rules=rules,
        submissions=found,
        shown_list=shown_list,
        states=list(SubmissionState),
        channels=list(Channel),
        choice=choice,
        waited=kept["waited"],
        consultations=consultations.every(public_only=False),
        copies=screening_queue.copies(found),
        proposals=decisions.proposals_on(ids),
        appeals=appealed,
        for_another={
            each.id
            for each in found
            if each.id in appealed and not appeals.may_hear(each, current_user)
        },
        additions=originals.additions_to(ids),
        masked=originals.masked_among(ids),
        offers={
            each.id: masking.offers(originals.Words(each.title, each.body))
            for each in found
            if each.state not in (SubmissionState.SHOWN, SubmissionState.WITHDRAWN)
        },
        words_seen=screening_steps.words_seen,
        places=_places(found),
        origins=provenance.of(found),
        scans=attachments.of(found),
        reasons=list(Reason),
        waiting=screening_queue.pending_count(),
        proposed=screening_queue.proposed_count(),
        appealed=screening_queue.appealed_count(),
        next_url=url_for(".queue", **kept, after=found[-1].id) if more else None,
        first_url=url_for(".queue", **kept) if after else None,
        kept=kept,
        back=":".join(str(kept[name] or "") for name in FILTERS),
        me=current_user.id,
        now=now(),
    )


def _choice(shown_list: str) -> Choice:
    """The filters the address asks for; 400 when it asks for what cannot be."""
    channel, reason = choice_in("channel", CHANNELS), choice_in("reason", REASONS)
    waited = number_in("waited", most=LONGEST_WAIT)
    state = SubmissionState(shown_list) if shown_list in STATES else SubmissionState.PENDING
    return Choice(
        state=state,
        consultation_id=number_in("consultation"),
        channel=Channel(channel) if channel else None,
        until=now() - dt.timedelta(days=waited) if waited else None,
        reason=Reason(reason) if reason else None,
        proposed=shown_list == PROPOSED or bool(reason),
        appealed=shown_list == APPEALED,
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
    done = _carry_out(submission, form)
    db.session.commit()
    flash(_("已处理%(n)d件：%(act)s。", n=done, act=ACTS[form.act.data]), "success")
    back = (form.back.data or "").split(":")
    kept = _kept(dict(zip(FILTERS, back, strict=False)).get) if len(back) == len(FILTERS) else {}
    following = form.following.data or ""
    anchor = f"s{following}" if following.isascii() and following.isdigit() else None
    return redirect(url_for(".queue", **kept, _anchor=anchor))


def _carry_out(submission: Submission, form: DecisionForm) -> int:
    """Do what the form asks for; to how many."""
    act, alike, at = form.act.data, form.scope.data == "alike", now()
    seen = SubmissionState(form.seen.data) if form.seen.data in STATES else None
    proposed = form.seen.data == PROPOSED
    who: dict[str, Any] = {"by": current_user, "now": at}
    note = form.note.data
    if act == "hidden":
        reason = Reason(form.reason.data) if form.reason.data else None
        if alike:
            return proposals.propose_alike(submission, reason, note=note, **who)
        proposals.propose(submission, reason, note=note, seen=seen, **who)
    elif act == "confirm":
        if alike:
            return proposals.confirm_alike(submission, note=note, **who)
        proposals.confirm(submission, note=note, **who)
    elif act == "send_back":
        proposals.send_back(submission, **who)
    elif act == "uphold":
        appeals.uphold(submission, form.told.data, **who)
    else:
        who |= {"note": note, "told": form.told.data}
        state = SubmissionState(act)
        spans = _spans(submission, form) if state is SubmissionState.SHOWN else None
        if alike and not proposed:
            return screening.decide_alike(submission, state, spans=spans or (), **who)
        screening.decide(
            submission,
            state,
            spans=spans,
            seen=seen,
            seen_proposed=proposed,
            seen_words=form.seen_words.data or "",
            **who,
        )
    return 1


def _spans(submission: Submission, form: DecisionForm) -> list[Span]:
    """What to mask: what was masked already and what the screener ticked or typed. What is masked
    can be uncovered only by who looks at the original."""
    words = originals.Words(submission.title, submission.body)
    ticked = masking.chosen(form.mask.data or [], form.hide.data, words)
    return [*originals.spans_of(submission), *ticked]


def _kept(given: Any) -> dict[str, Any]:
    """The filters a screener works with, of what `given(name)` says those that can be."""
    allowed = {"state": LISTS, "channel": CHANNELS, "reason": REASONS}
    kept: dict[str, Any] = {}
    for name in FILTERS:
        value = given(name) or ""
        good = value in allowed[name] if name in allowed else whole_number(value) is not None
        kept[name] = value if good else None
    return kept


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
