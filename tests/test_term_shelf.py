"""Counting in memory equals counting one by one, however many rows are in a block."""

import datetime as dt
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.terms import lists, repeats
from consult.terms.shelf import Bools, Filters, Row, Shelf, View, top

DAY = dt.date(2020, 10, 1)
FEW_BY_FEW = ((lists, "SMALL", 3), (lists, "JOINED", 2), (repeats, "_AT_ONCE", 5))


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in FEW_BY_FEW:
        monkeypatch.setattr(module, name, value)


def shelf_of(
    size: int, random: np.random.Generator
) -> tuple[Shelf, dict[int, tuple[int, set[int]]]]:
    """A shelf, and of each opinion that counts its place and terms."""
    shelf, told = Shelf(), {}
    for id in range(1, size + 1):
        terms = np.unique(random.integers(1, 30, random.integers(0, 9))).astype("<u4")
        place, counts = int(random.integers(0, 6)), random.random() > 0.1
        kept = terms.tobytes() if counts else None
        shelf.put([Row(id, place, 0, 0, False, 737_000, id, kept, b"")])
        if counts:
            told[id] = place, set(terms.tolist())
    return shelf, told


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("size", [0, 1, 40, 90])
def test_tables_and_counts_of_any_selection(size: int) -> None:
    random = np.random.default_rng(size)
    shelf, told = shelf_of(size, random)
    view = shelf.view()
    for share in (0.0, 0.05, 0.6, 1.0):
        mask = view.alive & (random.random(len(view.alive)) < share)
        chosen = [told[id] for id in view.facts["ids"][mask].tolist()]
        counts = view.counts(mask)
        for term in range(len(counts)):
            assert counts[term] == sum(term in terms for _place, terms in chosen)
        for groups in ([], [[0, 2], [3], [99], []]):
            for wanted in ([], [5, 7, 1000, 2]):
                table = view.table(groups, wanted, mask)
                assert table.shape == (len(groups), len(wanted))
                for group, row in zip(groups, table.tolist(), strict=True):
                    expected = [
                        sum(place in group and term in terms for place, terms in chosen)
                        for term in wanted
                    ]
                    assert row == expected


WIDTH = 7
told = st.tuples(
    st.integers(1, 15),
    st.integers(0, 3),
    st.integers(0, 2),
    st.one_of(st.none(), st.sets(st.integers(1, WIDTH - 1), max_size=5)),
)


@settings(max_examples=150, deadline=None)
@given(events=st.lists(told, max_size=60), cuts=st.lists(st.integers(1, 59), max_size=8))
def test_a_view_says_what_a_recount_does_while_opinions_come_and_go(
    events: list[tuple[int, int, int, set[int] | None]], cuts: list[int]
) -> None:
    """Each opinion is (id, person, day, its terms; None: it is hidden)."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, value in FEW_BY_FEW:
            patch.setattr(module, name, value)
        shelf, held, views = Shelf(), dict[int, tuple[int, int, set[int] | None]](), []
        bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
        for first, last in pairwise(bounds):
            newest = {id: (person, day, terms) for id, person, day, terms in events[first:last]}
            shelf.put(_row(id, *each) for id, each in newest.items())
            held |= newest
            if last % 3 == 0:
                shelf._tidy()
            views.append((shelf.view(), dict(held)))
            if last % 2:
                _compare(*views[-1])
        # The last first: an earlier view may be asked when more is known.
        for view, then in reversed(views):
            _compare(view, then)


def _row(id: int, person: int, day: int, terms: set[int] | None, place: int = 0) -> Row:
    blob = None if terms is None else np.array(sorted(terms), dtype="<u4").tobytes()
    return Row(id, place, 0, 0, False, DAY.toordinal() + day, person, blob, b"")


def _compare(view: View, held: dict[int, tuple[int, int, set[int] | None]]) -> None:
    said = [(person, day, terms) for person, day, terms in held.values() if terms is not None]
    early = [each for each in said if each[1] == 0]
    late = [each for each in said if each[1] > 0]
    masks = [
        view.select(Filters(last=DAY)),
        view.select(Filters(first=DAY + dt.timedelta(days=1))),
    ]
    both = view.people_of_two(*masks)
    for mask, chosen, people in zip(masks, (early, late), both, strict=True):
        _compare_selection(view, mask, chosen)
        assert people.tolist() == view.people_by_term(mask).tolist()
    _compare_selection(view, view.alive, said)
    for term in range(WIDTH):
        _compare_selection(
            view, view.select(Filters(terms=(term,))), [each for each in said if term in each[2]]
        )


def _compare_selection(view: View, mask: Bools, said: list[tuple[int, int, set[int]]]) -> None:
    assert int(mask.sum()) == len(said)
    assert view.people(mask) == len({person for person, _day, _terms in said})
    counts, people = view.counts(mask), view.people_by_term(mask)
    for term in range(WIDTH):
        holding = [person for person, _day, terms in said if term in terms]
        known = term < len(counts)
        assert (int(counts[term]) if known else 0) == len(holding)
        assert (int(people[term]) if known else 0) == len(set(holding))


def test_a_word_that_stands_in_every_row_of_a_full_block_is_counted_whole() -> None:
    most = lists.SMALL * lists.JOINED
    size = most + 5
    terms = np.array([3], dtype="<u4").tobytes()
    shelf = Shelf()
    shelf.put(Row(id, 0, 0, 0, False, id % 2, id, terms, b"") for id in range(size))
    view = shelf.view()
    assert max(block.size for block in view.terms.blocks) == most < 2**16
    even = view.facts["day"] == 0
    assert view.counts(view.alive)[3] == size
    # One row less, so that rows are really gone through.
    but_one = view.alive.copy()
    but_one[0] = False
    assert view.counts(but_one)[3] == size - 1
    both = view.terms.counted(but_one, view.alive)
    assert [int(counts[3]) for counts in both] == [size - 1, size]
    assert [int(counts[3]) for counts in view.people_of_two(even, ~even)] == [
        int(even.sum()),
        int((~even).sum()),
    ]
    assert top(view.counts(), 5) == [(3, size)]
    assert view.table([[0]], [3], even).tolist() == [[int(even.sum())]]


opinions = st.lists(
    st.tuples(
        st.integers(1, 12),
        st.one_of(st.none(), st.sets(st.integers(1, 9), max_size=5)),
        st.integers(0, 2),
    ),
    max_size=40,
)


@given(events=opinions, cuts=st.lists(st.integers(0, 40), max_size=5))
def test_a_shelf_counts_as_a_recount_does_in_whatever_pieces_it_comes(
    events: list[tuple[int, set[int] | None, int]], cuts: list[int]
) -> None:
    shelf, held, before = Shelf(), {}, None
    bounds = sorted({0, len(events), *(cut for cut in cuts if cut < len(events))})
    for first, last in pairwise(bounds):
        newest = {id: (terms, place) for id, terms, place in events[first:last]}
        shelf.put(_row(id, id, 0, terms, place) for id, (terms, place) in newest.items())
        held |= newest
        if before is not None:
            view, counts = before
            assert view.counts(view.select(Filters())).tolist() == counts
        if last % 2:
            shelf._tidy()
        view = shelf.view()
        before = view, view.counts().tolist()
    view = shelf.view()
    living = {id: each for id, each in held.items() if each[0] is not None}
    assert view.size == len(living)
    assert sorted(view.ids.tolist()) == sorted(living)
    for place in (None, 0, 1, 2):
        expected = Counter(
            term for terms, at in living.values() if place in (None, at) for term in terms or ()
        )
        mask = view.select(Filters(places=None if place is None else [place]))
        counts = view.counts(mask)
        assert {int(n): int(counts[n]) for n in np.flatnonzero(counts)} == dict(expected)
    assert top(view.counts(), 99) == sorted(
        Counter(t for terms, _p in living.values() for t in terms or ()).items(),
        key=lambda pair: (-pair[1], pair[0]),
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 6), st.sets(st.integers(1, 9), max_size=5), st.booleans()),
        max_size=30,
    )
)
def test_people_by_term_are_counted_as_a_list_of_people_would(
    said: list[tuple[int, set[int], bool]],
) -> None:
    shelf = Shelf()
    shelf.put(_row(n + 1, person, 1, terms) for n, (person, terms, _chosen) in enumerate(said))
    view = shelf.view()
    chosen = np.array([each for _p, _t, each in said], dtype=np.bool_)
    for mask, kept in ((None, said), (chosen, [each for each in said if each[2]])):
        counts = view.people_by_term(mask)
        for term in range(1, 10):
            people = {person for person, terms, _c in kept if term in terms}
            assert (int(counts[term]) if term < len(counts) else 0) == len(people)
