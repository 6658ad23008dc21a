"""The panel on a phone: a member reviews and signs, the office chases, releases and takes the sheet
along, a resident asks for a seat."""

import datetime as dt
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from core.accounts import DEMO_PASSWORD
from tests.journeys.conftest import PHONE, Post, Travel

pytestmark = pytest.mark.browser
ROUND = "请审阅《静安区“十四五”规划纲要（征求意见稿）》"
REVIEWED = "规划纲要（征求意见稿）"


def test_a_member_is_asked_reviews_and_signs(travel: Travel) -> None:
    member = travel(PHONE)
    page = member.page
    member.sign_in("member")
    member.go("/panel/desk/")
    member.look("desk")
    with member.leaving():
        page.get_by_role("link", name=ROUND).first.tap()
    member.look("cover")
    page.get_by_role("link", name="看文稿").tap()
    page.get_by_role("link", name=re.compile(r"填写本节意见\s*：\s*第一节 走过的五年")).tap()
    page.get_by_label("修改后同意").check()
    page.get_by_label("意见", exact=True).fill("建议补充“十三五”任务的完成情况。")
    page.get_by_text(re.compile("^直接改这一段：")).first.tap()
    wording = page.get_by_label("第1段拟改为")
    wording.fill(wording.input_value() + "这些变化还要用数字说清楚。")
    member.look("section")
    page.get_by_role("button", name="保存草稿").tap()
    expect(page.get_by_role("status")).to_contain_text("已保存为草稿")
    member.go("/panel/desk/")
    page.get_by_role("link", name=ROUND).first.tap()
    page.get_by_role("link", name="核对并签署").tap()
    expect(page.locator("main ins").first).to_contain_text("用数字说清楚")
    page.get_by_label(re.compile("无意见")).check()
    page.get_by_label(re.compile("姓名")).fill("李委员（演示）")
    member.look("sign")
    page.get_by_role("button", name="签署").tap()
    expect(page.get_by_role("status")).to_contain_text("已签署")
    expect(page.locator("main")).to_contain_text("SHA-256")
    member.look("signed")
    # A meeting waits for an answer, too.
    member.go("/panel/desk/")
    page.get_by_role("link", name="居住条件改善座谈会").first.tap()
    page.get_by_label("参加", exact=True).check()
    member.look("meeting")
    page.get_by_role("button", name="答复").tap()
    expect(page.get_by_role("status")).to_contain_text("已答复")
    # It stays signed for whoever comes after.
    member.go("/panel/desk/")
    page.get_by_role("link", name=ROUND).first.tap()
    page.get_by_role("button", name="撤回签署，修改后再签").tap()
    expect(page.get_by_role("status")).to_contain_text("已撤回签署")


def test_the_office_opens_chases_releases_and_takes_the_sheet_along(
    travel: Travel, post: tuple[Post, int], tmp_path: Path
) -> None:
    officer = travel(PHONE)
    page = officer.page
    officer.sign_in("drc")
    officer.go("/desk/rounds/new")
    # By its name: whatever another journey publishes, its rounds are not disturbed.
    texts = page.get_by_label("审阅的文稿").locator("option", has_text=REVIEWED)
    page.get_by_label("审阅的文稿").select_option(texts.first.get_attribute("value"))
    page.get_by_label("名称").fill("请审阅：手机上准备的一轮")
    page.get_by_label("截止日期").fill(f"{dt.date.today() + dt.timedelta(days=20):%Y-%m-%d}")
    page.get_by_label("政协委员").check()
    officer.look("form")
    with officer.leaving():
        page.get_by_role("button", name="保存").tap()
    officer.look("prepared")
    page.get_by_role("button", name="开始审阅").tap()
    expect(page.get_by_role("status")).to_contain_text("审阅已经开始")
    # The letter leads to the round, by way of the sign-in.
    letter = r"手机上准备的一轮[\s\S]*?打开：\S*?(/panel/reviews/\d+)"
    asked = post[0].wait_for("member@example.invalid", letter).group(1)
    officer.look("open")
    page.get_by_role("button", name="催办未签署的成员").tap()
    expect(page.get_by_role("status")).to_contain_text("已催办")
    _sign_as_the_member(travel, asked)
    page.reload()
    expect(page.locator("main")).to_contain_text("有意见")
    page.get_by_label("理由").last.fill("材料已经齐备")
    page.get_by_role("button", name="现在结束").tap()
    expect(page.get_by_role("status")).to_contain_text("审阅已经结束")
    page.get_by_role("button", name="公布结果").tap()
    expect(page.get_by_role("status").first).to_contain_text("结果已经公布")
    officer.look("released")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="下载签字表（.docx）").tap()
    file = tmp_path / "sheet.docx"
    waiting.value.save_as(file)
    assert file.read_bytes().startswith(b"PK")
    with officer.leaving():
        page.get_by_role("link", name="汇总表").tap()
    officer.look("sheet")
    officer.go("/desk/rounds/ledger")
    officer.look("ledger")


def _sign_as_the_member(travel: Travel, asked: str) -> None:
    """What the demonstration's member does with the letter meanwhile: opens its link, signs in, and
    says that the whole is fine, with one remark."""
    member = travel(PHONE)
    page: Page = member.page
    member.go(asked)
    page.get_by_label("邮箱").fill("member@example.invalid")
    page.get_by_label("密码").fill(DEMO_PASSWORD)
    page.locator("main form button").tap()
    expect(page).to_have_url(re.compile(f"{asked}$"))
    page.get_by_role("button", name="打开文稿，开始审阅").tap()
    expect(page).to_have_url(re.compile("/text$"))
    member.go(f"{asked}/questions")
    page.get_by_label("总的意见").fill("总体赞成，文字可以再精炼。")
    page.get_by_role("button", name="保存草稿").tap()
    expect(page.get_by_role("status")).to_contain_text("已保存为草稿")
    member.go(f"{asked}/sign")
    page.get_by_label(re.compile("无意见")).check()
    page.get_by_label(re.compile("姓名")).fill("李委员（演示）")
    page.get_by_role("button", name="签署").tap()
    expect(page.get_by_role("status")).to_contain_text("已签署")


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_a_resident_asks_for_a_seat(travel: Travel, script: bool) -> None:
    resident = travel(PHONE, java_script_enabled=script)
    page = resident.page
    resident.go("/meetings/")
    assert page.context.cookies() == []
    resident.look("meetings")
    with resident.leaving():
        page.get_by_role("link", name=re.compile("家门口的养老和托育")).first.tap()
    resident.look("meeting")
    page.get_by_role("link", name="报名参加").tap()
    page.get_by_label("姓名").fill("王阿姨")
    page.get_by_label("手机号或电子邮箱").fill(f"wang{int(script)}@example.invalid")
    page.get_by_role("button", name="提交报名").tap()
    expect(page.locator(".error-summary")).to_contain_text("同意")
    page.get_by_label(re.compile("^我同意")).check()
    resident.look("apply")
    page.get_by_role("button", name="提交报名").tap()
    expect(page.locator("main")).to_contain_text("已取得席位")
    resident.look("seat")
    page.get_by_label(re.compile("我不参加了")).check()
    page.get_by_role("button", name="退出报名").tap()
    expect(page.get_by_role("status")).to_contain_text("已经退出")
