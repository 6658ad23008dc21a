"""How a reader wants the pages: remembered without script, and never mixed up between readers."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import preferences
from tests.consultations_made import a_consultation, a_published_draft
from tests.static_files import STATIC

DRAFT = "/consultations/gangyao/draft"


def dark_when(page: str) -> str:
    """For which media the dark values count."""
    found = re.search(r'media="([^"]*)" data-dark', page)
    assert found is not None
    return found.group(1)


def pressed(page: str) -> list[str]:
    return re.findall(r'name="look" value="(\w+)" aria-pressed="true"', page)


@pytest.mark.parametrize(
    ("look", "media", "scheme"),
    [
        ("system", "screen and (prefers-color-scheme: dark)", "light dark"),
        ("light", "not all", "light"),
        ("dark", "screen", "dark"),
    ],
)
def test_a_look_is_chosen_and_remembered(
    client: FlaskClient, look: str, media: str, scheme: str
) -> None:
    chosen = client.post("/view", data={"look": look, "next": "/rules"})
    assert (chosen.status_code, chosen.location) == (302, "/rules")
    page = client.get("/rules").get_data(as_text=True)
    assert dark_when(page) == media
    assert pressed(page) == [look]
    assert f'name="color-scheme" content="{scheme}"' in page


def test_the_usual_needs_no_cookie(client: FlaskClient) -> None:
    client.post("/view", data={"look": "dark"})
    client.post("/view", data={"view": "elder"})
    assert client.get_cookie("look") is not None
    client.post("/view", data={"look": "system"})
    client.post("/view", data={"view": "plain"})
    assert client.get_cookie("look") is None
    assert client.get_cookie("view") is None


def test_one_preference_leaves_the_other_alone(client: FlaskClient) -> None:
    client.post("/view", data={"view": "elder"})
    client.post("/view", data={"look": "dark"})
    page = client.get("/").get_data(as_text=True)
    assert '<html lang="zh-Hans" class="elder">' in page
    assert dark_when(page) == "screen"


@pytest.mark.parametrize(
    "asked", [{}, {"look": ""}, {"look": "DARK"}, {"view": "x"}, {"view": "elder", "look": "x"}]
)
def test_what_no_button_sends_is_refused(client: FlaskClient, asked: dict[str, str]) -> None:
    answer = client.post("/view", data=asked)
    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("came_from", "back"),
    [
        ("http://localhost/search?q=%E7%94%B5&after=2", "/search?q=%E7%94%B5&after=2"),
        ("http://localhost/other?x=1", "/search"),
        ("http://hostile.example/search?q=1", "/search"),
        ("http://localhost/search", "/search"),
        ("javascript:1", "/search"),
        ("", "/search"),
    ],
)
def test_back_to_where_one_was(client: FlaskClient, came_from: str, back: str) -> None:
    headers = {"Referer": came_from} if came_from else {}
    answer = client.post("/view", data={"look": "dark", "next": "/search"}, headers=headers)
    assert answer.location == back


@pytest.mark.parametrize("there", ["//hostile.example", "https://hostile.example/", "/\\evil"])
def test_never_off_the_site(client: FlaskClient, there: str) -> None:
    assert client.post("/view", data={"look": "dark", "next": there}).location == "/"


def test_kept_pages_are_kept_apart(app: Flask) -> None:
    with app.app_context():
        a_published_draft(a_consultation("gangyao"))
    media = {"system": "screen and (prefers-color-scheme: dark)", "light": "not all"}
    media["dark"] = "screen"
    readers = {}
    for view in ("plain", "elder"):
        for look in media:
            readers[view, look] = client = app.test_client()
            client.set_cookie("view", view)
            client.set_cookie("look", look)
    for _round in range(2):
        for (view, look), client in readers.items():
            answer = client.get(DRAFT)
            page = answer.get_data(as_text=True)
            assert dark_when(page) == media[look]
            assert ('class="elder"' in page) == (view == "elder")
            assert "Cookie" in answer.headers["Vary"]
    # However many cookies are invented, there is nothing new to keep.
    store = app.extensions["pages"]
    before = len(store._pages)
    for odd in ("x", "DARK", "dark ", "y" * 500):
        client = app.test_client()
        client.set_cookie("look", odd)
        client.get(DRAFT)
    assert len(store._pages) == before


def test_the_defaults_come_first() -> None:
    assert preferences.of({}) == preferences.Preferences("plain", "system")
    assert preferences.of({"look": "no", "view": "no"}) == preferences.USUAL


def tokens(text: str, selector: str) -> dict[str, str]:
    block = re.search(re.escape(selector) + r" \{(.*?)\}", text, re.S)
    assert block is not None
    return dict(re.findall(r"(--[\w-]+): ([^;]+);", block.group(1)))


@pytest.mark.parametrize("selector", [":root", "html.elder"])
def test_every_colour_has_its_dark_value(selector: str) -> None:
    light = tokens((STATIC / "site.css").read_text(encoding="utf-8"), selector)
    dark = tokens((STATIC / "dark.css").read_text(encoding="utf-8"), selector)
    assert {name for name, value in light.items() if value.startswith("#")} == set(dark)


def test_the_page_names_the_state_of_its_scripts_and_sheets(client: FlaskClient) -> None:
    page = client.get("/").get_data(as_text=True)
    assert len(set(re.findall(r"/static/\w+\.(?:css|js)\?v=(\w+)", page))) == 1
