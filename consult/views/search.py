"""Finding any words in drafts, shown opinions, notices, summaries and answers; every result has an
address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from consult import (
    adoption_finding,
    consultations,
    drafts,
    lineage,
    search,
    search_terms,
    search_text,
    term_index,
)
from consult.consultations import Consultation
from consult.drafts import Paragraph
from consult.lineage import Line
from consult.search import Count, Query, Report
from consult.search_documents import Kind
from consult.search_text import Part
from consult.submissions import Submission
from consult.views.search_forms import FilterForm
from core.db import db
from core.web import choice_in, number_in

blueprint = Blueprint("search", __name__, url_prefix="/search")
PAGE = 20
HIGHEST_KEY = 2**60
MOST_OFFERED = 100


class SearchForm(FilterForm):
    """What is looked for, and where."""

    consultation = SelectField(_l("意见征集"), default="")
    # Of the draft of that consultation; by its mark.
    on = SelectField(_l("章节"), default="", description=_l("意见所针对的章节，含其下各节各段。"))

    @property
    def chosen(self) -> dict[str, str]:
        """What is chosen, as an address says it."""
        where = {"consultation": self.consultation.data, "on": self.on.data}
        return super().chosen | {name: value for name, value in where.items() if value}

    @property
    def only_opinions(self) -> bool:
        """Whether anything is asked for that only opinions have."""
        return bool(set(self.chosen) - {"q", "consultation"})


@dataclass(frozen=True, slots=True)
class Tab:
    """One kind of result and how many there are."""

    kind: Kind
    title: str
    url: str
    count: str


@dataclass(frozen=True, slots=True)
class Turning:
    """Where the list goes on."""

    next_url: str | None
    previous_url: str | None
    count_text: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One result: where it leads, whose it is, and the words around what was looked for."""

    url: str
    title: Sequence[Part]
    context: str
    parts: Sequence[Part]
    thing: Any = None


@blueprint.get("")
def index() -> tuple[str, int]:
    """The search box; with words or a term in it, what was found of one kind and how much of the others."""
    form = SearchForm(request.args)
    within, line = _offer(form)
    kinds = {kind.value for kind in Kind}
    asked, before = choice_in("in", kinds), number_in("before", most=HIGHEST_KEY)
    good = form.validate()
    term = form.term.data
    if not good or not (form.needles or term):
        page = render_template("consult/search/index.html", form=form, hits=None)
        return page, 200 if good else 422
    query = _query(form, within, line)
    # What is no opinion holds no terms, but words.
    words = (*query.needles, search_text.fold(term)) if term else query.needles
    queries = {k: replace(query, kind=k, needles=words) for k in Kind} | {Kind.OPINION: query}
    begun = {k: search_terms.begin(queries[k], term, limit=PAGE) for k in Kind}
    counts = {k: counted for k, (_page, counted) in begun.items()}
    kind = Kind(asked) if asked else _first(counts, form)
    found = begun[kind][0]
    if before is not None:
        found = search_terms.find(queries[kind], term, before=before, limit=PAGE)
    chosen: dict[str, Any] = {**form.chosen}
    here = chosen | {"in": kind.value}
    marked = words if kind is not Kind.OPINION else (*query.needles, *search_terms.forms(term))
    page = render_template(
        "consult/search/index.html",
        form=form,
        kind=kind.value,
        asked_term=about(term),
        tabs=[
            Tab(k, title, url_for(".index", **chosen | {"in": k.value}), _short(counts[k]))
            for k, title in _titles().items()
        ],
        hits=_HITS[kind](found.ids, marked),
        stopped=found.stopped,
        page=Turning(
            url_for(".index", **here, before=found.next_key) if found.next_key else None,
            url_for(".index", **here) if before else None,
            said(counts[kind]),
        ),
    )
    return page, 200


@dataclass(frozen=True, slots=True)
class AskedTerm:
    """A term that is looked for: what it counts as, whether it counts at all, and whether there are
    opinions that were not read with the lexicon in force."""

    counted_as: str
    uncounted: bool
    behind: bool


def about(term: str) -> AskedTerm | None:
    """What to say of a term that is looked for; None where none is."""
    if not term:
        return None
    counted_as, uncounted = search_terms.counted_as(term), search_terms.is_stop_word(term)
    return AskedTerm(counted_as, uncounted, term_index.is_behind())


def _offer(form: SearchForm) -> tuple[Consultation | None, Line | None]:
    """Fill in what may be chosen: the consultations, and the headings of the one that is; which that is, and
    its draft."""
    offered = consultations.newest(MOST_OFFERED)
    form.consultation.choices = [
        SelectChoice("", _("全部")),
        *(SelectChoice(each.slug, each.title) for each in offered),
    ]
    within = next((each for each in offered if each.slug == form.consultation.data), None)
    line = _line(within)
    headings = line.shown.headings if line else ()
    form.on.choices = [
        SelectChoice("", _("全部")),
        *(SelectChoice(str(h.mark), "　" * len(h.path) + h.text) for h in headings),
    ]
    return within, line


def _query(form: SearchForm, within: Consultation | None, line: Line | None) -> Query:
    """What is asked of opinions."""
    headings = line.shown.headings if line else ()
    place = next((h for h in headings if str(h.mark) == form.on.data), None)
    return Query(
        kind=Kind.OPINION,
        needles=form.needles,
        consultation_id=within.id if within else None,
        places=tuple(line.under(place)) if line and place else None,
        **form.facts,
    )


def _line(consultation: Consultation | None) -> Line | None:
    """The published draft of a consultation through all its versions."""
    version = drafts.published(consultation) if consultation else None
    return lineage.line(version) if version else None


def _first(counts: Mapping[Kind, Count], form: SearchForm) -> Kind:
    """What to show of what was found when nobody said of which kind."""
    if form.only_opinions:
        return Kind.OPINION
    return next((k for k in Kind if counts[k].number), Kind.PARAGRAPH)


def _titles() -> dict[Kind, str]:
    return {
        Kind.PARAGRAPH: _("文稿"),
        Kind.OPINION: _("意见"),
        Kind.NOTICE: _("公告与反馈"),
        Kind.SUMMARY: _("意见汇总"),
        Kind.ANSWER: _("逐条答复"),
    }


def _short(count: Count) -> str:
    return str(count.number) if count.complete else f"{count.number}+"


def said(count: Count) -> str:
    """How many were found, no more exactly than is known."""
    if count.complete:
        return str(_("共找到%(n)d件", n=count.number))
    if count.number >= search.MOST_COUNTED:
        return str(_("超过%(n)d件", n=count.number))
    return str(_("至少%(n)d件", n=count.number))


# --- hits ------------------------------------------------------------------------------------


def _in_order(table: Any, ids: Sequence[int]) -> list[Any]:
    found = {
        each.id: each for each in db.session.scalars(sa.select(table).where(table.id.in_(ids)))
    }
    return [found[id] for id in ids if id in found]


def _opinions(ids: Sequence[int], needles: Sequence[str]) -> list[Hit]:
    found: list[Submission] = _in_order(Submission, ids)
    titles = {each.id: each for each in _in_order(Consultation, [s.consultation_id for s in found])}
    return [
        Hit(
            # The list of opinions that begins with this one.
            url=url_for(
                "opinions.index",
                slug=titles[each.consultation_id].slug,
                before=each.id + 1,
                _anchor=f"opinion-{each.number}",
            ),
            title=search_text.excerpt(each.title, needles),
            context=titles[each.consultation_id].title,
            parts=search_text.excerpt(each.body, needles),
            thing=each,
        )
        for each in found
    ]


def _paragraphs(ids: Sequence[int], needles: Sequence[str]) -> list[Hit]:
    found: list[Paragraph] = _in_order(Paragraph, ids)
    versions = {each: drafts.version_by_id(each) for each in {p.version_id for p in found}}
    hits = []
    for each in found:
        version = versions[each.version_id]
        assert version is not None
        draft = version.draft
        where = drafts.outline(version).address(each.id)
        slug = draft.consultation.slug
        hits.append(
            Hit(
                url=url_for("drafts.read", slug=slug, _anchor=f"p{each.mark}"),
                title=[Part(where or draft.title, hit=False)],
                context=draft.consultation.title,
                parts=search_text.excerpt(each.text, needles),
            )
        )
    return hits


def _notices(ids: Sequence[int], needles: Sequence[str]) -> list[Hit]:
    found: list[Consultation] = _in_order(Consultation, ids)
    return [
        Hit(
            url=url_for("consultations.notice", slug=each.slug),
            title=search_text.excerpt(each.title, needles),
            context="",
            parts=search_text.excerpt(
                "\n".join((each.feedback, each.explanation, each.ways, each.contact)).strip(),
                needles,
            ),
        )
        for each in found
    ]


def _summaries(ids: Sequence[int], needles: Sequence[str]) -> list[Hit]:
    return [_summary(report, needles) for report in search.reports(ids, needles)]


def _summary(report: Report, needles: Sequence[str]) -> Hit:
    summary, consultation = report.summary, report.summary.consultation
    assert consultation is not None
    title = _("意见汇总（第%(n)d次）", n=summary.number)
    return Hit(
        url=url_for("summaries.public", slug=consultation.slug, snapshot=summary.number),
        title=[Part(title, hit=False)],
        context=consultation.title,
        parts=search_text.excerpt("、".join(report.terms), needles) if report.terms else [],
    )


def _answers(ids: Sequence[int], needles: Sequence[str]) -> list[Hit]:
    known = adoption_finding.answers(ids)
    found = [known[id] for id in ids if id in known]
    titles = {each.id: each for each in _in_order(Consultation, [a.consultation_id for a in found])}
    return [
        Hit(
            # The table from this row on.
            url=url_for(
                "adoption.show",
                slug=titles[each.consultation_id].slug,
                after=each.number - 1,
                _anchor=f"line-{each.number}",
            ),
            title=[Part(_("第%(n)d条答复", n=each.number), hit=False)],
            context=f"{each.row.outcome.title} · {titles[each.consultation_id].title}",
            parts=search_text.excerpt(each.row.reason, needles),
        )
        for each in found
    ]


_HITS = {
    Kind.ANSWER: _answers,
    Kind.OPINION: _opinions,
    Kind.PARAGRAPH: _paragraphs,
    Kind.NOTICE: _notices,
    Kind.SUMMARY: _summaries,
}
