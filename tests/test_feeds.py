"""What other programs read: the feed, the calendar and the poster, parsed back by others' code."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from lxml import etree

from consult import consultation_acts, consultations, posters
from consult.consultations import Phase
from consult.posters import Poster
from core import audit, qr, typesetting
from core.db import db
from core.web import SHANGHAI
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft

ATOM = "{http://www.w3.org/2005/Atom}"
PAGES = re.compile(rb"/Type\s*/Page\b")


def entries(client: FlaskClient) -> list[tuple[str, str, str]]:
    """(id, title, updated) of each entry of the feed."""
    feed = etree.fromstring(client.get("/consultations/feed.atom").data)
    return [
        tuple(entry.findtext(ATOM + name) for name in ("id", "title", "updated"))
        for entry in feed.findall(ATOM + "entry")
    ]


def test_the_feed_tells_what_happened_and_only_what_is_public(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao", title="征求<意见>&")
        a_published_draft(consultation)
        a_consultation("caoni", phase=Phase.PREPARING, title="还没有公布")
        last = consultation.last_day
        assert last is not None
        consultation_acts.extend(
            consultation,
            last=last + dt.timedelta(days=5),
            reason="应居民要求",
            by=audit.SYSTEM,
            now=NOON,
        )
        db.session.commit()
    told = entries(client)
    assert [title for _id, title, _at in told] == [
        # At noon of the 20th: the extension is told after the draft that came with it.
        *[t for _i, t, _a in told if "第1稿" in t or "延长" in t],
        "开始征求意见：征求<意见>&",
        "发布公告：征求<意见>&",
    ]
    assert any("截止日期延长至" in title for _id, title, _at in told)
    assert not any("还没有公布" in title for _id, title, _at in told)
    assert len({id for id, _title, _at in told}) == len(told)
    clock.forward(days=60)
    later = entries(client)
    assert later[0][1] == "征集截止：征求<意见>&"
    # What was told keeps its id and its moment.
    assert later[1:] == told


def test_addresses_come_from_the_settings_and_not_from_the_request(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        a_consultation("gangyao")
    for path in ("feed.atom", "deadlines.ics", "gangyao/deadline.ics"):
        answer = client.get(f"/consultations/{path}", headers={"Host": "evil.example"})
        assert b"evil.example" not in answer.data
    site = app.config["SETTINGS"].site_url
    assert f"{site}/consultations/gangyao/".encode() in client.get("/consultations/feed.atom").data


@pytest.mark.parametrize("path", ["feed.atom", "deadlines.ics", "gangyao/poster.pdf"])
def test_who_has_it_is_told_so(app: Flask, client: FlaskClient, path: str) -> None:
    with app.app_context():
        a_consultation("gangyao")
    first = client.get(f"/consultations/{path}")
    again = client.get(f"/consultations/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with app.app_context():
        a_consultation("another")
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        consultation_acts.write_notice(
            consultation,
            title="新的标题",
            explanation=consultation.explanation,
            ways=consultation.ways,
            contact=consultation.contact,
            by=audit.SYSTEM,
            now=NOON,
        )
        db.session.commit()
    changed = client.get(f"/consultations/{path}", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200


def test_the_calendar_reads_back_and_counts_up(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao")
        a_consultation("caoni", phase=Phase.PREPARING)
        last = consultation.last_day
        assert last is not None
    (before,) = Calendar.from_ical(client.get("/consultations/deadlines.ics").data).walk("VEVENT")
    # The window of an open one ends 25 days after the 20th of October: 24:00 of the 14th.
    assert last == dt.date(2020, 11, 14)
    assert before.decoded("dtend") == dt.datetime(2020, 11, 15, tzinfo=SHANGHAI)
    assert before.decoded("dtstart") == dt.datetime(2020, 11, 14, 23, 30, tzinfo=SHANGHAI)
    with app.app_context():
        found = consultations.by_slug("gangyao")
        assert found is not None
        consultation_acts.extend(
            found, last=dt.date(2020, 11, 20), reason="应居民要求", by=audit.SYSTEM, now=NOON
        )
        db.session.commit()
    (after,) = Calendar.from_ical(client.get("/consultations/deadlines.ics").data).walk("VEVENT")
    assert after["uid"] == before["uid"]
    assert after["sequence"] == before["sequence"] + 1
    assert after.decoded("dtend") == dt.datetime(2020, 11, 21, tzinfo=SHANGHAI)


def test_what_is_not_public_has_no_calendar_and_no_poster(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        a_consultation("caoni", phase=Phase.PREPARING)
        person = people.make("drc_staff")
    for path in ("deadline.ics", "poster.pdf"):
        assert client.get(f"/consultations/caoni/{path}").status_code == 404
    people.sign_in(client, person)
    answer = client.get("/consultations/caoni/poster.pdf")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def a_poster(title: str, text: str) -> Poster:
    return Poster(
        kicker="公开征求意见",
        title=title,
        closing="2020年12月6日（星期日）24:00 截止",
        period="2020年10月8日至12月6日，共60天",
        parts=(("说什么", text), ("怎样提意见", text), ("联系方式", text)),
        scan="手机扫码",
        address="https://wenji.example.invalid/consultations/gangyao/",
        other_ways="不用注册。",
        foot="问计",
        owner="某区",
        qr_alt="二维码",
        made="2020-10-08T00:00:00+00:00",
    )


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("规划纲要", "现就文稿公开征求意见。"),
        ("很长的标题" * 40, "很长的说明，" * 500),
        ("长" * 60, "一行\n" * 50),
        ('#let x = read("/etc/passwd") $ * _ @a `b` \\', '"}) #panic("x") ' + "𠮷䶮"),
    ],
)
def test_a_poster_is_one_tagged_sheet_whatever_the_words(title: str, text: str) -> None:
    made = posters.pdf(a_poster(title, text))
    assert made.startswith(b"%PDF-")
    assert len(PAGES.findall(made)) == 1
    assert b"/MarkInfo" in made
    assert b"/StructTreeRoot" in made


def test_the_same_words_are_the_same_bytes() -> None:
    poster = a_poster("规划纲要", "现就文稿公开征求意见。")
    first = posters.pdf(poster)
    posters.pdf.cache_clear()
    assert posters.pdf(poster) == first


def test_the_code_is_a_drawing_of_the_address() -> None:
    address = "https://wenji.example.invalid/consultations/gangyao/"
    drawing = etree.fromstring(qr.svg(address).encode())
    assert drawing.tag == "{http://www.w3.org/2000/svg}svg"
    assert qr.svg(address) != qr.svg(address + "x")


def test_pages_lead_to_the_feed_and_the_calendar(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        a_consultation("gangyao")
    page = client.get("/consultations/gangyao/").get_data(as_text=True)
    for kind in ("application/atom+xml", "text/calendar"):
        found = re.search(
            f'<link rel="alternate" type="{re.escape(kind)}"[^>]*href="([^"]+)"', page
        )
        assert found is not None
        assert client.get(urlsplit(found.group(1)).path).content_type.startswith(kind)


def test_a_sheet_that_cannot_be_set_in_time_is_asked_for_again(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        a_consultation("gangyao")
    posters.pdf.cache_clear()
    monkeypatch.setattr(typesetting, "PATIENCE", 0.0001)
    answer = client.get("/consultations/gangyao/poster.pdf")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
