"""When what the site stands on fails: a full disk, a sync that does not succeed, a database that is
away. Nothing that was acknowledged is lost, nothing is there twice, and whoever wrote is told to send
again with the words still there. What a killed worker leaves is tried in `journeys/test_server.py`."""

import errno
import io
import os
from typing import NoReturn

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from consult.submissions import Submission
from core.db import db
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.databases import Databases, close

BODY = "建议在菜场门口加装雨棚和长椅，方便老人等候。"
COMMENT = "/consultations/gangyao/comment?v=1&on=2"


@pytest.fixture
def opened(app: Flask) -> Flask:
    """A site with one open consultation and its published draft."""
    with app.app_context():
        a_published_draft(a_consultation("gangyao"))
    return app


def comment(client: FlaskClient) -> TestResponse:
    """Send an opinion, always the same one."""
    return client.post(COMMENT, data={"body": BODY, "consent": "y", "form_key": "k" * 20})


def kept(app: Flask) -> int:
    """How many opinions are there."""
    with app.app_context():
        return db.session.scalar(sa.select(sa.func.count()).select_from(Submission)) or 0


def is_told_to_send_again(answer: TestResponse) -> None:
    """The right code, when to come again, and the words to copy."""
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert BODY in answer.get_data(as_text=True)


def no_space(*_args: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_database_takes_nothing_and_is_still_read(opened: Flask) -> None:
    client = opened.test_client()
    with opened.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL has no bound of its own on a database")
        here = db.session.scalar(sa.text("PRAGMA page_count"))

        @sa.event.listens_for(db.engine, "checkout")
        def full(connection: object, *_rest: object) -> None:
            connection.execute(f"PRAGMA max_page_count = {here}")  # type: ignore[attr-defined]

        db.engine.dispose()
        engine = db.engine
    # Until the free pages are used up, sending succeeds.
    answers = []
    for number in range(200):
        data = {"body": BODY + "很长的话。" * 300, "consent": "y", "form_key": f"key-{number:016}"}
        answers.append(client.post(COMMENT, data=data))
        if answers[-1].status_code != 302:
            break
    is_told_to_send_again(answers[-1])
    assert kept(opened) == len(answers) - 1
    assert client.get("/consultations/gangyao/draft").status_code == 200
    sa.event.remove(engine, "checkout", full)
    engine.dispose()
    assert comment(client).status_code == 302
    assert kept(opened) == len(answers)


def test_what_is_not_on_disk_is_not_acknowledged(
    opened: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = opened.test_client()
    with opened.app_context():
        if db.engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL syncs for itself")
    with monkeypatch.context() as broken:
        broken.setattr(os, "fdatasync", no_space)
        is_told_to_send_again(comment(client))
    # Sending again is safe whether or not the first was kept.
    assert comment(client).status_code == 302
    assert kept(opened) == 1


def test_a_file_that_finds_no_room_is_sent_again(
    opened: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened.app_context():
        officer = people.make("drc_staff").email
        db.session.close()
    people.sign_in(client, officer)
    file = (io.BytesIO("意见\n多种树\n".encode()), "letters.csv")
    data = {"consultation": "1", "channel": "letter", "file": file}
    with monkeypatch.context() as broken:
        # Whatever wants to be opened now: the file itself, and SQLite's queue of writers.
        broken.setattr(os, "open", no_space)
        answer = client.post("/desk/intake", data=data)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    # Nobody holds the queue for ever.
    assert comment(opened.test_client()).status_code == 302


def test_connections_that_were_cut_are_made_again(opened: Flask) -> None:
    client = opened.test_client()
    with opened.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("SQLite has no connection to cut")
        comment(client)
        with db.engine.connect() as other:
            db.session.close()
            # It waits until they are gone: told alone, they may live to answer once more.
            cut = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            mine = "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            other.execute(sa.text(f"{cut} {mine}"))
    assert {client.get("/").status_code for _again in range(3)} <= {200, 503}
    assert client.get("/").status_code == 200
    assert comment(client).status_code == 302
    assert kept(opened) == 1


def test_who_is_signed_in_is_told_so_too(opened: Flask, client: FlaskClient) -> None:
    with opened.app_context():
        officer = people.make("drc_staff").email
        db.session.close()
        engine = db.engine
    people.sign_in(client, officer)

    def away(*_args: object) -> NoReturn:
        raise engine.dialect.loaded_dbapi.OperationalError("away")

    sa.event.listen(engine, "do_connect", away)
    engine.dispose()
    is_told_to_send_again(comment(client))
    assert client.get("/desk/").status_code == 503
    sa.event.remove(engine, "do_connect", away)
    # Nobody was signed out by it.
    assert client.get("/desk/").status_code == 200
    assert comment(client).status_code == 302


def test_a_database_that_is_away_is_a_page_that_says_so(databases: Databases) -> None:
    place = databases.copy("tables")
    app = place.site(CLOCK=lambda: NOON)
    with app.app_context():
        kind, url = db.engine.dialect.name, db.engine.url
    close(app)
    away = url.set(port=1) if kind == "postgresql" else url.set(database="/nowhere/wenji.sqlite3")
    app = place.site(
        CLOCK=lambda: NOON,
        SQLALCHEMY_ENGINES={"default": {"url": away.render_as_string(hide_password=False)}},
    )
    client = app.test_client()
    client.checks = False
    for path in ("/", "/consultations/", "/search?q=养老"):
        answer = client.get(path)
        assert answer.status_code == 503, path
        assert answer.headers["Retry-After"]
        assert "请" in answer.get_data(as_text=True)
        assert "/nowhere" not in answer.get_data(as_text=True)
    close(app)
    databases.discard(place)
