"""Receipts: what became of the opinion with this number, and what its author may do about it.

The number is the author's key: whoever holds it may complete, withdraw or appeal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response
from wtforms import BooleanField
from wtforms.validators import InputRequired

from consult import (
    appeals,
    authors,
    changes,
    consultations,
    decisions,
    drafts,
    originals,
    points,
    responses,
    screening,
    submissions,
)
from consult.changes import Change, Met
from consult.consultations import Consultation, ConsultationState
from consult.submissions import Submission
from consult.views.comments import CONTACT_DAYS
from core import consents, sealing
from core.config import of_site
from core.db import db
from core.errors import once_more
from core.forms import ContactField, Form, Telling, TextField, Words
from core.views.look_ups import LookUp
from core.web import keep_private, now

blueprint = Blueprint("receipts", __name__, url_prefix="/receipts")


class CompletionForm(Form):
    """What the author was asked for."""

    words = TextField(
        _l("补充的内容"),
        [Telling(least=2, most=submissions.LONGEST, missing=_l("请写下要补充的内容。"))],
        description=_l("原来的文字不变，补充的内容接在后面，再次审核后一并展示。"),
        render_kw={"data-keep": ""},
    )


class WithdrawalForm(Form):
    """The author's word that it is meant."""

    confirm = BooleanField(
        _l("我要撤回这件意见，知道撤回后不能恢复"),
        [InputRequired(_l("请先勾选，确认要撤回。"))],
    )


class ContactForm(Form):
    """Where the author wants to hear of the answer."""

    contact = ContactField(
        _l("手机号或电子邮箱"),
        [Words(most=100, missing=_l("请填写手机号或电子邮箱。"))],
        description=_l("只用来告诉您答复，不公开，加密保存一年。"),
        render_kw={"autocomplete": "email"},
    )
    consent = BooleanField(
        _l("我同意按《知情同意》保存和使用这个联系方式"),
        [InputRequired(_l("请阅读并勾选同意，然后再保存。"))],
    )


class AppealForm(Form):
    """Why the author does not accept the decision."""

    words = TextField(
        _l("您的理由"),
        [
            Telling(
                least=5,
                most=appeals.LONGEST,
                missing=_l("请写明理由。"),
            )
        ],
        description=_l(
            "由没有参与原决定的另一位审核员复核，结果在本页告诉您。每次决定可以提一次。"
        ),
        render_kw={"data-keep": ""},
    )


def _address(typed: str) -> str | None:
    found = submissions.by_receipt(typed)
    return url_for("receipts.show", receipt=found.receipt) if found else None


LOOK_UP = LookUp(
    title=_l("查询我的意见"),
    label=_l("受理编号"),
    hint=_l("提交意见时得到的编号，例如 201020-7K3M9-QPDXW，大小写和横线都不要紧。"),
    missing=_l("请输入受理编号。"),
    unknown=_l("没有找到这个编号。请对照回执核对一遍，字母和数字共16位。"),
    counter="receipt",
    endpoint="receipts.find",
    address=_address,
)


@blueprint.get("/")
def look_up() -> str:
    """The page where a number is typed in."""
    return LOOK_UP.page()


@blueprint.post("/")
def find() -> Response | tuple[str, int]:
    """Go to the opinion with this number, or say that there is none."""
    return LOOK_UP.find()


@blueprint.get("/<receipt>")
def show(receipt: str) -> Response | str:
    """The opinion, its state and the reason for it."""
    keep_private()
    submission = _submission(receipt)
    if submission.receipt != receipt:
        return redirect(url_for("receipts.show", receipt=submission.receipt))
    return _page(submission)


@blueprint.post("/<receipt>/complete")
def complete(receipt: str) -> Response | tuple[str, int]:
    """Add what was asked for; it is screened again."""
    keep_private()
    submission, form = _submission(receipt), CompletionForm()
    if not form.validate():
        return _page(submission, completion=form), 422
    screening.complete(submission, form.words.data, now=now())
    db.session.commit()
    flash(_("补充的内容已经收到，审核后会一并展示。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt, taken=1))


@blueprint.post("/<receipt>/withdraw")
def withdraw(receipt: str) -> Response | tuple[str, int]:
    """Take the opinion back."""
    keep_private()
    submission, form = _submission(receipt), WithdrawalForm()
    if not form.validate():
        return _page(submission, withdrawal=form), 422
    screening.withdraw(submission, now=now())
    db.session.commit()
    flash(_("这件意见已经撤回，不再在任何地方展示。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt))


@blueprint.post("/<receipt>/appeal")
def appeal(receipt: str) -> Response | tuple[str, int]:
    """Ask another screener to look at the decision again."""
    keep_private()
    submission, form = _submission(receipt), AppealForm()
    if not form.validate():
        return _page(submission, objection=form), 422
    appeals.file(submission, form.words.data, now=now())
    db.session.commit()
    flash(_("您的异议已经收到，会由另一位审核员复核。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt, taken=1))


@blueprint.post("/<receipt>/contact")
def change_contact(receipt: str) -> Response | tuple[str, int]:
    """Be told of the answer at this address, in place of the one that was left."""
    keep_private()
    submission, form = _submission(receipt), ContactForm()
    if not form.validate():
        return _page(submission, contact=form), 422
    sealed = sealing.seal(of_site().contact_key, form.contact.data)
    authors.change_contact(
        submission, sealed, consent=consents.CONTACT.version, days=CONTACT_DAYS, now=now()
    )
    db.session.commit()
    flash(_("联系方式已经保存，答复公布后通知您。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt), 303)


@blueprint.post("/<receipt>/contact/forget")
def forget_contact(receipt: str) -> Response:
    """Leave no way to be reached."""
    keep_private()
    submission = _submission(receipt)
    authors.forget_contact(submission, now=now())
    db.session.commit()
    flash(_("联系方式已经删除，答复公布时不再通知您，仍可凭受理编号查询。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt), 303)


@blueprint.post("/<receipt>/name")
def hide_name(receipt: str) -> Response:
    """Be anonymous after all."""
    keep_private()
    submission = _submission(receipt)
    authors.hide_name(submission, now=now())
    db.session.commit()
    flash(_("已改为匿名，公开的页面随即更新。"), "success")
    return redirect(url_for("receipts.show", receipt=submission.receipt), 303)


once_more(
    "receipts.complete",
    CompletionForm,
    lambda form, receipt: _page(_submission(receipt), completion=form),
)
once_more(
    "receipts.appeal",
    AppealForm,
    lambda form, receipt: _page(_submission(receipt), objection=form),
)
once_more(
    "receipts.change_contact",
    ContactForm,
    lambda form, receipt: _page(_submission(receipt), contact=form),
)


def _submission(receipt: str) -> Submission:
    """The opinion with this number; 404 when there is none."""
    found = submissions.by_receipt(receipt)
    if found is None:
        abort(404)
    return found


def _page(
    submission: Submission,
    *,
    completion: CompletionForm | None = None,
    withdrawal: WithdrawalForm | None = None,
    objection: AppealForm | None = None,
    contact: ContactForm | None = None,
) -> str:
    """The page of one opinion, with those forms its author may use now."""
    consultation = consultations.by_id(submission.consultation_id)
    answers = _answers(submission)
    version = drafts.version_by_id(submission.version_id) if submission.version_id else None
    outline = drafts.outline(version) if version else None
    is_newest = version is None or version is drafts.published(consultation)
    decision = decisions.last_decision(submission)
    known: dict[str, Any] = {"formdata": None}
    return render_template(
        "consult/receipts/show.html",
        submission=submission,
        answers=answers,
        # In a round that is answered, what has no answer now is being put right.
        redone=_redone(submission, consultation, answers),
        consultation=consultation,
        entry=outline.by_id.get(submission.place) if outline else None,
        address=outline.address(submission.place) if outline else "",
        version=version,
        # Said only where the address would otherwise mean another version.
        v=None if is_newest or version is None else version.number,
        decision=decision,
        proposed=bool(decisions.proposals_on([submission.id])),
        is_masked=bool(originals.spans_of(submission)),
        additions=originals.additions_to([submission.id]).get(submission.id, []),
        appeals=appeals.of(submission),
        may_appeal=appeals.may_be_filed(submission, decision),
        completion=completion or CompletionForm(**known),
        withdrawal=withdrawal or WithdrawalForm(**known),
        objection=objection or AppealForm(**known),
        contact=contact or ContactForm(**known),
        kept_contact=authors.contact_of(submission),
        consents=consents.EVERY,
        consent=consents.CONTACT,
        failed=completion or withdrawal or objection or contact,
        just_sent=request.args.get("sent") == "1",
        # What was written on this page has come in: the browser need not keep it any longer.
        just_taken=request.args.get("taken") == "1",
        now=now(),
    )


def _redone(
    submission: Submission, consultation: Consultation, answers: Sequence["Answer"]
) -> bool:
    gone = submissions.SubmissionState.WITHDRAWN, submissions.SubmissionState.UNDONE
    if consultation.state is not ConsultationState.ANSWERED or submission.state in gone:
        return False
    return len(points.of(submission.id)) > len(answers)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a point: what it says, its published answer, and what it changed."""

    words: str
    response: responses.Response
    changed: Sequence[Change]
    met: Met


def _answers(submission: Submission) -> list[Answer]:
    """The published answers; none once the author took the opinion back."""
    if submission.state is submissions.SubmissionState.WITHDRAWN:
        return []
    found = responses.published_on([submission.id])
    if not found:
        return []
    changed = changes.of_points(list(found))
    fulfilment = changes.Fulfilment(submission.consultation_id)
    return [
        Answer(
            points.words(each, submission),
            found[each.id],
            changed.get(each.id, ()),
            fulfilment.of(found[each.id].outcome, each.version_id, each.id in changed),
        )
        for each in points.of(submission.id)
        if each.id in found
    ]
