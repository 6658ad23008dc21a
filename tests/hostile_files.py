"""Word files built in memory from raw XML: honest small ones, and ones meant to do harm.

Holds builders only; what a file should lead to is said by the tests that use it.
"""

import io
import random
import struct
import zipfile
from collections.abc import Mapping

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
NAMESPACES = (
    f'xmlns:w="{W}" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)
DOCUMENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def paragraph(text: str, properties: str = "", run: str = "") -> str:
    return (
        f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr>"
        f'<w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def document(body: str) -> str:
    return f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>"


def parts(
    body: str, *, styles: str = "", numbering: str = "", content_type: str = DOCUMENT_TYPE
) -> dict[str, str | bytes]:
    """The parts of a small document; `body` is the inside of w:body."""
    return {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{content_type}"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" '
            f'Type="{OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
        ),
        "word/document.xml": document(body),
        "word/styles.xml": f"<w:styles {NAMESPACES}>{styles}</w:styles>",
        "word/numbering.xml": f"<w:numbering {NAMESPACES}>{numbering}</w:numbering>",
    }


def packed(files: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in files.items():
            package.writestr(name, content)
    return target.getvalue()


def docx(body: str, *, styles: str = "", numbering: str = "") -> bytes:
    return packed(parts(body, styles=styles, numbering=numbering))


def docx_of(*lines: str) -> bytes:
    """A document without any style, one paragraph a line."""
    return docx("".join(paragraph(line) for line in lines))


def docx_with(changed: Mapping[str, str | bytes]) -> bytes:
    """An honest document with parts added or replaced."""
    return packed(parts(paragraph("正文一段。")) | dict(changed))


def macro_docx() -> bytes:
    return packed(parts(paragraph("正文。")) | {"word/vbaProject.bin": b"\0" * 64})


def macro_type_docx() -> bytes:
    kind = "application/vnd.ms-word.document.macroEnabled.main+xml"
    return packed(parts(paragraph("正文。"), content_type=kind))


def zip_bomb() -> bytes:
    """30 MB of blanks that pack into 30 KB."""
    return packed(parts(paragraph("正文。")) | {"word/media/a.bmp": b" " * 30_000_000})


def crowded_zip(entries: int = 100_000) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        for number in range(entries):
            package.writestr(f"word/{number}", b"")
    return target.getvalue()


def lying_zip() -> bytes:
    """A part that declares a few bytes in the directory and holds many."""
    honest = docx(paragraph("字" * 5_000))
    name = b"word/document.xml"
    entry = honest.index(b"PK\x01\x02")
    while honest[entry + 46 : entry + 46 + len(name)] != name:
        entry = honest.index(b"PK\x01\x02", entry + 4)
    return honest[: entry + 24] + struct.pack("<I", 10) + honest[entry + 28 :]


def climbing_zip() -> bytes:
    return packed(parts(paragraph("正文。")) | {"../../etc/passwd": b"x"})


def locked_zip() -> bytes:
    """Every entry flagged as encrypted."""
    data = bytearray(docx_of("正文。"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


def billion_laughs() -> bytes:
    entities = '<!ENTITY a "哈哈哈哈哈哈哈哈哈哈">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    body = document(paragraph("&i;"))
    return packed(parts("") | {"word/document.xml": f"<!DOCTYPE w:document [{entities}]>{body}"})


def outside_entity(*, encoding: str = "utf-8", part: str = "word/document.xml") -> bytes:
    xml = (
        f'<?xml version="1.0" encoding="{encoding}"?>'
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + document(paragraph("&e;"))
    )
    return packed(parts(paragraph("正文。")) | {part: xml.encode(encoding)})


def deep_xml(depth: int = 100_000) -> bytes:
    return docx("<w:sdt>" * depth + "</w:sdt>" * depth)


def nested_tables(depth: int = 30) -> bytes:
    table = paragraph("最里面。")
    for _ in range(depth):
        row = f"<w:tr><w:tc>{table}</w:tc><w:tc>{paragraph('旁')}</w:tc></w:tr>"
        table = f"<w:tbl>{row}</w:tbl>"
    return docx(table)


def many_elements(count: int = 2_000_000) -> bytes:
    """Little to unpack, much to parse; noise keeps the ratio looking honest."""
    noise = random.Random(0).randbytes(500_000)
    files = parts("<w:p/>" * count) | {"word/media/noise.bin": noise}
    return packed(files)


def wide_table() -> bytes:
    cells = '<w:tc><w:tcPr><w:gridSpan w:val="999999999"/></w:tcPr><w:p/></w:tc>' * 3
    return docx(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>" + paragraph("正文。"))


def circular_styles() -> bytes:
    styles = (
        '<w:style w:type="paragraph" w:styleId="A"><w:basedOn w:val="B"/></w:style>'
        '<w:style w:type="paragraph" w:styleId="B"><w:basedOn w:val="A"/></w:style>'
    )
    return docx(paragraph("正文一段。", '<w:pStyle w:val="A"/>'), styles=styles)


def old_doc() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + "WordDocument".encode("utf-16-le")


def protected_docx() -> bytes:
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    return head + "EncryptedPackage".encode("utf-16-le") + b"\0" * 100
