"""Pasted e-mail: the source in all its encodings, a copied head, or only words; nothing is lost."""

import base64
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.readers import mail
from consult.readers.mail import Mail

WORDS = "希望在规划里写明社区食堂的数量。"


def encoded(text: str, charset: str) -> str:
    return base64.b64encode(text.encode(charset)).decode()


def test_the_source_with_encoded_heads_and_body_is_read() -> None:
    source = "\r\n".join(
        [
            "Received: from somewhere",
            f"From: =?gb2312?B?{encoded('王小明', 'gb2312')}?= <wang@example.com>",
            f"Subject: =?utf-8?B?{encoded('关于食堂', 'utf-8')}?=",
            "Date: Mon, 19 Oct 2020 23:30:00 +0000",
            'Content-Type: text/plain; charset="gbk"',
            "Content-Transfer-Encoding: base64",
            "",
            encoded(WORDS, "gbk"),
        ]
    )
    found = mail.read(source)
    assert (found.body, found.subject) == (WORDS, "关于食堂")
    assert (found.name, found.address) == ("王小明", "wang@example.com")
    assert found.sent == dt.datetime(2020, 10, 19, 23, 30, tzinfo=dt.UTC)


def test_words_pasted_as_characters_are_read_whatever_charset_is_named() -> None:
    source = f"From: 王 <w@example.com>\nSubject: 食堂\nContent-Type: text/plain; charset=gbk\n\n{WORDS}\n"
    found = mail.read(source)
    assert (found.body, found.subject, found.name) == (WORDS, "食堂", "王")
    assert found.sent is None


def test_of_several_parts_the_plain_text_is_taken_and_no_attachment() -> None:
    source = f"""From: w@example.com
Subject: x
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="b"

--b
Content-Type: text/plain
Content-Disposition: attachment; filename="a.txt"

附件里的字
--b
Content-Type: text/html; charset=utf-8

<style>p{{}}</style><p>网页里的字</p>
--b
Content-Type: text/plain; charset=utf-8

{WORDS}
--b--
"""
    assert mail.read(source).body == WORDS


def test_a_letter_in_html_is_read_as_a_person_reads_it() -> None:
    source = (
        "From: w@example.com\nSubject: x\nContent-Type: text/html\n\n"
        "<title>t</title><script>a()</script><p>第一行</p><div>第二<b>行</b></div>"
    )
    assert mail.read(source).body == "第一行\n第二行"


def test_a_copied_head_is_understood() -> None:
    pasted = f"发件人：王小明 <wang@example.com>\n发送时间: 2020年10月8日 10:30\n收件人: 规划科\n主题：食堂\n\n{WORDS}"
    assert mail.read(pasted) == Mail(
        WORDS, "食堂", "王小明", "wang@example.com", dt.date(2020, 10, 8)
    )


@pytest.mark.parametrize(
    "words",
    [
        WORDS,
        "主题：只有一行像信头\n" + WORDS,
        "Note: this is no head\n" + WORDS,
        "http://a.example/ 好",
    ],
)
def test_what_is_no_mail_is_words(words: str) -> None:
    assert mail.read(words) == Mail(words)


@pytest.mark.parametrize(
    "head",
    [
        "From: =?x-nowhere?B?AAAA?= <a@b>\nSubject: =?utf-8?B?%%%?=\nDate: nonsense",
        "From: \x00\nSubject: \ud800\nDate: Mon, 99 Oct 99999 00:00:00 +9999",
        "From: " + "(" * 5000 + "\nSubject: x",
        "From: a@b\nSubject: x\nContent-Type: multipart/mixed; boundary=\"\"",
        "From: a@b\nSubject: x\nContent-Transfer-Encoding: base64\nContent-Type: text/plain; charset=nowhere",
    ],
)  # fmt: skip
def test_broken_mail_is_never_a_fault(head: str) -> None:
    assert isinstance(mail.read(head + "\n\nwords"), Mail)


def test_parts_within_parts_without_end_are_never_a_fault() -> None:
    nested = "From: a@b\nSubject: x\n" + "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(3000)
    )
    assert isinstance(mail.read(nested), Mail)


@given(st.text(max_size=400))
def test_whatever_is_pasted_comes_back_as_some_mail(pasted: str) -> None:
    assert isinstance(mail.read(pasted), Mail)
    assert isinstance(mail.read(f"From: a@b\nSubject: x\n\n{pasted}"), Mail)
