"""The themes of a small round: held to what somebody found by reading the example's opinions."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import pytest
import yaml

import consult
from consult import point_themes
from consult.analysis import duplicates
from consult.analysis.lexicon import builtin

OPINIONS = Path(consult.__file__).parent / "data" / "opinions"
# Read by hand: the beginnings of opinions of one matter, and where they stand. Whatever is proposed
# must be two or more of one line.
MATTERS = {
    "silu-kuangjia": (
        (
            "您好！我是平型关路的居民",
            "平型关路晚上黑漆漆",
            "请问夜市到底放在",
            "群里发了一段话叫大家复制",
            "听邻居讲平型关路要开夜市",
            "我是摆摊的",
        ),
        ("北面最缺的是三甲医院", "北部看病太难"),
        ("场馆已经够多了", "场馆够多了"),
        ("口袋公园一定要有树荫", "口袋公园要有树荫"),
        ("共和新路过马路", "共和新路的绿灯时间太短"),
        ("满意度谁来调查", "满意度调查别提前通知"),
        ("跳舞的阿姨也是人", "合唱队三十六个人"),
        ("电梯这件事我有个土办法", "我就是一楼的"),
        ("请问快递小哥", "送外卖的逆行是平台逼出来的"),
    ),
    # Two hundred opinions of as many matters, once letters that came many times are taken as one.
    "guihua-gangyao": (),
}


def opinions(slug: str) -> list[str]:
    told = yaml.safe_load((OPINIONS / f"{slug}.yaml").read_text(encoding="utf-8"))
    shown = [each["body"].strip() for each in told if each["decision"] == "show"]
    # What is nearly the same is proposed by its words, and is one text here.
    return [
        next(same)[1]
        for _n, same in groupby(
            sorted(zip(duplicates.near_groups(shown), shown, strict=True), key=itemgetter(0)),
            key=itemgetter(0),
        )
    ]


def matter(text: str, matters: Sequence[tuple[str, ...]]) -> int | None:
    return next((n for n, every in enumerate(matters) if text.startswith(every)), None)


@pytest.mark.parametrize("slug", list(MATTERS))
def test_what_is_proposed_of_the_example_is_of_one_matter(slug: str) -> None:
    texts, matters = opinions(slug), MATTERS[slug]
    assert all(any(t.startswith(begin) for t in texts) for every in matters for begin in every)
    found = point_themes.of(texts, builtin(), most=20)
    told = [{matter(texts[place], matters) for place in theme.members} for theme in found]
    right = [each for each in told if len(each) == 1 and None not in each]
    # All but one: what a better lexicon finds may be right without standing above.
    assert len(told) - len(right) <= 1, [
        [texts[place][:24] for place in theme.members]
        for theme, each in zip(found, told, strict=True)
        if each not in right
    ]
    assert len(right) >= len(matters) // 2, "and most of what may be found is"
    for theme in found:
        assert len(theme.members) > 1
        assert theme.terms, "what they share is named"
