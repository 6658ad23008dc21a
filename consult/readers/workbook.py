"""Opens the zip an .xlsx is, safely, and packs its XML anew for the program that parses it.

Two cells in opposite corners are 1.7 KB in the file and gigabytes in memory, and a shared text is
stored once and copied into every cell. So a real XML parser measures every part first, and what
was measured, nothing else, is handed on: no difference between two readings of the same zip can
smuggle a sheet past. Knows nothing of what cells mean.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from consult.readers import zips

MAX_ENTRIES = 1_000
# All XML of a workbook unpacked: some 200,000 rows of eight columns.
MAX_XML = 160 * 1024 * 1024
# Real tables pack 5 to 20 times; below `HARMLESS` a high ratio does no harm.
MAX_RATIO = 200
HARMLESS = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 200
MAX_CELLS = 5_000_000
# The text of all cells together, a shared text counted as often as it is shown.
MAX_TEXT = 50_000_000

BROKEN = "文件已损坏，请用Excel或WPS打开后另存为 .xlsx 再上传。"
TOO_LONG = f"表格超过{MAX_ROWS}行，请拆分成几份，或删去末尾的空行后重新上传。"
TOO_WIDE = f"表格超过{MAX_COLUMNS}列，请删去用不到的列后重新上传。"
_UNSAFE = "文件内部结构异常，出于安全考虑不予读取，请另存为 .xlsx 后重新上传。"
_TOO_LARGE = "表格过大，请拆分成几份后分别导入。"
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_ROW = re.compile(r"[0-9]{1,7}")


class UnreadableTable(ValueError):
    """A refusal; `str(e)` is one sentence for staff: what is wrong and what to do."""


def repacked(data: bytes) -> bytes:
    """The XML parts of the workbook, checked, in a new zip; raises UnreadableTable."""
    try:
        archive, entries = zips.opened(data, most=MAX_ENTRIES)
    except zips.TooManyEntries as error:
        raise UnreadableTable(_UNSAFE) from error
    except zips.BrokenZip as error:
        raise UnreadableTable(BROKEN) from error
    _check_entries(entries, len(data))
    measure = _Measure()
    packed = io.BytesIO()
    with ZipFile(packed, "w", ZIP_STORED) as target:
        for entry in entries:
            if _is_needed(entry):
                xml = _unpacked(archive, entry)
                measure.part(xml)
                target.writestr(ZipInfo(entry.filename), xml)
    measure.check_text()
    return packed.getvalue()


def _check_entries(entries: list[ZipInfo], packed: int) -> None:
    names = [entry.filename.lower() for entry in entries]
    unpacked = sum(entry.file_size for entry in entries)
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableTable("文件设有密码，请取消密码后重新上传。")
    if any("vbaproject" in name for name in names):
        raise UnreadableTable("工作簿带有宏，请另存为不带宏的 .xlsx 后重新上传。")
    if "xl/workbook.xml" not in names:
        raise UnreadableTable("这不是Excel工作簿，请用Excel或WPS打开后另存为 .xlsx 再上传。")
    if (
        (unpacked > HARMLESS and unpacked > MAX_RATIO * packed)
        or len(set(names)) < len(names)
        or any(".." in name for name in names)
        or any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries)
    ):
        raise UnreadableTable(_UNSAFE)
    if sum(entry.file_size for entry in entries if _is_needed(entry)) > MAX_XML:
        raise UnreadableTable(_TOO_LARGE)


def _is_needed(entry: ZipInfo) -> bool:
    """Whether a part takes part in showing cells; pictures and others' own data do not."""
    name = entry.filename.lower()
    return name.endswith((".xml", ".rels")) and name.startswith(("xl/", "_rels/", "["))


def _unpacked(archive: ZipFile, entry: ZipInfo) -> bytes:
    try:
        return zips.unpacked(archive, entry)
    except zips.BrokenZip as error:
        raise UnreadableTable(BROKEN) from error


class _Measure:
    """How far the cells of a workbook reach and how much text they show."""

    def __init__(self) -> None:
        # Lengths of the shared texts, and how often each is shown, by its number as written.
        self._texts: list[int] = []
        self._shown: Counter[str] = Counter()
        self._row = self._column = self._deepest = self._widest = 0
        self._in_text = self._is_shared = False
        self._number: str | None = None

    def part(self, xml: bytes) -> None:
        """Measure one part; raises UnreadableTable when it is not XML or reaches too far."""
        self._row = self._column = self._deepest = self._widest = 0
        self._in_text = self._is_shared = False
        # Held to UTF-8 whatever the part declares: that is how it will be read afterwards.
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        try:
            parser.Parse(xml, True)
        except (expat.ExpatError, LookupError) as error:
            raise UnreadableTable(BROKEN) from error
        if self._deepest * self._widest > MAX_CELLS:
            raise UnreadableTable(_TOO_LARGE)

    def check_text(self) -> None:
        """Refuse a workbook that shows far more text than it stores."""
        last = len(self._texts) - 1
        total = 0
        for number, times in self._shown.items():
            plain = number.strip()
            if plain.isascii() and plain.isdigit() and len(plain) <= 9 and int(plain) <= last:
                total += times * self._texts[int(plain)]
        if total > MAX_TEXT:
            raise UnreadableTable(_TOO_LARGE)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "c":
            self._cell(attributes.get("r"))
            self._is_shared = attributes.get("t") == "s"
        elif kind == "v" and self._is_shared:
            self._number = ""
        elif kind == "row":
            self._begin_row(attributes.get("r"))
        elif kind == "si":
            self._texts.append(0)
            self._in_text = True

    def _end(self, name: str) -> None:
        kind = name.rpartition(":")[2]
        if kind == "si":
            self._in_text = False
        elif kind == "v" and self._number is not None:
            self._shown[self._number] += 1
            self._number = None

    def _text(self, text: str) -> None:
        if self._number is not None:
            # A number of more digits is none; adding to a string without end would take long.
            self._number = (self._number + text)[:20]
        elif self._in_text:
            self._texts[-1] += len(text)

    def _begin_row(self, said: str | None) -> None:
        if said is not None and _ROW.fullmatch(said) is None:
            raise UnreadableTable(BROKEN)
        self._row = int(said) if said else self._row + 1
        self._column = 0
        self._reach()

    def _cell(self, said: str | None) -> None:
        if said is None:
            self._column += 1
        else:
            found = _CELL.fullmatch(said)
            if found is None:
                raise UnreadableTable(BROKEN)
            self._column, self._row = _column(found[1]), max(self._row, int(found[2]))
        self._reach()

    def _reach(self) -> None:
        self._deepest = max(self._deepest, self._row)
        self._widest = max(self._widest, self._column)
        if self._deepest > MAX_ROWS + 1:
            raise UnreadableTable(TOO_LONG)
        if self._widest > MAX_COLUMNS:
            raise UnreadableTable(TOO_WIDE)


def _refuse(*_: object) -> None:
    raise UnreadableTable(_UNSAFE)


def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
