"""The house and its rooms: who may import whom, and what things are called."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OURS = ("core", "consult", "panel")
# A module of this name holds what nobody found a noun for.
NOT_NOUNS = frozenset(
    {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "services"}
    | {"handler", "handlers", "misc", "base", "tools", "models"}
)

# Made of numbers and of what was escaped before: slots of the reader, the words of a comparison,
# the drawn word cloud.
OWN_MARKUP = frozenset(
    {
        "consult/views/comparisons.py",
        "consult/views/drafts.py",
        "consult/views/summary_pages.py",
        "core/views/charts.py",
    }
)


def modules() -> Iterator[Path]:
    """Every Python file of the site."""
    yield ROOT / "app.py"
    for package in OURS:
        yield from sorted((ROOT / package).rglob("*.py"))


def test_the_contracts_between_the_packages_are_kept() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_nobody_imports_the_app() -> None:
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert "app" not in names, path


def test_no_test_module_imports_from_another() -> None:
    # What two of them need stands in a module of its own: see tests/README.md.
    borrowed = re.compile(r"^\s*(?:from|import) tests\.test_", re.MULTILINE)
    tests = sorted((ROOT / "tests").rglob("test_*.py"))
    assert [each.name for each in tests if borrowed.search(each.read_text("utf-8"))] == []


def test_modules_are_named_after_nouns() -> None:
    for path in modules():
        assert not set(path.stem.split("_")) & NOT_NOUNS, path


def test_every_module_says_what_it_holds() -> None:
    for path in modules():
        text = path.read_text(encoding="utf-8")
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_the_clock_is_an_argument() -> None:
    # A bounded wait for the writers' lock is the one thing that cannot be told when it is over.
    sleepers = {"core/sqlite.py"}
    for path in modules():
        found = re.search(
            r"\butcnow\(|datetime\.now\(\)|date\.today\(\)|time\.sleep\(",
            path.read_text(encoding="utf-8"),
        )
        name = path.relative_to(ROOT).as_posix()
        assert found is None or name in sleepers, f"{name}: {found.group() if found else ''}"


def test_operations_never_commit() -> None:
    """Views and commands commit, once; noun modules never do."""
    # Settles who asks before the request begins; prepares a fresh copy before it serves; commits
    # what jobs did; keeps a step with its checkpoint; must have a message on disk as being sent
    # before the first byte leaves; ends one transaction for all who write at the same moment;
    # takes files away after the rows that name them are gone.
    ends_by_itself = {
        "core/accounts.py",
        "app.py",
        "core/housekeeping.py",
        "core/jobs.py",
        "core/outbox.py",
        "core/together.py",
        "panel/upkeep.py",
    }
    for path in modules():
        name = path.relative_to(ROOT).as_posix()
        if "/views/" in name or name.endswith("commands.py") or name in ends_by_itself:
            continue
        assert "session.commit(" not in path.read_text(encoding="utf-8"), name


def test_templates_write_no_code_and_no_style() -> None:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        found = re.search(r"<style|\sstyle=|\son[a-z]+=\"|[^'\s]\s*\|\s*safe\b|autoescape", text)
        assert found is None, f"{path}: {found.group() if found else ''}"


def test_markup_is_made_with_format_only() -> None:
    """`Markup(f"…")` and `Markup(a + b)` would let a person's text through unescaped."""
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "Markup"
                and node.args
            ):
                plain = isinstance(node.args[0], ast.Constant)
                name = path.relative_to(ROOT).as_posix()
                assert plain or name in OWN_MARKUP, (
                    f"{path}:{node.lineno}: Markup of something that is made"
                )
