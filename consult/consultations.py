"""Consultations (意见征集): the notice, the window and its statutory clock.

A consultation's phase is read off the clock, never set by a job: what is announced opens and
closes by itself at the moments everybody was told. Times are UTC inside; a window is said in
whole days of Shanghai and closes at 24:00 of its last day.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from enum import Enum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult import search_documents
from consult.programmes import Programme, Stage
from consult.search_documents import Document, Kind
from core import audit
from core.db import Base, choice, db
from core.errors import Refused
from core.units import Unit

audit.ACTIONS.update(
    {
        "consultation.created": _l("新建意见征集"),
        "consultation.notice_written": _l("修改公告文字"),
        "consultation.entrusted": _l("变更征集部门"),
        "consultation.window_set": _l("设定征集时间"),
        "consultation.announced": _l("发布公告"),
        "consultation.extended": _l("延长征集时间"),
        "consultation.answered": _l("公布征集情况反馈"),
    }
)
audit.KINDS.update({"consultation": _l("意见征集")})
audit.FIELDS.update(
    {
        "title": _l("标题"),
        "slug": _l("网址短名"),
        "stage": _l("阶段"),
        "explanation": _l("起草说明"),
        "ways": _l("参与方式"),
        "contact": _l("联系方式"),
        "feedback": _l("征集情况反馈"),
        "opens_at": _l("开始时间"),
        "closes_at": _l("截止时间"),
        "state": _l("状态"),
    }
)

audit.VALUES.setdefault("state", {}).update({"announced": _l("已公告"), "answered": _l("已反馈")})

SHANGHAI = ZoneInfo("Asia/Shanghai")
# State Council Order 713, art. 15: normally not less than 30 days.
STATUTORY_DAYS = 30
# Nobody calls for opinions on a draft for longer; a year typed wrongly is caught here.
LONGEST_DAYS = 366
YEARS = range(2000, 2100)
# The parts of the notice that are words, in the order of the page.
NOTICE = ("title", "explanation", "ways", "contact")
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class ConsultationState(Enum):
    """What people have decided about a consultation; the clock does the rest."""

    PREPARING = "preparing"
    ANNOUNCED = "announced"
    ANSWERED = "answered"


class Phase(Enum):
    """What a visitor is told: 草拟 → 预告 → 征集中 → 已截止 → 已反馈."""

    PREPARING = "preparing"
    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    ANSWERED = "answered"

    @property
    def title(self) -> str:
        """The phase in the words of the page."""
        titles: dict[Phase, str] = {
            Phase.PREPARING: _("草拟"),
            Phase.UPCOMING: _("预告"),
            Phase.OPEN: _("征集中"),
            Phase.CLOSED: _("已截止"),
            Phase.ANSWERED: _("已反馈"),
        }
        return titles[self]


NEXT = {
    ConsultationState.PREPARING: {ConsultationState.ANNOUNCED},
    ConsultationState.ANNOUNCED: {ConsultationState.ANSWERED},
    ConsultationState.ANSWERED: set[ConsultationState](),
}


class Consultation(Base):
    """One call for opinions on one draft: the notice, its window and its running totals."""

    __tablename__ = "consultation"
    __table_args__ = (
        sa.CheckConstraint("closes_at IS NULL OR opens_at < closes_at", name="window"),
        sa.CheckConstraint("received >= shown AND shown >= 0", name="totals"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(sa.String(64), unique=True)
    programme_id: Mapped[int] = mapped_column(sa.ForeignKey("programme.id"))
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("stage.id"), index=True)
    unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("unit.id"))
    title: Mapped[str] = mapped_column(sa.String(200))
    state: Mapped[ConsultationState] = mapped_column(
        choice(ConsultationState), default=ConsultationState.PREPARING
    )
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    explanation: Mapped[str] = mapped_column(sa.Text, default="")
    ways: Mapped[str] = mapped_column(sa.Text, default="")
    contact: Mapped[str] = mapped_column(sa.Text, default="")
    opens_at: Mapped[dt.datetime | None]
    closes_at: Mapped[dt.datetime | None]
    short_reason: Mapped[str] = mapped_column(sa.Text, default="")
    # What the office tells everybody when the round is over.
    feedback: Mapped[str] = mapped_column(sa.Text, default="")
    created_at: Mapped[dt.datetime]
    # Running totals, kept in the transaction that changes them. `stamp` rises with every change
    # a reader could notice, so that a cached page knows whether it is still true.
    received: Mapped[int] = mapped_column(default=0)
    shown: Mapped[int] = mapped_column(default=0)
    stamp: Mapped[int] = mapped_column(default=0)
    # `edition` rises only when something other than a count changed: words, window, phase, draft.
    edition: Mapped[int] = mapped_column(default=0)

    programme: Mapped[Programme] = relationship(lazy="joined", innerjoin=True)
    stage: Mapped[Stage] = relationship(lazy="joined", innerjoin=True)
    unit: Mapped[Unit | None] = relationship(lazy="joined")

    def phase(self, now: dt.datetime) -> Phase:
        """Where the consultation stands at `now`."""
        return phase_of(self.state, self.opens_at, self.closes_at, now)

    @property
    def is_public(self) -> bool:
        """Whether anyone may read the notice."""
        return self.state is not ConsultationState.PREPARING

    @property
    def first_day(self) -> dt.date | None:
        """The first day of the window in Shanghai; None while it is not set."""
        return self.opens_at.astimezone(SHANGHAI).date() if self.opens_at else None

    @property
    def last_day(self) -> dt.date | None:
        """The day at whose 24:00 the window closes; None while it is not set."""
        if self.closes_at is None:
            return None
        return (self.closes_at - dt.timedelta(microseconds=1)).astimezone(SHANGHAI).date()

    @property
    def days(self) -> int:
        """Length of the window in days; 0 while it is not set."""
        return length(self.first_day, self.last_day)


def phase_of(
    state: ConsultationState,
    opens_at: dt.datetime | None,
    closes_at: dt.datetime | None,
    now: dt.datetime,
) -> Phase:
    """Where a consultation with this state and window stands at `now`."""
    if state is not ConsultationState.ANNOUNCED:
        return Phase(state.value)
    assert opens_at is not None
    assert closes_at is not None
    if now < opens_at:
        return Phase.UPCOMING
    return Phase.OPEN if now < closes_at else Phase.CLOSED


class HasPhase(Protocol):
    """A consultation, or what is known of it while a comment is being sent."""

    def phase(self, now: dt.datetime) -> Phase:
        """Where it stands at `now`."""


class ConsultationChange(Base):
    """A change of the window or the state that the public is shown."""

    __tablename__ = "consultation_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    consultation_id: Mapped[int] = mapped_column(sa.ForeignKey("consultation.id"), index=True)
    at: Mapped[dt.datetime]
    what: Mapped[str] = mapped_column(sa.Text)
    reason: Mapped[str] = mapped_column(sa.Text, default="")


# --- reading -------------------------------------------------------------------------------


def by_slug(slug: str) -> Consultation | None:
    """The consultation with this slug, public or not."""
    return db.session.scalar(sa.select(Consultation).where(Consultation.slug == slug))


def by_id(consultation_id: int) -> Consultation:
    """The consultation with this id, which something already refers to."""
    return db.session.get_one(Consultation, consultation_id)


def every(*, public_only: bool) -> Sequence[Consultation]:
    """All consultations, the one that closes last first."""
    query = sa.select(Consultation).order_by(
        Consultation.closes_at.desc().nulls_first(), Consultation.id.desc()
    )
    if public_only:
        query = query.where(Consultation.state != ConsultationState.PREPARING)
    return db.session.scalars(query).all()


def newest(limit: int) -> Sequence[Consultation]:
    """The public consultations that close last, so many at most."""
    query = sa.select(Consultation).where(Consultation.state != ConsultationState.PREPARING)
    order = (Consultation.closes_at.desc(), Consultation.id.desc())
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def open_at(now: dt.datetime, *, limit: int | None = None) -> Sequence[Consultation]:
    """The consultations that take opinions at `now`, the one that closes first, first."""
    query = (
        sa.select(Consultation)
        .where(
            Consultation.state == ConsultationState.ANNOUNCED,
            Consultation.opens_at <= now,
            Consultation.closes_at > now,
        )
        .order_by(Consultation.closes_at)
    )
    return db.session.scalars(query.limit(limit)).all()


def upcoming_at(now: dt.datetime, *, limit: int) -> Sequence[Consultation]:
    """The consultations that are announced and not yet open, the one that opens first, first."""
    query = sa.select(Consultation).where(
        Consultation.state == ConsultationState.ANNOUNCED, Consultation.opens_at > now
    )
    return db.session.scalars(query.order_by(Consultation.opens_at).limit(limit)).all()


def past_at(now: dt.datetime, *, before: int | None = None, limit: int) -> Sequence[Consultation]:
    """The consultations that are over, the one that closed last first; those that come after the
    one with id `before`."""
    query = sa.select(Consultation).where(
        sa.or_(
            Consultation.state == ConsultationState.ANSWERED,
            sa.and_(
                Consultation.state == ConsultationState.ANNOUNCED, Consultation.closes_at <= now
            ),
        )
    )
    if before is not None:
        last = sa.select(Consultation.closes_at).where(Consultation.id == before).scalar_subquery()
        query = query.where(
            sa.or_(
                Consultation.closes_at < last,
                sa.and_(Consultation.closes_at == last, Consultation.id < before),
            )
        )
    order = (Consultation.closes_at.desc(), Consultation.id.desc())
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def changes(consultation: Consultation) -> Sequence[ConsultationChange]:
    """The public log of this consultation, oldest first."""
    query = sa.select(ConsultationChange).where(
        ConsultationChange.consultation_id == consultation.id
    )
    return db.session.scalars(query.order_by(ConsultationChange.id)).all()


def touch(consultation: Consultation) -> None:
    """Note that something other than a count changed: kept pages are made anew, and the notice
    is found by its words of now."""
    consultation.stamp = Consultation.stamp + 1
    consultation.edition = Consultation.edition + 1
    if consultation.is_public:
        search_documents.put(Kind.NOTICE, [findable(consultation)])


def findable(consultation: Consultation) -> Document:
    """By which words a public notice is found."""
    words = [getattr(consultation, key) for key in (*NOTICE, "feedback")]
    return Document(consultation.id, words, (f"c{consultation.id}",))


# --- changing ------------------------------------------------------------------------------


def length(first: dt.date | None, last: dt.date | None) -> int:
    """Days from `first` to `last`, both counted; 0 when either is missing."""
    return (last - first).days + 1 if first and last else 0


def window(first: dt.date, last: dt.date) -> tuple[dt.datetime, dt.datetime]:
    """The moments between which opinions are taken: 00:00 of `first` to 24:00 of `last`."""
    if first.year not in YEARS or last.year not in YEARS:
        raise Refused(_("日期的年份有误，请检查后再填。"))
    start = dt.datetime.combine(first, dt.time(), tzinfo=SHANGHAI)
    end = dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), tzinfo=SHANGHAI)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def create(
    *, slug: str, title: str, stage: Stage, unit: Unit | None, by: audit.Actor, now: dt.datetime
) -> Consultation:
    """Begin to prepare a consultation; refuses a slug that is taken or not an address."""
    if not SLUG.fullmatch(slug) or len(slug) > 64:
        raise Refused(_("网址短名只能用小写字母、数字和连字符，例如 silu-kuangjia。"))
    if by_slug(slug) is not None:
        raise _taken(slug)
    consultation = Consultation(
        slug=slug,
        title=title,
        programme_id=stage.programme_id,
        stage_id=stage.id,
        unit_id=unit.id if unit else None,
        state=ConsultationState.PREPARING,
        created_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(consultation)
    except sa.exc.IntegrityError as error:
        # Somebody else took the slug between our look and our writing.
        raise _taken(slug) from error
    audit.record(
        "consultation.created",
        consultation,
        by=by,
        now=now,
        name=title,
        after={"slug": slug, "stage": stage.key, "unit": unit.slug if unit else None},
    )
    return consultation


def _taken(slug: str) -> Refused:
    return Refused(_("网址短名“%(slug)s”已经用过，请换一个。", slug=slug))


def notice_seal(consultation: Consultation) -> str:
    """A short print of the notice's words: unequal when somebody changed them meanwhile."""
    words = (getattr(consultation, key) for key in NOTICE)
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:16]


def write_notice(
    consultation: Consultation,
    *,
    title: str,
    explanation: str,
    ways: str,
    contact: str,
    seen: str = "",
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Write or correct the words of the notice.

    `seen` is the `notice_seal` of the words the writer had before them; when the notice has
    changed since, nothing is written over.
    """
    _lock(consultation)
    if seen and seen != notice_seal(consultation):
        raise Refused(_("您编辑期间，公告已由他人修改，您的修改还没有保存。"))
    new = {"title": title, "explanation": explanation, "ways": ways, "contact": contact}
    before = {key: getattr(consultation, key) for key in new}
    changed = {key for key in new if before[key] != new[key]}
    if not changed:
        return
    if consultation.is_public and not (explanation and ways and contact):
        raise Refused(_("公告已经公开，起草说明、参与方式和联系方式不能留空。"))
    for key, value in new.items():
        setattr(consultation, key, value)
    touch(consultation)
    if consultation.is_public:
        what = "、".join(_notice_words()[key] for key in NOTICE if key in changed)
        log_change(consultation, _("修订公告：%(what)s", what=what), now=now)
    audit.record(
        "consultation.notice_written",
        consultation,
        by=by,
        now=now,
        name=title,
        before={key: before[key] for key in changed},
        after={key: new[key] for key in changed},
    )


def entrust(
    consultation: Consultation, unit: Unit | None, *, by: audit.Actor, now: dt.datetime
) -> None:
    """Name the unit that is responsible for the consultation."""
    _lock(consultation)
    before = consultation.unit
    if (before.id if before else None) == (unit.id if unit else None):
        return
    consultation.unit = unit
    touch(consultation)
    if consultation.is_public:
        name = unit.name if unit else consultation.programme.region
        log_change(consultation, _("征集部门改为%(name)s", name=name), now=now)
    audit.record(
        "consultation.entrusted",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        before={"unit": before.slug if before else None},
        after={"unit": unit.slug if unit else None},
    )


def set_window(
    consultation: Consultation,
    *,
    first: dt.date,
    last: dt.date,
    short_reason: str,
    by: audit.Actor,
    now: dt.datetime,
) -> None:
    """Set the window while the consultation is still being prepared.

    One shorter than the statutory days needs a reason; a longer one keeps none.
    """
    _lock(consultation)
    if consultation.state is not ConsultationState.PREPARING:
        raise Refused(_("公告已经公开，时间不能再改，只能延长。"))
    if last < first:
        raise Refused(_("截止日期不能早于开始日期。"))
    if length(first, last) > LONGEST_DAYS:
        raise Refused(_("征集期限不能超过一年。"))
    opens_at, closes_at = window(first, last)
    if length(first, last) >= STATUTORY_DAYS:
        short_reason = ""
    elif not short_reason:
        raise Refused(_("期限不足30天，需要写明理由，理由会向公众展示。"))
    before = _window_facts(consultation)
    consultation.opens_at, consultation.closes_at = opens_at, closes_at
    consultation.short_reason = short_reason
    audit.record(
        "consultation.window_set",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        before=before,
        after=_window_facts(consultation),
        reason=short_reason,
    )


def missing(consultation: Consultation, *, has_draft: bool, now: dt.datetime) -> list[str]:
    """What the notice still lacks before it may be announced, each as a sentence."""
    lacks = []
    if not has_draft:
        lacks.append(_("还没有发布文稿。"))
    if not consultation.explanation:
        lacks.append(_("还没有起草说明。"))
    if not consultation.ways:
        lacks.append(_("还没有写明参与方式。"))
    if not consultation.contact:
        lacks.append(_("还没有联系方式。"))
    if consultation.opens_at is None or consultation.closes_at is None:
        lacks.append(_("还没有定下起止日期。"))
    else:
        if consultation.closes_at <= now:
            lacks.append(_("截止时间已经过去。"))
        elif not consultation.short_reason and consultation.days < STATUTORY_DAYS:
            lacks.append(_("期限不足30天，需要写明理由，理由会向公众展示。"))
        elif not consultation.short_reason and days_from(consultation, now) < STATUTORY_DAYS:
            lacks.append(_("从今天算起期限已不足30天，请推迟截止日期，或写明理由。"))
    return lacks


def days_from(consultation: Consultation, now: dt.datetime) -> int:
    """Days the public really gets if the notice comes out at `now`: none before today counts."""
    today = now.astimezone(SHANGHAI).date()
    first = consultation.first_day
    return length(max(first, today) if first else None, consultation.last_day)


def announce(
    consultation: Consultation, *, has_draft: bool, by: audit.Actor, now: dt.datetime
) -> None:
    """Make the notice public. It opens at its first day; when that is past, it opens today, so
    that the notice never claims days on which nobody could know of it."""
    _lock(consultation)
    _must_be_next(consultation, ConsultationState.ANNOUNCED)
    lacks = missing(consultation, has_draft=has_draft, now=now)
    if lacks:
        raise Refused("".join(lacks))
    today = now.astimezone(SHANGHAI).date()
    assert consultation.opens_at is not None
    consultation.opens_at = max(consultation.opens_at, window(today, today)[0])
    consultation.state = ConsultationState.ANNOUNCED
    touch(consultation)
    log_change(consultation, _("发布公告"), reason=consultation.short_reason, now=now)
    audit.record(
        "consultation.announced",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        after=_window_facts(consultation),
    )


def extend(
    consultation: Consultation, *, last: dt.date, reason: str, by: audit.Actor, now: dt.datetime
) -> None:
    """Move the closing day later; never earlier, and never once it has closed."""
    _lock(consultation)
    if consultation.phase(now) not in (Phase.UPCOMING, Phase.OPEN):
        raise Refused(_("只有预告中或征集中的意见征集可以延长。"))
    assert consultation.opens_at is not None
    assert consultation.closes_at is not None
    closes_at = window(last, last)[1]
    if closes_at <= consultation.closes_at:
        raise Refused(_("期限只能延长，不能缩短或保持不变。"))
    if length(consultation.first_day, last) > LONGEST_DAYS:
        raise Refused(_("征集期限不能超过一年。"))
    if not reason:
        raise Refused(_("请写明延长的理由，理由会向公众展示。"))
    before = _window_facts(consultation)
    consultation.closes_at = closes_at
    touch(consultation)
    what = _(
        "截止日期延长至%(year)d年%(month)d月%(day)d日24:00",
        year=last.year,
        month=last.month,
        day=last.day,
    )
    log_change(consultation, what, reason=reason, now=now)
    audit.record(
        "consultation.extended",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        before=before,
        after=_window_facts(consultation),
        reason=reason,
    )


def answer(
    consultation: Consultation, *, feedback: str, waiting: int, by: audit.Actor, now: dt.datetime
) -> None:
    """Publish the feedback of a round that is over. `waiting` is how many of its submissions
    nobody has screened yet: while there are any, it is too early."""
    _lock(consultation)
    _must_be_next(consultation, ConsultationState.ANSWERED)
    if consultation.phase(now) is not Phase.CLOSED:
        raise Refused(_("征集截止以后才能公布反馈。"))
    if waiting:
        raise Refused(_("还有%(n)d件意见没有审核，审核完以后才能公布反馈。", n=waiting))
    if not feedback:
        raise Refused(_("请写明反馈内容。"))
    consultation.feedback = feedback
    consultation.state = ConsultationState.ANSWERED
    touch(consultation)
    log_change(consultation, _("公布意见征集情况反馈"), now=now)
    audit.record(
        "consultation.answered",
        consultation,
        by=by,
        now=now,
        name=consultation.title,
        before={"state": ConsultationState.ANNOUNCED.value},
        after={"state": ConsultationState.ANSWERED.value, "feedback": feedback},
    )


def log_change(
    consultation: Consultation, what: str, *, now: dt.datetime, reason: str = ""
) -> None:
    """Note in the public log what changed."""
    db.session.add(
        ConsultationChange(consultation_id=consultation.id, at=now, what=what, reason=reason)
    )


def must_be_open(consultation: HasPhase, *, now: dt.datetime, kept_text: str = "") -> None:
    """Refuse, with the reason and the typed text back, unless opinions are taken at `now`."""
    phase = consultation.phase(now)
    if phase is Phase.OPEN:
        return
    if phase in (Phase.PREPARING, Phase.UPCOMING):
        raise Refused(_("本次意见征集还没有开始，请到开始日期后再提交。"), kept_text=kept_text)
    raise Refused(
        _(
            "本次意见征集已经截止，刚才的内容没有收下。您可以把下面的文字复制保存，或按公告中的联系方式反映。"
        ),
        kept_text=kept_text,
    )


def _lock(consultation: Consultation) -> None:
    """Read the row again and hold it, so that two officers' acts happen one after the other."""
    db.session.flush()
    db.session.refresh(consultation, with_for_update={"of": Consultation})


def _notice_words() -> dict[str, str]:
    return {
        "title": _("标题"),
        "explanation": _("起草说明"),
        "ways": _("参与方式"),
        "contact": _("联系方式"),
    }


def _must_be_next(consultation: Consultation, state: ConsultationState) -> None:
    if state not in NEXT[consultation.state]:
        raise Refused(_("这项意见征集当前的状态不允许这样做，请刷新页面查看。"))


def _window_facts(consultation: Consultation) -> dict[str, Any]:
    def said(moment: dt.datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {"opens_at": said(consultation.opens_at), "closes_at": said(consultation.closes_at)}
