"""Builders: opinions as their authors send them, in any state, through the real operations."""

from typing import Any

from consult import points, screening, submissions
from consult.consultations import Consultation
from consult.points import Point
from consult.submissions import Channel, Opinion, Submission, SubmissionState
from core import audit
from core.db import db
from tests.conftest import NOON


def an_opinion(
    consultation: Consultation,
    body: str = "建议加装电梯。",
    channel: Channel = Channel.WEB,
    *,
    key: str = "",
    state: SubmissionState = SubmissionState.PENDING,
    **fields: Any,
) -> Submission:
    """An opinion that came at noon in this state, one for each key or, without, for each body;
    further fields as `Opinion` has them. Not committed."""
    received = submissions.receive(
        consultation,
        Opinion(body=body, channel=channel, **fields),
        once_key=key or body,
        state=state,
        by=audit.RESIDENT,
        now=NOON,
        on_day=NOON.date(),
    )
    return db.session.get_one(Submission, received.id)


def a_shown_opinion(consultation: Consultation, *words: Any, **fields: Any) -> Submission:
    """An opinion (see `an_opinion`) that was looked at and is shown. Not committed."""
    made = an_opinion(consultation, *words, **fields)
    screening.decide(made, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    return made


def a_point(consultation: Consultation, *words: Any, **fields: Any) -> Point:
    """The one point of an opinion (see `an_opinion`) that is shown. Not committed."""
    return points.of(a_shown_opinion(consultation, *words, **fields).id)[0]


def a_tree_opinion(consultation: Consultation, number: int = 1, **fields: Any) -> Submission:
    """The opinion of this number, which asks for trees; shown as it came. Committed."""
    words = {"body": f"第{number}件意见，希望多种一些树。"} | fields
    made = an_opinion(consultation, key=f"once-{number}", state=SubmissionState.SHOWN, **words)
    db.session.commit()
    return made
