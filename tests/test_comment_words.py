"""The words of a comment: counted as people count them, and kept as they were typed."""

import json

import pytest
from flask.testing import FlaskClient

from consult.drafts import Version
from tests.comments_made import ADDRESS, BODY, only, send
from tests.kept import stored
from tests.static_files import STATIC, needs_node, node

pytestmark = pytest.mark.usefixtures("context")


LONG = {
    "plain": "长" * 2000,
    "emoji": "赞成" + "👍" * 1998,
    "rare": "𠮷" * 2000,
    "combining": "e\u0301" * 1000,
    "family": "一家三口人" + "👨‍👩‍👧" * 399,
    "lines": "一行\n" * 666 + "末行",
}


@pytest.mark.parametrize("kind", LONG)
def test_two_thousand_characters_are_taken_and_one_more_is_not(
    client: FlaskClient, version: Version, kind: str
) -> None:
    text = LONG[kind]
    assert len(text) == 2000
    assert send(client, body=text.replace("\n", "\r\n")).status_code == 302
    assert only().body == text
    refused = send(client, body=text + "多")
    assert refused.status_code == 422
    assert "最多2000字，现在是2001字，请缩短后再提交。" in refused.text


@needs_node
def test_the_page_counts_as_the_server_does() -> None:
    # What the page shows beside the box, as the script says it.
    counting = "[...box.value].length"
    assert counting in (STATIC / "site.js").read_text()
    script = f"for (const value of {json.dumps(list(LONG.values()))}) " + (
        f"{{ const box = {{value}}; console.log({counting}); }}"
    )
    assert node(script).split() == ["2000"] * len(LONG)


def test_ten_characters_are_enough_and_nine_are_not(client: FlaskClient, version: Version) -> None:
    refused = send(client, body="　\n一二三四五六七八九\r\n ")
    assert refused.status_code == 422
    assert "至少10个字" in refused.text
    assert send(client, body="　\n一二三四五六七八九十\r\n ").status_code == 302
    assert only().body == "一二三四五六七八九十"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "   ",
        "\r\n\r\n",
        "\u200b" * 20,
        "\u3164" * 20,
        "\u2800" * 20,
        "\u00ad\u034f\ufe0f" * 5,
        "\u200b\u3164\u2800\u2060\ufeff" * 4,
    ],
)
def test_text_that_nobody_can_see_is_no_opinion(
    client: FlaskClient, version: Version, body: str
) -> None:
    refused = client.post(ADDRESS, data={"body": body, "consent": "y"})
    assert refused.status_code == 422
    assert "请写下您的意见。" in refused.text
    assert stored() == []


@pytest.mark.parametrize(
    "body", ["。" * 20, "？！……，、；：“”（）", "👍" * 12, "- - - - - - - - - -", "。" * 19 + "好"]
)
def test_signs_without_words_are_no_opinion_and_stay_in_the_form(
    client: FlaskClient, version: Version, body: str
) -> None:
    refused = send(client, body=body)
    assert refused.status_code == 422
    said = "请写得具体一些：至少2个字，标点、符号和空格不算。"
    assert said in refused.text
    assert f"{body}</textarea>" in refused.text
    assert stored() == []
    assert send(client, body=f"{body}，增加路灯，很好！").status_code == 302
    assert only().body == f"{body}，增加路灯，很好！"


def test_who_says_too_little_is_told_so_once(client: FlaskClient, version: Version) -> None:
    refused = send(client, body="好！")
    assert "至少10个字" in refused.text
    assert "至少2个字" not in refused.text


@pytest.mark.parametrize(
    "odd", ["\x00", "\x0b", "\x1b", "\ufffe", "\U0001ffff", "\ufdd0", "\ufffd"]
)
def test_what_is_not_text_is_refused(client: FlaskClient, version: Version, odd: str) -> None:
    assert send(client, body=BODY + odd).status_code == 422
    assert stored() == []


def test_the_authors_code_points_are_kept(client: FlaskClient, version: Version) -> None:
    body = "𠮷野家、䶮字、ｶﾀｶﾅ、é、\t制表、<b>标签</b>、{{7*7}}、👨‍👩‍👧"
    answer = send(client, body=body)
    assert only().body == body
    page = client.get(answer.location).text
    assert "<b>标签</b>" not in page
    assert "{{7*7}}" in page
