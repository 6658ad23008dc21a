"""A summary as a Word document in the look of an official paper (GB/T 9704-2012).

Every figure is of the same selection as the page; opinions are cited by their running numbers and
quoted word for word. Nothing is shown that is not shown at this moment.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.analysis import cloud as clouds
from consult.consultations import SHANGHAI, Consultation
from consult.official_paper import (
    SMALL,
    blank,
    body,
    centred,
    drawing,
    figure_named,
    folded,
    heading,
    picture,
    saved,
    table,
    table_named,
    title,
)
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import charting
from consult.summaries.counts import FEW, outermost
from consult.summaries.items import UNPLACED, WHOLE, Filters, Item, representatives
from consult.summaries.readings import Reading, View, cloud_of, view
from consult.summaries.snapshots import Summary
from core import drawing as charts_drawn
from core.charts import Chart
from core.db import db

if TYPE_CHECKING:
    from docx.document import Document as Doc

MIMETYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
KEYWORDS, QUOTES, CITED = 50, 12, 20
LONGEST_QUOTE = 400


def write(
    summary: Summary,
    consultations: Sequence[Consultation],
    reading: Reading,
    filters: Filters,
    *,
    now: dt.datetime,
    said: Sequence[str] = (),
) -> io.BytesIO:
    """The document; `said` is the selection in words, empty when nothing is left out."""
    document = blank()
    seen = view(reading, filters)
    titles = {c.id: c.title for c in consultations}
    title(document, _heading(summary.subject.title))
    centred(
        document, _("（第%(n)d次汇总，%(day)s）", n=summary.number, day=_day(summary.counted_at))
    )
    if said:
        body(document, _("本件只列出符合下列条件的意见：%(what)s。", what="；".join(said)))
    _totals(document, summary, reading, seen)
    if not seen.items:
        body(document, _("没有可以汇总的意见。"))
    else:
        figures = _Figures(document)
        figures.draw(_charts(reading, seen, titles))
        _tables(document, reading, seen, titles, figures)
        _keywords(document, reading, seen, titles, figures)
        _quotes(document, seen, titles)
    _method(document, summary, now)
    return io.BytesIO(saved(document))


# --- charts --------------------------------------------------------------------------------


class _Figures:
    """The figures and tables of the document, numbered as they are put in; charts are drawn together."""

    def __init__(self, document: Doc) -> None:
        self._document, self._figures, self._tables = document, 0, 0
        self._ready: dict[str, tuple[Chart, str, bytes]] = {}

    def draw(self, charts: dict[str, Chart]) -> None:
        """Draw them all at once."""
        svgs = [charts_drawn.standing(chart) for chart in charts.values()]
        made = zip(svgs, charts_drawn.pictures(svgs), strict=False)
        for (name, chart), (svg, png) in zip(charts.items(), made, strict=False):
            self._ready[name] = (chart, svg, png)

    def chart(self, name: str) -> None:
        """Put a chart here, if there is one."""
        if name not in self._ready:
            return
        chart, svg, png = self._ready[name]
        drawing(self._document, png, svg, width=150, alt=chart.said)
        self.caption(chart.title)

    def drawn(self, name: str) -> int:
        """How many figures there will be of a chart: one, unless it could not be drawn."""
        return int(name in self._ready)

    def ahead(self, parts: Sequence[tuple[int, str]]) -> str:
        """Where what comes next is found, part by part (how many figures, what they are about): each
        has a table."""
        figure, said = self._figures, []
        for number, (figures, words) in enumerate(parts, self._tables + 1):
            at = [_("图%(n)d", n=n) for n in range(figure + 1, figure + figures + 1)]
            figure += figures
            said.append(f"{words}（{'、'.join([*at, _('表%(n)d', n=number)])}）")
        return "、".join(said)

    def caption(self, words: str) -> None:
        """The number and the words under a picture."""
        self._figures += 1
        centred(self._document, figure_named(self._figures, words), size=SMALL)

    def table(
        self,
        words: str,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float] = (),
    ) -> None:
        """Put a table here, under its number and name."""
        self._tables += 1
        table(self._document, table_named(self._tables, words), head, rows, widths)


def _charts(reading: Reading, seen: View, titles: dict[int, str]) -> dict[str, Chart]:
    if len(seen.items) < FEW:
        return {}
    drawn = {
        "days": charting.days(seen.figures.days),
        "sections": charting.sections(chapters(reading, seen, titles)),
        "stances": charting.stances(seen.figures.stances),
        "keywords": charting.keywords(seen),
    }
    return {name: chart for name, chart in drawn.items() if chart is not None}


def chapters(reading: Reading, seen: View, titles: dict[int, str]) -> list[tuple[str, int, int]]:
    """(title, place, opinions) of what divides all opinions by where in the drafts they stand."""
    counts = seen.figures.sections
    return [
        (_place(reading, place, titles), place, counts[place])
        for place in outermost(reading.counted)
        if place in counts
    ]


# --- parts ---------------------------------------------------------------------------------


def _totals(document: Doc, summary: Summary, reading: Reading, seen: View) -> None:
    heading(document, _("一、总体情况"))
    n = seen.figures.numbers
    body(
        document,
        _(
            "计入汇总的意见%(a)d件，内容相近的合并后%(b)d条，提出意见的%(c)d人。三个数口径不同，不能互相替代。",
            a=n.submissions,
            b=n.distinct,
            c=n.people,
        ),
    )
    body(
        document,
        _(
            "汇总时共收到%(all)d件，其中已展示%(shown)d件，待审核%(pending)d件，不展示%(hidden)d件，已作办理指引%(referred)d件。计入的是已展示的意见。",
            all=summary.received,
            shown=summary.shown,
            pending=summary.pending,
            hidden=summary.hidden,
            referred=summary.referred,
        ),
    )
    if reading.removed:
        body(document, _("有%(n)d件在汇总后不再展示，已剔除。", n=reading.removed))
    body(document, _("意见来自自愿参与，不代表全体居民。"))
    if 0 < len(seen.items) < FEW:
        body(document, _("意见不足10件，只列出原文要点和件数，不作比较。"))


def _tables(
    document: Doc, reading: Reading, seen: View, titles: dict[int, str], pictures: _Figures
) -> None:
    figures = seen.figures
    heading(document, _("二、意见的分布"))
    parts = [
        (pictures.drawn("days"), _("收到日期")),
        (0, _("渠道")),
        (pictures.drawn("sections"), _("章节")),
        (pictures.drawn("stances"), _("态度")),
    ]
    body(document, _("以下依次按%(parts)s列出。", parts=pictures.ahead(parts)))
    pictures.chart("days")
    days = [(_span(b.first, b.last), str(b.count)) for b in figures.days if b.count]
    head, *rows = folded([(_("收到日期"), _("件数")), *days])
    pictures.table(_("按收到日期的件数"), head, rows)
    channels = [(Channel(p.key).title, str(p.count)) for p in figures.channels]
    pictures.table(_("按渠道的件数"), (_("渠道"), _("件数")), channels)
    pictures.chart("sections")
    by_chapter = [(title, str(n)) for title, _at, n in chapters(reading, seen, titles)]
    pictures.table(_("各章节的意见件数"), (_("章节"), _("件数")), by_chapter)
    pictures.chart("stances")
    stances = [
        (
            Stance(p.key).title,
            str(p.count),
            str(p.declared),
            str(p.count - p.declared - p.corrected),
            str(p.corrected),
        )
        for p in figures.stances
    ]
    head = (_("态度"), _("件数"), _("作者自述"), _("系统判读"), _("人工更正"))
    pictures.table(_("态度的构成和由谁判定（件）"), head, stances)


def _keywords(
    document: Doc, reading: Reading, seen: View, titles: dict[int, str], pictures: _Figures
) -> None:
    heading(document, _("三、关键词"))
    cloud = cloud_of(reading, seen)
    figures = int(cloud is not None) + pictures.drawn("keywords")
    parts = pictures.ahead([(figures, _("突出的词和提到它们的意见"))])
    body(document, _("以下列出%(parts)s。", parts=parts))
    if cloud is not None:
        picture(document, clouds.png(cloud, font_path=clouds.default_font()), width=150)
        pictures.caption(_("词云（字越大，提到它的意见越多）"))
    pictures.chart("keywords")
    held: dict[str, list[Item]] = {k.term: [] for k in seen.keywords[:KEYWORDS]}
    for item in seen.items:
        for term in item.terms:
            if term in held:
                held[term].append(item)
    rows = []
    for keyword in seen.keywords[:KEYWORDS]:
        split = seen.terms[keyword.term].split
        rows.append(
            (
                keyword.term,
                str(keyword.count),
                str(keyword.people),
                str(split.favour),
                f"{split.against}（{split.opposed}）",
                str(split.other),
                cited(held[keyword.term], titles),
            )
        )
    head = (
        *(_("词"), _("件数"), _("人数"), _("赞成建议"), _("反对（反对语境）"), _("其他")),
        _("意见编号"),
    )
    widths = (32, 13, 13, 13, 19, 13, 53)
    pictures.table(_("关键词及所引意见"), head, rows, widths)


def _quotes(document: Doc, seen: View, titles: dict[int, str]) -> None:
    heading(document, _("四、意见摘录"))
    if len(seen.items) < FEW:
        chosen = list(seen.items)
    else:
        chosen = representatives(seen.items, [k.term for k in seen.keywords[:30]], QUOTES)
        body(document, _("以下各件合起来包含了最多的关键词，每组相近的意见只取一件，逐字照录。"))
    query = sa.select(Submission).where(
        Submission.id.in_([item.id for item in chosen]),
        Submission.state == SubmissionState.SHOWN,
    )
    for submission in db.session.scalars(query.order_by(Submission.id)):
        name = _number(submission.number, submission.consultation_id, titles)
        text = " ".join(f"{submission.own_title} {submission.body}".split())
        if len(text) > LONGEST_QUOTE:
            text = _("%(text)s……（以上为前%(n)d字）", text=text[:LONGEST_QUOTE], n=LONGEST_QUOTE)
        body(document, f"{name}：“{text}”")


def _method(document: Doc, summary: Summary, now: dt.datetime) -> None:
    heading(document, _("附：统计口径"))
    for sentence in (
        _(
            "件数：每一件计一次。去重观点数：内容相同或相近的合为一条。人数：同一账号或同一联系方式的合为一人，其余每件各计一人。"
        ),
        _(
            "一件意见中同一个词只计一次，同义说法按词典合并。关键词按人数与文稿、日常语言的对比排列，不按出现次数排列。"
        ),
        _(
            "关键词表中的态度是提到这个词的那件意见的态度；“反对语境”是“反对”中文字直接反对这个词所说的事的。未自述态度的由系统判读，判读可能有误。"
        ),
        _("章节按意见所针对的段落计；日期是收到的日期。没有提意见的人怎么想，本汇总无从得知。"),
        _(
            "汇总时间：%(at)s；词典版本：%(lexicon)s；方法版本：%(method)s；本文件生成时间：%(now)s。",
            at=_moment(summary.counted_at),
            lexicon=summary.lexicon,
            method=summary.method,
            now=_moment(now),
        ),
    ):
        body(document, sentence)


# --- words ---------------------------------------------------------------------------------


def _heading(subject: str) -> str:
    """What the paper is called: 意见 stands in it once."""
    if subject.endswith("意见"):
        return str(_("%(title)s汇总", title=subject))
    return str(_("%(title)s意见汇总", title=subject))


class Numbered(Protocol):
    """What is cited by its running number in its consultation."""

    @property
    def number(self) -> int:
        """The running number."""

    @property
    def consultation(self) -> int:
        """The consultation's id."""


def cited(items: Sequence[Numbered], titles: dict[int, str], *, total: int | None = None) -> str:
    """第3、17、25件; in a summary of several consultations each with its own. `total`: of how many
    these are the first, where they are not all."""
    count, shown = len(items) if total is None else total, items[:CITED]
    by_title: dict[int, list[str]] = {}
    for item in shown:
        by_title.setdefault(item.consultation, []).append(str(item.number))
    cited = [
        (f"《{titles[c]}》" if len(titles) > 1 else "") + _("第%(n)s件", n="、".join(numbers))
        for c, numbers in by_title.items()
    ]
    more = _("等%(n)d件", n=count) if count > CITED else ""
    return "；".join(cited) + more


def _number(number: int, consultation: int, titles: dict[int, str]) -> str:
    before = f"《{titles[consultation]}》" if len(titles) > 1 else ""
    return before + str(_("第%(n)d件", n=number))


def _place(reading: Reading, place: int, titles: dict[int, str]) -> str:
    if place in (WHOLE, UNPLACED):
        return str(_("针对全文") if place == WHOLE else _("未编入章节的段落"))
    section = reading.counted.sections[place]
    return (f"《{titles[section.consultation]}》" if len(titles) > 1 else "") + section.title


def _day(moment: dt.datetime) -> str:
    here = moment.astimezone(SHANGHAI)
    return str(_("%(y)d年%(m)d月%(d)d日", y=here.year, m=here.month, d=here.day))


def _moment(moment: dt.datetime) -> str:
    return f"{_day(moment)}{moment.astimezone(SHANGHAI):%H:%M}"


def _span(first: dt.date, last: dt.date) -> str:
    if first == last:
        return str(_("%(y)d年%(m)d月%(d)d日", y=first.year, m=first.month, d=first.day))
    if first.month == last.month:
        return str(_("%(y)d年%(m)d月", y=first.year, m=first.month))
    return str(_("%(y)d年", y=first.year))
