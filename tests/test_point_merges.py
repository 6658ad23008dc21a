"""Proposals to merge points that are alike: found, decided, refused, and never asked again."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    alike_search,
    point_acts,
    point_merges,
    point_themes,
    points,
    responses,
    screening,
    term_index,
)
from consult.comparing import Kind
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.originals import Span
from consult.point_merges import Proposal
from consult.points import Point
from consult.responses import Outcome
from consult.submissions import Submission, SubmissionState
from consult.summaries import readings
from core import audit, jobs
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.answers_made import WHY
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_point

WHO = {"by": audit.SYSTEM, "now": NOON}
LIFT = "建议在共和新路一千二百弄的老旧小区加装电梯，方便老年人上下楼，费用由政府补贴一部分。"
LIFT_TOO = LIFT.replace("方便老年人", "方便老年居民和残疾人")
PARK = "停车位太少，晚上回家绕三圈也找不到地方停。"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        yield a_consultation(phase=Phase.CLOSED)


def letter(consultation: Consultation, body: str, key: str, person: str | None = None) -> Point:
    return a_point(consultation, body, key=key, person_key=person)


def lifts(consultation: Consultation) -> list[Point]:
    """Twice the same words, by one person, once nearly the same; and something else."""
    made = [
        letter(consultation, LIFT, "a", "wang"),
        letter(consultation, LIFT.replace("，", " "), "b", "wang"),
        letter(consultation, LIFT_TOO, "c"),
    ]
    letter(consultation, "延长公园的开放时间，夏天开到晚上十点。", "d")
    return made


def proposed(consultation: Consultation) -> list[Proposal]:
    alike_search.search(consultation.id, now=NOON)
    return point_merges.page(consultation.id, limit=10)


def firsts(proposal: Proposal) -> set[int]:
    return {text.first.id for text in proposal.texts}


def confirm(proposal: Proposal, chosen: set[int] | None = None) -> point_acts.PointAct:
    shown = firsts(proposal)
    return point_merges.confirm(
        point_merges.by_id(proposal.id),
        shown,
        shown if chosen is None else chosen,
        "加装电梯",
        **WHO,
    )


def refuse(proposal: Proposal) -> point_acts.PointAct:
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
        letter(round_, "支持！" if n else "支持", f"short-{n}")
    letter(round_, "支持你", "short-near")
    equal, near = proposed(round_)
    assert (equal.equal, equal.points) == (True, 2)
    assert (near.equal, near.points) == (False, 3)


def test_confirming_is_the_merge_that_there_is_and_can_be_undone(round_: Consultation) -> None:
    made = lifts(round_)
    (found,) = proposed(round_)
    act = confirm(found)
    assert act.kind is point_acts.ActKind.MERGE
    assert len({p.group_id for p in made}) == 1
    assert made[0].group_id is not None
    assert points.counts(round_.id).rows == 2
    assert point_merges.page(round_.id, limit=10) == []
    assert proposed(round_) == []
    point_acts.undo(act, **WHO)
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
    fresh = letter(round_, LIFT, "e")
    assert proposed(round_) == [], "one alone has nothing to join"
    later = letter(round_, LIFT_TOO, "f")
    (again,) = proposed(round_)
    assert firsts(again) == {fresh.id, later.id}
    point_acts.undo(act, **WHO)
    (all_of_them,) = proposed(round_)
    assert all_of_them.points == len(made) + 2


def test_later_ones_join_the_group_that_there_is(round_: Consultation) -> None:
    made = lifts(round_)
    confirm(proposed(round_)[0])
    later = letter(round_, LIFT_TOO, "later")
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
    point_acts.merge(made[:2], "电梯", **WHO)
    assert point_merges.page(round_.id, limit=10) == []


def test_a_number_taken_by_another_proposal_confirms_nothing(round_: Consultation) -> None:
    lifts(round_)
    (found,) = proposed(round_)
    for n in range(2):
        letter(round_, PARK, f"park-{n}")
    proposed(round_)
    other = point_merges.by_id(found.id)
    with pytest.raises(Refused, match="请刷新"):
        point_merges.confirm(other, firsts(found), firsts(found), "电梯", **WHO)
    with pytest.raises(Refused, match="请刷新"):
        point_merges.refuse(None, firsts(found), **WHO)


def test_more_than_can_be_read_at_once_comes_next(
    round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alike_search, "MOST_TEXTS", 1)
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
    assert not alike_search.is_outdated(search), "what was decided needs no search"
    point_acts.undo(act, **WHO)
    assert alike_search.is_outdated(search)
    proposed(round_)
    assert not alike_search.is_outdated(search)
    letter(round_, PARK, "new")
    assert alike_search.is_outdated(search)


def test_thousands_are_searched_in_the_background(
    round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alike_search, "SOON", 2)
    lifts(round_)
    job = alike_search.ask(round_, **WHO)
    assert job is not None
    assert alike_search.ask(round_, **WHO) is job
    db.session.commit()
    assert point_merges.page(round_.id, limit=10) == []
    jobs.work(worker="test", now=lambda: NOON)
    db.session.refresh(job)
    assert job.state is jobs.JobState.DONE
    assert job.result is not None
    assert job.result["path"].endswith(f"/{round_.slug}/points/alike")
    assert len(point_merges.page(round_.id, limit=10)) == 1


# --- themes and groups -------------------------------------------------------------------------

CHARGE = "电动自行车没有地方充电，楼道里拉线很危险。"
SHED = "小区应当修一个车棚，装上充电桩给助动车用。"
BATTERY = "把电瓶拿回家里充电是火灾隐患，请统一设充电柜。"


@pytest.fixture
def of_one_theme(round_: Consultation, monkeypatch: pytest.MonkeyPatch) -> list[Point]:
    """Three points that say something of charging in their own words, and what the themes are."""
    made = [letter(round_, body, body[:3]) for body in (CHARGE, SHED, BATTERY)]
    theme = point_themes.Theme("充电、车棚", ("充电", "车棚", "电瓶"), (0, 1, 2))
    monkeypatch.setattr(point_themes, "of", lambda *_a, **_k: [theme])
    return made


def test_what_is_of_one_theme_is_proposed_with_its_words(
    round_: Consultation, of_one_theme: list[Point]
) -> None:
    first, shed, battery = of_one_theme
    (found,) = proposed(round_)
    assert (found.theme, found.terms) == ("充电、车棚", ("充电", "车棚", "电瓶"))
    assert [(t.first.id, t.terms) for t in found.texts] == [
        (first.id, ("充电",)),
        (shed.id, ("充电", "车棚")),
        (battery.id, ("充电", "电瓶")),
    ]
    assert not found.equal
    confirm(found, {first.id, shed.id})
    assert first.group_id == shed.group_id is not None
    # What was not ticked was not refused: it may still join, or be a group of its own.
    (left,) = point_merges.page(round_.id, limit=10)
    assert (firsts(left), left.into_points) == ({battery.id}, 2)
    point_merges.confirm(
        point_merges.by_id(left.id), {battery.id}, {battery.id}, "", anew=False, **WHO
    )
    assert battery.group_id == first.group_id
    assert proposed(round_) == []


def test_of_a_theme_one_may_make_another_group(
    round_: Consultation, of_one_theme: list[Point]
) -> None:
    point_acts.merge([of_one_theme[0], letter(round_, PARK, "p")], "充电", **WHO)
    (found,) = proposed(round_)
    assert found.into is not None
    both = firsts(found)
    act = point_merges.confirm(point_merges.by_id(found.id), both, both, "电瓶", anew=True, **WHO)
    assert act.after["group"] != found.into.id
    assert {p.group_id for p in of_one_theme[1:]} == {act.after["group"]}


def test_a_theme_that_is_refused_is_not_asked_again_but_like_words_are(
    round_: Consultation, of_one_theme: list[Point]
) -> None:
    (found,) = proposed(round_)
    act = refuse(found)
    assert proposed(round_) == []
    again = letter(round_, CHARGE, "again")
    (of_words,) = proposed(round_)
    assert (of_words.theme, of_words.points) == ("", 2)
    point_acts.undo(act, **WHO)
    assert {each.theme for each in proposed(round_)} == {"", "充电、车棚"}
    assert again.group_id is None


def two_groups(round_: Consultation) -> tuple[list[Point], list[Point]]:
    """Groups made apart by two people, of opinions that say the same."""
    one = [letter(round_, LIFT, f"a{n}") for n in range(3)]
    other = [letter(round_, LIFT_TOO, f"b{n}") for n in range(2)]
    point_acts.merge(one, "加装电梯", **WHO)
    point_acts.merge(other, "老房子装电梯", **WHO)
    return one, other


def test_two_groups_made_apart_become_one_and_are_parted_again(round_: Consultation) -> None:
    one, other = two_groups(round_)
    before = [p.group_id for p in one + other]
    assert proposed(round_) == []
    (pair,) = point_merges.pairs(round_.id)
    assert (pair.one_points, pair.other_points, pair.theme) == (3, 2, "")
    act = point_merges.join(point_merges.pair_by_id(pair.id), "老旧小区加装电梯", **WHO)
    assert {p.group_id for p in one + other} == {one[0].group_id}
    group = db.session.get_one(points.PointGroup, one[0].group_id)
    assert group.title == "老旧小区加装电梯"
    # Where each came from stays known.
    assert dict(act.before["groups"]) == {p.id: before[3] for p in other}
    assert point_merges.pairs(round_.id) == []
    point_acts.undo(act, **WHO)
    assert [p.group_id for p in one + other] == before
    assert group.title == "加装电梯"


def test_of_groups_that_may_be_one_the_largest_come_first(round_: Consultation) -> None:
    """Four matters in two groups each, of 2 and 2 points, 2 and 4, 2 and 2, 2 and 6."""
    for matter, more in (
        ("夜里施工太吵，孩子睡不着。", 0),
        (LIFT, 2),
        ("菜场的秤不准，请查一查。", 0),
        ("绿地被改成停车场，孩子没有玩的地方。", 4),
    ):
        for part in range(2):
            some = [letter(round_, matter, f"{matter}{part}-{n}") for n in range(2 + more * part)]
            point_acts.merge(some, f"{matter[:5]}{part}", **WHO)
    proposed(round_)
    found = point_merges.pairs(round_.id)
    assert [each.one_points + each.other_points for each in found] == [8, 6, 4, 4]
    assert [each.one.title for each in found[2:]] == ["夜里施工太0", "菜场的秤不0"]


def test_groups_that_are_not_the_same_are_not_asked_about_again(round_: Consultation) -> None:
    _one, other = two_groups(round_)
    proposed(round_)
    (pair,) = point_merges.pairs(round_.id)
    act = point_merges.keep_groups_apart(point_merges.pair_by_id(pair.id), **WHO)
    assert (proposed(round_), point_merges.pairs(round_.id)) == ([], [])
    assert point_acts.kept_apart(round_.id) == set(), "their points may still be proposed"
    with pytest.raises(Refused, match="请刷新"):
        point_merges.join(None, "", **WHO)
    point_acts.undo(act, **WHO)
    proposed(round_)
    assert len(point_merges.pairs(round_.id)) == 1
    responses.draft(other[:1], Outcome.ALREADY, WHY, **WHO)
    assert point_merges.pairs(round_.id) == [], "one that is being answered joins nothing"


def test_groups_are_joined_only_with_another_of_their_round(round_: Consultation) -> None:
    one, other = two_groups(round_)
    group = db.session.get_one(points.PointGroup, one[0].group_id)
    with pytest.raises(Refused, match="另一组"):
        point_acts.join(group, group, **WHO)
    gone = db.session.get_one(points.PointGroup, other[0].group_id)
    point_acts.ungroup(other, **WHO)
    with pytest.raises(Refused, match="没有意见点"):
        point_acts.join(gone, group, **WHO)


def test_what_waits_is_kept_as_a_number(round_: Consultation) -> None:
    def waiting() -> int:
        search = point_merges.last_search(round_.id)
        assert search is not None
        point_merges.follow(round_.id)
        return search.waiting

    point_merges.follow(round_.id)
    two_groups(round_)
    same = [letter(round_, PARK, f"park-{n}") for n in range(2)]
    proposed(round_)
    assert waiting() == 2
    act = point_acts.merge(same, "停车", **WHO)
    assert waiting() == 1
    point_acts.undo(act, **WHO)
    assert waiting() == 2
    refuse(point_merges.page(round_.id, limit=1)[0])
    assert waiting() == 1
    point_merges.join(point_merges.pair_by_id(point_merges.pairs(round_.id)[0].id), "", **WHO)
    assert waiting() == 0


def test_what_waits_follows_what_may_be_read(round_: Consultation) -> None:
    def waiting() -> int:
        db.session.flush()
        query = sa.select(alike_search.AlikeSearch.waiting)
        return db.session.scalars(query).one()

    same = [letter(round_, PARK, f"park-{n}") for n in range(2)]
    other = letter(round_, "延长公园的开放时间，夏天开到晚上十点。", "d")
    proposed(round_)
    assert waiting() == 1
    one, unlike = (
        db.session.get_one(Submission, point.submission_id) for point in (same[0], other)
    )
    hide = {"reason": Reason.OFF_TOPIC, **WHO}
    screening.decide(unlike, SubmissionState.HIDDEN, **hide)
    assert waiting() == 1, "nobody proposed to merge that one"
    screening.decide(one, SubmissionState.HIDDEN, **hide)
    assert waiting() == 0, "hidden, it is not proposed in passing"
    screening.decide(one, SubmissionState.SHOWN, **WHO)
    assert waiting() == 1
    screening.mask(one, [Span(1, 0, 2)], **WHO)
    assert waiting() == 1
    screening.withdraw(one, now=NOON)
    assert waiting() == 0
    assert point_merges.page(round_.id, limit=10) == []


def test_what_is_hidden_during_a_search_is_not_proposed(round_: Consultation) -> None:
    parking = [letter(round_, PARK, f"park-{n}") for n in range(2)]
    lifts(round_)

    def hide_one() -> None:
        gone = db.session.get_one(Submission, parking[0].submission_id)
        screening.decide(gone, SubmissionState.HIDDEN, reason=Reason.OFF_TOPIC, **WHO)

    assert alike_search.search(round_.id, now=NOON, release=hide_one) == 1
    (found,) = point_merges.page(round_.id, limit=10)
    assert found.points == 3, "that of the lifts"
    search = point_merges.last_search(round_.id)
    assert search is not None
    assert search.waiting == 1


def test_themes_are_found_among_many_and_large_ones_fall_apart(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = ["停车", "公园", "食堂"]
    rest = {
        "停车": ["车位", "车库", "收费", "夜间"],
        "公园": ["绿地", "步道", "座椅", "照明"],
        "食堂": ["助餐", "老人", "饭菜", "送餐"],
    }
    texts = [
        f"{thing}的{rest[thing][n % 4]}和{rest[thing][(n + 1) % 4]}请改进，第{n}条。"
        for thing in things
        for n in range(8)
    ]
    with app.app_context():
        lexicon = term_index.lexicon()
        found = point_themes.of(texts, lexicon, most=20)
        assert {place for each in found for place in each.members} <= set(range(24))
        assert any("停车" in each.terms for each in found)
        for each in found:
            assert len({place // 8 for place in each.members}) == 1, each.name
        assert point_themes.of(texts[:19], lexicon, most=20) == []
        monkeypatch.setattr(point_themes, "_FEW", 0)
        assert all(len(each.members) <= 4 for each in point_themes.of(texts, lexicon, most=4))


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


def test_the_page_joins_two_groups_and_the_workbench_says_how_many_wait(
    app: Flask, desk: FlaskClient
) -> None:
    with app.app_context():
        consultation = db.session.scalars(sa.select(Consultation)).one()
        one, other = two_groups(consultation)
        alike_search.search(consultation.id, now=NOON)
        db.session.commit()
        groups = one[0].group_id, other[0].group_id
    bench = "/desk/consultations/liuli/points"
    # The two groups, and each of the three points that are free.
    assert "处待确认" in desk.get(bench).text
    page = desk.get(HERE).text
    assert "“加装电梯”与“老房子装电梯”" in page
    with app.app_context():
        pair = db.session.scalars(sa.select(point_merges.AlikeGroups.id)).one()
    answer = desk.post(f"{HERE}/groups/{pair}", data={"act": "join", "title": "电梯"})
    assert answer.status_code == 303
    assert "“加装电梯”与“老房子装电梯”" not in desk.get(HERE).text
    assert "请刷新" in desk.post(f"{HERE}/groups/{pair}", data={"act": "refuse"}).text
    # By hand, from the list of one group.
    with app.app_context():
        made = [letter(consultation, PARK, f"{n}") for n in range(2)]
        point_acts.merge(made, "停车", **WHO)
        db.session.commit()
        parking = made[0].group_id
    assert "把这一整组并入" in desk.get(f"{bench}?group={parking}").text
    sent = {"act": "join", "group": parking, "into": groups[0]}
    assert desk.post(bench, data=sent).status_code == 303
    with app.app_context():
        assert len(points.members(groups[0])) == 7
    assert "另一组" in desk.post(bench, data=sent | {"into": "x"}).text


@pytest.mark.usefixtures("of_one_theme")
def test_a_theme_is_called_as_people_call_it(
    app: Flask, round_: Consultation, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed(round_)
    db.session.commit()
    client = app.test_client()
    people.sign_in(client, people.make("drc_staff"))
    opinions = db.session.scalars(sa.select(Submission.id).order_by(Submission.id)).all()
    at = f"/desk/consultations/{round_.slug}/points/alike"

    def heading(named: dict[int, str]) -> str:
        monkeypatch.setattr(readings, "given_names", lambda _id: named)
        return client.get(at).text.split("主题相同：", 1)[1].split("<", 1)[0]

    assert heading({}) == "充电、车棚"
    assert heading({opinions[0]: "楼道充电"}) == "充电、车棚", "one of three"
    assert heading(dict.fromkeys(opinions[:2], "楼道充电")) == "楼道充电"
