"""Tables of opinions → rows of text: .csv (UTF-8, GB18030, UTF-16) and .xlsx.

Every limit is checked before a workbook is parsed: two cells in opposite corners are 1.7 KB in
the file and gigabytes in memory. Knows nothing of what the columns mean.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

from consult.readers import hygiene

MAX_BYTES = 25 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELLS = 5_000_000
MAX_UNPACKED = 400 * 1024 * 1024
MAX_ENTRIES = 1_000
MAX_RATIO = 200
HARMLESS = 20 * 1024 * 1024
# A cell reference as a worksheet's XML gives it: r="XFD1048576".
_CELL = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_ROW = re.compile(rb'<(?:\w+:)?row\b[^>]*?\br="(\d{1,9})"')
_FORBIDDEN = (b"<!DOCTYPE", b"<!ENTITY", "<!DOCTYPE".encode("utf-16-le"))


class UnreadableTable(ValueError):
    """A refusal; `str(e)` is one sentence for staff: what is wrong and what to do."""


@dataclass(frozen=True, slots=True)
class Table:
    """The header and the rows below it; `rows` are (row number in the file, cells)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def read(data: bytes, *, filename: str) -> Table:
    """The first sheet of a .xlsx, or a .csv; raises UnreadableTable and nothing else."""
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableTable("文件是空的，请选择有内容的文件重新上传。")
    if len(data) > MAX_BYTES:
        raise UnreadableTable(f"文件超过{MAX_BYTES // 1024 // 1024}MB，请拆分成几份后分别导入。")
    extension = filename.rpartition(".")[2].strip().lower()
    if extension == "xls" or data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTable("这是旧版或设有密码的Excel文件，请取消密码并另存为 .xlsx 后重新上传。")
    if extension not in ("csv", "xlsx", "txt", "tsv"):
        raise UnreadableTable("只能读取 .csv 和 .xlsx 文件，请另存为其中一种后重新上传。")
    is_zip = data.startswith(b"PK")
    if (extension == "xlsx") != is_zip:
        raise UnreadableTable("文件内容与扩展名不符，请用Excel或WPS打开后另存为 .xlsx 再上传。")
    cells = _workbook_rows(data) if is_zip else _csv_rows(data)
    return _table(cells)


def _table(lines: Iterable[tuple[int, list[str]]]) -> Table:
    kept = [(number, cells) for number, cells in lines if any(cell.strip() for cell in cells)]
    if not kept:
        raise UnreadableTable("表格里没有内容，请核对后重新上传。")
    header = [cell.strip() for cell in kept[0][1]]
    while header and not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise UnreadableTable(f"表格超过{MAX_COLUMNS}列，请删去用不到的列后重新上传。")
    columns = tuple(_distinct(header))
    width = len(columns)
    rows = tuple(
        (number, tuple((cells + [""] * width)[:width])) for number, cells in kept[1:]
    )
    return Table(columns, rows)


def _distinct(header: list[str]) -> Iterator[str]:
    """Column names, each once: a blank one is called by its place, a second 标题 标题(2)."""
    seen: dict[str, int] = {}
    for place, name in enumerate(header, start=1):
        plain = hygiene.one_line(name)[:60] or f"第{place}列"
        seen[plain] = seen.get(plain, 0) + 1
        yield plain if seen[plain] == 1 else f"{plain}({seen[plain]})"


# --- csv -----------------------------------------------------------------------------------


def _csv_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    first = text.split("\n", 1)[0]
    delimiter = max(",\t;，", key=first.count) if first else ","
    # The longest field a file of this size could hold; the default of 128 K is too short.
    csv.field_size_limit(MAX_BYTES)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for count, cells in enumerate(reader):
            if count > MAX_ROWS:
                raise UnreadableTable(f"表格超过{MAX_ROWS}行，请拆分成几份后分别导入。")
            if len(cells) > MAX_COLUMNS * 5:
                raise UnreadableTable("有一行的列数异常，请检查分隔符后重新上传。")
            yield count + 1, [hygiene.clean(cell) for cell in cells]
    except csv.Error as error:
        raise UnreadableTable("表格格式有误，请用Excel或WPS打开后另存为 .xlsx 再上传。") from error


def _decoded(data: bytes) -> str:
    """BOM, then UTF-8, then GB18030: detectors misread short Chinese files."""
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    encodings = ["utf-16"] if wide else ["utf-8-sig", "gb18030"]
    if b"\0" in data and not wide:
        raise UnreadableTable("文件内容不是文字，可能已损坏，请另存为 .xlsx 后重新上传。")
    for encoding in encodings:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableTable("文件的文字编码无法识别，请另存为 .xlsx 后重新上传。")


# --- xlsx ----------------------------------------------------------------------------------


def _workbook_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    _check_workbook(data)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [m.name for m in workbook.sheets_metadata if "Visible" in str(m.visible)]
        if not visible:
            raise UnreadableTable("工作簿里没有可见的工作表，请核对后重新上传。")
        rows = workbook.get_sheet_by_name(visible[0]).to_python(skip_empty_area=False)
    except UnreadableTable:
        raise
    except (CalamineError, ValueError, KeyError, OSError, RuntimeError) as error:
        raise UnreadableTable("文件已损坏，请用Excel或WPS打开后另存为 .xlsx 再上传。") from error
    for number, cells in enumerate(rows, start=1):
        yield number, [_said(cell) for cell in cells]


def _check_workbook(data: bytes) -> None:
    unsafe = UnreadableTable("文件内部结构异常，出于安全考虑不予读取，请另存为 .xlsx 后重新上传。")
    if data.count(b"PK\x01\x02") > MAX_ENTRIES:
        raise unsafe
    try:
        archive = ZipFile(io.BytesIO(data))
        entries = archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        names = [entry.filename.lower() for entry in entries]
        if any(entry.flag_bits & 1 for entry in entries):
            raise UnreadableTable("文件设有密码，请取消密码后重新上传。")
        if any("vbaproject" in name for name in names):
            raise UnreadableTable("工作簿带有宏，请另存为不带宏的 .xlsx 后重新上传。")
        if "xl/workbook.xml" not in names:
            raise UnreadableTable("这不是Excel工作簿，请用Excel或WPS打开后另存为 .xlsx 再上传。")
        if unpacked > MAX_UNPACKED or (unpacked > HARMLESS and unpacked > MAX_RATIO * len(data)):
            raise unsafe
        if len(set(names)) < len(names) or any(".." in name for name in names):
            raise unsafe
        for entry in entries:
            if entry.filename.lower().endswith((".xml", ".rels")):
                _check_part(entry.filename.lower(), archive.read(entry), unsafe)
    except (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError) as error:
        raise UnreadableTable("文件已损坏，请用Excel或WPS打开后另存为 .xlsx 再上传。") from error


def _check_part(name: str, xml: bytes, unsafe: UnreadableTable) -> None:
    if any(word in xml for word in _FORBIDDEN):
        raise unsafe
    if not name.startswith("xl/worksheets/"):
        return
    deepest = max((int(m[1]) for m in _ROW.finditer(xml)), default=0)
    widest = 0
    for match in _CELL.finditer(xml):
        deepest = max(deepest, int(match[2]))
        widest = max(widest, _column(match[1]))
    if deepest > MAX_ROWS + 1:
        raise UnreadableTable(f"表格超过{MAX_ROWS}行，请拆分成几份，或删去末尾的空行后重新上传。")
    if widest > MAX_COLUMNS:
        raise UnreadableTable(f"表格超过{MAX_COLUMNS}列，请删去用不到的列后重新上传。")
    if deepest * widest > MAX_CELLS:
        raise UnreadableTable("表格过大，请拆分成几份后分别导入。")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _said(cell: object) -> str:
    """A cell as a person reads it: whole numbers without .0, dates as 2020-10-08."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return hygiene.clean(str(cell))
