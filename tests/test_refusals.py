"""What a refusal says: which part of an address cannot be, and the words somebody had written."""

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from wtforms.fields.core import UnboundField

from core.errors import PROSE
from core.forms import Form, TextField
from tests.consultations_made import a_consultation, a_published_draft

OPINIONS = "/consultations/gangyao/opinions"


@pytest.fixture
def shown(app: Flask) -> None:
    with app.app_context():
        a_published_draft(a_consultation())


@pytest.mark.parametrize(
    ("asked", "part", "rest"),
    [
        ("on=x", "on=x", ""),
        ("before=99999999999999999999&q=%E7%94%B5%E6%A2%AF", "before=9999", "?q=%E7%94%B5"),
        ("q=ab&v=<b>&since=2020-01-01", "v=<b>", "?q=ab&since=2020-01-01"),
        ("v=%E2%80%AE" + "x" * 60, "v=" + "x" * 40, ""),
    ],
)
def test_an_address_that_cannot_be_is_named_with_the_way_on(
    client: FlaskClient, shown: None, asked: str, part: str, rest: str
) -> None:
    answer = client.get(f"{OPINIONS}?{asked}")
    said = html.unescape(answer.text)
    assert answer.status_code == 400
    assert f"网址里有一处看不懂：{part}" in said
    assert "<b>" not in answer.text
    (way,) = re.findall(r'href="([^"]*)">去掉这一处再看', answer.text)
    assert html.unescape(way).startswith(OPINIONS + rest)
    assert client.get(html.unescape(way)).status_code == 200


def test_the_way_on_stays_on_this_site(client: FlaskClient) -> None:
    answer = client.get("/search?q=ab&in=//evil.example/")
    (way,) = re.findall(r'href="([^"]*)">去掉这一处再看', answer.text)
    assert way == "/search?q=ab"


def test_sending_is_never_led_on_by_an_address(client: FlaskClient, shown: None) -> None:
    """What is sent to an address that cannot be comes back as written, not as a link."""
    words = "请在这里多种一些树，谢谢。"
    answer = client.post("/consultations/gangyao/comment?on=x", data={"body": words})
    assert answer.status_code == 400
    assert words in answer.text
    assert "去掉这一处再看" not in answer.text


def test_words_of_any_form_come_back_when_the_session_has_ended(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    words = "原来的理由不对，我的意见是针对第三章写的。"
    for field in PROSE:
        # Nobody has this receipt, so there is no form to show once more.
        answer = app.test_client().post("/receipts/x/appeal", data={field: words, "password": "p"})
        assert answer.status_code == 400
        assert re.search(rf"<textarea[^>]*readonly>\s*{words}</textarea>", answer.text), field


def test_a_form_that_was_sent_too_late_is_there_once_more(app: Flask, client: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    words = "网页上的截止日期写成了去年。"
    late = client.post(
        "/corrections/new", data={"details": words, "title": "日期", "kind": "content"}
    )
    assert late.status_code == 400
    assert "请再提交一次" in late.text
    assert words in late.text
    assert re.search(r'checked[^>]*value="content"', late.text)
    fields = dict(re.findall(r'name="(form_key|csrf_token)"[^>]*value="([^"]+)"', late.text))
    typed = {"details": words, "title": "日期", "kind": "content"}
    assert client.post("/corrections/new", data=typed | fields).status_code == 302


def _kinds(of: type[Form]) -> set[type[Form]]:
    return {of}.union(*(_kinds(each) for each in of.__subclasses__()))


def test_every_field_for_prose_is_known(app: Flask) -> None:
    found = {
        name
        for kind in _kinds(Form)
        for name, field in vars(kind).items()
        if isinstance(field, UnboundField) and issubclass(field.field_class, TextField)
    }
    assert len(found) > 10
    assert found <= set(PROSE)
