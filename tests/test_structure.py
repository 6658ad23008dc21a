"""Mending a version: what each act does, what it refuses, and that no text is lost on the way."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consult import drafts, outlines, structure
from consult.consultations import Phase
from consult.drafts import Entry, ParagraphKind, Version
from consult.structure import Overtaken
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft

pytestmark = pytest.mark.usefixtures("context")

# Marks 1 to 8: chapter, two paragraphs, chapter, section, paragraph, list item, table.
TEXT = """\
# 第一章 总体要求
甲句。乙句！丙句
丁句。
# 第二章 社会民生
## 第一节 养老服务
戊句。
- 己条。
| 指标\t目标
"""
BY: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}
_slugs = count(1)


def a_version(text: str = TEXT) -> Version:
    return a_prepared_draft(a_consultation(f"c-{next(_slugs)}", phase=Phase.PREPARING), text)


def entries(version: Version) -> tuple[Entry, ...]:
    db.session.flush()
    return drafts.outline(version).entries


def seen(version: Version, mark: int) -> dict[str, Any]:
    """What an officer who has just opened the page would send."""
    return {"seen": structure.seals(entries(version))[mark], **BY}


def shape(version: Version) -> list[tuple[int, int, str]]:
    return [(e.mark, e.level, e.text) for e in entries(version)]


def events() -> list[AuditEvent]:
    query = sa.select(AuditEvent).where(AuditEvent.action.like("paragraph.%"))
    return list(db.session.scalars(query.order_by(AuditEvent.id)))


# --- levels and kinds ----------------------------------------------------------------------------


def test_a_heading_goes_down_and_up_alone_or_with_what_is_below() -> None:
    version = a_version()
    structure.shift_level(version, 4, +1, with_below=False, **seen(version, 4))
    assert [(e.mark, e.level) for e in entries(version) if e.level] == [(1, 1), (4, 2), (5, 2)]
    structure.shift_level(version, 4, -1, with_below=False, **seen(version, 4))
    structure.shift_level(version, 4, +1, with_below=True, **seen(version, 4))
    assert [(e.mark, e.level) for e in entries(version) if e.level] == [(1, 1), (4, 2), (5, 3)]


def test_a_heading_stays_between_the_first_and_the_sixth_level() -> None:
    version = a_version("# 甲\n###### 乙\n正文。")
    for mark, step, below in ((1, -1, False), (2, +1, False), (1, +1, True)):
        with pytest.raises(Refused, match="第6级"):
            structure.shift_level(version, mark, step, with_below=below, **seen(version, mark))
    assert [e.level for e in entries(version)] == [1, 6, 0]


def test_a_paragraph_becomes_a_heading_and_a_heading_a_paragraph() -> None:
    version = a_version()
    structure.make_heading(version, 3, 2, **seen(version, 3))
    structure.make_body(version, 5, **seen(version, 5))
    assert [(e.mark, e.level, e.kind.value) for e in entries(version)][2:5] == [
        (3, 2, "heading"),
        (4, 1, "heading"),
        (5, 0, "paragraph"),
    ]


@pytest.mark.parametrize("level", [0, 7])
def test_a_level_that_is_none_is_refused(level: int) -> None:
    version = a_version()
    with pytest.raises(Refused):
        structure.make_heading(version, 3, level, **seen(version, 3))


def test_a_table_or_a_long_text_is_no_heading() -> None:
    version = a_version("长" * 201 + "\n| 甲\t乙")
    for mark in (1, 2):
        with pytest.raises(Refused):
            structure.make_heading(version, mark, 1, **seen(version, mark))


# --- splitting and merging -----------------------------------------------------------------------


def test_a_paragraph_is_split_at_a_sentence_and_merged_again() -> None:
    version = a_version()
    assert outlines.places_to_split(entries(version)[1]) == [(3, "乙句！"), (6, "丙句")]
    new = structure.split(version, 2, 3, **seen(version, 2))
    assert shape(version)[:4] == [
        (1, 1, "第一章 总体要求"),
        (2, 0, "甲句。"),
        (9, 0, "乙句！丙句"),
        (3, 0, "丁句。"),
    ]
    assert new.mark == 9
    structure.merge_with_previous(version, 9, **seen(version, 9))
    assert shape(version)[1] == (2, 0, "甲句。乙句！丙句")
    # A mark that was given is never given again.
    assert structure.split(version, 2, 3, **seen(version, 2)).mark == 10


def test_what_is_split_off_a_heading_is_body() -> None:
    version = a_version("# （一）优化布局。推动产城融合。")
    ((at, _words),) = outlines.places_to_split(entries(version)[0])
    structure.split(version, 1, at, **seen(version, 1))
    assert shape(version) == [(1, 1, "（一）优化布局。"), (2, 0, "推动产城融合。")]


@pytest.mark.parametrize("at", [-1, 0, 8, 99])
def test_a_split_leaves_words_on_both_sides(at: int) -> None:
    version = a_version()
    with pytest.raises(Refused, match="两边都要有文字"):
        structure.split(version, 2, at, **seen(version, 2))


def test_a_table_is_split_between_rows_and_merged_with_a_table_only() -> None:
    version = a_version("| 甲\t乙\n| 丙\t丁\n正文。")
    structure.merge_with_next(version, 1, **seen(version, 1))
    assert shape(version)[0] == (1, 0, "甲\t乙\n丙\t丁")
    assert outlines.places_to_split(entries(version)[0]) == [(4, "丙\t丁")]
    with pytest.raises(Refused, match="两行之间"):
        structure.split(version, 1, 2, **seen(version, 1))
    with pytest.raises(Refused, match="表格不能"):
        structure.merge_with_next(version, 1, **seen(version, 1))
    structure.split(version, 1, 4, **seen(version, 1))
    assert [(e.text, e.kind) for e in entries(version)][:2] == [
        ("甲\t乙", ParagraphKind.TABLE),
        ("丙\t丁", ParagraphKind.TABLE),
    ]


def test_headings_merge_with_headings_and_never_with_body() -> None:
    version = a_version("# 第一章\n# 总则\n正文。")
    with pytest.raises(Refused, match="标题不能与正文合并"):
        structure.merge_with_next(version, 2, **seen(version, 2))
    structure.merge_with_next(version, 1, **seen(version, 1))
    assert shape(version) == [(1, 1, "第一章　总则"), (3, 0, "正文。")]


def test_the_first_has_nothing_before_it_and_the_last_nothing_behind() -> None:
    version = a_version("甲。\n乙。")
    with pytest.raises(Refused, match="第一段"):
        structure.merge_with_previous(version, 1, **seen(version, 1))
    with pytest.raises(Refused, match="最后一段"):
        structure.merge_with_next(version, 2, **seen(version, 2))


def test_latin_words_are_joined_with_a_blank_and_chinese_ones_without() -> None:
    version = a_version("smart\ncity建设\n提速。")
    structure.merge_with_next(version, 1, **seen(version, 1))
    structure.merge_with_next(version, 1, **seen(version, 1))
    assert shape(version) == [(1, 0, "smart city建设提速。")]


# --- words ---------------------------------------------------------------------------------------


def test_words_are_corrected_and_the_old_ones_stay_in_the_record() -> None:
    version = a_version()
    assert structure.correct(version, 3, " 丁句改。\r\n", **seen(version, 3))
    assert not structure.correct(version, 3, "丁句改。", **seen(version, 3))
    assert shape(version)[2] == (3, 0, "丁句改。")
    (event,) = events()
    assert (event.before, event.action) == ({"text": "丁句。"}, "paragraph.corrected")


@pytest.mark.parametrize(
    ("mark", "text"),
    [(3, " \u200b\u3164"), (8, "指标"), (8, "指标\t目标\n多\t一行"), (1, "长" * 201)],
)
def test_words_that_do_not_fit_their_place_are_refused(mark: int, text: str) -> None:
    version = a_version()
    with pytest.raises(Refused):
        structure.correct(version, mark, text, **seen(version, mark))


def test_empty_cells_of_a_table_survive_a_correction() -> None:
    version = a_version("| \t甲\t")
    structure.correct(version, 1, "\t乙\t", **seen(version, 1))
    assert shape(version) == [(1, 0, "\t乙\t")]


def test_a_paragraph_is_deleted_and_its_words_stay_in_the_record() -> None:
    version = a_version()
    left = structure.delete(version, 8, **seen(version, 8))
    assert left is not None
    assert (left.mark, len(entries(version))) == (7, 7)
    (event,) = events()
    assert event.before == {"kind": "table", "level": 0, "text": "指标\t目标"}


def test_a_version_is_deleted_and_its_marks_are_not_given_again() -> None:
    version = a_version()
    consultation = version.draft.consultation
    structure.discard(version, **BY)
    db.session.commit()
    assert list(drafts.versions(consultation)) == []
    assert [e.mark for e in entries(a_prepared_draft(consultation, "甲。\n乙。"))] == [9, 10]


# --- refusals that hold for all acts -------------------------------------------------------------

ACTS: list[Callable[[Version, dict[str, Any]], object]] = [
    lambda v, given: structure.shift_level(v, 4, 1, with_below=False, **given),
    lambda v, given: structure.make_body(v, 4, **given),
    lambda v, given: structure.merge_with_previous(v, 4, **given),
    lambda v, given: structure.merge_with_next(v, 4, **given),
    lambda v, given: structure.split(v, 4, 3, **given),
    lambda v, given: structure.correct(v, 4, "改", **given),
    lambda v, given: structure.delete(v, 4, **given),
]


@pytest.mark.parametrize("act", ACTS)
def test_a_published_version_refuses_every_act(
    act: Callable[[Version, dict[str, Any]], object],
) -> None:
    version = a_published_draft(a_consultation(), TEXT)
    before = shape(version)
    with pytest.raises(Refused, match="已经发布"):
        act(version, seen(version, 4))
    with pytest.raises(Refused, match="已经发布"):
        structure.discard(version, **BY)
    assert shape(version) == before
    assert events() == []


@pytest.mark.parametrize("act", ACTS)
def test_an_act_on_what_somebody_else_has_changed_is_refused(
    act: Callable[[Version, dict[str, Any]], object],
) -> None:
    version = a_version()
    stale = seen(version, 4)
    structure.correct(version, 4, "第二章 别人改的", **stale)
    with pytest.raises(Overtaken) as overtaken:
        act(version, stale)
    assert overtaken.value.current is not None
    assert overtaken.value.current.text == "第二章 别人改的"
    assert len(events()) == 1


def test_a_merge_looks_at_the_neighbour_too_and_other_acts_do_not() -> None:
    version = a_version()
    stale = seen(version, 3)
    structure.correct(version, 2, "别人改了上一段。", **seen(version, 2))
    with pytest.raises(Overtaken):
        structure.merge_with_previous(version, 3, **stale)
    structure.correct(version, 3, "我只改这一段。", **stale)
    assert [text for _m, _l, text in shape(version)][1:3] == ["别人改了上一段。", "我只改这一段。"]


def test_an_act_on_a_paragraph_that_is_gone_is_refused() -> None:
    version = a_version()
    stale = seen(version, 3)
    structure.delete(version, 3, **stale)
    with pytest.raises(Overtaken) as overtaken:
        structure.correct(version, 3, "来迟了", **stale)
    assert overtaken.value.current is None


# --- no text is lost -----------------------------------------------------------------------------

LINES = st.lists(
    st.sampled_from(
        ["# 第一章", "## 一、总则", "甲句。乙句。", "丙；丁！", "- 条目。", "| 格\t子", "𠮷字，end"]
    ),
    min_size=1,
    max_size=8,
)
STEPS = st.lists(
    st.tuples(st.sampled_from(range(8)), st.integers(0, 20), st.integers(0, 9)), max_size=12
)


def body_of(version: Version) -> str:
    """All characters in order, without the white space that joints and table rows add."""
    return "".join("".join(e.text for e in entries(version)).split())


def one_step(version: Version, kind: int, mark: int, number: int) -> str:
    """Try one act; the characters it deleted on purpose."""
    given = seen(version, mark)
    if kind == 0:
        structure.shift_level(version, mark, 1, with_below=bool(number % 2), **given)
    elif kind == 1:
        structure.shift_level(version, mark, -1, with_below=bool(number % 2), **given)
    elif kind == 2:
        structure.make_heading(version, mark, number, **given)
    elif kind == 3:
        structure.make_body(version, mark, **given)
    elif kind == 4:
        structure.split(version, mark, number, **given)
    elif kind == 5:
        structure.merge_with_previous(version, mark, **given)
    elif kind == 6:
        structure.merge_with_next(version, mark, **given)
    else:
        gone = drafts.outline(version).by_mark[mark].text
        structure.delete(version, mark, **given)
        return gone
    return ""


@given(lines=LINES, steps=STEPS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_character_of_the_text_is_lost_except_by_deleting(
    lines: list[str], steps: list[tuple[int, int, int]]
) -> None:
    version = a_version("\n".join(lines))
    used = {e.mark for e in entries(version)}
    for kind, which, number in steps:
        now_there = entries(version)
        if not now_there:
            break
        before, acts = body_of(version), len(events())
        mark = now_there[which % len(now_there)].mark
        place = "".join("".join(e.text for e in now_there[: which % len(now_there)]).split())
        try:
            gone = "".join(one_step(version, kind, mark, number).split())
        except Refused:
            assert body_of(version) == before
            assert len(events()) == acts
            continue
        assert body_of(version) == place + before[len(place) + len(gone) :]
        assert len(events()) == acts + 1
        rows = drafts.paragraphs_of(version)
        positions = [row.position for row in rows]
        assert positions == sorted(set(positions))
        marks = [row.mark for row in rows]
        assert len(set(marks)) == len(marks)
        fresh = set(marks) - {e.mark for e in now_there}
        assert not fresh & used
        used |= fresh
    db.session.rollback()


# --- looking over --------------------------------------------------------------------------------


def doubts_of(*headings: str) -> dict[int, str]:
    version = a_version("\n".join(headings))
    return outlines.doubts(entries(version))


def test_a_missing_chapter_is_noticed() -> None:
    found = doubts_of("# 第一章 甲", "# 第三章 丙", "# 第四章 丁")
    assert found == {2: "编号不连续，上一个是“第一章”，中间可能有标题没有认出来。"}


def test_sections_begin_again_in_each_chapter() -> None:
    assert not doubts_of("# 第一章", "## 第一节", "## 第二节", "# 第二章", "## 第一节")


def test_chapters_may_count_on_through_the_parts_or_begin_again() -> None:
    assert not doubts_of("# 第一篇", "## 第一章", "## 第二章", "# 第二篇", "## 第三章")
    assert not doubts_of("# 第一篇", "## 第一章", "## 第二章", "# 第二篇", "## 第一章")


def test_repeated_backward_and_late_numbers_are_noticed() -> None:
    assert list(doubts_of("# 第二章", "# 第二章", "# 第一章", "# 第二章")) == [1, 2, 3]
    assert list(doubts_of("# 一、甲", "# 二、乙", "# 十、癸", "# 十一、子")) == [3]


def test_a_level_left_out_is_noticed() -> None:
    assert doubts_of("# 甲", "### 乙") == {2: "层级比上一个标题低了不止一级。"}


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("第十章", 10),
        ("第十二章", 12),
        ("第二十章", 20),
        ("第一百零三节", 103),
        ("第六十二章", 62),
        ("第一〇一条", 101),
        ("（三）", 3),
        ("１２．", 12),
        ("1.2", 2),
        ("", None),
    ],
)
def test_numbers_are_read_as_people_read_them(number: str, value: int | None) -> None:
    assert outlines.figure(number) == value


def test_a_long_draft_is_cut_into_sheets_between_chapters() -> None:
    chapter = "# 章\n" + "段。\n" * 29
    version = a_version(chapter * 5 + "# 末章\n" + "段。\n" * 199)
    sheets = outlines.sheets(entries(version), most=80)
    assert [len(sheet) for sheet in sheets] == [60, 60, 30, 80, 80, 40]
    assert [e.mark for sheet in sheets for e in sheet] == list(range(1, 351))
