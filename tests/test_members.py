"""The register of members at the desk, and what everybody may see of it."""

import datetime as dt
import io
import re

import pytest
import sqlalchemy as sa
from docx import Document
from flask import Flask
from flask.testing import FlaskClient

from consult import topics
from consult.programmes import Programme
from consult.readers import tables
from core import accounts, audit
from core.audit import AuditEvent
from core.db import db
from panel import applications, appointments, calls, example, members, quotas
from panel.appointments import Appointment, AppointmentState
from panel.members import Details, Member
from tests import people
from tests.conftest import NOON
from tests.databases import Filling
from tests.fillings import PROGRAMME_LOADED
from tests.members_made import KIND, OTHER_KIND, TODAY, proposed, seated, sitting

pytestmark = pytest.mark.usefixtures("programme")
REGISTER = "/desk/panel/members"


@pytest.fixture
def filling() -> Filling:
    return PROGRAMME_LOADED


def test_from_entering_to_appointing(
    programme: Programme, officer: FlaskClient, second: FlaskClient
) -> None:
    page = f"{REGISTER}/add"
    data = {
        "name": "王小明",
        "birth_year": "1970",
        "contact": "wang@example.cn",
        "category": KIND,
        "expertise": ["g1", "g2"],
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
    }
    answer = officer.post(page, data=data | people.token(officer, page))
    assert answer.status_code == 303
    shown = answer.location
    assert "须由另一位工作人员确认" in officer.get(shown).text
    appointment = db.session.scalars(sa.select(Appointment)).one()
    deed = f"{REGISTER}/appointments/{appointment.id}/decide"
    own = officer.post(deed, data={"act": "confirm"} | people.token(officer, shown))
    assert own.status_code == 409
    answer = second.post(deed, data={"act": "confirm"} | people.token(second, shown))
    assert answer.status_code == 303
    assert sitting(programme) == ["王小明"]
    letter = second.get(f"{REGISTER}/appointments/{appointment.id}/letter")
    words = "\n".join(p.text for p in Document(io.BytesIO(letter.data)).paragraphs)
    assert "王小明" in words
    assert KIND in words
    stored = db.session.execute(sa.text("SELECT sealed_contact FROM panel_member")).scalar_one()
    assert b"wang" not in bytes(stored)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("birth_year", "１９７０"),
        ("birth_year", "1"),
        ("contact", "王"),
        ("category", "别的"),
        ("term_to", "2020-02-30"),
        ("term_to", "2019-01-01"),
        ("name", ""),
    ],
)
def test_what_the_form_refuses(officer: FlaskClient, field: str, typed: str) -> None:
    page = f"{REGISTER}/add"
    data = {
        "name": "王小明",
        "category": KIND,
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
        field: typed,
    }
    assert officer.post(page, data=data | people.token(officer, page)).status_code == 422
    assert db.session.scalar(sa.select(sa.func.count(Member.id))) == 0


def test_nobody_is_entered_twice_and_so_sits_in_two_categories(
    programme: Programme, officer: FlaskClient
) -> None:
    first = seated(programme, contact="wang@example.cn")
    other = seated(programme, "李文", contact="li@example.cn")
    page = f"{REGISTER}/add"
    data = {
        "name": "王晓明",
        "contact": "Wang@Example.cn",
        "category": OTHER_KIND,
        "term_from": TODAY.isoformat(),
        "term_to": (TODAY + dt.timedelta(days=365)).isoformat(),
    }
    answer = officer.post(page, data=data | people.token(officer, page))
    assert answer.status_code == 422
    assert "名册里王小明用的就是这个联系方式" in answer.text
    assert members.called("王晓明") == 0
    # Nor by a correction; one's own may be written again.
    for member_id, code in ((other.member_id, 422), (first.member_id, 303)):
        page = f"{REGISTER}/{member_id}/change"
        data = {"name": "王小明", "contact": "wang@example.cn"}
        assert officer.post(page, data=data | people.token(officer, page)).status_code == code


def test_changes_are_recorded_without_the_words(programme: Programme, officer: FlaskClient) -> None:
    member = seated(programme, contact="wang@example.cn").member
    page = f"{REGISTER}/{member.id}/change"
    data = {"name": "王晓明", "unit_text": "某公司", "contact": ""}
    assert officer.post(page, data=data | people.token(officer, page)).status_code == 303
    db.session.expire_all()
    assert (member.name, members.contact(member)) == ("王晓明", "wang@example.cn")
    event = db.session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action == "member.changed")
    ).one()
    assert event.after == {"changed": ["姓名", "工作单位和职务"]}


def test_the_public_page_names_by_consent_only(programme: Programme, client: FlaskClient) -> None:
    assert "还没有聘任成员" in client.get("/panel/").text
    seated(programme, "王小明", unit_text="某某公司", contact="wang@example.cn")
    seated(programme, "李文", unit_text="另一公司", is_name_public=True)
    proposed(programme, "张芳芳", is_name_public=True)
    page = client.get("/panel/").text
    assert "王**" in page
    assert "李文" in page
    assert "另一公司" in page
    for hidden in ("王小明", "某某公司", "wang@", "张芳"):
        assert hidden not in page


def test_five_hundred_members_in_pages_of_fifty_and_few_queries(
    app: Flask, programme: Programme, officer: FlaskClient
) -> None:
    for number in range(500):
        members.add(
            Details(name="赵钱孙李周吴郑王冯陈"[number % 10] + f"{number:03d}"),
            by=audit.SYSTEM,
            now=NOON,
        )
    db.session.flush()
    term = {"category": KIND, "term_from": TODAY, "term_to": TODAY, "programme_id": programme.id}
    rows = [
        term | {"member_id": number, "state": "appointed", "proposed_at": NOON, "fields": ["g1"]}
        for number in db.session.scalars(sa.select(Member.id))
    ]
    for row in rows:
        row["state"] = AppointmentState.APPOINTED
    db.session.execute(sa.insert(Appointment), rows)
    db.session.commit()
    asked: list[str] = []
    engine = db.engine
    sa.event.listen(engine, "before_cursor_execute", lambda *got: asked.append(got[2]))
    for order in ("stroke", "pinyin"):
        address, seen = f"{REGISTER}?order={order}&field=g1", []
        while address:
            asked.clear()
            page = officer.get(address).text
            assert len(asked) < 20, asked
            seen += re.findall(r'members/(\d+)">', page)
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following.group(1).replace("&amp;", "&") if following else ""
        assert len(seen) == len(set(seen)) == 500


@pytest.mark.parametrize("public", [True, False])
def test_the_official_list_masks_for_the_public(
    programme: Programme, officer: FlaskClient, public: bool
) -> None:
    seated(programme, "王小明", unit_text="某某公司")
    seated(programme, "丁一", unit_text="=另一公司", is_name_public=True)
    address = f"{REGISTER}/list.{{}}" + ("?public=1" if public else "")
    sheet = tables.read(officer.get(address.format("xlsx")).data, filename="a.xlsx")
    listed = [row[1:4] for _number, row in sheet.rows]
    hidden = ("王**", KIND, "") if public else ("王小明", KIND, "某某公司")
    assert listed == [("丁一", KIND, "'=另一公司"), hidden]
    assert len(sheet.columns) == (5 if public else 9)
    paper = Document(io.BytesIO(officer.get(address.format("docx")).data))
    cells = [cell.text for cell in paper.tables[0].rows[2].cells]
    assert cells[1] == hidden[0]


def test_the_example_has_a_panel_and_its_member_sits(app: Flask, programme: Programme) -> None:
    assert not example.is_missing(), "a programme of the site's own gets no made-up members"
    programme.example = True
    accounts.add_demonstration(now=NOON)
    db.session.commit()
    assert example.is_missing()
    example.load(now=NOON)
    # A second time appoints nobody twice. (What the panel does needs drafts, which are not here.)
    example.load(now=NOON)
    db.session.commit()
    found = appointments.sitting(programme.id, TODAY)
    assert len(found) == 24
    assert {each.category for each in found} == set(quotas.categories(programme.id))
    keys = {topic.key for topic in topics.of(programme)}
    assert all(set(each.fields) <= keys for each in found)
    account = accounts.by_email("member@example.invalid")
    assert account is not None
    assert appointments.seat_of(account.id, TODAY) is not None
    # Somebody in every state asks to come in, and a unit has recommended one.
    told = {each.state for each in applications.page(programme.id)}
    assert told == set(applications.ApplicationState)
    assert sum(each.unit_id is not None for each in applications.page(programme.id)) == 1
    assert [each.takes(NOON) for each in calls.page(programme.id)] == [True, False]
