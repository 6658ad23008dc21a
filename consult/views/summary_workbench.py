"""The workbench over a snapshot: themes, letters that came many times, contrasts of any two
selections, and putting a stance right that was misread."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from werkzeug.wrappers import Response
from wtforms import RadioField
from wtforms.validators import InputRequired

from consult import provenance, rules, stance_corrections, summaries, term_index
from consult.analysis.contrast import Comparison, Difference
from consult.submissions import Channel, Stance, Submission
from consult.summaries import Summary, charting, contrasts, phrases, readings, theme_names
from consult.summaries.campaigns import BURST, BURST_DAYS, LEAST, Campaign, members
from consult.summaries.campaigns import find as find_campaigns
from consult.summaries.contrasts import Side
from consult.summaries.counts import FEW, by_theme
from consult.summaries.items import UNCLASSIFIED, Counted, Filters, Item, Theme, Unit, select
from consult.terms.reading import engine_for
from consult.views import summary_filters, summary_pages
from consult.views.summary_filters import Links
from consult.views.summary_pages import Opened, opened_at_desk
from core.charts import Chart
from core.db import db
from core.forms import Form, LineField, Words
from core.permissions import require
from core.web import choice_in, day_in, now, number_in, unclear, whole_number

CAMPAIGNS = 30
# Sides of a contrast that are no part of the snapshot's own opinions.
REST, DRAFT, WHOLE_ROUND, SNAPSHOT = "rest", "draft", "all", "summary"


# --- themes --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A theme as it may be shown now; number 0 is what is in none."""

    number: int
    name: str
    terms: Sequence[str]
    items: Sequence[Item]
    people: int
    stances: Mapping[str, int]
    quoted: Sequence[Submission]
    # What the machine called it, where a person calls it otherwise.
    machine: str = ""


def _taking(stance: str) -> Callable[[Shown], Any]:
    return lambda theme: -theme.stances.get(stance, 0)


THEME_ORDERS: dict[str, Callable[[Shown], Any]] = {
    "size": lambda theme: -len(theme.items),
    "people": lambda theme: -theme.people,
    "name": lambda theme: theme.name,
    **{stance.value: _taking(stance.value) for stance in Stance},
}


def themes(summary_id: int) -> str:
    """The themes of the selection with their opinions; their counts add up to it."""
    page = opened_at_desk(summary_id)
    found = shown_themes(page)
    sort = choice_in("sort", set(THEME_ORDERS), "size")
    return render_template(
        "consult/summaries/themes.html",
        **page.context(),
        **summary_pages.desk_extras(page),
        sort=sort,
        # What is in no theme stays at the end, whatever the order.
        themes=sorted(found, key=lambda each: (not each.number, THEME_ORDERS[sort](each))),
        namings=theme_names.of(summary_id),
        longest_name=theme_names.LONGEST,
        most=max((len(each.items) for each in found), default=0),
        charts=_theme_charts(page, found),
        room="themes",
    )


def _theme_charts(page: Opened, found: Sequence["Shown"]) -> dict[str, Chart]:
    def opens(number: int, stance: str) -> str:
        return page.links.opinions(theme=number, stance=stance)

    ordered = sorted(found, key=lambda each: (not each.number, THEME_ORDERS["size"](each)))
    sizes = [(each.name, each.number, each.stances) for each in ordered]
    drawn = charting.themes(sizes, opens)
    return {"themes": drawn} if drawn else {}


def theme(summary_id: int, theme: int) -> str:
    """One theme of the selection from within: the finer themes it falls into, found now, and with
    `?part=2` the opinions of one of them."""
    page = opened_at_desk(summary_id)
    if not 1 <= theme <= len(page.reading.counted.themes):
        abort(404)
    items, every = readings.within(page.reading, replace(page.filters, theme=theme))
    parts, part = _shown_of(items, every), number_in("part")
    if part is not None and part not in {each.number for each in parts}:
        abort(404)
    listing = None
    if part is not None:
        listing = summary_pages.listing_of(
            [item for item in items if item.theme == part],
            Unit(choice_in("as", summary_filters.UNITS, Unit.SUBMISSIONS.value)),
            number_in("after"),
            lambda id: summary_pages.again(after=id),
        )
    origins = provenance.of([e.submission for e in listing.entries]) if listing else {}
    return render_template(
        "consult/summaries/theme.html",
        **page.context(),
        **summary_pages.desk_extras(page),
        theme=page.reading.counted.themes[theme - 1],
        number=theme,
        size=len(items),
        people=len({item.person for item in items}),
        parts=parts,
        part=next((each for each in parts if each.number == part), None),
        listing=listing,
        origins=origins,
        rules=rules,
    )


def shown_themes(page: Opened) -> list[Shown]:
    """The themes that have opinions in the selection, and at the end what is in none."""
    return _shown_of(page.view.items, page.reading.counted.themes)


def _shown_of(items: Sequence[Item], every: Sequence[Theme]) -> list[Shown]:
    held = by_theme(items)
    order = [n for n in range(1, len(every) + 1) if n in held]
    order += [UNCLASSIFIED] if UNCLASSIFIED in held and every else []
    wanted = {id for n in order if n for id in _speaking(every[n - 1], held[n])}
    words = summary_pages.shown_by_id(sorted(wanted))
    return [_shown(n, every, held[n], words) for n in order]


def by_size(page: Opened) -> list[Shown]:
    """`shown_themes`, the one with most opinions first: they are numbered by their distinct ones."""
    return sorted(shown_themes(page), key=lambda each: (not each.number, -len(each.items)))


def _speaking(theme: Theme, items: Sequence[Item]) -> list[int]:
    here = {item.id for item in items}
    chosen = dict.fromkeys((theme.representative, *theme.spokesmen))
    return [id for id in chosen if id in here][:3] or [items[0].id]


def _shown(number: int, every: Sequence[Theme], items: Sequence[Item], words: Any) -> Shown:
    people, stances = len({item.person for item in items}), Counter(i.stance for i in items)
    if number == UNCLASSIFIED:
        return Shown(number, _("未归入主题"), (), items, people, stances, ())
    theme = every[number - 1]
    said = set().union(*(item.terms for item in items))
    terms = [term for term in theme.terms if term in said]
    name = theme.named(said) or _("主题%(n)d", n=number)
    quoted = [words[id] for id in _speaking(theme, items) if id in words]
    machine = theme.name if theme.given else ""
    return Shown(number, name, terms, items, people, stances, quoted, machine)


# --- letters that came many times ----------------------------------------------------------


CAMPAIGN_ORDERS: dict[str, Callable[[Campaign], Any]] = {
    "size": lambda each: -each.submissions,
    "people": lambda each: -each.people,
    "since": lambda each: each.since,
    "peak": lambda each: -each.peak,
}


def campaigns(summary_id: int) -> str:
    """Groups of alike opinions with 件数 and 人数, and which of them came all at once."""
    page = opened_at_desk(summary_id)
    sort = choice_in("sort", set(CAMPAIGN_ORDERS), "size")
    found = sorted(find_campaigns(page.view.items), key=CAMPAIGN_ORDERS[sort])
    covered = members(page.view.items, found)
    # By place, not by key: the groups of a snapshot are as they are.
    after = number_in("after") or 0
    after = after if after < len(found) else 0
    here = found[after : after + CAMPAIGNS]
    more = after + CAMPAIGNS if after + CAMPAIGNS < len(found) else None
    return render_template(
        "consult/summaries/campaigns.html",
        **page.context(),
        **summary_pages.desk_extras(page),
        sort=sort,
        campaigns=here,
        total=len(found),
        bursts=sum(each.is_burst for each in found),
        turning=summary_pages.Turning(
            summary_pages.again(after=more) if more else None,
            summary_pages.again(after=max(0, after - CAMPAIGNS) or None) if after else None,
        ),
        covered=len(covered),
        people=len({item.person for item in covered}),
        words=summary_pages.shown_by_id([each.first.id for each in here]),
        least=LEAST,
        burst=BURST,
        burst_days=BURST_DAYS,
        room="campaigns",
    )


# --- contrast ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chosen:
    """One side of a contrast: its name, its numbers, its opinions, where a term opens them, how its
    people or paragraphs are called, and the version of the words it was read with."""

    title: str
    side: Side
    items: Sequence[Item]
    links: Links | None
    unit: str
    lexicon: str


@dataclass(frozen=True, slots=True)
class Row:
    """A finding with where the people behind either count are opened; and of those who make the
    difference how many sent one letter, where they are the most, and where these are opened."""

    difference: Difference
    at_a: str | None
    at_b: str | None
    copies: int
    at_copies: str | None


DIFFERENCE_ORDERS: dict[str, Callable[[Difference], Any]] = {
    "firm": lambda _each: 0,
    "term": lambda each: each.term,
    "a": lambda each: -each.rate_a,
    "b": lambda each: -each.rate_b,
    "difference": lambda each: -abs(each.rate_a - each.rate_b),
}


def contrast(summary_id: int) -> str:
    """What one selection says that another does not."""
    page = opened_at_desk(summary_id)
    first, second = request.args.get("a", ""), request.args.get("b", "")
    sort = choice_in("sort", set(DIFFERENCE_ORDERS), "firm")
    # Two categories of a panel are a few people each, of whom most said something.
    by_group = any(each.startswith("author_group:") for each in (first, second))
    few = contrasts.LEAST_PEOPLE if by_group else FEW
    a = b = found = None
    both: list[Item] = []
    if first:
        a = _side(page, first, "a", None)
        b = _side(page, second or REST, "b", first)
        found = contrasts.compare(a.side, b.side, least=few)
        both = contrasts.overlap(a.items, b.items)
    listing = None
    if both and choice_in("list", {"both"}):
        listing = summary_pages.listing_of(
            both, Unit.SUBMISSIONS, number_in("after"), lambda id: summary_pages.again(after=id)
        )
    return render_template(
        "consult/summaries/contrast.html",
        **page.context(),
        **summary_pages.desk_extras(page),
        sort=sort,
        a=a,
        b=b,
        comparison=found,
        terms=sorted(_rows(found, a, b), key=lambda row: DIFFERENCE_ORDERS[sort](row.difference)),
        charts=_difference_charts(found),
        uncompared=contrasts.uncompared(a.side, b.side) if a and b else 0,
        undated=second == DRAFT and any(request.args.get(n) for n in ("b_from", "b_to")),
        other_words=bool(a and b and a.lexicon != b.lexicon),
        backwards=_backwards("a") or _backwards("b"),
        overlap=len(both),
        listing=listing,
        origins=provenance.of([e.submission for e in listing.entries]) if listing else {},
        rules=rules,
        few_people=few,
        least=contrasts.LEAST_PEOPLE,
        options=_options(page),
        small_groups=bool(page.reading.counted.author_groups)
        and not contrasts.author_groups(page.reading.counted),
        others=[each for each in _other_snapshots() if each.id != page.summary.id],
        asked={"a": first, "b": second, **{n: request.args.get(n, "") for n in PERIODS}},
        room="contrast",
    )


def _backwards(side: str) -> bool:
    """Whether the last day asked for lies before the first."""
    first, last = day_in(f"{side}_from"), day_in(f"{side}_to")
    return bool(first and last and last < first)


PERIODS = ("a_from", "a_to", "b_from", "b_to")


def _difference_charts(found: Comparison | None) -> dict[str, Chart]:
    drawn = charting.differences(found.findings) if found else None
    return {"differences": drawn} if drawn else {}


def _rows(found: Comparison | None, a: Chosen | None, b: Chosen | None) -> list[Row]:
    if found is None or a is None or b is None:
        return []
    copies = contrasts.copies(found, a.items, b.items)
    return [
        Row(
            each,
            _opens(a, each.term),
            _opens(b, each.term),
            letter.people if letter else 0,
            _opens(a if each.group == "a" else b, each.term, letter.group) if letter else None,
        )
        for each, letter in zip(found.findings, copies, strict=True)
    ]


def _opens(side: Chosen, term: str, group: int | None = None) -> str | None:
    return side.links.term(term, group=group, **{"as": "people"}) if side.links else None


def _side(page: Opened, asked: str, name: str, other: str | None) -> Chosen:
    first, last = day_in(f"{name}_from"), day_in(f"{name}_to")
    counted = page.reading.counted
    if asked == DRAFT:
        side = contrasts.of_draft(counted)
        return Chosen(_("文稿（按段落）"), side, (), None, _("段"), page.summary.lexicon)
    if asked.startswith(f"{SNAPSHOT}:"):
        number = asked.removeprefix(f"{SNAPSHOT}:")
        return _snapshot(number, Filters(first=first, last=last), parameter=name)
    filters = _filters(counted, asked, other, parameter=name)
    if first or last:
        filters = replace(filters, first=first, last=last)
    items = select(counted, filters)
    links = Links(filters, counted, {}, {"opinions": f"{_address(page.summary)}/opinions"})
    said = summary_filters.said(filters, counted, page.consultations)
    title = "；".join(f"{label}：{value}" for _name, label, value in said) or _("全部意见")
    side = contrasts.of_items(items)
    return Chosen(title, side, items, links, _("人"), page.summary.lexicon)


def _filters(counted: Counted, asked: str, other: str | None, *, parameter: str) -> Filters:
    if asked == WHOLE_ROUND:
        return Filters()
    if asked == REST:
        if other is None or other in (WHOLE_ROUND, DRAFT) or other.startswith(SNAPSHOT):
            return Filters()
        # The other side comes before this one.
        rest = summary_filters.part_in(counted, other, staff=True, parameter="a")
        return Filters(outside=rest)
    name, value = summary_filters.part_in(counted, asked, staff=True, parameter=parameter)
    return Filters(**{name: value})  # type: ignore[arg-type]  # its field and its kind go together


def _snapshot(asked: str, filters: Filters, *, parameter: str) -> Chosen:
    """Another snapshot, whole or the days of it that are asked for."""
    summary = summaries.by_id(whole_number(asked) or 0)
    if summary is None:
        unclear(parameter)
    other = summary_pages.opened(summary, {}, staff=True, selected=False)
    counted = other.reading.counted
    items = select(counted, filters)
    links = Links(filters, counted, {}, {"opinions": f"{_address(summary)}/opinions"})
    title = _("%(title)s（第%(n)d次汇总）", title=summary.subject.title, n=summary.number)
    said = summary_filters.said(filters, counted, other.consultations)
    title = "；".join([title, *(f"{label}：{value}" for _name, label, value in said)])
    return Chosen(title, contrasts.of_items(items), items, links, _("人"), summary.lexicon)


def _address(summary: Summary) -> str:
    return url_for("summaries.show", summary_id=summary.id)


def _options(page: Opened) -> list[tuple[str, list[tuple[str, str]]]]:
    """What may stand on a side, in groups."""
    counted, figures = page.reading.counted, page.view.figures
    found = [
        (_("渠道"), [(f"channel:{p.key}", Channel(p.key).title) for p in figures.channels]),
        (_("态度"), [(f"stance:{p.key}", Stance(p.key).title) for p in figures.stances]),
        (
            _("提意见者所属类别"),
            [(f"author_group:{t}", t) for t in contrasts.author_groups(counted)],
        ),
        (_("章节"), [(f"section:{n}", page.title_of(n)) for n in sorted(figures.sections)]),
        (_("主题"), [(f"theme:{n}", t.given or t.name) for n, t in enumerate(counted.themes, 1)]),
    ]
    if len(page.consultations) > 1:
        each = [(f"consultation:{c.id}", c.title) for c in page.consultations]
        found.append((_("意见征集"), each))
    return [(title, options) for title, options in found if options]


def _other_snapshots() -> list[Summary]:
    return sorted(summaries.newest().values(), key=lambda each: each.id)


# --- stance --------------------------------------------------------------------------------


class StanceForm(Form):
    """What stance the opinion takes, and why the machine's reading was wrong."""

    stance = RadioField(_l("这件意见的态度"), [InputRequired(_l("请选择态度。"))])
    reason = LineField(
        _l("为什么更正"),
        [Words(most=200, missing=_l("请写明为什么更正，以后可以查。"))],
        description=_l("例如：句中“不”是否定“好”，意思是反对。"),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stance.choices = [(stance.value, stance.title) for stance in Stance]


def stance(summary_id: int, submission_id: int) -> Response | str | tuple[str, int]:
    """Put the reading of one opinion's stance right; the next count uses it."""
    page = opened_at_desk(summary_id)
    require(rules.make_summaries)
    item = next((i for i in page.reading.counted.items if i.id == submission_id), None)
    submission = summary_pages.shown_by_id([submission_id]).get(submission_id)
    if item is None or submission is None:
        abort(404)
    engine = engine_for(term_index.lexicon())
    read = engine.analyse(submission.body, title=submission.own_title)
    form = StanceForm()
    if form.validate_on_submit():
        stance_corrections.correct(
            submission,
            Stance(form.stance.data),
            machine=read.stance,
            method=engine.version,
            reason=form.reason.data,
            by=current_user,
            now=now(),
        )
        db.session.commit()
        flash(_("已更正第%(n)d件的态度，重新汇总后起作用。", n=submission.number), "success")
        return redirect(url_for("summaries.opinions", summary_id=summary_id))
    shown = render_template(
        "consult/summaries/stance.html",
        **page.context(),
        form=form,
        submission=submission,
        item=item,
        machine=Stance(read.stance).title,
        because=read.because,
        correction=stance_corrections.of(submission_id),
    )
    return (shown, 422) if request.method == "POST" else shown


# --- one opinion ---------------------------------------------------------------------------


def words(summary_id: int, submission_id: int) -> str:
    """The keywords of one opinion, and of what each one's score is made."""
    page = opened_at_desk(summary_id)
    item = next((i for i in page.reading.counted.items if i.id == submission_id), None)
    submission = summary_pages.shown_by_id([submission_id]).get(submission_id)
    if item is None or submission is None:
        abort(404)
    found, beside = phrases.of(page.reading, submission)
    return render_template(
        "consult/summaries/words.html",
        **page.context(),
        submission=submission,
        phrases=found,
        beside=beside,
        parts=phrases.parts,
    )
