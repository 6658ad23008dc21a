"""The staff's days: publishing a draft from Word, screening by keyboard, reading the summary."""

import datetime as dt
import io
import re
from urllib.parse import urljoin

import docx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import DESK, PHONE, Travel
from tests.live import OPEN

pytestmark = pytest.mark.browser


def a_word_file() -> bytes:
    """A draft as offices write them: chapters without heading styles, one of them mistaken."""
    document = docx.Document()
    document.add_heading("某区公园城市建设行动方案（征求意见稿）", 0)
    for line in (
        "第一章 总体要求",
        "坚持人民城市人民建，人民城市为人民，到2025年新增口袋公园20座。",
        "第二章 重点任务",
        "新增绿地面积10公顷。建设环区绿道15公里。",
        "这一行本来是标题",
        "开放公共机构附属绿地，方便居民休憩。",
    ):
        document.add_paragraph(line)
    table = document.add_table(rows=2, cols=2)
    for cell, words in zip(
        (cell for row in table.rows for cell in row.cells),
        ("指标", "2025年目标", "口袋公园", "20座"),
        strict=True,
    ):
        cell.text = words
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def test_an_officer_publishes_a_draft_from_a_word_file(travel: Travel) -> None:
    officer = travel(DESK)
    page = officer.page
    officer.sign_in("drc")
    officer.go("/desk/")
    officer.look("desk")
    with officer.leaving():
        page.get_by_role("link", name="意见征集管理").click()
    officer.look("list")
    page.get_by_role("link", name="新建意见征集").click()
    page.get_by_label("标题").fill("公园城市建设行动方案公开征求意见")
    page.get_by_label("网址短名").fill("gongyuan")
    officer.look("new")
    page.get_by_role("button", name="新建").click()
    expect(page.locator("main")).to_contain_text("还没有发布文稿")
    officer.look("begun")

    page.get_by_role("link", name="填写公告").click()
    page.get_by_label("起草说明").fill("为建设公园城市，起草了本方案，现公开征求意见。")
    page.get_by_label("参与方式").fill("在本网站提交，或来信至区绿化局。")
    page.get_by_label("联系方式").fill("区绿化局，021-00000000，工作日9:00至17:00。")
    officer.look("notice")
    page.get_by_role("button", name="保存").click()

    page.get_by_role("link", name="设定时间").click()
    today = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date()
    page.get_by_label("开始日期").fill(today.isoformat())
    page.get_by_label("截止日期").fill((today + dt.timedelta(days=9)).isoformat())
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".error-summary")).to_contain_text("不足30天")
    officer.look("too-short")
    page.get_by_label("截止日期").fill((today + dt.timedelta(days=34)).isoformat())
    page.get_by_role("button", name="保存").click()

    page.get_by_role("link", name="导入文稿").click()
    page.get_by_label("文稿文件").set_input_files(
        {"name": "方案.docx", "mimeType": "application/octet-stream", "buffer": a_word_file()}
    )
    officer.look("import")
    page.get_by_role("button", name="导入").click()
    expect(page.locator("main")).to_contain_text("第二章 重点任务")
    officer.look("structure")
    mistaken = page.locator(".para", has_text="这一行本来是标题")
    mistaken.locator("summary").click()
    mistaken.get_by_label("标题级别").select_option("2")
    mistaken.get_by_role("button", name="改为标题").click()
    expect(page.locator(".para", has_text="这一行本来是标题")).to_contain_text("第2级标题")
    officer.look("mended")
    page.get_by_role("link", name="预览").first.click()
    expect(page.get_by_role("heading", name="这一行本来是标题")).to_be_visible()
    officer.look("preview")
    with officer.leaving():
        page.get_by_role("link", name=re.compile("发布")).first.click()
    officer.look("publish")
    page.get_by_role("button", name="发布这一稿").click()
    expect(page.locator("main")).to_contain_text("已发布")

    stranger = travel(PHONE)
    stranger.go("/consultations/gongyuan/")
    expect(stranger.page.locator("h1")).to_have_text("没有找到这一页")
    with officer.leaving():
        page.get_by_role("link", name="核对并公布").click()
    officer.look("announce")
    page.get_by_role("button", name="公布公告").click()
    expect(page.locator("main")).to_contain_text("公告已经公布")
    stranger.go("/consultations/")
    stranger.page.get_by_role("link", name="公园城市建设行动方案公开征求意见").click()
    stranger.page.get_by_role("link", name="阅读文稿并提意见").click()
    expect(stranger.page.locator(".draft")).to_contain_text("开放公共机构附属绿地")
    expect(stranger.page.get_by_role("link", name=re.compile("评论此段")).first).to_be_visible()
    stranger.look("published")


def test_a_screener_decides_by_keyboard_and_in_bulk(travel: Travel) -> None:
    # A campaign: three letters with the same words, and one of its own.
    resident = travel(PHONE)
    same = "请在小区门口增设公交站，方便上班的人。"
    for number, body in enumerate(
        (same, same, same + "！", "建议增加社区托育点，解决双职工的困难。")
    ):
        resident.go(f"/consultations/{OPEN}/comment")
        resident.page.get_by_label("您的意见").fill(body)
        resident.page.locator("#consent").check()
        resident.page.get_by_role("button", name="提交意见").click()
        expect(resident.page.locator("h1"), f"letter {number}").to_have_text("意见已经收到")
    last = resident.page.locator(".slip-number").inner_text()

    screener = travel(DESK)
    page = screener.page
    screener.sign_in("screener")
    screener.go("/desk/screening")
    screener.look("queue")
    campaign = _find(page, same)
    campaign.focus()
    page.keyboard.press("1")
    expect(page.locator("[role=status]")).to_contain_text("已处理3件")
    screener.look("bulk")
    own = _find(page, "社区托育点")
    own.focus()
    # Not without a reason: the key leads to the list of reasons.
    page.keyboard.press("2")
    expect(own.locator("select")).to_be_focused()
    own.locator("select").select_option("advertisement")
    page.keyboard.press("Escape")
    expect(own).to_be_focused()
    page.keyboard.press("2")
    expect(page.locator("[role=status]")).to_contain_text("提出不展示")
    # Another confirms it.
    second = travel(DESK)
    second.sign_in("admin")
    second.go("/desk/screening?state=proposed")
    _find(second.page, "社区托育点").focus()
    second.look("proposed")
    _find(second.page, "社区托育点").focus()
    second.page.keyboard.press("2")
    expect(second.page.locator("[role=status]")).to_contain_text("确认不展示")
    resident.go(f"/consultations/{OPEN}/opinions")
    expect(resident.page.locator("main article", has_text="增设公交站")).to_have_count(3)
    expect(resident.page.locator("main")).not_to_contain_text("社区托育点")
    resident.go(f"/receipts/{last}")
    expect(resident.page.locator("main")).to_contain_text("属于广告或推广")
    resident.look("hidden")
    # The author objects; a third person would have to hear it, and the author sees that.
    why = "这不是广告，我说的是双职工家庭的困难。"
    resident.page.get_by_label("您的理由").fill(why)
    # Kept on the device while it is written, until it has come in.
    resident.page.reload()
    expect(resident.page.get_by_label("您的理由")).to_have_value(why)
    resident.page.get_by_role("button", name="提出异议").click()
    expect(resident.page.locator("main")).to_contain_text("正在由另一位审核员复核")
    resident.look("appealed")
    second.go("/desk/screening?state=appealed")
    second.look("appeal")
    # And takes it back in the end.
    resident.page.locator("summary", has_text="撤回这件意见").click()
    resident.page.get_by_label("我要撤回这件意见").check()
    resident.page.get_by_role("button", name="撤回", exact=True).click()
    expect(resident.page.locator("main")).to_contain_text("您已撤回这件意见")
    expect(resident.page.locator("main")).not_to_contain_text("社区托育点")
    resident.look("withdrawn")


def test_a_screener_works_twenty_by_keyboard_only(travel: Travel) -> None:
    resident = travel(PHONE)
    for number in range(12):
        resident.go(f"/consultations/{OPEN}/comment")
        resident.page.get_by_label("您的意见").fill(
            f"建议第{number}路公交车延长，我叫王小明，电话13800138000。"
        )
        resident.page.locator("#consent").check()
        resident.page.get_by_role("button", name="提交意见").click()
        expect(resident.page.locator("h1"), f"letter {number}").to_have_text("意见已经收到")
    screener = travel(DESK)
    page = screener.page
    screener.sign_in("screener")
    screener.go("/desk/screening")
    screener.look("queue")
    here = page.locator("article[data-keys]:focus")
    for number in range(20):
        if not here.count():
            page.keyboard.press("j")
        expect(here, f"item {number}").to_have_count(1)
        head = here.get_by_role("heading").inner_text()
        if number % 5 == 2:
            page.keyboard.press("2")
            page.keyboard.press("ArrowDown")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            said = "提出不展示"
        elif number % 5 == 3:
            page.keyboard.press("3")
            said = "转办理指引"
        elif number % 5 == 4:
            page.keyboard.press("4")
            page.keyboard.type("请写明是哪一路公交车。")
            # Enter in the field decides nothing.
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            said = "请作者补充"
        else:
            page.keyboard.press("1")
            said = "展示"
        expect(page.locator("[role=status]")).to_contain_text(f"件：{said}")
        expect(page.locator("article[data-keys]").filter(has_text=head)).to_have_count(0)
        # The keys are there once the page's script has run.
        page.wait_for_load_state()
    screener.look("worked")
    resident.go(f"/consultations/{OPEN}/opinions")
    expect(resident.page.locator("main")).not_to_contain_text("13800138000")


def _find(page: Page, words: str):  # type: ignore[no-untyped-def]
    """The first opinion of the queue with these words, on whatever sheet it stands."""
    for _sheet in range(40):
        found = page.locator("article[data-keys]", has_text=words)
        if found.count():
            return found.first
        _turn(page, page.get_by_role("link", name="下一页"))
    raise AssertionError(f"nothing in the queue says {words}")


def _turn(page: Page, link: Locator) -> None:
    """Go on to the next sheet and wait for the whole of it.

    A click alone comes back while the new sheet is still being read: a count taken then misses
    what stands further down, and the sheet would be passed over.
    """
    address = link.get_attribute("href", timeout=10_000)
    assert address, "the sheet has no next one"
    page.goto(urljoin(page.url, address))


def _number(text: str) -> int:
    found = re.search(r"\d+", text)
    assert found is not None, text
    return int(found.group())


def _count_opinions(page: Page) -> int:
    """How many opinions are listed, through all the sheets."""
    count = 0
    for _sheet in range(60):
        count += page.locator("main article").count()
        following = page.locator("a[rel=next]")
        if not following.count():
            return count
        _turn(page, following.first)
    raise AssertionError("the list does not end")


def test_the_summary_opens_exactly_what_it_counts(travel: Travel) -> None:
    someone = travel(DESK)
    page = someone.page
    someone.go(f"/consultations/{OPEN}/")
    page.get_by_role("link", name="看意见汇总").click()
    expect(page.locator("h1")).to_contain_text("意见汇总")
    expect(page.locator("main")).to_contain_text("意见来自自愿参与，不代表全体居民")
    someone.look("public")
    page.locator("main details summary", has_text="用表格看：关键词").click()
    rows = page.locator("table", has=page.get_by_text("关键词")).first.locator("tbody tr")
    told = [
        (row.locator("th").inner_text(), row.locator("a[href*='opinions']").first)
        for row in (rows.nth(place) for place in range(min(3, rows.count())))
    ]
    assert told, "no keyword is listed"
    chosen = [(word, _number(link.inner_text()), link.get_attribute("href")) for word, link in told]
    for word, count, href in chosen:
        assert href is not None
        someone.go(href)
        expect(page.locator("main")).to_contain_text(word)
        someone.look("opinions-of-a-word", both=False)
        assert _count_opinions(page) == count, word


def test_staff_read_a_summary_and_take_it_away(travel: Travel) -> None:
    officer = travel(DESK)
    page = officer.page
    officer.sign_in("drc")
    officer.go("/desk/summaries/")
    officer.look("summaries")
    kept = page.locator("main a[href*='/desk/summaries/']")
    with officer.leaving():
        kept.filter(has_text=re.compile("第.*次|查看")).first.click()
    officer.look("summary")
    with page.expect_download() as started:
        page.locator("a[href*='/document']").first.click()
    made = docx.Document(started.value.path())
    assert "意见汇总" in "".join(paragraph.text for paragraph in made.paragraphs)


def test_every_room_of_the_desk(travel: Travel) -> None:
    someone = travel(DESK)
    someone.sign_in("admin")
    for path in (
        "/desk/",
        "/desk/screening",
        "/desk/screening?state=shown",
        "/desk/consultations/",
        f"/desk/consultations/{OPEN}/",
        f"/desk/consultations/{OPEN}/extend",
        "/desk/intake",
        "/desk/summaries/",
        "/desk/people",
        "/desk/people/add",
        "/desk/people/1",
        "/desk/audit",
        "/account",
        "/account/password",
        "/account/second-factor",
    ):
        someone.go(path)
        someone.look("room" + re.sub(r"\W+", "-", path))
