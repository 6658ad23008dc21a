"""What the engine reads out of one opinion: terms, opposition, stance, fingerprint."""

import importlib
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.analysis import cues, stance
from consult.analysis.concordance import Line, lines
from consult.analysis.engine import Analysed, Engine
from consult.analysis.lexicon import builtin
from consult.analysis.normal import plain, plain_with_places

HERE = Path(__file__).resolve().parent
CASES = HERE / "stance_cases.txt"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(builtin())


def _cases() -> list[tuple[str, str, str]]:
    written = CASES.read_text(encoding="utf-8").splitlines()
    lines = (line for line in written if line and not line.startswith("#"))
    split = (tuple(part.strip() for part in line.split("|")) for line in lines)
    return [(stance, text, opposed) for stance, text, opposed in split]


HARD = [case for case in _cases() if not case[0].endswith("?")]
WRONG = [case for case in _cases() if case[0].endswith("?")]


@pytest.mark.parametrize(("stance", "text", "opposed"), HARD)
def test_hard_cases_of_stance(stance: str, text: str, opposed: str, engine: Engine) -> None:
    read = engine.analyse(text)
    assert read.stance == stance, read.because
    if opposed == "-":
        assert read.opposed == ()
    else:
        assert set(opposed.split()) <= set(read.opposed)


@pytest.mark.parametrize(("stance", "text", "_opposed"), WRONG)
def test_what_is_still_read_wrongly_is_marked_as_such(
    stance: str, text: str, _opposed: str, engine: Engine
) -> None:
    assert engine.analyse(text).stance != stance.rstrip("?"), "right now: take the mark away"


def test_there_are_enough_hard_cases_of_every_stance() -> None:
    assert len({text for _stance, text, _opposed in HARD}) == len(HARD) >= 1000
    assert min(Counter(stance for stance, _text, _opposed in HARD).values()) >= 20
    assert len(WRONG) <= 0.02 * len(HARD)


def test_three_ways_to_name_a_thing_never_add_up_to_one(engine: Engine) -> None:
    against, suggested, opposed = (
        engine.analyse(text) for text in ("不建议在这里加装电梯", "建议加装电梯", "反对加装电梯")
    )
    assert (against.stance, suggested.stance, opposed.stance) == ("oppose", "suggest", "oppose")
    assert against.terms == suggested.terms == opposed.terms == ("加装电梯",)
    assert (against.opposed, suggested.opposed, opposed.opposed) == (
        ("加装电梯",),
        (),
        ("加装电梯",),
    )
    assert against.because == ("不建议",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("反对加装电梯、立体停车库", {"加装电梯", "立体停车库"}),
        ("反对加装电梯，支持修缮外墙", {"加装电梯"}),
        ("我反对在加装电梯时砍树，但支持加装电梯", {"砍树"}),
        ("不要取消早餐车", set()),
        ("以前反对加装电梯。", set()),
        ("建议禁止电动车上楼", {"电动车上楼"}),
    ],
)
def test_what_stands_in_the_scope_of_an_opposition(
    text: str, expected: set[str], engine: Engine
) -> None:
    assert set(engine.analyse(text).opposed) == expected


def test_the_words_that_decided_stand_in_the_text(engine: Engine) -> None:
    for _, text, _ in HARD:
        for words in engine.analyse(text).because:
            assert words in plain(text)


def test_synonyms_fold_and_stop_words_go(engine: Engine) -> None:
    read = engine.analyse("建议有关部门推进规划，研究加强老小区加梯和旧改，谢谢！")
    assert read.terms == ("加装电梯", "旧区改造", "老旧小区")


def test_width_and_case_make_no_difference(engine: Engine) -> None:
    a = engine.analyse("15分钟生活圈和5G基站，APP也要有")
    b = engine.analyse("１５分钟生活圈和５g基站，app也要有")
    assert a.terms == b.terms == ("15分钟生活圈", "5G基站", "APP")
    assert a.fingerprint == b.fingerprint


def test_terms_do_not_cross_punctuation(engine: Engine) -> None:
    assert "加装电梯" not in engine.analyse("该不该加，装电梯的钱谁出").terms[:0]
    assert "一网通办" not in engine.analyse("一网，通办").terms


def test_words_the_segmenter_invents_do_not_pass_for_terms(engine: Engine) -> None:
    assert engine.analyse("垃圾房太臭了").terms == ("垃圾房",)
    assert "号线" not in engine.analyse("地铁5号线").terms


def test_a_title_counts_as_the_first_sentence(engine: Engine) -> None:
    read = engine.analyse("楼里老人多。", title="建议加装电梯")
    assert read.stance == "suggest"
    assert "加装电梯" in read.terms
    assert read.fingerprint == engine.analyse("楼里老人多").fingerprint


@pytest.mark.parametrize("text", ["", "   ", "。。。", "👍👍", "123", "\n", "好"])
def test_texts_that_say_nothing_are_read_as_such(text: str, engine: Engine) -> None:
    read = engine.analyse(text)
    assert (read.terms, read.opposed, read.stance) == ((), (), "none")
    assert len(read.fingerprint) == 32


def test_fingerprints_fold_form_and_nothing_else(engine: Engine) -> None:
    def mark(text: str) -> str:
        return engine.analyse(text).fingerprint

    assert mark("建议 加装电梯！") == mark("建议加装\n电梯。") == mark("建议加装电梯")
    assert mark("建议加装电梯") != mark("建议加装扶梯")
    assert mark("👍") != mark("👎")
    assert mark("ＡＰＰ") == mark("app")


@given(st.text(max_size=80))
def test_any_text_is_read_without_complaint(engine: Engine, text: str) -> None:
    read = engine.analyse(text)
    assert set(read.opposed) <= set(read.terms)
    assert list(read.terms) == sorted(set(read.terms))
    assert read == engine.analyse(text)


@given(st.text(max_size=40))
def test_every_plain_character_knows_where_it_came_from(text: str) -> None:
    changed, places = plain_with_places(text)
    assert changed == plain(text)
    assert len(places) == len(changed) + 1
    assert places == sorted(places)


def test_two_processes_read_alike() -> None:
    code = (
        "from consult.analysis.engine import Engine\n"
        "from consult.analysis.lexicon import builtin\n"
        "engine = Engine(builtin())\n"
        "print(engine.version)\n"
        "for line in open('tests/stance_cases.txt', encoding='utf-8'):\n"
        "    print(engine.analyse(line))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=HERE.parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_the_version_names_method_and_lexicon(engine: Engine) -> None:
    assert engine.version.endswith(engine.lexicon.version)
    assert engine.version != Engine(builtin().extended(["苏河湾滨水长廊"])).version


def test_an_analysis_is_a_value(engine: Engine) -> None:
    read = engine.analyse("支持垃圾分类")
    assert read == Analysed(read.terms, (), "support", ("支持",), read.fingerprint)
    with pytest.raises(AttributeError):
        read.stance = "oppose"  # type: ignore[misc]


def test_a_bad_cue_is_refused_with_its_line() -> None:
    with pytest.raises(ValueError, match="line 2"):
        cues.parse("[support 2]\n支持( 坏")
    with pytest.raises(ValueError, match="line 1"):
        cues.parse("[cheering 2]\n好")
    with pytest.raises(ValueError, match="line 2"):
        cues.parse("[question 2]\n{TWICE}不{TWICE}")


def test_lists_stand_for_each_of_their_words() -> None:
    table = cues.parse(
        "[TWICE]\n拆 建\n[FOR]\n同意 支持\n[question 2]\n{TWICE}不{TWICE}\n[oppose 4]\n不{FOR}"
    )
    assert table.phrases == {"拆不拆": (cues.Kind.QUESTION, 2), "建不建": (cues.Kind.QUESTION, 2)}
    assert {"不同", "不支", "拆不", "建不"} == set(table.begins)


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("请市里增设路灯。", "suggest"),
        ("路灯坏了半年，请市里增设路灯。", "appeal"),
        ("居委办得好。", "support"),
        ("居委说办得好。", "none"),
        ("居委支持收费。", "none"),
    ],
)
def test_who_tells_what_is_wrong_appeals_and_who_is_judged_does_not_speak(
    text: str, stance: str, engine: Engine
) -> None:
    assert engine.analyse(text).stance == stance


@pytest.mark.parametrize("word", ["反对", "支持", "希望支持", "希望不要", "难道不", "但是", "赶走"])
def test_a_clause_of_cues_alone_takes_as_long_as_it_is(word: str) -> None:
    stance.read(word)

    def spent(letters: int) -> float:
        text = word * (letters // len(word))
        took = []
        for _n in range(3):
            started = time.process_time()
            stance.read(text)
            took.append(time.process_time() - started)
        return min(took)

    # Looking back from each cue to the beginning would take twenty-five times as long.
    assert spent(10_000) < 12 * spent(2000)


def test_nothing_looks_back_from_a_cue_further_than_is_shown_to_it() -> None:
    parser = importlib.import_module("re._parser")
    for pattern in (cues.OTHERS, cues.OTHERS_SAY, cues.NOT_NOW, cues.OWN_ACT):
        # One more, for what must not stand before it.
        assert parser.parse(pattern.pattern).getwidth()[1] < cues.REACH


def test_concordance_shows_each_mention_as_written(engine: Engine) -> None:
    text = "我们楼想加梯，\n已经等了三年。请问加装电梯\n要几户同意？"
    found = lines(text, "加装电梯", width=5, segmenter=engine.segmenter)
    assert found == [
        Line("我们楼想", "加梯", "， 已经等"),
        Line("年。请问", "加装电梯", " 要几户同"),
    ] or [line.keyword for line in found] == ["加梯", "加装电梯"]
    assert all(len(line.left) <= 5 and len(line.right) <= 5 for line in found)


def test_concordance_of_a_folded_form_is_that_of_its_term(engine: Engine) -> None:
    text = "想加梯。也想装电梯。"
    assert lines(text, "加梯", segmenter=engine.segmenter) == lines(
        text, "加装电梯", segmenter=engine.segmenter
    )


def test_concordance_keeps_full_width_letters_as_written(engine: Engine) -> None:
    (line,) = lines("请问社区ＡＰＰ怎么用", "APP", segmenter=engine.segmenter)
    assert (line.left, line.keyword, line.right) == ("请问社区", "ＡＰＰ", "怎么用")


def test_concordance_falls_back_to_plain_occurrences(engine: Engine) -> None:
    (line,) = lines("修路的时间太长", "路的时间", segmenter=engine.segmenter)
    assert line.keyword == "路的时间"
    assert lines("别的", "电梯", segmenter=engine.segmenter) == []
    with pytest.raises(ValueError, match="term"):
        lines("别的", "", segmenter=engine.segmenter)


def test_concordance_sorts_by_either_side(engine: Engine) -> None:
    found = lines("甲要电梯丙。乙想电梯丁。", "电梯", segmenter=engine.segmenter)
    assert [line.left for line in sorted(found, key=Line.by_left)] == sorted(
        (line.left for line in found), key=lambda left: left[::-1]
    )
    assert [line.right for line in sorted(found, key=Line.by_right)] == sorted(
        line.right for line in found
    )
