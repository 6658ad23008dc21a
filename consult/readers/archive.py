"""Opens the zip a .docx is, safely: every limit is checked before anything is unpacked.

Hands out the bytes of named parts; knows no XML. Pictures are never unpacked.
"""

from __future__ import annotations

from zipfile import ZipInfo

from consult.readers import zips
from consult.readers.draft import UnreadableDraft

MAX_ENTRIES = 5_000
MAX_UNPACKED = 300 * 1024 * 1024
MAX_XML = 64 * 1024 * 1024
MAX_PART = 40 * 1024 * 1024
# Real text packs 5 to 30 times; below this size a high ratio does no harm.
MAX_RATIO = 150
HARMLESS = 10 * 1024 * 1024

BROKEN = "文件已损坏或不完整，请用Word或WPS打开后另存为 .docx，再重新上传。"
_UNSAFE = "文件内部结构异常，出于安全考虑不予读取，请用Word或WPS打开后另存为 .docx，再重新上传。"


class Archive:
    """The parts of a package by lower-case name, as the format compares them."""

    def __init__(self, data: bytes) -> None:
        try:
            self._zip, entries = zips.opened(data, most=MAX_ENTRIES)
        except zips.TooManyEntries as error:
            raise UnreadableDraft(_UNSAFE) from error
        except zips.BrokenZip as error:
            raise UnreadableDraft(BROKEN) from error
        _check_entries(entries, len(data))
        self._entries = {entry.filename.lower(): entry for entry in entries}
        _check_kind(set(self._entries))
        self._scan_xml()

    def part(self, name: str) -> bytes | None:
        """The unpacked bytes, or None when there is no such part."""
        entry = self._entries.get(name.lower())
        return None if entry is None else self._unpacked(entry)

    def _unpacked(self, entry: ZipInfo) -> bytes:
        if entry.file_size > MAX_PART:
            raise UnreadableDraft(_UNSAFE)
        try:
            return zips.unpacked(self._zip, entry)
        except zips.BrokenZip as error:
            raise UnreadableDraft(BROKEN) from error

    def _scan_xml(self) -> None:
        """No part may declare a DTD: Word writes none, and entities live only there."""
        xml = [e for name, e in self._entries.items() if name.endswith((".xml", ".rels"))]
        if sum(entry.file_size for entry in xml) > MAX_XML:
            raise UnreadableDraft("文稿内容过大，请拆分成几份后分别上传。")
        for entry in xml:
            data = self._unpacked(entry)
            if any(f"<!{word}".encode(encoding) in data for word, encoding in _DECLARATIONS):
                raise UnreadableDraft(_UNSAFE)


_DECLARATIONS = tuple(
    (word, encoding)
    for word in ("DOCTYPE", "ENTITY")
    for encoding in ("ascii", "utf-16-le", "utf-16-be")
)


def _check_entries(entries: list[ZipInfo], packed: int) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    is_bomb = unpacked > HARMLESS and unpacked > MAX_RATIO * packed
    names = [entry.filename.lower() for entry in entries]
    if (
        len(entries) > MAX_ENTRIES
        or unpacked > MAX_UNPACKED
        or is_bomb
        or len(set(names)) < len(names)
        or any(_leads_outside(name) for name in names)
    ):
        raise UnreadableDraft(_UNSAFE)
    if any(entry.flag_bits & 1 for entry in entries):
        raise UnreadableDraft("文件设有密码，无法读取，请取消密码后重新上传。")


def _leads_outside(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name


def _check_kind(names: set[str]) -> None:
    if any(name.endswith(("vbaproject.bin", "vbadata.xml")) for name in names):
        raise UnreadableDraft(
            "文档带有宏，出于安全考虑不予读取，请另存为不带宏的 .docx 后重新上传。"
        )
    if "[content_types].xml" in names and any(name.startswith("word/") for name in names):
        return
    if any(name.startswith("xl/") for name in names):
        raise UnreadableDraft("这是Excel表格，不是Word文档，请上传 .docx、.md 或 .txt 文稿。")
    if any(name.startswith("ppt/") for name in names):
        raise UnreadableDraft(
            "这是PowerPoint演示文稿，不是Word文档，请上传 .docx、.md 或 .txt 文稿。"
        )
    if "content.xml" in names:
        raise UnreadableDraft("这是OpenDocument文档，请另存为 .docx 后重新上传。")
    raise UnreadableDraft(
        "文件是压缩文件，不是Word文档，请用Word或WPS打开文稿，另存为 .docx 后重新上传。"
    )
