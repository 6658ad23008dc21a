"""Undoing an import (撤销导入): taking a whole table out again.

What nobody has touched since goes: it is shown nowhere and counted nowhere, in one act, and its
numbers are not given again, because they may be cited. An opinion on which somebody has acted, be
it a screener, its author or a reader, stays and is named: it is no longer the import's alone. The
rows themselves are kept out of sight, so that the record of the import stays true; the same table
brought in again brings them in anew.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult import point_merges, screening_figures, search_opinions, term_index
from consult.attachments import Attachment
from consult.consultations import Consultation, Phase
from consult.decisions import Decision, Proposal
from consult.intake import Intake, IntakeState
from consult.originals import Addition, Original
from consult.point_rows import Point, PointState
from consult.response_rows import Response
from consult.stance_corrections import StanceCorrection
from consult.submissions import Contact, Submission, SubmissionState, tally
from consult.supports import Support
from core import audit, jobs
from core.db import batches, db
from core.errors import Refused

audit.ACTIONS["submissions.import_undone"] = _l("撤销导入")
audit.FIELDS.update({"undone": _l("撤销件数"), "stayed": _l("保留件数")})
LONGEST_REASON = 200
SHOWN, UNDONE = SubmissionState.SHOWN, SubmissionState.UNDONE


@dataclass(frozen=True, slots=True)
class Staying:
    """An opinion that stays, and what was done to it since."""

    id: int
    number: int
    why: str


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    number: int
    place: int
    state: SubmissionState
    received_at: dt.datetime
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What undoing would do now."""

    going: Sequence[_Row]
    staying: Sequence[Staying]

    @property
    def mark(self) -> str:
        """Equal as long as undoing would do the same: who confirms has seen just this."""
        last = self.going[-1].id if self.going else 0
        return f"{len(self.going)}.{len(self.staying)}.{last}"


def outlook(intake: Intake) -> Outlook:
    """What would go and what would stay."""
    return _outlook(intake, hold=False)


def undo(
    intake: Intake, *, reason: str, seen: str, by: audit.Actor, now: dt.datetime
) -> tuple[int, int]:
    """Take an import out again: (how many opinions went, how many stayed).

    Refuses what is not in, what has been answered, and when it would do something else than the
    person has `seen`.
    """
    if not reason.strip():
        raise Refused(_("请写明撤销的理由。"))
    db.session.refresh(intake, with_for_update=True)
    must_be_possible(intake, now=now)
    found = _outlook(intake, hold=True)
    if seen != found.mark:
        raise Refused(_("这份表格里的意见刚刚有变化，请再看一遍后确认。"))
    if not found.going and intake.imported:
        raise Refused(_("这份表格里的意见都已经有人处理过，不能撤销。"))
    _take_out(intake, found.going)
    intake.state, intake.stored_as = IntakeState.UNDONE, ""
    intake.undone, intake.undone_at = len(found.going), now
    intake.undone_by, intake.undone_why = by.name[:120], reason[:LONGEST_REASON]
    audit.record(
        "submissions.import_undone",
        intake,
        by=by,
        now=now,
        name=intake.filename,
        after={"undone": len(found.going), "stayed": len(found.staying)},
        reason=reason[:LONGEST_REASON],
    )
    return len(found.going), len(found.staying)


def must_be_possible(intake: Intake, *, now: dt.datetime) -> None:
    """Refuse a table that is not in, or still on its way, and one of an answered consultation."""
    if intake.state is IntakeState.UNDONE:
        raise Refused(_("这次导入已经撤销了。"))
    if intake.state is IntakeState.UPLOADED:
        raise Refused(_("这份表格还没有导入。"))
    if is_on_its_way(intake):
        raise Refused(_("这份表格正在导入，请等它结束，或者先取消导入任务。"))
    consultation = db.session.get_one(Consultation, intake.consultation_id)
    if consultation.phase(now) is Phase.ANSWERED:
        raise Refused(_("这次征集已经公布反馈，收到的意见不再变动。"))


def is_on_its_way(intake: Intake) -> bool:
    """Whether a worker is bringing it in, or will."""
    if intake.state is not IntakeState.RUNNING or intake.job_id is None:
        return False
    job = db.session.get(jobs.Job, intake.job_id, populate_existing=True)
    return job is not None and job.is_open


def _outlook(intake: Intake, *, hold: bool) -> Outlook:
    columns = [getattr(Submission, name) for name in _Row.__slots__]
    query = sa.select(*columns).where(Submission.intake_id == intake.id, Submission.state != UNDONE)
    query = query.order_by(Submission.id)
    # Held, so that nobody acts on one of them between the look and the deed.
    rows = [_Row(*row) for row in db.session.execute(query.with_for_update() if hold else query)]
    acted = _acted_on(intake.id)
    why = {row.id: acted.get(row.id) or _own(row) for row in rows}
    return Outlook(
        going=[row for row in rows if not why[row.id]],
        staying=[Staying(row.id, row.number, why[row.id]) for row in rows if why[row.id]],
    )


def _own(row: _Row) -> str:
    return _("作者已归入自己的账号") if row.account_id is not None else ""


def _acted_on(intake_id: int) -> Mapping[int, str]:
    """{submission id: what was done to it} for those of a table somebody has acted on."""
    acts: list[tuple[Any, str]] = [
        (Support, _("已有居民支持")),
        (Attachment, _("附有扫描件")),
        (Contact, _("留有联系方式")),
        (Addition, _("文字有补充")),
        (Original, _("文字有隐去或补充")),
        (StanceCorrection, _("态度经人工更正")),
        (Proposal, _("有审核员提出不展示")),
        # Appeals are made against decisions.
        (Decision, _("已经审核处理")),
    ]
    found: dict[int, str] = dict.fromkeys(_worked_on(intake_id), _("已经拆分、归并、分办或答复"))
    for table, said in acts:
        query = sa.select(table.submission_id).join(
            Submission, Submission.id == table.submission_id
        )
        ids = db.session.scalars(query.where(Submission.intake_id == intake_id).distinct())
        found |= dict.fromkeys(ids, said)
    return found


def _worked_on(intake_id: int) -> Sequence[int]:
    """The submissions of a table whose points somebody has touched."""
    touched = sa.or_(
        Point.ordinal > 1,
        Point.end.is_not(None),
        Point.group_id.is_not(None),
        Point.topic_key != "",
        Point.lead_unit_id.is_not(None),
        Response.point_id.is_not(None),
    )
    query = (
        sa.select(Point.submission_id)
        .join(Submission, Submission.id == Point.submission_id)
        .outerjoin(Response, Response.point_id == Point.id)
        .where(Submission.intake_id == intake_id, touched)
    )
    return db.session.scalars(query.distinct()).all()


def _take_out(intake: Intake, going: Sequence[_Row]) -> None:
    if not going:
        return
    ids = [row.id for row in going]
    shown = sum(row.state is SHOWN for row in going)
    for some in batches(ids):
        # The key is given free: the same row may come in again.
        key = sa.literal("undone:") + sa.cast(Submission.id, sa.String(20))
        db.session.execute(
            sa.update(Submission)
            .where(Submission.id.in_(some))
            .values(state=UNDONE, once_key=key)
            .execution_options(synchronize_session=False)
        )
        db.session.execute(
            sa.update(Point)
            .where(Point.submission_id.in_(some))
            .values(state=PointState.SUPERSEDED)
            .execution_options(synchronize_session=False)
        )
    db.session.execute(
        sa.update(Consultation)
        .where(Consultation.id == intake.consultation_id)
        .values(
            received=Consultation.received - len(going),
            shown=Consultation.shown - shown,
            stamp=Consultation.stamp + 1,
        )
        .execution_options(synchronize_session=False)
    )
    places = Counter(row.place for row in going)
    seen = Counter(row.place for row in going if row.state is SHOWN)
    for place, count in places.items():
        tally(intake.consultation_id, place, received=-count, shown=-seen[place])
    # The figures of the months in which they were counted.
    moments = Counter((row.received_at, row.state is SHOWN) for row in going)
    for (at, was_shown), count in moments.items():
        screening_figures.count({"received": -count, "shown": -count * was_shown}, now=at)
    search_opinions.follow(ids)
    term_index.follow(ids)
    point_merges.follow_opinions(intake.consultation_id, ids)
    db.session.expire_all()
