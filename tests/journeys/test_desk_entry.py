"""An officer at the telephone: one call after the other, the mouse never touched."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESK, Travel

pytestmark = pytest.mark.browser


def _tab_to(page: Page, id: str) -> None:
    """Press Tab until the focus is on this control, like somebody who knows the form."""
    for _step in range(40):
        if page.evaluate("document.activeElement.id") == id:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {id}")


def test_two_calls_are_entered_by_keyboard_alone(travel: Travel) -> None:
    officer = travel(DESK)
    page = officer.page
    officer.sign_in("drc")
    officer.go("/desk/entry")
    # The words are what is told first: the focus is there already.
    expect(page.locator("#body")).to_be_focused()
    officer.look("empty")
    page.keyboard.insert_text("来电人建议在社区食堂增加早餐供应时间。")
    _tab_to(page, "title")
    page.keyboard.insert_text("社区食堂")
    # Enter in a line saves, as the page says.
    page.keyboard.press("Enter")
    status = page.locator("main [role=status]", has_text="已登记")
    expect(status).to_be_visible()
    number = status.locator(".slip-number").inner_text()
    assert re.fullmatch(r"\d{6}-[0-9A-Z]{5}-[0-9A-Z]{5}", number)
    expect(status).to_contain_text(" ".join(number.replace("-", "")))
    officer.look("saved")

    expect(page.locator("#body")).to_be_focused()
    expect(page.locator("#body")).to_have_value("")
    page.keyboard.insert_text("来电人希望公交站加装座椅和雨棚。")
    _tab_to(page, "told")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    # The second button prints the slip.
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("意见已经登记")
    second = page.locator(".slip .slip-number").inner_text()
    assert second != number
    officer.look("slip")

    # The author has the same rights as one who wrote on the site: the receipt opens the opinion.
    resident = travel()
    resident.go(f"/receipts/{second}")
    expect(resident.page.locator("main")).to_contain_text("公交站加装座椅和雨棚")
    expect(resident.page.locator("main")).to_contain_text("正在等待审核")


def test_an_error_takes_the_focus_and_keeps_the_words(travel: Travel) -> None:
    officer = travel(DESK)
    page = officer.page
    officer.sign_in("drc")
    officer.go("/desk/entry")
    expect(page.locator("#body")).to_be_focused()
    page.keyboard.insert_text("来电人留下了号码，希望知道答复。")
    _tab_to(page, "contact")
    page.keyboard.insert_text("13800001234")
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator("#body")).to_have_value("来电人留下了号码，希望知道答复。")
    officer.look("not-told")
