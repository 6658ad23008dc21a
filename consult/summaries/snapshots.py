"""Opinion summaries (意见汇总): snapshots of what was said in a consultation or a whole stage.

A snapshot is never changed: counting again makes a new one and the old stay readable. Only what
passed screening is counted; the totals name the rest. What is hidden later is left out when a
snapshot is read (`readings`), because the public must not go on seeing it.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import search_documents
from consult.consultations import Consultation, log_change, touch
from consult.programmes import Stage
from consult.search_documents import Document, Kind
from consult.summaries.counting import COUNTED_STATES, Gathered, Result, beside, count, gather
from consult.summaries.counts import numbers
from consult.summaries.payload import pack, unpack
from core import audit
from core.db import Base, choice, db
from core.errors import Refused

Subject = Consultation | Stage
audit.KINDS["summary"] = _l("意见汇总")
audit.ACTIONS.update(
    {
        "summary.counted": _l("生成意见汇总"),
        "summary.published": _l("公布意见汇总"),
        "summary.withdrawn": _l("撤回意见汇总"),
    }
)


class SummaryState(StrEnum):
    """Who may read a summary."""

    COUNTED = "counted"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"

    @property
    def title(self) -> str:  # type: ignore[override]  # a name of ours, where str has a method
        """The state in the words of the page."""
        titles: dict[SummaryState, str] = {
            SummaryState.COUNTED: _("未公布"),
            SummaryState.PUBLISHED: _("已公布"),
            SummaryState.WITHDRAWN: _("已撤回"),
        }
        return titles[self]


NEXT = {
    SummaryState.COUNTED: {SummaryState.PUBLISHED},
    SummaryState.PUBLISHED: {SummaryState.WITHDRAWN},
    SummaryState.WITHDRAWN: {SummaryState.PUBLISHED},
}


class Summary(Base):
    """One snapshot: what was covered, how it was counted, and the compact record of it."""

    __tablename__ = "summary"
    __table_args__ = (
        sa.CheckConstraint("(consultation_id IS NULL) <> (stage_id IS NULL)", name="one_scope"),
        sa.CheckConstraint(
            "received = shown + pending + hidden + referred + withdrawn", name="totals"
        ),
        sa.CheckConstraint("(state = 'counted') = (published_at IS NULL)", name="published"),
        sa.UniqueConstraint("consultation_id", "number"),
        sa.UniqueConstraint("stage_id", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consultation.id"))
    stage_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stage.id"))
    # Running number within its scope: 第3次汇总.
    number: Mapped[int]
    state: Mapped[SummaryState] = mapped_column(choice(SummaryState))
    counted_at: Mapped[dt.datetime]
    published_at: Mapped[dt.datetime | None]
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"), index=True)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    lexicon: Mapped[str] = mapped_column(sa.String(40))
    method: Mapped[str] = mapped_column(sa.String(40))
    # What the scope looked like when it was counted; see `counting.basis`.
    basis: Mapped[dict[str, Any]]
    highest_id: Mapped[int]
    received: Mapped[int]
    shown: Mapped[int]
    pending: Mapped[int]
    hidden: Mapped[int]
    referred: Mapped[int]
    withdrawn: Mapped[int] = mapped_column(server_default="0", default=0)
    distinct: Mapped[int]
    people: Mapped[int]
    payload: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True)

    consultation: Mapped[Consultation | None] = relationship(lazy="joined")
    stage: Mapped[Stage | None] = relationship(lazy="joined")

    @property
    def subject(self) -> Subject:
        """What it summarises."""
        subject = self.consultation or self.stage
        assert subject is not None
        return subject


# --- making --------------------------------------------------------------------------------


def make(
    subject: Subject,
    *,
    by: audit.Actor,
    now: dt.datetime,
    between: Callable[[], object] = lambda: None,
) -> Summary:
    """Count the subject as it stands and keep the snapshot.

    `between` runs after the reading and before the counting, which takes seconds: a caller who
    has changed nothing yet passes the session's rollback, so that no writer waits meanwhile.
    """
    consultations = consultations_of(subject)
    with beside(consultations) as where:
        gathered = gather(consultations, where)
        between()
        result = count(gathered)
    return _keep(subject, gathered, result, by=by, now=now)


def _keep(
    subject: Subject, gathered: Gathered, result: Result, *, by: audit.Actor, now: dt.datetime
) -> Summary:
    # All that takes long, before anybody has to wait for this transaction.
    found, states, payload = numbers(result.counted.items), gathered.states(), pack(result.counted)
    table = type(subject)
    # Two counts at the same time take their numbers one after the other.
    db.session.execute(sa.select(table.id).where(table.id == subject.id).with_for_update())
    summary = Summary(
        consultation_id=subject.id if isinstance(subject, Consultation) else None,
        stage_id=subject.id if isinstance(subject, Stage) else None,
        number=_last_number(subject) + 1,
        state=SummaryState.COUNTED,
        counted_at=now,
        by_id=by.id,
        by_name=by.name[:120],
        lexicon=result.lexicon,
        method=result.method,
        basis=gathered.basis,
        highest_id=gathered.highest_id,
        received=states.total(),
        **{state.value: states[state] for state in COUNTED_STATES},
        distinct=found.distinct,
        people=found.people,
        payload=payload,
    )
    db.session.add(summary)
    db.session.flush()
    audit.record(
        "summary.counted",
        summary,
        by=by,
        now=now,
        name=subject.title,
        after={
            "number": summary.number,
            "submissions": found.submissions,
            "distinct": found.distinct,
            "people": found.people,
            "lexicon": summary.lexicon,
            "method": summary.method,
        },
    )
    return summary


def publish(summary: Summary, *, by: audit.Actor, now: dt.datetime) -> None:
    """Let the public read this snapshot; the newest published one is what they meet first."""
    consultation = summary.consultation
    if consultation is None:
        raise Refused(_("阶段汇总供工作人员使用，不单独公布；请公布各项意见征集的汇总。"))
    if not consultation.is_public:
        raise Refused(_("这项意见征集还没有公告，汇总不能公布。"))
    _move(summary, SummaryState.PUBLISHED)
    summary.published_at = now
    search_documents.put(Kind.SUMMARY, [findable(summary)])
    _told(summary, _("公布意见汇总（第%(n)d次）", n=summary.number), now=now)
    audit.record("summary.published", summary, by=by, now=now, name=consultation.title)


def withdraw(summary: Summary, *, reason: str, by: audit.Actor, now: dt.datetime) -> None:
    """Take a published snapshot back, with a reason that the public is told."""
    if not reason:
        raise Refused(_("请写明撤回的理由，理由会向公众展示。"))
    _move(summary, SummaryState.WITHDRAWN)
    search_documents.drop(Kind.SUMMARY, [summary.id])
    _told(summary, _("撤回意见汇总（第%(n)d次）", n=summary.number), reason=reason, now=now)
    audit.record(
        "summary.withdrawn", summary, by=by, now=now, name=summary.subject.title, reason=reason
    )


def findable(summary: Summary) -> Document:
    """By which words a published snapshot is found: its keywords and what it is about."""
    terms = [keyword.term for keyword in unpack(summary.payload).keywords]
    return Document(summary.id, (summary.subject.title, *terms), (f"c{summary.consultation_id}",))


def _move(summary: Summary, state: SummaryState) -> None:
    db.session.flush()
    db.session.refresh(summary, ["state"], with_for_update={"of": Summary})
    if state not in NEXT[summary.state]:
        raise Refused(_("这次汇总现在是“%(s)s”，请刷新页面后再看。", s=summary.state.title))
    summary.state = state


def _told(summary: Summary, what: str, *, now: dt.datetime, reason: str = "") -> None:
    consultation = summary.consultation
    assert consultation is not None
    touch(consultation)
    log_change(consultation, what, reason=reason, now=now)


# --- reading -------------------------------------------------------------------------------


def consultations_of(subject: Subject) -> Sequence[Consultation]:
    """The consultations a summary of the subject covers, the oldest first."""
    if isinstance(subject, Consultation):
        return [subject]
    query = sa.select(Consultation).where(Consultation.stage_id == subject.id)
    return db.session.scalars(query.order_by(Consultation.id)).all()


def by_id(summary_id: int) -> Summary | None:
    """The summary with this id."""
    return db.session.get(Summary, summary_id)


def of(subject: Subject, *, before: int | None = None, limit: int = 1) -> Sequence[Summary]:
    """The newest summaries of a subject, or those before number `before`."""
    query = sa.select(Summary).where(_about(subject))
    if before is not None:
        query = query.where(Summary.number < before)
    return db.session.scalars(query.order_by(Summary.number.desc()).limit(limit)).all()


def published(consultation: Consultation) -> Sequence[Summary]:
    """The snapshots the public may read, the one that was published last first."""
    query = sa.select(Summary).where(_about(consultation), Summary.state == SummaryState.PUBLISHED)
    return db.session.scalars(query.order_by(Summary.published_at.desc(), Summary.id.desc())).all()


def is_published(consultation: Consultation) -> bool:
    """Whether the public finds any summary of this consultation."""
    query = sa.select(Summary.id).where(
        _about(consultation), Summary.state == SummaryState.PUBLISHED
    )
    return db.session.scalar(query.limit(1)) is not None


def newest() -> dict[tuple[str, int], Summary]:
    """The newest summary of everything that has one, by ("consultation" or "stage", id)."""
    scope = (Summary.consultation_id, Summary.stage_id)
    last = sa.select(sa.func.max(Summary.id)).group_by(*scope)
    found = db.session.scalars(sa.select(Summary).where(Summary.id.in_(last)))
    return {
        ("consultation", s.consultation_id) if s.consultation_id else ("stage", s.stage_id or 0): s
        for s in found
    }


def _about(subject: Subject) -> sa.ColumnElement[bool]:
    column = Summary.consultation_id if isinstance(subject, Consultation) else Summary.stage_id
    return column == subject.id


def _last_number(subject: Subject) -> int:
    return db.session.scalar(sa.select(sa.func.max(Summary.number)).where(_about(subject))) or 0
