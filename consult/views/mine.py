"""My opinions (我的意见): what a resident sent, claimed by receipt, and what is kept about them."""

import json

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response as Answer
from wtforms import BooleanField
from wtforms.validators import InputRequired

from consult import authors, responses, submissions
from core import accounts, consents, errors, rules, throttle, uploads
from core.accounts import Account
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.forms import Form, LineField, Words
from core.permissions import require
from core.web import as_file, keep_private, now, number_in

blueprint = Blueprint("mine", __name__, url_prefix="/mine")
PAGE = 20
GUESSES_PER_HOUR = 60
Page = Answer | str | tuple[str, int]


@blueprint.before_request
def _ones_own() -> None:
    keep_private()
    require(rules.use_account)


class ClaimForm(Form):
    """The number of an opinion that was sent without signing in."""

    receipt = LineField(
        _l("受理编号"),
        [Words(least=1, most=60, missing=_l("请输入受理编号。"))],
        description=_l("没有登录时提交的意见，凭受理编号归到这里。"),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


class EraseForm(Form):
    """The person's word that it is meant."""

    confirm = BooleanField(
        _l("我要注销账号，知道注销后不能恢复"), [InputRequired(_l("请先勾选，确认要注销。"))]
    )


def _person() -> Account:
    person: Account = current_user._get_current_object()
    return person


@blueprint.get("")
def index() -> Page:
    """One's own opinions, newest first."""
    return _page(ClaimForm(formdata=None))


def _page(form: ClaimForm) -> str:
    before = number_in("before")
    found = authors.opinions_of(_person().id, before=before, limit=PAGE + 1)
    more = len(found) > PAGE
    ids = [each.Submission.id for each in found[:PAGE]]
    return render_template(
        "consult/mine/index.html",
        form=form,
        found=found[:PAGE],
        answered=responses.answered_among(ids),
        next_url=url_for(".index", before=found[PAGE - 1].Submission.id) if more else None,
        first_url=url_for(".index") if before else None,
        is_resident=accounts.is_resident(_person()),
        consents=consents.EVERY,
    )


@blueprint.post("/claims")
def claim() -> Page:
    """Put an opinion that was sent without signing in with one's own."""
    form = ClaimForm()
    if not form.validate():
        return _page(form), 422
    key = f"receipt:{throttle.network(request.remote_addr)}"
    may = throttle.hit(key, limit=GUESSES_PER_HOUR, window=throttle.HOUR, now=now())
    db.session.commit()
    if not may:
        return errors.page(429), 429
    found = submissions.by_receipt(form.receipt.data or "")
    if found is None:
        form.receipt.errors = [_("没有找到这个编号。请对照回执核对一遍，字母和数字共16位。")]
        return _page(form), 422
    try:
        fresh = authors.claim(found, _person(), secret=of_site().secret_key, now=now())
    except Refused as refusal:
        db.session.rollback()
        form.receipt.errors = [refusal.sentence]
        return _page(form), 409
    db.session.commit()
    said = _("已归入您的账号。") if fresh else _("这件意见已经在您的账号里了。")
    flash(said, "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/data.json")
def data() -> Answer:
    """All that is kept about the person."""
    kept = authors.data_of(_person(), contact_key=of_site().contact_key)
    words = json.dumps(kept, ensure_ascii=False, indent=2)
    response: Response = make_response(words)
    response.mimetype = "application/json"
    return as_file(response, _("我的数据"), ".json", plain="my-data")


@blueprint.post("/contacts")
def forget_contacts() -> Page:
    """Delete every way to reach one that was left with an opinion."""
    number = authors.forget_contacts(_person(), now=now())
    db.session.commit()
    flash(_("已删除%(n)d件意见里留下的联系方式。", n=number), "success")
    return redirect(url_for(".index"), 303)


@blueprint.get("/erase")
def confirm_erasing() -> Page:
    """What will be deleted and what will stay."""
    return render_template("consult/mine/erase.html", form=EraseForm(formdata=None))


@blueprint.post("/erase")
def erase() -> Page:
    """Delete the account."""
    form = EraseForm()
    if not form.validate():
        return render_template("consult/mine/erase.html", form=form), 422
    try:
        files = authors.erase(_person(), now=now())
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return redirect(url_for(".index"), 303)
    db.session.commit()
    for name in files:
        uploads.remove(name)
    session.clear()
    flash(_("账号已经注销。您提交过的意见只保留文字，不再与您有任何联系。"), "success")
    return redirect(url_for("home.index"), 303)
