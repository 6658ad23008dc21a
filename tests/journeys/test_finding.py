"""A resident on a phone looks for what others said, with and without script."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Travel

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_two_characters_lead_to_the_opinion_itself(travel: Travel, script: bool) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page

    def look(step: str) -> None:
        # axe is a script, too.
        if script:
            someone.look(step)

    someone.go("/")
    page.get_by_role("link", name="检索", exact=True).click()
    look("empty")
    box = page.get_by_role("searchbox")
    box.fill("梯")
    box.press("Enter")
    expect(page.locator("main")).to_contain_text("请至少输入两个字")
    expect(box).to_have_value("梯")
    look("too-short")
    box.fill("电梯")
    page.locator("main form button").click()
    expect(page.locator("main mark").first).to_have_text("电梯")
    look("drafts")
    page.get_by_role("link", name=re.compile(r"^意见\s*[0-9]")).click()
    expect(page.locator("main mark").first).to_have_text("电梯")
    look("opinions")
    page.locator(".entries a").first.click()
    expect(page.locator("h1")).to_have_text("大家的意见")
    expect(page.locator("article.comment").first).to_contain_text("电梯")
    page.locator("details.filter summary").click()
    page.get_by_label("态度").select_option("suggest")
    page.get_by_role("button", name="查找").click()
    expect(page).to_have_url(re.compile("stance=suggest"))
    look("chosen")
