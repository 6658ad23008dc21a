"""The word cloud: laid out once, safe in a page, the same every time."""

import re
from xml.etree import ElementTree

import pytest

from consult.analysis.cloud import Cloud, Placed, default_font, layout, png, svg
from consult.analysis.lexicon import builtin

WEIGHTS = {term: 300 / (n + 3) for n, term in enumerate(sorted(builtin().terms)[:200])}


@pytest.fixture(scope="module")
def cloud() -> Cloud:
    return layout(WEIGHTS, font_path=default_font())


def box(word: Placed) -> tuple[int, int, int, int]:
    wide, high = (word.size, word.length) if word.vertical else (word.length, word.size)
    return word.x, word.y, word.x + wide, word.y + high


def test_two_hundred_words_all_find_a_place(cloud: Cloud) -> None:
    assert {word.term for word in cloud.words} == set(WEIGHTS)


def test_no_word_lies_on_another_or_outside(cloud: Cloud) -> None:
    boxes = [box(word) for word in cloud.words]
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0 <= top
        assert right <= cloud.width
        assert bottom <= cloud.height
        for other in boxes[:number]:
            assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top


def test_heavier_words_are_never_smaller(cloud: Cloud) -> None:
    sizes = [word.size for word in sorted(cloud.words, key=lambda word: -word.weight)]
    assert sizes == sorted(sizes, reverse=True)


def test_the_same_weights_give_the_same_bytes(cloud: Cloud) -> None:
    again = layout(dict(reversed(WEIGHTS.items())), font_path=default_font())
    assert again == cloud
    assert svg(again, links={}, labels={}) == svg(cloud, links={}, labels={})
    assert png(again, font_path=default_font(), scale=1) == png(
        cloud, font_path=default_font(), scale=1
    )


def test_a_picture_is_a_png_of_the_size_asked(cloud: Cloud) -> None:
    data = png(cloud, font_path=default_font(), scale=1)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20]) == cloud.width
    assert int.from_bytes(data[20:24]) == cloud.height


def test_each_word_is_a_link_that_says_how_often(cloud: Cloud) -> None:
    drawn = svg(
        cloud,
        links={term: f"/opinions?term={term}" for term in WEIGHTS},
        labels={term: f"{term}，37件" for term in WEIGHTS},
    )
    root = ElementTree.fromstring(drawn)
    anchors = root.findall("{http://www.w3.org/2000/svg}a")
    assert len(anchors) == 200
    assert anchors[0].get("aria-label") == f"{cloud.words[0].term}，37件"
    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert f"{cloud.words[0].term}，37件" in titles


def test_nothing_in_it_needs_inline_style(cloud: Cloud) -> None:
    assert not re.search(r"style\s*=|<style|<script|\son\w+\s*=", svg(cloud, links={}, labels={}))


def test_hostile_text_stays_text() -> None:
    bad = "\"><script>alert(1)</script>&'"
    drawn = svg(
        layout({bad: 2.0, "电梯": 1.0}, font_path=default_font()),
        links={bad: "/o?q=\"'><x"},
        labels={bad: bad},
        title=bad,
    )
    assert "<script" not in drawn
    root = ElementTree.fromstring(drawn)
    assert root.get("aria-label") == bad
    (anchor,) = root.findall("{http://www.w3.org/2000/svg}a")
    assert anchor.get("href") == "/o?q=\"'><x"


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "JavaScript:x", "data:text/html,x"])
def test_only_addresses_become_links(bad: str) -> None:
    cloud = layout({"电梯": 1.0}, font_path=default_font())
    with pytest.raises(ValueError, match="address"):
        svg(cloud, links={"电梯": bad}, labels={})


def test_no_words_make_an_empty_picture() -> None:
    cloud = layout({"电梯": 0.0, " ": 3.0}, font_path=default_font())
    assert cloud.words == ()
    assert svg(cloud, links={}, labels={}).endswith("</svg>")
    assert png(cloud, font_path=default_font(), scale=1)[:4] == b"\x89PNG"


def test_one_word_stands_alone() -> None:
    (word,) = layout({"一网通办": 5.0}, font_path=default_font()).words
    assert word.term == "一网通办"
