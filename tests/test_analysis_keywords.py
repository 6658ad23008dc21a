"""Keywords of a group: people counted, contrast with the draft and ordinary language, few items."""

import math
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.analysis.engine import Engine
from consult.analysis.keywords import FEW, Keyword, g_squared, rank
from consult.analysis.lexicon import builtin


@dataclass(frozen=True)
class Said:
    terms: tuple[str, ...]
    opposed: tuple[str, ...] = ()
    person: str | None = None
    group: str | None = None


def by_term(keywords: list[Keyword]) -> dict[str, Keyword]:
    return {keyword.term: keyword for keyword in keywords}


def test_what_the_draft_says_itself_ranks_below_what_only_people_say() -> None:
    said = [Said(("加装电梯", "营商环境"), person=str(n)) for n in range(40)]
    said += [Said(("苏州河",), person=f"x{n}") for n in range(60)]
    ranked = rank(said, draft={"营商环境": 57}, draft_size=60)
    terms = [keyword.term for keyword in ranked]
    assert terms.index("加装电梯") < terms.index("营商环境")
    assert by_term(ranked)["营商环境"].score < 0 < by_term(ranked)["加装电梯"].score


def test_an_everyday_word_ranks_below_a_rare_one_said_as_often() -> None:
    said = [Said(("经济", "盲道"), person=str(n)) for n in range(30)]
    said += [Said((), person=f"x{n}") for n in range(70)]
    ranked = rank(said, draft={}, draft_size=0)
    assert [keyword.term for keyword in ranked] == ["盲道", "经济"]


def test_people_are_counted_not_letters() -> None:
    said = [Said(("盲道",), person="一个人")] * 50 + [
        Said(("电梯",), person=str(n)) for n in range(50)
    ]
    ranked = by_term(rank(said, draft={}, draft_size=0, minimum=1))
    assert (ranked["盲道"].count, ranked["盲道"].people) == (50, 1)
    assert ranked["电梯"].score > ranked["盲道"].score
    assert ranked["盲道"].share == 0.5


def test_fifty_copies_of_one_letter_are_one_voice() -> None:
    said = [Said(("盲道",), person=str(n), group="letter") for n in range(50)]
    said += [Said(("坡道",), person=f"x{n}") for n in range(25)]
    ranked = by_term(rank(said, draft={}, draft_size=0, minimum=1))
    assert (ranked["盲道"].count, ranked["盲道"].people, ranked["盲道"].distinct) == (50, 50, 1)
    assert ranked["盲道"].parts["voices"] == 1
    assert ranked["坡道"].score > ranked["盲道"].score


def test_words_that_only_count_or_point_are_no_keywords() -> None:
    # jieba's dictionary: 一句 and 几步 are numerals (m), 别处 a pronoun (r), 上个月 a time (t).
    said = [Said(("一句", "几步", "别处", "上个月", "盲道"), person=str(n)) for n in range(30)]
    assert [keyword.term for keyword in rank(said, draft={}, draft_size=0)] == ["盲道"]


def test_a_term_of_the_plan_weighs_most_then_names_of_things() -> None:
    # By jieba's dictionary 弄堂 is a noun (n) and 保留 a verb (v); 加装电梯 is in the lexicon.
    said = [Said(("加装电梯", "弄堂", "保留"), person=str(n)) for n in range(30)]
    ranked = by_term(rank(said, draft={}, draft_size=0))
    weights = [ranked[term].parts["weight"] for term in ("加装电梯", "弄堂", "保留")]
    assert weights == [2.0, 1.0, 0.5]


def test_unknown_people_count_one_each() -> None:
    (keyword,) = rank([Said(("电梯",))] * 3, draft={}, draft_size=0)
    assert (keyword.count, keyword.people) == (3, 3)


def test_opposition_is_counted_beside() -> None:
    said = [Said(("加装电梯",), ("加装电梯",)), Said(("加装电梯",))]
    (keyword,) = rank(said, draft={}, draft_size=0)
    assert (keyword.count, keyword.opposed) == (2, 1)


def test_nothing_said_gives_nothing() -> None:
    assert rank([], draft={"电梯": 3}, draft_size=10) == []
    assert rank([Said(())], draft={}, draft_size=0) == []


@pytest.mark.parametrize("n", [1, 2, 10, FEW - 1])
def test_with_few_people_no_statistic_is_pretended(n: int) -> None:
    said = [Said(("电梯", "经济") if k else ("电梯",), person=str(k)) for k in range(n)]
    ranked = rank(said, draft={}, draft_size=0)
    assert ranked[0].term == "电梯"
    for keyword in ranked:
        assert keyword.parts["few"] == 1
        assert "said" not in keyword.parts
        assert keyword.score == keyword.parts["voices"] + keyword.parts["contrast"]
        assert 0 <= keyword.parts["contrast"] < 1


def test_the_score_is_the_weighted_sum_of_its_cells() -> None:
    said = [Said(("电梯",) if n % 3 else ("经济",), person=str(n)) for n in range(90)]
    for keyword in rank(said, draft={"经济": 20}, draft_size=30):
        cells = ("said", "unsaid", "reference_said", "reference_unsaid")
        cells_sum = sum(keyword.parts[cell] for cell in cells)
        assert keyword.score == pytest.approx(keyword.parts["weight"] * cells_sum)
        assert keyword.parts["few"] == 0


def test_g_squared_is_that_of_the_textbook() -> None:
    # 10 of 100 against 30 of 100: G² = 2 Σ O ln(O/E) with E = 20 and 80.
    expected = 2 * (10 * math.log(0.5) + 90 * math.log(90 / 80) + 30 * math.log(1.5))
    expected += 2 * 70 * math.log(70 / 80)
    assert sum(g_squared(10, 30, 100, 100)) == pytest.approx(expected)
    assert sum(g_squared(20, 20, 100, 100)) == pytest.approx(0)
    with pytest.raises(ValueError, match="2×2"):
        g_squared(5, 0, 4, 10)


@given(st.integers(1, 50), st.integers(1, 50), st.floats(0, 1), st.floats(0, 1))
def test_g_squared_is_never_below_nothing(n_a: int, n_b: int, a: float, b: float) -> None:
    assert sum(g_squared(a * n_a, b * n_b, n_a, n_b)) >= -1e-9


def test_the_order_of_arrival_does_not_matter() -> None:
    rng = random.Random(4)
    words = list(builtin().terms)[:30]
    said = [Said(tuple(sorted(rng.sample(words, 4))), person=str(n % 50)) for n in range(80)]
    shuffled = said[:]
    rng.shuffle(shuffled)
    assert rank(said, draft={}, draft_size=0) == rank(shuffled, draft={}, draft_size=0)


def test_a_guessed_word_needs_two_people() -> None:
    said = [Said(("楚泉里", "电梯"), person="甲"), Said(("电梯",), person="乙")]
    assert [keyword.term for keyword in rank(said, draft={}, draft_size=0)] == ["电梯"]
    said.append(Said(("楚泉里",), person="丙"))
    assert "楚泉里" in by_term(rank(said, draft={}, draft_size=0))


def test_boilerplate_never_comes_out_on_top() -> None:
    engine = Engine(builtin())
    texts = [
        f"建议有关部门加强规划研究，推进发展，{what}，谢谢领导！"
        for what in ["楼道里要加装电梯"] * 12 + ["菜场太远了"] * 8 + ["盲道被车占了"] * 10
    ]
    said = [engine.analyse(text) for text in texts]
    items = [Said(read.terms, read.opposed, str(n)) for n, read in enumerate(said)]
    terms = [keyword.term for keyword in rank(items, draft={}, draft_size=0)]
    assert terms[0] == "加装电梯"
    assert set(terms) <= {"加装电梯", "楼道", "菜市场", "盲道", "太远"}


def test_top_and_minimum_bound_the_table() -> None:
    said = [Said(("电梯", "盲道") if n < 3 else ("电梯",), person=str(n)) for n in range(30)]
    assert len(rank(said, draft={}, draft_size=0, top=1)) == 1
    assert [k.term for k in rank(said, draft={}, draft_size=0, minimum=5)] == ["电梯"]
