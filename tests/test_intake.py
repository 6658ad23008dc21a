"""Opinions from elsewhere: how a table's rows become submissions, and what is said of the others."""

import csv
import datetime as dt
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from consult import drafts, imports, intake, provenance, submissions
from consult.consultations import Consultation, Phase
from consult.imports import Report
from consult.intake import Intake, IntakeState
from consult.readers.tables import Table
from consult.submissions import Channel, Stance, Submission, SubmissionState
from core import audit
from core.audit import AuditEvent
from core.db import Base, db
from core.errors import Refused
from tests import people
from tests.conftest import NOON, Clock
from tests.consultations_made import a_consultation, a_published_draft

TODAY = dt.date(2020, 10, 20)
DESK = "/desk/intake"
PERSONAL = "编号,内容\n1,请多种一些树\n2,我叫王小明，电话13800138000，请回电\n3,建议增设公交站\n"
DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data"),
]


@pytest.fixture(autouse=True)
def _context(app: Flask) -> Iterator[None]:
    with app.app_context():
        yield


@pytest.fixture
def consultation() -> Consultation:
    return a_consultation()


def table_of(*rows: list[str]) -> Table:
    """The first row is the header, as in a file."""
    return Table(tuple(rows[0]), tuple(enumerate(map(tuple, rows[1:]), start=2)))


def bring_in(consultation: Consultation, table: Table, **options: Any) -> Report:
    """Bring a table in as letters that came to the officer's desk today."""
    options = {"channel": Channel.LETTER, "outline": None, "secret": "secret"} | options
    options.setdefault("mapping", intake.guessed(table.columns))
    report = imports.bring_in(
        table, consultation, by=audit.SYSTEM, now=NOON, on_day=TODAY, **options
    )
    db.session.commit()
    db.session.expire_all()
    return report


def counts(report: Report) -> tuple[int, int, int, list[int]]:
    """(rows, imported, already, numbers of the rows with an error)."""
    return report.rows, report.imported, report.already, [error.row for error in report.errors]


def stored() -> list[Submission]:
    return list(db.session.scalars(sa.select(Submission).order_by(Submission.id)))


def events(action: str = "") -> list[AuditEvent]:
    query = sa.select(AuditEvent).order_by(AuditEvent.id)
    return [e for e in db.session.scalars(query) if e.action == action or not action]


# --- which column is which -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["编号", "意见内容"], {"body": "意见内容", "external_id": "编号"}),
        (
            ["msg_id", "user", "title", "created", "body", "likes", "dislikes"],
            {
                "body": "body",
                "title": "title",
                "external_id": "msg_id",
                "received_on": "created",
                "author": "user",
            },
        ),
        (
            ["source", "id", "date", "title", "body", "label"],
            {"body": "body", "title": "title", "external_id": "id", "received_on": "date"},
        ),
        (
            ["留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "态度", "对应章节"],
            {
                "body": "留言详情",
                "title": "留言主题",
                "external_id": "留言编号",
                "received_on": "留言时间",
                "author": "留言用户",
                "stance": "态度",
                "section": "对应章节",
            },
        ),
        (["ＢＯＤＹ", "Ti tle", "备注"], {"body": "ＢＯＤＹ", "title": "Ti tle"}),
        (["甲", "乙"], {}),
    ],
)
def test_the_usual_names_of_columns_are_known(columns: list[str], expected: dict[str, str]) -> None:
    assert intake.guessed(columns) == expected


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ({"body": "没有"}, "表格里没有这些列：没有。表格的列有：内容、编号。"),
        ({"text": "内容"}, "不认识的字段：text。"),
        ({"external_id": "编号"}, "请指明哪一列是意见内容。"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused(
    consultation: Consultation, mapping: dict[str, str], sentence: str
) -> None:
    with pytest.raises(Refused, match=re.escape(sentence)):
        bring_in(consultation, table_of(["内容", "编号"], ["好", "1"]), mapping=mapping)
    assert stored() == []


def test_nothing_is_brought_in_before_the_notice_is_public() -> None:
    preparing = a_consultation(phase=Phase.PREPARING)
    with pytest.raises(Refused, match="还没有公告"):
        bring_in(preparing, table_of(["内容"], ["好"]))


# --- rows ----------------------------------------------------------------------------------------


def test_a_row_keeps_its_words_its_day_its_channel_and_its_number_elsewhere(
    consultation: Consultation,
) -> None:
    version = a_published_draft(consultation)
    outline = drafts.outline(version)
    report = bring_in(
        consultation,
        table_of(
            ["编号", "标题", "内容", "日期", "姓名", "态度", "章节"],
            [
                "甲-1",
                " 加装\u202e电梯 ",
                " 第一行\n第二行　",
                "2020年10月8日",
                "王小明",
                "支持",
                "第一节养老服务",
            ],
            ["甲-2", "", "𠮷野家太少😀", "", "王小明", "", ""],
        ),
        outline=outline,
        channel=Channel.HOTLINE,
    )
    assert counts(report) == (2, 2, 0, [])
    first, second = stored()
    assert (first.title, first.body) == ("加装电梯", "第一行\n第二行")
    assert (first.external_id, first.channel) == ("甲-1", Channel.HOTLINE)
    assert (first.received_on, first.received_at) == (dt.date(2020, 10, 8), NOON)
    assert first.stance is Stance.SUPPORT
    assert outline.by_id[first.place].text == "第一节 养老服务"
    assert first.version_id == version.id
    assert (second.body, second.place, second.stance) == ("𠮷野家太少😀", submissions.WHOLE, None)
    assert second.received_on == TODAY
    assert first.person_key == second.person_key != None  # noqa: E711
    assert (first.number, second.number) == (1, 2)
    assert len({first.receipt, second.receipt}) == 2
    assert all(len(each.receipt) == 18 for each in (first, second))
    assert first.public_name == first.consent == ""


def test_the_authors_names_are_kept_nowhere(consultation: Consultation, app: Flask) -> None:
    bring_in(consultation, table_of(["内容", "姓名"], ["好", "欧阳修远"]))
    assert not dump_has("欧阳")


def dump_has(words: str) -> bool:
    """Whether these words stand anywhere in the database."""
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(sa.text(f'SELECT * FROM "{table.name}"')):
            if words in str(tuple(row)):
                return True
    return False


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("2020-10-08", dt.date(2020, 10, 8)),
        ("2020-10-08 11:25:05", dt.date(2020, 10, 8)),
        ("2020/1/2", dt.date(2020, 1, 2)),
        ("2020.1.2", dt.date(2020, 1, 2)),
        ("２０２０年１月２日", dt.date(2020, 1, 2)),
        ("20201008", dt.date(2020, 10, 8)),
        ("20201008112505", dt.date(2020, 10, 8)),
        (" 2020 年 10 月 8 日", dt.date(2020, 10, 8)),
        ("2020-10-20", TODAY),
        ("1990-01-01", dt.date(1990, 1, 1)),
        ("", TODAY),
        ("　", TODAY),
    ],
)
def test_days_are_read_as_people_write_them(
    consultation: Consultation, said: str, day: dt.date
) -> None:
    bring_in(consultation, table_of(["内容", "日期"], ["好", said]))
    assert [each.received_on for each in stored()] == [day]


ROWS_WITH_ERRORS = [
    (["", "", "", "", ""], "意见内容是空的。"),
    (["\u200b\u3164\u2800", "", "", "", ""], "意见内容是空的。"),
    (["长" * 20_001, "", "", "", ""], "意见内容超过20000字。"),
    (["好", "9" * 101, "", "", ""], "编号超过100字。"),
    (["好", "", "昨天", "", ""], "日期“昨天”看不懂，请写成2020-10-08这样。"),
    (["好", "", "44112", "", ""], "日期“44112”看不懂，请写成2020-10-08这样。"),
    (["好", "", "2020-02-30", "", ""], "日期“2020-02-30”不存在。"),
    (["好", "", "2020-10-21", "", ""], "日期“2020-10-21”太早或者在今天之后。"),
    (["好", "", "1989-12-31", "", ""], "日期“1989-12-31”太早或者在今天之后。"),
    (["好", "", "", "100%d好", ""], "态度“100%d好”不在 建议、赞成、支持、反对、疑问、诉求 之中。"),
    (["好", "", "", "", "第九章"], "文稿里没有“第九章”这一章节。"),
]


def test_every_row_that_cannot_be_taken_is_named_with_its_reason(
    consultation: Consultation,
) -> None:
    outline = drafts.outline(a_published_draft(consultation))
    rows = [["内容", "编号", "日期", "态度", "章节"], *(row for row, _why in ROWS_WITH_ERRORS)]
    report = bring_in(consultation, table_of(*rows, ["好", "", "", "", ""]), outline=outline)
    assert [(e.row, e.why) for e in report.errors] == [
        (number, why) for number, (_row, why) in enumerate(ROWS_WITH_ERRORS, start=2)
    ]
    assert (report.rows, report.imported, report.already) == (12, 1, 0)
    assert [each.body for each in stored()] == ["好"]


def test_a_row_torn_by_a_bare_separator_is_named_and_not_cut(consultation: Consultation) -> None:
    table = Table(("编号", "内容"), ((2, ("1", "增加床位")), (3, ("2", "好"))), frozenset({2}))
    report = bring_in(consultation, table)
    assert counts(report) == (2, 1, 0, [2])
    assert "没有用引号括起来" in report.errors[0].why


def test_a_section_that_the_draft_has_twice_needs_its_chapter(consultation: Consultation) -> None:
    text = "# 第一章 甲\n## 第一节 目标\n正文。\n# 第二章 乙\n## 第一节 目标\n正文。\n"
    outline = drafts.outline(a_published_draft(consultation, text))
    report = bring_in(
        consultation,
        table_of(["内容", "章节"], ["好", "第一节 目标"], ["好", "第二章 乙 › 第一节 目标"]),
        outline=outline,
    )
    assert [(e.row, e.why) for e in report.errors] == [
        (2, "文稿里有2处“第一节 目标”，请连同上级标题一起写。")
    ]
    assert [outline.address(each.place) for each in stored()] == ["第二章 乙 › 第一节 目标"]


def test_a_title_that_is_too_long_becomes_part_of_the_words(consultation: Consultation) -> None:
    bring_in(consultation, table_of(["标题", "内容"], ["题" * 201, "正文"]))
    (only,) = stored()
    assert only.body == "题" * 201 + "\n正文"
    assert len(only.title) == 200


# --- the same again ------------------------------------------------------------------------------

LETTERS = [
    ["编号", "内容", "日期"],
    ["1", "加装电梯", "2020-10-01"],
    ["2", "多种树", "2020-10-02"],
]


def test_the_same_table_again_adds_only_what_is_new(consultation: Consultation) -> None:
    assert counts(bring_in(consultation, table_of(*LETTERS))) == (2, 2, 0, [])
    longer = table_of(*LETTERS, ["3", "修路", "2020-10-03"])
    assert counts(bring_in(consultation, longer)) == (3, 1, 2, [])
    assert counts(bring_in(consultation, longer)) == (3, 0, 3, [])
    assert [(each.number, each.body) for each in stored()] == [
        (1, "加装电梯"),
        (2, "多种树"),
        (3, "修路"),
    ]


def test_a_known_number_with_other_words_is_named_and_never_silently_dropped(
    consultation: Consultation,
) -> None:
    bring_in(consultation, table_of(*LETTERS))
    report = bring_in(
        consultation, table_of(["编号", "内容"], ["1", "不要加装电梯"], ["2", "多种树。"])
    )
    assert counts(report) == (2, 0, 1, [2])
    assert report.errors[0].why == "编号“1”以前导入过，但内容不同。"


def test_a_number_twice_in_one_table_is_one_opinion_or_an_error(
    consultation: Consultation,
) -> None:
    report = bring_in(
        consultation, table_of(["编号", "内容"], ["1", "好"], ["1", "好"], ["1", "不好"])
    )
    assert counts(report) == (3, 1, 1, [4])
    assert report.errors[0].why == "编号“1”与第2行重复，但内容不同。"


def test_the_same_number_by_another_channel_is_another_opinion(consultation: Consultation) -> None:
    bring_in(consultation, table_of(*LETTERS))
    report = bring_in(consultation, table_of(*LETTERS), channel=Channel.HOTLINE)
    assert counts(report) == (2, 2, 0, [])


def test_equal_letters_of_two_people_stay_two_and_are_not_doubled(
    consultation: Consultation,
) -> None:
    twins = table_of(["内容", "日期"], ["加装电梯", "2020-10-01"], ["加装电梯", "2020-10-01"])
    assert counts(bring_in(consultation, twins)) == (2, 2, 0, [])
    assert counts(bring_in(consultation, twins)) == (2, 0, 2, [])
    third = table_of(["内容", "日期"], *[["加装电梯", "2020-10-01"]] * 3)
    assert counts(bring_in(consultation, third)) == (3, 1, 2, [])
    other_day = table_of(["内容", "日期"], ["加装电梯", "2020-10-02"])
    assert counts(bring_in(consultation, other_day)) == (1, 1, 0, [])


def test_a_refused_row_does_not_count_among_those_like_it(consultation: Consultation) -> None:
    broken = table_of(["内容", "态度"], ["好", "喜欢"], ["好", ""])
    assert counts(bring_in(consultation, broken)) == (2, 1, 0, [2])
    left_out = table_of(["内容", "态度"], ["好", ""])
    assert counts(bring_in(consultation, left_out)) == (1, 0, 1, [])
    mended = table_of(["内容", "态度"], ["好", "建议"], ["好", ""])
    assert counts(bring_in(consultation, mended)) == (2, 1, 1, [])


CELLS = st.sampled_from(["", "好", "好 ", "不好", "\u200b", "1", "2", "赞成", "2020-10-01", "昨天"])


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS).map(list), max_size=12))
def test_every_row_is_imported_known_or_named(app: Flask, rows: list[list[str]]) -> None:
    slug = f"tables-{db.session.scalar(sa.func.count(Consultation.id)) or 0}"
    consultation = a_consultation(slug)
    table = table_of(["内容", "编号", "日期", "态度"], *rows)
    first = bring_in(consultation, table)
    again = bring_in(consultation, table)
    assert first.rows == first.imported + first.already + len(first.errors) == len(rows)
    assert again.imported == 0
    assert again.rows == again.already + len(again.errors)
    assert consultation.received == first.imported


# --- counting and recording ----------------------------------------------------------------------


def test_what_an_officer_imports_counts_as_received_and_screened(
    consultation: Consultation,
) -> None:
    outline = drafts.outline(a_published_draft(consultation))
    before = consultation.stamp
    bring_in(
        consultation,
        table_of(["内容", "章节"], ["甲", ""], ["乙", "第一章 总体要求"], ["丙", "第一章总体要求"]),
        outline=outline,
    )
    chapter = next(entry for entry in outline.entries if entry.text == "第一章 总体要求")
    assert (consultation.received, consultation.shown) == (3, 3)
    assert submissions.tallies(consultation.id) == {submissions.WHOLE: (1, 1), chapter.id: (2, 2)}
    assert consultation.stamp > before
    assert {each.state for each in stored()} == {SubmissionState.SHOWN}


def test_what_is_sent_to_the_queue_is_received_but_not_shown(consultation: Consultation) -> None:
    bring_in(consultation, table_of(*LETTERS), to_queue=True)
    assert (consultation.received, consultation.shown) == (2, 0)
    assert submissions.tallies(consultation.id) == {submissions.WHOLE: (2, 0)}
    assert {each.state for each in stored()} == {SubmissionState.PENDING}


def test_numbers_go_on_where_comments_left_off(consultation: Consultation) -> None:
    opinion = submissions.Opinion(body="从网站来的意见一件")
    submissions.receive(
        consultation, opinion, once_key="a", by=audit.RESIDENT, now=NOON, on_day=TODAY
    )
    bring_in(consultation, table_of(*LETTERS))
    submissions.receive(
        consultation, opinion, once_key="b", by=audit.RESIDENT, now=NOON, on_day=TODAY
    )
    db.session.commit()
    assert [each.number for each in stored()] == [1, 2, 3, 4]
    db.session.expire_all()
    assert consultation.received == 4


def test_more_rows_than_one_statement_takes_are_all_numbered(consultation: Consultation) -> None:
    rows = [["内容"], *([f"第{n}件"] for n in range(1, 1203))]
    bring_in(consultation, table_of(*rows))
    assert [(each.number, each.body) for each in stored()] == [
        (n, f"第{n}件") for n in range(1, 1203)
    ]


def test_a_dry_run_reports_the_same_and_stores_nothing(consultation: Consultation) -> None:
    rows = table_of(*LETTERS, ["4", "", ""])
    before = len(events())
    tried = bring_in(consultation, rows, dry_run=True)
    assert counts(tried) == (3, 2, 0, [4])
    assert (stored(), len(events())) == ([], before)
    assert (consultation.received, submissions.tallies(consultation.id)) == (0, {})
    assert counts(bring_in(consultation, rows)) == counts(tried)


def test_a_whole_table_is_one_act_on_record(consultation: Consultation) -> None:
    before = len(events())
    bring_in(consultation, table_of(*LETTERS, ["4", "", ""]))
    (event,) = events()[before:]
    assert (event.action, event.thing_kind) == ("submissions.imported", "consultation")
    assert event.after == {
        "channel": "letter",
        "rows": 3,
        "imported": 2,
        "already": 0,
        "errors": 1,
    }


# --- the command ---------------------------------------------------------------------------------


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "来信.csv"
    path.write_text("序号,说的话,主题词\n1,加装电梯,电梯\n2,,树\n3,修路,路\n", encoding="gbk")
    return path


def run(app: Flask, file: Path, *words: str, slug: str = "gangyao") -> Result:
    db.session.commit()
    start = ("submissions", "import", str(file), "--consultation", slug, "--channel", "letter")
    result = app.test_cli_runner().invoke(args=[*start, *words])
    db.session.expire_all()
    return result


MAPS = ("--map", "body=说的话", "--map", "external_id=序号", "--map", "title=主题词")


def test_the_command_prints_one_json_object(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    result = run(app, letters, *MAPS, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "rows": 3,
        "imported": 2,
        "already": 0,
        "errors": [{"row": 3, "why": "意见内容是空的。"}],
    }
    assert list(json.loads(result.stdout)) == ["rows", "imported", "already", "errors"]
    assert [(each.external_id, each.title, each.body) for each in stored()] == [
        ("1", "电梯", "加装电梯"),
        ("3", "路", "修路"),
    ]
    again = json.loads(run(app, letters, *MAPS, "--json").stdout)
    assert (again["imported"], again["already"]) == (0, 2)


def test_the_command_speaks_to_people_too(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    result = run(app, letters, *MAPS)
    said = "共3行：新增2件，已有0件，未导入1行。\n导入编号1，撤销时要用。\n"
    assert result.stdout == said
    assert result.stderr == "第3行：意见内容是空的。\n"


def test_the_command_tries_without_storing(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    before = len(events())
    said = json.loads(run(app, letters, *MAPS, "--dry-run", "--json").stdout)
    assert said["imported"] == 2
    assert (stored(), len(events())) == ([], before)


def test_the_command_holds_what_is_personal_when_told(
    app: Flask, tmp_path: Path, consultation: Consultation
) -> None:
    file = tmp_path / "来信.csv"
    file.write_text(PERSONAL, encoding="utf-8")
    maps = ("--map", "body=内容", "--map", "external_id=编号")
    tried = run(app, file, *maps, "--hold-personal", "--dry-run", "--json")
    done = run(app, file, *maps, "--hold-personal", "--json")
    told = {"rows": 3, "imported": 3, "already": 0, "held": 1, "errors": []}
    assert json.loads(tried.stdout) == json.loads(done.stdout) == told
    waits = {each.external_id for each in stored() if each.state is SubmissionState.PENDING}
    assert waits == {"2"}


def test_the_command_sends_to_the_queue_when_told(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    run(app, letters, *MAPS, "--to-queue")
    assert {each.state for each in stored()} == {SubmissionState.PENDING}


def test_a_field_can_be_left_out_on_the_command_line(
    app: Flask, consultation: Consultation, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("标题,内容\n题,好\n", encoding="utf-8")
    run(app, file, "--map", "title=")
    assert [(each.title, each.body) for each in stored()] == [("", "好")]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            ("--map", "body=没有这列"),
            "表格里没有这些列：没有这列。表格的列有：序号、说的话、主题词。",
        ),
        ((), "请指明哪一列是意见内容。"),
    ],
)
def test_the_command_refuses_in_one_sentence(
    app: Flask, consultation: Consultation, letters: Path, words: tuple[str, ...], sentence: str
) -> None:
    result = run(app, letters, *words, "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{sentence}\n")
    assert stored() == []


def test_the_command_refuses_an_unknown_consultation_and_an_unreadable_file(
    app: Flask, consultation: Consultation, letters: Path, tmp_path: Path
) -> None:
    result = run(app, letters, *MAPS, slug="meiyou")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "没有网址短名为“meiyou”的意见征集。\n"
    broken = tmp_path / "a.xlsx"
    broken.write_bytes(b"PK\x03\x04broken")
    result = run(app, broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "文件已损坏，请用Excel或WPS打开后另存为 .xlsx 再上传。\n"


@pytest.mark.parametrize("pair", ["body", "anything=说的话", "=说的话"])
def test_a_map_that_is_none_is_refused_with_the_fields_there_are(
    app: Flask, consultation: Consultation, letters: Path, pair: str
) -> None:
    result = run(app, letters, "--map", pair)
    assert result.exit_code == 2
    assert "body、title、external_id" in result.stderr


# --- the pages -----------------------------------------------------------------------------------


@pytest.fixture
def officer(client: FlaskClient) -> FlaskClient:
    people.sign_in(client, people.make("drc_staff"))
    return client


def upload(
    client: FlaskClient,
    consultation: Consultation,
    data: str | bytes = "编号,标题,内容\n1,电梯,加装电梯\n2,树,\n",
    name: str = "来信.csv",
    **more: Any,
) -> TestResponse:
    raw = data.encode() if isinstance(data, str) else data
    fields = {
        "consultation": str(consultation.id),
        "channel": "letter",
        "file": (io.BytesIO(raw), name),
    }
    return client.post(DESK, data=fields | more)


def kept_files(app: Flask) -> list[Path]:
    folder = Path(app.instance_path) / "uploads"
    return list(folder.iterdir()) if folder.is_dir() else []


# As a browser sends it: every field, "" where nothing was chosen.
NONE = dict.fromkeys(intake.FIELDS, "")
COLUMNS = NONE | {"body": "内容", "title": "标题", "external_id": "编号"}


def test_an_officer_uploads_names_the_columns_tries_and_brings_in(
    app: Flask, officer: FlaskClient, consultation: Consultation
) -> None:
    sent = upload(officer, consultation)
    assert sent.status_code == 302
    page = officer.get(sent.location).text
    assert "来信.csv" in page
    assert '<option selected value="内容">' in page
    (kept,) = kept_files(app)
    assert kept.stat().st_mode & 0o777 == 0o600

    tried = officer.post(sent.location, data=COLUMNS | {"act": "try"})
    assert tried.status_code == 200
    assert "共2行：可导入1件，已有0件，不能导入1行。还没有保存任何内容。" in tried.text
    assert "意见内容是空的。" in tried.text
    assert stored() == []

    done = officer.post(sent.location, data=COLUMNS | {"act": "import"}, follow_redirects=True)
    assert "已导入1件。" in done.text
    assert "意见内容是空的。" in done.text
    assert [(each.external_id, each.body) for each in stored()] == [("1", "加装电梯")]
    assert kept_files(app) == []
    found = db.session.scalars(sa.select(Intake)).one()
    assert (found.state, found.stored_as) == (IntakeState.DONE, "")
    assert (found.rows, found.imported, found.already, found.refused) == (2, 1, 0, 1)
    assert found.errors == [{"row": 3, "why": "意见内容是空的。"}]
    assert stored()[0].intake_id == found.id
    assert [event.action for event in events()][-2:] == ["intake.uploaded", "submissions.imported"]
    assert "来信.csv" in officer.get(DESK).text


def test_a_table_is_brought_in_once_even_when_the_button_is_pressed_twice(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation).location
    officer.post(address, data=COLUMNS | {"act": "import"})
    again = officer.post(address, data=COLUMNS | {"act": "import"})
    assert again.status_code == 409
    assert "这份表格已经导入过了。" in again.text
    found = db.session.scalars(sa.select(Intake)).one()
    assert (found.imported, len(stored())) == (1, 1)


def test_the_operation_itself_refuses_a_table_that_is_done(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation).location
    officer.post(address, data=COLUMNS | {"act": "import"})
    found = db.session.scalars(sa.select(Intake)).one()
    with pytest.raises(Refused, match="已经导入过了"):
        bring_in(consultation, table_of(*LETTERS), intake=found)


def test_a_page_can_send_its_opinions_to_the_queue(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation, to_queue="y").location
    assert "先放入审核队列" in officer.get(address).text
    officer.post(address, data=COLUMNS | {"act": "import"})
    assert [each.state for each in stored()] == [SubmissionState.PENDING]


@pytest.mark.parametrize("ticked", [True, False])
def test_what_holds_personal_information_waits_to_be_masked(
    officer: FlaskClient, consultation: Consultation, ticked: bool
) -> None:
    """What an officer imports is shown at once; a telephone number should not be."""
    address = upload(officer, consultation, PERSONAL).location
    assert re.search(r'checked[^>]*id="hold_personal"', officer.get(address).text)
    form = (
        NONE | {"body": "内容", "external_id": "编号"} | ({"hold_personal": "y"} if ticked else {})
    )
    tried = officer.post(address, data=form | {"act": "try"}).text
    assert ("其中1件可能含有个人信息" in tried) == ticked
    assert stored() == []
    officer.post(address, data=form | {"act": "import"})
    states = {each.external_id: each.state for each in stored()}
    waits = SubmissionState.PENDING if ticked else SubmissionState.SHOWN
    assert states == {"1": SubmissionState.SHOWN, "2": waits, "3": SubmissionState.SHOWN}
    assert (consultation.received, consultation.shown) == (3, 2 if ticked else 3)
    page = officer.get("/search?q=我叫王小明&in=opinion").text
    assert ("13800138000" in page) == (not ticked)
    assert ("其中1件在审核队列里" in officer.get(address).text) == ticked
    assert {o.row for o in provenance.of(stored()).values()} == {2, 3, 4}


def test_a_whole_table_for_the_queue_is_not_looked_through(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation, PERSONAL, to_queue="y").location
    assert "hold_personal" not in officer.get(address).text
    form = NONE | {"body": "内容", "hold_personal": "y"}
    assert "可能含有个人信息" not in officer.post(address, data=form | {"act": "try"}).text
    officer.post(address, data=form | {"act": "import"})
    assert [each.state for each in stored()] == [SubmissionState.PENDING] * 3


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        ("", "空.csv", "文件是空的"),
        ("PK", "a.xlsx", "与扩展名不符"),
        ("内容\n好\n", "a.pdf", "只能读取 .csv 和 .xlsx"),
        ("", "", "请选择一个 .csv 或 .xlsx 文件。"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_on_the_form_and_nothing_is_kept(
    app: Flask,
    officer: FlaskClient,
    consultation: Consultation,
    data: str,
    name: str,
    sentence: str,
) -> None:
    answer = upload(officer, consultation, data, name, channel="hotline", to_queue="y")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert '<option selected value="hotline">' in answer.text
    assert re.search(r"<input[^>]*checked[^>]*to_queue", answer.text)
    assert kept_files(app) == []
    assert db.session.scalar(sa.select(sa.func.count(Intake.id))) == 0


def test_wrong_choices_are_refused_on_the_form(
    officer: FlaskClient, consultation: Consultation
) -> None:
    hidden = a_consultation("beizhong", phase=Phase.PREPARING)
    assert upload(officer, hidden).status_code == 422
    assert upload(officer, consultation, channel="web").status_code == 422
    address = upload(officer, consultation).location
    wrong = officer.post(address, data=COLUMNS | {"body": "没有这列", "act": "import"})
    assert wrong.status_code == 422
    assert stored() == []


def test_a_column_that_was_used_twice_or_cells_with_markup_do_no_harm(
    officer: FlaskClient, consultation: Consultation
) -> None:
    data = "内容,<b>编号</b>\n<script>alert(1)</script>,=1+1\n"
    address = upload(officer, consultation, data, "<img>.csv").location
    page = officer.post(address, data=NONE | {"body": "内容", "title": "内容", "act": "try"})
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "<img>" not in page.text


def test_the_next_table_is_proposed_as_the_last_one_was_mapped(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation, "甲,乙,编号\n话,题,7\n").location
    officer.post(address, data=NONE | {"body": "甲", "title": "乙", "act": "import"})
    assert intake.proposed(["乙", "甲", "编号", "日期"]) == {
        "body": "甲",
        "title": "乙",
        "external_id": "编号",
        "received_on": "日期",
    }
    assert intake.proposed(["甲", "内容"]) == {"body": "内容"}


def test_the_same_columns_in_any_order_are_mapped_as_last_time(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation, "编号,内容,标题\n7,话,题\n").location
    officer.post(address, data=NONE | {"body": "标题", "act": "import"})
    other = upload(officer, consultation, "甲,内容\n乙,话\n").location
    officer.post(other, data=NONE | {"body": "内容", "act": "import"})
    # The number was left out on purpose; columns never seen together are guessed.
    assert intake.proposed(["标题", "编号", "内容"]) == {"body": "标题"}
    assert intake.proposed(["编号", "内容"]) == {"body": "内容", "external_id": "编号"}


def test_every_row_knows_who_brought_it_in_and_from_which_row_of_which_table(
    officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation, "编号,内容\n1,甲\n2,\n3,丙\n").location
    officer.post(address, data=NONE | {"body": "内容", "external_id": "编号", "act": "import"})
    found = stored()
    origins = provenance.of(found)
    who = db.session.scalars(sa.select(Intake)).one().by_name
    assert [
        (o.filename, o.row, o.external_id, o.by_name) for o in (origins[s.id] for s in found)
    ] == [("来信.csv", 2, "1", who), ("来信.csv", 4, "3", who)]


def test_a_table_nobody_brings_in_is_forgotten_after_a_week(
    app: Flask, client: FlaskClient, consultation: Consultation, clock: Clock
) -> None:
    person = people.make("drc_staff")
    people.sign_in(client, person)
    old = upload(client, consultation).location
    clock.at = NOON + dt.timedelta(days=7)
    people.sign_in(client, person)
    upload(client, consultation)
    assert len(kept_files(app)) == 2
    clock.at = NOON + dt.timedelta(days=7, seconds=1)
    upload(client, consultation)
    assert len(kept_files(app)) == 2
    assert events()[-1].action == "intake.expired"
    assert client.get(old).status_code == 409
    assert "文件已清除" in client.get(DESK).text


def test_a_file_that_is_gone_is_said_so(
    app: Flask, officer: FlaskClient, consultation: Consultation
) -> None:
    address = upload(officer, consultation).location
    for file in kept_files(app):
        file.unlink()
    answer = officer.get(address)
    assert answer.status_code == 409
    assert "请重新上传" in answer.text
    assert officer.get(f"{DESK}/999").status_code == 404


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("drc_staff", 200),
        ("administrator", 200),
        ("screener", 403),
        ("unit_staff", 403),
        ("auditor", 403),
        ("resident", 403),
    ],
)
def test_only_officers_take_files_in(
    client: FlaskClient, consultation: Consultation, role: str, status: int
) -> None:
    people.sign_in(client, people.make(role))
    assert client.get(DESK).status_code == status
    assert upload(client, consultation).status_code == (302 if status == 200 else 403)


def test_a_stranger_is_sent_to_sign_in(client: FlaskClient, consultation: Consultation) -> None:
    assert "/sign-in" in client.get(DESK).location
    assert "/sign-in" in upload(client, consultation).location
    assert db.session.scalar(sa.select(sa.func.count(Intake.id))) == 0


# --- what cities really received -----------------------------------------------------------------


class TestRealInput:
    pytestmark = realdata

    @pytest.mark.parametrize(
        ("name", "rows", "maps"),
        [
            (
                "suggestions.csv",
                287,
                {"body": "body", "title": "title", "external_id": "id", "received_on": "date"},
            ),
            (
                "messages.csv",
                4326,
                {
                    "body": "body",
                    "title": "title",
                    "external_id": "msg_id",
                    "received_on": "created",
                    "author": "user",
                },
            ),
        ],
    )
    def test_every_row_goes_in_once_with_its_own_words(
        self, app: Flask, consultation: Consultation, name: str, rows: int, maps: dict[str, str]
    ) -> None:
        words = [word for pair in maps.items() for word in ("--map", "=".join(pair))]
        first = json.loads(run(app, DATA / name, *words, "--json").stdout)
        assert first["rows"] == rows
        assert first["rows"] == first["imported"] + first["already"] + len(first["errors"])
        again = json.loads(run(app, DATA / name, *words, "--json").stdout)
        assert again["imported"] == 0
        assert again["already"] == first["imported"] + first["already"]
        assert again["errors"] == first["errors"]
        with (DATA / name).open(encoding="utf-8-sig", newline="") as file:
            sent = list(csv.DictReader(file))
        ids = Counter(row[maps["external_id"]] for row in sent)
        assert (first["already"], len(first["errors"])) == (0, sum(n > 1 for n in ids.values()))
        told = {row[maps["external_id"]]: row for row in reversed(sent)}
        assert consultation.received == consultation.shown == first["imported"] == len(told)
        for each in stored():
            row = told[each.external_id]
            assert each.body == row["body"].replace("\r\n", "\n").strip(" \t\n\u3000")
            assert each.received_on.isoformat() == row[maps["received_on"]][:10]
