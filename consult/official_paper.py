"""A Word document in the look of an official paper (公文, GB/T 9704-2012): page, type, tables.

Fonts go by name, so that an office that has them prints as it is used to; text is freed of what
no XML document may hold.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary
from xml.sax.saxutils import escape

from flask_babel import gettext as _

from consult.title_lines import breadth, broken

if TYPE_CHECKING:
    from docx.document import Document as Doc
    from docx.table import _Cell
    from docx.text.run import Run

# GB/T 9704, in mm: A4, top 37, bottom 35, left 28, right 26.
PAGE, MARGINS = (210, 297), (37, 35, 28, 26)
# Between the margins; the page number stands 7 under the text and is some 5 high.
ACROSS, UNDER = PAGE[0] - MARGINS[2] - MARGINS[3], 7 + 5
# Turned, for tables of many columns: the head of a table lies at the binding.
TURNED_MARGINS = (28, 26, 37, 35)
TURNED_ACROSS = PAGE[1] - TURNED_MARGINS[2] - TURNED_MARGINS[3]
# In points: 三号 is 16, 二号 22, 四号 14; 28 a line.
BODY, TITLE, NUMBER, SMALL, LINE = 16, 22, 14, 10.5, 28
# From so many rows on a table of two columns is folded, into so many beside each other at most.
SHORT, MOST_ACROSS = 15, 4
# In mm: a cell's edges with some air, what a column is widened by at most, and the least it is.
EDGES, SLACK, NARROWEST = 5, 10, 12
# A row of up to so many lines is not cut by the end of a page.
WHOLE_ROW = 12
# How wide a full-width character of a table is, in mm.
EM = SMALL * 25.4 / 72
FIGURE = re.compile(r"\d+(（\d+）)?")
TEXT_FONT, HEAD_FONT, TITLE_FONT, LATIN = "仿宋", "黑体", "方正小标宋简体", "Times New Roman"
# How Office names an SVG beside the picture that stands for it.
SVG_EXTENSION = "{96DAC541-7B7A-43D3-8B79-37D633B846F1}"
SVG_NAMESPACE = "http://schemas.microsoft.com/office/drawing/2016/SVG/main"
# Zip knows no time before this.
NO_TIME = (1980, 1, 1, 0, 0, 0)
# Where the rows of a long table come, and by document those of each, in order.
ROWS = "<!--rows-->"
_LONG: WeakKeyDictionary[Any, list[list[bytes]]] = WeakKeyDictionary()
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@cache
def _word() -> Any:
    """python-docx, its parts among its attributes. Loaded with the first paper, not with the site: a
    start would wait for a hundred modules that no page needs."""
    import docx  # noqa: PLC0415
    import docx.enum.section  # noqa: PLC0415
    import docx.enum.table  # noqa: PLC0415
    import docx.enum.text  # noqa: PLC0415
    import docx.opc.constants  # noqa: PLC0415
    import docx.opc.packuri  # noqa: PLC0415

    return docx


def _mm(millimetres: float) -> Any:
    return _word().shared.Mm(millimetres)


def _pt(points: float) -> Any:
    return _word().shared.Pt(points)


def _qn(name: str) -> str:
    named: str = _word().oxml.ns.qn(name)
    return named


def _align() -> Any:
    return _word().enum.text.WD_ALIGN_PARAGRAPH


def blank(*, turned: bool = False, numbered: bool = True) -> Doc:
    """An empty paper: A4 with its margins, 三号仿宋 on 28-point lines, numbered pages unless it is one
    to hang up; `turned` lies on its side."""
    document: Doc = _word().Document()
    section = document.sections[0]
    section.page_width, section.page_height = map(_mm, reversed(PAGE) if turned else PAGE)
    if turned:
        section.orientation = _word().enum.section.WD_ORIENT.LANDSCAPE
    margins = TURNED_MARGINS if turned else MARGINS
    section.top_margin, section.bottom_margin = map(_mm, margins[:2])
    section.left_margin, section.right_margin = map(_mm, margins[2:])
    section.footer_distance = _mm(margins[1] - UNDER)
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = LATIN, _pt(BODY)
    normal.element.rPr.rFonts.set(_qn("w:eastAsia"), TEXT_FONT)
    # By its language a program knows which signs begin no line.
    for language in document.styles.element.iter(_qn("w:lang")):
        for script in ("w:val", "w:eastAsia"):
            language.set(_qn(script), "zh-CN")
    normal.paragraph_format.line_spacing = _pt(LINE)
    normal.paragraph_format.space_after = _pt(0)
    if numbered:
        _number_pages(document)
    # Who made it, with what and when is said in the paper; the library's own name and day are not.
    told = document.core_properties
    told.author = told.comments = ""
    for made in list(told._element.iter(_qn("dcterms:created"), _qn("dcterms:modified"))):
        made.getparent().remove(made)
    return document


def saved(document: Doc) -> bytes:
    """The file: the same paper gives the same bytes."""
    out = io.BytesIO()
    document.save(out)
    made = io.BytesIO()
    with zipfile.ZipFile(out) as parts, zipfile.ZipFile(made, "w") as file:
        for part in parts.infolist():
            entry = zipfile.ZipInfo(part.filename, NO_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            with file.open(entry, "w") as written:
                for piece in _with_rows(document, parts.read(part)):
                    written.write(piece)
    return made.getvalue()


def _with_rows(document: Doc, part: bytes) -> Iterator[bytes]:
    """A part of the file, the rows of long tables in their places."""
    before, *places = part.split(ROWS.encode())
    yield before
    for rows, after in zip(_LONG.get(document.part, ()), places, strict=bool(places)):
        yield from rows
        yield after


def _number_pages(document: Doc) -> None:
    """— 1 —, 四号, at the outer edge by one character: right on odd pages, left on even ones."""
    document.settings.odd_and_even_pages_header_footer = True
    section = document.sections[0]
    for footer, side in (
        (section.footer, _align().RIGHT),
        (section.even_page_footer, _align().LEFT),
    ):
        paragraph = footer.paragraphs[0]
        paragraph.alignment = side
        paragraph.paragraph_format.left_indent = _pt(NUMBER)
        paragraph.paragraph_format.right_indent = _pt(NUMBER)
        paragraph.paragraph_format.line_spacing = 1.0
        _run(paragraph.add_run("— "), "宋体", NUMBER)
        field = _word().oxml.parse_xml(
            f'<w:fldSimple {_word().oxml.ns.nsdecls("w")} w:instr="PAGE"/>'
        )
        paragraph._p.append(field)
        number = paragraph.add_run("1")
        _run(number, "宋体", NUMBER)
        field.append(number._r)
        _run(paragraph.add_run(" —"), "宋体", NUMBER)


def _run(run: Run, font: str, points: float) -> None:
    run.font.name, run.font.size = LATIN, _pt(points)
    run._element.get_or_add_rPr().get_or_add_rFonts().set(_qn("w:eastAsia"), font)


def title(document: Doc, text: str) -> None:
    """The paper's title, centred, 二号, broken between words; the file is called so, too."""
    document.core_properties.title = _clean(text)[:255]
    paragraph = document.add_paragraph(style="Title")
    # Word's own title stands on a blue line.
    for border in list(document.styles["Title"].element.iter(_qn("w:pBdr"))):
        border.getparent().remove(border)
    paragraph.alignment = _align().CENTER
    paragraph.paragraph_format.space_after = _pt(14)
    paragraph.paragraph_format.line_spacing = _pt(34)
    landscape = _word().enum.section.WD_ORIENT.LANDSCAPE
    turned = document.sections[0].orientation == landscape
    run = paragraph.add_run("\n".join(title_broken(_clean(text), turned=turned)))
    _run(run, TITLE_FONT, TITLE)
    _black(run)


def title_broken(text: str, *, turned: bool = False) -> tuple[str, ...]:
    """The lines of a title, as wide as the page."""
    across = TURNED_ACROSS if turned else ACROSS
    return broken(text, across * 72 / 25.4 / TITLE)


def heading(document: Doc, text: str) -> None:
    """A first-level heading: 一、…"""
    paragraph = document.add_paragraph(style="Heading 1")
    paragraph.paragraph_format.space_before = _pt(14)
    paragraph.paragraph_format.first_line_indent = _pt(BODY * 2)
    run = paragraph.add_run(_clean(text))
    run.bold = False
    _run(run, HEAD_FONT, BODY)
    _black(run)


def _black(run: Run) -> None:
    run.font.color.rgb = _word().shared.RGBColor(0, 0, 0)


def body(document: Doc, text: str) -> None:
    """A paragraph of the text, indented by two characters."""
    paragraph = document.add_paragraph()
    paragraph.paragraph_format.first_line_indent = _pt(BODY * 2)
    paragraph.add_run(_clean(text))


def centred(document: Doc, text: str, *, size: float = BODY) -> None:
    """A centred line."""
    paragraph = document.add_paragraph()
    paragraph.alignment = _align().CENTER
    _run(paragraph.add_run(_clean(text)), TEXT_FONT, size)


def at_the_right(document: Doc, text: str) -> None:
    """A line at the right, for who signs and when."""
    body(document, text)
    document.paragraphs[-1].alignment = _align().RIGHT


def picture(document: Doc, png: bytes, *, width: int) -> None:
    """A centred picture, `width` in mm, on the page of what stands under it, on a line as high as
    itself: on the paper's lines of fixed height only a strip of it would show."""
    document.add_picture(io.BytesIO(png), width=_mm(width))
    paragraph = document.paragraphs[-1]
    paragraph.alignment = _align().CENTER
    paragraph.paragraph_format.line_spacing = 1.0
    paragraph.paragraph_format.space_before = _pt(14)
    paragraph.paragraph_format.keep_with_next = True


def drawing(document: Doc, png: bytes, svg: str, *, width: int, alt: str) -> None:
    """A centred drawing: the SVG where the program can draw one, which stays sharp at any size, and
    the PNG elsewhere."""
    picture(document, png, width=width)
    shape = document.inline_shapes[len(document.inline_shapes) - 1]._inline
    shape.docPr.set("descr", _clean(alt))
    name = _word().opc.packuri.PackURI(
        document.part.package.next_partname("/word/media/chart%d.svg")
    )
    part = _word().opc.part.Part(name, "image/svg+xml", svg.encode(), document.part.package)
    rel = document.part.relate_to(part, _word().opc.constants.RELATIONSHIP_TYPE.IMAGE)
    blip = next(shape.iter(_qn("a:blip")))
    blip.append(
        _word().oxml.parse_xml(
            f'<a:extLst {_word().oxml.ns.nsdecls("a", "r")}><a:ext uri="{SVG_EXTENSION}">'
            f'<asvg:svgBlip xmlns:asvg="{SVG_NAMESPACE}" r:embed="{rel}"/></a:ext></a:extLst>'
        )
    )


def figure_named(number: int, words: str) -> str:
    """What stands under a figure."""
    return str(_("图%(n)d　%(what)s", n=number, what=words))


def table_named(number: int, words: str) -> str:
    """What stands over a table."""
    return str(_("表%(n)d　%(what)s", n=number, what=words))


def table(
    document: Doc,
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[float] = (),
) -> None:
    """A ruled table under its caption, centred; `widths` in mm, else by what stands in the columns;
    the head repeated on every page, a short one on one page, no row on two."""
    paragraph = document.add_paragraph()
    paragraph.alignment = _align().CENTER
    paragraph.paragraph_format.keep_with_next = True
    paragraph.paragraph_format.space_before = _pt(10)
    _run(paragraph.add_run(_clean(caption)), HEAD_FONT, 12)
    grid = document.add_table(rows=1, cols=len(head))
    grid.style = "Table Grid"
    grid.autofit = False
    grid.alignment = _word().enum.table.WD_TABLE_ALIGNMENT.CENTER
    rows = list(rows)
    widths = widths or _fitted([head, *rows])
    # Word goes by the cells' widths, other programs by the grid's.
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = _mm(width)
    _row(grid.rows[0].cells, head, widths, HEAD_FONT)
    mark = grid.rows[0]._tr.get_or_add_trPr().makeelement(_qn("w:tblHeader"), {})
    grid.rows[0]._tr.get_or_add_trPr().append(mark)
    for values in rows:
        _row(grid.add_row().cells, values, widths, TEXT_FONT)
    lines = list(grid.rows)
    for line in lines:
        _keep_whole(line._tr)
    if len(lines) - 1 <= SHORT:
        for line in lines[:-1]:
            for cell in line.cells:
                cell.paragraphs[0].paragraph_format.keep_with_next = True


def folded(rows: Sequence[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """A long table of two columns, whose first row is the head, set side by side in up to four, to be
    read downwards: sixty days are a third of a page rather than three."""
    head, *body = rows
    fitting = int(ACROSS // max(sum(_needs(rows)), 1))
    across = min(MOST_ACROSS, -(-len(body) // SHORT), fitting)
    if len(head) != 2 or across < 2:
        return tuple(rows)
    height = -(-len(body) // across)
    columns = [body[n * height : (n + 1) * height] for n in range(across)]
    blank_cells = ("",) * len(head)
    lines = [
        [cell for column in columns for cell in (column[n] if n < len(column) else blank_cells)]
        for n in range(height)
    ]
    return (head * across, *map(tuple, lines))


def long_table(
    document: Doc,
    caption: str,
    head: Sequence[str],
    rows: Iterable[Sequence[str]],
    widths: Sequence[int],
) -> None:
    """A `table` of thousands of rows, which are written straight as XML and put in when the paper is
    `saved`: cell by cell they would take minutes, and as a tree 40 KB a row. A page's end cuts only
    what is long."""
    table(document, caption, head, (), widths)
    body_of_table = document.element.body.findall(_qn("w:tbl"))[-1]
    body_of_table.append(
        _word().oxml.parse_xml(f"<w:tbl {_word().oxml.ns.nsdecls('w')}>{ROWS}</w:tbl>")[0]
    )
    written: list[bytes] = []
    _LONG.setdefault(document.part, []).append(written)
    style = (
        '<w:pPr><w:spacing w:line="340" w:lineRule="exact"/></w:pPr><w:r><w:rPr>'
        f'<w:rFonts w:ascii="{LATIN}" w:hAnsi="{LATIN}" w:eastAsia="{TEXT_FONT}"/>'
        '<w:sz w:val="21"/></w:rPr><w:t xml:space="preserve">'
    )
    openings = [
        f'<w:tc><w:tcPr><w:tcW w:w="{round(width * 56.7)}" w:type="dxa"/></w:tcPr><w:p>{style}'
        for width in widths
    ]
    room = [(width - EDGES) / EM for width in widths]
    for values in rows:
        lines = max(len(value) / most for value, most in zip(values, room, strict=True))
        whole = "<w:trPr><w:cantSplit/></w:trPr>" if lines <= WHOLE_ROW else ""
        inner = "".join(
            f"{opening}{escape(_clean(' '.join(value.split())))}</w:t></w:r></w:p></w:tc>"
            for opening, value in zip(openings, values, strict=True)
        )
        written.append(f"<w:tr>{whole}{inner}</w:tr>".encode())


def _keep_whole(row: Any) -> None:
    row.get_or_add_trPr().append(_word().oxml.OxmlElement("w:cantSplit"))


def _needs(lines: Sequence[Sequence[str]]) -> list[float]:
    """How wide each column has to be for every cell to stand on one line, in mm."""
    return [
        max(NARROWEST, EDGES + EM * max(map(breadth, column)))
        for column in zip(*lines, strict=True)
    ]


def _fitted(lines: Sequence[Sequence[str]]) -> list[float]:
    """The widths of a table's columns. Where not everything goes on one line, the widest gives way."""
    needs = _needs(lines)
    room = ACROSS - sum(needs)
    if room >= 0:
        return [need + min(room / len(needs), SLACK) for need in needs]
    widest = needs.index(max(needs))
    needs[widest] = max(needs[widest] + room, NARROWEST)
    return [need * min(1, ACROSS / sum(needs)) for need in needs]


def _row(cells: Sequence[_Cell], values: Sequence[str], widths: Sequence[float], font: str) -> None:
    for place, (cell, value, width) in enumerate(zip(cells, values, widths, strict=True)):
        cell.width = _mm(width)
        paragraph = cell.paragraphs[0]
        paragraph.paragraph_format.line_spacing = _pt(17)
        if font == HEAD_FONT:
            paragraph.alignment = _align().CENTER
        elif place and FIGURE.fullmatch(value):
            paragraph.alignment = _align().RIGHT
        _run(paragraph.add_run(_clean(value)), font, SMALL)


def _clean(text: str) -> str:
    """The text without what no XML document may hold."""
    return NOT_XML.sub("", text)
