"""Supporting an opinion on a phone: two taps the first time, one tap to take it back."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Travel
from tests.live import OPEN

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("script", "slug"), [(True, OPEN), (False, OPEN)], ids=["with-script", "without-script"]
)
def test_support_is_given_and_taken_back(travel: Travel, script: bool, slug: str) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page
    someone.go(f"/consultations/{slug}/opinions")
    # The second one, so that leading back to the top of the list would be seen.
    name = page.locator(".comment").nth(1).get_attribute("id")
    card = page.locator(f"#{name}")
    before = _count(card.inner_text())
    assert page.context.cookies() == []
    with someone.leaving():
        card.get_by_role("link", name=re.compile("^支持")).tap()
    someone.look("ask")
    page.get_by_role("button", name=re.compile("^支持")).tap()
    expect(page).to_have_url(re.compile(f"#{name}$"))
    expect(card).to_contain_text(f"{before + 1}人支持")
    expect(card).to_contain_text("您已支持")
    expect(card).to_be_in_viewport()
    someone.look("given")
    # Who has pressed once needs no second page any more.
    page.reload()
    card.get_by_role("button", name=re.compile("^撤销支持")).tap()
    expect(card).to_contain_text(f"{before}人支持")
    expect(card).not_to_contain_text("您已支持")
    card.get_by_role("button", name=re.compile("^支持")).tap()
    expect(card).to_contain_text(f"{before + 1}人支持")


def _count(words: str) -> int:
    found = re.search(r"(\d+)人支持", words)
    assert found
    return int(found[1])
