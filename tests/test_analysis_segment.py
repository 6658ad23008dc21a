"""The segmenter: nothing lost, equal to jieba, the plan's words whole."""

import csv
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.analysis import stock
from consult.analysis.lexicon import Lexicon, builtin, parse_synonyms, parse_terms
from consult.analysis.segment import Segmenter

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
PLAN_WORDS = [
    "十四五",
    "规划纲要",
    "公众咨询团",
    "征求意见稿",
    "思路框架",
    "专项规划",
    "送审稿",
    "一轴三带",
    "精细化管理",
    "加装电梯",
    "零星地块",
    "直管公房",
    "旧住房成套改造",
    "市区联动",
    "上海服务",
    "上海购物",
    "上海制造",
    "上海文化",
    "南京西路",
    "苏河湾",
    "撤二建一",
    "一网通办",
    "一网统管",
    "适老化",
    "发展大讨论",
    "人民团体",
    "政协委员",
    "人大代表",
    "社区居民代表",
    "城市更新",
    "路长制",
    "河长制",
    "彭浦镇",
    "大宁",
    "营商环境",
    "总部经济",
    "楼宇经济",
    "国际静安",
    "15分钟生活圈",
]
FRAMES = (
    "希望把{}的事情办好。",
    "我们对{}很关心",
    "建设{}要听居民的意见！",
    "加快{}建设，不能拖",
    "去年的{}和今年不同",
    "请问“{}”何时完成？",
    "2021年{}工作",
    "（{}）",
)
OWN_TEXTS = (
    "P+R停车场用C++写的系统，AT&T的80-90分贝，版本4.2.3，--还有5G基站和APP。",
    "他说：“不行！”\r\n然后\t走了……😀👍🏻 ①②③ ﹏ 𠮷野家　全角空格",
    "静安静安静安区，扩大宁静街区，3-4栋1.5%的房子GB50096-2011，c#不是C#",
    "垃圾房太臭了，侬讲是伐？覅再拖了伊拉勿管。",
    "",
    " ",
    "。。。！！！",
    "a_b-c.d%e&f#g+h",
    "15分钟生活圈、十五分钟生活圈、5g基站",
)
MIXED = st.text(
    alphabet=st.one_of(
        st.sampled_from(
            "规划电梯加装不反对静安大宁路的了在是公交人民%-+._&# \r\n，。！？AaBb019Cc#"
        ),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


@pytest.fixture(scope="module")
def fast() -> Segmenter:
    return Segmenter(builtin())


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter(builtin(), plain_jieba=True)


@pytest.mark.parametrize("word", PLAN_WORDS)
def test_every_word_of_the_plan_stays_whole_inside_a_sentence(word: str, fast: Segmenter) -> None:
    for frame in FRAMES:
        assert word in fast.tokens(frame.format(word)), frame


@given(MIXED)
def test_no_character_is_lost_or_added(fast: Segmenter, text: str) -> None:
    assert "".join(fast.tokens(text)) == text


@given(MIXED)
def test_rjieba_on_blocks_cuts_as_jieba_does(fast: Segmenter, plain: Segmenter, text: str) -> None:
    assert fast.tokens(text) == plain.tokens(text)


@pytest.mark.parametrize("text", OWN_TEXTS)
def test_hard_texts_are_cut_as_jieba_cuts_them(
    text: str, fast: Segmenter, plain: Segmenter
) -> None:
    assert fast.tokens(text) == plain.tokens(text)
    assert "".join(fast.tokens(text)) == text


def test_the_comparison_is_with_jieba_itself(plain: Segmenter) -> None:
    jieba = plain.cutter._jieba  # type: ignore[attr-defined]
    for text in OWN_TEXTS:
        assert plain.tokens(text) == jieba.lcut(text)


def test_no_character_breaks_a_text_otherwise_than_in_jieba(
    fast: Segmenter, plain: Segmenter
) -> None:
    every = [chr(n) for n in (*range(0xD800), *range(0xE000, 0x10000), *range(0x1F300, 0x20100))]
    # Doubled, between Han, letters and figures, many to a text.
    for start in range(0, len(every), 50):
        text = "".join(f"加装{c}{c}电梯A1{c}" for c in every[start : start + 50])
        assert fast.tokens(text) == plain.tokens(text)
    for character in every[::37]:
        text = f"{character}加装{character}电梯"
        assert fast.tokens(text) == plain.tokens(text)


@pytest.mark.realdata
def test_real_messages_are_cut_as_jieba_cuts_them(fast: Segmenter, plain: Segmenter) -> None:
    if not DATA.is_dir():
        pytest.skip("no ../shared/data")
    with (DATA / "messages.csv").open(encoding="utf-8-sig", newline="") as file:
        texts = [row["body"] for row in csv.DictReader(file)][::4]
    differing = [text for text in texts if fast.tokens(text) != plain.tokens(text)]
    assert not differing


def test_without_rjieba_jieba_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    real = stock._module

    def missing(name: str) -> object:
        if name == "rjieba":
            raise ImportError(name)
        return real(name)

    monkeypatch.setattr(stock, "_module", missing)
    segmenter = Segmenter(Lexicon({"一轴三带": 1000}, {}, frozenset()))
    assert isinstance(segmenter.cutter, stock.PythonCutter)
    assert segmenter.tokens("建设一轴三带。") == ["建设", "一轴三带", "。"]


def test_loading_jieba_says_nothing_and_leaves_nothing_in_the_shared_tmp(tmp_path: Path) -> None:
    code = (
        "from consult.analysis.segment import Segmenter\n"
        "from consult.analysis.lexicon import builtin\n"
        "Segmenter(builtin(), plain_jieba=True).tokens('你好')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parent.parent,
        env={"TMPDIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_importing_the_package_loads_no_dictionary() -> None:
    code = (
        "import sys\n"
        "import consult.analysis.engine, consult.analysis.keywords, consult.analysis.cloud\n"
        "import consult.analysis.duplicates, consult.analysis.concordance\n"
        "print(sorted({'jieba', 'rjieba', 'numpy', 'wordcloud', 'flask'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).resolve().parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_word_is_known_or_guessed(fast: Segmenter) -> None:
    assert fast.knows("电梯")
    assert fast.knows("一轴三带")
    assert not fast.knows("房太臭")


def test_the_version_names_the_content_and_nothing_else() -> None:
    lexicon = builtin()
    again = Lexicon(
        dict(reversed(list(lexicon.terms.items()))), lexicon.synonyms, lexicon.stop_words
    )
    assert again.version == lexicon.version
    assert again == lexicon
    assert Lexicon(lexicon.terms, {}, lexicon.stop_words).version != lexicon.version
    assert pickle.loads(pickle.dumps(lexicon)) == lexicon


def test_headings_of_a_draft_become_terms() -> None:
    lexicon = builtin().extended(
        ["第三章 打造苏河湾滨水长廊", "（二）推进和平里微更新", "一、发展环境", "3. 加强“双修双改”"]
    )
    added = set(lexicon.terms) - set(builtin().terms)
    assert added == {"苏河湾滨水长廊", "和平里微更新", "双修双改"}
    assert lexicon.version != builtin().version
    assert builtin().extended([]) is builtin()
    assert "双修双改" in Segmenter(lexicon).tokens("加强双修双改工作")


def test_no_term_or_counted_form_is_a_stop_word() -> None:
    lexicon = builtin()
    assert not lexicon.stop_words & {*lexicon.terms, *lexicon.synonyms.values()}


@pytest.mark.parametrize(
    ("bad", "why"),
    [("加装电梯 很多", "line 1"), ("\n# 注\n加装电梯 0", "line 3"), ("一 二 三", "line 1")],
)
def test_a_bad_term_list_is_refused_with_its_line(bad: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_terms(bad)


def test_synonyms_may_not_contradict_or_chain() -> None:
    assert parse_synonyms("加装电梯: 加梯 装电梯") == {"加梯": "加装电梯", "装电梯": "加装电梯"}
    with pytest.raises(ValueError, match="line 2"):
        parse_synonyms("甲词: 乙词\n丙词: 乙词")
    with pytest.raises(ValueError, match="line 1"):
        parse_synonyms("没有冒号")
    with pytest.raises(ValueError, match="chain"):
        Lexicon({}, {"甲": "乙", "乙": "丙"}, frozenset())
