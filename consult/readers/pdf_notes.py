"""Takes out of a PDF what it notes of its making: author, program, file paths, dates.

They stand in the document information dictionary and in XMP metadata (ISO 32000-1, 14.3). A PDF is not
written anew: what is noted is overwritten with spaces, byte for byte, so that every offset in the file
stays right and the pages stay as they were. What is signed stays as it was signed. Where that cannot be done, because the information is
packed together with other objects or the file is locked, the file is refused.
"""

import re
import zlib

_LOCKED = re.compile(rb"/Encrypt(?![A-Za-z0-9])")
_SIGNED = re.compile(rb"/ByteRange\s*\[")
_INFO = re.compile(rb"/Info\s+(\d{1,10})\s+(\d{1,5})\s+R")
# A file that was saved many times names its information as often; more are made to keep somebody busy.
_MOST_INFOS, _LONGEST_INFO = 50, 65_536
# /Type /Metadata in the dictionary before a stream; dictionaries of metadata are short.
_METADATA = re.compile(rb"/Type\s*/Metadata(?![A-Za-z0-9])")
_STREAM = re.compile(rb"stream(?:\r\n|\n)")
_NEAR = 1024
_HEX = re.compile(rb"<(?!<)[0-9A-Fa-f\s]*>")


class Unstripped(ValueError):
    """A refusal: what is noted of the making cannot be taken out."""


def without(data: bytes) -> bytes:
    """`data`, a PDF, of the same length without document information and XMP; as it is where it bears a
    signature, which a changed byte would break. Raises Unstripped."""
    if _SIGNED.search(data):
        return data
    if _LOCKED.search(data):
        raise Unstripped
    blank = bytearray(data)
    infos = set(_INFO.findall(data))
    if len(infos) > _MOST_INFOS:
        raise Unstripped
    for number, generation in infos:
        head = re.compile(rb"(?<![0-9])" + number + rb"\s+" + generation + rb"\s+obj(?![a-z])")
        found = list(head.finditer(data))
        if not found or len(found) > _MOST_INFOS:
            raise Unstripped
        for each in found:
            end = data.find(b"endobj", each.end(), each.end() + _LONGEST_INFO)
            _blank_strings(blank, each.end(), end)
    read = 0
    for each in _METADATA.finditer(data):
        # Each byte is read once, however often a file says that something begins there.
        if each.start() >= read:
            read = _blank_metadata(blank, data, each.start(), each.end())
    return bytes(blank)


def _blank_strings(blank: bytearray, begin: int, end: int) -> None:
    """Overwrite the strings of one dictionary; refuses what is none, and values that stand elsewhere."""
    part = bytes(blank[begin:end]) if end >= 0 else b""
    if not part.lstrip().startswith(b"<<") or _STREAM.search(part):
        raise Unstripped
    at = 0
    while at < len(part):
        if part[at : at + 1] == b"(":
            close = _closing(part, at)
            blank[begin + at + 1 : begin + close] = b" " * (close - at - 1)
            at = close + 1
        elif found := _HEX.match(part, at):
            inside = found.end() - at - 2
            blank[begin + at + 1 : begin + found.end() - 1] = b"20" * (inside // 2) + b" " * (
                inside % 2
            )
            at = found.end()
        else:
            at += 1
    if re.search(rb"\d\s+\d+\s+R(?![A-Za-z])", bytes(blank[begin:end])):
        raise Unstripped


def _closing(part: bytes, at: int) -> int:
    """Where the string that begins at `at` ends; brackets inside may be balanced or escaped."""
    depth, place = 0, at
    while place < len(part):
        sign = part[place : place + 1]
        if sign == b"\\":
            place += 1
        elif sign == b"(":
            depth += 1
        elif sign == b")":
            depth -= 1
            if depth == 0:
                return place
        place += 1
    raise Unstripped


def _blank_metadata(blank: bytearray, data: bytes, begin: int, end: int) -> int:
    """Overwrite one stream of XMP; where it ends."""
    stream = _STREAM.search(data, end, end + _NEAR)
    close = data.find(b"endstream", stream.end()) if stream else -1
    if stream is None or close < 0:
        raise Unstripped
    # The filter may stand on either side of the type in the same dictionary.
    near = max(0, begin - _NEAR)
    head = data[max(near, data.rfind(b"obj", near, begin)) : stream.start()]
    room = close - stream.end()
    if b"/Filter" not in head:
        blank[stream.end() : close] = b" " * room
    elif b"/FlateDecode" in head and b"[" not in head.split(b"/Filter", 1)[1][:3]:
        packed = zlib.compress(b" ", 9)
        if room < len(packed):
            raise Unstripped
        blank[stream.end() : close] = packed + b"\n" * (room - len(packed))
    else:
        raise Unstripped
    return close
