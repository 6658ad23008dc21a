"""Opinions from elsewhere: how a table's rows become submissions, and what is said of the others."""

import datetime as dt
import re

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import drafts, intake, submissions
from consult.consultations import Consultation, Phase
from consult.imports import Report
from consult.readers.tables import Table
from consult.submissions import Channel, Stance, SubmissionState
from core import audit
from core.db import db
from core.errors import Refused
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.imports_made import LETTERS, TODAY, bring_in, table_of
from tests.kept import events, stored, whole_database

pytestmark = pytest.mark.usefixtures("context")


def counts(report: Report) -> tuple[int, int, int, list[int]]:
    """(rows, imported, already, numbers of the rows with an error)."""
    return report.rows, report.imported, report.already, [error.row for error in report.errors]


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
    assert not any("欧阳" in rows for rows in whole_database().values())


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
