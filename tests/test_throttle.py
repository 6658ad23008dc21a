"""Guessing is slowed: by name, by network, exactly, and without shutting the owner out."""

import datetime as dt
import re
import threading
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from core import signing_in, throttle
from core.db import db
from core.throttle import ThrottleCount
from tests import people
from tests.conftest import NOON, Clock


@pytest.mark.usefixtures("context")
def test_the_limit_is_exact_and_opens_again_with_the_next_window() -> None:
    window = dt.timedelta(minutes=10)
    hits = [throttle.hit("a", limit=3, window=window, now=NOON) for _ in range(5)]
    assert hits == [True, True, True, False, False]
    later = NOON + window - dt.timedelta(seconds=1)
    assert not throttle.hit("a", limit=3, window=window, now=later)
    assert throttle.hit("a", limit=3, window=window, now=NOON + window)
    assert throttle.count("a", now=NOON + window) == 1
    throttle.forget("a")
    assert throttle.count("a", now=NOON + window) == 0


@pytest.mark.usefixtures("context")
def test_the_counter_keeps_no_address_and_forgets_what_is_over() -> None:
    for number in range(5):
        throttle.hit(f"x:192.0.2.{number}", limit=3, window=throttle.HOUR, now=NOON)
    rows = db.session.scalars(sa.select(ThrottleCount.key_hash)).all()
    assert all(re.fullmatch("[0-9a-f]{64}", row) for row in rows)
    throttle.hit("y", limit=3, window=throttle.HOUR, now=NOON + throttle.HOUR)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ThrottleCount)) == 1


def test_the_counter_is_exact_when_many_try_at_once(app: Flask) -> None:
    answers: list[bool] = []

    def one_try() -> None:
        with app.app_context():
            answers.append(throttle.hit("many", limit=7, window=throttle.HOUR, now=NOON))
            db.session.commit()

    threads = [threading.Thread(target=one_try) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(True) == 7


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::"),
        (None, ""),
        ("nonsense", ""),
    ],
)
def test_one_subscriber_is_one_network(address: str | None, network: str) -> None:
    assert throttle.network(address) == network


def attempt(client: FlaskClient, email: str, password: str, address: str) -> int:
    response = client.post(
        "/sign-in",
        data={"email": email, "password": password},
        environ_overrides={"REMOTE_ADDR": address},
    )
    return response.status_code


def test_guessing_is_slowed_and_the_owner_elsewhere_is_not_locked_out(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    tries = [attempt(client, person.email, "wrong", "192.0.2.1") for _ in range(12)]
    assert tries == [422] * signing_in.TRIES_AT_ONE_ACCOUNT + [429] * 2
    assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 429
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    clock.forward(minutes=15)
    assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 303


def test_an_unknown_name_is_throttled_like_a_known_one(client: FlaskClient) -> None:
    tries = [attempt(client, "nobody@example.invalid", "wrong", "192.0.2.1") for _ in range(11)]
    assert tries[-1] == 429


def test_one_network_cannot_try_a_password_on_everybody(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_FROM_ONE_NETWORK", 5)
    client = app.test_client()
    tries = [attempt(client, f"p{n}@example.invalid", "wrong", "192.0.2.1") for n in range(6)]
    assert tries == [422] * 5 + [429]


def test_guesses_from_everywhere_do_not_shut_out_a_network_the_owner_has_used(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_in, "TRIES_FROM_ANYWHERE", 5)
    with app.app_context():
        person = people.make("panel_member")
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    client = app.test_client()
    tries = [attempt(client, person.email, "wrong", f"192.0.2.{n}") for n in range(8)]
    assert tries[-1] == 429
    assert attempt(app.test_client(), person.email, people.PASSWORD, "198.51.100.1") == 303
    assert attempt(app.test_client(), person.email, people.PASSWORD, "203.0.113.1") == 429


def test_success_wipes_the_slate(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        person = people.make("panel_member")
    for _ in range(3):
        for _ in range(8):
            attempt(client, person.email, "wrong", "192.0.2.1")
        assert attempt(client, person.email, people.PASSWORD, "192.0.2.1") == 303


def test_only_the_security_log_keeps_addresses_and_it_keeps_no_names(
    app: Flask, client: FlaskClient, clock: Clock
) -> None:
    with app.app_context():
        person = people.make("panel_member")
    attempt(client, person.email, "wrong", "192.0.2.1")
    attempt(client, person.email, people.PASSWORD, "192.0.2.1\nforged")
    folder = Path(app.instance_path, "security")
    log = folder / "2020-10.log"
    assert log.stat().st_mode & 0o777 == 0o600
    lines = log.read_text().splitlines()
    assert [line.split()[1] for line in lines] == ["refused", "signed-in"]
    assert lines[0].endswith(f"account={person.id} address=192.0.2.1")
    assert person.email not in log.read_text()
    for _ in range(14):
        clock.forward(days=31)
        attempt(client, "nobody@example.invalid", "wrong", "192.0.2.1")
    assert len(list(folder.iterdir())) == 12
    assert not log.exists()
