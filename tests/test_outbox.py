"""The outbox against a real mail server on this machine: once, retried, and never twice."""

# ruff: noqa: ARG002 -- the mail server and the sender say which arguments there are.
import datetime as dt
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from flask import Flask
from flask.testing import FlaskClient

from consult import answering, screening_queue, submissions
from consult.consultations import Phase
from consult.submissions import Contact, SubmissionState
from core import addresses, audit, housekeeping, outbox, sealing, senders
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Draft, Message, MessageState
from core.senders import Letter, Smtp
from tests.answers_made import all_final
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.live import free_port
from tests.mail_server import listening
from tests.opinions_made import an_opinion
from tests.threads import at_once

pytestmark = pytest.mark.usefixtures("context")

MINUTE = dt.timedelta(minutes=1)


class Mailbox:
    """A mail server that does as it is told: each command answers by the next of its replies."""

    def __init__(self) -> None:
        self.letters: list[Envelope] = []
        self.recipient_replies: list[str] = []
        self.data_replies: list[str] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.recipient_replies.pop(0) if self.recipient_replies else "250 OK"
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        reply = self.data_replies.pop(0) if self.data_replies else "250 OK"
        if reply == "hang up":
            # The words have come; the line breaks before anybody says so.
            self.letters.append(envelope)
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        if reply.startswith("250"):
            self.letters.append(envelope)
        return reply


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    controller = listening(mailbox)
    yield controller
    controller.stop()


@pytest.fixture
def smtp(server: Controller) -> Smtp:
    return Smtp("127.0.0.1", server.port, "wenji@consult.example", patience=30)


def put(*addresses: str, at: dt.datetime = NOON) -> None:
    key = of_site().contact_key
    outbox.put(
        (
            Draft(f"about {to}", sealing.seal(key, to), "您的意见有了答复", "您好！\n请看网站。")
            for to in addresses
        ),
        now=at,
    )
    db.session.commit()


def deliver(sender: senders.Sender, at: dt.datetime = NOON) -> int:
    return outbox.deliver(sender, contact_key=of_site().contact_key, now=at)


def the_message() -> Message:
    return db.session.scalars(sa.select(Message).execution_options(populate_existing=True)).one()


def test_a_letter_arrives_as_it_was_written(smtp: Smtp, mailbox: Mailbox) -> None:
    put("wang@example.cn")
    assert deliver(smtp) == 1
    (envelope,) = mailbox.letters
    assert envelope.rcpt_tos == ["wang@example.cn"]
    assert envelope.mail_from == "wenji@consult.example"
    assert isinstance(envelope.content, bytes)
    letter: Any = message_from_bytes(envelope.content, policy=policy.default)
    assert letter["Subject"] == "您的意见有了答复"
    assert letter.get_content().replace("\r\n", "\n") == "您好！\n请看网站。\n"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert the_message().state is MessageState.SENT
    assert the_message().sealed_address == b"", "the address goes with the message"
    assert the_message().body == ""
    assert deliver(smtp, NOON + dt.timedelta(days=30)) == 0


def test_the_same_message_is_put_in_once(smtp: Smtp, mailbox: Mailbox) -> None:
    put("wang@example.cn")
    put("wang@example.cn")
    deliver(smtp)
    put("wang@example.cn")
    deliver(smtp)
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
def test_a_busy_server_is_tried_again_later(smtp: Smtp, mailbox: Mailbox, where: str) -> None:
    getattr(mailbox, where).append("451 try again later")
    put("wang@example.cn")
    deliver(smtp)
    assert the_message().state is MessageState.WAITING
    assert the_message().trouble.startswith("451")
    assert deliver(smtp, NOON + MINUTE / 2) == 0, "not before a minute has passed"
    assert deliver(smtp, NOON + MINUTE) == 1
    assert the_message().state is MessageState.SENT
    assert len(mailbox.letters) == 1


@pytest.mark.parametrize("where", ["recipient_replies", "data_replies"])
def test_what_is_refused_for_good_is_not_tried_again(
    smtp: Smtp, mailbox: Mailbox, where: str
) -> None:
    getattr(mailbox, where).append("550 no such mailbox")
    put("nobody@example.cn")
    deliver(smtp)
    assert the_message().state is MessageState.FAILED
    assert the_message().trouble.startswith("550")
    assert deliver(smtp, NOON + dt.timedelta(days=9)) == 0


def test_a_line_that_breaks_after_the_words_is_not_tried_again(
    smtp: Smtp, mailbox: Mailbox
) -> None:
    mailbox.data_replies.append("hang up")
    put("wang@example.cn")
    deliver(smtp)
    assert the_message().state is MessageState.UNSURE
    assert deliver(smtp, NOON + dt.timedelta(days=9)) == 0
    assert len(mailbox.letters) == 1


def test_a_server_that_is_away_is_tried_six_times() -> None:
    nobody = Smtp("127.0.0.1", free_port(), "wenji@consult.example", patience=1)
    put("wang@example.cn")
    at, tries = NOON, 0
    while the_message().state is MessageState.WAITING:
        tries += deliver(nobody, at)
        at = max(at, the_message().due_at)
    assert tries == 6
    assert the_message().state is MessageState.FAILED
    # 1 + 5 + 30 + 120 + 720 minutes.
    assert at == NOON + 876 * MINUTE


def test_what_was_being_sent_when_the_process_died_is_not_sent_again(
    smtp: Smtp, mailbox: Mailbox
) -> None:
    class Died(BaseException):
        pass

    class Dying:
        def send(self, letter: Letter) -> None:
            raise Died

    put("wang@example.cn")
    with pytest.raises(Died):
        deliver(Dying())
    db.session.rollback()
    assert the_message().state is MessageState.SENDING
    assert deliver(smtp, NOON + 9 * MINUTE) == 0
    assert the_message().state is MessageState.SENDING, "it may still be on its way"
    assert deliver(smtp, NOON + 11 * MINUTE) == 0
    assert the_message().state is MessageState.UNSURE
    assert not mailbox.letters


def test_several_at_once_send_each_letter_once(app: Flask, smtp: Smtp, mailbox: Mailbox) -> None:
    put(*(f"person{number}@example.cn" for number in range(20)))

    def work(_number: int) -> int:
        with app.app_context():
            return deliver(smtp)

    assert sum(at_once(4, work)) == 20
    assert sorted(to for each in mailbox.letters for to in each.rcpt_tos) == sorted(
        f"person{number}@example.cn" for number in range(20)
    )


def test_a_key_that_is_lost_is_a_failure_somebody_sees(smtp: Smtp) -> None:
    outbox.put([Draft("about", b"not sealed here", "subject", "body")], now=NOON)
    db.session.commit()
    deliver(smtp)
    assert the_message().state is MessageState.FAILED


def test_a_senders_own_fault_is_unsure() -> None:
    class Broken:
        def send(self, letter: Letter) -> None:
            raise KeyError("a fault of somebody's own sender")

    put("wang@example.cn")
    deliver(Broken())
    assert the_message().state is MessageState.UNSURE


def test_mail_and_text_messages_go_different_ways() -> None:
    gone: list[tuple[str, str]] = []

    class To:
        def __init__(self, name: str) -> None:
            self.name = name

        def send(self, letter: Letter) -> None:
            gone.append((self.name, letter.to))

    put("wang@example.cn", "13800000000")
    deliver(senders.ByKind(To("mail"), To("text")))
    assert sorted(gone) == [("mail", "wang@example.cn"), ("text", "13800000000")]


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        (" +86 138-0000-0000 ", "13800000000"),
        ("１３８００００００００", "13800000000"),
        ("Wang@Example.CN", "wang@example.cn"),
        ("021-62470000", "021-62470000"),
    ],
)
def test_addresses_are_folded(typed: str, folded: str) -> None:
    assert addresses.fold(typed) == folded
    assert addresses.can_be_reached(typed) is (
        "0000-0000" in typed or "@" in typed or "０" in typed
    )


# --- the desk ---------------------------------------------------------------------------------


def test_a_failure_is_seen_and_decided_by_staff(
    officer: FlaskClient, smtp: Smtp, mailbox: Mailbox
) -> None:
    mailbox.recipient_replies.append("550 no such mailbox")
    put("wang@example.cn")
    deliver(smtp)
    assert "通知没有发出" in officer.get("/desk/").get_data(as_text=True)
    page = officer.get("/desk/messages").get_data(as_text=True)
    assert "550 no such mailbox" in page
    assert "w***@example.cn" in page
    assert "wang@example.cn" not in page
    number = the_message().id
    assert officer.post(f"/desk/messages/{number}", data={"act": "burn"}).status_code == 302
    assert the_message().state is MessageState.FAILED
    officer.post(f"/desk/messages/{number}", data={"act": "retry"})
    deliver(smtp)
    assert the_message().state is MessageState.SENT
    assert len(mailbox.letters) == 1
    with pytest.raises(Refused):
        outbox.retry(the_message(), by=audit.SYSTEM, now=NOON)


def test_what_is_given_up_keeps_no_address(
    officer: FlaskClient, smtp: Smtp, mailbox: Mailbox
) -> None:
    mailbox.data_replies.append("hang up")
    put("wang@example.cn")
    deliver(smtp)
    officer.post(f"/desk/messages/{the_message().id}", data={"act": "give_up"})
    assert the_message().sealed_address == b""
    assert outbox.stuck() == 1, "it stays in the figures of what did not arrive"
    assert "再发一次" not in officer.get("/desk/messages").get_data(as_text=True)


# --- when a round is answered ----------------------------------------------------------------


def _opinion(consultation: Any, number: int, to: str | None, person: str | None) -> str:
    received = an_opinion(
        consultation,
        f"第{number}件意见，希望增加口袋公园。",
        state=SubmissionState.SHOWN,
        person_key=person,
    )
    if to:
        sealed = sealing.seal(of_site().contact_key, to)
        submissions.keep_contact(received.id, sealed, days=365, now=NOON)
    return received.receipt


def test_every_author_who_left_an_address_is_told_once(smtp: Smtp, mailbox: Mailbox) -> None:
    consultation = a_consultation(phase=Phase.CLOSED)
    a_published_draft(consultation)
    receipts = [
        _opinion(consultation, 1, "wang@example.cn", "wang"),
        _opinion(consultation, 2, "wang@example.cn", "wang"),
        _opinion(consultation, 3, "li@example.cn", "li"),
        _opinion(consultation, 4, None, None),
    ]
    all_final(consultation)
    db.session.commit()
    answering.answer(
        consultation,
        feedback="采纳12件。",
        site="https://consult.example",
        by=audit.SYSTEM,
        now=NOON,
    )
    assert screening_queue.pending_count(consultation.id) == 0
    db.session.commit()
    deliver(smtp)
    bodies = {}
    for envelope in mailbox.letters:
        assert isinstance(envelope.content, bytes)
        letter: Any = message_from_bytes(envelope.content, policy=policy.default)
        bodies[envelope.rcpt_tos[0]] = letter.get_content()
    assert set(bodies) == {"wang@example.cn", "li@example.cn"}
    assert len(mailbox.letters) == 2
    for receipt in receipts[:2]:
        assert f"https://consult.example/receipts/{receipt}" in bodies["wang@example.cn"]
    assert receipts[2] in bodies["li@example.cn"]
    assert receipts[0] not in bodies["li@example.cn"]
    assert "https://consult.example/consultations/gangyao/" in bodies["li@example.cn"]


def test_a_refused_answer_tells_nobody() -> None:
    consultation = a_consultation(phase=Phase.OPEN)
    _opinion(consultation, 1, "wang@example.cn", None)
    db.session.commit()
    with pytest.raises(Refused):
        answering.answer(
            consultation, feedback="采纳。", site="https://x.example", by=audit.SYSTEM, now=NOON
        )
    db.session.rollback()
    assert outbox.counts()[MessageState.WAITING] == 0


def test_housekeeping_sends_and_ends_contacts(
    app: Flask, clock: Clock, smtp: Smtp, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Callable[[object], senders.Sender] = lambda _settings: smtp  # noqa: E731
    monkeypatch.setattr(senders, "of", made)
    consultation = a_consultation()
    _opinion(consultation, 1, "wang@example.cn", None)
    put("li@example.cn")
    app.test_cli_runner().invoke(args=["housekeeping"])
    assert len(mailbox.letters) == 1
    assert db.session.scalar(sa.select(sa.func.count(Contact.submission_id))) == 1
    clock.forward(days=366)
    db.session.rollback()
    housekeeping.run_all()
    assert db.session.scalar(sa.select(sa.func.count(Contact.submission_id))) == 0
