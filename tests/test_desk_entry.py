"""Quick entry at the desk: one screen, the receipt to read out, and the same rights as on the site."""

import datetime as dt
import hashlib
import io
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import attachments, drafts, provenance, submissions
from consult.attachments import Attachment
from consult.consultations import Consultation, Phase
from consult.provenance import Provenance
from consult.submissions import Channel, Contact, Stance, Submission, SubmissionState
from core import sealing
from core.accounts import Account
from core.audit import AuditEvent
from core.config import Settings
from core.db import db
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft

pytestmark = pytest.mark.usefixtures("context")

DESK = "/desk/entry"
WORDS = "来电人希望在第二章里写明加装电梯的年度任务。"


@pytest.fixture
def consultation() -> Consultation:
    consultation = a_consultation("gangyao")
    a_published_draft(consultation)
    return consultation


@pytest.fixture
def person(consultation: Consultation) -> Account:
    return people.make("drc_staff")


@pytest.fixture
def officer(client: FlaskClient, person: Account) -> FlaskClient:
    people.sign_in(client, person)
    return client


def enter(client: FlaskClient, consultation: Consultation, **more: Any) -> TestResponse:
    """Send the form as a browser does."""
    version = drafts.published(consultation)
    data = {
        "channel": "hotline",
        "received_on": "2020-10-19",
        "body": WORDS,
        "section": "",
        "version": str(version.id if version else ""),
        "form_key": "k" * 22,
    }
    return client.post(f"{DESK}?consultation={consultation.id}", data=data | more)


def only() -> Submission:
    return db.session.scalars(sa.select(Submission)).one()


def test_a_call_is_taken_in_like_an_opinion_from_the_site(
    officer: FlaskClient, consultation: Consultation, person: Account
) -> None:
    heading = next(
        each
        for each in drafts.outline(drafts.published(consultation)).headings  # type: ignore[arg-type]
        if each.text == "第二章 社会民生"
    )
    answer = enter(
        officer,
        consultation,
        section=str(heading.mark),
        stance="suggest",
        title="电梯",
        external_id="G-1",
    )
    assert answer.status_code == 302
    found = only()
    assert (found.channel, found.state) == (Channel.HOTLINE, SubmissionState.PENDING)
    assert (found.place, found.stance, found.title) == (heading.id, Stance.SUGGEST, "电梯")
    assert (found.received_on, found.received_at) == (dt.date(2020, 10, 19), NOON)
    assert (found.body, found.external_id, found.account_id) == (WORDS, "G-1", None)
    assert consultation.received == 1
    event = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.actor_id) == ("submission.received", person.id)
    origin = provenance.of([found])[found.id]
    assert (origin.by_name, origin.external_id, origin.row) == (person.name, "G-1", None)
    page = officer.get(answer.location).text
    assert found.receipt in page
    assert " ".join(found.receipt.replace("-", "")) in page
    assert officer.get(f"/receipts/{found.receipt}").status_code == 200


def test_channel_consultation_and_day_are_remembered_until_midnight(
    officer: FlaskClient, consultation: Consultation, clock: Clock, person: Account
) -> None:
    other = a_consultation("silu", phase=Phase.CLOSED)
    a_published_draft(other)
    day = (other.last_day or NOON.date()).isoformat()
    assert enter(officer, other, channel="letter", received_on=day).status_code == 302
    page = officer.get(DESK).text
    assert f'<option value="{other.id}" selected>' in page
    assert '<option selected value="letter">' in page
    assert f'value="{day}"' in page
    clock.at = NOON + dt.timedelta(days=1)
    people.sign_in(officer, person)
    assert 'value="2020-10-21"' in officer.get(DESK).text


def test_sent_twice_it_is_stored_once_and_both_get_the_receipt(
    officer: FlaskClient, consultation: Consultation
) -> None:
    first, second = enter(officer, consultation), enter(officer, consultation)
    assert first.location == second.location
    assert db.session.scalar(sa.select(sa.func.count(Provenance.submission_id))) == 1
    assert "没有重复登记" in officer.get(second.location).text
    assert enter(officer, consultation, body=WORDS + "尽快。").location != first.location


def test_a_contact_is_sealed_the_name_masked_and_both_only_after_telling(
    officer: FlaskClient, consultation: Consultation, settings: Settings
) -> None:
    asked = {"name": "王小明", "show_name": "y", "contact": "13800001234"}
    refused = enter(officer, consultation, **asked)
    assert refused.status_code == 422
    assert "先告知本人" in refused.text
    assert enter(officer, consultation, told="y", **asked).status_code == 302
    found, kept = only(), db.session.scalars(sa.select(Contact)).one()
    assert found.public_name == "王**"
    assert sealing.unseal(settings.contact_key, kept.sealed) == "13800001234"
    # The same as when the author writes on the site, and so one person.
    assert found.person_key == submissions.person_key(settings.secret_key, "contact", "13800001234")


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        # NOON is 20 October; the window of an open consultation began ten days before.
        ("2020-10-21", "在今天之后"),
        ("2020-10-09", "在征集开始之前"),
        ("2020-02-30", "真实的日期"),
    ],
)
def test_a_day_that_cannot_be_is_refused_and_the_words_are_kept(
    officer: FlaskClient, consultation: Consultation, day: str, sentence: str
) -> None:
    answer = enter(officer, consultation, received_on=day)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert WORDS in answer.text
    assert consultation.received == 0


def test_after_closing_only_what_came_in_time_is_entered(
    officer: FlaskClient, consultation: Consultation, clock: Clock, person: Account
) -> None:
    assert consultation.closes_at is not None
    last = consultation.last_day
    assert last is not None
    clock.at = consultation.closes_at + dt.timedelta(hours=12)
    people.sign_in(officer, person)
    late = enter(officer, consultation, received_on=(last + dt.timedelta(days=1)).isoformat())
    assert late.status_code == 422
    assert "截止以后收到" in late.text
    assert enter(officer, consultation, received_on=last.isoformat()).status_code == 302


def test_what_does_not_take_opinions_is_not_there(
    officer: FlaskClient, consultation: Consultation
) -> None:
    for phase in (Phase.PREPARING, Phase.UPCOMING, Phase.ANSWERED):
        other = a_consultation(f"c-{phase.value}", phase=phase)
        assert enter(officer, other).status_code == 404


def test_a_section_of_an_older_text_is_chosen_again(
    officer: FlaskClient, consultation: Consultation
) -> None:
    answer = enter(officer, consultation, section="1", version="999")
    assert answer.status_code == 422
    assert "请重新选择" in answer.text


def test_the_slip_is_for_who_entered_it(officer: FlaskClient, consultation: Consultation) -> None:
    answer = enter(officer, consultation, act="slip")
    page = officer.get(answer.location).text
    assert re.search(r"slip-number\">" + only().receipt, page)
    people.sign_out(officer)
    people.sign_in(officer, people.make("drc_staff"))
    assert officer.get(answer.location).status_code == 404
    assert only().receipt not in officer.get(f"{DESK}?saved={only().id}").text


def test_nothing_to_enter_for_is_said(client: FlaskClient) -> None:
    people.sign_in(client, people.make("drc_staff"))
    assert "现在没有可以登记的意见征集" in client.get(DESK).text


@pytest.mark.parametrize("role", ["screener", "unit_staff", "auditor", "resident"])
def test_only_officers_enter(client: FlaskClient, consultation: Consultation, role: str) -> None:
    people.sign_in(client, people.make(role))
    assert client.get(DESK).status_code == 403
    assert enter(client, consultation).status_code == 403


def test_the_screener_sees_where_it_came_from_and_the_public_does_not(
    officer: FlaskClient, consultation: Consultation, person: Account
) -> None:
    enter(officer, consultation, external_id="G-77")
    people.sign_out(officer)
    people.sign_in(officer, people.make("screener"))
    page = officer.get("/desk/screening").text
    assert f"由{person.name}录入" in page
    assert "原编号G-77" in page
    public = officer.get(f"/receipts/{only().receipt}").text
    assert person.name not in public


def test_a_pasted_mail_fills_the_form_and_stores_nothing(
    officer: FlaskClient, consultation: Consultation
) -> None:
    # 17:00 in London is the next day in Shanghai.
    source = f"From: Wang <wang@example.com>\nSubject: <b>食堂\nDate: Sun, 18 Oct 2020 17:00:00 +0000\n\n{WORDS}"
    address = f"{DESK}/email?consultation={consultation.id}"
    answer = officer.post(address, data={"source": source})
    page = answer.text
    assert answer.status_code == 200
    assert 'value="2020-10-19"' in page
    assert '<option selected value="email">' in page
    assert 'value="wang@example.com"' in page
    assert "&lt;b&gt;食堂" in page
    assert WORDS in page
    assert consultation.received == 0
    assert officer.post(address, data={"source": ""}).status_code == 422


# The smallest picture there is: one grey point.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)
PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"


def with_scans(
    client: FlaskClient, consultation: Consultation, *files: tuple[str, bytes]
) -> TestResponse:
    scans = [(io.BytesIO(data), name) for name, data in files]
    return enter(client, consultation, scans=scans)


def test_a_scan_is_kept_by_its_content_and_each_look_is_on_record(
    app: Flask, officer: FlaskClient, consultation: Consultation, person: Account
) -> None:
    answer = with_scans(officer, consultation, ("<b>信.png.html", PNG), ("second.pdf", PDF))
    assert answer.status_code == 302
    first, second = db.session.scalars(sa.select(Attachment).order_by(Attachment.id)).all()
    assert first.sha256 == hashlib.sha256(PNG).hexdigest()
    assert (Path(app.instance_path) / "uploads" / first.sha256).stat().st_mode & 0o777 == 0o600
    people.sign_out(officer)
    screener = people.make("screener")
    people.sign_in(officer, screener)
    assert "查看扫描件" in officer.get("/desk/screening").text
    seen = officer.post(f"{DESK}/attachments/{first.id}")
    assert (seen.data, seen.mimetype) == (PNG, "image/png")
    assert seen.headers["X-Content-Type-Options"] == "nosniff"
    assert seen.headers["Content-Disposition"].startswith("attachment;")
    assert seen.headers["Cache-Control"] == "no-store"
    event = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert event is not None
    assert (event.action, event.thing_id, event.actor_id) == (
        "attachment.looked_at",
        first.id,
        screener.id,
    )
    assert officer.get(f"{DESK}/attachments/{first.id}").status_code == 405
    people.sign_out(officer)
    people.sign_in(officer, people.make("auditor"))
    assert officer.post(f"{DESK}/attachments/{second.id}").status_code == 403


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("a.png", b"<svg onload=x()>")], "只能是 PDF、JPG 或 PNG"),
        ([("a.pdf", b"")], "只能是 PDF、JPG 或 PNG"),
        ([("a.pdf", PDF), ("b.pdf", b"%PDF-1")], "不完整或已损坏"),
        ([("a.png", PNG)] * 6, "最多附5个"),
        ([("a.png", PNG + bytes(1000))], "请降低扫描精度"),
    ],
    ids=["svg", "empty", "broken", "many", "large"],
)
def test_what_is_no_scan_is_refused_and_the_words_are_kept(
    app: Flask,
    officer: FlaskClient,
    consultation: Consultation,
    files: list[tuple[str, bytes]],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 1000)
    answer = with_scans(officer, consultation, *files)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert WORDS in answer.text
    assert consultation.received == 0
    assert not list(Path(app.instance_path).glob("uploads/*"))
