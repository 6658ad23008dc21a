"""The original words of an opinion: opened for a reason, each look recorded, and what is masked of
them changed."""

from flask import Blueprint, abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import SelectMultipleField

from consult import masking, originals, rules, screening
from consult.screening_steps import too_late
from consult.submissions import Submission, SubmissionState
from core.db import db
from core.forms import Form, LineField, Telling, Words
from core.permissions import require
from core.web import keep_private, now

blueprint = Blueprint("originals", __name__, url_prefix="/desk/screening/<int:submission_id>")


class LookForm(Form):
    """Why somebody wants to read the original."""

    why = LineField(
        _l("为什么要看原文"),
        [Telling(least=2, most=100, missing=_l("请写明为什么要看原文。"))],
        description=_l("写一句话即可，例如“核对隐去的内容”。请不要写入个人信息。"),
    )


class MaskForm(Form):
    """What is to be masked from now on."""

    mask = SelectMultipleField(_l("隐去"), choices=[], validate_choice=False)
    hide = LineField(_l("另外隐去的文字"), [Words(least=0, most=200, missing="")])


@blueprint.get("/original")
def ask(submission_id: int) -> str:
    """Say that the look will be recorded, and ask for the reason."""
    keep_private()
    submission = _submission(submission_id)
    return render_template(
        "consult/screening/original.html",
        submission=submission,
        form=LookForm(formdata=None),
        words=None,
    )


@blueprint.post("/original")
def look(submission_id: int) -> str | tuple[str, int]:
    """Show everything the author wrote, once, and record that it was looked at."""
    keep_private()
    submission, form = _submission(submission_id), LookForm()
    if not form.validate():
        page = "consult/screening/original.html"
        return render_template(page, submission=submission, form=form, words=None), 422
    words = originals.look(submission, why=form.why.data, by=current_user, now=now())
    db.session.commit()
    return render_template(
        "consult/screening/original.html",
        submission=submission,
        form=form,
        words=words,
        additions=originals.additions_to([submission.id]).get(submission.id, []),
        offers=masking.offers(words, originals.spans_of(submission)),
        may_mask=submission.state is SubmissionState.SHOWN,
    )


@blueprint.post("/mask")
def mask(submission_id: int) -> Response | tuple[str, int]:
    """Mask exactly what was ticked or typed, everywhere it is shown."""
    keep_private()
    submission, form = _submission(submission_id), MaskForm()
    if not form.validate():
        abort(422)
    words = originals.whole(submission)
    spans = masking.chosen(form.mask.data or [], form.hide.data, words)
    screening.mask(submission, spans, by=current_user, now=now())
    db.session.commit()
    flash(_("隐去的内容已经调整，公开的页面随即更新。"), "success")
    return redirect(url_for("screening.queue", state=submission.state.value))


def _submission(submission_id: int) -> Submission:
    require(rules.read_originals)
    submission = db.session.get(Submission, submission_id)
    if submission is None:
        abort(404)
    if submission.state in (SubmissionState.WITHDRAWN, SubmissionState.UNDONE):
        raise too_late(submission.state)
    return submission
