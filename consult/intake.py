"""Intake (导入): a table of opinions that came by letter, hotline, meeting or another site.

What a table is, what its columns mean, and what was brought in lately. How a row is read stands
in `intake_rows`, how the rows are brought in in `imports`.
"""

import datetime as dt
import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.consultations import Consultation
from consult.submissions import Channel
from core import audit
from core.db import Base, choice, db
from core.errors import Refused
from core.text import tidy_line

audit.ACTIONS.update(
    {
        "intake.uploaded": _l("上传意见表格"),
        "intake.expired": _l("清除没有导入的表格"),
    }
)
audit.KINDS.update({"intake": _l("导入")})

LONGEST_BODY = 20_000
# How long an uploaded table waits for its columns to be named: it holds people's words.
KEPT = dt.timedelta(days=7)

# What a column is usually called; compared without space and case.
USUAL = {
    "body": (
        "意见内容",
        "内容",
        "正文",
        "留言详情",
        "意见",
        "意见建议",
        "留言内容",
        "建议内容",
        "建议",
        "body",
        "content",
        "text",
    ),
    "title": ("标题", "主题", "留言主题", "意见标题", "title", "subject"),
    "external_id": ("编号", "留言编号", "工单号", "信件编号", "msg_id", "external_id", "id"),
    "received_on": (
        "收到日期",
        "日期",
        "时间",
        "留言时间",
        "来信日期",
        "提交时间",
        "date",
        "created",
        "received_on",
    ),
    "author": ("姓名", "留言用户", "用户", "来信人", "联系电话", "author", "user", "name"),
    "stance": ("态度", "stance"),
    "section": ("章节", "对应章节", "section"),
}
FIELDS = tuple(USUAL)


class IntakeState(Enum):
    """A table waits for its columns to be named, is being brought in, is in, or was taken out."""

    UPLOADED = "uploaded"
    RUNNING = "running"
    DONE = "done"
    UNDONE = "undone"


class Intake(Base):
    """One table of opinions that was brought in, and what came of it."""

    __tablename__ = "intake"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    channel: Mapped[Channel] = mapped_column(choice(Channel))
    state: Mapped[IntakeState] = mapped_column(choice(IntakeState))
    filename: Mapped[str] = mapped_column(sa.String(200))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    # Name of the uploaded file in instance/uploads while its columns are being named; then "".
    stored_as: Mapped[str] = mapped_column(sa.String(64), default="")
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Equal for tables with the same columns: the next one is mapped as the last one was.
    header: Mapped[str] = mapped_column(
        sa.String(32), default="", server_default=sa.text("''"), index=True
    )
    to_queue: Mapped[bool] = mapped_column(default=False)
    rows: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    already: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[dt.datetime]
    # The job that brings a long table in, by its number.
    job_id: Mapped[int | None]
    # When it was taken out again, by whom and why, and how many opinions that were.
    undone_at: Mapped[dt.datetime | None]
    undone_by: Mapped[str] = mapped_column(sa.String(120), default="", server_default=sa.text("''"))
    undone_why: Mapped[str] = mapped_column(
        sa.String(400), default="", server_default=sa.text("''")
    )
    undone: Mapped[int] = mapped_column(default=0, server_default=sa.text("0"))


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """{field: column} as far as the columns' names tell."""
    plain = {unicodedata.normalize("NFKC", c).replace(" ", "").lower(): c for c in columns}
    found: dict[str, str] = {}
    for name, usual in USUAL.items():
        column = next((plain[u] for u in usual if u in plain), None)
        if column is not None and column not in found.values():
            found[name] = column
    return found


def check_mapping(mapping: Mapping[str, str], columns: Sequence[str]) -> None:
    """Refuse a mapping that names no body, an unknown field or an unknown column."""
    unknown = [name for name in mapping if name not in FIELDS]
    if unknown:
        raise Refused(
            _(
                "不认识的字段：%(names)s。可用的字段有：%(fields)s。",
                names="、".join(unknown),
                fields="、".join(FIELDS),
            )
        )
    absent = [column for column in mapping.values() if column not in columns]
    if absent:
        raise Refused(
            _(
                "表格里没有这些列：%(names)s。表格的列有：%(columns)s。",
                names="、".join(absent),
                columns="、".join(columns),
            )
        )
    if "body" not in mapping:
        raise Refused(_("请指明哪一列是意见内容。"))


def begin(
    consultation: Consultation,
    *,
    channel: Channel,
    filename: str,
    data: bytes,
    stored_as: str,
    to_queue: bool,
    by: audit.Actor,
    now: dt.datetime,
) -> Intake:
    """Note that a table was uploaded; it is brought in once its columns are named."""
    if not consultation.is_public:
        raise Refused(_("意见征集还没有公告，不能导入意见。"))
    intake = Intake(
        consultation_id=consultation.id,
        channel=channel,
        state=IntakeState.UPLOADED,
        filename=tidy_line(filename)[-200:],
        sha256=hashlib.sha256(data).hexdigest(),
        stored_as=stored_as,
        to_queue=to_queue,
        errors=[],
        mapping={},
        by_name=by.name,
        created_at=now,
    )
    db.session.add(intake)
    db.session.flush()
    audit.record("intake.uploaded", intake, by=by, now=now, name=consultation.title)
    return intake


def latest(limit: int = 20) -> Sequence[Intake]:
    """The tables brought in last."""
    query = sa.select(Intake).order_by(Intake.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def expire(*, now: dt.datetime) -> list[str]:
    """Give up tables that nobody brought in within a week; the names of their files, to be removed
    once this is committed."""
    waiting = (
        sa.select(Intake)
        .where(
            Intake.state == IntakeState.UPLOADED,
            Intake.stored_as != "",
            Intake.created_at < now - KEPT,
        )
        .limit(50)
        .with_for_update(skip_locked=True)
    )
    files = []
    for each in db.session.scalars(waiting):
        files.append(each.stored_as)
        each.stored_as = ""
        audit.record("intake.expired", each, by=audit.SYSTEM, now=now)
    return files


def header_of(columns: Sequence[str]) -> str:
    """Equal for equal sets of columns, in whatever order they stand."""
    return hashlib.sha256("\0".join(sorted(columns)).encode()).hexdigest()[:32]


def proposed(columns: Sequence[str]) -> dict[str, str]:
    """{field: column}: as the newest table with exactly these columns was mapped, else as one of
    the newest that had these columns among others; for fields it left open, what the columns'
    names tell."""
    same = (
        sa.select(Intake.mapping)
        .where(Intake.state == IntakeState.DONE, Intake.header == header_of(columns))
        .order_by(Intake.id.desc())
        .limit(1)
    )
    mapped = db.session.scalar(same)
    if mapped is not None:
        # What was left out then was left out on purpose.
        return {name: column for name, column in mapped.items() if column in columns}
    kept: dict[str, str] = next(
        (
            intake.mapping
            for intake in latest(50)
            if intake.state is IntakeState.DONE and set(intake.mapping.values()) <= set(columns)
        ),
        {},
    )
    told = guessed(columns)
    return {name: column for name, column in told.items() if column not in kept.values()} | kept
