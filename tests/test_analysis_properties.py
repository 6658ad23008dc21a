"""What must hold whatever people write: nothing lost, counts that a naive recount confirms, a part
never above the whole, the order of arrival without effect, the same bytes from two processes."""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.analysis import concordance, contrast, keywords, newwords, normal, phrases, themes
from consult.analysis.duplicates import exact_groups, near_groups
from consult.analysis.engine import Engine
from consult.analysis.lexicon import builtin

ROOT = Path(__file__).resolve().parent.parent
PIECES = (
    "建议加装电梯",
    "反对加装电梯",
    "不建议在绿地建停车场",
    "菜市场太远了",
    "苏河湾滨水步道很好",
    "P+R停车场什么时候建",
    "垃圾房太臭",
    "谢谢领导",
    "5G基站",
    "👍",
    "\ud800",
    "，",
    "。",
    "\n",
    "　",
)
TEXT = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text(max_size=30)
TEXTS = st.lists(TEXT, max_size=25)
LETTER = "我们是共和新路一带的老住户，楼里六十岁以上的老人占了一半，每天上下五楼要歇三次，{}。"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(builtin())


@dataclass(frozen=True)
class Said:
    terms: tuple[str, ...]
    opposed: tuple[str, ...]
    person: str
    group: str | None = None


def said(engine: Engine, texts: Sequence[str]) -> list[Said]:
    read = [engine.analyse(text) for text in texts]
    return [Said(one.terms, one.opposed, str(n % 7)) for n, one in enumerate(read)]


def ranked(items: Sequence[Said]) -> dict[str, keywords.Keyword]:
    found = keywords.rank(items, draft={"电梯": 2}, draft_size=5, top=10_000, minimum=1)
    return {keyword.term: keyword for keyword in found}


@given(TEXT)
def test_no_character_is_lost(engine: Engine, text: str) -> None:
    assert "".join(engine.segmenter.tokens(text)) == text
    assert [text[at : at + len(word)] for word, at in engine.segmenter.spans(text)] == list(
        engine.segmenter.tokens(text)
    )


@given(TEXTS)
def test_every_count_is_that_of_a_naive_recount(engine: Engine, texts: list[str]) -> None:
    items = said(engine, texts)
    for term, keyword in ranked(items).items():
        holding = [item for item in items if term in item.terms]
        assert keyword.count == len(holding)
        assert keyword.people == len({item.person for item in holding})
        assert keyword.opposed == sum(term in item.opposed for item in items)
        assert keyword.share == len(holding) / len(items)


@given(TEXTS)
def test_mentions_are_those_that_the_concordance_shows(engine: Engine, texts: list[str]) -> None:
    for text in texts:
        for term, times in engine.mentions(text).items():
            shown = concordance.lines(text, term, segmenter=engine.segmenter)
            assert len(shown) == times
            for line in shown:
                assert line.keyword in text


@given(TEXTS, st.data())
def test_a_part_is_never_above_the_whole(
    engine: Engine, texts: list[str], data: st.DataObject
) -> None:
    items = said(engine, texts)
    kept = [item for item in items if data.draw(st.booleans())]
    whole = ranked(items)
    for term, keyword in ranked(kept).items():
        # Enough voices for a guessed word in a part are enough in the whole.
        assert keyword.count <= whole[term].count
        assert keyword.people <= whole[term].people
        assert keyword.opposed <= whole[term].opposed


@given(TEXTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_does_not_matter(
    engine: Engine, texts: list[str], chance: random.Random
) -> None:
    order = list(range(len(texts)))
    chance.shuffle(order)
    items = said(engine, texts)
    assert ranked(items) == ranked([items[n] for n in order])
    half = len(items) // 2
    a, b = items[:half], items[half:]
    assert contrast.compare(a, b, minimum=1, every=True) == contrast.compare(
        a[::-1], b[::-1], minimum=1, every=True
    )
    other = [texts[n] for n in order]
    for grouped in (exact_groups, near_groups):
        straight, shuffled = grouped(texts), grouped(other)
        assert _parts(straight) == _parts([shuffled[order.index(n)] for n in range(len(order))])
    assert newwords.propose(texts, segmenter=engine.segmenter, minimum=2) == newwords.propose(
        other, segmenter=engine.segmenter, minimum=2
    )
    best = phrases.keywords([(text, "") for text in texts], segmenter=engine.segmenter)
    again = phrases.keywords([(text, "") for text in other], segmenter=engine.segmenter)
    assert [best[n] for n in order] == again


def _parts(groups: Sequence[int]) -> set[frozenset[int]]:
    held: dict[int, set[int]] = {}
    for member, group in enumerate(groups):
        held.setdefault(group, set()).add(member)
    return {frozenset(part) for part in held.values()}


@settings(max_examples=15)
@given(st.randoms(use_true_random=False))
def test_themes_and_campaigns_do_not_depend_on_who_came_first(
    engine: Engine, chance: random.Random
) -> None:
    texts = [
        chance.choice(PIECES[:9]) + "，" + chance.choice(PIECES[:9]) + "。" for _n in range(60)
    ] + [LETTER.format(chance.choice(PIECES[:9])) for _n in range(30)]
    other = texts[:]
    chance.shuffle(other)
    groupings = [themes.group([engine.mentions(text) for text in each]) for each in (texts, other)]
    described = [
        [
            (theme.name, theme.terms, Counter(each[n] for n in theme.members))
            for theme in grouping.themes
        ]
        for each, grouping in zip((texts, other), groupings, strict=True)
    ]
    assert [(name, terms) for name, terms, _members in described[0]] == [
        (name, terms) for name, terms, _members in described[1]
    ]
    for grouping in groupings:
        held = [n for theme in grouping.themes for n in theme.members]
        assert sorted([*held, *grouping.unclassified]) == list(range(len(texts)))
    copies = [Counter(zip(each, near_groups(each), strict=True)) for each in (texts, other)]
    together = [
        {frozenset(text for text, group in one if group == g) for _text, g in one} for one in copies
    ]
    assert together[0] == together[1]


@pytest.mark.parametrize(
    "command",
    [
        ["segment"],
        ["keywords", "--explain"],
        ["keywords", "--per-text", "4", "--explain"],
        ["contrast", "--minimum", "1"],
        ["newwords", "--minimum", "2"],
        ["stance"],
        ["duplicates"],
        ["themes"],
        ["route"],
        ["concordance", "--term", "电梯", "--sort", "left"],
        ["cloud"],
    ],
    ids=lambda command: command[0],
)
def test_two_processes_write_the_same_bytes(command: list[str]) -> None:
    chance = random.Random(9)
    rows = [
        {
            "id": n,
            "text": "，".join(chance.choices(PIECES[:9], k=3)),
            "group": chance.choice(["甲", "乙"]),
            "person": f"p{n % 9}",
        }
        for n in range(60)
    ] + ([{"id": "x", "text": "电梯与菜市场"}] if command == ["route"] else [])
    given = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    runs = [
        subprocess.run(
            [sys.executable, "-m", "consult.analysis", *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            input=given,
            capture_output=True,
        )
        for seed in ("1", "77")
    ]
    assert runs[0].returncode == 0, runs[0].stderr
    assert runs[0].stdout == runs[1].stdout
    assert normal.plain(runs[0].stdout.decode()).strip()
