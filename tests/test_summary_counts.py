"""Counting over plain values: every division adds up, every number is the size of a selection."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.summaries import counts
from consult.summaries.items import (
    Context,
    Counted,
    Filters,
    Item,
    Section,
    Unit,
    firsts,
    representatives,
    select,
)
from consult.summaries.payload import pack, unpack

# Whole draft, outside, chapter one with a section, chapter two.
SECTIONS = (
    Section(0, 0, 0, ""),
    Section(0, 0, 0, ""),
    Section(1, 5, 1, "第一章"),
    Section(1, 6, 2, "第一节", (2,)),
    Section(1, 9, 1, "第二章"),
)
TERMS = ("加装电梯", "停车位", "养老")
STANCES = ("support", "suggest", "oppose", "question", "appeal", "none")
FIRST = dt.date(2020, 10, 1)


@st.composite
def counted(draw: st.DrawFn) -> Counted:
    items = []
    for number in range(1, draw(st.integers(0, 25)) + 1):
        terms = draw(st.sets(st.sampled_from(TERMS)))
        items.append(
            Item(
                id=number * 2,
                number=number,
                consultation=draw(st.integers(1, 2)),
                group=draw(st.integers(0, 6)),
                person=draw(st.integers(0, 6)),
                section=draw(st.integers(0, 4)),
                channel=draw(st.sampled_from(("web", "letter"))),
                stance=draw(st.sampled_from(STANCES)),
                declared=draw(st.booleans()),
                day=FIRST + dt.timedelta(days=draw(st.integers(0, 900))),
                terms=tuple(sorted(terms)),
                opposed=frozenset(draw(st.sets(st.sampled_from(sorted(terms)))) if terms else ()),
            )
        )
    rest = ((1, "pending"), (3, "hidden"))
    return Counted(tuple(items), SECTIONS, {"养老": 2}, 5, rest)


@given(counted())
def test_what_is_stored_is_what_was_counted(whole: Counted) -> None:
    assert unpack(pack(whole)) == whole


@given(counted())
def test_every_division_adds_up_and_every_part_is_a_selection(whole: Counted) -> None:
    items = list(whole.items)
    found = counts.figures(whole, items)
    assert found.numbers == counts.Numbers(
        len(items), len({i.group for i in items}), len({i.person for i in items})
    )
    assert sum(b.count for b in found.days) == len(items)
    for bucket in found.days:
        assert len(select(whole, Filters(first=bucket.first, last=bucket.last))) == bucket.count
    assert sum(p.count for p in found.channels) == len(items)
    for part in found.channels:
        assert len(select(whole, Filters(channel=part.key))) == part.count
    for part in found.stances:
        assert len(select(whole, Filters(stance=part.key))) == part.count
        told = select(whole, Filters(stance=part.key, declared=True))
        assert len(told) == part.declared
    for place, count in found.sections.items():
        assert len(select(whole, Filters(section=place))) == count
    assert sum(found.sections.get(n, 0) for n in counts.outermost(whole)) == len(items)
    assert sum(n for _c, n in found.consultations) == len(items)


@given(counted(), st.sampled_from(TERMS))
def test_what_is_said_of_a_term_divides_those_who_hold_it(whole: Counted, term: str) -> None:
    found = counts.by_term(whole, whole.items, [term])[term]
    split = found.split
    holding = select(whole, Filters(term=term))
    assert split == counts.split(whole.items, term)
    assert len(holding) == sum(term in item.terms for item in whole.items)
    assert split.favour + split.against + split.other == len(holding)
    assert split.opposed <= split.against
    sizes = (split.favour, split.against, split.other, split.opposed)
    for context, size in zip(Context, sizes, strict=True):
        assert len(select(whole, Filters(term=term, context=context))) == size
    assert sum(found.sections.values()) == len(holding)
    favouring = select(whole, Filters(term=term, context=Context.FAVOUR))
    assert not [item for item in favouring if term in item.opposed or item.stance == "oppose"]


@given(counted(), st.sampled_from(Unit))
def test_a_list_has_one_entry_for_each_thing_counted(whole: Counted, unit: Unit) -> None:
    numbers = counts.numbers(whole.items)
    entries = firsts(whole.items, unit)
    assert len(entries) == getattr(numbers, unit.value)
    assert sum(size for _item, size in entries) == len(whole.items)
    ids = [item.id for item, _size in entries]
    assert ids == sorted(set(ids))


@given(counted(), st.integers(0, 4))
def test_representatives_are_of_different_groups_and_hold_the_most(
    whole: Counted, most: int
) -> None:
    chosen = representatives(whole.items, TERMS, most)
    assert len(chosen) <= most
    assert len({item.group for item in chosen}) == len(chosen)
    if most == 4:
        held = {term for item in chosen for term in item.terms}
        groups = {item.group: item for item in reversed(whole.items)}
        assert held == {term for item in groups.values() for term in item.terms}


@given(st.lists(st.dates(dt.date(1995, 1, 1), dt.date(2030, 12, 31)), max_size=30))
def test_buckets_cover_every_day_once(days: list[dt.date]) -> None:
    found = counts.buckets(days)
    assert sum(bucket.count for bucket in found) == len(days)
    for bucket in found:
        inside = [day for day in days if bucket.first <= day <= bucket.last]
        assert len(inside) == bucket.count
    for before, after in pairwise(found):
        assert before.last + dt.timedelta(days=1) == after.first


def test_short_spans_are_told_by_day_longer_ones_by_month_and_by_year() -> None:
    def told(days: int) -> Counter[int]:
        found = counts.buckets([FIRST, FIRST + dt.timedelta(days=days)])
        return Counter((bucket.last - bucket.first).days for bucket in found)

    assert told(10) == {0: 11}
    assert set(told(100)) == {30, 29}
    assert set(told(4000)) == {364, 365}


@pytest.mark.parametrize(
    ("count", "most", "heat"), [(0, 0, 0), (0, 9, 0), (1, 9, 1), (3, 9, 2), (6, 9, 3), (9, 9, 4)]
)
def test_heat_goes_by_quarters_of_the_most(count: int, most: int, heat: int) -> None:
    assert counts.heat(count, most) == heat
