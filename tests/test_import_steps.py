"""A long table, brought in step by step by a worker: nothing double, nothing left out."""

import csv
import io
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consult import import_jobs, import_undoing, imports, intake, screening, term_index
from consult.consultations import Consultation
from consult.intake import Intake, IntakeState
from consult.readers.tables import Table
from consult.search_documents import Kind, SearchDocument
from consult.submissions import SubmissionState
from consult.term_index import TermEntry
from core import audit, jobs, postings, uploads
from core.db import db
from core.errors import Refused
from core.jobs import Job, JobState
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.imports_made import DESK, NONE, TODAY, a_begun_table, of_table, table_of, undo, upload
from tests.kept import events, recounted

pytestmark = pytest.mark.usefixtures("context", "small_steps")


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation()
    a_published_draft(made)
    return made


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_jobs, "AT_ONCE", 3)
    monkeypatch.setattr(import_jobs, "STEP", 4)


def csv_of(count: int) -> bytes:
    lines = [f"第{n // 2}封来信，请多种树。,乙" for n in range(count)]
    return "\n".join(["内容,备注", *lines, ",空的", ""]).encode()


def started(client: FlaskClient, count: int = 10) -> Intake:
    """A long table whose columns an officer has named."""
    people.sign_in(client, people.make("drc_staff").email)
    consultation = db.session.scalars(sa.select(Consultation)).one()
    where = upload(client, consultation, csv_of(count)).location
    assert client.post(where, data=NONE | {"body": "内容", "act": "import"}).status_code == 303
    db.session.rollback()
    return db.session.scalars(sa.select(Intake)).one()


def labour() -> bool:
    at_work = jobs.work(worker="test", now=lambda: NOON)
    db.session.rollback()
    db.session.expire_all()
    return at_work


def test_step_by_step_too_what_holds_personal_information_waits(
    client: FlaskClient, consultation: Consultation
) -> None:
    people.sign_in(client, people.make("drc_staff").email)
    lines = [f"第{n}封，电话1380013800{n}" if n % 3 == 1 else f"第{n}封，多种树" for n in range(9)]
    where = upload(client, consultation, "\n".join(["内容", *lines])).location
    form = NONE | {"body": "内容", "hold_personal": "y", "act": "import"}
    assert client.post(where, data=form).status_code == 303
    db.session.rollback()
    assert labour()
    begun = db.session.scalars(sa.select(Intake)).one()
    waits = {each.body for each in of_table(begun) if each.state is SubmissionState.PENDING}
    assert waits == {lines[1], lines[4], lines[7]}
    assert (begun.imported, consultation.received, consultation.shown) == (9, 9, 6)
    assert [each.number for each in of_table(begun)] == list(range(1, 10))
    recounted(consultation)
    assert "其中3件在审核队列里" in client.get(where).text


def test_a_long_table_is_brought_in_by_a_worker(
    client: FlaskClient, consultation: Consultation
) -> None:
    begun = started(client)
    page = client.get(f"{DESK}/{begun.id}")
    assert page.headers["Refresh"] == "5"
    assert "正在后台分批导入" in page.text
    assert "Refresh" not in client.get(f"{DESK}/{begun.id}?still=1").headers
    assert of_table(begun) == []
    with pytest.raises(Refused, match="正在导入"):
        import_undoing.must_be_possible(begun, now=NOON)
    assert labour()
    assert begun.state is IntakeState.DONE
    assert (begun.rows, begun.imported, begun.refused) == (11, 10, 1)
    assert uploads.read(begun.stored_as or "gone") is None
    assert len(of_table(begun)) == 10
    recounted(consultation)
    page = client.get(f"{DESK}/{begun.id}")
    assert "Refresh" not in page.headers
    assert "没有导入的行" in page.text
    assert len(events("submissions.imported")) == 1
    assert undo(begun) == (10, 0)


@pytest.mark.parametrize("dies_at", [0, 1, 2])
def test_a_worker_that_dies_leaves_nothing_double_and_nothing_out(
    client: FlaskClient,
    consultation: Consultation,
    monkeypatch: pytest.MonkeyPatch,
    dies_at: int,
) -> None:
    begun = started(client)
    steps = []
    store = imports.store

    def dying(*given: Any, **more: Any) -> None:
        store(*given, **more)
        steps.append(1)
        if len(steps) == dies_at + 1:
            raise sa.exc.OperationalError("killed", None, Exception())

    monkeypatch.setattr(imports, "store", dying)
    assert labour()
    assert len(of_table(begun)) == 4 * dies_at
    assert labour()
    assert begun.state is IntakeState.DONE
    assert (begun.rows, begun.imported, begun.already, begun.refused) == (11, 10, 0, 1)
    assert len(of_table(begun)) == 10
    assert [each.number for each in of_table(begun)] == list(range(1, 11))
    recounted(consultation)


def test_a_job_that_ended_early_can_be_undone_and_does_not_come_back(
    client: FlaskClient, consultation: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = started(client)
    store, steps = imports.store, []

    def stopping(*given: Any, **more: Any) -> None:
        steps.append(1)
        if len(steps) == 2:
            raise Refused("停在这里")
        store(*given, **more)

    monkeypatch.setattr(imports, "store", stopping)
    assert labour()
    job = db.session.scalars(sa.select(Job)).one()
    assert job.state is JobState.FAILED
    monkeypatch.setattr(imports, "store", store)
    assert len(of_table(begun)) == 4
    assert "导入没有完成" in client.get(f"{DESK}/{begun.id}").text
    db.session.rollback()
    assert undo(begun) == (4, 0)
    jobs.retry(job, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert labour()
    assert begun.state is IntakeState.UNDONE
    recounted(consultation)


def held(begun: Intake) -> list[tuple[object, ...]]:
    """What is kept of a table's opinions: their columns, by what they are found, what they say."""
    numbers = {each.id: each.number for each in of_table(begun)}
    by_number, _by_word = term_index.vocabulary()

    def words(terms: bytes) -> list[str]:
        return sorted(by_number[id] for id in np.frombuffer(terms, dtype="<u4"))

    entered = db.session.scalars(sa.select(TermEntry).where(TermEntry.submission_id.in_(numbers)))
    documents = db.session.scalars(
        sa.select(SearchDocument).where(
            SearchDocument.kind == Kind.OPINION, SearchDocument.thing_id.in_(numbers)
        )
    )
    return sorted(
        [
            *(
                (n.number, "self", n.title, n.body, n.fingerprint, n.once_key)
                for n in of_table(begun)
            ),
            *(
                (numbers[e.submission_id], "says", e.stance, *words(e.terms), *words(e.opposed))
                for e in entered
            ),
            *(
                (
                    numbers[d.thing_id],
                    "found",
                    d.folded,
                    d.marks.replace(f"c{begun.consultation_id}", ""),
                )
                for d in documents
            ),
        ]
    )


LETTERS = [
    "建议加装电梯，不赞成拆除绿地。",
    "ＰＭ２．５超标，面积㎡…请改善！",
    "😀请问5号线何时开通？café",
    "反对占用菜市场",
]


def letters(count: int) -> Table:
    rows = [
        [f"第{n}件", "长" * 201 if n == 3 else "关于民生", LETTERS[n % 4]] for n in range(count)
    ]
    return table_of(["编号", "标题", "内容"], *rows, ["", "空的", ""])


def long(table: Table, consultation: Consultation, *, to_queue: bool = False) -> Intake:
    """The table brought in by a worker."""
    rows = io.StringIO()
    csv.writer(rows).writerows([table.columns, *(cells for _number, cells in table.rows)])
    data = rows.getvalue().encode()
    begun = a_begun_table(consultation, to_queue=to_queue, data=data)
    import_jobs.start(
        table,
        begun,
        consultation,
        mapping=intake.guessed(table.columns),
        version_id=None,
        on_day=TODAY,
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()
    assert labour()
    assert begun.state is IntakeState.DONE
    return begun


def test_a_long_table_is_kept_as_a_short_one_wherever_its_words_are_read(
    consultation: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = letters(10)
    kept = []
    for alone in (100, 0):
        monkeypatch.setattr(import_jobs, "ALONE", alone)
        begun = long(table, a_consultation(slug=f"long-{alone}"))
        assert not db.session.scalar(
            sa.select(TermEntry.submission_id).where(TermEntry.reading_id == term_index.UNREAD)
        ), "the words were read with the rows"
        kept.append(held(begun))
    # The same, read when all of it stood in the database.
    begun = long(table, a_consultation(slug="queue"), to_queue=True)
    assert [each for each in held(begun) if each[1] != "self"] == []
    for each in of_table(begun):
        screening.decide(each, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert kept[0] == kept[1] == held(begun)
    assert {each[1] for each in kept[0]} == {"self", "says", "found"}
    assert len(kept[0]) == 30


def test_after_a_long_table_postgresql_knows_how_much_there_is_and_has_sorted_it_in(
    consultation: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.engine.dialect.name != "postgresql":
        pytest.skip("SQLite goes by no such figures")
    known = sa.text("SELECT reltuples FROM pg_class WHERE oid = 'submission'::regclass")
    waiting = sa.text(f"SELECT gin_clean_pending_list('ix_{postings.NAME}_tokens')")
    monkeypatch.setattr(import_jobs, "ALONE", 0)
    assert db.session.scalar(known) == -1, "never looked at"
    long(letters(10), consultation)
    assert db.session.scalar(known) == 10
    assert db.session.scalar(waiting) == 0


def test_short_tables_go_in_at_once(client: FlaskClient, consultation: Consultation) -> None:
    people.sign_in(client, people.make("drc_staff").email)
    where = upload(client, consultation, "内容\n多种树。\n".encode()).location
    client.post(where, data=NONE | {"body": "内容", "act": "import"})
    db.session.rollback()
    assert db.session.scalars(sa.select(Intake)).one().state is IntakeState.DONE
    assert db.session.scalars(sa.select(Job)).all() == []
