"""Points: split, merged, undone; counts that reconcile; words that may be read."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from consult import (
    changes,
    imports,
    originals,
    point_acts,
    points,
    response_progress,
    responses,
    revisions,
    screening,
    submissions,
)
from consult.analysis import splitting
from consult.changes import PointChange
from consult.consultations import Consultation, Phase
from consult.originals import Span
from consult.point_rows import ActKind, PointAct
from consult.points import LIVE, Point, PointGroup
from consult.readers.tables import Table
from consult.responses import Outcome
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.answers_made import WHY, live
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Databases, close
from tests.opinions_made import a_shown_opinion

BODY = "建议加装电梯。停车位太少了！\n另外，希望增加社区食堂；还要多种树。"
WHO = {"by": audit.SYSTEM, "now": NOON}


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation(phase=Phase.CLOSED)


def an_opinion(consultation: Consultation, body: str = BODY, **fields: Any) -> Submission:
    """A shown opinion that its author calls a suggestion."""
    return a_shown_opinion(consultation, body, stance=Stance.SUGGEST, **fields)


def said(submission: Submission) -> list[str]:
    return [points.words(p, submission) for p in points.of(submission.id)]


def test_what_is_received_is_one_point(round_: Consultation) -> None:
    submission = an_opinion(round_)
    (point,) = points.of(submission.id)
    assert (point.ordinal, point.start, point.end, point.state) == (1, 0, None, LIVE)
    assert point.stance is Stance.SUGGEST
    assert said(submission) == [BODY]


def test_the_same_form_again_makes_no_second_point(round_: Consultation) -> None:
    for _again in range(2):
        submissions.receive(
            round_,
            Opinion(body=BODY),
            once_key="same",
            by=audit.RESIDENT,
            now=NOON,
            on_day=NOON.date(),
        )
    assert len(live(round_)) == 1


def test_every_imported_row_is_one_point(round_: Consultation) -> None:
    table = Table(("内容",), tuple((n, (f"{BODY}{n}",)) for n in range(2, 12)))
    for _again in range(2):
        imports.bring_in(
            table,
            round_,
            channel=Channel.LETTER,
            mapping={"body": "内容"},
            outline=None,
            secret="secret",
            on_day=NOON.date(),
            **WHO,
        )
    assert points.counts(round_.id) == points.Counts(10, 10, 10, 0, 10)


def test_a_split_keeps_every_word_and_what_was_before(round_: Consultation) -> None:
    submission = an_opinion(round_)
    (first,) = points.of(submission.id)
    spans = points.sentences(BODY)
    assert [BODY[slice(*span)].strip() for span in spans] == [
        "建议加装电梯。",
        "停车位太少了！",
        "另外，希望增加社区食堂；",
        "还要多种树。",
    ]
    act = point_acts.split(submission, spans, **WHO)
    assert act is not None
    assert said(submission) == [BODY[slice(*span)].strip() for span in spans]
    assert "".join(BODY[p.start : p.end] for p in points.of(submission.id)) == BODY
    assert first.state is points.SUPERSEDED
    assert point_acts.history(submission.id) == [act]
    assert point_acts.split(submission, spans, **WHO) is None, "it is them already"


def test_splitting_again_lets_alone_what_stays(round_: Consultation) -> None:
    submission = an_opinion(round_)
    spans = points.sentences(BODY)
    point_acts.split(submission, [(0, spans[1][1]), (spans[2][0], len(BODY))], **WHO)
    first, second = points.of(submission.id)
    point_acts.split(submission, [(0, spans[1][1]), spans[2], spans[3]], **WHO)
    now = points.of(submission.id)
    assert now[0] is first
    assert second.state is points.SUPERSEDED
    assert [p.ordinal for p in now] == [2, 4, 5], "a number is never used again"


@pytest.mark.parametrize(
    "spans",
    [
        [],
        [(0, 7)],
        [(7, len(BODY))],
        [(0, 10), (5, len(BODY))],
        [(0, 5), (9, len(BODY))],
        [(0, len(BODY) + 1)],
        [(-3, len(BODY))],
    ],
)
def test_no_word_is_lost_or_said_twice(round_: Consultation, spans: list[points.Place]) -> None:
    submission = an_opinion(round_)
    with pytest.raises(Refused):
        point_acts.split(submission, spans, **WHO)


def test_masking_after_a_split_masks_the_points(round_: Consultation) -> None:
    body = "建议加装电梯。我叫王小明，电话13800138000。希望种树。"
    submission = an_opinion(round_, body)
    point_acts.split(submission, points.sentences(body), **WHO)
    at = body.index("138")
    screening.mask(submission, [Span(1, at, at + 11)], **WHO)
    assert said(submission) == [
        "建议加装电梯。",
        "我叫王小明，电话■■■■■■■■■■■。",
        "希望种树。",
    ]
    screening.mask(submission, [], **WHO)
    assert said(submission)[1] == "我叫王小明，电话13800138000。"


def test_what_the_author_adds_belongs_to_the_last_point(round_: Consultation) -> None:
    submission = an_opinion(round_)
    point_acts.split(submission, points.sentences(BODY), **WHO)
    originals.add(submission, "是临汾路。", now=NOON)
    assert said(submission)[-1] == "还要多种树。\n是临汾路。"


def test_a_merge_is_one_row_and_is_undone(round_: Consultation) -> None:
    both = [an_opinion(round_, BODY + n, person_key="wang") for n in "一二"]
    an_opinion(round_, "建议多种树，多一些绿地。")
    first, second = (points.of(each.id)[0] for each in both)
    act = point_acts.merge([first, second], "加装电梯", **WHO)
    assert points.counts(round_.id) == points.Counts(3, 3, 2, 1, 1)
    assert first.group_id == second.group_id is not None
    point_acts.undo(act, **WHO)
    assert points.counts(round_.id) == points.Counts(3, 3, 2, 0, 3)
    with pytest.raises(Refused, match="撤销过"):
        point_acts.undo(act, **WHO)


def test_an_act_on_which_another_stands_is_not_undone(round_: Consultation) -> None:
    one, other = an_opinion(round_), an_opinion(round_, BODY + "一")
    split = point_acts.split(one, points.sentences(BODY), **WHO)
    assert split is not None
    merge = point_acts.merge([points.of(one.id)[0], points.of(other.id)[0]], "电梯", **WHO)
    with pytest.raises(Refused, match="归并"):
        point_acts.undo(split, **WHO)
    point_acts.undo(merge, **WHO)
    point_acts.undo(split, **WHO)
    assert said(one) == [BODY]
    assert db.session.scalar(sa.select(sa.func.count(PointAct.id))) == 2, "lineage is never lost"
    assert db.session.scalar(sa.select(sa.func.count(Point.id))) == 6


def test_a_point_that_is_being_answered_stays_as_it_is(round_: Consultation) -> None:
    one, other = an_opinion(round_), an_opinion(round_, BODY + "一")
    points_ = [points.of(each.id)[0] for each in (one, other)]
    merge = point_acts.merge(points_, "电梯", **WHO)
    responses.draft([points_[0]], Outcome.ALREADY, WHY, **WHO)
    for act in (
        lambda: point_acts.split(one, points.sentences(BODY), **WHO),
        lambda: point_acts.ungroup(points_, **WHO),
        lambda: point_acts.merge(points_, "另一组", **WHO),
        lambda: point_acts.undo(merge, **WHO),
    ):
        with pytest.raises(Refused, match="已经拟了答复"):
            act()
    responses.hand_back([points_[1]], "需要拆分", **WHO)
    assert point_acts.split(one, points.sentences(BODY), **WHO) is not None


def test_a_split_hands_on_who_answers(round_: Consultation) -> None:
    submission = an_opinion(round_)
    unit, help_ = people.make_unit(), people.make_unit("区房管局", "fgj")
    (point,) = points.of(submission.id)
    due = dt.date(2020, 11, 2)
    responses.route([point], unit.id, cooperating=[help_.id], due_on=due, **WHO)
    point_acts.split(submission, points.sentences(BODY), **WHO)
    parts = points.of(submission.id)
    assert {p.lead_unit_id for p in parts} == {unit.id}
    answers = responses.of_many([p.id for p in parts])
    assert {(a.unit_id, a.due_on) for a in answers.values()} == {(unit.id, due)}
    assert set(points.cooperating([p.id for p in parts])) == {p.id for p in parts}


def test_moving_is_recorded_and_undone(round_: Consultation) -> None:
    entry = a_published_draft(round_)
    submission = an_opinion(round_)
    (point,) = points.of(submission.id)
    act = point_acts.move(
        point, topic_key="housing", place=3, version_id=entry.id, stance=Stance.OPPOSE, **WHO
    )
    assert act is not None
    assert act.kind is ActKind.MOVE
    assert point_acts.move(point, topic_key="housing", **WHO) is None
    point_acts.undo(act, **WHO)
    assert (point.topic_key, point.place, point.stance) == ("", 0, Stance.SUGGEST)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("建议加装电梯。", ["建议加装电梯。"]),
        ("", []),
        ("1、建议加装电梯。2、增加车位。", ["1、建议加装电梯。", "2、增加车位。"]),
        (
            "您好，建议如下：\n一是加装电梯；\n二是增加车位。",
            ["您好，建议如下：\n一是加装电梯；\n", "二是增加车位。"],
        ),
        ("建议加装电梯。此外，希望多种树。", ["建议加装电梯。", "此外，希望多种树。"]),
        ("面积2.5公顷。很好。", ["面积2.5公顷。很好。"]),
        (
            "第一，电梯要装。方便老人。第二，多种树。",
            ["第一，电梯要装。方便老人。", "第二，多种树。"],
        ),
    ],
)
def test_a_split_is_proposed_where_another_matter_begins(text: str, parts: list[str]) -> None:
    assert [text[slice(*span)] for span in points.propose(text)] == parts


@given(st.text(st.sampled_from("一二1、。！\n（）另外此建议 a；:：…”")))
def test_sentences_and_proposals_hold_every_visible_character(text: str) -> None:
    found = splitting.sentences(text)
    assert all(text[slice(*span)].strip() for span in found)
    assert "".join("".join(text[slice(*span)].split()) for span in found) == "".join(text.split())
    assert "".join(text[slice(*span)] for span in splitting.proposed(text)) == text


# --- any sequence ------------------------------------------------------------------------------


STEP = st.tuples(
    st.sampled_from(
        [
            "receive",
            "split",
            "merge",
            "join",
            "ungroup",
            "undo",
            "withdraw",
            "draft",
            "adopt",
            "link",
            "hand-back",
        ]
    ),
    st.integers(0, 30),
    st.integers(0, 15),
)


@pytest.fixture(scope="module")
def lived_in(databases: Databases) -> Iterator[Flask]:
    """A site for the property below, which undoes what it did."""
    place = databases.copy("tables")
    app = place.site()
    with app.app_context():
        consultation = a_consultation(phase=Phase.CLOSED)
        for words in ("逐步", "全部"):
            a_published_draft(consultation, f"# 第一章 总则\n老旧小区{words}加装电梯。\n")
    yield app
    close(app)
    databases.discard(place)


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=25))
def test_counts_reconcile_after_any_sequence(
    lived_in: Flask, steps: list[tuple[str, int, int]]
) -> None:
    with lived_in.app_context():
        consultation = db.session.scalars(sa.select(Consultation)).one()
        for turn in range(3):
            an_opinion(consultation, BODY + str(turn), person_key=f"p{turn % 2}")
        linked = _links()
        for turn, (what, number, choice) in enumerate(steps):
            with db.session.begin_nested() as step:
                try:
                    _do(consultation, turn, what, number, choice)
                except Refused:
                    step.rollback()
            # Whatever becomes of its point, a link once made stays on record.
            assert linked <= (linked := _links()), what
        db.session.expire_all()
        _reconciled(consultation)
        _lineage_is_whole(consultation)
        db.session.rollback()


def _do(consultation: Consultation, turn: int, what: str, number: int, choice: int) -> None:
    if what == "receive":
        an_opinion(consultation, BODY + str(number), key=f"t{turn}", person_key=f"p{number % 4}")
        return
    every = live(consultation)
    point, other = every[number % len(every)], every[(number + choice) % len(every)]
    submission = db.session.get_one(Submission, point.submission_id)
    if what == "split":
        found = points.sentences(submission.body)
        starts = [n for n in range(1, len(found)) if choice >> n & 1]
        point_acts.split(submission, splitting.joined(found, starts, len(submission.body)), **WHO)
    elif what == "merge":
        point_acts.merge([point, other], f"组{turn}", **WHO)
    elif what == "join" and other.group_id:
        point_acts.merge([point], "", into=db.session.get(PointGroup, other.group_id), **WHO)
    elif what == "ungroup":
        point_acts.ungroup([point], **WHO)
    elif what == "withdraw":
        screening.withdraw(submission, now=NOON)
    elif what == "draft":
        responses.draft([point], Outcome.ALREADY, WHY, **WHO)
    elif what == "adopt":
        responses.draft([point], Outcome.ADOPTED, "", **WHO)
    elif what == "hand-back":
        responses.hand_back([point], WHY, **WHO)
    elif what == "link" and (later := changes.later_versions(point)):
        revision = revisions.of(later[-1])
        assert revision is not None
        if not changes.may_link(point):
            responses.draft([point], Outcome.ADOPTED, "", **WHO)
        changes.link(point, later[-1], [revision.pairs[0].entry.id], **WHO)
    elif what == "undo" and (acts := point_acts.acts_on(consultation.id)):
        point_acts.undo(acts[number % len(acts)], **WHO)


def _links() -> set[tuple[int, int]]:
    query = sa.select(PointChange.point_id, PointChange.paragraph_id)
    return {(point, paragraph) for point, paragraph in db.session.execute(query)}


def _lineage_is_whole(consultation: Consultation) -> None:
    """Every point but a submission's first was made by one split, and what stands no more was
    replaced by a split that holds or made by one that was undone."""
    ids = sa.select(Point.id, Point.ordinal, Point.state, Point.submission_id)
    every = db.session.execute(ids.where(Point.consultation_id == consultation.id)).all()
    acts = point_acts.acts_on(consultation.id, limit=1_000)
    splits = [act for act in acts if act.kind is ActKind.SPLIT]
    made = [id for act in splits for id in act.after["points"]]
    assert len(made) == len(set(made))
    assert {each.id for each in every if each.ordinal > 1} == set(made)
    ordinals = {(each.submission_id, each.ordinal) for each in every}
    assert len(ordinals) == len(every)
    replaced = {id for act in splits if not act.undone_at for id in act.before["points"]}
    taken_back = {id for act in splits if act.undone_at for id in act.after["points"]}
    assert {each.id for each in every if each.state is not LIVE} == replaced | taken_back


def _reconciled(consultation: Consultation) -> None:
    db.session.refresh(consultation)
    counts = points.counts(consultation.id)
    every = db.session.scalars(
        sa.select(Submission).where(Submission.consultation_id == consultation.id)
    ).all()
    assert counts.submissions == len(every) == consultation.received
    found = points.of_many([each.id for each in every])
    for each in every:
        parts = found[each.id]
        assert "".join(each.body[p.start : p.end] for p in parts) == each.body
        assert [p.start for p in parts[1:]] == [p.end for p in parts[:-1]]
        assert parts[-1].end is None
    assert counts.points == sum(map(len, found.values())) == len(live(consultation))
    assert counts.people == len({each.person_key or each.id for each in every})
    grouped = [p for p in live(consultation) if p.group_id]
    assert counts.groups == len({p.group_id for p in grouped})
    assert counts.single == counts.points - len(grouped)
    left, _units = response_progress.progress(consultation.id, today=NOON.date())
    gone = {each.id for each in every if each.state is SubmissionState.WITHDRAWN}
    assert left.total == counts.points - sum(len(found[id]) for id in gone)
    assert left.open == response_progress.open_count(consultation.id)
    # The points of a group are answered alike.
    answers = responses.of_many([p.id for p in grouped])
    for group in {p.group_id for p in grouped}:
        states = {
            answers[p.id].state if p.id in answers else responses.TODO
            for p in grouped
            if p.group_id == group
        }
        assert len(states) == 1
