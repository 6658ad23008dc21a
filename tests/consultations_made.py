"""Builders: a programme, a consultation in any phase and a published draft, in the current app
context. They use the real operations, so that what tests stand on is what the site makes."""

import datetime as dt

from consult import consultation_acts, consultations, drafts, programmes
from consult.consultations import Consultation, ConsultationState, Phase
from consult.drafts import Version
from consult.programmes import Programme, Stage
from consult.readers import Block, ReadDraft
from core import audit
from core.db import db
from core.web import local
from tests.conftest import NOON

# One chapter with two paragraphs, one with a section, a list item and a table: 3 headings, 5 body.
TEXT = """\
# 第一章 总体要求
坚持人民城市人民建，人民城市为人民。
到2025年，城区综合实力和居民生活品质明显提升。
# 第二章 社会民生
## 第一节 养老服务
新增养老床位500张。建设15分钟养老服务圈。
- 支持既有多层住宅加装电梯。
| 指标\t2025年目标
"""
# The window of each phase as days from today: (first day, last day).
WINDOWS = {
    Phase.PREPARING: (5, 40),
    Phase.UPCOMING: (5, 40),
    Phase.OPEN: (-10, 25),
    Phase.CLOSED: (-50, -10),
    Phase.ANSWERED: (-90, -50),
}


def a_programme(slug: str = "plan-14") -> Programme:
    """A programme with the stages `research` and `drafting`; the same one when asked again."""
    found = programmes.by_slug(slug)
    if found is not None:
        return found
    programme = Programme(
        slug=slug,
        title="某区“十四五”规划编制",
        full_title="某区国民经济和社会发展第十四个五年规划编制工作",
        plan_title="某区国民经济和社会发展第十四个五年规划",
        ordinal=14,
        region="某区",
        period_from=2021,
        period_to=2025,
    )
    programme.stages = [
        a_stage(1, "research", "前期研究", dt.date(2019, 5, 1), dt.date(2020, 1, 31)),
        a_stage(2, "drafting", "规划编制", dt.date(2020, 2, 1), dt.date(2020, 12, 31)),
    ]
    db.session.add(programme)
    db.session.commit()
    return programme


def a_stage(ordinal: int, key: str, short: str, first: dt.date, last: dt.date) -> Stage:
    """One stage, not yet in a programme."""
    return Stage(
        ordinal=ordinal,
        key=key,
        numeral="一二三四五六"[ordinal - 1],
        title=f"{short}阶段",
        short=short,
        starts_on=first,
        ends_on=last,
    )


def a_consultation(
    slug: str = "gangyao",
    *,
    phase: Phase = Phase.OPEN,
    now: dt.datetime = NOON,
    title: str = "规划纲要（征求意见稿）公开征求意见",
    stage: str = "drafting",
    programme: Programme | None = None,
) -> Consultation:
    """A consultation that is in `phase` at `now`, without a draft; committed.

    Every window is 36 days or longer. Those after PREPARING were announced the day before they
    opened (UPCOMING: at `now`). A PREPARING one has its whole notice and its window.
    """
    programme = programme or a_programme()
    first, last = (local(now).date() + dt.timedelta(days=days) for days in WINDOWS[phase])
    made_at = min(now, consultations.window(first, last)[0] - dt.timedelta(days=1))
    consultation = consultation_acts.create(
        slug=slug,
        title=title,
        stage=next(each for each in programme.stages if each.key == stage),
        unit=None,
        by=audit.SYSTEM,
        now=made_at,
    )
    consultation_acts.write_notice(
        consultation,
        title=title,
        explanation="现就规划纲要（征求意见稿）公开征求意见，起草情况说明如下。",
        ways="在本网站直接提交；也可以来信，请在信封上注明“规划意见”。",
        contact="区发展改革委，电话：021-00000000",
        by=audit.SYSTEM,
        now=made_at,
    )
    consultation_acts.set_window(
        consultation, first=first, last=last, short_reason="", by=audit.SYSTEM, now=made_at
    )
    if phase is not Phase.PREPARING:
        consultation_acts.announce(consultation, has_draft=True, by=audit.SYSTEM, now=made_at)
    if phase is Phase.ANSWERED:
        consultation.state = ConsultationState.ANSWERED
    db.session.commit()
    return consultation


def a_prepared_draft(
    consultation: Consultation,
    text: str = TEXT,
    *,
    title: str = "规划纲要（征求意见稿）",
    now: dt.datetime = NOON,
) -> Version:
    """A version that is imported but not published; committed. For `text` see `a_read_draft`."""
    version = drafts.take_in(
        consultation,
        a_read_draft(text, title=title),
        title=title,
        source_name="gangyao.txt",
        source=text.encode(),
        by=audit.SYSTEM,
        now=now,
    )
    db.session.commit()
    return version


def a_published_draft(
    consultation: Consultation,
    text: str = TEXT,
    *,
    title: str = "规划纲要（征求意见稿）",
    now: dt.datetime = NOON,
) -> Version:
    """A published version; called again for the same consultation, the next one. Committed.

    `drafts.outline(version).entries` are its paragraphs in order, marked 1, 2, 3 … .
    """
    version = a_prepared_draft(consultation, text, title=title, now=now)
    drafts.publish(version, by=audit.SYSTEM, now=now)
    db.session.commit()
    return version


def a_read_draft(text: str = TEXT, *, title: str = "") -> ReadDraft:
    """What a reader would have made of `text`: one block a line.

    `## words` is a heading of level 2, `- words` a list item, `| a<TAB>b` a table of one row;
    everything else is a paragraph. Written by hand here, so that the readers can be tested alone.
    """
    return ReadDraft(title, tuple(_block(line) for line in text.splitlines() if line), ())


def _block(line: str) -> Block:
    sign, _, words = line.partition(" ")
    if sign and not sign.strip("#"):
        return Block(len(sign), "heading", words)
    kinds = {"-": "list_item", "|": "table"}
    return Block(0, kinds[sign], words) if sign in kinds else Block(0, "paragraph", line)
