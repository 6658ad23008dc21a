"""Submissions (意见件): what one person sent, by whatever channel, and its receipt.

A submission's `title` and `body` are the words that may be read: as they were received, unless
something was masked or added (`originals` then keeps what was received). It belongs to the version,
and to the paragraph when it was made on one; `place` 0 stands for the whole draft. Counting is done
here, in the transaction that changes what is counted, so that no page has to count again.
"""

import datetime as dt
import hashlib
import hmac
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Protocol

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from consult import fingerprints, point_rows, screening_figures
from consult.consultations import Consultation
from consult.readers import hygiene
from consult.stances import Stance as Stance
from core import audit, receipts
from core.db import Base, Prepared, choice, db, insert_into, run

audit.ACTIONS.update({"submission.received": _l("收到意见")})
audit.KINDS.update({"submission": _l("意见件")})
audit.FIELDS.update({"channel": _l("渠道")})

LONGEST = 2000
SHORTEST = 10
WHOLE = 0
# Nothing is taken to have been received before this day.
EARLIEST = dt.date(1990, 1, 1)


class Channel(Enum):
    """How an opinion reached us."""

    WEB = "web"
    WECHAT = "wechat"
    LETTER = "letter"
    EMAIL = "email"
    HOTLINE = "hotline"
    COUNTER = "counter"
    MEETING = "meeting"
    SURVEY = "survey"
    UNIT = "unit"
    PANEL = "panel"
    OTHER = "other"

    @property
    def title(self) -> str:
        """The channel in the words of the page."""
        titles: dict[Channel, str] = {
            Channel.WEB: _("网站"),
            Channel.WECHAT: _("微信"),
            Channel.LETTER: _("来信"),
            Channel.EMAIL: _("电子邮件"),
            Channel.HOTLINE: _("热线电话"),
            Channel.COUNTER: _("窗口"),
            Channel.MEETING: _("会议"),
            Channel.SURVEY: _("问卷"),
            Channel.UNIT: _("部门街镇"),
            Channel.PANEL: _("公众咨询团"),
            Channel.OTHER: _("其他"),
        }
        return titles[self]


class SubmissionState(Enum):
    """Where a submission stands in screening (先审后发)."""

    PENDING = "pending"
    SHOWN = "shown"
    HIDDEN = "hidden"
    REFERRED = "referred"
    ASKED = "asked"
    WITHDRAWN = "withdrawn"
    # Brought in by mistake and taken out again: shown nowhere and counted nowhere.
    UNDONE = "undone"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[SubmissionState, str] = {
            SubmissionState.PENDING: _("待审核"),
            SubmissionState.SHOWN: _("已展示"),
            SubmissionState.HIDDEN: _("不展示"),
            SubmissionState.REFERRED: _("已作办理指引"),
            SubmissionState.ASKED: _("请作者补充"),
            SubmissionState.WITHDRAWN: _("作者已撤回"),
            SubmissionState.UNDONE: _("导入已撤销"),
        }
        return titles[self]


audit.VALUES.setdefault("state", {}).update(
    {
        "pending": _l("待审核"),
        "shown": _l("已展示"),
        "hidden": _l("不展示"),
        "referred": _l("已作办理指引"),
        "asked": _l("请作者补充"),
        "withdrawn": _l("作者已撤回"),
        "undone": _l("导入已撤销"),
    }
)


# Nobody reads or answers these any more.
GONE = (SubmissionState.WITHDRAWN, SubmissionState.UNDONE)


class Submission(Base):
    """What one person sent, once."""

    __tablename__ = "submission"
    __table_args__ = (
        sa.UniqueConstraint("consultation_id", "once_key"),
        sa.UniqueConstraint("consultation_id", "number"),
        sa.Index(None, "consultation_id", "state", "id"),
        sa.Index(None, "consultation_id", "place", "state", "id"),
        sa.Index(None, "consultation_id", "fingerprint"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    # Running number within the consultation, cited in summaries: 第12件. Never given twice.
    number: Mapped[int]
    receipt: Mapped[str] = mapped_column(sa.String(24), unique=True)
    once_key: Mapped[str] = mapped_column(sa.String(64))
    version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("version.id"))
    # A paragraph's id, or WHOLE. Not a foreign key, because WHOLE is nobody's id; NULL would
    # not take part in the unique keys of the tallies.
    place: Mapped[int] = mapped_column(default=WHOLE)
    title: Mapped[str] = mapped_column(sa.String(200), default="")
    # The form set the title (a section's name, a question): it is read with the words and counts
    # as none of the author's.
    title_by_form: Mapped[bool] = mapped_column(server_default=sa.false())
    body: Mapped[str] = mapped_column(sa.Text)
    fingerprint: Mapped[str] = mapped_column(sa.String(32))
    stance: Mapped[Stance | None] = mapped_column(choice(Stance))
    channel: Mapped[Channel] = mapped_column(choice(Channel))
    received_at: Mapped[dt.datetime]
    # The day it reached the office: for letters and calls earlier than `received_at`.
    received_on: Mapped[dt.date]
    external_id: Mapped[str] = mapped_column(sa.String(100), default="")
    intake_id: Mapped[int | None] = mapped_column(index=True)
    state: Mapped[SubmissionState] = mapped_column(choice(SubmissionState))
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    # The name to print, masked, and only when its author agreed to that; else empty.
    public_name: Mapped[str] = mapped_column(sa.String(40), default="")
    # Equal for submissions known to come from one person; NULL counts as a person of its own.
    person_key: Mapped[str | None] = mapped_column(sa.String(32))
    consent: Mapped[str] = mapped_column(sa.String(20), default="")
    # How many support it while it is shown (`supports`): kept, never counted by a page.
    supports: Mapped[int] = mapped_column(server_default=sa.text("0"))

    @hybrid_property
    def own_title(self) -> str:
        """The title as far as it is the author's words: what the analysis reads."""
        return "" if self.title_by_form else self.title

    @own_title.inplace.expression
    @classmethod
    def _own_title(cls) -> sa.ColumnElement[str]:
        return sa.case((cls.title_by_form, ""), else_=cls.title)


class Contact(Base):
    """How to reach an author who wants to be told: sealed, apart from the words, and for a time."""

    __tablename__ = "contact"

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    sealed: Mapped[bytes]
    keep_until: Mapped[dt.date] = mapped_column(index=True)
    # The version of the consent its owner agreed to; "" where nobody knows.
    consent: Mapped[str] = mapped_column(sa.String(20), default="", server_default=sa.text("''"))


class Tally(Base):
    """How many opinions stand on one place of a draft: kept, never counted by a page."""

    __tablename__ = "tally"

    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    received: Mapped[int] = mapped_column(default=0)
    shown: Mapped[int] = mapped_column(default=0)


# --- receipts and keys ---------------------------------------------------------------------


def new_receipt(now: dt.datetime) -> str:
    """A receipt number: six digits of the date and fifty random bits, e.g. 201020-7K3M9-QPDXW."""
    return receipts.fresh(now)


def new_receipts(now: dt.datetime, count: int) -> list[str]:
    """So many receipt numbers."""
    return receipts.several(now, count)


def as_receipt(typed: str) -> str:
    """What somebody typed, as a receipt number would be written; "" when it cannot be one."""
    return receipts.as_written(typed)


def person_key(secret: str, kind: str, value: str) -> str:
    """A key that is equal for equal people and says nothing about who they are."""
    folded = unicodedata.normalize("NFKC", value).casefold().replace(" ", "")
    digest = hmac.new(secret.encode(), f"{kind}:{folded}".encode(), hashlib.sha256)
    return digest.hexdigest()[:32]


def masked(name: str) -> str:
    """王小明 → 王**: the first visible character only, as official lists print names."""
    first = next((character for character in name if hygiene.is_visible(character)), "")
    return f"{first}**" if first else ""


# --- receiving -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The words of one opinion as they came in, cleaned by the form or the file reader."""

    body: str
    title: str = ""
    title_by_form: bool = False
    version_id: int | None = None
    place: int = WHOLE
    stance: Stance | None = None
    channel: Channel = Channel.WEB
    public_name: str = ""
    person_key: str | None = None
    consent: str = ""
    account_id: int | None = None
    external_id: str = ""
    received_on: dt.date | None = None
    intake_id: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an opinion that was sent."""

    id: int
    receipt: str
    number: int
    again: bool


_LOCKED = (
    sa.select(Consultation.id).where(Consultation.id == sa.bindparam("which")).with_for_update()
)
_SENT_BEFORE = Prepared(
    sa.select(Submission.id, Submission.receipt, Submission.number).where(
        Submission.consultation_id == sa.bindparam("consultation_id"),
        Submission.once_key == sa.bindparam("once_key"),
    )
)
_RAISED = Prepared(
    sa.update(Consultation)
    .where(Consultation.id == sa.bindparam("which"))
    .values(
        received=Consultation.received + 1,
        shown=Consultation.shown + sa.bindparam("is_shown"),
        stamp=Consultation.stamp + 1,
    )
)
_NEXT_NUMBER = sa.select(sa.func.coalesce(sa.func.max(Submission.number), 0) + 1).where(
    Submission.consultation_id == sa.bindparam("which")
)
_NOTED = Prepared(sa.insert(audit.AuditEvent))


class HasId(Protocol):
    """A consultation, or what is known of it while a comment is being sent."""

    @property
    def id(self) -> int: ...


def receive(
    consultation: HasId,
    opinion: Opinion,
    *,
    once_key: str,
    state: SubmissionState = SubmissionState.PENDING,
    by: audit.Actor,
    now: dt.datetime,
    on_day: dt.date,
) -> Received:
    """Take an opinion in. The same `once_key` again gives the first receipt and stores nothing.

    `on_day` is today's date in Shanghai, used when the opinion does not say when it came.
    """
    # Concurrent senders queue on the consultation's row, so that no two get the same number. On
    # SQLite the whole transaction queues already.
    here = db.session.connection()
    if here.dialect.name != "sqlite":
        run(_LOCKED, {"which": consultation.id})
    receipt = new_receipt(now)
    row = {
        "which": consultation.id,
        "consultation_id": consultation.id,
        "receipt": receipt,
        "once_key": once_key,
        "version_id": opinion.version_id,
        "place": opinion.place,
        "title": opinion.title,
        "title_by_form": opinion.title_by_form,
        "body": opinion.body,
        "fingerprint": fingerprints.of(opinion.body),
        "stance": opinion.stance,
        "channel": opinion.channel,
        "received_at": now,
        "received_on": opinion.received_on or on_day,
        "external_id": opinion.external_id,
        "intake_id": opinion.intake_id,
        "state": state,
        "account_id": opinion.account_id,
        "public_name": opinion.public_name,
        "person_key": opinion.person_key,
        "consent": opinion.consent,
    }
    stored = _stored(here.dialect.name).run(here, row)
    if stored is None:
        earlier = sent_before(consultation.id, once_key)
        assert earlier is not None
        return earlier
    id, number = stored
    point_rows.make_first(row | {"submission_id": id}, here)
    shown = int(state is SubmissionState.SHOWN)
    _RAISED.run(here, {"which": consultation.id, "is_shown": shown})
    tally(consultation.id, opinion.place, received=1, shown=shown)
    screening_figures.count({"received": 1, "shown": shown}, now=now)
    _NOTED.run(here, _event(id, receipt, state, by, now))
    return Received(id, receipt, number, again=False)


def sent_before(consultation_id: int, once_key: str) -> Received | None:
    """What became of the opinion with this key when it was sent the first time; else None."""
    wanted = {"consultation_id": consultation_id, "once_key": once_key}
    found = _SENT_BEFORE.run(db.session.connection(), wanted)
    if found is None:
        return None
    id, receipt, number = found
    return Received(id, receipt, number, again=True)


def keep_contact(
    submission_id: int, sealed: bytes, *, days: int, now: dt.datetime, consent: str = ""
) -> None:
    """Keep how to reach the author, sealed, for so many days, unless we know already; `consent` is
    the version of what its owner agreed to."""
    keep_until = (now + dt.timedelta(days=days)).date()
    kept = insert_into(Contact).values(
        submission_id=submission_id, sealed=sealed, keep_until=keep_until, consent=consent
    )
    db.session.execute(kept.on_conflict_do_nothing())


def forget_contacts(submission_ids: Sequence[int] | sa.Select[int]) -> int:
    """Delete the ways to reach the authors of these; how many there were."""
    gone = sa.delete(Contact).where(Contact.submission_id.in_(submission_ids))
    result = db.session.execute(gone, execution_options={"synchronize_session": False})
    return result.rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


def end_contacts(now: dt.datetime) -> int:
    """Delete the ways to reach authors whose time has run out; how many."""
    over = sa.delete(Contact).where(Contact.keep_until < now.date())
    ended = db.session.execute(over, execution_options={"synchronize_session": False})
    return ended.rowcount  # type: ignore[attr-defined,no-any-return]  # a CursorResult


def once_key(form_key: str, opinion: Opinion) -> str:
    """The key under which an opinion is stored once.

    The words are part of it: somebody who goes back, changes the text and sends it again has
    sent something new, which must not be lost.
    """
    parts = "\0".join((form_key, str(opinion.place), opinion.title, opinion.body))
    return hashlib.sha256(parts.encode()).hexdigest()


def tally(consultation_id: int, place: int, *, received: int = 0, shown: int = 0) -> None:
    """Change the kept counts of one place by these differences."""
    values = {"consultation_id": consultation_id, "place": place}
    here = db.session.connection()
    _tallied(here.dialect.name).run(here, values | {"received": received, "shown": shown})


@cache
def _stored(dialect: str) -> Prepared:
    """Store an opinion under the next number, unless it is there already."""
    stored = insert_into(Submission).values(number=_NEXT_NUMBER.scalar_subquery())
    return Prepared(
        stored.on_conflict_do_nothing(index_elements=["consultation_id", "once_key"]).returning(
            Submission.id, Submission.number
        )
    )


@cache
def _tallied(dialect: str) -> Prepared:
    fresh = insert_into(Tally)
    tallied = fresh.on_conflict_do_update(
        index_elements=["consultation_id", "place"],
        set_={
            "received": Tally.received + fresh.excluded.received,
            "shown": Tally.shown + fresh.excluded.shown,
        },
    )
    return Prepared(tallied)


def _event(
    id: int, receipt: str, state: SubmissionState, by: audit.Actor, now: dt.datetime
) -> dict[str, object]:
    return {
        "at": now,
        "actor_id": by.id,
        "actor_name": by.name,
        "action": "submission.received",
        "thing_kind": "submission",
        "thing_id": id,
        "thing_name": "",
        "before": None,
        "after": {"state": state.value},
        "reason": "",
    }


# --- reading -------------------------------------------------------------------------------


def by_receipt(typed: str) -> Submission | None:
    """The submission with this receipt number, typed in whatever way people type it."""
    receipt = as_receipt(typed)
    if not receipt:
        return None
    return db.session.scalar(sa.select(Submission).where(Submission.receipt == receipt))


def tallies(consultation_id: int) -> dict[int, tuple[int, int]]:
    """{place: (received, shown)} for every place that has any opinion."""
    query = sa.select(Tally.place, Tally.received, Tally.shown).where(
        Tally.consultation_id == consultation_id
    )
    return {place: (received, shown) for place, received, shown in db.session.execute(query)}


def shown(
    consultation: Consultation,
    *,
    places: Sequence[int] | None = None,
    before: int | None = None,
    limit: int = 20,
) -> Sequence[Submission]:
    """The newest shown submissions (those before id `before`), on some places or anywhere."""
    query = sa.select(Submission).where(
        Submission.consultation_id == consultation.id,
        Submission.state == SubmissionState.SHOWN,
    )
    if places is not None:
        query = query.where(Submission.place.in_(places))
    if before is not None:
        query = query.where(Submission.id < before)
    return db.session.scalars(query.order_by(Submission.id.desc()).limit(limit)).all()
