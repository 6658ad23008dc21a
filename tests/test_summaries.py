"""Opinion summaries: hand-counted figures, every number followed to its opinions, and nothing
shown that was hidden since."""

import re
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import consultations, screening, screening_queue, submissions, summaries
from consult.consultations import Consultation, Phase
from consult.submissions import SubmissionState
from consult.summaries import Summary, SummaryState, readings
from consult.summaries.items import Filters
from consult.summaries.readings import Reading, View
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import EMPTY, Filling
from tests.summaries_made import a_summary, an_opinion, hide, places
from tests.twelve_made import CHAPTER_1, CHAPTER_2, SECTION, twelve_opinions


@dataclass
class Made:
    """A consultation with twelve opinions shown, one pending, one hidden, one referred; as the
    database has it at this moment."""

    consultation_id: int
    summary_id: int

    @property
    def consultation(self) -> Consultation:
        return db.session.get_one(Consultation, self.consultation_id, populate_existing=True)

    @property
    def summary(self) -> Summary:
        return db.session.get_one(Summary, self.summary_id)


def fill(app: Flask) -> None:
    app.config["CLOCK"] = lambda: NOON
    with app.test_request_context(method="POST"):
        consultation = a_consultation()
        version = a_published_draft(consultation)
        twelve_opinions(consultation, version)
        for state in (SubmissionState.PENDING, SubmissionState.HIDDEN, SubmissionState.REFERRED):
            an_opinion(consultation, "这一件没有通过审核，不计入汇总。", state=state)
        db.session.commit()
        a_summary(consultation)


@pytest.fixture
def filling(request: pytest.FixtureRequest) -> Filling:
    return ("twelve opinions", fill) if "made" in request.fixturenames else EMPTY


@pytest.fixture
def made(app: Flask) -> Made:
    with app.app_context():
        return Made(*db.session.execute(sa.select(Summary.consultation_id, Summary.id)).one())


@pytest.fixture
def officer(app: Flask, client: FlaskClient, made: Made) -> FlaskClient:
    """A DRC officer who has signed in."""
    with app.test_request_context(method="POST"):
        account = people.make("drc_staff")
    people.sign_in(client, account)
    return client


def reading_of(made: Made) -> Reading:
    return readings.read(made.summary, [made.consultation])


def whole(made: Made) -> View:
    return readings.view(reading_of(made), Filters())


# --- figures -------------------------------------------------------------------------------


def test_the_twelve_opinions_are_counted_as_by_hand(app: Flask, made: Made) -> None:
    with app.test_request_context():
        view = whole(made)
        counted = reading_of(made).counted
        n = view.figures.numbers
        assert (n.submissions, n.distinct, n.people) == (12, 11, 10)
        assert [(b.first.day, b.count) for b in view.figures.days] == [
            (11, 3),
            (12, 4),
            (13, 0),
            (14, 3),
            (15, 2),
        ]
        channels = {part.key: part.count for part in view.figures.channels}
        assert channels == {"web": 8, "letter": 3, "hotline": 1}
        sections = {
            counted.sections[place].title: count for place, count in view.figures.sections.items()
        }
        assert sections == {"": 3, CHAPTER_1: 1, CHAPTER_2: 8, SECTION: 8}


def test_the_totals_name_what_is_not_counted(app: Flask, made: Made) -> None:
    with app.test_request_context():
        s = made.summary
        totals = (s.received, s.shown, s.pending, s.hidden, s.referred)
    assert totals == (15, 12, 1, 1, 1)


def test_wanting_and_refusing_lifts_are_never_added_up(app: Flask, made: Made) -> None:
    with app.test_request_context():
        view = whole(made)
        split = view.terms["加装电梯"].split
        keyword = next(k for k in view.keywords if k.term == "加装电梯")
    assert (keyword.count, keyword.people) == (5, 4)
    assert (split.favour, split.against, split.other) == (2, 2, 1)
    assert split.opposed == keyword.opposed == 2


def test_what_authors_ticked_is_told_from_what_the_machine_read(app: Flask, made: Made) -> None:
    with app.test_request_context():
        stances = {p.key: (p.count, p.declared) for p in whole(made).figures.stances}
    assert sum(count for count, _declared in stances.values()) == 12
    assert sum(declared for _count, declared in stances.values()) == 4
    assert stances["support"] == (2, 2)
    assert stances["oppose"][1] == 0


def test_a_stage_sums_its_consultations_up_and_knows_a_person_in_both(
    app: Flask, made: Made
) -> None:
    with app.test_request_context(method="POST"):
        stage = made.consultation.stage
        second = a_consultation("second", title="第二项征集")
        an_opinion(second, "请在每个街道多建几处社区食堂。", person="a")
        db.session.commit()
        summary = a_summary(stage)
        both = [made.consultation, second]
        view = readings.view(readings.read(summary, both), Filters())
        n = view.figures.numbers
        assert (n.submissions, n.people) == (13, 10)
        assert view.figures.consultations == ((made.consultation.id, 12), (second.id, 1))


# --- snapshots -----------------------------------------------------------------------------


def test_counting_again_makes_a_new_snapshot_and_leaves_the_old(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        an_opinion(made.consultation, "建议多种一些行道树，夏天太晒了。")
        db.session.commit()
        since = readings.since(made.summary, [made.consultation])
        assert (since.received, since.decided, since.draft) == (1, 0, False)
        newer = a_summary(made.consultation)
        assert (newer.number, newer.shown) == (2, 13)
        assert not readings.since(newer, [made.consultation])
        assert len(whole(made).items) == 12
        assert [s.number for s in summaries.of(made.consultation, limit=5)] == [2, 1]


def test_a_decision_or_a_new_draft_since_is_announced(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        pending = screening_queue.queue()[0]
        screening.decide(pending, SubmissionState.SHOWN, by=audit.SYSTEM, now=NOON)
        a_published_draft(made.consultation)
        since = readings.since(made.summary, [made.consultation])
        assert (since.received, since.decided, since.draft) == (0, 1, True)


def test_what_is_hidden_later_vanishes_from_every_figure(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        whole(made)
        hide(db.session.get_one(submissions.Submission, 1))
        reading = reading_of(made)
        view = readings.view(reading, Filters())
        assert reading.removed == 1
        assert view.figures.numbers.submissions == 11
        assert view.terms["加装电梯"].split.favour == 1
        assert reading.covered.items != reading.counted.items


def test_headings_that_read_alike_in_two_versions_are_one_section(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        version = a_published_draft(made.consultation)
        an_opinion(
            made.consultation,
            "总体要求还可以写得再短一些。",
            place=places(version)[CHAPTER_1],
            version=version,
        )
        db.session.commit()
        summary = a_summary(made.consultation)
        reading = readings.read(summary, [made.consultation])
        titles = [s.title for s in reading.counted.sections if s.level]
        assert sorted(titles) == sorted({CHAPTER_1, CHAPTER_2, SECTION})
        view = readings.view(reading, Filters())
        place = next(n for n, s in enumerate(reading.counted.sections) if s.title == CHAPTER_1)
        assert view.figures.sections[place] == 2


def test_publishing_and_withdrawing_leave_one_event_each(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        by = people.make("drc_staff")
        summaries.publish(made.summary, by=by, now=NOON)
        summaries.withdraw(made.summary, reason="数字有误", by=by, now=NOON)
        db.session.commit()
        found = db.session.scalars(
            sa.select(AuditEvent).where(AuditEvent.thing_kind == "summary").order_by(AuditEvent.id)
        ).all()
        assert [e.action for e in found] == [
            "summary.counted",
            "summary.published",
            "summary.withdrawn",
        ]
        assert found[-1].reason == "数字有误"
        logged = [change.what for change in consultations.changes(made.consultation)]
        assert logged[-2:] == ["公布意见汇总（第1次）", "撤回意见汇总（第1次）"]


def test_what_cannot_be_published_is_refused(app: Flask, made: Made) -> None:
    with app.test_request_context(method="POST"):
        stage = a_summary(made.consultation.stage)
        hidden = a_summary(a_consultation("later", phase=Phase.PREPARING))
        for summary in (stage, hidden):
            with pytest.raises(Refused):
                summaries.publish(summary, by=audit.SYSTEM, now=NOON)
        with pytest.raises(Refused):
            summaries.withdraw(made.summary, reason="没有公布过", by=audit.SYSTEM, now=NOON)
        with pytest.raises(Refused):
            summaries.withdraw(made.summary, reason="", by=audit.SYSTEM, now=NOON)


# --- pages ---------------------------------------------------------------------------------


def counted_links(page: str) -> dict[str, int]:
    """{address: the number it stands under} for every number that opens opinions."""
    found: dict[str, int] = {}
    for link in html.fromstring(page).iter("a"):
        href = link.get("href", "")
        if "/opinions" not in href or "#" in href or "after=" in href:
            continue
        said = re.search(r"\d+", link.get("aria-label") or link.text_content())
        if said:
            assert found.setdefault(href, int(said[0])) == int(said[0]), href
    return found


def listed(client: FlaskClient, address: str) -> tuple[int, int]:
    """(the number in the heading, how many opinions all pages of the list have)."""
    total, seen, following = -1, 0, address
    while following:
        answer = client.get(following)
        assert answer.status_code == 200, following
        page = html.fromstring(answer.text)
        total = int(page.find(".//h1").get("data-total"))
        seen += len(page.findall(".//article[@class='comment']"))
        seen += len(page.findall(".//tr[@data-entry]"))
        more = page.xpath("//a[@rel='next']/@href")
        following = more[0] if more else ""
    return total, seen


SELECTIONS = (
    "",
    "?channel=web",
    "?section=4",
    "?section=3&stance=oppose",
    "?from=2020-10-12&to=2020-10-14",
    "?term=加装电梯",
    "?term=加装电梯&context=against",
    "?term=加装电梯&context=opposed&channel=web",
    "?term=加装电梯&also=采光",
    "?read=author",
)


@pytest.mark.parametrize("selection", SELECTIONS)
def test_every_number_opens_exactly_the_opinions_it_counts(
    officer: FlaskClient, selection: str
) -> None:
    page = officer.get(f"/desk/summaries/1{selection}").text
    links = counted_links(page)
    assert links
    for address, said in links.items():
        assert listed(officer, address) == (said, said), address


def test_every_number_of_a_term_opens_its_opinions(officer: FlaskClient) -> None:
    answer = officer.get("/desk/summaries/1/term?term=加装电梯")
    links = counted_links(answer.text)
    assert len(links) > 8
    for address, said in links.items():
        assert listed(officer, address) == (said, said), address
    page = html.fromstring(answer.text)
    lines = page.findall(".//ol[@class='kwic']/li")
    assert len(lines) == 5
    for line in lines:
        assert line.find("mark").text == "加装电梯"
        address, _hash, fragment = line.find("a").get("href").partition("#")
        assert f'id="{fragment}"' in officer.get(address).text


def test_every_number_of_the_public_page_opens_its_opinions(
    app: Flask, officer: FlaskClient, made: Made
) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    visitor = app.test_client()
    page = visitor.get("/consultations/gangyao/summary").text
    links = counted_links(page)
    assert len(links) > 20
    for address, said in links.items():
        assert address.startswith("/consultations/gangyao/summary/opinions?snapshot=1")
        assert listed(visitor, address) == (said, said), address
    assert "不代表全体居民" in page


def test_people_are_not_told_apart_in_public(app: Flask, officer: FlaskClient) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    visitor = app.test_client()
    opinions = "/consultations/gangyao/summary/opinions"
    assert visitor.get(f"{opinions}?as=people").status_code == 400
    # A person's number means nothing here: the whole is listed.
    assert listed(visitor, f"{opinions}?person=0") == (12, 12)
    assert "person=" not in visitor.get(opinions).text


@pytest.mark.parametrize(
    ("asked", "status"), [("stance=suggest", 200), ("stance=bogus", 400), ("section=99", 400)]
)
def test_the_public_page_is_whole_and_a_part_of_it_is_its_opinions(
    app: Flask, officer: FlaskClient, made: Made, asked: str, status: int
) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    visitor, page = app.test_client(), "/consultations/gangyao/summary"
    led = visitor.get(f"{page}?snapshot=1&{asked}")
    assert led.status_code == 302
    assert led.location == f"{page}/opinions?snapshot=1&{asked}"
    answer = visitor.get(led.location)
    assert answer.status_code == status
    assert status == 200 or f"看不懂：{asked}。" in answer.text
    # What WeChat adds to an address asks for no part of it.
    assert visitor.get(f"{page}?from=singlemessage").status_code == 200


@pytest.mark.parametrize(
    "odd",
    [
        "section=99",
        "section=-1",
        "channel=pigeon",
        "stance=x",
        "from=2020-13-01",
        "to=x",
        "context=against",
        "term=a&context=x",
        "as=x",
        "after=x",
        "read=x",
        "consultation=99",
        "state=x",
        "also=",
        "also=a|x",
        "term=" + "长" * 41,
        "&".join(["also=a"] * 5),
        "group=x",
        "keywords=x",
    ],
)
def test_odd_selections_are_refused_as_unreadable(officer: FlaskClient, odd: str) -> None:
    page = "" if odd.startswith("keywords") else "/opinions"
    assert officer.get(f"/desk/summaries/1{page}?{odd}").status_code == 400


def test_a_hidden_opinion_is_nowhere_to_be_read(
    app: Flask, officer: FlaskClient, made: Made
) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    visitor = app.test_client()
    words = "施工费用没有说清楚"
    public = "/consultations/gangyao/summary"
    assert words in visitor.get(f"{public}/opinions").text
    with app.test_request_context(method="POST"):
        holds = submissions.Submission.body.contains(words)
        hide(db.session.scalars(sa.select(submissions.Submission).where(holds)).one())
    for address in (
        public,
        f"{public}/opinions",
        f"{public}/opinions?term=加装电梯",
        "/desk/summaries/1",
        "/desk/summaries/1/opinions",
        "/desk/summaries/1/opinions?state=received",
        "/desk/summaries/1/term?term=加装电梯",
    ):
        page = (officer if "desk" in address else visitor).get(address)
        assert page.status_code == 200
        assert words not in page.text, address
    assert "有1件意见在汇总后不再展示" in visitor.get(public).text
    assert listed(officer, "/desk/summaries/1/opinions?state=removed") == (1, 1)
    assert listed(visitor, f"{public}/opinions?snapshot=1") == (11, 11)


def test_only_what_is_published_can_be_read_by_the_public(
    app: Flask, officer: FlaskClient, made: Made
) -> None:
    visitor = app.test_client()
    public = "/consultations/gangyao/summary"
    assert visitor.get(public).status_code == 404
    assert visitor.get("/desk/summaries/1").status_code in (302, 303)
    assert officer.post("/desk/summaries/1/publish", data={}).status_code == 422
    assert visitor.get(public).status_code == 404
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    assert visitor.get(public).status_code == 200
    assert public in visitor.get("/consultations/gangyao/").text
    assert officer.post("/desk/summaries/1/publish", data={"confirm": "y"}).status_code == 409
    answer = officer.post("/desk/summaries/1/withdraw", data={"confirm": "y"})
    assert answer.status_code == 422
    officer.post("/desk/summaries/1/withdraw", data={"confirm": "y", "reason": "数字有误"})
    assert visitor.get(public).status_code == 404
    assert visitor.get(f"{public}/opinions").status_code == 404
    with app.test_request_context():
        assert db.session.get_one(Summary, 1).state is SummaryState.WITHDRAWN


def test_the_public_meets_the_newest_and_finds_the_earlier(
    app: Flask, officer: FlaskClient, made: Made
) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    counted = officer.post("/desk/summaries/count?consultation=1", data={"confirm": "y"})
    assert counted.location.endswith("/desk/summaries/2")
    officer.post("/desk/summaries/2/publish", data={"confirm": "y"})
    visitor = app.test_client()
    public = "/consultations/gangyao/summary"
    assert "第2次汇总" in visitor.get(public).text
    assert "第1次汇总" in visitor.get(f"{public}?snapshot=1").text
    assert visitor.get(f"{public}?snapshot=3").status_code == 404


def test_newer_opinions_are_announced_to_anonymous_readers_at_once(
    app: Flask, officer: FlaskClient, made: Made
) -> None:
    officer.post("/desk/summaries/1/publish", data={"confirm": "y"})
    visitor = app.test_client()
    public = "/consultations/gangyao/summary"
    first = visitor.get(public)
    assert "此后又收到" not in first.text
    again = visitor.get(public, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    with app.test_request_context(method="POST"):
        an_opinion(
            db.session.get_one(Consultation, 1),
            "请尽快修好门口的人行道。",
            state=SubmissionState.PENDING,
        )
        db.session.commit()
    assert "此后又收到1件意见" in visitor.get(public).text


@pytest.mark.parametrize("role", ["resident", "panel_member", "unit_staff", "screener"])
def test_others_do_not_read_the_desk(
    app: Flask, client: FlaskClient, made: Made, role: str
) -> None:
    with app.test_request_context(method="POST"):
        account = people.make(role)
    people.sign_in(client, account)
    for page in ("", "1", "1/opinions", "1/term?term=停车位", "1/document"):
        assert client.get(f"/desk/summaries/{page}").status_code == 403
    for act in ("count?consultation=1", "1/publish", "1/withdraw"):
        assert client.post(f"/desk/summaries/{act}", data={"confirm": "y"}).status_code == 403


def test_an_auditor_reads_and_changes_nothing(app: Flask, client: FlaskClient, made: Made) -> None:
    with app.test_request_context(method="POST"):
        account = people.make("auditor")
    people.sign_in(client, account)
    page = client.get("/desk/summaries/1")
    assert page.status_code == 200
    assert "/publish" not in page.text
    assert client.get("/desk/summaries/count?consultation=1").status_code == 403


@pytest.mark.parametrize("size", [0, 1, 9, 10])
def test_few_opinions_are_told_with_dignity(app: Flask, client: FlaskClient, size: int) -> None:
    with app.test_request_context(method="POST"):
        account = people.make("drc_staff")
        consultation = a_consultation()
        for n in range(size):
            an_opinion(consultation, f"建议在第{n}条弄堂口加装路灯，晚上太黑了。")
        db.session.commit()
        summary = a_summary(consultation)
        summaries.publish(summary, by=audit.SYSTEM, now=NOON)
        db.session.commit()
    people.sign_in(client, account)
    visitor = app.test_client()
    public = visitor.get("/consultations/gangyao/summary").text
    desk = client.get("/desk/summaries/1").text
    assert client.get("/desk/summaries/1/document").status_code == 200
    for page in (public, desk):
        assert ("尚未收到意见" in page) == (size == 0)
        assert ("意见不足10件" in page) == (0 < size < 10)
        assert ('class="word-cloud"' in page) == (size == 10)
        assert "nan" not in page.replace("finance", "").replace("dominant", "")
    if 0 < size < 10:
        assert "晚上太黑了" in public
    for reader, page in ((client, desk), (visitor, public)):
        for address, said in counted_links(page).items():
            assert listed(reader, address) == (said, said), address


def test_a_draft_without_headings_is_one_place(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context(method="POST"):
        account = people.make("drc_staff")
        consultation = a_consultation()
        version = a_published_draft(consultation, "只有一段，没有标题。\n再有一段。")
        place = places(version)["再有一段。"]
        an_opinion(consultation, "这一段可以再具体一些吧。", place=place, version=version)
        db.session.commit()
        a_summary(consultation)
    people.sign_in(client, account)
    assert "未编入章节的段落" in client.get("/desk/summaries/1").text


def test_the_history_lists_every_snapshot(app: Flask, officer: FlaskClient, made: Made) -> None:
    with app.test_request_context(method="POST"):
        consultation = db.session.get_one(Consultation, 1)
        for _again in range(21):
            a_summary(consultation)
    first = officer.get("/desk/summaries/?consultation=1").text
    older = html.fromstring(first).xpath("//a[contains(@href, 'before=')]/@href")
    assert "第22次" in first
    assert "第1次" in officer.get(older[0]).text
    assert officer.get("/desk/summaries/?consultation=99").status_code == 404
    assert officer.get("/desk/summaries/").status_code == 200
