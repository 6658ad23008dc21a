"""Corrections: the form behind the link of every footer, its answers in public, and the desk
where they are written."""

from typing import Any
from urllib.parse import unquote, urlsplit

from flask import (
    Blueprint,
    Flask,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from core import audit, corrections, rules, throttle, working_days
from core.config import Settings
from core.corrections import Correction, CorrectionState, ErrorType, Report
from core.db import db
from core.errors import once_more
from core.errors import page as error_page
from core.forms import Form, LineField, OnceForm, TextField, Words
from core.permissions import require
from core.views.look_ups import LookUp
from core.web import choice_in, keep_private, now, number_in, on_this_site, words_in

blueprint = Blueprint("corrections", __name__)
PAGE = 20
LONGEST_PAGE = 300
# Placeholders that anybody may know. What else stands in an address may open something: the
# number of a receipt, a token.
PUBLIC_PARTS = frozenset({"slug"})
STATES = frozenset(state.value for state in CorrectionState)
KINDS = frozenset(kind.value for kind in ErrorType)


def page_address() -> str:
    """The address of this page as the link in its footer carries it: without a query, which may
    be personal, and without what opens a thing to whoever has it."""
    rule, parts = request.url_rule, request.view_args or {}
    path = request.path
    if rule is not None and any(
        isinstance(value, str) and name not in PUBLIC_PARTS for name, value in parts.items()
    ):
        path = rule.rule.partition("<")[0]
    return path[:LONGEST_PAGE] if path.isprintable() else ""


def init_corrections(app: Flask) -> None:
    """Let every page name itself in its footer."""
    app.jinja_env.globals["page_address"] = page_address


def _path_only(typed: str) -> str:
    """A pasted address without its host, query and fragment; other words as they are."""
    try:
        parts = urlsplit(typed)
    except ValueError:
        return typed
    return unquote(parts.path) or "/" if parts.scheme in ("http", "https") else typed


class CorrectionForm(OnceForm):
    """What is wrong, where, and what one did and expected."""

    kind = RadioField(
        _l("错误类型"),
        [InputRequired(_l("请选择一种类型；拿不准就选“其他”。"))],
        choices=[SelectChoice(kind.value, kind.value) for kind in ErrorType],
    )
    page = LineField(
        _l("页面地址"),
        [Words(least=0, most=LONGEST_PAGE, missing="")],
        description=_l("从哪一页点过来的就已填好，也可以改。"),
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    title = LineField(
        _l("标题"),
        [Words(least=1, most=100, missing=_l("请用一句话写明哪里有错。"))],
        description=_l("一句话写明哪里有错，例如“截止日期写成了去年”。"),
    )
    details = TextField(
        _l("您做了什么，本来应当怎样"),
        [Words(least=1, most=1000, missing=_l("请写明您看到了什么、本来应当怎样。"))],
        description=_l("请不要在这里写身份证号、电话等个人信息。"),
        render_kw={"rows": 6, "data-keep": ""},
    )
    name = LineField(
        _l("称呼"),
        [Words(least=0, most=40, missing="")],
        description=_l("可以不填。只供答复时称呼您，不公开，答复后删除。"),
        render_kw={"autocomplete": "name"},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind.choices = [SelectChoice(kind.value, kind.title) for kind in ErrorType]


class AnswerForm(Form):
    """The answer in words, and the title under which everybody may read it."""

    state = RadioField(
        _l("处理结果"),
        [InputRequired(_l("请选择处理结果。"))],
        choices=[SelectChoice(state.value, state.value) for state in corrections.ANSWERS],
    )
    answer = TextField(
        _l("答复"),
        [Words(least=1, most=1000, missing=_l("请写明答复；无需改正的，请写明理由。"))],
        description=_l("会公开。已改正的写明改了什么，无需改正的写明理由。"),
        render_kw={"rows": 5},
    )
    public_title = LineField(
        _l("公开时的标题"),
        [Words(least=1, most=100, missing=_l("请写一个可以公开的标题。"))],
        description=_l("默认是来件的标题；含有个人信息的，请改写。"),
    )
    # In which state the page showed it.
    seen = HiddenField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state.choices = [
            SelectChoice(state.value, state.title) for state in corrections.ANSWERS
        ]


# --- for everybody -------------------------------------------------------------------------


@blueprint.get("/corrections/")
def index() -> str:
    """What was answered, and how soon: month by month."""
    if current_user.is_authenticated:
        keep_private()
    before = number_in("before")
    found = corrections.answered(before=before, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    months = corrections.figures(now())
    return render_template(
        "core/corrections/index.html",
        found=found,
        months=months,
        together=corrections.together(months),
        next_url=url_for(".index", before=found[-1].id) if more else None,
        first_url=url_for(".index") if before else None,
        calendar_ends=not working_days.is_announced(now().date()),
        days=corrections.WORKING_DAYS,
    )


@blueprint.get("/corrections/new")
def create() -> str:
    """The form, with the address of the page one came from."""
    keep_private()
    page = words_in("page", most=LONGEST_PAGE)
    return _form_page(CorrectionForm(formdata=None, page=page))


@blueprint.post("/corrections/new")
def send() -> Response | tuple[str, int] | tuple[str, int, dict[str, str]]:
    """Take the report in and hand out its number."""
    keep_private()
    form = CorrectionForm()
    if not form.validate():
        return _form_page(form), 422
    report = Report(
        kind=ErrorType(form.kind.data),
        page=_path_only(form.page.data),
        title=form.title.data,
        details=form.details.data,
        name=form.name.data,
    )
    key = corrections.once_key(form.form_key.data, report)
    # Sent twice gives the same number, also to somebody who may send nothing more.
    number = corrections.sent_before(key)
    if number is None:
        if not _within_limits("correction", _settings().corrections_per_hour):
            db.session.commit()
            return error_page(429, kept_text=form.details.data), 429, {"Retry-After": "3600"}
        by = current_user if current_user.is_authenticated else audit.RESIDENT
        number = corrections.receive(report, key=key, by=by, now=now())
        db.session.commit()
    return redirect(url_for(".show", number=number, sent=1))


def _address(typed: str) -> str | None:
    found = corrections.by_receipt(typed)
    return url_for("corrections.show", number=found.receipt) if found else None


LOOK_UP = LookUp(
    title=_l("查询纠错答复"),
    label=_l("纠错编号"),
    hint=_l("提交纠错时得到的编号，以JC开头，大小写和横线都不要紧。"),
    missing=_l("请输入纠错编号。"),
    unknown=_l("没有找到这个编号。请核对一遍：以JC开头，后面还有16位。"),
    counter="correction-number",
    endpoint="corrections.find",
    address=_address,
)


@blueprint.get("/corrections/find")
def look_up() -> str:
    """The page where a number is typed in."""
    return LOOK_UP.page()


@blueprint.post("/corrections/find")
def find() -> Response | tuple[str, int]:
    """Go to the report with this number, or say that there is none."""
    return LOOK_UP.find()


@blueprint.get("/corrections/sent/<number>")
def show(number: str) -> Response | str:
    """The report, its state and the answer."""
    keep_private()
    found = corrections.by_receipt(number)
    if found is None:
        abort(404)
    if found.receipt != number:
        return redirect(url_for(".show", number=found.receipt))
    return render_template(
        "core/corrections/show.html",
        correction=found,
        just_sent=request.args.get("sent") == "1",
        days=corrections.WORKING_DAYS,
        now=now(),
    )


def _form_page(form: CorrectionForm) -> str:
    return render_template("core/corrections/create.html", form=form, days=corrections.WORKING_DAYS)


once_more("corrections.send", CorrectionForm, _form_page)


def _settings() -> Settings:
    settings: Settings = current_app.config["SETTINGS"]
    return settings


def _within_limits(what: str, limit: int) -> bool:
    key = f"{what}:{throttle.network(request.remote_addr)}"
    return throttle.hit(key, limit=limit, window=throttle.HOUR, now=now())


# --- the desk ------------------------------------------------------------------------------


@blueprint.get("/desk/corrections")
def queue() -> str:
    """What waits, the longest first; or what was answered, the newest first."""
    keep_private()
    require(rules.answer_corrections)
    chosen = _chosen()
    state, kind = CorrectionState(chosen["state"]), chosen["kind"]
    after, at = number_in("after"), now()
    found = corrections.queue(
        state=state,
        kind=ErrorType(kind) if kind else None,
        overdue_at=at if chosen["overdue"] else None,
        after=after,
        limit=PAGE + 1,
    )
    more, found = len(found) > PAGE, found[:PAGE]
    waiting, overdue = corrections.waiting(at)
    return render_template(
        "core/corrections/queue.html",
        found=found,
        state=state,
        states=list(CorrectionState),
        kinds=list(ErrorType),
        chosen=chosen,
        waiting=waiting,
        overdue=overdue,
        months=corrections.figures(at),
        next_url=url_for(".queue", **chosen, after=found[-1].id) if more else None,
        first_url=url_for(".queue", **chosen) if after else None,
        now=at,
        days=corrections.WORKING_DAYS,
    )


@blueprint.get("/desk/corrections/<int:correction_id>")
def read(correction_id: int) -> str:
    """One report with room for the answer."""
    correction = _at_the_desk(correction_id)
    form = AnswerForm(
        formdata=None,
        state=correction.state.value,
        answer=correction.answer,
        public_title=correction.public_title or correction.title,
        seen=correction.state.value,
    )
    return _desk_page(correction, form)


@blueprint.post("/desk/corrections/<int:correction_id>")
def answer(correction_id: int) -> Response | tuple[str, int]:
    """Keep the answer, and go on to the next that waits."""
    correction = _at_the_desk(correction_id)
    form = AnswerForm()
    if not form.validate():
        return _desk_page(correction, form), 422
    corrections.answer(
        correction,
        CorrectionState(form.state.data),
        words=form.answer.data,
        public_title=form.public_title.data,
        seen=CorrectionState(form.seen.data) if form.seen.data in STATES else None,
        by=current_user,
        now=now(),
    )
    db.session.commit()
    flash(_("已答复%(number)s。", number=correction.receipt), "success")
    following = corrections.queue(after=correction.id, limit=1)
    if following:
        return redirect(url_for(".read", correction_id=following[0].id))
    return redirect(url_for(".queue"))


def _chosen() -> dict[str, Any]:
    return {
        "state": choice_in("state", STATES, CorrectionState.WAITING.value),
        "kind": choice_in("kind", KINDS),
        "overdue": choice_in("overdue", {"1"}),
    }


def _at_the_desk(correction_id: int) -> Correction:
    keep_private()
    require(rules.answer_corrections)
    return corrections.by_id(correction_id) or abort(404)


def _desk_page(correction: Correction, form: AnswerForm) -> str:
    return render_template(
        "core/corrections/read.html",
        correction=correction,
        form=form,
        link=on_this_site(correction.page, ""),
        now=now(),
    )
