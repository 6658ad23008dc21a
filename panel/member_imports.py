"""Importing members (名单导入): a list in a table, tried first, then brought in as proposals.

Nobody sits by an import: a second person confirms what another brought in, all at once. A row of
somebody who is in the register is known again, so that the same list a second time adds nobody.
"""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, selectinload

from consult.readers.tables import Table
from core import audit, sealing
from core.audit import Actor
from core.config import of_site
from core.db import Base, choice, db
from core.errors import Refused
from core.text import tidy_line
from panel import appointments, member_rows, members, outcomes
from panel.appointments import Appointment, AppointmentState
from panel.member_rows import Known, Row, RowReader, RowRefused
from panel.members import Details, Member

audit.ACTIONS.update(
    {
        "member_import.uploaded": _l("上传成员名单"),
        "member_import.done": _l("导入成员名单"),
        "member_import.confirmed": _l("批量聘任导入的成员"),
        "member_import.expired": _l("清除未导入的成员名单"),
    }
)
audit.KINDS.update({"member_import": _l("成员名单导入")})
audit.FIELDS.update({"imported": _l("新增"), "refused_rows": _l("未导入")})

MOST_ROWS = 3000
# Of the rows that were refused, so many are kept to be looked at again.
MOST_KEPT = 200
# How long an uploaded list waits for its columns to be named: it holds people's details.
KEPT = dt.timedelta(days=7)


class ImportState(Enum):
    """A list waits for its columns to be named, or is in."""

    UPLOADED = "uploaded"
    DONE = "done"


class MemberImport(Base):
    """One list that was uploaded, and what came of it."""

    __tablename__ = "member_import"

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"), index=True)
    state: Mapped[ImportState] = mapped_column(choice(ImportState))
    filename: Mapped[str] = mapped_column(sa.String(200))
    sha256: Mapped[str] = mapped_column(sa.String(64))
    # Name of the file in instance/uploads while its columns are being named; then "".
    stored_as: Mapped[str] = mapped_column(sa.String(64), default="")
    rows: Mapped[int] = mapped_column(default=0)
    imported: Mapped[int] = mapped_column(default=0)
    already: Mapped[int] = mapped_column(default=0)
    refused: Mapped[int] = mapped_column(default=0)
    # [{"row": 3, "why": "…"}]; says what is wrong and names nobody.
    errors: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    # The appointments that were proposed by it.
    proposed: Mapped[list[int]] = mapped_column(sa.JSON, default=list)
    brought_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    created_at: Mapped[dt.datetime]


@dataclass(slots=True)
class Report:
    """What came, or would come, of a list."""

    rows: int
    imported: list[Row] = field(default_factory=list)
    already: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


def begin(
    programme_id: int, *, filename: str, data: bytes, stored_as: str, by: Actor, now: dt.datetime
) -> MemberImport:
    """Note that a list was uploaded; it is brought in once its columns are named."""
    started = MemberImport(
        programme_id=programme_id,
        state=ImportState.UPLOADED,
        filename=tidy_line(filename)[-200:],
        sha256=hashlib.sha256(data).hexdigest(),
        stored_as=stored_as,
        errors=[],
        proposed=[],
        brought_by_id=by.id,
        by_name=by.name,
        created_at=now,
    )
    db.session.add(started)
    db.session.flush()
    audit.record("member_import.uploaded", started, by=by, now=now, name=started.filename)
    return started


def must_be_mapped(mapping: Mapping[str, str], table: Table) -> None:
    """Refuse a mapping that leaves out what every row needs, and a table that is too long."""
    if any(name not in mapping for name in member_rows.NEEDED):
        raise Refused(_("请指明姓名和类别各是哪一列。"))
    if len(table.rows) > MOST_ROWS:
        raise Refused(_("一次最多导入%(n)d行，请拆分成几份。", n=MOST_ROWS))


def tried(programme_id: int, table: Table, mapping: Mapping[str, str], known: Known) -> Report:
    """What would come of the list; stores nothing."""
    must_be_mapped(mapping, table)
    reader = RowReader(table.columns, mapping, known)
    register = _register()
    report, seen = Report(len(table.rows)), dict[str, int]()
    for number, cells in table.rows:
        try:
            row = reader.row(number, cells)
            keys = _keys(row.details)
            twice = next((seen[key] for key in keys if key in seen), None)
            if twice is not None:
                raise RowRefused(_("与第%(n)d行是同一人。", n=twice))
            seen |= dict.fromkeys(keys, number)
            if _is_there(row, programme_id, _known(register, row.details)):
                report.already += 1
            else:
                report.imported.append(row)
        except RowRefused as refusal:
            report.errors.append({"row": number, "why": str(refusal)})
    return report


def bring_in(
    started: MemberImport,
    table: Table,
    mapping: Mapping[str, str],
    known: Known,
    *,
    by: Actor,
    now: dt.datetime,
) -> Report:
    """Enter and propose everybody of the list who is not there yet."""
    _lock(started, ImportState.UPLOADED)
    report = tried(started.programme_id, table, mapping, known)
    register = _register()
    new = [row.details for row in report.imported if not _known(register, row.details)]
    added = iter(members.add_all(new, by=by, now=now))
    wanted = [(_known(register, row.details) or next(added), row.term) for row in report.imported]
    proposed = appointments.propose_all(wanted, started.programme_id, by=by, now=now)
    started.state, started.stored_as = ImportState.DONE, ""
    started.rows, started.imported = report.rows, len(report.imported)
    started.already, started.refused = report.already, len(report.errors)
    started.errors, started.proposed = report.errors[:MOST_KEPT], [each.id for each in proposed]
    started.brought_by_id, started.by_name = by.id, by.name
    db.session.flush()
    after = {"imported": started.imported, "refused_rows": started.refused}
    audit.record("member_import.done", started, by=by, now=now, name=started.filename, after=after)
    return report


def confirm(started: MemberImport, *, by: Actor, today: dt.date, now: dt.datetime) -> int:
    """Appoint everybody the list proposed who still waits, as the second person: all or none.
    How many."""
    _lock(started, ImportState.DONE)
    if by.id is not None and by.id == started.brought_by_id:
        raise Refused(_("聘任须由导入人以外的另一人确认。"))
    waiting = still_proposed(started)
    if not waiting:
        raise Refused(_("这份名单没有等待确认的提名。"))
    appointments.confirm_all(waiting, by=by, today=today, now=now)
    outcomes.tell_appointed(waiting, now=now)
    audit.record(
        "member_import.confirmed",
        started,
        by=by,
        now=now,
        name=started.filename,
        after={"imported": len(waiting)},
    )
    return len(waiting)


def expire(now: dt.datetime) -> list[str]:
    """Give up lists that nobody brought in within a week; the names of their files, to be removed
    once this is committed."""
    query = sa.select(MemberImport).where(
        MemberImport.state == ImportState.UPLOADED,
        MemberImport.stored_as != "",
        MemberImport.created_at < now - KEPT,
    )
    files = []
    for each in db.session.scalars(query.limit(50).with_for_update(skip_locked=True)):
        files.append(each.stored_as)
        each.stored_as = ""
        audit.record("member_import.expired", each, by=audit.SYSTEM, now=now)
    return files


def _lock(started: MemberImport, state: ImportState) -> None:
    db.session.flush()
    db.session.refresh(started, with_for_update=True)
    if started.state is not state:
        raise Refused(_("这份名单已经导入过了。"))


# --- who is in the register already --------------------------------------------------------


def _register() -> dict[str, Member]:
    """Everybody in the register by what they are known by; the earliest row first."""
    keys = of_site().contact_key
    found: dict[str, Member] = {}
    query = sa.select(Member).options(selectinload(Member.appointments)).order_by(Member.id)
    for member in db.session.scalars(query):
        contact = sealing.unseal(keys, member.sealed_contact) if member.sealed_contact else ""
        told = Details(name=member.name, unit_text=member.unit_text, contact=contact)
        for key in _keys(told):
            found.setdefault(key, member)
    return found


def _keys(details: Details) -> list[str]:
    """What somebody is known by: how they are reached, else name and work together."""
    keys = [f"at {details.contact}"] if details.contact else []
    return [*keys, f"is {details.name}\0{details.unit_text}"]


def _known(register: Mapping[str, Member], details: Details) -> Member | None:
    return next((register[key] for key in _keys(details) if key in register), None)


def _is_there(row: Row, programme_id: int, member: Member | None) -> bool:
    """Whether the row says nothing new. Refuses a second seat in another category, and a contact
    that is somebody else's."""
    if member is None:
        return False
    if member.name != row.details.name:
        raise RowRefused(_("这个联系方式在名册里是另一位成员的。"))
    live = [
        each
        for each in member.appointments
        if each.programme_id == programme_id
        and each.state in (AppointmentState.PROPOSED, AppointmentState.APPOINTED)
        and each.term_to >= row.term.term_from
    ]
    if any(each.category == row.term.category for each in live):
        return True
    if live:
        raise RowRefused(
            _(
                "已在另一类别（%(category)s）任职或被提名，同一时间只能在一个类别。",
                category=live[0].category,
            )
        )
    return False


# --- finding -------------------------------------------------------------------------------


def by_id(import_id: int) -> MemberImport | None:
    """The list with this number."""
    return db.session.get(MemberImport, import_id)


def latest(programme_id: int, limit: int = 20) -> Sequence[MemberImport]:
    """The lists uploaded last."""
    query = sa.select(MemberImport).where(MemberImport.programme_id == programme_id)
    return db.session.scalars(query.order_by(MemberImport.id.desc()).limit(limit)).all()


def still_proposed(started: MemberImport) -> Sequence[Appointment]:
    """Those the list proposed about whom nobody has decided yet."""
    query = sa.select(Appointment).where(
        Appointment.id.in_(started.proposed), Appointment.state == AppointmentState.PROPOSED
    )
    return db.session.scalars(query.order_by(Appointment.id)).all()
