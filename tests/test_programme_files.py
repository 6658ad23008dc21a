"""Programme files: what is refused, with the line and the reason; what a load changes and keeps."""

import datetime as dt
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from consult import programme_files, programmes, topics
from consult.programme_files import BadFile, located_yaml
from consult.programmes import DiscussionField, Gate, Programme, Stage, WorkNode
from consult.topics import TopicUnit
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from core.units import Unit, UnitKind
from tests.conftest import NOON
from tests.consultations_made import a_consultation
from tests.programmes_made import SMALL

FILE = Path(__file__).resolve().parent.parent / "consult" / "data" / "jingan-14.yaml"
TEXT = FILE.read_text(encoding="utf-8")


def mistakes(text: str | bytes) -> list[tuple[int, str]]:
    """(line, why) of everything for which `text` is refused; nothing when it is not."""
    source = text if isinstance(text, bytes) else text.encode()
    try:
        programme_files.read(source, name="file.yaml")
    except BadFile as refusal:
        return [(mistake.line, mistake.why) for mistake in refusal.mistakes]
    return []


def changed(*pairs: tuple[str, str], text: str = SMALL) -> str:
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def load(text: str = TEXT, *, example: bool = False) -> programme_files.Loaded:
    file = programme_files.read(text.encode(), name="file.yaml")
    loaded = programme_files.take_in(file, example=example, by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()
    return loaded


def test_the_built_in_file_and_the_small_one_are_good() -> None:
    assert mistakes(TEXT) == []
    assert mistakes(SMALL) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        (
            'from: "2024-05"\n',
            'from: "2024-13"\n',
            20,
            "月份要写成 2019-05 这样的形式，现在是“2024-13”",
        ),
        ('from: "2024-05"\n', "from: 202405\n", 20, "“from”：月份要写成"),
        ('from: "2024-05"\n', "from: 2024-05-01\n", 20, "现在是“2024-05-01”"),
        ('    to: "2025-01"\n', "", 15, "“to”：缺少这一项"),
        ("    lead: fgw\n", "", 27, "“lead”：缺少这一项"),
        ("lead: fgw", "lead: nobody", 32, "units 里没有“nobody”这个单位"),
        ("lead: fgw", "lead: fgw\n    cooperating: [fgw]", 33, "“fgw”重复了"),
        ("lead: fgw", "lead: fgw\n    cooperating:\n      - fgw2", 34, "没有“fgw2”这个单位"),
        ("    short: 前期研究\n", "    shrt: 前期研究\n", 19, "“shrt”：没有这个名称，请检查拼写"),
        ("    ordinal: 1\n", '    ordinal: "1"\n', 16, "“ordinal”：这里要写整数"),
        ("    ordinal: 1\n", "    ordinal: 0\n", 16, "不能小于1，现在是“0”"),
        ("gate: leading_group", "gate: boss", 23, "只能是none、leading_group"),
        (
            "gate: leading_group",
            "gate: party_and_government",
            23,
            "gates 里没有“party_and_government”",
        ),
        ("kind: department", "kind: company", 11, "“kind”：只能是department"),
        (
            'from: "2024-05", to: "2024-09"',
            'from: "2024-09", to: "2024-05"',
            23,
            "晚于结束月份2024-05",
        ),
        ('to: "2024-09"', 'to: "2025-02"', 23, "超出了所在阶段"),
        ("{from: 2026, to: 2030}", "{from: 2030, to: 2026}", 8, "起始年份晚于结束年份"),
        ("    group: general", "    group: special", 29, "topic_groups 里没有“special”"),
        ("    stage: research", "    stage: serch", 36, "stages 里没有“serch”这个阶段"),
        ("    nodes: [1]", "    nodes: [1, 2]", 37, "没有第2个工作节点"),
        ("public: true", "public: 1", 41, "这里要写 true 或 false"),
        ("    title: 征求意见", "    title: ", 40, "这里要写文字"),
        ("    title: 征求意见", '    title: "\u3000"', 40, "不能是空白"),
        ("region: 某市某区", "region: " + "某" * 121, 7, "最多120字"),
        ("units:\n", "units: none\nold_units:\n", 10, "“units”：这里要写成列表"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_reason(
    old: str, new: str, line: int, why: str
) -> None:
    found = mistakes(changed((old, new)))
    assert (line, True) in [(each, why in said) for each, said in found], found


def test_every_mistake_is_told_at_once_in_the_order_of_lines() -> None:
    found = mistakes(changed(("lead: fgw", "lead: a1"), ("stage: research", "stage: b2")))
    assert [line for line, _why in found] == [32, 36]
    bad = "\n".join(f"x{n}: 1" for n in range(30))
    with pytest.raises(BadFile) as refusal:
        programme_files.read(f"{SMALL}{bad}\n".encode(), name="plan.yaml")
    said = refusal.value.sentence.split("\n")
    assert said[0] == "文件plan.yaml没有载入："
    assert said[1] == "第44行：“x0”：没有这个名称，请检查拼写。"
    assert said[-1] == "另有10处问题，改好上面的再试。"


def test_what_stands_twice_is_refused() -> None:
    unit = "  - {slug: fgw, name: 区发展改革委, kind: department}\n"
    assert mistakes(changed((unit, unit * 2)))[0] == (12, "“fgw”重复了，前面已经有一个。")
    node = (
        '      - {ordinal: 1, title: 研究, from: "2024-05", to: "2024-09", gate: leading_group}\n'
    )
    assert mistakes(changed((node, node * 2))) == [(24, "“1”重复了，前面已经有一个。")]
    fields = SMALL + "discussion_fields: [经济建设, 城市建设, 经济建设]\n"
    assert mistakes(fields) == [(44, "“经济建设”重复了，前面已经有一个。")]
    assert mistakes(changed(("  title: 某区", "  slug: again\n  title: 某区"))) == [
        (3, "“slug”写了两次，第一次在第2行。")
    ]


@pytest.mark.parametrize(
    ("source", "line", "why"),
    [
        (b"", 1, "名称: 内容"),
        (b"- 1\n", 1, "名称: 内容"),
        (b"a: 1\n\tb: 2\n", 2, "制表符"),
        (b"a: b: c\n", 1, "半角冒号"),
        ("a: 1\n标题\nb: 2\n".encode(), 2, "缺少半角冒号"),
        (b'a: 1\nb: "open\nc: 2\n', 2, "引号没有结束"),
        (b"a: [1, 2\nb: 3\n", 2, "第1行开始的括号"),
        (b"a: 1\n---\nb: 2\n", 2, "只能有一份内容"),
        (b"a: !!python/object:os.system x\n", 1, "类型标签"),
        (b"a: &x 1\nb: *x\n", 1, "锚点"),
        (b"a: 1\nb:\n  <<: *x\n", 3, "锚点"),
        (b"a: 1\n? [x]\n: 2\n", 2, "名称只能是一个词"),
        (b"a: 1\nb: \x00\n", 2, "控制字符"),
        ("a: 1\nb: 规划\n".encode("gbk"), 2, "UTF-8"),
        ("a: 1\n".encode("utf-16"), 1, "UTF-8"),
        (b"a: " + b"[" * 3000, 1, "层次太深"),
        (b"#" * (located_yaml.MOST_BYTES + 1), 1, "1兆字节"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(source: bytes, line: int, why: str) -> None:
    found = mistakes(source)
    assert found, source[:40]
    assert found[0][0] == line, found
    assert any(why in said for _line, said in found), found


def test_a_billion_laughs_are_not_counted_out() -> None:
    laughs = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        laughs += f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    assert mistakes(laughs) == [(1, "不能用锚点（&）和引用（*），请把内容直接写出来。")]


@given(st.one_of(st.binary(max_size=200), st.text("ab:-[]{}#&*!|>'\"% \n\t0,?", max_size=60)))
def test_any_bytes_are_refused_in_words_or_read(source: bytes | str) -> None:
    for line, why in mistakes(source if isinstance(source, bytes) else source.encode()):
        assert line >= 1
        assert why.endswith("。")


@given(st.data())
def test_a_file_with_a_hole_or_a_stray_letter_is_never_a_fault_of_ours(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(SMALL) - 1))
    length = data.draw(st.integers(0, 40))
    stray = data.draw(
        st.sampled_from(["", ":", "\t", "[", "“", "*", "- ", "\n", "9" * 30, "\u2028"])
    )
    for line, _why in mistakes(SMALL[:place] + stray + SMALL[place + length :]):
        assert 1 <= line <= SMALL.count("\n") + 3


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    assert mistakes("\ufeff" + SMALL) == []
    assert mistakes(SMALL.replace("\n", "\r\n").replace("lead: fgw", "lead: zz")) == [
        (32, "units 里没有“zz”这个单位。")
    ]


def test_only_plain_words_become_numbers_and_truths() -> None:
    read = located_yaml.read(b'a: [12:30, 1.5, yes, 007, "7", 7, true, null, 99999999999]')
    assert read.value == {"a": ["12:30", "1.5", "yes", 7, "7", 7, True, None, "99999999999"]}


# --- loading --------------------------------------------------------------------------------


def test_the_example_loads_with_every_number_of_the_source(app: Flask) -> None:
    with app.app_context():
        said = load().words()
        assert said == [
            "新增：规划编制工作1个、单位33个、阶段4个、课题17个、成果4个、征求意见时点6个、"
            "工作节点15个、讨论领域6个、咨询团成员类别6个。"
        ]
        programme = programmes.by_slug("jingan-14")
        assert programme is not None
        marks = {
            gate: [
                f"{s.numeral}{n.ordinal}"
                for s in programme.stages
                for n in s.nodes
                if n.gate is gate
            ]
            for gate in Gate
        }
        assert marks[Gate.LEADING_GROUP] == ["一1", "一2", "二1", "二4", "四1"]
        assert marks[Gate.PARTY_AND_GOVERNMENT] == ["一3", "二5", "四5"]
        assert [len(stage.nodes) for stage in programme.stages] == [3, 5, 2, 5]
        assert [stage.parallel for stage in programme.stages] == [False, False, False, True]
        assert (programme.starts_on, programme.ends_on) == (
            dt.date(2019, 5, 1),
            dt.date(2021, 6, 30),
        )
        assert programme.stages[1].nodes[0].ends_on == dt.date(2020, 6, 30)
        assert [m.key for m in programme.moments if m.public] == [
            "silu-kuangjia", "special-plan-drafts", "guihua-gangyao", "citizens-edition"
        ]  # fmt: skip
        assert len(programme.facts["discrepancies"]) == 7
        every = topics.of(programme)
        assert [len([t for t in every if t.group_key == g]) for g in ("general", "special")] == [
            6,
            11,
        ]
        assert every[7].lead.name == "区发展改革委"
        assert [unit.slug for unit in every[7].cooperating] == ["sww", "tzb", "xzfwzx"]
        assert {t.lead.slug for t in every} == {
            "fgw",
            "tjj",
            "sww",
            "kw",
            "wlj",
            "ghzyj",
            "jgw",
            "dqb",
        }


def test_loaded_twice_nothing_doubles_and_nothing_is_recorded(app: Flask) -> None:
    with app.app_context():
        load()
        before = [db.session.scalar(sa.select(sa.func.count()).select_from(t)) for t in COUNTED]
        assert load().words() == ["内容与已载入的一致，没有变更。"]
        after = [db.session.scalar(sa.select(sa.func.count()).select_from(t)) for t in COUNTED]
        assert before == after == [1, 4, 15, 33, 63, 6, 1]


# Hand count of the entries of annex 1-1: 17 leads and 46 named cooperating units.
COUNTED = (Programme, Stage, WorkNode, Unit, TopicUnit, DiscussionField, AuditEvent)


def test_changed_values_are_updated_in_place_with_one_event(app: Flask) -> None:
    with app.app_context():
        load(SMALL)
        ids = {s.key: s.id for s in db.session.scalars(sa.select(Stage))}
        loaded = load(
            changed(
                ("title: 前期研究阶段", "title: 研究阶段"),
                ('to: "2024-09", gate: leading_group', 'to: "2024-10"'),
                ("name: 区发展改革委, kind: department", "name: 区发改委, kind: body"),
            )
        )
        assert loaded.words() == [
            "修改：单位“区发展改革委”的名称，“区发展改革委”改为“区发改委”。",
            "修改：单位“区发展改革委”的类别，“department”改为“body”。",
            "修改：阶段“前期研究阶段”的名称，“前期研究阶段”改为“研究阶段”。",
            "修改：工作节点“一1 研究”的报送，“leading_group”改为“none”。",
            "修改：工作节点“一1 研究”的结束日期，“2024-09-30”改为“2024-10-31”。",
        ]
        assert {s.key: s.id for s in db.session.scalars(sa.select(Stage))} == ids
        assert db.session.scalars(sa.select(Unit)).one().kind is UnitKind.BODY
        events = db.session.scalars(sa.select(AuditEvent).order_by(AuditEvent.id)).all()
        assert [event.action for event in events] == ["programme.loaded"] * 2
        assert events[1].before is not None
        assert events[1].before["阶段 前期研究阶段 title"] == "前期研究阶段"


def test_stages_may_change_places(app: Flask) -> None:
    second = """\
  - key: drafting
    ordinal: 2
    numeral: 二
    title: 编制阶段
    short: 编制
    from: "2025-02"
    to: "2025-12"
    nodes:
      - {ordinal: 1, title: 起草, from: "2025-02", to: "2025-12"}
topic_groups:
"""
    both = changed(("topic_groups:\n", second))
    with app.app_context():
        load(both)
        swapped = changed(
            ("    ordinal: 1\n", "    ordinal: 9\n"), ("    ordinal: 2\n", "    ordinal: 1\n"),
            ("    ordinal: 9\n", "    ordinal: 2\n"), text=both,
        )  # fmt: skip
        load(swapped)
        programme = programmes.by_slug("moujiu-15")
        assert programme is not None
        assert [stage.key for stage in programme.stages] == ["drafting", "research"]


def test_a_stage_that_nothing_refers_to_can_go_with_all_it_has(app: Flask) -> None:
    with app.app_context():
        load()
        load(changed(("slug: moujiu-15", "slug: jingan-14")))
        programme = programmes.by_slug("jingan-14")
        assert programme is not None
        assert [stage.key for stage in programme.stages] == ["research"]
        assert [len(stage.nodes) for stage in programme.stages] == [1]
        assert [topic.key for topic in topics.of(programme)] == ["g1"]
        assert programme.discussion_fields == []
        assert db.session.scalar(sa.select(sa.func.count(Unit.id))) == 33


def test_a_stage_with_a_consultation_is_not_removed(app: Flask) -> None:
    with app.app_context():
        loaded = load()
        a_consultation(programme=loaded.programme)
        with pytest.raises(Refused) as refusal:
            load(changed(("slug: moujiu-15", "slug: jingan-14")))
        assert (
            "阶段“规划编制阶段”在文件里没有了，但已有意见征集等内容用到它" in refusal.value.sentence
        )
        db.session.rollback()
        assert db.session.scalar(sa.select(sa.func.count(Stage.id))) == 4


# --- the command ----------------------------------------------------------------------------


def test_the_command_says_what_changed_and_marks_the_example(app: Flask) -> None:
    first = app.test_cli_runner().invoke(args=["programme", "load", str(FILE)])
    assert (first.exit_code, first.output.split("\n")[0]) == (0, "静安区“十四五”规划研究和编制：")
    again = app.test_cli_runner().invoke(args=["programme", "load", str(FILE)])
    assert "没有变更" in again.output
    with app.app_context():
        assert db.session.scalars(sa.select(Programme)).one().example


def test_the_command_refuses_a_bad_file_and_stores_nothing(app: Flask, tmp_path: Path) -> None:
    bad = tmp_path / "plan.yaml"
    bad.write_text(changed(("lead: fgw", "lead: nobody")), encoding="utf-8")
    said = app.test_cli_runner().invoke(args=["programme", "load", str(bad)])
    assert said.exit_code == 1
    assert said.stderr == ("文件plan.yaml没有载入：\n第32行：units 里没有“nobody”这个单位。\n")
    missing = app.test_cli_runner().invoke(args=["programme", "load", str(tmp_path / "no.yaml")])
    assert missing.exit_code == 2
    with app.app_context():
        assert programmes.newest() is None
        assert db.session.scalars(sa.select(Unit)).all() == []


def test_a_file_of_another_place_is_no_example(app: Flask, tmp_path: Path) -> None:
    own = tmp_path / "plan.yaml"
    own.write_text(SMALL, encoding="utf-8")
    for path in (FILE, own):
        assert app.test_cli_runner().invoke(args=["programme", "load", str(path)]).exit_code == 0
    with app.app_context():
        # A site's own programme comes before the example.
        assert [(p.slug, p.example) for p in programmes.every()] == [
            ("moujiu-15", False), ("jingan-14", True)
        ]  # fmt: skip
