"""The database's history, up and down. Revisions live in this folder; Alembic runs them."""

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import ScriptInfo

from core import postings
from core.db import Base, UtcDateTime, db

if TYPE_CHECKING:
    from flask_alembic import Alembic

# Where Alembic keeps the revision.
VERSION = "alembic_version"


def init_migrations(app: Flask) -> None:
    """Make the history of this database known to `app`, and give it `flask db upgrade` and friends."""
    app.config["ALEMBIC_CONTEXT"] |= {"render_item": _render, "include_name": is_modelled}
    app.cli.add_command(_Commands("db", help="数据库的版本：升级、回退、查看。"))


def history() -> "Alembic":
    """Alembic for the application at hand. Loaded when first asked for, because a start that finds
    everything up to date can do without (0.2 s, 9 MB)."""
    known: Alembic | None = current_app.extensions.get("alembic")
    if known is not None:
        return known
    import flask_alembic  # noqa: PLC0415

    made = flask_alembic.Alembic(metadatas=Base.metadata, command_name="")
    made.init_app(current_app._get_current_object())  # type: ignore[attr-defined]  # how Flask documents it
    # One line a revision is the operator's business only when something goes wrong.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return made


def bring_up_to_date(app: Flask, *, target: str = "heads") -> None:
    """Run what is missing, up to `target`, in a context of its own: Alembic's connection, which on SQLite holds
    the writers' queue, is given back when that context ends."""
    with app.app_context():
        if target != "heads" or not is_up_to_date():
            history().upgrade(target)


def is_up_to_date() -> bool:
    """Whether the database at hand is at the newest revision."""
    try:
        return revision() == max(_numbers())
    finally:
        db.session.close()


def revision() -> str:
    """Where the database stands; "" for one that no revision has made. Alembic's own way to ask
    would hold on to its connection."""
    if not sa.inspect(db.engine).has_table(VERSION):
        return ""
    return db.session.scalar(sa.text(f"SELECT version_num FROM {VERSION}")) or ""


def is_known(wanted: str) -> bool:
    """Whether this code has such a revision."""
    return wanted in _numbers()


@cache
def _numbers() -> frozenset[str]:
    """Every revision, as its file is called: they come one after the other."""
    return frozenset(path.name[:4] for path in Path(__file__).parent.glob("[0-9]*.py"))


class _Commands(click.Group):
    """Alembic's commands, for who asks for them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """What can be asked for."""
        return _commands(ctx).list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them."""
        return _commands(ctx).get_command(ctx, cmd_name)


def _commands(ctx: click.Context) -> click.Group:
    with ctx.ensure_object(ScriptInfo).load_app().app_context():
        history()
    from flask_alembic.cli import cli  # noqa: PLC0415

    found: click.Group = cli
    return found


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a name that the database knows is one of the models': the tables in which
    `core/postings.py` keeps its lists are not."""
    return kind != "table" or not (name or "").startswith(postings.NAME)


def _render(kind: str, thing: Any, context: Any) -> str | Literal[False]:
    # A revision must stand when our types have long changed: it names the database's own.
    return "sa.DateTime(timezone=True)" if isinstance(thing, UtcDateTime) else False
