"""Commenting without an account: what is taken, what is refused, and that no typed word is lost."""

import base64
import datetime as dt
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from altcha import v1 as altcha
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import drafts, screening, submissions
from consult.consultations import Consultation, Phase
from consult.drafts import Version
from consult.submissions import Contact, Stance, Submission, SubmissionState
from core import audit, proof, sealing
from core.audit import AuditEvent
from core.config import Settings
from core.db import Base, db
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft

ADDRESS = "/consultations/gangyao/comment"
BODY = "建议在既有多层住宅加装电梯。"
STATIC = Path(__file__).resolve().parent.parent / "static"


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def consultation() -> Consultation:
    return a_consultation()


@pytest.fixture
def version(consultation: Consultation) -> Version:
    return a_published_draft(consultation)


@pytest.fixture
def settings(app: Flask) -> Settings:
    found: Settings = app.config["SETTINGS"]
    return found


def send(client: FlaskClient, address: str = ADDRESS, /, **fields: str) -> TestResponse:
    """Send a comment with consent; fields that are None are left out."""
    sent = {"body": BODY, "consent": "y"} | fields
    return client.post(address, data={name: value for name, value in sent.items() if value != ""})


def stored() -> list[Submission]:
    db.session.expire_all()
    return list(db.session.scalars(sa.select(Submission).order_by(Submission.id)))


def only() -> Submission:
    (found,) = stored()
    return found


def whole_database() -> dict[str, str]:
    """{table: all its rows in words}."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    return {
        table: str(db.session.execute(sa.text(f'SELECT * FROM "{table}"')).all())
        for table in tables
    }


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


# --- counting characters -------------------------------------------------------------------------

LONG = {
    "plain": "长" * 2000,
    "emoji": "👍" * 2000,
    "rare": "𠮷" * 2000,
    "combining": "e\u0301" * 1000,
    "family": "👨‍👩‍👧" * 400,
    "lines": "一行\n" * 666 + "末行",
}


@pytest.mark.parametrize("kind", LONG)
def test_two_thousand_characters_are_taken_and_one_more_is_not(
    client: FlaskClient, version: Version, kind: str
) -> None:
    text = LONG[kind]
    assert len(text) == 2000
    assert send(client, body=text.replace("\n", "\r\n")).status_code == 302
    assert only().body == text
    refused = send(client, body=text + "多")
    assert refused.status_code == 422
    assert "最多2000字，现在是2001字，请缩短后再提交。" in refused.text


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_page_counts_as_the_server_does() -> None:
    # What the page shows beside the box, as the script says it.
    counting = "[...box.value].length"
    assert counting in (STATIC / "site.js").read_text()
    script = f"for (const value of {json.dumps(list(LONG.values()))}) " + (
        f"{{ const box = {{value}}; console.log({counting}); }}"
    )
    assert node(script).split() == ["2000"] * len(LONG)


def node(script: str) -> str:
    done = subprocess.run(
        ["node", "-e", script], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_ten_characters_are_enough_and_nine_are_not(client: FlaskClient, version: Version) -> None:
    refused = send(client, body="　\n一二三四五六七八九\r\n ")
    assert refused.status_code == 422
    assert "至少10个字" in refused.text
    assert send(client, body="　\n一二三四五六七八九十\r\n ").status_code == 302
    assert only().body == "一二三四五六七八九十"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "\r\n\r\n",
        "\u200b" * 20,
        "\u3164" * 20,
        "\u2800" * 20,
        "\u00ad\u034f\ufe0f" * 5,
        "\u200b\u3164\u2800\u2060\ufeff" * 4,
    ],
)
def test_text_that_nobody_can_see_is_no_opinion(
    client: FlaskClient, version: Version, body: str
) -> None:
    refused = client.post(ADDRESS, data={"body": body, "consent": "y"})
    assert refused.status_code == 422
    assert "请写下您的意见。" in refused.text
    assert stored() == []


@pytest.mark.parametrize(
    "odd", ["\x00", "\x0b", "\x1b", "\ufffe", "\U0001ffff", "\ufdd0", "\ufffd"]
)
def test_what_is_not_text_is_refused(client: FlaskClient, version: Version, odd: str) -> None:
    assert send(client, body=BODY + odd).status_code == 422
    assert stored() == []


def test_the_authors_code_points_are_kept(client: FlaskClient, version: Version) -> None:
    body = "𠮷野家、䶮字、ｶﾀｶﾅ、é、\t制表、<b>标签</b>、{{7*7}}、👨‍👩‍👧"
    answer = send(client, body=body)
    assert only().body == body
    page = client.get(answer.location).text
    assert "<b>标签</b>" not in page
    assert "{{7*7}}" in page


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


# --- how often -----------------------------------------------------------------------------------


def test_an_address_may_send_so_many_an_hour_and_keeps_its_text_beyond(
    client: FlaskClient, clock: Clock, version: Version, settings: Settings
) -> None:
    settings.comments_per_hour = 2
    first = send(client, form_key="a" * 22)
    assert send(client).status_code == 302
    refused = send(client, body="第三件意见，写了很久很久。")
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "3600"
    assert "第三件意见，写了很久很久。" in refused.text
    assert len(stored()) == 2
    # What was taken already gives its receipt again, also now.
    assert send(client, form_key="a" * 22).location == first.location
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    data = {"body": BODY, "consent": "y"}
    assert client.post(ADDRESS, data=data, environ_base=elsewhere).status_code == 302
    clock.forward(hours=1)
    assert send(client).status_code == 302


def test_a_mistake_in_the_form_costs_nothing(
    client: FlaskClient, version: Version, settings: Settings
) -> None:
    settings.comments_per_hour = 1
    for _ in range(3):
        assert send(client, consent="").status_code == 422
    assert send(client).status_code == 302


def challenge_of(client: FlaskClient, address: str = ADDRESS) -> dict[str, Any]:
    """What the page asks the browser to work on."""
    page = client.get(address).text
    found = re.search(r'data-proof="([^"]*)"', page)
    assert found is not None
    asked: dict[str, Any] = json.loads(unescape(found[1]))
    return asked


def solved(asked: dict[str, Any], **changed: Any) -> str:
    """The payload a browser sends for this challenge."""
    solution = altcha.solve_challenge(
        asked["challenge"], asked["salt"], asked["algorithm"], asked["maxnumber"]
    )
    assert solution is not None
    names = ("algorithm", "challenge", "salt", "signature")
    payload = {name: asked[name] for name in names} | {"number": solution.number} | changed
    return packed(payload)


def packed(payload: object) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


@pytest.fixture
def spent(client: FlaskClient, version: Version, settings: Settings) -> None:
    """A visitor who may send nothing more without a proof of work."""
    settings.comments_per_hour = 1
    settings.proof_of_work_cost = 1000
    send(client)


@pytest.mark.usefixtures("spent")
class TestProofOfWork:
    def test_work_done_lets_more_comments_through(
        self, client: FlaskClient, settings: Settings
    ) -> None:
        assert send(client).status_code == 429
        settings.comments_per_hour_proven = 2
        for expected in (302, 302, 429):
            assert send(client, proof=solved(challenge_of(client))).status_code == expected

    def test_a_proof_is_spent_once(self, client: FlaskClient) -> None:
        payload = solved(challenge_of(client))
        assert send(client, proof=payload).status_code == 302
        assert send(client, proof=payload).status_code == 429

    def test_the_same_opinion_sent_twice_with_one_proof_gives_one_receipt(
        self, client: FlaskClient
    ) -> None:
        payload = solved(challenge_of(client))
        first = send(client, proof=payload, form_key="b" * 22)
        assert first.status_code == 302
        assert send(client, proof=payload, form_key="b" * 22).location == first.location

    def test_a_mistake_in_the_form_does_not_spend_the_proof(self, client: FlaskClient) -> None:
        payload = solved(challenge_of(client))
        assert send(client, proof=payload, consent="").status_code == 422
        assert send(client, proof=payload).status_code == 302

    def test_a_proof_lasts_eight_hours(self, client: FlaskClient, clock: Clock) -> None:
        early, late = solved(challenge_of(client)), solved(challenge_of(client))
        clock.forward(hours=7, minutes=59)
        assert send(client).status_code == 302
        assert send(client, proof=early).status_code == 302
        clock.forward(minutes=1)
        assert send(client, proof=late).status_code == 429

    def test_a_forged_proof_counts_as_none(self, client: FlaskClient) -> None:
        asked = challenge_of(client)
        later = str(int(NOON.timestamp()) + 10**8)
        salt = re.sub(r"expires=\d+", f"expires={later}", asked["salt"])
        for payload in (
            solved(asked, number=-1),
            solved(asked, signature="0" * 64),
            solved(asked, salt=salt),
            solved(asked, algorithm="SHA-1"),
            solved(asked, algorithm="MD5"),
            solved(asked, signature=asked["signature"].upper()),
        ):
            assert send(client, proof=payload).status_code == 429

    @pytest.mark.parametrize("expires", ["1e400", "nan", "-1e400", "1e20", "9" * 400, "", "x"])
    def test_an_impossible_end_is_refused_and_not_a_fault(
        self, client: FlaskClient, expires: str
    ) -> None:
        asked = challenge_of(client)
        payload = packed(
            {
                "algorithm": "SHA-256",
                "challenge": asked["challenge"],
                "number": 1,
                "salt": f"aa?expires={expires}&",
                "signature": asked["signature"],
            }
        )
        assert send(client, proof=payload).status_code == 429

    @pytest.mark.parametrize(
        "payload",
        [
            "x",
            "=" * 50,
            "好",
            packed([]),
            packed(None),
            packed({"algorithm": 1, "challenge": [], "number": {}, "salt": 5, "signature": None}),
            packed({}),
            "A" * 100_000,
        ],
    )
    def test_rubbish_counts_as_no_proof(self, client: FlaskClient, payload: str) -> None:
        assert send(client, proof=payload).status_code == 429

    def test_the_number_cannot_lend_digits_to_the_end(
        self, client: FlaskClient, settings: Settings
    ) -> None:
        asked = challenge_of(client)
        proven = json.loads(base64.b64decode(solved(asked)))
        digits = str(proven["number"])
        moved = proven | {"salt": asked["salt"].rstrip("&") + digits[0], "number": digits[1:]}
        secret = settings.secret_key
        assert not proof.accept(secret, packed(moved), now=NOON)
        assert not proof.accept(secret, packed(moved), now=NOON + dt.timedelta(hours=9))
        assert proof.accept(secret, packed(proven), now=NOON)


def test_used_proofs_are_forgotten_when_they_would_have_expired(
    client: FlaskClient, clock: Clock, version: Version, settings: Settings
) -> None:
    settings.proof_of_work_cost = 1000
    send(client, proof=solved(challenge_of(client)))
    clock.forward(hours=8)
    send(client, proof=solved(challenge_of(client)))
    assert db.session.scalar(sa.select(sa.func.count(proof.UsedProof.signature))) == 1


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_pages_own_script_finds_the_proof(
    client: FlaskClient, version: Version, settings: Settings
) -> None:
    settings.comments_per_hour = 1
    settings.proof_of_work_cost = 1000
    send(client)
    form = {"elements": {"proof": {}}, "dataset": {"proof": json.dumps(challenge_of(client))}}
    script = f"""
        const form = {json.dumps(form)};
        globalThis.window = globalThis;
        globalThis.document = {{ querySelector: () => form }};
        {(STATIC / "proof.js").read_text()}
        const wait = () => form.elements.proof.value
            ? console.log(form.elements.proof.value) : setTimeout(wait, 10);
        wait();
        setTimeout(() => process.exit(1), 20000).unref();
    """
    assert send(client, proof=node(script).strip()).status_code == 302


# --- who it was ----------------------------------------------------------------------------------


def test_a_contact_is_sealed_in_its_own_table_and_stands_nowhere_else(
    client: FlaskClient, version: Version, settings: Settings
) -> None:
    answer = send(client, contact="１３８ ００００-１２３４", name="王小明")
    kept = db.session.scalars(sa.select(Contact)).one()
    assert kept.submission_id == only().id
    assert kept.keep_until == dt.date(2021, 10, 20)
    # As a sender takes it, however it was typed.
    assert sealing.unseal(settings.contact_key, kept.sealed) == "13800001234"
    for table, rows in whole_database().items():
        for word in ("１３８", "138000", "王小明"):
            assert word not in rows, table
    pages = (answer.location, "/consultations/gangyao/opinions", "/consultations/gangyao/draft")
    screening.decide(only(), SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    for address in pages:
        page = client.get(address).text
        assert "１３８" not in page
        assert "王小明" not in page


def test_one_contact_is_one_person_and_none_is_nobody_known(
    client: FlaskClient, version: Version
) -> None:
    mail, mobile = ("a@example.com", "Ａ@Example.com "), ("13800001234", "+86 138-0000-1234")
    for contact in (*mail, *mobile, "b@example.com", ""):
        send(client, contact=contact)
    keys = [each.person_key for each in stored()]
    assert keys[0] == keys[1]
    assert keys[2] == keys[3]
    assert len({keys[0], keys[2], keys[4]}) == 3
    assert keys[5] is None


@pytest.mark.parametrize("typed", ["1380000123", "021-62470000", "a@b", "王小明"])
def test_a_contact_nothing_can_be_sent_to_is_said_so_at_once(
    client: FlaskClient, version: Version, typed: str
) -> None:
    answer = send(client, contact=typed)
    assert answer.status_code == 422
    assert "请填写完整的邮箱地址，或11位手机号。" in answer.text
    assert BODY in answer.text
    assert stored() == []


@pytest.mark.parametrize(
    ("ticked", "typed", "kept_address"),
    [("", "", None), ("y", "", "wang@example.cn"), ("y", "li@example.cn", "li@example.cn")],
)
def test_who_is_signed_in_is_told_at_that_address_only_when_they_ask(
    client: FlaskClient,
    version: Version,
    settings: Settings,
    ticked: str,
    typed: str,
    kept_address: str | None,
) -> None:
    assert "用我的登录地址通知我" not in client.get(ADDRESS).text
    # A box that was not offered does nothing.
    send(client, tell_me="y")
    people.sign_in(client, people.make("resident", email="wang@example.cn"))
    assert not re.search(r'id="tell_me"[^>]*checked', client.get(ADDRESS).text)
    assert "用我的登录地址通知我" in client.get(ADDRESS).text
    send(client, body=BODY + "再写一件。", tell_me=ticked, contact=typed)
    kept = [
        sealing.unseal(settings.contact_key, each.sealed)
        for each in db.session.scalars(sa.select(Contact))
    ]
    assert kept == ([kept_address] if kept_address else [])


def test_a_contact_added_when_sending_again_is_kept(client: FlaskClient, version: Version) -> None:
    send(client, form_key="a" * 22)
    send(client, form_key="a" * 22, contact="a@example.com")
    send(client, form_key="a" * 22, contact="b@example.com")
    only()
    assert db.session.scalar(sa.select(sa.func.count(Contact.submission_id))) == 1


@pytest.mark.parametrize(
    ("name", "agreed", "shown"),
    [
        ("王小明", "y", "王**"),
        ("王小明", "", "匿名"),
        ("", "y", "匿名"),
        ("\u200b\u3164", "y", "匿名"),
        ("<b>王", "y", "&lt;**"),
        ("\u202e王", "y", "王**"),
    ],
)
def test_a_name_is_shown_masked_and_only_with_consent(
    client: FlaskClient, version: Version, name: str, agreed: str, shown: str
) -> None:
    send(client, name=name, show_name=agreed)
    screening.decide(only(), SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    page = client.get("/consultations/gangyao/opinions").text
    assert f"第1件 · {shown} · 2020年10月20日（星期二） · 网站" in page
    assert "王小明" not in page


# --- looking it up -------------------------------------------------------------------------------


def look_up(client: FlaskClient, typed: str) -> TestResponse:
    return client.post("/receipts/", data={"number": typed})


def test_a_receipt_is_found_as_people_type_it(client: FlaskClient, version: Version) -> None:
    send(client)
    receipt = only().receipt
    for typed in (receipt.lower(), receipt.replace("-", ""), f" {receipt.replace('-', '－')} "):
        assert look_up(client, typed).location == f"/receipts/{receipt}"
    loose = receipt.lower().replace("-", "")
    assert client.get(f"/receipts/{loose}").location == f"/receipts/{receipt}"


@pytest.mark.parametrize("typed", ["201020-00000-00000", "没有", "1", "' OR 1=1 --", "９" * 16])
def test_a_number_nobody_has_is_said_so_and_stays_in_the_box(
    client: FlaskClient, typed: str
) -> None:
    answer = look_up(client, typed)
    assert answer.status_code == 422
    assert "没有找到这个编号" in answer.text
    assert typed in unescape(answer.text)
    assert client.get("/receipts/201020-00000-00000").status_code == 404


def test_numbers_cannot_be_guessed_without_end(client: FlaskClient) -> None:
    for _ in range(60):
        assert look_up(client, "201020-00000-00000").status_code == 422
    assert look_up(client, "201020-00000-00000").status_code == 429


def test_a_receipt_is_nobody_elses_and_kept_by_no_cache(
    client: FlaskClient, version: Version
) -> None:
    answer = client.get(send(client).location)
    assert answer.headers["Cache-Control"] == "no-store"
