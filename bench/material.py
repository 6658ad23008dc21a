"""What is measured on: a draft of 60 paragraphs and as many opinions as are asked for."""

import csv
import datetime as dt
import itertools
import time
from pathlib import Path

import yaml
from flask import Flask
from flask.testing import FlaskClient

from bench.measure import DATA
from consult import consultation_acts, drafts, imports
from consult.consultations import Consultation
from consult.drafts import Version
from consult.programmes import Programme, Stage
from consult.readers import Block, ReadDraft
from consult.readers.tables import Table
from consult.submissions import Channel
from core import accounts, audit, postings
from core.accounts import RoleName
from core.db import db, take_stock

PASSWORD = "bench-bench-2020"
NOW = dt.datetime(2020, 10, 20, 4, 0, tzinfo=dt.UTC)
EXAMPLE = Path(__file__).resolve().parents[1] / "consult" / "data"


def texts(count: int) -> list[str]:
    """`count` opinions: real messages where the shared data is at hand, else the example's,
    each varied enough to be its own."""
    real = DATA / "messages.csv"
    if real.exists():
        with real.open(encoding="utf-8", newline="") as file:
            bodies = [row["body"] for row in csv.DictReader(file)]
    else:
        told = yaml.safe_load((EXAMPLE / "opinions" / "guihua-gangyao.yaml").read_text("utf-8"))
        bodies = [each["body"] for each in told]
    endless = itertools.cycle(bodies)
    return [
        body if place < len(bodies) else f"{body}（{place // len(bodies)}之{place}）"
        for place, body in zip(range(count), endless, strict=False)
    ]


def consultation(slug: str = "bench", paragraphs: int = 60) -> tuple[Consultation, Version]:
    """An open consultation on a draft of six chapters and `paragraphs` paragraphs."""
    stage = Stage(
        ordinal=1,
        key="drafting",
        numeral="一",
        title="规划编制阶段",
        short="规划编制",
        starts_on=NOW.date(),
        ends_on=NOW.date(),
    )
    db.session.add(
        Programme(
            slug=f"p-{slug}",
            title="某区规划",
            full_title="某区规划",
            plan_title="某区规划",
            ordinal=14,
            region="某区",
            period_from=2021,
            period_to=2025,
            stages=[stage],
        )
    )
    db.session.flush()
    by = audit.COMMAND_LINE
    made = consultation_acts.create(
        slug=slug, title="征求意见", stage=stage, unit=None, by=by, now=NOW
    )
    consultation_acts.write_notice(
        made, title="征求意见", explanation="说明", ways="网上", contact="电话", by=by, now=NOW
    )
    day = NOW.date()
    consultation_acts.set_window(
        made, first=day, last=day + dt.timedelta(days=59), short_reason="", by=by, now=NOW
    )
    words = texts(paragraphs)
    blocks = []
    for place in range(paragraphs):
        if place % 10 == 0:
            blocks.append(Block(1, "heading", f"第{place // 10 + 1}章 加装电梯与城市更新"))
        blocks.append(Block(0, "paragraph", words[place][:160]))
    read = ReadDraft("某区规划纲要", tuple(blocks), ())
    version = drafts.take_in(
        made, read, title="某区规划纲要", source_name="x.txt", source=b"x", by=by, now=NOW
    )
    drafts.publish(version, by=by, now=NOW)
    consultation_acts.announce(made, has_draft=True, by=by, now=NOW)
    db.session.commit()
    return made, version


def opinions(made: Consultation, version: Version, count: int) -> float:
    """Bring `count` opinions in, spread over the chapters; seconds it took."""
    outline = drafts.outline(version)
    chapters = [heading.text for heading in outline.headings]
    rows = tuple(
        (place + 2, (body, chapters[place % len(chapters)], f"2020-10-{place % 20 + 1:02d}"))
        for place, body in enumerate(texts(count))
    )
    begun = time.perf_counter()
    imports.bring_in(
        Table(("body", "section", "day"), rows),
        made,
        channel=Channel.LETTER,
        mapping={"body": "body", "section": "section", "received_on": "day"},
        outline=outline,
        secret="bench",
        by=audit.COMMAND_LINE,
        now=NOW,
        on_day=NOW.date(),
    )
    # As a long import ends.
    postings.sort_in()
    take_stock()
    db.session.commit()
    return time.perf_counter() - begun


def in_the_office(app: Flask) -> dict[str, str]:
    """The cookie of somebody of the office who has signed in, as WSGI carries it."""
    accounts.add(
        email="office@example.invalid",
        name="工作人员",
        roles=[RoleName.DRC_STAFF],
        password=PASSWORD,
        is_demo=True,
        by=audit.COMMAND_LINE,
        now=NOW,
    )
    db.session.commit()
    client = FlaskClient(app, use_cookies=True)
    data = {"email": "office@example.invalid", "password": PASSWORD}
    client.post("/sign-in", data=data)
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    return {"HTTP_COOKIE": f"{name}={cookie.value}"}
