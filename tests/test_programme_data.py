"""The built-in programme against counts made by hand from the founding document."""

import re
from pathlib import Path

import pytest
import yaml

PATH = Path(__file__).resolve().parent.parent / "consult" / "data" / "jingan-14.yaml"
MONTH = re.compile(r"^20\d\d-(0[1-9]|1[0-2])$")


@pytest.fixture(scope="module")
def data():
    return yaml.safe_load(PATH.read_text(encoding="utf-8"))


def strings(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, str):
        yield value


def test_programme(data):
    programme = data["programme"]
    assert programme["slug"] == "jingan-14"
    assert programme["region"] == "上海市静安区"
    assert programme["period"] == {"from": 2021, "to": 2025}
    assert programme["source"]["title"].endswith("工作方案》的通知")
    assert "第124次" in programme["source"]["note"]


def test_units_are_named_once(data):
    units = data["units"]
    slugs = [unit["slug"] for unit in units]
    names = [name for unit in units for name in [unit["name"], *unit.get("aka", [])]]
    assert len(set(slugs)) == len(slugs)
    assert len(set(names)) == len(names)
    kinds = {unit["kind"] for unit in units}
    assert kinds <= {
        "department",
        "party_department",
        "subdistrict",
        "body",
        "municipal",
        "enterprise_group",
    }
    # 25 departments appear in the division of work; of the sub-districts only the town is named.
    assert sum(unit["kind"] in {"department", "party_department"} for unit in units) == 25
    assert [unit["name"] for unit in units if unit["kind"] == "subdistrict"] == ["彭浦镇"]


def test_fifteen_nodes_in_four_groups(data):
    stages = data["stages"]
    assert [stage["numeral"] for stage in stages] == ["一", "二", "三", "四"]
    assert [stage["ordinal"] for stage in stages] == [1, 2, 3, 4]
    assert [len(stage["nodes"]) for stage in stages] == [3, 5, 2, 5]
    for stage in stages:
        assert [node["ordinal"] for node in stage["nodes"]] == list(
            range(1, len(stage["nodes"]) + 1)
        )


def test_gates(data):
    def standing(gate):
        return [
            f"{stage['numeral']}{node['ordinal']}"
            for stage in data["stages"]
            for node in stage["nodes"]
            if node.get("gate") == gate
        ]

    assert standing("leading_group") == ["一1", "一2", "二1", "二4", "四1"]
    assert standing("party_and_government") == ["一3", "二5", "四5"]
    assert sum("gate" in node for stage in data["stages"] for node in stage["nodes"]) == 8
    assert {key: gate["mark"] for key, gate in data["gates"].items()} == {
        "leading_group": "●",
        "party_and_government": "★",
    }


def test_months(data):
    spans = [(stage["from"], stage["to"]) for stage in data["stages"]]
    assert spans == [
        ("2019-05", "2020-01"),
        ("2020-02", "2020-12"),
        ("2021-01", "2021-06"),
        ("2020-02", "2021-03"),
    ]
    nodes = [
        (f"{stage['numeral']}{node['ordinal']}", node["from"], node["to"])
        for stage in data["stages"]
        for node in stage["nodes"]
    ]
    assert nodes == [
        ("一1", "2019-05", "2019-09"),
        ("一2", "2019-08", "2019-09"),
        ("一3", "2019-09", "2020-01"),
        ("二1", "2020-02", "2020-06"),
        ("二2", "2020-04", "2020-06"),
        ("二3", "2020-04", "2020-08"),
        ("二4", "2020-09", "2020-10"),
        ("二5", "2020-11", "2020-12"),
        ("三1", "2021-01", "2021-03"),
        ("三2", "2021-04", "2021-06"),
        ("四1", "2020-02", "2020-02"),
        ("四2", "2020-02", "2020-05"),
        ("四3", "2020-06", "2020-09"),
        ("四4", "2020-09", "2020-12"),
        ("四5", "2021-01", "2021-03"),
    ]
    for stage in data["stages"]:
        for node in stage["nodes"]:
            assert stage["from"] <= node["from"] <= node["to"] <= stage["to"]


def test_outputs(data):
    outputs = data["outputs"]
    assert [output["ordinal"] for output in outputs] == [1, 2, 3, 4]
    assert [output["short"] for output in outputs] == [
        "《基本思路》和《思路框架》",
        "《建议》素材稿",
        "《规划纲要（草案）》",
        "区级专项规划",
    ]


def test_seventeen_topics(data):
    topics = data["topics"]
    units = {unit["slug"]: unit["name"] for unit in data["units"]}
    themes = [theme["title"] for theme in data["topic_themes"]]
    general = [topic for topic in topics if topic["group"] == "general"]
    special = [topic for topic in topics if topic["group"] == "special"]
    assert (len(topics), len(general), len(special)) == (17, 6, 11)
    assert [topic["number"] for topic in general] == list(range(1, 7))
    assert [topic["number"] for topic in special] == list(range(1, 12))
    assert len({topic["title"] for topic in topics}) == 17
    assert [topic["theme"] for topic in special] == [themes[0]] * 5 + [themes[1]] * 3 + [
        themes[2]
    ] * 3
    assert {topic["theme"] for topic in general} == {None}
    for topic in topics:
        assert topic["lead"] in units
        assert set(topic["cooperating"]) <= set(units)
        assert topic["points"]
        # The words of the annex are rebuilt from the coded parts, so neither can drift.
        assert topic["division"].startswith(f"{units[topic['lead']]}牵头，")
        for slug in topic["cooperating"]:
            assert units[slug] in topic["division"]
        for text in topic["cooperating_others"]:
            assert text in topic["division"]
        left = topic["division"].removeprefix(f"{units[topic['lead']]}牵头，").removesuffix("配合")
        for text in [*(units[slug] for slug in topic["cooperating"]), *topic["cooperating_others"]]:
            left = left.replace(text, "", 1)
        assert not left.strip("、及，")


def test_topic_marks_leads_and_points(data):
    by_key = {topic["key"]: topic for topic in data["topics"]}
    assert [key for key, topic in by_key.items() if topic["mark"] == "市区联动研究"] == [
        "g2",
        "g3",
        "g4",
        "s1",
    ]
    assert [key for key, topic in by_key.items() if topic["mark"] == "区委专题研究"] == [
        "s6",
        "s7",
        "s11",
    ]
    assert {topic["mark"] for topic in by_key.values()} == {None, "市区联动研究", "区委专题研究"}
    assert [topic["lead"] for topic in by_key.values()] == [
        *["fgw", "fgw", "fgw", "fgw", "tjj", "fgw"],
        *["fgw", "fgw", "sww", "kw", "wlj", "ghzyj", "jgw", "jgw", "dqb", "fgw", "fgw"],
    ]
    assert [len(topic["points"]) for topic in by_key.values()] == [
        *[4, 1, 1, 1, 2, 6],
        *[1, 4, 2, 3, 2, 4, 4, 2, 3, 1, 4],
    ]
    assert [key for key, topic in by_key.items() if "title_in_guide" in topic] == ["s3", "s4", "s5"]
    for key in ("s3", "s4", "s5"):
        assert by_key[key]["title"].replace("重点举措", "重大举措") == by_key[key]["title_in_guide"]


def test_fields_and_panel(data):
    assert data["discussion_fields"] == [
        "经济建设",
        "城市建设",
        "文化建设",
        "科技创新",
        "社会民生",
        "社会治理",
    ]
    assert data["panel_categories"] == [
        "区人大代表",
        "政协委员",
        "相关领域专家",
        "人民团体代表",
        "企业代表",
        "社区居民代表",
    ]


def test_six_moments(data):
    stages = {stage["key"]: stage for stage in data["stages"]}
    outputs = {output["key"] for output in data["outputs"]}
    moments = data["moments"]
    assert [moment["ordinal"] for moment in moments] == [1, 2, 3, 4, 5, 6]
    assert [moment["public"] for moment in moments] == [False, True, True, False, True, True]
    for moment in moments:
        stage = stages[moment["stage"]]
        assert MONTH.match(moment["from"])
        assert MONTH.match(moment["to"])
        assert stage["from"] <= moment["from"] <= moment["to"] <= stage["to"]
        assert set(moment["nodes"]) <= {node["ordinal"] for node in stage["nodes"]}
        assert moment.get("output") is None or moment["output"] in outputs


def test_contradictions_are_shown_not_fixed(data):
    said = [entry["says"] + "｜" + entry["also_says"] for entry in data["discrepancies"]]
    for first, second in [
        ("总课题1项", "6个题目"),
        ("重点举措", "重大举措"),
        ("9月底前", "9月15日前"),
    ]:
        assert (
            sum(first in text.split("｜")[0] and second in text.split("｜")[1] for text in said)
            == 1
        )
    for entry in data["discrepancies"]:
        assert entry["says"] != entry["also_says"]
        assert entry["where"]
        assert entry["elsewhere"]


def test_punctuation_is_chinese(data):
    for text in strings(data):
        assert not re.search(r"[\u4e00-\u9fff][,;:(]", text), text
