"""What the fonts of papers cannot print is told by its name, and nothing else is touched."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import emoji, typesetting


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("太吵了😭", "太吵了〔大哭〕"),
        ("支持👍🏻👍", "支持〔赞〕〔赞〕"),
        ("谢谢❤️", "谢谢〔爱心〕"),
        ("一家👨‍👩‍👧", "一家〔表情符号〕"),
        ("🇨🇳生日快乐", "〔表情符号〕生日快乐"),
        ("①加装电梯→☎12345", "①加装电梯→☎12345"),
        ("𠮷野家，3㎡", "𠮷野家，3㎡"),
    ],
)
def test_emoji_are_told_by_name(said: str, read: str) -> None:
    assert emoji.spelled(said, "①→☎".__contains__) == read


@given(st.text())
def test_told_once_it_stays_so(text: str) -> None:
    told = emoji.spelled(text, lambda _character: False)
    assert emoji.spelled(told, lambda _character: False) == told


def test_words_of_a_paper_are_printable_however_deep() -> None:
    words = {"title": "来信😭", "rows": [["1", "👍"], [2, None]], "made": "2020-10-20T04:00:00"}
    told = typesetting._printable(words, lambda _character: False)
    assert told == {
        "title": "来信〔大哭〕",
        "rows": [["1", "〔赞〕"], [2, None]],
        "made": "2020-10-20T04:00:00",
    }
    assert json.dumps(told)


def test_the_font_prints_words_and_no_faces() -> None:
    assert typesetting._font_has("梯")
    assert typesetting._font_has("①")
    assert not typesetting._font_has("😭")
