"""The database's history, up and down. Revisions live in this folder; Alembic runs them."""

import logging
from typing import Any, Literal

import sqlalchemy as sa
from flask import Flask
from flask_alembic import Alembic

from core import postings
from core.db import Base, UtcDateTime, db

# Where Alembic keeps the revision.
VERSION = "alembic_version"

alembic = Alembic(metadatas=Base.metadata)


def init_migrations(app: Flask) -> None:
    """Attach Alembic to `app`; `flask db upgrade` and friends come with it."""
    app.config["ALEMBIC_CONTEXT"] |= {"render_item": _render, "include_name": is_modelled}
    alembic.init_app(app)
    # One line a revision is the operator's business only when something goes wrong.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def bring_up_to_date(app: Flask, *, target: str = "heads") -> None:
    """Run what is missing, up to `target`, in a context of its own: Alembic's connection, which on SQLite holds
    the writers' queue, is given back when that context ends."""
    with app.app_context():
        alembic.upgrade(target)


def revision() -> str:
    """Where the database stands; "" for one that no revision has made. Alembic's own way to ask
    would hold on to its connection."""
    if not sa.inspect(db.engine).has_table(VERSION):
        return ""
    return db.session.scalar(sa.text(f"SELECT version_num FROM {VERSION}")) or ""


def is_known(wanted: str) -> bool:
    """Whether this code has such a revision."""
    return wanted in {each.revision for each in alembic.script_directory.walk_revisions()}


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """Whether a name that the database knows is one of the models': the tables in which
    `core/postings.py` keeps its lists are not."""
    return kind != "table" or not (name or "").startswith(postings.NAME)


def _render(kind: str, thing: Any, context: Any) -> str | Literal[False]:
    # A revision must stand when our types have long changed: it names the database's own.
    return "sa.DateTime(timezone=True)" if isinstance(thing, UtcDateTime) else False
