"""Same and nearly same: resubmissions found, campaigns grouped, opponents kept apart."""

import csv
import random
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.analysis import folding, normal, sketches
from consult.analysis.duplicates import exact_groups, near_groups

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LETTER = (
    "我们是共和新路一带的老住户，楼里六十岁以上的老人占了一半，每天上下五楼要歇三次。"
    "去年底居委会开过一次会，说是今年春天就会有设计单位来看现场，可是到现在也没有看到人。"
    "请把这几栋楼列进今年的计划，让老人早一点能下楼晒太阳。"
)
GREETINGS = ("尊敬的领导：您好！", "各位领导好，", "", "你好，打扰了。", "敬爱的区政府：")
ENDINGS = ("谢谢！", "盼望答复。", "", "此致敬礼", "万分感谢，祝工作顺利！")
TOPICS = [
    "电梯",
    "公交",
    "菜场",
    "绿地",
    "学校",
    "医院",
    "停车",
    "噪音",
    "垃圾",
    "路灯",
    "消防",
    "养老",
    "图书馆",
    "地铁",
    "广场舞",
]


def campaign(n: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [edited(rng.choice(GREETINGS) + LETTER + rng.choice(ENDINGS), rng) for _ in range(n)]


def edited(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(len(letters) // 10):
        letters[rng.randrange(len(letters))] = rng.choice(LETTER)
    return "".join(letters)


def unrelated(n: int, seed: int = 2) -> list[str]:
    """Letters of one genre: common openings and endings around words of their own."""
    rng = random.Random(seed)
    letters = "".join(chr(code) for code in range(0x4E00, 0x5200))
    return [
        rng.choice(GREETINGS)
        + f"关于{rng.choice(TOPICS)}的问题，"
        + "".join(rng.choice(letters) for _ in range(60))
        + "，希望有关部门重视并尽快解决。"
        + rng.choice(ENDINGS)
        for _ in range(n)
    ]


def test_form_does_not_make_a_text_another() -> None:
    texts = ["建议 加装电梯！", "建议加装电梯", "建议加装扶梯", "建议加装　电梯。。"]
    assert exact_groups(texts) == [0, 0, 1, 0]
    assert near_groups(texts) == [0, 0, 1, 0]


def test_nothing_gives_nothing() -> None:
    assert exact_groups([]) == near_groups([]) == []
    assert near_groups(["", ""]) == [0, 0]
    assert near_groups(["电梯"]) == [0]


def test_a_form_letter_under_varied_greetings_is_one() -> None:
    texts = [greeting + LETTER + ending for greeting in GREETINGS for ending in ENDINGS]
    assert set(near_groups(texts + unrelated(50))[: len(texts)]) == {0}


def test_a_campaign_with_a_tenth_of_its_letters_changed_is_one() -> None:
    texts = campaign(60) + unrelated(200)
    groups = near_groups(texts)
    assert len(set(groups[:60])) == 1
    assert len(set(groups[60:])) == 200


def test_letters_of_one_genre_are_not_one() -> None:
    assert len(set(near_groups(unrelated(400)))) == 400


def test_who_objects_is_never_put_with_who_agrees() -> None:
    base = "我们这栋楼在居民区中心花园的旁边，老人很多，大家商量了很久，最后{}在楼门口加装电梯，请记录。"
    groups = near_groups([base.format("反对"), base.format("支持"), base.format("都反对")])
    assert groups[0] == groups[2] != groups[1]


def test_short_texts_are_only_ever_the_same() -> None:
    assert len(set(near_groups(["支持加装电梯", "反对加装电梯", "希望加装电梯"]))) == 3


def test_courtesies_make_a_short_text_no_other() -> None:
    said = ["反对拆除老菜场", "请反对拆除老菜场！", "各位领导，您好：坚决反对拆除老菜场啊，谢谢！"]
    assert near_groups(said) == [0, 0, 0]
    assert exact_groups(said) == [0, 1, 2]
    # Nothing but courtesies is what it is.
    assert near_groups(["谢谢！", "您好", "谢谢"]) == [0, 1, 0]


def test_a_slip_of_the_hand_makes_a_short_text_no_other() -> None:
    assert near_groups(["小区门口的垃圾房太臭", "小区门口垃圾房太臭", "小门口的垃圾房太臭"]) == [
        0,
        0,
        0,
    ]
    # Left out, these letters make another place, number or wish of it.
    for one, other in (
        ("请在延长中路设斑马线", "请在延长路设斑马线"),
        ("请把12路车站迁回来吧", "请把2路车站迁回来吧"),
        ("我们不要在此设变电站", "我们要在此设变电站"),
    ):
        assert near_groups([one, other]) == [0, 1]
    # Of so few letters one is much.
    assert near_groups(["建养老院", "建养院"]) == [0, 1]


@pytest.mark.parametrize("wish", ["保留旱冰场", "这里要建变电站", "明年要拆和兴菜场"])
def test_who_asks_does_not_say_what_is_asked_about(wish: str) -> None:
    assert near_groups([f"{wish}！", f"请问{wish}吗？", f"{wish}吗"])[0] == 0
    assert 0 not in near_groups([f"{wish}！", f"请问{wish}吗？", f"{wish}吗"])[1:]


def test_short_things_that_are_often_said_stay_apart() -> None:
    rink, court = "希望保留大宁公园的旱冰场", "希望保留大宁公园的篮球场"
    ahead = near_groups([rink, rink, court, court + "！", "请" + rink, court])
    assert ahead == [0, 0, 1, 1, 0, 1]
    # What is said once goes to what it is likest.
    heard = (
        [rink] * 3 + [court] * 3 + ["希望保留大宁公园的旱冰球场", "希望继续保留大宁公园的篮球场"]
    )
    assert near_groups(heard) == [0, 0, 0, 1, 1, 1, 0, 1]
    assert near_groups(heard[::-1]) == [0, 1, 0, 0, 0, 1, 1, 1]
    # What leaves out some words says no other thing.
    assert near_groups([rink] * 3 + ["希望继续保留大宁公园的旱冰场"] * 3) == [0] * 6


def test_groups_do_not_depend_on_greed_of_order_within_a_campaign() -> None:
    texts = campaign(30) + unrelated(60)
    shuffled = list(range(len(texts)))
    random.Random(5).shuffle(shuffled)
    straight = near_groups(texts)
    mixed = near_groups([texts[n] for n in shuffled])
    assert partition(straight, range(len(texts))) == partition(mixed, shuffled)


def partition(groups: list[int], members: object) -> set[frozenset[int]]:
    held: dict[int, set[int]] = {}
    for group, member in zip(groups, members, strict=True):  # type: ignore[call-overload]
        held.setdefault(group, set()).add(member)
    return {frozenset(part) for part in held.values()}


def test_spelling_folded_for_many_is_spelling_folded_for_one() -> None:
    signs = [chr(code) for code in range(0x3400)] + [chr(code) for code in range(0xF000, 0x10400)]
    texts = [*signs, *(f"梯{sign}楼" for sign in signs), "", "！！！", "面积㎡ß\u200b", "\ud800"]
    assert folding.bare_all(texts) == [normal.bare(text) for text in texts]
    assert folding.compatible_all(texts) == [compatible(text) for text in texts]


def compatible(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@given(st.lists(st.text(max_size=30), max_size=12))
def test_spelling_of_any_texts_is_folded_alike(texts: list[str]) -> None:
    assert folding.bare_all(texts) == [normal.bare(text) for text in texts]
    assert folding.compatible_all(texts) == [compatible(text) for text in texts]


def test_working_in_parts_bounds_the_memory_and_changes_no_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = campaign(60) + campaign(20, seed=3) + unrelated(120)
    whole = near_groups(texts)
    for what, parts in (("_CHUNK", 7), ("_COMPARED", 5), ("_PAIRED", 11)):
        monkeypatch.setattr(sketches, what, parts)
    assert near_groups(texts) == whole


def test_a_pair_met_at_one_place_only_is_compared_if_it_meets_as_first_and_as_neighbour() -> None:
    column = sketches.np.array([8, 16, 8, 8, 24, 8, 8, 0xFFFF_FFFF], dtype=sketches.np.uint32)
    met = [
        (pair, twice)
        for left, right, twice in sketches._meetings(column)
        for pair in zip(left.tolist(), right.tolist(), strict=True)
    ]
    assert sorted(met) == [
        ((0, 2), 1), ((0, 3), 1), ((0, 5), 0), ((0, 6), 0), ((2, 3), 1), ((2, 5), 1),
        ((2, 6), 0), ((3, 5), 0), ((3, 6), 0), ((5, 6), 0),
    ]  # fmt: skip


@given(st.lists(st.text(max_size=30), max_size=12))
def test_equal_texts_always_share_a_group(texts: list[str]) -> None:
    exact, near = exact_groups(texts), near_groups(texts)
    assert len(near) == len(texts)
    assert len(set(zip(exact, near, strict=True))) == len(set(exact))


def test_the_threshold_is_a_share() -> None:
    for bad in (0, -1, 1.5):
        with pytest.raises(ValueError, match="threshold"):
            near_groups(["a"], threshold=bad)


@pytest.mark.realdata
def test_all_108_resubmitted_groups_are_found() -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    with (DATA / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        body = {row["msg_id"]: row["body"] for row in csv.DictReader(file)}
    with (DATA / "messages_resubmitted.csv").open(encoding="utf-8-sig", newline="") as file:
        known = [(row["group"], row["msg_id"]) for row in csv.DictReader(file)]
    for grouped in (exact_groups, near_groups):
        group = dict(zip(body, grouped(list(body.values())), strict=True))
        together: dict[str, set[int]] = {}
        for name, message in known:
            together.setdefault(name, set()).add(group[message])
        assert Counter(map(len, together.values())) == {1: 108}


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=30),
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.integers(0, 1000),
)
def test_groups_drawn_together_have_the_profile_of_all_their_letters(
    groups: list[int], stars: list[int], seed: int
) -> None:
    of_letter = np.unique(groups, return_inverse=True)[1].astype(np.int64)
    drawn = np.unique(stars[: int(of_letter.max()) + 1], return_inverse=True)[1].astype(np.int64)
    few = np.random.default_rng(seed).integers(0, 3, (len(groups), 128), dtype=np.uint32) << 3
    before = sketches._profiles(few, of_letter)
    after = sketches._drawn_together(before, drawn, few, drawn[of_letter])
    assert (after == sketches._profiles(few, drawn[of_letter])).all()
