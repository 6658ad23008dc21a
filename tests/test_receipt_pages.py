"""Looking up a receipt: as people type it, not by guessing, and kept by no cache."""

from html import unescape

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult.drafts import Version
from tests.comments_made import only, send

pytestmark = pytest.mark.usefixtures("context")


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
