"""The selection of a summary page in its address: read with care, and written for every link."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_babel import gettext as _

from consult.consultations import Consultation
from consult.submissions import Channel, Stance, SubmissionState
from consult.summaries.contrasts import author_groups
from consult.summaries.items import UNPLACED, WHOLE, Context, Counted, Filters, Unit
from consult.summaries.readings import CHANGES
from core.web import asked, choice_in, day, day_in, number_in, unclear, whole_number, words_in

CHANNELS = frozenset(channel.value for channel in Channel)
STANCES = frozenset(stance.value for stance in Stance)
CONTEXTS = frozenset(context.value for context in Context)
UNITS = frozenset(unit.value for unit in Unit)
# Who says what the stance is: (ticked by the author, corrected by a person).
READ: dict[str, tuple[bool, bool | None]] = {
    "author": (True, None),
    "machine": (False, False),
    "person": (False, True),
}
OUTSIDE = frozenset({"section", "consultation", "channel", "stance", "theme"})
MOST_ALSO = 4
# Of a list the opinions that came in groups of alike ones: all of them, or those that came at once.
ALIKE = frozenset({"all", "burst"})
STATES = frozenset({"received", "removed", *CHANGES, *(state.value for state in SubmissionState)})
LONGEST_TERM = 40
# Every parameter that narrows what is looked at.
NAMES = (
    *("section", "consultation", "channel", "stance", "read", "theme", "author_group", "outside"),
    *("from", "to", "term", "context", "also", "group", "person"),
)


def is_selection() -> bool:
    """Whether the address asks for a part of what was counted."""
    return any(asked(name) for name in NAMES)


def filters_in(counted: Counted, *, staff: bool) -> Filters:
    """The selection the address asks for; 400 when it asks for what cannot be.

    Which opinions come from one person is for staff to see, not for the public.
    """
    section = number_in("section")
    if section is not None and section >= len(counted.sections):
        unclear("section")
    term = words_in("term", most=LONGEST_TERM)
    context = choice_in("context", CONTEXTS)
    if context and not term:
        unclear("context")
    declared, corrected = READ.get(choice_in("read", set(READ)), (None, None))
    return Filters(
        section=section,
        consultation=number_in("consultation"),
        channel=choice_in("channel", CHANNELS),
        stance=choice_in("stance", STANCES),
        declared=declared,
        corrected=corrected,
        theme=_theme_in(counted, number_in("theme")),
        author_group=_author_group_in(counted, staff),
        outside=_outside_in(counted, staff),
        first=day_in("from"),
        last=day_in("to"),
        term=term,
        context=Context(context) if context else None,
        also=_also_in(),
        group=number_in("group"),
        person=number_in("person") if staff else None,
    )


def _theme_in(counted: Counted, theme: int | None) -> int | None:
    if theme is not None and theme > len(counted.themes):
        unclear("theme")
    return theme


def _author_group_in(counted: Counted, staff: bool) -> str:
    """For whom the authors spoke: for staff, and never so few that it would tell who they are."""
    offered = author_groups(counted) if staff else {}
    return choice_in("author_group", set(offered))


def _outside_in(counted: Counted, staff: bool) -> tuple[str, str | int] | None:
    """`outside=channel:web`: everything but that."""
    raw = request.args.get("outside", "")
    return part_in(counted, raw, staff=staff) if raw else None


def part_in(
    counted: Counted, raw: str, *, staff: bool, parameter: str = "outside"
) -> tuple[str, str | int]:
    """`channel:web`, `section:3`: one part of a division; 400, naming the parameter it was asked with,
    when there is no such part."""
    name, _colon, value = raw.partition(":")
    words = {"channel": CHANNELS, "stance": STANCES}
    if name in words and value in words[name]:
        return name, value
    if name == "author_group" and staff and value in author_groups(counted):
        return name, value
    number = whole_number(value)
    if name not in OUTSIDE or number is None:
        unclear(parameter)
    known = {
        "section": number < len(counted.sections),
        "theme": number <= len(counted.themes),
        "consultation": any(item.consultation == number for item in counted.items),
    }
    if not known.get(name, False):
        unclear(parameter)
    return name, number


def _also_in() -> tuple[tuple[str, Context | None], ...]:
    """The further terms: `also=养老`, or with what is said about it `also=养老|against`."""
    found = []
    for raw in request.args.getlist("also"):
        term, bar, context = raw.partition("|")
        known = context in CONTEXTS if bar else True
        if not term or len(term) > LONGEST_TERM or not term.isprintable() or not known:
            unclear("also")
        found.append((term, Context(context) if context else None))
    if len(found) > MOST_ALSO:
        unclear("also")
    return tuple(found)


def query_of(filters: Filters) -> dict[str, Any]:
    """The selection as parts of an address; what does not narrow it is left out."""
    f = filters
    words = {pair: name for name, pair in READ.items()}
    parts: dict[str, Any] = {
        "section": f.section,
        "consultation": f.consultation,
        "channel": f.channel,
        "stance": f.stance,
        "read": words.get((f.declared, f.corrected), "") if f.declared is not None else "",
        "theme": f.theme,
        "author_group": f.author_group,
        "outside": f"{f.outside[0]}:{f.outside[1]}" if f.outside else "",
        "from": f.first,
        "to": f.last,
        "term": f.term,
        "context": f.context.value if f.context else "",
        "also": [f"{term}|{context.value}" if context else term for term, context in f.also],
        "group": f.group,
        "person": f.person,
    }
    return {name: value for name, value in parts.items() if value not in (None, "", [])}


class Links:
    """Addresses of pages about one snapshot that keep a selection and narrow it further.

    Narrowing never widens: a number on a page and the list it opens are the same selection.
    Built by hand rather than by `url_for`: a summary page carries hundreds of them.
    """

    def __init__(
        self,
        filters: Filters,
        counted: Counted,
        fixed: Mapping[str, Any],
        paths: Mapping[str, str],
    ) -> None:
        self._filters, self._counted = filters, counted
        self._fixed, self._paths = fixed, paths
        self._asked = query_of(filters)

    def to(self, page: str, *, under: int | None = None, **more: Any) -> str:
        """The address of `page`, or of one thing of a number under it; a value of None drops that
        part of the selection."""
        asked = {**self._fixed, **self._asked, **more}
        kept = {name: value for name, value in asked.items() if value not in (None, "", [])}
        path = self._paths[page] if under is None else f"{self._paths[page]}/{under}"
        return path + ("?" + urlencode(kept, doseq=True) if kept else "")

    def opinions(self, **more: Any) -> str:
        """The opinions of the selection, narrowed."""
        return self.to("opinions", **more)

    def section(self, place: int) -> str:
        """The opinions of the selection on a section and what is under it."""
        return self.opinions(section=self.within(place))

    def within(self, place: int) -> int:
        """A section, or the part of it that is selected already."""
        chosen = self._filters.section
        wider = chosen is not None and place in self._counted.sections[chosen].above
        return chosen if wider and chosen is not None else place

    def between(self, first: dt.date, last: dt.date, **more: Any) -> str:
        """The opinions of the selection between two days, both inside."""
        first = max(first, self._filters.first or first)
        last = min(last, self._filters.last or last)
        return self.opinions(**{"from": first, "to": last}, **more)

    def term(self, term: str, context: str = "", *, page: str = "opinions", **more: Any) -> str:
        """The opinions of the selection that hold a term, or say something certain about it."""
        f = self._filters
        if f.term == term and f.context and (not context or f.context is Context.OPPOSED):
            context = f.context.value
        asked: dict[str, Any] = {"term": term, "context": context}
        if f.term and f.term != term:
            held = f.term + (f"|{f.context.value}" if f.context else "")
            asked["also"] = [*self._asked.get("also", []), held]
        return self.to(page, **asked, **more)

    def without(self, name: str, page: str = "page") -> str:
        """The same page without one part of the selection."""
        narrower = {"context": None} if name == "term" else {}
        return self.to(page, **{name: None, **narrower})

    def path(self, page: str) -> str:
        """Where a page stands, with no selection: what a form adds its own to."""
        return self._paths[page]


def section_title(counted: Counted, place: int, titles: dict[int, str]) -> str:
    """A section's heading; with the consultation's title where several are summed up."""
    if place == WHOLE:
        return str(_("针对全文"))
    if place == UNPLACED:
        return str(_("未编入章节的段落"))
    section = counted.sections[place]
    before = f"{titles[section.consultation]} › " if len(titles) > 1 else ""
    return before + section.title


def said(
    filters: Filters, counted: Counted, consultations: Sequence[Consultation]
) -> list[tuple[str, str, str]]:
    """The selection in words: (parameter, label, value) for each part of it."""
    titles = {c.id: c.title for c in consultations}
    f = filters
    found: list[tuple[str, str, str]] = []
    if f.term:
        found.append(("term", _("关键词"), f.term))
    if f.context:
        found.append(("context", _("意见态度"), context_title(f.context)))
    for term, context in f.also:
        word = f"{term}（{context_title(context)}）" if context else term
        found.append(("also", _("同时提到"), word))
    if f.section is not None:
        found.append(("section", _("章节"), section_title(counted, f.section, titles)))
    if f.consultation is not None:
        found.append(("consultation", _("意见征集"), titles.get(f.consultation, "—")))
    if f.channel:
        found.append(("channel", _("渠道"), Channel(f.channel).title))
    if f.stance:
        found.append(("stance", _("态度"), Stance(f.stance).title))
    if f.declared is not None:
        read = _("人工更正") if f.corrected else _("系统判读")
        found.append(("read", _("态度来源"), _("作者自述") if f.declared else read))
    if f.theme is not None:
        found.append(("theme", _("主题"), theme_title(counted, f.theme)))
    if f.author_group:
        found.append(("author_group", _("提意见者所属类别"), f.author_group))
    if f.outside is not None:
        what = said(Filters(**{f.outside[0]: f.outside[1]}), counted, consultations)  # type: ignore[arg-type]  # its field and its kind go together
        found.append(
            ("outside", _("除外"), "；".join(f"{label}：{value}" for _n, label, value in what))
        )
    if f.first:
        found.append(("from", _("自"), day(f.first)))
    if f.last:
        found.append(("to", _("至"), day(f.last)))
    if f.group is not None:
        found.append(("group", _("范围"), _("内容相近的一组")))
    if f.person is not None:
        found.append(("person", _("范围"), _("同一人提交的")))
    return found


def said_of_alike(which: str) -> tuple[str, str, str]:
    """The same of one of `ALIKE`, which narrows a list and nothing else."""
    titles = {"all": _("成批的相近来件"), "burst": _("集中来件")}
    return "alike", _("范围"), titles[which]


def theme_title(counted: Counted, theme: int) -> str:
    """The name of a theme, or that there is none."""
    if not theme:
        return str(_("未归入主题"))
    return counted.themes[theme - 1].given or counted.themes[theme - 1].name


def context_title(context: Context) -> str:
    """What an opinion says about a term, in words."""
    titles: dict[Context, str] = {
        Context.FAVOUR: _("赞成或建议"),
        Context.AGAINST: _("反对"),
        Context.OTHER: _("其他"),
        Context.OPPOSED: _("反对语境"),
    }
    return titles[context]
