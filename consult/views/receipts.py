"""Receipts: what became of the opinion with this number."""

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from consult import consultations, drafts, screening, submissions
from core import throttle
from core.db import db
from core.errors import page
from core.forms import Form, LineField, Words
from core.web import keep_private, now

blueprint = Blueprint("receipts", __name__, url_prefix="/receipts")
GUESSES_PER_HOUR = 60


class LookUpForm(Form):
    """The number on the slip, typed as people type it."""

    receipt = LineField(
        _l("受理编号"),
        [Words(least=1, most=60, missing=_l("请输入受理编号。"))],
        description=_l("提交意见时得到的编号，例如 201020-7K3M9-QPDXW，大小写和横线都不要紧。"),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )


@blueprint.get("/")
def look_up() -> str:
    """The page where a number is typed in."""
    keep_private()
    return render_template("consult/receipts/look_up.html", form=LookUpForm(formdata=None))


@blueprint.post("/")
def find() -> Response | tuple[str, int]:
    """Go to the opinion with this number, or say that there is none."""
    keep_private()
    form = LookUpForm()
    if form.validate():
        key = f"receipt:{throttle.network(request.remote_addr)}"
        if not throttle.hit(key, limit=GUESSES_PER_HOUR, window=throttle.HOUR, now=now()):
            db.session.commit()
            return page(429), 429
        db.session.commit()
        found = submissions.by_receipt(form.receipt.data)
        if found is not None:
            return redirect(url_for("receipts.show", receipt=found.receipt))
        form.receipt.errors = [_("没有找到这个编号。请对照回执核对一遍，字母和数字共16位。")]
    return render_template("consult/receipts/look_up.html", form=form), 422


@blueprint.get("/<receipt>")
def show(receipt: str) -> Response | str:
    """The opinion, its state and the reason for it."""
    keep_private()
    submission = submissions.by_receipt(receipt)
    if submission is None:
        abort(404)
    if submission.receipt != receipt:
        return redirect(url_for("receipts.show", receipt=submission.receipt))
    consultation = consultations.by_id(submission.consultation_id)
    version = drafts.version_by_id(submission.version_id) if submission.version_id else None
    outline = drafts.outline(version) if version else None
    is_newest = version is None or version is drafts.published(consultation)
    return render_template(
        "consult/receipts/show.html",
        submission=submission,
        consultation=consultation,
        entry=outline.by_id.get(submission.place) if outline else None,
        address=outline.address(submission.place) if outline else "",
        version=version,
        # Said only where the address would otherwise mean another version.
        v=None if is_newest or version is None else version.number,
        decision=screening.last_decision(submission),
        just_sent=request.args.get("sent") == "1",
        now=now(),
    )
