"""The outbox: messages that are to leave the house once, and what became of them.

A message is put here in the transaction of the act it tells of, so that neither is without the
other. It is sent afterwards, and never twice: it is marked as being sent, on disk, before the
first byte leaves. What was marked and never heard of again is not sent a second time but shown to
the staff as unsure. The address is sealed; it and the words are removed as soon as the message is
through.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit, sealing
from core.config import Settings
from core.db import Base, choice, db, insert_into
from core.errors import Refused
from core.senders import Busy, Letter, Rejected, Sender, Unsure

audit.ACTIONS.update(
    {"message.retried": _l("重新发送通知"), "message.given_up": _l("不再发送通知")}
)
audit.KINDS.update({"message": _l("通知")})

# How long to wait after the first, second, … try that came to nothing; then it has failed.
WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))
# A try that takes longer has died with its process.
LONGEST_TRY = dt.timedelta(minutes=10)
AT_ONCE = 50


class MessageState(Enum):
    """Where a message stands."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNSURE = "unsure"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[MessageState, str] = {
            MessageState.WAITING: _("待发"),
            MessageState.SENDING: _("正在发送"),
            MessageState.SENT: _("已发出"),
            MessageState.FAILED: _("没有发出"),
            MessageState.UNSURE: _("不能确定"),
        }
        return titles[self]


audit.VALUES.setdefault("state", {}).update(
    {"waiting": _l("待发"), "failed": _l("没有发出"), "unsure": _l("不能确定")}
)
# What somebody has to look at.
STUCK = (MessageState.FAILED, MessageState.UNSURE)


class Message(Base):
    """One message to one person."""

    __tablename__ = "message"
    __table_args__ = (sa.Index(None, "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    # What the message is about; putting in a second one under the same key does nothing.
    once_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # Address and words are emptied as soon as nothing has to be sent any more.
    sealed_address: Mapped[bytes]
    subject: Mapped[str] = mapped_column(sa.String(200))
    body: Mapped[str] = mapped_column(sa.Text)
    state: Mapped[MessageState] = mapped_column(choice(MessageState), default=MessageState.WAITING)
    tries: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    tried_at: Mapped[dt.datetime | None]
    trouble: Mapped[str] = mapped_column(sa.String(200), default="")


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be put in. `about` tells it from every other: "answered:17:ab12"."""

    about: str
    sealed_address: bytes
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Post:
    """What letters need of the site: its address, without a slash, and the keys by which it seals
    the addresses of people."""

    site: str
    contact_key: str

    @classmethod
    def of(cls, settings: Settings) -> "Post":
        """As the site is set up."""
        return cls(settings.site_url, settings.contact_key)

    def sealed(self, address: str) -> bytes:
        """An address as a message keeps it."""
        return sealing.seal(self.contact_key, address)


def put(drafts: Iterable[Draft], *, now: dt.datetime) -> None:
    """Put messages in, each once whatever happens."""
    rows = [
        {
            "once_key": hashlib.sha256(draft.about.encode()).hexdigest(),
            "sealed_address": draft.sealed_address,
            "subject": draft.subject[:200],
            "body": draft.body,
            "state": MessageState.WAITING,
            "tries": 0,
            "created_at": now,
            "due_at": now,
            "trouble": "",
        }
        for draft in drafts
    ]
    if rows:
        db.session.execute(insert_into(Message).on_conflict_do_nothing(), rows)


# --- sending -----------------------------------------------------------------------------------


def deliver(sender: Sender, *, contact_key: str, now: dt.datetime, limit: int = AT_ONCE) -> int:
    """Send what is due, at most `limit`; how many were tried.

    Commits for itself, before and after every message: between the two nothing is held, however
    long the mail server takes.
    """
    _give_up_lost(now)
    tried = 0
    while tried < limit:
        message = _claim(now)
        if message is None:
            break
        tried += 1
        outcome = _try(sender, message, contact_key, now)
        db.session.execute(sa.update(Message).where(Message.id == message.id).values(outcome))
        db.session.commit()
    return tried


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message this process has taken upon itself."""

    id: int
    key: str
    sealed_address: bytes
    subject: str
    body: str
    tries: int


def _give_up_lost(now: dt.datetime) -> None:
    """What was being sent when its process died may have arrived: nobody knows."""
    lost = sa.update(Message).where(
        Message.state == MessageState.SENDING, Message.tried_at < now - LONGEST_TRY
    )
    db.session.execute(lost.values(state=MessageState.UNSURE, trouble="interrupted"))
    db.session.commit()


def hold_all() -> int:
    """Whatever has not gone yet waits for a decision: in a restored copy nobody knows what went
    after the copy was made. How many there are."""
    open_states = (MessageState.WAITING, MessageState.SENDING)
    held = sa.update(Message).where(Message.state.in_(open_states))
    found = db.session.execute(
        held.values(state=MessageState.UNSURE, trouble="restored").returning(Message.id),
        execution_options={"synchronize_session": False},
    )
    return len(found.all())


def _claim(now: dt.datetime) -> Claimed | None:
    due = (
        sa.select(Message.id)
        .where(Message.state == MessageState.WAITING, Message.due_at <= now)
        .order_by(Message.due_at, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    claimed = (
        sa.update(Message)
        .where(Message.id == due, Message.state == MessageState.WAITING)
        .values(state=MessageState.SENDING, tries=Message.tries + 1, tried_at=now)
        .returning(
            Message.id,
            Message.once_key,
            Message.sealed_address,
            Message.subject,
            Message.body,
            Message.tries,
        )
    )
    options = {"synchronize_session": False}
    found = db.session.execute(claimed, execution_options=options).first()
    db.session.commit()
    return Claimed(*found) if found else None


def _try(
    sender: Sender,
    message: Claimed,
    contact_key: str,
    now: dt.datetime,
) -> Mapping[str, object]:
    """What the row says after a try."""
    try:
        to = sealing.unseal(contact_key, message.sealed_address)
        sender.send(Letter(message.key[:32], to, message.subject, message.body))
    except Unsure as trouble:
        return {"state": MessageState.UNSURE, "trouble": str(trouble)[:200]}
    except Busy as trouble:
        if message.tries > len(WAITS):
            return {"state": MessageState.FAILED, "trouble": str(trouble)[:200]}
        due = now + WAITS[message.tries - 1]
        return {"state": MessageState.WAITING, "due_at": due, "trouble": str(trouble)[:200]}
    except Rejected as trouble:
        return {"state": MessageState.FAILED, "trouble": str(trouble)[:200]}
    except sealing.Unreadable:
        return {"state": MessageState.FAILED, "trouble": "the sealed address cannot be read"}
    except Exception as trouble:
        # Somebody's own sender: nobody knows how far it came.
        return {"state": MessageState.UNSURE, "trouble": type(trouble).__name__}
    return {"state": MessageState.SENT, "sealed_address": b"", "body": "", "trouble": ""}


# --- looking and deciding ------------------------------------------------------------------------


def by_id(message_id: int) -> Message | None:
    """The message with this number."""
    return db.session.get(Message, message_id)


def counts() -> dict[MessageState, int]:
    """How many messages are in each state."""
    query = sa.select(Message.state, sa.func.count()).group_by(Message.state)
    found = {row[0]: row[1] for row in db.session.execute(query)}
    return {state: found.get(state, 0) for state in MessageState}


def stuck() -> int:
    """How many messages somebody has to look at."""
    query = sa.select(sa.func.count()).where(Message.state.in_(STUCK))
    return db.session.scalar(query) or 0


def page(state: MessageState, *, before: int | None = None, limit: int = 50) -> Sequence[Message]:
    """The newest messages in this state, those before id `before`."""
    query = sa.select(Message).where(Message.state == state)
    if before is not None:
        query = query.where(Message.id < before)
    return db.session.scalars(query.order_by(Message.id.desc()).limit(limit)).all()


def retry(message: Message, *, by: audit.Actor, now: dt.datetime) -> None:
    """Send a message that got stuck once more, from the first try on."""
    _decide(message, "message.retried", MessageState.WAITING, by, now)
    message.tries, message.due_at = 0, now


def give_up(message: Message, *, by: audit.Actor, now: dt.datetime) -> None:
    """Leave a message that got stuck; address and words go."""
    _decide(message, "message.given_up", MessageState.FAILED, by, now)
    message.sealed_address, message.body = b"", ""


def _decide(
    message: Message, action: str, state: MessageState, by: audit.Actor, now: dt.datetime
) -> None:
    db.session.refresh(message, with_for_update=True)
    if message.state not in STUCK or not message.sealed_address:
        raise Refused(_("这条通知已经处理过了。"))
    audit.record(
        action,
        message,
        by=by,
        now=now,
        name=message.subject,
        before={"state": message.state.value},
        after={"state": state.value},
    )
    message.state = state
