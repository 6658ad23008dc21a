"""The database's history: up equals the models, down leaves nothing, and data survives the way."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import Script
from flask import Flask

from core.db import Base, db
from core.migrations import history, is_known, is_modelled, is_up_to_date
from tests import world
from tests.conftest import NOON
from tests.databases import Databases, close

VERSIONS = "alembic_version"


@pytest.fixture
def bare(databases: Databases) -> Iterator[Flask]:
    """The site on a database without any table, and outside of any context: Alembic keeps its
    connection, which on SQLite is the writers' queue, until the context ends."""
    place = databases.empty()
    app = place.site(CLOCK=lambda: NOON)
    yield app
    close(app)
    databases.discard(place)


def revisions(app: Flask) -> list[Script]:
    """The history, newest first."""
    with app.app_context():
        return list(history().script_directory.walk_revisions())


def up(app: Flask) -> None:
    """To the newest."""
    with app.app_context():
        history().upgrade()


def down(app: Flask, target: int | str = "base") -> None:
    """To where there was nothing, or by some steps."""
    with app.app_context():
        history().downgrade(target)


def tables(app: Flask) -> set[str]:
    """The tables there are, Alembic's own aside."""
    with app.app_context():
        found = set(sa.inspect(db.engine).get_table_names()) - {VERSIONS}
        return {name for name in found if is_modelled(name, "table", {})}


def differences(app: Flask) -> list[object]:
    """What autogenerate would still change."""
    with app.app_context(), db.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "include_name": is_modelled,
            },
        )
        return list(compare_metadata(context, Base.metadata))


def contents(app: Flask) -> dict[str, int]:
    """How many rows each table has."""
    with app.app_context():
        return {
            table.name: db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
            for table in Base.metadata.sorted_tables
        }


def test_one_history_without_forks(bare: Flask) -> None:
    history = revisions(bare)
    assert sum(each.is_head for each in history) == 1
    for revision in history:
        assert revision.doc, f"{revision.revision} says nothing about itself"


def test_up_is_what_the_models_say(bare: Flask) -> None:
    up(bare)
    assert differences(bare) == []
    assert tables(bare) == set(Base.metadata.tables)


def test_the_rules_of_the_database_are_made_too(bare: Flask) -> None:
    """Autogenerate does not compare checks; their names are compared here."""
    up(bare)
    with bare.app_context():
        inspector = sa.inspect(db.engine)
        for table in Base.metadata.sorted_tables:
            checks = [each for each in table.constraints if isinstance(each, sa.CheckConstraint)]
            found = inspector.get_check_constraints(table.name)
            # A database may cut a long name short.
            assert {str(each.name)[:60] for each in checks} == {
                str(each["name"])[:60] for each in found
            }, table.name


def test_down_leaves_nothing_and_up_again_everything(bare: Flask) -> None:
    up(bare)
    down(bare)
    assert tables(bare) == set()
    up(bare)
    assert differences(bare) == []


def schema(app: Flask) -> dict[str, list[str]]:
    """Everything as the database itself describes it, a line each."""
    with app.app_context():
        inspector = sa.inspect(db.engine)
        described = {
            "column": inspector.get_multi_columns(),
            "index": inspector.get_multi_indexes(),
            "reference": inspector.get_multi_foreign_keys(),
            "check": inspector.get_multi_check_constraints(),
            "unique": inspector.get_multi_unique_constraints(),
        }
        return {
            f"{what} of {table}": sorted(_in_words(each) for each in found)
            for what, of_tables in described.items()
            for (_schema, table), found in of_tables.items()
            if table != VERSIONS
        }


def _in_words(found: Any) -> str:
    # How a condition is written out may differ from one making of a table to the next; its name
    # stands for it. That the conditions are the models', another test says.
    if isinstance(found, dict):
        return str(
            {key: _in_words(value) for key, value in sorted(found.items()) if key != "sqltext"}
        )
    return str(found)


def test_every_step_goes_down_and_up_on_data(bare: Flask) -> None:
    """From the newest to nothing: each step down, up again to what was there, and down for good;
    from some places on the way all the way up. What is put together from such steps holds too."""
    up(bare)
    world.fill(bare)
    before = contents(bare)
    assert before["submission"] > 40
    steps = len(revisions(bare))
    for done in range(steps):
        was = schema(bare)
        down(bare, -1)
        if done and done % 8 == 0:
            up(bare)
            assert differences(bare) == []
            down(bare, -1 - done)
        else:
            with bare.app_context():
                history().upgrade("+1")
            assert schema(bare) == was
            down(bare, -1)
    assert tables(bare) == set()


def test_a_contact_was_agreed_to_with_its_opinion(bare: Flask) -> None:
    """Before contacts said to which text their owners agreed, only opinions did."""
    up(bare)
    world.fill(bare)
    down(bare, "0044")
    with bare.app_context():
        # One with its consent, and a letter that was typed in.
        first, letter = db.session.scalars(
            sa.text("SELECT id FROM submission ORDER BY id LIMIT 2")
        ).all()
        consents = {first: "2020-1", letter: ""}
        db.session.execute(sa.text("DELETE FROM contact"))
        for id, consent in consents.items():
            row = {"id": id, "consent": consent, "sealed": b"sealed", "day": NOON.date()}
            db.session.execute(
                sa.text("UPDATE submission SET consent = :consent WHERE id = :id"), row
            )
            db.session.execute(
                sa.text("INSERT INTO contact VALUES (:id, :sealed, :day)").bindparams(
                    sa.bindparam("day", type_=sa.Date())
                ),
                row,
            )
        db.session.commit()
    up(bare)
    with bare.app_context():
        rows = db.session.execute(sa.text("SELECT submission_id, consent FROM contact")).all()
    assert {row.submission_id: row.consent for row in rows} == consents


def test_the_site_works_on_a_migrated_database(bare: Flask) -> None:
    with bare.app_context():
        assert not is_up_to_date()
    up(bare)
    with bare.app_context():
        assert is_up_to_date()
    world.fill(bare)
    client = world.sign_in(bare, "administrator")
    for address in ("/", f"/consultations/{world.OPEN}/draft", "/desk/", "/desk/screening"):
        assert client.get(address).status_code == 200


def test_the_files_are_numbered_as_the_history_goes(bare: Flask) -> None:
    """A start asks the names of the files whether anything is missing, and does without Alembic."""
    numbers = [each.revision for each in revisions(bare)]
    assert numbers == sorted(numbers, reverse=True)
    assert all(map(is_known, numbers))
    assert not is_known("9999")
