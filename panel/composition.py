"""Composition (构成): who sits, counted by category, field, place, sex and age, against the plan.

Pure counting over rows that were read once. What is missing is named, not left to be noticed.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from panel.appointments import Appointment
from panel.members import Gender
from panel.targets import Key, Way

# The first age of each band.
BANDS = (18, 35, 45, 60)


@dataclass(frozen=True, slots=True)
class Count:
    """How many of one kind there are, and how many are planned, where there is a plan."""

    name: str
    actual: int
    planned: int | None = None

    @property
    def missing(self) -> int:
        """How many seats of the plan are empty."""
        return max((self.planned or 0) - self.actual, 0)


@dataclass(frozen=True, slots=True)
class Composition:
    """Every way of counting the same people."""

    people: int
    categories: Sequence[Count]
    fields: Sequence[Count]
    places: Sequence[Count]
    genders: Sequence[Count]
    ages: Sequence[Count]

    @property
    def planned(self) -> int | None:
        """All planned seats; None while there is no plan at all."""
        plans = [each.planned for each in self.categories if each.planned is not None]
        return sum(plans) if plans else None

    @property
    def gaps(self) -> list[str]:
        """What is missing, in sentences; the most seats first."""
        short = sorted(
            (each for each in self.categories if each.missing), key=lambda each: -each.missing
        )
        said = [
            _(
                "%(name)s缺%(n)d席（计划%(planned)d席，在任%(actual)d人）。",
                name=each.name,
                n=each.missing,
                planned=each.planned or 0,
                actual=each.actual,
            )
            for each in short
        ]
        said += [
            _("%(name)s还没有成员，也没有计划名额。", name=each.name)
            for each in self.categories
            if each.planned is None and not each.actual
        ]
        if self.people:
            said += [
                _("没有成员的专长领域：%(name)s。", name=each.name)
                for each in self.fields
                if not each.actual and each.planned is None
            ]
        said += [
            _(
                "%(way)s“%(name)s”比目标少%(n)d人（目标%(planned)d人，在任%(actual)d人）。",
                way=way.title,
                name=each.name,
                n=each.missing,
                planned=each.planned or 0,
                actual=each.actual,
            )
            for way, counts in self.by_way.items()
            for each in counts
            if each.missing
        ]
        return said

    @property
    def by_way(self) -> dict[Way, Sequence[Count]]:
        """The counts for which there may be targets."""
        return {
            Way.FIELD: self.fields,
            Way.PLACE: self.places,
            Way.GENDER: self.genders,
            Way.AGE: self.ages,
        }


def of(
    seated: Sequence[Appointment],
    *,
    categories: Sequence[str],
    planned: Mapping[str, int],
    fields: Mapping[str, str],
    on_day: dt.date,
    targets: Mapping[Key, int] | None = None,
) -> Composition:
    """Count those who sit; `fields` are the topics' titles by their keys."""
    wanted = targets or {}
    kinds = Counter(each.category for each in seated)
    # A category that was taken out of the programme still has those who sit in it.
    names = [*categories, *sorted(set(kinds) - set(categories))]
    skilled = Counter(key for each in seated for key in set(each.fields))
    places = Counter(each.sub_district or str(_("未填")) for each in seated)
    for way, key in wanted:
        if way is Way.PLACE:
            # One from which nobody comes is counted as well.
            places[key] += 0
    genders = Counter(each.member.gender for each in seated)
    ages = Counter(_band(each.member.birth_year, on_day) for each in seated)
    return Composition(
        people=len(seated),
        categories=[Count(name, kinds[name], planned.get(name)) for name in names],
        fields=[
            Count(title, skilled[key], wanted.get((Way.FIELD, key)))
            for key, title in fields.items()
        ],
        places=[
            Count(name, number, wanted.get((Way.PLACE, name)))
            for name, number in places.most_common()
        ],
        genders=[
            *(
                Count(each.title, genders[each], wanted.get((Way.GENDER, each.value)))
                for each in Gender
            ),
            *([Count(_("未填"), genders[None])] if genders[None] else []),
        ],
        ages=[
            *(
                Count(name, ages[place], wanted.get((Way.AGE, str(BANDS[place]))))
                for place, name in enumerate(band_names())
            ),
            *([Count(_("未填"), ages[None])] if ages[None] else []),
        ],
    )


def _band(birth_year: int | None, on_day: dt.date) -> int | None:
    if birth_year is None:
        return None
    age = on_day.year - birth_year
    return max((place for place, first in enumerate(BANDS) if age >= first), default=0)


def band_names() -> list[str]:
    """What the bands of age are called, the youngest first."""
    return [_band_name(place) for place in range(len(BANDS))]


def _band_name(place: int) -> str:
    if place == 0:
        return str(_("%(n)d岁以下", n=BANDS[1]))
    if place == len(BANDS) - 1:
        return str(_("%(n)d岁及以上", n=BANDS[place]))
    return str(_("%(a)d—%(b)d岁", a=BANDS[place], b=BANDS[place + 1] - 1))
