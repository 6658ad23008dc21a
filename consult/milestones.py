"""What has happened in public consultations, for those who follow them with a feed reader.

What people did is in the public log; opening and closing come from the clock, as everywhere.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.consultations import Consultation, ConsultationChange, ConsultationState
from core.db import db


@dataclass(frozen=True, slots=True)
class Milestone:
    """One thing that happened. `key` stays its own for ever."""

    key: str
    at: dt.datetime
    consultation: Consultation
    what: str
    reason: str = ""


def latest(now: dt.datetime, *, limit: int) -> Sequence[Milestone]:
    """The newest milestones of all public consultations, the newest first."""
    public = Consultation.state != ConsultationState.PREPARING
    logged = (
        sa.select(ConsultationChange, Consultation)
        .join(Consultation, Consultation.id == ConsultationChange.consultation_id)
        .where(public)
        .order_by(ConsultationChange.id.desc())
        .limit(limit)
    )
    found = [
        Milestone(f"{c.slug}/change/{change.id}", change.at, c, change.what, change.reason)
        for change, c in db.session.execute(logged)
    ]
    for column, key, what in (
        (Consultation.opens_at, "opened", _("开始征求意见")),
        (Consultation.closes_at, "closed", _("征集截止")),
    ):
        passed = sa.select(Consultation).where(public, column <= now)
        passed = passed.order_by(column.desc(), Consultation.slug.desc())
        for c in db.session.scalars(passed.limit(limit)):
            moment = getattr(c, column.key)
            found.append(Milestone(f"{c.slug}/{key}", moment, c, what))
    found.sort(key=lambda each: (each.at, each.key), reverse=True)
    return found[:limit]


def sequences(consultations: Sequence[Consultation]) -> dict[int, int]:
    """{consultation id: how long its public log is}: a number that rises with every extension and
    never falls, as calendars ask of the sequence of an event."""
    ids = [each.id for each in consultations]
    query = (
        sa.select(ConsultationChange.consultation_id, sa.func.count())
        .where(ConsultationChange.consultation_id.in_(ids))
        .group_by(ConsultationChange.consultation_id)
    )
    return {row[0]: row[1] for row in db.session.execute(query)}
