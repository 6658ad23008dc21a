"""Verifying an archive file with nothing but the file: what is missing, added or changed, by name."""

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from consult.archiving.packing import FORMAT, MANIFEST, MARK
from core import zip_seals

CHUNK = 1 << 20
LARGEST_MANIFEST = 64 * 1024 * 1024


class Wrong(Enum):
    """What can be wrong with an archive file, in the words of the command line."""

    NOT_AN_ARCHIVE = "不是归档文件，或者已经损坏，打不开"
    NO_MANIFEST = "清单不在，或者读不出来"
    UNKNOWN_FORMAT = "清单的格式这个程序不认识"
    MISSING = "清单上有，文件里没有"
    ADDED = "文件里有，清单上没有"
    TWICE = "在文件里出现不止一次"
    CHANGED = "内容与清单上的校验码不符"
    SEAL = "文件与结尾的封存码不符"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and with which paper; "" when it is the file as a whole."""

    wrong: Wrong
    name: str = ""


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at the file found. Complete and unchanged is: no faults."""

    papers: int
    seal: str
    about: Mapping[str, Any]
    faults: tuple[Fault, ...]


def verify(path: Path) -> Verified:
    """Compare the file with its manifest and its seal.

    Somebody who changes papers, manifest and seal together makes another archive in itself right;
    that it is not the one that was made is told by the seal, which the site's record of acts keeps.
    Raises OSError when the file cannot be read.
    """
    with path.open("rb") as file:
        seal, sealed = zip_seals.check(file, MARK)
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive)
            listed = manifest.get("papers", [])
            faults = list(_faults(archive, manifest))
    except zip_seals.BROKEN:
        return Verified(0, seal, {}, (Fault(Wrong.NOT_AN_ARCHIVE),))
    if not sealed:
        faults.append(Fault(Wrong.SEAL))
    about = {name: value for name, value in manifest.items() if name != "papers"}
    return Verified(len(listed), seal, about, tuple(faults))


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """The manifest; empty when it is not there or is not one."""
    try:
        entry = archive.getinfo(MANIFEST)
        if entry.file_size > LARGEST_MANIFEST:
            return {}
        found = json.loads(archive.read(entry))
        named = [(each["name"], each["bytes"], each["sha256"]) for each in found["papers"]]
    except (KeyError, TypeError, *zip_seals.BROKEN):
        return {}
    plain = all(isinstance(a, str) and isinstance(b, int) for a, b, _sha256 in named)
    return found if plain and isinstance(found, dict) else {}


def _faults(archive: zipfile.ZipFile, manifest: Mapping[str, Any]) -> Iterator[Fault]:
    if not manifest:
        yield Fault(Wrong.NO_MANIFEST)
        return
    if manifest.get("format") != FORMAT:
        yield Fault(Wrong.UNKNOWN_FORMAT)
        return
    there = Counter(archive.namelist())
    listed = {paper["name"]: paper for paper in manifest["papers"]}
    for name in there:
        if there[name] > 1:
            yield Fault(Wrong.TWICE, name)
        if name not in listed and name != MANIFEST:
            yield Fault(Wrong.ADDED, name)
    for name, paper in listed.items():
        if name not in there:
            yield Fault(Wrong.MISSING, name)
        elif not _is_as_listed(archive, paper):
            yield Fault(Wrong.CHANGED, name)


def _is_as_listed(archive: zipfile.ZipFile, paper: Mapping[str, Any]) -> bool:
    digest, left = hashlib.sha256(), int(paper["bytes"])
    try:
        with archive.open(paper["name"]) as file:
            # Never more than was listed: a bomb is put aside unread.
            while chunk := file.read(min(CHUNK, left + 1)):
                left -= len(chunk)
                if left < 0:
                    return False
                digest.update(chunk)
    except zip_seals.BROKEN:
        return False
    return left == 0 and digest.hexdigest() == paper["sha256"]
