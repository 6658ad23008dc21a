"""A resident on a phone: from the front page to a receipt, and what can go wrong on the way."""

import re
from pathlib import PurePosixPath

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import DESK, PHONE, Travel
from tests.live import OPEN

pytestmark = pytest.mark.browser
COMMENT = f"/consultations/{OPEN}/comment"
BODY = "建议在老旧小区加装电梯，方便老年人上下楼。"


def write(page: Page, body: str, *, agree: bool = True) -> None:
    """Fill the form in and send it."""
    page.get_by_label("您的意见").fill(body)
    if agree:
        page.locator("#consent").check()
    page.get_by_role("button", name="提交意见").click()


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_from_the_front_page_to_a_receipt_and_back(travel: Travel, script: bool) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page
    look = someone.look

    someone.go("/")
    look("home")
    page.locator("main article.card a").filter(has_text="征求意见稿").first.click()
    expect(page.locator("h1")).to_contain_text("征求意见稿")
    look("notice")
    page.get_by_role("link", name="阅读文稿并提意见").click()
    paragraph = page.locator(".para", has=page.get_by_role("link", name="评论此段")).nth(3)
    words = paragraph.locator("p").first.inner_text()
    paragraph.scroll_into_view_if_needed()
    look("reader")
    paragraph.get_by_role("link", name=re.compile("评论此段")).tap()
    expect(page.locator("blockquote")).to_contain_text(words[:20])
    look("form")
    write(page, f"{BODY}（{'有' if script else '无'}脚本）")
    expect(page.locator("h1")).to_have_text("意见已经收到")
    number = page.locator(".slip-number").inner_text()
    assert re.fullmatch(r"\d{6}-[0-9A-Z]{5}-[0-9A-Z]{5}", number)
    look("receipt")
    page.get_by_role("link", name="查询我的意见").first.click()
    page.get_by_label("受理编号").fill(number.lower().replace("-", " "))
    look("look-up")
    page.get_by_role("button", name="查询").click()
    expect(page.locator(".slip-number")).to_have_text(number)
    expect(page.locator("main")).to_contain_text("正在等待审核")
    expect(page.locator("main")).to_contain_text(words[:20])
    # What has not been read by a screener is not public.
    someone.go(f"/consultations/{OPEN}/opinions")
    expect(page.locator("main")).not_to_contain_text("脚本）")
    look("opinions")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_typed_text_survives_every_refusal(travel: Travel, script: bool) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page
    someone.go(COMMENT)
    page.get_by_text("留下称呼或联系方式").click()
    page.get_by_label("称呼").fill("王小明")
    page.get_by_label("联系方式", exact=True).fill("13800000000")
    page.get_by_label("反对").check()
    write(page, "太短😀\n第二行", agree=False)
    summary = page.locator(".error-summary")
    expect(summary).to_contain_text("至少10个字")
    expect(summary).to_contain_text("同意")
    if script:
        expect(summary).to_be_focused()
        someone.look("refused")
    expect(page.get_by_label("您的意见")).to_have_value("太短😀\n第二行")
    expect(page.get_by_label("称呼")).to_have_value("王小明")
    expect(page.get_by_label("联系方式", exact=True)).to_have_value("13800000000")
    expect(page.get_by_label("反对")).to_be_checked()
    # From the summary straight to the field, then a good end.
    summary.get_by_role("link").first.click()
    write(page, BODY + "😀\n请尽快办理。")
    expect(page.locator("h1")).to_have_text("意见已经收到")
    expect(page.locator(".prose")).to_contain_text("😀")


def test_the_page_counts_as_the_server_does(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go(COMMENT)
    box, counter = page.get_by_label("您的意见"), page.locator(".counter").first
    for text, left in (
        ("", 2000),
        ("甲", 1999),
        ("😀", 1999),
        ("一\n二\n三", 1995),
        ("e\u0301", 1998),
    ):
        box.fill(text)
        expect(counter).to_contain_text(str(left))
    text = ("😀甲\n" * 700).rstrip()
    assert len(text) == 2099
    box.fill(text)
    expect(counter).to_contain_text("99")
    assert "over" in (counter.get_attribute("class") or "")
    write(page, text)
    expect(page.locator(".error-summary")).to_contain_text("最多2000字，现在是2099字")
    expect(box).to_have_value(text)
    exact = text[:1999] + "完"
    assert len(exact) == 2000
    box.fill(exact)
    expect(counter).to_contain_text("还可以写 0 字")
    write(page, exact)
    expect(page.locator("h1")).to_have_text("意见已经收到")


def test_typed_text_outlives_a_reload_and_ends_with_the_receipt(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go(COMMENT)
    page.get_by_label("您的意见").fill(BODY)
    page.reload()
    expect(page.get_by_label("您的意见")).to_have_value(BODY)
    write(page, BODY + "再等等。")
    expect(page.locator("h1")).to_have_text("意见已经收到")
    someone.go(COMMENT)
    expect(page.get_by_label("您的意见")).to_have_value("")


def test_what_was_typed_about_one_paragraph_is_not_offered_for_another(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go(f"/consultations/{OPEN}/draft")
    links = page.get_by_role("link", name=re.compile("评论此段"))
    first, second = (links.nth(n).get_attribute("href") for n in (0, 1))
    assert first
    assert second
    someone.go(first)
    page.get_by_label("您的意见").fill(BODY)
    someone.go(second)
    expect(page.get_by_label("您的意见")).to_have_value("")
    someone.go(first)
    expect(page.get_by_label("您的意见")).to_have_value(BODY)
    page.get_by_role("link", name="改为对全文提意见").click()
    expect(page.locator("blockquote")).to_have_count(0)
    expect(page.get_by_label("您的意见")).to_have_value(BODY)


def test_an_impatient_double_click_sends_one_opinion(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go(f"/consultations/{OPEN}/")
    before = _received(page)
    someone.go(COMMENT)
    page.get_by_label("您的意见").fill(BODY + "连点两下。")
    page.locator("#consent").check()
    page.get_by_role("button", name="提交意见").dblclick()
    expect(page.locator("h1")).to_have_text("意见已经收到")
    someone.go(f"/consultations/{OPEN}/")
    assert _received(page) == before + 1


def _received(page: Page) -> int:
    found = re.search(r"(\d+)件，其中", page.locator("main").inner_text())
    assert found is not None
    return int(found.group(1))


def test_a_comment_by_keyboard_alone(travel: Travel) -> None:
    someone = travel(DESK)
    page = someone.page
    someone.go(f"/consultations/{OPEN}/draft")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("跳到正文")
    page.keyboard.press("Enter")
    _tab_to(page, "评论此段")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("提意见")
    _tab_to(page, "body")
    page.keyboard.type(BODY + "只用键盘。")
    _tab_to(page, "stance")
    page.keyboard.press("ArrowDown")
    _tab_to(page, "consent")
    page.keyboard.press("Space")
    _tab_to(page, "提交意见")
    someone.look("keyboard", both=False)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("意见已经收到")


def _tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is on what has this text or name; the focus is always seen."""
    for _press in range(200):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(
            """() => {
              const it = document.activeElement, look = getComputedStyle(it);
              const box = it.getBoundingClientRect();
              return [it.name || it.innerText || "", box.width > 0 && box.height > 0 &&
                (look.outlineStyle !== "none" || look.boxShadow !== "none")];
            }"""
        )
        assert seen, f"the focus cannot be seen on {name!r}"
        if wanted in name:
            return
    raise AssertionError(f"Tab never came to {wanted}")


@pytest.mark.parametrize("look", ["dark", "elder", "dark-elder"])
def test_dark_and_elder_views(travel: Travel, look: str) -> None:
    someone = travel(PHONE, color_scheme="dark" if "dark" in look else "light")
    page = someone.page
    someone.go("/")
    if "elder" in look:
        page.get_by_role("button", name="适老版").click()
        expect(page.locator("html")).to_have_class("elder")
    for path in ("/", f"/consultations/{OPEN}/draft", COMMENT, f"/consultations/{OPEN}/summary"):
        someone.go(path)
        if "elder" in look:
            expect(page.locator("html")).to_have_class("elder")
        someone.look(f"{look}-{path.rpartition('/')[2] or 'home'}")


def test_every_public_page_of_the_example(travel: Travel) -> None:
    someone = travel(PHONE)
    page = someone.page
    someone.go("/")
    paths = {"/sign-in", "/nowhere"}
    for start in ("/", "/consultations/", f"/consultations/{OPEN}/"):
        someone.go(start)
        hrefs = page.locator("a[href^='/']").evaluate_all("all => all.map(a => a.pathname)")
        # An address with an ending is a file to keep (.ics, .pdf, .xml), not a page to look at.
        paths |= {href for href in hrefs if "/draft" not in href and not PurePosixPath(href).suffix}
    for path in sorted(paths):
        someone.go(path)
        someone.look("page" + re.sub(r"\W+", "-", path))
