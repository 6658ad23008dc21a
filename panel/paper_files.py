"""Files of papers (材料文件): told by their content, kept under its hash; the same for a meeting and for a
review round."""

import hashlib
import io
import zipfile
from contextlib import suppress
from enum import Enum
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Mapped, mapped_column

from consult.readers import UnreadableDraft, pdf_notes, workbook
from consult.readers.archive import Archive
from consult.readers.pdf_notes import Unstripped
from consult.readers.workbook import UnreadableTable
from core.db import choice
from core.errors import Refused
from core.text import tidy_line

LARGEST = 20 * 1024 * 1024


class PaperKind(Enum):
    """What a paper may be."""

    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"

    @property
    def media_type(self) -> str:
        """The one type under which it is handed out."""
        office = "application/vnd.openxmlformats-officedocument"
        return {
            PaperKind.PDF: "application/pdf",
            PaperKind.DOCX: f"{office}.wordprocessingml.document",
            PaperKind.XLSX: f"{office}.spreadsheetml.sheet",
        }[self]


class PaperFile:
    """The columns of whatever is such a file."""

    # Under which it is kept in instance/uploads.
    sha256: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(200))
    kind: Mapped[PaperKind] = mapped_column(choice(PaperKind))
    size: Mapped[int]


def facts(name: str, data: bytes) -> dict[str, Any]:
    """What its columns say of a file whose content the caller stores; refuses what is no paper."""
    kind = kind_of(data)
    if len(data) > LARGEST:
        raise Refused(_("每份材料不能超过%(n)dMB。", n=LARGEST // 1024 // 1024))
    return {
        "sha256": hashlib.sha256(data).hexdigest(),
        "name": tidy_line(name)[-200:],
        "kind": kind,
        "size": len(data),
    }


def must_be_fit_for_everybody(kind: PaperKind, data: bytes) -> None:
    """Refuse a PDF that would tell the public who made it, where and with what."""
    try:
        _without_notes(kind, data)
    except Unstripped as noted:
        raise Refused(
            _(
                "这份PDF里记有作者、软件等信息，系统去不掉，不能向公众公开。"
                "请用“打印成PDF”重新生成后上传，或者不公开。"
            )
        ) from noted


def for_everybody(kind: PaperKind, data: bytes) -> bytes:
    """The file as the public is given it: a PDF without what it notes of its making. What is kept is
    the file that was uploaded; one that was published before anybody looked stays as it is."""
    with suppress(Unstripped):
        return _without_notes(kind, data)
    return data


def _without_notes(kind: PaperKind, data: bytes) -> bytes:
    return pdf_notes.without(data) if kind is PaperKind.PDF else data


def kind_of(data: bytes) -> PaperKind:
    """What a file is by its content; refuses everything that is no paper."""
    if data.startswith(b"%PDF-"):
        return PaperKind.PDF
    if data.startswith(b"PK\x03\x04"):
        try:
            names = set(zipfile.ZipFile(io.BytesIO(data)).namelist())
            if "word/document.xml" in names:
                # Macros, passwords, bombs, entities: refused with their sentence.
                Archive(data)
                return PaperKind.DOCX
            if "xl/workbook.xml" in names:
                workbook.repacked(data)
                return PaperKind.XLSX
        except (UnreadableDraft, UnreadableTable) as hostile:
            raise Refused(str(hostile)) from hostile
        except (zipfile.BadZipFile, ValueError, OSError):
            pass
    raise Refused(_("材料只能是 PDF、Word（.docx）或 Excel（.xlsx）文件。"))
