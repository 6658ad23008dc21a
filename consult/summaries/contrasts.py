"""Two selections side by side: which terms one has that the other has not, beyond chance.

Counted in people (`analysis.contrast`), or for the draft in paragraphs.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from consult.analysis import contrast
from consult.analysis.contrast import Comparison
from consult.summaries import campaigns
from consult.summaries.counts import FEW
from consult.summaries.items import Counted, Item

# A term must come from so many people in both groups together, and a group have so many.
LEAST_PEOPLE = contrast.MINIMUM
# So many who sent alike letters are worth saying.
LEAST_ALIKE = campaigns.LEAST


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: how many of its people used each term, and how many there are."""

    counts: Mapping[str, int]
    size: int


def of_items(items: Sequence[Item]) -> Side:
    """The people of a selection of opinions."""
    counts, size = contrast.people_by_term(items)
    return Side(counts, size)


def of_draft(counted: Counted) -> Side:
    """The paragraphs of the drafts."""
    return Side(Counter(counted.draft), counted.draft_size)


def author_groups(counted: Counted) -> dict[str, int]:
    """{for whom authors spoke: how many people}, by name; not those who are so few that a
    comparison would tell who said what."""
    people: dict[str, set[int]] = defaultdict(set)
    for item in counted.items:
        if title := counted.author_groups.get(item.id):
            people[title].add(item.person)
    return {title: len(p) for title, p in sorted(people.items()) if len(p) >= LEAST_PEOPLE}


def compare(a: Side, b: Side, *, least: int = FEW) -> Comparison | None:
    """The findings; None where a side has fewer than `least`: too few to compare."""
    if min(a.size, b.size) < least:
        return None
    return contrast.compare_counts(Counter(a.counts), a.size, Counter(b.counts), b.size)


@dataclass(frozen=True, slots=True)
class Letter:
    """A group of alike opinions, and how many people use a term in it."""

    group: int
    people: int


def copies(found: Comparison, a: Sequence[Item], b: Sequence[Item]) -> list[Letter | None]:
    """For each finding the letter that most of those who make the difference sent, else None: what is
    one text many times over looks like many voices."""
    terms = {each.term for each in found.findings}
    most = {"a": _letters(a, terms), "b": _letters(b, terms)}
    told: list[Letter | None] = []
    for each in found.findings:
        people = each.count_a if each.group == "a" else each.count_b
        letter = most[each.group].get(each.term)
        alike = letter.people if letter else 0
        told.append(letter if alike >= LEAST_ALIKE and 2 * alike >= people else None)
    return told


def _letters(items: Sequence[Item], terms: set[str]) -> dict[str, Letter]:
    """{term: the letter in which most people use it}; of equal ones the earliest."""
    people: dict[tuple[str, int], set[int]] = defaultdict(set)
    for item in items:
        for term in terms.intersection(item.terms):
            people[term, item.group].add(item.person)
    most: dict[str, Letter] = {}
    for (term, group), senders in people.items():
        if term not in most or most[term].people < len(senders):
            most[term] = Letter(group, len(senders))
    return most


def uncompared(a: Side, b: Side) -> int:
    """How many terms too few used to be compared."""
    terms = a.counts.keys() | b.counts.keys()
    return sum(a.counts.get(t, 0) + b.counts.get(t, 0) < LEAST_PEOPLE for t in terms)


def overlap(a: Sequence[Item], b: Sequence[Item]) -> list[Item]:
    """The opinions of `a` that stand on the other side, too."""
    there = {item.id for item in b}
    return [item for item in a if item.id in there]
