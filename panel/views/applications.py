"""Applying for the panel, for everybody: what is called for, the form, and what became of it.

The number on the slip is the applicant's key: whoever holds it may look and withdraw.
"""

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response

from consult import programmes, submissions
from consult.programmes import Programme
from core import audit, consents, languages, proof, throttle
from core.config import of_site
from core.db import db
from core.errors import page as error_page
from core.views.look_ups import LookUp
from core.web import keep_private, now
from panel import applications, calls
from panel.applications import Application
from panel.calls import Call
from panel.views.application_forms import ApplicationForm, WithdrawalForm

blueprint = Blueprint("applications", __name__, url_prefix="/panel/apply")
APPLICATIONS_PER_HOUR = 5
APPLICATIONS_PER_HOUR_PROVEN = 20


@blueprint.get("/")
def index() -> str:
    """What is called for now, and what was."""
    if current_user.is_authenticated:
        keep_private()
    programme, at = programmes.newest(), now()
    found = calls.public(programme.id) if programme else []
    return render_template(
        "panel/applications/index.html",
        calls=found,
        phases={each.id: each.phase(at).value for each in found},
        now=at,
    )


@blueprint.get("/<int:call_id>")
def write(call_id: int) -> Response | str:
    """The call and the form."""
    keep_private()
    call = _call(call_id)
    if not call.takes(now()):
        return redirect(url_for(".index"))
    return _form_page(ApplicationForm(formdata=None), call)


@blueprint.post("/<int:call_id>")
def send(call_id: int) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the application in and hand out its number."""
    keep_private()
    call, at = _call(call_id), now()
    form = ApplicationForm().offer_call(_programme(call), call)
    if not form.validate():
        return _form_page(form, call), 422
    # What is put on record from here on has one language.
    languages.only_chinese()
    person, wish, settings = form.person, form.wish, of_site()
    key = applications.once_key(form.form_key.data, f"call:{call.id}", person, wish)
    found = applications.sent_before(key)
    if found is None:
        if not _within_limits(form):
            db.session.commit()
            return error_page(429, kept_text=wish.statement), 429, {"Retry-After": "3600"}
        found = applications.receive(
            call,
            person,
            wish,
            key=key,
            person_key=submissions.person_key(settings.secret_key, "panel", person.contact),
            consent=consents.PANEL.version,
            by=current_user if current_user.is_authenticated else audit.RESIDENT,
            now=at,
        )
        db.session.commit()
    return redirect(url_for(".show", application_receipt=found.receipt, sent=1), 303)


def _address(typed: str) -> str | None:
    found = applications.by_receipt(typed)
    if found is None:
        return None
    return url_for("applications.show", application_receipt=found.receipt)


LOOK_UP = LookUp(
    title=_l("查询成员申请"),
    label=_l("申请编号"),
    hint=_l("申请时得到的编号，以SQ开头，大小写和横线都不要紧。"),
    missing=_l("请输入申请编号。"),
    unknown=_l("没有找到这个编号。请核对一遍：以SQ开头，后面还有16位。"),
    counter="application-number",
    endpoint="applications.find",
    address=_address,
)


@blueprint.get("/receipts")
def look_up() -> str:
    """The page where a number is typed in."""
    return LOOK_UP.page()


@blueprint.post("/receipts")
def find() -> Response | tuple[str, int]:
    """Go to the application with this number, or say that there is none."""
    return LOOK_UP.find()


@blueprint.get("/receipts/<application_receipt>")
def show(application_receipt: str) -> Response | str:
    """The application, its state and the reason for it."""
    keep_private()
    found = _application(application_receipt)
    if found.receipt != application_receipt:
        return redirect(url_for(".show", application_receipt=found.receipt))
    return _page(found, WithdrawalForm(formdata=None))


@blueprint.post("/receipts/<application_receipt>/withdraw")
def withdraw(application_receipt: str) -> Response | tuple[str, int]:
    """Take it back; what was filled in is deleted."""
    keep_private()
    found, form = _application(application_receipt), WithdrawalForm()
    if not form.validate():
        return _page(found, form), 422
    languages.only_chinese()
    by = current_user if current_user.is_authenticated else audit.RESIDENT
    applications.withdraw(found, by=by, now=now())
    db.session.commit()
    flash(_("申请已经撤回，填写的内容已经删除。"), "success")
    return redirect(url_for(".show", application_receipt=found.receipt), 303)


def _call(call_id: int) -> Call:
    found = calls.by_id(call_id)
    if found is None or not found.is_public:
        abort(404)
    return found


def _application(typed: str) -> Application:
    """What has this number, if it came from a resident: a unit's is seen by the unit."""
    found = applications.by_receipt(typed)
    if found is None or found.unit_id is not None:
        abort(404)
    return found


def _programme(call: Call) -> Programme:
    return db.session.get_one(Programme, call.programme_id)


def _within_limits(form: ApplicationForm) -> bool:
    """Whether this address may send another one this hour. Spends the proof of work."""
    proven = proof.accept(of_site().secret_key, form.proof.data or "", now=now())
    return throttle.hit(
        f"application:{'proven' if proven else 'plain'}:{throttle.network(request.remote_addr)}",
        limit=APPLICATIONS_PER_HOUR_PROVEN if proven else APPLICATIONS_PER_HOUR,
        window=throttle.HOUR,
        now=now(),
    )


def _form_page(form: ApplicationForm, call: Call) -> str:
    settings = of_site()
    form.offer_call(_programme(call), call)
    return render_template(
        "panel/applications/write.html",
        form=form,
        call=call,
        consent=consents.PANEL,
        challenge=proof.challenge(settings.secret_key, cost=settings.proof_of_work_cost, now=now()),
    )


def _page(found: Application, form: WithdrawalForm) -> str:
    facts: dict[str, Any] = {"just_sent": request.args.get("sent") == "1"}
    return render_template(
        "panel/applications/show.html",
        application=found,
        fate=found.fate.value if found.fate else "",
        form=form,
        **facts,
    )
