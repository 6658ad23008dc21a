"""Written adoption tables that are served again: what anybody may read of a released edition.

A file is known by what it is made of and by the consultation's stamp, which rises with everything a
reader could notice: what is hidden, masked, withdrawn or made anonymous after the release. So a file
is served exactly as long as writing it anew would give the same words, and the first act that takes
a word out takes the file out, too. Files in full are never kept here. They lie in
`instance/adoption`; nothing is lost with them.
"""

import datetime as dt
import os
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import current_app
from flask_babel import get_locale

from consult.adoption_rows import AdoptionReport
from consult.consultations import Consultation
from consult.stage_reports import StageReport
from core.db import db

# Up when the same table is written differently.
FORM = 1
# Shorter tables are written faster than a file is worth.
LEAST_ROWS = 200
# How long the table of a stage is kept: it is made of many, and made anew when it is asked for.
KEPT = dt.timedelta(days=1)
_NAME = re.compile(r"(?P<of>[es][0-9a-z.]+)-(?P<stamp>[0-9.]+)-(?P<rest>[0-9]+-[A-Za-z_]+\.[a-z]+)")


@dataclass(frozen=True, slots=True)
class Source:
    """What a file is made of, and the stamp under which it was read."""

    name: str
    stamp: str


def of_edition(report: AdoptionReport) -> Source:
    """An edition as it is now; the stamp is read before any of the words are."""
    return Source(f"e{report.id}", str(_stamp([report.consultation_id])[0]))


def of_stage(report: StageReport) -> Source:
    """The table of a stage: it names what has no release, too."""
    ids = [each.consultation.id for each in report.standings]
    stamp = ".".join(map(str, _stamp(ids)))
    return Source(f"s{report.stage.id}.{report.key or 0}", f"{len(ids)}.{stamp}")


def read(source: Source, kind: str) -> bytes | None:
    """The file that was written of exactly this."""
    path = _path(source, kind)
    return path.read_bytes() if path.is_file() else None


def keep(source: Source, kind: str, made: bytes) -> None:
    """Keep the file, in place of what was written of the same before."""
    path = _path(source, kind)
    # Written aside and moved: what stands under the name is whole, whenever it is read.
    aside = path.with_name(f".{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made)
    aside.replace(path)
    for other in path.parent.iterdir():
        parts = _NAME.fullmatch(other.name)
        if parts and other != path and (parts["of"], parts["rest"]) == _known(path):
            other.unlink(missing_ok=True)


def tidy(now: dt.datetime) -> None:
    """Remove what is no longer what anybody may read."""
    folder = _folder()
    for path in folder.iterdir():
        parts = _NAME.fullmatch(path.name)
        age = now - dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
        if parts and parts["of"].startswith("e"):
            report = db.session.get(AdoptionReport, int(parts["of"][1:]))
            stale = report is None or of_edition(report).stamp != parts["stamp"]
        else:
            stale = age > KEPT
        if stale:
            path.unlink(missing_ok=True)


def _stamp(consultation_ids: list[int]) -> list[int]:
    query = sa.select(Consultation.stamp).where(Consultation.id.in_(consultation_ids))
    return list(db.session.scalars(query.order_by(Consultation.id)))


def _known(path: Path) -> tuple[str, str]:
    parts = _NAME.fullmatch(path.name)
    assert parts is not None
    return parts["of"], parts["rest"]


def _path(source: Source, kind: str) -> Path:
    return _folder() / f"{source.name}-{source.stamp}-{FORM}-{get_locale()}.{kind}"


def _folder() -> Path:
    folder = Path(current_app.instance_path) / "adoption"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
