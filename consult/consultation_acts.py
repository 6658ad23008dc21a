"""What the office does with a consultation: write its notice, set its window, announce it, give
more time, answer it. Each act holds the row, and stands in the public log where people see it."""

import datetime as dt
import hashlib
import re
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from consult.consultations import (
    NOTICE,
    SHANGHAI,
    STATUTORY_DAYS,
    Consultation,
    ConsultationState,
    Phase,
    by_slug,
    length,
    log_change,
    touch,
    window,
)
from consult.programmes import Stage
from core import audit
from core.db import db
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

# Nobody calls for opinions on a draft for longer; a year typed wrongly is caught here.
LONGEST_DAYS = 366
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

NEXT = {
    ConsultationState.PREPARING: {ConsultationState.ANNOUNCED},
    ConsultationState.ANNOUNCED: {ConsultationState.ANSWERED},
    ConsultationState.ANSWERED: set[ConsultationState](),
}


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
