"""The input layer and the page layer every request passes: what comes in is clean, what goes out
carries its headers. Odd input ends here as a plain refusal, never further in as a fault."""

import datetime as dt
import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote, unquote, unquote_to_bytes
from zoneinfo import ZoneInfo

from flask import Flask, Response, abort, current_app, g, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup, escape
from werkzeug.exceptions import BadRequest
from werkzeug.routing import IntegerConverter, Rule, ValidationError
from werkzeug.wrappers import Response as Answer

from core import preferences
from core.preferences import Preferences

SHANGHAI = ZoneInfo("Asia/Shanghai")
WEEKDAYS = (
    _l("星期一"),
    _l("星期二"),
    _l("星期三"),
    _l("星期四"),
    _l("星期五"),
    _l("星期六"),
    _l("星期日"),
)
LARGEST_ID = 2**31 - 1
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


_UNFIT_FOR_FILES = re.compile(
    '[\x00-\x1f\x7f-\x9f<>:"/\\\\|?*\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+'
)

# What WeChat writes into `from` of an address that is passed on in it: nobody asked for that.
PASSED_ON = frozenset({"singlemessage", "groupmessage", "timeline"})


def wanted() -> Preferences:
    """How the reader who sent this request wants the pages."""
    return preferences.of(request.cookies)


def now() -> dt.datetime:
    """The moment of this request, from the application's clock (tests set it)."""
    clock: Callable[[], dt.datetime] = current_app.config["CLOCK"]
    return clock()


def utc_now() -> dt.datetime:
    """The clock of a real server."""
    return dt.datetime.now(dt.UTC)


class UnclearAddress(BadRequest):
    """A parameter of the address says what cannot be: 400, naming it."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.parameter = name


def unclear(name: str) -> NoReturn:
    """Refuse the request for what its query parameter `name` says."""
    raise UnclearAddress(name)


def asked(name: str) -> str:
    """The query parameter `name` as it stands in the address; "" when nobody asked for it."""
    raw = request.args.get(name, "")
    return "" if name == "from" and raw in PASSED_ON else raw


def whole_number(typed: str | None, *, most: int = LARGEST_ID) -> int | None:
    """What was typed, or sent by a page, as a number 0…`most` in plain digits; None for anything else."""
    if not typed or not (typed.isascii() and typed.isdigit() and len(typed) <= 19):
        return None
    number = int(typed)
    return number if number <= most else None


def number_in(name: str, default: int | None = None, *, most: int = LARGEST_ID) -> int | None:
    """The query parameter `name` as an integer 0…`most`; 400 when it is anything else."""
    raw = asked(name)
    if not raw:
        return default
    number = whole_number(raw, most=most)
    if number is None:
        unclear(name)
    return number


def choice_in(name: str, allowed: frozenset[str] | set[str], default: str = "") -> str:
    """The query parameter `name`, which must be one of `allowed`; 400 when it is not."""
    raw = asked(name)
    if raw and raw not in allowed:
        unclear(name)
    return raw or default


_BLANKS = dict.fromkeys(map(ord, "\t\u00a0\u3000"), " ")


def words_in(name: str, *, most: int = 100) -> str:
    """The query parameter `name` as trimmed words of at most `most` characters; 400 beyond. Any blank
    between words is a space: Chinese keyboards type full-width ones, and cells are copied with tabs."""
    raw = asked(name).translate(_BLANKS).strip()
    if len(raw) > most or any(not character.isprintable() for character in raw):
        unclear(name)
    return raw


def day_in(name: str) -> dt.date | None:
    """The query parameter `name` as a date (2020-10-08); 400 when it is not one."""
    raw = asked(name)
    if not raw:
        return None
    try:
        return dt.date.fromisoformat(raw) if len(raw) == 10 and raw.isascii() else unclear(name)
    except ValueError:
        unclear(name)


def on_this_site(address: str, otherwise: str) -> str:
    """`address` if a browser that is sent there stays on this site, else `otherwise`.

    Browsers read a backslash as a slash and skip tabs and line ends, so both count as tricks, also
    when they are written as %5c and %09.
    """
    plain = unquote(unquote(address))
    good = (
        address.startswith("/")
        and "\\" not in plain
        and not plain.startswith("//")
        and plain.isprintable()
        and not any(character.isspace() for character in plain[:3])
        and len(address) <= 1000
    )
    return address if good else otherwise


class WrittenLater(Rule):
    """An address of which no process compiles how it is written before it writes it: each is a
    small program, and 650 of them took 0.2 s of every start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(_self: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(WrittenLater, self)._compile_builder(append_unknown))
            return compiled[0](self, **values)

        return build


class NumberInAddress(IntegerConverter):
    """`<int:…>` in a route: plain digits that the database can hold, else 404."""

    regex = "[0-9]{1,10}"

    def to_python(self, value: str) -> int:
        """The number; what no row can have as its id is not found."""
        if int(value) > LARGEST_ID:
            raise ValidationError
        return int(value)


def init_web(app: Flask) -> None:
    """Attach the input checks, the headers and the filters pages use."""
    app.url_map.converters["int"] = NumberInAddress
    app.url_rule_class = WrittenLater
    app.before_request(_refuse_unreadable_addresses)
    app.after_request(_headers)
    app.jinja_env.filters.update(
        day=day, moment=moment, hour=hour, closing=closing, month=month, lines=lines
    )
    app.jinja_env.globals.update(
        days_left=days_left, preferences=wanted, build=_build(Path(app.static_folder or ""))
    )


def _build(folder: Path) -> str:
    """Changes with the style sheets and scripts, so that no browser reads new pages with old ones."""
    digest = hashlib.blake2b(digest_size=5)
    for path in sorted(folder.glob("*.*")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _refuse_unreadable_addresses() -> None:
    raw = request.query_string
    if len(raw) > 4000 or len(request.path) > 1000:
        abort(400)
    if raw and (b"%" in raw or not raw.isascii()):
        _must_be_text(unquote_to_bytes(raw))
    if not request.path.isprintable():
        abort(404)


def _must_be_text(raw: bytes) -> None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        abort(400)
    if "\x00" in text:
        abort(400)


def keep_private() -> None:
    """Mark this answer as personal: nobody may store it."""
    g.private = True


def as_file(response: Answer, title: str, ending: str, *, plain: str) -> Answer:
    """Have the browser keep the answer as a file called after `title`, which people wrote.

    `plain` is the name for programs that know ASCII only. Characters that some file system
    refuses, and those that hide or turn others, are left out.
    """
    name = f"{_UNFIT_FOR_FILES.sub('', title)[:60].strip(' .') or plain}{ending}"
    given = f"attachment; filename=\"{plain}{ending}\"; filename*=UTF-8''{quote(name, safe='')}"
    response.headers["Content-Disposition"] = given
    return response


@cache
def always(*, https_only: bool) -> tuple[tuple[str, str], ...]:
    """The headers that every answer carries."""
    safe = (("Strict-Transport-Security", "max-age=31536000"),) if https_only else ()
    return (
        ("Content-Security-Policy", CSP),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
        *safe,
    )


def _headers(response: Response) -> Response:
    headers = response.headers
    own = headers.get("Content-Security-Policy", CSP)
    headers.update(always(https_only=current_app.config["SETTINGS"].https_only))
    headers["Content-Security-Policy"] = own
    if request.endpoint and request.endpoint.endswith("static"):
        return response
    response.vary.add("Cookie")
    if g.get("private") or request.method not in ("GET", "HEAD"):
        headers["Cache-Control"] = "no-store"
    elif "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-cache"
    return response


def local(value: dt.datetime) -> dt.datetime:
    """The moment on the clocks of Shanghai."""
    return value.astimezone(SHANGHAI)


def day(value: dt.date | dt.datetime | None) -> str:
    """2020年10月8日（星期四）"""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = local(value).date()
    return str(
        _(
            "%(year)d年%(month)d月%(day)d日（%(weekday)s）",
            year=value.year,
            month=value.month,
            day=value.day,
            weekday=WEEKDAYS[value.weekday()],
        )
    )


def month(value: dt.date) -> str:
    """2020年10月"""
    return str(_("%(year)d年%(month)d月", year=value.year, month=value.month))


def moment(value: dt.datetime | None) -> Markup:
    """A <time> element that reads 2020年10月8日 09:30."""
    if value is None:
        return Markup("")
    here = local(value)
    date = _("%(year)d年%(month)d月%(day)d日", year=here.year, month=here.month, day=here.day)
    shown = f"{date} {here:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(here.isoformat(timespec="minutes"), shown)


def hour(value: dt.datetime) -> Markup:
    """A <time> element that reads 09:30, for the end of what began on the same day."""
    here = local(value)
    moment_ = here.isoformat(timespec="minutes")
    return Markup('<time datetime="{}">{}</time>').format(moment_, f"{here:%H:%M}")


def closing(value: dt.datetime | None) -> str:
    """A closing moment: midnight is said as 24:00 of the day that ends."""
    if value is None:
        return ""
    here = local(value)
    if (here.hour, here.minute) == (0, 0):
        return day(here.date() - dt.timedelta(days=1)) + " 24:00"
    return f"{day(here.date())} {here:%H:%M}"


def days_left(closes_at: dt.datetime, at: dt.datetime) -> str:
    """How long is left, in words."""
    left = closes_at - at
    if left <= dt.timedelta(0):
        return str(_("已截止"))
    if left < dt.timedelta(days=1):
        hours = int(left.total_seconds() // 3600)
        return str(_("还剩%(n)d小时", n=hours) if hours else _("还剩不到1小时"))
    return str(_("还剩%(n)d天", n=left.days))


def lines(text: str) -> Markup:
    """Plain text as paragraphs: everything escaped, line ends kept."""
    parts = [part for part in text.split("\n") if part.strip()]
    return Markup("").join(Markup("<p>{}</p>").format(escape(part)) for part in parts)
