"""Contrast between groups: planted differences found, chance not; and new words, and themes."""

import csv
import math
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from consult.analysis import contrast, newwords, themes
from consult.analysis.engine import Engine
from consult.analysis.keywords import g_squared
from consult.analysis.lexicon import builtin
from consult.analysis.segment import Segmenter

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
WORDS = [f"词{n}" for n in range(200)]


@dataclass(frozen=True)
class Said:
    terms: tuple[str, ...]
    person: str | None = None


def opinions(n: int, seed: int, **more: float) -> list[Said]:
    rng = random.Random(seed)
    common = [(word, 0.3 / (1 + place / 10)) for place, word in enumerate(WORDS)]
    rates = {**dict(common), **more}
    return [
        Said(tuple(word for word, rate in rates.items() if rng.random() < rate)) for _ in range(n)
    ]


def test_a_planted_difference_is_found_and_told_the_right_way_round() -> None:
    found = contrast.compare(opinions(300, 1, 电梯=0.30), opinions(300, 2, 电梯=0.05))
    (difference,) = found.findings
    assert (difference.term, difference.group) == ("电梯", "a")
    assert difference.rate_a == pytest.approx(100 * difference.count_a / 300)
    low, high = difference.interval
    assert 0 < low < difference.rate_a - difference.rate_b < high
    assert difference.q <= 0.05
    assert (found.n_a, found.n_b) == (300, 300)


def test_random_halves_of_one_crowd_show_no_finding() -> None:
    crowd = opinions(800, 3)
    for seed in range(10):
        random.Random(seed).shuffle(crowd)
        assert contrast.compare(crowd[:400], crowd[400:]).findings == ()


@pytest.mark.realdata
def test_random_halves_of_real_messages_show_no_finding() -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    engine = Engine(builtin())
    with (DATA / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        said = [
            Said(engine.analyse(row["body"]).terms, row["user"]) for row in csv.DictReader(file)
        ][:2000]
    people = sorted({str(one.person) for one in said})
    for seed in range(4):
        random.Random(seed).shuffle(people)
        half = set(people[::2])
        a = [one for one in said if one.person in half]
        b = [one for one in said if one.person not in half]
        found = contrast.compare(a, b)
        assert found.compared > 1000
        assert found.findings == ()


def test_one_person_is_one_however_often_he_writes() -> None:
    loud = [Said(("电梯",), "甲")] * 100 + [Said((), f"a{n}") for n in range(50)]
    quiet = [Said((), f"b{n}") for n in range(50)] + [Said(("电梯",), f"c{n}") for n in range(4)]
    found = contrast.compare(loud, quiet, every=True)
    assert [(d.count_a, d.count_b) for d in found.findings] == [(1, 4)]


def test_below_the_minimum_nothing_is_compared() -> None:
    found = contrast.compare([Said(("电梯",))] * 4, [Said(())] * 100, every=True)
    assert (found.compared, found.findings) == (0, ())
    assert contrast.compare([], [Said(("电梯",))] * 9).compared == 0
    assert contrast.compare([], []).findings == ()


def test_fishers_exact_test_is_that_of_the_lady_tasting_tea() -> None:
    # Fisher 1935: 3 of 4 against 1 of 4, two-sided 34/70.
    assert contrast.fisher(3, 1, 4, 4) == pytest.approx(34 / 70)
    assert contrast.fisher(4, 0, 4, 4) == pytest.approx(2 / 70)


@settings(max_examples=80)
@given(
    st.integers(0, 120),
    st.integers(0, 120),
    st.integers(1, 20) | st.integers(1, 1_000_000),
    st.integers(1, 20) | st.integers(1, 1_000_000),
)
def test_fishers_exact_test_is_that_of_scipy(a: int, b: int, n_a: int, n_b: int) -> None:
    a, b = min(a, n_a), min(b, n_b)
    theirs = stats.fisher_exact([[a, n_a - a], [b, n_b - b]]).pvalue
    assert contrast.fisher(a, b, n_a, n_b) == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 90)), min_size=1, max_size=20))
def test_many_tables_at_once_are_tested_as_one_by_one(pairs: list[tuple[int, int]]) -> None:
    n_a, n_b = 30, 90
    a, b = (np.array(each) for each in zip(*pairs, strict=True))
    scores, p_values = contrast.tested(a, b, n_a, n_b)
    for (x, y), score, p in zip(pairs, scores, p_values, strict=True):
        alone = max(0.0, sum(g_squared(x, y, n_a, n_b)))
        assert score == pytest.approx(alone, abs=1e-9)
        least = min(n_a, n_b) * min(x + y, n_a + n_b - x - y) / (n_a + n_b)
        one = contrast.fisher(x, y, n_a, n_b) if least < 5 else math.erfc(math.sqrt(alone / 2))
        assert p == pytest.approx(one, abs=1e-9)


def test_arrays_by_number_are_compared_as_counts_by_word() -> None:
    a, b = np.array([0, 40, 3, 9, 0]), np.array([0, 5, 1, 10, 30])
    names = ["", *"甲乙丙丁"]
    by_word = contrast.compare_counts(
        *(Counter(dict(zip(names[1:], a[1:].tolist(), strict=True))), 60),
        *(Counter(dict(zip(names[1:], b[1:].tolist(), strict=True))), 70),
    )
    by_number = contrast.compare_arrays(lambda some: [names[n] for n in some], a, 60, b, 70)
    assert by_number == by_word
    assert [d.term for d in by_number.findings] == ["甲", "丁"]
    assert contrast.compare_arrays(lambda _some: [], a, 0, b, 70).compared == 0


def test_benjamini_and_hochberg_correct_as_published() -> None:
    # The fifteen p-values of their 1995 paper: four rejected at 0.05.
    published = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240]
    published += [0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    corrected = contrast.benjamini_hochberg(published)
    assert sum(q <= 0.05 for q in corrected) == 4
    assert corrected == sorted(corrected)


def test_equal_counts_are_corrected_as_often_as_they_stand() -> None:
    random = np.random.default_rng(4)
    a, b = random.integers(0, 12, 400), random.integers(0, 12, 400)
    a[:5], b[:5] = 60, 2
    names = [f"词{n}" for n in range(len(a))]
    told = contrast.compare_arrays(
        lambda some: [names[n] for n in some], a, 90, b, 80, every=True
    ).findings
    assert len(told) == np.count_nonzero(a + b >= contrast.MINIMUM)
    published = stats.false_discovery_control([each.p for each in told])
    assert [each.q for each in told] == pytest.approx(published.tolist())
    some = contrast.compare_arrays(lambda some: [names[n] for n in some], a, 90, b, 80).findings
    assert some == tuple(each for each in told if each.q <= contrast.LEVEL)
    assert len(some) < len(told)


def test_wilsons_interval_is_that_of_the_textbook() -> None:
    # Newcombe 1998, table I: 81 of 263 gives 0.2553-0.3662.
    assert contrast.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30))
def test_p_values_are_probabilities(a: int, b: int, n_a: int, n_b: int) -> None:
    a, b = min(a, n_a), min(b, n_b)
    assert 0 < contrast.fisher(a, b, n_a, n_b) <= 1
    low, high = contrast.wilson(a, n_a)
    assert 0 <= low <= a / n_a + 1e-9
    assert a / n_a - 1e-9 <= high <= 1


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(builtin())


NEIGHBOURS = ["我住在", "路过", "希望", "今天去", "听说", "建议", "关于", "昨天到", "反映", "离开"]


def test_a_name_no_dictionary_holds_is_proposed(segmenter: Segmenter) -> None:
    endings = ["很脏。", "没有灯", "要修", "太挤了", "，你们管吗", "改造"]
    texts = [
        f"{before}槐荫里{endings[n % len(endings)]}这是第{n}封信"
        for n, before in enumerate(NEIGHBOURS)
    ]
    other = [
        f"今年的{word}建设得不错，小区比去年干净，公园也开放了，这是第{n}条意见"
        for n, word in enumerate(NEIGHBOURS * 12)
    ]
    proposed = [word.term for word in newwords.propose(texts + other, segmenter=segmenter)]
    assert "槐荫里" in proposed
    assert not any(word in proposed for word in ("建设", "太挤", "得不错"))


def test_a_campaign_makes_no_word(segmenter: Segmenter) -> None:
    assert newwords.propose(["槐荫里很脏"] * 50, segmenter=segmenter) == []
    assert newwords.propose([], segmenter=segmenter) == []
    with pytest.raises(ValueError, match="word"):
        newwords.propose(["甲"], segmenter=segmenter, minimum=1)


TOPICS = {
    "出行": ["公交", "地铁", "换乘", "班次", "站点", "拥堵", "红绿灯"],
    "养老": ["老年食堂", "护工", "养老院", "助餐点", "床位", "认知症"],
    "环境": ["垃圾房", "异味", "湿垃圾", "清运", "绿化带", "扬尘"],
}


def letters(n: int, seed: int = 1) -> tuple[list[dict[str, float]], list[str]]:
    rng = random.Random(seed)
    names = [rng.choice(list(TOPICS)) for _ in range(n)]
    held = [dict.fromkeys([*rng.sample(TOPICS[name], 3), "居民"], 1.0) for name in names]
    return held, names


def test_what_belongs_together_becomes_a_theme() -> None:
    held, names = letters(150)
    found = themes.group(held)
    assert len(found.themes) == 3
    for theme in found.themes:
        assert len({names[member] for member in theme.members}) == 1
        assert set(theme.name.split("、")) <= set(TOPICS[names[theme.representative]])
        assert theme.representative in theme.members


def test_every_opinion_is_counted_once() -> None:
    held, _ = letters(60)
    held += [{}, {"孤零零": 1.0}, {}]
    found = themes.group(held)
    placed = [member for theme in found.themes for member in theme.members]
    assert sorted([*placed, *found.unclassified]) == list(range(len(held)))
    assert {60, 61, 62} <= set(found.unclassified)


def test_themes_are_the_same_each_time() -> None:
    held, _ = letters(120)
    assert themes.group(held) == themes.group(held)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_opinions_make_no_theme(n: int) -> None:
    held, _ = letters(n)
    assert themes.group(held) == themes.Grouping((), tuple(range(n)))


@pytest.mark.realdata
def test_themes_come_near_the_subjects_given_by_hand() -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    engine = Engine(builtin())
    with (DATA / "messages_by_subject.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    held = []
    for row in rows:
        weights: dict[str, float] = {}
        for text, weight in ((row["title"], 3.0), (row["body"], 1.0)):
            for term in engine.placed(text):
                if not term.term.isascii():
                    weights[term.term] = weights.get(term.term, 0.0) + weight
        held.append(weights)
    found = themes.group(held)
    given_to = [-1] * len(rows)
    for number, theme in enumerate(found.themes):
        for member in theme.members:
            given_to[member] = number
    assert shared_information([row["label"] for row in rows], given_to) >= 0.5
    assert len(found.unclassified) < 0.1 * len(rows)


def shared_information(a: list[str], b: list[int]) -> float:
    """Normalised mutual information, arithmetic mean."""
    n = len(a)

    def entropy(labels: list[object]) -> float:
        shares = [labels.count(label) / n for label in set(labels)]
        return -sum(share * math.log(share) for share in shares)

    h_a, h_b = entropy(list(a)), entropy(list(b))
    return 2 * (h_a + h_b - entropy(list(zip(a, b, strict=True)))) / (h_a + h_b)
