"""The database's history, up and down. Revisions live in this folder; Alembic runs them."""

from flask import Flask
from flask_alembic import Alembic

from core.db import Base

alembic = Alembic(metadatas=Base.metadata)


def init_migrations(app: Flask) -> None:
    """Attach Alembic to `app`; `flask db upgrade` and friends come with it."""
    alembic.init_app(app)
