"""Writing an archive file: equal papers give equal bytes.

The file is a plain .zip. Its last entry, `manifest.json`, names every paper with its size and
SHA-256; its last 64 bytes, the end of the zip's comment, are the SHA-256 of everything before
them: the seal. So a changed byte anywhere shows, and one in a paper is traced to that paper.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import zip_seals

FORMAT = 1
MANIFEST = "manifest.json"
MARK = b"wenji archive 1, sha256 of all bytes before: "
# Zip knows no time before this; when papers were made is said inside them.
NO_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper: its path within the archive, ASCII with slashes, and its bytes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written: how many papers, and the seal of the file."""

    papers: int
    seal: str


def pack(papers: Iterable[Paper], about: Mapping[str, Any], path: Path) -> Packed:
    """Write the papers, in this order, to `path`; `about` goes into the manifest.

    Raises ValueError when two papers have one name.
    """
    listed: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for paper in papers:
            if paper.name in listed or paper.name == MANIFEST:
                raise ValueError(f"two papers are called {paper.name}")
            digest = hashlib.sha256(paper.data).hexdigest()
            listed[paper.name] = {"bytes": len(paper.data), "sha256": digest}
            archive.writestr(_entry(paper.name), paper.data)
        manifest = {"format": FORMAT, **about}
        manifest["papers"] = [{"name": name, **facts} for name, facts in listed.items()]
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        archive.writestr(_entry(MANIFEST), text.encode())
        zip_seals.leave_room(archive, MARK)
    with path.open("r+b") as file:
        return Packed(len(listed), zip_seals.seal(file))


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, NO_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    # The same on every system, or the same papers would not give the same bytes.
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry
