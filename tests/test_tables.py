"""Reading .csv and .xlsx: what people send comes out as they wrote it, what does harm is refused.

Whatever the bytes, nothing but UnreadableTable comes out.
"""

import datetime as dt
import io
import random
import re
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from consult.readers import hygiene, tables, workbook
from consult.readers.tables import Table, UnreadableTable
from tests import hostile_files

HEADER = "编号,意见内容\n"
SHEET = "xl/worksheets/sheet1.xml"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def read_csv(text: str | bytes, *, filename: str = "意见.csv") -> Table:
    return tables.read(text.encode() if isinstance(text, str) else text, filename=filename)


def cells_of(table: Table) -> list[tuple[str, ...]]:
    return [cells for _number, cells in table.rows]


def why_not(data: bytes, filename: str = "意见.xlsx") -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(UnreadableTable) as refusal:
        tables.read(data, filename=filename)
    sentence = str(refusal.value)
    assert sentence.endswith("。")
    return sentence


def made(*rows: list[Any]) -> bytes:
    """A workbook with these rows on its first sheet."""

    def fill(sheet: Any, _book: Any) -> None:
        for number, cells in enumerate(rows):
            sheet.write_row(number, 0, cells)

    return made_by(fill)


def made_by(*fills: Callable[[Any, Any], None]) -> bytes:
    """A workbook with one sheet for each of `fills(sheet, book)`."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target)
    for fill in fills:
        fill(book.add_worksheet(), book)
    book.close()
    return target.getvalue()


def parts_of(data: bytes) -> dict[str, str | bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def with_parts(changed: Mapping[str, str | bytes], data: bytes = b"") -> bytes:
    """An honest workbook with parts added or replaced."""
    return hostile_files.packed(parts_of(data or made(["意见内容"], ["好"])) | dict(changed))


def with_rows(rows: str) -> bytes:
    """A workbook whose sheet holds this XML."""
    return with_parts(
        {SHEET: f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'}
    )


# --- csv -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "gbk"], ids=lambda name: name
)
def test_a_csv_is_read_in_every_encoding_offices_use(encoding: str) -> None:
    table = read_csv((HEADER + "1,加装电梯要快\n").encode(encoding))
    assert table == Table(("编号", "意见内容"), ((2, ("1", "加装电梯要快")),))


def test_utf_16_of_either_order_is_read() -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        table = read_csv(mark + (HEADER + "1,好\n").encode(encoding))
        assert cells_of(table) == [("1", "好")]


def test_characters_that_only_gb18030_has_are_kept() -> None:
    assert cells_of(read_csv("内容\n𠮷野家、䶮字\n".encode("gb18030"))) == [("𠮷野家、䶮字",)]


@pytest.mark.parametrize("sign", [",", ";", "\t", "，"], ids=["comma", "semicolon", "tab", "wide"])
def test_the_header_tells_what_separates_the_columns(sign: str) -> None:
    table = read_csv(f"编号{sign}意见内容{sign}日期\n1{sign}好{sign}2020-10-08\n")
    assert table.columns == ("编号", "意见内容", "日期")
    assert cells_of(table) == [("1", "好", "2020-10-08")]


def test_commas_in_the_words_do_not_decide_about_the_separator() -> None:
    table = read_csv("编号;意见内容\r1;好，好，好,好,好\r")
    assert cells_of(table) == [("1", "好，好，好,好,好")]


def test_a_file_with_one_column_keeps_its_commas() -> None:
    assert cells_of(read_csv("意见内容\n增加床位,加快建设;马上\n")) == [("增加床位,加快建设;马上",)]


def test_quoted_line_ends_separators_and_quotes_stay_in_their_cell() -> None:
    table = read_csv('编号,意见内容\n1,"第一行\r\n第二行,还有""引号"""\n2,好\n')
    assert table.rows == ((2, ("1", '第一行\n第二行,还有"引号"')), (3, ("2", "好")))


def test_blank_rows_are_skipped_and_the_others_keep_their_numbers() -> None:
    table = read_csv("\n\n编号,意见内容\n,\n1,好\n\n  , \n2,不好\n")
    assert [number for number, _cells in table.rows] == [5, 8]


def test_a_header_alone_is_a_table_without_rows() -> None:
    assert read_csv(HEADER) == Table(("编号", "意见内容"), ())


def test_short_rows_are_filled_and_a_row_cut_by_a_bare_comma_is_told_apart() -> None:
    table = read_csv("编号,意见内容,备注\n1,好\n2,好,,\n3,增加床位,加快建设,马上\n")
    assert cells_of(table)[:2] == [("1", "好", ""), ("2", "好", "")]
    assert table.overfull == {4}


def test_columns_without_or_with_the_same_name_can_be_told_apart() -> None:
    table = read_csv("标题,,标题,标题(2),\u200b,标题,\n1,2,3,4,5,6,\n")
    assert table.columns == ("标题", "第2列", "标题(2)", "标题(2)(2)", "第5列", "标题(3)")
    assert len(set(table.columns)) == len(table.columns)


def test_a_quotation_mark_too_many_is_refused_with_its_row_and_loses_nobody() -> None:
    said = why_not('编号,意见内容\n1,好\n2,"十四五"规划\n3,好\n'.encode(), "a.csv")
    assert said.startswith("第3行的引号不成对")
    said = why_not('编号,意见内容\n1,好\n2,"没有写完\n3,好\n'.encode(), "a.csv")
    assert said.startswith("第3行的引号不成对")


def test_very_long_cells_are_read() -> None:
    body = "长" * 300_000
    assert cells_of(read_csv(f"意见内容\n{body}\n")) == [(body,)]


@given(st.text() | st.text("好 ok\r\n\t\f\v\x85\u2028\ufeff\u3000\u200b"))
def test_only_what_cannot_be_stored_is_left_out(text: str) -> None:
    lines = re.sub("\r\n|[\r\v\x85\u2028\u2029]", "\n", text)
    kept = [
        sign for sign in lines if sign in "\n\t" or unicodedata.category(sign) not in ("Cc", "Cs")
    ]
    nowhere = {*range(0xFDD0, 0xFDF0), 0xFEFF, 0xFFFE, 0xFFFF}
    assert hygiene.clean(text) == "".join(sign for sign in kept if ord(sign) not in nowhere)


def test_characters_that_cannot_be_stored_are_left_out() -> None:
    assert cells_of(read_csv("意见内容\n好\x08的\ufeff\x7f！\n")) == [("好的！",)]


@pytest.mark.parametrize("name", ["意见.tsv", "意见.TXT", "意见.csv ", "意见.备份.CSV"])
def test_the_extension_may_be_written_in_any_way(name: str) -> None:
    assert read_csv("编号\t意见内容\n1\t好\n", filename=name).columns == ("编号", "意见内容")


def test_a_csv_that_begins_with_the_letters_of_a_zip_is_still_a_csv() -> None:
    assert read_csv("PK,意见内容\n1,好\n").columns == ("PK", "意见内容")


@pytest.mark.parametrize(
    ("data", "filename", "sentence"),
    [
        (b"", "a.csv", "文件是空的"),
        (b" \r\n\t\n", "a.csv", "文件是空的"),
        (b"\xef\xbb\xbf", "a.csv", "表格里没有内容"),
        (b",,,\n,,\n", "a.csv", "表格里没有内容"),
        ("意见内容\n好".encode("utf-16-le"), "a.csv", "文件内容不是文字"),
        (b"\xff\xfe" + "内容".encode("utf-16-le") + b"\x00", "a.csv", "文字编码无法识别"),
        (b"a,b\n\x81\xff\x81\xff", "a.csv", "文字编码无法识别"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0" * 50, "a.csv", "文件内容不是文字"),
        (HEADER.encode(), "a.xlsx", "文件内容与扩展名不符"),
        (HEADER.encode(), "a.pdf", "只能读取"),
        (HEADER.encode(), "", "只能读取"),
        (HEADER.encode(), "a.csv.exe", "只能读取"),
    ],
)
def test_a_file_that_is_no_table_is_refused_in_words(
    data: bytes, filename: str, sentence: str
) -> None:
    assert sentence in why_not(data, filename)


def test_more_columns_rows_or_bytes_than_allowed_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ",".join(f"列{n}" for n in range(300))
    assert "超过200列" in why_not(names.encode(), "a.csv")
    assert "列数异常" in why_not(("内容,编号\n" + "," * 2_000_000).encode(), "a.csv")
    monkeypatch.setattr(tables, "MAX_ROWS", 3)
    assert len(read_csv("内容\n" + "好\n" * 3).rows) == 3
    assert "行" in why_not(("内容\n" + "好\n" * 4).encode(), "a.csv")
    monkeypatch.setattr(tables, "MAX_BYTES", 10)
    assert "MB" in why_not(b"a" * 11, "a.csv")


# --- xlsx ----------------------------------------------------------------------------------------


def test_a_workbook_gives_text_as_people_read_it() -> None:
    day = {"num_format": "yyyy-mm-dd"}

    def fill(sheet: Any, book: Any) -> None:
        sheet.write_row(0, 0, ["编号", "电话", "日期", "时间", "是否", "比例", "大数", "算式"])
        sheet.write(1, 0, 7)
        sheet.write(1, 1, 13800000000)
        sheet.write_datetime(1, 2, dt.datetime(2020, 10, 8), book.add_format(day))
        full = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_datetime(1, 3, dt.datetime(2020, 10, 8, 9, 30), full)
        sheet.write_boolean(1, 4, True)
        sheet.write(1, 5, 0.1 + 0.2)
        sheet.write(1, 6, 1.5e17)
        sheet.write_formula(1, 7, "=1+1", None, 2)

    table = tables.read(made_by(fill), filename="a.xlsx")
    assert cells_of(table) == [
        ("7", "13800000000", "2020-10-08", "2020-10-08 09:30:00", "是", "0.3", "15" + "0" * 16, "2")
    ]


def test_rows_of_a_workbook_have_the_numbers_the_program_shows() -> None:
    def fill(sheet: Any, _book: Any) -> None:
        sheet.write(2, 1, "意见内容")
        sheet.write(4, 1, "好")
        sheet.write(9, 1, "第一行\n第二行")

    table = tables.read(made_by(fill), filename="a.xlsx")
    assert table.columns == ("第1列", "意见内容")
    assert table.rows == ((5, ("", "好")), (10, ("", "第一行\n第二行")))


def test_the_first_sheet_that_people_see_is_read() -> None:
    def hidden(sheet: Any, _book: Any) -> None:
        sheet.write(0, 0, "藏起来的")
        sheet.hide()

    def chart(_sheet: Any, book: Any) -> None:
        _sheet.hide()
        drawn = book.add_chart({"type": "column"})
        drawn.add_series({"values": "=Sheet1!$A$1:$A$2"})
        book.add_chartsheet().set_chart(drawn)

    def seen(sheet: Any, _book: Any) -> None:
        sheet.write_column(0, 0, ["意见内容", "好"])
        sheet.activate()
        sheet.set_first_sheet()

    assert tables.read(made_by(hidden, chart, seen), filename="a.xlsx").columns == ("意见内容",)


def test_a_workbook_of_which_nothing_is_seen_is_refused() -> None:
    data = made(["意见内容"], ["好"])
    book = parts_of(data)["xl/workbook.xml"]
    assert isinstance(book, bytes)
    unseen = book.replace(b"<sheet ", b'<sheet state="hidden" ')
    assert "没有可见的工作表" in why_not(with_parts({"xl/workbook.xml": unseen}, data))
    assert "没有内容" in why_not(made())


def test_what_stands_beside_the_columns_of_a_workbook_does_no_harm() -> None:
    table = tables.read(made(["意见内容"], ["好", "", "已阅"]), filename="a.xlsx")
    assert cells_of(table) == [("好",)]
    assert table.overfull == frozenset()


def xlsm() -> bytes:
    return with_parts({"xl/vbaProject.bin": b"\0" * 64})


def with_big_picture() -> bytes:
    """30 MB of blanks that pack into 30 KB."""
    return with_parts({"xl/media/a.bmp": b" " * 30_000_000})


def with_many_entries() -> bytes:
    return hostile_files.crowded_zip(100_000)


def with_laughter() -> bytes:
    entities = '<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return with_parts(
        {"xl/sharedStrings.xml": f"<!DOCTYPE sst [{entities}]><sst><si><t>&i;</t></si></sst>"}
    )


def with_outside_file() -> bytes:
    kind = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return with_parts({SHEET: f'{kind}<worksheet xmlns="{MAIN}">&e;</worksheet>'})


def encrypted_entries() -> bytes:
    data = bytearray(made(["意见内容"], ["好"]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


def lying_about_its_size() -> bytes:
    """A part that declares a few bytes in the directory and holds many."""
    honest = with_rows('<row r="1"><c r="A1"><v>1</v></c></row>' * 5_000)
    name = SHEET.encode()
    entry = honest.index(b"PK\x01\x02")
    while honest[entry + 46 : entry + 46 + len(name)] != name:
        entry = honest.index(b"PK\x01\x02", entry + 4)
    return honest[: entry + 24] + struct.pack("<I", 10) + honest[entry + 28 :]


def one_text_shown_everywhere() -> bytes:
    """30 KB of text that 20,000 cells share: 600 MB when each cell gets its copy."""
    rows = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 20_001))
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    text = f'<sst xmlns="{MAIN}"><si><t>{"长" * 30_000}</t></si></sst>'
    return with_parts({SHEET: sheet, "xl/sharedStrings.xml": text})


def packed_by(method: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, part in parts_of(made(["意见内容"], ["好"])).items():
            archive.writestr(name, part)
    return target.getvalue()


def named_twice() -> bytes:
    target = io.BytesIO(made(["意见内容"], ["好"]))
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr(SHEET.upper(), b"<worksheet/>")
    return target.getvalue()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (xlsm, "带有宏"),
        (with_big_picture, "内部结构异常"),
        (with_many_entries, "内部结构异常"),
        (with_laughter, "内部结构异常"),
        (with_outside_file, "内部结构异常"),
        (encrypted_entries, "设有密码"),
        (lying_about_its_size, "已损坏"),
        (one_text_shown_everywhere, "表格过大"),
        (lambda: packed_by(zipfile.ZIP_LZMA), "内部结构异常"),
        (lambda: packed_by(zipfile.ZIP_BZIP2), "内部结构异常"),
        (named_twice, "内部结构异常"),
        (lambda: with_parts({"../../etc/passwd": b"x"}), "内部结构异常"),
        (lambda: hostile_files.docx_of("这是文稿。"), "不是Excel工作簿"),
        (lambda: hostile_files.packed({"content.xml": "<office/>"}), "不是Excel工作簿"),
        (lambda: made(["意见内容"])[:900], "已损坏"),
        (lambda: b"PK\x03\x04" + b"\0" * 40, "已损坏"),
        (lambda: with_parts({SHEET: b"<worksheet>"}), "已损坏"),
        (lambda: with_parts({SHEET: b""}), "已损坏"),
        (lambda: with_parts({"xl/workbook.xml": b"\x89PNG"}), "已损坏"),
    ],
)
def test_a_workbook_that_does_harm_or_is_broken_is_refused(
    make: Callable[[], bytes], sentence: str
) -> None:
    assert sentence in why_not(make())


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx", "a.csv"])
def test_old_and_password_protected_workbooks_are_refused_in_words(name: str) -> None:
    assert "旧版或设有密码" in why_not(hostile_files.protected_docx(), name)


def test_a_workbook_named_csv_is_refused() -> None:
    assert "与扩展名不符" in why_not(made(["意见内容"]), "a.csv")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ('<row r="1"><c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c></row>', "行"),
        ("<row r='1'><c r='A1'><v>1</v></c><c r='XFD1048576'><v>1</v></c></row>", "行"),
        ('<row r = "1"><c x=">" r = "xfd9"><v>1</v></c></row>', "超过200列"),
        ('<row r="1"><c r="XFD1"><v>1</v></c></row>', "超过200列"),
        ('<row r="1048576"><c><v>1</v></c></row>', "行"),
        ('<row r="1"><c r="A99999999999"><v>1</v></c></row>', "已损坏"),
        ('<row r="1"><c r="ZZZZZZZ1"><v>1</v></c></row>', "已损坏"),
        ('<row r="99999999999"><c><v>1</v></c></row>', "已损坏"),
        ('<row r="-1"><c r=""><v>1</v></c></row>', "已损坏"),
        ('<row r="200001"><c r="AZ200001"><v>1</v></c></row>', "表格过大"),
        (f'<row r="1">{"<c><v>1</v></c>" * 300}</row>', "超过200列"),
        (f'<x:row xmlns:x="{MAIN}"><x:c r="B999999"><x:v>1</x:v></x:c></x:row>', "行"),
    ],
)
def test_cells_in_far_corners_are_refused_however_they_are_written(
    rows: str, sentence: str
) -> None:
    assert sentence in why_not(with_rows(rows))


@pytest.mark.parametrize(
    "target", ["worksheets/sheet1.dat", "media/a.png", "sheets/far.xml", "../far.xml"]
)
def test_a_sheet_that_hides_under_another_name_is_measured_or_not_read(target: str) -> None:
    far = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
    far += '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>'
    data = made(["意见内容"], ["好"])
    relations = parts_of(data)["xl/_rels/workbook.xml.rels"]
    assert isinstance(relations, bytes)
    moved = relations.replace(b"worksheets/sheet1.xml", target.encode())
    path = "far.xml" if target.startswith("..") else f"xl/{target}"
    why_not(with_parts({path: far, "xl/_rels/workbook.xml.rels": moved}, data))


def test_a_part_that_claims_another_encoding_is_read_as_what_it_is() -> None:
    # In EBCDIC the letter L is "<": read that way, the far cell below would be mere words.
    far = '<worksheet><sheetData><row r="1048576"><c r="XFD1048576"/></row></sheetData></worksheet>'
    why_not(with_parts({SHEET: f'<?xml version="1.0" encoding="cp037"?>{far}'}))


def test_as_many_rows_as_allowed_are_read_and_not_one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MAX_ROWS", 3)
    assert len(tables.read(made(["内容"], *[["好"]] * 3), filename="a.xlsx").rows) == 3
    assert "行" in why_not(made(["内容"], *[["好"]] * 4))


# --- anything at all -----------------------------------------------------------------------------


@given(
    data=st.binary(max_size=400)
    | st.text(max_size=200).map(str.encode)
    | st.text(alphabet='",;\t\r\n\0，内容a', max_size=80).map(str.encode)
    | st.text(max_size=60).map(lambda text: text.encode("utf-16", "replace")),
    filename=st.sampled_from(["a.csv", "a.xlsx", "a.txt", "a.tsv", "a.xls", "a", ""]),
)
def test_no_bytes_raise_anything_but_a_refusal(data: bytes, filename: str) -> None:
    table = read_or_refused(data, filename)
    if table is not None:
        assert all(len(cells) == len(table.columns) for _number, cells in table.rows)
        assert len(set(table.columns)) == len(table.columns)


def read_or_refused(data: bytes, filename: str = "a.xlsx") -> Table | None:
    try:
        return tables.read(data, filename=filename)
    except UnreadableTable as refusal:
        if not str(refusal).endswith("。"):
            raise AssertionError("a refusal is a sentence") from refusal
        return None


HONEST = made(["编号", "意见内容", "日期"], [1, "好", "2020-10-08"], [2, "不好", 44112])
PARTS = sorted(parts_of(HONEST))


@given(seed=st.integers(0, 10_000), spots=st.integers(1, 8))
def test_a_workbook_with_broken_bytes_isread_or_refused(seed: int, spots: int) -> None:
    chance = random.Random(seed)
    data = bytearray(HONEST)
    for _ in range(spots):
        data[chance.randrange(len(data))] = chance.randrange(256)
    if chance.random() < 0.3:
        data = data[: chance.randrange(4, len(data))]
    read_or_refused(bytes(data))


@given(seed=st.integers(0, 10_000), part=st.sampled_from(PARTS), spots=st.integers(1, 6))
def test_a_workbook_whose_xml_was_tampered_with_isread_or_refused(
    seed: int, part: str, spots: int
) -> None:
    chance = random.Random(seed)
    xml = bytearray(parts_of(HONEST)[part])  # type: ignore[arg-type]
    for _ in range(spots):
        at = chance.randrange(len(xml))
        piece = chance.choice([b"", b"9", b"<", b'"', b"<c/>", b"-1", b"s", b"\xff", b"&#0;", b"A"])
        xml[at : at + chance.randrange(3)] = piece
    read_or_refused(with_parts({part: bytes(xml)}, HONEST))
