"""A pasted e-mail → who wrote, when, about what, and the words. Text in, plain values out.

What is pasted is the whole source (原始邮件), the head that mail programs put above a copied text
(发件人、发送时间、主题), or only the words. Nothing is fetched, no attachment is opened.
"""

from __future__ import annotations

import datetime as dt
import email
import re
from dataclasses import dataclass
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from html.parser import HTMLParser

from consult.readers import hygiene

_SOURCE = re.compile(r"[A-Za-z][A-Za-z0-9-]*:[ \t]?\S")
_COPIED = re.compile(
    r"(发件人|发送时间|日期|时间|收件人|抄送|主题|From|Date|Sent|To|Cc|Subject)\s*[:：]\s*(.*)"
)
_MEANS = {
    "发件人": "from", "from": "from",
    "发送时间": "date", "日期": "date", "时间": "date", "date": "date", "sent": "date",
    "主题": "subject", "subject": "subject",
}  # fmt: skip
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
_ENCODED = ("base64", "quoted-printable")


@dataclass(frozen=True, slots=True)
class Mail:
    """What an e-mail says; what it does not say is empty."""

    body: str
    subject: str = ""
    name: str = ""
    address: str = ""
    # With its zone when the source tells it; a bare day otherwise.
    sent: dt.datetime | dt.date | None = None


def read(pasted: str) -> Mail:
    """The e-mail in `pasted`. What cannot be understood is words: nothing that was pasted is lost
    for being odd."""
    text = pasted.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n \ufeff")
    try:
        return _source(text) or _copied(text) or Mail(hygiene.clean(text).strip())
    except Exception:  # a stranger's mail must never become a server error
        return Mail(hygiene.clean(text).strip())


def _source(text: str) -> Mail | None:
    """The e-mail whose source this is; None when it is none."""
    if not _SOURCE.match(text):
        return None
    message = email.message_from_bytes(text.encode("utf-8", "replace"))
    heads = {name.lower(): _head(value) for name, value in reversed(list(message.raw_items()))}
    if "from" not in heads or not {"subject", "date", "message-id"} & set(heads):
        return None
    name, address = parseaddr(heads["from"])
    return Mail(
        body=_words(message),
        subject=hygiene.one_line(heads.get("subject", "")),
        name=hygiene.one_line(name),
        address=hygiene.one_line(address),
        sent=_moment(heads.get("date", "")),
    )


def _head(raw: object) -> str:
    """A header in words: what was pasted as characters, and what was encoded for the way."""
    plain = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        return str(make_header(decode_header(plain)))
    except (LookupError, ValueError):
        return plain


def _moment(head: str) -> dt.datetime | dt.date | None:
    try:
        return parsedate_to_datetime(head)
    except (ValueError, TypeError):
        return _day(head)


def _day(text: str) -> dt.date | None:
    match = _DAY.search(text)
    try:
        return dt.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _words(message: Message) -> str:
    """The plain text of a message, or what its HTML reads like."""
    parts = [
        part
        for part in message.walk()
        if not part.is_multipart() and part.get_content_disposition() != "attachment"
    ]
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind:
                text = _decoded(part)
                read = _plain(text) if kind == "text/html" else text
                return hygiene.clean(read).strip()
    return ""


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    data = raw if isinstance(raw, bytes) else b""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() not in _ENCODED:
        # It was pasted as characters: whatever charset it names was left behind on the way.
        return data.decode("utf-8", "replace")
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("utf-8", "replace")


class _Reading(HTMLParser):
    """Collects what an HTML text says, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self._hidden += tag in ("script", "style", "title")
        if tag in ("br", "p", "div", "tr", "li"):
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("script", "style", "title") and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.said.append(" ".join(data.split()))


def _plain(html: str) -> str:
    reading = _Reading()
    reading.feed(html)
    reading.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reading.said))


def _copied(text: str) -> Mail | None:
    """A text under the head that mail programs copy along; None when there is none."""
    lines = text.split("\n")
    said: dict[str, str] = {}
    height = 0
    for line in lines:
        match = _COPIED.match(line.strip())
        if match is None:
            break
        height += 1
        if meaning := _MEANS.get(match.group(1).lower()):
            said.setdefault(meaning, match.group(2))
    if len(said) < 2:
        return None
    name, address = parseaddr(said.get("from", ""))
    return Mail(
        body=hygiene.clean("\n".join(lines[height:])).strip(),
        subject=hygiene.one_line(said.get("subject", "")),
        name=hygiene.one_line(name),
        address=hygiene.one_line(address),
        sent=_day(said.get("date", "")),
    )
