"""Reading drafts from text and Markdown, and a whole plan from every format."""

import io
import json
from pathlib import Path

import docx as python_docx
import pytest

from consult import readers
from consult.readers import Block
from tests.drafts_read import md, outline, plain_word, texts, txt

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data"),
]


# Headings by number


def test_numbers_make_headings_whose_levels_follow_the_kinds_that_occur() -> None:
    draft = plain_word(
        "某区发展规划",
        "第一章　总体要求",
        "开头一段。",
        "一、指导思想",
        "坚持以人民为中心。",
        "（一）基本原则",
        "统筹推进。",
        "第二章　重点任务",
        "一、发展产业",
        "做强主业。",
    )
    assert draft.title == "某区发展规划"
    assert outline(draft) == [
        (1, "第一章　总体要求"),
        (0, "开头一段。"),
        (2, "一、指导思想"),
        (0, "坚持以人民为中心。"),
        (3, "（一）基本原则"),
        (0, "统筹推进。"),
        (1, "第二章　重点任务"),
        (2, "一、发展产业"),
        (0, "做强主业。"),
    ]
    assert draft.warnings == ()


def test_a_sentence_that_begins_with_a_number_is_body() -> None:
    draft = plain_word(
        "一、总体情况",
        "1. 建成两条地铁线，方便居民出行。",
        "（一）加快建设。坚持交通先行",
        "第一章规定了总则，本章不再重复。",
    )
    assert [block.kind for block in draft.blocks] == [
        "heading",
        "list_item",
        "list_item",
        "paragraph",
    ]


def test_short_numbered_lines_without_text_below_are_a_list() -> None:
    draft = plain_word(
        "一、重点项目", "包括：", "1. 东区医院", "2. 西区学校", "3. 南区公园", "以上项目三年建成。"
    )
    kinds = [block.kind for block in draft.blocks]
    assert kinds == ["heading", "paragraph", "list_item", "list_item", "list_item", "paragraph"]


def test_a_chapter_number_alone_is_joined_with_the_line_that_names_it() -> None:
    assert outline(txt("第一章\n发展环境\n形势向好。")) == [
        (1, "第一章　发展环境"),
        (0, "形势向好。"),
    ]


def test_a_foreword_without_number_is_a_heading_beside_numbered_ones() -> None:
    draft = plain_word("某区规划", "前　言", "说明背景。", "第一章 总则", "内容。")
    assert [level for level, _ in outline(draft)] == [1, 0, 1, 0]


@pytest.mark.parametrize("line", ["1.5万亿元的目标", "3.5 亿元投资，两年完成。", "2026年计划。"])
def test_figures_are_not_heading_numbers(line: str) -> None:
    assert outline(plain_word("开头。", line))[1][0] == 0


def test_a_contents_page_is_left_out_and_said() -> None:
    draft = plain_word(
        "某区规划",
        "目　录",
        "第一章 总则\t1",
        "第二章 任务……………12",
        "附则",
        "第一章 总则",
        "总的要求。",
        "第二章 任务",
        "任务若干。",
        "附则",
        "自发布之日起施行。",
    )
    assert texts(draft) == [
        "第一章 总则",
        "总的要求。",
        "第二章 任务",
        "任务若干。",
        "附则",
        "自发布之日起施行。",
    ]
    assert draft.warnings == ("已略去目录（4行）。",)


def test_a_figure_behind_dots_or_a_tab_is_body_when_it_is_no_entry_of_a_contents() -> None:
    assert texts(plain_word("主要指标如下。", "人口\t120", "学校……36")) == [
        "主要指标如下。",
        "人口 120",
        "学校……36",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_encodings_offices_use(encoding: str) -> None:
    text = "某区规划\n\n第一章 总则\n为了发展，制定本规划。\n"
    draft = readers.read(text.encode(encoding), filename="a.txt")
    assert (draft.title, outline(draft)) == (
        "某区规划",
        [(1, "第一章 总则"), (0, "为了发展，制定本规划。")],
    )
    assert bool(draft.warnings) == (encoding == "gb18030")


def test_hash_marks_count_in_text_too_and_then_numbers_alone_make_no_heading() -> None:
    draft = txt("# 第一章 总则\n##一、要求\n（一）原则\n说明。")
    assert [level for level, _ in outline(draft)] == [1, 2, 0, 0]


def test_each_line_is_a_paragraph_unless_the_text_is_hard_wrapped() -> None:
    assert texts(txt("甲段话。\n乙段话。\n\n丙段话。")) == ["甲段话。", "乙段话。", "丙段话。"]
    lines = ["各" * 30] * 4
    wrapped = "\n".join([*lines, "到此为止。", "　　" + "新" * 28, *lines, "再次结束。"])
    assert texts(txt(wrapped)) == ["各" * 120 + "到此为止。", "新" * 28 + "各" * 120 + "再次结束。"]


def test_a_form_feed_in_mid_sentence_leaves_no_trace() -> None:
    assert texts(txt("体制\f活力增强。")) == ["体制活力增强。"]


def test_stored_text_keeps_rare_characters_and_loses_unsafe_ones() -> None:
    draft = txt("# 标题\u202e甲\x07\n𠮷野家的👨‍👩‍👧\x0b下一行\ufeff。")
    assert texts(draft) == ["标题甲", "𠮷野家的👨‍👩‍👧", "下一行。"]


# Markdown


def test_markdown_headings_lists_tables_and_links_become_plain_text() -> None:
    draft = md(
        "# 某区规划\n\n## 第一章 总则\n\n**为了**发展，见[公告](http://x.cn)。\n\n"
        "3. 三\n4. 四\n   - 细目\n\n| 指标 | 值 |\n|--|--|\n| 人口 | 9 *万* |\n\n![图](a.png)图。\n"
    )
    assert draft.title == "某区规划"
    assert draft.blocks == (
        Block(1, "heading", "第一章 总则"),
        Block(0, "paragraph", "为了发展，见公告。"),
        Block(0, "list_item", "3. 三"),
        Block(0, "list_item", "4. 四"),
        Block(0, "list_item", "• 细目"),
        Block(0, "table", "指标\t值\n人口\t9 万"),
        Block(0, "paragraph", "图。"),
    )
    assert draft.warnings == ("跳过了1张图片。",)


def test_html_in_markdown_stays_text() -> None:
    assert texts(md("正文<script>alert(1)</script>。")) == ["正文<script>alert(1)</script>。"]


def test_lines_without_a_blank_between_are_paragraphs_in_markdown_too() -> None:
    assert texts(md("##第一章 总则\n甲段。\n乙段。")) == ["第一章 总则", "甲段。", "乙段。"]


# The national plan


def plan() -> tuple[str, list[tuple[int, str]]]:
    """Title, and every heading and paragraph in order; page marks of the scan taken out."""
    stored = json.loads((DATA / "national_plan_12.json").read_text(encoding="utf-8"))
    entries: list[tuple[int, str]] = []
    for section in stored["sections"]:
        entries.append((section["level"], section["heading"]))
        entries.extend((0, text.replace("\f", "")) for text in section["paragraphs"])
    return stored["title"], entries


def plan_in_word(*, with_styles: bool) -> bytes:
    title, entries = plan()
    made = python_docx.Document()
    made.add_paragraph(title, style="Title" if with_styles else None)
    for level, text in entries:
        made.add_paragraph(text, style=f"Heading {level}" if level and with_styles else None)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


class TestNationalPlan:
    pytestmark = realdata

    def test_with_heading_styles_every_word_comes_through_in_order(self) -> None:
        title, entries = plan()
        draft = readers.read(plan_in_word(with_styles=True), filename="规划.docx")
        assert draft.title == title
        assert outline(draft) == entries
        assert sum(block.kind == "heading" for block in draft.blocks) == 246
        assert sum(block.kind == "paragraph" for block in draft.blocks) == 285
        assert draft.warnings == ()

    def test_without_styles_the_numbers_alone_give_the_same_outline(self) -> None:
        title, entries = plan()
        draft = readers.read(plan_in_word(with_styles=False), filename="规划.docx")
        # A foreword without number stands at the top; the stored plan has it one lower.
        assert entries[0] == (2, "（导言）")
        assert draft.title == title
        assert outline(draft) == [(1, "（导言）"), *entries[1:]]

    @pytest.mark.parametrize("name", ["规划.txt", "规划.md"])
    def test_as_text_it_has_its_headings_and_paragraphs(self, name: str) -> None:
        title, entries = plan()
        data = (DATA / "national_plan_12.txt").read_bytes()
        draft = readers.read(data, filename=name)
        assert (draft.title, outline(draft), draft.warnings) == (title, entries, ())
