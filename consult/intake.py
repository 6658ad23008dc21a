"""Intake (导入): opinions that came by letter, hotline, meeting or another site, from a table.

What an officer brings in counts as received and screened, unless it is sent to the queue. The
same table again adds only what is new. Rows that cannot be taken are named with the reason; the
others go in.
"""

import datetime as dt
import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult import screening_figures, search_opinions
from consult.consultations import Consultation
from consult.drafts import Outline
from consult.readers.tables import Table
from consult.submissions import (
    WHOLE,
    Channel,
    Stance,
    Submission,
    SubmissionState,
    fingerprint,
    new_receipt,
    person_key,
    tally,
)
from core import audit
from core.db import Base, choice, db
from core.errors import Refused
from core.text import tidy, tidy_line, visible

audit.ACTIONS.update(
    {"intake.uploaded": _l("上传意见表格"), "submissions.imported": _l("导入意见")}
)
audit.KINDS.update({"intake": _l("导入")})
audit.FIELDS.update(
    {
        "rows": _l("行数"),
        "imported": _l("新增"),
        "already": _l("已有"),
        "errors": _l("未导入"),
    }
)

LONGEST_BODY = 20_000
MOST_ERRORS_KEPT = 500
BATCH = 500
EARLIEST = dt.date(1990, 1, 1)

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
STANCES = {
    "建议": Stance.SUGGEST,
    "赞成": Stance.SUPPORT,
    "支持": Stance.SUPPORT,
    "反对": Stance.OPPOSE,
    "疑问": Stance.QUESTION,
    "诉求": Stance.APPEAL,
}
DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{6})?$")


class IntakeState(Enum):
    """Whether a table still waits for its columns to be named, or has been brought in."""

    UPLOADED = "uploaded"
    DONE = "done"


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
    to_queue: Mapped[bool] = mapped_column(default=False)
    rows: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    already: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[dt.datetime]


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that was not taken in, and why."""

    row: int
    why: str


@dataclass(slots=True)
class Report:
    """What an import did, or in a dry run would do. rows = imported + already + errors."""

    rows: int = 0
    imported: int = 0
    already: int = 0
    errors: list[RowError] = field(default_factory=list)


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


def bring_in(
    table: Table,
    consultation: Consultation,
    *,
    channel: Channel,
    mapping: Mapping[str, str],
    outline: Outline | None,
    to_queue: bool = False,
    dry_run: bool = False,
    secret: str,
    intake: Intake | None = None,
    by: audit.Actor,
    now: dt.datetime,
    on_day: dt.date,
) -> Report:
    """Bring the rows of a table in; a dry run only reports.

    One audit event for the whole table. `secret` keys the authors' names, which are not kept.
    """
    check_mapping(mapping, table.columns)
    if not consultation.is_public:
        raise Refused(_("意见征集还没有公告，不能导入意见。"))
    if not dry_run:
        _take_turns(consultation, intake)
    reader = _Reader(table.columns, mapping, channel, outline, secret, on_day)
    report = Report(rows=len(table.rows))
    known = _known(consultation.id)
    fresh: list[dict[str, Any]] = []
    for number, cells in table.rows:
        try:
            if number in table.overfull:
                raise RowRefused(_("这一行比列名多出内容，文字里的分隔符可能没有用引号括起来。"))
            row = reader.row(cells)
            earlier = known.get(row["once_key"])
            if earlier is None:
                known[row["once_key"]] = (row["fingerprint"], number)
                fresh.append(row)
            else:
                _must_say_the_same(row, earlier)
                report.already += 1
        except RowRefused as refusal:
            report.errors.append(RowError(number, str(refusal)))
    report.imported = len(fresh)
    if not dry_run:
        state = SubmissionState.PENDING if to_queue else SubmissionState.SHOWN
        _store(consultation, fresh, state, intake, now)
        _note(consultation, intake, report, mapping, channel, by, now)
    return report


class RowRefused(ValueError):
    """Why a row cannot be taken in, in words."""


def _take_turns(consultation: Consultation, intake: Intake | None) -> None:
    """Hold the rows that two imports at once would both change; refuse what has been done."""
    if intake is not None:
        db.session.refresh(intake, with_for_update=True)
        if intake.state is IntakeState.DONE:
            raise Refused(_("这份表格已经导入过了。"))
    db.session.execute(
        sa.select(Consultation.id).where(Consultation.id == consultation.id).with_for_update()
    )


def _must_say_the_same(row: Mapping[str, Any], earlier: tuple[str, int | None]) -> None:
    """Refuse a number that stands for other words than before: silently, they would be lost."""
    fingerprint, number = earlier
    if fingerprint == row["fingerprint"]:
        return
    if number is None:
        raise RowRefused(_("编号“%(id)s”以前导入过，但内容不同。", id=row["external_id"]))
    raise RowRefused(
        _("编号“%(id)s”与第%(row)d行重复，但内容不同。", id=row["external_id"], row=number)
    )


class _Reader:
    """Turns rows into submissions' columns, by one mapping."""

    def __init__(
        self,
        columns: Sequence[str],
        mapping: Mapping[str, str],
        channel: Channel,
        outline: Outline | None,
        secret: str,
        today: dt.date,
    ) -> None:
        self._at = {name: columns.index(column) for name, column in mapping.items()}
        self._channel, self._secret, self._today = channel, secret, today
        self._version_id = outline.version_id if outline else None
        self._sections = _sections(outline) if outline else {}
        self._seen: Counter[str] = Counter()

    def row(self, cells: Sequence[str]) -> dict[str, Any]:
        """The columns of one submission; raises RowRefused."""
        body, title = tidy(self._cell(cells, "body")), tidy_line(self._cell(cells, "title"))
        if not visible(body):
            raise RowRefused(_("意见内容是空的。"))
        if len(body) > LONGEST_BODY:
            raise RowRefused(_("意见内容超过%(n)d字。", n=LONGEST_BODY))
        external_id = tidy_line(self._cell(cells, "external_id"))
        if len(external_id) > 100:
            raise RowRefused(_("编号超过100字。"))
        author = self._cell(cells, "author").strip()
        received_on = self._day(self._cell(cells, "received_on"))
        row = {
            "external_id": external_id,
            "title": title[:200],
            "body": body if len(title) <= 200 else f"{title}\n{body}",
            "fingerprint": fingerprint(body),
            "received_on": received_on or self._today,
            "stance": self._stance(self._cell(cells, "stance")),
            "place": self._place(self._cell(cells, "section")),
            "person_key": person_key(self._secret, self._channel.value, author) if author else None,
            "version_id": self._version_id,
            "channel": self._channel,
        }
        # Last, because a row that is refused must not count among those like it.
        return row | {"once_key": self._once_key(external_id, title, body, received_on)}

    def _cell(self, cells: Sequence[str], name: str) -> str:
        place = self._at.get(name)
        return cells[place] if place is not None else ""

    def _once_key(self, external_id: str, title: str, body: str, day: dt.date | None) -> str:
        """A row is known by its number elsewhere; without one by its words, its day and how
        many rows like it came before, so that two people's equal letters stay two."""
        if external_id:
            said = f"id\0{external_id}"
        else:
            said = f"text\0{title}\0{body}\0{day or ''}"
            self._seen[said] += 1
            said = f"{said}\0{self._seen[said]}"
        return hashlib.sha256(f"{self._channel.value}\0{said}".encode()).hexdigest()

    def _day(self, text: str) -> dt.date | None:
        plain = unicodedata.normalize("NFKC", text).strip()
        if not plain:
            return None
        match = DATE.match(plain) or COMPACT_DATE.match(plain)
        if match is None:
            raise RowRefused(_("日期“%(text)s”看不懂，请写成2020-10-08这样。", text=plain[:20]))
        try:
            day = dt.date(*(int(part) for part in match.groups()))
        except ValueError as error:
            raise RowRefused(_("日期“%(text)s”不存在。", text=plain[:20])) from error
        if not EARLIEST <= day <= self._today:
            raise RowRefused(_("日期“%(text)s”太早或者在今天之后。", text=plain[:20]))
        return day

    def _stance(self, text: str) -> Stance | None:
        plain = text.strip()
        if not plain:
            return None
        if plain in STANCES:
            return STANCES[plain]
        raise RowRefused(
            _("态度“%(text)s”不在 %(all)s 之中。", text=plain[:20], all="、".join(STANCES))
        )

    def _place(self, text: str) -> int:
        if not text.strip():
            return WHOLE
        places = self._sections.get(_folded(text), [])
        if not places:
            raise RowRefused(_("文稿里没有“%(text)s”这一章节。", text=text.strip()[:30]))
        if len(places) > 1:
            raise RowRefused(
                _(
                    "文稿里有%(n)d处“%(text)s”，请连同上级标题一起写。",
                    n=len(places),
                    text=text.strip()[:30],
                )
            )
        return places[0]


def _sections(outline: Outline) -> dict[str, list[int]]:
    """{title, or titles from the chapter down: the headings called so}."""
    called: dict[str, list[int]] = {}
    for heading in outline.headings:
        path = "".join(outline.by_id[id].text for id in heading.path)
        for name in {_folded(heading.text), _folded(path + heading.text)}:
            called.setdefault(name, []).append(heading.id)
    return called


def _folded(text: str) -> str:
    """Without space and without the signs that stand between levels: 第一章 › 第一节."""
    return re.sub(r"[\s›>/]", "", unicodedata.normalize("NFKC", text))


def _known(consultation_id: int) -> dict[str, tuple[str, int | None]]:
    """{key: (fingerprint, no row of this table)} of what was received before."""
    query = sa.select(Submission.once_key, Submission.fingerprint).where(
        Submission.consultation_id == consultation_id
    )
    return {key: (print, None) for key, print in db.session.execute(query)}


def _store(
    consultation: Consultation,
    rows: list[dict[str, Any]],
    state: SubmissionState,
    intake: Intake | None,
    now: dt.datetime,
) -> None:
    if not rows:
        return
    shown = len(rows) if state is SubmissionState.SHOWN else 0
    last = db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == consultation.id)
        .values(
            received=Consultation.received + len(rows),
            shown=Consultation.shown + shown,
            stamp=Consultation.stamp + 1,
        )
        .returning(Consultation.received)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    common = {
        "consultation_id": consultation.id,
        "received_at": now,
        "state": state,
        "intake_id": intake.id if intake else None,
    }
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        db.session.execute(
            sa.insert(Submission),
            [
                row | common | {"number": last - len(rows) + start + i, "receipt": new_receipt(now)}
                for i, row in enumerate(batch, start=1)
            ],
        )
    for place, count in Counter(row["place"] for row in rows).items():
        tally(consultation.id, place, received=count, shown=count if shown else 0)
    screening_figures.count({"received": len(rows), "shown": shown}, now=now)
    if shown:
        brought = sa.select(Submission.id).where(
            Submission.consultation_id == consultation.id, Submission.number > last - len(rows)
        )
        search_opinions.follow(db.session.scalars(brought).all(), fresh=True)


def _note(
    consultation: Consultation,
    intake: Intake | None,
    report: Report,
    mapping: Mapping[str, str],
    channel: Channel,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    if intake is not None:
        intake.state = IntakeState.DONE
        intake.stored_as = ""
        intake.mapping = dict(mapping)
        intake.rows, intake.imported, intake.already = report.rows, report.imported, report.already
        intake.refused = len(report.errors)
        intake.errors = [{"row": e.row, "why": e.why} for e in report.errors[:MOST_ERRORS_KEPT]]
    audit.record(
        "submissions.imported",
        intake or consultation,
        by=by,
        now=now,
        name=consultation.title,
        after={
            "channel": channel.value,
            "rows": report.rows,
            "imported": report.imported,
            "already": report.already,
            "errors": len(report.errors),
        },
    )


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


def proposed(columns: Sequence[str]) -> dict[str, str]:
    """{field: column}: as the newest table that had these columns was mapped; for fields it left
    open, what the columns' names tell."""
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


def errors_of(report: Report) -> Iterator[dict[str, Any]]:
    """The errors as the command line prints them."""
    return ({"row": error.row, "why": error.why} for error in report.errors)
