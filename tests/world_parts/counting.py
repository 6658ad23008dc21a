"""What is counted and written about opinions: snapshots, reports, kept selections, lexicons."""

import sqlalchemy as sa

from consult import lexicons, summaries
from consult.lexicons import Entry, EntryKind
from consult.programmes import Stage
from consult.summaries import Summary, kept_views, reports, theme_names
from consult.summaries.reports import Sentence
from core import accounts, audit
from core.db import db
from tests.conftest import NOON
from tests.world_parts.known import CLOSED, OPEN, consultation_at, email


def fill_summaries(stage: Stage) -> None:
    """A snapshot in each state, of consultations and of a stage."""
    published = summaries.make(consultation_at(OPEN), by=audit.SYSTEM, now=NOON)
    summaries.publish(published, by=audit.SYSTEM, now=NOON)
    withdrawn = summaries.make(consultation_at(CLOSED), by=audit.SYSTEM, now=NOON)
    summaries.publish(withdrawn, by=audit.SYSTEM, now=NOON)
    summaries.withdraw(withdrawn, reason="重新计算", by=audit.SYSTEM, now=NOON)
    for subject in (consultation_at(OPEN), stage):
        summaries.make(subject, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def fill_kept_on_summaries() -> None:
    """A theme that was given a name, and a selection somebody keeps."""
    summary = db.session.scalars(sa.select(Summary).order_by(Summary.id).limit(1)).one()
    theme_names.give(
        summary, 1, "停车和电梯", machine="停车位、加装电梯", by=audit.SYSTEM, now=NOON
    )
    keeper = accounts.by_email(email("drc_staff"))
    assert keeper is not None
    kept_views.keep(
        summary, keeper.id, name="只看来信", room="themes", query="channel=letter", now=NOON
    )
    db.session.commit()


def fill_reports() -> None:
    """A report that was composed, rewritten and signed, on the first snapshot."""
    summary = db.session.scalars(sa.select(Summary).order_by(Summary.id).limit(1)).one()
    composed = [
        Sentence("一、总体情况", "共收到意见若干件。", "共收到意见若干件。", {"channel": "web"}),
        Sentence("二、主要意见", "关于停车的意见。", "关于停车的意见。", {"term": "停车位"}, 1),
    ]
    reports.compose(summary, composed, seen=0, by=audit.SYSTEM, now=NOON)
    written = reports.Edit(["居民意见踊跃。", "关于停车的意见。"], ["以上。"])
    reports.edit(summary, written, seen=1, by=audit.SYSTEM, now=NOON)
    reports.sign(summary, seen=2, by=audit.SYSTEM, now=NOON)
    db.session.commit()


def fill_lexicon() -> None:
    """A lexicon of two versions, and a word somebody refused."""
    entries = (
        Entry("社区食堂", EntryKind.TERM),
        Entry("食堂", EntryKind.SYNONYM, "社区食堂"),
        Entry("楼下", EntryKind.STOP),
    )
    for number, entry in enumerate(entries[1:]):
        lexicons.change(
            put=[entries[0], entry], seen=number, reason="居民的说法", by=audit.SYSTEM, now=NOON
        )
    lexicons.refuse("三圈也找", by=audit.SYSTEM, now=NOON)
    db.session.commit()
