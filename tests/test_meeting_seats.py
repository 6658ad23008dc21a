"""The seats for the public: applied for, waited for, given back, never given twice."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core import consents, sealing
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.outbox import Message
from panel import seats
from panel.meetings import Meeting
from tests import people
from tests.conftest import NOON, Clock
from tests.meetings_made import DAY, a_meeting, announced, asks, states
from tests.proofs_made import challenge_of, solved
from tests.threads import at_once


def test_first_come_first_seated_then_a_line_that_moves_up(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    where = [asks(client, 1, number)[1] for number in (1, 2, 3)]
    assert "已取得席位" in client.get(where[0]).text
    assert "前面还有1人候补" in client.get(where[2]).text
    # The same form again is the same application; the same person again is refused.
    assert asks(client, 1, 1)[1] == where[0]
    data = {"name": "王", "contact": "WANG1@example.cn", "consent": "y", "form_key": "q" * 20}
    assert client.post("/meetings/1/apply", data=data).status_code == 409
    with app.app_context():
        assert states(1) == ["seated", "waiting", "waiting"]
    place = where[0].partition("?")[0]
    assert client.post(f"{place}/withdraw", data={}).status_code == 422
    assert client.post(f"{place}/withdraw", data={"confirm": "y"}).status_code == 302
    assert client.post(f"{place}/withdraw", data={"confirm": "y"}).status_code == 409
    with app.app_context():
        assert states(1) == ["withdrawn", "seated", "waiting"]
        gone = seats.of(1)[0]
        assert (gone.sealed_name, gone.sealed_contact, gone.person_key) == (b"", b"", None)
        assert db.session.get_one(Meeting, 1).taken == 1
        subjects = list(db.session.scalars(sa.select(Message.subject)))
        assert subjects == ["您已取得会议席位：养老服务座谈会"]
    found = client.post("/meetings/seats", data={"number": place[-20:].lower()})
    assert found.status_code == 303


def test_name_and_contact_are_sealed_and_forgotten(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        announced(a_meeting())
    asks(client, 1)
    with app.app_context():
        seat = seats.of(1)[0]
        assert "王".encode() not in seat.sealed_name
        assert sealing.unseal(of_site().contact_key, seat.sealed_contact) == "wang1@example.cn"
        assert seat.consent in consents.EVERY
        over = db.session.get_one(Meeting, 1).ends_at
        assert seats.forget(over + 29 * DAY) == 0
        assert seats.forget(over + 31 * DAY) == 1
        assert seats.forget(over + 32 * DAY) == 0
        db.session.commit()
        db.session.expire_all()
        assert seats.of(1)[0].sealed_name == b""
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
    assert "王小明" not in client.get("/desk/meetings/1/attendance").text


def test_names_are_shown_on_the_list_only_when_asked_for_and_that_is_on_record(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        announced(a_meeting())
    asks(app.test_client(), 1)
    with app.app_context():
        people.sign_in(client, people.make("drc_staff"))
    assert "王小明" not in client.get("/desk/meetings/1/attendance").text
    assert "王小明" in client.post("/desk/meetings/1/names").text
    with app.app_context():
        acts = sa.select(sa.func.count()).where(AuditEvent.action == "seat_request.names_read")
        assert db.session.scalar(acts) == 1
    assert client.get("/desk/meetings/1/code.svg").mimetype == "image/svg+xml"


def test_outside_the_window_nobody_applies(app: Flask, client: FlaskClient, clock: Clock) -> None:
    with app.app_context():
        announced(a_meeting(apply_from=NOON + DAY))
    assert asks(client, 1)[0] == 409
    clock.forward(days=1)
    assert asks(client, 1)[0] == 302
    clock.at = NOON + 9 * DAY
    assert asks(client, 1, 2)[0] == 409


@pytest.mark.parametrize("contact", ["", "王小明", "1380013800", "a@b"])
def test_a_contact_that_cannot_be_reached_is_refused(
    app: Flask, client: FlaskClient, contact: str
) -> None:
    with app.app_context():
        announced(a_meeting())
    data = {"name": "王", "contact": contact, "consent": "y", "form_key": "q" * 20}
    assert client.post("/meetings/1/apply", data=data).status_code == 422


def test_the_last_seat_is_not_given_twice(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    answers = at_once(8, lambda n: asks(app.test_client(), 1, n + 1))
    assert {code for code, _where in answers} == {302}
    with app.app_context():
        assert sorted(states(1)) == ["seated"] + ["waiting"] * 7
        meeting = db.session.get_one(Meeting, 1)
        assert (meeting.taken, meeting.applications) == (1, 8)
        assert sorted(seat.number for seat in seats.of(1)) == list(range(1, 9))


def test_one_form_sent_eight_times_at_once_is_one_application(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=1))
    answers = at_once(8, lambda _n: asks(app.test_client(), 1))
    assert len({where for _code, where in answers}) == 1
    with app.app_context():
        assert states(1) == ["seated"]


def test_seats_given_back_at_once_are_each_filled_once(app: Flask) -> None:
    with app.app_context():
        announced(a_meeting(seats=2))
    where = [asks(app.test_client(), 1, n)[1].partition("?")[0] for n in range(1, 6)]
    at_once(
        2,
        lambda n: app.test_client().post(f"{where[n]}/withdraw", data={"confirm": "y"}).status_code,
    )
    with app.app_context():
        assert states(1) == ["withdrawn", "withdrawn", "seated", "seated", "waiting"]
        assert db.session.get_one(Meeting, 1).taken == 2


def test_the_database_itself_refuses_an_oversold_meeting(app: Flask) -> None:
    with app.app_context():
        meeting = announced(a_meeting(seats=1))
        meeting.taken = 2
        with pytest.raises(sa.exc.IntegrityError):
            db.session.flush()
        db.session.rollback()


def test_who_proves_work_may_apply_more_often(app: Flask, client: FlaskClient) -> None:
    app.config["SETTINGS"].proof_of_work_cost = 1000
    with app.app_context():
        announced(a_meeting(seats=100))
    for number in range(1, 11):
        assert asks(client, 1, number)[0] == 302
    code = client.post(
        "/meetings/1/apply",
        data={"name": "李", "contact": "li@example.cn", "consent": "y", "form_key": "z" * 20},
    )
    assert code.status_code == 429
    assert "li@example.cn" in code.text, "what was typed is still there"
    assert "Retry-After" in code.headers
    proof = solved(challenge_of(client, "/meetings/1/apply"))
    data = {"name": "李", "contact": "li@example.cn", "consent": "y", "form_key": "z" * 20}
    assert client.post("/meetings/1/apply", data=data | {"proof": proof}).status_code == 302
