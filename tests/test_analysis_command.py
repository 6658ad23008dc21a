"""python -m consult.analysis: JSON Lines in, JSON out, for anyone's texts."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consult.analysis import stance
from consult.analysis.__main__ import STANCES, main

ROOT = Path(__file__).resolve().parent.parent
TEXTS: list[dict[str, Any]] = [
    {"id": 1, "text": "不建议在这里加装电梯。", "title": "电梯", "group": "一", "person": "甲"},
    {"id": "2", "text": "建议加梯，老人下不了楼", "group": "二"},
    {"id": 3, "text": "建议 加梯，老人下不了楼！", "group": "二", "extra": [1]},
    {"id": 4, "text": "", "group": "一"},
    {"id": 5, "text": "P+R停车场\r\n什么时候建？😀", "group": "一"},
]


def run(*arguments: str, given: str | None = None, seed: str = "0") -> tuple[int, str, str]:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in TEXTS)
    done = subprocess.run(
        [sys.executable, "-m", "consult.analysis", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
        input=(lines if given is None else given).encode(),
        capture_output=True,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def answers(*arguments: str) -> list[Any]:
    status, out, err = run(*arguments)
    assert (status, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def test_segment_loses_nothing() -> None:
    for row, answer in zip(TEXTS, answers("segment"), strict=True):
        assert answer["id"] == row["id"]
        assert "".join(answer["tokens"]) == row["text"]


def test_keywords_of_each_text_and_of_all() -> None:
    each = answers("keywords", "--per-text", "2")
    assert [answer["id"] for answer in each] == [row["id"] for row in TEXTS]
    assert all(len(answer["keywords"]) <= 2 for answer in each)
    assert set(each[0]["keywords"][0]) == {"term", "score"}
    (table,) = answers("keywords", "--top", "1", "--explain")
    (word,) = table["keywords"]
    assert (word["term"], word["count"], word["opposed"]) == ("加装电梯", 3, 1)
    assert word["parts"]["few"] == 1


def test_stance_and_its_reason() -> None:
    first, second, *_, last = answers("stance")
    assert first["stance"] == "反对"
    assert first["because"] == ["不建议"]
    assert first["opposed"] == ["加装电梯"]
    assert second["stance"] == "建议"
    assert last["stance"] == "疑问"
    assert set(STANCES) == {*stance.ORDER, "none"}


def test_duplicates_by_id() -> None:
    (found,) = answers("duplicates")
    assert found["groups"] == [["2", 3]]
    assert (found["texts"], found["distinct"]) == (5, 4)
    assert answers("duplicates", "--exact") == [found]


def test_contrast_of_two_groups() -> None:
    (found,) = answers("contrast", "--minimum", "1")
    assert found["terms"] == []
    assert (found["a"]["group"], found["b"]["group"]) == ("一", "二")
    (found,) = answers("contrast", "--a", "二", "--minimum", "1")
    assert found["b"]["group"] == "rest"


def test_groups_and_people_may_be_numbers() -> None:
    rows = [{"id": n, "text": "修电梯", "group": n % 2, "person": n % 3} for n in range(12)]
    given = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    status, out, err = run("contrast", "--a", "0", given=given)
    assert (status, err) == (0, "")
    found = json.loads(out)
    assert (found["a"], found["b"]) == ({"group": "0", "people": 3}, {"group": "rest", "people": 3})


def test_themes_in_themes_part_the_texts_of_each() -> None:
    lines = [
        "停车位收费太高",
        "停车位太少",
        "地铁站没有电梯",
        "地铁站出口太远",
        "公园晚上没有灯",
        "公园座椅太少",
    ]
    rows = [{"id": n, "text": f"{lines[n % 6]}，{lines[n % 6]}。{n}"} for n in range(60)]
    given = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    status, out, err = run("themes", "--levels", "2", given=given)
    assert (status, err) == (0, "")

    def parted(found: dict[str, Any]) -> list[int]:
        return sorted(
            [*(id for theme in found["themes"] for id in theme["ids"]), *found["unclassified"]]
        )

    found = json.loads(out)
    assert parted(found) == list(range(60))
    assert found["themes"]
    for theme in found["themes"]:
        assert parted(theme) == sorted(theme["ids"])
        assert all("themes" not in each for each in theme["themes"])


def test_concordance_newwords_themes_and_cloud_answer() -> None:
    (found,) = answers("concordance", "--term", "加装电梯", "--sort", "right", "--width", "4")
    assert {line["id"] for line in found["lines"]} == {1, "2", 3}
    assert {line["keyword"] for line in found["lines"]} == {"加装电梯", "加梯"}
    assert answers("newwords") == [{"words": []}]
    (found,) = answers("themes")
    assert found == {"themes": [], "unclassified": [row["id"] for row in TEXTS]} or found["themes"]
    (found,) = answers("cloud", "--top", "3")
    assert len(found["words"]) == 3


def test_pictures_are_written_where_asked(tmp_path: Path) -> None:
    svg, png = tmp_path / "a.svg", tmp_path / "a.png"
    answers("cloud", "--svg", str(svg), "--png", str(png))
    assert svg.read_text(encoding="utf-8").startswith("<svg")
    assert png.read_bytes()[:4] == b"\x89PNG"


def test_further_terms_and_a_draft(tmp_path: Path) -> None:
    terms, draft = tmp_path / "terms.txt", tmp_path / "draft.txt"
    terms.write_text("下不了楼\n", encoding="utf-8")
    draft.write_text("加装电梯\n\n加装电梯\n", encoding="utf-8")
    tokens = answers("segment", "--lexicon", str(terms))[1]["tokens"]
    assert "下不了楼" in tokens
    (table,) = answers("keywords", "--draft", str(draft), "--explain")
    assert table["keywords"][0]["parts"]["draft_rate"] == 1


@pytest.mark.parametrize("command", ["keywords", "duplicates", "themes", "stance", "cloud"])
def test_the_same_input_gives_the_same_bytes(command: str) -> None:
    assert run(command, seed="1") == run(command, seed="2")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("这不是JSON\n", "line 1"),
        ('{"id": 1, "text": "好"}\n{"id": 2}\n', "line 2"),
        ('{"id": 1, "text": 5}\n', "line 1"),
        ('{"id": 1, "text": "好", "title": 3}\n', "title"),
        ('{"id": 1, "text": "好", "group": [1]}\n', "group"),
        ('{"id": 1, "text": "好", "person": true}\n', "person"),
        ("[]\n", "line 1"),
        ('{"id": null, "text": "好"}\n', "id"),
        ('{"id": NaN, "text": "好"}\n', "line 1"),
        ('{"id": -1e400, "text": "好"}\n', "line 1"),
        (
            '{"id": 1, "text": "好"}\n\n{"id": 1, "text": "不"}\n',
            "line 3: the id 1 stands on line 1",
        ),
        ("[" * 100_000, "line 1"),
    ],
)
def test_a_bad_line_is_named(given: str, why: str) -> None:
    status, out, err = run("stance", given=given)
    assert status == 2
    assert why in err
    assert out == ""
    assert "Traceback" not in err


def test_bytes_that_are_no_utf_8_are_named() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "consult.analysis", "segment"],
        cwd=ROOT,
        input=b'{"id": 1, "text": "a"}\n{"id": 2, "text": "\xff"}\n',
        capture_output=True,
    )
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("line 2 is not UTF-8")


AWKWARD = {
    "nothing": "",
    "empty lines": "\n\n",
    "a byte order mark and Windows lines": '\ufeff{"id": 1, "text": "修电梯"}\r\n{"id": 2, "text": "好"}\r\n',
    "no line end": '{"id": 1, "text": "修电梯"}',
    "half surrogate pairs": '{"id": "\\ud800", "text": "\\udfff修电梯\\ud801"}\n',
    "marks alone": '{"id": 1, "text": "👍👍"}\n{"id": 2, "text": "。。。"}\n{"id": 3, "text": "\\u0000\\u200b"}\n',
    "one long line": json.dumps({"id": 1, "text": "建议加装电梯，老人方便。" * 5_000}) + "\n",
}


@pytest.mark.parametrize("given", AWKWARD.values(), ids=AWKWARD)
def test_awkward_input_is_read(
    given: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    def answered(command: str) -> list[Any]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        assert main([command]) == 0
        written = capsysbinary.readouterr()
        assert written.err == b""
        return [json.loads(line) for line in written.out.splitlines()]

    lines = [json.loads(line) for line in given.removeprefix("\ufeff").splitlines() if line]
    assert [("".join(a["tokens"]), a["id"]) for a in answered("segment")] == [
        (line["text"], line["id"]) for line in lines
    ]
    for command in ("keywords", "newwords", "stance", "duplicates", "themes", "cloud"):
        answered(command)


def test_a_group_that_is_not_there_is_refused() -> None:
    status, _, err = run("contrast", "--a", "三")
    assert status == 2
    assert "三" in err


def test_no_texts_give_empty_answers() -> None:
    for command in ("segment", "stance"):
        assert run(command, given="") == (0, "", "")
    for command in ("keywords", "duplicates", "themes", "newwords", "cloud"):
        status, out, _ = run(command, given="")
        assert status == 0
        assert json.loads(out)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_files_that_begin_with_a_mark_are_read_like_others(tmp_path: Path, mark: bytes) -> None:
    """Editors on Windows put it before the first word, which was then no word of any text."""
    file = tmp_path / "words.txt"
    file.write_bytes(mark + "下不了楼\r\n".encode())
    assert "下不了楼" in answers("segment", "--lexicon", str(file))[1]["tokens"]
    with_draft = answers("keywords", "--draft", str(file), "--explain")
    file.write_bytes("下不了楼\n".encode())
    assert answers("keywords", "--draft", str(file), "--explain") == with_draft
