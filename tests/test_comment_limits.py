"""How often one may comment, and the proof of work that lets more through."""

import base64
import datetime as dt
import json
import re

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consult.drafts import Version
from core import proof
from core.config import Settings
from core.db import db
from tests.comments_made import ADDRESS, BODY, send
from tests.conftest import NOON, Clock
from tests.kept import stored
from tests.proofs_made import challenge_of, packed, solved
from tests.static_files import STATIC, needs_node, node

pytestmark = pytest.mark.usefixtures("context")


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
            assert send(client, proof=solved(challenge_of(client, ADDRESS))).status_code == expected

    def test_a_proof_is_spent_once(self, client: FlaskClient) -> None:
        payload = solved(challenge_of(client, ADDRESS))
        assert send(client, proof=payload).status_code == 302
        assert send(client, proof=payload).status_code == 429

    def test_the_same_opinion_sent_twice_with_one_proof_gives_one_receipt(
        self, client: FlaskClient
    ) -> None:
        payload = solved(challenge_of(client, ADDRESS))
        first = send(client, proof=payload, form_key="b" * 22)
        assert first.status_code == 302
        assert send(client, proof=payload, form_key="b" * 22).location == first.location

    def test_a_mistake_in_the_form_does_not_spend_the_proof(self, client: FlaskClient) -> None:
        payload = solved(challenge_of(client, ADDRESS))
        assert send(client, proof=payload, consent="").status_code == 422
        assert send(client, proof=payload).status_code == 302

    def test_a_proof_lasts_eight_hours(self, client: FlaskClient, clock: Clock) -> None:
        early, late = solved(challenge_of(client, ADDRESS)), solved(challenge_of(client, ADDRESS))
        clock.forward(hours=7, minutes=59)
        assert send(client).status_code == 302
        assert send(client, proof=early).status_code == 302
        clock.forward(minutes=1)
        assert send(client, proof=late).status_code == 429

    def test_a_forged_proof_counts_as_none(self, client: FlaskClient) -> None:
        asked = challenge_of(client, ADDRESS)
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
        asked = challenge_of(client, ADDRESS)
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
        asked = challenge_of(client, ADDRESS)
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
    send(client, proof=solved(challenge_of(client, ADDRESS)))
    clock.forward(hours=8)
    send(client, proof=solved(challenge_of(client, ADDRESS)))
    assert db.session.scalar(sa.select(sa.func.count(proof.UsedProof.signature))) == 1


@needs_node
def test_the_pages_own_script_finds_the_proof(
    client: FlaskClient, version: Version, settings: Settings
) -> None:
    settings.comments_per_hour = 1
    settings.proof_of_work_cost = 1000
    send(client)
    form = {
        "elements": {"proof": {}},
        "dataset": {"proof": json.dumps(challenge_of(client, ADDRESS))},
    }
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
