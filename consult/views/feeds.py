"""What other programs read: a feed of what happens, a calendar of deadlines, a poster to print."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask_babel import gettext as _

from consult import consultations, milestones, posters
from consult.consultations import SHANGHAI, Consultation
from consult.posters import Poster
from consult.views import loading
from core import languages
from core.web import closing, day, keep_private, now

if TYPE_CHECKING:
    from icalendar import Event

blueprint = Blueprint("feeds", __name__, url_prefix="/consultations")
# Subscribed to by programs and put up in the street: one language, whoever fetched it.
blueprint.before_request(languages.only_chinese)
MOST_ENTRIES = 50
MOST_DEADLINES = 200
HALF_HOUR = dt.timedelta(minutes=30)


def absolute(endpoint: str, **values: Any) -> str:
    """The address of a page as the outside knows it: from the settings, never from the request."""
    site: str = current_app.config["SETTINGS"].site_url
    return site.rstrip("/") + url_for(endpoint, **values)


@blueprint.get("/feed.atom")
def atom() -> Response:
    """Announced, opened, extended, closed, answered: the newest first."""
    at = now()
    entries = milestones.latest(at, limit=MOST_ENTRIES)
    body = render_template(
        "consult/consultations/feed.xml",
        entries=entries,
        updated=entries[0].at if entries else dt.datetime(2020, 1, 1, tzinfo=dt.UTC),
        absolute=absolute,
    )
    return _known(body.encode(), "application/atom+xml; charset=utf-8")


@blueprint.get("/deadlines.ics")
def deadlines() -> Response:
    """The deadline of every public consultation, for a calendar that subscribes."""
    return _known(_calendar(consultations.newest(MOST_DEADLINES)), "text/calendar; charset=utf-8")


@blueprint.get("/<slug>/deadline.ics")
def deadline(slug: str) -> Response:
    """The deadline of one consultation."""
    consultation = loading.consultation(slug)
    _private_unless_public(consultation)
    return _known(_calendar([consultation]), "text/calendar; charset=utf-8")


@blueprint.get("/<slug>/poster.pdf")
def poster(slug: str) -> Response:
    """One A4 sheet for notice boards, with the address as a QR code."""
    consultation = loading.consultation(slug)
    _private_unless_public(consultation)
    response = _known(posters.pdf(_poster(consultation)), "application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{consultation.slug}.pdf"'
    return response


def _private_unless_public(consultation: Consultation) -> None:
    if not consultation.is_public:
        keep_private()


def _known(body: bytes, kind: str) -> Response:
    """The body with its mark; 304 for those who have it."""
    response = Response(body, content_type=kind)
    response.add_etag()
    response.make_conditional(request)
    return response


def _calendar(found: Sequence[Consultation]) -> bytes:
    """An event for each deadline: it keeps its UID and counts up when the deadline moves."""
    # As below: loaded (0.1 s) when the first calendar is asked for.
    from icalendar import Calendar  # noqa: PLC0415

    calendar = Calendar()
    calendar.add("prodid", "-//Wenji//deadlines//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("%(site)s：意见征集截止时间", site=_site_name()))
    calendar.add("x-wr-timezone", SHANGHAI.key)
    sequences = milestones.sequences(found)
    for consultation in found:
        if consultation.closes_at is not None:
            calendar.add_component(_event(consultation, sequences.get(consultation.id, 0)))
    calendar.add_missing_timezones()
    written: bytes = calendar.to_ical()
    return written


def _event(consultation: Consultation, sequence: int) -> "Event":
    assert consultation.closes_at is not None
    address = absolute("consultations.notice", slug=consultation.slug)
    host = urlsplit(address).hostname
    # The last half hour of the last day: an event that began at 24:00 would stand on the day after.
    ends = consultation.closes_at.astimezone(SHANGHAI)
    from icalendar import Event  # noqa: PLC0415

    event = Event()
    event.add("uid", f"{consultation.slug}-deadline@{host}")
    event.add("sequence", sequence)
    event.add("dtstamp", consultation.created_at)
    event.add("dtstart", ends - HALF_HOUR)
    event.add("dtend", ends)
    event.add("summary", _("意见征集截止：%(title)s", title=consultation.title))
    event.add(
        "description",
        _("%(end)s 截止。阅读文稿、提意见：%(url)s", end=closing(ends), url=address),
    )
    event.add("url", address)
    event.add("transp", "TRANSPARENT")
    return event


def _poster(consultation: Consultation) -> Poster:
    unit = consultation.unit.name if consultation.unit else consultation.programme.region
    period = _("征集时间尚未确定")
    if consultation.opens_at and consultation.closes_at:
        period = _(
            "%(start)s 至 %(end)s，共%(n)d天",
            start=day(consultation.opens_at),
            end=closing(consultation.closes_at),
            n=consultation.days,
        )
    return Poster(
        kicker=_("公开征求意见"),
        title=consultation.title,
        closing=_("%(end)s 截止", end=closing(consultation.closes_at))
        if consultation.closes_at
        else "",
        period=period,
        parts=tuple(
            (label, text)
            for label, text in (
                (_("征求什么意见"), consultation.explanation),
                (_("怎样提意见"), consultation.ways),
                (_("联系方式"), consultation.contact),
            )
            if text
        ),
        scan=_("手机扫码，阅读文稿、提意见"),
        address=absolute("consultations.notice", slug=consultation.slug),
        other_ways=_("不用注册；也可以在浏览器里输入上面的网址。"),
        foot=f"{_site_name()} · {unit}",
        owner=unit,
        qr_alt=_("二维码，打开上面的网址"),
        made=consultation.created_at.isoformat(),
    )


def _site_name() -> str:
    return str(current_app.config["SITE_NAME"])
