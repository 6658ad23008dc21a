"""The lexicon staff keep: versions, what a change does before and after, and the next count."""

import html
import io
import json
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import lexicon_previews, lexicons, summaries, term_index
from consult.analysis.lexicon import builtin
from consult.consultations import Consultation
from consult.lexicons import Entry, EntryKind
from consult.submissions import Submission
from consult.summaries import readings
from consult.summaries.items import Filters
from consult.views import lexicon as lexicon_pages
from core import audit, jobs
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation
from tests.summaries_made import a_summary, an_opinion

TERM, SYNONYM, STOP, PLAIN = EntryKind


def decide(*put: Entry, drop: tuple[str, ...] = (), reason: str = "居民的说法") -> int:
    """A further version; its number."""
    made = lexicons.change(
        put=put, drop=drop, seen=lexicons.newest(), reason=reason, by=audit.SYSTEM, now=NOON
    )
    db.session.commit()
    return made.number


def talkative() -> Consultation:
    """A consultation with a word no dictionary holds."""
    consultation = a_consultation("words", title="征求意见")
    for n, words in enumerate(
        (
            "椿沁园的电梯常坏，请修一修。",
            "希望椿沁园增加停车位。",
            "我住椿沁园，晚上路灯不亮。",
            "建议在椿沁园旁边建养老食堂。",
            "路灯不亮，晚上走路害怕。",
        )
    ):
        an_opinion(consultation, words, person=f"p{n}")
    db.session.commit()
    return consultation


@pytest.mark.parametrize(
    ("entry", "check"),
    [
        (Entry("椿沁园", TERM), lambda after: "椿沁园" in after.terms),
        (Entry("装梯子", SYNONYM, "加装电梯"), lambda after: after.decided("装梯子") == "加装电梯"),
        (Entry("加装电梯", STOP), lambda after: "加装电梯" in after.stop_words),
        (Entry("加装电梯", PLAIN), lambda after: "加装电梯" not in after.terms),
    ],
)
def test_a_decision_lies_over_the_built_in_files(entry: Entry, check: object) -> None:
    assert callable(check)
    assert check(lexicons.overlaid(builtin(), [entry]))


def test_a_synonym_of_a_synonym_counts_as_the_last() -> None:
    form, counted = next(iter(builtin().synonyms.items()))
    after = lexicons.overlaid(builtin(), [Entry(counted, SYNONYM, "另外的词")])
    assert after.decided(form) == after.decided(counted) == "另外的词"


def test_a_ring_and_unusable_words_decide_nothing() -> None:
    ring = [Entry("甲甲", SYNONYM, "乙乙"), Entry("乙乙", SYNONYM, "甲甲"), Entry("a b<", TERM)]
    assert lexicons.overlaid(builtin(), ring).version == builtin().version


def test_text_and_back() -> None:
    entries = [
        Entry("椿沁园", TERM),
        Entry("装梯子", SYNONYM, "加装电梯"),
        Entry("装电梯子", SYNONYM, "加装电梯"),
        Entry("晚上", STOP),
        Entry("停车", PLAIN),
    ]
    assert lexicons.parse(lexicons.as_text(entries)) == sorted(entries)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("没有标题", "第1行"),
        ("[terms]\n椿沁园\n[synonyms]\n没有冒号", "第4行"),
        ("[terms]\n<b>", "第2行"),
        ("[terms]\n晚上\n[stop words]\n晚上", "第4行"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(app: Flask, text: str, said: str) -> None:
    with app.test_request_context(), pytest.raises(Refused, match=said):
        lexicons.parse(text)


def test_versions_differ_and_roll_back_makes_a_new_one(app: Flask) -> None:
    with app.app_context():
        assert lexicons.at(lexicons.newest()) == builtin()
        first = decide(Entry("椿沁园", TERM))
        second = decide(Entry("晚上", STOP), drop=("椿沁园",))
        assert (first, second) == (1, 2)
        assert [word for word, *_ in lexicons.differences(*map(lexicons.entries_of, (1, 2)))] == [
            "晚上",
            "椿沁园",
        ]
        lexicons.roll_back(1, seen=2, reason="改回", by=audit.SYSTEM, now=NOON)
        db.session.commit()
        assert lexicons.newest() == 3
        assert lexicons.entries_of(3) == lexicons.entries_of(1)
        assert lexicons.at(3) == lexicons.at(1) != lexicons.at(2)


def test_who_saw_an_older_version_is_refused(app: Flask) -> None:
    with app.app_context():
        decide(Entry("椿沁园", TERM))
        with pytest.raises(Refused, match="新的一版"):
            lexicons.change(
                put=[Entry("晚上", STOP)], seen=0, reason="晚", by=audit.SYSTEM, now=NOON
            )


@pytest.mark.parametrize(
    "entry",
    [
        Entry("装梯子", SYNONYM, "装梯子"),
        Entry("装梯子", SYNONYM, next(iter(builtin().synonyms))),
        Entry("装梯子", SYNONYM, "的话"),
    ],
)
def test_a_synonym_that_would_hide_counts_is_refused(app: Flask, entry: Entry) -> None:
    with app.app_context():
        base = [Entry("的话", STOP)]
        with pytest.raises(Refused):
            lexicons.changed(base, [entry], ())


def test_the_preview_tells_what_the_next_count_gives(app: Flask) -> None:
    with app.app_context():
        consultation = talkative()
        before = a_summary(consultation)
        was = term_index.lexicon_over(lexicons.at(0))
        put = [Entry("椿沁园", TERM), Entry("害怕", STOP)]
        would = term_index.lexicon_over(lexicons.overlaid(builtin(), lexicons.changed([], put, ())))
        rows = lexicon_previews.rows_of([consultation])
        preview = lexicon_previews.preview(rows, was, would)
        assert preview.read == 5
        assert len(preview.changed) == 5
        told = {term: after for term, _before, after in preview.terms}
        assert told["椿沁园"] == 4
        assert told["害怕"] == 0
        decide(*put)
        assert readings.since(before, [consultation]).lexicon
        after = a_summary(consultation)
        assert not readings.since(after, [consultation]).lexicon
        for term, count in told.items():
            items = readings.read(after, [consultation]).counted.items
            assert sum(term in item.terms for item in items) == count
        # The older snapshot is still read with the lexicon it was counted with.
        old = readings.read(before, [consultation])
        assert readings.view(old, Filters(term="害怕")).figures.numbers.submissions == 1


def test_new_words_are_proposed_until_decided(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        consultation = talkative()
        # How firmly letters hold together shows only against other text.
        other = "".join(chr(0x4E00 + n) for n in range(400) if chr(0x4E00 + n) not in "椿沁园")
        an_opinion(consultation, other)
        db.session.commit()
        assert "椿沁园" in {p.word for p in lexicon_previews.proposals([consultation])}
        officer = people.make("drc_staff")
    people.sign_in(client, officer)
    page = client.get("/desk/lexicon/proposals").get_data(as_text=True)
    assert "椿沁园" in page
    counted = re.search(r'<a href="([^"]*proposals\?word=[^"]*)#using">(\d+)</a>', page)
    assert counted is not None
    using = client.get(html.unescape(counted[1])).get_data(as_text=True)
    assert using.count("data-entry") == int(counted[2]) == 4
    assert "第3件" in using
    assert client.post(
        "/desk/lexicon/proposals", data={"word": "椿沁园", "act": "refuse"}
    ).status_code in (302, 303)
    with app.app_context():
        assert lexicons.refused() == {"椿沁园"}
        assert lexicon_previews.proposals([consultation]) == []
        assert summaries.newest() == {}


def test_a_word_is_previewed_saved_found_and_taken_back(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        talkative()
        officer = people.make("drc_staff")
    people.sign_in(client, officer)
    page = client.get("/desk/lexicon/change?words=椿沁园&kind=term").get_data(as_text=True)
    assert "其中4件的词会变" in page
    data = {"words": "椿沁园", "kind": "term", "seen": "0", "reason": "小区名"}
    assert client.post("/desk/lexicon/change", data=data).status_code in (302, 303)
    assert "椿沁园" in client.get("/desk/lexicon/?q=椿沁").get_data(as_text=True)
    text = client.get("/desk/lexicon/export").get_data(as_text=True)
    assert "椿沁园" in text
    sent = {"text": text.replace("椿沁园", "椿沁新园"), "seen": "1", "reason": "改名"}
    assert client.post("/desk/lexicon/import", data=sent).status_code in (302, 303)
    back = {"seen": "2", "reason": "改回"}
    assert client.post("/desk/lexicon/versions/1", data=back).status_code in (302, 303)
    with app.app_context():
        assert [entry.word for entry in lexicons.entries_of(3)] == ["椿沁园"]
    refused = client.post("/desk/lexicon/change", data={**data, "reason": ""})
    assert refused.status_code == 422


@pytest.mark.parametrize("blank", [" ", "\u3000", "\t", "\u00a0"])
def test_several_words_are_typed_with_any_blank(
    app: Flask, client: FlaskClient, blank: str
) -> None:
    with app.app_context():
        talkative()
        officer = people.make("drc_staff")
    people.sign_in(client, officer)
    typed = f"椿沁园{blank}椿沁新园"
    answer = client.get("/desk/lexicon/change", query_string={"words": typed, "kind": "term"})
    assert answer.status_code == 200
    assert "其中4件的词会变" in answer.text
    data = {"words": typed, "kind": "term", "seen": "0", "reason": "小区名"}
    assert client.post("/desk/lexicon/change", data=data).status_code in (302, 303)
    with app.app_context():
        assert [entry.word for entry in lexicons.entries_of(1)] == ["椿沁园", "椿沁新园"]
    assert client.get("/desk/lexicon/", query_string={"q": f"椿沁{blank}"}).status_code == 200


@pytest.mark.parametrize(
    ("words", "kind", "into"),
    [
        ("椿沁园", "term", ""),
        ("椿沁", "synonym", "椿沁园"),
        ("路灯", "stop", ""),
        # By the built-in files, or by nobody.
        ("加梯", "synonym", "加装电梯"),
        ("加装电梯、椿沁园", "term", ""),
        ("无人说过", "plain", ""),
        ("无人说过", "built_in", ""),
    ],
)
def test_what_stands_already_is_said_to_and_not_offered_to_be_saved(
    app: Flask, client: FlaskClient, words: str, kind: str, into: str
) -> None:
    with app.app_context():
        talkative()
        officer = people.make("drc_staff")
        decide(Entry("椿沁园", TERM), Entry("椿沁", SYNONYM, "椿沁园"), Entry("路灯", STOP))
    people.sign_in(client, officer)
    asked = {"words": words, "kind": kind, "counts_as": into}
    page = client.get("/desk/lexicon/change", query_string=asked).get_data(as_text=True)
    assert "已经是这样规定的" in page
    assert page.count("没有需要保存的") == 1
    assert 'name="reason"' not in page
    assert "会有什么变化" not in page
    answer = client.post("/desk/lexicon/change", data=asked | {"seen": "1", "reason": "再存一次"})
    assert answer.status_code == 409
    assert answer.get_data(as_text=True).count("没有需要保存的") == 1
    # One word of two that stands otherwise is a change, and so is to take a decision back.
    for other in (
        {"words": f"{words.split('、')[0]}、新的词", "kind": "stop"},
        {"words": "椿沁园", "kind": "built_in"},
    ):
        page = client.get("/desk/lexicon/change", query_string=other).get_data(as_text=True)
        assert 'name="reason"' in page


def test_what_is_refused_leaves_the_form_as_it_was_typed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        talkative()
        officer = people.make("drc_staff")
        decide(Entry("路灯", STOP))
    people.sign_in(client, officer)
    late = {"words": "椿沁园", "kind": "term", "seen": "0", "reason": "我写的理由"}
    answer = client.post("/desk/lexicon/change", data=late)
    assert answer.status_code == 409
    page = answer.get_data(as_text=True)
    assert "词典刚刚有了新的一版" in page
    assert 'value="我写的理由"' in page
    # Once the new state was seen, the same form is good.
    assert re.search(r'name="seen"[^>]*value="1"', page)
    text = {"text": "[terms]\n椿沁园", "seen": "0", "reason": "整个换掉"}
    answer = client.post("/desk/lexicon/import", data=text)
    assert answer.status_code == 409
    assert "椿沁园</textarea>" in answer.get_data(as_text=True)
    assert 'value="整个换掉"' in answer.get_data(as_text=True)
    now = {"seen": "1", "reason": "回到现在"}
    answer = client.post("/desk/lexicon/versions/1", data=now)
    assert answer.status_code == 409
    assert "没有不同" in answer.get_data(as_text=True)
    for words, kind, into in (
        ("椿沁园", "synonym", "椿沁园"),
        ("椿沁园", "synonym", ""),
        ("椿" * 30, "term", ""),
    ):
        data = {"words": words, "kind": kind, "counts_as": into, "seen": "1", "reason": "试"}
        answer = client.post("/desk/lexicon/change", data=data)
        assert answer.status_code == 409
        assert f'value="{words}"' in answer.get_data(as_text=True)


def test_the_built_in_lexicon_is_a_version_to_go_back_to(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        officer = people.make("drc_staff")
        decide(Entry("椿沁园", TERM))
    people.sign_in(client, officer)
    assert "/desk/lexicon/versions/0" in client.get("/desk/lexicon/versions").get_data(as_text=True)
    assert "椿沁园" in client.get("/desk/lexicon/versions/0").get_data(as_text=True)
    back = {"seen": "1", "reason": "从头再来"}
    assert client.post("/desk/lexicon/versions/0", data=back).status_code in (302, 303)
    assert client.get("/desk/lexicon/versions/9").status_code == 404
    assert client.get("/desk/lexicon/export?version=9").status_code == 404
    assert client.get("/desk/lexicon/export?version=0").status_code == 200
    with app.app_context():
        assert lexicons.entries_of(2) == []
        assert lexicons.at(2) == builtin()


def test_a_change_has_the_index_follow_and_shows_how_far_it_is(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        consultation = talkative()
        term_index.follow([s.id for s in db.session.scalars(sa.select(Submission))])
        db.session.commit()
        officer = people.make("drc_staff")
    people.sign_in(client, officer)
    data = {"words": "椿沁园", "kind": "term", "seen": "0", "reason": "小区名"}
    client.post("/desk/lexicon/change", data=data)
    page = client.get("/desk/lexicon/versions/1").get_data(as_text=True)
    assert "词语索引还没有按这一版更新" in page
    job = re.search(r'href="(/desk/jobs/\d+)"', page)
    assert job is not None
    assert client.get(job[1]).status_code == 200
    with app.app_context():
        db.session.execute(sa.update(jobs.Job).values(done=2, total=5))
        db.session.commit()
    page = client.get("/desk/lexicon/versions/1").get_data(as_text=True)
    assert re.search(r"词语索引按这一版更新： <span class=\"num\">2 / 5", page)
    with app.app_context():
        assert jobs.work(worker="here", now=clock)
        assert not term_index.is_behind()
        view = term_index.shelf(consultation.id)
        _by_number, by_word = term_index.vocabulary()
        assert int(view.counts()[by_word["椿沁园"]]) == 4
    page = client.get("/desk/lexicon/versions/1").get_data(as_text=True)
    assert "词语索引已按这一版更新" in page


def test_an_import_is_looked_at_before_it_is_kept_and_comes_as_a_file_too(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        talkative()
        officer = people.make("drc_staff")
    people.sign_in(client, officer)

    def sent(content: bytes, **fields: str) -> tuple[int, str]:
        data = {"file": (io.BytesIO(content), "词典.txt"), "text": "", "seen": "0", **fields}
        answer = client.post("/desk/lexicon/import", data=data)
        return answer.status_code, answer.get_data(as_text=True)

    words = "[terms]\r\n椿沁园\r\n[stop words]\r\n害怕\r\n"
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        code, page = sent(words.encode(encoding), act="preview")
        assert code == 200
        assert "其中5件的词会变" in page
        assert "椿沁园\n[stop words]" in page, "what the file holds stands in the field"
    with app.app_context():
        assert lexicons.newest() == 0, "nothing was kept"
    for content in (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        b"\xff\xfe\xfd" * 50,
        b"PK\x03\x04" + bytes(99),
    ):
        assert sent(content, act="save", reason="图")[0] == 422
    code, page = sent(b"wenji " * 40_000, act="preview")
    assert code == 422
    assert "文件太大" in page
    giant = "[terms]\n" + "\n".join(f"椿沁园{n}" for n in range(5_001))
    code, page = sent(giant.encode(), act="save", reason="太多")
    assert code == 409
    assert "最多5000条" in page
    for nothing in (b"", b"\xef\xbb\xbf# none\r\n[terms]\r\n"):
        code, page = sent(nothing, act="save", reason="空的")
        assert code == 409
        assert "没有一条规定" in page
    assert sent(words.encode(), act="save")[0] == 422, "why is missing"
    assert sent(words.encode(), act="save", reason="换一版")[0] in (302, 303)
    with app.app_context():
        assert [e.word for e in lexicons.entries_of(1)] == ["害怕", "椿沁园"]


def test_the_page_begins_with_plan_terms_and_ends_with_stop_words(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexicon_pages, "PAGE", 400)
    with app.app_context():
        officer = people.make("drc_staff")
    people.sign_in(client, officer)
    read: list[tuple[str, str]] = []
    path = "/desk/lexicon/"
    while path:
        page = client.get(path).get_data(as_text=True)
        read += re.findall(r'<th scope="row"[^>]*>([^<]+)</th><td[^>]*>([^<]+)<', page)
        following = re.search(r'rel="next" href="([^"]+)"', page) or re.search(
            r'href="([^"]+)"[^>]*rel="next"', page
        )
        path = html.unescape(following[1]) if following else ""
    with app.app_context():
        every = lexicons.all_of(lexicons.at(0))
    assert sorted(word for word, _said in read) == sorted(entry.word for entry in every)
    kinds = {entry.word: entry.kind for entry in every}
    places = [lexicon_pages.ORDER.index(kinds[word]) for word, _said in read]
    assert places == sorted(places)
    assert kinds[read[0][0]] is TERM
    assert kinds[read[-1][0]] is STOP


def test_the_command_line_shows_exports_and_imports(app: Flask, tmp_path: object) -> None:
    run = app.test_cli_runner().invoke
    with app.app_context():
        decide(Entry("椿沁园", TERM))
    said = json.loads(run(args=["lexicon", "show", "--json"]).output)
    assert said["version"] == 1
    assert said["entries"] == [{"word": "椿沁园", "kind": "term", "counts_as": None}]
    file = f"{tmp_path}/lexicon.txt"
    assert run(args=["lexicon", "export", file]).exit_code == 0
    again = run(args=["lexicon", "import", file, "--reason", "再来"])
    assert again.exit_code == 1
    assert "没有不同" in again.stderr
