"""Copies of the whole site: the drill from a running site to an empty machine, and what a copy that
is not whole, not of here or not for these keys is told."""

import hashlib
import json
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
import sqlalchemy as sa
from flask import Flask

from core import audit, backups, outbox, postings, sealing, uploads
from core.config import of_site
from core.database_copies import is_empty
from core.db import db
from core.errors import Refused
from core.migrations import history
from core.outbox import Draft, Message, MessageState
from tests import people, world
from tests.conftest import NOON
from tests.databases import Databases, Place, close

ABOUT = "a message that waits"
WORDS = "复核：两行\n和一个\t制表符，一个\\反斜线，𠮷"


@pytest.fixture(scope="module")
def running(databases: Databases) -> Iterator[Place]:
    """A site with something of everything, as the migrations would have made it."""
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        history().stamp()
    with app.app_context():
        uploads.keep_by_content(b"a scan")
        outbox.put([Draft(ABOUT, _sealed(), ABOUT, WORDS)], now=NOON)
        db.session.commit()
    close(app)
    yield place
    databases.discard(place)


def _sealed() -> bytes:
    return sealing.seal(of_site().contact_key, "resident@example.invalid")


@pytest.fixture
def empty(databases: Databases) -> Iterator[Place]:
    """Another machine: no table, and keys of its own."""
    place = databases.empty()
    yield place
    databases.discard(place)


@pytest.fixture(scope="module")
def copied(running: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy with its keys, made while somebody writes."""
    path = tmp_path_factory.mktemp("copies") / "copy.zip"
    app = running.site(CLOCK=lambda: NOON)
    ended = Event()

    def write() -> None:
        while not ended.is_set():
            with app.app_context():
                people.make("drc_staff")

    writer = Thread(target=write)
    writer.start()
    try:
        with app.app_context():
            backups.make(path, with_keys=True, now=NOON)
    finally:
        ended.set()
        writer.join()
    close(app)
    return path


def all_rows(app: Flask) -> dict[str, list[str]]:
    """Every row of every table, sorted."""
    with app.app_context(), db.engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        return {
            name: sorted(
                repr(sorted(row._mapping.items())) for row in connection.execute(sa.select(table))
            )
            for name, table in tables.tables.items()
            # FTS5 has tables of its own for its lists.
            if not name.startswith(postings.NAME)
        }


def test_a_copy_stands_up_on_an_empty_machine(copied: Path, empty: Place) -> None:
    assert stat.S_IMODE(copied.stat().st_mode) == 0o600
    told, faults = backups.verify(copied)
    assert faults == []
    assert told is not None
    app = empty.site(CLOCK=lambda: NOON)
    with app.app_context():
        backups.restore(copied, without_keys=False, by=audit.COMMAND_LINE, now=NOON)
        db.session.commit()
    found = all_rows(app)
    counted = {name: len(rows) for name, rows in found.items() if name in told.database["rows"]}
    # The act itself is one more line of the record.
    counted["audit_event"] -= 1
    assert counted == {n: rows for n, rows in told.database["rows"].items() if n in found}
    close(app)
    # A new process reads the keys that came along.
    app = empty.site(CLOCK=lambda: NOON)
    with app.app_context():
        message = db.session.scalars(sa.select(Message).filter_by(subject=ABOUT)).one()
        assert message.state is MessageState.UNSURE
        assert message.body == WORDS
        address = sealing.unseal(of_site().contact_key, message.sealed_address)
        assert address == "resident@example.invalid"
        scan = hashlib.sha256(b"a scan").hexdigest()
        assert uploads.read(scan) == b"a scan"
        acts = [each.action for each in audit.page(limit=5)]
        assert "site.restored" in acts
        # Numbers go on where they had come to.
        people.make("drc_staff")
    client = app.test_client()
    people.sign_in(client, world.email("administrator"))
    assert client.get("/desk/people").status_code == 200
    close(app)


def test_a_restored_site_is_the_copied_one(running: Place, empty: Place, tmp_path: Path) -> None:
    app = running.site(CLOCK=lambda: NOON)
    with app.app_context():
        backups.make(tmp_path / "quiet", with_keys=True, now=NOON)
    before = all_rows(app)
    close(app)
    app = empty.site(CLOCK=lambda: NOON)
    with app.app_context():
        backups.restore(tmp_path / "quiet", without_keys=False, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    after = all_rows(app)
    close(app)
    for name in before.keys() - {"audit_event", "message"}:
        assert after[name] == before[name], name
    assert len(after["audit_event"]) == len(before["audit_event"]) + 1


def changed(copied: Path, target: Path, change: dict[str, bytes | None]) -> Path:
    """The copy with entries replaced, added, or (None) left out."""
    with zipfile.ZipFile(copied) as source, zipfile.ZipFile(target, "w") as made:
        for name in source.namelist():
            data = change.get(name, source.read(name))
            if data is not None:
                made.writestr(name, data)
        for name in change.keys() - set(source.namelist()):
            made.writestr(name, change[name] or b"")
        made.comment = source.comment
    # Its last 64 bytes are the hash of all before: this file is right in itself.
    data = target.read_bytes()[:-64]
    target.write_bytes(data + hashlib.sha256(data).hexdigest().encode())
    return target


def an_upload(copied: Path) -> str:
    with zipfile.ZipFile(copied) as archive:
        return next(name for name in archive.namelist() if name.startswith("uploads/"))


def test_what_is_not_whole_is_named(copied: Path, tmp_path: Path) -> None:
    upload = an_upload(copied)

    def faults(change: dict[str, bytes | None]) -> str:
        return "；".join(backups.verify(changed(copied, tmp_path / "changed", change))[1])

    assert faults({upload: b"another scan"}) == f"{upload}已被改动或损坏"
    assert faults({upload: None}) == f"缺少{upload}"
    assert faults({"uploads/../../evil": b"x"}) == "多出uploads/../../evil"
    assert faults({backups.MANIFEST: b"{"}) == "备份文件的目录不能读取。"
    assert faults({backups.MANIFEST: b'{"format": 2}'}) == "备份文件的格式来自别的版本。"
    assert faults({backups.MANIFEST: None}) == "备份文件的目录不能读取。"


def test_one_changed_byte_of_the_file_is_found(copied: Path, tmp_path: Path) -> None:
    data = bytearray(copied.read_bytes())
    with zipfile.ZipFile(copied) as archive:
        entry = archive.infolist()[0]
        directory, header = archive.start_dir, entry.header_offset
    # Of an entry its header, its name and its bytes; of the directory, what no reader of zip files
    # looks at and what each does; the seal itself.
    inside = header + 30 + len(entry.filename) + entry.compress_size // 2
    times = [header + 10, directory + 12]
    for place in (*times, header + 31, inside, *range(directory, directory + 60, 7), len(data) - 1):
        data[place] ^= 1
        (tmp_path / "flipped").write_bytes(data)
        assert backups.verify(tmp_path / "flipped")[1], place
        data[place] ^= 1
    (tmp_path / "cut").write_bytes(data[:-1])
    assert backups.verify(tmp_path / "cut")[1] == ["文件与结尾的封存码不符"]
    for left in (0, 10, len(data) // 2):
        (tmp_path / "cut").write_bytes(data[:left])
        assert backups.verify(tmp_path / "cut")[1] == ["这不是备份文件，或者文件已经损坏。"]


def refusal(path: Path, place: Place, *, without_keys: bool = False) -> str:
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context(), pytest.raises(Refused) as refused:
        backups.restore(path, without_keys=without_keys, by=audit.SYSTEM, now=NOON)
    close(app)
    return refused.value.sentence


def test_nothing_is_restored_over_something(running: Place, copied: Path) -> None:
    assert "不是空的" in refusal(copied, running)


def test_a_faulty_or_newer_copy_is_not_restored(copied: Path, empty: Place, tmp_path: Path) -> None:
    cut = changed(copied, tmp_path / "cut", {an_upload(copied): None})
    assert "不完整" in refusal(cut, empty)
    with zipfile.ZipFile(copied) as archive:
        told = json.loads(archive.read(backups.MANIFEST))
    newer = json.dumps(told | {"revision": "9999"}).encode()
    assert "更新的版本" in refusal(
        changed(copied, tmp_path / "n", {backups.MANIFEST: newer}), empty
    )


def test_without_the_keys_of_the_copy_nothing_is_restored(
    running: Place, empty: Place, tmp_path: Path
) -> None:
    app = running.site(CLOCK=lambda: NOON)
    path = tmp_path / "sealed"
    with app.app_context():
        made = backups.make(path, with_keys=False, now=NOON)
    close(app)
    assert not made.with_keys
    assert not any(name.startswith("keys/") for name in made.entries)
    assert "contact_key" in refusal(path, empty)
    app = empty.site(CLOCK=lambda: NOON)
    with app.app_context():
        assert is_empty()
    close(app)
    for name in backups.KEYS:
        shutil.copy(running.folder / name, empty.folder / name)
    app = empty.site(CLOCK=lambda: NOON)
    with app.app_context():
        backups.restore(path, without_keys=False, by=audit.COMMAND_LINE, now=NOON)
        db.session.commit()
        assert not is_empty()
    close(app)


def test_of_an_empty_site_there_is_nothing_to_copy(empty: Place, tmp_path: Path) -> None:
    app = empty.site(CLOCK=lambda: NOON)
    told = app.test_cli_runner().invoke(args=["backup", "make", str(tmp_path / "copy")])
    assert told.exit_code == 1
    assert "还是空的" in told.output
    assert not (tmp_path / "copy").exists()
    close(app)


def test_the_commands_say_what_they_did(running: Place, tmp_path: Path) -> None:
    app = running.site(CLOCK=lambda: NOON)
    runner, path = app.test_cli_runner(), str(tmp_path / "copy")
    made = runner.invoke(args=["backup", "make", path])
    assert made.exit_code == 0, made.output
    assert "密钥不在其中" in made.output
    assert "已有同名文件" in runner.invoke(args=["backup", "make", path]).output
    seen = runner.invoke(args=["backup", "verify", path])
    assert "备份完整" in seen.output
    # The seal that was written down when the copy was made is the one it is found with.
    assert made.output.split("封存码")[1][:64] == seen.output.split("封存码")[1][:64]
    refused = runner.invoke(args=["backup", "restore", path])
    assert refused.exit_code == 1
    assert "不是空的" in refused.output
    (tmp_path / "no-copy").write_bytes(b"PK\x03\x04 nothing")
    broken = runner.invoke(args=["backup", "verify", str(tmp_path / "no-copy")])
    assert broken.exit_code == 1
    assert "不是备份文件" in broken.output
    close(app)
