"""Two selections side by side: which terms one has that the other has not, beyond chance.

Counted in people (`analysis.contrast`), or for the draft in paragraphs.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from consult.analysis import contrast
from consult.analysis.contrast import Comparison
from consult.summary_counts import FEW
from consult.summary_items import Counted, Item

# A term must come from so many people in both groups together, and a group have so many.
LEAST_PEOPLE = contrast.MINIMUM


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


def copies(items: Sequence[Item], terms: Collection[str]) -> dict[str, int]:
    """{term: people who use it in the letter that came most often}: a difference that is one text
    many times over looks like many voices."""
    wanted = set(terms)
    people: dict[tuple[str, int], set[int]] = defaultdict(set)
    for item in items:
        for term in wanted.intersection(item.terms):
            people[term, item.group].add(item.person)
    most: dict[str, int] = {}
    for (term, _group), senders in people.items():
        most[term] = max(most.get(term, 0), len(senders))
    return most


def uncompared(a: Side, b: Side) -> int:
    """How many terms too few used to be compared."""
    terms = a.counts.keys() | b.counts.keys()
    return sum(a.counts.get(t, 0) + b.counts.get(t, 0) < LEAST_PEOPLE for t in terms)


def overlap(a: Sequence[Item], b: Sequence[Item]) -> int:
    """How many opinions stand on both sides."""
    return len({item.id for item in a} & {item.id for item in b})
