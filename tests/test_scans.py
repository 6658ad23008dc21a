"""Scans of letters: what a camera notes goes, the picture stays, and hostile files are refused."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from consult.readers.scans import Format, UnreadableScan, cleaned

pytestmark = pytest.mark.pure
PLACE = b"31.2304N 121.4737E"


def a_picture(mode: str = "RGB") -> Image.Image:
    picture = Image.new("RGB", (40, 30))
    picture.putdata([(6 * x % 256, 8 * y % 256, x * y % 256) for y in range(30) for x in range(40)])
    return picture.convert(mode)


def jpeg(*, turned: int = 0, **more: object) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Telephone"
    exif[0x9286] = PLACE
    if turned:
        exif[0x0112] = turned
    a_picture().save(out, "JPEG", exif=exif, comment=PLACE, **more)
    return out.getvalue()


def png(mode: str = "RGB") -> bytes:
    out, told = io.BytesIO(), Image.Exif()
    told[0x9286] = PLACE
    a_picture(mode).save(out, "PNG", exif=told)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def pixels(data: bytes) -> bytes:
    return Image.open(io.BytesIO(data)).convert("RGBA").tobytes()


@pytest.mark.parametrize("more", [{}, {"progressive": True}, {"quality": 100, "subsampling": 0}])
def test_of_a_photograph_the_picture_stays_and_where_it_was_taken_goes(
    more: dict[str, Any],
) -> None:
    taken = jpeg(**more)
    assert PLACE in taken
    kind, kept = cleaned(taken + b"<script>x()</script>")
    assert kind is Format.JPEG
    assert pixels(kept) == pixels(taken)
    for word in (PLACE, b"Telephone", b"script", b"Exif"):
        assert word not in kept
    assert cleaned(kept) == (kind, kept), "once is enough"


@pytest.mark.parametrize("turned", [2, 3, 6, 8])
def test_which_way_is_up_is_all_that_stays_of_what_a_camera_notes(turned: int) -> None:
    _kind, kept = cleaned(jpeg(turned=turned))
    assert dict(Image.open(io.BytesIO(kept)).getexif()) == {0x0112: turned}
    assert PLACE not in kept


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "1"])
def test_of_a_png_only_what_draws_it_stays(mode: str) -> None:
    made = png(mode)
    told = made[:33] + chunk(b"tEXt", b"Author\0" + PLACE) + made[33:] + b"PK\x03\x04" + PLACE
    kind, kept = cleaned(told)
    assert kind is Format.PNG
    assert pixels(kept) == pixels(made)
    assert PLACE not in kept
    assert b"PK" not in kept


def flood_png(width: int = 60_000, height: int = 60_000) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    drawn = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + head + drawn + chunk(b"IEND", b"")


def flood_jpeg() -> bytes:
    data = jpeg()
    at = data.index(b"\xff\xc0")
    return data[: at + 5] + struct.pack(">HH", 65_000, 65_000) + data[at + 9 :]


def pdf(extra: bytes = b"", *, trailer: bytes = b"") -> bytes:
    return (
        b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\n"
        + extra
        + (b"\ntrailer <</Root 1 0 R " + trailer + b">>\nstartxref\n9\n%%EOF\n")
    )


def packed(words: bytes, *, times: int = 1) -> bytes:
    body = zlib.compress(words)
    one = (
        b"5 0 obj <</Type /ObjStm /Filter /FlateDecode>> stream\n" + body + b"\nendstream endobj\n"
    )
    return one * times


def test_a_pdf_that_does_nothing_is_kept_as_it_is() -> None:
    for harmless in (pdf(), pdf(packed(b"<</Type /Page>>")), pdf(b"stream\n/JS (\nendstream")):
        assert cleaned(harmless) == (Format.PDF, harmless)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "只能是"),
        (b"<svg onload=x()>", "只能是"),
        (b"GIF89a" + b"\0" * 20, "只能是"),
        (b"MZ" + b"\0" * 20, "只能是"),
        (flood_png(), "像素太多"),
        (flood_png(0, 5), "损坏"),
        (flood_jpeg(), "像素太多"),
        (png()[:-20], "损坏"),
        (png().replace(b"IDAT", b"IDAX"), "损坏"),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 50, "损坏"),
        (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), "损坏"),
        (jpeg()[:-400], "损坏"),
        (b"\xff\xd8\xff\xd9", "损坏"),
        (b"\xff\xd8\xff\xe0\xff\xff", "损坏"),
        (b"\xff\xd8\xff" + b"\xff" * 5000, "损坏"),
        (b"%PDF-1.7\n1 0 obj", "损坏"),
        (pdf(trailer=b"/Encrypt 4 0 R"), "设有密码"),
        (pdf(b"2 0 obj <</S /JavaScript /JS (app.alert(1))>> endobj"), "脚本"),
        (pdf(b"2 0 obj <</S /#4aava#53cript>> endobj"), "脚本"),
        (pdf(b"2 0 obj <</S /Launch /F (cmd.exe)>> endobj"), "脚本"),
        (pdf(b"2 0 obj <</Type /EmbeddedFile>> endobj"), "脚本"),
        (pdf(packed(b"<</S /JavaScript>>")), "脚本"),
        (pdf(packed(b" " * 60_000_000)), "损坏"),
    ],
)
def test_what_cannot_be_opened_or_would_do_harm_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(UnreadableScan, match=said):
        cleaned(data)


def test_a_file_full_of_beginnings_takes_no_longer() -> None:
    """Each would take minutes if the work grew with the square of the file."""
    for data in (
        pdf(b"/ObjStm stream\n" * 200_000),
        pdf(b"#41" * 1_000_000),
        b"\xff\xd8" + b"\xff\xda\0\x02\0" * 200_000 + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\1\0\0\0\0")
        + chunk(b"tEXt", b"") * 200_000,
    ):
        try:
            cleaned(data)
        except UnreadableScan:
            continue
