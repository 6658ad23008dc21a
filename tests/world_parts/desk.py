"""What else the desk has before it: messages, long jobs and reports of mistakes."""

import datetime as dt

from core import accounts, audit, corrections, outbox, sealing
from core.config import of_site
from core.corrections import CorrectionState, ErrorType, Report
from core.db import db
from core.jobs import Job, JobState
from core.outbox import Message, MessageState
from tests.conftest import NOON
from tests.world_parts.known import OPEN, email


def fill_messages() -> None:
    """A message in each state that staff have something to say about."""
    sealed = sealing.seal(of_site().contact_key, "wang@example.cn")
    for state in MessageState:
        db.session.add(
            Message(
                once_key=state.value,
                sealed_address=b"" if state is MessageState.SENT else sealed,
                subject="您参与的征集已公布反馈",
                body="您好！",
                state=state,
                created_at=NOON,
                due_at=NOON,
                tried_at=NOON if state is not MessageState.WAITING else None,
                trouble="550 no such mailbox" if state in outbox.STUCK else "",
            )
        )
    db.session.commit()


def fill_jobs() -> None:
    """A long job in each state, an officer's and an administrator's in turn."""
    for number, state in enumerate(JobState):
        person = accounts.by_email(email(("drc_staff", "administrator")[number % 2]))
        assert person is not None
        over = state not in (JobState.WAITING, JobState.RUNNING)
        db.session.add(
            Job(
                kind="index.rebuild",
                name="全部意见",
                arguments={"lexicon": "1"},
                state=state,
                done=3,
                total=9,
                checkpoint={"last": 3},
                held_by="here:1/ab" if state is JobState.RUNNING else "",
                lease_until=NOON if state is JobState.RUNNING else None,
                heartbeat_at=NOON if state is not JobState.WAITING else None,
                attempts=2,
                error="编号重复，没有导入。" if state is JobState.FAILED else "",
                result={"words": "共9件。", "path": "/desk/"} if state is JobState.DONE else None,
                asked_by_id=person.id,
                asked_by_name=person.name,
                asked_at=NOON - dt.timedelta(hours=number),
                started_at=NOON if state is not JobState.WAITING else None,
                ended_at=NOON if over else None,
            )
        )
    db.session.commit()


def fill_corrections() -> None:
    """A report in each state."""
    for number, state in enumerate(CorrectionState):
        report = Report(
            kind=list(ErrorType)[number],
            page=f"/consultations/{OPEN}/",
            title="截止日期写错了",
            details="公告里写的是去年，应当是今年。",
            name="王小明",
        )
        receipt = corrections.receive(report, key=f"once-{number}", by=audit.RESIDENT, now=NOON)
        if state is not CorrectionState.WAITING:
            found = corrections.by_receipt(receipt)
            assert found is not None
            corrections.answer(
                found,
                state,
                words="已经改为今年，谢谢您。",
                public_title="公告里的日期",
                by=audit.SYSTEM,
                now=NOON,
            )
    db.session.commit()
