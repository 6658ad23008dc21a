"""Archive files: complete, in order, the same again, and each tampering named."""

import csv
import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import archives, consultations
from consult.archives import Variant
from consult.archiving import Paper, Wrong, pack, verify
from core import audit
from core.audit import AuditEvent
from core.db import db
from tests import world
from tests.databases import Databases, close

PAPERS = [
    Paper("01-notice/notice.json", b'{"title": "a"}\n'),
    Paper("02-drafts/version-01.txt", "城区更新。\n".encode() * 400),
    Paper("03-opinions/opinions.csv", b"number,body\r\n1,yes\r\n"),
]


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    path = tmp_path / "a.zip"
    pack(PAPERS, {"title": "征求意见"}, path)
    return path


def names(path: Path) -> set[tuple[Wrong, str]]:
    return {(fault.wrong, fault.name) for fault in verify(path).faults}


def rewritten(path: Path, change: dict[str, bytes | None]) -> None:
    """The archive with some papers changed, added or taken out, by somebody who has a zip program."""
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    content |= {name: data for name, data in change.items() if data is not None}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in content.items():
            if change.get(name, b"") is not None:
                new.writestr(name, data)


def test_a_fresh_archive_is_complete_and_unchanged(packed: Path) -> None:
    found = verify(packed)
    assert found.faults == ()
    assert found.papers == 3
    assert found.about["title"] == "征求意见"


def test_the_same_papers_give_the_same_bytes(packed: Path, tmp_path: Path) -> None:
    again = tmp_path / "b.zip"
    pack(iter(PAPERS), {"title": "征求意见"}, again)
    assert again.read_bytes() == packed.read_bytes()


def test_a_changed_paper_is_named(packed: Path) -> None:
    rewritten(packed, {PAPERS[2].name: b"number,body\r\n1,no!\r\n"})
    assert (Wrong.CHANGED, PAPERS[2].name) in names(packed)


def test_a_missing_and_an_added_paper_are_named(packed: Path) -> None:
    rewritten(packed, {PAPERS[0].name: None, "03-opinions/more.csv": b"x"})
    assert {(Wrong.MISSING, PAPERS[0].name), (Wrong.ADDED, "03-opinions/more.csv")} <= names(packed)


def test_without_its_manifest_nothing_is_proved(packed: Path) -> None:
    rewritten(packed, {"manifest.json": None})
    assert (Wrong.NO_MANIFEST, "") in names(packed)


def test_a_paper_that_grew_into_a_bomb_is_not_read_to_its_end(packed: Path) -> None:
    rewritten(packed, {PAPERS[0].name: b"\0" * 50_000_000})
    assert (Wrong.CHANGED, PAPERS[0].name) in names(packed)


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04" + b"\0" * 100, b"x" * 5000])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "no.zip"
    path.write_bytes(data)
    assert names(path) == {(Wrong.NOT_AN_ARCHIVE, "")}


@given(st.data())
def test_any_changed_byte_shows(packed_bytes: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(packed_bytes) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != packed_bytes[place]))
    path = Path(os.environ["PYTEST_TMP_ARCHIVE"])
    path.write_bytes(packed_bytes[:place] + bytes([other]) + packed_bytes[place + 1 :])
    assert verify(path).faults


@pytest.fixture
def packed_bytes(packed: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setenv("PYTEST_TMP_ARCHIVE", str(packed.with_name("changed.zip")))
    return packed.read_bytes()


def test_it_verifies_on_a_machine_that_has_no_site(packed: Path) -> None:
    # -S: without site-packages, so neither Flask nor SQLAlchemy can be there.
    command = [sys.executable, "-S", "-m", "consult.archiving", str(packed)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rewritten(packed, {PAPERS[1].name: b"other"})
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert PAPERS[1].name in done.stderr


# --- of a consultation ---------------------------------------------------------------------------


@pytest.fixture
def site(databases: Databases) -> Flask:  # type: ignore[misc]
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: world.NOON)
    yield app  # type: ignore[misc]
    close(app)
    databases.discard(place)


def made(app: Flask, variant: Variant, path: Path) -> dict[str, str]:
    """The papers of the open consultation by name."""
    with app.app_context():
        consultation = consultations.by_slug(world.OPEN)
        assert consultation is not None
        archives.make(consultation, variant, path, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
    assert verify(path).faults == ()
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def test_the_record_holds_every_opinion_once(site: Flask, tmp_path: Path) -> None:
    papers = made(site, Variant.MASKED, tmp_path / "a.zip")
    lines = list(csv.reader(io.StringIO(papers["03-opinions/opinions.csv"])))[1:]
    notice = json.loads(papers["01-notice/notice.json"])
    # What an undone import had brought in stays on record and counts nowhere.
    assert len([line for line in lines if line[3] != "undone"]) == notice["received"]
    assert [int(line[0]) for line in lines] == list(range(1, len(lines) + 1))


def test_the_masked_variant_says_nothing_of_what_is_not_shown(site: Flask, tmp_path: Path) -> None:
    masked = made(site, Variant.MASKED, tmp_path / "a.zip")
    full = made(site, Variant.FULL, tmp_path / "b.zip")
    number = "13800138000"
    assert number in "".join(full.values())
    assert number not in "".join(masked.values())
    for cells in list(csv.reader(io.StringIO(masked["03-opinions/opinions.csv"])))[1:]:
        assert cells[3] == "shown" or cells[-3:] == ["", "", ""]
    assert "发改委" not in masked["08-record/acts.jsonl"]


def test_archiving_twice_gives_the_same_file_and_two_acts(site: Flask, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    made(site, Variant.MASKED, first)
    made(site, Variant.MASKED, second)
    assert first.read_bytes() == second.read_bytes()
    with site.app_context():
        acts = db.session.query(AuditEvent).filter_by(action="consultation.archived").all()
        assert len(acts) == 2
        assert acts[0].after is not None
        assert acts[0].after["seal"] == verify(first).seal


def test_staff_download_the_masked_variant_only(site: Flask, tmp_path: Path) -> None:
    client = world.sign_in(site, "drc_staff")
    address = f"/desk/consultations/{world.OPEN}/archive"
    answer = client.post(address, data={"variant": "masked"})
    assert answer.mimetype == "application/zip"
    path = tmp_path / "got.zip"
    path.write_bytes(answer.data)
    assert verify(path).faults == ()
    assert zipfile.is_zipfile(io.BytesIO(answer.data))
    assert client.post(address, data={"variant": "full"}).status_code == 403
    boss = world.sign_in(site, "administrator")
    assert boss.post(address, data={"variant": "full"}).status_code == 200


def test_the_command_line_makes_and_verifies(site: Flask, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    runner = site.test_cli_runner()
    done = runner.invoke(args=["archive", "make", world.OPEN, "-o", str(path)])
    assert done.exit_code == 0, done.output
    assert runner.invoke(args=["archive", "verify", str(path)]).exit_code == 0
    rewritten(path, {"02-drafts/version-01.txt": b"other words"})
    done = runner.invoke(args=["archive", "verify", str(path)])
    assert done.exit_code == 1
    assert "02-drafts/version-01.txt" in done.output
    assert runner.invoke(args=["archive", "make", "nowhere", "-o", str(path)]).exit_code == 1
