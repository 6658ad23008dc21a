"""Senders: how a message leaves the house. E-mail by SMTP, or the console for trying things out.

What goes wrong falls into three kinds, because an outbox must never send anything twice:
`Busy` (nothing was handed over; try again), `Rejected` (it will never be taken), and `Unsure` (the
connection broke after the words were handed over: only a person may decide to send again).
"""

import smtplib
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from importlib import import_module
from typing import Protocol, cast

from core.addresses import is_mobile
from core.config import Settings

PATIENCE = 15.0


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address. `key` is the same whenever this message is tried again."""

    key: str
    to: str
    subject: str
    body: str


class Busy(Exception):
    """Nothing was handed over; it may work later."""


class Rejected(Exception):
    """The other side will never take this message."""


class Unsure(Exception):
    """The words were handed over, but nobody said whether they were taken."""


class Sender(Protocol):
    """Something that can deliver a letter."""

    def send(self, letter: Letter) -> None:
        """Deliver, or raise one of the three."""


class Console:
    """Prints the letter: for a machine without a mail server."""

    def send(self, letter: Letter) -> None:
        """Print it."""
        print(
            f"\n—— 发给 {letter.to}：{letter.subject}\n{letter.body}\n——",
            file=sys.stderr,
            flush=True,
        )


@dataclass(frozen=True, slots=True)
class Smtp:
    """Hands letters to a mail server. `security` is "none", "starttls" or "tls"."""

    host: str
    port: int
    sender: str
    security: str = "none"
    user: str = ""
    password: str = ""
    patience: float = PATIENCE

    def send(self, letter: Letter) -> None:
        """Deliver over a connection of its own."""
        message = self._message(letter)
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise Busy(_short(error)) from error
        try:
            self._envelope(server, letter.to)
            self._words(server, message.as_bytes(policy=message.policy.clone(linesep="\r\n")))
        finally:
            server.close()

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.sender
        message["To"] = letter.to
        message["Subject"] = letter.subject
        message["Date"] = formatdate()
        # The same whenever it is tried again, so that a mailbox can tell.
        message["Message-ID"] = f"<{letter.key}@{self.sender.rpartition('@')[2] or 'localhost'}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
        return message

    def _connected(self) -> smtplib.SMTP:
        if self.security == "tls":
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=self.patience, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=self.patience)
        try:
            if self.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, self.password)
            else:
                server.ehlo_or_helo_if_needed()
        except BaseException:
            server.close()
            raise
        return server

    def _envelope(self, server: smtplib.SMTP, to: str) -> None:
        try:
            answers = [server.mail(self.sender), server.rcpt(to)]
        except (OSError, smtplib.SMTPException) as error:
            raise Busy(_short(error)) from error
        for code, said in answers:
            _must_be_taken(code, said)

    def _words(self, server: smtplib.SMTP, words: bytes) -> None:
        try:
            code, said = server.data(words)
        except smtplib.SMTPDataError as error:
            # Refused before a word of it was sent.
            _must_be_taken(error.smtp_code, error.smtp_error)
            return
        except (OSError, smtplib.SMTPException) as error:
            raise Unsure(_short(error)) from error
        _must_be_taken(code, said)


def _must_be_taken(code: int, said: bytes | str) -> None:
    if 200 <= code < 300:
        return
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    raise (Busy if 400 <= code < 500 else Rejected)(f"{code} {words}"[:200])


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:200]


class Nowhere:
    """Takes nothing: this site has no way to reach such an address."""

    def send(self, letter: Letter) -> None:
        """Reject it."""
        kind = "text messages" if is_mobile(letter.to) else "mail"
        raise Rejected(f"no sender is set up for {kind}")


@dataclass(frozen=True, slots=True)
class ByKind:
    """E-mail one way, text messages another."""

    mail: Sender
    text: Sender

    def send(self, letter: Letter) -> None:
        """Deliver by what the address is."""
        (self.text if is_mobile(letter.to) else self.mail).send(letter)


def of(settings: Settings) -> Sender:
    """The sender the operator set up: `mail_sender` and `text_sender` are "console", "none",
    "smtp" (mail only), or "module:name" of a function that takes the settings and returns one."""
    return ByKind(_made(settings.mail_sender, settings), _made(settings.text_sender, settings))


def reaches(settings: Settings, address: str) -> bool:
    """Whether the operator set up a way to send anything to such an address."""
    return (settings.text_sender if is_mobile(address) else settings.mail_sender) != "none"


def _made(name: str, settings: Settings) -> Sender:
    if name == "console":
        return Console()
    if name == "none":
        return Nowhere()
    if name == "smtp":
        return Smtp(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            settings.smtp_security,
            settings.smtp_user,
            settings.smtp_password,
        )
    module, _colon, attribute = name.partition(":")
    make = cast(Callable[[Settings], Sender], getattr(import_module(module), attribute))
    return make(settings)
