"""A resident with a receipt reads the answer and the words that were changed because of it."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Travel
from tests.live import CLOSED, RECEIPTS

pytestmark = pytest.mark.browser
WORDS = "希望多一点公共厕所，老年人出门就是找厕所。"


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_the_answer_is_looked_up_and_shows_the_changed_words(
    travel: Travel, address: str, tmp_path_factory: pytest.TempPathFactory, script: bool
) -> None:
    kept = tmp_path_factory.getbasetemp() / "live0" / RECEIPTS
    receipt = json.loads(kept.read_text(encoding="utf-8"))[WORDS]
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page
    someone.go("/receipts/")
    page.get_by_label("受理编号").fill(receipt.lower().replace("-", " "))
    page.locator("main form button").click()
    expect(page.locator("main")).to_contain_text("因为您的意见，文稿这样改了")
    changed = page.locator(".compare")
    expect(changed.locator("ins")).to_contain_text("晚间也开放的公共厕所")
    someone.look("receipt")
    page.get_by_role("link", name=re.compile("看这一稿的全部改动")).click()
    here = page.locator(".compare:target")
    expect(here).to_contain_text("因为这些意见")
    expect(here).to_contain_text(WORDS)
    expect(page.locator("main")).to_contain_text("编制单位修改")
    someone.look("changes")
    page.emulate_media(media="print")
    expect(here.locator("ins").first).to_have_css("text-decoration-line", "underline")
    page.emulate_media(media="screen")
    page.get_by_role("link", name="意见采纳情况").click()
    expect(page.locator("main")).to_contain_text("尚未落实到文本3条")
    someone.look("adoption")
    someone.go(f"/consultations/{CLOSED}/compare")
    page.get_by_role("link", name="因为谁的意见").click()
    # Another journey may have published a third version meanwhile.
    expect(page.get_by_role("heading", level=1)).to_contain_text(re.compile("第[23]稿改了什么"))
