"""Who of a unit answers a point: named by the office or the unit, and only while they may answer."""

import datetime as dt
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import officers, point_acts, point_letters, points, response_progress, responses
from consult.consultations import Consultation, Phase
from consult.point_acts import ActKind
from consult.points import Point
from consult.responses import Outcome
from consult.submissions import Submission
from core import accounts, audit
from core.accounts import Account
from core.audit import AuditEvent
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message, Post
from core.units import Unit
from tests import people
from tests.answers_made import WHY
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_point

WHO = {"by": audit.SYSTEM, "now": NOON}
DESK = "/desk/consultations/gangyao/points"
DUE = responses.due_day(NOON.date())


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        made = a_consultation(phase=Phase.CLOSED)
        a_published_draft(made)
        yield made


def routed(round_: Consultation, unit: Unit, count: int = 1) -> list[Point]:
    found = [a_point(round_, f"建议{unit.name}在第{n}个小区加装电梯。") for n in range(count)]
    responses.route(found, unit.id, due_on=DUE, **WHO)
    return found


def named(point: Point) -> int | None:
    found = officers.named([point.id]).get(point.id)
    return found.id if found else None


def a_third() -> Unit:
    return people.make_unit("区民政局", "mzj")


def client_of(app: Flask, person: Account) -> FlaskClient:
    client = app.test_client()
    people.sign_in(client, person)
    return client


def test_only_the_active_staff_of_the_unit_may_be_named(round_: Consultation) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff, stranger = people.make("unit_staff", unit=unit), people.make("unit_staff", unit=other)
    resident = people.make("resident", unit=unit)
    (point,) = routed(round_, unit)
    assert [each.id for each in officers.of_units([unit.id])] == [staff.id]
    for nobody in (stranger, resident):
        with pytest.raises(Refused, match="工作人员"):
            responses.assign([point], nobody.id, **WHO)
    assert responses.assign([point], staff.id, **WHO) is not None
    assert named(point) == staff.id
    assert responses.assign([point], staff.id, **WHO) is None, "named already"
    # Where nobody is to answer yet, nobody is named; nor where all is said.
    loose = a_point(round_, "建议多种一些树。")
    with pytest.raises(Refused, match="分办"):
        responses.assign([loose], staff.id, **WHO)
    responses.draft([point], Outcome.ALREADY, WHY, **WHO)
    responses.finalise([point], **WHO)
    with pytest.raises(Refused, match="定稿"):
        responses.assign([point], None, **WHO)


def test_what_somebody_is_writing_is_not_overtaken_by_it(round_: Consultation) -> None:
    unit = people.make_unit()
    staff, (point,) = people.make("unit_staff", unit=unit), routed(round_, unit)
    answer = responses.of(point.id)
    assert answer is not None
    seen = answer.revision
    responses.assign([point], staff.id, **WHO)
    responses.draft([point], Outcome.ALREADY, WHY, seen=seen, **WHO)


def test_whoever_leaves_answers_no_more_and_whoever_comes_back_does(round_: Consultation) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff, (point,) = people.make("unit_staff", unit=unit), routed(round_, unit)
    responses.assign([point], staff.id, **WHO)
    accounts.deactivate(staff, **WHO)
    db.session.flush()
    assert named(point) is None
    accounts.activate(staff, **WHO)
    db.session.flush()
    assert named(point) == staff.id
    accounts.set_unit(staff, other, **WHO)
    db.session.flush()
    assert named(point) is None
    *_staff, nobody = response_progress.by_person(unit.id, today=NOON.date())
    assert (nobody.id, nobody.states[responses.TODO]) == (None, 1)


def test_another_unit_begins_without_a_person(round_: Consultation) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff, (point,) = people.make("unit_staff", unit=unit), routed(round_, unit)
    responses.assign([point], staff.id, **WHO)
    responses.route([point], unit.id, due_on=DUE, **WHO)
    assert named(point) == staff.id, "the same unit, another day"
    responses.reassign([point], other.id, reason="属于房管", **WHO)
    responses.reassign([point], unit.id, reason="还是建管", **WHO)
    assert named(point) is None
    responses.assign([point], staff.id, **WHO)
    responses.hand_back([point], "不属于我单位。", **WHO)
    responses.route([point], unit.id, due_on=DUE, **WHO)
    assert named(point) is None


def test_naming_is_recorded_and_undone_unless_something_came_after(round_: Consultation) -> None:
    unit = people.make_unit()
    first, second = (people.make("unit_staff", unit=unit) for _n in range(2))
    one, two = routed(round_, unit, 2)
    early = responses.assign([one], first.id, **WHO)
    late = responses.assign([one, two], second.id, **WHO)
    assert early is not None
    assert late is not None
    assert late.kind is ActKind.ASSIGN
    assert second.name in point_acts.told([late])[late.id]
    with pytest.raises(Refused, match="之后"):
        point_acts.undo(early, **WHO)
    point_acts.undo(late, **WHO)
    assert (named(one), named(two)) == (first.id, None)
    point_acts.undo(early, **WHO)
    assert named(one) is None
    told = [(each.before, each.after) for each in officers.history(one.id)]
    assert told == [(first.name, second.name), ("", first.name)]
    query = sa.select(sa.func.count(AuditEvent.id)).where(AuditEvent.action == "response.assigned")
    assert db.session.scalar(query) == 3, "one a point"


def test_a_group_has_one_person_and_its_parts_go_on_with_theirs(round_: Consultation) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff, three = people.make("unit_staff", unit=unit), routed(round_, unit, 3)
    point_acts.merge(three[:2], "电梯", **WHO)
    responses.assign([three[0]], staff.id, **WHO)
    assert named(three[1]) == staff.id
    # A group may be led by several units after points were merged: each names its own person.
    responses.reassign([three[2]], other.id, reason="属于房管", **WHO)
    point_acts.merge(
        [three[2]], "", into=db.session.get(points.PointGroup, three[0].group_id), **WHO
    )
    theirs = people.make("unit_staff", unit=other)
    responses.assign([three[0]], theirs.id, **WHO)
    assert [named(each) for each in three] == [staff.id, staff.id, theirs.id]
    responses.assign(three, None, within=other.id, **WHO)
    assert [named(each) for each in three] == [staff.id, staff.id, None], "of its own alone"
    responses.assign([three[2]], theirs.id, **WHO)
    cleared = responses.assign(three[:1], None, **WHO)
    assert cleared is not None
    assert [named(each) for each in three] == [None, None, None]
    point_acts.undo(cleared, **WHO)
    assert [named(each) for each in three] == [staff.id, staff.id, theirs.id]
    with pytest.raises(Refused, match="工作人员"):
        responses.assign(three, people.make("unit_staff", unit=a_third()).id, **WHO)
    point_acts.ungroup(three, **WHO)
    submission = db.session.get_one(Submission, three[0].submission_id)
    point_acts.split(submission, [(0, 4), (4, len(submission.body))], **WHO)
    assert {named(p) for p in points.of(submission.id)} == {staff.id}


def test_a_group_of_several_units_is_given_a_person_in_each_at_the_desk(
    app: Flask, round_: Consultation
) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff, theirs = (people.make("unit_staff", unit=each) for each in (unit, other))
    two = [*routed(round_, unit), *routed(round_, other)]
    point_acts.merge(two, "电梯", **WHO)
    db.session.commit()
    office, unit_desk = client_of(app, people.make("drc_staff")), client_of(app, staff)
    at = f"/desk/consultations/{round_.slug}/points"
    page = office.get(f"{at}/{two[0].id}").text
    assert f"{theirs.name}（区房管局）" in page, "the office may choose of both"
    assert theirs.name not in unit_desk.get(f"{at}/{two[0].id}").text
    for person in (staff, theirs):
        sent = {"act": "assign", "points": [two[0].id, two[1].id], "person": person.id}
        told = office.post(at, data=sent, follow_redirects=True).text
        assert "另有1点由其他单位承办" in told
    assert [named(each) for each in two] == [staff.id, theirs.id]
    # A unit speaks for its own people, also of a group.
    sent = {"act": "assign", "person": "none"}
    assert unit_desk.post(f"{at}/{two[0].id}", data=sent).status_code == 303
    db.session.expire_all()
    assert [named(each) for each in two] == [None, theirs.id]
    # What it gives back to the office are its own points, not those of the other unit.
    sent = {"act": "hand_back", "reason": "这一点不属于我单位。"}
    assert unit_desk.post(f"{at}/{two[0].id}", data=sent).status_code == 303
    db.session.expire_all()
    assert [each.lead_unit_id for each in two] == [None, other.id]
    assert named(two[1]) == theirs.id
    with pytest.raises(Refused, match="改由其他单位"):
        responses.hand_back(two[1:], "晚了一步。", within=unit.id, **WHO)


def test_the_person_is_reminded_and_for_the_rest_the_unit(round_: Consultation) -> None:
    unit = people.make_unit()
    staff = people.make("unit_staff", unit=unit)
    people.make("unit_staff", unit=unit)
    three = routed(round_, unit, 3)
    responses.assign(three[:1], staff.id, **WHO)

    def sent() -> list[str]:
        at = dt.datetime.combine(DUE, dt.time(4), dt.UTC)
        for _twice in range(2):
            point_letters.remind_due(Post("http://x", of_site().contact_key), now=at)
            db.session.flush()
        return sorted(db.session.scalars(sa.select(Message.body)))

    own, *rest = sorted(sent(), key=lambda body: "由您经办" not in body)
    assert "有1个意见点由您经办" in own
    assert "/desk/points?person=me" in own
    assert len(rest) == 2, "each of the unit"
    assert all("有2个意见点待贵单位" in body for body in rest)


def test_whoever_is_named_hears_of_it_and_the_unit_of_what_was_given_to_it(
    round_: Consultation,
) -> None:
    unit = people.make_unit()
    staff = people.make("unit_staff", unit=unit)
    one, two = routed(round_, unit, 2)

    def sent() -> list[str]:
        for _twice in range(2):
            point_letters.remind_due(Post("http://x", of_site().contact_key), now=NOON)
            db.session.flush()
        return list(db.session.scalars(sa.select(Message.body).order_by(Message.id)))

    (given,) = sent()
    assert "有2个意见点分办给贵单位，请在期限前拟写答复" in given
    responses.assign([two], staff.id, **WHO)
    _given, named_for = sent()
    assert "有1个意见点由您经办，请在期限前拟写答复" in named_for
    assert "/desk/points?person=me" in named_for
    responses.assign([one], staff.id, **WHO)
    assert len(sent()) == 2, "one a person, round and due day"


# --- pages -------------------------------------------------------------------------------------


def test_a_unit_names_its_people_and_sees_who_has_what(app: Flask, round_: Consultation) -> None:
    unit, other = people.make_unit(), people.make_unit("区房管局", "fgj")
    staff = people.make("unit_staff", unit=unit, name="王经办")
    colleague = people.make("unit_staff", unit=unit, name="赵同事")
    mine, theirs = routed(round_, unit, 2)
    (elsewhere,) = routed(round_, other)
    helped = a_point(round_, "建议配合办理的一点。")
    responses.route([helped], other.id, cooperating=[unit.id], due_on=DUE, **WHO)
    db.session.commit()
    client = client_of(app, staff)
    listed = client.get("/desk/points").text
    assert f'value="{mine.id}"' in listed
    assert f'name="points" value="{helped.id}"' not in listed, "who helps does not say who answers"

    def name(person: object, *chosen: Point) -> int:
        data = {"act": "assign", "person": person, "points": [p.id for p in chosen]}
        return client.post("/desk/points", data=data | {"query": "state=todo"}).status_code

    assert name(colleague.id, theirs) == 303
    assert name(staff.id, elsewhere) == 409
    assert name("", mine) == 409
    assert name("99999999", mine) == 409
    assert client.post(f"{DESK}/{mine.id}", data={"act": "take"}).status_code == 303
    assert client.post(f"{DESK}/{helped.id}", data={"act": "take"}).status_code == 422
    assert "由我经办，待拟写答复" in client.get("/desk/").text
    db.session.expire_all()
    assert (named(mine), named(theirs), named(elsewhere)) == (staff.id, colleague.id, None)
    page = client.get("/desk/points?person=me").text
    assert f'id="p{mine.id}"' in page
    assert f'id="p{theirs.id}"' not in page
    assert f'id="p{theirs.id}"' in client.get(f"/desk/points?person={colleague.id}").text
    # Of other units' points it is told nothing: not who has them there either.
    assert client.get("/desk/points?person=none").text.count('class="comment"') == 1
    assert client.get("/desk/points?person=nonsense").status_code == 400
    assert name("none", theirs) == 303
    assert "赵同事 → 无经办人" in client.get(f"{DESK}/{theirs.id}").text
    # Its views are its own, and lead back to its list.
    kept = {"act": "view", "name": "我手上的", "query": "person=me&evil=1"}
    assert client.post("/desk/points", data=kept).status_code == 303
    assert 'href="/desk/points?person=me">我手上的' in client.get("/desk/points").text


def test_the_office_names_filters_and_sees_progress_by_person(
    app: Flask, round_: Consultation
) -> None:
    unit, own = people.make_unit(), people.make_unit("区发改委", "fgw")
    staff = people.make("unit_staff", unit=unit, name="王经办")
    officer = people.make("drc_staff", unit=own, name="周规划")
    one, two = routed(round_, unit, 2)
    (ours,) = routed(round_, own)
    db.session.commit()
    client = client_of(app, officer)
    data = {"act": "assign", "person": staff.id, "points": [one.id]}
    assert client.post(DESK, data=data).status_code == 303
    assert client.post(f"{DESK}/{ours.id}", data={"act": "take"}).status_code == 303
    assert client.post(f"{DESK}/{two.id}", data={"act": "take"}).status_code == 409
    for query, wanted in (
        (f"person={staff.id}", {one}),
        ("person=me", {ours}),
        ("person=none", {two}),
        (f"unit={unit.id}&person=none", {two}),
    ):
        page = client.get(f"{DESK}?{query}").text
        assert {p.id for p in (one, two, ours) if f'id="p{p.id}"' in page} == {p.id for p in wanted}
    page = client.get(f"{DESK}?unit={unit.id}").text
    assert "区建设管理委各经办人进度" in page
    assert "周规划" not in page[page.index("各经办人进度") : page.index("</table>")]
    (act,) = [a for a in point_acts.acts_on(round_.id) if a.after["person"] == staff.id]
    assert client.post(f"{DESK}/acts/{act.id}/undo").status_code == 303
    assert named(one) is None
