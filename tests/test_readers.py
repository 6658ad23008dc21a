"""Reading drafts: what each format becomes, and that no file can do harm."""

import io
import json
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import docx as python_docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import readers
from consult.readers import Block, ReadDraft, UnreadableDraft
from consult.readers.numbering import figure
from tests import hostile_files as files

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data"),
]


def txt(text: str) -> ReadDraft:
    return readers.read(text.encode(), filename="稿.txt")


def md(text: str) -> ReadDraft:
    return readers.read(text.encode(), filename="稿.MD")


def word(body: str, *, styles: str = "", numbering: str = "") -> ReadDraft:
    data = files.docx(body, styles=styles, numbering=numbering)
    return readers.read(data, filename="稿.docx")


def plain_word(*lines: str) -> ReadDraft:
    return readers.read(files.docx_of(*lines), filename="稿.docx")


def outline(draft: ReadDraft) -> list[tuple[int, str]]:
    return [(block.level, block.text) for block in draft.blocks]


def texts(draft: ReadDraft) -> list[str]:
    return [block.text for block in draft.blocks]


def refusal(data: bytes, filename: str = "稿.docx") -> str:
    with pytest.raises(UnreadableDraft) as caught:
        readers.read(data, filename=filename)
    sentence = str(caught.value)
    assert sentence != readers.UNFORESEEN, caught.value.__cause__
    assert sentence.endswith("。")
    assert "请" in sentence
    assert "\n" not in sentence
    return sentence


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


# Plain text and its encodings


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


# Word

HEADINGS = "".join(
    f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/>{more}</w:style>'
    for key, name, more in (
        ("H1", "heading 1", ""),
        ("2", "标题 2", ""),
        ("L3", "小标题", '<w:pPr><w:outlineLvl w:val="2"/></w:pPr>'),
        ("H1b", "我的样式", '<w:basedOn w:val="H1"/>'),
        ("T", "Title", ""),
        ("TOC1", "toc 1", ""),
    )
)


def styled(text: str, style: str, more: str = "") -> str:
    return files.paragraph(text, f'<w:pStyle w:val="{style}"/>{more}')


def test_headings_are_known_by_style_name_outline_level_and_inheritance() -> None:
    draft = word(
        styled("某区规划", "T")
        + styled("目标", "H1")
        + styled("产业", "2")
        + styled("工业", "L3")
        + styled("保障", "H1b")
        + files.paragraph("直接定级", '<w:outlineLvl w:val="1"/>')
        + styled("不是标题", "H1", '<w:outlineLvl w:val="9"/>')
        + files.paragraph("正文。"),
        styles=HEADINGS,
    )
    assert draft.title == "某区规划"
    assert [level for level, _ in outline(draft)] == [1, 2, 3, 1, 2, 0, 0]


def test_numbered_lines_left_unstyled_between_styled_headings_are_found_and_named() -> None:
    draft = word(
        styled("第一章 目标", "H1")
        + files.paragraph("一、产业")
        + files.paragraph("做强。")
        + styled("第二章 保障", "H1")
        + files.paragraph("落实。"),
        styles=HEADINGS,
    )
    assert [level for level, _ in outline(draft)] == [1, 2, 0, 1, 0]
    assert draft.warnings == ("有1处标题未用标题样式，已按编号识别，请核对：第2段“一、产业”。",)


def test_a_bold_line_that_may_be_a_heading_is_pointed_out() -> None:
    draft = word(files.paragraph("开头。") + files.paragraph("发展目标", run="<w:b/>"))
    assert draft.warnings == ("第2段“发展目标”疑似标题，已按正文处理，请核对。",)


def level(depth: int, kind: str, text: str, more: str = "") -> str:
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


NUMBERING = (
    '<w:abstractNum w:abstractNumId="0">'
    + level(0, "chineseCountingThousand", "第%1章", '<w:pStyle w:val="Chapter"/>')
    + level(1, "chineseCounting", "（%2）")
    + level(2, "decimal", "%3.")
    + level(3, "decimal", "%1.%3.%4", "<w:isLgl/>")
    + '</w:abstractNum><w:abstractNum w:abstractNumId="1">'
    + level(0, "bullet", "\uf0b7")
    + '</w:abstractNum><w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
    '<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>'
    '<w:num w:numId="3"><w:abstractNumId w:val="0"/>'
    '<w:lvlOverride w:ilvl="2"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
)


def numbered(text: str, depth: int, num: int = 1) -> str:
    return files.paragraph(
        text, f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{num}"/></w:numPr>'
    )


def test_automatic_numbers_are_written_out_and_start_anew_as_in_word() -> None:
    draft = word(
        numbered("总则", 0)
        + numbered("目的是发展。", 1)
        + numbered("其一。", 2)
        + numbered("其二。", 2)
        + numbered("细目。", 3)
        + numbered("原则如下。", 1)
        + numbered("又从一起。", 2)
        + numbered("从七起。", 2, num=3)
        + numbered("接着八。", 2, num=3)
        + numbered("任务", 0)
        + numbered("一点。", 0, num=2)
        + files.paragraph("无号。", '<w:numPr><w:numId w:val="0"/></w:numPr>'),
        numbering=NUMBERING,
    )
    assert texts(draft) == [
        "第一章　总则",
        "（一）目的是发展。",
        "1. 其一。",
        "2. 其二。",
        "1.2.1 细目。",
        "（二）原则如下。",
        "1. 又从一起。",
        "7. 从七起。",
        "8. 接着八。",
        "第二章　任务",
        "• 一点。",
        "无号。",
    ]
    assert [block.kind for block in draft.blocks][:3] == ["heading", "list_item", "list_item"]


def test_numbers_inherited_from_a_style_are_written_out() -> None:
    styles = (
        '<w:style w:type="paragraph" w:styleId="Chapter"><w:name w:val="heading 1"/>'
        '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr></w:style>'
    )
    body = styled("总则", "Chapter") + files.paragraph("内容。") + styled("任务", "Chapter")
    draft = word(body, styles=styles, numbering=NUMBERING)
    assert outline(draft) == [(1, "第一章　总则"), (0, "内容。"), (1, "第二章　任务")]


@pytest.mark.parametrize(
    ("count", "style", "written"),
    [
        (10, "chineseCounting", "十"),
        (21, "chineseCountingThousand", "二十一"),
        (105, "chineseCountingThousand", "一百零五"),
        (1010, "chineseCountingThousand", "一千零一十"),
        (12, "chineseLegalSimplified", "壹拾贰"),
        (3, "ideographTraditional", "丙"),
        (28, "lowerLetter", "bb"),
        (14, "upperRoman", "XIV"),
        (7, "decimalZero", "07"),
        (20, "decimalEnclosedCircle", "⑳"),
        (10**9, "chineseCounting", "1000000000"),
    ],
)
def test_counts_are_written_in_words_number_formats(count: int, style: str, written: str) -> None:
    assert figure(count, style) == written


def cell(text: str, properties: str = "") -> str:
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{files.paragraph(text)}</w:tc>"


def test_a_table_shows_merged_cells_once_and_keeps_its_columns() -> None:
    rows = [
        cell("指标", '<w:gridSpan w:val="2"/>') + cell("目标"),
        cell("经济", '<w:vMerge w:val="restart"/>') + cell("增速") + cell("5%"),
        cell("", "<w:vMerge/>") + cell("投资") + cell("3%"),
    ]
    body = "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"
    draft = word(body)
    assert draft.blocks == (Block(0, "table", "指标\t\t目标\n经济\t增速\t5%\n\t投资\t3%"),)


def test_a_box_of_one_column_is_read_as_paragraphs() -> None:
    inside = files.paragraph("专栏1　重点项目") + files.paragraph("1. 东区医院")
    draft = word(f"<w:tbl><w:tr><w:tc>{inside}</w:tc></w:tr></w:tbl>" + files.paragraph("后文。"))
    assert outline(draft) == [(0, "专栏1　重点项目"), (0, "1. 东区医院"), (0, "后文。")]


def test_tracked_changes_are_read_as_accepted_and_said() -> None:
    gone = "<w:del><w:r><w:delText>删去</w:delText></w:r></w:del>"
    new = "<w:ins><w:r><w:t>新增</w:t></w:r></w:ins>"
    merged = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr><w:r><w:t>前半，</w:t></w:r></w:p>"
    kept = "<w:r><w:t>保留。</w:t></w:r>"
    draft = word(f"<w:p>{gone}{new}{kept}</w:p>{merged}" + files.paragraph("后半。"))
    assert texts(draft) == ["新增保留。", "前半，后半。"]
    assert draft.warnings == ("文档含修订痕迹（3处），已按接受全部修订后的文字读取。",)


def test_what_is_left_out_is_counted_for_staff() -> None:
    box = f"<wps:txbx><w:txbxContent>{files.paragraph('框内文字。')}</w:txbxContent></wps:txbx>"
    body = (
        "<w:p><w:r><w:t>正文。</w:t><w:footnoteReference/><w:drawing><a:blip/></w:drawing></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>隐藏</w:t></w:r>"
        f"<w:r><mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    draft = word(body)
    assert texts(draft) == ["正文。", "框内文字。"]
    assert draft.warnings == (
        "跳过了1张图片。",
        "跳过了1处脚注或尾注。",
        "跳过了1处隐藏文字。",
        "有1个文本框，其文字放在所在段落之后，请核对位置。",
    )


def field(kind: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'


def test_a_contents_field_is_left_out_but_an_unclosed_one_takes_nothing_along() -> None:
    start = field("begin") + '<w:r><w:instrText> TOC \\o "1-3"</w:instrText></w:r>'
    entry = f"<w:p>{start}{field('separate')}<w:r><w:t>总则1</w:t></w:r></w:p>"
    rest = styled("总则", "H1") + files.paragraph("内容。")
    closed = word(f"{entry}<w:p>{field('end')}</w:p>{rest}", styles=HEADINGS)
    assert texts(closed) == ["总则", "内容。"]
    assert "内容。" in texts(word(entry + rest, styles=HEADINGS))


def test_text_in_content_controls_links_and_soft_line_breaks_is_kept() -> None:
    inner = "<w:hyperlink><w:r><w:t>甲</w:t><w:br/><w:t>乙</w:t><w:tab/></w:r></w:hyperlink>"
    body = f"<w:sdt><w:sdtContent><w:p>{inner}</w:p></w:sdtContent></w:sdt>"
    assert texts(word(body + files.paragraph("丙。"))) == ["甲\n乙", "丙。"]


def test_formulas_signs_phonetics_and_page_breaks_leave_their_text() -> None:
    body = (
        "<w:p><w:r><w:t>增速</w:t></w:r><m:oMath><m:r><m:t>a+b</m:t></m:r></m:oMath>"
        '<w:r><w:sym w:font="Wingdings" w:char="F0FE"/><w:sym w:char="F123"/><w:br w:type="page"/>'
        "<w:ruby><w:rt><w:r><w:t>yín</w:t></w:r></w:rt><w:rubyBase><w:r><w:t>鄞</w:t></w:r>"
        "</w:rubyBase></w:ruby><w:commentReference/></w:r></w:p><w:altChunk/>"
    )
    draft = word(body)
    assert texts(draft) == ["增速a+b☑□鄞"]
    assert draft.warnings == (
        "跳过了1条批注。",
        "有1处公式，只读取了其中的文字，请核对。",
        "跳过了1份嵌入的其他文档。",
    )


def test_paragraphs_in_a_heading_style_that_are_sentences_become_body_again() -> None:
    draft = word(styled("目标", "H1") + styled("全区上下。" * 20, "2"), styles=HEADINGS)
    assert [level for level, _ in outline(draft)] == [1, 0]
    assert draft.warnings[0].startswith("第2段“全区上下。")


def test_warnings_are_capped() -> None:
    bold = "".join(files.paragraph(f"小题{n}甲", run="<w:b/>") for n in range(50))
    draft = word(files.paragraph("开头。") + bold)
    assert len(draft.warnings) == 31
    assert draft.warnings[-1] == "另有20条提示未列出。"


def test_the_title_on_several_centred_lines_is_one_and_comes_once() -> None:
    centre = '<w:jc w:val="center"/>'
    draft = word(
        files.paragraph("某区国民经济和社会发展", centre)
        + files.paragraph("第十五个五年规划纲要", centre)
        + files.paragraph("2026年3月", centre)
        + files.paragraph("某区国民经济和社会发展第十五个五年规划纲要")
        + files.paragraph("正文。")
    )
    assert draft.title == "某区国民经济和社会发展第十五个五年规划纲要"
    assert texts(draft) == ["2026年3月", "正文。"]


def test_strict_office_documents_are_read() -> None:
    strict = files.document(files.paragraph("正文。")).replace(
        files.W, "http://purl.oclc.org/ooxml/wordprocessingml/main"
    )
    data = files.packed(files.parts("") | {"word/document.xml": strict})
    assert texts(readers.read(data, filename="a.docx")) == ["正文。"]


# Refusals


@pytest.mark.parametrize(
    ("data", "filename", "says"),
    [
        (b"", "a.docx", "空"),
        (b" \r\n", "a.txt", "空"),
        (b"a" * (readers.MAX_BYTES + 1), "a.txt", "20MB"),
        (files.old_doc(), "a.docx", "旧版Word"),
        (files.old_doc(), "a.txt", "旧版Word"),
        (files.protected_docx(), "a.docx", "密码"),
        (b"%PDF-1.7 ...", "a.docx", "PDF"),
        (b"%PDF-1.7 ...", "a.pdf", "PDF"),
        (b"<!DOCTYPE html><p>x", "a.docx", "网页"),
        (b"\n <HTML><body>x", "a.txt", "网页"),
        (b"<svg onload=alert(1)>", "a.md", "网页"),
        (b"MZ\x90\0\x03\0\0\0", "a.docx", "程序"),
        (b"\x89PNG\r\n\x1a\n", "a.txt", "图片"),
        (b"{\\rtf1 x}", "a.docx", "RTF"),
        (b"plain words", "a.docx", "不是Word文档"),
        (files.docx_of("正文。"), "a.txt", "扩展名"),
        (files.docx_of("正文。"), "a.docm", "宏"),
        (files.macro_docx(), "a.docx", "宏"),
        (files.macro_type_docx(), "a.docx", "宏"),
        (files.docx_of("正文。"), "a.xyz", "只能读取"),
        (files.docx_of("正文。"), "docx", "只能读取"),
        (files.docx_of("", "\u200b\u3164"), "a.docx", "没有可读的正文"),
        (files.packed({"a.txt": "x"}), "a.docx", "压缩文件"),
        (files.packed({"xl/workbook.xml": "x"}), "a.docx", "Excel"),
        (bytes(range(256)) * 9, "a.txt", "不是文字"),
        (random.Random(1).randbytes(5000).replace(b"\0", b""), "a.txt", "不是文字"),
        ("正文一段。\n".encode("utf-16-le"), "a.txt", "不是文字"),
        ("字\n".encode() * 6_000, "a.txt", "5000段"),
        ("字\n\n".encode() * 6_000, "a.md", "5000段"),
        ("字".encode() * 60_000, "a.txt", "过长"),
        (("字" * 1000 + "\n").encode() * 2_100, "a.txt", "200万字"),
    ],
)
def test_what_cannot_be_a_draft_is_refused_in_one_sentence(
    data: bytes, filename: str, says: str
) -> None:
    assert says in refusal(data, filename)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (files.zip_bomb, "安全"),
        (partial(files.crowded_zip, 20_000), "安全"),
        (files.lying_zip, "损坏"),
        (files.climbing_zip, "安全"),
        (files.locked_zip, "密码"),
        (files.billion_laughs, "安全"),
        (files.outside_entity, "安全"),
        (partial(files.outside_entity, encoding="utf-16"), "安全"),
        (partial(files.outside_entity, part="word/settings.xml"), "安全"),
        (files.deep_xml, "复杂"),
        (partial(files.nested_tables, 60), "复杂"),
        (partial(files.docx_with, {"word/document.xml": "<w:document>"}), "损坏"),
        (partial(files.docx_with, {"word/document.xml": ""}), "损坏"),
        (lambda: files.docx_of("正文。")[:-40], "损坏"),
        (lambda: files.docx_of("正文。")[:200], "损坏"),
    ],
)
def test_a_hostile_or_broken_word_file_is_refused_at_once(
    build: Callable[[], bytes], says: str
) -> None:
    data = build()
    started = time.process_time()
    assert says in refusal(data)
    assert time.process_time() - started < 3


def test_a_flood_of_elements_is_refused_in_bounded_time() -> None:
    started = time.process_time()
    assert "复杂" in refusal(files.many_elements())
    assert time.process_time() - started < 15


def test_a_word_file_without_its_main_part_is_refused() -> None:
    files_without = files.parts("")
    del files_without["word/document.xml"]
    assert "缺少正文" in refusal(files.packed(files_without))


def test_odd_but_harmless_word_files_are_read() -> None:
    for data in (files.wide_table(), files.circular_styles(), files.nested_tables(5)):
        assert readers.read(data, filename="a.docx").blocks


@pytest.mark.parametrize("filename", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    "atom",
    ["[", "![", "*a", "**a", "[a](", "`", "> ", "- a\n", "1. a\n", "|a", "a\n=\n", "a|b\n-|-\n",
     "<a", "&#", "第一章", "（", "一、", "#", "　", "\t", "甲\t3\n", "中" * 30 + "\n"],
)  # fmt: skip
def test_repetition_takes_no_time(atom: str, filename: str) -> None:
    text = atom * (400_000 // len(atom))
    chopped = "\n\n".join(text[at : at + 9_000] for at in range(0, len(text), 9_000))
    for source in (text, chopped):
        started = time.process_time()
        read_or_refuse(source.encode(), filename)
        assert time.process_time() - started < 3


def test_even_a_mistake_of_ours_is_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consult.readers.sniff.format_of", lambda *_: 1 / 0)
    with pytest.raises(UnreadableDraft, match="无法读取") as caught:
        readers.read(b"x", filename="a.txt")
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


# Any bytes at all


def read_or_refuse(data: bytes, filename: str) -> None:
    try:
        draft = readers.read(data, filename=filename)
    except UnreadableDraft as refused:
        if str(refused) == readers.UNFORESEEN:
            raise
        return
    assert draft.blocks
    for block in draft.blocks:
        assert block.text.strip()
        assert (block.kind == "heading") == (1 <= block.level <= 6)
        block.text.encode()
        assert not set(map(chr, [*range(9), 11, 12, 13, *range(14, 32), 127])) & set(block.text)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["a.docx", "a.md", "a.txt", ""]))
def test_any_bytes_are_read_or_refused(data: bytes, filename: str) -> None:
    read_or_refuse(data, filename)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.sampled_from(["a.md", "a.txt"]))
def test_any_text_is_read_or_refused(text: str, filename: str) -> None:
    read_or_refuse(text.encode("utf-8", "surrogatepass"), filename)


HONEST = files.docx(
    numbered("总则", 0)
    + styled("目标", "H1")
    + f"<w:tbl><w:tr>{cell('甲')}{cell('乙')}</w:tr></w:tbl>",
    styles=HEADINGS,
    numbering=NUMBERING,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, len(HONEST) - 1), st.integers(0, 255)), max_size=8),
    st.integers(0, len(HONEST)),
)
def test_a_damaged_package_is_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(HONEST)
    for at, value in changes:
        data[at] = value
    read_or_refuse(bytes(data), "a.docx")
    read_or_refuse(bytes(data[:cut]), "a.docx")


TAGS = ["w:p", "w:r", "w:t", "w:tbl", "w:tr", "w:tc", "w:pPr", "w:rPr", "w:numPr", "w:ilvl",
        "w:numId", "w:pStyle", "w:ins", "w:del", "w:sdt", "w:fldChar", "w:instrText", "w:sym",
        "w:drawing", "w:txbxContent", "mc:AlternateContent", "mc:Choice", "w:lvl", "w:num",
        "w:abstractNum", "w:abstractNumId", "w:lvlText", "w:start", "w:style", "w:vMerge",
        "w:tcPr", "w:gridSpan", "m:oMath", "w:ruby", "w:rubyBase", "w:outlineLvl"]  # fmt: skip
ATTRIBUTES = [
    "w:val",
    "w:ilvl",
    "w:numId",
    "w:abstractNumId",
    "w:styleId",
    "w:fldCharType",
    "w:char",
]
VALUES = [
    "0",
    "1",
    "9",
    "-1",
    "99999999999999",
    "x",
    "",
    "²",
    "begin",
    "end",
    "%1%9",
    "第%1章",
    "F052",
]
leaves = st.sampled_from(["", "文字", "一、", "TOC"])
trees = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda tag, key, value, below: f'<{tag} {key}="{value}">{"".join(below)}</{tag}>',
        st.sampled_from(TAGS),
        st.sampled_from(ATTRIBUTES),
        st.sampled_from(VALUES),
        st.lists(inner, max_size=4),
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(trees, trees, trees)
def test_elements_in_any_order_are_read_or_refused(body: str, styles: str, numbering: str) -> None:
    data = files.docx(
        body + numbered("编号", 0) + styled("正文", "1"),
        styles=HEADINGS + styles,
        numbering=NUMBERING + numbering,
    )
    read_or_refuse(data, "a.docx")


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
