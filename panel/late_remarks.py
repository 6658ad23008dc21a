"""Late remarks (后到的意见): what a round brings into a consultation that was answered before. They
are opinions with open points like all others; until these are answered and a further edition of the
adoption table is released, the desk says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from consult.consultations import Consultation, ConsultationState
from consult.point_rows import Point
from consult.response_rows import Response, ResponseState
from consult.responses import is_open, needs_answer
from consult.submissions import Submission
from core.db import db
from panel.remarks import Remark


@dataclass(frozen=True, slots=True)
class Late:
    """The points of a consultation's late remarks whose answer is not public, and how many of them
    have no final answer yet."""

    consultation: Consultation
    unpublished: int
    unanswered: int


def every() -> Sequence[Late]:
    """Each consultation that has any, the newest first."""
    query = (
        sa.select(
            Consultation,
            sa.func.count(Point.id),
            sa.func.count(sa.case((is_open(), Point.id))),
        )
        .join(Point, Point.consultation_id == Consultation.id)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(
            Consultation.state == ConsultationState.ANSWERED,
            Point.submission_id.in_(sa.select(Remark.submission_id)),
            needs_answer(),
            sa.or_(Response.state.is_(None), Response.state != ResponseState.PUBLISHED),
        )
        .group_by(*Consultation.__table__.columns)
        .order_by(Consultation.id.desc())
    )
    return [Late(*row) for row in db.session.execute(query)]


def of(consultation: Consultation) -> Late | None:
    """Those of one consultation; None when there are none."""
    return next((each for each in every() if each.consultation.id == consultation.id), None)
