"""Many at once: one row, one receipt, one decision, and kept counters that equal a recount.

The threads have each their own client, connection and context, as on a real server; that it also
holds between processes is tried on the live server of the journeys.
"""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import consultations, decisions, drafts, imports, proposals, screening, submissions
from consult.consultations import Consultation, Phase
from consult.decisions import Decision, Reason
from consult.readers.tables import Table
from consult.screening_figures import ScreeningFigure
from consult.submissions import Channel, Opinion, Submission, SubmissionState, Tally
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft
from tests.databases import Databases, close
from tests.threads import at_once

COMMENT = "/consultations/gangyao/comment"
BODY = "建议在老旧小区加装电梯，方便老年人上下楼。"


@pytest.fixture
def opened(app: Flask) -> Flask:
    """A site with one open consultation and its published draft."""
    with app.app_context():
        a_published_draft(a_consultation("gangyao"))
    return app


def comment(
    client: FlaskClient, *, key: str = "k" * 20, body: str = BODY, on: int = 2
) -> tuple[int, str]:
    """Send an opinion; (status, where it leads)."""
    data = {"body": body, "consent": "y", "form_key": key}
    answer = client.post(f"{COMMENT}?v=1&on={on}", data=data)
    return answer.status_code, answer.location or ""


def recounted(consultation: Consultation) -> None:
    """Every kept counter of a consultation equals a count of its rows."""
    rows = db.session.execute(
        sa.select(Submission.place, Submission.state, Submission.number).where(
            Submission.consultation_id == consultation.id
        )
    ).all()
    shown = [row for row in rows if row.state is SubmissionState.SHOWN]
    db.session.refresh(consultation)
    assert (consultation.received, consultation.shown) == (len(rows), len(shown))
    tallies = {
        place: tally
        for place, tally in submissions.tallies(consultation.id).items()
        if tally != (0, 0)
    }
    assert tallies == {
        place: (
            sum(row.place == place for row in rows),
            sum(row.place == place for row in shown),
        )
        for place in {row.place for row in rows}
    }
    assert sorted(row.number for row in rows) == list(range(1, len(rows) + 1))


def test_the_same_opinion_sent_twenty_times_at_once_is_one(opened: Flask) -> None:
    answers = at_once(20, lambda _number: comment(opened.test_client()))
    assert {code for code, _ in answers} == {302}
    assert len({where for _, where in answers}) == 1
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        assert consultation.received == 1
        recounted(consultation)
        assert db.session.scalar(_acts("submission.received")) == 1


def test_twenty_different_opinions_at_once_are_twenty(opened: Flask) -> None:
    answers = at_once(
        20,
        lambda n: comment(
            opened.test_client(), key=f"key-{n:016}", body=BODY + str(n), on=n % 8 + 1
        ),
    )
    assert {code for code, _ in answers} == {302}
    assert len({where for _, where in answers}) == 20
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        recounted(consultation)
        assert consultation.received == 20


def test_words_that_were_changed_and_sent_again_are_kept(opened: Flask) -> None:
    client = opened.test_client()
    first, second = comment(client), comment(client, body=BODY + "尽快。")
    assert first[1] != second[1]
    assert comment(client)[1] == first[1]


def test_two_screeners_showing_one_opinion_decide_once(opened: Flask) -> None:
    codes = _screened_at_once(opened, [{"act": "shown"}] * 2)
    assert sorted(codes) == [302, 409]
    with opened.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Decision.id))) == 1


def test_two_screeners_who_differ_leave_one_consistent_record(opened: Flask) -> None:
    codes = _screened_at_once(
        opened,
        [
            {"act": "shown", "seen": "pending"},
            {"act": "hidden", "reason": Reason.OFF_TOPIC.value, "seen": "pending"},
        ],
    )
    # Whoever comes second is told what the first did: neither sweeps the other's act away.
    assert sorted(codes) == [302, 409]
    with opened.app_context():
        submission = db.session.scalars(sa.select(Submission)).one()
        is_proposed = submission.id in decisions.proposals_on([submission.id])
        assert (submission.state is SubmissionState.SHOWN) is not is_proposed
        recounted(consultations.by_id(submission.consultation_id))


def test_an_author_who_withdraws_while_it_is_screened(opened: Flask) -> None:
    """Whoever is first, it ends withdrawn, and nothing of it is counted as shown."""
    comment(opened.test_client())
    screener, author = opened.test_client(), opened.test_client()
    with opened.app_context():
        person = people.make("screener")
        receipt = db.session.scalars(sa.select(Submission.receipt)).one()
    people.sign_in(screener, person)
    acts = [
        lambda: screener.post("/desk/screening/1", data={"act": "shown", "seen": "pending"}),
        lambda: author.post(f"/receipts/{receipt}/withdraw", data={"confirm": "y"}),
    ]
    codes = at_once(2, lambda n: acts[n]().status_code)
    assert codes[1] == 302
    assert codes[0] in (302, 409)
    with opened.app_context():
        submission = db.session.scalars(sa.select(Submission)).one()
        assert submission.state is SubmissionState.WITHDRAWN
        recounted(consultations.by_id(submission.consultation_id))
        assert db.session.scalar(sa.select(sa.func.count(Decision.id))) == codes.count(302)
    assert BODY not in opened.test_client().get("/consultations/gangyao/opinions").text


def test_two_who_confirm_one_proposal_confirm_it_once(opened: Flask) -> None:
    comment(opened.test_client())
    with opened.app_context():
        first = people.make("screener")
        submission = db.session.scalars(sa.select(Submission)).one()
        proposals.propose(submission, Reason.OFF_TOPIC, by=first, now=NOON)
        db.session.commit()
    clients = [opened.test_client() for _n in range(2)]
    for client in clients:
        with opened.app_context():
            person = people.make("screener")
        people.sign_in(client, person)
    codes = at_once(
        2, lambda n: clients[n].post("/desk/screening/1", data={"act": "confirm"}).status_code
    )
    assert sorted(codes) == [302, 409]
    with opened.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Decision.id))) == 1
        recounted(consultations.by_id(1))


def test_an_appeal_filed_five_times_at_once_is_one(opened: Flask) -> None:
    comment(opened.test_client())
    with opened.app_context():
        submission = db.session.scalars(sa.select(Submission)).one()
        screening.decide(submission, SubmissionState.REFERRED, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        address = f"/receipts/{submission.receipt}/appeal"
    data = {"words": "这是建议，不是诉求。"}
    codes = at_once(5, lambda _n: opened.test_client().post(address, data=data).status_code)
    assert sorted(codes) == [302, 409, 409, 409, 409]


def _screened_at_once(app: Flask, acts: list[dict[str, str]]) -> list[int]:
    comment(app.test_client())
    clients = []
    for _each in acts:
        client = app.test_client()
        with app.app_context():
            person = people.make("screener")
        people.sign_in(client, person)
        clients.append(client)
    codes = at_once(
        len(acts), lambda n: clients[n].post("/desk/screening/1", data=acts[n]).status_code
    )
    with app.app_context():
        recounted(consultations.by_id(1))
    return codes


def _acts(action: str) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.count(AuditEvent.id)).where(AuditEvent.action == action)


def test_the_closing_second(opened: Flask, clock: Clock) -> None:
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        assert consultation.closes_at is not None
        closes_at = consultation.closes_at
    client = opened.test_client()
    clock.at = closes_at - dt.timedelta(seconds=1)
    assert client.get(COMMENT).status_code == 200
    assert comment(client)[0] == 302
    clock.at = closes_at - dt.timedelta(microseconds=1)
    assert comment(client, body=BODY + "一", key="a" * 20)[0] == 302
    clock.at = closes_at
    data = {"body": BODY + "<二>\n第二行", "consent": "y", "form_key": "b" * 20}
    answer = client.post(COMMENT, data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "已经截止" in page
    kept = re.search(r"<textarea[^>]*>\n?([^<]*)</textarea>", page)
    assert kept is not None
    assert kept.group(1) == BODY + "&lt;二&gt;\n第二行"
    # The same opinion that was taken in before: its receipt is not lost by asking late.
    with opened.app_context():
        assert db.session.scalar(sa.select(sa.func.count(Submission.id))) == 2


def test_before_the_opening_second_nothing_is_taken(opened: Flask, clock: Clock) -> None:
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        assert consultation.opens_at is not None
        opens_at = consultation.opens_at
    clock.at = opens_at - dt.timedelta(microseconds=1)
    assert comment(opened.test_client())[0] == 409
    clock.at = opens_at
    assert comment(opened.test_client())[0] == 302


def test_announcing_five_times_at_once_is_announcing_once(app: Flask) -> None:
    with app.app_context():
        consultation = a_consultation("gangyao", phase=Phase.PREPARING)
        a_published_draft(consultation)
        person = people.make("drc_staff")
    clients = []
    for _n in range(5):
        clients.append(app.test_client())
        people.sign_in(clients[-1], person)
    address = "/desk/consultations/gangyao/announce"
    codes = at_once(5, lambda n: clients[n].post(address).status_code)
    assert sorted(codes) == [302, 409, 409, 409, 409]
    with app.app_context():
        assert db.session.scalar(_acts("consultation.announced")) == 1


def test_publishing_a_draft_twice_at_once_is_publishing_once(app: Flask) -> None:
    with app.app_context():
        version = a_prepared_draft(a_consultation("gangyao"))
        person = people.make("drc_staff")
    clients = []
    for _n in range(3):
        clients.append(app.test_client())
        people.sign_in(clients[-1], person)
    address = f"/desk/drafts/{version.id}/publish"
    at_once(3, lambda n: clients[n].post(address, data={"confirm": "y"}).status_code)
    with app.app_context():
        assert db.session.scalar(_acts("version.published")) == 1


TABLE = Table(
    ("编号", "内容"), tuple((n, (str(n), f"第{n}件来信，希望增加绿地。")) for n in range(2, 40))
)


def _import(consultation: Consultation, *, to_queue: bool, table: Table = TABLE) -> imports.Report:
    return imports.bring_in(
        table,
        consultation,
        channel=Channel.LETTER,
        mapping={"external_id": "编号", "body": "内容"},
        outline=None,
        to_queue=to_queue,
        secret="secret",
        by=audit.SYSTEM,
        now=NOON,
        on_day=NOON.date(),
    )


def test_one_table_imported_three_times_at_once_is_there_once(opened: Flask) -> None:
    def bring_in(_number: int) -> int:
        with opened.app_context():
            consultation = consultations.by_slug("gangyao")
            assert consultation is not None
            db.session.rollback()
            try:
                imported = _import(consultation, to_queue=False).imported
                db.session.commit()
            except (Refused, sa.exc.IntegrityError):
                db.session.rollback()
                return 0
            return imported

    imported = at_once(3, bring_in)
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        recounted(consultation)
        assert consultation.received == sum(imported) == 38


def test_an_import_goes_on_while_the_consultation_closes(opened: Flask, clock: Clock) -> None:
    """Nobody who writes a moment too late is taken in, no row of the table is lost, and none of
    them gets a number twice."""
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        assert consultation.closes_at is not None
        closes_at = consultation.closes_at
    clock.at = closes_at - dt.timedelta(seconds=1)
    assert comment(opened.test_client(), key="in-time-in-time-in-time")[0] == 302
    clients = [opened.test_client() for _n in range(6)]

    def act(number: int) -> int:
        if number < 6:
            # The first of them is the moment of closing.
            if number == 0:
                clock.at = closes_at
            key = f"race-{number:016}"
            return comment(clients[number], key=key, body=BODY + str(number))[0]
        with opened.app_context():
            consultation = consultations.by_slug("gangyao")
            assert consultation is not None
            db.session.rollback()
            imported = _import(consultation, to_queue=number == 7).imported
            db.session.commit()
            return imported

    answers = at_once(8, act)
    with opened.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        recounted(consultation)
        codes, imported = answers[:6], answers[6:]
        assert set(codes) <= {302, 409}
        assert codes[0] == 409
        assert sum(imported) == 38
        assert consultation.received == 1 + 38 + codes.count(302)
    assert comment(opened.test_client(), key="late-late-late-late-late")[0] == 409


# --- kept counters, by random lives of a consultation ---------------------------------------------

STEPS = st.one_of(
    st.tuples(st.just("receive"), st.integers(0, 7), st.integers(0, 3)),
    st.tuples(st.just("decide"), st.integers(0, 30), st.sampled_from(list(SubmissionState))),
    st.tuples(st.just("alike"), st.integers(0, 30), st.sampled_from(list(SubmissionState))),
    st.tuples(st.just("propose"), st.integers(0, 30), st.booleans()),
    st.tuples(st.just("withdraw"), st.integers(0, 30), st.just(None)),
    st.tuples(st.just("complete"), st.integers(0, 30), st.just(None)),
    st.tuples(st.just("import"), st.integers(1, 6), st.booleans()),
)


@pytest.fixture(scope="module")
def lived_in(databases: Databases) -> Iterator[Flask]:
    """A site whose lives are rolled back, one after the other."""
    place = databases.copy("tables")
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        a_published_draft(a_consultation("gangyao"))
    yield app
    close(app)
    databases.discard(place)


@given(steps=st.lists(STEPS, max_size=25))
@settings(max_examples=40)
def test_counters_equal_a_recount_whatever_happened(
    lived_in: Flask, steps: list[tuple[str, int, object]]
) -> None:
    with lived_in.app_context():
        consultation = consultations.by_slug("gangyao")
        assert consultation is not None
        version = drafts.published(consultation)
        assert version is not None
        places = [submissions.WHOLE, *(entry.id for entry in drafts.outline(version).entries)]
        for turn, (what, number, more) in enumerate(steps):
            if what == "receive":
                _receive(consultation, turn, places[number % len(places)], f"{BODY}{more}")
            elif what == "import":
                rows = TABLE.rows[:number]
                table = Table(TABLE.columns, rows)
                _import(consultation, to_queue=bool(more), table=table)
            elif isinstance(more, SubmissionState):
                _decide(number, more, alike=what == "alike")
            else:
                _step(what, number, alike=bool(more))
        db.session.flush()
        recounted(consultation)
        _figures_recounted()
        assert db.session.scalar(sa.select(sa.func.count()).select_from(Tally)) <= len(places)
        db.session.rollback()


def _figures_recounted() -> None:
    """The published figures equal a count of what they are about."""
    kept = {each.kind: each.count for each in db.session.scalars(sa.select(ScreeningFigure)).all()}
    assert kept.get("received", 0) == db.session.scalar(sa.select(sa.func.count(Submission.id)))
    changed = db.session.execute(
        sa.select(Decision.state, sa.func.count()).group_by(Decision.state)
    ).all()
    decided = {state.value: count for state, count in changed}
    for state in ("referred", "asked", "withdrawn"):
        assert kept.get(state, 0) == decided.get(state, 0)
    hidden = sum(count for kind, count in kept.items() if kind.startswith("hidden:"))
    assert hidden == decided.get("hidden", 0)
    first = sum(count for kind, count in kept.items() if kind.startswith("waited:"))
    final = [SubmissionState.SHOWN, SubmissionState.HIDDEN, SubmissionState.REFERRED]
    once = sa.select(sa.func.count(sa.distinct(Decision.submission_id)))
    assert first == db.session.scalar(once.where(Decision.state.in_(final)))


def _receive(consultation: Consultation, turn: int, place: int, body: str) -> None:
    submissions.receive(
        consultation,
        Opinion(body=body, place=place),
        # Now and then the same key again.
        once_key=f"key-{turn % 9}",
        by=audit.RESIDENT,
        now=NOON,
        on_day=NOON.date(),
    )


def _step(what: str, number: int, *, alike: bool) -> None:
    every = db.session.scalars(sa.select(Submission).order_by(Submission.id)).all()
    if not every:
        return
    submission = every[number % len(every)]
    with db.session.begin_nested() as step:
        try:
            if what == "withdraw":
                screening.withdraw(submission, now=NOON)
            elif what == "complete":
                screening.complete(submission, "补充一句。", now=NOON)
            else:
                act = proposals.propose_alike if alike else proposals.propose
                act(submission, Reason.OFF_TOPIC, by=audit.SYSTEM, now=NOON)
        except Refused:
            step.rollback()


def _decide(number: int, state: SubmissionState, *, alike: bool) -> None:
    every = db.session.scalars(sa.select(Submission).order_by(Submission.id)).all()
    if not every:
        return
    reason = Reason.OFF_TOPIC if state is SubmissionState.HIDDEN else None
    decide = screening.decide_alike if alike else screening.decide
    with db.session.begin_nested() as step:
        try:
            told = "请写明。" if state is SubmissionState.ASKED else ""
            which = every[number % len(every)]
            decide(which, state, reason=reason, told=told, by=audit.SYSTEM, now=NOON)
        except Refused:
            step.rollback()
