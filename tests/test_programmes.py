"""The timeline: its geometry against hand counts, and the public page at different days."""

import datetime as dt
import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import gantt, programme_files, programmes
from consult.programmes import Stage
from core import audit
from core.db import db
from core.web import SHANGHAI
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_programme
from tests.databases import EMPTY, Filling

FILE = Path(__file__).resolve().parent.parent / "consult" / "data" / "jingan-14.yaml"
PAGE = "/programmes/jingan-14/"


def at(year: int, month: int, day: int = 15) -> dt.datetime:
    return dt.datetime(year, month, day, 12, tzinfo=SHANGHAI)


def load(app: Flask) -> None:
    with app.app_context():
        programme_files.load(FILE, example=True, by=audit.COMMAND_LINE, now=NOON)
        db.session.commit()


@pytest.fixture
def filling(request: pytest.FixtureRequest) -> Filling:
    return ("example programme", load) if "example" in request.fixturenames else EMPTY


@pytest.fixture
def example(app: Flask) -> Flask:
    """The site with the built-in programme and nothing else."""
    return app


def read(client: FlaskClient, address: str = PAGE) -> html.HtmlElement:
    answer = client.get(address)
    assert answer.status_code == 200
    return html.document_fromstring(answer.get_data())


def words(element: html.HtmlElement) -> str:
    return re.sub(r"\s+", " ", element.text_content()).strip()


def section(page: html.HtmlElement, name: str) -> str:
    return words(page.get_element_by_id(name).getparent())


# --- geometry -------------------------------------------------------------------------------


def a_chart(today: dt.date) -> gantt.Chart:
    """Two groups; the first begins in May 2019, the last ends with June 2021, as in the source."""
    day = dt.date
    return gantt.chart(
        [
            gantt.Group("一", day(2019, 5, 1), day(2020, 1, 31), [
                gantt.Task("1. 短", day(2019, 5, 1), day(2019, 9, 30), "●"),
            ]),
            gantt.Group("二", day(2020, 2, 1), day(2021, 6, 30), [
                gantt.Task("1. 十八个字长的题目放不进右边所以向左写", day(2021, 4, 1), day(2021, 6, 30)),
            ]),
        ],
        today,
    )  # fmt: skip


def test_columns_are_whole_quarters_from_2019q2_to_2021q2() -> None:
    chart = a_chart(dt.date(2020, 1, 1))
    assert [year.label for year in chart.years] == ["2019年", "2020年", "2021年"]
    assert [quarter.label for quarter in chart.quarters] == [
        "二季度", "三季度", "四季度", "一季度", "二季度", "三季度", "四季度", "一季度", "二季度",
    ]  # fmt: skip
    assert len(chart.months) == 27
    assert (chart.months[0].label, chart.months[-1].label) == ("4月", "6月")
    assert {month.width for month in chart.months} == {gantt.MONTH}
    assert [year.width / gantt.MONTH for year in chart.years] == [9, 12, 6]


def test_bars_begin_and_end_with_their_months() -> None:
    chart = a_chart(dt.date(2019, 7, 1))
    bar = chart.bands[0].bars[0]
    # April comes before May, and five months follow.
    assert (bar.x, bar.width) == (gantt.MARGIN + gantt.MONTH, 5 * gantt.MONTH)
    # On the first of July, May and June are over.
    assert bar.done == 2 * gantt.MONTH
    assert (bar.text_x, bar.ends) == (bar.x, False)
    last = chart.bands[1].bars[0]
    assert last.x + last.width == gantt.MARGIN + 27 * gantt.MONTH
    assert (last.text_x, last.ends, last.done) == (last.x + last.width, True, 0)


@pytest.mark.parametrize(
    ("today", "months"),
    [
        (dt.date(2019, 3, 31), None),
        (dt.date(2019, 4, 1), 0),
        (dt.date(2020, 10, 1), 18),
        (dt.date(2020, 2, 15), 10 + 14 / 29),
        (dt.date(2021, 6, 30), 26 + 29 / 30),
        (dt.date(2021, 7, 1), None),
    ],
)
def test_today_stands_where_it_is_or_nowhere(today: dt.date, months: float | None) -> None:
    x = a_chart(today).now_x
    if months is None:
        assert x is None
    else:
        assert x == pytest.approx(gantt.MARGIN + months * gantt.MONTH, abs=0.1)


def test_a_short_programme_is_wide_enough_for_its_titles() -> None:
    title = "一个很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长的题目"
    day = dt.date(2025, 2, 1)
    task = gantt.Task(title, day, day)
    chart = gantt.chart([gantt.Group("一", day, day, [task])], day)
    assert len(chart.months) == 3
    assert chart.width > len(title) * 14


# --- where it stands ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (at(2019, 4), "规划编制将于2019年5月开始。"),
        (at(2019, 5, 1), "现在处于前期研究阶段。"),
        (at(2020, 10), "现在处于规划编制阶段，同时进行编制区级专项规划阶段。"),
        (at(2021, 6, 30), "现在处于审议发布阶段。"),
        (at(2021, 7, 1), "规划编制期已于2021年6月结束。"),
        (at(2026, 11), "规划编制期已于2021年6月结束。"),
    ],
)
def test_the_page_says_where_the_programme_stands(
    example: Flask, client: FlaskClient, clock: Clock, now: dt.datetime, sentence: str
) -> None:
    clock.at = now
    page = read(client)
    assert sentence in section(page, "where")
    lines = page.xpath("//*[local-name()='line'][@class='now']")
    # The picture covers whole quarters, so April 2019 lies in it and July 2021 does not.
    assert len(lines) == (now.date() <= dt.date(2021, 6, 30))


def test_the_last_moment_of_a_month_is_counted_in_shanghai(
    example: Flask, client: FlaskClient, clock: Clock
) -> None:
    clock.at = dt.datetime(2021, 6, 30, 15, 59, tzinfo=dt.UTC)
    assert "审议发布阶段" in section(read(client), "where")
    clock.at = dt.datetime(2021, 6, 30, 16, 0, tzinfo=dt.UTC)
    assert "今天是2021年7月1日（星期四）。规划编制期已于2021年6月结束。" in section(
        read(client), "where"
    )


# --- the page -------------------------------------------------------------------------------


def test_picture_and_table_show_the_same_fifteen_nodes_and_eight_marks(
    example: Flask, client: FlaskClient
) -> None:
    page = read(client)
    (picture,) = [s for s in page.iter("svg") if s.get("role") == "img"]
    assert [e.text for e in picture.find_class("gate")] == list("●●★●●★●★")
    assert len(picture.xpath(".//*[@class='bar-plan']")) == 15
    assert words(picture.find("title")).endswith("各阶段工作节点的时间安排")
    table = page.xpath("//table[caption='阶段和工作节点']")[0]
    rows = {words(row[0]): [words(cell) for cell in row[1:]] for row in table.iterfind("tbody/tr")}
    assert len(rows) == 4 + 15
    assert rows["二、规划编制阶段"] == ["2020年2月", "2020年12月", ""]
    assert rows["3. 起草形成《思路框架》"] == ["2019年9月", "2020年1月", "★ 按程序报送区委、区政府"]
    assert rows["1. 启动编制工作"] == ["2020年2月", "2020年2月", "● 报区发展规划工作领导小组会议"]
    assert rows["3. 组织开展“十四五”发展大讨论"] == ["2020年4月", "2020年8月", "—"]


def test_the_page_holds_what_the_source_says_and_says_that_it_is_an_example(
    example: Flask, client: FlaskClient
) -> None:
    page = read(client)
    whole = words(page.find(".//main"))
    assert "内置示例" in whole
    assert len(page.xpath("//li[starts-with(@id, 'topic-')]")) == 17
    assert len(page.xpath("//li[starts-with(@id, 'topic-')]//details//ol/li")) == 15 + 30
    topic = words(page.get_element_by_id("topic-s9"))
    assert "牵头：区地区办 配合：区民政局、各街镇等部门" in topic
    assert "重大举措研究" in words(page.get_element_by_id("topic-s3"))
    tags = [words(tag) for tag in page.get_element_by_id("moments").getparent().find_class("tag")]
    assert tags == ["定向征求", "面向全社会", "面向全社会", "定向征求", "面向全社会", "面向全社会"]
    assert section(page, "fields").endswith(
        "经济建设、城市建设、文化建设、科技创新、社会民生、社会治理"
    )
    assert "区人大代表、政协委员、相关领域专家、人民团体代表、企业代表、社区居民代表" in section(
        page, "people"
    )
    assert len(page.xpath("//h2[@id='outputs']/following-sibling::ol/li")) == 4
    assert "原文有7处前后说法不一。这里并列给您看，不代为订正。" in whole
    assert "总课题1项" in whole
    assert "《静安区“十四五”规划研究和编制工作方案》的通知" in whole


def test_a_programme_of_ones_own_is_not_called_an_example(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        a_programme()
    page = read(client, "/programmes/plan-14/")
    assert "内置示例" not in words(page.find(".//main"))


def test_what_is_open_is_named_with_its_deadline_and_drawn(
    example: Flask, client: FlaskClient
) -> None:
    assert "目前没有正在征求意见的文稿" in section(read(client), "open-now")
    with example.app_context():
        a_consultation("one", programme=programmes.by_slug("jingan-14"), title="本规划的征求意见")
        a_consultation("two", programme=a_programme(), title="别处的征求意见")
    page = read(client)
    said = section(page, "open-now")
    assert "本规划的征求意见 征集中2020年11月14日（星期六） 24:00 截止" in said
    assert "别处的征求意见" not in said
    (picture,) = [s for s in page.iter("svg") if s.get("role") == "img"]
    assert "本规划的征求意见" in words(picture)
    # One picture to a screen reader: what can be followed stands in the list above it.
    assert picture.findall(".//a") == []


def test_what_is_open_after_the_programme_is_listed_but_not_drawn(
    example: Flask, client: FlaskClient, clock: Clock
) -> None:
    clock.at = at(2026, 11)
    with example.app_context():
        programme = programmes.by_slug("jingan-14")
        a_consultation(programme=programme, now=clock.at, title="今年的征求意见")
    page = read(client)
    assert "今年的征求意见" in section(page, "open-now")
    (picture,) = [s for s in page.iter("svg") if s.get("role") == "img"]
    assert "今年的征求意见" not in words(picture)


def test_without_an_address_the_newest_programme_is_shown(app: Flask, client: FlaskClient) -> None:
    empty = client.get("/programmes/")
    assert empty.status_code == 200
    assert "还没有公布规划编制工作" in empty.text
    load(app)
    assert client.get("/programmes/").location == PAGE
    with app.app_context():
        a_programme("own-13")
    # A site's own programme before the example.
    assert client.get("/programmes/").location == "/programmes/own-13/"
    assert client.get("/programmes/nowhere/").status_code == 404


def test_a_programme_without_stages_has_a_page(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        programme = a_programme()
        db.session.execute(sa.delete(Stage).where(Stage.programme_id == programme.id))
        db.session.commit()
    assert "各阶段的时间还没有公布" in section(read(client, "/programmes/plan-14/"), "where")


def test_the_page_asks_the_database_a_fixed_number_of_times(
    example: Flask, client: FlaskClient
) -> None:
    asked: list[str] = []
    with example.app_context():
        engine = db.engine

    @sa.event.listens_for(engine, "before_cursor_execute")
    def count(*told: object) -> None:
        asked.append(str(told[2]))

    client.get(PAGE)
    # Programme, stages, nodes, outputs, moments, fields, categories, open calls, what is answered,
    # topics, units.
    selects = [statement for statement in asked if statement.startswith("SELECT")]
    assert len(selects) == 11, selects
    assert asked == [s for s in asked if s.startswith(("SELECT", "BEGIN"))]


def test_an_anonymous_reader_gets_no_cookie_and_a_page_of_modest_weight(
    example: Flask, client: FlaskClient
) -> None:
    answer = client.get(PAGE)
    assert "Set-Cookie" not in answer.headers
    assert len(answer.get_data()) < 60_000


def test_hostile_words_of_a_programme_stay_words(app: Flask, client: FlaskClient) -> None:
    hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    with app.app_context():
        programme = a_programme()
        programme.title = programme.full_title = hostile
        programme.stages[0].title = hostile
        programme.facts = {
            "source": {"title": hostile, "document": hostile, "issued_by": hostile},
            "gates": {"leading_group": {"mark": "<", "title": hostile}},
            "panel": {"title": hostile, "role": hostile},
        }
        db.session.commit()
    page = read(client, "/programmes/plan-14/")
    assert page.xpath("//main//script | //main//img") == []
