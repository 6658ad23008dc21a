"""Attachments (附件): the scan of a letter beside the words that were typed in from it.

Never public. Looked through and freed of what a camera notes (`readers/scans`), kept under the hash
of their content, told by their content and not by their name,
handed out to staff as a file, and each look is on record: a letter shows names and addresses.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Mapped, mapped_column

from consult.readers import scans as readers_scans
from consult.readers.scans import UnreadableScan
from consult.submissions import Submission, SubmissionState
from core import audit
from core.db import Base, choice, db
from core.errors import Refused
from core.text import tidy_line

audit.ACTIONS.update({"attachment.looked_at": _l("查看来件扫描件")})
audit.KINDS.update({"attachment": _l("来件扫描件")})

MOST = 5
LARGEST = 8 * 1024 * 1024


class Kind(Enum):
    """What a scan may be."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"

    @property
    def media_type(self) -> str:
        """The one type under which it is handed out."""
        return "application/pdf" if self is Kind.PDF else f"image/{self.value}"

    @property
    def ending(self) -> str:
        """How its file's name ends."""
        return ".jpg" if self is Kind.JPEG else f".{self.value}"


class Attachment(Base):
    """One scan of one submission."""

    __tablename__ = "attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[int] = mapped_column(sa.ForeignKey("submission.id"), index=True)
    # Under which it is kept in instance/uploads.
    sha256: Mapped[str] = mapped_column(sa.String(64))
    name: Mapped[str] = mapped_column(sa.String(200))
    kind: Mapped[Kind] = mapped_column(choice(Kind))
    size: Mapped[int]


@dataclass(frozen=True, slots=True)
class Scan:
    """A file that was looked at and may be kept."""

    name: str
    kind: Kind
    data: bytes

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.data).hexdigest()


def check(files: Sequence[tuple[str, bytes]]) -> list[Scan]:
    """The scans among `files` (name, content), of each what draws it; refuses too many, too large
    and anything else."""
    if len(files) > MOST:
        raise Refused(_("一次最多附%(n)d个文件。", n=MOST))
    scans = []
    for name, data in files:
        if len(data) > LARGEST:
            size = LARGEST // 1024 // 1024
            raise Refused(_("每个文件不能超过%(n)dMB，请降低扫描精度。", n=size))
        try:
            kind, cleaned = readers_scans.cleaned(data)
        except UnreadableScan as refusal:
            raise Refused(str(refusal)) from refusal
        scans.append(Scan(tidy_line(name)[-200:], Kind(kind.value), cleaned))
    return scans


def attach(submission_id: int, scans: Sequence[Scan]) -> None:
    """Put the scans, which are stored already, beside a submission."""
    db.session.add_all(
        Attachment(
            submission_id=submission_id,
            sha256=scan.sha256,
            name=scan.name,
            kind=scan.kind,
            size=len(scan.data),
        )
        for scan in scans
    )


def of(submissions: Sequence[Submission]) -> dict[int, list[Attachment]]:
    """{submission id: its scans} for those that have any; withdrawn ones have none any more."""
    ids = [each.id for each in submissions if each.state is not SubmissionState.WITHDRAWN]
    query = sa.select(Attachment).where(Attachment.submission_id.in_(ids)).order_by(Attachment.id)
    found: dict[int, list[Attachment]] = {}
    for each in db.session.scalars(query):
        found.setdefault(each.submission_id, []).append(each)
    return found


def by_id(attachment_id: int) -> Attachment | None:
    """The scan with this number, unless its author has taken the opinion back."""
    query = sa.select(Attachment).join(Submission, Submission.id == Attachment.submission_id)
    there = query.where(
        Attachment.id == attachment_id, Submission.state != SubmissionState.WITHDRAWN
    )
    return db.session.scalar(there)


def forget(ids: Sequence[int]) -> list[str]:
    """Delete the scans of these submissions; the files that belong to no other one, to be removed
    from disk once that is committed."""
    theirs = Attachment.submission_id.in_(ids)
    hashes = set(db.session.scalars(sa.select(Attachment.sha256).where(theirs)))
    db.session.execute(
        sa.delete(Attachment).where(theirs), execution_options={"synchronize_session": False}
    )
    left = sa.select(Attachment.sha256).where(Attachment.sha256.in_(hashes))
    return sorted(hashes - set(db.session.scalars(left)))


def look(attachment: Attachment, *, by: audit.Actor, now: dt.datetime) -> None:
    """Record that `by` looks at a scan."""
    audit.record("attachment.looked_at", attachment, by=by, now=now)
