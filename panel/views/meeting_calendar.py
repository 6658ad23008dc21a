"""Meetings for a calendar: each keeps its UID and counts up when it is moved or called off."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Response, request
from flask_babel import gettext as _

from consult.consultations import SHANGHAI
from consult.views.feeds import absolute
from panel.meetings import Meeting

if TYPE_CHECKING:
    from icalendar import Event


def answer(found: Sequence[Meeting], *, endpoint: str, with_links: bool) -> Response:
    """The meetings as a calendar; `endpoint` is the page each one points to. The address of a
    video meeting is only for those who were invited."""
    # As below: loaded (0.1 s) when the first calendar is asked for.
    from icalendar import Calendar  # noqa: PLC0415

    calendar = Calendar()
    calendar.add("prodid", "-//Wenji//meetings//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-timezone", SHANGHAI.key)
    for meeting in found:
        calendar.add_component(_event(meeting, endpoint, with_links=with_links))
    calendar.add_missing_timezones()
    response = Response(calendar.to_ical(), content_type="text/calendar; charset=utf-8")
    response.add_etag()
    response.make_conditional(request)
    return response


def _event(meeting: Meeting, endpoint: str, *, with_links: bool) -> "Event":
    address = absolute(endpoint, meeting_id=meeting.id)
    from icalendar import Event  # noqa: PLC0415

    event = Event()
    event.add("uid", f"meeting-{meeting.id}@{urlsplit(address).hostname}")
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.announced_at or meeting.created_at)
    event.add("dtstart", _here(meeting.starts_at))
    event.add("dtend", _here(meeting.ends_at))
    event.add("summary", meeting.title)
    event.add("status", "CANCELLED" if meeting.is_off else "CONFIRMED")
    if meeting.place:
        event.add("location", meeting.place)
    words = [meeting.kind.title]
    if meeting.is_off:
        words.append(_("已取消：%(reason)s", reason=meeting.cancel_reason))
    if with_links and meeting.link:
        words.append(_("线上参加：%(link)s", link=meeting.link))
    words.append(address)
    event.add("description", "\n".join(words))
    event.add("url", address)
    return event


def _here(moment: dt.datetime) -> dt.datetime:
    return moment.astimezone(SHANGHAI)
