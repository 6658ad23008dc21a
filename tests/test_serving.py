"""What is made ready before the web server's workers part."""

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from core import languages, migrations, serving
from core.db import db
from tests import people
from tests.databases import Databases, close


def test_the_first_readers_compile_nothing(app: Flask) -> None:
    serving.warm(app)
    kept = list((Path(app.instance_path) / "templates").glob("*.cache"))
    assert len(kept) > 100
    assert app.jinja_env.cache is not None
    assert len(app.jinja_env.cache) >= len(kept)


def test_what_was_compiled_is_read_at_the_next_start(app: Flask) -> None:
    serving.warm(app)
    compiled = []

    class Watching(BytecodeCache):
        def load_bytecode(self, bucket: Bucket) -> None:
            cache.load_bytecode(bucket)

        def dump_bytecode(self, bucket: Bucket) -> None:
            compiled.append(bucket.key)

    cache = app.jinja_env.bytecode_cache
    assert cache is not None
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    app.jinja_env.bytecode_cache = Watching()
    app.jinja_env.get_template("base.html")
    assert compiled == []


def test_no_start_waits_for_what_no_first_page_needs(databases: Databases) -> None:
    """Each of these took a fiftieth of the start or more, or tens of megabytes of every process."""
    heavy = {"PIL", "alembic", "docx", "icalendar", "jieba", "markdown_it", "pypinyin"}
    heavy |= {
        "qrcode",
        "rjieba",
        "scipy.sparse",
        "scipy.special",
        "wordcloud",
        "xlsxwriter",
        "yaml",
    }
    # What is only for the command line, and what loads the example.
    heavy |= {f"{package}.commands" for package in ("core", "consult", "panel")}
    heavy |= {"core.backups", "consult.programme_files"}
    place = databases.copy("tables")
    if place.url.startswith("sqlite"):
        heavy.add("sqlalchemy.dialects.postgresql")
    app = place.site()
    with app.app_context():
        people.make("administrator")
        db.session.execute(sa.text(f"CREATE TABLE {migrations.VERSION} (version_num VARCHAR(32))"))
        newest = max(path.name[:4] for path in Path(migrations.__file__).parent.glob("0*.py"))
        db.session.execute(sa.text(f"INSERT INTO {migrations.VERSION} VALUES ('{newest}')"))
        db.session.commit()
    close(app)
    script = (
        "import sys, app; site = app.create_app(instance=sys.argv[1]);"
        "app.prepare(site); app.serving.warm(site); print(*sys.modules)"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, str(place.folder)],
        cwd=Path(serving.__file__).parents[1],
        env=os.environ | {"DATABASE_URL": place.url},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    databases.discard(place)
    loaded = set(told.stdout.split())
    assert "consult.views.home" in loaded
    assert heavy & loaded == set()


def test_what_is_done_aside_leaves_nothing_behind_but_its_deed(tmp_path: Path) -> None:
    kept: list[str] = []

    def work() -> None:
        kept.append("in the other process")
        (tmp_path / "deed").write_text("done", encoding="utf-8")

    serving.aside(work)
    assert (tmp_path / "deed").read_text(encoding="utf-8") == "done"
    assert kept == []


def test_what_is_done_meanwhile_is_done_here_while_the_other_process_works() -> None:
    """Each waits for the other; were one done before or after the other, both would wait in vain."""
    begun, go_on = os.pipe(), os.pipe()
    here: list[int] = []

    def work() -> None:
        os.write(begun[1], b".")
        assert select.select(go_on[:1], [], [], 60)[0]

    def meanwhile() -> None:
        assert select.select(begun[:1], [], [], 60)[0]
        here.append(os.getpid())
        os.write(go_on[1], b".")

    serving.aside(work, meanwhile)
    for end in (*begun, *go_on):
        os.close(end)
    assert here == [os.getpid()]


def test_who_fails_aside_ends_the_start(capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        raise RuntimeError("no room on the disk")

    with pytest.raises(SystemExit):
        serving.aside(work)
    assert "no room on the disk" in capfd.readouterr().err


def test_the_english_words_are_read_from_the_text_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving.warm(app)
    words = languages.catalogue().gettext("首页")
    monkeypatch.setattr(languages, "_compiled", lambda _text: pytest.fail("read once more"))
    serving.warm(app)
    assert languages.catalogue().gettext("首页") == words == "Home"
