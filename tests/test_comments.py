"""Commenting without an account: what is taken, what is refused, and that no typed word is lost."""

import datetime as dt
import re
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import drafts, screening, submissions
from consult.consultations import Consultation, Phase
from consult.drafts import Version
from consult.submissions import Stance, SubmissionState
from core import audit
from core.audit import AuditEvent
from core.db import db
from tests import people
from tests.comments_made import ADDRESS, BODY, only, send
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.kept import stored

pytestmark = pytest.mark.usefixtures("context")


# --- taken ---------------------------------------------------------------------------------------


def test_a_comment_gets_its_receipt_at_once(client: FlaskClient, version: Version) -> None:
    assert client.get(ADDRESS).status_code == 200
    answer = send(client)
    assert answer.status_code == 302
    taken = only()
    assert (taken.body, taken.state, taken.place) == (BODY, SubmissionState.PENDING, 0)
    assert (taken.version_id, taken.stance, taken.consent) == (version.id, None, "2020-1")
    assert (taken.account_id, taken.person_key, taken.public_name) == (None, None, "")
    assert answer.location == f"/receipts/{taken.receipt}?sent=1"
    page = client.get(answer.location).text
    assert taken.receipt in page
    assert "意见已经收到" in page
    assert BODY in page


def test_the_button_pressed_twice_gives_one_opinion_and_one_receipt(
    client: FlaskClient, version: Version
) -> None:
    first = send(client, form_key="a" * 22)
    second = send(client, form_key="a" * 22)
    assert first.location == second.location
    only()
    third = send(client, form_key="a" * 22, body=BODY + "越快越好。")
    assert third.location != first.location
    assert len(stored()) == 2


def test_a_form_key_that_this_site_did_not_make_is_replaced(
    client: FlaskClient, version: Version
) -> None:
    assert send(client, form_key="1").location != send(client, form_key="1").location
    assert send(client, form_key="键" * 20).status_code == 302
    assert send(client, form_key="a" * 5_000).status_code == 302
    assert len(stored()) == 4


def test_every_act_is_on_record_once(client: FlaskClient, version: Version) -> None:
    def count() -> int:
        return db.session.scalar(sa.select(sa.func.count(AuditEvent.id))) or 0

    before = count()
    send(client, form_key="a" * 22)
    send(client, form_key="a" * 22)
    send(client, consent="")
    assert count() == before + 1


@pytest.mark.parametrize(
    ("said", "stance"),
    [("", None), *((s.value, s) for s in Stance if s not in (Stance.APPEAL, Stance.NONE))],
)
def test_a_stance_may_be_ticked(
    client: FlaskClient, version: Version, said: str, stance: Stance | None
) -> None:
    send(client, stance=said)
    assert only().stance is stance


@pytest.mark.parametrize("said", ["appeal", "none", "love"])
def test_a_stance_that_is_not_offered_is_refused(
    client: FlaskClient, version: Version, said: str
) -> None:
    assert send(client, stance=said).status_code == 422
    assert stored() == []


def test_a_person_who_is_signed_in_is_known_by_account(
    client: FlaskClient, version: Version
) -> None:
    resident = people.make("resident")
    people.sign_in(client, resident)
    send(client)
    taken = only()
    assert taken.account_id == resident.id
    assert taken.person_key is not None
    event = db.session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "submission.received")
    ).one()
    assert event.actor_id == resident.id


# --- where ---------------------------------------------------------------------------------------


def test_a_comment_stands_on_the_paragraph_it_was_made_on(
    client: FlaskClient, version: Version
) -> None:
    page = client.get(f"{ADDRESS}?on=3").text
    assert "到2025年，城区综合实力和居民生活品质明显提升。" in page
    assert "第一章 总体要求" in page
    action = re.search(r'action="(/consultations/gangyao/comment[^"]*)"', page)
    assert action is not None
    send(client, unescape(action[1]))
    taken = only()
    entry = drafts.outline(version).by_id[taken.place]
    assert (entry.mark, taken.version_id) == (3, version.id)


def test_a_comment_on_a_section_stands_on_its_heading(
    client: FlaskClient, version: Version
) -> None:
    send(client, f"{ADDRESS}?on=1")
    assert drafts.outline(version).by_id[only().place].text == "第一章 总体要求"


def test_a_comment_on_an_older_version_stays_with_it(
    client: FlaskClient, consultation: Consultation, version: Version
) -> None:
    newer = a_published_draft(consultation, "新的一稿只有这一段。")
    assert "坚持人民城市人民建" in client.get(f"{ADDRESS}?v=1&on=2").text
    send(client, f"{ADDRESS}?v=1&on=2")
    taken = only()
    assert taken.version_id == version.id != newer.id
    receipt = client.get(f"/receipts/{taken.receipt}").text
    assert "坚持人民城市人民建" in receipt
    assert "/consultations/gangyao/draft?v=1#p2" in receipt
    screening.decide(taken, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    assert (
        "/consultations/gangyao/draft?v=1#p2" in client.get("/consultations/gangyao/opinions").text
    )


def test_the_list_of_an_older_version_keeps_to_it_on_every_page(
    client: FlaskClient, consultation: Consultation, version: Version
) -> None:
    place = drafts.outline(version).by_mark[2].id
    for number in range(21):
        opinion = submissions.Opinion(body=f"第{number}件意见", version_id=version.id, place=place)
        submissions.receive(
            consultation,
            opinion,
            once_key=f"k{number}",
            state=SubmissionState.SHOWN,
            by=audit.RESIDENT,
            now=NOON,
            on_day=dt.date(2020, 10, 20),
        )
    a_published_draft(consultation, "新的一稿只有这一段。")
    page = client.get("/consultations/gangyao/opinions?v=1&on=2").text
    links = {unescape(link) for link in re.findall(r'href="(/consultations/[^"#]*)', page)}
    onward = [link for link in links if "before=" in link]
    assert len(onward) == 1
    assert "第0件意见" in client.get(onward[0]).text
    assert "/consultations/gangyao/comment?v=1&on=2" in links
    for link in links:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?on=0", 200),
        ("?on=999", 404),
        ("?v=2", 404),
        ("?v=0", 404),
        ("?v=1&on=2", 200),
        ("?on=x", 400),
        ("?on=-1", 400),
        ("?on=１", 400),
        ("?on=99999999999999999999", 400),
        ("?v=2147483648", 400),
    ],
)
def test_a_place_that_is_not_there_is_not_found(
    client: FlaskClient, version: Version, query: str, status: int
) -> None:
    assert client.get(ADDRESS + query).status_code == status
    assert send(client, ADDRESS + query).status_code == (302 if status == 200 else status)


def test_versions_of_one_consultation_are_not_found_in_another(
    client: FlaskClient, version: Version
) -> None:
    other = a_consultation("kuangjia")
    a_published_draft(other, "只有这一段的文稿。")
    assert send(client, "/consultations/kuangjia/comment?on=3").status_code == 404
    assert send(client, "/consultations/kuangjia/comment?v=2").status_code == 404
    assert stored() == []


def test_a_version_that_is_not_published_takes_no_comment(
    client: FlaskClient, consultation: Consultation
) -> None:
    assert client.get(ADDRESS).status_code == 404
    assert send(client).status_code == 404
    assert client.get("/consultations/meiyou/comment").status_code == 404


# --- refused, with nothing lost ------------------------------------------------------------------


def test_without_consent_nothing_is_stored_and_everything_typed_stays(
    client: FlaskClient, version: Version
) -> None:
    refused = send(
        client, f"{ADDRESS}?on=3", consent="", stance="oppose", name="王小明", contact="a@b.cn"
    )
    page = refused.text
    assert refused.status_code == 422
    assert "请阅读并勾选同意，然后再提交。" in page
    assert f">\n{BODY}</textarea>" in page.replace("\r", "")
    assert re.search(r'checked[^>]*value="oppose"', page)
    assert 'value="王小明"' in page
    assert 'value="a@b.cn"' in page
    assert "到2025年" in page
    assert stored() == []


def test_who_waited_too_long_presses_again_and_copies_nothing(
    app: Flask, client: FlaskClient, version: Version, clock: Clock
) -> None:
    """A tab that was restored after the browser was closed has a form and no session."""
    app.config["WTF_CSRF_ENABLED"] = True
    typed = {
        "body": BODY,
        "consent": "y",
        "stance": "oppose",
        "name": "王小明",
        "form_key": "k" * 22,
    }
    late = client.post(f"{ADDRESS}?on=3", data=typed | {"csrf_token": "of yesterday"})
    page = late.text
    assert late.status_code == 400
    assert late.headers["Cache-Control"] == "no-store"
    assert "请再提交一次" in page
    assert f">\n{BODY}</textarea>" in page.replace("\r", "")
    assert re.search(r'checked[^>]*value="oppose"', page)
    assert stored() == []
    fresh = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert fresh
    again = client.post(f"{ADDRESS}?on=3", data=typed | {"csrf_token": fresh[1]})
    assert again.status_code == 302
    assert only().body == BODY
    # Once it has closed there is nothing to press: the words are given back for copying.
    clock.forward(days=100)
    closed = client.post(f"{ADDRESS}?on=3", data=typed)
    assert closed.status_code == 400
    assert "请再提交一次" not in closed.text
    assert "已经截止" in closed.text
    assert BODY in closed.text


def test_the_form_key_survives_a_refusal(client: FlaskClient, version: Version) -> None:
    page = send(client, consent="", form_key="k" * 22).text
    assert f'value="{"k" * 22}"' in page


def test_neither_name_nor_contact_may_be_endless(client: FlaskClient, version: Version) -> None:
    assert send(client, name="王" * 41).status_code == 422
    assert send(client, contact="1" * 101).status_code == 422
    assert BODY in send(client, contact="1" * 101).text


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        (dt.timedelta(days=-30), "还没有开始"),
        (dt.timedelta(days=60), "已经截止"),
    ],
)
def test_outside_the_window_the_reason_is_said_and_the_text_given_back(
    client: FlaskClient,
    clock: Clock,
    version: Version,
    moment: dt.timedelta,
    sentence: str,
) -> None:
    clock.at = NOON + moment
    refused = send(client, body="我写了很久的<意见>，请还给我。")
    assert refused.status_code == 409
    assert sentence in refused.text
    assert "我写了很久的&lt;意见&gt;，请还给我。" in refused.text
    assert stored() == []
    assert client.get(ADDRESS).location == "/consultations/gangyao/"


def test_the_last_second_counts_and_the_next_does_not(
    client: FlaskClient, clock: Clock, consultation: Consultation, version: Version
) -> None:
    assert consultation.closes_at is not None
    clock.at = consultation.closes_at - dt.timedelta(microseconds=1)
    assert send(client).status_code == 302
    clock.at = consultation.closes_at
    # Closing comes before other mistakes: there is nothing to correct any more.
    assert send(client, body="短").status_code == 409
    assert send(client).status_code == 409
    only()


def test_what_is_being_prepared_does_not_exist_for_outsiders(
    app: Flask, client: FlaskClient
) -> None:
    hidden = a_consultation(phase=Phase.PREPARING)
    a_published_draft(hidden)
    assert client.get(ADDRESS).status_code == 404
    assert send(client).status_code == 404
    officer = app.test_client()
    people.sign_in(officer, people.make("drc_staff"))
    refused = send(officer)
    assert refused.status_code == 409
    assert "还没有开始" in refused.text
    assert BODY in refused.text


def test_a_form_that_lay_too_long_gives_the_text_back(
    app: Flask, client: FlaskClient, version: Version
) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    refused = send(client, csrf_token="stale")
    assert refused.status_code == 400
    assert f">\n{BODY}</textarea>" in refused.text.replace("\r", "")
    assert stored() == []
