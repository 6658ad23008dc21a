"""Counting anew, publishing and withdrawing a summary: each asks once more before it is done."""

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import BooleanField
from wtforms.validators import InputRequired

from consult import rules, summaries
from consult.consultations import Consultation
from consult.programmes import Stage
from consult.summaries import Subject, Summary, counting_jobs
from core import rules as job_rules
from core.db import db
from core.forms import Form, LineField, Words
from core.permissions import may, require
from core.web import keep_private, now, number_in

Page = Response | str | tuple[str, int]


class ConfirmForm(Form):
    """An act that is done only when it was meant."""

    confirm = BooleanField(_l("我已核对，确认办理"), [InputRequired(_l("请先勾选确认。"))])


class WithdrawForm(ConfirmForm):
    """Taking back what the public has read needs a reason."""

    reason = LineField(
        _l("撤回的理由"),
        [Words(most=200, missing=_l("请写明撤回的理由，理由会向公众展示。"))],
        description=_l("会显示在这项意见征集的变更记录里。"),
    )


def count() -> Page:
    """Count a consultation or a stage as it stands now."""
    keep_private()
    require(rules.make_summaries)
    subject = asked_for()
    if subject is None:
        abort(404)
    form, long = ConfirmForm(), counting_jobs.is_long(subject)
    history = url_for(".index", **scope(subject))
    if not form.validate_on_submit():
        said = _("将按现在的审核结果和词典重新计数，生成一份新的汇总；以前的汇总不会改变。")
        if long:
            said += _("意见较多，将在后台进行，可以离开页面，稍后再来查看。")
        return _confirm(form, _("汇总意见"), subject, said, history)
    if long:
        job = counting_jobs.ask(subject, by=current_user, now=now())
        db.session.commit()
        flash(_("已交给后台汇总，完成后列在意见汇总里。"), "success")
        # A colleague's that has not begun yet is not shown to others.
        seen = may(job_rules.see_job, job)
        return redirect(url_for("jobs.show", job_id=job.id) if seen else history)
    made = summaries.make(subject, by=current_user, now=now(), between=db.session.rollback)
    db.session.commit()
    flash(_("已生成第%(n)d次汇总，计入%(m)d件意见。", n=made.number, m=made.shown), "success")
    return redirect(url_for(".show", summary_id=made.id))


def publish(summary_id: int) -> Page:
    """Let the public read a snapshot."""
    summary = _to_change(summary_id)
    return _act(
        summary,
        ConfirmForm(),
        _("公布这次汇总"),
        _("公布后，所有人都可以在意见征集的页面上读到这次汇总和其中的每一件已展示的意见。"),
        lambda _form: summaries.publish(summary, by=current_user, now=now()),
        _("已公布第%(n)d次汇总。", n=summary.number),
    )


def withdraw(summary_id: int) -> Page:
    """Take a published snapshot back."""
    summary = _to_change(summary_id)
    return _act(
        summary,
        WithdrawForm(),
        _("撤回已公布的汇总"),
        _("撤回后公众不能再读到这次汇总；撤回一事和理由会记入变更记录。"),
        lambda form: summaries.withdraw(
            summary, reason=form.reason.data, by=current_user, now=now()
        ),
        _("已撤回第%(n)d次汇总。", n=summary.number),
    )


def _act(
    summary: Summary,
    form: Any,
    title: str,
    text: str,
    deed: Callable[[Any], None],
    done: str,
) -> Page:
    back = url_for(".show", summary_id=summary.id)
    if not form.validate_on_submit():
        return _confirm(form, title, summary.subject, text, back, summary)
    deed(form)
    db.session.commit()
    flash(done, "success")
    return redirect(back)


def _confirm(
    form: Any, title: str, subject: Subject, text: str, back: str, summary: Summary | None = None
) -> Page:
    page = render_template(
        "consult/summaries/confirm.html",
        form=form,
        title=title,
        subject=subject,
        text=text,
        back=back,
        summary=summary,
        action=request.full_path.rstrip("?"),
    )
    return (page, 422) if request.method == "POST" else page


def _to_change(summary_id: int) -> Summary:
    keep_private()
    require(rules.make_summaries)
    summary = summaries.by_id(summary_id)
    return summary if summary is not None else abort(404)


def asked_for() -> Subject | None:
    """The consultation or stage the address names; None when it names neither, 404 if unknown."""
    consultation_id, stage_id = number_in("consultation"), number_in("stage")
    if consultation_id is None and stage_id is None:
        return None
    found: Subject | None = (
        db.session.get(Consultation, consultation_id)
        if consultation_id is not None
        else db.session.get(Stage, stage_id)
    )
    return found if found is not None else abort(404)


def scope(subject: Subject) -> dict[str, Any]:
    """The subject as part of an address."""
    name = "consultation" if isinstance(subject, Consultation) else "stage"
    return {name: subject.id}
