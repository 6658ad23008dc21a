"""Backups: one file with all a site needs to stand again on an empty machine.

A zip of the database, the files people sent, the security log and `backup.json`, which names each
entry with its size and hash; a hash of the whole file ends it. The keys are left out unless they are
asked for, because beside them nothing in the copy is sealed any more; their fingerprints are in, so
that a restored site cannot begin with others unnoticed.
"""

import datetime as dt
import hashlib
import json
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import IO, Any

from flask import current_app

from core import audit, config, outbox, zip_seals
from core.database_copies import AT_ONCE, ENTRY, copier, is_empty
from core.db import db
from core.errors import Refused
from core.migrations import bring_up_to_date, is_known, revision

FORMAT = 1
MANIFEST = "backup.json"
MARK = b"wenji backup 1, sha256 of all bytes before: "
KEYS = ("secret_key", "contact_key", "totp_key")
SETTINGS = "settings.toml"
FOLDERS = {
    "uploads": re.compile(r"[0-9a-f]{32}(?:[0-9a-f]{32})?"),
    "security": re.compile(r"\d{4}-\d{2}\.log"),
    "keys": re.compile("|".join((*KEYS, re.escape(SETTINGS)))),
}
# No reader of a manifest takes more into memory.
MOST_MANIFEST = 64 * 1024 * 1024


class _Site:
    """What the record says was copied: all of it."""

    __tablename__ = "site"
    id = None


@dataclass(frozen=True, slots=True)
class Backup:
    """A manifest, read."""

    made_at: str
    kind: str
    revision: str
    database: dict[str, Any]
    keys: dict[str, str]
    entries: dict[str, tuple[int, str]]
    # Of the file, to be written down elsewhere: it tells a copy from a forged one.
    seal: str = ""

    @property
    def with_keys(self) -> bool:
        """Whether the keys lie in it."""
        return all(f"keys/{name}" in self.entries for name in KEYS)

    @property
    def rows(self) -> int:
        """Of all tables."""
        return sum(self.database["rows"].values())


# What the manifest holds.
TOLD = [each.name for each in fields(Backup) if each.name != "seal"]


def begin(path: Path, *, with_keys: bool, by: audit.Actor, now: dt.datetime) -> None:
    """Put the copy that `make` is about to write on record, so that it knows of itself once this is
    committed. Refuses when there is such a file, or nothing to copy."""
    if is_empty():
        raise Refused("这里的数据库还是空的，没有可以备份的内容。")
    if path.exists():
        raise Refused("已有同名文件，请换一个文件名。")
    audit.record("site.copied", _Site(), by=by, now=now, after={"with_keys": with_keys})


def make(path: Path, *, with_keys: bool, now: dt.datetime) -> Backup:
    """Copy the running site, as far as it is committed, into a file at `path` that its owner alone
    can read. The file is whole or not there."""
    partial = path.with_name(path.name + ".part")
    try:
        with _new_file(partial) as file:
            with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
                backup = _fill(_Writer(archive), with_keys=with_keys, now=now)
                zip_seals.leave_room(archive, MARK)
            backup = replace(backup, seal=zip_seals.seal(file))
        partial.replace(path)
        _sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return backup


def verify(path: Path) -> tuple[Backup | None, list[str]]:
    """What the file says of itself, and in which sentences it is not as it was made; none when it
    is whole. Asks for no site."""
    with path.open("rb") as file:
        seal, sealed = zip_seals.check(file, MARK)
        try:
            archive = zipfile.ZipFile(file)
        except zip_seals.BROKEN:
            return None, ["这不是备份文件，或者文件已经损坏。"]
        with archive:
            try:
                backup = replace(_read(archive), seal=seal)
            except _Unreadable as why:
                return None, [str(why)]
            faults = _faults(archive, backup)
            if not sealed:
                faults.append("文件与结尾的封存码不符")
            try:
                return backup, faults or copier(backup.kind).faults(archive, backup.database)
            except KeyError as missing:
                return backup, [f"缺少{missing.args[0]}"]


def restore(path: Path, *, without_keys: bool, by: audit.Actor, now: dt.datetime) -> Backup:
    """Fill this site, whose database must be empty, from the file at `path`, and bring it up to
    date. Messages that were waiting may have gone since: they wait for a person's decision.

    Refuses a copy that is not whole, another kind of database, a copy of a newer version, and,
    unless `without_keys`, keys that are not those of the copy: sealed addresses and authenticator
    apps could not be read again. What remains to be committed is the record of it.
    """
    if not is_empty():
        raise Refused("这里的数据库不是空的。请在空的网站上恢复，原有数据不会被覆盖。")
    backup, faults = verify(path)
    if backup is None or faults:
        raise Refused("备份文件不完整，没有恢复：" + "；".join(faults))
    if backup.kind != db.engine.dialect.name:
        raise Refused(f"备份来自{backup.kind}，这里用的是{db.engine.dialect.name}，不能恢复。")
    if not is_known(backup.revision):
        raise Refused("备份来自更新的版本，请先更新程序。")
    site = current_app._get_current_object()  # type: ignore[attr-defined]  # a LocalProxy
    with zipfile.ZipFile(path) as archive:
        if not without_keys:
            _bring_keys(archive, backup)
        _unpack(archive, backup)
        if backup.kind != "sqlite":
            # PostgreSQL's rows go into tables that are as they were.
            bring_up_to_date(site, target=backup.revision)
        copier(backup.kind).load(archive, backup.database)
    bring_up_to_date(site)
    held = outbox.hold_all()
    facts = {"made_at": backup.made_at, "held": held}
    audit.record("site.restored", _Site(), by=by, now=now, after=facts)
    return backup


# --- making --------------------------------------------------------------------------------------


class _Writer:
    """Puts entries into the archive and keeps their sizes and hashes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.entries: dict[str, tuple[int, str]] = {}

    def open(self, name: str) -> "_Entry":
        """A file to write the entry `name` to."""
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        return _Entry(self._archive.open(info, "w", force_zip64=True), name, self.entries)

    def put(self, name: str, data: bytes) -> None:
        """Write a whole entry."""
        with self.open(name) as entry:
            entry.write(data)


class _Entry:
    def __init__(self, file: IO[bytes], name: str, entries: dict[str, tuple[int, str]]) -> None:
        self._file, self._name, self._entries = file, name, entries
        self._hash, self._size = hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._size += len(data)
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()
        self._entries[self._name] = (self._size, self._hash.hexdigest())

    def __enter__(self) -> "_Entry":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


def _fill(writer: _Writer, *, with_keys: bool, now: dt.datetime) -> Backup:
    kind, instance = db.engine.dialect.name, Path(current_app.instance_path)
    database = copier(kind).dump(writer.open)
    # After the database: what a row names is stored before the row is.
    for folder in ("uploads", "security"):
        for file in _files(instance / folder, FOLDERS[folder]):
            writer.put(f"{folder}/{file.name}", file.read_bytes())
    secrets = _keys(config.of_site())
    if with_keys:
        for name, value in secrets.items():
            writer.put(f"keys/{name}", value.encode())
        if (instance / SETTINGS).is_file():
            writer.put(f"keys/{SETTINGS}", (instance / SETTINGS).read_bytes())
    backup = Backup(
        made_at=now.astimezone(dt.UTC).isoformat(timespec="seconds"),
        kind=kind,
        revision=revision(),
        database=database,
        keys={name: _fingerprint(value) for name, value in secrets.items()},
        entries=dict(writer.entries),
    )
    told = {"format": FORMAT} | {name: getattr(backup, name) for name in TOLD}
    writer.put(MANIFEST, json.dumps(told, ensure_ascii=False, indent=1).encode())
    return backup


def _files(folder: Path, names: re.Pattern[str]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(each for each in folder.iterdir() if names.fullmatch(each.name))


def _keys(settings: config.Settings) -> dict[str, str]:
    return {name: getattr(settings, name) for name in KEYS}


def _fingerprint(key: str) -> str:
    # Keys are long and random: nothing can be tried out against this.
    return hashlib.sha256(b"wenji key\0" + key.encode()).hexdigest()[:16]


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- checking ------------------------------------------------------------------------------------


class _Unreadable(Exception):
    """Why the manifest says nothing."""


def _read(archive: zipfile.ZipFile) -> Backup:
    try:
        with archive.open(MANIFEST) as entry:
            written = entry.read(MOST_MANIFEST)
        told = json.loads(written)
        if told.pop("format") != FORMAT:
            raise _Unreadable("备份文件的格式来自别的版本。")
        told["entries"] = {name: (size, sha) for name, (size, sha) in told["entries"].items()}
        backup = Backup(**told)
        copier(backup.kind)
        backup.database["rows"].items()
    except (KeyError, TypeError, AttributeError, *zip_seals.BROKEN) as error:
        raise _Unreadable("备份文件的目录不能读取。") from error
    return backup


def _faults(archive: zipfile.ZipFile, backup: Backup) -> list[str]:
    """Entry by entry: each that is named and no other, each byte as it was."""
    there = archive.namelist()
    wanted = backup.entries.keys() | {MANIFEST}
    faults = [f"缺少{name}" for name in sorted(wanted.difference(there))]
    faults += [f"多出{name}" for name in sorted(set(there) - wanted)]
    if len(there) != len(set(there)):
        faults.append("有重名的内容")
    for name in sorted(backup.entries.keys() & set(there)):
        if not _known(name):
            faults.append(f"{name}不是备份里应有的内容")
        elif _facts(archive, name) != backup.entries[name]:
            faults.append(f"{name}已被改动或损坏")
    return faults


def _known(name: str) -> bool:
    folder, _slash, file = name.partition("/")
    return bool(ENTRY.fullmatch(name) or (folder in FOLDERS and FOLDERS[folder].fullmatch(file)))


def _facts(archive: zipfile.ZipFile, name: str) -> tuple[int, str] | None:
    found, size = hashlib.sha256(), 0
    try:
        with archive.open(name) as entry:
            while part := entry.read(AT_ONCE):
                found.update(part)
                size += len(part)
    except zip_seals.BROKEN:
        return None
    return size, found.hexdigest()


# --- restoring -----------------------------------------------------------------------------------


def _bring_keys(archive: zipfile.ZipFile, backup: Backup) -> None:
    """Put the keys of the copy, when it has them, where the site reads them, and see whether the
    site would use those of the copy. An empty database has sealed nothing with what is replaced."""
    instance = Path(current_app.instance_path)
    kept = {name: (instance / name) for name in KEYS} if backup.with_keys else {}
    before = {name: path.read_bytes() for name, path in kept.items() if path.is_file()}
    for name, path in kept.items():
        _write(path, archive.read(f"keys/{name}"))
    effective = _keys(config.read_settings(instance))
    wrong = [name for name in KEYS if _fingerprint(effective[name]) != backup.keys[name]]
    if wrong:
        for name, data in before.items():
            _write(kept[name], data)
        raise Refused(
            f"密钥与备份时的不同：{'、'.join(wrong)}。请先把备份时的密钥放回原处（instance/ 下的同名文件，"
            "或者设置），再恢复；确实没有了，可以加 --without-keys，但联系方式和动态口令将不能再用。"
        )


def _unpack(archive: zipfile.ZipFile, backup: Backup) -> None:
    instance = Path(current_app.instance_path)
    for name in backup.entries:
        folder, _slash, file = name.partition("/")
        if folder in ("uploads", "security"):
            (instance / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(instance / folder / file, archive.read(name))
        elif name == f"keys/{SETTINGS}":
            # It may name the old machine's database: a person looks first.
            _write(instance / f"{SETTINGS}.restored", archive.read(name))


def _write(path: Path, data: bytes) -> None:
    with _new_file(path) as file:
        file.write(data)
