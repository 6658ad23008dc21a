"""How one comes into the panel, on the phone: a resident applies and looks it up, an officer
shortlists and proposes, another appoints and invites, and the new member comes in."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Post, Travel

pytestmark = pytest.mark.browser
PASSWORD = "老街坊-walks-四平路-2020"
WORDS = "住在这里三十年，做过楼组长，熟悉停车和加装电梯的情况。"


def test_from_the_application_to_the_desk_of_a_member(
    travel: Travel, post: tuple[Post, int], address: str
) -> None:
    # Without script: what an old browser can.
    resident = travel(PHONE, java_script_enabled=False)
    page = resident.page
    resident.go("/panel/")
    with resident.leaving():
        page.get_by_role("link", name="怎样加入咨询团").click()
    resident.look("calls", both=False)
    page.get_by_role("link", name=re.compile("申请加入")).first.click()
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator(".error-summary")).to_contain_text("请填写姓名")
    page.get_by_label("姓名", exact=False).first.fill("高老街")
    page.get_by_label("手机号或电子邮箱").fill("gao@example.invalid")
    page.get_by_label("在本区居住", exact=True).check()
    page.get_by_label("自荐说明").fill(WORDS)
    page.get_by_label("我声明已满18周岁").check()
    page.get_by_label(re.compile("我已阅读并同意")).check()
    resident.look("form", both=False)
    page.get_by_role("button", name="提交申请").click()
    expect(page.locator("h1")).to_have_text("申请已经收到")
    number = page.locator(".slip-number").inner_text()
    assert number.startswith("SQ")
    resident.look("receipt", both=False)

    phone = travel(PHONE)
    phone.go("/panel/apply/receipts")
    phone.page.get_by_label("申请编号").fill(number.lower().replace("-", " "))
    phone.page.get_by_role("button", name="查询").click()
    expect(phone.page.locator("main")).to_contain_text("待审核")
    phone.look("looked-up")

    officer = travel(PHONE)
    officer.sign_in("drc")
    officer.go("/desk/panel/applications")
    officer.look("queue")
    officer.page.get_by_role("link", name=number).click()
    expect(officer.page.locator("main")).to_contain_text("高老街")
    officer.look("application")
    officer.page.get_by_label("入围理由").fill("熟悉社区，补上楼组长的视角。")
    officer.page.get_by_role("button", name="入围", exact=True).click()
    officer.page.get_by_role("button", name="提名", exact=True).click()
    expect(officer.page.locator("main")).to_contain_text("须由另一位工作人员确认聘任")
    where = officer.page.url.removeprefix(address)
    officer.look("proposed")

    second = travel(PHONE)
    second.sign_in("admin")
    second.go(where)
    second.page.get_by_role("button", name="确认聘任").click()
    expect(second.page.locator("main")).to_contain_text("在任")
    with second.leaving():
        second.page.get_by_role("button", name="发送邀请").click()
    second.look("appointed")

    phone.page.reload()
    expect(phone.page.locator("main")).to_contain_text("您已受聘")
    link = post[0].wait_for("gao@example.invalid", r"/account/password-link/\S+")
    phone.go(link.group())
    phone.look("invitation")
    for field in phone.page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    phone.page.locator("main form button").click()
    phone.page.get_by_label("邮箱").fill("gao@example.invalid")
    phone.page.get_by_label("密码").fill(PASSWORD)
    phone.page.locator("main form button").click()
    phone.go("/panel/desk/")
    expect(phone.page.locator("h1")).to_be_visible()
    phone.look("desk")
    # The link has done its work.
    stranger = travel(PHONE)
    stranger.go(link.group())
    expect(stranger.page.locator("input[type=password]")).to_have_count(0)
