"""Texts beyond those that were grouped go to the group they are likest."""

import math
import random

import pytest

from consult.analysis import joining
from consult.analysis.joining import likest

# The last of each is about something else, and lets in whoever is no less like the rest.
LIFTS = [("加装", "电梯")] * 3 + [("屋顶",)]
PARKING = [("停车", "车位")] * 3 + [("收费",)]


def test_a_text_goes_where_its_rarer_words_are_said() -> None:
    others = [("电梯",), ("停车", "电梯", "车位"), ("公园",), ()]
    texts = [*LIFTS, *PARKING, *others]
    # Of twelve texts 电梯 is in 5 (ln 12/5 = 0.88), 停车 and 车位 in 4 (1.10), 加装 in 3 (1.39). Three
    # members, in whose unit vectors 电梯 is 0.88/√(0.88² + 1.39²) = 0.53, outweigh the one about
    # something else: 3 × 0.53 > 1. With the second text parking shares (1.10 + 1.10) × 0.71, more
    # than 0.88 × 0.53.
    assert likest(texts, [[0, 1, 2, 3], [4, 5, 6, 7]], [8, 9, 10, 11]) == {8: 0, 9: 1}


def test_a_text_must_be_as_like_as_a_tenth_of_those_who_are_there() -> None:
    # Of twenty members one is told apart by a word of its own; a tenth of twenty is two, so the third
    # least like of them, which is like the rest, is the bar.
    inside = [("电梯", "加装")] * 19 + [("电梯", "屋顶")]
    texts = [*inside, ("停车",), ("电梯", "加装"), ("加装", "停车")]
    assert likest(texts, [list(range(20))], [21, 22]) == {21: 0}


def test_without_groups_or_others_nobody_goes_anywhere() -> None:
    assert likest(LIFTS, [], [0]) == {}
    assert likest(LIFTS, [[0, 1, 2]], []) == {}


@pytest.mark.parametrize("seed", range(5))
def test_as_the_definition_says(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(seed)
    words = [chr(0x4E00 + n) * 2 for n in range(30)]
    texts = [tuple(sorted(chance.sample(words, chance.randint(0, 7)))) for _ in range(90)]
    groups = [list(range(0, 25)), list(range(25, 40)), list(range(40, 60))]
    others = list(range(60, 90))
    monkeypatch.setattr(joining, "_BLOCK", 7)
    assert likest(texts, groups, others) == by_definition(texts, groups, others)


def by_definition(
    texts: list[tuple[str, ...]], groups: list[list[int]], others: list[int]
) -> dict[int, int]:
    """Cosines term by term, as the docstring has them."""

    def vector(text: tuple[str, ...]) -> dict[str, float]:
        raw = {t: math.log(len(texts) / sum(t in other for other in texts)) for t in text}
        return unit(raw)

    def unit(raw: dict[str, float]) -> dict[str, float]:
        length = math.hypot(*raw.values()) or 1.0
        return {term: weight / length for term, weight in raw.items()}

    def cosine(text: tuple[str, ...], middle: dict[str, float]) -> float:
        return sum(weight * middle.get(term, 0.0) for term, weight in vector(text).items())

    middles = []
    for held in groups:
        total: dict[str, float] = {}
        for place in held:
            for term, weight in vector(texts[place]).items():
                total[term] = total.get(term, 0.0) + weight
        middles.append(unit(total))
    bars = [
        sorted(cosine(texts[place], middle) for place in held)[len(held) // 10]
        for held, middle in zip(groups, middles, strict=True)
    ]
    found = {}
    for place in others:
        scores = [cosine(texts[place], middle) for middle in middles]
        best = scores.index(max(scores))
        if scores[best] >= max(bars[best], 1e-6):
            found[place] = best
    return found
