"""The report as a paper to hand on: a Word document and a PDF in the look of an official paper.

What the rules composed and nobody rewrote is marked ※. Citations and quotations are made afresh
from what is shown at this moment.
"""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from flask_babel import gettext as _

from consult.official_paper import (
    SMALL,
    blank,
    body,
    centred,
    drawing,
    figure_named,
    folded,
    heading,
    saved,
    table,
    table_named,
    title,
    title_broken,
)
from consult.submissions import Submission, SubmissionState
from consult.summaries import charting
from consult.summaries.counts import FEW, by_theme
from consult.summaries.documents import CITED, chapters, cited
from consult.summaries.items import UNCLASSIFIED, Filters
from consult.summaries.readings import Reading, view
from consult.summaries.reports import Sentence, SummaryReport, behind
from consult.summaries.snapshots import Summary
from core import drawing as charts_drawn
from core import typesetting
from core.db import db
from core.text import within_quotes
from core.web import day, local

if TYPE_CHECKING:
    from docx.document import Document as Doc

SHEET = Path(__file__).parent.parent / "data" / "report.typ"
LONGEST_QUOTE = 300
MACHINE = "※"


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence as it is printed: its words, the numbers behind it, what it quotes, and by what it
    divides the opinions ("" not at all, None where it tells of no selection)."""

    section: str
    text: str
    by_machine: bool
    cites: str
    count: int
    quote: str
    quote_number: int
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart at the end of the section that begins with `section`, with its table, whose first row
    is the head. The section's first sentence that divides the opinions `by` the same refers to both;
    `number` is theirs in the paper."""

    section: str
    by: str
    title: str
    said: str
    svg: str
    rows: tuple[tuple[str, ...], ...]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Paper:
    """Every word of the paper. `made`, an ISO moment, is written into the file."""

    title: str
    under: str
    draft: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    foot: tuple[str, ...]
    made: str
    pictures: tuple[Picture, ...] = ()


def lines(sentences: Sequence[Sentence], reading: Reading, titles: Mapping[int, str]) -> list[Line]:
    """The sentences with the numbers of the opinions that are shown at this moment."""
    wanted = {each.quote for each in sentences if each.quote is not None}
    here = {item.id for item in reading.counted.items}
    query = sa.select(Submission).where(
        Submission.id.in_(wanted & here), Submission.state == SubmissionState.SHOWN
    )
    quoted = {each.id: each for each in db.session.scalars(query)}
    return [_line(each, reading, titles, quoted) for each in sentences if each.text]


def _line(
    sentence: Sentence,
    reading: Reading,
    titles: Mapping[int, str],
    quoted: Mapping[int, Submission],
) -> Line:
    if "state" in (sentence.query or {}):
        cites, count = _received(reading, titles)
    else:
        items = behind(sentence, reading.counted)
        cites, count = cited(items, dict(titles)) if items else "", len(items)
        if sentence.count not in (None, count):
            # The words are those of then; what they tell of was hidden, masked or shown again since.
            since = _("写成时%(then)d件，现在%(now)d件", then=sentence.count, now=count)
            cites = "；".join(each for each in (cites, since) if each)
    said = quoted.get(sentence.quote or 0)
    words = " ".join(f"{said.own_title} {said.body}".split()) if said else ""
    if len(words) > LONGEST_QUOTE:
        words = _("%(text)s……（以上为前%(n)d字）", text=words[:LONGEST_QUOTE], n=LONGEST_QUOTE)
    return Line(
        sentence.section,
        sentence.text,
        sentence.by_machine,
        cites,
        count,
        words,
        said.number if said else 0,
        None if sentence.query is None else "、".join(sentence.query),
    )


def _received(reading: Reading, titles: Mapping[int, str]) -> tuple[str, int]:
    """The numbers of all that had been received at the count, and how many they are."""
    covered = reading.covered
    ids = sorted([*(item.id for item in covered.items), *(id for id, _state in covered.rest)])
    query = sa.select(Submission.number, Submission.consultation_id.label("consultation"))
    first = db.session.execute(query.where(Submission.id.in_(ids[:CITED])).order_by(Submission.id))
    return cited(first.all(), dict(titles), total=len(ids)), len(ids)


def pictures(reading: Reading, titles: Mapping[int, str]) -> tuple[Picture, ...]:
    """The charts of the report, of what is shown at this moment."""
    seen = view(reading, Filters())
    if len(seen.items) < FEW:
        return ()
    themes = reading.counted.themes
    held = by_theme(seen.items)
    # As the sentences tell them: the largest first.
    order = sorted(held.keys() - {UNCLASSIFIED}, key=lambda number: (-len(held[number]), number))
    sizes = [
        (
            themes[number - 1].named({term for item in held[number] for term in item.terms}),
            number,
            Counter(item.stance for item in held[number]),
        )
        for number in order
    ]
    drawn = (
        ("一、", "", charting.days(seen.figures.days)),
        ("一、", "stance", charting.stances(seen.figures.stances)),
        ("二、", "theme", charting.themes(sizes)),
        ("三、", "section", charting.sections(chapters(reading, seen, dict(titles)))),
    )
    return tuple(
        Picture(
            section, by, chart.title, chart.said, charts_drawn.standing(chart), folded(chart.rows)
        )
        for section, by, chart in drawn
        if chart is not None
    )


def paper(
    summary: Summary,
    report: SummaryReport,
    printed: Sequence[Line],
    drawn: Sequence[Picture] = (),
    *,
    now: dt.datetime,
) -> Paper:
    """The words and pictures of the paper."""
    sections: dict[str, list[Line]] = {}
    for line in printed:
        sections.setdefault(line.section, []).append(line)
    here = (each for each in drawn if any(name.startswith(each.section) for name in sections))
    numbered = tuple(replace(each, number=n) for n, each in enumerate(here, 1))
    texts = {
        name: _texts(every, [each for each in numbered if name.startswith(each.section)])
        for name, every in sections.items()
    }
    signed = report.signed_at is not None
    foot = [
        _("标有※的语句由系统按规则从汇总数字生成，未经改写；其余由工作人员写定。"),
        _("括号内是所依据的意见的编号，可在意见汇总里逐件查看。"),
        _(
            "依据第%(n)d次汇总（%(at)s，词典%(lexicon)s，方法%(method)s），报告第%(v)d版。",
            n=summary.number,
            at=day(summary.counted_at),
            lexicon=summary.lexicon,
            method=summary.method,
            v=report.number,
        ),
    ]
    by = _("签发：%(name)s", name=report.signed_name) if signed else ""
    return Paper(
        title=_heading(summary.subject.title),
        under=f"{by}　{day(report.signed_at)}" if signed else day(report.made_at),
        draft="" if signed else _("（未签发的稿子，不作依据）"),
        sections=tuple(texts.items()),
        foot=tuple(foot),
        made=local(now).replace(microsecond=0).isoformat(),
        pictures=numbered,
    )


def _texts(written: Sequence[Line], drawn: Sequence[Picture]) -> tuple[str, ...]:
    """The paragraphs of a section. Each picture is referred to where it is spoken of, else at the end,
    before it stands there."""
    speaks = {each.number: _first(written, each.by) for each in drawn}
    texts = []
    for place, line in enumerate(written):
        seen = [_see(each) for each in drawn if speaks[each.number] == place]
        behind = "；".join(each for each in (line.cites, *seen) if each)
        # The mark stands at the words it is about; after the numbers it began lines of its own.
        text = line.text + (MACHINE if line.by_machine else "")
        text += f"（{behind}）" if behind else ""
        if line.quote:
            text += _("例如第%(n)d件：“%(words)s”", n=line.quote_number, words=line.quote)
        texts.append(text)
    texts += [f"{each.title}{_see(each)}。" for each in drawn if speaks[each.number] is None]
    return tuple(texts)


def _first(written: Sequence[Line], by: str) -> int | None:
    return next((place for place, line in enumerate(written) if line.by == by), None)


def _see(picture: Picture) -> str:
    return str(_("见图%(n)d、表%(n)d", n=picture.number))


def _heading(subject: str) -> str:
    """What the paper is called: the words 征求意见 stand in it once."""
    if subject.endswith("征求意见"):
        return str(_("关于%(title)s情况的报告", title=subject))
    return str(_("关于“%(title)s”征求意见情况的报告", title=within_quotes(subject)))


def word(paper: Paper) -> io.BytesIO:
    """As a Word document."""
    document = blank()
    title(document, paper.title)
    centred(document, paper.under)
    if paper.draft:
        centred(document, paper.draft)
    svgs = [each.svg for each in paper.pictures]
    pngs = dict(zip(svgs, charts_drawn.pictures(svgs), strict=False))
    for name, texts in paper.sections:
        heading(document, name)
        for text in texts:
            body(document, text)
        for each in paper.pictures:
            if name.startswith(each.section):
                _illustrate(document, each, pngs.get(each.svg))
    heading(document, _("附：说明"))
    for text in paper.foot:
        body(document, text)
    # The notes are few lines, which stay on one page.
    for note in document.paragraphs[-len(paper.foot) : -1]:
        note.paragraph_format.keep_with_next = True
    return io.BytesIO(saved(document))


def _illustrate(document: Doc, picture: Picture, png: bytes | None) -> None:
    if png is not None:
        drawing(document, png, picture.svg, width=150, alt=picture.said)
    else:
        centred(document, _("（图未能生成，数字见表%(n)d。）", n=picture.number), size=SMALL)
    centred(document, figure_named(picture.number, picture.title), size=SMALL)
    head, *rows = picture.rows
    table(document, table_named(picture.number, picture.title), head, rows)


def pdf(paper: Paper) -> bytes:
    """As a tagged PDF. Raises typesetting.NotMade."""
    pictures = [
        asdict(each)
        | {
            "under": figure_named(each.number, each.title),
            "over": table_named(each.number, each.title),
        }
        for each in paper.pictures
    ]
    words = asdict(paper) | {"pictures": pictures, "notes": _("附：说明")}
    words["lines"] = title_broken(paper.title)
    return typesetting.pdf(SHEET, words)
