"""Tables brought in by the command: what it says, what it refuses, and what cities really received."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask

from consult.consultations import Consultation
from consult.submissions import SubmissionState
from tests.imports_made import PERSONAL, import_file
from tests.kept import events, stored

pytestmark = pytest.mark.usefixtures("context")

DATA = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data"),
]


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    path = tmp_path / "来信.csv"
    path.write_text("序号,说的话,主题词\n1,加装电梯,电梯\n2,,树\n3,修路,路\n", encoding="gbk")
    return path


MAPS = ("--map", "body=说的话", "--map", "external_id=序号", "--map", "title=主题词")


def test_the_command_prints_one_json_object(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    result = import_file(app, letters, *MAPS, "--json")
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
    again = json.loads(import_file(app, letters, *MAPS, "--json").stdout)
    assert (again["imported"], again["already"]) == (0, 2)


def test_the_command_speaks_to_people_too(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    result = import_file(app, letters, *MAPS)
    said = "共3行：新增2件，已有0件，未导入1行。\n导入编号1，撤销时要用。\n"
    assert result.stdout == said
    assert result.stderr == "第3行：意见内容是空的。\n"


def test_the_command_tries_without_storing(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    before = len(events())
    said = json.loads(import_file(app, letters, *MAPS, "--dry-run", "--json").stdout)
    assert said["imported"] == 2
    assert (stored(), len(events())) == ([], before)


def test_the_command_holds_what_is_personal_when_told(
    app: Flask, tmp_path: Path, consultation: Consultation
) -> None:
    file = tmp_path / "来信.csv"
    file.write_text(PERSONAL, encoding="utf-8")
    maps = ("--map", "body=内容", "--map", "external_id=编号")
    tried = import_file(app, file, *maps, "--hold-personal", "--dry-run", "--json")
    done = import_file(app, file, *maps, "--hold-personal", "--json")
    told = {"rows": 3, "imported": 3, "already": 0, "held": 1, "errors": []}
    assert json.loads(tried.stdout) == json.loads(done.stdout) == told
    waits = {each.external_id for each in stored() if each.state is SubmissionState.PENDING}
    assert waits == {"2"}


def test_the_command_sends_to_the_queue_when_told(
    app: Flask, consultation: Consultation, letters: Path
) -> None:
    import_file(app, letters, *MAPS, "--to-queue")
    assert {each.state for each in stored()} == {SubmissionState.PENDING}


def test_a_field_can_be_left_out_on_the_command_line(
    app: Flask, consultation: Consultation, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("标题,内容\n题,好\n", encoding="utf-8")
    import_file(app, file, "--map", "title=")
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
    result = import_file(app, letters, *words, "--json")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", f"{sentence}\n")
    assert stored() == []


def test_the_command_refuses_an_unknown_consultation_and_an_unreadable_file(
    app: Flask, consultation: Consultation, letters: Path, tmp_path: Path
) -> None:
    result = import_file(app, letters, *MAPS, slug="meiyou")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "没有网址短名为“meiyou”的意见征集。\n"
    broken = tmp_path / "a.xlsx"
    broken.write_bytes(b"PK\x03\x04broken")
    result = import_file(app, broken)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "文件已损坏，请用Excel或WPS打开后另存为 .xlsx 再上传。\n"


@pytest.mark.parametrize("pair", ["body", "anything=说的话", "=说的话"])
def test_a_map_that_is_none_is_refused_with_the_fields_there_are(
    app: Flask, consultation: Consultation, letters: Path, pair: str
) -> None:
    result = import_file(app, letters, "--map", pair)
    assert result.exit_code == 2
    assert "body、title、external_id" in result.stderr


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
        first = json.loads(import_file(app, DATA / name, *words, "--json").stdout)
        assert first["rows"] == rows
        assert first["rows"] == first["imported"] + first["already"] + len(first["errors"])
        again = json.loads(import_file(app, DATA / name, *words, "--json").stdout)
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
