"""The long jobs: those one has asked for, how far they are, and what became of them."""

from flask import (
    Blueprint,
    abort,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField
from wtforms.validators import AnyOf

from core import jobs, rules
from core.accounts import RoleName
from core.db import db
from core.errors import Refused
from core.forms import Form
from core.jobs import Job
from core.permissions import may, require
from core.web import keep_private, now, number_in

blueprint = Blueprint("jobs", __name__, url_prefix="/desk/jobs")
PAGE = 30
# Seconds after which the page of a job that is not over asks again by itself.
REFRESH = 5
Page = Response | str


class DecideForm(Form):
    """What to do with a job."""

    act = HiddenField(validators=[AnyOf(("cancel", "retry"), _l("请选择“取消”或“重新执行”。"))])


@blueprint.before_request
def _staff_only() -> None:
    keep_private()
    require(rules.see_jobs)


@blueprint.get("")
def index() -> Page:
    """The newest jobs: one's own, an administrator's those of everybody."""
    everybody = current_user.has_role(RoleName.ADMINISTRATOR)
    before = number_in("before")
    found = jobs.page(
        asked_by=None if everybody else current_user.id, before=before, limit=PAGE + 1
    )
    return render_template(
        "core/jobs/index.html",
        everybody=everybody,
        found=found[:PAGE],
        neglected=jobs.neglected(now()),
        next_url=url_for(".index", before=found[PAGE - 1].id) if len(found) > PAGE else None,
        first_url=url_for(".index") if before else None,
    )


@blueprint.get("/<int(max=2147483647):job_id>")
def show(job_id: int) -> Page:
    """One job. While it is not over the page asks again by itself, unless told not to."""
    job = _load(job_id)
    still = bool(number_in("still", most=1))
    page = make_response(
        render_template(
            "core/jobs/show.html",
            job=job,
            still=still,
            refresh=REFRESH,
            neglected=jobs.neglected(now()),
            most_attempts=jobs.MOST_ATTEMPTS,
            path=_path(job),
        )
    )
    if job.is_open and not still:
        page.headers["Refresh"] = str(REFRESH)
    return page


@blueprint.post("/<int(max=2147483647):job_id>")
def decide(job_id: int) -> Page:
    """Cancel a job, or have it tried again."""
    job = _load(job_id)
    form = DecideForm()
    here = redirect(url_for(".show", job_id=job.id))
    if not form.validate():
        flash(_("请选择“取消”或“重新执行”。"), "danger")
        return here
    act = jobs.cancel if form.act.data == "cancel" else jobs.retry
    try:
        act(job, by=current_user, now=now())
    except Refused as refusal:
        db.session.rollback()
        flash(refusal.sentence, "danger")
        return here
    db.session.commit()
    flash(_("任务已取消。") if form.act.data == "cancel" else _("任务已重新排队。"), "success")
    return here


def _load(job_id: int) -> Job:
    job = jobs.by_id(job_id)
    if job is None or not may(rules.see_job, job):
        abort(404)
    return job


def _path(job: Job) -> str | None:
    """Where on this site to see what came of it."""
    path = (job.result or {}).get("path")
    ours = isinstance(path, str) and path.startswith("/") and path[1:2] not in ("/", "\\")
    return request.script_root + path if ours and isinstance(path, str) else None
