"""Commenting: on the whole draft, a section or one paragraph, without an account."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Flask, abort, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import BooleanField, HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult import authors, consultations, drafts, submissions
from consult.consultations import Consultation, ConsultationState
from consult.drafts import Entry, Target, Version
from consult.submissions import LONGEST, SHORTEST, Opinion, Stance
from consult.views import loading
from core import accounts, audit, consents, proof, quick, sealing, throttle
from core.accounts import Account
from core.config import of_site
from core.db import db
from core.errors import once_more, page
from core.forms import ContactField, LineField, OnceForm, Refilled, Telling, TextField, Words
from core.quick import Page, Sent
from core.web import SHANGHAI, keep_private, now, number_in

blueprint = Blueprint("comments", __name__, url_prefix="/consultations/<slug>/comment")

# How long a way to reach the author is kept after the day it was given.
CONTACT_DAYS = 365


class CommentForm(OnceForm):
    """What a resident fills in: two required fields, the rest if they like."""

    body = TextField(
        _l("您的意见"),
        [
            Telling(
                # Pictures and signs may stand among them.
                least=2,
                seen=SHORTEST,
                most=LONGEST,
                missing=_l("请写下您的意见。"),
                short=_l("请再多写一点，至少10个字，方便我们看懂您的意思。"),
            )
        ],
        render_kw={"rows": 8, "data-keep": ""},
    )
    stance = RadioField(
        _l("您的态度"),
        choices=[
            SelectChoice("", _l("不说明")),
            SelectChoice(Stance.SUGGEST.value, _l("建议")),
            SelectChoice(Stance.SUPPORT.value, _l("赞成")),
            SelectChoice(Stance.OPPOSE.value, _l("反对")),
            SelectChoice(Stance.QUESTION.value, _l("疑问")),
        ],
        default="",
    )
    contact = ContactField(
        _l("联系方式"),
        [Words(least=0, most=100, missing="")],
        description=_l("手机号或电子邮箱，只用来告诉您答复，不公开，保存一年。"),
        render_kw={"autocomplete": "email"},
    )
    # For who is signed in; never ticked beforehand.
    tell_me = BooleanField(_l("答复公布以后，用我的登录地址通知我"))
    name = LineField(
        _l("称呼"),
        [Words(least=0, most=40, missing="")],
        description=_l("不填写就显示为“匿名”。"),
        render_kw={"autocomplete": "name"},
    )
    show_name = BooleanField(_l("同意公开姓氏，显示为“王**”这样的形式；不勾选则显示为“匿名”"))
    consent = BooleanField(
        _l("我知道这件意见审核后会公开展示，并同意按《个人信息保护说明》处理我填写的内容"),
        [InputRequired(_l("请阅读并勾选同意，然后再提交。"))],
    )
    proof = HiddenField()


@blueprint.get("")
def write(slug: str) -> Response | str | tuple[str, int]:
    """The form, with the words it is about."""
    keep_private()
    consultation, version, entry = _subject(slug)
    if consultation.phase(now()) is not consultations.Phase.OPEN:
        return redirect(url_for("consultations.notice", slug=slug))
    return _form_page(CommentForm(formdata=None), consultation, version, entry)


@blueprint.post("")
def send(slug: str) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the opinion in and hand out its receipt."""
    keep_private()
    # Reading the form needs no database: the writers' queue is joined as late as possible.
    form = CommentForm()
    valid = form.validate()
    target = _target(slug)
    at = now()
    consultations.must_be_open(target, now=at, kept_text=form.body.data or "")
    if not valid:
        return _form_page(form, *_subject(slug)), 422
    opinion = _opinion(form, target, account_id=current_user.id, mark=number_in("on"))
    if not _within_limits(form, request.remote_addr):
        db.session.commit()
        # Sent twice gives the same receipt, also to somebody who may send nothing more.
        earlier = submissions.sent_before(target.id, _once_key(form, opinion))
        if earlier is not None:
            return redirect(url_for("receipts.show", receipt=earlier.receipt, sent=1))
        return page(429, kept_text=form.body.data), 429, {"Retry-After": "3600"}
    by = current_user if current_user.is_authenticated else audit.RESIDENT
    receipt = _take_in(form, opinion, target, by=by, at=at)
    db.session.commit()
    return redirect(url_for("receipts.show", receipt=receipt, sent=1))


def _typed(form: CommentForm, slug: str) -> str:
    """The form as it was typed, while opinions are taken."""
    consultation, version, entry = _subject(slug)
    consultations.must_be_open(consultation, now=now())
    return _form_page(form, consultation, version, entry)


once_more("comments.send", CommentForm, _typed)

_KEPT = Refilled(CommentForm)


def send_quickly(sent: Sent) -> Callable[[], Page | None] | None:
    """What `send` does with a visitor's comment that is in order; all else is left to `send`."""
    form = _KEPT.filled(sent.fields)
    if not form.validate():
        return None

    def deed() -> Page | None:
        target = drafts.target(sent.named["slug"], sent.asked.get("v"))
        at, mark = now(), sent.asked.get("on")
        if target is None or target.phase(at) is not consultations.Phase.OPEN:
            return None
        if mark and mark not in target.outline.by_mark:
            return None
        opinion = _opinion(form, target, account_id=None, mark=mark)
        if not _within_limits(form, sent.address):
            return None
        receipt = _take_in(form, opinion, target, by=audit.RESIDENT, at=at)
        return "receipts.show", {"receipt": receipt, "sent": 1}

    return deed


def init_comments(app: Flask) -> None:
    """Open the quick way, which most comments come."""
    quick.open_way(app, r"/consultations/(?P<slug>[a-z0-9-]+)/comment", send_quickly)


def _target(slug: str) -> Target:
    """What the comment is sent to, in one small read; what is not public does not exist."""
    target = drafts.target(slug, number_in("v"))
    mark = number_in("on")
    if target is None or (mark and mark not in target.outline.by_mark):
        abort(404)
    if target.state is ConsultationState.PREPARING:
        _subject(slug)
    return target


def _subject(slug: str) -> tuple[Consultation, Version, Entry | None]:
    consultation = loading.consultation(slug)
    version = loading.version(consultation)
    if version is None:
        abort(404)
    return consultation, version, loading.entry(version)


def _within_limits(form: CommentForm, address: str | None) -> bool:
    """Whether this address may send another opinion this hour. Spends the proof of work."""
    settings = of_site()
    proven = proof.accept(settings.secret_key, form.proof.data or "", now=now())
    return throttle.hit(
        f"comment:{'proven' if proven else 'plain'}:{throttle.network(address)}",
        limit=settings.comments_per_hour_proven if proven else settings.comments_per_hour,
        window=throttle.HOUR,
        now=now(),
    )


def _opinion(
    form: CommentForm, target: Target, *, account_id: int | None, mark: int | None
) -> Opinion:
    entry = target.outline.by_mark.get(mark or 0)
    secret = of_site().secret_key
    person: str | None = None
    if account_id is not None:
        person = authors.person_key(secret, account_id)
    elif form.contact.data:
        person = submissions.person_key(secret, "contact", form.contact.data)
    return Opinion(
        body=form.body.data,
        version_id=target.version_id,
        place=entry.id if entry else submissions.WHOLE,
        stance=Stance(form.stance.data) if form.stance.data else None,
        public_name=submissions.masked(form.name.data) if form.show_name.data else "",
        person_key=person,
        consent=consents.COMMENT.version,
        account_id=account_id,
    )


def _once_key(form: CommentForm, opinion: Opinion) -> str:
    return submissions.once_key(form.form_key.data, opinion)


def _take_in(
    form: CommentForm, opinion: Opinion, target: Target, *, by: audit.Actor, at: dt.datetime
) -> str:
    """Store the opinion and, sealed, how to reach its author; its receipt."""
    received = submissions.receive(
        target,
        opinion,
        once_key=_once_key(form, opinion),
        by=by,
        now=at,
        on_day=at.astimezone(SHANGHAI).date(),
    )
    contact = form.contact.data or (form.tell_me.data and _own_address(by))
    if contact:
        sealed = sealing.seal(of_site().contact_key, contact)
        submissions.keep_contact(
            received.id, sealed, days=CONTACT_DAYS, now=at, consent=opinion.consent
        )
    return received.receipt


def _own_address(person: object) -> str:
    """The address a resident signs in with; "" for anybody else."""
    if isinstance(person, Account) and accounts.is_resident(person):
        return person.email
    return ""


def _form_page(
    form: CommentForm, consultation: Consultation, version: Version, entry: Entry | None
) -> str:
    settings = of_site()
    asked: dict[str, Any] = {"v": version.number}
    if entry is not None:
        asked["on"] = entry.mark
    return render_template(
        "consult/comments/write.html",
        form=form,
        consultation=consultation,
        version=version,
        entry=entry,
        address=drafts.outline(version).address(entry.id) if entry else "",
        action=url_for("comments.send", slug=consultation.slug, **asked),
        challenge=proof.challenge(settings.secret_key, cost=settings.proof_of_work_cost, now=now()),
        longest=LONGEST,
        consent=consents.COMMENT,
        own_address=_own_address(current_user),
    )
