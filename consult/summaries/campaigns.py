"""Letters that came many times over (来件集中): groups of the same or nearly the same words.

Nothing is dropped for it: each is counted in 件数, and once in 去重观点数. What a group means, a
spontaneous likeness, a form letter that neighbours signed, or an order from somewhere, is for
people to find out.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from consult.summaries.items import Item

LEAST = 3
# A burst: so many of one group within so many days, and at least half of the group.
BURST, BURST_DAYS = 5, 2


@dataclass(frozen=True, slots=True)
class Campaign:
    """One group of alike opinions: how many, by how many people, when; `first` is the earliest.

    `busiest` is the first of the days that brought most, `peak` how many came on it and the next.
    """

    group: int
    first: Item
    submissions: int
    people: int
    since: dt.date
    until: dt.date
    busiest: dt.date
    peak: int

    @property
    def busy_until(self) -> dt.date:
        """The last of the days that brought most."""
        return self.busiest + dt.timedelta(days=BURST_DAYS - 1)

    @property
    def is_burst(self) -> bool:
        """Whether most of it came at once."""
        return self.peak >= BURST and 2 * self.peak >= self.submissions


def find(items: Sequence[Item], *, least: int = LEAST) -> list[Campaign]:
    """The groups of at least `least` opinions, largest first."""
    sizes = Counter(item.group for item in items)
    held: dict[int, list[Item]] = {group: [] for group, n in sizes.items() if n >= least}
    for item in items:
        if item.group in held:
            held[item.group].append(item)
    found = [_described(group, each) for group, each in held.items()]
    return sorted(found, key=lambda each: (-each.submissions, each.first.id))


def members(items: Sequence[Item], found: Iterable[Campaign]) -> list[Item]:
    """Those of the opinions that are in one of these groups, in their order."""
    groups = {each.group for each in found}
    return [item for item in items if item.group in groups]


def _described(group: int, held: Sequence[Item]) -> Campaign:
    days = Counter(item.day for item in held)
    within = {day: sum(days[day + dt.timedelta(days=n)] for n in range(BURST_DAYS)) for day in days}
    busiest = min(within, key=lambda day: (-within[day], day))
    return Campaign(
        group,
        min(held, key=lambda item: item.id),
        len(held),
        len({item.person for item in held}),
        min(days),
        max(days),
        busiest,
        within[busiest],
    )
