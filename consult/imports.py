"""Imports: bringing the rows of a table in.

What an officer brings in counts as received and screened, unless it is sent to the queue. The
same table again adds only what is new. Rows that cannot be taken are named with the reason; the
others go in. A short table goes in at once, a long one step by step (`import_jobs`); both go by
`Importing`.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import points, provenance, screening_figures, search_opinions, term_index
from consult.consultations import Consultation
from consult.drafts import Outline
from consult.intake import Intake, IntakeState, check_mapping, header_of
from consult.intake_rows import RowReader, RowRefused
from consult.readers.tables import Table
from consult.submissions import (
    Channel,
    Submission,
    SubmissionState,
    fingerprints,
    new_receipts,
    tally,
)
from consult.term_reading import uncollected
from core import audit
from core.db import Prepared, db
from core.errors import Refused

audit.ACTIONS.update({"submissions.imported": _l("导入意见")})
audit.FIELDS.update(
    {
        "rows": _l("行数"),
        "imported": _l("新增"),
        "already": _l("已有"),
        "errors": _l("未导入"),
    }
)

MOST_ERRORS_KEPT = 500
BATCH = 500


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
    must_be_possible(consultation, table, mapping)
    if not dry_run:
        _take_turns(consultation, intake)
    reader = RowReader(table.columns, mapping, channel, outline, secret, on_day)
    importing = Importing(table, consultation, reader, intake)
    fresh = importing.sort(table.rows)
    if not dry_run:
        state = SubmissionState.PENDING if to_queue else SubmissionState.SHOWN
        store(consultation, fresh, state, intake, by, now)
        _note(consultation, intake, importing.report, table.columns, mapping, channel, by, now)
    return importing.report


def must_be_possible(consultation: Consultation, table: Table, mapping: Mapping[str, str]) -> None:
    """Refuse a mapping that does not fit the table, and a consultation that is not public yet."""
    check_mapping(mapping, table.columns)
    if not consultation.is_public:
        raise Refused(_("意见征集还没有公告，不能导入意见。"))


Fresh = list[tuple[int, dict[str, Any]]]
_ENTER = Prepared(sa.insert(cast(sa.Table, Submission.__table__)))


class Importing:
    """Going through the rows of a table in their order: what is new, known, or cannot be taken."""

    def __init__(
        self, table: Table, consultation: Consultation, reader: RowReader, intake: Intake | None
    ) -> None:
        self.report = Report()
        self._table, self._reader = table, reader
        self._consultation_id, self._intake_id = consultation.id, intake.id if intake else None
        # {key: (fingerprint, row)} of what is new in this table.
        self._first: dict[str, tuple[str, int | None]] = {}

    def sort(self, rows: Sequence[tuple[int, Sequence[str]]]) -> Fresh:
        """What is new among the next rows: (row of the table, the columns of the submission)."""
        fresh: Fresh = []
        for start in range(0, len(rows), BATCH):
            fresh += self._sort(rows[start : start + BATCH])
        return fresh

    @uncollected()
    def _sort(self, rows: Sequence[tuple[int, Sequence[str]]]) -> Fresh:
        read = [(number, self._read(number, cells)) for number, cells in rows]
        taken = [each for _number, each in read if not isinstance(each, RowRefused)]
        for (row, _body), print in zip(taken, fingerprints([b for _row, b in taken]), strict=True):
            row["fingerprint"] = print
        keys = [row["once_key"] for row, _body in taken]
        known = _known(self._consultation_id, keys, self._intake_id)
        fresh: Fresh = []
        for number, each in read:
            if isinstance(each, RowRefused):
                self.report.errors.append(RowError(number, str(each)))
            elif self._is_new(number, each[0], known):
                fresh.append((number, each[0]))
        self.report.rows += len(rows)
        self.report.imported += len(fresh)
        return fresh

    def _read(self, number: int, cells: Sequence[str]) -> tuple[dict[str, Any], str] | RowRefused:
        if number in self._table.overfull:
            return RowRefused(_("这一行比列名多出内容，文字里的分隔符可能没有用引号括起来。"))
        try:
            return self._reader.row(cells)
        except RowRefused as refusal:
            return refusal

    def _is_new(
        self, number: int, row: dict[str, Any], known: Mapping[str, tuple[str, int | None]]
    ) -> bool:
        key = row["once_key"]
        earlier = known.get(key) or self._first.get(key)
        if earlier is None:
            self._first[key] = (row["fingerprint"], number)
            return True
        try:
            _must_say_the_same(row, earlier)
        except RowRefused as refusal:
            self.report.errors.append(RowError(number, str(refusal)))
        else:
            self.report.already += 1
        return False


def _take_turns(consultation: Consultation, intake: Intake | None) -> None:
    """Hold the rows that two imports at once would both change; refuse what has been done."""
    if intake is not None:
        db.session.refresh(intake, with_for_update=True)
        if intake.state is not IntakeState.UPLOADED:
            raise Refused(_("这份表格已经导入过了。"))
    hold(consultation)


def hold(consultation: Consultation) -> None:
    """Let nobody else bring anything in until this transaction ends."""
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


def _known(
    consultation_id: int, keys: Sequence[str], intake_id: int | None
) -> dict[str, tuple[str, int | None]]:
    """{key: (fingerprint, no row of this table)} of what was received before, by other ways than
    this table."""
    query = sa.select(Submission.once_key, Submission.fingerprint).where(
        Submission.consultation_id == consultation_id, Submission.once_key.in_(keys)
    )
    if intake_id is not None:
        query = query.where(Submission.intake_id.is_distinct_from(intake_id))
    return {key: (print, None) for key, print in db.session.execute(query)}


@uncollected()
def store(
    consultation: Consultation,
    rows: Sequence[tuple[int, dict[str, Any]]],
    state: SubmissionState,
    intake: Intake | None,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Store what is new, with its counts, its provenance and what can be found of it."""
    if not rows:
        return
    shown = len(rows) if state is SubmissionState.SHOWN else 0
    db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == consultation.id)
        .values(
            received=Consultation.received + len(rows),
            shown=Consultation.shown + shown,
            stamp=Consultation.stamp + 1,
        )
        .execution_options(synchronize_session=False)
    )
    highest = sa.select(sa.func.max(Submission.number)).where(
        Submission.consultation_id == consultation.id
    )
    # Whoever gives out numbers holds the consultation's row, as we do now.
    last = db.session.scalar(highest) or 0
    common = {
        "consultation_id": consultation.id,
        "received_at": now,
        "state": state,
        "intake_id": intake.id if intake else None,
        "account_id": None,
        "public_name": "",
        "consent": "",
    }
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        columns: dict[str, Iterable[Any]] = {
            name: [row[name] for _number, row in batch] for name in batch[0][1]
        }
        columns |= {name: itertools.repeat(value) for name, value in common.items()}
        columns["number"] = itertools.count(last + start + 1)
        columns["receipt"] = new_receipts(now, len(batch))
        # Past the ORM, which takes several times as long as the database.
        _ENTER.many(db.session.connection(), columns)
    for place, count in Counter(row["place"] for _row, row in rows).items():
        tally(consultation.id, place, received=count, shown=count if shown else 0)
    screening_figures.count({"received": len(rows), "shown": shown}, now=now)
    brought = sa.select(Submission.id).where(
        Submission.consultation_id == consultation.id, Submission.number > last
    )
    ids = db.session.scalars(brought.order_by(Submission.number)).all()
    points.make_first_of(Submission.id.in_(brought))
    provenance.note_rows(list(zip(ids, (row for row, _columns in rows), strict=True)), by=by)
    if shown:
        search_opinions.follow(ids, fresh=True)
        term_index.follow(ids)


def _note(
    consultation: Consultation,
    intake: Intake | None,
    report: Report,
    columns: Sequence[str],
    mapping: Mapping[str, str],
    channel: Channel,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    if intake is not None:
        intake.mapping = dict(mapping)
        intake.header = header_of(columns)
        write_down(intake, report)
    finish(consultation, intake, report, channel, by, now)


def write_down(intake: Intake, report: Report) -> None:
    """Keep with the table what has become of its rows so far."""
    intake.rows, intake.imported, intake.already = report.rows, report.imported, report.already
    intake.refused = len(report.errors)
    intake.errors = [{"row": e.row, "why": e.why} for e in report.errors[:MOST_ERRORS_KEPT]]


def finish(
    consultation: Consultation,
    intake: Intake | None,
    report: Report,
    channel: Channel,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Close the table, with one event for all of it."""
    if intake is not None:
        intake.state = IntakeState.DONE
        intake.stored_as = ""
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
