"""Long adoption tables: made by a worker that says how far it is, for who asked, for a day."""

import datetime as dt
import io
from collections.abc import Iterator
from typing import Any

import docx
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    adoption,
    adoption_files,
    adoption_papers,
    adoption_store,
    consultations,
    stage_reports,
)
from consult.adoption import Sums
from consult.adoption_files import Wanted
from consult.consultations import Consultation, Phase
from consult.submissions import Submission
from core import accounts, audit, jobs, uploads
from core.audit import AuditEvent
from core.db import db
from core.jobs import Job, JobState
from tests import people
from tests.adoptions_made import answered, decision, released
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.summaries_made import hide

AT = "/desk/consultations/jingan/adoption"


@pytest.fixture
def long_round(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Consultation]:
    """A released table that counts as long."""
    monkeypatch.setattr(adoption_files, "AT_ONCE", 2)
    with app.app_context():
        consultation = a_consultation("jingan", phase=Phase.CLOSED)
        answered(consultation)
        released(consultation)
        for name, role in (("a", "drc_staff"), ("b", "drc_staff"), ("c", "administrator")):
            people.make(role, email=f"{name}@example.invalid")
        db.session.commit()
        yield consultation


def work() -> Job:
    assert jobs.work(worker="test", now=lambda: NOON)
    job = jobs.newest(adoption_files.KIND)
    assert job is not None
    return job


def ask(client: FlaskClient, **more: str) -> str:
    answer = client.post(f"{AT}/file", data={**people.token(client, AT), "kind": "docx", **more})
    assert answer.status_code == 303
    assert answer.location is not None
    return answer.location


def test_a_long_table_is_a_job_with_progress_and_its_file_is_for_who_asked(
    long_round: Consultation, client: FlaskClient
) -> None:
    people.sign_in(client, "a@example.invalid")
    page = ask(client)
    assert "/desk/jobs/" in page
    job = work()
    assert (job.state, job.done, job.total) == (JobState.DONE, 4, 4)
    at = f"/desk/adoption-files/{job.id}"
    assert at in client.get(page).text
    paper = docx.Document(io.BytesIO(client.get(at).data))
    rows = [row for table in paper.tables[1:] for row in table.rows[1:]]
    assert sum(int(row.cells[-1].text) for row in rows) == 5
    assert "隐去的一件" not in "".join(cell.text for row in rows for cell in row.cells)
    people.sign_out(client)
    for other in "bc":
        people.sign_in(client, f"{other}@example.invalid")
        assert client.get(at).status_code == 404
        people.sign_out(client)


def test_the_full_variant_is_on_record_and_for_the_named_role(
    long_round: Consultation, client: FlaskClient
) -> None:
    people.sign_in(client, "a@example.invalid")
    token = people.token(client, AT)
    refused = client.post(f"{AT}/file", data={**token, "kind": "docx", "full": "1"})
    assert refused.status_code == 403
    people.sign_out(client)
    people.sign_in(client, "c@example.invalid")
    ask(client, full="1")
    job = work()
    paper = docx.Document(io.BytesIO(client.get(f"/desk/adoption-files/{job.id}").data))
    words = "".join(c.text for t in paper.tables[1:] for r in t.rows for c in r.cells)
    assert "隐去的一件，不应公开展示。" in words
    taken = sa.select(AuditEvent).where(AuditEvent.action == "adoption.taken_in_full")
    assert db.session.scalars(taken).one().after == {"edition": 1}


def test_what_is_made_is_removed_after_a_day(long_round: Consultation) -> None:
    by = accounts.by_email("a@example.invalid")
    assert by is not None
    wanted = Wanted(stage_id=long_round.stage_id)
    adoption_files.ask(wanted, "xlsx", name="规划编制阶段", by=by, now=NOON)
    db.session.commit()
    job = work()
    assert job.result is not None
    name = job.result["stored_as"]
    assert adoption_files.made_for(job.id, by) is not None
    adoption_files.tidy(NOON + dt.timedelta(hours=23))
    assert uploads.read(name) is not None
    adoption_files.tidy(NOON + dt.timedelta(hours=25))
    assert uploads.read(name) is None
    assert adoption_files.made_for(job.id, by) is None


# --- what anybody may read, written once ---------------------------------------------------------


@pytest.fixture
def kept_round(long_round: Consultation, monkeypatch: pytest.MonkeyPatch) -> Consultation:
    """The same, long enough for its files to be kept."""
    monkeypatch.setattr(adoption_store, "LEAST_ROWS", 2)
    return long_round


def written(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds that are written from now on."""
    kinds: list[str] = []
    real = adoption_papers.make

    def make(kind: str, *args: Any) -> bytes:
        kinds.append(kind)
        return real(kind, *args)

    monkeypatch.setattr(adoption_papers, "make", make)
    return kinds


def test_a_released_table_is_written_once(
    kept_round: Consultation, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = written(monkeypatch)
    stage = f"/programmes/{kept_round.programme.slug}/stages/{kept_round.stage.key}/adoption"
    for at in ("/consultations/jingan/adoption", stage):
        first = client.get(f"{at}/json").data
        assert client.get(f"{at}/json").data == first
    assert kinds == ["json", "json"]
    client.get("/consultations/jingan/adoption/json", headers={"Cookie": "lang=en"})
    folder = adoption_store._folder()
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_what_is_hidden_after_the_release_is_in_no_kept_file(
    kept_round: Consultation, client: FlaskClient
) -> None:
    at = "/consultations/jingan/adoption/csv"
    assert "建议加强基础教育的布局" in client.get(at).text
    words = sa.select(Submission).where(Submission.body.like("%基础教育%"))
    submission = db.session.scalars(words).one()
    hide(submission)
    db.session.commit()
    after = client.get(at).text
    assert "建议加强基础教育的布局" not in after
    assert "（内容未公开）" in after
    # Nor does the disk hold it any more.
    held = [path.read_bytes().decode() for path in adoption_store._folder().iterdir()]
    assert len(held) == 1
    assert "基础教育" not in held[0]


def test_files_that_nobody_may_read_any_more_are_removed(
    kept_round: Consultation, client: FlaskClient
) -> None:
    client.get("/consultations/jingan/adoption/csv")
    adoption_files.tidy(NOON)
    assert len(list(adoption_store._folder().iterdir())) == 1
    consultations.touch(kept_round)
    db.session.commit()
    adoption_files.tidy(NOON)
    assert list(adoption_store._folder().iterdir()) == []


def test_a_long_table_is_written_when_it_is_released(
    kept_round: Consultation, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    adoption.propose(kept_round, note="更正了一处理由。", by=audit.SYSTEM, now=NOON)
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    sent = decision(client, AT)
    assert client.post(f"{AT}/decide", data=sent).status_code == 302
    people.sign_out(client)
    assert jobs.work(worker="test", now=lambda: NOON)
    kinds = written(monkeypatch)
    for kind in adoption_papers.KINDS:
        assert client.get(f"/consultations/jingan/adoption/{kind}").status_code == 200
    assert kinds == []
    client.get("/consultations/jingan/adoption/json?edition=1")
    assert kinds == ["json"], "an earlier edition is written when somebody wants it"


def test_pages_of_a_stage_are_its_rows_and_its_sums_those_of_the_rows(
    long_round: Consultation,
) -> None:
    other = a_consultation("other", phase=Phase.CLOSED)
    answered(other)
    released(other)
    report = stage_reports.of(long_round.stage)
    assert report is not None
    rows = report.rows()
    assert len(rows) == 8
    assert [each for n in range(0, 9, 3) for each in report.rows(after=n, limit=3)] == rows
    assert report.sums() == Sums.of(rows)
    for _consultation, edition in report.made_of:
        assert adoption.sums(edition) == Sums.of(adoption.frozen(edition))
        again = Sums.from_kept(adoption.sums(edition).kept())
        assert again == adoption.sums(edition)
