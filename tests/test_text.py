"""Text as people type it: what of it a reader can see, and what of it says something."""

import pytest

from core.text import says, visible


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("请在路口装一盏灯吧。", 10),
        ("I like it!", 10),
        ("建议\n加装 电梯", 8),
        # However wide, a space is one character.
        ("不行" + " " * 20 + "。", 4),
        ("a\u3000\t b", 3),
        (" 好 ", 1),
        # Of no width, or a letter that is drawn as nothing.
        ("好\u200b\u200b好", 2),
        ("\u3164\u2800\ufeff", 0),
        ("", 0),
    ],
)
def test_so_many_characters_are_seen(text: str, count: int) -> None:
    assert all(visible(text, least) for least in range(1, count + 1))
    assert not visible(text, count + 1)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("。。。。。。。。。。", 0),
        ("！？…—— ☎ ★ 😀 + = №", 0),
        ("已写入第12段。", 7),
        ("Not in §4.", 6),
        ("𠮷野家", 3),
        # The Hangul filler is a letter that draws nothing.
        ("\u3164\u3164好", 1),
        ("加 装 电 梯", 4),
        ("", 0),
    ],
)
def test_so_many_characters_say_something(text: str, count: int) -> None:
    assert all(says(text, least) for least in range(1, count + 1))
    assert not says(text, count + 1)
