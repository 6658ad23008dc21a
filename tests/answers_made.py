"""Points that are answered, through the real operations."""

import datetime as dt

import sqlalchemy as sa

from consult import responses
from consult.consultations import Consultation
from consult.points import LIVE, Point
from consult.responses import Outcome
from core import audit
from core.db import db
from tests.conftest import NOON

WHY = "文稿已写明加装电梯的安排，本条意见已经体现。"


def live(consultation: Consultation) -> list[Point]:
    """The live points of a consultation in the order they were made."""
    query = sa.select(Point).where(Point.consultation_id == consultation.id, Point.state == LIVE)
    return list(db.session.scalars(query.order_by(Point.id)))


def all_final(
    consultation: Consultation, outcome: Outcome = Outcome.ALREADY, *, now: dt.datetime = NOON
) -> None:
    """Give every open point of a consultation a final answer. Not committed."""
    for point in live(consultation):
        answer = responses.of(point.id)
        if answer is None or answer.state is responses.TODO:
            responses.draft([point], outcome, WHY, by=audit.SYSTEM, now=now)
            responses.submit([point], by=audit.SYSTEM, now=now)
            responses.approve([point], by=audit.COMMAND_LINE, now=now)
