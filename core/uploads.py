"""Files a person sent that are needed again at the next step: kept outside the web root under a
random name, never served, removed when the step is done. What is kept for good stands under its
hash."""

import hashlib
import os
import re
import secrets
from pathlib import Path

from flask import current_app

_NAME = re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?")


def keep(data: bytes) -> str:
    """Store `data`; the random name under which it can be read again."""
    name = secrets.token_hex(16)
    # Readable by nobody else from the first moment on.
    descriptor = os.open(_folder() / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return name


def keep_by_content(data: bytes) -> str:
    """Store `data` for good under its hash, which is returned; the same again is stored once."""
    name = hashlib.sha256(data).hexdigest()
    folder = _folder()
    if not (folder / name).is_file():
        # Written aside and moved: what stands under the name is whole, whenever it is read.
        (folder / keep(data)).replace(folder / name)
    return name


def read(name: str) -> bytes | None:
    """What was stored under `name`; None when it is gone."""
    if not _NAME.fullmatch(name):
        return None
    path = _folder() / name
    return path.read_bytes() if path.is_file() else None


def remove(name: str) -> None:
    """Forget what was stored under `name`."""
    if _NAME.fullmatch(name):
        (_folder() / name).unlink(missing_ok=True)


def _folder() -> Path:
    folder = Path(current_app.instance_path) / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
