"""Keywords of one text: phrases, explained scores, and the quality they were fitted to."""

import json
import math
from pathlib import Path

import pytest

from consult.analysis import normal, phrases
from consult.analysis.fitting import fitted
from consult.analysis.lexicon import builtin
from consult.analysis.segment import Segmenter

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
LETTERS = [
    (
        "老旧小区的雨污分流改造拖了三年。雨污分流做不好，一下大雨弄堂就积水。"
        "请把雨污分流改造和路面修缮一起做，不要挖两次路。",
        "弄堂积水何时能好",
    ),
    ("菜市场搬走以后买菜要走两站路，老人提不动。菜市场附近也没有公交站。", "菜市场太远"),
    ("晚上十点以后高架下面还有人跳舞，高架桥下的噪音让孩子睡不好。", ""),
    ("图书馆周末总是没有座位，能不能延长图书馆的开放时间？", ""),
]


@pytest.fixture(scope="module")
def segmenter() -> Segmenter:
    return Segmenter(builtin())


def test_what_comes_back_and_holds_together_is_chosen(segmenter: Segmenter) -> None:
    found = phrases.keywords(LETTERS, segmenter=segmenter, top=5)
    assert "雨污分流" in {phrase.term for phrase in found[0]}
    assert "菜市场" in {phrase.term for phrase in found[1]}
    assert "图书馆" in {phrase.term for phrase in found[3]}


def test_every_score_is_the_sum_of_its_named_parts(segmenter: Segmenter) -> None:
    for best in phrases.keywords(LETTERS, segmenter=segmenter, top=10):
        for phrase in best:
            assert phrase.score == pytest.approx(sum(phrase.parts.values()))
            assert phrase.count >= 1
            assert set(phrase.parts) <= set(phrases.builtin_weights(titled=True))


def test_phrases_stand_in_the_text_and_cross_no_mark(segmenter: Segmenter) -> None:
    for (text, title), best in zip(
        LETTERS, phrases.keywords(LETTERS, segmenter=segmenter, top=30), strict=True
    ):
        for phrase in best:
            assert phrase.term in f"{title}\n{text}"


def test_names_in_latin_letters_stay_whole(segmenter: Segmenter) -> None:
    reader = phrases.Reader(segmenter)
    words = normal.plain("用Navier-Stokes方程和N-乙酰半胱氨酸，测GM-CSF。A - B不连。")
    text = reader.read(words)
    assert {"Navier-Stokes", "GM-CSF"} <= set(text.tokens)
    assert {"N-乙酰半胱氨酸", "GM-CSF"} <= set(text.mentions)
    assert "".join(text.tokens) == words


def test_a_rare_character_is_no_mark(segmenter: Segmenter) -> None:
    # jieba's dictionary gives 烯 and 苷 the kind of commas.
    text = "石墨烯薄膜很薄。石墨烯怎样制备？花色苷怎样提取？"
    (best,) = phrases.keywords([(text, "")], segmenter=segmenter, top=30)
    assert {"石墨烯", "花色苷"} <= {phrase.term for phrase in best}


def test_letters_are_counted_however_they_are_cut(segmenter: Segmenter) -> None:
    reader = phrases.Reader(segmenter)
    # 路灯 stands in it three times, after 修, 换 and a mark, before 不, 要 and a mark.
    text = reader.read("修路灯不亮。路灯。换路灯要快")
    values = dict(phrases.features(text, phrases.Background([text]), reader))["路灯"]
    assert values["letters_before"] == pytest.approx(math.log(3))
    assert values["letters_after"] == pytest.approx(math.log(3))
    assert values["cut_otherwise"] == pytest.approx(math.log(3 / len(text.mentions["路灯"])))


def test_texts_that_say_nothing_have_no_keywords(segmenter: Segmenter) -> None:
    empty = [("", ""), ("。。。！", ""), ("的了吗呢", ""), ("👍", "")]
    assert phrases.keywords(empty, segmenter=segmenter) == [[], [], [], []]
    assert phrases.keywords([], segmenter=segmenter) == []


def test_one_text_alone_is_read_too(segmenter: Segmenter) -> None:
    (best,) = phrases.keywords(LETTERS[:1], segmenter=segmenter)
    assert best[0].term in LETTERS[0][0]


def test_every_feature_has_weights_for_both_kinds_of_text(segmenter: Segmenter) -> None:
    reader = phrases.Reader(segmenter)
    text = reader.read(*LETTERS[0])
    _, values = next(phrases.features(text, phrases.Background([text]), reader))
    for titled in (True, False):
        assert set(phrases.builtin_weights(titled=titled)) == {*values, "constant"}


def test_the_fit_finds_what_made_the_data() -> None:
    numpy = pytest.importorskip("numpy")
    random = numpy.random.default_rng(1)
    values = random.standard_normal((4000, 3))
    odds = 1 / (1 + numpy.exp(-(values @ [2.0, -1.0, 0.0] - 1)))
    chosen = (random.random(4000) < odds).astype(float)
    weights, constant = fitted(values, chosen)
    assert weights[0] > 1.4
    assert weights[1] < -0.7
    assert abs(weights[2]) < 0.15
    assert -1.4 < constant < -0.6


@pytest.mark.realdata
def test_authors_keywords_are_found_twice_as_well_as_by_jieba(segmenter: Segmenter) -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    lines = (DATA / "keywords_csl_dev.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for titled, least in ((False, 0.258), (True, 0.29)):
        texts = [(row["abstract"], row["title"] if titled else "") for row in rows]
        found = phrases.keywords(texts, segmenter=segmenter, top=5)
        # The weights saw the even half; the odd half is measured.
        named = [set(row["keywords"]) for row in rows][1::2]
        best = [{phrase.term for phrase in five} for five in found][1::2]
        hits = sum(len(a & b) for a, b in zip(named, best, strict=True))
        assert 2 * hits / (sum(map(len, named)) + sum(map(len, best))) >= least
