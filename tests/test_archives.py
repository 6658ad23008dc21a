"""Archive files: complete, in order, the same again, and each tampering named."""

import csv
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from docx import Document
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import archives, consultations, lexicons, responses, summaries
from consult.archives import Variant
from consult.archiving import Paper, Wrong, pack, verify
from consult.consultations import Consultation
from consult.point_rows import Point
from consult.responses import Outcome, Response, needs_answer
from consult.submissions import Submission
from core import audit, uploads
from core.audit import AuditEvent
from core.db import db
from panel.papers import MeetingPaper
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


def made(app: Flask, variant: Variant, path: Path, slug: str = world.OPEN) -> dict[str, str]:
    """The papers of a consultation by name."""
    with app.app_context():
        consultation = consultations.by_slug(slug)
        assert consultation is not None
        archives.make(consultation, variant, path, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
    assert verify(path).faults == ()
    with zipfile.ZipFile(path) as archive:
        # The files of meetings are no text.
        return {
            name: archive.read(name).decode("utf-8-sig", "replace") for name in archive.namelist()
        }


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


@pytest.mark.parametrize("slug", [world.OPEN, world.ANSWERED])
def test_the_papers_lie_in_order_and_the_guide_knows_each(
    site: Flask, tmp_path: Path, slug: str
) -> None:
    papers = made(site, Variant.FULL, tmp_path / "a.zip", slug)
    names = [name for name in papers if name != "manifest.json"]
    assert [name.split("/")[0] for name in names] == sorted(name.split("/")[0] for name in names)
    guide = papers["00-guide.txt"]
    for name in names:
        folder, _slash, file = name.rpartition("/")
        assert f"{folder}/" in guide or not folder
        kind = re.sub(r"-\d+\.", "-*.", file)
        assert folder in ("", "02-drafts", "04-meetings") or kind in guide, name
    for code in ("hotline", "kept_for_study", "in_review", "experts", "undone", "question"):
        assert f"{code} " in guide, "every code of every column is told"


def test_every_point_and_its_way_are_in_the_record(site: Flask, tmp_path: Path) -> None:
    reason = "正在拟写的理由，还没有公布，不能让人读到。"
    with site.app_context():
        waiting = sa.select(Point).join(Submission, Submission.id == Point.submission_id)
        waiting = waiting.join(Consultation, Consultation.id == Point.consultation_id)
        waiting = waiting.outerjoin(Response, Response.point_id == Point.id).where(
            Consultation.slug == world.OPEN, needs_answer(), Response.state.is_(None)
        )
        point = db.session.scalars(waiting.order_by(Point.id)).first()
        assert point is not None
        responses.draft([point], Outcome.DECLINED, reason, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
    masked = made(site, Variant.MASKED, tmp_path / "a.zip")
    full = made(site, Variant.FULL, tmp_path / "b.zip")
    assert reason in full["06-decisions/points.csv"]
    assert reason in full["06-decisions/answer-versions.csv"]
    assert reason not in "".join(masked.values())
    rows = {
        name: _rows(each["06-decisions/points.csv"])
        for name, each in (("masked", masked), ("full", full))
    }
    with site.app_context():
        number = db.session.scalar(
            sa.text(
                "SELECT COUNT(*) FROM point p JOIN consultation c ON c.id = p.consultation_id"
                " WHERE c.slug = :slug"
            ),
            {"slug": world.OPEN},
        )
    assert len(rows["masked"]) == len(rows["full"]) == number
    for row in rows["masked"]:
        assert row["answer"] == "published" or row["outcome"] == row["reason"] == ""
    assert "06-decisions/answer-versions.csv" in full
    assert "06-decisions/answer-versions.csv" not in masked
    for paper in (masked, full):
        acts = [json.loads(line) for line in paper["08-record/acts.jsonl"].splitlines()]
        assert "response.routed" in {act["action"] for act in acts}
        drafted = [act["after"] for act in acts if act["action"] == "response.drafted"]
        assert all(("outcome" in after) is (paper is full) for after in drafted), "not out yet"
        known = {f"point:{row['id']}" for row in rows["full"]}
        assert {act["thing"] for act in acts if act["thing"].startswith("point:")} <= known


def test_a_snapshot_comes_with_its_figures_and_the_whole_lexicon(
    site: Flask, tmp_path: Path
) -> None:
    for variant in Variant:
        papers = made(site, variant, tmp_path / "a.zip")
        snapshots = [json.loads(papers[name]) for name in papers if "/summary-" in name]
        assert snapshots
        for each in snapshots:
            if variant is Variant.MASKED:
                assert each["published_at"]
                assert ("said" in each) is (each["state"] == "published")
                assert "counted" not in each
            if "said" in each:
                assert each["said"]["counts"]["submissions"] <= each["shown"]
                text = papers[each["lexicon_paper"]]
                words = [
                    word for line in text.splitlines() for word in line.partition(":")[2].split()
                ]
                words += [
                    line
                    for line in text.splitlines()
                    if line and line[0] != "[" and ":" not in line
                ]
                number = int(each["lexicon_paper"][-7:-4])
                with site.app_context():
                    entries = lexicons.all_of(lexicons.at(number))
                assert sorted(words) == sorted(entry.word for entry in entries)


def test_a_draft_nobody_could_read_is_in_the_full_variant_only(site: Flask, tmp_path: Path) -> None:
    # The closed round's second version is only being prepared.
    masked = made(site, Variant.MASKED, tmp_path / "a.zip", world.CLOSED)
    full = made(site, Variant.FULL, tmp_path / "b.zip", world.CLOSED)
    assert "02-drafts/version-01.txt" in masked
    assert "02-drafts/version-02.txt" not in masked
    assert "02-drafts/version-02.txt" in full


def test_a_released_table_is_archived_with_how_it_came_about(site: Flask, tmp_path: Path) -> None:
    papers = made(site, Variant.MASKED, tmp_path / "a.zip", world.ANSWERED)
    edition = json.loads(papers["07-report/edition-01.json"])
    lines = _rows(papers["07-report/edition-01.csv"])
    assert edition["points"] == sum(int(line["count"]) for line in lines)
    assert edition["released_at"] >= edition["proposed_at"] != ""
    assert "released_by" not in edition, "who acted is for the full variant"


@pytest.mark.parametrize("variant", list(Variant))
def test_a_released_table_is_archived_as_the_paper_it_was(
    site: Flask, tmp_path: Path, variant: Variant
) -> None:
    """Cell by cell what the data of the same archive say, and the same bytes each time."""
    path = tmp_path / "a.zip"
    lines = _rows(made(site, variant, path, world.ANSWERED)["07-report/edition-01.csv"])
    with zipfile.ZipFile(path) as archive:
        data = archive.read("07-report/edition-01.docx")
    document = Document(io.BytesIO(data))
    assert "第1版" in document.paragraphs[1].text
    printed = {
        (row.cells[0].text, row.cells[1].text, row.cells[4].text, row.cells[6].text)
        for grid in document.tables
        for row in grid.rows
        if len(row.cells) == 9
    }
    told = {
        (line["number"], line["who"], " ".join(line["words"].split()), line["reason"])
        for line in lines
    }
    assert lines
    assert told <= printed
    with zipfile.ZipFile(io.BytesIO(data)) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    made(site, variant, tmp_path / "b.zip", world.ANSWERED)
    assert path.read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_meetings_and_their_minutes_are_in_the_record_as_everybody_may_read_them(
    site: Flask, tmp_path: Path
) -> None:
    found = {}
    for variant in Variant:
        papers = made(site, variant, tmp_path / "a.zip")
        every = [
            json.loads(papers[name]) for name in papers if name.startswith("04-meetings/meeting-")
        ]
        found[variant] = {each["title"]: each for each in every}
        assert "https://meeting.example.invalid" not in "".join(papers.values())
    masked, full = found[Variant.MASKED], found[Variant.FULL]
    assert full.keys() - masked.keys() == {"筹备中的会"}, "nobody outside the desk knows of it"
    held = next(each for each in full.values() if each["state"] == "recorded")
    assert held["agenda"][0]["version"] == 1
    assert held["minutes"]
    assert all("speaker" in said for said in held["minutes"])
    assert all(
        "speaker" not in said for each in masked.values() for said in each.get("minutes", ())
    )
    assert [each["state"] for each in masked.values() if "minutes" in each] == ["recorded"]
    lots = masked[held["title"]]["lots"]
    assert lots == held["lots"], "all of a draw is public"
    assert (lots["seed"], lots["seed_source"]) == ("2020", "当天的收盘指数")
    assert [each["source"] for each in lots["former_sources"]] == ["当天的开奖号码"]
    assert set(lots["drawn"]) <= set(lots["numbers"])
    assert len(lots["drawn"]) == lots["seats"] == 1
    waits = next(each for each in masked.values() if each["title"] == "等种子的会")
    assert "seed" not in waits["lots"]


def test_the_papers_of_meetings_are_in_the_record_as_they_were_given_out(
    site: Flask, tmp_path: Path
) -> None:
    """Masked those that everybody may have, and each is the file that was uploaded."""
    with site.app_context():
        told = db.session.scalars(sa.select(MeetingPaper).order_by(MeetingPaper.id)).all()
        assert {each.is_public for each in told} == {True}
        # Masked as everybody is given it, without the name of who wrote it.
        noted = b"%PDF-1.4 3 0 obj <</Author (zhangsan)>> endobj trailer <</Info 3 0 R>>"
        told[2].is_public, told[2].sha256 = True, uploads.keep_by_content(noted)
        told[0].is_public, told[0].sha256 = False, uploads.keep_by_content(b"%PDF-1.4 inside")
        told[1].sha256 = uploads.keep_by_content(b"%PDF-1.4 lost")
        uploads.remove(told[1].sha256)
        db.session.commit()
        inside, lost = ((f"04-meetings/paper-{each.id:04}.pdf", each.sha256) for each in told[:2])
    for variant in Variant:
        path = tmp_path / f"{variant}.zip"
        papers = made(site, variant, path)
        listed = {
            each["sha256"]: each
            for name, text in papers.items()
            if name.startswith("04-meetings/meeting-")
            for each in json.loads(text)["papers"]
        }
        assert (inside[1] in listed) is (variant is Variant.FULL)
        assert (inside[0] in papers) is (variant is Variant.FULL)
        assert listed[lost[1]]["file"] == ""
        assert lost[0] not in papers
        with zipfile.ZipFile(path) as archive:
            for sha256, each in listed.items():
                if each["file"]:
                    assert hashlib.sha256(archive.read(each["file"])).hexdigest() == sha256
        assert ("zhangsan" in "".join(papers.values())) is (variant is Variant.FULL)
        manifest = {each["name"] for each in json.loads(papers["manifest.json"])["papers"]}
        assert {each["file"] for each in listed.values()} - {""} <= manifest


def test_the_summaries_of_the_stage_are_in_the_full_record(site: Flask, tmp_path: Path) -> None:
    """They are never published; their figures are of all the stage's consultations."""
    with site.app_context():
        consultation = consultations.by_slug(world.OPEN)
        assert consultation is not None
        stage = summaries.make(consultation.stage, by=audit.SYSTEM, now=world.NOON)
        db.session.commit()
        number, shown = stage.number, stage.shown
    name = f"05-summaries/stage-summary-{number:03}.json"
    assert name not in made(site, Variant.MASKED, tmp_path / "a.zip")
    papers = made(site, Variant.FULL, tmp_path / "b.zip")
    told = json.loads(papers[name])
    assert told["said"]["counts"]["submissions"] == shown
    assert told["lexicon_paper"] in papers
    assert "counted" not in told, "the opinions of others are not this consultation's record"


def _rows(paper: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(paper)))


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
