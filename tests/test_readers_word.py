"""Reading drafts from Word: headings, numbers, tables, and what is left out."""

import pytest

from consult import readers
from consult.readers import Block
from consult.readers.numbering import figure
from tests import hostile_files as files
from tests.drafts_read import HEADINGS, NUMBERING, cell, numbered, outline, styled, texts, word


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
