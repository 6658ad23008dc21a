"""Reading by the thousand gives what reading one by one gives: terms, what is opposed, stance."""

import csv
import random
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.analysis import bulk, lexicon
from consult.analysis.bulk import Bulk
from consult.analysis.engine import Engine

HERE = Path(__file__).resolve().parent
MESSAGES = HERE.parent.parent / "shared" / "data" / "messages.csv"
CUES = (HERE.parent / "consult" / "data" / "stance.txt").read_text(encoding="utf-8")
LONGEST = 60
# What cues are made of, what ends clauses, what is cut in its own way, and terms to speak of.
FRAGMENTS = (
    *(word for line in CUES.splitlines() if line[:1] not in ("#", "[") for word in line.split()),
    *"，。！？；,:\n\r\t ()（）【】　…" * 3,
    *("5号线", "a.b-c%", "80-90分贝", "AT&T", "C++", "㐀㐁", "𠮷野家", "鿿", "\u200b", "ﬃ", "㎡"),
    *("加装电梯", "停车位", "我", "有人", "如果", "他们", "养老院", "的", "房太臭了") * 5,
    "x" * (LONGEST + 1),
)
texts = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=14).map("".join)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(lexicon.builtin().extended(["第一章 社区食堂进楼组"]))


@pytest.fixture(scope="module")
def many(engine: Engine) -> Bulk:
    return Bulk(engine, few=0)


@pytest.fixture(scope="module")
def few(engine: Engine) -> Bulk:
    return Bulk(engine)


def held_alike(engine: Engine, many: Bulk, pairs: Iterable[tuple[str, str]]) -> None:
    given = list(pairs)
    said = many.said(given, longest=LONGEST)
    assert list(said.words) == sorted(set(said.words))
    for number, (title, body) in enumerate(given):
        terms, reading = engine.said(body, title=title)
        read, against = (
            [said.words[term] for term in rows[starts[number] : starts[number + 1]]]
            for starts, rows in ((said.starts, said.terms), (said.opposed_starts, said.opposed))
        )
        assert read == [term for term in terms if len(term) <= LONGEST], (title, body)
        assert against == sorted(t for t in reading.opposed if len(t) <= LONGEST), (title, body)
        assert said.stances[number] == reading.stance, (title, body)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.just("") | texts, texts), max_size=6))
def test_any_texts(engine: Engine, many: Bulk, few: Bulk, pairs: list[tuple[str, str]]) -> None:
    held_alike(engine, many, pairs)
    held_alike(engine, few, pairs)


def test_the_stance_cases_and_many_made_of_cues(engine: Engine, many: Bulk) -> None:
    chosen = random.Random(4)
    made = ["".join(chosen.choices(FRAGMENTS, k=chosen.randint(0, 20))) for _n in range(600)]
    cases = (HERE / "stance_cases.txt").read_text(encoding="utf-8").splitlines()
    held_alike(engine, many, (("", text) for text in (*cases, *made)))


@pytest.mark.skipif(not MESSAGES.exists(), reason="the shared data is not at hand")
def test_real_messages(engine: Engine, many: Bulk) -> None:
    with MESSAGES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[:600]
    held_alike(engine, many, ((row["title"], row["body"]) for row in rows))


def test_words_are_forgotten_when_there_are_too_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MOST_WORDS", 3)
    few = Bulk(engine, few=0)
    for text in ("建议加装电梯。", "停车位太少，反对收费。", "支持养老院！"):
        held_alike(engine, few, [("", text), ("关于停车", text)])


def test_without_rjieba(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    from consult.analysis.segment import Segmenter  # noqa: PLC0415

    slow = Engine(engine.lexicon)
    monkeypatch.setattr(slow, "segmenter", Segmenter(engine.lexicon, plain_jieba=True))
    held_alike(slow, Bulk(slow), [("", "不建议加装电梯，5号线80-90分贝。"), ("", "支持！")])
