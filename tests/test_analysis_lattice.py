"""Cut in arrays as jieba cuts: every block of real text, and blocks made of what is hard."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.analysis import lattice, lexicon, normal, stock
from consult.analysis.lattice import Lattice
from consult.analysis.segment import Segmenter

MESSAGES = Path(__file__).resolve().parents[2] / "shared" / "data" / "messages.csv"
# Words of every length, what is guessed, letters and figures beside them, and single characters that
# no dictionary and no model of guessed words knows.
FRAGMENTS = (
    *("加装电梯", "静安区", "中华人民共和国", "15分钟生活圈", "5g基站", "T恤", "AA制", "卡拉OK"),
    *("房太臭", "垃圾房", "张小明", "李四", "的", "了", "一", "不", "是", "5", "A", "b2", "2020"),
    *("龥", "鿕", "丂", "乄", "囍", "习近平新时代", "全心全意", "一二三四五", "十四五", "号线"),
)
blocks = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=14).map("".join)


@pytest.fixture(scope="module")
def plain() -> Segmenter:
    return Segmenter(lexicon.builtin(), plain_jieba=True)


@pytest.fixture(scope="module")
def many(plain: Segmenter) -> Lattice:
    return Lattice(plain.words)


def cut_alike(plain: Segmenter, many: Lattice, given: list[str]) -> None:
    short = [block for block in given if len(block) <= lattice.LONGEST]
    text = "".join(f"{block}。" for block in short)
    ends = np.cumsum([0, *(len(block) + 1 for block in short)])
    codes = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.uint32)
    words = many.cut(codes, ends[:-1], ends[1:] - 1)
    told = [
        (start, text[start:end], node > 0)
        for start, end, node in zip(
            words.starts.tolist(), words.ends.tolist(), words.nodes.tolist(), strict=True
        )
    ]
    expected, place = [], 0
    for block in short:
        for word in plain.cutter.cut(block):
            if len(word) > 1:
                expected.append((place, word, plain.cutter.has(word)))
            place += len(word)
        place += 1
    assert told == expected


@settings(max_examples=60)
@given(st.lists(blocks, max_size=6))
def test_any_blocks(plain: Segmenter, many: Lattice, given: list[str]) -> None:
    cut_alike(plain, many, given)


def test_many_blocks_at_once(plain: Segmenter, many: Lattice) -> None:
    chosen = random.Random(7)
    letters = "".join(FRAGMENTS)
    made = ["".join(chosen.choices(FRAGMENTS, k=chosen.randint(1, 12))) for _n in range(250)]
    made += ["".join(chosen.choices(letters, k=chosen.randint(1, 20))) for _n in range(250)]
    cut_alike(plain, many, made)


@pytest.mark.skipif(not MESSAGES.exists(), reason="the shared data is not at hand")
def test_every_block_of_real_messages(plain: Segmenter, many: Lattice) -> None:
    with MESSAGES.open(encoding="utf-8", newline="") as file:
        texts = [normal.plain(row["body"]) for row in csv.DictReader(file)][:200]
    found = {block for text in texts for block in stock.HAN_BLOCK.findall(text)}
    cut_alike(plain, many, sorted(block for block in found if not stock.SPECIAL.search(block)))
