"""What the pages of a summary are made of, for staff and for the public alike."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import abort, request, url_for
from flask_login import current_user
from markupsafe import Markup

from consult import lexicons, rules, summaries
from consult.analysis import cloud as clouds
from consult.analysis import concordance
from consult.analysis.concordance import Line
from consult.analysis.keywords import Keyword
from consult.consultations import Consultation
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import (
    Summary,
    campaigns,
    charting,
    consultations_of,
    kept_views,
    readings,
)
from consult.summaries.counts import FEW, heat, outermost
from consult.summaries.items import Filters, Item, Unit, firsts
from consult.summaries.readings import Reading, View
from consult.summaries.words import CLOUD_WORDS, lexicon_of
from consult.terms.reading import engine_for
from consult.views.summary_filters import Links, filters_in, said, section_title
from core.charts import Chart
from core.db import db
from core.permissions import may, require
from core.web import keep_private, unclear

PAGE = 20
WIDTH = 20
# So many opinions are read to sort the lines of a concordance.
MOST_SORTED = 300
# By what the keywords may be put in order; the most first, words by their characters.
KEYWORD_ORDERS: dict[str, Callable[[View, Keyword], Any]] = {
    "score": lambda _view, _keyword: 0,
    "term": lambda _view, keyword: keyword.term,
    "count": lambda _view, keyword: -keyword.count,
    "distinct": lambda _view, keyword: -keyword.distinct,
    "people": lambda _view, keyword: -keyword.people,
    "favour": lambda view, keyword: -view.terms[keyword.term].split.favour,
    "against": lambda view, keyword: -view.terms[keyword.term].split.against,
    "other": lambda view, keyword: -view.terms[keyword.term].split.other,
    "opposed": lambda view, keyword: -view.terms[keyword.term].split.opposed,
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A snapshot opened at the selection its address asks for."""

    summary: Summary
    consultations: Sequence[Consultation]
    reading: Reading
    filters: Filters
    links: Links
    staff: bool

    @property
    def view(self) -> View:
        """The figures of the selection."""
        return readings.view(self.reading, self.filters)

    def title_of(self, place: int) -> str:
        """The heading of a section."""
        titles = {c.id: c.title for c in self.consultations}
        return section_title(self.reading.counted, place, titles)

    def said(self) -> list[tuple[str, str, str]]:
        """The selection in words: (parameter, label, value)."""
        return said(self.filters, self.reading.counted, self.consultations)

    def context(self) -> dict[str, Any]:
        """What every template of a summary needs."""
        counted, view = self.reading.counted, self.view
        return {
            "summary": self.summary,
            "subject": self.summary.subject,
            "titles": {c.id: c.title for c in self.consultations},
            "reading": self.reading,
            "filters": self.filters,
            "said": self.said(),
            "links": self.links,
            "view": view,
            "figures": view.figures,
            "few": len(view.items) < FEW,
            "since": readings.since(self.summary, self.consultations),
            "section_title": self.title_of,
            "chapters": [
                (place, view.figures.sections[place])
                for place in outermost(counted)
                if place in view.figures.sections
            ],
            "channel_title": channel_title,
            "stance_title": stance_title,
            "staff": self.staff,
            "may_correct": self.staff and may(rules.make_summaries),
        }


def channel_title(value: str) -> str:
    """A channel in the words of the page."""
    return Channel(value).title


def stance_title(value: str) -> str:
    """A stance in the words of the page."""
    return Stance(value).title


def opened(
    summary: Summary, paths: Mapping[str, str], *, staff: bool, selected: bool = True
) -> Opened:
    """Open a snapshot at the selection the address asks for (400 when there cannot be one), or
    whole when it may not select."""
    consultations = consultations_of(summary.subject)
    reading = readings.read(summary, consultations)
    filters = filters_in(reading.counted, staff=staff) if selected else Filters()
    wanted = filters.consultation
    if wanted is not None and wanted not in {c.id for c in consultations}:
        unclear("consultation")
    # The public's address names the snapshot, so that a link stays true when a newer one is out.
    fixed = {} if staff else {"snapshot": summary.number}
    links = Links(filters, reading.counted, fixed, paths)
    return Opened(summary, consultations, reading, filters, links, staff)


def opened_at_desk(summary_id: int) -> Opened:
    """The snapshot at this address, for staff who may read it."""
    keep_private()
    require(rules.read_summaries)
    summary = summaries.by_id(summary_id)
    if summary is None:
        abort(404)
    at = url_for("summaries.show", summary_id=summary_id)
    rooms = ("opinions", "term", "document", "themes", "campaigns", "contrast", "report")
    return opened(summary, {"page": at, **{room: f"{at}/{room}" for room in rooms}}, staff=True)


def heats(opened: Opened) -> list[tuple[int, int, int]]:
    """(section, heat, opinions) for every heading of the drafts, and for what stands outside."""
    counted, counts = opened.reading.counted, opened.view.figures.sections
    most: dict[int, int] = {}
    for place, section in enumerate(counted.sections):
        most[section.level] = max(most.get(section.level, 0), counts.get(place, 0))
    return [
        (place, heat(counts.get(place, 0), most[section.level]), counts.get(place, 0))
        for place, section in enumerate(counted.sections)
        if section.level or counts.get(place)
    ]


def sorted_keywords(view: View, order: str) -> list[Keyword]:
    """The keywords in one of `KEYWORD_ORDERS`; equal ones by how much they stand out."""
    key = KEYWORD_ORDERS[order]
    return sorted(view.keywords, key=lambda keyword: key(view, keyword))


def again(**changes: str | int | None) -> str:
    """The address of this very page with some parameters changed; None drops one."""
    asked: dict[str, Any] = {**request.args.to_dict(flat=False), **changes}
    kept = {name: value for name, value in asked.items() if value not in (None, "", [])}
    return request.path + ("?" + urlencode(kept, doseq=True) if kept else "")


def desk_extras(opened: Opened) -> dict[str, Any]:
    """What the desk's pages offer besides: their address in another order, what one keeps, and what
    a selection is chosen from."""
    at = url_for("summaries.show", summary_id=opened.summary.id)
    kept = [
        (each, f"{at}{'' if each.room == 'show' else '/' + each.room}?{each.asked}")
        for each in kept_views.of(opened.summary, current_user.id)
    ]
    return {
        "again": again,
        "kept": kept,
        "asked_now": again().partition("?")[2],
        "channel_choices": [(each.value, each.title) for each in Channel],
        "stance_choices": [(each.value, each.title) for each in Stance],
    }


def charts(opened: Opened) -> dict[str, Chart | None]:
    """The pictures of a selection; none where nothing is compared."""
    view, links = opened.view, opened.links
    if len(view.items) < FEW:
        return {}
    counted, counts = opened.reading.counted, view.figures.sections
    chapters = [
        (opened.title_of(place), place, counts.get(place, 0))
        for place in outermost(counted)
        if counted.sections[place].level or counts.get(place)
    ]
    page = "term" if opened.staff else "opinions"
    return {
        "keywords": charting.keywords(view, lambda term: links.term(term, page=page)),
        "stances": charting.stances(view.figures.stances, lambda key: links.opinions(stance=key)),
        "sections": charting.sections(chapters, links.section),
        "days": charting.days(view.figures.days, links.between),
    }


@dataclass(frozen=True, slots=True)
class DrawnCloud:
    """The word cloud, and its words in a row for screens too narrow for it: (word, how large from 1 to
    4, its address, what it says aloud)."""

    svg: Markup
    words: Sequence[tuple[str, int, str, str]]


def word_cloud(opened: Opened, *, label: str) -> DrawnCloud | None:
    """The words of the selection, each a link said aloud as `label` (# the word, @ its opinions);
    None where nothing is compared."""
    cloud = readings.cloud_of(opened.reading, opened.view)
    if cloud is None:
        return None
    shown = opened.view.keywords[:CLOUD_WORDS]
    page = "term" if opened.staff else "opinions"
    links = {k.term: opened.links.term(k.term, page=page) for k in shown}
    labels = {k.term: label.replace("#", k.term).replace("@", str(k.count)) for k in shown}
    # Its own size, not the page's: it scrolls rather than shrinks out of reach.
    sized = f'<svg width="{cloud.width}" height="{cloud.height}" '
    drawn = clouds.svg(cloud, links=links, labels=labels).replace("<svg ", sized, 1)
    most = max(k.count for k in shown)
    words = [(k.term, heat(k.count, most), links[k.term], labels[k.term]) for k in shown]
    return DrawnCloud(Markup(drawn), words)


# --- lists of opinions ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Turning:
    """Where a list goes on."""

    next_url: str | None
    previous_url: str | None
    count_text: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One opinion in a list, its words, and for how many it stands."""

    item: Item
    stands_for: int
    submission: Submission


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the opinions a number counts, and that number."""

    total: int
    unit: Unit
    entries: list[Entry]
    page: Turning


def listing(
    opened: Opened,
    unit: Unit,
    after: int | None,
    *,
    page: str = "opinions",
    size: int = PAGE,
    alike: str = "",
) -> Listing:
    """The opinions of the selection after submission `after`, with their words in one query; with one
    of `summary_filters.ALIKE` only those of such groups in the selection."""
    return listing_of(
        _alike(opened.view.items, alike) if alike else opened.view.items,
        unit,
        after,
        lambda id: opened.links.to(page, after=id, alike=alike, **_unit(unit)),
        size=size,
    )


def listing_of(
    items: Sequence[Item],
    unit: Unit,
    after: int | None,
    at: Callable[[int | None], str],
    *,
    size: int = PAGE,
) -> Listing:
    """The same of any opinions; `at` gives the address of what comes after one of them."""
    everything = firsts(items, unit)
    rest = [pair for pair in everything if after is None or pair[0].id > after]
    here = rest[:size]
    words = shown_by_id([item.id for item, _n in here])
    return Listing(
        total=len(everything),
        unit=unit,
        entries=[Entry(item, n, words[item.id]) for item, n in here if item.id in words],
        page=Turning(at(here[-1][0].id) if len(rest) > size else None, at(None) if after else None),
    )


def _alike(items: Sequence[Item], which: str) -> list[Item]:
    found = campaigns.find(items)
    return campaigns.members(items, [c for c in found if which != "burst" or c.is_burst])


def _unit(unit: Unit) -> dict[str, Any]:
    return {} if unit is Unit.SUBMISSIONS else {"as": unit.value}


def shown_by_id(ids: Sequence[int]) -> Mapping[int, Submission]:
    """The submissions with these ids that are shown at this moment."""
    query = sa.select(Submission).where(
        Submission.id.in_(ids), Submission.state == SubmissionState.SHOWN
    )
    return {submission.id: submission for submission in db.session.scalars(query)}


def submissions_by_id(ids: Sequence[int]) -> list[Submission]:
    """The submissions with these ids, whatever their state."""
    query = sa.select(Submission).where(Submission.id.in_(ids)).order_by(Submission.id)
    return list(db.session.scalars(query))


def mentions(
    opened: Opened, term: str, listing: Listing, *, sort: str = ""
) -> list[tuple[Entry, Line]]:
    """Each mention of a term in the opinions of one page of a list, in its surroundings; in order
    of the opinions, or of what stands to the left or right of it."""
    base = lexicons.at(opened.reading.key.lexicon)
    segmenter = engine_for(lexicon_of(opened.reading.covered, base)).segmenter
    found = []
    for entry in listing.entries:
        text = f"{entry.submission.title}\n{entry.submission.body}".strip()
        found += [
            (entry, line)
            for line in concordance.lines(text, term, width=WIDTH, segmenter=segmenter)
        ]
    if sort:
        key = Line.by_left if sort == "left" else Line.by_right
        found.sort(key=lambda pair: key(pair[1]))
    return found


def state_ids(opened: Opened, state: str, unit: Unit = Unit.SUBMISSIONS) -> list[int]:
    """The covered submissions that were in `state` at the count; "received" for all of them,
    "removed" for those that were counted and are shown no longer; or those to which one of
    `readings.CHANGES` happened since. Of those shown at the count the first of each thing `unit`
    counts."""
    if state in readings.CHANGES:
        return readings.changed(opened.summary, opened.consultations, state)
    covered, counted = opened.reading.covered, opened.reading.counted
    items = {item.id for item in covered.items}
    if state == "shown":
        return sorted(item.id for item, _n in firsts(covered.items, unit))
    if state == "removed":
        return sorted(items - {item.id for item in counted.items})
    rest = [id for id, was in covered.rest if state in ("received", was)]
    return sorted([*(items if state == "received" else ()), *rest])


def draft_url(opened: Opened, place: int) -> str | None:
    """Where a section stands in the published draft."""
    section = opened.reading.counted.sections[place]
    slugs = {c.id: c.slug for c in opened.consultations}
    if not section.level:
        return None
    return url_for("drafts.read", slug=slugs[section.consultation], _anchor=f"p{section.mark}")
