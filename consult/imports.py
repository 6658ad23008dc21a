"""Imports: bringing the rows of a table in.

What an officer brings in counts as received and screened, unless it is sent to the queue: all of it,
or those rows in which personal information was found. The same table again adds only what is new.
Rows that cannot be taken are named with the reason; the others go in. A short table goes in at once,
a long one step by step (`import_jobs`); both go by `Importing`.
"""

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import arrivals, points, provenance, screening_figures, search_opinions, term_index
from consult.analysis.lexicon import Lexicon
from consult.arrivals import Arrivals, Words
from consult.consultations import Consultation
from consult.drafts import Outline
from consult.intake import Intake, IntakeState, check_mapping, header_of
from consult.intake_rows import RowReader, RowRefused
from consult.readers.tables import Table
from consult.submissions import (
    Channel,
    Submission,
    SubmissionState,
    new_receipts,
    tally,
)
from consult.terms.reading import uncollected
from core import audit
from core.db import Prepared, batches, db
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
    # Of the imported those that wait in the queue because something personal was found in them.
    held: int = 0


def bring_in(
    table: Table,
    consultation: Consultation,
    *,
    channel: Channel,
    mapping: Mapping[str, str],
    outline: Outline | None,
    to_queue: bool = False,
    hold_personal: bool = False,
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
    importing = Importing(
        table, consultation, reader, intake, hold_personal=hold_personal and not to_queue
    )
    fresh = list(importing.read(table.rows, shown=not (dry_run or to_queue)))
    if not dry_run:
        store(consultation, fresh, intake, by, now, to_queue=to_queue)
        _note(consultation, intake, importing.report, table.columns, mapping, channel, by, now)
    return importing.report


def must_be_possible(consultation: Consultation, table: Table, mapping: Mapping[str, str]) -> None:
    """Refuse a mapping that does not fit the table, and a consultation that is not public yet."""
    check_mapping(mapping, table.columns)
    if not consultation.is_public:
        raise Refused(_("意见征集还没有公告，不能导入意见。"))


@dataclass(frozen=True, slots=True)
class Taken:
    """Some rows as the mapping has them, (row of the table, the columns of the submission or why there
    is none); and of those that are submissions the words."""

    rows: list[tuple[int, dict[str, Any] | RowRefused]]
    arrivals: Arrivals


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is new of some rows: (row of the table, the columns of the submission, its place among the
    arrivals)."""

    rows: list[tuple[int, dict[str, Any], int]]
    arrivals: Arrivals
    read: Words

    def of(self, *, personal: bool) -> "Fresh":
        """Those of the rows in which something personal was found, or the others."""
        if not self.read.personal:
            return self if not personal else Fresh([], self.arrivals, self.read)
        rows = [row for row in self.rows if (row[2] in self.read.personal) == personal]
        return Fresh(rows, self.arrivals, self.read)


_ENTER = Prepared(sa.insert(cast(sa.Table, Submission.__table__)))


class Importing:
    """Going through the rows of a table in their order: what is new, known, or cannot be taken."""

    def __init__(
        self,
        table: Table,
        consultation: Consultation,
        reader: RowReader,
        intake: Intake | None,
        *,
        hold_personal: bool = False,
    ) -> None:
        self.report = Report()
        self._hold_personal = hold_personal
        self._table, self._reader = table, reader
        self._consultation_id, self._intake_id = consultation.id, intake.id if intake else None
        # {key: (fingerprint, row)} of what is new in this table.
        self._first: dict[str, tuple[str, int | None]] = {}

    @uncollected()
    def take(
        self,
        rows: Sequence[tuple[int, Sequence[str]]],
        *,
        shown: bool = False,
        lexicon: Lexicon | None = None,
    ) -> Taken:
        """The next rows, without asking the database anything. `shown`: they are to be found;
        `lexicon`: with which to read them."""
        taken = [(number, self._read(number, cells)) for number, cells in rows]
        read = [each for _number, each in taken if not isinstance(each, RowRefused)]
        return Taken(
            [(n, e if isinstance(e, RowRefused) else e[0]) for n, e in taken],
            Arrivals(
                texts=[(row["title"], row["body"]) for row, _body in read],
                told={n: body for n, (row, body) in enumerate(read) if body != row["body"]},
                marks=[self._marks(row) for row, _body in read] if shown else (),
                lexicon=lexicon,
                look_through=self._hold_personal,
            ),
        )

    def _marks(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        return search_opinions.marks_of(
            consultation_id=self._consultation_id,
            channel=row["channel"],
            stance=row["stance"],
            place=row["place"],
            day=row["received_on"],
        )

    def read(self, rows: Sequence[tuple[int, Sequence[str]]], *, shown: bool) -> Iterator[Fresh]:
        """What is new among the next rows, read here and now."""
        for some in batches(rows, BATCH):
            taken = self.take(some, shown=shown)
            yield self.sort(taken, arrivals.read(taken.arrivals))

    @uncollected()
    def sort(self, taken: Taken, read: Words) -> Fresh:
        """What is new of these rows."""
        places = itertools.count()
        known = _known(
            self._consultation_id,
            [row["once_key"] for _n, row in taken.rows if not isinstance(row, RowRefused)],
            self._intake_id,
        )
        fresh = []
        for number, row in taken.rows:
            if isinstance(row, RowRefused):
                self.report.errors.append(RowError(number, str(row)))
                continue
            place = next(places)
            row["fingerprint"] = read.fingerprints[place]
            if self._is_new(number, row, known):
                fresh.append((number, row, place))
        self.report.rows += len(taken.rows)
        self.report.imported += len(fresh)
        self.report.held += sum(place in read.personal for _number, _row, place in fresh)
        return Fresh(fresh, taken.arrivals, read)

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


def store(
    consultation: Consultation,
    every: Sequence[Fresh],
    intake: Intake | None,
    by: audit.Actor,
    now: dt.datetime,
    entering: term_index.Entering | None = None,
    *,
    to_queue: bool,
) -> None:
    """Store what is new: to be screened, or shown but for what holds something personal.

    `entering`: by which what was read with its lexicon goes into the index of terms; without it
    the index reads for itself.
    """
    if to_queue:
        _store(consultation, every, SubmissionState.PENDING, intake, by, now, None)
        return
    clean = [each.of(personal=False) for each in every]
    _store(consultation, clean, SubmissionState.SHOWN, intake, by, now, entering)
    held = [each.of(personal=True) for each in every]
    _store(consultation, held, SubmissionState.PENDING, intake, by, now, None)


@uncollected()
def _store(
    consultation: Consultation,
    every: Sequence[Fresh],
    state: SubmissionState,
    intake: Intake | None,
    by: audit.Actor,
    now: dt.datetime,
    entering: term_index.Entering | None,
) -> None:
    """Store what is new, with its counts, its provenance and what can be found of it."""
    rows = [row for fresh in every for row in fresh.rows]
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
    ids = _enter(consultation, [columns for _n, columns, _p in rows], state, intake, now)
    for place, count in Counter(row["place"] for _number, row, _place in rows).items():
        tally(consultation.id, place, received=count, shown=count if shown else 0)
    screening_figures.count({"received": len(rows), "shown": shown}, now=now)
    numbers = [number for number, _columns, _place in rows]
    provenance.note_rows(list(zip(ids, numbers, strict=True)), by=by)
    if not shown:
        return
    begin = 0
    for fresh in every:
        end = begin + len(fresh.rows)
        if end > begin:
            _let_be_found(consultation.id, ids[begin:end], fresh, entering)
        begin = end
    if entering is None:
        term_index.follow(ids)


def _enter(
    consultation: Consultation,
    rows: Sequence[Mapping[str, Any]],
    state: SubmissionState,
    intake: Intake | None,
    now: dt.datetime,
) -> Sequence[int]:
    """Enter the columns of these opinions and their first points; their ids, in the same order."""
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
    numbers = itertools.count(last + 1)
    for batch in batches(rows, BATCH):
        columns: dict[str, Iterable[Any]] = {
            name: [row[name] for row in batch] for name in batch[0]
        }
        columns |= {name: itertools.repeat(value) for name, value in common.items()}
        columns["number"] = list(itertools.islice(numbers, len(batch)))
        columns["receipt"] = new_receipts(now, len(batch))
        # Past the ORM, which takes several times as long as the database.
        _ENTER.many(db.session.connection(), columns)
    brought = sa.select(Submission.id).where(
        Submission.consultation_id == consultation.id, Submission.number > last
    )
    ids = db.session.scalars(brought.order_by(Submission.number)).all()
    points.make_first_of(Submission.id.in_(brought))
    return ids


def _let_be_found(
    consultation_id: int,
    ids: Sequence[int],
    fresh: Fresh,
    entering: term_index.Entering | None,
) -> None:
    places = [place for _number, _columns, place in fresh.rows]
    findable, said = fresh.read.findable, fresh.read.said
    assert findable is not None
    search_opinions.enter(
        ids,
        [fresh.arrivals.marks[place] for place in places],
        findable.at(places),
    )
    if entering is not None:
        assert said is not None
        entering.enter(ids, consultation_id, said, places)


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
