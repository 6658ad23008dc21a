"""Looks through a scanned letter and takes out what does not belong to its picture.

A photograph made with a telephone says where and when it was taken, and bytes behind the end of a
picture may be anything. So a JPEG or PNG is put together anew from the parts that draw it (ITU-T
T.81, PNG 3rd edition), without unpacking it: of what a camera notes only which way is up stays. A
PDF is not written anew: what is broken, locked, or would do something when it is opened is refused,
and what it says of its maker stays in it.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from enum import StrEnum

# A letter in A3 at 600 dots to the inch has 70 million; many more are made to fill somebody's memory.
MOST_PIXELS = 100_000_000
# What the packed parts of a PDF may come to.
MOST_UNPACKED = 50_000_000

_NONE = "扫描件只能是 PDF、JPG 或 PNG 文件。"
_BROKEN = "文件不完整或已损坏，打不开。请重新扫描或拍照后再上传。"
_TOO_WIDE = "图片的像素太多，请降低扫描精度后再上传。"
_LOCKED = "PDF文件设有密码，打不开。请取消密码后再上传。"
_ACTIVE = (
    "PDF文件里有脚本、附件或会自动执行的内容，出于安全考虑不予接收。请打印成新的PDF，或者改用图片。"
)


class UnreadableScan(ValueError):
    """A refusal; `str(e)` is one sentence for staff: what is wrong and what to do."""


class Format(StrEnum):
    """What a scan is, by its content."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"


def cleaned(data: bytes) -> tuple[Format, bytes]:
    """What `data` is, and the part of it that is the scan; raises UnreadableScan."""
    if data.startswith(b"\xff\xd8\xff"):
        return Format.JPEG, _jpeg(data)
    if data.startswith(_PNG):
        return Format.PNG, _png(data)
    if data.startswith(b"%PDF-"):
        _look_through(data)
        return Format.PDF, data
    raise UnreadableScan(_NONE)


def _must_be_small(width: int, height: int) -> None:
    if not (width and height):
        raise UnreadableScan(_BROKEN)
    if width * height > MOST_PIXELS:
        raise UnreadableScan(_TOO_WIDE)


# --- JPEG --------------------------------------------------------------------------------------

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
# Beginnings of a frame: C0 to CF but for the tables and what is reserved among them.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_EXIF = b"Exif\0\0"
_ORIENTATION = 0x0112
_SCAN_END = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")


def _jpeg(data: bytes) -> bytes:
    kept, drawn, turned = [b"\xff\xd8"], False, 1
    for marker, segment in _segments(data):
        if marker in _FRAMES:
            if len(segment) < 9:
                raise UnreadableScan(_BROKEN)
            height, width = struct.unpack(">HH", segment[5:9])
            _must_be_small(width, height)
            drawn = True
        if marker == 0xE1 and segment[4:10] == _EXIF:
            turned = _orientation(segment[10:])
        elif _draws(marker, segment):
            kept.append(segment)
    if not drawn:
        raise UnreadableScan(_BROKEN)
    if turned != 1:
        kept.insert(1, _upright(turned))
    return b"".join([*kept, b"\xff\xd9"])


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, the segment with its marker and, of a scan, what is drawn by it) up to the end of
    the picture; what stands behind that is nobody's."""
    at = 2
    while True:
        # A marker may be preceded by any number of fill bytes.
        while data[at : at + 2] == b"\xff\xff":
            at += 1
        if data[at : at + 1] != b"\xff" or at + 2 > len(data):
            raise UnreadableScan(_BROKEN)
        marker = data[at + 1]
        if marker == _EOI:
            return
        if marker == _SOI or at + 4 > len(data):
            raise UnreadableScan(_BROKEN)
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        end = at + 2 + length
        if length < 2 or end > len(data):
            raise UnreadableScan(_BROKEN)
        if marker == _SOS:
            after = _SCAN_END.search(data, end)
            if after is None:
                raise UnreadableScan(_BROKEN)
            end = after.start()
        yield marker, data[at:end]
        at = end


def _draws(marker: int, segment: bytes) -> bool:
    """Whether the picture looks otherwise without it: all but comments and applications' notes,
    of which the colours (JFIF, ICC, Adobe) stay."""
    if marker == 0xFE:
        return False
    if 0xE0 <= marker <= 0xEF:
        colours = {0xE0: b"JFIF\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
        return marker in colours and segment[4:].startswith(colours[marker])
    return True


def _orientation(tiff: bytes) -> int:
    """Which way is up (1 to 8) by the first directory of Exif; 1 where it does not say."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    try:
        if order is None:
            return 1
        (begin,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, begin)
        for number in range(min(entries, 500)):
            tag, kind, count, value = struct.unpack_from(
                f"{order}HHIH", tiff, begin + 2 + 12 * number
            )
            if (tag, kind, count) == (_ORIENTATION, 3, 1):
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


def _upright(turned: int) -> bytes:
    """An Exif segment that says which way is up and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, turned, 0)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF) + len(tiff)) + _EXIF + tiff


# --- PNG ---------------------------------------------------------------------------------------

_PNG = b"\x89PNG\r\n\x1a\n"
# The parts that draw the picture and its colours.
_CHUNKS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs"}
)


def _png(data: bytes) -> bytes:
    kept, at = [_PNG], len(_PNG)
    names: list[bytes] = []
    while True:
        if at + 12 > len(data):
            raise UnreadableScan(_BROKEN)
        length, name = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        chunk = data[at:end]
        if len(chunk) < 12 + length or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:]):
            raise UnreadableScan(_BROKEN)
        if not names and (name != b"IHDR" or length != 13):
            raise UnreadableScan(_BROKEN)
        names.append(name)
        if name == b"IHDR":
            _must_be_small(*struct.unpack(">II", chunk[8:16]))
        if name == b"IEND":
            break
        if name in _CHUNKS:
            kept.append(chunk)
        at = end
    if b"IDAT" not in names:
        raise UnreadableScan(_BROKEN)
    return b"".join([*kept, b"\0\0\0\0IEND\xaeB`\x82"])


# --- PDF ---------------------------------------------------------------------------------------

# Names too long to stand in a picture by chance.
_DOES_SOMETHING = re.compile(
    rb"/(?:JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData|GoToR|GoToE)(?![A-Za-z0-9])"
)
_ENCRYPT = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
# A name may be written with its letters as figures: /#4aavaScript.
_WRITTEN = re.compile(rb"#([0-9A-Fa-f]{2})")
# Objects that are packed together (ISO 32000-1, 7.5.7).
_PACKED = re.compile(rb"/ObjStm(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream\r?\n")


def _look_through(data: bytes) -> None:
    if b"%%EOF" not in data[-2048:]:
        raise UnreadableScan(_BROKEN)
    plain = _spelt(data)
    if _ENCRYPT.search(plain):
        raise UnreadableScan(_LOCKED)
    if _DOES_SOMETHING.search(plain) or any(
        _DOES_SOMETHING.search(_spelt(part)) for part in _unpacked(data)
    ):
        raise UnreadableScan(_ACTIVE)


def _spelt(data: bytes) -> bytes:
    return _WRITTEN.sub(lambda found: bytes([int(found[1], 16)]), data)


def _unpacked(data: bytes) -> Iterator[bytes]:
    """The objects that are packed together, unpacked; refuses more of them than any letter has."""
    left, read = MOST_UNPACKED, 0
    for found in _PACKED.finditer(data):
        stream = _STREAM.search(data, found.end(), found.end() + 2048)
        # Each byte is read once, however often a file says that something begins there.
        if stream is None or found.start() < read:
            continue
        end = data.find(b"endstream", stream.end())
        read = end if end >= 0 else len(data)
        try:
            part = zlib.decompressobj().decompress(data[stream.end() : read], left)
        except zlib.error:
            continue
        left -= len(part)
        if left <= 0:
            raise UnreadableScan(_BROKEN)
        yield part
