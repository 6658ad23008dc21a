"""Corrections (网站纠错): what readers report as wrong on a page, and what was answered.

A report waits until a person answers it in words; the answer may be revised, the moment of the
first one stays. How to reach the reporter is not asked: the number on the slip finds the answer.
The form of address is kept only until the answer is written.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from core import audit, receipts, working_days
from core.db import Base, choice, db, insert_into
from core.errors import Refused

audit.ACTIONS.update(
    {
        "correction.received": _l("收到纠错"),
        "correction.answered": _l("答复纠错"),
        "correction.answer_revised": _l("修改纠错答复"),
    }
)
audit.KINDS.update({"correction": _l("网站纠错")})

# What the form promises; the yearly inspection of government sites asks for the same.
WORKING_DAYS = 3
MARK = "JC"
MONTHS_TOLD = 12


class ErrorType(Enum):
    """The closed list of what may be wrong."""

    CONTENT = "content"
    OUTDATED = "outdated"
    BROKEN_LINK = "broken_link"
    NOT_OPENING = "not_opening"
    NOT_WORKING = "not_working"
    DISPLAY = "display"
    ACCESSIBILITY = "accessibility"
    OTHER = "other"

    @property
    def title(self) -> str:
        """The type in the words of the form."""
        titles: dict[ErrorType, str] = {
            ErrorType.CONTENT: _("文字、数字或日期有误"),
            ErrorType.OUTDATED: _("内容过时"),
            ErrorType.BROKEN_LINK: _("链接失效"),
            ErrorType.NOT_OPENING: _("页面打不开"),
            ErrorType.NOT_WORKING: _("功能不能用"),
            ErrorType.DISPLAY: _("显示不正常"),
            ErrorType.ACCESSIBILITY: _("读屏、键盘或放大时用不了"),
            ErrorType.OTHER: _("其他"),
        }
        return titles[self]


class CorrectionState(Enum):
    """Where a report stands."""

    WAITING = "waiting"
    CORRECTED = "corrected"
    NO_CHANGE = "no_change"

    @property
    def title(self) -> str:
        """The state in the words of the page."""
        titles: dict[CorrectionState, str] = {
            CorrectionState.WAITING: _("待办"),
            CorrectionState.CORRECTED: _("已改正"),
            CorrectionState.NO_CHANGE: _("无需改正"),
        }
        return titles[self]


ANSWERS = (CorrectionState.CORRECTED, CorrectionState.NO_CHANGE)
NEXT = {
    CorrectionState.WAITING: set(ANSWERS),
    CorrectionState.CORRECTED: set(ANSWERS),
    CorrectionState.NO_CHANGE: set(ANSWERS),
}
audit.VALUES.setdefault("state", {}).update(
    {"waiting": _l("待办"), "corrected": _l("已改正"), "no_change": _l("无需改正")}
)


class Correction(Base):
    """One report, and its answer once there is one."""

    __tablename__ = "correction"
    __table_args__ = (
        sa.CheckConstraint("(state = 'waiting') = (answered_at IS NULL)", name="answered_has_day"),
        sa.CheckConstraint("state = 'waiting' OR answer <> ''", name="answered_in_words"),
        sa.Index(None, "state", "id"),
        sa.Index(None, "state", "due_at"),
        sa.Index(None, "month", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt: Mapped[str] = mapped_column(sa.String(24), unique=True)
    once_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    kind: Mapped[ErrorType] = mapped_column(choice(ErrorType))
    # Where it was seen, as the reporter left it; shown to staff only.
    page: Mapped[str] = mapped_column(sa.String(300), default="")
    title: Mapped[str] = mapped_column(sa.String(100))
    details: Mapped[str] = mapped_column(sa.Text)
    name: Mapped[str] = mapped_column(sa.String(40), default="")
    received_at: Mapped[dt.datetime]
    # 2020-10 in Shanghai, by which the public figures are counted.
    month: Mapped[str] = mapped_column(sa.String(7))
    due_at: Mapped[dt.datetime]
    state: Mapped[CorrectionState] = mapped_column(choice(CorrectionState))
    # The title under which the answer is public: written or confirmed by who answered.
    public_title: Mapped[str] = mapped_column(sa.String(100), default="")
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))

    def is_overdue(self, now: dt.datetime) -> bool:
        """Whether the answer should have been there."""
        return self.state is CorrectionState.WAITING and self.due_at <= now


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a reader reports, cleaned by the form."""

    kind: ErrorType
    page: str
    title: str
    details: str
    name: str = ""


def once_key(form_key: str, report: Report) -> str:
    """The key under which a report is stored once; other words are another report."""
    parts = "\0".join((form_key, report.kind.value, report.page, report.title, report.details))
    return hashlib.sha256(parts.encode()).hexdigest()


def sent_before(key: str) -> str | None:
    """The number of the report stored under this key, if it was."""
    return db.session.scalar(sa.select(Correction.receipt).where(Correction.once_key == key))


def receive(report: Report, *, key: str, by: audit.Actor, now: dt.datetime) -> str:
    """Take a report in; its number. The same `key` again gives the first number and stores
    nothing."""
    row: dict[str, Any] = {
        "receipt": receipts.fresh(now, mark=MARK),
        "once_key": key,
        "kind": report.kind,
        "page": report.page,
        "title": report.title,
        "details": report.details,
        "name": report.name,
        "received_at": now,
        "month": f"{now.astimezone(working_days.SHANGHAI):%Y-%m}",
        "due_at": working_days.due(now, WORKING_DAYS),
        "state": CorrectionState.WAITING,
    }
    # The unique key decides between two that are sent at once, on either database.
    stored: Correction | None = db.session.scalar(
        insert_into(Correction)
        .values(row)
        .on_conflict_do_nothing(index_elements=["once_key"])
        .returning(Correction)
    )
    if stored is None:
        earlier = sent_before(key)
        assert earlier is not None
        return earlier
    audit.record("correction.received", stored, by=by, now=now, name=stored.receipt)
    return stored.receipt


def answer(
    correction: Correction,
    state: CorrectionState,
    *,
    words: str,
    public_title: str,
    seen: CorrectionState | None = None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Answer a report, or revise its answer. Refuses without words, and when a colleague has
    answered since the page was `seen`."""
    if not words or not public_title:
        raise Refused(_("请写明答复；无需改正的，请写明理由。"), kept_text=words)
    # The row is locked first, so that two colleagues cannot both believe they were the first.
    db.session.flush()
    db.session.refresh(correction, ["state", "answered_at"], with_for_update=True)
    before = correction.state
    if state not in NEXT[before] or (seen is not None and seen is not before):
        raise Refused(
            _("这件纠错刚刚已由他人处理为“%(state)s”，请刷新后查看。", state=before.title),
            kept_text=words,
        )
    first = before is CorrectionState.WAITING
    if first:
        correction.answered_at = now
    correction.state, correction.answer, correction.public_title = state, words, public_title
    correction.name, correction.answered_by_id = "", by.id
    db.session.flush()
    audit.record(
        "correction.answered" if first else "correction.answer_revised",
        correction,
        by=by,
        now=now,
        name=correction.receipt,
        before={"state": before.value},
        after={"state": state.value},
    )


# --- finding -------------------------------------------------------------------------------


def by_id(correction_id: int) -> Correction | None:
    """The report with this id."""
    return db.session.get(Correction, correction_id)


def by_receipt(typed: str) -> Correction | None:
    """The report with this number, as people type numbers."""
    receipt = receipts.as_written(typed, mark=MARK)
    if not receipt:
        return None
    return db.session.scalar(sa.select(Correction).where(Correction.receipt == receipt))


def queue(
    *,
    state: CorrectionState = CorrectionState.WAITING,
    kind: ErrorType | None = None,
    overdue_at: dt.datetime | None = None,
    after: int | None = None,
    limit: int = 30,
) -> Sequence[Correction]:
    """Reports in `state`: those that wait from the oldest on, those answered from the newest;
    optionally of one type, or overdue at a moment; after id `after`."""
    query = sa.select(Correction).where(Correction.state == state)
    oldest_first = state is CorrectionState.WAITING
    if kind is not None:
        query = query.where(Correction.kind == kind)
    if overdue_at is not None:
        query = query.where(Correction.due_at <= overdue_at)
    if after is not None:
        query = query.where(Correction.id > after if oldest_first else Correction.id < after)
    order = Correction.id if oldest_first else Correction.id.desc()
    return db.session.scalars(query.order_by(order).limit(limit)).all()


def answered(*, before: int | None = None, limit: int = 20) -> Sequence[Correction]:
    """Answered reports for the public, the newest received first, below id `before`."""
    query = sa.select(Correction).where(Correction.state.in_(ANSWERS))
    if before is not None:
        query = query.where(Correction.id < before)
    return db.session.scalars(query.order_by(Correction.id.desc()).limit(limit)).all()


# --- figures -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figures:
    """What came in during a month, or in several, and what became of it."""

    month: str
    received: int
    answered: int
    in_time: int
    overdue: int

    @property
    def measured(self) -> int:
        """The reports the share is taken of: answered, or waiting beyond their time."""
        return self.answered + self.overdue

    @property
    def share(self) -> int | None:
        """Per cent answered in time, rounded down so that 100 means all; None of none."""
        return 100 * self.in_time // self.measured if self.measured else None


def figures(now: dt.datetime) -> list[Figures]:
    """Month by month, the newest first: the last months in which anything came in."""
    waits = Correction.state == CorrectionState.WAITING
    in_time = sa.and_(~waits, Correction.answered_at < Correction.due_at)
    overdue = sa.and_(waits, Correction.due_at <= now)

    def how_many(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[int]:
        return sa.func.sum(sa.case((condition, 1), else_=0))

    counted = db.session.execute(
        sa.select(
            Correction.month,
            sa.func.count(),
            how_many(~waits),
            how_many(in_time),
            how_many(overdue),
        )
        .group_by(Correction.month)
        .order_by(Correction.month.desc())
        .limit(MONTHS_TOLD)
    )
    return [Figures(*row) for row in counted]


def together(months: Sequence[Figures]) -> Figures:
    """The sum of several months."""
    return Figures(
        "",
        sum(each.received for each in months),
        sum(each.answered for each in months),
        sum(each.in_time for each in months),
        sum(each.overdue for each in months),
    )


def waiting(now: dt.datetime) -> tuple[int, int]:
    """(how many wait, how many of these beyond their time)."""
    overdue = sa.func.sum(sa.case((Correction.due_at <= now, 1), else_=0))
    row = db.session.execute(
        sa.select(sa.func.count(), overdue).where(Correction.state == CorrectionState.WAITING)
    ).one()
    return row[0], row[1] or 0
