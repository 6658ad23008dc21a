"""Names of members: by strokes, by pinyin, masked."""

import pytest

from panel import names

pytestmark = pytest.mark.pure


def test_names_by_strokes_of_the_surname() -> None:
    given = ["曾毅", "丁一平", "王小明", "马丽", "李文", "于洋", "王明", "欧阳明", "单雪"]
    expected = ["丁一平", "于洋", "马丽", "王明", "王小明", "李文", "欧阳明", "单雪", "曾毅"]
    assert sorted(given, key=names.stroke_key) == expected


def test_names_by_pinyin_with_the_surnames_that_are_read_otherwise() -> None:
    given = ["曾毅", "单雪", "仇英", "区大同", "白杨", "万俟珍", "解红", "任和", "查理"]
    expected = ["白杨", "万俟珍", "区大同", "仇英", "任和", "单雪", "解红", "曾毅", "查理"]
    assert sorted(given, key=names.pinyin_key) == expected


@pytest.mark.parametrize("name", ["", "A", "𠮷田", "o'Brien", "王", "😀", "甲" * 60])
def test_any_name_has_keys_that_fit(name: str) -> None:
    for key in (names.stroke_key(name), names.pinyin_key(name)):
        assert len(key) <= names.KEY_LENGTH
        assert key.isascii()


def test_masked_names_keep_the_surname_only() -> None:
    assert [names.masked(each) for each in ("王小明", "王明", "欧阳明", "")] == [
        "王**",
        "王**",
        "欧阳**",
        "",
    ]
