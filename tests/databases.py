"""Clean databases by the dozen: a template is filled once a run and copied for each test.

A copy is a folder for the site's instance (its secrets belong to what they sealed) and the
address of a database of its own.
"""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from werkzeug.routing import Rule

from app import create_app
from core.db import Base, db
from tests.postgres import Server
from tests.visitor import Visitor, watch

SQLITE_FILE = "wenji.sqlite3"
# Hashing as quick as Argon2 can; that the site's own choice is a slow one is tested by itself.
QUICK_HASHING = {
    "argon2__type": "ID",
    "argon2__memory_cost": 64,
    "argon2__time_cost": 1,
    "argon2__parallelism": 1,
}


COMPILED = FileSystemBytecodeCache()


def _compile_routes_once() -> None:
    """Let all sites of a run share what werkzeug compiles for each route to build its address:
    it takes most of the time a site takes, and there are thousands."""
    compile_builder, made = Rule._compile_builder, {}

    def remembered(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (tuple(rule._trace), repr(rule.defaults), append_unknown)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    Rule._compile_builder = remembered  # type: ignore[method-assign,assignment]


_compile_routes_once()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one copy of the site lives."""

    folder: Path
    url: str

    def site(self, **overrides: Any) -> Flask:
        """The site on this database, watched by the test client."""
        app = create_app(
            {
                "TESTING": True,
                "WTF_CSRF_ENABLED": False,
                "SQLALCHEMY_ENGINES": {"default": {"url": self.url}},
                "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": QUICK_HASHING,
                **overrides,
            },
            instance=str(self.folder),
        )
        # Every test has an application of its own; its templates need not be compiled anew.
        app.jinja_env.bytecode_cache = COMPILED
        app.test_client_class = Visitor
        watch(app)
        return app


def close(app: Flask) -> None:
    """Let go of the database."""
    with app.app_context():
        db.engine.dispose()


class Databases(ABC):
    """Templates by name, and copies of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Place] = {}
        self._count = 0

    def copy(self, template: str, fill: Callable[[Flask], None] | None = None) -> Place:
        """A fresh copy of `template`, which `fill` fills when it is asked for the first time."""
        if template not in self._templates:
            self._templates[template] = self._make(fill)
        source = self._templates[template]
        folder = self._next_folder(template)
        shutil.copytree(
            source.folder, folder, ignore=shutil.ignore_patterns(SQLITE_FILE), dirs_exist_ok=True
        )
        return Place(folder, self.database(folder, source.url))

    def empty(self) -> Place:
        """A folder and a database without any table."""
        folder = self._next_folder("bare")
        return Place(folder, self.database(folder))

    def discard(self, place: Place) -> None:
        """Remove a copy."""
        self.drop(place.url)
        shutil.rmtree(place.folder, ignore_errors=True)

    @abstractmethod
    def database(self, folder: Path, like: str | None = None) -> str:
        """The address of a new database, empty or a copy of another."""

    @abstractmethod
    def drop(self, url: str) -> None:
        """Remove a database."""

    def _make(self, fill: Callable[[Flask], None] | None) -> Place:
        place = self.empty()
        app = place.site()
        with app.app_context():
            Base.metadata.create_all(db.engine)
        if fill is not None:
            fill(app)
        close(app)
        return place

    def _next_folder(self, name: str) -> Path:
        self._count += 1
        folder = self._folder / f"{name}-{self._count}"
        folder.mkdir(parents=True)
        return folder


class SqliteDatabases(Databases):
    """Each database is a file in its site's folder."""

    def database(self, folder: Path, like: str | None = None) -> str:
        """A file that is not there yet, or a copy of one."""
        url = f"sqlite:///{folder / SQLITE_FILE}"
        if like is not None:
            shutil.copy(like.removeprefix("sqlite:///"), folder / SQLITE_FILE)
        return url

    def drop(self, url: str) -> None:
        """Nothing: the file goes with its folder."""


class PostgresDatabases(Databases):
    """Each database is one of a server's."""

    def __init__(self, folder: Path, server: Server) -> None:
        super().__init__(folder)
        self._server = server

    def database(self, _folder: Path, like: str | None = None) -> str:
        """A new database of the server."""
        return self._server.create(like)

    def drop(self, url: str) -> None:
        """Remove it, whoever is connected."""
        self._server.drop(url)
