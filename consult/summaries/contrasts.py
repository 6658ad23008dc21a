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


def copies(found: Comparison, a: Sequence[Item], b: Sequence[Item]) -> list[int]:
    """For each finding how many of those who make the difference sent one letter, where they are the
    most of them, else 0: what is one text many times over looks like many voices."""
    terms = {each.term for each in found.findings}
    most = {"a": _letters(a, terms), "b": _letters(b, terms)}
    told = []
    for each in found.findings:
        people = each.count_a if each.group == "a" else each.count_b
        alike = most[each.group].get(each.term, 0)
        told.append(alike if alike >= LEAST_ALIKE and 2 * alike >= people else 0)
    return told


def _letters(items: Sequence[Item], terms: set[str]) -> dict[str, int]:
    """{term: people who use it in the letter that came most often}."""
    people: dict[tuple[str, int], set[int]] = defaultdict(set)
    for item in items:
        for term in terms.intersection(item.terms):
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
