"""The resident's main way — read, comment, keep the receipt — for those who need it otherwise: the
elder-friendly view, no script, a narrow phone, a page enlarged four times, dark or light by choice."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESK, PHONE, Travel, Traveller
from tests.live import OPEN

pytestmark = pytest.mark.browser
NARROW = {"width": 320, "height": 640}
# What a window of 1280 × 1024 shows at 400 %: WCAG 2.2, 1.4.10.
ENLARGED = {"width": 320, "height": 256}
DRAFT = f"/consultations/{OPEN}/draft"


def from_reading_to_the_receipt(someone: Traveller, mark: str) -> None:
    """Read a paragraph, comment on it, keep the number and find the opinion by it."""
    page = someone.page

    def look(step: str) -> None:
        someone.look(f"{mark}-{step}", both=False)

    someone.go("/")
    look("home")
    page.locator("main article.card a").filter(has_text="征求意见稿").first.click()
    look("notice")
    page.get_by_role("link", name="阅读文稿并提意见").click()
    paragraph = page.locator(".para", has=page.get_by_role("link", name="评论此段")).nth(2)
    words = paragraph.locator("p").first.inner_text()
    look("reader")
    paragraph.get_by_role("link", name=re.compile("评论此段")).click()
    expect(page.locator("blockquote")).to_contain_text(words[:20])
    look("form")
    page.get_by_role("button", name="提交意见").click()
    expect(page.locator(".error-summary")).to_contain_text("请写下您的意见")
    look("refused")
    page.get_by_label("您的意见").fill(f"建议在这里增加无障碍坡道和扶手。（{mark}）")
    page.locator("#consent").check()
    page.get_by_role("button", name="提交意见").click()
    expect(page.locator("h1")).to_have_text("意见已经收到")
    number = page.locator(".slip-number").inner_text()
    look("receipt")
    page.get_by_role("link", name="查询我的意见").first.click()
    page.get_by_label("受理编号").fill(number)
    look("look-up")
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".slip-number")).to_have_text(number)
    expect(page.locator("main")).to_contain_text(words[:20])


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
@pytest.mark.parametrize("size", [NARROW, ENLARGED], ids=["narrow", "enlarged"])
def test_the_main_way(travel: Travel, size: dict[str, int], script: bool) -> None:
    someone = travel(size, java_script_enabled=script)
    from_reading_to_the_receipt(someone, f"{size['width']}x{size['height']}-{script}")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
@pytest.mark.parametrize("size", [PHONE, ENLARGED], ids=["phone", "enlarged"])
def test_the_main_way_in_the_elder_view(travel: Travel, size: dict[str, int], script: bool) -> None:
    someone = travel(size, java_script_enabled=script)
    page = someone.page
    someone.go("/")
    plain = _size_of_type(page)
    page.get_by_role("button", name="适老版").click()
    expect(page.locator("html")).to_have_class("elder")
    assert _size_of_type(page) > plain * 1.2
    from_reading_to_the_receipt(someone, f"elder-{size['width']}x{size['height']}-{script}")
    # Remembered all the way, and undone by the same button.
    expect(page.locator("html")).to_have_class("elder")
    page.get_by_role("button", name="标准版").click()
    expect(page.locator("html")).not_to_have_class("elder")
    someone.go("/")
    assert _size_of_type(page) == plain


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
@pytest.mark.parametrize("system", ["light", "dark"])
def test_light_and_dark_by_choice(travel: Travel, system: str, script: bool) -> None:
    someone = travel(PHONE, color_scheme=system, java_script_enabled=script)
    page = someone.page
    other = {"light": "dark", "dark": "light"}[system]
    someone.go(DRAFT + "?v=1")
    assert _look(page) == system
    page.get_by_role("button", name={"light": "浅色", "dark": "深色"}[other]).click()
    expect(page.locator(".looks [aria-pressed=true]")).to_have_attribute("value", other)
    assert page.url.endswith("?v=1")
    for path in (DRAFT, f"/consultations/{OPEN}/summary", "/corrections/new", "/rules"):
        someone.go(path)
        assert _look(page) == other
        someone.look(f"{other}-on-{system}", both=False)
    page.get_by_role("button", name="跟随系统").click()
    expect(page.locator(".looks [aria-pressed=true]")).to_have_attribute("value", "system")
    assert _look(page) == system


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_a_reader_of_english_sends_a_comment(travel: Travel, script: bool) -> None:
    someone = travel(NARROW, java_script_enabled=script)
    page = someone.page
    someone.go(DRAFT)
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    someone.look("reader", both=False)
    # The text of the draft stays Chinese and says so.
    first = page.locator(".para p bdi").first
    expect(first).to_have_attribute("lang", "zh-Hans")
    with someone.leaving():
        page.locator(".para").nth(2).get_by_role("link", name=re.compile("^Comment")).click()
    someone.look("form", both=False)
    page.get_by_label("Your opinion").fill("Please add ramps and handrails here.")
    page.locator("#consent").check()
    page.get_by_role("button", name="Send opinion").click()
    expect(page.locator("h1")).to_have_text("Your opinion has been received")
    someone.look("receipt", both=False)
    for path in ("/", f"/consultations/{OPEN}/", f"/consultations/{OPEN}/summary", "/privacy"):
        someone.go(path)
        someone.look("page", both=False)
    page.get_by_role("button", name="中文").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")


def test_switching_keeps_what_has_been_typed(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go("/corrections/new?page=/rules")
    page.get_by_label("标题").fill("写了一半")
    page.get_by_role("button", name="深色").click()
    expect(page.locator(".looks [aria-pressed=true]")).to_have_attribute("value", "dark")
    page.get_by_role("button", name="适老版").click()
    expect(page.locator("html")).to_have_class("elder")
    expect(page.get_by_label("标题")).to_have_value("写了一半")
    page.reload()
    expect(page.locator("html")).to_have_class("elder")
    assert _look(page) == "dark"


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_what_is_wrong_on_a_page_is_reported_and_answered(travel: Travel, script: bool) -> None:
    reader = travel(NARROW, java_script_enabled=script)
    page = reader.page
    title = f"第三段有错字（{script}）"
    reader.go(DRAFT)
    page.get_by_role("link", name="网站纠错").click()
    expect(page.get_by_label("页面地址")).to_have_value(DRAFT)
    reader.look("form", both=False)
    page.get_by_label("文字、数字或日期有误").check()
    page.get_by_label("标题").fill(title)
    page.get_by_label("您做了什么").fill("“规化”应当是“规划”。")
    page.get_by_role("button", name="提交纠错").click()
    expect(page.locator("h1")).to_have_text("纠错已经收到")
    number = page.locator(".slip-number").inner_text()
    reader.look("slip", both=False)

    officer = travel(DESK)
    officer.sign_in("drc")
    officer.go("/desk/corrections")
    officer.look("queue")
    desk = officer.page
    desk.get_by_role("link", name=title).focus()
    desk.keyboard.press("Enter")
    expect(desk.locator("h1")).to_have_text(title)
    officer.look("answer")
    # By keyboard: the result, the words, the button.
    desk.get_by_label("已改正").focus()
    desk.keyboard.press("Space")
    desk.keyboard.press("Tab")
    desk.keyboard.type("已改为“规划”，谢谢您。")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    expect(desk.get_by_role("button", name="保存答复")).to_be_focused()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("status")).to_contain_text(number)

    reader.go("/corrections/find")
    page.get_by_label("纠错编号").fill(number)
    page.get_by_role("button", name="查询").click()
    expect(page.locator("main")).to_contain_text("已改为“规划”，谢谢您。")
    reader.go("/corrections/")
    expect(page.locator("main")).to_contain_text(title)
    reader.look("public", both=False)


def _size_of_type(page: Page) -> float:
    size: float = page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)")
    return size


def _look(page: Page) -> str:
    """Light or dark, by what the paper looks like."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    shades = [int(each) for each in re.findall(r"\d+", colour)[:3]]
    return "light" if sum(shades) > 3 * 128 else "dark"
