"""What `core.web` does for every answer."""

from urllib.parse import unquote

import pytest
from flask import Response

from core.web import as_file, whole_number

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("规划纲要意见汇总", "规划纲要意见汇总.docx"),
        ('<script src=//x>a\\b:c|d?e*f"g', "script src=xabcdefg.docx"),
        ("一\r\nSet-Cookie: a=b", "一Set-Cookie a=b.docx"),
        ("\u202e反的\ufeff", "反的.docx"),
        ("../..", "summary-1.docx"),
        ("长" * 200, "长" * 60 + ".docx"),
    ],
)
def test_a_title_makes_a_file_name_any_computer_takes(title: str, name: str) -> None:
    given = as_file(Response(), title, ".docx", plain="summary-1").headers["Content-Disposition"]
    plain, _star, encoded = given.partition("; filename*=UTF-8''")
    assert plain == 'attachment; filename="summary-1.docx"'
    assert encoded.isascii()
    assert unquote(encoded) == name


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("2147483647", 2**31 - 1),
        ("2147483648", None),
        ("9" * 5000, None),
        ("-1", None),
        ("1.0", None),
        (" 1", None),
        ("１", None),
        ("²", None),
        ("", None),
        (None, None),
    ],
)
def test_a_whole_number_is_plain_digits_that_a_row_may_have(
    typed: str | None, number: int | None
) -> None:
    assert whole_number(typed) == number
