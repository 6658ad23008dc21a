"""What every test stands on: an application with a fresh database and a clock that obeys.

The suite runs on SQLite, and with `--database=postgres` on a real PostgreSQL: an embedded one, or
the one that DATABASE_URL names. How it all hangs together: `tests/README.md`.
"""

import datetime as dt
import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.globals import _cv_app
from flask.testing import FlaskClient
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers

from tests import postgres
from tests.databases import EMPTY, Databases, Filling, PostgresDatabases, SqliteDatabases, close

NOON = dt.datetime(2020, 10, 20, 4, 0, tzinfo=dt.UTC)
SERVER = pytest.StashKey[str]()
WHY_NOT = pytest.StashKey[str]()
# Tests that take more than a minute of a quiet machine, or wait as long for a server.
LONGEST = ("test_canary.py", "test_worker_beside.py")

settings.register_profile(
    "wenji",
    deadline=None,
    max_examples=30,
    # The same examples each time: what was green here is green in CI, too.
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# Nor may they hang upon which modules this process has loaded: hypothesis would look through ours
# for constants to try.
providers._get_local_constants = providers.Constants  # type: ignore[assignment]  # none are local

# Other examples each time, and many of them: --hypothesis-profile=explore.
settings.register_profile(
    "explore", settings.get_profile("wenji"), derandomize=False, max_examples=500
)
settings.load_profile("wenji")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **parts: float) -> None:
        """Move on by a timedelta's keyword arguments."""
        self.at += dt.timedelta(**parts)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgres"),
        default="sqlite",
        help="what to run on; DATABASE_URL, when it names a PostgreSQL, decides",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.import_plugin("tests.fixtures")
    config.addinivalue_line("markers", "pure: asks for no database; given by itself")
    config.addinivalue_line("markers", "once: proves nothing about a database; on SQLite alone")
    # Taken away, so that no site made by a test finds it by itself.
    given = os.environ.pop("DATABASE_URL", "")
    told = getattr(config, "workerinput", None)
    if told is not None:
        config.stash[SERVER], config.stash[WHY_NOT] = told["server"], told["why_not"]
        return
    config.stash[SERVER] = config.stash[WHY_NOT] = ""
    if given.startswith(("postgres://", "postgresql")):
        config.stash[SERVER] = "postgresql://" + given.split("://", 1)[1]
    elif config.getoption("--database") == "postgres":
        try:
            config.stash[SERVER] = postgres.start()
        except postgres.NoPostgres as why:
            config.stash[WHY_NOT] = str(why)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker which server to use."""
    node.workerinput["server"] = node.config.stash[SERVER]
    node.workerinput["why_not"] = node.config.stash[WHY_NOT]


def pytest_report_header(config: pytest.Config) -> str:
    if config.stash[WHY_NOT]:
        return f"database: none, every test is skipped: {config.stash[WHY_NOT]}"
    return f"database: {config.stash[SERVER] or 'SQLite'}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if "databases" not in getattr(item, "fixturenames", ()):
            item.add_marker("pure")
    # What takes longest begins first, so that no process waits for another's at the end; journeys
    # stay together, because each process that makes one starts a server of its own for it.
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONGEST))
    items.sort(key=lambda item: item.path.parent.name != "journeys")
    if config.stash[WHY_NOT]:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=config.stash[WHY_NOT]))


def pytest_collection_finish() -> None:
    """What has been loaded by now stays; to look through it for rubbish over and over takes a
    tenth of the time of every test."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Where clean databases come from."""
    # In memory, where there is enough: every deed waits until it is written down.
    place = tempfile.TemporaryDirectory(
        prefix="wenji-sites-", dir=postgres.quickest_place(), ignore_cleanup_errors=True
    )
    url = request.config.stash[SERVER]
    with place as folder:
        if not url:
            yield SqliteDatabases(Path(folder))
            return
        server = postgres.Server(url, os.environ.get("PYTEST_XDIST_WORKER", "main"))
        yield PostgresDatabases(Path(folder), server)
        server.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def filling() -> Filling:
    """What the site of a test begins with: nothing. A module whose tests all begin with the same
    things has a fixture of this name that says so, and they are made once a process."""
    return EMPTY


@pytest.fixture
def app(databases: Databases, clock: Clock, filling: Filling) -> Iterator[Flask]:
    """The site, with an empty database or the `filling` of the module."""
    place = databases.copy(*filling)
    app = place.site(CLOCK=clock)
    yield app
    _leave_contexts()
    close(app)
    databases.discard(place)


def _leave_contexts() -> None:
    """End the contexts that a test pushed and left, with the sessions they hold."""
    while (context := _cv_app.get(None)) is not None:
        context.pop()


@pytest.fixture(autouse=True)
def clean_start() -> None:
    """What an earlier test left pushed, a command in this one would take for its own site."""
    _leave_contexts()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who has not signed in, and who looks closely at every page."""
    return app.test_client()
