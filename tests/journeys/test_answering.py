"""From a letter to its answer: the office takes it apart and gives it out, a unit answers on a phone,
a second person approves, two release the table, and whoever wrote it reads what was changed."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import DESK, PHONE, Travel, Traveller
from tests.live import LETTER, RECEIPTS, TO_ANSWER

pytestmark = pytest.mark.browser
POINTS = f"/desk/consultations/{TO_ANSWER}/points"
# The first point was taken apart: its number is not given again.
FIRST, SECOND = 2, 3
ADOPTED = "已采纳：第2稿写明由街道统一管理。"
SHOWN = "第2稿“公共建筑的出入口逐步改造”已经包括图书馆的出入口。"


def test_a_letter_is_taken_apart_answered_released_and_read(
    travel: Travel, tmp_path_factory: pytest.TempPathFactory
) -> None:
    officer, second, unit = travel(DESK), travel(DESK), travel(PHONE)
    _take_apart_and_give_out(officer)
    _answer_on_the_phone(unit)
    _approve(second)
    _tie_to_the_changed_words(officer)
    _release(officer, second)
    kept = tmp_path_factory.getbasetemp() / "live0" / RECEIPTS
    receipt = json.loads(kept.read_text(encoding="utf-8"))[LETTER]
    _read_the_answer(travel(PHONE), receipt)


def _take_apart_and_give_out(officer: Traveller) -> None:
    page = officer.page
    officer.sign_in("drc")
    officer.go(POINTS)
    page.get_by_role("link", name="打开 第1件第1点").click()
    page.get_by_role("link", name="拆分这件意见").click()
    # As proposed: the numbers in the letter say where a matter begins.
    expect(page.get_by_label(re.compile("^二是图书馆门口"))).to_be_checked()
    officer.look("split")
    page.get_by_role("button", name="按此拆分").click()
    expect(page.get_by_role("status")).to_contain_text("现在是2点")
    officer.go(POINTS)
    for number in (FIRST, SECOND):
        page.get_by_role("checkbox", name=f"第1件第{number}点").check()
    page.locator("#b-unit").select_option(label="区建设管理委")
    officer.look("workbench")
    page.get_by_role("button", name="分办").click()
    expect(page.get_by_role("status")).to_contain_text("已分办2点")


def _answer_on_the_phone(unit: Traveller) -> None:
    page = unit.page
    unit.sign_in("unit")
    _take_in_hand(unit)
    for number, outcome, reason in ((FIRST, "采纳", ADOPTED), (SECOND, "已体现", SHOWN)):
        unit.go("/desk/points?state=todo&person=me")
        # Every round has its first letter: this one lies in the round on ways without steps.
        mine = page.locator("article", has_text="无障碍环境建设方案")
        mine.get_by_role("link", name=f"第1件第{number}点").tap()
        page.get_by_label("采纳情况").select_option(label=outcome)
        page.get_by_label("理由").fill(reason)
        unit.look("answer")
        page.get_by_role("button", name="保存拟复").tap()
        page.get_by_role("button", name="送复核").tap()
        # The button that was pressed says 复核, too: the page that follows has it no more.
        expect(page.get_by_role("button", name="送复核")).to_have_count(0)


def _take_in_hand(unit: Traveller) -> None:
    """Somebody of the unit takes what was given to it."""
    page = unit.page
    unit.go("/desk/points?state=todo")
    given = page.locator("article", has_text="无障碍环境建设方案")
    for number in (FIRST, SECOND):
        given.get_by_role("checkbox", name=f"选择第1件第{number}点").check()
    page.locator("#b-person").select_option(label="王经办（演示）")
    unit.look("unit-list")
    page.get_by_role("button", name="指定经办人").tap()
    expect(page.get_by_role("status")).to_contain_text("2点由王经办（演示）经办")


def _approve(second: Traveller) -> None:
    page = second.page
    second.sign_in("admin")
    second.go(f"{POINTS}?state=in_review")
    for number in (FIRST, SECOND):
        page.get_by_role("checkbox", name=f"第1件第{number}点").check()
    page.get_by_role("button", name="复核通过").click()
    expect(page.get_by_role("status")).to_contain_text("复核通过2点")


def _tie_to_the_changed_words(officer: Traveller) -> None:
    page = officer.page
    officer.go(f"/desk/consultations/{TO_ANSWER}/changes/unmet")
    officer.look("unmet")
    officer.go(f"{POINTS}?state=final")
    page.get_by_role("link", name=f"打开 第1件第{FIRST}点").click()
    page.get_by_role("link", name="关联改动的段落").click()
    page.get_by_label(re.compile("这一段因这一点而改")).first.check()
    officer.look("link")
    page.get_by_role("button", name="关联勾选的段落").click()
    expect(page.locator("main")).to_contain_text("已关联第2稿的改动")


def _release(officer: Traveller, second: Traveller) -> None:
    page = officer.page
    officer.go(f"/desk/consultations/{TO_ANSWER}/adoption")
    page.locator("main textarea").fill("收到意见1件，分为2点，已经逐点研究，感谢参与。")
    officer.look("propose")
    page.get_by_role("button", name="提请发布").click()
    expect(page.locator("main")).to_contain_text("等待批准")
    second.go(f"/desk/consultations/{TO_ANSWER}/adoption")
    second.page.get_by_role("button", name="批准发布").click()
    expect(second.page.locator("main")).to_contain_text("已发布")
    second.look("released")


def _read_the_answer(resident: Traveller, receipt: str) -> None:
    page = resident.page
    resident.go("/receipts/")
    page.get_by_label("受理编号").fill(receipt)
    page.locator("main form button").tap()
    main = page.locator("main")
    expect(main).to_contain_text(ADOPTED)
    expect(main).to_contain_text(SHOWN)
    expect(page.locator(".compare ins").first).to_contain_text("街道统一")
    resident.look("receipt")
