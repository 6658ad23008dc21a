"""The opinions a summary covers, as plain values, and how a selection of them is made.

No database, no Flask, no words of anybody. Every figure of a summary is the size of a selection,
so that a page can open exactly the opinions it counted by asking for the same selection.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

from consult.analysis.cloud import Cloud
from consult.analysis.keywords import Keyword

# Places in the list of sections for what stands outside all chapters.
WHOLE, UNPLACED = 0, 1
# The number of the theme of what is in none; themes count from 1.
UNCLASSIFIED = 0
FAVOURING = frozenset({"support", "suggest"})


class Context(StrEnum):
    """What an opinion says about one term: the first three divide the opinions that hold it."""

    FAVOUR = "favour"
    AGAINST = "against"
    OTHER = "other"
    # Where the words themselves turn against the term; a part of AGAINST.
    OPPOSED = "opposed"


class Unit(StrEnum):
    """What a number counts, and so what its list lists."""

    SUBMISSIONS = "submissions"
    DISTINCT = "distinct"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class Item:
    """One covered opinion, without its words. `group` and `person` are numbers of this snapshot."""

    id: int
    number: int
    consultation: int
    group: int
    person: int
    section: int
    channel: str
    stance: str
    declared: bool
    day: dt.date
    terms: tuple[str, ...]
    opposed: frozenset[str]
    # Whether a person put the machine's reading of the stance right.
    corrected: bool = False
    theme: int = UNCLASSIFIED

    def context(self, term: str) -> Context:
        """What this opinion says about a term it holds."""
        if term in self.opposed or self.stance == "oppose":
            return Context.AGAINST
        return Context.FAVOUR if self.stance in FAVOURING else Context.OTHER


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, or one of the two places outside all chapters (level 0)."""

    consultation: int
    mark: int
    level: int
    title: str
    # Sections above it, outermost first, as places in the list of sections.
    above: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Theme:
    """A theme of one snapshot: its most telling terms, and by their ids the most central opinion
    and the few that together speak for it."""

    name: str
    terms: tuple[str, ...]
    representative: int
    spokesmen: tuple[int, ...] = ()
    # What a person called it; the machine's name stays beside it.
    given: str = ""

    def named(self, said: Collection[str]) -> str:
        """Its name among opinions that hold the terms `said`: what nobody says any more, because it
        was masked or hidden, is no name for a theme. "" when nothing is left."""
        if self.given:
            return self.given
        if set(self.terms[:3]) <= set(said):
            return self.name
        return "、".join([term for term in self.terms if term in said][:3])


@dataclass(frozen=True, slots=True)
class Counted:
    """What one count covered. `draft`: term → paragraphs of the drafts that hold it."""

    items: tuple[Item, ...]
    sections: tuple[Section, ...]
    draft: Mapping[str, int]
    draft_size: int
    # Received but not counted: (submission id, its state at the count), by id.
    rest: tuple[tuple[int, str], ...] = ()
    # What stood out among all items and how it was drawn, as found at the count: a later method
    # must not change an old snapshot, and a reader need not wait for it.
    keywords: tuple[Keyword, ...] = ()
    cloud: Cloud | None = None
    # Found at the count, largest first; an item's `theme` is the place here, from 1.
    themes: tuple[Theme, ...] = ()
    # The terms of the drafts' headings with which it was read, beyond what staff decided; None in older
    # snapshots, which were read with those of their own drafts.
    heading_terms: tuple[str, ...] | None = None
    # {submission id: for whom its author spoke}, as it is known now; not kept with the count.
    author_groups: Mapping[int, str] = field(default_factory=dict)

    def called(self, names: Mapping[int, str]) -> "Counted":
        """The same count with themes, by number, called as people do."""
        if not names:
            return self
        themes = tuple(replace(t, given=names.get(n, "")) for n, t in enumerate(self.themes, 1))
        return replace(self, themes=themes)

    def without(self, ids: frozenset[int]) -> "Counted":
        """The same count without these submissions."""
        if not ids:
            return self
        return replace(self, items=tuple(item for item in self.items if item.id not in ids))

    def unspoken(self, ids: frozenset[int]) -> "Counted":
        """The same count with nothing said of what these submissions say: they were counted with
        words that are masked now."""
        if not ids:
            return self
        nothing: frozenset[str] = frozenset()
        items = tuple(
            replace(item, terms=(), opposed=nothing, theme=UNCLASSIFIED) if item.id in ids else item
            for item in self.items
        )
        return replace(self, items=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """A selection of opinions; what is None or empty does not narrow it."""

    section: int | None = None
    consultation: int | None = None
    channel: str = ""
    stance: str = ""
    declared: bool | None = None
    corrected: bool | None = None
    theme: int | None = None
    # For whom the authors spoke (`author_groups`).
    author_group: str = ""
    # Everything but what has this: ("channel", "web").
    outside: tuple[str, str | int] | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    term: str = ""
    context: Context | None = None
    # Further terms, each with what is said about it, that must be there too.
    also: tuple[tuple[str, Context | None], ...] = ()
    group: int | None = None
    person: int | None = None

    @property
    def active(self) -> bool:
        """Whether anything is left out."""
        return self != Filters()


# Parts of a selection that are a field of the opinion, as it is.
PLAIN = ("consultation", "channel", "stance", "declared", "corrected", "theme", "group", "person")


def select(counted: Counted, filters: Filters) -> list[Item]:
    """The opinions that pass every filter, in the order they were received."""
    found: Iterable[Item] = counted.items
    for test in _tests(counted, filters):
        found = filter(test, found)
    return list(found)


def _tests(counted: Counted, f: Filters) -> Iterable[Callable[[Item], bool]]:
    if f.section is not None:
        under = {
            place
            for place, section in enumerate(counted.sections)
            if place == f.section or f.section in section.above
        }
        yield lambda item: item.section in under
    for name in PLAIN:
        wanted = getattr(f, name)
        if wanted is not None and wanted != "":
            yield partial(_has, name, wanted)
    if f.author_group:
        yield lambda item: counted.author_groups.get(item.id) == f.author_group
    if f.outside is not None:
        name, wanted = f.outside
        inner = list(_tests(counted, Filters(**{name: wanted})))  # type: ignore[arg-type]  # its field and its kind go together
        yield lambda item: not all(test(item) for test in inner)
    first, last = f.first or dt.date.min, f.last or dt.date.max
    if f.first or f.last:
        yield lambda item: first <= item.day <= last
    for term, context in (*([(f.term, f.context)] if f.term else []), *f.also):
        yield partial(_speaks, term, context)


def _speaks(term: str, context: Context | None, item: Item) -> bool:
    if term not in item.terms:
        return False
    if context is Context.OPPOSED:
        return term in item.opposed
    return context is None or item.context(term) is context


def _has(name: str, wanted: object, item: Item) -> bool:
    return bool(getattr(item, name) == wanted)


def firsts(items: Sequence[Item], unit: Unit) -> list[tuple[Item, int]]:
    """One opinion for each thing `unit` counts, the earliest, with how many it stands for."""
    if unit is Unit.SUBMISSIONS:
        return [(item, 1) for item in items]
    key: Callable[[Item], int] = (
        (lambda item: item.group) if unit is Unit.DISTINCT else (lambda item: item.person)
    )
    sizes = Counter(map(key, items))
    seen: dict[int, Item] = {}
    for item in items:
        seen.setdefault(key(item), item)
    return [(item, sizes[value]) for value, item in seen.items()]


def representatives(items: Sequence[Item], terms: Sequence[str], most: int) -> list[Item]:
    """Up to `most` opinions that together hold as many of the terms as can be.

    Each in turn is the one that adds most terms not held yet (ties: the earliest); never two of
    one near-duplicate group.
    """
    wanted = set(terms)
    open_items = {item.group: item for item in reversed(items)}
    chosen: list[Item] = []
    while wanted and len(chosen) < most and open_items:
        best = max(open_items.values(), key=lambda i: (len(wanted.intersection(i.terms)), -i.id))
        gained = wanted.intersection(best.terms)
        if not gained:
            break
        wanted -= gained
        chosen.append(open_items.pop(best.group))
    return sorted(chosen, key=lambda item: item.id)
