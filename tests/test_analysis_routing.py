"""Routing learned from confirmed opinions, and the few that speak for many."""

import csv
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from consult.analysis import routing, spokesmen
from consult.analysis.engine import Engine
from consult.analysis.lexicon import builtin

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

ROADS = [{"道路": 1, "停车": 1}, {"道路": 1, "公交": 2}, {"停车": 1, "公交": 1}] * 3
SCHOOLS = [{"学校": 1, "托育": 1}, {"学校": 2, "老师": 1}, {"托育": 1, "老师": 1}] * 3
LABELS = ["交通"] * 9 + ["教育"] * 9


def learned() -> routing.Router:
    router = routing.learn(ROADS + SCHOOLS, LABELS)
    assert router is not None
    return router


def test_an_opinion_goes_where_its_words_went_before() -> None:
    found = learned().suggest({"公交": 1, "道路": 1, "从未见过": 5})
    assert found is not None
    assert (found.label, found.runner_up) == ("交通", "教育")
    assert {term for term, _part in found.because} == {"公交", "道路"}
    assert all(part > 0 for _term, part in found.because)


def test_without_a_known_word_nothing_is_suggested() -> None:
    assert learned().suggest({"从未见过": 1}) is None
    assert learned().suggest({}) is None


def test_too_few_confirmed_teach_nothing() -> None:
    assert routing.learn([], []) is None
    assert routing.learn(ROADS, ["交通"] * 9) is None
    few = routing.FEWEST - 1
    assert routing.learn(ROADS + SCHOOLS[:few], ["交通"] * 9 + ["教育"] * few) is None


def test_a_label_for_each_opinion() -> None:
    with pytest.raises(ValueError, match="18 opinions with 1"):
        routing.learn(ROADS + SCHOOLS, ["交通"])


def test_the_order_of_arrival_teaches_nothing() -> None:
    order = list(range(len(LABELS)))
    random.Random(3).shuffle(order)
    all_of = ROADS + SCHOOLS
    other = routing.learn([all_of[n] for n in order], [LABELS[n] for n in order])
    assert other is not None
    for opinion in ({"道路": 1}, {"学校": 1, "公交": 1}):
        assert other.suggest(opinion) == learned().suggest(opinion)


@pytest.mark.realdata
def test_real_messages_find_their_department() -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    engine = Engine(builtin())
    with (DATA / "messages_by_subject.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    opinions = [engine.mentions(row["body"], title=row["title"]) for row in rows]
    labels = [row["label"] for row in rows]
    order = list(range(len(rows)))
    random.Random(7).shuffle(order)
    given: list[str | None] = [None] * len(rows)
    for fold in range(5):
        held_out = set(order[fold::5])
        rest = [n for n in range(len(rows)) if n not in held_out]
        router = routing.learn([opinions[n] for n in rest], [labels[n] for n in rest])
        assert router is not None
        for n in held_out:
            found = router.suggest(opinions[n])
            given[n] = found.label if found else None
    assert macro_f1(labels, given) >= 0.85


def macro_f1(true: Sequence[str], given: Sequence[str | None]) -> float:
    """The mean over the labels of 2·hits / (given + true)."""
    hits = Counter(t for t, g in zip(true, given, strict=True) if t == g)
    said, is_so = Counter(given), Counter(true)
    return sum(2 * hits[label] / (said[label] + is_so[label]) for label in is_so) / len(is_so)


# --- spokesmen -----------------------------------------------------------------------------

# Two matters and a bridge between them: ten on lifts, four on parking.
LIFTS: list[Mapping[str, float]] = [{"电梯": 1, "老人": 1, f"楼{n}": 1} for n in range(10)]
PARKING: list[Mapping[str, float]] = [{"停车": 1, "夜间": 1, f"路{n}": 1} for n in range(4)]


def test_two_matters_get_one_spokesman_each_the_larger_first() -> None:
    chosen = spokesmen.choose(LIFTS + PARKING, most=2)
    assert [(each.place < 10, each.speaks_for) for each in chosen] == [(True, 10), (False, 4)]


def test_copies_need_no_second_spokesman() -> None:
    letter: Mapping[str, float] = {"电梯": 1, "老人": 1}
    other: Mapping[str, float] = {"停车": 1, "夜间": 1}
    chosen = spokesmen.choose([letter] * 6 + [other] * 2, most=5)
    assert [(each.place, each.speaks_for) for each in chosen] == [(0, 6), (6, 2)]


def test_who_may_not_be_shown_is_covered_and_not_chosen() -> None:
    may = [False] * 5 + [True] * 9
    chosen = spokesmen.choose(LIFTS + PARKING, most=2, may_speak=may)
    assert all(may[each.place] for each in chosen)
    assert [each.speaks_for for each in chosen] == [10, 4]
    assert spokesmen.choose(LIFTS, most=2, may_speak=[False] * 10) == []


@pytest.mark.parametrize("opinions", [[], [{}], [{"电梯": 1.0}], [{}, {}]])
def test_nothing_alike_has_no_spokesman(opinions: list[Mapping[str, float]]) -> None:
    assert spokesmen.choose(opinions) == []


def test_permissions_must_match() -> None:
    with pytest.raises(ValueError, match="10 opinions, 1"):
        spokesmen.choose(LIFTS, may_speak=[True])
