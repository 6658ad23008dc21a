"""Answers: from 待办 to 公布, by two, for whole groups, and only for those they concern."""

import datetime as dt
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    answering,
    appeals,
    drafts,
    point_acts,
    point_letters,
    points,
    response_progress,
    responses,
    screening,
    wordings,
)
from consult.consultations import Consultation, ConsultationState, Phase
from consult.points import Point
from consult.response_rows import ResponseVersion
from consult.responses import Outcome, Overtaken
from consult.submissions import Submission, SubmissionState
from core import audit
from core.audit import Nobody
from core.config import of_site
from core.db import db
from core.errors import Refused
from core.outbox import Message, Post
from tests import people
from tests.answers_made import WHY, all_final, live
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft
from tests.opinions_made import a_point, a_shown_opinion, an_opinion

WHO = {"by": audit.SYSTEM, "now": NOON}
OTHER = {"by": Nobody("另一位"), "now": NOON}
DESK = "/desk/consultations/gangyao/points"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        made = a_consultation(phase=Phase.CLOSED)
        a_published_draft(made)
        yield made


def test_the_whole_way(round_: Consultation) -> None:
    point, unit = a_point(round_), people.make_unit()
    due = responses.due_day(NOON.date())
    responses.route([point], unit.id, due_on=due, **WHO)
    responses.draft([point], Outcome.ALREADY, WHY, **WHO)
    responses.submit([point], **WHO)
    responses.hand_back([point], "请写得具体些。", **OTHER)
    responses.draft([point], Outcome.PARTLY, WHY + "已补充。", **WHO)
    responses.submit([point], **WHO)
    responses.approve([point], **OTHER)
    with pytest.raises(Refused, match="定稿"):
        responses.approve([point], **OTHER)
    assert responses.publish(round_, **WHO) == 1
    answer = responses.of(point.id)
    assert answer is not None
    assert (answer.state, answer.outcome) == (responses.PUBLISHED, Outcome.PARTLY)
    assert len(responses.versions(point.id)) == 2, "every version is kept"


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_reason_is_needed_for_all_but_adopted(round_: Consultation, outcome: Outcome) -> None:
    point = a_point(round_)
    if outcome is Outcome.ADOPTED:
        responses.draft([point], outcome, "", **WHO)
    else:
        with pytest.raises(Refused, match="理由"):
            responses.draft([point], outcome, "不行", **WHO)


@pytest.mark.parametrize("reason", ["\u200b" * 12, "不行" + " " * 20 + "。", "　\n" * 12])
def test_what_nobody_can_see_is_no_reason(round_: Consultation, reason: str) -> None:
    with pytest.raises(Refused, match="理由"):
        responses.draft([a_point(round_)], Outcome.DECLINED, reason, **WHO)


def test_declining_takes_a_second_person(app: Flask, round_: Consultation) -> None:
    first, second = people.make("drc_staff"), people.make("administrator")
    point = a_point(round_)
    responses.draft([point], Outcome.DECLINED, WHY, by=first, now=NOON)
    with pytest.raises(Refused, match="送复核"):
        responses.finalise([point], by=second, now=NOON)
    responses.submit([point], by=first, now=NOON)
    with pytest.raises(Refused, match="另一位"):
        responses.approve([point], by=first, now=NOON)
    responses.approve([point], by=second, now=NOON)


def test_nobody_answers_what_they_sent(round_: Consultation) -> None:
    person, point = people.make("drc_staff"), a_point(round_)
    db.session.get_one(Submission, point.submission_id).account_id = person.id
    with pytest.raises(Refused, match="本人"):
        responses.draft([point], Outcome.ADOPTED, "", by=person, now=NOON)


def test_the_later_of_two_gets_both_texts(round_: Consultation) -> None:
    point = a_point(round_)
    responses.draft([point], Outcome.ALREADY, WHY, seen=0, **OTHER)
    with pytest.raises(Overtaken) as raised:
        responses.draft([point], Outcome.PARTLY, WHY + "我的。", seen=0, **WHO)
    assert raised.value.kept_text == WHY + "我的。"
    assert raised.value.theirs is not None
    assert raised.value.theirs.reason == WHY


def test_a_group_is_answered_at_once_and_not_merged_meanwhile(round_: Consultation) -> None:
    three = [a_point(round_, f"建议在老旧小区加装电梯{n}。") for n in range(3)]
    point_acts.merge(three[:2], "电梯", **WHO)
    wording = wordings.save("已体现", Outcome.ALREADY, WHY, **WHO)
    assert responses.draft([three[0]], Outcome.ALREADY, WHY, **WHO) == 2
    assert wordings.every() == [(wording, 2)]
    with pytest.raises(Refused):
        point_acts.merge([three[1], three[2]], "又一组", **WHO)
    assert db.session.scalar(sa.select(sa.func.count(ResponseVersion.id))) == 2


def test_who_answers_while_it_is_merged_is_refused(round_: Consultation) -> None:
    one, two = a_point(round_), a_point(round_, "建议多加装几部电梯。")
    stale = Point(id=one.id, consultation_id=round_.id, group_id=None)
    point_acts.merge([one, two], "电梯", **WHO)
    with pytest.raises(Refused, match="归并"):
        responses.draft([stale], Outcome.ALREADY, WHY, **WHO)


def test_what_is_not_screened_is_given_to_no_unit(round_: Consultation) -> None:
    received = an_opinion(round_, "我叫王小明，电话13800138000。")
    with pytest.raises(Refused, match="审核"):
        responses.route(points.of(received.id), people.make_unit().id, due_on=NOON.date(), **WHO)


def test_a_round_is_not_answered_while_a_point_is_open(round_: Consultation) -> None:
    a_point(round_)
    gone = a_shown_opinion(round_, "这一件作者自己撤回了。")
    screening.withdraw(gone, now=NOON)
    db.session.commit()
    with pytest.raises(Refused, match="还有1个意见点"):
        answering.answer(round_, feedback="已研究。", site="https://x.example", **WHO)
    db.session.rollback()
    for point in live(round_):
        assert responses.of(point.id) is None
    all_final(round_)
    answering.answer(round_, feedback="已研究。", site="https://x.example", **WHO)
    assert round_.state is ConsultationState.ANSWERED
    assert response_progress.progress(round_.id, today=NOON.date())[0].published >= 1


def test_a_round_is_not_answered_while_an_author_waits_for_a_second_look(
    round_: Consultation,
) -> None:
    submission = a_shown_opinion(round_)
    screening.decide(submission, SubmissionState.REFERRED, by=audit.SYSTEM, now=NOON)
    all_final(round_)
    appeals.file(submission, "这是建议，不是诉求。", now=NOON)
    with pytest.raises(Refused, match="还有1件作者的异议"):
        answering.answer(round_, feedback="已研究。", site="https://x.example", **WHO)
    appeals.uphold(submission, "仍请向12345反映。", by=people.make("screener"), now=NOON)
    answering.answer(round_, feedback="已研究。", site="https://x.example", **WHO)
    assert round_.state is ConsultationState.ANSWERED


def test_hidden_opinions_are_answered_too(round_: Consultation) -> None:
    submission = a_shown_opinion(round_)
    submission.state = SubmissionState.HIDDEN
    db.session.flush()
    assert response_progress.open_count(round_.id) == 1


# --- pages -------------------------------------------------------------------------------------


def post(client: FlaskClient, path: str, **data: object) -> int:
    return client.post(path, data=data).status_code


def test_the_office_splits_and_routes_the_unit_answers_another_approves(
    app: Flask, round_: Consultation
) -> None:
    unit = people.make_unit()
    other = people.make_unit("区房管局", "fgj")
    office, second = people.make("drc_staff"), people.make("administrator")
    staff, stranger = people.make("unit_staff", unit=unit), people.make("unit_staff", unit=other)
    submission = a_shown_opinion(round_, "建议加装电梯。另外，希望多种一些树。")
    (point,) = points.of(submission.id)
    point_id, receipt, unit_id = point.id, submission.receipt, unit.id
    db.session.commit()
    clients = {}
    for name, person in (
        ("office", office),
        ("second", second),
        ("staff", staff),
        ("stranger", stranger),
    ):
        clients[name] = app.test_client()
        people.sign_in(clients[name], person)
    page = clients["office"].get(f"{DESK}/{point_id}/split").get_data(as_text=True)
    assert page.count("checked") == 2, "a split is proposed"
    assert post(clients["office"], f"{DESK}/{point_id}/split", points=["0", "1"]) == 303
    db.session.expire_all()
    first, rest = points.of(submission.id)
    where = f"{DESK}/{first.id}"
    assert clients["staff"].get(where).status_code == 404
    assert post(clients["office"], where, act="route", unit=unit_id, days="10") == 303
    assert clients["stranger"].get(where).status_code == 404
    assert post(clients["stranger"], where, act="draft", outcome="already", reason=WHY) == 404
    mine = clients["staff"].get("/desk/points").get_data(as_text=True)
    assert "建议加装电梯。" in mine
    assert "多种一些树" not in mine
    assert receipt not in clients["staff"].get(where).get_data(as_text=True)
    assert post(clients["staff"], where, act="draft", outcome="declined", reason=WHY) == 303
    assert post(clients["staff"], where, act="submit") == 303
    assert post(clients["staff"], where, act="approve") == 422, "a unit does not approve"
    assert post(clients["second"], where, act="approve") == 303
    # The rest at once, from the list.
    data = {"points": [rest.id], "act": "draft", "outcome": "already", "reason": WHY + "二"}
    assert post(clients["office"], DESK, **data) == 303
    assert post(clients["office"], f"{DESK}/{rest.id}", act="finalise") == 303
    assert WHY not in clients["office"].get(f"/receipts/{receipt}").get_data(as_text=True)
    assert post(clients["office"], DESK, act="publish") == 303
    told = app.test_client().get(f"/receipts/{receipt}").get_data(as_text=True)
    assert "未采纳" in told
    assert WHY + "二" in told


def test_an_overtaken_writer_sees_both_texts(app: Flask, round_: Consultation) -> None:
    point = a_point(round_)
    responses.draft([point], Outcome.ALREADY, WHY, **OTHER)
    person = people.make("drc_staff")
    client = app.test_client()
    people.sign_in(client, person)
    mine = "这是我自己写的另一份理由。"
    answer = client.post(
        f"{DESK}/{point.id}",
        data={"act": "draft", "outcome": "partly", "reason": mine, "seen": "0"},
    )
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert WHY in page
    assert mine in page


def test_words_that_nobody_sees_are_no_words(app: Flask, round_: Consultation) -> None:
    ids = [a_point(round_).id, a_point(round_, "建议多种一些树。").id]
    person = people.make("drc_staff")
    client = app.test_client()
    people.sign_in(client, person)
    where = f"{DESK}/{ids[0]}"
    assert post(client, DESK, act="merge", points=ids, title="\u200b") == 409
    assert post(client, DESK, act="view", name="\u2800", query="state=todo") == 409
    assert post(client, where, act="remark", reason="\u3164 \u200b") == 409
    assert post(client, where, act="hand_back", reason="\ufeff") == 409
    assert post(client, where, act="draft", outcome="partly", reason="\u200b" * 20) == 409
    assert post(client, where, act="remark", reason="\0") == 422, "what is no text is still told"


def test_what_a_unit_has_drafted_goes_to_another_only_with_a_reason(round_: Consultation) -> None:
    one, other = people.make_unit(), people.make_unit("区民政局", "mzj")
    point, due = a_point(round_), responses.due_day(NOON.date())
    responses.route([point], one.id, due_on=due, **WHO)
    responses.route([point], other.id, due_on=due, **WHO)
    responses.draft([point], Outcome.ALREADY, WHY, **WHO)
    responses.route([point], other.id, due_on=due + dt.timedelta(days=1), **WHO)
    with pytest.raises(Refused, match="改派"):
        responses.route([point], one.id, due_on=due, **WHO)
    responses.reassign([point], one.id, reason="属该单位职责。", **WHO)
    assert point.lead_unit_id == one.id


def test_a_unit_that_hands_back_too_late_keeps_its_words(app: Flask, round_: Consultation) -> None:
    unit = people.make_unit()
    point, staff = a_point(round_), people.make("unit_staff", unit=unit)
    responses.route([point], unit.id, due_on=responses.due_day(NOON.date()), **WHO)
    responses.draft([point], Outcome.ALREADY, WHY, **WHO)
    responses.submit([point], **WHO)
    db.session.commit()
    client = app.test_client()
    people.sign_in(client, staff)
    mine = "这一段应当由另一个单位来答。"
    answer = client.post(f"{DESK}/{point.id}", data={"act": "hand_back", "reason": mine})
    assert answer.status_code == 409
    assert "复核" in answer.text
    assert mine in answer.text


def test_many_are_answered_in_a_wordings_words_and_approved_as_they_were_seen(
    app: Flask, round_: Consultation
) -> None:
    ids = [a_point(round_, f"建议在第{n}个小区加装电梯。").id for n in range(3)]
    wording = wordings.save("已体现", Outcome.ALREADY, WHY, **WHO)
    clients = [app.test_client(), app.test_client()]
    for client in clients:
        people.sign_in(client, people.make("drc_staff"))
    sent = {"act": "draft", "points": ids, "wording": wording.id}
    assert post(clients[0], DESK, **sent) == 303
    assert {responses.of(id).reason for id in ids} == {WHY}  # type: ignore[union-attr]
    assert wordings.every() == [(wording, 3)]
    for id in ids:
        assert post(clients[0], f"{DESK}/{id}", act="submit") == 303
    page = clients[1].get(f"{DESK}?state=in_review").text
    assert page.count(WHY) == 3, "who approves many reads what they approve"
    listed = re.findall(r'name="listed" value="([^"]+)"', page)
    # Meanwhile one of them is written anew.
    assert post(clients[0], f"{DESK}/{ids[1]}", act="hand_back", reason="请写得具体些。") == 303
    other = {"act": "draft", "outcome": "partly", "reason": "部分已经写入第二章，其余另行研究。"}
    assert post(clients[0], f"{DESK}/{ids[1]}", **other) == 303
    assert post(clients[0], f"{DESK}/{ids[1]}", act="submit") == 303
    late = clients[1].post(DESK, data={"act": "approve", "points": ids, "listed": listed})
    assert late.status_code == 409
    assert "其中1点的答复在您打开以后有改动" in late.text
    db.session.expire_all()
    assert {responses.of(id).state for id in ids} == {responses.IN_REVIEW}  # type: ignore[union-attr]
    listed = re.findall(
        r'name="listed" value="([^"]+)"', clients[1].get(f"{DESK}?state=in_review").text
    )
    assert post(clients[1], DESK, act="approve", points=ids, listed=[*listed, "x", "1:y"]) == 303


def test_filters_views_and_few_queries(app: Flask, round_: Consultation) -> None:
    person = people.make("drc_staff")
    for n in range(40):
        a_point(round_, f"建议在第{n}个小区加装电梯。")
    db.session.commit()
    client = app.test_client()
    people.sign_in(client, person)
    counted = []
    sa.event.listen(db.engine, "before_cursor_execute", lambda *_all: counted.append(1))
    page = client.get(DESK).get_data(as_text=True)
    assert len(counted) <= 40, "as many queries for forty points as for four"
    assert "after=" in page
    for query in ("state=todo", "unrouted=1", "overdue=1", "stance=suggest&channel=web", "unit=1"):
        assert client.get(f"{DESK}?{query}").status_code == 200
    assert client.get(f"{DESK}?state=nonsense").status_code == 400
    assert post(client, DESK, act="view", name="我的", query="state=todo&evil=1") == 303
    assert "state=todo" in client.get(DESK).get_data(as_text=True)


def test_a_kept_view_is_dropped_by_whose_it_is(app: Flask, round_: Consultation) -> None:
    clients = [app.test_client(), app.test_client()]
    for client in clients:
        people.sign_in(client, people.make("drc_staff"))
    assert post(clients[0], DESK, act="view", name="我的逾期", query="overdue=1") == 303
    (number,) = re.findall(r'name="view" value="(\d+)"', clients[0].get(DESK).text)
    assert post(clients[1], DESK, act="drop", view=number) == 303
    assert "我的逾期" in clients[0].get(DESK).text, "another's views are not theirs to drop"
    assert post(clients[0], DESK, act="drop", view=number) == 303
    assert "已删除“我的逾期”" in clients[0].get(DESK).text
    assert "我的逾期" not in clients[0].get(DESK).text
    assert post(clients[0], DESK, act="drop", view="9" * 30) == 303


def test_what_its_author_took_back_is_there_for_nobody(app: Flask, round_: Consultation) -> None:
    point = a_point(round_)
    client = app.test_client()
    people.sign_in(client, people.make("drc_staff"))
    at = f"{DESK}/{point.id}"
    pages = (at, f"{at}/split", f"{at}/changes")
    assert {client.get(page).status_code for page in pages} == {200}
    screening.withdraw(db.session.get_one(Submission, point.submission_id), now=NOON)
    db.session.commit()
    assert {client.get(page).status_code for page in pages} == {404}
    assert post(client, at, act="draft", outcome="adopted", reason="") == 404


def test_an_act_is_undone_at_the_desk(app: Flask, round_: Consultation) -> None:
    both = [a_point(round_), a_point(round_, "建议多加装几部电梯。")]
    client = app.test_client()
    people.sign_in(client, people.make("drc_staff"))
    ids = [p.id for p in both]
    assert post(client, DESK, act="merge", points=ids, title="电梯") == 303
    (act,) = point_acts.acts_on(round_.id)
    assert post(client, f"{DESK}/acts/{act.id}/undo") == 303
    assert post(client, f"{DESK}/acts/{act.id}/undo") == 409


def test_a_unit_is_reminded_of_what_is_due_once_a_stage(round_: Consultation) -> None:
    first, second = a_point(round_), a_point(round_, "建议多加装几部电梯。")
    unit = people.make_unit()
    people.make("unit_staff", unit=unit)
    due_on = responses.due_day(NOON.date())
    responses.route([first, second], unit.id, due_on=due_on, **WHO)

    def sent(day: dt.date) -> list[str]:
        at = dt.datetime.combine(day, dt.time(4), dt.UTC)
        for _twice in range(2):
            point_letters.remind_due(Post("http://x", of_site().contact_key), now=at)
            db.session.flush()
        return list(db.session.scalars(sa.select(Message.body).order_by(Message.id)))

    (new,) = sent(due_on - dt.timedelta(days=7))
    assert "有2个意见点分办给贵单位" in new
    assert due_on.isoformat() in new
    new, soon = sent(due_on - dt.timedelta(days=1))
    assert "有2个意见点待贵单位拟写答复" in soon
    assert round_.title in soon
    responses.draft([second], Outcome.ALREADY, WHY, **WHO)
    responses.submit([second], **WHO)
    assert "有1个意见点" in sent(due_on)[2]
    assert "期限已过" in sent(due_on + dt.timedelta(days=1))[3]
    responses.draft([first], Outcome.ALREADY, WHY, **WHO)
    responses.submit([first], **WHO)
    assert len(sent(due_on + dt.timedelta(days=9))) == 4


def test_the_desk_moves_a_point_in_the_draft_lists_its_acts_and_its_neighbours(
    app: Flask, round_: Consultation
) -> None:
    both = [a_point(round_), a_point(round_, "建议多加装几部电梯。")]
    version = drafts.published(round_)
    assert version is not None
    outline = drafts.outline(version)
    paragraph = outline.body[0]
    client = app.test_client()
    people.sign_in(client, people.make("drc_staff"))
    at = f"{DESK}/{both[0].id}"
    assert f'<option value="{paragraph.id}">' in client.get(at).text
    assert post(client, at, act="move", topic="", place=paragraph.id) == 303
    assert (both[0].place, both[0].version_id) == (paragraph.id, version.id)
    assert post(client, at, act="move", topic="", place="999999") == 422
    # The list it was opened from goes along: its neighbours, and back there after an act.
    opened = client.get(f"{at}?state=todo").text
    assert f"{both[1].id}?state=todo" in opened
    sent = {"act": "draft", "outcome": "already", "reason": WHY}
    answer = client.post(f"{at}?state=todo", data=sent)
    assert answer.location == f"{at}?state=todo"
    # Older acts than the workbench lists can be undone, too.
    listed = client.get(f"{DESK}/acts").text
    (act,) = point_acts.acts_on(round_.id)
    assert f"acts/{act.id}/undo" in listed
    assert "第1件" in listed
    assert client.get(f"{DESK}/acts?before={act.id}").status_code == 200


def test_a_term_that_runs_into_a_year_nobody_has_announced_says_so(
    app: Flask, round_: Consultation, clock: Clock
) -> None:
    a_point(round_)
    person = people.make("drc_staff")
    client = app.test_client()
    people.sign_in(client, person)
    said = "暂按周一至周五推算"
    assert said not in client.get(DESK).text
    clock.at = dt.datetime(2099, 12, 20, 4, tzinfo=dt.UTC)
    people.sign_in(client, person)
    assert said in client.get(DESK).text
