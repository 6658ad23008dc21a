"""Tables of opinions → rows of text: .csv (UTF-8, GB18030, UTF-16) and .xlsx.

Knows nothing of what the columns mean.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from consult.readers import hygiene, workbook
from consult.readers.workbook import MAX_COLUMNS, MAX_ROWS, UnreadableTable

__all__ = ["Table", "UnreadableTable", "read"]

MAX_BYTES = 25 * 1024 * 1024
# Between fields of a file that has only one column: a character no text contains.
_NOWHERE = "\x1f"


@dataclass(frozen=True, slots=True)
class Table:
    """The header and the rows below it; `rows` are (row number in the file, cells)."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    # Numbers of rows with text to the right of the last column: in a .csv, words that were cut
    # off by a separator that nobody quoted.
    overfull: frozenset[int] = frozenset()


def read(data: bytes, *, filename: str) -> Table:
    """The first sheet of a .xlsx, or a .csv; raises UnreadableTable and nothing else."""
    if not data.strip(b"\0 \t\r\n"):
        raise UnreadableTable("文件是空的，请选择有内容的文件重新上传。")
    if len(data) > MAX_BYTES:
        raise UnreadableTable(f"文件超过{MAX_BYTES // 1024 // 1024}MB，请拆分成几份后分别导入。")
    extension = filename.rpartition(".")[2].strip().lower()
    if extension == "xls" or data.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableTable(
            "这是旧版或设有密码的Excel文件，请取消密码并另存为 .xlsx 后重新上传。"
        )
    if extension not in ("csv", "xlsx", "txt", "tsv"):
        raise UnreadableTable("只能读取 .csv 和 .xlsx 文件，请另存为其中一种后重新上传。")
    is_zip = data.startswith(b"PK\x03\x04")
    if (extension == "xlsx") != is_zip:
        raise UnreadableTable("文件内容与扩展名不符，请用Excel或WPS打开后另存为 .xlsx 再上传。")
    return _table(_workbook_rows(data)) if is_zip else _table(_csv_rows(data), torn=True)


def _table(lines: Iterable[tuple[int, list[str]]], *, torn: bool = False) -> Table:
    kept = [(number, cells) for number, cells in lines if any(map(str.strip, cells))]
    if not kept:
        raise UnreadableTable("表格里没有内容，请核对后重新上传。")
    header = [cell.strip() for cell in kept[0][1]]
    while not header[-1]:
        header.pop()
    if len(header) > MAX_COLUMNS:
        raise UnreadableTable(workbook.TOO_WIDE)
    width = len(header)
    return Table(
        tuple(_distinct(header)),
        tuple([(number, _of_width(cells, width)) for number, cells in kept[1:]]),
        frozenset(
            number
            for number, cells in kept[1:]
            if torn and len(cells) > width and any(map(str.strip, cells[width:]))
        ),
    )


def _of_width(cells: list[str], width: int) -> tuple[str, ...]:
    return tuple(cells if len(cells) == width else (cells + [""] * width)[:width])


def _distinct(header: list[str]) -> Iterator[str]:
    """Column names, each once: a blank one is called by its place, a second 标题 标题(2)."""
    taken: set[str] = set()
    for place, name in enumerate(header, start=1):
        plain = hygiene.one_line(name)[:60]
        plain = plain if hygiene.is_visible(plain) else f"第{place}列"
        unlike, count = plain, 1
        while unlike in taken:
            count += 1
            unlike = f"{plain}({count})"
        taken.add(unlike)
        yield unlike


# --- csv -----------------------------------------------------------------------------------


def _csv_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    text = _decoded(data)
    # The longest field a file of this size could hold; the default of 128 K is too short.
    csv.field_size_limit(MAX_BYTES)
    # Strict: read leniently, one quotation mark too many swallows every row after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if number > MAX_ROWS + 1:
                raise UnreadableTable(workbook.TOO_LONG)
            if len(cells) > MAX_COLUMNS * 5:
                raise UnreadableTable("有一行的列数异常，请检查分隔符后重新上传。")
            yield number, [hygiene.clean(cell) for cell in cells]
    except csv.Error as error:
        raise UnreadableTable(
            f"第{number + 1}行的引号不成对，无法分清各列。请用Excel或WPS打开核对，另存为 .xlsx 再上传。"
        ) from error


def _delimiter(text: str) -> str:
    """What separates the names in the first line that has any."""
    lines = (line for line in io.StringIO(text, newline="") if line.strip())
    first = next(lines, "")[:10_000]
    found = max(",\t;，", key=first.count)
    return found if found in first else _NOWHERE


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
    checked = workbook.repacked(data)
    try:
        opened = CalamineWorkbook.from_filelike(io.BytesIO(checked))
        sheet = next(
            (
                sheet.name
                for sheet in opened.sheets_metadata
                if sheet.visible == SheetVisibleEnum.Visible
                and sheet.typ == SheetTypeEnum.WorkSheet
            ),
            None,
        )
        if sheet is None:
            raise UnreadableTable("工作簿里没有可见的工作表，请核对后重新上传。")
        rows = opened.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    except (CalamineError, ValueError, KeyError, OSError, RuntimeError, OverflowError) as error:
        if isinstance(error, UnreadableTable):
            raise
        raise UnreadableTable(workbook.BROKEN) from error
    for number, cells in enumerate(rows, start=1):
        yield number, [_said(cell) for cell in cells]


def _said(cell: object) -> str:
    """A cell as a person reads it: numbers as Excel writes them out, dates as 2020-10-08."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float):
        # Excel keeps fifteen digits.
        text = f"{cell:.15g}"
        return format(Decimal(text), "f") if "e" in text and abs(cell) < 1e21 else text
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    return hygiene.clean(str(cell))
