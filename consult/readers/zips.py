"""Opens the zip files strangers send; which limits hold and what is said of them is the caller's."""

from __future__ import annotations

import io
import lzma
import struct
import zlib
from zipfile import BadZipFile, ZipFile, ZipInfo

_ENTRY = b"PK\x01\x02"
# All that zipfile and its decompressors raise on bytes that are not what they claim.
_ERRORS = (
    BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    ValueError,
    OverflowError,
)


class BrokenZip(Exception):
    """The bytes are not the zip file they claim to be."""


class TooManyEntries(Exception):
    """More entries than the caller takes."""


def opened(data: bytes, *, most: int) -> tuple[ZipFile, list[ZipInfo]]:
    """The file and its entries; raises BrokenZip, and TooManyEntries above `most`."""
    # Counted in the raw bytes: the directory's own count may lie, and merely listing 100,000
    # entries is already slow.
    if data.count(_ENTRY) > most:
        raise TooManyEntries
    try:
        archive = ZipFile(io.BytesIO(data))
        return archive, archive.infolist()
    except _ERRORS as error:
        raise BrokenZip from error


def unpacked(archive: ZipFile, entry: ZipInfo) -> bytes:
    """The bytes of an entry; raises BrokenZip."""
    try:
        # zipfile stops at the declared size and then compares the checksum, so a part that lies
        # about its size is refused, not unpacked.
        return archive.read(entry)
    except _ERRORS as error:
        raise BrokenZip from error
