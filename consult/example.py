"""The built-in example: the founding programme, a closed round and an open one, with drafts and
opinions written for this project. It only arranges; everything goes through the operations."""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import current_app
from flask_babel import gettext as _

from consult import (
    consultation_acts,
    consultations,
    drafts,
    example_files,
    proposals,
    readers,
    screening,
    screening_steps,
    submissions,
)
from consult.consultations import SHANGHAI, Consultation, Phase
from consult.decisions import Reason
from consult.drafts import Outline, Version
from consult.programmes import Programme, Stage
from consult.submissions import WHOLE, Channel, Opinion, Stance, Submission, SubmissionState
from core import accounts, audit
from core.db import db
from core.errors import Refused
from core.units import Unit

DATA = Path(__file__).parent / "data"
CLOSED_FIRST, CLOSED_LAST = dt.date(2019, 10, 8), dt.date(2019, 12, 6)
# When the version that was revised after the closed round came out.
REVISED = dt.date(2019, 12, 20)
# The open round began this long before the day of loading and goes on this long after it.
OPEN_BEFORE, OPEN_AFTER = 13, 20
DECISIONS = {
    "show": SubmissionState.SHOWN,
    "hide": SubmissionState.HIDDEN,
    "refer": SubmissionState.REFERRED,
}


def is_empty() -> bool:
    """Whether this database holds nothing yet that an example could be mixed up with."""
    return db.session.scalar(sa.select(Programme.id).limit(1)) is None and not accounts.any_exist()


def load(*, now: dt.datetime) -> None:
    """Fill an empty database with the example; refuses any other."""
    if not is_empty():
        raise Refused(_("数据库里已有内容，内置示例只能载入空的数据库。"))
    # With it comes what holds a programme file to its shape, and only the first start needs that.
    from consult import programme_files  # noqa: PLC0415

    programme_files.load(DATA / "jingan-14.yaml", example=True, by=audit.COMMAND_LINE, now=now)
    accounts.add_demonstration(now=now)
    today = now.astimezone(SHANGHAI).date()
    closed = _round(
        "silu-kuangjia",
        stage="research",
        title=_("静安区“十四五”规划纲要思路框架公开征求意见"),
        first=CLOSED_FIRST,
        last=CLOSED_LAST,
        now=now,
    )
    _revise(closed, consultations.window(REVISED, REVISED)[0])
    _round(
        "guihua-gangyao",
        stage="drafting",
        title=_("静安区“十四五”规划纲要（征求意见稿）公开征求意见"),
        first=today - dt.timedelta(days=OPEN_BEFORE),
        last=today + dt.timedelta(days=OPEN_AFTER),
        now=now,
    )


def _round(
    slug: str, *, stage: str, title: str, first: dt.date, last: dt.date, now: dt.datetime
) -> Consultation:
    began = consultations.window(first, last)[0]
    before = began - dt.timedelta(days=1)
    by = audit.COMMAND_LINE
    consultation = consultation_acts.create(
        slug=slug,
        title=title,
        stage=db.session.scalars(sa.select(Stage).where(Stage.key == stage)).one(),
        unit=db.session.scalar(sa.select(Unit).where(Unit.slug == "fgw")),
        by=by,
        now=before,
    )
    consultation.is_demonstration = True
    consultation_acts.write_notice(consultation, title=title, **_notice(), by=by, now=before)
    consultation_acts.set_window(
        consultation, first=first, last=last, short_reason="", by=by, now=before
    )
    path = DATA / "drafts" / f"{slug}.md"
    version = _publish(consultation, path.name, path.read_text(encoding="utf-8"), before)
    consultation_acts.announce(consultation, has_draft=True, by=by, now=before)
    db.session.flush()
    told = example_files.read(DATA / "opinions" / f"{slug}.yaml")
    with screening_steps.indexed_at_the_end():
        _opinions(consultation, drafts.outline(version), told, began, now)
    return consultation


def _publish(consultation: Consultation, name: str, text: str, at: dt.datetime) -> Version:
    """The next version of the consultation's draft, from Markdown."""
    source = text.encode()
    read = readers.read(source, filename=name)
    version = drafts.take_in(
        consultation,
        read,
        title=read.title,
        source_name=name,
        source=source,
        by=audit.COMMAND_LINE,
        now=at,
    )
    drafts.publish(version, by=audit.COMMAND_LINE, now=at)
    return version


def _revise(consultation: Consultation, at: dt.datetime) -> None:
    """Publish the second version of a draft, given as what it changed of the first."""
    folder = DATA / "drafts"
    text = (folder / f"{consultation.slug}.md").read_text(encoding="utf-8")
    for each in example_files.read(folder / f"{consultation.slug}.revisions.yaml"):
        if text.count(each["was"]) != 1:
            raise Refused(_("示例修改所指的“%(words)s”在文稿里找不到。", words=each["was"]))
        text = text.replace(each["was"], each["now"])
    _publish(consultation, f"{consultation.slug}-2.md", text, at)


def _notice() -> dict[str, str]:
    return {
        "explanation": _(
            "为把规划编制的过程变成集思广益、凝聚共识的过程，现就文稿向社会公开征求意见。"
            "文稿由区发展改革委会同各相关部门起草，说明今后五年打算做什么、怎样做。\n"
            "本页及文稿、意见均为演示而编写，不是正式的征求意见。"
        ),
        "ways": _(
            "网上：打开文稿，点击任意段落旁的“评论此段”，或对全文提意见，不需要注册。\n"
            "来信、电话、窗口：由工作人员代为登记，同样给出受理编号。"
        ),
        "contact": _("区发展改革委规划编制工作专班（演示，不设真实电话）"),
    }


def _opinions(
    consultation: Consultation,
    outline: Outline,
    told: Iterable[dict[str, Any]],
    began: dt.datetime,
    now: dt.datetime,
) -> None:
    """Receive and screen the opinions in the order they would have come."""
    screener = accounts.demonstration_account("screener")
    second = accounts.demonstration_account("administrator")
    assert screener is not None
    assert second is not None
    moments = (
        (began + dt.timedelta(days=each["day"], hours=each["hour"], minutes=place % 60), each)
        for place, each in enumerate(told)
    )
    for place, (at, each) in enumerate(sorted(moments, key=lambda pair: pair[0])):
        at = min(at, now)
        opinion = _opinion(each, outline)
        received = submissions.receive(
            consultation,
            opinion,
            once_key=submissions.once_key(f"example-{place}", opinion),
            by=audit.RESIDENT,
            now=at,
            on_day=at.astimezone(SHANGHAI).date(),
        )
        decision = DECISIONS.get(each["decision"])
        if decision is None and consultation.phase(now) is not Phase.OPEN:
            # In a round that ended long ago nothing can still be waiting.
            decision = SubmissionState.REFERRED
        if decision is not None:
            submission = db.session.get_one(Submission, received.id)
            decided_at = min(at + dt.timedelta(hours=5), now)
            if decision is SubmissionState.HIDDEN:
                proposals.propose(submission, Reason(each["reason"]), by=screener, now=decided_at)
                proposals.confirm(submission, by=second, now=decided_at)
            else:
                screening.decide(submission, decision, by=screener, now=decided_at)


def _opinion(each: dict[str, Any], outline: Outline) -> Opinion:
    name = each.get("name") or ""
    person = each.get("person")
    secret = current_app.config["SECRET_KEY"]
    return Opinion(
        body=each["body"].strip(),
        title=each.get("title") or "",
        version_id=outline.version_id,
        place=_place(each["on"], outline),
        stance=Stance(each["stance"]) if each["stance"] else None,
        channel=Channel(each["channel"]),
        public_name=submissions.masked(name) if each["name_consent"] else "",
        person_key=submissions.person_key(secret, "example", person) if person else None,
    )


def _place(words: str | None, outline: Outline) -> int:
    """The heading that reads `words`, or the paragraph that begins with them."""
    if words is None:
        return WHOLE
    for entry in outline.entries:
        if entry.text == words if entry.level else entry.text.startswith(words):
            return entry.id
    raise Refused(_("示例意见所指的“%(words)s”在文稿里找不到。", words=words))
