"""Charts: one description drawn on the server and in the browser, clean under our policy."""

import io
import re
import threading
import zipfile
from collections.abc import Sequence
from itertools import pairwise

import pytest
from docx import Document
from docx.oxml.ns import qn
from flask import Flask
from flask.testing import FlaskClient
from lxml import etree, html

from consult import summaries
from consult.submissions import Stance
from consult.summaries import charting, readings, report_papers
from core import charts, drawing
from core.charts import Chart, Kind, Series
from core.db import db
from tests import people
from tests.static_files import STATIC
from tests.thirty_made import thirty_counted

HOSTILE = '<script>hostile()</script>"onload=x\x01\ufffe'


def bars(*values: float, labels: Sequence[str] = ("停车", "加梯", HOSTILE)) -> Chart:
    """One bar a label."""
    return Chart(Kind.BARS, "件数", "件", tuple(labels), (Series("件数", values),))


def test_the_light_colours_are_those_of_the_style_sheet() -> None:
    css = (STATIC / "site.css").read_text(encoding="utf-8")
    told = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", css.partition("html.elder")[0]))
    assert {name: told[name] for name in charts.PALETTE} == charts.PALETTE
    assert len(set(charts.PALETTE.values())) == len(charts.PALETTE)


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_drawn_holds_nothing_a_policy_refuses(app: Flask, kind: Kind) -> None:
    values = ((3.0, -1.0, 2.0), (1.0, -2.0, 0.0), (4.0, 1.0, 5.0))
    made = Chart(
        kind, "题", "件", ("停车", "加梯", HOSTILE), tuple(Series("数", v) for v in values)
    )
    with app.test_request_context():
        for drawn in (drawing.inline(made), drawing.standing(made)):
            root = etree.fromstring(drawn)
            for element in root.iter():
                assert etree.QName(element).localname in {"svg", *drawing.ELEMENTS}
                assert not {"style", "class", "id", "href", "onload"} & set(element.attrib)
            texts = ["".join(each.itertext()) for each in root.iter() if "text" in each.tag]
            assert "停车" in texts
            assert any(text.startswith("<scr") for text in texts)


def test_colours_follow_the_page_and_are_fixed_on_paper() -> None:
    inline, standing = drawing.inline(bars(3, 2, 1)), drawing.standing(bars(3, 2, 1))
    assert 'fill="var(--accent)"' in inline
    assert "#" not in re.sub("&#?[a-z0-9]+;", "", inline)
    assert charts.PALETTE["accent"] in standing
    assert "var(" not in standing


def test_the_numbers_drawn_are_the_numbers_given() -> None:
    root = etree.fromstring(drawing.inline(bars(34, 17, 5)))
    texts = [each.text for each in root.iter() if each.tag.endswith("text")]
    assert {"34", "17", "5"} <= set(texts)
    assert bars(34, 17, 5).rows[1] == ("停车", "34")


def test_many_threads_draw_the_same() -> None:
    wanted = [drawing._drawn(bars(n, 2, 1).text, 640, 100) for n in range(4)]
    found: dict[int, str] = {}

    def draw(n: int) -> None:
        found[n] = drawing._drawn(bars(n % 4, 2, 1).text, 640, 100)

    threads = [threading.Thread(target=draw, args=(n,)) for n in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    def plain(svg: str) -> str:
        # ECharts numbers the classes of its style sheet, which is thrown away.
        return re.sub(r"zr\d+-[a-z]+-?\d+", "", svg)

    assert [plain(found[n]) for n in range(8)] == [plain(each) for each in wanted * 2]


def test_every_stance_has_a_colour_of_its_own() -> None:
    used = [charting.colour(stance.value) for stance in Stance]
    assert len(set(used)) == len(used)
    assert set(used) <= set(charts.PALETTE)


def lightness(colour: str) -> float:
    """L* of a colour, by CIE 1976 and the sRGB curve (IEC 61966-2-1)."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y


def luminance(colour: str) -> float:
    """Relative luminance, by WCAG 2."""
    red, green, blue = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (red, green, blue)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_stances_are_told_apart_on_a_copy_in_black_and_white() -> None:
    printed = [charts.PRINTED[charting.colour(stance.value)] for stance in Stance]
    tones = sorted(lightness(fill) for fill, _ink in printed)
    assert min(b - a for a, b in pairwise(tones)) >= 10
    for fill, ink in printed:
        dark, light = sorted((luminance(fill), luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5
    made = Chart(
        Kind.BARS,
        "态度",
        "件",
        ("合计",),
        tuple(Series(s.title, (9,), charting.colour(s.value)) for s in Stance),
    )
    drawn = drawing.standing(made)
    assert all(fill in drawn for fill, _ink in printed)


def test_the_library_comes_out_of_its_wheel_once(client: FlaskClient) -> None:
    with client.application.test_request_context():
        address = client.application.jinja_env.globals["echarts"]()
    plain = client.get(address)
    assert plain.data == drawing.asset().read_bytes()
    assert "immutable" in plain.headers["Cache-Control"]
    packed = client.get(address, headers={"Accept-Encoding": "br"})
    assert packed.headers["Content-Encoding"] == "br"
    assert len(packed.data) < 400_000
    assert client.get("/vendor/echarts-0.js").status_code == 404


# --- where they stand ----------------------------------------------------------------------


@pytest.fixture
def counted(app: Flask) -> int:
    """The id of a summary of thirty opinions."""
    return thirty_counted(app, "told")


def figures(page: str) -> dict[str, html.HtmlElement]:
    """{title: figure} of the charts of a page."""
    found = html.document_fromstring(page).xpath("//figure[@data-chart]")
    return {each.findtext("figcaption"): each for each in found}


def test_each_chart_says_what_it_shows_and_opens_its_opinions(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    found = figures(client.get(f"/desk/summaries/{counted}").text)
    assert list(found) == [
        "突出的词和提到它的件数",
        "态度的构成",
        "各章节的意见件数",
        "按收到日期的件数",
    ]
    for title, figure in found.items():
        assert figure.xpath(".//svg"), title
        assert figure.xpath(".//*[@role='img']/@aria-label")[0].startswith(title)
        for address in re.findall(
            r'"(/desk[^"]*)"', figure.get("data-links").replace("\\u0026", "&")
        ):
            assert client.get(address).status_code == 200
    themes = figures(client.get(f"/desk/summaries/{counted}/themes").text)
    assert list(themes) == ["各主题的件数和态度"]
    address = f"/desk/summaries/{counted}/contrast?a=channel:web&b=channel:hotline"
    assert list(figures(client.get(address).text)) == ["每百相差（甲减乙）和95%区间"]


def test_the_document_holds_each_chart_as_svg_and_as_picture(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    data = client.get(f"/desk/summaries/{counted}/document").data
    names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert len([n for n in names if n.endswith(".svg")]) == 4
    document = Document(io.BytesIO(data))
    assert len(document.inline_shapes) == 5
    text = "\n".join(p.text for p in document.paragraphs)
    assert "图1　按收到日期的件数" in text
    # Each figure and table is spoken of before it comes.
    lead = next(p.text for p in document.paragraphs if p.text.startswith("以下依次按"))
    assert lead == (
        "以下依次按收到日期（图1、表1）、渠道（表2）、章节（图2、表3）、态度（图3、表4）列出。"
    )
    for n, words in ((1, "按收到日期的件数"), (2, "各章节的意见件数"), (3, "态度的构成")):
        assert f"图{n}　{words}" in text
    assert "表3　各章节的意见件数" in text
    assert "以下列出突出的词和提到它们的意见（图4、图5、表5）。" in text
    assert "图5　" in text
    said = [each._inline.docPr.get("descr") for each in document.inline_shapes]
    assert any(each and each.startswith("按收到日期的件数：") for each in said)


def test_the_report_is_illustrated_with_tables(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    client.post(f"/desk/summaries/{counted}/report", data={"act": "compose", "seen": "0"})
    paper = client.get(f"/desk/summaries/{counted}/report/paper")
    document = Document(io.BytesIO(paper.data))
    assert len(document.inline_shapes) == len(document.tables) == 4
    assert client.get(f"/desk/summaries/{counted}/report/paper?as=pdf").data.startswith(b"%PDF")
    # 图1 … 图4 under the drawings, 表1 … 表4 over the tables, each referred to once and before.
    order = [
        "" if each.find(f".//{qn('pic:pic')}") is None else "drawing"
        for each in document.element.body
    ]
    parts = list(document.element.body)
    words = ["".join(t.text or "" for t in each.iter(qn("w:t"))) for each in parts]
    for n in (1, 2, 3, 4):
        (figure,) = (k for k, text in enumerate(words) if text.startswith(f"图{n}　"))
        (caption,) = (k for k, text in enumerate(words) if text.startswith(f"表{n}　"))
        (spoken,) = (k for k, text in enumerate(words) if f"见图{n}、表{n}" in text)
        assert order[figure - 1] == "drawing"
        assert parts[caption + 1].tag == qn("w:tbl")
        assert spoken < figure < caption
        # The first cell of the head says what the rows are.
        assert document.tables[n - 1].cell(0, 0).text
    assert "态度" in document.tables[1].cell(0, 0).text
    assert [text for text in words if "提出建议的" in text and "见图2、表2" in text]


def test_without_pictures_a_paper_still_has_its_tables(
    app: Flask, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "PATIENCE", 0.0001)
    drawing._pictures.cache_clear()
    with app.app_context(), app.test_request_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        consultations = summaries.consultations_of(summary.subject)
        reading = readings.read(summary, consultations)
        titles = {c.id: c.title for c in consultations}
        drawn = report_papers.pictures(reading, titles)
        sections = tuple((f"{each.section}某某", ("话。",)) for each in drawn[1:])
        paper = report_papers.Paper("题", "", "", sections, (), "2020-10-12T00:00:00", drawn)
        document = Document(report_papers.word(paper))
        db.session.close()
    assert not document.inline_shapes
    assert document.tables
    # What the text refers to is there, and says why it is empty.
    assert sum("图未能生成" in each.text for each in document.paragraphs) == len(document.tables)
