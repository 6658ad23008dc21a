"""An import taken out again as a whole, and one that is brought in step by step."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    authors,
    import_jobs,
    import_undoing,
    imports,
    intake,
    screening,
    submissions,
    summaries,
    summary_readings,
    supports,
    term_index,
)
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.imports import Report
from consult.intake import Intake, IntakeState
from consult.point_rows import Point, PointState
from consult.readers.tables import Table
from consult.screening_figures import ScreeningFigure
from consult.search_documents import Kind, SearchDocument
from consult.submissions import Channel, Submission, SubmissionState
from consult.term_index import TermEntry
from core import audit, jobs, postings, uploads
from core.db import db
from core.errors import Refused
from core.jobs import Job, JobState
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.test_intake import DESK, NONE, TODAY, events, table_of, upload
from tests.test_intake import run as command
from tests.threads import at_once

COLUMNS = ["编号", "内容"]


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def consultation() -> Consultation:
    made = a_consultation()
    a_published_draft(made)
    return made


def brought_in(
    consultation: Consultation, count: int = 3, *, to_queue: bool = False, first: int = 1
) -> Intake:
    """A table of so many letters that has been brought in."""
    begun = a_table(consultation, to_queue=to_queue)
    report = bring_in(consultation, begun, count, first=first)
    assert report.imported + report.already == count
    return begun


def a_table(consultation: Consultation, *, to_queue: bool = False, data: bytes = b"x") -> Intake:
    begun = intake.begin(
        consultation,
        channel=Channel.LETTER,
        filename="来信.csv",
        data=data,
        stored_as=uploads.keep(data),
        to_queue=to_queue,
        by=audit.SYSTEM,
        now=NOON,
    )
    db.session.commit()
    return begun


def bring_in(consultation: Consultation, begun: Intake, count: int, *, first: int = 1) -> Report:
    rows = [[str(n), f"第{n}封来信，请多种一些树。"] for n in range(first, first + count)]
    report = imports.bring_in(
        table_of(COLUMNS, *rows),
        consultation,
        channel=Channel.LETTER,
        mapping={"external_id": "编号", "body": "内容"},
        outline=None,
        to_queue=begun.to_queue,
        secret="secret",
        intake=begun,
        by=audit.SYSTEM,
        now=NOON,
        on_day=TODAY,
    )
    db.session.commit()
    return report


def undo(begun: Intake, reason: str = "选错了征集") -> tuple[int, int]:
    seen = import_undoing.outlook(begun).mark
    done = import_undoing.undo(begun, reason=reason, seen=seen, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    db.session.expire_all()
    return done


def of(begun: Intake) -> list[Submission]:
    query = sa.select(Submission).where(Submission.intake_id == begun.id)
    return list(db.session.scalars(query.order_by(Submission.id)))


def recounted(consultation: Consultation) -> None:
    """What is kept equals a count of what has not been undone."""
    db.session.expire_all()
    rows = [
        each
        for each in db.session.scalars(sa.select(Submission))
        if each.state is not SubmissionState.UNDONE
    ]
    shown = [each for each in rows if each.state is SubmissionState.SHOWN]
    assert (consultation.received, consultation.shown) == (len(rows), len(shown))
    for place, (received, seen) in submissions.tallies(consultation.id).items():
        assert received == sum(each.place == place for each in rows)
        assert seen == sum(each.place == place for each in shown)
    live = sa.select(sa.func.count()).select_from(Point).where(Point.state == PointState.LIVE)
    assert db.session.scalar(live) == len(rows)
    figures = {each.kind: each.count for each in db.session.scalars(sa.select(ScreeningFigure))}
    assert figures.get("received", 0) == len(rows)


# --- undoing -------------------------------------------------------------------------------------


@pytest.mark.parametrize("to_queue", [False, True])
def test_a_whole_import_goes_with_all_its_counts(
    consultation: Consultation, to_queue: bool
) -> None:
    stays = brought_in(consultation, 2)
    begun = brought_in(consultation, 3, to_queue=to_queue, first=10)
    assert undo(begun) == (3, 0)
    recounted(consultation)
    assert consultation.received == 2
    assert {each.state for each in of(begun)} == {SubmissionState.UNDONE}
    assert {each.state for each in of(stays)} == {SubmissionState.SHOWN}
    assert (begun.state, begun.undone, begun.undone_why) == (IntakeState.UNDONE, 3, "选错了征集")


def test_it_is_shown_and_found_nowhere(client: FlaskClient, consultation: Consultation) -> None:
    begun = brought_in(consultation)
    listed = f"/consultations/{consultation.slug}/opinions"
    found = "/search/?q=第2封来信"
    assert "第2封来信" in client.get(listed).text
    undo(begun)
    for address in (listed, f"{listed}?q=第2封来信", found):
        assert "请多种一些树" not in client.get(address).text
    receipt = client.get(f"/receipts/{of(begun)[0].receipt}")
    assert "录入已经撤销" in receipt.text
    assert "请多种一些树" not in receipt.text


def test_summaries_made_before_go_on_without_it(consultation: Consultation) -> None:
    brought_in(consultation, 2)
    begun = brought_in(consultation, 3, first=10)
    summary = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert len(summary_readings.read(summary, [consultation]).counted.items) == 5
    undo(begun)
    assert len(summary_readings.read(summary, [consultation]).counted.items) == 2
    again = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    assert (again.received, again.shown) == (2, 2)
    assert summary_readings.since(summary, [consultation]).received == 0


def test_numbers_are_never_given_twice(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    undo(begun)
    later = brought_in(consultation, 2, first=50)
    assert [each.number for each in of(later)] == [4, 5]
    received = submissions.receive(
        consultation,
        submissions.Opinion(body="希望多种一些树，少铺一些砖。"),
        once_key="web",
        by=audit.RESIDENT,
        now=NOON,
        on_day=TODAY,
    )
    assert received.number == 6


def test_the_same_table_comes_in_again(consultation: Consultation) -> None:
    undo(brought_in(consultation))
    again = a_table(consultation)
    assert bring_in(consultation, again, 3).imported == 3
    recounted(consultation)
    assert undo(again) == (3, 0)


def test_what_somebody_acted_on_stays_and_is_named(consultation: Consultation) -> None:
    begun = brought_in(consultation, 5)
    hidden, supported, claimed, scanned, _other = of(begun)
    screening.decide(
        hidden,
        SubmissionState.HIDDEN,
        reason=Reason.ADVERTISEMENT,
        note="广告",
        by=audit.SYSTEM,
        now=NOON,
    )
    someone = supports.Supporter(secret="secret", browser_key="a")
    supports.give(supported, consultation, someone, now=NOON)
    resident = people.make("resident")
    authors.claim(claimed, resident, secret="secret", now=NOON)
    submissions.keep_contact(scanned.id, b"sealed", days=3, now=NOON)
    db.session.commit()
    staying = {each.number: each.why for each in import_undoing.outlook(begun).staying}
    assert staying == {
        1: "已经审核处理",
        2: "已有居民支持",
        3: "作者已归入自己的账号",
        4: "留有联系方式",
    }
    assert undo(begun) == (1, 4)
    recounted(consultation)
    again = a_table(consultation)
    assert bring_in(consultation, again, 5).already == 4


def test_who_confirms_has_seen_what_is_done(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    seen = import_undoing.outlook(begun).mark
    someone = supports.Supporter(secret="secret", browser_key="a")
    supports.give(of(begun)[0], consultation, someone, now=NOON)
    with pytest.raises(Refused, match="刚刚有变化"):
        import_undoing.undo(begun, reason="错", seen=seen, by=audit.SYSTEM, now=NOON)


@pytest.mark.parametrize("other", ["screener", "supporter"])
def test_somebody_acts_while_it_is_undone(
    app: Flask, consultation: Consultation, other: str
) -> None:
    """Either the act is refused, or whoever undoes is sent to look again: never both, never half."""
    begun_id = brought_in(consultation, to_queue=other == "screener").id
    seen = import_undoing.outlook(db.session.get_one(Intake, begun_id)).mark
    consultation_id = consultation.id
    db.session.rollback()

    def undo_it() -> None:
        begun = db.session.get_one(Intake, begun_id)
        import_undoing.undo(begun, reason="选错了", seen=seen, by=audit.SYSTEM, now=NOON)

    def act() -> None:
        first = db.session.scalars(
            sa.select(Submission).where(Submission.intake_id == begun_id).order_by(Submission.id)
        ).first()
        assert first is not None
        if other == "screener":
            screening.decide(first, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        else:
            someone = supports.Supporter(secret="secret", browser_key="a")
            standing = db.session.get_one(Consultation, consultation_id)
            supports.give(first, standing, someone, now=NOON)

    def run(number: int) -> bool:
        with app.app_context():
            try:
                (undo_it, act)[number]()
                db.session.commit()
            except Refused:
                db.session.rollback()
                return False
            return True

    undone, acted = at_once(2, run)
    assert undone is not acted
    recounted(db.session.get_one(Consultation, consultation_id))
    states = {each.state for each in of(db.session.get_one(Intake, begun_id))}
    assert (SubmissionState.UNDONE in states) is undone


def test_what_cannot_be_undone_is_said(consultation: Consultation) -> None:
    with pytest.raises(Refused, match="还没有导入"):
        undo(a_table(consultation))
    begun = brought_in(consultation)
    with pytest.raises(Refused, match="理由"):
        undo(begun, " ")
    undo(begun)
    with pytest.raises(Refused, match="已经撤销"):
        undo(begun)
    with pytest.raises(Refused, match="已经导入过"):
        bring_in(consultation, begun, 1)
    answered = a_consultation("answered", phase=Phase.ANSWERED)
    with pytest.raises(Refused, match="已经公布反馈"):
        undo(brought_in(answered))


def test_it_is_one_act_on_record(consultation: Consultation) -> None:
    begun = brought_in(consultation)
    undo(begun)
    (event,) = events("submissions.import_undone")
    assert event.after == {"undone": 3, "stayed": 0}
    assert event.reason == "选错了征集"


def test_an_undone_opinion_is_nobodys_to_act_on(consultation: Consultation) -> None:
    begun = brought_in(consultation, 1)
    undo(begun)
    (gone,) = of(begun)
    resident = people.make("resident")
    with pytest.raises(Refused):
        screening.decide(gone, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    with pytest.raises(Refused):
        screening.withdraw(gone, now=NOON)
    with pytest.raises(Refused):
        authors.claim(gone, resident, secret="secret", now=NOON)


def test_an_officer_looks_and_confirms(client: FlaskClient, consultation: Consultation) -> None:
    begun = brought_in(consultation)
    people.sign_in(client, people.make("drc_staff").email)
    page = f"{DESK}/{begun.id}"
    assert f"{page}/undo" in client.get(page).text
    look = client.get(f"{page}/undo").text
    assert "将撤销" in look
    seen = look.split('name="seen"')[1].split('value="')[1].split('"')[0]
    data = {"reason": "选错了征集", "seen": seen}
    assert client.post(f"{page}/undo", data=data).status_code == 422
    assert client.post(f"{page}/undo", data=data | {"confirm": "y"}).status_code == 303
    assert "这次导入已经撤销" in client.get(page).text
    assert "这次导入已经撤销了。" in client.get(f"{page}/undo").text
    assert "已撤销3件" in client.get(DESK).text
    db.session.rollback()
    recounted(consultation)


def test_the_command_says_and_then_does(app: Flask, tmp_path: Any) -> None:
    consultation = a_consultation("gangyao")
    file = tmp_path / "letters.csv"
    file.write_text("编号,内容\n1,希望多种一些树\n2,希望少铺一些砖\n", encoding="utf-8")
    done = command(app, file, "--channel", "letter")
    assert done.exit_code == 0, done.output
    number = db.session.scalars(sa.select(Intake.id)).one()
    words = ["submissions", "undo-import", str(number), "--reason", "选错了"]
    runner = app.test_cli_runner()
    assert "将撤销2件" in runner.invoke(args=words).output
    assert "已撤销2件" in runner.invoke(args=[*words, "--yes"]).output
    db.session.rollback()
    recounted(consultation)


def test_staff_see_where_the_opinions_behind_a_figure_come_from(
    client: FlaskClient, consultation: Consultation
) -> None:
    begun = brought_in(consultation)
    summary = summaries.make(consultation, by=audit.SYSTEM, now=NOON)
    summaries.publish(summary, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    public = client.get(f"/consultations/{consultation.slug}/summary/opinions").text
    assert "来信.csv" not in public
    for role, linked in (("drc_staff", True), ("auditor", False)):
        visitor = client.application.test_client()
        people.sign_in(visitor, people.make(role).email)
        for address in ("opinions", "opinions?state=received"):
            page = visitor.get(f"/desk/summaries/{summary.id}/{address}").text
            assert "来自表格“来信.csv”" in page
            assert "第2行" in page
            assert (f"{DESK}/{begun.id}" in page) is linked


# --- step by step --------------------------------------------------------------------------------


@pytest.fixture
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.mark.usefixtures("_small_steps")
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
    waits = {each.body for each in of(begun) if each.state is SubmissionState.PENDING}
    assert waits == {lines[1], lines[4], lines[7]}
    assert (begun.imported, consultation.received, consultation.shown) == (9, 9, 6)
    assert [each.number for each in of(begun)] == list(range(1, 10))
    recounted(consultation)
    assert "其中3件在审核队列里" in client.get(where).text


@pytest.mark.usefixtures("_small_steps")
def test_a_long_table_is_brought_in_by_a_worker(
    client: FlaskClient, consultation: Consultation
) -> None:
    begun = started(client)
    page = client.get(f"{DESK}/{begun.id}")
    assert page.headers["Refresh"] == "5"
    assert "正在后台分批导入" in page.text
    assert "Refresh" not in client.get(f"{DESK}/{begun.id}?still=1").headers
    assert of(begun) == []
    with pytest.raises(Refused, match="正在导入"):
        import_undoing.must_be_possible(begun, now=NOON)
    assert labour()
    assert begun.state is IntakeState.DONE
    assert (begun.rows, begun.imported, begun.refused) == (11, 10, 1)
    assert uploads.read(begun.stored_as or "gone") is None
    assert len(of(begun)) == 10
    recounted(consultation)
    page = client.get(f"{DESK}/{begun.id}")
    assert "Refresh" not in page.headers
    assert "没有导入的行" in page.text
    assert len(events("submissions.imported")) == 1
    assert undo(begun) == (10, 0)


@pytest.mark.usefixtures("_small_steps")
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
    assert len(of(begun)) == 4 * dies_at
    assert labour()
    assert begun.state is IntakeState.DONE
    assert (begun.rows, begun.imported, begun.already, begun.refused) == (11, 10, 0, 1)
    assert len(of(begun)) == 10
    assert [each.number for each in of(begun)] == list(range(1, 11))
    recounted(consultation)


@pytest.mark.usefixtures("_small_steps")
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
    assert len(of(begun)) == 4
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
    numbers = {each.id: each.number for each in of(begun)}
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
            *((n.number, "self", n.title, n.body, n.fingerprint, n.once_key) for n in of(begun)),
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
    begun = intake.begin(
        consultation,
        channel=Channel.LETTER,
        filename="信.csv",
        data=data,
        stored_as=uploads.keep(data),
        to_queue=to_queue,
        by=audit.SYSTEM,
        now=NOON,
    )
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


@pytest.mark.usefixtures("_small_steps")
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
    for each in of(begun):
        screening.decide(each, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    assert kept[0] == kept[1] == held(begun)
    assert {each[1] for each in kept[0]} == {"self", "says", "found"}
    assert len(kept[0]) == 30


@pytest.mark.usefixtures("_small_steps")
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


@pytest.mark.usefixtures("_small_steps")
def test_short_tables_go_in_at_once(client: FlaskClient, consultation: Consultation) -> None:
    people.sign_in(client, people.make("drc_staff").email)
    where = upload(client, consultation, "内容\n多种树。\n".encode()).location
    client.post(where, data=NONE | {"body": "内容", "act": "import"})
    db.session.rollback()
    assert db.session.scalars(sa.select(Intake)).one().state is IntakeState.DONE
    assert db.session.scalars(sa.select(Job)).all() == []
