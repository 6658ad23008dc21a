"""The adoption table of a stage: the released tables as one, to the unit, frozen by its editions."""

import io
import json
import re
from collections.abc import Iterator

import docx
import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import adoption, response_progress, stage_reports
from consult.adoption import Part
from consult.consultations import Consultation, Phase
from consult.responses import Outcome
from consult.submissions import Channel
from core import audit
from core.db import db
from tests import people
from tests.adoptions_made import released
from tests.answers_made import all_final
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.opinions_made import a_shown_opinion

AT = "/programmes/plan-14/stages/drafting/adoption/"
# Written without any of our code: what the stage's released answers are.
COUNT = """
SELECT CASE s.channel WHEN 'unit' THEN 'units' WHEN 'panel' THEN 'panel'
            WHEN 'meeting' THEN 'experts' ELSE 'public' END AS part, r.outcome, COUNT(*)
FROM point p JOIN submission s ON s.id = p.submission_id JOIN response r ON r.point_id = p.id
JOIN consultation c ON c.id = p.consultation_id
WHERE c.stage_id = :stage AND p.state = 'live' AND r.state = 'published'
  AND s.state NOT IN ('withdrawn', 'undone')
  AND EXISTS (SELECT 1 FROM adoption_report a
              WHERE a.consultation_id = c.id AND a.released_at IS NOT NULL)
GROUP BY 1, 2
"""


@pytest.fixture
def rounds(app: Flask) -> Iterator[list[Consultation]]:
    """Two of one stage, the first answered in all its parts, and a third with nothing said."""
    with app.app_context():
        first = a_consultation("first", phase=Phase.CLOSED, title="思路框架")
        every = [first] + [
            a_consultation(slug, phase=Phase.CLOSED, title=title, programme=first.programme)
            for slug, title in (("second", "规划纲要"), ("third", "专项规划"))
        ]
        for each in every[1:]:
            each.stage = first.stage
        yield every


def answer(consultation: Consultation, outcome: Outcome, *channels: Channel) -> None:
    """An opinion of each of these channels, all with this outcome."""
    for number, channel in enumerate(channels):
        a_shown_opinion(consultation, f"{consultation.title}的第{number}件，建议多种树。", channel)
    all_final(consultation, outcome)


def numbers(client: FlaskClient, query: str = "") -> dict[str, list[list[int]]]:
    """The table of totals as the page, Word, Excel and JSON have it."""
    page = client.get(f"{AT}{query}").text
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    shown = [
        [int(cell) for cell in re.findall(r'<td class="num"[^>]*>(\d+)</td>', row)]
        for row in body.split("</tr>")[:-1]
    ]
    paper = docx.Document(io.BytesIO(client.get(f"{AT}docx{query}").data))
    word = [[int(cell.text) for cell in row.cells[1:]] for row in paper.tables[0].rows[1:]]
    data = client.get(f"{AT}xlsx{query}").data
    sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    excel = [[int(float(str(cell))) for cell in row[1:8]] for row in sheet.to_python()[1:6]]
    told = json.loads(client.get(f"{AT}json{query}").data)
    plain = [list(told["totals"][part.value].values()) for part in Part]
    plain = [[*row, sum(row)] for row in plain]
    plain.append([sum(column) for column in zip(*plain, strict=True)])
    rows = [[sum(r["count"] for r in told["rows"] if r["part"] == part.value)] for part in Part]
    assert [[row[-1]] for row in plain[:4]] == rows
    return {"page": shown, "word": word, "excel": excel, "json": plain}


def counted(stage_id: int) -> list[list[int]]:
    """The same table as SQL counts it."""
    found = {
        (row[0], row[1]): row[2] for row in db.session.execute(sa.text(COUNT), {"stage": stage_id})
    }
    table = [[found.get((part.value, each.value), 0) for each in Outcome] for part in Part]
    table = [[*row, sum(row)] for row in table]
    return [*table, [sum(column) for column in zip(*table, strict=True)]]


def test_page_word_excel_and_json_have_the_numbers_that_sql_counts(
    rounds: list[Consultation], client: FlaskClient
) -> None:
    first, second, third = rounds
    answer(first, Outcome.ALREADY, *[Channel.WEB] * 2, Channel.UNIT, Channel.PANEL, Channel.LETTER)
    answer(second, Outcome.KEPT_FOR_STUDY, Channel.WEB, Channel.MEETING, Channel.HOTLINE)
    for each in (first, second):
        released(each)
    wanted = counted(first.stage_id)
    assert wanted[-1] == [0, 0, 5, 0, 3, 0, 8]
    assert numbers(client) == dict.fromkeys(("page", "word", "excel", "json"), wanted)
    page = client.get(AT).text
    # The third is named, and not counted.
    assert "没有计入" in page
    assert third.title in page
    assert "共8行" in page
    told = json.loads(client.get(f"{AT}json").data)
    assert told["missing"] == ["专项规划"]
    assert [row["number"] for row in told["rows"]] == list(range(1, 9))
    assert {row["draft"] for row in told["rows"]} == {"思路框架", "规划纲要"}


def test_the_editions_in_the_address_freeze_the_table(
    rounds: list[Consultation], client: FlaskClient
) -> None:
    first, second, _third = rounds
    answer(first, Outcome.ALREADY, Channel.WEB)
    released(first)
    before = numbers(client)
    report = stage_reports.of(first.stage)
    assert report is not None
    at = f"?of={report.key}"
    answer(second, Outcome.ALREADY, Channel.WEB, Channel.UNIT)
    released(second)
    assert numbers(client, at) == before
    assert numbers(client)["json"][-1][-1] == 3
    # A corrected edition takes the place of the first, but not in the address that names it.
    further = adoption.propose(first, note="更正了一处表述。", by=audit.SYSTEM, now=NOON)
    adoption.release(further, first, site="", by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()
    newest = stage_reports.of(first.stage)
    assert newest is not None
    assert str(further.id) in newest.key.split(".")
    assert numbers(client, at) == before
    for wrong in (f"{report.key}.{further.id}", "9999", "x", f"{report.key}.{report.key}.9999"):
        assert client.get(f"{AT}?of={wrong}").status_code == 404
        assert client.get(f"{AT}docx?of={wrong}").status_code == 404


def test_with_nothing_said_every_part_says_so_and_with_nothing_released_there_is_no_file(
    rounds: list[Consultation], client: FlaskClient
) -> None:
    first = rounds[0]
    db.session.commit()
    page = client.get(AT)
    assert page.status_code == 200
    assert "还没有发布采纳情况表" in page.text
    assert client.get(f"{AT}docx").status_code == 404
    released(first)
    page = client.get(AT)
    assert all(f"{part.title}：未收到意见。" in page.text for part in Part)
    paper = docx.Document(io.BytesIO(client.get(f"{AT}docx").data))
    assert [p.text for p in paper.paragraphs].count("未收到意见。") == 4
    assert counted(first.stage_id)[-1] == [0] * 7


def test_the_desk_says_how_far_each_consultation_is(
    rounds: list[Consultation], client: FlaskClient
) -> None:
    first, second, _third = rounds
    answer(first, Outcome.ALREADY, Channel.WEB)
    a_shown_opinion(second, "建议增加社区食堂，一件没有答复的意见。")
    released(first)
    people.make("drc_staff", email="a@example.invalid")
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    page = client.get(f"/desk{AT[:-1]}").text
    assert page.count("尚未发布，未计入") == 2
    row = page.split("规划纲要</a>")[1].split("</tr>")[0]
    assert re.findall(r">(\d+)</td>", row) == ["1"]
    assert response_progress.open_count(second.id) == 1
