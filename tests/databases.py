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

import sqlalchemy as sa
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
# The SQL of all sites of a run, each of which has an engine of its own.
STATEMENTS = sa.util.LRUCache[Any, Any](4000)


def _share_statements() -> None:
    """Let a statement that was compiled for one site's engine be found by all others: dialects of
    one kind, on one server, write the same words."""
    dialect = sa.engine.default.DefaultDialect
    dialect.__eq__ = lambda one, other: type(one) is type(other)  # type: ignore[method-assign]
    dialect.__hash__ = lambda one: hash(type(one))  # type: ignore[method-assign]


_share_statements()


def _compile_routes_once() -> None:
    """Let all sites of a run share what werkzeug works out for each route: it takes most of the
    time a site takes, and there are thousands."""
    compile_rule, made = Rule.compile, dict[tuple[object, ...], dict[str, Any]]()
    builders = ("_build", "_build_unknown")

    def remembered(rule: Rule) -> None:
        of_map = rule.map
        assert of_map is not None
        key = (
            rule.rule,
            rule.host if of_map.host_matching else rule.subdomain,
            rule.merge_slashes,
            repr(rule.defaults),
            *of_map.converters.values(),
        )
        if key not in made:
            compile_rule(rule)
            found = {name: getattr(rule, name).__func__ for name in builders}
            made[key] = found | {
                name: getattr(rule, name) for name in ("_parts", "_trace", "_converters")
            }
            return
        for name, value in made[key].items():
            setattr(rule, name, value.__get__(rule, None) if name in builders else value)
        rule.arguments.update(rule._converters)

    Rule.compile = remembered  # type: ignore[method-assign]  # the class's own, in tests only


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
        with app.app_context():
            # Nothing public gives an engine a cache it shares with others.
            db.engine._compiled_cache = STATEMENTS
        watch(app)
        return app


def close(app: Flask) -> None:
    """Let go of the database."""
    with app.app_context():
        db.engine.dispose()


# The name of a template and what fills it, for `Databases.copy`.
Filling = tuple[str, Callable[[Flask], None] | None]
EMPTY: Filling = ("tables", None)


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
