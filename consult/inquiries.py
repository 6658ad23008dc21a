"""Inquiries (征询): which units were asked for their opinion on a consultation, and what they said.

A unit that was asked has opinions (有意见), says that it has none (无意见), or has not answered
(未反馈): which, is read off what is there and never stored. Its opinions are submissions of the
channel 部门街镇 like any other, screened, split and answered; here is only kept whose they are. A
unit may answer until the round is answered, late answers included: what is due is only a date.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import points, provenance, submissions
from consult.consultations import SHANGHAI, Consultation, Phase
from consult.point_rows import Point, PointState
from consult.submissions import Channel, Opinion, Received, Submission, SubmissionState
from core import audit, working_days
from core.db import Base, db
from core.errors import Refused
from core.units import Unit

audit.KINDS["inquiry"] = _l("征询单位")
audit.ACTIONS.update(
    {
        "inquiry.asked": _l("征询单位意见"),
        "inquiry.extended": _l("延长单位反馈期限"),
        "inquiry.taken_back": _l("取消征询"),
        "inquiry.said_none": _l("单位反馈无意见"),
        "inquiry.answered": _l("单位提出意见"),
        "inquiry.chased": _l("催办单位反馈"),
    }
)
audit.FIELDS.update({"due_on": _l("反馈期限"), "units": _l("单位数"), "on_paper": _l("书面反馈")})

# How many working days a unit has unless the office says otherwise.
USUAL_DAYS = 10
MOST_DAYS = 60
LONGEST_NOTE = 500
# What came in time and what did not, as long as the round is not answered.
ASKING = (Phase.OPEN, Phase.CLOSED)
NOT_SAID = (SubmissionState.WITHDRAWN, SubmissionState.UNDONE)


class Answer(Enum):
    """What a unit that was asked has said."""

    OPINIONS = "opinions"
    NONE = "none"
    SILENT = "silent"

    @property
    def title(self) -> str:
        """The answer in the words of the table."""
        titles: dict[Answer, str] = {
            Answer.OPINIONS: _("有意见"),
            Answer.NONE: _("无意见"),
            Answer.SILENT: _("未反馈"),
        }
        return titles[self]

    @property
    def tag(self) -> str:
        """The kind of `status_tag` it is shown with."""
        return {Answer.OPINIONS: "ok", Answer.NONE: "info", Answer.SILENT: "wait"}[self]


class Inquiry(Base):
    """One unit, asked about one consultation."""

    __tablename__ = "inquiry"
    __table_args__ = (
        sa.UniqueConstraint("consultation_id", "unit_id"),
        sa.CheckConstraint("(none_at IS NULL) = (none_by_name IS NULL)", name="none_is_said"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"))
    unit_id: Mapped[int] = mapped_column(sa.ForeignKey("unit.id"), index=True)
    # What the unit is asked to look at.
    note: Mapped[str] = mapped_column(sa.String(LONGEST_NOTE), default="")
    due_on: Mapped[dt.date]
    asked_at: Mapped[dt.datetime]
    asked_by_id: Mapped[int | None]
    asked_by_name: Mapped[str] = mapped_column(sa.String(120))
    # When and by whom it was said that there is no opinion, and whether on paper.
    none_at: Mapped[dt.datetime | None]
    none_by_name: Mapped[str | None] = mapped_column(sa.String(120))
    on_paper: Mapped[bool] = mapped_column(default=False)

    unit: Mapped[Unit] = relationship(lazy="joined", innerjoin=True)
    consultation: Mapped[Consultation] = relationship()


class InquiryOpinion(Base):
    """An opinion that a unit gave because it was asked."""

    __tablename__ = "inquiry_opinion"

    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), primary_key=True)
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id"), index=True)
    on_paper: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """A unit that was asked, and what became of that: opinions (件) and the points in them (条)."""

    inquiry: Inquiry
    opinions: int
    points: int

    @property
    def answer(self) -> Answer:
        """What it has said."""
        if self.opinions:
            return Answer.OPINIONS
        return Answer.NONE if self.inquiry.none_at else Answer.SILENT

    def is_late(self, today: dt.date) -> bool:
        """Whether it should have answered and has not."""
        return self.answer is Answer.SILENT and self.inquiry.due_on < today


# --- reading -----------------------------------------------------------------------------------


def by_id(inquiry_id: int) -> Inquiry | None:
    """The inquiry with this id."""
    return db.session.get(Inquiry, inquiry_id)


def of(consultation_id: int) -> list[Asked]:
    """The units asked about a consultation, by kind and name."""
    query = sa.select(Inquiry).where(Inquiry.consultation_id == consultation_id)
    return _with_answers(query.join(Unit).order_by(Unit.kind, Unit.name))


def of_unit(unit_id: int, *, before: int | None = None, limit: int = 30) -> list[Asked]:
    """What a unit was asked, the newest first."""
    query = sa.select(Inquiry).where(Inquiry.unit_id == unit_id)
    if before is not None:
        query = query.where(Inquiry.id < before)
    return _with_answers(query.order_by(Inquiry.id.desc()).limit(limit))


def one(inquiry: Inquiry) -> Asked:
    """This one with what was said."""
    return _with_answers(sa.select(Inquiry).where(Inquiry.id == inquiry.id))[0]


def _with_answers(query: sa.Select[Inquiry]) -> list[Asked]:
    found = db.session.scalars(query).all()
    numbers = (
        sa.select(
            InquiryOpinion.inquiry_id,
            sa.func.count(sa.distinct(Submission.id)),
            sa.func.count(Point.id),
        )
        .join(Submission, Submission.id == InquiryOpinion.submission_id)
        .outerjoin(
            Point, sa.and_(Point.submission_id == Submission.id, Point.state == PointState.LIVE)
        )
        .where(
            InquiryOpinion.inquiry_id.in_([each.id for each in found]),
            Submission.state.not_in(NOT_SAID),
        )
        .group_by(InquiryOpinion.inquiry_id)
    )
    said = {row[0]: (row[1], row[2]) for row in db.session.execute(numbers)}
    return [Asked(each, *said.get(each.id, (0, 0))) for each in found]


def counts(every: Iterable[Answer]) -> dict[Answer, int]:
    """How many units said what; each answer is there, also at zero."""
    counted = Counter(every)
    return {answer: counted[answer] for answer in Answer}


def opinions(inquiry_id: int) -> Sequence[tuple[Submission, bool]]:
    """What a unit gave, in order, and whether it came on paper."""
    query = (
        sa.select(Submission, InquiryOpinion.on_paper)
        .join(InquiryOpinion, InquiryOpinion.submission_id == Submission.id)
        .where(InquiryOpinion.inquiry_id == inquiry_id)
        .order_by(Submission.id)
    )
    return [(row[0], row[1]) for row in db.session.execute(query)]


def waiting_for(unit_id: int, now: dt.datetime) -> int:
    """How many inquiries a unit has still to answer."""
    return len(_silent(Inquiry.unit_id == unit_id, now))


def silent(now: dt.datetime) -> Sequence[Inquiry]:
    """All inquiries without an answer, of rounds that are not answered."""
    return _silent(sa.true(), now)


def _silent(condition: sa.ColumnElement[bool], now: dt.datetime) -> list[Inquiry]:
    said = (
        sa.select(InquiryOpinion.inquiry_id)
        .join(Submission, Submission.id == InquiryOpinion.submission_id)
        .where(Submission.state.not_in(NOT_SAID))
    )
    query = sa.select(Inquiry).where(condition, Inquiry.none_at.is_(None), Inquiry.id.not_in(said))
    found = db.session.scalars(query.order_by(Inquiry.id)).all()
    return [each for each in found if takes(each.consultation, now)]


def takes(consultation: Consultation, now: dt.datetime) -> bool:
    """Whether units may be asked and may answer."""
    return consultation.phase(now) in ASKING


def due_day(now: dt.datetime, days: int) -> dt.date:
    """The last day to answer: so many working days after today."""
    return working_days.after(now.astimezone(SHANGHAI).date(), days)


# --- asking ------------------------------------------------------------------------------------


def ask(
    consultation: Consultation,
    units: Sequence[Unit],
    *,
    days: int = USUAL_DAYS,
    note: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> list[Inquiry]:
    """Ask units for their opinion. Those that were asked before are not asked again."""
    _hold(consultation, now, note)
    if not 1 <= days <= MOST_DAYS:
        raise Refused(_("期限请填1到%(n)d个工作日。", n=MOST_DAYS), kept_text=note)
    query = sa.select(Inquiry.unit_id).where(Inquiry.consultation_id == consultation.id)
    known = set(db.session.scalars(query))
    fresh = [unit for unit in units if unit.id not in known]
    if not fresh:
        raise Refused(_("请选择还没有征询过的单位。"), kept_text=note)
    due_on = due_day(now, days)
    made = [
        Inquiry(
            consultation_id=consultation.id,
            unit_id=unit.id,
            note=note,
            due_on=due_on,
            asked_at=now,
            asked_by_id=by.id,
            asked_by_name=by.name[:120],
        )
        for unit in fresh
    ]
    db.session.add_all(made)
    db.session.flush()
    for inquiry, unit in zip(made, fresh, strict=True):
        _record("inquiry.asked", inquiry, unit, by, now, {"due_on": due_on.isoformat()})
    return made


def extend(
    consultation: Consultation, *, days: int, by: audit.Actor, now: dt.datetime
) -> list[Inquiry]:
    """Give the units that have not answered so many working days from today; a day that is later
    already stays."""
    _hold(consultation, now)
    if not 1 <= days <= MOST_DAYS:
        raise Refused(_("期限请填1到%(n)d个工作日。", n=MOST_DAYS))
    due_on = due_day(now, days)
    changed = [
        each.inquiry
        for each in of(consultation.id)
        if each.answer is Answer.SILENT and each.inquiry.due_on < due_on
    ]
    if not changed:
        raise Refused(_("没有需要延长期限的单位。"))
    for inquiry in changed:
        inquiry.due_on = due_on
        after = {"due_on": due_on.isoformat()}
        _record("inquiry.extended", inquiry, inquiry.unit, by, now, after)
    db.session.flush()
    return changed


def take_back(inquiry: Inquiry, *, by: audit.Actor, now: dt.datetime) -> None:
    """Let a unit that was asked by mistake not have been asked; not once it has answered."""
    _hold(inquiry.consultation, now)
    db.session.refresh(inquiry)
    if one(inquiry).answer is not Answer.SILENT or opinions(inquiry.id):
        raise Refused(_("这个单位已经反馈，不能取消征询。"))
    _record("inquiry.taken_back", inquiry, inquiry.unit, by, now, {})
    db.session.delete(inquiry)
    db.session.flush()


# --- answering ---------------------------------------------------------------------------------


def say_none(
    inquiry: Inquiry, *, on_paper: bool = False, by: audit.Actor, now: dt.datetime
) -> None:
    """The unit has no opinion. It may still give one later."""
    _hold(inquiry.consultation, now)
    db.session.refresh(inquiry)
    if one(inquiry).answer is not Answer.SILENT:
        raise Refused(_("这个单位已经反馈过了，请刷新后查看。"))
    inquiry.none_at, inquiry.none_by_name, inquiry.on_paper = now, by.name[:120], on_paper
    db.session.flush()
    _record("inquiry.said_none", inquiry, inquiry.unit, by, now, {"on_paper": on_paper})


def give(
    inquiry: Inquiry,
    opinion: Opinion,
    *,
    once_key: str,
    secret: str,
    on_paper: bool = False,
    by: audit.Actor,
    now: dt.datetime,
) -> Received:
    """Take an opinion of the unit in, to be screened like any other. What it said of having none
    is over with that."""
    consultation = inquiry.consultation
    _hold(consultation, now, opinion.body)
    db.session.refresh(inquiry)
    unit = inquiry.unit
    received = submissions.receive(
        consultation,
        _of_unit(opinion, unit, secret),
        once_key=once_key,
        by=by,
        now=now,
        on_day=now.astimezone(SHANGHAI).date(),
    )
    if received.again:
        return received
    provenance.note(received.id, by=by)
    db.session.add(
        InquiryOpinion(submission_id=received.id, inquiry_id=inquiry.id, on_paper=on_paper)
    )
    inquiry.none_at, inquiry.none_by_name, inquiry.on_paper = None, None, False
    db.session.flush()
    _record("inquiry.answered", inquiry, unit, by, now, {"on_paper": on_paper})
    return received


def _of_unit(opinion: Opinion, unit: Unit, secret: str) -> Opinion:
    """The opinion as the unit's: a unit's name is no personal information and is printed."""
    return Opinion(
        body=opinion.body,
        title=opinion.title,
        version_id=opinion.version_id,
        place=opinion.place,
        stance=opinion.stance,
        channel=Channel.UNIT,
        public_name=unit.name[:40],
        person_key=submissions.person_key(secret, "unit", unit.slug),
        external_id=opinion.external_id,
        received_on=opinion.received_on,
    )


def _hold(consultation: Consultation, now: dt.datetime, kept_text: str = "") -> None:
    """Let acts on the units of a consultation queue with the release of its table."""
    points.lock_consultation(consultation.id)
    db.session.refresh(consultation)
    if not takes(consultation, now):
        raise Refused(_("征集开始以后、反馈以前，才能征询单位和反馈意见。"), kept_text=kept_text)


def _record(
    action: str,
    inquiry: Inquiry,
    unit: Unit,
    by: audit.Actor,
    now: dt.datetime,
    after: Mapping[str, object],
) -> None:
    audit.record(action, inquiry, by=by, now=now, name=unit.name, after=dict(after))
