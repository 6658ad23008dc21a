"""What the database keeps, for tests that look there: opinions, acts on record, counters, every row."""

import sqlalchemy as sa

from consult import submissions
from consult.consultations import Consultation
from consult.point_rows import Point, PointState
from consult.screening_figures import ScreeningFigure
from consult.submissions import Submission, SubmissionState
from core.audit import AuditEvent
from core.db import Base, db
from core.jobs import Job


def actions() -> list[str]:
    """What is on record that was done, in the order in which it was."""
    return list(db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)))


def stored() -> list[Submission]:
    """All opinions as they are now, in the order in which they came."""
    query = sa.select(Submission).order_by(Submission.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def events(*actions: str) -> list[AuditEvent]:
    """The acts on record so far, or those of these actions, in order."""
    query = sa.select(AuditEvent).order_by(AuditEvent.id)
    return list(
        db.session.scalars(query.where(AuditEvent.action.in_(actions)) if actions else query)
    )


def whole_database() -> dict[str, str]:
    """{table: all its rows in words}."""
    tables = [table.name for table in Base.metadata.sorted_tables]
    return {
        table: str(db.session.execute(sa.text(f'SELECT * FROM "{table}"')).all())
        for table in tables
    }


def recounted(consultation: Consultation) -> None:
    """What is kept of the one consultation there is equals a count of what has not been undone."""
    db.session.expire_all()
    rows = [
        each
        for each in db.session.scalars(sa.select(Submission))
        if each.state is not SubmissionState.UNDONE
    ]
    shown = [each for each in rows if each.state is SubmissionState.SHOWN]
    assert (consultation.received, consultation.shown) == (len(rows), len(shown))
    for place, (received, seen) in submissions.tallies(consultation.id).items():
        assert received == sum(each.place == place for each in rows)
        assert seen == sum(each.place == place for each in shown)
    live = sa.select(sa.func.count()).select_from(Point).where(Point.state == PointState.LIVE)
    assert db.session.scalar(live) == len(rows)
    figures = {each.kind: each.count for each in db.session.scalars(sa.select(ScreeningFigure))}
    assert figures.get("received", 0) == len(rows)


def the_job() -> Job:
    """The one job there is, as it is now."""
    return db.session.scalars(sa.select(Job).execution_options(populate_existing=True)).one()
