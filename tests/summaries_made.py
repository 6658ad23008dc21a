"""Builders for summaries: opinions in a consultation, as the real operations store them."""

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from consult import decisions, fingerprints, screening, submissions, summaries
from consult.consultations import Consultation
from consult.drafts import Version, outline
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from consult.summaries import Subject, Summary
from core import audit
from core.db import db
from tests.conftest import NOON

_keys = itertools.count(1)
SHOWN, PENDING = SubmissionState.SHOWN, SubmissionState.PENDING


def an_opinion(
    consultation: Consultation,
    body: str,
    *,
    state: SubmissionState = SHOWN,
    day: dt.date = dt.date(2020, 10, 12),
    place: int = 0,
    version: Version | None = None,
    stance: Stance | None = None,
    channel: Channel = Channel.WEB,
    person: str | None = None,
    title: str = "",
) -> Submission:
    """One stored opinion; not committed."""
    received = submissions.receive(
        consultation,
        Opinion(
            body=body,
            title=title,
            place=place,
            version_id=version.id if version else None,
            stance=stance,
            channel=channel,
            person_key=person,
        ),
        once_key=f"made-{next(_keys)}",
        state=state,
        by=audit.SYSTEM,
        now=NOON,
        on_day=day,
    )
    return db.session.get_one(Submission, received.id)


def many_opinions(consultation: Consultation, rows: Iterable[Mapping[str, Any]]) -> None:
    """Opinions stored quickly: the columns given over usual ones. Committed."""
    numbers = itertools.count(consultation.received + 1)
    ready = []
    for row in rows:
        number = next(numbers)
        plain = {
            "consultation_id": consultation.id,
            "number": number,
            "receipt": f"made-{consultation.id}-{number}",
            "once_key": f"made-{number}",
            "place": 0,
            "title": "",
            "fingerprint": fingerprints.of(row["body"]),
            "channel": Channel.WEB,
            "received_at": NOON,
            "received_on": dt.date(2020, 10, 12),
            "state": SHOWN,
        }
        ready.append({**plain, **row})
    db.session.execute(sa.insert(Submission), ready)
    shown = sum(row["state"] is SHOWN for row in ready)
    consultation.received += len(ready)
    consultation.shown += shown
    consultation.stamp += 1
    db.session.commit()


def places(version: Version) -> dict[str, int]:
    """{words of a heading or paragraph: its id}."""
    return {entry.text: entry.id for entry in outline(version).entries}


def a_summary(subject: Subject, now: dt.datetime = NOON) -> Summary:
    """A snapshot of what is there now; committed."""
    summary = summaries.make(subject, by=audit.SYSTEM, now=now)
    db.session.commit()
    return summary


def hide(submission: Submission, now: dt.datetime = NOON) -> None:
    """Hide a shown opinion, as a screener would; committed."""
    reason = decisions.Reason.PERSONAL_INFORMATION
    screening.decide(submission, SubmissionState.HIDDEN, reason=reason, by=audit.SYSTEM, now=now)
    db.session.commit()
