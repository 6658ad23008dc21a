"""Corrections: what readers report, what staff answer, and what everybody may see of it."""

import datetime as dt
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from consult.submissions import Submission
from core import audit, corrections
from core.audit import AuditEvent
from core.corrections import Correction, CorrectionState, ErrorType, Figures, Report
from core.db import db
from core.errors import Refused
from core.web import SHANGHAI
from tests import people, world
from tests.conftest import NOON, Clock
from tests.databases import Databases, close

pytestmark = pytest.mark.usefixtures("context")

FORM = "/corrections/new"
TYPED = {
    "kind": "content",
    "page": "/consultations/gangyao/",
    "title": "截止日期写错了",
    "details": "公告里写的是去年，应当是今年。",
    "name": "王小明",
    "form_key": "k" * 20,
}


def a_report(number: int = 1, *, at: dt.datetime = NOON, **fields: object) -> Correction:
    """A report that waits; committed."""
    words = {"kind": ErrorType.CONTENT, "page": "/", "title": f"第{number}处", "details": "错了"}
    report = Report(**(words | fields))  # type: ignore[arg-type]
    key = f"key-{number}-{db.session.scalar(sa.select(sa.func.count(Correction.id)))}"
    receipt = corrections.receive(report, key=key, by=audit.RESIDENT, now=at)
    db.session.commit()
    found = corrections.by_receipt(receipt)
    assert found is not None
    return found


def answer(
    correction: Correction,
    state: CorrectionState = CorrectionState.CORRECTED,
    *,
    at: dt.datetime = NOON,
    **more: object,
) -> None:
    words = {"words": "已经改好。", "public_title": correction.title, "by": audit.SYSTEM}
    corrections.answer(correction, state, now=at, **(words | more))  # type: ignore[arg-type]
    db.session.commit()


def events(action: str) -> int:
    query = sa.select(sa.func.count()).where(AuditEvent.action == action)
    return db.session.scalar(query) or 0


def stored() -> int:
    return db.session.scalar(sa.select(sa.func.count(Correction.id))) or 0


# --- reporting -----------------------------------------------------------------------------


def test_from_the_footer_to_a_number_and_back(client: FlaskClient) -> None:
    footer = client.get("/rules").get_data(as_text=True)
    link = re.search(r'href="(/corrections/new[^"]*)"', footer)
    assert link is not None
    form = client.get(link.group(1)).get_data(as_text=True)
    assert 'value="/rules"' in form
    answer = client.post(FORM, data=TYPED)
    assert answer.status_code == 302
    slip = client.get(answer.location).get_data(as_text=True)
    number = re.search(r"JC201020-[0-9A-Z]{5}-[0-9A-Z]{5}", slip)
    assert number is not None
    # Noon of Tuesday 20 October: Wednesday, Thursday, Friday.
    assert "2020年10月23日（星期五） 24:00" in slip
    assert "王小明" not in slip
    typed = number.group().lower().replace("-", " ")
    found = client.post("/corrections/find", data={"number": typed})
    assert found.location == f"/corrections/sent/{number.group()}"
    assert events("correction.received") == 1


def test_what_is_missing_is_said_and_what_was_typed_stays(client: FlaskClient) -> None:
    answer = client.post(FORM, data=TYPED | {"kind": "", "details": " "})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "请选择一种类型" in page
    assert "本来应当怎样" in page
    assert "截止日期写错了" in page
    assert stored() == 0


@pytest.mark.parametrize("kind", ["nonsense", "content'", ""])
def test_the_types_are_a_closed_list(client: FlaskClient, kind: str) -> None:
    assert client.post(FORM, data=TYPED | {"kind": kind}).status_code == 422


def test_sent_twice_stored_once_and_the_same_number(client: FlaskClient) -> None:
    first, again = client.post(FORM, data=TYPED), client.post(FORM, data=TYPED)
    assert first.location == again.location
    assert (stored(), events("correction.received")) == (1, 1)
    changed = client.post(FORM, data=TYPED | {"details": "别的问题"})
    assert changed.location != first.location
    assert stored() == 2


def test_twenty_at_once_are_one(databases: Databases) -> None:
    place = databases.copy("tables")
    app = place.site(CLOCK=lambda: NOON)

    def send(_turn: int) -> str:
        client = app.test_client()
        client.checks = False
        return client.post(FORM, data=TYPED).location or ""

    with ThreadPoolExecutor(8) as pool:
        locations = set(pool.map(send, range(20)))
    assert len(locations) == 1
    with app.app_context():
        assert (stored(), events("correction.received")) == (1, 1)
    close(app)
    databases.discard(place)


def test_one_network_may_send_so_many_an_hour(client: FlaskClient, clock: Clock) -> None:
    for turn in range(10):
        sent = client.post(FORM, data=TYPED | {"title": f"第{turn}处"})
        assert sent.status_code == 302
    refused = client.post(FORM, data=TYPED | {"title": "第十一处"})
    assert refused.status_code == 429
    assert TYPED["details"] in refused.get_data(as_text=True)
    # What was stored is still acknowledged.
    assert client.post(FORM, data=TYPED | {"title": "第9处"}).location == sent.location
    clock.forward(hours=1)
    assert client.post(FORM, data=TYPED | {"title": "第十一处"}).status_code == 302


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://consult.example.gov.cn/rules?x=1#y", "/rules"),
        ("http://consult.example.gov.cn", "/"),
        ("/rules", "/rules"),
        ("首页最下面", "首页最下面"),
        ("http://[bad", "http://[bad"),
        ("", ""),
    ],
)
def test_a_pasted_address_keeps_its_path_alone(client: FlaskClient, typed: str, kept: str) -> None:
    client.post(FORM, data=TYPED | {"page": typed})
    assert db.session.scalars(sa.select(Correction.page)).all() == [kept]


@pytest.mark.parametrize("page", ["%00", "a%0Ab", "x" * 301])
def test_an_address_that_is_none_is_refused(client: FlaskClient, page: str) -> None:
    assert client.get(f"{FORM}?page={page}").status_code == 400


def test_no_footer_carries_a_number_that_opens_something(databases: Databases) -> None:
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        secrets = [
            *db.session.scalars(sa.select(Submission.receipt)),
            *db.session.scalars(sa.select(Correction.receipt)),
            world.TOKEN,
        ]
    client = world.sign_in(app, "administrator")
    seen = 0
    for method, rule in world.routes(app):
        if method != "GET":
            continue
        page = client.get(world.addresses(app, rule)[0]).data.decode(errors="replace")
        for link in re.findall(r'href="(/corrections/new[^"]*)"', page):
            seen += 1
            assert not [each for each in secrets if each in link], link
    assert seen > 30
    close(app)
    databases.discard(place)


# --- answering -----------------------------------------------------------------------------


def test_the_desk_answers_one_after_another(client: FlaskClient, officer: FlaskClient) -> None:
    first, second = a_report(1, name="王小明"), a_report(2)
    queue = officer.get("/desk/corrections").get_data(as_text=True)
    assert queue.index("第1处") < queue.index("第2处")
    assert "王小明" in officer.get(f"/desk/corrections/{first.id}").get_data(as_text=True)
    form = {"state": "corrected", "answer": "已改为今年。", "public_title": "公告日期"}
    done = officer.post(f"/desk/corrections/{first.id}", data=form | {"seen": "waiting"})
    assert done.location == f"/desk/corrections/{second.id}"
    public = client.get("/corrections/").get_data(as_text=True)
    assert "公告日期" in public
    assert "已改为今年。" in public
    # The reporter's own words and name are not for everybody; the name is not even kept.
    assert "第1处" not in public
    assert "错了" not in public
    assert corrections.by_receipt(first.receipt).name == ""  # type: ignore[union-attr]
    slip = client.get(f"/corrections/sent/{first.receipt}").get_data(as_text=True)
    assert "已改为今年。" in slip
    form = {"state": "no_change", "answer": "这一处是对的，因为……", "public_title": "第二处"}
    done = officer.post(f"/desk/corrections/{second.id}", data=form | {"seen": "waiting"})
    assert done.location == "/desk/corrections"


@pytest.mark.parametrize("missing", ["state", "answer", "public_title"])
def test_an_answer_needs_a_state_words_and_a_title(officer: FlaskClient, missing: str) -> None:
    report = a_report()
    form = {"state": "no_change", "answer": "理由", "public_title": "标题"}
    form[missing] = ""
    assert officer.post(f"/desk/corrections/{report.id}", data=form).status_code == 422
    assert events("correction.answered") == 0


def test_an_old_page_does_not_undo_a_colleagues_answer(officer: FlaskClient) -> None:
    report = a_report()
    answer(report)
    form = {"state": "no_change", "answer": "另一个答复", "public_title": "标题"}
    late = officer.post(f"/desk/corrections/{report.id}", data=form | {"seen": "waiting"})
    assert late.status_code == 409
    assert "另一个答复" in late.get_data(as_text=True)
    assert corrections.by_receipt(report.receipt).answer == "已经改好。"  # type: ignore[union-attr]


def test_an_answer_may_be_revised_and_its_first_moment_stays() -> None:
    report = a_report()
    answer(report, at=NOON)
    answer(report, CorrectionState.NO_CHANGE, words="其实没错。", at=NOON + dt.timedelta(days=9))
    assert (report.state, report.answer) == (CorrectionState.NO_CHANGE, "其实没错。")
    assert report.answered_at == NOON
    assert (events("correction.answered"), events("correction.answer_revised")) == (1, 1)
    with pytest.raises(Refused):
        answer(report, CorrectionState.WAITING)


def test_what_is_late_is_marked(client: FlaskClient, officer: FlaskClient, clock: Clock) -> None:
    report = a_report()
    # Due at 24:00 of Friday the 23rd.
    clock.at = dt.datetime(2020, 10, 23, 23, 59, tzinfo=SHANGHAI)
    assert "已逾期" not in officer.get("/desk/corrections").get_data(as_text=True)
    clock.at = dt.datetime(2020, 10, 24, tzinfo=SHANGHAI)
    for at in (NOON, clock.at):
        a_report(2, at=at)
    people.sign_in(officer, people.make("drc_staff", email="second@example.invalid"))
    page = officer.get("/desk/corrections").get_data(as_text=True)
    assert "待办3件，其中逾期2件" in page
    assert page.count(">已逾期</span>") == page.count("已逾期")
    only = officer.get("/desk/corrections?overdue=1").get_data(as_text=True)
    assert only.count("JC2010") == 2
    assert "很抱歉" in client.get(f"/corrections/sent/{report.receipt}").get_data(as_text=True)
    assert "其中2件已逾期" in officer.get("/desk/").get_data(as_text=True)


def test_filters_and_turning_by_key(officer: FlaskClient) -> None:
    for number in range(25):
        kind = ErrorType.OTHER if number % 5 == 0 else ErrorType.CONTENT
        a_report(100 + number, kind=kind)
    page = officer.get("/desk/corrections").get_data(as_text=True)
    assert "第119处" in page
    assert "第120处" not in page
    following = re.search(r'rel="next" href="([^"]*)"', page)
    assert following is not None
    rest = officer.get(following.group(1).replace("&amp;", "&")).get_data(as_text=True)
    assert [n for n in range(100, 125) if f"第{n}处" in rest] == [120, 121, 122, 123, 124]
    others = officer.get("/desk/corrections?kind=other").get_data(as_text=True)
    assert [n for n in range(100, 125) if f"第{n}处" in others] == [100, 105, 110, 115, 120]
    assert officer.get("/desk/corrections?kind=x").status_code == 400


# --- figures -------------------------------------------------------------------------------


def test_the_share_answered_in_time() -> None:
    def at(text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)

    # September, received on Tuesday the 29th: due at 24:00 of Saturday 10 October, a day worked.
    answer(a_report(at=at("2020-09-29T10:00")), at=at("2020-10-10T23:59"))
    answer(a_report(at=at("2020-09-29T10:00")), at=at("2020-10-11T00:00"))
    # October: one in time, one late and waiting, one not due yet.
    answer(
        a_report(at=at("2020-10-19T10:00")), CorrectionState.NO_CHANGE, at=at("2020-10-19T11:00")
    )
    a_report(at=at("2020-10-19T10:00"))
    a_report(at=at("2020-10-22T23:00"))
    now = at("2020-10-23T12:00")
    months = corrections.figures(now)
    assert months == [
        Figures("2020-10", received=3, answered=1, in_time=1, overdue=1),
        Figures("2020-09", received=2, answered=2, in_time=1, overdue=0),
    ]
    assert [each.share for each in months] == [50, 50]
    # Two in time of three answered and one overdue.
    assert corrections.together(months) == Figures("", 5, 3, 2, 1)
    assert corrections.together(months).share == 50
    assert corrections.together([]).share is None


def test_without_any_report_the_page_says_so(client: FlaskClient) -> None:
    page = client.get("/corrections/").get_data(as_text=True)
    assert "还没有答复过的纠错" in page
    assert "尚无可计算的" in page


def test_the_page_says_when_the_calendar_is_only_guessed(client: FlaskClient, clock: Clock) -> None:
    assert "周一至周五" not in client.get("/corrections/").get_data(as_text=True)
    clock.at = dt.datetime(2098, 1, 1, tzinfo=SHANGHAI)
    assert "周一至周五" in client.get("/corrections/").get_data(as_text=True)
