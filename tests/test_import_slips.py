"""The receipts of an import: handed to whoever brought it in, for the authors, and on record."""

import io

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook

from consult import import_undoing
from consult.consultations import Consultation
from consult.intake import Intake
from core.config import of_site
from core.db import db
from tests import people
from tests.consultations_made import a_consultation, a_published_draft
from tests.imports_made import COLUMNS, upload
from tests.kept import events, stored

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation()
    a_published_draft(made)
    return made


@pytest.fixture
def officer(client: FlaskClient) -> FlaskClient:
    people.sign_in(client, people.make("drc_staff"))
    return client


def test_the_receipts_of_an_import_go_to_whoever_brought_it_in(
    officer: FlaskClient, client: FlaskClient, consultation: Consultation
) -> None:
    words = "编号,标题,内容\n=1+1,电梯,加装电梯\n2,,\n3,,请多种一些树\n"
    address = upload(officer, consultation, words).location
    done = officer.post(address, data=COLUMNS | {"act": "import"}, follow_redirects=True)
    assert "下载受理编号表" in done.text
    answer = officer.post(f"{address}/receipts")
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.get_data())).get_sheet_by_index(0)
    first, second = stored()
    site = of_site().site_url
    assert sheet.to_python()[1:] == [
        [2.0, "'=1+1", "电梯", first.receipt, f"{site}/receipts/{first.receipt}"],
        [4.0, "3", "请多种一些树", second.receipt, f"{site}/receipts/{second.receipt}"],
    ]
    (event,) = events("intake.receipts_taken")
    assert event.after == {"submissions": 2}
    assert first.receipt not in str(event.after)
    # With the number its author has the same rights as whoever wrote on the site.
    assert "撤回这件意见" in officer.get(f"/receipts/{first.receipt}").text

    people.sign_out(client)
    people.sign_in(client, people.make("drc_staff", email="other@example.invalid"))
    assert "下载受理编号表" not in client.get(address).text
    refused = client.post(f"{address}/receipts")
    assert (refused.status_code, len(events("intake.receipts_taken"))) == (409, 1)
    assert "只交给导入的人" in refused.text


def test_what_was_undone_has_no_receipt_to_hand_out(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation).location
    officer.post(address, data=COLUMNS | {"act": "import"})
    seen = import_undoing.outlook(db.session.scalars(sa.select(Intake)).one()).mark
    undone = {"reason": "选错了征集", "confirm": "y", "seen": seen}
    assert officer.post(f"{address}/undo", data=undone).status_code == 303
    assert "下载受理编号表" not in officer.get(address).text
    assert officer.post(f"{address}/receipts").status_code == 409
