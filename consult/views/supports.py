"""Supporting an opinion that is shown, and taking that back: a page with one button, without an
account.

Reading writes no cookie. Whoever opens the form gets the one of its token, and whoever presses the
button without an account a random key that tells this browser from others, signed.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from consult import authors, rules, supports
from consult.consultations import Consultation
from consult.submissions import Submission, SubmissionState
from consult.supports import Supporter
from consult.views import loading
from core import throttle
from core.config import of_site
from core.db import db
from core.errors import Refused, page
from core.forms import Form
from core.permissions import may
from core.web import keep_private, now, on_this_site

blueprint = Blueprint(
    "supports", __name__, url_prefix="/consultations/<slug>/opinions/<int:item>/support"
)
COOKIE, LASTS = "supporter", 365 * 86400
# Presses from one network in an hour; those of browsers never seen before are held tighter, since
# a browser that forgets its cookie is new each time.
PRESSES, NEW_BROWSERS = 120, 30


@dataclass(frozen=True, slots=True)
class Standing:
    """How the reader of a list stands to one opinion in it."""

    given: bool
    own: bool


@dataclass(frozen=True, slots=True)
class Supporting:
    """What a list needs to show support: whether it may be given now, whether by a button at once
    (else by the page with the form), and how the reader stands to each opinion."""

    open: bool
    at_once: bool
    standings: Mapping[int, Standing]
    back: str


@blueprint.get("")
def ask(slug: str, item: int) -> str:
    """The opinion with the button."""
    keep_private()
    consultation, submission = _subject(slug, item)
    supports.must_be_time(consultation, now=now())
    who = supporter()
    return render_template(
        "consult/supports/ask.html",
        form=Form(),
        consultation=consultation,
        submission=submission,
        standing=_standing(submission, who, supports.given_by(who, [submission.id])),
        rules=rules,
        back=_back(request.args.get("next", ""), consultation, submission),
    )


@blueprint.post("")
def give(slug: str, item: int) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Support it."""
    return _press(slug, item, taking_back=False)


@blueprint.post("/undo")
def take_back(slug: str, item: int) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Support it no longer."""
    return _press(slug, item, taking_back=True)


def _press(
    slug: str, item: int, *, taking_back: bool
) -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    keep_private()
    consultation, submission = _subject(slug, item)
    if not may(rules.support):
        raise Refused(_("工作人员的账号不参与支持，以免支持数不能代表公众。"))
    who = supporter()
    fresh_key = "" if who.is_known else secrets.token_urlsafe(16)
    if not _within_limits(is_new=bool(fresh_key)):
        db.session.commit()
        return page(429), 429, {"Retry-After": "3600"}
    if taking_back:
        if supports.take_back(submission, consultation, who, now=now()):
            flash(_("已撤销您对第%(n)d件意见的支持。", n=submission.number), "success")
    else:
        who = supporter(fresh_key) if fresh_key else who
        if supports.give(submission, consultation, who, now=now()):
            flash(_("已记下您对第%(n)d件意见的支持。", n=submission.number), "success")
        else:
            flash(_("您已经支持过第%(n)d件意见。", n=submission.number), "info")
    back = _back(request.form.get("next", ""), consultation, submission)
    db.session.commit()
    response = redirect(back, 303)
    if fresh_key and not taking_back:
        _remember(response, fresh_key)
    return response


def _within_limits(*, is_new: bool) -> bool:
    kind, limit = ("new", NEW_BROWSERS) if is_new else ("known", PRESSES)
    key = f"support:{kind}:{throttle.network(request.remote_addr)}"
    return throttle.hit(key, limit=limit, window=throttle.HOUR, now=now())


def _subject(slug: str, item: int) -> tuple[Consultation, Submission]:
    """The opinion with this number; what is not shown does not exist."""
    consultation = loading.consultation(slug)
    query = sa.select(Submission).where(
        Submission.consultation_id == consultation.id, Submission.number == item
    )
    found = db.session.scalar(query)
    if found is None or found.state is not SubmissionState.SHOWN:
        abort(404)
    return consultation, found


def _back(address: str, consultation: Consultation, submission: Submission) -> str:
    """The list the reader came from, at the same opinion; else one that begins with it."""
    start = url_for("opinions.index", slug=consultation.slug)
    otherwise = url_for("opinions.index", slug=consultation.slug, before=submission.id + 1)
    wanted = on_this_site(address.partition("#")[0], otherwise)
    if wanted.partition("?")[0] != start:
        wanted = otherwise
    return f"{wanted}#opinion-{submission.number}"


# --- who presses ---------------------------------------------------------------------------


def supporter(browser_key: str = "") -> Supporter:
    """Whoever sent this request, by account, or by the key this browser has or is given."""
    secret = of_site().secret_key
    account_id = current_user.id if current_user.is_authenticated else None
    return Supporter(
        secret=secret,
        account_id=account_id,
        person_key=authors.person_key(secret, account_id) if account_id is not None else None,
        browser_key=browser_key or _browser_key(),
    )


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(of_site().secret_key, salt="supporter")


def _browser_key() -> str:
    raw = request.cookies.get(COOKIE, "")
    if not raw or len(raw) > 200:
        return ""
    try:
        key = _signer().loads(raw)
    except BadSignature:
        return ""
    return key if isinstance(key, str) else ""


def _remember(response: Response, key: str) -> None:
    response.set_cookie(
        COOKIE,
        _signer().dumps(key),
        max_age=LASTS,
        httponly=True,
        samesite="Lax",
        secure=current_app.config["SETTINGS"].https_only,
    )


# --- in a list -----------------------------------------------------------------------------


def supporting(consultation: Consultation, found: Sequence[Submission]) -> Supporting:
    """What the list of these opinions shows this reader of support."""
    is_open = consultation.phase(now()) in supports.WHILE and may(rules.support)
    who = supporter()
    given = supports.given_by(who, [each.id for each in found]) if is_open else frozenset()
    at_once = is_open and who.is_known
    if at_once:
        # The page now says what this reader did, and holds a token.
        keep_private()
    return Supporting(
        open=is_open,
        at_once=at_once,
        standings={each.id: _standing(each, who, given) for each in found},
        back=request.full_path.rstrip("?"),
    )


def _standing(submission: Submission, who: Supporter, given: frozenset[int]) -> Standing:
    return Standing(given=submission.id in given, own=supports.is_own(submission, who))
