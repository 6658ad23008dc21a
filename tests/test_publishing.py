"""The publishing desk, page by page, as an officer of the DRC uses it."""

import datetime as dt
import hashlib
import io
import re
from typing import Any

import docx
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult import consultation_acts, consultations, drafts
from consult.consultations import Consultation, ConsultationState, Phase
from consult.drafts import Version, VersionState
from core.accounts import RoleName
from core.audit import AuditEvent
from core.db import db
from core.units import Unit, UnitKind
from tests import people
from tests.conftest import Clock
from tests.consultations_made import (
    a_consultation,
    a_prepared_draft,
    a_programme,
    a_published_draft,
)

pytestmark = pytest.mark.usefixtures("context")

DESK = "/desk/consultations/"
NOTICE = {
    "title": "规划纲要征求意见",
    "unit": "",
    "explanation": "起草说明。",
    "ways": "来信。",
    "contact": "电话。",
}


@pytest.fixture
def officer(client: FlaskClient) -> FlaskClient:
    """A browser in which an officer of the DRC is signed in."""
    people.sign_in(client, people.make("drc_staff"))
    return client


def fresh(slug: str = "gangyao") -> Consultation:
    """The consultation as it is in the database now."""
    db.session.rollback()
    db.session.expire_all()
    found = consultations.by_slug(slug)
    assert found is not None
    return found


def event_count() -> int:
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) or 0


def seen_on(page: str, mark: int) -> str:
    """The seal a structure page carries for the paragraph with this mark."""
    found = re.search(rf'/structure/{mark}"[^§]*?name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1]


# --- who may -------------------------------------------------------------------------------------


def addresses() -> list[str]:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    desk, draft = f"{DESK}gangyao/", f"/desk/drafts/{version.id}/"
    return [
        DESK,
        f"{DESK}new",
        desk,
        *(desk + page for page in ("notice", "window", "announce", "extend", "draft")),
        *(draft + page for page in ("structure", "structure/2", "preview", "publish", "delete")),
    ]


def test_the_officer_opens_every_page_and_reading_changes_nothing(officer: FlaskClient) -> None:
    for address in addresses():
        before = event_count()
        response = officer.get(address)
        assert response.status_code == 200, address
        assert response.headers["Cache-Control"] == "no-store"
        assert event_count() == before


@pytest.mark.parametrize(
    "role", [r.value for r in RoleName if r.value not in ("drc_staff", "administrator")]
)
def test_other_roles_are_refused_everywhere(client: FlaskClient, role: str) -> None:
    people.sign_in(client, people.make(role))
    for address in addresses():
        assert client.get(address).status_code == 403, address
        assert client.post(address).status_code in (403, 405), address
    assert fresh().state is ConsultationState.PREPARING


def test_visitors_are_sent_to_sign_in(client: FlaskClient) -> None:
    for address in addresses():
        response = client.get(address)
        assert response.status_code in (302, 303), address
        assert response.location.startswith("/sign-in?next=")
        assert client.post(address).status_code in (302, 303, 405), address


@pytest.mark.parametrize(
    "address",
    [
        f"{DESK}none/",
        f"{DESK}none/notice",
        "/desk/drafts/9999/structure",
        "/desk/drafts/99999999999999999999/structure",
        "/desk/drafts/9999/publish",
    ],
)
def test_what_does_not_exist_is_not_found(officer: FlaskClient, address: str) -> None:
    assert officer.get(address).status_code == 404
    assert officer.post(address).status_code in (404, 405)


# --- create --------------------------------------------------------------------------------------


def create(officer: FlaskClient, **changed: str) -> TestResponse:
    stage = next(each for each in a_programme().stages if each.key == "drafting")
    data = {"title": "征求意见", "slug": "gangyao", "stage": str(stage.id), "unit": ""}
    return officer.post(f"{DESK}new", data=data | changed)


def test_a_consultation_is_created_and_says_what_it_lacks(officer: FlaskClient) -> None:
    db.session.add(Unit(slug="fgw", name="区发展改革委", kind=UnitKind.DEPARTMENT))
    db.session.commit()
    response = create(officer, unit="fgw")
    assert response.location == f"{DESK}gangyao/"
    page = officer.get(response.location).text
    for sentence in ("还没有发布文稿。", "还没有起草说明。", "还没有定下起止日期。"):
        assert sentence in page
    made = fresh()
    assert made.unit is not None
    assert (made.unit.name, made.stage.key, made.title) == ("区发展改革委", "drafting", "征求意见")


@pytest.mark.parametrize(
    "changed",
    [
        {"title": ""},
        {"title": "\u200b"},
        {"title": "长" * 201},
        {"slug": ""},
        {"stage": "x"},
        {"stage": "9999"},
        {"unit": "nobody"},
    ],
)
def test_an_invalid_creation_keeps_what_was_typed(
    officer: FlaskClient, changed: dict[str, str]
) -> None:
    response = create(officer, **({"title": "我写的标题"} | changed))
    assert response.status_code == 422
    assert "error-summary" in response.text
    assert "我写的标题" in response.text or "title" in changed
    assert consultations.every(public_only=False) == []


@pytest.mark.parametrize("slug", ["Gang Yao", "纲要", "../etc", "a--b"])
def test_a_bad_slug_is_refused_in_place(officer: FlaskClient, slug: str) -> None:
    response = create(officer, slug=slug)
    assert response.status_code == 409
    assert "网址短名只能用" in response.text


def test_a_taken_slug_is_refused_in_place_and_leads_to_its_owner(officer: FlaskClient) -> None:
    a_consultation("gangyao", phase=Phase.PREPARING, title="先到的")
    response = create(officer, title="后到的")
    assert response.status_code == 409
    assert "已经用过" in response.text
    assert "先到的" in response.text
    assert "后到的" in response.text


# --- the notice and the window -------------------------------------------------------------------


def notice(officer: FlaskClient, **changed: str) -> TestResponse:
    data = NOTICE | {"seen": consultation_acts.notice_seal(fresh())} | changed
    return officer.post(f"{DESK}gangyao/notice", data=data)


def test_the_notice_is_written_once_and_audited_once(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    before = event_count()
    assert notice(officer).status_code == 302
    assert fresh().ways == "来信。"
    assert event_count() == before + 1
    assert notice(officer).status_code == 302
    assert event_count() == before + 1


def test_a_notice_somebody_else_changed_is_not_written_over(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    seen = consultation_acts.notice_seal(fresh())
    notice(officer, ways="甲写的参与方式")
    response = notice(officer, seen=seen, ways="乙写的参与方式")
    page = response.text
    assert response.status_code == 409
    assert "甲写的参与方式" in page
    assert "乙写的参与方式" in page
    assert fresh().ways == "甲写的参与方式"
    # The page that showed both carries the new seal: sent again, the second officer's words hold.
    (again,) = re.findall(r'name="seen" type="hidden" value="([^"]+)"', page)
    assert notice(officer, seen=again, ways="乙写的参与方式").status_code == 302
    assert fresh().ways == "乙写的参与方式"


def test_a_public_notice_is_not_emptied(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.OPEN)
    response = notice(officer, contact="", explanation="新的说明")
    assert response.status_code == 409
    assert "不能留空" in response.text
    assert "新的说明" in response.text
    assert notice(officer).status_code == 302
    assert "修订公告" in officer.get(f"{DESK}gangyao/").text


def window(officer: FlaskClient, first: str, last: str, reason: str = "") -> TestResponse:
    data = {"first": first, "last": last, "short_reason": reason}
    return officer.post(f"{DESK}gangyao/window", data=data)


def test_a_window_of_thirty_days_is_set(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    assert window(officer, "2020-11-01", "2020-11-30").status_code == 302
    assert fresh().closes_at == dt.datetime(2020, 11, 30, 16, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        ("2020-11-01", "2020-11-29", "共29天，不足30天"),
        ("2020-11-30", "2020-11-01", "截止日期不能早于开始日期"),
        ("2020-02-30", "2020-11-01", "请填写真实的日期"),
        ("２０２０-11-01", "2020-12-01", "请填写真实的日期"),
        ("", "2020-12-01", "请选择日期"),
        ("0001-01-01", "9999-12-31", "年份有误"),
    ],
)
def test_an_invalid_window_is_said_at_its_field(
    officer: FlaskClient, first: str, last: str, sentence: str
) -> None:
    before = a_consultation(phase=Phase.PREPARING).closes_at
    response = window(officer, first, last)
    assert response.status_code == 422
    assert sentence in response.text
    assert f'value="{last}"' in response.text
    assert fresh().closes_at == before


def test_a_short_window_with_a_reason_is_shown_with_it(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    assert window(officer, "2020-11-01", "2020-11-10", "应急管理需要").status_code == 302
    assert "应急管理需要" in officer.get(f"{DESK}gangyao/").text


def test_a_public_window_is_not_set_again(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.OPEN)
    response = window(officer, "2020-11-01", "2020-12-31")
    assert response.status_code == 409
    assert "只能延长" in response.text


# --- announcing and extending --------------------------------------------------------------------


def test_announcing_needs_all_and_is_done_once(officer: FlaskClient, client: FlaskClient) -> None:
    made = a_consultation(phase=Phase.PREPARING)
    address = f"{DESK}gangyao/announce"
    assert "现在还不能公布" in officer.get(address).text
    refused = officer.post(address)
    assert refused.status_code == 409
    assert "还没有发布文稿。" in refused.text
    a_published_draft(made)
    page = officer.get(address).text
    assert "3个标题、5段正文" in page
    assert officer.post(address).status_code == 302
    assert fresh().phase(made.created_at) is Phase.UPCOMING
    assert officer.post(address).status_code == 409


def test_extending_takes_a_later_day_and_a_reason(officer: FlaskClient) -> None:
    made = a_consultation(phase=Phase.OPEN)
    address = f"{DESK}gangyao/extend"
    last = made.last_day
    assert last is not None
    blank = officer.post(address, data={"last": "2020-12-20", "reason": ""})
    assert blank.status_code == 422
    assert 'value="2020-12-20"' in blank.text
    earlier = officer.post(address, data={"last": last.isoformat(), "reason": "我的理由"})
    assert earlier.status_code == 409
    assert "我的理由" in earlier.text
    assert fresh().last_day == last
    done = officer.post(address, data={"last": "2020-12-20", "reason": "应居民要求"})
    assert done.status_code == 302
    assert fresh().last_day == dt.date(2020, 12, 20)
    page = officer.get(f"{DESK}gangyao/").text
    assert "截止日期延长至2020年12月20日24:00" in page
    assert "应居民要求" in page


def test_a_closed_consultation_is_not_extended(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.CLOSED)
    data = {"last": "2020-12-20", "reason": "晚了"}
    assert officer.post(f"{DESK}gangyao/extend", data=data).status_code == 409


def test_the_list_shows_each_phase(officer: FlaskClient) -> None:
    assert "还没有意见征集" in officer.get(DESK).text
    for phase in Phase:
        a_consultation(phase.value, phase=phase, title=f"标题{phase.value}")
    page = officer.get(DESK).text
    for phase in Phase:
        assert f"标题{phase.value}" in page
        assert phase.title in page


# --- importing -----------------------------------------------------------------------------------


def a_word_file() -> bytes:
    """A .docx with one heading and two paragraphs."""
    document = docx.Document()
    document.add_heading("第一章 总则", 1)
    document.add_paragraph("坚持人民城市人民建。")
    document.add_paragraph("建设15分钟生活圈。")
    stored = io.BytesIO()
    document.save(stored)
    return stored.getvalue()


def send(officer: FlaskClient, data: bytes, name: str, **more: str) -> TestResponse:
    form: dict[str, Any] = {"file": (io.BytesIO(data), name), **more}
    return officer.post(f"{DESK}gangyao/draft", data=form, content_type="multipart/form-data")


def the_version() -> Version:
    (version,) = drafts.versions(fresh())
    return version


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (a_word_file(), "纲要.docx"),
        ("# 第一章 总则\n\n坚持人民城市人民建。\n\n建设15分钟生活圈。\n".encode(), "纲要.md"),
        ("第一章 总则\n坚持人民城市人民建。\n建设15分钟生活圈。\n".encode("gb18030"), "纲要.txt"),
    ],
)
def test_a_file_becomes_a_version_to_be_checked(
    officer: FlaskClient, data: bytes, name: str
) -> None:
    a_consultation(phase=Phase.PREPARING)
    response = send(officer, data, name, title="我的文稿")
    version = the_version()
    assert response.location == f"/desk/drafts/{version.id}/structure"
    assert drafts.count(version) == (1, 2)
    assert (version.source_name, version.draft.title) == (name, "我的文稿")
    assert version.source_sha256 == hashlib.sha256(data).hexdigest()
    page = officer.get(response.location).text
    assert "1个标题、2段正文" in page
    assert "建设15分钟生活圈。" in page
    desk = officer.get(f"{DESK}gangyao/").text
    assert "待检查" in desk
    assert "才能再导入新的一稿" in desk


def test_tables_are_drawn_as_tables(officer: FlaskClient) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    for page in ("structure", "preview"):
        shown = officer.get(f"/desk/drafts/{version.id}/{page}").text
        assert '<th scope="col">2025年目标</th>' in shown


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "empty.txt"),
        (b"%PDF-1.7", "a.pdf"),
        (b"PK\x03\x04broken", "a.docx"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "old.doc"),
        (b"hello", "no-extension"),
        (b"hello", "../../etc/passwd"),
    ],
)
def test_an_unreadable_file_is_refused_in_a_sentence_and_nothing_is_stored(
    officer: FlaskClient, data: bytes, name: str
) -> None:
    a_consultation(phase=Phase.PREPARING)
    before = event_count()
    response = send(officer, data, name, title="我的文稿")
    assert response.status_code == 422
    assert "field-error" in response.text
    assert "我的文稿" in response.text
    assert drafts.of(fresh()) is None
    assert event_count() == before


def test_no_file_at_all_is_said_at_the_field(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    response = officer.post(f"{DESK}gangyao/draft", data={"title": "x"})
    assert response.status_code == 422
    assert "请选择一个文件" in response.text


def test_a_second_import_waits_for_the_first_to_be_published(officer: FlaskClient) -> None:
    prepared = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    response = send(officer, a_word_file(), "纲要.docx")
    assert response.status_code == 409
    assert "上一稿还没有发布" in response.text
    assert the_version().id == prepared.id


def test_a_hostile_file_name_is_only_text(officer: FlaskClient) -> None:
    a_consultation(phase=Phase.PREPARING)
    send(officer, "正文。".encode(), 'C:\\x\\"><img src=x onerror=alert(1)>\u202e.txt')
    page = officer.get(f"{DESK}gangyao/").text
    assert "<img src=x" not in page
    assert "\u202e" not in page


# --- the structure page --------------------------------------------------------------------------


def act(officer: FlaskClient, version: Version, mark: int, what: str, **more: str) -> TestResponse:
    """Press a button as the page just opened shows it."""
    page = officer.get(f"/desk/drafts/{version.id}/structure?chapter={mark}").text
    data = {"act": what, "seen": seen_on(page, mark)} | more
    return officer.post(f"/desk/drafts/{version.id}/structure/{mark}", data=data)


def lines(version: Version) -> list[tuple[int, int, str]]:
    db.session.rollback()
    db.session.expire_all()
    return [(p.mark, p.level, p.text) for p in drafts.paragraphs_of(version)]


def test_every_button_does_what_it_says_and_leaves_one_event(officer: FlaskClient) -> None:
    version = a_prepared_draft(
        a_consultation(phase=Phase.PREPARING), "# 第一章\n甲。乙。\n丙。\n## 第一节\n丁。"
    )
    steps: list[tuple[int, str, dict[str, str]]] = [
        (4, "up", {}),
        (4, "down", {"below": "1"}),
        (4, "body", {}),
        (4, "heading", {"level": "3"}),
        (2, "split", {"at": "2"}),
        (3, "previous", {}),
        (2, "next", {}),
        (2, "text", {"text": "甲。改。"}),
        (5, "delete", {}),
    ]
    for mark, what, more in steps:
        before = event_count()
        response = act(officer, version, mark, what, **more)
        assert response.status_code == 302, what
        assert event_count() == before + 1, what
        assert officer.get(response.location).status_code == 200
    assert lines(version) == [(1, 1, "第一章"), (2, 0, "甲。改。"), (4, 3, "第一节")]


def test_a_refused_act_keeps_the_typed_text(officer: FlaskClient) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    long = "标题" * 101
    response = act(officer, version, 1, "text", text=long)
    assert response.status_code == 409
    assert "标题不能超过200字" in response.text
    assert long in response.text


def test_an_act_on_a_stale_page_shows_both_texts(officer: FlaskClient) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    address = f"/desk/drafts/{version.id}/structure"
    stale = seen_on(officer.get(address).text, 2)
    act(officer, version, 2, "text", text="甲改的。")
    response = officer.post(f"{address}/2", data={"act": "text", "seen": stale, "text": "乙改的。"})
    assert response.status_code == 409
    assert "甲改的。" in response.text
    assert "乙改的。" in response.text
    assert lines(version)[1][2] == "甲改的。"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"act": "explode"},
        {"act": "up", "seen": "short"},
        {"act": "heading", "level": "99"},
        {"act": "heading", "level": "x"},
        {"act": "split", "at": "-3"},
        {"act": "split", "at": "9" * 30},
        {"act": "text", "text": "\x00"},
    ],
)
def test_odd_input_changes_nothing(officer: FlaskClient, data: dict[str, str]) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    before = lines(version)
    page = officer.get(f"/desk/drafts/{version.id}/structure").text
    data = {"seen": seen_on(page, 2)} | data
    response = officer.post(f"/desk/drafts/{version.id}/structure/2", data=data)
    assert response.status_code in (409, 422)
    assert lines(version) == before


def test_a_published_version_shows_no_buttons_and_refuses_acts(officer: FlaskClient) -> None:
    version = a_published_draft(a_consultation())
    address = f"/desk/drafts/{version.id}"
    assert 'name="seen"' not in officer.get(f"{address}/structure").text
    assert 'name="seen"' not in officer.get(f"{address}/structure/2").text
    data = {"act": "delete", "seen": "0" * 24}
    assert officer.post(f"{address}/structure/2", data=data).status_code == 409
    assert officer.post(f"{address}/publish").status_code == 409
    assert officer.post(f"{address}/delete").status_code == 409
    assert len(lines(version)) == 8


def test_doubts_and_warnings_are_shown(officer: FlaskClient) -> None:
    version = a_prepared_draft(
        a_consultation(phase=Phase.PREPARING), "# 第一章 甲\n正文。\n# 第三章 丙\n正文。"
    )
    version.warnings = ["已略去目录（5行）。"]
    db.session.commit()
    page = officer.get(f"/desk/drafts/{version.id}/structure").text
    assert "有1个标题看起来不对" in page
    assert "上一个是“第一章”" in page
    assert "已略去目录（5行）。" in page


def test_six_hundred_paragraphs_are_paged_by_chapter(officer: FlaskClient) -> None:
    text = "".join(f"# 第{n}章 甲\n" + "一段文字。\n" * 59 for n in "一二三四五六七八九十")
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING), text)
    address = f"/desk/drafts/{version.id}/structure"
    page = officer.get(f"{address}?chapter=300").text
    assert page.count('name="seen"') == 60
    assert 'id="p300"' in page
    assert "第5页，共10页" in page
    assert "第十章 甲" in page
    assert officer.get(f"{address}?chapter=abc").status_code == 400
    assert officer.get(f"{address}?chapter=99999").status_code == 200


# --- preview, publish, delete --------------------------------------------------------------------


def test_the_preview_shows_the_text_without_comment_links(officer: FlaskClient) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    page = officer.get(f"/desk/drafts/{version.id}/preview").text
    assert "新增养老床位500张" in page
    assert "/comment" not in page


def test_publishing_freezes_and_leads_to_the_public_page(
    officer: FlaskClient, clock: Clock
) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    response = officer.post(f"/desk/drafts/{version.id}/publish")
    assert response.location == f"{DESK}gangyao/"
    published = the_version()
    assert (published.state, published.published_at) == (VersionState.PUBLISHED, clock.at)
    assert "/consultations/gangyao/draft" in officer.get(response.location).text


def test_a_new_version_of_a_public_draft_is_in_the_public_log(officer: FlaskClient) -> None:
    made = a_consultation(phase=Phase.OPEN)
    a_published_draft(made)
    version = a_prepared_draft(made, "# 第一章\n第二稿正文。")
    assert officer.post(f"/desk/drafts/{version.id}/publish").status_code == 302
    assert consultations.changes(fresh())[-1].what == "公布文稿第2稿"


def test_an_empty_version_is_not_published_and_can_be_deleted(officer: FlaskClient) -> None:
    version = a_prepared_draft(a_consultation(phase=Phase.PREPARING), "# 只有标题")
    address = f"/desk/drafts/{version.id}"
    assert officer.post(f"{address}/publish").status_code == 409
    before = event_count()
    assert officer.post(f"{address}/delete").status_code == 302
    assert event_count() == before + 1
    assert list(drafts.versions(fresh())) == []
    assert officer.get(f"{address}/structure").status_code == 404
