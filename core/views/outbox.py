"""The outbox desk: what became of the messages to authors."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField
from wtforms.validators import AnyOf

from core import addresses, outbox, rules, sealing
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.forms import Form
from core.outbox import Message, MessageState
from core.permissions import require
from core.web import choice_in, keep_private, now, number_in

blueprint = Blueprint("outbox", __name__, url_prefix="/desk/messages")
PAGE = 30
STATES = frozenset(state.value for state in MessageState)
Page = Response | str


class DecideForm(Form):
    """What to do with a message that got stuck."""

    act = HiddenField(
        validators=[AnyOf(("retry", "give_up"), _l("请选择“再发一次”或“不再发送”。"))]
    )


@blueprint.before_request
def _those_who_mind() -> None:
    keep_private()
    require(rules.mind_messages)


@blueprint.get("")
def index() -> Page:
    """How many messages are in each state, and those of one state, newest first."""
    counts = outbox.counts()
    usual = MessageState.FAILED if counts[MessageState.FAILED] else MessageState.WAITING
    state = MessageState(choice_in("state", STATES, usual.value))
    before = number_in("before")
    found = outbox.page(state, before=before, limit=PAGE + 1)
    return render_template(
        "core/outbox/index.html",
        counts=counts,
        state=state,
        found=[(message, _masked(message)) for message in found[:PAGE]],
        stuck=outbox.STUCK,
        next_url=url_for(".index", state=state.value, before=found[PAGE - 1].id)
        if len(found) > PAGE
        else None,
        first_url=url_for(".index", state=state.value) if before else None,
    )


def _masked(message: Message) -> str:
    """Enough of the address to know it again; nothing once it has gone."""
    if not message.sealed_address:
        return ""
    try:
        return addresses.masked(sealing.unseal(of_site().contact_key, message.sealed_address))
    except sealing.Unreadable:
        return ""


@blueprint.post("/<int(max=2147483647):message_id>")
def decide(message_id: int) -> Page:
    """Send once more, or leave it."""
    message = outbox.by_id(message_id)
    if message is None:
        abort(404)
    form = DecideForm()
    state = message.state.value
    if not form.validate():
        flash(_("请选择“再发一次”或“不再发送”。"), "danger")
        return redirect(url_for(".index", state=state))
    act = outbox.retry if form.act.data == "retry" else outbox.give_up
    try:
        act(message, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(url_for(".index", state=state))
    db.session.commit()
    flash(_("已放回待发。") if form.act.data == "retry" else _("不再发送，地址已删除。"), "success")
    return redirect(url_for(".index", state=state))
