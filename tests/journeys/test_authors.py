"""An author's rights, as a resident uses them on a phone."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PHONE, Post, Travel
from tests.live import OPEN

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("script", [True, False], ids=["with-script", "without-script"])
def test_a_resident_claims_an_opinion_and_closes_the_account(
    travel: Travel, post: tuple[Post, int], script: bool
) -> None:
    someone = travel(PHONE, java_script_enabled=script)
    page = someone.page

    def look(step: str) -> None:
        if script:
            someone.look(step)

    body = f"希望北部社区多设一处图书馆，{'有' if script else '无'}脚本也能提。"
    someone.go(f"/consultations/{OPEN}/comment")
    page.get_by_label("您的意见").fill(body)
    page.locator("#consent").check()
    page.get_by_role("button", name="提交意见").click()
    receipt = page.locator(".slip-number").inner_text()

    someone.go("/sign-in")
    page.get_by_role("link", name=re.compile("居民登录")).click()
    to = f"author-{script}@example.invalid".lower()
    page.get_by_label("邮箱或手机号").fill(to)
    look("join")
    page.locator("#consent").check()
    page.get_by_role("button", name="发送验证码").click()
    look("code")
    page.get_by_label("验证码").fill("000000 不对")
    page.get_by_role("button", name="继续").click()
    expect(page.locator(".error-summary")).to_contain_text("验证码不正确")
    page.get_by_label("验证码").fill(post[0].wait_for(to, "[0-9]{6}")[0])
    page.get_by_role("button", name="继续").click()

    expect(page.locator("h1")).to_have_text("我的意见")
    look("empty")
    page.get_by_label("受理编号").fill(receipt.lower())
    page.get_by_role("button", name="归入我的账号").click()
    mine = page.locator(".entries li", has_text=receipt)
    expect(mine).to_contain_text("待审核")
    look("mine")
    page.get_by_role("link", name="注销账号").click()
    page.get_by_role("button", name="注销账号").click()
    expect(page.locator(".error-summary")).to_contain_text("请先勾选")
    look("erase")
    page.get_by_label("我要注销账号").check()
    page.get_by_role("button", name="注销账号").click()
    expect(page.locator("main")).to_contain_text("账号已经注销")
    someone.go(f"/receipts/{receipt}")
    expect(page.locator("main")).to_contain_text(body)
