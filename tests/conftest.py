"""What every test stands on: an application with a fresh database and a clock that obeys."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from core.db import Base, db

NOON = dt.datetime(2020, 10, 20, 4, 0, tzinfo=dt.UTC)


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> dt.datetime:
        return self.at

    def forward(self, **parts: float) -> None:
        """Move on by a timedelta's keyword arguments."""
        self.at += dt.timedelta(**parts)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app({"TESTING": True}, instance=str(folder))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.engine.dispose()
    return folder / "wenji.sqlite3"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, empty_database: Path, clock: Clock) -> Iterator[Flask]:
    """The site with an empty database."""
    shutil.copy(empty_database, tmp_path / "wenji.sqlite3")
    app = create_app(
        {"TESTING": True, "WTF_CSRF_ENABLED": False, "CLOCK": clock}, instance=str(tmp_path)
    )
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor who has not signed in."""
    return app.test_client()
