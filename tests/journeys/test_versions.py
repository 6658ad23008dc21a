"""A second and a third version: published by the staff, and an old comment found again."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import DESK, PHONE, Travel
from tests.live import CLOSED

pytestmark = pytest.mark.browser
DRAFT = Path(__file__).resolve().parents[2] / "consult" / "data" / "drafts" / f"{CLOSED}.md"
# One paragraph of the first version on which the example holds opinions, and its edited state.
OLD, NEW = "助餐点的菜要软烂、少盐、价格实惠", "助餐点的菜要软烂、少油、少盐、价格实惠"


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_a_resident_reads_what_changed(travel: Travel, script: bool) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page
    someone.go(f"/consultations/{CLOSED}/draft?v=2")
    page.get_by_role("link", name=re.compile("与第1稿对照")).click()
    moved = page.locator(".compare", has_text="小区修缮中的适老化改造")
    expect(moved).to_contain_text("原在：第六章 住得更安心 › 第四节 小区里的日常")
    table = page.locator(".compare", has_text="既有多层住宅加装电梯完成台数")
    # The changed figure whole, with the words that a screen reader says around it.
    expect(table.locator("del")).to_have_text("［删去］1000［删去完］")
    expect(table.locator("ins")).to_have_text("［新增］1500［新增完］")
    left, right = (table.locator(".compare-text").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert right["y"] > left["y"], "one above the other on a phone"
    if script:
        someone.look("compare")
    page.set_viewport_size(DESK)
    left, right = (table.locator(".compare-text").nth(n).bounding_box() for n in (0, 1))
    assert left is not None
    assert right is not None
    assert right["x"] > left["x"] + left["width"] / 2, "side by side on a desk"
    page.get_by_role("link", name="合在一起看").click()
    expect(page.locator(".compare del").first).to_be_visible()
    page.get_by_role("link", name="看全文").click()
    expect(page.locator(".compare", has_text="往外看，国际经贸环境")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".compare ins").first).to_have_css("text-decoration-line", "underline")
    expect(page.locator(".compare del").first).to_have_css("text-decoration-line", "line-through")


def test_a_third_version_is_published_and_an_old_comment_is_found(travel: Travel) -> None:
    officer = travel(DESK)
    page = officer.page
    officer.sign_in("drc")
    officer.go(f"/desk/consultations/{CLOSED}")
    page.get_by_role("link", name="导入新的一稿").click()
    text = DRAFT.read_text(encoding="utf-8").replace(OLD, NEW)
    page.get_by_label("文稿文件").set_input_files(
        {"name": "修改稿.md", "mimeType": "text/markdown", "buffer": text.encode()}
    )
    page.get_by_role("button", name="导入").click()
    with officer.leaving():
        page.get_by_role("link", name="核对段落沿革").click()
    officer.look("lineage")
    changed = page.locator(".compare", has_text="助餐点的菜要软烂")
    expect(changed).to_contain_text("有修改")
    expect(changed).to_contain_text(re.compile("已有意见[0-9]+件"))
    changed.get_by_role("link", name=re.compile("更正")).click()
    expect(page.get_by_role("radio", checked=True)).to_have_count(1)
    officer.look("correct")
    page.get_by_role("button", name="保存").click()
    expect(page.locator("main")).to_contain_text("段落沿革已更正")
    page.get_by_role("button", name="重新对照").click()
    expect(page.locator("main")).to_contain_text("已按现在的文字重新对照")
    page.get_by_role("link", name="返回检查结构").click()
    page.get_by_role("link", name="去发布").click()
    page.get_by_role("button", name="发布这一稿").click()
    expect(page.locator("main")).to_contain_text("已发布")

    resident = travel(PHONE)
    resident.go(f"/consultations/{CLOSED}/draft")
    paragraph = resident.page.locator(".para", has_text=NEW)
    expect(paragraph).to_contain_text("有修改")
    paragraph.get_by_role("link", name=re.compile("件意见")).click()
    old = resident.page.locator(".comment").first
    expect(old).to_contain_text("针对第1稿")
    expect(old).to_contain_text("原文已修改")
    old.locator("summary").click()
    expect(old).to_contain_text(OLD)
    resident.look("old-comment")
    old.get_by_role("link", name="看改动").click()
    expect(resident.page.locator(".compare:target")).to_contain_text("少油、")
