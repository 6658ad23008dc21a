"""Zip files that show every changed byte: the last 64 bytes, the end of the zip's comment, are the
SHA-256 of all bytes before them. What is within an entry its own hash shows; this shows the rest,
which readers of zip files pass over. Standard library only."""

import hashlib
import zipfile
import zlib
from typing import IO

LENGTH = 64
# What reading a damaged zip file can raise; of RuntimeError the claim to be encrypted.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)
_CHUNK = 1 << 20


def leave_room(archive: zipfile.ZipFile, mark: bytes) -> None:
    """Let the archive end in `mark` and room for a seal, once it is closed."""
    archive.comment = mark + b"0" * LENGTH


def seal(file: IO[bytes]) -> str:
    """Fill the room at the end of an open, written file; what was filled in."""
    found = computed(file)
    file.seek(-LENGTH, 2)
    file.write(found.encode())
    return found


def computed(file: IO[bytes]) -> str:
    """The SHA-256 of all but the last 64 bytes of an open file; "" when it has no more."""
    left = file.seek(0, 2) - LENGTH
    if left <= 0:
        return ""
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def check(file: IO[bytes], mark: bytes) -> tuple[str, bool]:
    """What the seal of an open file has to be, and whether it is."""
    found = computed(file)
    file.seek(max(0, file.seek(0, 2) - LENGTH - len(mark)))
    return found, bool(found) and file.read() == mark + found.encode()
