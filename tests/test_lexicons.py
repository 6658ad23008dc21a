"""The lexicon staff keep: versions, what a change does before and after, and the next count."""

import html
import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from consult import lexicon_previews, lexicons, summaries, summary_readings
from consult.analysis.lexicon import builtin
from consult.consultations import Consultation
from consult.lexicons import Entry, EntryKind
from consult.summary_items import Filters
from consult.views import lexicon as lexicon_pages
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
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
        was = lexicon_previews.lexicon_in([consultation], 0)
        put = [Entry("椿沁园", TERM), Entry("害怕", STOP)]
        would = lexicon_previews.with_headings(
            [consultation], lexicons.overlaid(builtin(), lexicons.changed([], put, ()))
        )
        rows = lexicon_previews.rows_of([consultation])
        preview = lexicon_previews.preview(rows, was, would)
        assert preview.read == 5
        assert len(preview.changed) == 5
        told = {term: after for term, _before, after in preview.terms}
        assert told["椿沁园"] == 4
        assert told["害怕"] == 0
        decide(*put)
        assert summary_readings.since(before, [consultation]).lexicon
        after = a_summary(consultation)
        assert not summary_readings.since(after, [consultation]).lexicon
        for term, count in told.items():
            items = summary_readings.read(after, [consultation]).counted.items
            assert sum(term in item.terms for item in items) == count
        # The older snapshot is still read with the lexicon it was counted with.
        old = summary_readings.read(before, [consultation])
        assert summary_readings.view(old, Filters(term="害怕")).figures.numbers.submissions == 1


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
