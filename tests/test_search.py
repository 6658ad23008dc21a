"""Search: it finds what a plain scan of the public words finds, and nothing that is not public."""

import datetime as dt
import re
import string
from html import unescape

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from consult import (
    consultations,
    drafts,
    screening,
    search,
    search_documents,
    search_opinions,
    search_terms,
    search_text,
    search_tokens,
    submissions,
)
from consult.consultations import Consultation, Phase
from consult.decisions import Reason
from consult.drafts import Version
from consult.search import Query
from consult.search_documents import Document, Kind, SearchDocument
from consult.submissions import Channel, Opinion, Stance, Submission, SubmissionState
from core import audit, postings
from core.db import db
from tests import world
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft
from tests.databases import Databases, close

# Few letters, so that random texts share pairs; with what folds, combines and spaces.
LETTERS = "加装电梯停车建议，。 \n１1aＡé\u0301㎡ß𠮷\u200b"
TEXTS = st.text(LETTERS + string.ascii_letters[:4], min_size=1, max_size=40)


def receive(consultation: Consultation, body: str, key: str, **more: object) -> Submission:
    opinion = Opinion(body=body, **more)  # type: ignore[arg-type]  # the tests' own shorthand
    received = submissions.receive(
        consultation, opinion, once_key=key, by=audit.RESIDENT, now=NOON, on_day=NOON.date()
    )
    return db.session.get_one(Submission, received.id)


def show(submission: Submission, state: SubmissionState = SubmissionState.SHOWN) -> None:
    reason = Reason.OFF_TOPIC if state is SubmissionState.HIDDEN else None
    screening.decide(submission, state, reason=reason, by=audit.SYSTEM, now=NOON)


def everything(query: Query, size: int = 3) -> list[int]:
    """All pages of a list, one after the other."""
    ids: list[int] = []
    key: int | None = None
    while True:
        found = search.find(query, before=key, limit=size)
        ids += found.ids
        if found.next_key is None:
            return ids
        key = found.next_key


@pytest.fixture
def opened(app: Flask) -> tuple[Flask, Consultation, Version]:
    with app.app_context():
        consultation = a_consultation()
        version = a_published_draft(consultation)
        return app, consultation, version


@given(bodies=st.lists(TEXTS, min_size=1, max_size=12), asked=TEXTS, cut=st.data())
def test_it_finds_what_a_plain_scan_finds(
    opened: tuple[Flask, Consultation, Version],
    bodies: list[str],
    asked: str,
    cut: st.DataObject,
) -> None:
    app, consultation, _version = opened
    with app.app_context():
        shown = []
        for number, body in enumerate(bodies):
            submission = receive(consultation, body, f"{number}")
            if number % 4 != 3:
                show(submission)
                shown.append((submission.id, search_text.fold(body)))
        source = cut.draw(st.sampled_from([*bodies, asked]))
        begin = cut.draw(st.integers(0, max(len(source) - 2, 0)))
        for typed in (asked, source[begin : begin + cut.draw(st.integers(2, 8))]):
            needles = tuple(search_text.needles(typed))
            if max(map(len, needles), default=0) < search_text.SHORTEST:
                continue
            expected = [id for id, text in reversed(shown) if all(n in text for n in needles)]
            query = Query(kind=Kind.OPINION, needles=needles)
            assert everything(query) == expected
            assert search.begin(query, limit=1)[1] == (len(expected), True)
        db.session.rollback()


def test_any_words_are_found_where_they_are_shown(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation()
        a_published_draft(consultation)
        show(receive(consultation, "建议在老旧小区加装电梯，方便老年人。", "a"))
        db.session.commit()
    page = client.get("/search?q=加装电梯").get_data(as_text=True)
    # TEXT has it in one list item; that tab comes first and counts the others.
    assert "支持既有多层住宅<mark>加装电梯</mark>。" in page
    assert 'href="/consultations/gangyao/draft#p' in page
    page = client.get("/search?q=区 装电&in=opinion").get_data(as_text=True)
    assert "建议在老旧小<mark>区</mark>加<mark>装电</mark>梯" in page
    assert "共找到1件" in page
    page = client.get("/search?q=信封上&in=notice").get_data(as_text=True)
    assert "请在<mark>信封上</mark>注明" in page


def test_single_characters_apart_are_found_as_they_stand(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = a_consultation()
        a_published_draft(consultation)
        show(receive(consultation, "建议在 A 座门口加一盏路灯。", "a"))
        show(receive(consultation, "A 栋和 B 座之间缺一条路。", "b"))
        show(receive(consultation, "希望小区门口的路\n灯早一点亮。", "c"))
        db.session.commit()
    for asked in ("A 座", "a　座", "Ａ\n座"):
        page = client.get("/search", query_string={"q": asked, "in": "opinion"}).text
        assert "<mark>A 座</mark>门口" in page
        assert "共找到1件" in page
    page = client.get("/search", query_string={"q": "路\r\n灯", "in": "opinion"}).text
    assert "门口的<mark>路 灯</mark>早一点亮" in page
    # Beside a word of two characters each is a word of its own, wherever it stands.
    page = client.get("/search", query_string={"q": "座 缺一", "in": "opinion"}).text
    assert "A 栋和 B <mark>座</mark>之间<mark>缺一</mark>条路。" in page


def test_one_character_and_too_many_are_refused_in_words(app: Flask, client: FlaskClient) -> None:
    answer = client.get("/search?q=梯")
    assert answer.status_code == 422
    assert "请至少输入两个字" in answer.get_data(as_text=True)
    assert "还没有查找" in answer.get_data(as_text=True)
    assert "还没有提交" not in answer.get_data(as_text=True)
    assert 'value="梯"' in answer.get_data(as_text=True)
    answer = client.get("/search?q=" + "梯" * 101)
    assert answer.status_code == 422
    assert "检索词最多100字" in answer.get_data(as_text=True)
    answer = client.get("/search?q=电梯&since=2020-10-09&until=2020-10-01")
    assert answer.status_code == 422
    assert "请对调" in answer.get_data(as_text=True)
    for early in ("since=1989-12-31", "until=1989-12-31", "since=0001-01-01&until=2020-10-01"):
        answer = client.get(f"/search?q=电梯&{early}")
        assert answer.status_code == 422
        assert "日期太早" in answer.text


def test_nothing_that_is_not_public_is_found_by_anybody(databases: Databases) -> None:
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: NOON, TESTING=False)
    with app.app_context():
        consultation = consultations.by_slug(world.OPEN)
        assert consultation is not None
        hidden = receive(consultation, "秘密甲甲：已经展示，后来不再展示。", "h")
        show(hidden)
        show(hidden, SubmissionState.HIDDEN)
        receive(consultation, "秘密乙乙：还没有审核。", "p")
        show(receive(consultation, "秘密丙丙：转办了。", "r"), SubmissionState.REFERRED)
        preparing = consultations.by_slug(world.PREPARING)
        assert preparing is not None
        show(receive(preparing, "秘密丁丁：公告还没有发布。", "u"))
        a_prepared_draft(consultation, "# 第一章 总则\n秘密戊戊：还没有发布的一稿。")
        db.session.commit()
    for person in world.PEOPLE:
        client = world.sign_in(app, person)
        for kind in Kind:
            for words in ("秘密", "甲甲", "乙乙", "丙丙", "丁丁", "戊戊", "caoni"):
                page = client.get(f"/search?q={words}&in={kind.value}").get_data(as_text=True)
                assert "<mark>" not in page, (person, kind, words)
                assert "没有找到" in page
    close(app)
    databases.discard(place)


def test_a_forgotten_index_entry_shows_nothing(
    opened: tuple[Flask, Consultation, Version],
) -> None:
    """Even when nobody takes a hidden opinion out, it is not found: the opinion itself decides."""
    app, consultation, _version = opened
    with app.app_context():
        submission = receive(consultation, "建议加装电梯，方便老年人。", "a")
        show(submission)
        db.session.commit()
        db.session.execute(sa.update(Submission).values(state=SubmissionState.HIDDEN))
        assert everything(Query(kind=Kind.OPINION, needles=("电梯",))) == []


def test_facts_choose_too(opened: tuple[Flask, Consultation, Version]) -> None:
    app, consultation, version = opened
    with app.app_context():
        mark = drafts.outline(version).entries[1].id
        first = receive(consultation, "建议多建停车位。", "a", stance=Stance.SUGGEST)
        second = receive(consultation, "反对多建停车位。", "b", stance=Stance.OPPOSE, place=mark)
        third = receive(
            consultation,
            "来信说停车难。",
            "c",
            channel=Channel.LETTER,
            received_on=dt.date(2020, 10, 1),
        )
        for each in (first, second, third):
            show(each)

        def chosen(**facts: object) -> list[int]:
            query = Query(kind=Kind.OPINION, consultation_id=consultation.id, **facts)  # type: ignore[arg-type]  # the tests' own shorthand
            return everything(query)

        assert chosen() == [third.id, second.id, first.id]
        assert chosen(stance=Stance.OPPOSE) == [second.id]
        assert chosen(channel=Channel.LETTER, needles=("停车",)) == [third.id]
        assert chosen(places=(mark, 999)) == [second.id]
        assert chosen(first_day=dt.date(2020, 9, 1), last_day=dt.date(2020, 10, 2)) == [third.id]
        assert chosen(first_day=dt.date(2020, 10, 2)) == [second.id, first.id]
        assert chosen(needles=("车位",), stance=Stance.SUPPORT) == []


@pytest.mark.parametrize(("few", "most"), [(2, 5), (2, 102), (250, 12_000)])
@pytest.mark.parametrize("words", ["停车", "停车停", "没有的", ""])
def test_days_and_places_choose_alike_whether_few_candidates_have_them_or_most(
    opened: tuple[Flask, Consultation, Version],
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    most: int,
    words: str,
) -> None:
    app, consultation, version = opened
    monkeypatch.setattr(search, "FEW", few)
    monkeypatch.setattr(search, "MOST", most)
    with app.app_context():
        marks = [entry.id for entry in drafts.outline(version).entries[:3]]
        made = []
        for n in range(18):
            submission = receive(
                consultation,
                f"{'停车停车' if n % 4 == 0 else '停车难'}，第{n}件。",
                f"{n}",
                channel=Channel.LETTER,
                place=marks[n * 7 % 3],
                received_on=dt.date(2020, 10, 1 + n * 5 % 6),
            )
            show(submission)
            made.append(submission)
        needles = (words,) if words else ()
        for places in (None, (marks[0],), tuple(marks), (999,)):
            for first, last in ((1, 31), (1, 4), (3, 3), (20, 25)):
                query = Query(
                    kind=Kind.OPINION,
                    needles=needles,
                    consultation_id=consultation.id,
                    places=places,
                    first_day=dt.date(2020, 10, first),
                    last_day=dt.date(2020, 10, last),
                )
                expected = [
                    each.id
                    for each in reversed(made)
                    if words in each.body
                    and (places is None or each.place in places)
                    and first <= each.received_on.day <= last
                ]
                assert everything(query) == expected
                counted = search.begin(query, limit=1)[1]
                assert counted.number == len(expected) or not counted.complete
                assert counted.number <= len(expected)


def test_rebuilding_gives_what_was_followed(databases: Databases) -> None:
    place = databases.copy("world", world.fill)
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        kept = sa.select(
            SearchDocument.id, SearchDocument.thing_id, SearchDocument.folded, SearchDocument.marks
        ).order_by(SearchDocument.id)
        before = db.session.execute(kept).all()
        found = {kind: everything(Query(kind=kind, needles=("规划",))) for kind in Kind}
        assert len(before) > 40
        db.session.execute(sa.delete(SearchDocument).where(SearchDocument.id % 3 == 0))
        db.session.commit()
        result = app.test_cli_runner().invoke(args=["search", "rebuild"])
        assert result.exit_code == 0, result.output
        assert db.session.execute(kept).all() == before
        assert {kind: everything(Query(kind=kind, needles=("规划",))) for kind in Kind} == found
    close(app)
    databases.discard(place)


def test_a_step_is_bounded_and_says_where_to_go_on(
    opened: tuple[Flask, Consultation, Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, consultation, _version = opened
    monkeypatch.setattr(search, "FEW", 1)
    monkeypatch.setattr(search, "MOST", 2)
    with app.app_context():
        # Every one has both pairs, the oldest alone has the words.
        wanted = receive(consultation, "建议建议加装电梯。", "a")
        show(wanted)
        for number in range(5):
            show(receive(consultation, f"议建建议，第{number}件。", f"{number}"))
        query = Query(kind=Kind.OPINION, needles=("建议建议",))
        found = search.find(query, limit=20)
        assert (list(found.ids), found.stopped) == ([], True)
        assert search.begin(query, limit=1)[1] == (0, False)
        assert everything(query) == [wanted.id]


def test_a_choice_of_opinions_has_an_address_and_turns_by_key(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        consultation = a_consultation()
        version = a_published_draft(consultation)
        chapter = drafts.outline(version).entries[0]
        for number in range(45):
            submission = receive(
                consultation,
                f"第{number:02d}号：建议多建停车位。",
                f"{number}",
                stance=Stance.OPPOSE if number % 2 else Stance.SUGGEST,
                place=chapter.id if number < 2 else 0,
            )
            show(submission)
        db.session.commit()
        mark = chapter.mark
    address = "/consultations/gangyao/opinions?q=停车&stance=suggest"
    seen: list[str] = []
    while address:
        page = client.get(address).get_data(as_text=True)
        assert "共找到23件" in page
        seen += re.findall("第([0-9]{2})号", page)
        turned = re.search('rel="next" href="([^"]+)"', page)
        address = unescape(turned.group(1)) if turned else ""
    assert seen == [f"{number:02d}" for number in range(44, -1, -2)]
    page = client.get(f"/consultations/gangyao/opinions?on={mark}&stance=oppose").get_data(
        as_text=True
    )
    assert re.findall("第([0-9]{2})号", page) == ["01"]
    assert client.get("/consultations/gangyao/opinions?stance=nonsense").status_code == 422
    page = client.get("/consultations/gangyao/opinions?since=2020-10-21").get_data(as_text=True)
    assert "没有符合条件的意见" in page


def test_a_term_is_found_under_every_form_and_only_as_a_word(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        consultation = a_consultation()
        version = a_published_draft(consultation)
        homes = next(e for e in drafts.outline(version).headings if "社会民生" in e.text)
        below = next(e for e in drafts.outline(version).body if "加装电梯" in e.text)
        bodies = (
            ("希望尽快加装电梯，老人下不了楼。", {"place": below.id}),
            ("我们楼要加梯，请给补贴。", {"channel": Channel.LETTER}),
            ("商场里的电梯坏了没人修。", {}),
            ("停车位太少。", {"place": below.id}),
        )
        for number, (body, facts) in enumerate(bodies):
            show(receive(consultation, body, f"{number}", **facts))
        db.session.commit()
        mark = homes.mark

    def found(address: str) -> list[str]:
        page = unescape(client.get(address).get_data(as_text=True))
        assert f"共找到{len(re.findall('<h2 class=.h3.>', page))}件" in page
        return re.findall(r"第(\d)件</a></h2>", re.sub("<mark>|</mark>", "", page))

    assert found("/search?term=加梯") == ["2", "1"]
    assert "“加梯”计作“加装电梯”" in client.get("/search?term=加梯").get_data(as_text=True)
    # 电梯 inside 加装电梯 is no word of its own there.
    assert found("/search?term=电梯") == ["3"]
    assert found("/search?q=补贴&term=加装电梯") == ["2"]
    assert found("/search?term=加装电梯&channel=letter") == ["2"]
    within = f"consultation=gangyao&on={mark}"
    assert found(f"/search?term=加装电梯&{within}") == ["1"]
    assert found(f"/search?q=停车&{within}") == ["4"]
    assert found("/search?term=没有人说的词") == []
    assert found("/search?term=我们") == []
    assert "“我们”是停用词" in unescape(client.get("/search?term=我们").get_data(as_text=True))
    for odd in (
        "term=梯",
        "term=两 词",
        "term=" + "梯" * 41,
        f"q=电梯&on={mark}",
        "q=电梯&on=x",
    ):
        assert client.get(f"/search?{odd}").status_code == 422
    # Longer than any address may be.
    assert client.get("/search?term=" + "梯" * 10_000).status_code == 400
    page = client.get("/consultations/gangyao/opinions?term=加梯").get_data(as_text=True)
    assert "共找到2件" in page
    assert "计作“加装电梯”" in page
    with app.app_context():
        a_published_draft(consultations.by_slug("gangyao") or consultation, "# 无人机巡河\n内容。")
    assert "正在按新的词典更新" in client.get("/search?term=加梯").get_data(as_text=True)


def test_the_opinions_with_a_term_turn_by_key_and_stop_where_the_search_stops(
    opened: tuple[Flask, Consultation, Version], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, consultation, _version = opened
    with app.app_context():
        every = []
        for number in range(12):
            words = "加装电梯" if number % 3 == 0 else "加梯" if number % 3 == 1 else "电梯"
            made = receive(consultation, f"第{number}号楼想{words}。", f"{number}")
            show(made)
            if number % 3 < 2:
                every.append(made.id)
        query = Query(kind=Kind.OPINION)
        for few, most in ((250, 12_000), (2, 3)):
            monkeypatch.setattr(search, "FEW", few)
            monkeypatch.setattr(search, "MOST", most)
            ids: list[int] = []
            found, counted = search_terms.begin(query, "加梯", limit=3)
            if few > 2:
                assert counted == (8, True)
            else:
                assert not counted.complete
            while True:
                ids += found.ids
                if found.next_key is None:
                    break
                found = search_terms.find(query, "加梯", before=found.next_key, limit=3)
            assert ids == every[::-1]


def test_past_consultations_turn_by_key(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for number in range(23):
            a_consultation(f"past-{number}", phase=Phase.CLOSED)
        a_consultation("now", phase=Phase.OPEN)
        a_consultation("soon", phase=Phase.UPCOMING)
    first = client.get("/consultations/").get_data(as_text=True)
    slugs = re.findall('href="/consultations/([a-z0-9-]+)/"', first)
    assert slugs == ["now", "soon", *(f"past-{n}" for n in range(22, 2, -1))]
    turned = re.search('rel="next" href="([^"]+)"', first)
    assert turned is not None
    second = client.get(unescape(turned.group(1))).get_data(as_text=True)
    assert re.findall('href="/consultations/([a-z0-9-]+)/"', second) == [
        "past-2",
        "past-1",
        "past-0",
    ]
    assert 'rel="next"' not in second


@given(text=TEXTS, cut=st.data())
def test_what_is_marked_is_what_was_looked_for(text: str, cut: st.DataObject) -> None:
    folded = search_text.fold(text)
    begin = cut.draw(st.integers(0, max(len(folded) - 2, 0)))
    needle = folded[begin : begin + cut.draw(st.integers(2, 5))].strip()
    if len(needle) < 2 or " " in needle:
        return
    parts = search_text.excerpt(text, [needle])
    assert "".join(part.text for part in parts) == " ".join(text.split())
    marked = [search_text.fold(part.text) for part in parts if part.hit]
    # A sign that folds to several characters (㎡) is marked whole.
    assert marked
    assert any(needle in each for each in marked)


def test_an_excerpt_shows_the_surroundings() -> None:
    text = "前" * 300 + "加装电梯" + "后" * 300
    parts = search_text.excerpt(text, ["加装", "电梯"])
    assert [part.text for part in parts if part.hit] == ["加装", "电梯"]
    assert parts[0].text == parts[-1].text == "…"
    assert len("".join(part.text for part in parts)) == 202
    assert search_text.excerpt("短", ["没有"]) == [search_text.Part("短", hit=False)]


@given(st.lists(st.text(max_size=20), max_size=8))
def test_the_tokens_of_many_texts_are_those_of_each(texts: list[str]) -> None:
    fact = 2**31 - 1
    each = [postings._packed(search_text.pairs(text) | {fact}) for text in texts]
    assert search_tokens.packed(texts, [[fact - postings.LOWEST]] * len(texts)) == each


def ids_of(candidates: postings.Candidates) -> list[int]:
    """The documents that are candidates, by the way search asks for them."""
    query = postings.among(sa.select(SearchDocument.id), SearchDocument, candidates.ids)
    return list(db.session.scalars(query))


@pytest.mark.parametrize("span", [1, 5, 1000])
def test_candidates_are_those_that_have_the_tokens_however_frequent_they_are(
    app: Flask, monkeypatch: pytest.MonkeyPatch, span: int
) -> None:
    monkeypatch.setattr(postings, "BLOCKS", ((1, 0xFFFF), (3, 0xFFFE)))
    monkeypatch.setattr(postings, "MOST_BLOCKS", 3)
    monkeypatch.setattr(postings, "FURTHER", 2)
    # The number 1 in all, 2 in each second, 3 in each fifth of the older ones, 4 in two, 5 in none.
    kept = {
        id: {1, *([2] * (id % 2)), *([3] * (id < 40 and id % 5 == 0)), *([4] * (id in {7, 63}))}
        for id in range(1, 81)
    }
    # A document may have the token of a block in which it does not stand.
    kept[9].add(postings._block(40, 0xFFFF))
    with app.app_context():
        postings.put(kept)
        documents = [
            {"id": id, "kind": Kind.NOTICE, "thing_id": id, "folded": "", "marks": ""}
            for id in kept
        ]
        db.session.execute(sa.insert(SearchDocument), documents)
        for every, some in (((1,), ()), ((1, 2), ()), ((1, 3), ()), ((1, 4), ()), ((5,), ()),
                            ((1,), ((3, 4),)), ((2,), ((3, 4), (2, 5))), ((1,), ((),))):  # fmt: skip
            for before, limit in (
                (None, 100),
                (None, 7),
                (81, 100),
                (81, 3),
                (41, 10),
                (20, 1),
                (1, 5),
            ):
                expected = [
                    id
                    for id in sorted(kept, reverse=True)
                    if (before is None or id < before)
                    and kept[id].issuperset(every)
                    and all(kept[id].intersection(group) for group in some)
                ]
                met: list[int] = []
                below, ended = before, False
                while not ended:
                    found = postings.candidates(every, some, before=below, limit=limit, span=span)
                    assert len(found.ids) == len(expected[len(met) :][:limit])
                    assert ids_of(found) == found.ids == expected[len(met) :][:limit]
                    met += ids_of(found)
                    below, ended = found.below, found.below is None
                assert met == expected


DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2099, 12, 31))


@given(DAYS, DAYS, DAYS)
@example(dt.date(2020, 1, 1), dt.date(2020, 12, 31), dt.date(2020, 2, 29))
@example(dt.date(1990, 1, 1), dt.date(2099, 12, 31), dt.date(2099, 12, 31))
def test_an_opinion_is_found_by_days_exactly_if_its_day_is_one_of_them(
    first: dt.date, last: dt.date, day: dt.date
) -> None:
    marks = search_opinions.marks_of(
        consultation_id=1, channel=Channel.WEB, stance=None, place=0, day=day
    )
    asked = search_opinions.days(first, last)
    assert len(set(asked)) == len(asked) <= 150
    assert (first <= day <= last) == bool(set(asked) & set(marks))


def test_days_are_asked_for_by_the_longest_periods_there_are() -> None:
    days = search_opinions.days
    assert days(dt.date(2020, 1, 1), dt.date(2020, 12, 31)) == ["y2020"]
    assert days(dt.date(2020, 10, 5), dt.date(2020, 10, 5)) == ["d2020-10-05"]
    assert days(dt.date(2020, 10, 9), dt.date(2020, 12, 1)) == [
        "d2020-10-09", "d2020-10-10", "t2020-10-2", "t2020-10-3", "m2020-11", "d2020-12-01",
    ]  # fmt: skip
    assert days(None, dt.date(1991, 1, 10)) == ["y1990", "t1991-01-1"]
    assert days(dt.date(2098, 12, 31), None) == ["d2098-12-31", "y2099"]
    assert days(dt.date(2150, 1, 1), None) == []


def test_many_at_once_are_entered_as_one_by_one(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["加装电梯", "ＰＭ２．５", "面积㎡…", "café", "x", "", "🚇地铁", "e\u0301 \u00ad"]
    documents = [Document(n, (words[n % 8], f"第{n}件"), (f"c{n % 3}",)) for n in range(1, 121)]
    with app.app_context():
        search_documents.put(Kind.NOTICE, documents, fresh=True)
        kept = sa.select(SearchDocument.id, SearchDocument.folded, SearchDocument.marks)
        at_once = db.session.execute(kept.order_by(SearchDocument.id)).all()
        for row in at_once:
            for needle in (row.folded[:2], row.folded[-2:]):
                found = search_documents.candidates(
                    Kind.NOTICE, [needle], marks=row.marks.split(), before=None, limit=200
                )
                assert row.id in ids_of(found)
        # Out again one by one, which needs the very same tokens.
        search_documents.drop(Kind.NOTICE, [document.thing_id for document in documents])
        gone = search_documents.candidates(Kind.NOTICE, ["第1"], before=None, limit=1)
        assert ids_of(gone) == []
        monkeypatch.setattr(search_documents, "MANY", 1000)
        search_documents.put(Kind.NOTICE, documents, fresh=True)
        assert db.session.execute(kept.order_by(SearchDocument.id)).all() == at_once
