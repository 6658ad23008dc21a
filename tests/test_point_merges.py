"""Proposals to merge points that are alike: found, decided, refused, and never asked again."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import point_merges, points, responses, screening, submissions
from consult.comparing import Kind
from consult.consultations import Consultation, Phase
from consult.point_merges import Proposal
from consult.points import Point
from consult.responses import Outcome
from consult.submissions import Opinion, Submission, SubmissionState
from core import audit, jobs
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.answers_made import WHY
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft

WHO = {"by": audit.SYSTEM, "now": NOON}
LIFT = "建议在共和新路一千二百弄的老旧小区加装电梯，方便老年人上下楼，费用由政府补贴一部分。"
LIFT_TOO = LIFT.replace("方便老年人", "方便老年居民和残疾人")
PARK = "停车位太少，晚上回家绕三圈也找不到地方停。"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation(phase=Phase.CLOSED)


def an_opinion(consultation: Consultation, body: str, key: str, person: str | None = None) -> Point:
    received = submissions.receive(
        consultation,
        Opinion(body=body, person_key=person),
        once_key=key,
        by=audit.RESIDENT,
        now=NOON,
        on_day=NOON.date(),
    )
    submission = db.session.get_one(Submission, received.id)
    screening.decide(submission, SubmissionState.SHOWN, **WHO)
    return points.of(submission.id)[0]


def lifts(consultation: Consultation) -> list[Point]:
    """Twice the same words, by one person, once nearly the same; and something else."""
    made = [
        an_opinion(consultation, LIFT, "a", "wang"),
        an_opinion(consultation, LIFT.replace("，", " "), "b", "wang"),
        an_opinion(consultation, LIFT_TOO, "c"),
    ]
    an_opinion(consultation, "延长公园的开放时间，夏天开到晚上十点。", "d")
    return made


def proposed(consultation: Consultation) -> list[Proposal]:
    point_merges.search(consultation.id, now=NOON)
    return point_merges.page(consultation.id, limit=10)


def firsts(proposal: Proposal) -> set[int]:
    return {text.first.id for text in proposal.texts}


def confirm(proposal: Proposal, chosen: set[int] | None = None) -> points.PointAct:
    shown = firsts(proposal)
    return point_merges.confirm(
        point_merges.by_id(proposal.id),
        shown,
        shown if chosen is None else chosen,
        "加装电梯",
        **WHO,
    )


def refuse(proposal: Proposal) -> points.PointAct:
    return point_merges.refuse(point_merges.by_id(proposal.id), firsts(proposal), **WHO)


def test_what_is_alike_is_proposed_text_by_text(round_: Consultation) -> None:
    first, same, near = lifts(round_)
    (found,) = proposed(round_)
    assert (found.points, found.submissions, found.people) == (3, 3, 2)
    assert [(t.first.id, t.submissions, t.people) for t in found.texts] == [
        (first.id, 2, 1),
        (near.id, 1, 1),
    ]
    assert (found.middle.id, found.words, found.into, found.rest) == (first.id, LIFT, None, 0)
    assert not found.equal
    changed = [(r.kind, r.text) for r in found.texts[1].runs if r.kind is not Kind.SAME]
    assert changed == [(Kind.NEW, "居民和残疾")]
    assert same.group_id is None, "nothing is merged before somebody says so"


def test_equal_texts_come_first_and_short_ones_are_only_ever_equal(round_: Consultation) -> None:
    lifts(round_)
    for n in range(2):
        an_opinion(round_, "支持！" if n else "支持", f"short-{n}")
    an_opinion(round_, "支持你", "short-near")
    equal, near = proposed(round_)
    assert (equal.equal, equal.points) == (True, 2)
    assert (near.equal, near.points) == (False, 3)


def test_confirming_is_the_merge_that_there_is_and_can_be_undone(round_: Consultation) -> None:
    made = lifts(round_)
    (found,) = proposed(round_)
    act = confirm(found)
    assert act.kind is points.ActKind.MERGE
    assert len({p.group_id for p in made}) == 1
    assert made[0].group_id is not None
    assert points.counts(round_.id).rows == 2
    assert point_merges.page(round_.id, limit=10) == []
    assert proposed(round_) == []
    points.undo(act, **WHO)
    (again,) = proposed(round_)
    assert again.points == 3
    written = db.session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert written[-2:] == ["points.merged", "points.undone"]


def test_what_is_unticked_stays_apart_for_good(round_: Consultation) -> None:
    first, same, near = lifts(round_)
    (found,) = proposed(round_)
    confirm(found, {first.id})
    assert first.group_id == same.group_id is not None
    assert near.group_id is None
    assert proposed(round_) == []


def test_what_is_refused_is_proposed_again_for_new_ones_only(round_: Consultation) -> None:
    made = lifts(round_)
    (found,) = proposed(round_)
    act = refuse(found)
    assert proposed(round_) == []
    fresh = an_opinion(round_, LIFT, "e")
    assert proposed(round_) == [], "one alone has nothing to join"
    later = an_opinion(round_, LIFT_TOO, "f")
    (again,) = proposed(round_)
    assert firsts(again) == {fresh.id, later.id}
    points.undo(act, **WHO)
    (all_of_them,) = proposed(round_)
    assert all_of_them.points == len(made) + 2


def test_later_ones_join_the_group_that_there_is(round_: Consultation) -> None:
    made = lifts(round_)
    confirm(proposed(round_)[0])
    later = an_opinion(round_, LIFT_TOO, "later")
    (found,) = proposed(round_)
    assert found.into is not None
    assert (found.into.title, found.into_points, firsts(found)) == ("加装电梯", 3, {later.id})
    assert found.words == LIFT, "it is compared with what the group says"
    confirm(found)
    assert later.group_id == made[0].group_id


def test_what_is_being_answered_is_left_alone(round_: Consultation) -> None:
    first, same, _near = lifts(round_)
    proposed(round_)
    responses.draft([first], Outcome.ALREADY, WHY, **WHO)
    (found,) = point_merges.page(round_.id, limit=10)
    assert (found.points, firsts(found) & {first.id}) == (2, set()), "even of an older search"
    responses.draft([same], Outcome.ALREADY, WHY, **WHO)
    assert point_merges.page(round_.id, limit=10) == []
    assert proposed(round_) == []


def test_what_was_merged_by_hand_or_hidden_since_is_not_proposed(round_: Consultation) -> None:
    made = lifts(round_)
    (found,) = proposed(round_)
    submission = db.session.get_one(Submission, made[2].submission_id)
    submission.state = SubmissionState.HIDDEN
    with pytest.raises(Refused, match="请刷新"):
        confirm(found)
    assert point_merges.page(round_.id, limit=10)[0].points == 2
    points.merge(made[:2], "电梯", **WHO)
    assert point_merges.page(round_.id, limit=10) == []


def test_a_number_taken_by_another_proposal_confirms_nothing(round_: Consultation) -> None:
    lifts(round_)
    (found,) = proposed(round_)
    for n in range(2):
        an_opinion(round_, PARK, f"park-{n}")
    proposed(round_)
    other = point_merges.by_id(found.id)
    with pytest.raises(Refused, match="请刷新"):
        point_merges.confirm(other, firsts(found), firsts(found), "电梯", **WHO)
    with pytest.raises(Refused, match="请刷新"):
        point_merges.refuse(None, firsts(found), **WHO)


def test_more_than_can_be_read_at_once_comes_next(
    round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_merges, "MOST_TEXTS", 1)
    lifts(round_)
    (found,) = proposed(round_)
    assert (found.points, found.rest) == (2, 1)
    confirm(found)
    (rest,) = proposed(round_)
    assert (rest.points, rest.rest, rest.into is not None) == (1, 0, True)


def test_a_search_is_outdated_by_new_points_and_by_what_is_freed(round_: Consultation) -> None:
    lifts(round_)
    (found,) = proposed(round_)
    search = point_merges.last_search(round_.id)
    assert search is not None
    act = confirm(found)
    assert not point_merges.is_outdated(search), "what was decided needs no search"
    points.undo(act, **WHO)
    assert point_merges.is_outdated(search)
    proposed(round_)
    assert not point_merges.is_outdated(search)
    an_opinion(round_, PARK, "new")
    assert point_merges.is_outdated(search)


def test_thousands_are_searched_in_the_background(
    round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(point_merges, "SOON", 2)
    lifts(round_)
    job = point_merges.ask(round_, **WHO)
    assert job is not None
    assert point_merges.ask(round_, **WHO) is job
    db.session.commit()
    assert point_merges.page(round_.id, limit=10) == []
    jobs.work(worker="test", now=lambda: NOON)
    db.session.refresh(job)
    assert job.state is jobs.JobState.DONE
    assert job.result is not None
    assert job.result["path"].endswith(f"/{round_.slug}/points/alike")
    assert len(point_merges.page(round_.id, limit=10)) == 1


# --- the page ----------------------------------------------------------------------------------


@pytest.fixture
def desk(app: Flask, client: FlaskClient) -> FlaskClient:
    """Signed in as the office, with three points that are alike."""
    with app.app_context():
        account = people.make("drc_staff")
        consultation = a_consultation("liuli", phase=Phase.CLOSED)
        a_published_draft(consultation)
        lifts(consultation)
        db.session.commit()
        email = account.email
    people.sign_in(client, email)
    return client


HERE = "/desk/consultations/liuli/points/alike"


def test_the_page_searches_shows_and_merges(app: Flask, desk: FlaskClient) -> None:
    assert "还没有查找过" in desk.get(HERE).text
    assert desk.post(HERE).status_code == 303
    shown = desk.get(HERE).text
    assert "3件 · 3点 · 2人" in shown
    assert "<ins>" in shown
    with app.app_context():
        ids = [p.id for p in db.session.scalars(sa.select(Point).order_by(Point.id))]
        proposal = db.session.scalars(sa.select(point_merges.AlikeProposal.id)).one()
    kept = {"shown": [ids[0], ids[2]], "texts": [ids[0], ids[2]], "title": "加装电梯"}
    answer = desk.post(f"{HERE}/{proposal}", data={"act": "merge", **kept})
    assert answer.status_code == 303
    after = desk.get(HERE).text
    assert "已归并3点" in after
    assert "没有待确认的归并" in after
    again = desk.post(f"{HERE}/{proposal}", data={"act": "merge", **kept})
    assert "请刷新" in again.text
