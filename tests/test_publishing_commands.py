"""`drafts import` and `consultations …`: what they print, what they store, how they refuse."""

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from consult import consultations, drafts
from consult.consultations import Phase
from core.db import db
from tests.consultations_made import a_consultation, a_prepared_draft, a_programme

pytestmark = pytest.mark.usefixtures("context")

TEXT = "规划纲要\n\n第一章 总则\n坚持人民城市人民建。\n建设15分钟生活圈。\n第三章 附则\n由区发展改革委解释。\n"


def run(app: Flask, *words: str) -> Result:
    """Run a command as a shell would."""
    db.session.commit()
    result = app.test_cli_runner().invoke(args=list(words))
    db.session.expire_all()
    return result


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A plain text draft: 2 chapters, 3 paragraphs."""
    path = tmp_path / "纲要.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_import_prints_one_json_object_with_its_counts(app: Flask, file: str) -> None:
    consultation = a_consultation(phase=Phase.PREPARING)
    result = run(
        app, "drafts", "import", file, "--consultation", "gangyao", "--title", "纲要", "--json"
    )
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert list(said) == ["draft", "sections", "paragraphs", "warnings"]
    assert (said["sections"], said["paragraphs"]) == (2, 3)
    draft = drafts.of(consultation)
    assert draft is not None
    assert (said["draft"], draft.title) == (draft.id, "纲要")
    assert drafts.published(consultation) is None


def test_import_may_publish_at_once(app: Flask, file: str) -> None:
    consultation = a_consultation(phase=Phase.PREPARING)
    result = run(app, "drafts", "import", file, "--consultation", "gangyao", "--publish")
    assert result.exit_code == 0, result.output
    assert "第1稿：2个标题、3段正文，已发布" in result.stdout
    version = drafts.published(consultation)
    assert version is not None
    assert version.draft.title == "规划纲要"


def test_import_refuses_in_a_sentence_on_standard_error(
    app: Flask, file: str, tmp_path: Path
) -> None:
    consultation = a_consultation(phase=Phase.PREPARING)
    broken = tmp_path / "a.docx"
    broken.write_bytes(b"PK\x03\x04")
    for path, slug, sentence in (
        (file, "none", "没有网址短名为“none”的意见征集。"),
        (str(tmp_path / "none.txt"), "gangyao", "没有找到文件“none.txt”。"),
        (str(tmp_path), "gangyao", "没有找到文件"),
        (str(broken), "gangyao", "。"),
    ):
        result = run(app, "drafts", "import", path, "--consultation", slug, "--json")
        assert result.exit_code == 1
        assert result.stdout == ""
        assert sentence in result.stderr
    assert drafts.of(consultation) is None


def test_a_second_import_waits_for_the_first(app: Flask, file: str) -> None:
    a_prepared_draft(a_consultation(phase=Phase.PREPARING))
    result = run(app, "drafts", "import", file, "--consultation", "gangyao", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "上一稿还没有发布" in result.stderr


def test_list_says_slug_title_and_state(app: Flask) -> None:
    assert json.loads(run(app, "consultations", "list", "--json").stdout) == []
    for phase in Phase:
        a_consultation(phase.value, phase=phase, title=f"标题{phase.value}")
    said = json.loads(run(app, "consultations", "list", "--json").stdout)
    assert sorted(said, key=lambda c: str(c["slug"])) == [
        {"slug": name, "title": f"标题{name}", "state": name}
        for name in ("answered", "closed", "open", "preparing", "upcoming")
    ]
    table = run(app, "consultations", "list").stdout
    assert "征集中" in table
    assert "2020年11月14日（星期六） 24:00" in table


def test_from_nothing_to_an_announced_and_extended_consultation(app: Flask, file: str) -> None:
    a_programme("plan-14")
    words = ["--explanation", "说明", "--ways", "来信", "--contact", "电话"]
    window = ["--first", "2020-11-01", "--last", "2020-11-30"]
    place = ["--programme", "plan-14", "--stage", "drafting"]
    made = run(
        app, "consultations", "create", "--slug", "s1", "--title", "征求", *place, *words, *window
    )
    assert made.exit_code == 0, made.output
    early = run(app, "consultations", "announce", "s1")
    assert (early.exit_code, early.stderr) == (1, "还没有发布文稿。\n")
    run(app, "drafts", "import", file, "--consultation", "s1")
    assert run(app, "drafts", "publish", "--consultation", "s1").exit_code == 0
    announced = run(app, "consultations", "announce", "s1")
    assert announced.stdout == "预告，2020年11月30日（星期一） 24:00截止。\n"
    earlier = run(app, "consultations", "extend", "s1", "--last", "2020-11-29", "--reason", "急")
    assert (earlier.exit_code, earlier.stdout) == (1, "")
    later = run(app, "consultations", "extend", "s1", "--last", "2020-12-10", "--reason", "应要求")
    assert later.exit_code == 0
    found = consultations.by_slug("s1")
    assert found is not None
    assert found.last_day == dt.date(2020, 12, 10)


def test_create_refuses_what_does_not_exist(app: Flask) -> None:
    a_programme("plan-14")
    base = ["consultations", "create", "--slug", "s1", "--title", "征求"]
    for more in (
        ["--programme", "none", "--stage", "drafting"],
        ["--programme", "plan-14", "--stage", "none"],
        ["--programme", "plan-14", "--stage", "drafting", "--unit", "none"],
    ):
        result = run(app, *base, *more)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.endswith("。\n")
    assert consultations.by_slug("s1") is None
