"""Provenance (来源): who put an opinion in for its author, and from which row of which table.

Only what staff put in has one: a resident's own opinion says all there is to say by its channel.
Nothing here is public.
"""

import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from consult.intake import Intake
from consult.submissions import Submission
from core import audit
from core.db import Base, Prepared, batches, db


class Provenance(Base):
    """Who put one submission in. Written with it, and never changed."""

    __tablename__ = "provenance"
    # By which an officer's last entry is found, however many rows they have brought in since.
    __table_args__ = (sa.Index("ix_provenance_by_id_row", "by_id", "row", "submission_id"),)

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    # The row of the table, counted as in the file; None when it was typed in at the desk.
    row: Mapped[int | None]


_NOTE = Prepared(sa.insert(cast(sa.Table, Provenance.__table__)))


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an opinion came from, as staff are told."""

    by_name: str
    entered_at: dt.datetime
    external_id: str
    # The table and the row in it; "" and None when it was typed in.
    filename: str
    row: int | None
    intake_id: int | None


def note(submission_id: int, *, by: audit.Actor) -> None:
    """Note that `by` typed this submission in."""
    db.session.add(Provenance(submission_id=submission_id, by_id=by.id, by_name=by.name, row=None))


def note_rows(rows: Sequence[tuple[int, int]], *, by: audit.Actor) -> None:
    """Note that `by` brought these in: (submission id, row of the table)."""
    for some in batches(rows):
        ids, numbers = zip(*some, strict=True)
        _NOTE.many(
            db.session.connection(),
            {
                "submission_id": ids,
                "row": numbers,
                "by_id": itertools.repeat(by.id),
                "by_name": itertools.repeat(by.name),
            },
        )


def of(submissions: Sequence[Submission]) -> Mapping[int, Origin]:
    """{submission id: its origin} for those that staff put in."""
    ids = [each.id for each in submissions]
    query = sa.select(Provenance).where(Provenance.submission_id.in_(ids))
    noted = {each.submission_id: each for each in db.session.scalars(query)}
    tables = {each.intake_id for each in submissions if each.intake_id is not None}
    named = sa.select(Intake).where(Intake.id.in_(tables))
    intakes = {each.id: each for each in db.session.scalars(named)}
    found = {}
    for each in submissions:
        own, table = noted.get(each.id), intakes.get(each.intake_id or 0)
        if own is None and table is None:
            continue
        found[each.id] = Origin(
            # What was brought in before rows were noted is known by its table alone.
            by_name=own.by_name if own else (table.by_name if table else ""),
            entered_at=each.received_at,
            external_id=each.external_id,
            filename=table.filename if table else "",
            row=own.row if own else None,
            intake_id=each.intake_id,
        )
    return found


def entered(submission_id: int, *, by: audit.Actor) -> Submission | None:
    """The submission with this id if `by` typed it in: its receipt is for its author, and for
    whoever hands it to them."""
    query = sa.select(Submission).join(Provenance, Provenance.submission_id == Submission.id)
    return db.session.scalar(
        query.where(
            Submission.id == submission_id, Provenance.by_id == by.id, Provenance.row.is_(None)
        )
    )


def last_entered(*, by: audit.Actor) -> Submission | None:
    """What `by` typed in last."""
    newest = (
        sa.select(Provenance.submission_id)
        .where(Provenance.by_id == by.id, Provenance.row.is_(None))
        .order_by(Provenance.submission_id.desc())
        .limit(1)
    )
    return db.session.scalar(sa.select(Submission).where(Submission.id == newest.scalar_subquery()))
