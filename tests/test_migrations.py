"""The database's history: up equals the models, down leaves nothing, and data survives the way."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask

from core.db import Base, db
from core.migrations import alembic
from tests import world
from tests.conftest import NOON
from tests.databases import Databases, close

VERSIONS = "alembic_version"


@pytest.fixture
def bare(databases: Databases) -> Iterator[Flask]:
    """The site on a database without any table, in its context."""
    place = databases.empty()
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        if not list(alembic.script_directory.walk_revisions()):
            pytest.skip("no revision has been written yet")
        yield app
        db.session.rollback()
    close(app)
    databases.discard(place)


def tables() -> set[str]:
    """The tables there are, Alembic's own aside."""
    return set(sa.inspect(db.engine).get_table_names()) - {VERSIONS}


def differences() -> list[object]:
    """What autogenerate would still change."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        return list(compare_metadata(context, Base.metadata))


def test_one_history_without_forks(bare: Flask) -> None:
    assert len(alembic.heads()) == 1
    for revision in alembic.script_directory.walk_revisions():
        assert revision.doc, f"{revision.revision} says nothing about itself"


def test_up_is_what_the_models_say(bare: Flask) -> None:
    alembic.upgrade()
    assert differences() == []
    assert tables() == set(Base.metadata.tables)


def test_the_rules_of_the_database_are_made_too(bare: Flask) -> None:
    """Autogenerate does not compare checks; their names are compared here."""
    alembic.upgrade()
    inspector = sa.inspect(db.engine)
    for table in Base.metadata.sorted_tables:
        wanted = {each.name for each in table.constraints if isinstance(each, sa.CheckConstraint)}
        found = {each["name"] for each in inspector.get_check_constraints(table.name)}
        # A database may cut a long name short.
        assert {str(name)[:60] for name in wanted} == {str(name)[:60] for name in found}, table.name


def test_down_leaves_nothing_and_up_again_everything(bare: Flask) -> None:
    alembic.upgrade()
    alembic.downgrade("base")
    assert tables() == set()
    assert db.session.scalar(sa.text(f"SELECT count(*) FROM {VERSIONS}")) == 0
    db.session.rollback()
    alembic.upgrade()
    assert differences() == []


def test_every_step_goes_down_and_up_on_data(bare: Flask) -> None:
    alembic.upgrade()
    world.fill(bare)
    before = _contents()
    assert before["submission"] > 40
    for steps in range(1, len(list(alembic.script_directory.walk_revisions()))):
        alembic.downgrade(-steps)
        alembic.upgrade()
        assert differences() == []
    assert _contents() == before
    db.session.rollback()
    alembic.downgrade("base")
    assert tables() == set()


def test_the_site_works_on_a_migrated_database(bare: Flask) -> None:
    alembic.upgrade()
    world.fill(bare)
    db.session.rollback()
    client = world.sign_in(bare, "administrator")
    for address in ("/", f"/consultations/{world.OPEN}/draft", "/desk/", "/desk/screening"):
        assert client.get(address).status_code == 200


def _contents() -> dict[str, int]:
    found = {
        table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table))
        for table in Base.metadata.sorted_tables
    }
    db.session.rollback()
    return {name: count or 0 for name, count in found.items()}
