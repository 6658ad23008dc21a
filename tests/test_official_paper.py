"""Papers in the look of GB/T 9704-2012: what every Word document of ours has."""

import io

import pytest
from docx import Document
from docx.document import Document as Doc
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from docx.shared import Mm
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import adoption_papers, official_paper, title_lines


@pytest.fixture(autouse=True)
def asked(app: Flask) -> object:
    """Words are looked up in a request's language."""
    with app.test_request_context():
        yield


def written(document: Doc) -> Doc:
    """The document as a program reads it."""
    return Document(io.BytesIO(official_paper.saved(document)))


def test_pages_are_numbered_at_their_outer_edge_and_the_language_is_chinese() -> None:
    paper = written(official_paper.blank())
    section = paper.sections[0]
    assert paper.settings.odd_and_even_pages_header_footer
    for footer, side in ((section.footer, "RIGHT"), (section.even_page_footer, "LEFT")):
        (paragraph,) = footer.paragraphs
        assert paragraph.alignment.name == side
        assert paragraph._p.find(qn("w:fldSimple")).get(qn("w:instr")) == "PAGE"
        assert "".join(each.text for each in paragraph._p.iter(qn("w:t"))) == "— 1 —"
    plain = written(official_paper.blank(numbered=False))
    assert plain.sections[0].footer.is_linked_to_previous
    assert not plain.settings.odd_and_even_pages_header_footer
    languages = list(paper.styles.element.iter(qn("w:lang")))
    assert {each.get(qn("w:eastAsia")) for each in languages} == {"zh-CN"}


@pytest.mark.parametrize(
    ("dates", "across"),
    [("10月8日", 4), ("2019年10月18日", 3), ("很长的一个名称，放不下并排两个的那种", 1)],
)
def test_a_long_table_is_folded_as_often_as_its_words_have_room(dates: str, across: int) -> None:
    rows = (("收到日期", "件数"), *((dates, str(n)) for n in range(60)))
    head, *body = official_paper.folded(rows)
    assert len(head) == 2 * across
    assert sum(1 for line in body for cell in line if cell == dates) == 60
    widths = official_paper._fitted([head, *body])
    assert sum(widths) <= official_paper.ACROSS + 0.01
    # A full-width character of 10.5 points is 3.7 mm wide; every date stands on one line.
    wide = sum(3.7 if ord(c) > 255 else 1.85 for c in dates)
    assert all(width >= wide for width in widths[::2])
    assert len(set(widths[::2])) == 1


def test_a_row_is_not_cut_and_a_short_table_stays_on_one_page() -> None:
    document = official_paper.blank()
    rows = [(f"第{n}项", str(n)) for n in range(official_paper.SHORT)]
    official_paper.table(document, official_paper.table_named(1, "件数"), ("项", "件数"), rows)
    paper = written(document)
    (grid,) = paper.tables
    assert all(row._tr.trPr.find(qn("w:cantSplit")) is not None for row in grid.rows)
    held = [row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in grid.rows]
    assert held == [True] * official_paper.SHORT + [None]
    assert grid.rows[0].cells[1].paragraphs[0].alignment.name == "CENTER"
    assert grid.rows[1].cells[1].paragraphs[0].alignment.name == "RIGHT"
    assert sum(column.width for column in grid.columns) <= Mm(official_paper.ACROSS)


def test_the_file_says_its_title_and_neither_a_program_nor_a_day() -> None:
    document = official_paper.blank()
    official_paper.title(document, "意见采纳情况表")
    official_paper.body(document, "正文。")
    told = written(document).core_properties
    assert (told.title, told.author, told.comments) == ("意见采纳情况表", "", "")
    assert told.created is told.modified is None
    assert b"python" not in official_paper.saved(document).lower()
    assert official_paper.saved(document) == official_paper.saved(document)


def test_a_paper_on_its_side_has_its_margins_and_a_long_row_may_be_cut() -> None:
    """GB/T 9704 turned: 225 mm by 156 mm between the margins, as upright."""
    document = official_paper.blank(turned=True)
    widths = (20, 100)
    rows = [("1", "短。"), ("2", "长。" * 400)]
    official_paper.long_table(document, "共2条", ("序号", "意见"), rows, widths)
    paper = written(document)
    section = paper.sections[0]
    assert section.orientation == WD_ORIENT.LANDSCAPE
    across = section.page_width - section.left_margin - section.right_margin
    down = section.page_height - section.top_margin - section.bottom_margin
    assert (round(across / Mm(1)), round(down / Mm(1))) == (225, 156)
    assert sum(adoption_papers.WIDTHS) == 225
    _head, short, long = paper.tables[0].rows
    assert short._tr.trPr.find(qn("w:cantSplit")) is not None
    assert long._tr.trPr is None


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("意见采纳情况表", ["意见采纳情况表"]),
        (
            "关于静安区“十四五”规划纲要思路框架公开征求意见情况的报告",
            ["关于静安区“十四五”规划纲要", "思路框架公开征求意见情况的报告"],
        ),
        ("无" * 30, ["无" * 30]),
    ],
)
def test_a_long_title_is_broken_between_words_into_lines_alike(
    words: str, lines: list[str]
) -> None:
    document = official_paper.blank()
    official_paper.title(document, words)
    paper = written(document)
    assert paper.paragraphs[0].text.split("\n") == lines
    assert paper.core_properties.title == words


@given(st.text(alphabet="静安区规划纲要的意见征求“”（）、情况14 ", min_size=1, max_size=60))
def test_the_lines_of_a_title_are_the_title_and_fit(words: str) -> None:
    lines = title_lines.broken(words, 12)
    assert "".join(lines) == words
    assert len(lines) == 1 or max(map(title_lines.breadth, lines)) <= 12
    assert not any(line[0] in "”）、" for line in lines[1:])
    assert not any(line[-1] in "“（" for line in lines[:-1])


def test_a_title_that_fits_no_lines_is_not_cut_up(monkeypatch: pytest.MonkeyPatch) -> None:
    cut: list[object] = []
    monkeypatch.setattr(title_lines, "_pieces", cut.append)
    # Five hundred words in twelve characters a line took seconds to find that they do not fit.
    words = "好 " * 500
    assert title_lines.broken(words, 12) == (words,)
    assert title_lines.broken("好", 12) == ("好",)
    assert cut == []


def test_the_rows_of_long_tables_come_each_in_its_place_when_the_paper_is_saved() -> None:
    document = official_paper.blank()
    every = [[("甲", "<!--rows-->"), ("乙", "&<w:tr>")], [], [("丙\x01", "一\n二")]]
    for rows in every:
        official_paper.long_table(document, "表", ("称呼", "意见"), rows, (30, 60))
        official_paper.body(document, "以上。")
    # A tree of a hundred thousand rows would take four gigabytes.
    assert not any(cell.text == "甲" for t in document.tables for cell in t.column_cells(0))
    told = [[[c.text for c in row.cells] for row in t.rows[1:]] for t in written(document).tables]
    assert told == [[["甲", "<!--rows-->"], ["乙", "&<w:tr>"]], [], [["丙", "一 二"]]]
