"""Many at once while points are answered: one approval, no merge of what is being answered, and no
release past a point that has just come in. Each thread has its own connection, as on a server."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from consult import adoption, point_acts, points, response_progress, responses
from consult.adoption import AdoptionReport
from consult.consultations import Consultation, ConsultationState, Phase
from consult.point_rows import Point
from consult.responses import Outcome, Response
from consult.submissions import Channel, Submission
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests.adoptions_made import FEEDBACK
from tests.answers_made import all_final, live
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_shown_opinion
from tests.threads import at_once

WHY = "经研究，有关内容按现行安排办理，理由已说明。"


@pytest.fixture
def site(app: Flask) -> Flask:
    """A round that is closed, with three opinions that are shown."""
    with app.app_context():
        made = a_consultation("loop", phase=Phase.CLOSED)
        a_published_draft(made)
        for number in range(3):
            a_shown_opinion(made, f"建议多种行道树，第{number}封信。", Channel.LETTER)
        db.session.commit()
    return app


def the_round() -> Consultation:
    return db.session.scalars(sa.select(Consultation)).one()


def together(site: Flask, *acts: Callable[[], object]) -> list[str]:
    """Carry the acts out at the same moment; "" for each that was done, else why not."""

    def run(number: int) -> str:
        with site.app_context():
            try:
                acts[number]()
                db.session.commit()
            except Refused as refusal:
                db.session.rollback()
                return refusal.sentence
            return ""

    return at_once(len(acts), run)


def count(action: str) -> int:
    query = sa.select(sa.func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    return db.session.execute(query).scalar_one()


def test_an_answer_approved_four_times_at_once_is_approved_once(site: Flask) -> None:
    with site.app_context():
        every = live(the_round())
        responses.draft(every, Outcome.ALREADY, WHY, by=audit.SYSTEM, now=NOON)
        responses.submit(every, by=audit.SYSTEM, now=NOON)
        db.session.commit()

    def approve() -> None:
        responses.approve(live(the_round()), by=audit.COMMAND_LINE, now=NOON)

    said = together(site, *[approve] * 4)
    assert said.count("") == 1
    with site.app_context():
        assert response_progress.open_count(the_round().id) == 0
        # One a point.
        assert count("response.approved") == 3


def test_what_is_merged_while_it_is_answered_has_one_answer(site: Flask) -> None:
    """Either the answer is for the whole group, or what is answered is no longer merged, or whoever
    answers is told that the group has just become another one."""

    def merge() -> None:
        point_acts.merge(live(the_round())[:2], "行道树", by=audit.SYSTEM, now=NOON)

    def answer() -> None:
        first = live(the_round())[:1]
        responses.draft(first, Outcome.ALREADY, WHY, by=audit.SYSTEM, now=NOON)
        responses.finalise(first, by=audit.SYSTEM, now=NOON)

    said = together(site, merge, answer)
    with site.app_context():
        one, other, _third = live(the_round())
        answers = {each.point_id: each for each in db.session.scalars(sa.select(Response))}
        if said[1]:
            assert "刚刚改变了归并" in said[1]
            assert said[0] == ""
            assert one.group_id == other.group_id is not None
            assert not any(each.state is responses.FINAL for each in answers.values())
            return
        assert answers[one.id].state is responses.FINAL
        if said[0] == "":
            assert one.group_id == other.group_id is not None
            assert answers[other.id].state is responses.FINAL
        else:
            assert one.group_id is None


def test_a_point_that_comes_in_while_the_table_is_released(site: Flask) -> None:
    """The table is complete: it holds the point, or it is not released, or the point comes after
    and is told that the round has been answered."""
    with site.app_context():
        all_final(the_round())
        adoption.propose(the_round(), feedback=FEEDBACK, by=audit.SYSTEM, now=NOON)
        db.session.commit()

    def release() -> None:
        consultation = the_round()
        report = db.session.scalars(sa.select(AdoptionReport)).one()
        adoption.release(
            report, consultation, site="http://localhost", by=audit.COMMAND_LINE, now=NOON
        )

    def arrive() -> None:
        a_shown_opinion(the_round(), "迟到的一封信，建议多设座椅。", Channel.LETTER)

    said = together(site, release, arrive)
    with site.app_context():
        consultation = the_round()
        report = db.session.scalars(sa.select(AdoptionReport)).one()
        out = report.released_at is not None
        assert out is (said[0] == "")
        assert (consultation.state is ConsultationState.ANSWERED) is out
        if out:
            kept = {point for row in adoption.frozen(report) for point in row.points}
            final = db.session.scalars(
                sa.select(Response.point_id).where(Response.state == responses.PUBLISHED)
            )
            assert kept == set(final)
        else:
            assert "没有定稿的答复" in said[0]
            assert response_progress.open_count(consultation.id) == 1


def test_two_who_release_one_table_release_it_once(site: Flask) -> None:
    with site.app_context():
        all_final(the_round())
        adoption.propose(the_round(), feedback=FEEDBACK, by=audit.SYSTEM, now=NOON)
        db.session.commit()

    def release() -> None:
        report = db.session.scalars(sa.select(AdoptionReport)).one()
        adoption.release(
            report, the_round(), site="http://localhost", by=audit.COMMAND_LINE, now=NOON
        )

    said = together(site, release, release, release)
    assert said.count("") == 1
    with site.app_context():
        assert count("adoption.released") == 1
        assert db.session.scalar(sa.select(sa.func.count(Point.id))) == 3


def test_two_who_split_one_letter_leave_it_whole(site: Flask) -> None:
    """Whatever the order, its live points hold every character once."""
    with site.app_context():
        first = db.session.scalars(sa.select(Submission).order_by(Submission.id)).first()
        assert first is not None
        id, middle = first.id, len(first.body) // 2

    def split(at: int) -> None:
        submission = db.session.get_one(Submission, id)
        spans = [(0, at), (at, len(submission.body))]
        point_acts.split(submission, spans, by=audit.SYSTEM, now=NOON)

    together(site, *[lambda at=at: split(at) for at in (middle - 2, middle, middle + 2)])
    with site.app_context():
        submission = db.session.get_one(Submission, id)
        parts = [points.words(each, submission) for each in points.of(id)]
        assert "".join(parts) == submission.body
        assert len(parts) == 2
