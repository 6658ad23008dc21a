"""Long adoption tables: made by a worker that says how far it is, for who asked, for a day."""

import datetime as dt
import io
from collections.abc import Iterator

import docx
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import adoption_files
from consult.adoption_files import Wanted
from consult.consultations import Consultation, Phase
from core import accounts, jobs, uploads
from core.audit import AuditEvent
from core.db import db
from core.jobs import Job, JobState
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.test_adoption import answered, released

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
