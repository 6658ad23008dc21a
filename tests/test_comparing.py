"""The comparison of texts, against what a person reads in them and what must hold for any two."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.comparing import Block, Kind, align, changes, displaced, words
from consult.comparisons import Fate, Pair
from consult.drafts import Entry, ParagraphKind

pytestmark = pytest.mark.pure
HAN = "规划养老床位建设社区服务人民城市发展交通绿地，。；0123456789"


def shown(old: str, new: str) -> str:
    """What changed as one would write it by hand: [gone-] and [+new]."""
    signs = {Kind.SAME: "{}", Kind.GONE: "[{}-]", Kind.NEW: "[+{}]"}
    return "".join(signs[run.kind].format(run.text) for run in changes(old, new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("一样的话。", "一样的话。", "一样的话。"),
        ("", "新的。", "[+新的。]"),
        ("旧的。", "", "[旧的。-]"),
        ("", "", ""),
        # A number is read whole, with its decimals, its thousands and its per cent sign.
        ("新增床位1000张。", "新增床位1500张。", "新增床位[1000-][+1500]张。"),
        ("增长6.5%左右", "增长6.8%左右", "增长[6.5%-][+6.8%]左右"),
        ("共1,200个", "共12,000个", "共[1,200-][+12,000]个"),
        ("增加二十五处", "增加三十五处", "增加[二十五-][+三十五]处"),
        ("接入WiFi网络", "接入5G网络", "接入[WiFi-][+5G]网络"),
        ("建设养老设施。", "建设社区养老设施。", "建设[+社区]养老设施。"),
        ("着力打造宜居城区。", "打造宜居城区。", "[着力-]打造宜居城区。"),
        # What was added to what was exchanged leaves the word between them alone.
        ("床位500张", "床位1500张以上", "床位[500-][+1500]张[+以上]"),
        # What could be read as added at several places is read as people would write it.
        ("菜要软烂、少盐、价廉", "菜要软烂、少油、少盐、价廉", "菜要软烂、[+少油、]少盐、价廉"),
        ("建设公园、绿地。", "建设公园、林地、绿地。", "建设公园、[+林地、]绿地。"),
        # But never by cutting a number.
        ("共11处", "共1处、11处", "共[+1处、]11处"),
        # A single character left over between two exchanged words is not a word that stayed.
        (
            "到2025年，提升品质与效能。",
            "到2025年，改善环境与面貌。",
            "到2025年，[提升品质与效能-][+改善环境与面貌]。",
        ),
        # Where hardly anything stayed, one is shown after the other.
        ("提升品质与效能。", "改善环境与面貌。", "[提升品质与效能。-][+改善环境与面貌。]"),
    ],
)
def test_what_changed_reads_as_a_person_would_mark_it(old: str, new: str, expected: str) -> None:
    assert shown(old, new) == expected


texts = st.text(HAN, max_size=60)


@settings(max_examples=300, deadline=None)
@given(old=texts, new=texts)
def test_both_texts_can_be_read_back(old: str, new: str) -> None:
    runs = changes(old, new)
    assert "".join(run.text for run in runs if run.kind is not Kind.NEW) == old
    assert "".join(run.text for run in runs if run.kind is not Kind.GONE) == new
    assert all(run.text for run in runs)


@settings(max_examples=100, deadline=None)
@given(before=st.integers(0, 10**6), after=st.integers(0, 10**6))
def test_a_changed_number_is_shown_whole(before: int, after: int) -> None:
    runs = changes(f"共有{before}张床位。", f"共有{after}张床位。")
    for run in runs:
        digits = [c for c in run.text if c.isdigit()]
        assert not digits or "".join(digits) in (str(before), str(after))


def test_a_long_paragraph_is_compared_sentence_by_sentence() -> None:
    # More characters than fit the matrix: the sentences that stayed are found first.
    sentences = [f"第{n}项工作要在本年度内由各部门分头落实到位。" for n in range(1500)]
    new = sentences.copy()
    new[700] = "第700项工作要在下年度内由各部门分头落实到位。"
    runs = changes("".join(sentences), "".join(new))
    assert [(run.kind, run.text) for run in runs if run.kind is not Kind.SAME] == [
        (Kind.GONE, "本"),
        (Kind.NEW, "下"),
    ]


@settings(max_examples=150, deadline=None)
@given(old=texts, new=texts, both=texts, cells=st.integers(1, 400))
def test_texts_that_are_too_long_at_once_can_be_read_back_too(
    old: str, new: str, both: str, cells: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(words, "_MOST_CELLS", cells)
        patched.setattr(words, "_TELLING", 3)
        test_both_texts_can_be_read_back.hypothesis.inner_test(  # type: ignore[attr-defined]  # hypothesis gives it
            both + old + both[::-1] + new, both + new + both[::-1] + old
        )


def test_a_very_long_paragraph_without_a_pause_is_compared_letter_by_letter() -> None:
    old = "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(30_000))
    new = old[:9_000] + "一" + old[9_000:15_000] + old[15_001:20_000] + "二三" + old[20_002:]
    changed = [(r.kind, r.text) for r in changes(old, new) if r.kind is not Kind.SAME]
    assert changed == [
        (Kind.NEW, "一"),
        (Kind.GONE, old[15_000]),
        (Kind.GONE, old[20_000:20_002]),
        (Kind.NEW, "二三"),
    ]


def test_a_number_stays_whole_where_characters_for_private_use_are_in_the_words() -> None:
    odd = chr(0xF0000) + chr(0xF0001)
    assert shown(odd + "共1000张", odd + "共1500张" + odd) == f"{odd}共[1000-][+1500]张[+{odd}]"


def blocks(*texts: str) -> list[Block]:
    return [
        Block(text.lstrip("#"), "heading" if text.startswith("#") else "text") for text in texts
    ]


OLD = blocks(
    "#第一章 总体要求",
    "坚持人民城市人民建，人民城市为人民。",
    "#第二章 社会民生",
    "新增养老床位500张，建设15分钟养老服务圈。",
    "支持既有多层住宅加装电梯。",
    "推进口袋公园建设，让居民出门见绿。",
)


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (OLD, [0, 1, 2, 3, 4, 5]),
        ([], []),
        # One between is new, one is gone, one is edited.
        (
            blocks(
                "#第一章 总体要求",
                "以改革开放为动力。",
                "#第二章 社会民生",
                "新增养老床位1500张，建成15分钟养老服务圈。",
                "支持既有多层住宅加装电梯。",
            ),
            [0, None, 2, 3, 4],
        ),
        # One was moved to another chapter and edited there.
        (
            blocks(
                "#第一章 总体要求",
                "推进口袋公园建设，让市民出门见绿。",
                "坚持人民城市人民建，人民城市为人民。",
                "#第二章 社会民生",
            ),
            [0, 5, 1, 2],
        ),
        # A heading is never continued by running text, however alike.
        (blocks("第二章 社会民生和保障"), [None]),
        (blocks("#第三章 社会民生"), [2]),
    ],
)
def test_paragraphs_are_found_again(new: list[Block], expected: list[int | None]) -> None:
    assert align(OLD, new) == expected


def test_equal_headings_are_told_apart_by_where_they_stand() -> None:
    old = blocks(
        "#甲", "甲的内容在这里。", "#主要任务", "一些任务。", "#乙", "#主要任务", "别的任务。"
    )
    new = blocks("#乙", "#主要任务", "别的任务。")
    assert align(old, new) == [4, 5, 6]


@settings(max_examples=150, deadline=None)
@given(
    old=st.lists(texts, max_size=12),
    new=st.lists(texts, max_size=12),
    both=st.lists(texts, max_size=6),
)
def test_nothing_is_paired_twice_and_nothing_unlike(
    old: list[str], new: list[str], both: list[str]
) -> None:
    old, new = old + both, both + new
    found = align([Block(text) for text in old], [Block(text) for text in new])
    origins = [place for place in found if place is not None]
    assert len(set(origins)) == len(origins)
    # What reads alike in both is found as often as it can be.
    alike = sum(min(old.count(text), new.count(text)) for text in set(old))
    same = sum(old[o] == text for o, text in zip(found, new, strict=True) if o is not None)
    assert same >= alike


@pytest.mark.parametrize(
    ("places", "weights", "expected"),
    [
        ([], [], set()),
        ([0, 1, 2], [1, 1, 1], set()),
        # A short sentence passed a long page: the sentence moved.
        ([1, 0], [5, 500], {0}),
        ([1, 0], [500, 5], {1}),
        ([2, 0, 1, 3], [1, 1, 1, 1], {0}),
        ([7, 3, 9, 4], [10, 1, 10, 1], {1, 3}),
    ],
)
def test_what_moved_is_the_lighter_part(
    places: list[int], weights: list[int], expected: set[int]
) -> None:
    assert displaced(places, weights) == expected


def table(old: str, new: str, *sides: str) -> list[list[list[str]]]:
    """The cells that are shown, as `shown` writes them."""
    before, after = (Entry(1, 1, ParagraphKind.TABLE, 0, text, ()) for text in (old, new))
    pair = Pair(Fate.EDITED, False, before, after)
    signs = {Kind.SAME: "{}", Kind.GONE: "[{}-]", Kind.NEW: "[+{}]"}
    return [
        [["".join(signs[r.kind].format(r.text) for r in cell) for cell in row] for row in rows]
        for rows in pair.tables(pair.runs(), sides)
    ]


def test_a_table_is_compared_in_its_cells() -> None:
    old = "指标\t目标\n加装电梯\t1000台\n绿地\t3%"
    new = "指标\t目标\n加装电梯\t1500台\n绿地\t3%"
    assert table(old, new, "same", "gone") == [
        [["指标", "目标"], ["加装电梯", "[1000-]台"], ["绿地", "3%"]]
    ]
    assert table(old, new, "same", "gone", "new") == [
        [["指标", "目标"], ["加装电梯", "[1000-][+1500]台"], ["绿地", "3%"]]
    ]


def test_tables_whose_cells_do_not_correspond_are_shown_one_after_the_other() -> None:
    old, new = "指标\t目标\n电梯\t10", "指标\t单位\t目标\n电梯\t台\t12"
    both = table(old, new, "same", "gone", "new")
    assert [[len(row) for row in rows] for rows in both] == [[2, 2], [3, 3]]
    # A row that came is interwoven.
    assert table(old, old + "\n床位\t5", "same", "gone", "new") == [
        [["指标", "目标"], ["电梯", "10"], ["[+床位]", "[+5]"]]
    ]
