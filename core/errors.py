"""Refusals in words: what happened, what to do now, nothing lost. One page for every code."""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import (
    Flask,
    abort,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError, TimeoutError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as BaseResponse

from core.db import READING, db
from core.forms import Form
from core.text import tidy_line
from core.typesetting import NotMade
from core.web import UnclearAddress, on_this_site

# How a field is called in which people write at length, wherever there is one (a test asks the forms).
PROSE = (
    *("body", "words", "details", "explanation", "ways", "contact", "statement", "overall", "text"),
    *("reason", "reasons", "short_reason", "answer", "told", "note", "about", "questions", "names"),
    *("places", "source"),
)
# What a disk says that has no room, or fails.
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
# So much of a wrong address is said again.
LONGEST_SAID = 40


# {endpoint: its form once more, with what was typed and a token of now}; see `once_more`.
ONCE_MORE: dict[str, Callable[..., str]] = {}


F = TypeVar("F", bound=Form)


class Refused(Exception):
    """An operation that may not happen now. The message is a sentence for the person (409)."""

    def __init__(self, sentence: str, *, kept_text: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        # What the person had typed, shown back to them for copying.
        self.kept_text = kept_text


def once_more(endpoint: str, kind: type[F], page: Callable[..., str]) -> None:
    """Let who waited so long that the session ended press the button again, with nothing to copy:
    `page` makes the page that holds the form from the form as it was sent and the parts of the
    address."""

    def again(**named: Any) -> str:
        form = kind()
        form.form_errors = [_("页面放置太久，已经重新打开。您写的文字都在，请再提交一次。")]
        return page(form, **named)

    ONCE_MORE[endpoint] = again


@contextmanager
def refusals_on(page: Callable[[str], str]) -> Iterator[None]:
    """Answer what is refused in this block with the page that holds the form as it was typed, not
    with the general one. `page` makes it from the sentence, after everything was rolled back."""
    try:
        yield
    except Refused as refusal:
        db.session.rollback()
        abort(make_response(page(refusal.sentence), 409))


def words(code: int) -> tuple[str, str, str]:
    """(title, what happened, what to do now) for a status code."""
    known = {
        400: (
            _("这次请求没有看懂"),
            _("您的浏览器发来的内容不完整，或者页面放置太久已经失效。"),
            _("请返回上一页，刷新后再试一次；您填写的文字通常还在。"),
        ),
        403: (
            _("您的账号不能打开这里"),
            _("这一页只对承担相应工作的人员开放。"),
            _("如果您认为应当可以打开，请联系本单位的管理员。"),
        ),
        404: (
            _("没有找到这一页"),
            _("地址可能有误，或者内容尚未公开、已经移走。"),
            _("请检查地址，或从首页重新查找。"),
        ),
        405: (
            _("这个地址不能这样使用"),
            _("您打开的地址只接受从页面上提交的内容。"),
            _("请从首页重新进入相应的页面。"),
        ),
        409: (
            _("现在还不能这样做"),
            _("情况在您操作之前已经发生变化。"),
            _("请刷新页面，看过最新情况后再决定。"),
        ),
        413: (
            _("内容太大了"),
            _("提交的文件或文字超过了允许的大小。"),
            _("文件请控制在20兆字节以内，意见请控制在2000字以内，再提交一次。"),
        ),
        422: (
            _("有些内容需要改一下"),
            _("提交的内容里有不合要求的地方，没有保存。"),
            _("请返回上一页，按提示修改后再提交。"),
        ),
        429: (
            _("提交得太快了"),
            _("同一网络在短时间内提交的次数较多。"),
            _("请过一会儿再试；您填写的文字不会因此丢失。"),
        ),
        500: (
            _("网站出了问题"),
            _("这是我们的差错，不是您的操作造成的，已经记录下来。"),
            _("请稍后再试；如果仍然不行，请联系公告中写明的工作人员。"),
        ),
        503: (
            _("网站正忙，请稍后再试"),
            _("同时使用的人较多，或者网站正在维护。"),
            _("您的文字还在，过一会儿再提交即可，不会重复收件。"),
        ),
    }
    return known.get(code, known[400] if code < 500 else known[500])


def init_errors(app: Flask) -> None:
    """Give every refusal its page."""

    @app.errorhandler(HTTPException)
    def on_http(error: HTTPException) -> BaseResponse | tuple[str, int, dict[str, str]]:
        if error.response is not None:
            return error.response  # type: ignore[return-value]  # werkzeug names only its base class
        if isinstance(error, SecurityError):
            # On a host that is not ours no address can be built, so there is no page to show.
            return BaseResponse(_("请通过本网站的正式网址访问。"), 400, mimetype="text/plain")
        code = error.code or 500
        if code == 401:
            # Back to where they were, unless that was a sending: it cannot be opened by an address.
            back = request.full_path.rstrip("?") if request.method in READING else None
            return redirect(url_for("accounts.sign_in", next=back), 303)
        if isinstance(error, CSRFError) and (form := _once_more()):
            return form, code, {}
        if isinstance(error, UnclearAddress) and request.method in READING:
            return _unclear(error.parameter), code, {}
        headers = {"Retry-After": "120"} if code in (429, 503) else {}
        if code == 405 and (allowed := getattr(error, "valid_methods", None)):
            headers["Allow"] = ", ".join(sorted(allowed))
        return page(code, kept_text=_typed()), code, headers

    @app.errorhandler(Refused)
    def on_refused(refusal: Refused) -> tuple[str, int]:
        db.session.rollback()
        return page(409, happened=refusal.sentence, kept_text=refusal.kept_text), 409

    @app.errorhandler(OperationalError)
    @app.errorhandler(TimeoutError)
    def on_database(error: OperationalError | TimeoutError) -> tuple[str, int, dict[str, str]]:
        # A locked, full or unreachable database passes; the person should simply try again.
        app.logger.error("database unavailable: %s", getattr(error, "orig", error))
        return _away()

    @app.errorhandler(OSError)
    def on_disk(error: OSError) -> tuple[str, int] | tuple[str, int, dict[str, str]]:
        # A full or failing disk is the operator's business and no fault of the code.
        if error.errno not in DISK:
            return on_fault(error)
        app.logger.error("disk: %s", error.strerror)
        return _away()

    @app.errorhandler(NotMade)
    def on_paper(_error: NotMade) -> tuple[str, int, dict[str, str]]:
        app.logger.exception("a paper was not set at %s", request.endpoint)
        return page(503), 503, {"Retry-After": "30"}

    @app.errorhandler(Exception)
    def on_fault(error: Exception) -> tuple[str, int]:
        app.logger.exception("unexpected fault at %s", request.endpoint)
        if app.testing:
            raise error
        db.session.rollback()
        return page(500), 500


def _away() -> tuple[str, int, dict[str, str]]:
    """Come again soon. Who asks is not looked up for the page's head: that would fail once more."""
    db.session.rollback()
    g._login_user = current_app.login_manager.anonymous_user()  # type: ignore[attr-defined]  # flask_login adds it, and keeps there who asks
    headers = {"Retry-After": "30", "Cache-Control": "no-store"}
    return page(503, kept_text=_typed()), 503, headers


def _once_more() -> str:
    """The form that was sent too late, or why it cannot be sent any more; "" where there is none."""
    again = ONCE_MORE.get(request.endpoint or "")
    try:
        return again(**(request.view_args or {})) if again else ""
    except Refused as refusal:
        return page(400, happened=refusal.sentence, kept_text=_typed())
    except HTTPException:
        return ""


def _unclear(name: str) -> str:
    """Which part of the address cannot be, and the way to the page without it."""
    values = request.args.getlist(name)
    said = ", ".join(f"{name}={tidy_line(value)[:LONGEST_SAID]}" for value in values)
    rest = [(other, value) for other, value in request.args.items(multi=True) if other != name]
    path = on_this_site(request.path, url_for("home.index"))
    return page(
        400,
        happened=_("网址里有一处看不懂：%(part)s。可能是抄漏了，也可能链接已经改动。", part=said),
        now_do=_("请去掉这一处再看，或从首页重新查找。"),
        actions=[(_("去掉这一处再看"), path + (f"?{urlencode(rest)}" if rest else ""))],
    )


def _typed() -> str:
    """The words somebody had written into the form that was refused, to be copied."""
    if request.method in READING:
        return ""
    try:
        return max((request.form.get(name, "") for name in PROSE), key=len)
    except HTTPException:
        # The form itself could not be read.
        return ""


def page(
    code: int,
    *,
    happened: str = "",
    now_do: str = "",
    kept_text: str = "",
    actions: Sequence[tuple[str, str]] = (),
) -> str:
    """The page for `code`, with `happened` and `now_do` in place of what is said generally if given;
    `actions` are (words, address)."""
    title, generally, usually = words(code)
    return render_template(
        "errors/error.html",
        code=code,
        title=title,
        happened=happened or generally,
        now_do=now_do or usually,
        kept_text=kept_text,
        actions=actions,
    )
