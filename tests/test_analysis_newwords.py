"""New words: what is counted of strings that recur, and which of them are proposed."""

import csv
import math
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import new_names
from bench.measure import DATA
from consult.analysis import newwords, recurring
from consult.analysis.lexicon import builtin
from consult.analysis.newwords import NewWord
from consult.analysis.segment import Segmenter


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(builtin())


# Of one matter each, so that nothing but the name is said again.
AROUND = (
    ("听说", "的电梯又停了，老人下不来。"),
    ("", "门口的路灯坏了半年。"),
    ("昨天经过", "，看见有人在烧垃圾！"),
    ("请把", "周围的围挡拆掉。"),
    ("什么时候给", "通天然气？"),
    ("孩子在", "旁边上学，车太多。"),
    ("自从搬到", "，买菜要走半小时。"),
    ("我认为", "应当多种几棵树。"),
)
OTHER = (
    "今年春天雨水多，河道涨得快，桥下的步道两次被淹。",
    "图书馆晚上八点关门，上班的人来不及还书。",
    "社区医院的号总是挂不上，能不能多派几位医生？",
    "菜价涨了三成，低保却没有变。",
    "公交改线之后，换乘要过两条马路。",
    "楼顶的广告牌松动了，刮风时哐哐响。",
    "体育场收费太贵，学生打不起球。",
    "夜里有人飙摩托，吵得一条街睡不着。",
)


# What usual phrases are made of is said in other company, too.
AS_USUAL = (
    "开发商说过要绿化，业主等了三年。",
    "业主交了钱，开发商不认。",
    "我们这里缺停车位，小区外面也停满了。",
    "小区该修了，我们愿意出钱。",
    "路不平，走起来深一脚浅一脚。",
    "往北是河，往东是厂，走哪边都远。",
    "政府出一点，部门管一点，事情就成了。",
    "这次条件不同，意见也不一。",
)


def around(name: str, times: int = len(AROUND)) -> list[str]:
    return [before + name + after for before, after in AROUND[:times]]


def proposed(segmenter: Segmenter, texts: Sequence[str], **options: int) -> dict[str, NewWord]:
    found = newwords.propose([*texts, *OTHER], segmenter=segmenter, **options)
    return {word.term: word for word in found}


# --- counting -------------------------------------------------------------------------------------


def counted(
    texts: Sequence[str], groups: Sequence[int] | None = None
) -> dict[str, recurring.Recurring]:
    found = recurring.strings(
        texts,
        range(len(texts)) if groups is None else groups,
        list,
        frozenset[str]().__contains__,
        longest=4,
        minimum=2,
        cohesion=-99.0,
        entropy=0.0,
    )
    return {each.string: each for each in found}


def test_a_string_is_counted_as_by_hand() -> None:
    # 青桐 stands four times among 16 Chinese letters, in three texts; 青 four times, 桐 five.
    held = counted(["去青桐，在青桐住", "过青桐", "过青桐里", "桐子"])
    found = held["青桐"]
    assert (found.count, found.texts) == (4, 3)
    assert found.cohesion == pytest.approx(math.log(4 * 16 / (4 * 5)))
    assert found.bound == 1.0  # every 青 is one of 青桐
    # Left 去, 在, 过, 过; right a comma, 住, an edge and 里, all of them different.
    assert found.left == pytest.approx(-(2 * 0.25 * math.log(0.25) + 0.5 * math.log(0.5)))
    assert found.right == pytest.approx(math.log(4))
    assert set(held) == {"青桐", "过青", "过青桐"}


def test_the_tail_of_a_number_is_no_string() -> None:
    assert "号线" not in counted(["坐5号线", "坐A号线", "等3号线"])
    assert "号线" in counted(["坐5号线", "坐号线", "等号线"])


def test_of_texts_that_are_nearly_one_the_first_is_counted() -> None:
    texts = ["去青桐", "到青桐", "在青桐", "过青桐"]
    assert counted(texts)["青桐"].texts == 4
    assert counted(texts, [0, 0, 0, 1])["青桐"].texts == 2
    assert counted(texts, [0, 0, 0, 1])["青桐"].count == 2
    assert counted(texts, [0, 0, 0, 0]) == {}


LETTERS = st.text("甲乙丙丁，5", max_size=9)


@given(st.lists(st.tuples(LETTERS, st.integers(0, 3)), max_size=8))
def test_a_naive_recount_agrees(told: list[tuple[str, int]]) -> None:
    texts, groups = [text for text, _group in told], [group for _text, group in told]
    pairs = [[text[at : at + 2] for at in range(0, len(text), 2)] + ["\n"] for text in texts]
    found = {
        each.string: each
        for each in recurring.strings(
            texts,
            groups,
            lambda _joined: [word for words in pairs for word in words],
            lambda word: word == "甲乙",
            longest=4,
            minimum=2,
            cohesion=-99.0,
            entropy=0.0,
        )
    }
    for string, told_of in recount(texts, groups).items():
        each = found.pop(string)
        assert (each.count, each.texts) == told_of[:2]
        numbers = (each.cohesion, each.bound, each.left, each.right, each.torn)
        assert numbers == pytest.approx(told_of[2:], abs=1e-9)
    assert found == {}


def recount(texts: Sequence[str], groups: Sequence[int]) -> dict[str, tuple[float, ...]]:
    """The same, letter by letter."""
    every: Counter[str] = Counter()
    where: dict[str, list[tuple[int, int]]] = {}
    for number, text in enumerate(texts):
        for at in range(len(text)):
            for end in range(at + 1, min(at + 4, len(text)) + 1):
                string = text[at:end]
                if set(string) <= set("甲乙丙丁"):
                    every[string] += 1
                    where.setdefault(string, []).append((number, at))
    letters = sum(times for string, times in every.items() if len(string) == 1)
    found = {}
    for string, places in where.items():
        size = len(string)
        recurs = len({groups[number] for number, _at in places}) > 1
        mine = [
            (texts[number], at)
            for number, at in places
            if groups.index(groups[number]) == number and texts[number][at - 1 : at] != "5"
        ]
        owners = {
            groups[number]
            for number, at in places
            if groups.index(groups[number]) == number and texts[number][at - 1 : at] != "5"
        }
        if size < 2 or not recurs or len(owners) < 2:
            continue
        cuts = [(every[string[:cut]], every[string[cut:]]) for cut in range(1, size)]
        found[string] = (
            len(mine),
            len(owners),
            min(math.log(every[string] * letters / (one * other)) for one, other in cuts),
            min(every[string] / min(pair) for pair in cuts),
            spread([text[at - 1] if at else "" for text, at in mine]),
            spread([text[at + size : at + size + 1] for text, at in mine]),
            sum(torn(text, at) or torn(text, at + size) for text, at in mine) / len(mine),
        )
    return found


def spread(neighbours: Sequence[str]) -> float:
    """Entropy, a mark or an edge being a neighbour of its own each time."""
    names = [each if each and each in "甲乙丙丁" else n for n, each in enumerate(neighbours)]
    shares = [times / len(names) for times in Counter(names).values()]
    return -sum(share * math.log(share) for share in shares)


def torn(text: str, at: int) -> bool:
    return at % 2 == 1 and text[at - 1 : at + 1] == "甲乙"


# --- proposing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "槐荫里",
        "锦绣华庭苑",
        "青桐支路",
        "望江广场",  # two words of the dictionary
        "棉纺厂地块",
        "一河两岸四片",
        "推窗见绿",
        "银龄伴行",
        "滨湖快线",
    ],
)
def test_invented_names_are_proposed_whole(segmenter: Segmenter, name: str) -> None:
    found = proposed(segmenter, around(name))
    assert found[name].texts == len(AROUND)
    # Pieces always stand in the name, and nothing else is said again.
    assert [term for term in found if term in name or name in term] == [name]


@pytest.mark.parametrize(
    "phrase",
    ["这条路", "我们小区", "小区里", "不同意", "管一管", "往东走", "政府部门", "开发商与业主"],
)
def test_usual_phrases_are_not(segmenter: Segmenter, phrase: str) -> None:
    assert phrase not in proposed(segmenter, [*around(phrase), *AS_USUAL])


def test_a_name_in_one_campaign_is_no_word_yet(segmenter: Segmenter) -> None:
    letter = (
        "我们是{}的住户，对面工地半夜打桩，老人孩子都睡不好，请城管部门去看一看，停一停。第{}户"
    )
    assert "青桐支路" not in proposed(segmenter, [letter.format("青桐支路", n) for n in range(40)])
    few = [*around("青桐支路", 3), *(letter.format("青桐支路", n) for n in range(40))]
    assert proposed(segmenter, few)["青桐支路"].texts == 4


def test_a_short_form_stands_beside_the_long_one_if_it_stands_alone(segmenter: Segmenter) -> None:
    both = [*around("芦汀", 4), *around("芦汀支路")[4:]]
    assert {"芦汀", "芦汀支路"} <= set(proposed(segmenter, both))


def test_what_was_decided_is_not_proposed_again(segmenter: Segmenter) -> None:
    taught = Segmenter(builtin().including(["青桐支路"]))
    assert "青桐支路" in proposed(segmenter, around("青桐支路"))
    assert "青桐支路" not in proposed(taught, around("青桐支路"))


def test_a_score_is_the_sum_of_its_parts(segmenter: Segmenter) -> None:
    for word in proposed(segmenter, around("青桐支路")).values():
        assert word.score == pytest.approx(sum(word.parts.values()))
        assert word.score > 0
    parts = proposed(segmenter, around("青桐支路"))["青桐支路"].parts
    assert parts["ending"] > 0
    assert parts["texts"] == pytest.approx(0.3 * math.log(8))
    assert "grammar first" not in parts


def test_the_order_of_arrival_decides_nothing(segmenter: Segmenter) -> None:
    texts = [*around("青桐支路"), *around("推窗见绿"), *OTHER]
    ahead = newwords.propose(texts, segmenter=segmenter)
    assert ahead == newwords.propose(texts[::-1], segmenter=segmenter)
    assert [word.term for word in ahead] == [
        word.term for word in sorted(ahead, key=lambda word: (-word.score, word.term))
    ]
    assert newwords.propose(texts, segmenter=segmenter, top=1) == ahead[:1]


@pytest.mark.realdata
def test_invented_names_are_found_among_real_letters(segmenter: Segmenter) -> None:
    with (DATA / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))[1:3001:2]
    letters = new_names.planted([f"{row['title']}\n{row['body']}" for row in rows])
    found = [word.term for word in newwords.propose(letters, segmenter=segmenter, top=300)]
    names = new_names.names()
    assert len(names) == 40
    # The real names of a whole town stand beside them.
    assert len(set(names) & set(found[:100])) >= 20
    assert len(set(names) & set(found)) >= 34
