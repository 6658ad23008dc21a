"""The papers of a meeting: in time for a hearing, told by their content, handed out harmless."""

import io
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import audit
from core.db import db
from core.errors import Refused
from panel import meetings, paper_files, papers
from panel.meetings import Meeting, MeetingKind
from tests import hostile_files, people
from tests.conftest import NOON
from tests.meetings_made import DAY, PDF, a_meeting, announced


def test_a_hearing_needs_its_papers_seven_days_before(app: Flask) -> None:
    with app.app_context():
        hearing = a_meeting(kind=MeetingKind.HEARING, starts_at=NOON + 10 * DAY)
        with pytest.raises(Refused, match="还没有材料"):
            announced(hearing)
        late = NOON + 4 * DAY
        for day, now, good in (
            (None, NOON, False),
            (late.date(), late, False),
            ((NOON + 3 * DAY).date(), late, True),
        ):
            paper = papers.add_paper(
                hearing, "稿.pdf", PDF, delivered_on=day, is_public=False, by=audit.SYSTEM, now=now
            )
            told = papers.delivered(hearing.id)
            if good:
                meetings.announce(hearing, delivered=told, by=audit.SYSTEM, now=now)
                break
            with pytest.raises(Refused, match="至少7天"):
                meetings.announce(hearing, delivered=told, by=audit.SYSTEM, now=now)
            papers.remove_paper(hearing, paper, by=audit.SYSTEM, now=now)
        # Once announced, nothing that would come too late is added, and it is not moved nearer.
        with pytest.raises(Refused, match="至少7天"):
            papers.add_paper(
                hearing, "补.pdf", PDF, delivered_on=late.date(), is_public=False,
                by=audit.SYSTEM, now=late,
            )  # fmt: skip
        with pytest.raises(Refused, match="至少7天"):
            meetings.hold(hearing, delivered=[late.date()], by=audit.SYSTEM, now=NOON + 11 * DAY)


@pytest.mark.parametrize("data", [b"MZ program", b"<html>", b"PK\x03\x04broken", b"\x89PNG\r\n"])
def test_a_paper_is_told_by_its_content(app: Flask, data: bytes) -> None:
    with app.app_context(), pytest.raises(Refused, match="只能是"):
        paper_files.kind_of(data)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (
            lambda: hostile_files.packed({"word/document.xml": "<w/>", "word/vbaProject.bin": b""}),
            "宏",
        ),
        (lambda: hostile_files.packed({"xl/workbook.xml": "<w/>", "xl/vbaProject.bin": b""}), "宏"),
        (
            lambda: hostile_files.packed(
                {"[Content_Types].xml": "<T/>", "word/document.xml": "<!DOCTYPE a><w/>"}
            ),
            "结构异常",
        ),
        (
            lambda: hostile_files.packed(
                {"[Content_Types].xml": "<T/>", "word/document.xml": " " * 20_000_000}
            ),
            "结构异常",
        ),
    ],
)
def test_a_paper_that_may_do_harm_is_refused(
    app: Flask, data: Callable[[], bytes], why: str
) -> None:
    with app.app_context(), pytest.raises(Refused, match=why):
        paper_files.kind_of(data())


def test_a_paper_is_handed_out_as_a_file_that_may_do_nothing(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        a_meeting()
        people.sign_in(client, people.make("drc_staff"))
    for number, public in ((1, "y"), (2, "")):
        data = {"file": (io.BytesIO(PDF + bytes([number])), "材料.pdf"), "is_public": public}
        client.post("/desk/meetings/1/papers", data=data)
    stranger = app.test_client()
    assert stranger.get("/meetings/papers/1").status_code == 404
    with app.app_context():
        announced(db.session.get_one(Meeting, 1))
    answer = stranger.get("/meetings/papers/1")
    assert answer.data == PDF + b"\x01"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert stranger.get("/meetings/papers/2").status_code == 404
