"""Importing a list of members: tried, brought in as proposals, confirmed by a second person."""

import io

import pytest
import sqlalchemy as sa
import xlsxwriter
from flask.testing import FlaskClient

from consult.programmes import Programme
from core import audit, uploads
from core.audit import AuditEvent
from core.db import db
from core.web import local
from panel import appointments, member_imports, member_rows, members, quotas
from panel.appointments import Appointment, AppointmentState
from panel.member_imports import MemberImport
from panel.members import Gender, Member
from tests import people
from tests.conftest import NOON
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED

pytestmark = pytest.mark.usefixtures("programme")

PAGE = "/desk/panel/imports"
TODAY = local(NOON).date()
HEAD = ("姓名", "性别", "出生年月", "单位及职务", "手机", "类别", "专长", "街道", "推荐单位",
        "任期起", "任期止", "同意公开")  # fmt: skip
GOOD = ("王小明", "男", "1975年3月", "某厂工程师", "138 0013 8000", "企业代表", "", "彭浦镇",
        "区科委", "2020-09-01", "2025/8/31", "是")  # fmt: skip


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


def sheet(*rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    page = book.add_worksheet()
    for number, row in enumerate((head, *rows)):
        page.write_row(number, 0, row)
    book.close()
    return out.getvalue()


def upload(client: FlaskClient, data: bytes, name: str = "名单.xlsx") -> str:
    sent = {"file": (io.BytesIO(data), name)} | people.token(client, PAGE)
    answer = client.post(PAGE, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def chosen(client: FlaskClient, where: str, act: str) -> dict[str, str]:
    """The columns as the page proposes them."""
    found = member_imports.by_id(int(where.rpartition("/")[2]))
    assert found is not None
    told = member_rows.guessed(HEAD)
    names = {"term_from": "from_column", "term_to": "to_column"}
    data = {names.get(name, name): column for name, column in told.items()}
    dates = {"term_from": "2020-10-08", "term_to": "2025-10-07", "act": act}
    return data | dates | people.token(client, where)


def count(kind: type) -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(kind)) or 0


def test_the_usual_names_of_columns_are_known() -> None:
    assert set(member_rows.guessed(HEAD)) == set(member_rows.FIELDS)


def test_tried_first_then_brought_in_then_confirmed_by_another(
    programme: Programme, officer: FlaskClient, second: FlaskClient
) -> None:
    where = upload(officer, sheet(GOOD, ("李文", *[""] * 4, "社区居民代表", *[""] * 6)))
    assert "核对列名" in officer.get(where).get_data(as_text=True)
    tried = officer.post(where, data=chosen(officer, where, "try"))
    assert "可登记并提名2位，已在名册0位，不能导入0行" in tried.get_data(as_text=True)
    assert (count(Member), count(Appointment)) == (0, 0)
    started = db.session.scalars(sa.select(MemberImport)).one()
    kept = started.stored_as
    assert uploads.read(kept)
    assert officer.post(where, data=chosen(officer, where, "import")).status_code == 303
    db.session.expire_all()
    assert uploads.read(kept) is None
    first, plain = db.session.scalars(sa.select(Member).order_by(Member.id)).all()
    assert (first.gender, first.birth_year, first.is_name_public) == (Gender.MALE, 1975, True)
    assert members.contact(first) == "13800138000"
    term = first.appointments[0]
    assert (term.sub_district, term.term_from.isoformat()) == ("彭浦镇", "2020-09-01")
    assert term.recommended_by is not None
    assert plain.appointments[0].term_to.isoformat() == "2025-10-07"
    assert appointments.sitting(programme.id, TODAY) == []
    own = officer.post(f"{where}/confirm", data=people.token(officer, where))
    assert own.status_code == 409
    done = second.post(f"{where}/confirm", data=people.token(second, where))
    assert done.status_code == 303
    assert len(appointments.sitting(programme.id, TODAY)) == 2
    again = second.post(f"{where}/confirm", data=people.token(second, where))
    assert again.status_code == 409
    acts = list(db.session.scalars(sa.select(AuditEvent.action)))
    assert acts.count("member_import.done") == acts.count("member_import.confirmed") == 1
    assert acts.count("appointment.confirmed") == 2


def test_the_same_list_a_second_time_adds_nobody(
    programme: Programme, officer: FlaskClient
) -> None:
    data = sheet(GOOD, ("李文", "女", "", "某校", "", "社区居民代表", *[""] * 6))
    for already in (0, 2):
        where = upload(officer, data)
        officer.post(where, data=chosen(officer, where, "import"))
        found = db.session.scalars(
            sa.select(MemberImport).order_by(MemberImport.id.desc()).limit(1)
        ).one()
        assert (found.already, found.refused, found.imported) == (already, 0, 2 - already)
    assert (count(Member), count(Appointment)) == (2, 2)
    assert officer.post(where, data=chosen(officer, where, "import")).status_code == 409


@pytest.mark.parametrize(
    ("place", "typed", "words"),
    [
        (0, "", "姓名是空的"),
        (0, "王" * 61, "姓名超过60字"),
        (1, "公", "不认识的性别"),
        (2, "七五年", "看不懂出生年份"),
        (4, "12345", "联系方式不是完整的"),
        (5, "", "类别是空的"),
        (5, "其他代表", "没有“其他代表”这个类别"),
        (6, "炼丹、养生", "没有这些专长领域：炼丹、养生"),
        (8, "某某局", "不认识的推荐单位"),
        (9, "2020-02-30", "看不懂任期自"),
        (10, "2019-01-01", "任期的起始日晚于届满日"),
        (10, "2050-01-01", "任期过长"),
        (11, "随便", "请写“是”或“否”"),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_line_and_reason(
    programme: Programme, officer: FlaskClient, place: int, typed: str, words: str
) -> None:
    bad = tuple(typed if number == place else cell for number, cell in enumerate(GOOD))
    other = ("李文", *[""] * 4, "社区居民代表", *[""] * 6)
    where = upload(officer, sheet(other, bad))
    tried = officer.post(where, data=chosen(officer, where, "try")).get_data(as_text=True)
    assert words in tried
    assert '<td class="num">3</td>' in tried
    officer.post(where, data=chosen(officer, where, "import"))
    assert count(Member) == 1


def test_twice_in_one_list_and_a_second_category_are_refused(
    programme: Programme, officer: FlaskClient
) -> None:
    elsewhere = ("王小明", *GOOD[1:5], "社区居民代表", *GOOD[6:])
    stranger = ("张三", *GOOD[1:])
    where = upload(officer, sheet(GOOD, GOOD))
    officer.post(where, data=chosen(officer, where, "import"))
    found = db.session.scalars(sa.select(MemberImport)).one()
    assert found.errors == [{"row": 3, "why": "与第2行是同一人。"}]
    where = upload(officer, sheet(elsewhere))
    tried = officer.post(where, data=chosen(officer, where, "try")).get_data(as_text=True)
    assert "同一时间只能在一个类别" in tried
    where = upload(officer, sheet(stranger))
    tried = officer.post(where, data=chosen(officer, where, "try")).get_data(as_text=True)
    assert "另一位成员的" in tried


def test_all_or_none_are_appointed(
    programme: Programme, officer: FlaskClient, second: FlaskClient
) -> None:
    quotas.plan(programme.id, "企业代表", 1, by=audit.SYSTEM, now=NOON)
    db.session.commit()
    other = ("李文", "", "", "", "", "企业代表", *[""] * 6)
    where = upload(officer, sheet(GOOD, other))
    officer.post(where, data=chosen(officer, where, "import"))
    answer = second.post(f"{where}/confirm", data=people.token(second, where))
    assert answer.status_code == 409
    assert "李文：企业代表计划1席，已聘满" in answer.get_data(as_text=True)
    db.session.expire_all()
    states = set(db.session.scalars(sa.select(Appointment.state)))
    assert states == {AppointmentState.PROPOSED}


def test_a_long_list_asks_no_more_of_the_database_than_a_short_one(
    programme: Programme, officer: FlaskClient, second: FlaskClient
) -> None:
    def questions(first: int, count: int) -> tuple[int, int]:
        """How many SELECTs bringing in and confirming so many take."""
        every = range(first, first + count)
        rows = [(f"人{n}", *[""] * 3, f"n{n}@example.cn", "企业代表", *[""] * 6) for n in every]
        where = upload(officer, sheet(*rows))
        data, token = chosen(officer, where, "import"), people.token(second, where)
        asked = [0]

        def count_it(*told: object) -> None:
            asked[0] += str(told[2]).startswith("SELECT")

        sa.event.listen(db.engine, "before_cursor_execute", count_it)
        assert officer.post(where, data=data).status_code == 303
        brought = asked[0]
        assert second.post(f"{where}/confirm", data=token).status_code == 303
        sa.event.remove(db.engine, "before_cursor_execute", count_it)
        return brought, asked[0] - brought

    questions(0, 1)  # from here on the register is not empty
    short = questions(1, 2)
    assert questions(3, 20) == short
    assert len(appointments.sitting(programme.id, TODAY)) == 23


def test_what_is_no_table_or_too_long_is_refused(
    programme: Programme, officer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_imports, "MOST_ROWS", 3)
    sent = {"file": (io.BytesIO(b"%PDF"), "a.pdf")} | people.token(officer, PAGE)
    answer = officer.post(PAGE, data=sent, content_type="multipart/form-data")
    assert answer.status_code == 422
    many = [("人" + str(n), *[""] * 4, "企业代表", *[""] * 6) for n in range(4)]
    where = upload(officer, sheet(*many))
    assert officer.post(where, data=chosen(officer, where, "try")).status_code == 409


def test_a_list_nobody_brought_in_is_given_up(programme: Programme, officer: FlaskClient) -> None:
    where = upload(officer, sheet(GOOD))
    assert member_imports.expire(NOON + member_imports.KEPT) == []
    assert len(member_imports.expire(NOON + 2 * member_imports.KEPT)) == 1
    db.session.commit()
    assert "文件已清除" in officer.get(where).get_data(as_text=True)
